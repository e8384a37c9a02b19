"""Each rule's sides as numbers: one function in a thousand digits, and the class of its floats.

The class that a rule claims is measured, in ulps of the truth, at points that hurt and at special
values.  *exact*: as good after as before, and not a number where it was none.  *stabler*: no worse,
and somewhere much better.  *real-only*: no worse than rounding makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from tests.simplify.measuring import (
    BY_NAME,
    CASES,
    SEEDS,
    Measured,
    measure,
    measured,
    points_of,
)

EPS = np.finfo(np.float64).eps
#: How many times the error before the error after may be: sums are rounded in another order, and
#: exp makes the rounding of its argument, of 40 or so, the result's.
MORE = 32.0
#: How many times smaller an error must become somewhere to count.
LESS = 4.0
WIDE = np.array([-800.0, -720.0, -40.0, 0.0, 3.0, 40.0, 800.0])
FAR = 1e8 + np.array([1.0, 2.0, 4.0, 7.0, 3.0, 11.0, 13.0])

#: Points at which rules help that do not visibly at their cases' own or at the special ones.
HELPED: Mapping[str, Mapping[str, Any]] = {
    "centred_moment": {"x": FAR, "y": FAR[::-1]},
    "difference_of_squares": {"x": FAR, "y": FAR + 1e-3},
    "exp_over_expm1": {"w": WIDE + 1.0},
    "expectation_of_log_softmax": {"z": 1e8 + np.arange(12.0).reshape(3, 4)},
    "exponential_into_sum": {"x": np.full(7, 750.0), "s": np.array(750.0)},
    "exponentials_of_shapes": {"w": np.full(7, 800.0), "s": np.array(400.0)},
    "exponentials_below": {"w": np.full(7, 709.5), "x": np.full(7, 709.5)},
    "hypot_of_squares": {"x": np.full(7, 1e200), "y": np.full(7, 1e199)},
    "powers_below": {"scales": np.full(4, 1e200), "weighed": np.full(4, 1e190)},
    "product_into_where": {"x": np.zeros(7), "y": -np.ones(7)},
    "relu_of_mean": {"x": np.array([-1.5e308, 1.5e308, 0.0, 1.0, 2.0, 3.0, 4.0])},
    "root_of_squares": {"x": np.full(7, 1e100), "y": np.full(7, 1e90)},
    "scale_of_hypot": {"x": np.full(7, 1e200), "pos": np.full(7, 1e-300)},
    "sigmoid_of_quotient": {"w": WIDE},
    "softmax_in_contraction": {"s": np.array(4000.0)},
    "tanh_of_expm1": {"w": WIDE},
    "label_times_power": {"x": np.zeros(7)},
    "where_of_label": {"x": np.full(7, 1e-200)},
    "where_of_mask": {"w": WIDE[::-1]},
    "where_of_masks": {"w": WIDE[::-1]},
}

#: Rules that help only through those that take up the form they make.
ENABLING: Mapping[str, str] = {
    "choice_by_label": "1 − where(c, p, 1 − p) and its logarithm have choices of their own",
    "log_of_choice": "log(1 + x) is log1p(x)",
    "sum_less_its_share": "1 − σ(z) and 1 − eᶻ have closed forms",
    "sigmoid_of_labels": "its logarithm and its complement have closed forms",
    "weights_into_exponents": "log_of_known and softmax_of_exponentials see plain exponentials",
}

#: Rules whose right side loses digits where the left does not, and why they stand.
LOSES: Mapping[str, str] = {
    "log_of_cosh": "next to 0, log cosh x is x²/2 and either side an absolute eps; far out, right",
    "log_of_positive": "exp makes the rounding of n log x, of hundreds, the result's",
    "log_sum_of_exponentials": "next to 0 the terms cancel; the left side overflows",
    "log_variable_power": "0⁰ is 1 by convention only",
    "power_minus_one": "exp makes the rounding of a log x, of hundreds, the result's",
    "power_of_exponential": "exp makes the rounding of a z, of hundreds, the result's",
    "powers_below": "exp makes the rounding of n log x, of hundreds, the result's",
    "product_of_variable_powers": "the sum of the exponents is rounded once more",
    "sigmoid_pair": "σ(z) − y, the known form, cancels at soft labels that are 0 or 1 after all",
    "sigmoid_over_weight": "exp makes the rounding of its argument, of hundreds, the result's",
    "softmax_over_weight": "exp makes the rounding of its argument, of hundreds, the result's",
    "softplus_of_complement": "softplus(z) − y z, the known form, cancels at labels 0 and 1",
    "softplus_pair": "softplus(z) − y z, the known form, cancels at labels 0 and 1",
}

FIRING = [
    pytest.param(name, i, id=f"{name}-{i}")
    for name, case in CASES.items()
    for i in range(len(case.fires))
]


def at_all_points(name: str, i: int) -> list[Measured]:
    """A case's sides at its own points and at special ones."""
    return [measured(name, i, seed) for seed in (None, *range(SEEDS))]


