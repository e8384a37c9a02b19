"""What is known of a node's values: range, sums to one, one-hot, integer, symmetric.

Facts are inferred bottom-up, once, at construction (:mod:`symdiff.expr.fact_rules`); what is not
known is not claimed.  ``declared`` carries the user's own declarations that a fact leans on, so
that a rewrite which uses it can say so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from symdiff.expr.records import record

NONE: frozenset[Any] = frozenset()


@record(frozen=True, slots=True)
class Facts:
    """Facts of a node; the default knows nothing.

    ``lo`` and ``hi`` bound every value (closed).  ``sums`` holds pairs (axis, total) of axes along
    which every sum has one known total, ``one_hot`` axes along which values are one 1 and zeros
    else; values that sum to one need not be nonnegative.  ``declared`` lists (input, fact) pairs
    that the user declared and these facts lean on.
    """

    lo: float = -math.inf
    hi: float = math.inf
    nonzero: bool = False
    integer: bool = False
    sums: frozenset[tuple[int, float]] = NONE
    one_hot: frozenset[int] = NONE
    symmetric: bool = False
    plus_minus_one: bool = False
    declared: frozenset[tuple[str, str]] = NONE

    @property
    def sums_to_one(self) -> frozenset[int]:
        """The axes along which every sum is 1."""
        return frozenset(axis for axis, total in self.sums if near(total, 1.0))

    @property
    def nonnegative(self) -> bool:
        """No value is below 0."""
        return self.lo >= 0

    @property
    def positive(self) -> bool:
        """Every value is above 0."""
        return self.lo > 0 or (self.lo >= 0 and self.nonzero)

    @property
    def zero_or_one(self) -> bool:
        """Every value is 0 or 1."""
        return self.integer and self.lo >= 0 and self.hi <= 1


UNKNOWN = Facts()


def near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=0, abs_tol=1e-12)


def ones(axes: Iterable[int]) -> frozenset[tuple[int, float]]:
    return frozenset((axis, 1.0) for axis in axes)


def from_declared(name: str, pairs: tuple[tuple[str, Any], ...], rank: int) -> Facts:
    """The facts that an input carries by its declaration (the spec's keys)."""
    facts = Facts()
    last = frozenset({rank - 1}) if rank else NONE
    used = set()
    for key, value in pairs:
        if value is False or value is None or key == "ignore":
            continue
        used.add((name, key))
        if key == "sums_to_one":
            facts = replace(facts, sums=ones(last))
        elif key == "one_hot":
            facts = replace(
                facts, one_hot=last, sums=ones(last), integer=True, lo=0.0, hi=min(facts.hi, 1.0)
            )
        elif key == "positive":
            facts = replace(facts, lo=max(facts.lo, 0.0), nonzero=True)
        elif key == "nonnegative":
            facts = replace(facts, lo=max(facts.lo, 0.0))
        elif key == "nonzero":
            facts = replace(facts, nonzero=True)
        elif key == "zero_or_one":
            facts = replace(facts, integer=True, lo=max(facts.lo, 0.0), hi=min(facts.hi, 1.0))
        elif key == "plus_minus_one":
            facts = replace(facts, integer=True, lo=-1.0, hi=1.0, nonzero=True, plus_minus_one=True)
        elif key == "symmetric":
            facts = replace(facts, symmetric=True)
        elif key == "range":
            low, high = value
            facts = replace(facts, lo=max(facts.lo, float(low)), hi=min(facts.hi, float(high)))
        elif key == "labels":
            known = dict(pairs)
            if known.get("ignore") is None:
                last_label = float(value - 1) if isinstance(value, int) else math.inf
                facts = replace(facts, lo=max(facts.lo, 0.0), hi=min(facts.hi, last_label))
            facts = replace(facts, integer=True)
        else:
            raise ValueError(f"input {name}: unknown fact {key!r}")
    return replace(facts, declared=frozenset(used))
