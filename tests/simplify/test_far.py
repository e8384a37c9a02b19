"""Logarithms and sums of which some part would leave the range of float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.far import cosines, far_apart

p, q = b.input("p", (3,), positive=True), b.input("q", (3,), positive=True)
x, y = b.input("x", (3,)), b.input("y", (3,))
n = b.input("n", (), positive=True)
near = b.input("near", (3,), range=(1.0, 10.0))
h = scalar("hypot", x, y)
guarded = power_product([(x, 1.0), (scalar("reciprocal_or_zero", h), 1.0)])
P, Q = np.array([1e-200, 0.3, 1e200]), np.array([1e200, 0.3000001, 1e-200])
X, Y = np.array([-1e10, 1e-200, 1e200]), np.array([0.5, 2.0, 3.0])
VALUES: Mapping[Node | str, Any] = {"p": P, "q": Q, "x": X, "y": Y, "n": 4.0, "near": Y + 1}
COSINE = np.array([0.5 * 0.25e-20, 1.0, 2.0])

large = b.input("large", (3,))
root = b.sqrt(large**2 - 4 * n)
rooted = power_product([(large, 1.0), (scalar("reciprocal_or_zero", root), 1.0)])
LARGE = np.array([-1e9, 1e7, 10.0])
VALUES = {**VALUES, "large": LARGE}
BETWEEN = np.array([2.0, -8e-14, 1 - 10 / np.sqrt(84)])

FAR = {
    "log of a quotient": (b.log(p / q), np.log(P) - np.log(Q)),
    "of squares": (b.log(3 * p**2 / q), np.log(3) + 2 * np.log(P) - np.log(Q)),
    "of a product": (
        b.log(2 * p * p[::-1] * q),
        np.log([2.0, 2 * 0.3**3, 2.0]) + np.log(Q / [1, 0.3, 1]),
    ),
    "one plus a square": (b.log1p(x**2), np.array([40 * np.log(10) / 2, 0, 400 * np.log(10)])),
    "one plus a quotient": (
        b.log1p(x**2 / n),
        np.array([20 * np.log(10), 0, 400 * np.log(10)]) - np.array([1, 0, 1]) * np.log(4),
    ),
    "one plus a square over what has a sign": (
        b.log1p(x**2 / y),
        np.array([20 * np.log(10) - np.log(0.5), 0, 400 * np.log(10) - np.log(3)]),
    ),
    "cosine": (1 + x / h, COSINE),
    "guarded cosine": (2 + 2 * guarded, 2 * COSINE),
    "other sign": (3 * x / h + 3 + y, 3 * COSINE + Y),
    "root of a quadratic": (1 - large / root, BETWEEN),
    "guarded root": (3 + y - 3 * rooted, 3 * BETWEEN + Y),
    "minus": (1 - x / h, np.array([2.0, 1.0, 4.5e-400])),
}
NEAR = [
    b.log(p),
    b.log(x / y),
    b.log(near / p),
    b.log(p / 3),
    b.log1p(x),
    b.log1p(near**2),
    b.log1p(-(x**2)),
    b.log1p(x * y),
    b.log1p(x**2 * b.sqrt(y)),
    1 + x / y,
    1 + 2 * x / h,
    x / h,
    1 + y / b.sqrt(x**2 + 4),
    1 + large / b.sqrt(n - large**2),
    1 + large / b.sqrt(large**2),
]


@pytest.mark.parametrize("name", FAR)
def test_nothing_leaves_the_range(name: str) -> None:
    node, expected = FAR[name]
    (made,) = far_apart([node])
    assert made is not node
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(evaluate(made, VALUES), expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", FAR)
def test_it_is_the_same_elsewhere(name: str) -> None:
    node, _ = FAR[name]
    (made,) = far_apart([node])
    rng = np.random.default_rng(0)
    values = {k: rng.uniform(0.5, 3.0, np.shape(v)) for k, v in VALUES.items()}
    values["large"] = rng.uniform(5.0, 9.0, 3)
    np.testing.assert_allclose(evaluate(made, values), evaluate(node, values), rtol=1e-13)


@pytest.mark.parametrize("node", NEAR)
def test_what_is_in_range_stays(node: Node) -> None:
    assert far_apart([node]) == [node]


def test_of_less_than_nothing_there_is_no_logarithm() -> None:
    (made,) = far_apart([b.log1p(x**2 / y)])
    with np.errstate(all="ignore"):
        found = np.asarray(evaluate(made, {"x": X, "y": -Y}))
    assert np.isnan(found[[0, 2]]).all()
    assert found[1] == 0


def test_cosines_of_what_is_no_length_come_first() -> None:
    """A root of x² − r is about to become a product, in which x/h does not stand out."""
    node = 1 - large / b.sqrt(large**2 - 4 * y)
    (made,) = cosines([node])
    values = {"large": LARGE, "y": np.array([4.0, 4.0, 4.0])}
    np.testing.assert_allclose(evaluate(made, values), BETWEEN, rtol=1e-9)
    assert cosines([1 + x / h, 1 + x / b.sqrt(x**2 + n), x / h]) == [
        *(1 + x / h, 1 + x / b.sqrt(x**2 + n), x / h),
    ]
