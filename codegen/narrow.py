"""Products with narrow matrices, taken together: BLAS is at its best with wide ones.

A classifier has few classes, and in a second derivative each product of its last layer comes twice.
``h W`` and ``h V`` are one product, with the columns of both, ``h [W V]``.  In ``r Wᵀ + d Vᵀ`` what
is summed over is short, so that most of the time goes into writing the terms and adding them up; it
is ``[r d] [W V]ᵀ``, and the sum is the product's own.  The matrices are put together in every call.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen import views
from codegen.carriers import typical_elements
from codegen.program import LEAVES, Program, Step
from codegen.rewriting import Rewriting
from symdiff.expr.shapes import Shape, size_add

#: The columns of a narrow matrix, at most, and of a wide one, at least.
NARROW, WIDE = 32, 64
#: The elements of what narrow matrices multiply for which they are put together.
MANY = 1 << 16


def narrow_products(program: Program) -> Program:
    """The program with such products taken together."""
    found = _Found(program)
    sides, sums = found.sides(), found.sums()
    return _Writing(program).run(sides, sums) if sides or sums else program


@dataclass(frozen=True, slots=True)
class Sum:
    """Products of a sum that are taken together, and what they are multiplied by in it."""

    products: tuple[int, ...]
    coefficient: float


class _Found:
    """Which products."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.steps = program.steps
        self.products = [
            step
            for step in program.steps
            if step.action == "matmul" and len(step.shape) > 1 and self.is_matrix(step.args[1])
        ]

    def is_matrix(self, register: int) -> bool:
        """Whether it is a matrix with sizes that are numbers on one side at least."""
        return len(self.steps[register].shape) == 2

    def sides(self) -> list[tuple[int, ...]]:
        """Products of one array with narrow matrices, of which all are there at the first."""
        by_left: dict[int, list[Step]] = {}
        for step in self.products:
            if _at_most(step.shape[-1], NARROW):
                by_left.setdefault(step.args[0], []).append(step)
        found = []
        for left, steps in by_left.items():
            own = [s for s in steps if self.is_there(s.args[1], steps[0].dest)]
            if len(own) > 1 and self.is_much(self.steps[left].shape, own):
                own.sort(key=lambda s: s.args[1])
                found.append(tuple([s.dest for s in own]))
        return found

    def is_much(self, shape: Shape, products: Sequence[Step]) -> bool:
        """Whether an array is much larger than what its products are, which are read in parts."""
        made = sum(typical_elements(step.shape) for step in products)
        return typical_elements(shape) >= max(MANY, 4 * made)

    def is_there(self, register: int, at: int) -> bool:
        """Whether a matrix is there when a step runs, or can be."""
        return register < at or self.steps[self.program.base(register)].action in LEAVES

    def sums(self) -> dict[int, Sum]:
        """Terms of sums that are products over short axes, and much larger than their factors."""
        readers, results = self.program.readers, {*self.program.results.values()}
        inner: dict[int, list[Step]] = {}
        for step in self.products:
            short = _at_most(self.steps[step.args[1]].shape[0], NARROW)
            alone = len(readers[step.dest]) == 1 and step.dest not in results
            if short and alone and not _at_most(step.shape[-1], WIDE - 1):
                inner.setdefault(readers[step.dest][0], []).append(step)
        found = {}
        for register, steps in inner.items():
            total = self.steps[register]
            if total.action != "add" or len(steps) < 2:
                continue
            weights = dict(zip(total.args, total.detail("coefficients"), strict=True))
            own = [s for s in steps if weights[s.dest] == weights[steps[0].dest]]
            own = [s for s in own if (s.shape, s.dtype) == (own[0].shape, own[0].dtype)]
            if len(own) > 1:
                own.sort(key=lambda s: self.program.base(s.args[1]))
                found[register] = Sum(tuple([s.dest for s in own]), weights[own[0].dest])
        return found


def _at_most(size: object, most: int) -> bool:
    return isinstance(size, int) and size <= most


class _Writing(Rewriting):
    """The program written out again."""

    def run(self, sides: Sequence[tuple[int, ...]], sums: Mapping[int, Sum]) -> Program:
        program, place = self.program, self.place
        side = {register: group for group in sides for register in group}
        terms = {register for each in sums.values() for register in each.products}
        for step in program.steps:
            if step.dest in place or step.dest in terms:
                continue
            if step.dest in side:
                self.beside(side[step.dest])
            elif step.dest in sums:
                place[step.dest] = self.summed(step, sums[step.dest])
            else:
                place[step.dest] = self.written(step)
        return self.finished()

    def joined(self, registers: Sequence[int], axis: int) -> int:
        """Arrays beside each other along an axis."""
        steps = [self.builder.steps[r] for r in registers]
        along = functools.reduce(size_add, [step.shape[axis] for step in steps])
        shape = (*steps[0].shape[:axis], along, *steps[0].shape[axis + 1 :])
        return self.builder.emit(
            "concatenate", registers, shape=shape, dtype=steps[0].dtype, axis=axis
        )

    def matrices(self, registers: Sequence[int], axis: int) -> int:
        """Matrices beside each other; transposes of such as a transpose."""
        steps = [self.builder.steps[self.at(r)] for r in registers]
        if all(step.action == "transpose" for step in steps):
            joined = self.joined([step.args[0] for step in steps], 1 - axis)
            return views.transpose(self.builder, joined, (1, 0))
        return self.joined([step.dest for step in steps], axis)

    def matmul(self, left: int, right: int, like: Step) -> int:
        steps = self.builder.steps
        shape: Shape = (*like.shape[:-1], steps[right].shape[1])
        return self.builder.emit("matmul", [left, right], shape=shape, dtype=like.dtype)

    def beside(self, group: Sequence[int]) -> None:
        """Products of one array as parts of one."""
        steps = [self.program.steps[register] for register in group]
        whole = self.matrices([step.args[1] for step in steps], 1)
        product = self.matmul(self.at(steps[0].args[0]), whole, steps[0])
        start = 0
        for step in steps:
            width = step.shape[-1]
            assert isinstance(width, int)
            stop = None if step is steps[-1] else start + width
            ranges = (*[(0, None, 1, False)] * (len(step.shape) - 1), (start, stop, 1, False))
            self.place[step.dest] = self.builder.emit(
                "slice", [product], shape=step.shape, dtype=step.dtype, ranges=ranges
            )
            start += width

    def summed(self, step: Step, found: Sum) -> int:
        """A sum with several of its products as one."""
        products = [self.program.steps[register] for register in found.products]
        left = self.joined([self.at(p.args[0]) for p in products], len(step.shape) - 1)
        product = self.matmul(left, self.matrices([p.args[1] for p in products], 0), products[0])
        pairs = zip(step.args, step.detail("coefficients"), strict=True)
        rest = [(self.at(a), c) for a, c in pairs if a not in found.products]
        constant = step.detail("constant")
        if not rest and not constant and found.coefficient == 1:
            return product
        return self.total([*rest, (product, found.coefficient)], step, constant)
