"""A program as the body of a function.

A line a value, the equation that a group of lines computes as a comment above it, names from the
spec first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from codegen.blocks import block_lines
from codegen.buffers import BufferPlan, Form, plan_buffers
from codegen.calls import Place, buffer_lines, call_line, hint, leaders, view_lines
from codegen.expression import Text
from codegen.inlining import choose_inlined
from codegen.lines import INDENT, WIDTH, broken, comment_lines
from codegen.memory import MemoryPlan, plan_memory
from codegen.names import Locals
from codegen.numpy_table import print_step
from codegen.program import COMPOUND, LEAVES, Program, Step
from codegen.style import Style
from symdiff.expr.node import Node
from symdiff.expr.records import record


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of a function that compute a program's results, and the names of those.

    ``guards`` are the lines that refuse sizes which make a mean over nothing.
    """

    guards: tuple[str, ...]
    lines: tuple[str, ...]
    results: Mapping[str, str]
    written: Written


@record(frozen=True, slots=True)
class _Line:
    code: str
    dest: int
    is_temporary: bool
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A program as lines: ``texts`` says how each register is read after them.

    ``blocks`` are the programs that steps hold, as lines, by the steps' registers.
    """

    program: Program
    guards: tuple[str, ...]
    lines: tuple[str, ...]
    texts: Mapping[int, Text]
    memory: MemoryPlan
    blocks: Mapping[int, tuple[Written, ...]]
    buffers: BufferPlan
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """What the lines of one function share, however deep they stand.

    ``tight`` text gives up memory as soon as it can: buffers are shared by different shapes, and
    names of other arrays deleted.
    """

    style: Style
    names: Locals
    preferred: Mapping[Node, str] = field(default_factory=dict)
    comments: Mapping[Node, str] = field(default_factory=dict)
    buffers: str = "b"
    forms: list[Form] = field(default_factory=list)
    function: str = ""
    tight: bool = False
    views: str = ""

    def apart(self) -> Writer:
        """A writer for lines that may not run: their buffers are their own."""
        return replace(self, buffers=self.names.give("b"), forms=[])

    def buffer_lines(self) -> list[str]:
        """The lines that make the buffers, or take them from the workspace."""
        key = self.function if self.buffers == "b" else f"{self.function}: {self.buffers}"
        return buffer_lines(self.style, self.forms, self.buffers, key)

    def wanted(self, program: Program) -> dict[int, str]:
        """What registers are to be called after the nodes whose values they hold."""
        return {
            register: self.preferred[node]
            for register, node in program.nodes.items()
            if node in self.preferred
            and program.steps[register].action not in LEAVES
            and not _is_turned(program, register)
            and (register not in program.divided or _comment(program, register, self.comments))
        }

    def write(
        self,
        program: Program,
        given: Mapping[int, str],
        outside: Mapping[int, Text],
        depth: int = 1,
        places: Mapping[int, str] | None = None,
    ) -> Written:
        """The lines of a program, or of a block ``depth`` indentations deep.

        ``given`` names registers; ``outside`` gives the texts of those that need no line, being
        there already; ``places`` are where results of calls are wanted.
        """
        style, names = self.style, self.names
        inlined = choose_inlined(program, style, given, outside)
        plan = plan_memory(program, inlined)
        outermost = depth == 1
        fresh = () if outermost else {*program.results.values()}
        gives_up = self.tight and outermost
        kept = plan_buffers(program, plan, fresh, sharing=gives_up)
        first = len(self.forms)
        self.forms.extend(kept.forms)
        leader = leaders(program, kept, inlined, given)
        called: dict[int, str] = {}
        texts: dict[int, Text] = {}
        lines: list[_Line] = []
        guards: list[str] = []
        blocks: dict[int, tuple[Written, ...]] = {}
        gone = _gone(program, plan, kept) if gives_up else {}
        place = Place(self.buffers, first, kept, places or {}, self.views)
        for step in program.steps:
            if step.dest in outside:
                texts[step.dest] = outside[step.dest]
                continue
            if step.action in COMPOUND:
                picks = self.picks(program, step, given)
                texts |= {register: Text(name) for register, name in picks.items()}
                args = [texts[arg] for arg in step.args]
                block = block_lines(self, program, step, args, picks, depth)
                guards += block.guards
                blocks[step.dest] = block.written
                lines.append(_Line("", step.dest, True, block.lines))
                lines += _deleted(gone.get(step.dest, ()), texts)
                continue
            if step.action == "pick":
                continue
            sources = [program.steps[arg] for arg in step.args]
            args = [texts[arg] for arg in step.args]
            if step.dest not in plan.slots:
                texts[step.dest] = print_step(style, step, args, sources)
                continue
            head = leader.get(step.dest, step.dest)
            if head not in called:
                called[head] = given.get(head) or names.temporary(hint(step))
            name = called[head]
            if step.action == "call":
                code = call_line(style, step, sources, args, name, place)
            elif step.is_constant:
                code = f"{name} = {place.code(step.dest)}"
                at = first + kept.buffer[step.dest]
                number = self.number(program, step.args[0]).code
                self.forms[at] = self.forms[at]._replace(number=number)
            else:
                code = f"{name} = {print_step(style, step, args, sources).code}"
            texts[step.dest] = Text(name)
            lines.append(_Line(code, step.dest, step.dest not in given))
            if step.dest in program.divisors:
                lines.append(_Line(_divisor(style, texts[step.dest]), -1, True))
            lines += _deleted(gone.get(step.dest, ()), texts)
        guards += [_divisor(style, texts[r]) for r in program.divisors if r not in plan.slots]
        width = WIDTH - depth * len(INDENT)
        found = _with_comments(program, lines, self.comments, width)
        heads = tuple(dict.fromkeys(guards))
        return Written(program, heads, tuple(found), texts, plan, blocks, kept, gives_up)

    def number(self, program: Program, register: int) -> Text:
        """A Python number whole, though a line below may name it: buffers come before all lines."""
        step = program.steps[register]
        args = [self.number(program, arg) for arg in step.args]
        return print_step(self.style, step, args, [program.steps[arg] for arg in step.args])

    def picks(self, program: Program, step: Step, given: Mapping[int, str]) -> dict[int, str]:
        """The names of what a step with blocks leaves behind."""
        return {
            each.dest: given.get(each.dest) or self.names.temporary(each.detail("hint"))
            for each in program.steps
            if each.action == "pick" and each.args == (step.dest,)
        }


def write_body(
    program: Program,
    style: Style,
    names: Locals,
    leaves: Mapping[Node, str],
    preferred: Mapping[Node, str],
    comments: Mapping[Node, str],
    labels: Mapping[str, str],
    function: str = "",
    tight: bool = False,
) -> Body:
    """The program as lines; ``function`` is the name under which a workspace keeps its buffers.

    ``leaves`` names the leaves' variables, ``preferred`` what other nodes are to be called,
    ``comments`` the equations they compute, ``labels`` what results without a name are called;
    ``tight`` text gives up memory as soon as it can.
    """
    writer = Writer(style, names, preferred, comments, function=function, tight=tight)
    wanted = writer.wanted(program)
    for label, register in program.results.items():
        wanted.setdefault(register, labels[label])
    # What is computed again goes by its old name.
    given = {r: names.give(name) for r, name in wanted.items() if r not in program.again}
    given |= {r: given[old] for r, old in program.again.items() if old in given}
    if any(step.action == "call" for step in program.walk()):
        buffers = names.give("b")
        writer = replace(writer, buffers=buffers, views=names.give("b_in") if tight else "")
    variables = {
        s.dest: Text(leaves[s.detail("node")]) for s in program.steps if s.action == "leaf"
    }
    written = writer.write(program, given, variables)
    return Body(
        written.guards,
        (
            *writer.buffer_lines(),
            *view_lines(style, written.buffers, writer.buffers, writer.views),
            *written.lines,
        ),
        {label: written.texts[register].code for label, register in program.results.items()},
        written,
    )


def _divisor(style: Style, text: Text) -> str:
    """A mean over nothing is refused; Python's own ZeroDivisionError would not say why."""
    return style.helper("_nonzero", text.code, f'"{text.code}"')


