"""Products that have factors in common, multiplied once.

A product of a graph is one node however many factors it has, and NumPy multiplies two arrays at a
time: a b c beside b c d is four passes, or three with b c first.  The pair of factors that most
products have is multiplied for all of them, then the next, until no two share any.  (Greedy: which
pairs are best is a hard question, and products are short.)  Only arrays of one shape are paired, so
that small ones stay small.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import combinations

from codegen.program import Program, Step
from codegen.rewriting import Rewriting

#: An array to a power, by its register; a pair's product has a number below 0.
Factor = tuple[int, float]
Pair = tuple[Factor, Factor]


def shared_products(program: Program) -> Program:
    """The program with the factors that its products have in common multiplied once."""
    blocks = [step.blocks for step in program.steps if step.blocks]
    pairs = _Pairs(program)
    pairs.choose()
    if not pairs.chosen and not blocks:
        return program
    return _Writing(program, pairs).run()


@dataclass
class _Pairs:
    """The factors of each product, and the pairs that have been put in their places.

    ``twins`` are products of the same arrays, by the first of them.
    """

    program: Program
    factors: dict[int, dict[Factor, None]] = field(default_factory=dict)
    chosen: list[Pair] = field(default_factory=list)
    holders: dict[Pair, dict[int, None]] = field(default_factory=dict)
    twins: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first: dict[tuple[Factor, ...], int] = {}
        for step in self.program.steps:
            if step.action == "mul" and step.shape and not step.weak:
                found = self._arrays(step)
                if len(found) > 1:
                    # Multiples of one product are made of it.
                    same = first.setdefault(tuple(sorted(found)), step.dest)
                    self.twins[step.dest] = same
                    self.factors.setdefault(same, dict.fromkeys(found))

    def _arrays(self, step: Step) -> list[Factor]:
        steps = self.program.steps
        return [
            (arg, e)
            for arg, e in zip(step.args, step.detail("exponents"), strict=True)
            if steps[arg].shape == step.shape and steps[arg].dtype == step.dtype
        ]

    def choose(self) -> None:
        """Take pairs while some are in two products, those of the most products first."""
        for product, factors in self.factors.items():
            for pair in combinations(sorted(factors), 2):
                self.holders.setdefault(pair, {})[product] = None
        heap = [(-len(where), pair) for pair, where in self.holders.items() if len(where) > 1]
        heapq.heapify(heap)
        while heap:
            count, pair = heapq.heappop(heap)
            where = self.holders[pair]
            if len(where) != -count:
                if len(where) > 1:
                    heapq.heappush(heap, (-len(where), pair))
                continue
            for new in self._take(pair, list(where)):
                if len(self.holders[new]) > 1:
                    heapq.heappush(heap, (-len(self.holders[new]), new))

    def _take(self, pair: Pair, where: Iterable[int]) -> Iterable[Pair]:
        """Put the pair's product in its place; what it may be paired with in turn."""
        self.chosen.append(pair)
        whole: Factor = (-len(self.chosen), 1.0)
        found: dict[Pair, None] = {}
        for product in where:
            factors = self.factors[product]
            for one in pair:
                for other in factors:
                    if other != one:
                        self.holders[min(one, other), max(one, other)].pop(product, None)
                del factors[one]
            for other in factors:
                new = (min(whole, other), max(whole, other))
                self.holders.setdefault(new, {})[product] = None
                found[new] = None
            factors[whole] = None
        return found


class _Writing(Rewriting):
    """The program written out again, each pair where it is first needed."""

    def __init__(self, program: Program, pairs: _Pairs) -> None:
        super().__init__(program)
        self.pairs = pairs

    def run(self) -> Program:
        for step in self.program.steps:
            self.place[step.dest] = self._written(step)
        return self.finished()

    def _written(self, step: Step) -> int:
        same = self.pairs.twins.get(step.dest, step.dest)
        factors = self.pairs.factors.get(same, {})
        if not any(register < 0 for register, _ in factors):
            return self.builder.append(
                replace(
                    step,
                    args=tuple(self.place[a] for a in step.args),
                    blocks=tuple(shared_products(block) for block in step.blocks),
                )
            )
        arrays = dict.fromkeys(self.pairs._arrays(step))
        rest = [
            (self.place[arg], e)
            for arg, e in zip(step.args, step.detail("exponents"), strict=True)
            if (arg, e) not in arrays
        ]
        taken = [(self._register(f, step), f[1]) for f in factors]
        return self.product([*rest, *taken], step.detail("coefficient"), step)

    def _register(self, factor: Factor, like: Step) -> int:
        register = factor[0]
        if register >= 0:
            return self.place[register]
        if register not in self.place:
            pair = self.pairs.chosen[-register - 1]
            parts = [(self._register(f, like), f[1]) for f in pair]
            self.place[register] = self.product(parts, 1.0, like)
        return self.place[register]
