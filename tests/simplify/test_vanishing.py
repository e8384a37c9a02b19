"""u / expm1(u) for an exponential u that is nothing in float64, or infinite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.vanishing import vanishing

x, y = b.input("x", (5,)), b.input("y", (5,))
u, v = b.exp(x), b.exp(y)
X = np.array([-800.0, -40.0, 0.3, 5.0, 800.0])
Y = np.array([0.5, -1.0, 2.0, 0.0, 1.0])
U = np.exp(X[1:4])
RATIO = np.array([1.0, *(U / np.expm1(U)), 0.0])
VALUES: dict[Node | str, Any] = {"x": X, "y": Y}
QUOTIENTS = {
    "alone": (u / b.expm1(u), RATIO),
    "in a product": (3 * y * u / b.expm1(u), 3 * Y * RATIO),
    "squared": (u**2 / b.expm1(u) ** 2, RATIO**2),
    "minus": (u / b.expm1(-u), [-1.0, *(U / np.expm1(-U)), -np.inf]),
    "in a sum": (
        u * (y - (1 + y) / b.expm1(u)),
        [-1 - Y[0], *(Y[1:4] * U - ((1 + Y) * RATIO)[1:4]), np.inf],
    ),
}
OTHERS = [u / b.expm1(v), x / b.expm1(x), u * b.expm1(u), 1 / b.expm1(u), u / b.expm1(u + 1), u * y]


@pytest.mark.parametrize("name", QUOTIENTS)
def test_limits_are_numbers(name: str) -> None:
    node, expected = QUOTIENTS[name]
    (made,) = vanishing([node])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(evaluate(made, VALUES), expected, rtol=1e-13)


@pytest.mark.parametrize("node", OTHERS)
def test_others_stay(node: Node) -> None:
    assert vanishing([node]) == [node]


def test_the_complementary_log_log_link() -> None:
    """A label of 1 where the rate is nothing, one of 0 where the rate is 1."""
    found = sd.derive(
        "-sum(y*log(1-exp(-exp(z)))-(1-y)*exp(z))",
        wrt="z",
        shapes={"z": (3,), "y": (3,)},
        facts={"y": {"zero_or_one": True}},
    ).derivative(z=np.array([-800.0, -800.0, 3.0]), y=np.array([1.0, 0.0, 1.0]))
    rate = np.exp(3.0)
    np.testing.assert_allclose(found, [-1.0, 0.0, -rate / np.expm1(rate)], rtol=1e-14, atol=0)
