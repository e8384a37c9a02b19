"""Products that are there already, taken instead of others that say the same.

Where a factor stands before a sum, s (1 + z r) is s + (z s) r, which is a pass less where z s is
at hand: gelu and swish are h = z s, and their slope is s + h r.  Where what a sum's terms have in
common would make one that is at hand whole, (a b - c b) a is (a - c) (a b): so the second
derivatives of z s(w) share s s̄ w'.  In the graph, powers are put before sums where that saves work
in general; here it is known what else is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codegen.flat import Flat, Term
from codegen.program import Program, Step
from codegen.rewriting import Rewriting


def with_products_at_hand(program: Program) -> Program:
    """The program with each such product in another form."""
    if not any(step.action == "mul" and step.shape for step in program.steps):
        return program
    found = _Found(program)
    twins = {step.dest: twin for step in program.steps if (twin := found.twin(step)) is not None}
    ways = {step.dest: way for step in program.steps if (way := found.way(step)) is not None}
    return _Writing(program).run(ways, twins) if ways or twins else program


@dataclass(frozen=True, slots=True)
class Way:
    """A product as a sum of terms, times other factors."""

    terms: tuple[Term, ...]
    outside: Term


class _Found:
    """Where it can be done."""

    def __init__(self, program: Program) -> None:
        self.steps = program.steps
        self.flat = Flat(program)
        self.readers = program.readers
        self.results = {*program.results.values()}
        self.owned = {program.base(register) for register in self.results}
        self.firsts: dict[tuple[frozenset[tuple[int, float]], float], int] = {}
        self.products: dict[frozenset[tuple[int, float]], int] = {}
        for step in program.steps:
            term = self.flat.terms[step.dest]
            if step.action == "mul" and len(term.factors) > 1 and term.coefficient == 1:
                self.products.setdefault(frozenset(term.factors.items()), step.dest)

    def twin(self, step: Step) -> tuple[int, float] | None:
        """The value that the step makes again, or that it makes again with another sign."""
        term = self.flat.terms[step.dest]
        if len(term.factors) > 1:
            key = frozenset(term.factors.items()), abs(term.coefficient)
            first = self.firsts.setdefault(key, step.dest)
            sign = term.coefficient / self.flat.terms[first].coefficient
        else:
            ((first, e),) = term.factors.items()
            sign = term.coefficient if e == 1 and step.action != "mul" else 0.0
        # Each result has memory of its own.
        again = first != step.dest and abs(sign) == 1 and step.dest not in self.owned
        return (first, sign) if again else None

    def way(self, step: Step) -> Way | None:
        """Another form of a product, where it has one that saves a pass."""
        if step.action != "mul" or not step.shape or step.weak:
            return None
        factors = dict(zip(step.args, step.detail("exponents"), strict=True))
        for total, e in factors.items():
            if e == 1 and self.is_own_sum(total, step):
                rest = Term({}, step.detail("coefficient"))
                for arg, power in factors.items():
                    plain = power == 1 and self.fits(step, arg)
                    own = self.flat.terms[arg] if plain else Term({arg: power})
                    rest = rest if arg == total else rest.times(own)
                for way in self.ways(step, self.steps[total], rest):
                    return way
        return None

    def is_own_sum(self, register: int, step: Step) -> bool:
        """Whether it is a sum that only the step reads."""
        alone = self.readers[register] == [step.dest] and register not in self.results
        return alone and self.steps[register].action == "add" and self.fits(step, register)

    def ways(self, step: Step, total: Step, rest: Term) -> Iterator[Way]:
        """Those for a sum times the rest."""
        weights = total.detail("coefficients")
        if len(total.args) == 1 and total.detail("constant") == 1:
            yield from self.distributed(step, total, weights[0], rest)
        elif len(total.args) == 2 and total.detail("constant") == 0:
            (a, b), (c, d) = total.args, weights
            yield from self.completed(step, (a, c), (b, d), rest)
            yield from self.completed(step, (b, d), (a, c), rest)

    def distributed(self, step: Step, total: Step, c: float, rest: Term) -> Iterator[Way]:
        """s (1 + c z r) t as (s + c (z s) r) t, where z s is at hand."""
        (inner,) = total.args
        term = self.flat.terms[inner]
        if self.readers[inner] != [total.dest] or inner in self.results or len(term.factors) < 2:
            return
        for factor, power in rest.factors.items():
            for other, own in term.factors.items():
                product = self.products.get(frozenset({(factor, 1.0), (other, 1.0)}))
                if power == own == 1 and product is not None and factor != other:
                    if self.fits(step, product, *term.factors):
                        new = term.over({other: 1.0}).times(Term({product: 1.0}, c))
                        yield Way((Term({factor: 1.0}), new), rest.over({factor: 1.0}))

    def completed(
        self, step: Step, first: tuple[int, float], second: tuple[int, float], rest: Term
    ) -> Iterator[Way]:
        """(x + y) r as (x/c + y/c) x r', where x is at hand, c common and x/c among the rest."""
        (at_hand, c), (added, d) = first, second
        x, y = self.flat.terms[at_hand], self.flat.terms[added]
        shared = len(self.readers[at_hand]) > 1 or at_hand in self.results
        if not shared or not self.fits(step, at_hand, *x.factors, *y.factors):
            return
        common = {a: min(e, y.factors[a]) for a, e in x.factors.items() if a in y.factors}
        common = {a: e for a, e in common.items() if e > 0}
        left, other = x.over(common), y.over(common)
        among = all(rest.factors.get(a, 0.0) >= e > 0 for a, e in left.factors.items())
        if common and among and left.factors and other.factors:
            outside = rest.over(left.factors).times(Term({at_hand: 1.0}, 1 / x.coefficient))
            scaled = (left.times(Term({}, c)), other.times(Term({}, d)))
            yield Way(scaled, outside)

    def fits(self, step: Step, *registers: int) -> bool:
        """Whether the values have the shape of the product, so that no pass is a larger one."""
        own = (step.shape, step.dtype)
        return all((self.steps[r].shape, self.steps[r].dtype) == own for r in registers)


class _Writing(Rewriting):
    """The program written out again."""

    def run(self, ways: Mapping[int, Way], twins: Mapping[int, tuple[int, float]]) -> Program:
        program, place = self.program, self.place
        for step in program.steps:
            if step.dest in twins:
                first, sign = twins[step.dest]
                place[step.dest] = self.product([(self.at(first), 1.0)], sign, step)
            elif step.dest in ways:
                place[step.dest] = self.formed(step, ways[step.dest])
            else:
                place[step.dest] = self.written(step)
        return self.finished()

    def formed(self, step: Step, way: Way) -> int:
        parts = [
            (self.product(self.factors(term), 1.0, step), term.coefficient) for term in way.terms
        ]
        outside = [*self.factors(way.outside), (self.total(parts, step), 1.0)]
        return self.product(outside, way.outside.coefficient, step)

    def factors(self, term: Term) -> list[tuple[int, float]]:
        """The factors of a term where they stand now."""
        return [(self.at(a), e) for a, e in term.factors.items()]
