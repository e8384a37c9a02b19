"""Sums that cancel at a pole, by their Taylor polynomials next to it."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify.removable import removable

x, y = b.input("x", (7,)), b.input("y", (7,))
a = b.input("a", ())
i = b.input("i", (7,), dtype="int64", labels=7)
X = np.array([-1e-9, 1e-300, 1e-5, -0.09, 0.3, -0.6, 4.0])
Y = np.array([0.5, 2.0, -1.0, 3.0, 0.1, -0.2, 1.0])
VALUES: dict[Node | str, Any] = {"x": X, "y": Y, "a": np.array(1e-7), "i": np.arange(7)}
k = b.input("k", (7,))
K = np.array([0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 2.0])
VALUES = {**VALUES, "k": K}
exp, expm1 = b.exp(x), b.expm1(x)
along = a * y


def exact(function: Any, points: Any = X) -> Any:
    with mpmath.workdps(2500):
        return np.array([float(function(mpmath.mpf(float(p)))) for p in points])


MENDED = {
    "slope of expm1(x)/x": (
        exp / x - expm1 / x**2,
        exact(lambda u: (u * mpmath.exp(u) - mpmath.expm1(u)) / u**2),
    ),
    "of sin(x)/x": (
        b.cos(x) / x - b.sin(x) / x**2,
        exact(lambda u: (u * mpmath.cos(u) - mpmath.sin(u)) / u**2),
    ),
    "between functions": (
        1 / b.tanh(x) - 1 / x,
        exact(lambda u: 1 / mpmath.tanh(u) - 1 / u),
    ),
    "of a root": (
        (b.sqrt(1 + x) - 1) / x**2 - 0.5 / x,
        exact(lambda u: (mpmath.sqrt(1 + u) - 1) / u**2 - 1 / (2 * u), X[:5]),
    ),
    "with a factor": (
        y * exp / x - y * expm1 / x**2,
        Y * exact(lambda u: (u * mpmath.exp(u) - mpmath.expm1(u)) / u**2),
    ),
    "beside a multiple that is nearly its pole": (
        -1 / b.expm1(-x) - (1 + k) / x,
        exact(lambda u: -1 / mpmath.expm1(-u) - 1 / u) - K / X,
    ),
    "beside a number that it nearly is": (
        -x / b.expm1(-x) - (1 + k),
        exact(lambda u: -u / mpmath.expm1(-u) - 1) - K,
    ),
    "with others beside it": (
        3 + y + exp / x - expm1 / x**2,
        3 + Y + exact(lambda u: (u * mpmath.exp(u) - mpmath.expm1(u)) / u**2),
    ),
    "of a length": (
        1 / (x * b.power(b.hypot(x, 1.0), 2)) - b.arctan(x) / x**2,
        exact(lambda u: 1 / (u + u**3) - mpmath.atan(u) / u**2),
    ),
}
SUMMED = {
    "sums over an axis": (
        (y * b.exp(along)).sum() / a - b.sum(b.expm1(along)) / a**2,
        (Y**2).sum() / 2 + 1e-7 * (Y**3).sum() / 3,
    ),
    "one of them of a sum": (
        b.einsum("i,i->", y, b.exp(along) / a - x) - b.sum(b.expm1(along)) / a**2,
        (Y**2).sum() / 2 + 1e-7 * (Y**3).sum() / 3 - X @ Y,
    ),
}
OTHERS = {
    "no sum": expm1 / x,
    "no pole": 1 - b.cos(x),
    "a pole that stays": exp / x**2 - 1 / x**2,
    "nothing cancels": exp / x + expm1 / x**2,
    "two variables": (b.exp(x) - b.exp(y)) / (x - y),
    "a kink": b.abs(x) / x - b.expm1(b.abs(x)) / x**2,
    "picked": expm1[i] / x[i] - exp[i],
}


@pytest.mark.parametrize("name", MENDED)
def test_polynomials_keep_the_digits(name: str) -> None:
    node, expected = MENDED[name]
    (made,) = removable([node])
    with np.errstate(all="ignore"):
        found = np.asarray(evaluate(made, VALUES))[: len(expected)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", SUMMED)
def test_sums_of_what_cancels(name: str) -> None:
    node, expected = SUMMED[name]
    (made,) = removable([node])
    with np.errstate(all="ignore"):
        assert evaluate(made, VALUES) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", [*MENDED, *SUMMED])
def test_it_is_the_same_elsewhere(name: str) -> None:
    node, _ = {**MENDED, **SUMMED}[name]
    (made,) = removable([node])
    far = {**VALUES, "x": np.linspace(0.7, 3.0, 7), "a": np.array(8.0)}
    np.testing.assert_allclose(evaluate(made, far), evaluate(node, far), rtol=1e-12)


@pytest.mark.parametrize("name", OTHERS)
def test_others_stay(name: str) -> None:
    (made,) = removable([OTHERS[name]])
    assert made is OTHERS[name]


@pytest.mark.parametrize("order", [1, 2])
def test_slopes_at_the_singularity(order: int) -> None:
    found = sd.derive("sum(expm1(x)/x)", wrt="x", shapes={"x": (2,)}, order=order)
    expected = np.array([0.5, 0.5]) if order == 1 else np.eye(2) / 3
    np.testing.assert_allclose(found.derivative(x=np.array([0.0, 1e-200])), expected, rtol=1e-15)
    assert any(node.op == "where" for node in toposort([found.derivative_node]))
