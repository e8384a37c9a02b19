"""Quotients that are 0/0 where what they are the slope of is constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.nothings import labels_over, powers_of, slopes_of_powers

x, t = b.input("x", (3,)), b.input("t", (3,))
y = b.input("y", (3,), zero_or_one=True)
hot = b.input("hot", (3,), one_hot=True)
pos = b.input("pos", (3,), positive=True)
VALUES: dict[Node | str, Any] = {
    "x": np.array([0.0, 0.0, 2.0]),
    "t": np.array([0.0, 2.0, 0.0]),
    "y": np.array([0.0, 1.0, 1.0]),
    "hot": np.array([0.0, 0.0, 1.0]),
    "pos": np.array([1.0, 2.0, 3.0]),
}


def test_powers_that_may_be_nothing() -> None:
    root = scalar("pow", x, t) + scalar("pow", pos, t) + scalar("pow", x, b.exp(t))
    assert powers_of(root) == [(x, t)]


@pytest.mark.parametrize(
    "node", [t / x, -2 * t * pos / x**2, t * scalar("pow", x, t - 1), (1 - t) * 0 + t / x]
)
def test_slopes_of_powers(node: Node) -> None:
    made = slopes_of_powers(node, [(x, t)])
    with np.errstate(all="ignore"):
        found, naive = (np.asarray(evaluate(each, VALUES)) for each in (made, node))
    assert np.isnan(naive[0])
    np.testing.assert_array_equal(found, np.where(VALUES["t"] == 0, 0.0, naive))


def test_exponents_that_are_products() -> None:
    whole = (1 - t) * (1 + t)
    node = (1 - t) * (1 + t) * scalar("pow", x, whole - 1)
    made = slopes_of_powers(node, [(x, whole)])
    with np.errstate(all="ignore"):
        found = evaluate(made, {"x": np.zeros(3), "t": np.array([1.0, -1.0, 0.0])})
    np.testing.assert_array_equal(found, [0.0, 0.0, 1.0])


@pytest.mark.parametrize("node", [t * x, pos / x, t / pos, t * scalar("pow", x, t), (t + 1) / x])
def test_other_products_stay(node: Node) -> None:
    assert slopes_of_powers(node, [(x, t)]) is node


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (y / x, [0.0, np.inf, 0.5]),
        ((y - 1) / (x - 2), [0.5, 0.0, 0.0]),
        (hot * pos / x**2, [0.0, 0.0, 0.75]),
        (b.einsum("i,i->", hot, 1 / x), 0.5),
    ],
)
def test_labels_over_what_may_be_nothing(node: Node, expected: Any) -> None:
    leaned: set[tuple[str, str]] = set()
    (made,) = labels_over([node], leaned)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(evaluate(made, VALUES), expected)
    assert leaned


@pytest.mark.parametrize("node", [t / x, y / pos, y * x, (2 * y - 1) / x, (y + 1) / x])
def test_what_is_no_label_is_divided(node: Node) -> None:
    assert labels_over([node]) == [node]


def test_cross_entropy_where_the_model_is_sure() -> None:
    """0 log 0 is 0: at p = y the slope of what is left is that of −log p, or of −log(1 − p)."""
    shapes = {"p": [3], "y": [3]}
    loss = "-np.sum(y*np.log(p)+(1-y)*np.log(1-p))"
    made = sd.derive(loss, wrt="p", shapes=shapes, facts={"y": {"zero_or_one": True}})
    found = made.derivative(p=np.array([1.0, 0.0, 1e-300]), y=np.array([1.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, [-1.0, 1.0, -1e300], rtol=1e-15)
    assert ("y", "zero_or_one") in made.assumptions
