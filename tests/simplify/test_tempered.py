"""Powers beside exponentials of which one is infinite and the other nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.tempered import tempered

x, y, w, t = (b.input(name, (4,)) for name in "xywt")
held = b.input("held", (4,), range=(-1.0, 1.0))
VALUES: dict[Node | str, Any] = {
    "x": np.array([1e200, -3.0, 1e-200, 30.0]),
    "y": np.array([1e-180, 0.0, 2.0, -1.0]),
    "w": np.array([-790.0, -800.0, 3.0, 900.0]),
    "t": np.array([-800.0, -801.0, 1.0, 899.0]),
}
X, Y, W, T = (VALUES[name] for name in "xywt")
SMALL = np.array([0.0, 9 * np.exp(-4.5), 0.0, 900 * np.exp(-450.0)])
PRODUCTS = {
    "a square": (x**2 * b.exp(-(x**2) / 2), SMALL),
    "a fourth power": (
        3 * x**4 * b.exp(-b.abs(x)),
        [0.0, 243 * np.exp(-3.0), 0.0, 3 * 30.0**4 * np.exp(-30.0)],
    ),
    "summed": (b.einsum("i,i->", x**2, b.exp(-(x**2) / 2)), np.sum(SMALL)),
    "a heap": (
        (b.exp(t) + y**2) * b.exp(-w),
        np.exp(T - W) + (Y * np.exp(-W / 2)) ** 2,
    ),
    "a sum": (
        (4 * x**2 - 2) * b.exp(-(x**2)),
        [0.0, 34 * np.exp(-9.0), -2.0, 3598 * np.exp(-900.0)],
    ),
    "a sum of quotients": (
        (4 * x**2 / y**2 - 2) * b.exp(-b.abs(x)),
        [0.0, np.inf, -2.0, 3598 * np.exp(-30.0)],
    ),
}
OTHERS = [
    y**2 * b.exp(x),
    x * b.exp(-x),
    x**2 * b.exp(held),
    x**2 * b.exp(w * x),
    held**2 * b.exp(-held * w),
    (b.exp(t) - y**2) * b.exp(-w),
    (b.exp(x**2) - x**2) * b.exp(-(x**2)),
    (x + 1) * b.exp(-x),
]


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_stay_in_range(name: str) -> None:
    node, expected = PRODUCTS[name]
    (made,) = tempered([node])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(evaluate(made, VALUES), expected, rtol=1e-12)


@pytest.mark.parametrize("name", PRODUCTS)
def test_they_had_left_it(name: str) -> None:
    """Where the truth has a number, the product as it stood had none, but for the quotient."""
    node, expected = PRODUCTS[name]
    with np.errstate(all="ignore"):
        before = np.asarray(evaluate(node, VALUES))
    assert np.any(np.isnan(before) & ~np.isnan(np.asarray(expected)))


@pytest.mark.parametrize("node", OTHERS)
def test_others_stay(node: Node) -> None:
    assert tempered([node]) == [node]


def test_variances_of_one_size() -> None:
    """The divergence of normal distributions, whose variances are nothing but for their ratio."""
    found = sd.derive("0.5*sum(n - s - 1 + (exp(s) + (a - b)**2)/exp(n))", "n", {"n": (2,)})
    s, one = np.array(-800.0), np.array(1.0)
    slope = found.derivative(s=s, n=np.array([-799.0, -790.0]), a=one, b=one)
    np.testing.assert_allclose(slope, 0.5 - 0.5 * np.exp([-1.0, -10.0]), rtol=1e-13)
