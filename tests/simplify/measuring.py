"""Both sides of a rule in float64 and in a thousand digits, at a case's points and at special ones.

Special points are zeros of either sign, ones, values beyond which exp overflows or vanishes, and
values that 1 swallows, drawn among those that the facts of a leaf allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from symdiff.simplify.pipeline import ACCURATE, RULES
from symdiff.simplify.rewrite import Rule
from tests.simplify import cases, contraction_cases, lone_cases, stable_cases
from tests.simplify.cases import DEFAULTS, Case
from tests.simplify.highprecision import evaluate_exactly

Array = NDArray[np.float64]

CASES: dict[str, Case] = {
    **cases.CASES,
    **contraction_cases.CASES,
    **stable_cases.CASES,
    **stable_cases.ACCURATE,
    **lone_cases.CASES,
}
#: The rules of all phases; those that only lone formulas get come last.
BY_NAME: dict[str, Rule] = {
    each.name: each for each in (*RULES, *(r for phase in ACCURATE for r in phase.rules))
}
SEEDS = 2
SIZES = {"n": 3}
_SMALL = [0.0, -0.0, 1e-300, -1e-300, 1e-20, -1e-20, 1e-8, -1e-8, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0]
SPECIAL = np.array([*_SMALL, 3.0, 7.0, 40.0, -40.0, 800.0, -800.0])
PROPER = np.array([0.0, 1e-300, 1e-20, 0.25, 0.5, 1.0 - 2.0**-53, 1.0])


@dataclass(frozen=True)
class Measured:
    """Values of a rule's sides: the truth by either side, and what float64 makes of both.

    ``size`` is that of the largest number put in.
    """

    truth: Array
    other: Array
    before: Array
    after: Array
    size: float

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Where the left side is a finite number that float64 can hold."""
        return np.isfinite(self.truth)

    @property
    def errors(self) -> tuple[Array, Array]:
        """The errors of float64 before and after, in ulps of the truth, where that is defined."""
        return self._ulps(self.before), self._ulps(self.after)

    def _ulps(self, found: Array) -> Array:
        keep = self.defined
        truth, found = self.truth[keep], found[keep]
        with np.errstate(all="ignore"):
            unit = np.spacing(np.maximum(np.abs(truth), np.finfo(np.float64).tiny))
            return np.where(np.isfinite(found), np.abs(found - truth) / unit, np.inf)


def relative_error(found: Any, truth: Any) -> float:
    """The largest error relative to the truth, inf where what is found is not a number."""
    found, truth = np.asarray(found, float), np.asarray(truth, float)
    both = np.isfinite(truth)
    if not np.all(np.isfinite(found[both])):
        return np.inf
    with np.errstate(all="ignore"):
        error = np.abs(found - truth)[both] / np.maximum(np.abs(truth[both]), 1e-300)
    return float(error.max(initial=0.0))


def points_of(root: Node, case: Case) -> Mapping[str, Any]:
    """The case's own points, for the leaves of a graph."""
    names = {leaf.attr("name") for leaf in leaves([root])}
    return {name: value for name, value in {**DEFAULTS, **case.points}.items() if name in names}


def special_points(root: Node, seed: int) -> Mapping[str, Any]:
    """Special values for the leaves of a graph, as their facts allow; moderate for even seeds."""
    rng = np.random.default_rng(seed)
    pool = SPECIAL if seed % 2 else SPECIAL[np.abs(SPECIAL) <= 40]
    return {leaf.attr("name"): _special(leaf, rng, pool) for leaf in leaves([root])}


def _special(leaf: Node, rng: np.random.Generator, pool: Array) -> Any:
    facts, shape = leaf.facts, tuple(size_value(size, SIZES) for size in leaf.shape)
    if leaf.dtype == "int64":
        return rng.integers(0, dict(leaf.attr("declared")).get("labels", 3), shape)
    if facts.one_hot:
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if facts.sums_to_one:
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    if facts.integer:
        return rng.choice([facts.lo, facts.hi], shape)
    pool = PROPER if (facts.lo, facts.hi) == (0, 1) else pool
    fits = (pool >= facts.lo) & (pool <= facts.hi) & ((pool != 0) | (not facts.nonzero))
    value = rng.choice(pool[fits], shape)
    return np.triu(value) + np.triu(value, 1).T if facts.symmetric else value


def measure(name: str, i: int, values: Mapping[str, Any]) -> Measured:
    """The sides of a rule's i-th case at these values."""
    before, after = CASES[name].fires[i]
    truth, other = (evaluate_exactly(side, values) for side in (before, after))
    found = evaluate([before, after], dict(values.items()))
    one, two = (np.asarray(x, dtype=np.float64) for x in found)
    size = max((float(np.max(np.abs(x))) for x in values.values()), default=0.0)
    return Measured(truth, other, one, two, size)


@cache
def measured(name: str, i: int, seed: int | None = None) -> Measured:
    """The sides of a rule's i-th case at the case's points, or at special ones."""
    case = CASES[name]
    before, _ = case.fires[i]
    return measure(
        name, i, points_of(before, case) if seed is None else special_points(before, seed)
    )
