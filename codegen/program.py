"""Programs: straight-line sequences of array steps with explicit destinations.

A graph node says *what* a value is; a step says *how* NumPy makes it: a contraction becomes
transposes, a matrix product, a sum.  Every step writes one register, every register is written
once, and each step knows its shape and dtype, so that memory can be planned and a test can ask
for the size of everything that is ever made.

A step may hold programs of its own, its *blocks* (what a loop does once a round).  A block has its
own registers; it reads the step's arguments, by position, through ``outside`` steps.  The step
itself has no value: ``pick`` steps name what it leaves behind (:mod:`codegen.blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from codegen.order import by_depth, down_to, reading_order
from symdiff.expr.node import Node
from symdiff.expr.records import record
from symdiff.expr.shapes import Shape, Size, shape_size

#: Actions whose result may share memory with their first argument.
VIEWS = frozenset(
    {"transpose", "index", "reshape", "broadcast", "diagonal", "slice", "flip", "window"}
)

#: Views in which one place in memory stands for several elements.
REPEATING = frozenset({"broadcast", "window"})

#: Actions that compute nothing: names and literals of what is there already.
LEAVES = frozenset({"leaf", "number", "size", "constant", "outside", "carry", "round", "entry"})

#: Actions of steps that hold blocks.
COMPOUND = frozenset({"loop", "branch"})


@record(frozen=True, slots=True, eq=False)
class Step:
    """One array operation.

    ``dest`` is the register that it writes, ``args`` those it reads; ``action`` is a key of
    :data:`codegen.numpy_table.PRINTERS` and ``details`` its fixed settings.  A ``weak`` value is a
    Python number (a literal or a size), which takes the dtype of what it meets.
    """

    dest: int
    action: str
    args: tuple[int, ...]
    details: tuple[tuple[str, Any], ...]
    shape: Shape
    dtype: str
    weak: bool
    blocks: tuple[Program, ...] = ()

    def moved(self, dest: int, args: tuple[int, ...]) -> Step:
        """The same operation on other registers."""
        if dest == self.dest and args == self.args:
            return self
        return Step(
            dest, self.action, args, self.details, self.shape, self.dtype, self.weak, self.blocks
        )

    def detail(self, name: str) -> Any:
        """The setting of that name; KeyError if the step has none such."""
        for key, value in self.details:
            if key == name:
                return value
        raise KeyError(f"{self.action} has no detail {name}")

    @property
    def size(self) -> Size:
        """The number of elements of the result, a polynomial in the symbolic sizes."""
        return shape_size(self.shape)

    @property
    def is_constant(self) -> bool:
        """Whether it is an array of one number that nothing writes to, so that it may be kept."""
        return self.action == "full" and bool(self.details)

    @property
    def allocates(self) -> bool:
        """Whether a new array is made: views, leaves and Python numbers are not."""
        silent = VIEWS | LEAVES | COMPOUND
        return not self.weak and self.action not in silent


@dataclass(frozen=True, eq=False)
class Program:
    """Steps in an order of execution, and where the labelled results stand.

    ``nodes`` gives for each register the graph node whose value it holds, where there is one;
    ``divisors`` are the registers of Python numbers made of sizes that something is divided by.
    ``divided`` are registers that hold their node's value divided by a size: its name.
    ``again`` are registers that hold what another one held before, which is gone by then.
    """

    steps: tuple[Step, ...]
    results: Mapping[str, int]
    nodes: Mapping[int, Node]
    divisors: tuple[int, ...]
    divided: Mapping[int, str] = field(default_factory=dict)
    again: Mapping[int, int] = field(default_factory=dict)

    @property
    def leaves(self) -> list[Node]:
        """The inputs and parameters that are read, in order of first use."""
        return [step.detail("node") for step in self.steps if step.action == "leaf"]

    def walk(self) -> Iterator[Step]:
        """All steps, those of blocks included."""
        for step in self.steps:
            yield step
            for block in step.blocks:
                yield from block.walk()

    def base(self, register: int) -> int:
        """The register that a view is a view of; itself, if it is none."""
        while self.steps[register].action in VIEWS and not self.copies(register):
            register = self.steps[register].args[0]
        return register

    def copies(self, register: int) -> bool:
        """Whether a step that might make a view has to copy: a reshape of what is transposed."""
        step = self.steps[register]
        if step.action != "reshape":
            return False
        source = self.steps[step.args[0]]
        return source.action == "transpose" and len(source.shape) > 1

    def with_steps(self, steps: tuple[Step, ...]) -> Program:
        """The program with other steps; itself if they are its own."""
        return self if steps == self.steps else replace(self, steps=steps)

    @cached_property
    def called(self) -> Sequence[str]:
        """For each step the NumPy function that it calls; "" if it is no single call."""
        return [step.detail("function") if step.action == "call" else "" for step in self.steps]

    @cached_property
    def readers(self) -> Mapping[int, Sequence[int]]:
        """For each register those of the steps that read it, once a reading."""
        result: dict[int, list[int]] = {step.dest: [] for step in self.steps}
        for step in self.steps:
            for arg in step.args:
                result[arg].append(step.dest)
        return result


@dataclass(frozen=True, slots=True)
class Asked:
    """Leaves whose values the caller's function makes of nodes, both by parameter."""

    leaves: Mapping[str, Node]
    given: Mapping[str, Node]


