"""Products and sums of a program taken apart: which of them are equal, or opposite.

A product of products is one product of what those are made of.  Equal ones may stand in several
registers, since the graph nests products where parts of them are shared, and numbers stand inside
or before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen.program import Program, Step

#: Powers by register.
Factors = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Term:
    """A number times a product."""

    factors: Factors
    coefficient: float = 1.0

    def times(self, other: Term) -> Term:
        """The product of two."""
        powers = dict(self.factors)
        for register, e in other.factors.items():
            powers[register] = powers.get(register, 0.0) + e
        left = {register: e for register, e in powers.items() if e}
        return Term(left, self.coefficient * other.coefficient)

    def over(self, factors: Factors) -> Term:
        """The term divided by a product."""
        return self.times(Term({register: -e for register, e in factors.items()}))


class Flat:
    """The value of each register as a product of registers that are none, the first of equals."""

    def __init__(self, program: Program) -> None:
        self.steps = program.steps
        self.terms: dict[int, Term] = {}
        known: dict[object, int] = {}
        for step in program.steps:
            register = step.dest
            if not step.shape or step.weak or step.blocks:
                self.terms[register] = Term({register: 1.0})
            elif step.action == "mul":
                term = self._product(step)
                alone = len(term.factors) == 1 and term.coefficient == 1
                self.terms[register] = Term({register: 1.0}) if alone else term
            else:
                self.terms[register] = self._first(step, known)

    def _product(self, step: Step) -> Term:
        """A product of what its factors are, if they are of its shape, and to whole powers."""
        found = Term({}, step.detail("coefficient"))
        for arg, e in zip(step.args, step.detail("exponents"), strict=True):
            inner, source = self.terms[arg], self.steps[arg]
            plain = source.shape == step.shape and source.dtype == step.dtype and e == 1
            found = found.times(inner if plain else Term({arg: e}))
        return found

    def _first(self, step: Step, known: dict[object, int]) -> Term:
        """The first of the steps that are equal, or minus that of an opposite sum."""
        args = tuple([self._key(arg) for arg in step.args])
        kind = step.action, step.shape, step.dtype
        if step.action != "add":
            first = known.setdefault((kind, args, step.details), step.dest)
            return Term({first: 1.0})
        pairs = [*zip(args, step.detail("coefficients"), strict=True)]
        constant = step.detail("constant")
        for sign in (1.0, -1.0):
            key = kind, frozenset((arg, sign * c) for arg, c in pairs), sign * constant
            if key in known:
                return Term({known[key]: 1.0}, sign)
        known[kind, frozenset(pairs), constant] = step.dest
        return Term({step.dest: 1.0})

    def _key(self, register: int) -> object:
        term = self.terms[register]
        return frozenset(term.factors.items()), term.coefficient