def _own(side: Node, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {leaf.attr("name") for leaf in leaves([side])}
    return {name: value for name, value in values.items() if name in names}


def worse(found: Measured) -> float:
    """How many times the error before (or an ulp) the error after is, at worst."""
    before, after = found.errors
    with np.errstate(all="ignore"):
        ratio = np.where(after <= before, 0.0, after / np.maximum(before, 1.0))
    return float(ratio.max(initial=0.0))


def better(found: Measured) -> float:
    """How many times the error after (or an ulp) the error before is, at best."""
    if np.any(~np.isfinite(found.before) & np.isfinite(found.after)):
        return float("inf")
    before, after = found.errors
    with np.errstate(all="ignore"):
        ratio = np.where(before <= after, 0.0, before / np.maximum(after, 1.0))
    return float(ratio.max(initial=0.0))


@pytest.mark.parametrize(("name", "i"), FIRING)
def test_both_sides_are_one_function(name: str, i: int) -> None:
    """With a thousand digits, but for the rounding of numbers such as log 2 and 1/7."""
    defined = 0
    for found in at_all_points(name, i):
        keep = found.defined & (found.truth != 0 if name in LOSES else True)
        rounding = EPS * max(1.0, found.size)
        np.testing.assert_allclose(found.other[keep], found.truth[keep], 1e-15, rounding)
        defined += int(np.count_nonzero(keep))
    assert defined


@pytest.mark.parametrize(("name", "i"), FIRING)
def test_float64_is_as_good_after(name: str, i: int) -> None:
    """Everywhere within rounding, and exactly so for exact rules."""
    exact = BY_NAME[name].floats == "exact"
    for found in at_all_points(name, i):
        if name not in LOSES:
            assert worse(found) <= (2.0 if exact else MORE)
        if exact:
            np.testing.assert_array_equal(np.isnan(found.after), np.isnan(found.before))


@pytest.mark.parametrize("name", LOSES)
def test_what_is_said_to_lose_does(name: str) -> None:
    cases = range(len(CASES[name].fires))
    assert max(worse(measured(name, i, s)) for i in cases for s in (None, *range(6))) > MORE


@pytest.mark.parametrize("name", [n for n, rule in BY_NAME.items() if rule.floats == "stabler"])
def test_stabler_rules_help(name: str) -> None:
    """Some number is lost before, or has more digits after."""
    found = [x for i in range(len(CASES[name].fires)) for x in at_all_points(name, i)]
    if name in HELPED:
        found = [
            measure(name, i, {**points_of(side, CASES[name]), **_own(side, HELPED[name])})
            for i, (side, _) in enumerate(CASES[name].fires)
        ]
    assert (max(map(better, found)) >= LESS) == (name not in ENABLING)