@dataclass(slots=True)
class Builder:
    """Appends steps; a step that is there already is not made again.

    ``users`` are the nodes that read a node, of those to be lowered.
    """

    dtype: str
    short: bool = False
    steps: list[Step] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    divisors: dict[int, None] = field(default_factory=dict)
    known: dict[Any, int] = field(default_factory=dict)
    users: Mapping[Node, Sequence[Node]] = field(default_factory=dict)

    def emit(
        self,
        action: str,
        args: Sequence[int] = (),
        *,
        shape: Shape,
        dtype: str,
        weak: bool = False,
        blocks: tuple[Program, ...] = (),
        **details: Any,
    ) -> int:
        """The register that holds the result of the step."""
        settings = tuple(details.items())
        key = (action, tuple(args), settings, shape, dtype, blocks)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = len(self.steps)
            step = Step(found, action, tuple(args), settings, shape, dtype, weak, blocks)
            self.steps.append(step)
        return found

    def append(self, step: Step) -> int:
        """The register of a step made elsewhere, its arguments being registers here."""
        return self.put(step, step.args)

    def put(self, step: Step, args: tuple[int, ...]) -> int:
        """The register of a step made elsewhere, with these for its arguments."""
        key = (step.action, args, step.details, step.shape, step.dtype, step.blocks)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = len(self.steps)
            self.steps.append(step.moved(found, args))
        return found

    def pick(self, compound: int, label: str, shape: Shape, dtype: str, **details: Any) -> int:
        """What a step with blocks leaves behind under the label."""
        return self.emit("pick", [compound], shape=shape, dtype=dtype, label=label, **details)

    def number(self, value: float, dtype: str) -> int:
        """A literal."""
        # As text, 0.0 and -0.0 stay apart, and nan equals itself, in the table of known steps.
        literal = repr(int(value) if dtype == "int64" else value)
        return self.emit("number", shape=(), dtype=dtype, weak=True, literal=literal)

    def strong(self, register: int) -> int:
        """The value as a NumPy scalar, where it is a Python number."""
        step = self.steps[register]
        if not step.weak:
            return register
        return self.emit("strong", [register], shape=(), dtype=step.dtype)

    def base(self, register: int) -> int:
        """The register whose memory the value may share: itself, unless it is a view."""
        while self._is_view(self.steps[register]):
            register = self.steps[register].args[0]
        return register

    def viewed_as(self, actions: Collection[str], register: int) -> Step | None:
        """The first step of these actions among those whose views the register is; itself too."""
        while self._is_view(self.steps[register]):
            if self.steps[register].action in actions:
                return self.steps[register]
            register = self.steps[register].args[0]
        return None

    def _is_view(self, step: Step) -> bool:
        # a[k] with one whole number k is basic indexing, and so a view.
        one_place = step.action == "take" and not self.steps[step.args[1]].shape
        return step.action in VIEWS or one_place

    def owned(self, register: int, taken: set[int]) -> int:
        """The value in memory of its own: not a leaf's, and not that of another result."""
        step = self.steps[register]
        base = self.steps[self.base(register)]
        if step.weak:
            return self.strong(register)
        borrowed = base.action == "pick" and dict(base.details).get("borrowed", False)
        shared = base.dest in taken or base.action in LEAVES or borrowed
        if shared or self.viewed_as(REPEATING, register) is not None:
            return self.emit("copy", [register], shape=step.shape, dtype=step.dtype, of=len(taken))
        return register


def build_program(
    results: Mapping[str, Node],
    dtype: str = "float64",
    first: Sequence[Node] = (),
    short: bool = False,
    asked: Asked | None = None,
    early: bool = False,
) -> Program:
    """The program that computes the results, each in memory of its own.

    ``dtype`` is the dtype of the module.  Nodes of ``first`` that the results need are computed as
    early as that order allows: the order in which a person wrote them reads best.  With ``short``,
    functions are spelled in fewer calls rather than in faster ones.  ``asked`` are leaves that are
    had on the way.  Results come ``early`` where they are to be made as soon as they can be, and
    not in their own order.
    """
    builder = Builder(dtype, short)
    registers = _lowered(builder, list(results.values()), first, {}, asked, early)
    taken: set[int] = set()
    places: dict[str, int] = {}
    for label, node in results.items():
        register = builder.owned(registers[node], taken)
        builder.nodes.setdefault(register, node)
        taken.add(builder.base(register))
        places[label] = register
    return _finished(builder, places)