def _with_comments(
    program: Program, lines: Sequence[_Line], comments: Mapping[Node, str], width: int
) -> list[str]:
    """The lines; an equation stands above the line of its value and the temporaries before it."""
    blocks: list[list[str]] = []
    for place, line in enumerate(lines):
        blocks.append(list(line.lines) or broken(line.code, width))
        comment = _comment(program, line.dest, comments)
        if comment is not None and comment != line.code:
            begin, needed = place, {line.dest}
            while begin and lines[begin - 1].is_temporary:
                needed.update(_read_by(program, needed, lines[begin - 1].dest))
                if lines[begin - 1].dest not in needed:
                    break
                begin -= 1
            blocks[begin] = [*comment_lines(comment), *blocks[begin]]
    return [line for block in blocks for line in block]


def _is_turned(program: Program, register: int) -> bool:
    """Whether a register is another look at one that holds the same value."""
    step = program.steps[register]
    known = program.nodes
    return step.action == "transpose" and known.get(step.args[0]) is known[register]


def _comment(program: Program, register: int, comments: Mapping[Node, str]) -> str | None:
    """The equation that a line computes, said of what it holds."""
    node = program.nodes.get(register)
    text = None if node is None else comments.get(node)
    if node is not None and text is not None and program.steps[register].shape != node.shape:
        text += ", its axes in another order"
    if text is not None and register in program.divided:
        times = f"{program.divided[register]} * "
        text = text.removeprefix(times) if text.startswith(times) else None
    return f"recomputed: {text}" if text and register in program.again else text


def _gone(program: Program, plan: MemoryPlan, kept: BufferPlan) -> dict[int, list[int]]:
    """For lines the values in memory of their own that they are the last to read; their views."""
    results = {program.base(r) for r in program.results.values()}
    found: dict[int, list[int]] = {}
    for register in plan.slots:
        base = program.steps[program.base(register)]
        made = base.allocates and base.dest not in kept.buffer
        own = base.shape and (made or program.copies(base.dest))
        if own and base.dest in plan.slots and base.dest not in results:
            found.setdefault(plan.last_use[base.dest], []).append(register)
    return found


def _deleted(registers: Sequence[int], texts: Mapping[int, Text]) -> list[_Line]:
    names = [texts[register].code for register in registers]
    return [_Line(f"del {', '.join(names)}", -1, True)] if names else []


def _read_by(program: Program, readers: set[int], down_to: int) -> set[int]:
    """What the readers read, and what that reads, among registers not before ``down_to``."""
    found: set[int] = set()
    stack = list(readers)
    while stack:
        new = [a for a in program.steps[stack.pop()].args if a >= down_to and a not in found]
        found.update(new)
        stack.extend(new)
    return found
