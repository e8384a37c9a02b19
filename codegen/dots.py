"""Dot products that are sums of what another product has as a part: for single formulas.

``vdot(a, b / t)`` beside ``c a b / t`` is the sum of ``a b / t``, which that is then made of, so
that b / t is not divided for the dot product alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen.program import Program, Step
from codegen.rewriting import Rewriting

_DOTS = ("vdot", "matmul", "vecdot")
_FEWEST = 3  # factors: of two the product costs as much as the dot product


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a product is made of, with exponents, and the steps that multiply it."""

    factors: Mapping[int, float]
    coefficient: float
    opened: frozenset[int]

    def has(self, other: _Whole) -> bool:
        """Whether another product is a part, which none of its steps helps to make."""
        return self.opened.isdisjoint(other.opened) and all(
            self.factors.get(x, 0.0) / e >= 1 for x, e in other.factors.items()
        )


def summed_parts(program: Program) -> Program:
    """The program with such dot products as sums."""
    dots = [step for step in program.steps if step.action in _DOTS]
    return _Summing(program).run() if dots else program


class _Summing(Rewriting):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        results = set(program.results.values())
        self.alone = {
            x for x, users in program.readers.items() if len(users) == 1 and x not in results
        }
        wholes = (self.whole(s.dest) for s in program.steps if s.action == "mul" and not s.weak)
        self.products = [whole for whole in wholes if len(whole.factors) > _FEWEST]

    def run(self) -> Program:
        for step in self.program.steps:
            made = self.summed(step) if step.action in _DOTS else None
            self.place[step.dest] = self.written(step) if made is None else made
        return self.finished()

    def whole(self, register: int) -> _Whole:
        """A value as a product, with those multiplied out that it alone reads, and reciprocals."""
        top = self.program.steps[register]
        factors: dict[int, float] = {}
        number, opened, todo = 1.0, set[int](), [(register, 1.0)]
        while todo:
            x, e = todo.pop()
            step = self.program.steps[x]
            inside = x == register or x in self.alone or len(step.args) == 1
            if (
                step.action == "mul"
                and not step.weak
                and step.shape == top.shape
                and inside
                and e % 1 == 0
            ):
                opened.add(x)
                number *= step.detail("coefficient") ** e
                pairs = zip(step.args, step.detail("exponents"), strict=True)
                todo += [(y, k * e) for y, k in pairs]
            else:
                factors[x] = factors.get(x, 0.0) + e
        return _Whole({x: e for x, e in factors.items() if e}, number, frozenset(opened))

    def summed(self, dot: Step) -> int | None:
        """The sum that a dot product is, if a product has what it sums as a part."""
        sources = [self.program.steps[arg] for arg in dot.args]
        axes: tuple[int, ...]
        if dot.action == "vecdot":
            axes = (dot.detail("axis") % len(sources[0].shape),)
        elif dot.shape:
            return None
        else:  # of all elements, so that axes of size 1 do not matter
            sources = [self.below_index(step) for step in sources]
            axes = tuple(range(len(sources[0].shape)))
        if len({(step.shape, step.dtype) for step in (*sources, sources[0])}) > 1:
            return None
        left, right = (self.whole(step.dest) for step in sources)
        factors = dict(left.factors)
        for x, e in right.factors.items():
            factors[x] = factors.get(x, 0.0) + e
        number = left.coefficient * right.coefficient
        part = _Whole({x: e for x, e in factors.items() if e}, 1.0, left.opened | right.opened)
        if len(part.factors) < _FEWEST or abs(number) != 1:
            return None
        if not any(whole.has(part) for whole in self.products):
            return None
        product = self.builder.emit(
            "mul",
            [self.at(x) for x in part.factors],
            shape=sources[0].shape,
            dtype=dot.dtype,
            exponents=tuple(part.factors.values()),
            coefficient=number,
        )
        return self.builder.emit("sum", [product], shape=dot.shape, dtype=dot.dtype, axes=axes)

    def below_index(self, step: Step) -> Step:
        while step.action == "index":
            step = self.program.steps[step.args[0]]
        return step
