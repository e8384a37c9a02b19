"""A program being written out as single calls: what the rules for its operations build on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from codegen import softmaxes, views
from codegen.builder import Builder, rewritten
from codegen.program import Program, Step
from symdiff.expr.shapes import Shape, broadcast_shapes

#: Integer powers up to this are products.
MOST_FACTORS = 16


class Expansion:
    """The steps so far, and where each value of the program is now; ``rules`` by action."""

    def __init__(self, program: Program, rules: Mapping[str, Rule]) -> None:
        self.program, self.rules = program, rules
        self.builder = Builder("")
        self.place: dict[int, int] = {}
        self.sigmoids: dict[tuple[int, float], int] = {}
        self.softmaxes = softmaxes.Sharing(program)
        self.readers = program.readers
        self.results = set(program.results.values())

    def run(self) -> Program:
        for step in self.program.steps:
            register = self._expanded(step)
            self.place[step.dest] = register
            node = self.program.nodes.get(step.dest)
            if node is not None:
                self.builder.nodes.setdefault(register, node)
        return rewritten(self.program, self.builder, self.place)

    def _expanded(self, step: Step) -> int:
        args = [self.place[a] for a in step.args]
        rule = self.rules.get(step.action)
        if rule is None or not (step.shape or step.action == "sum") or step.weak:
            return self.same(step, args)
        return rule(self, step, args)

    def same(self, step: Step, args: Sequence[int]) -> int:
        """The step as it is."""
        blocks = tuple([Expansion(block, self.rules).run() for block in step.blocks])
        moved = step.moved(step.dest, tuple(args))
        return self.builder.append(replace(moved, blocks=blocks) if blocks else moved)

    def call(
        self, function: str, args: Sequence[int], shape: Shape, dtype: str, **details: object
    ) -> int:
        """One call; ``elementwise`` ones may write over an argument."""
        settings: dict[str, Any] = {"function": function, **details}
        return self.builder.emit("call", args, shape=shape, dtype=dtype, **settings)

    def ufunc(self, function: str, args: Sequence[int], dtype: str) -> int:
        """A function of elements, broadcasting; of columns as of the matrices that they are."""
        sources = [self.step(a) for a in args]
        if all(x.action == "index" and x.details == sources[0].details for x in sources):
            whole = [self.step(x.args[0]) for x in sources]
            items = sources[0].detail("items")
            if views.NEW not in items and len({x.shape for x in whole}) == 1:
                made = self.ufunc(function, [x.dest for x in whole], dtype)
                return views.index(self.builder, made, items)
        shape = broadcast_shapes(*(self.step(a).shape for a in args))
        return self.call(function, args, shape, dtype, elementwise=True)

    def constant(self, name: str, shape: Shape, dtype: str) -> int:
        """An array of "ones" or "zeros", to be read only."""
        number = self.number({"ones": 1.0, "zeros": 0.0}[name], dtype)
        return self.builder.emit("full", [number], shape=shape, dtype=dtype, constant=name)

    def step(self, register: int) -> Step:
        return self.builder.steps[register]

    def number(self, value: float, dtype: str) -> int:
        return self.builder.number(value, dtype)

    def power(self, register: int, exponent: float, dtype: str) -> int:
        """An array to a positive power: products and roots; the slow pow() where there is none."""
        if exponent == 1:
            return register
        whole = math.floor(exponent)
        if exponent - whole == 0.5 and whole <= 2:
            root = self.ufunc("sqrt", [register], dtype)
            if not whole:
                return root
            return self.ufunc("multiply", [self.power(register, whole, dtype), root], dtype)
        if exponent != whole or whole > MOST_FACTORS:
            kind = "int64" if exponent == whole else dtype
            return self.ufunc("power", [register, self.number(exponent, kind)], dtype)
        half = self.power(register, whole // 2, dtype)
        square = self.ufunc("multiply", [half, half], dtype)
        return self.ufunc("multiply", [square, register], dtype) if whole % 2 else square


Rule: TypeAlias = Callable[[Expansion, Step, list[int]], int]
