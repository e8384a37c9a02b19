"""Lines of text: a program as the body of a function.

A line a value, the equation that a block computes as a comment above it, names from the spec
first.  Long lines are broken at spaces inside parentheses, which Python allows anywhere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from codegen.expression import Text
from codegen.inlining import choose_inlined
from codegen.memory import MemoryPlan, plan_memory
from codegen.names import HINTS, Locals
from codegen.numpy_table import print_step
from codegen.program import Program
from codegen.style import Style
from symdiff.expr.node import Node

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of a function that compute a program's results, and the names of those.

    ``guards`` are the lines that refuse sizes which make a mean over nothing.
    """

    guards: tuple[str, ...]
    lines: tuple[str, ...]
    results: Mapping[str, str]
    memory: MemoryPlan


@dataclass(frozen=True, slots=True)
class _Line:
    code: str
    dest: int
    is_temporary: bool


def write_body(
    program: Program,
    style: Style,
    names: Locals,
    leaves: Mapping[Node, str],
    preferred: Mapping[Node, str],
    comments: Mapping[Node, str],
    labels: Mapping[str, str],
) -> Body:
    """The program as lines.

    ``leaves`` names the leaves' variables, ``preferred`` what other nodes are to be called,
    ``comments`` the equations they compute, ``labels`` what results without a name are called.
    """
    wanted: dict[int, str] = {}
    for register, node in program.nodes.items():
        if node in preferred and program.steps[register].action != "leaf":
            wanted[register] = preferred[node]
    for label, register in program.results.items():
        wanted.setdefault(register, labels[label])
    given = {register: names.give(name) for register, name in wanted.items()}
    variables = {s.dest: leaves[s.detail("node")] for s in program.steps if s.action == "leaf"}
    inlined = choose_inlined(program, style, {**given, **variables})
    plan = plan_memory(program, inlined)

    texts: dict[int, Text] = {}
    lines: list[_Line] = []
    for step in program.steps:
        if step.action == "leaf":
            texts[step.dest] = Text(variables[step.dest])
            continue
        sources = [program.steps[arg] for arg in step.args]
        text = print_step(style, step, [texts[arg] for arg in step.args], sources)
        if step.dest not in plan.slots:
            texts[step.dest] = text
            continue
        name = given.get(step.dest) or names.temporary(HINTS.get(step.action, ""))
        texts[step.dest] = Text(name)
        lines.append(_Line(f"{name} = {text.code}", step.dest, step.dest not in given))
        if step.dest in program.divisors:
            lines.append(_Line(_divisor(style, texts[step.dest]), -1, True))
    return Body(
        tuple(_divisor(style, texts[r]) for r in program.divisors if r not in plan.slots),
        tuple(_with_comments(program, lines, comments)),
        {label: texts[register].code for label, register in program.results.items()},
        plan,
    )


def _divisor(style: Style, text: Text) -> str:
    """A mean over nothing is refused; Python's own ZeroDivisionError would not say why."""
    return style.helper("_nonzero", text.code, f'"{text.code}"')


def _with_comments(
    program: Program, lines: Sequence[_Line], comments: Mapping[Node, str]
) -> list[str]:
    """The lines; an equation stands above the line of its value and the temporaries before it."""
    blocks: list[list[str]] = []
    for place, line in enumerate(lines):
        blocks.append(broken(line.code))
        comment = comments.get(program.nodes[line.dest]) if line.dest in program.nodes else None
        if comment is not None and comment != line.code:
            begin, needed = place, {line.dest}
            while begin and lines[begin - 1].is_temporary:
                needed.update(_read_by(program, needed, lines[begin - 1].dest))
                if lines[begin - 1].dest not in needed:
                    break
                begin -= 1
            blocks[begin] = [*comment_lines(comment), *blocks[begin]]
    return [line for block in blocks for line in block]


def _read_by(program: Program, readers: set[int], down_to: int) -> set[int]:
    """What the readers read, and what that reads, among registers not before ``down_to``."""
    found: set[int] = set()
    stack = list(readers)
    while stack:
        new = [a for a in program.steps[stack.pop()].args if a >= down_to and a not in found]
        found.update(new)
        stack.extend(new)
    return found


def comment_lines(text: str, indent: str = "") -> list[str]:
    """A comment, wrapped."""
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH - len(INDENT),
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#     ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def broken(code: str, width: int = WIDTH - len(INDENT)) -> list[str]:
    """An assignment as lines of at most ``width`` where it has spaces to break at."""
    if len(code) <= width:
        return [code]
    name, _, value = code.partition(" = ")
    begin = _whole_bracket(value)
    if begin:
        inner = _wrapped(value[begin:-1], width)
        return [f"{name} = {value[:begin]}", *indented(inner), value[-1]]
    lines: list[str] = []
    for term in _terms(value):
        if lines and len(lines[-1]) + 1 + len(term) <= width - len(INDENT):
            lines[-1] += f" {term}"
        else:
            lines.append(term)
    if max(map(len, lines)) > width - len(INDENT):
        lines = _wrapped(value, width)
    return [f"{name} = (", *indented(lines), ")"]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width - len(INDENT), break_long_words=False, break_on_hyphens=False)


def _whole_bracket(value: str) -> int:
    """Behind the bracket that holds all the rest: 2 for ``f(a, b)``; 0 if there is none."""
    begin, depth = 0, 0
    for place, character in enumerate(value):
        if character in "([{":
            if not depth and begin:
                return 0
            begin = begin or place + 1
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif not depth and (begin or character == " "):
            return 0
    return begin


def _terms(value: str) -> list[str]:
    """The terms of a sum, each with the sign before it."""
    terms, depth = [""], 0
    for word in value.split(" "):
        if depth == 0 and word in ("+", "-"):
            terms.append(word)
        else:
            terms[-1] += f" {word}" if terms[-1] else word
        depth += sum(word.count(c) for c in "([{") - sum(word.count(c) for c in ")]}")
    return terms


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """The lines, moved right; empty ones stay empty."""
    return [INDENT * depth + line if line else "" for line in lines]