def build_block(
    around: Builder,
    results: Mapping[str, Node],
    given: Mapping[Node, Callable[[Builder], int]],
    carried: Collection[str] = (),
) -> Program:
    """The program of a block; ``given`` nodes are not computed, but read as the functions say.

    The results that are ``carried`` to another run of the block are no views of what may not be
    there any more.
    """
    builder = Builder(around.dtype, around.short)
    registers = _lowered(builder, list(results.values()), list(given), given)
    places = {label: builder.strong(registers[node]) for label, node in results.items()}
    for label in carried:
        step = builder.steps[places[label]]
        base = builder.steps[builder.base(step.dest)]
        if base is not step or base.action in LEAVES:
            places[label] = builder.emit("copy", [step.dest], shape=step.shape, dtype=step.dtype)
    return _finished(builder, places)


def _lowered(
    builder: Builder,
    roots: Sequence[Node],
    first: Sequence[Node],
    given: Mapping[Node, Callable[[Builder], int]],
    asked: Asked | None = None,
    early: bool = False,
) -> dict[Node, int]:
    """The registers of all nodes that the roots need, down to those that are given."""
    from codegen.branches import choices, lower_choice
    from codegen.lowering import lower

    reads: dict[Node, Sequence[Node]] = dict.fromkeys(given, ())
    entries: dict[Node, str] = {}
    if asked is not None:
        entries = {leaf: name for name, leaf in asked.leaves.items()}
        reads |= dict.fromkeys(entries, tuple(asked.given.values()))
    plain = down_to(roots, reads)
    chosen = choices(plain, roots, reads)
    if chosen:
        reads |= {node: choice.reads for node, choice in chosen.items()}
        plain = down_to(roots, reads)
    order = reading_order(by_depth(roots, reads, plain) if early else roots, first, reads, plain)
    users: dict[Node, list[Node]] = {}
    for node in order:
        for x in reads.get(node, node.inputs):
            users.setdefault(x, []).append(node)
    builder.users = users
    registers: dict[Node, int] = {}
    for node in order:
        if node in registers:
            continue
        if node in given:
            registers[node] = given[node](builder)
        elif node in entries:
            assert asked is not None
            registers[node] = _entry(builder, node, entries[node], asked, registers)
        elif node in chosen:
            registers |= lower_choice(builder, chosen[node], registers)
        else:
            registers[node] = lower(builder, node, [registers[x] for x in node.inputs])
        builder.nodes.setdefault(registers[node], node)
    return registers


def _entry(
    builder: Builder, leaf: Node, name: str, asked: Asked, registers: Mapping[Node, int]
) -> int:
    """What the caller's function says for one parameter; it is called once for all."""
    args = [registers[node] for node in asked.given.values()]
    names = tuple(asked.given)
    answer = builder.emit("asked", args, shape=(), dtype=leaf.dtype, names=names)
    return builder.emit("entry", [answer], shape=leaf.shape, dtype=leaf.dtype, name=name)


def _finished(builder: Builder, places: Mapping[str, int]) -> Program:
    from codegen.absorbed import absorbed
    from codegen.brief import brief
    from codegen.common import common_parts
    from codegen.fuse import fused
    from codegen.tidy import tidy

    whole = Program(tuple(builder.steps), places, builder.nodes, tuple(builder.divisors))
    program = live(whole)
    program = live(program.with_steps(fused(program, builder.short)))
    if builder.short:
        program = absorbed(live(brief(program, builder.dtype)))
    program = live(program.with_steps(tidy(program)))
    return common_parts(program) if builder.short else program


def rewritten(program: Program, builder: Builder, place: Mapping[int, int]) -> Program:
    """What a builder has made of a program, whose values stand at ``place``, without the rest."""
    results = {label: place[register] for label, register in program.results.items()}
    divisors = tuple([place[register] for register in program.divisors])
    return live(Program(tuple(builder.steps), results, builder.nodes, divisors))


def live(program: Program) -> Program:
    """The program without steps that nothing needs, registers renumbered."""
    needed = {*program.results.values(), *program.divisors}
    for step in reversed(program.steps):
        if step.dest in needed:
            needed.update(step.args)
    if len(needed) == len(program.steps):
        return program
    place = {register: position for position, register in enumerate(sorted(needed))}
    return Program(
        tuple(
            [
                step.moved(place[step.dest], tuple([place[arg] for arg in step.args]))
                for step in program.steps
                if step.dest in needed
            ]
        ),
        {label: place[register] for label, register in program.results.items()},
        {place[register]: node for register, node in program.nodes.items() if register in place},
        tuple(place[register] for register in program.divisors),
        {place[register]: by for register, by in program.divided.items() if register in place},
        {place[r]: place[old] for r, old in program.again.items() if r in place and old in place},
    )
