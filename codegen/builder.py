"""Programs in the making: a builder appends steps, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codegen.program import LEAVES, REPEATING, VIEWS, Program, Step, live
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape


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


def rewritten(program: Program, builder: Builder, place: Mapping[int, int]) -> Program:
    """What a builder has made of a program, whose values stand at ``place``, without the rest."""
    results = {label: place[register] for label, register in program.results.items()}
    divisors = tuple([place[register] for register in program.divisors])
    return live(Program(tuple(builder.steps), results, builder.nodes, divisors))
