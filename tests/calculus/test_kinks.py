"""The contract's conventions at kinks, and that second derivatives there are 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import is_constant
from symdiff.expr.node import Node

X = b.input("x", (3,))
ZERO = np.zeros(3)

# (function, its derivative at a point where every element sits on a kink, that point)
KINKS: dict[str, tuple[Callable[[Node], Node], float, float]] = {
    "relu": (b.relu, 0.0, 0.0),
    "abs": (b.abs, 0.0, 0.0),
    "sign": (b.sign, 0.0, 0.0),
    "sqrt": (b.sqrt, 0.0, 0.0),
    "cube root": (lambda x: x ** (1 / 3), 0.0, 0.0),
    "maximum with a number": (lambda x: b.maximum(x, 2.0), 0.0, 2.0),
    "a number's maximum": (lambda x: b.maximum(2.0, x), 0.0, 2.0),
    "maximum with 0": (lambda x: b.maximum(x, 0.0), 0.0, 0.0),
    "minimum with a number": (lambda x: b.minimum(x, 2.0), 0.0, 2.0),
    "maximum with an array": (lambda x: b.maximum(x, b.constant(np.full(3, 2.0))), 0.0, 2.0),
    "clip, below": (lambda x: b.clip(x, -1.0, 1.0), 0.0, -1.0),
    "clip, above": (lambda x: b.clip(x, -1.0, 1.0), 0.0, 1.0),
    "where": (lambda x: b.where(x > 0, x, 0.0), 0.0, 0.0),
    "norm": (lambda x: b.norm(x), 0.0, 0.0),
    "norms along an axis": (lambda x: b.norm(x[:, None], axis=1), 0.0, 0.0),
    "hypot": (lambda x: b.hypot(x, 3 * x), 0.0, 0.0),
    "std": (lambda x: b.std(x), 0.0, 5.0),
    "max, all tied": (lambda x: b.max(x), 1 / 3, 1.0),
    "min, all tied": (lambda x: b.min(x), 1 / 3, 1.0),
    "maximum of two variables": (lambda x: b.maximum(x, b.sin(x)), 1.0, 0.0),
}


@pytest.mark.parametrize("name", KINKS)
def test_first_derivatives_at_kinks_follow_the_contract(name: str) -> None:
    f, slope, at = KINKS[name]
    found = evaluate(grad(b.sum(f(X)), X), {"x": np.full(3, at)})
    np.testing.assert_allclose(found, np.full(3, slope), rtol=1e-15)


@pytest.mark.parametrize("mode", HVP_MODES)
@pytest.mark.parametrize("name", KINKS)
def test_second_derivatives_at_kinks_are_zero(name: str, mode: str) -> None:
    f, _, at = KINKS[name]
    found = evaluate(hvp(b.sum(f(X)), X, np.array([1.0, -2.0, 3.0]), mode), {"x": np.full(3, at)})
    np.testing.assert_array_equal(np.abs(found), ZERO)


def test_two_variables_share_a_tie_equally() -> None:
    y = b.input("y", (3,))
    for f in (b.maximum, b.minimum):
        both = evaluate(grad(b.sum(f(X, y)), [X, y]), {"x": np.ones(3), "y": np.ones(3)})
        assert [g.tolist() for g in both] == [[0.5] * 3] * 2


def test_whether_a_side_is_a_constant_is_asked_once_a_node() -> None:
    """A chain of 5,000 maxima: walking down from each would take millions of steps."""
    x = b.input("x")
    node = x
    for _ in range(5_000):
        node = b.maximum(b.sin(node), 0.1 + 0.2)
    assert not is_constant(node)
    assert is_constant(b.exp(b.constant(0.3)) + b.size_node("n"))
    assert grad(node, x).shape == ()


def test_max_shares_equally_among_ties_along_its_axes_only() -> None:
    x = b.input("x", (2, 3))
    found = evaluate(grad(b.sum(b.max(x, axis=1)), x), {"x": [[1, 2, 2], [3, 0, 0]]})
    assert found.tolist() == [[0, 0.5, 0.5], [1, 0, 0]]


def test_the_sides_of_a_kink_have_their_own_slopes() -> None:
    found = evaluate(grad(b.sum(b.relu(X) + b.abs(X)), X), {"x": [-1.0, 0.0, 2.0]})
    assert found.tolist() == [-1.0, 0.0, 2.0]


def test_a_power_of_zero_by_an_exponent_that_varies_has_no_slope_in_it() -> None:
    x, e = b.input("x"), b.input("e")
    found = evaluate(grad(b.power(x, e), [x, e]), {"x": 0.0, "e": 2.0})
    assert [float(g) for g in found] == [0.0, 0.0]
