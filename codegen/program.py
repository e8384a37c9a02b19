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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

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
