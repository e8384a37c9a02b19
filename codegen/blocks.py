"""Statements that hold lines of their own: how a step with blocks is written.

A loop keeps its *carries* in variables, which every round assigns anew, and writes what is wanted
of every round into arrays made before it::

    h = h0
    h_steps = np.empty((steps, batch, 8), dtype=dtype)
    for t in range(steps):
        h = np.tanh(xw[t] + h @ U)
        h_steps[t] = h
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.buffers import is_call
from codegen.expression import Level, Text
from codegen.inlining import choose_inlined
from codegen.lines import indented
from codegen.memory import last_reads
from codegen.program import Program, Step
from symdiff.expr.shapes import Shape, Size, size_add, size_sub

if TYPE_CHECKING:
    from codegen.writer import Writer, Written


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of a statement, and the guards that its inner lines want at the function's head.

    ``written`` are its programs as lines, in order.
    """

    lines: tuple[str, ...]
    guards: tuple[str, ...]
    written: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """An array with a place a round.

    ``label`` is its pick; ``source`` the block's result that it holds, "carry 0" standing for the
    carry as the round found it.  ``start`` is the carry whose initial value it holds besides, in a
    place of its own before the first round's.
    """

    label: str
    source: str
    shape: Shape
    dtype: str
    start: int | None = None


def block_lines(
    writer: Writer,
    program: Program,
    step: Step,
    args: Sequence[Text],
    picks: Mapping[int, str],
    depth: int,
) -> Block:
    """The lines of a step with blocks; ``picks`` names what it leaves behind, by register.

    Every such step says which of its arguments, by position, are ``read_once``, so that they may
    be written as expressions there, and which are ``indexed``, so that they have to be names.
    """
    labels = {program.steps[r].detail("label"): name for r, name in picks.items()}
    return _BLOCKS[step.action](writer, step, args, labels, depth)


def _branch(
    writer: Writer, step: Step, args: Sequence[Text], picks: Mapping[str, str], depth: int
) -> Block:
    """Two ways to the same values: the first where one size is less than another.

    What only one of the ways leaves behind, only such ways of later branches read.
    """
    less, more = (writer.style.size(step.detail(side)).code for side in ("less", "more"))
    lines: list[str] = []
    written = []
    for head, block in zip((f"if {less} < {more}:", "else:"), step.blocks, strict=True):
        outside = {
            inner.dest: args[inner.detail("position")]
            for inner in block.steps
            if inner.action == "outside"
        }
        given: dict[int, str] = {}
        made = {label: name for label, name in picks.items() if label in block.results}
        for label, name in made.items():
            given.setdefault(block.results[label], name)
        own = {r: name for r, name in given.items() if r not in outside}
        apart = writer.apart() if any(inner.action == "call" for inner in block.walk()) else writer
        way = apart.write(block, own, outside, depth + 1)
        moved = [
            f"{name} = {way.texts[block.results[label]].code}"
            for label, name in made.items()
            if way.texts[block.results[label]].code != name
        ]
        kept = [] if apart is writer else apart.buffer_lines()
        lines += [head, *indented([*kept, *way.lines, *moved])]
        written.append(way)
    guards = tuple(guard for way in written for guard in way.guards)
    return Block(tuple(lines), guards, tuple(written))


