"""Forward mode: the same derivatives, pushed."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves, toposort
from symdiff.expr.shapes import ShapeError
from tests.calculus.cases import CASES, Case
from tests.oracles import assert_close

X = b.parameter("x", ("n", 3))
W = b.parameter("W", (3, 2))
T = b.input("t", (3, 2))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_mode_is_the_transpose_of_reverse_mode(case: Case) -> None:
    """⟨u, J t⟩ = ⟨Jᵀ u, t⟩, for every operation."""
    nodes = case.nodes()
    xs, y, values = case.floats(nodes), case.build(*nodes), case.values()
    rng = np.random.default_rng(3)
    u = b.constant(np.asarray(rng.normal(size=y.shape)))
    ts = [rng.normal(size=x.shape) for x in xs]
    pushed, *pulled = evaluate([b.sum(u * jvp(y, xs, ts)), *gradients(y, xs, u)], values)
    assert_close(pushed, sum(float((g * t).sum()) for g, t in zip(pulled, ts, strict=True)), 1e-12)


def test_a_contraction_is_pushed_as_the_contraction_of_the_tangent() -> None:
    assert jvp(X @ W, W, T) is X @ T


def test_no_helper_leaf_remains() -> None:
    y = b.softmax(X @ W) * b.max(X @ W) + b.prod(W) + b.logsumexp(X)
    pushed = jvp(y, W, T)
    assert {leaf.attr("name") for leaf in leaves([pushed])} <= {"x", "W", "t"}


def test_the_result_has_the_structure_of_ys_and_their_shapes() -> None:
    first, second = jvp([X @ W, X], [W], [T])
    assert first.shape == ("n", 2)
    assert second.shape == ("n", 3)
    assert not evaluate(second, {}, {"n": 2}).any()


def test_a_tangent_that_is_broadcast_away_comes_back_in_the_results_shape() -> None:
    x, y = b.input("x", (3,)), b.input("y", (4, 1))
    pushed = jvp(x + y, x, 1.0)
    assert pushed.shape == (4, 3)
    assert (evaluate(pushed, {}) == 1).all()


def test_what_only_a_comparison_leads_to_does_not_move() -> None:
    """A function of a mask in several places, as hinges have: the mask has no tangent."""
    z = b.input("z", (3,))
    mask = b.cast(z > 0, "float64")
    y = b.tanh(mask) * mask + mask**2
    values = {"z": np.array([1.0, -2.0, 0.5])}
    assert np.all(evaluate(jvp(y, z, b.ones_like(z)), values) == 0)
    assert np.all(evaluate(jvp(y * z, z, b.ones_like(z)), values) == evaluate(y, values))


def test_an_x_above_another_x_adds_its_own_tangent() -> None:
    """The transpose of what reverse mode does there."""
    x = b.input("x")
    h = b.sin(x)
    s, t = b.input("s"), b.input("t")
    assert jvp(b.exp(h), [x, h], [s, t]) is b.exp(h) * (t + s * b.cos(x))


def test_the_nodes_appended_are_linear_in_a_ladder() -> None:
    def appended(rungs: int) -> int:
        foot = b.input("x")
        top = foot
        for _ in range(rungs):
            top = b.sin(top) * b.cos(top)
        return len(set(toposort([jvp(top, foot, b.input("t"))])) - set(toposort([top])))

    counts = [appended(rungs) for rungs in (10, 20, 50)]
    assert counts[2] - counts[1] == 3 * (counts[1] - counts[0])


def test_tangents_must_fit() -> None:
    with pytest.raises(ShapeError, match=r"tangent of shape \(2,\) does not fit W of shape"):
        jvp(X @ W, W, np.ones(2))
    with pytest.raises(ValueError, match="1 tangents for 2 xs"):
        jvp(X @ W, [X, W], [T])
    with pytest.raises(TypeError, match="whole numbers"):
        jvp(X, b.input("k", (), "int64"), 1)
