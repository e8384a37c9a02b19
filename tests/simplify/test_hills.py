"""Quotients of powers of what nothing is declared of, at bases whose powers overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.hills import hills

x, y = b.input("x", (4,)), b.input("y", (4,))
n, k = b.input("n", ()), b.input("k", ())
X = np.array([0.5, 2.0, -3.0, 1.0])
VALUES: dict[Node | str, Any] = {"x": X, "y": np.array([1.0, 0.3, 2.0, -1.0]), "n": 3.0, "k": 1.5}
FAR: dict[Node | str, Any] = {**VALUES, "x": np.array([1e200, -1e200, 1e-200, 1.5])}


def power(base: Node, exponent: Node) -> Node:
    return scalar("pow", base, exponent)


def quotient(*factors: tuple[Node, float]) -> Node:
    return power_product(list(factors))


total = power(x, n) + power(k, n)
QUOTIENTS = {
    "a share": (quotient((power(x, n), 1.0), (total, -1.0)), [1.0, 1.0, 0.0, 0.5]),
    "a slope": (
        quotient((power(x, n - 1), 1.0), (power(k, n), 1.0), (total, -2.0)),
        [0.0, 0.0, 0.0, 1.5**5 / (4 * 1.5**6)],
    ),
    "beside a number": (
        quotient((power(x, n), 1.0), (power(x, n) + 2, -1.0)),
        [1.0, 1.0, 0.0, 1.5**3 / (1.5**3 + 2)],
    ),
    "with weights": (
        quotient((y, 1.0), (y * power(x, n) + 2 * power(k, n), -1.0)),
        [0.0, 0.0, 1.5**-3, -1 / (1.5**3)],
    ),
}


@pytest.mark.parametrize("name", QUOTIENTS)
@pytest.mark.parametrize("exponent", [3.0, -2.0, 0.0])
def test_it_is_the_same_number(name: str, exponent: float) -> None:
    node, _ = QUOTIENTS[name]
    (made,) = hills([node])
    assert made is not node
    values = {**VALUES, "n": exponent}
    np.testing.assert_allclose(evaluate(made, values), evaluate(node, values), rtol=1e-13)


@pytest.mark.parametrize("name", QUOTIENTS)
def test_nothing_overflows(name: str) -> None:
    node, expected = QUOTIENTS[name]
    with np.errstate(all="ignore"):
        found = evaluate(hills([node])[0], FAR)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300)


def test_sums_of_quotients() -> None:
    node = b.einsum("i,i,i->", total**-2, power(x, n), y)
    (made,) = hills([node])
    assert evaluate(made, VALUES) == pytest.approx(evaluate(node, VALUES), rel=1e-13)
    with np.errstate(all="ignore"):
        assert evaluate(made, FAR) == pytest.approx(-1 / (4 * 1.5**3), rel=1e-13)


@pytest.mark.parametrize(
    "node",
    [
        total,
        quotient((power(x, n), 1.0), (power(x, n) + power(k, n + 1), -1.0)),
        quotient((power(x, n), 1.0), (x + k, -1.0)),
        b.einsum("i,i->", total, y),
    ],
)
def test_others_stay(node: Node) -> None:
    assert hills([node]) == [node]