def _loop(
    writer: Writer, step: Step, args: Sequence[Text], picks: Mapping[str, str], depth: int
) -> Block:
    """A loop: its arguments are the carries' initial values, then what the block reads.

    ``length`` rounds, from the last to the first if ``reverse``; ``carries`` are hints for the
    carries' names; ``stacks`` what is kept of all rounds.
    """
    (block,), style, names = step.blocks, writer.style, writer.names
    length: Size = step.detail("length")
    reverse: bool = step.detail("reverse")
    stacks = [s for s in step.detail("stacks") if s.label in picks]
    t = names.give("t")
    outside: dict[int, Text] = {}
    begin: list[str] = []
    rows: list[str] = []
    reads = block.readers
    carries = [
        picks.get(f"final {i}") or names.give(hint) for i, hint in enumerate(step.detail("carries"))
    ]
    for inner in block.steps:
        if inner.action == "carry":
            outside[inner.dest] = Text(carries[inner.detail("position")])
        elif inner.action == "outside":
            outside[inner.dest] = args[inner.detail("position")]
        elif inner.action == "round":
            array = args[inner.detail("position")].at(Level.ATOM)
            outside[inner.dest] = Text(f"{array}[{t}]")
            if len(reads[inner.dest]) > 1:
                name = names.give(f"{array}_{t}" if array.isidentifier() else "part")
                outside[inner.dest] = Text(name)
                rows.append(name)
                begin.append(f"{name} = {array}[{t}]")
    updates = [block.results[f"update {i}"] for i in range(len(carries))]
    given = _update_names(writer, block, carries, updates, outside)
    places = {stack.label: _row(stack, picks, t, reverse) for stack in stacks}
    computed = {
        block.results[stack.source]: places[stack.label]
        for stack in stacks
        if stack.source in block.results and is_call(block.steps[block.results[stack.source]])
    }
    written = writer.write(block, given, outside, depth + 1, computed)

    lines = [f"{name} = {args[i].code}" for i, name in enumerate(carries)]
    end: list[str] = []
    for stack in stacks:
        rounds = size_add(length, 1) if stack.start is not None else length
        shape, dtype = style.shape((rounds, *stack.shape)), style.dtype_code(stack.dtype)
        name = picks[stack.label]
        lines.append(f"{name} = {style.call('empty', shape, f'dtype={dtype}')}")
        if stack.start is not None:
            first = style.size(length).code if reverse else "0"
            lines.append(f"{name}[{first}] = {carries[stack.start]}")
        kind, _, number = stack.source.partition(" ")
        if kind == "carry":
            begin.append(f"{places[stack.label]} = {carries[int(number)]}")
        elif block.results[stack.source] not in computed:
            value = written.texts[block.results[stack.source]].code
            end.append(f"{places[stack.label]} = {value}")
    moved = [
        (name, written.texts[register].code)
        for name, register in zip(carries, updates, strict=True)
        if written.texts[register].code != name
    ]
    if moved:
        end.append(
            ", ".join(name for name, _ in moved) + " = " + ", ".join(code for _, code in moved)
        )
    last = style.size(size_sub(length, 1)).code
    rounds = style.range(f"{last}, -1, -1" if reverse else style.size(length).code)
    lines.append(f"for {t} in {rounds}:")
    lines += indented([*begin, *written.lines, *end])
    # After the last round such names would keep whole stacks there; none may have run.
    views = [*rows, *(written.texts[register].code for register in computed)]
    views = [name for name in dict.fromkeys(views) if name not in picks.values()]
    if writer.tight and views:
        lines.append(" = ".join([*views, "None"]))
    return Block(tuple(lines), written.guards, (written,))


def _row(stack: Stack, picks: Mapping[str, str], t: str, reverse: bool) -> str:
    """This round's place in a stack."""
    behind = stack.start is not None and not reverse
    return f"{picks[stack.label]}[{t} + 1]" if behind else f"{picks[stack.label]}[{t}]"


def _update_names(
    writer: Writer,
    block: Program,
    carries: Sequence[str],
    updates: Sequence[int],
    outside: Mapping[int, Text],
) -> dict[int, str]:
    """What the carries' new values are called.

    The carry's own name, if nothing reads the old value any more when the new one is there; else
    a name that is moved to the carry's at the end of the round.
    """
    given = {register: writer.names.give(name) for register, name in writer.wanted(block).items()}
    lined = dict.fromkeys((r for r in updates if r not in outside), "a name")
    last = last_reads(block, choose_inlined(block, writer.style, {**given, **lined}, outside))
    old = {s.detail("position"): s.dest for s in block.steps if s.action == "carry"}
    for i, register in enumerate(updates):
        if register in outside or register in given:
            continue
        # A loop inside would assign its result's name before it has read the old value.
        inner = block.steps[register].action == "pick"
        over = not inner and (i not in old or last[old[i]] <= register)
        given[register] = carries[i] if over else writer.names.give(f"{carries[i]}_next")
    return given


_BLOCKS = {"loop": _loop, "branch": _branch}
