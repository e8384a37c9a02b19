"""Reverse mode: what gradients() means, how many nodes it appends, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import grad, gradients, vjp
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError

X = b.parameter("x", ("n", 3))
W = b.parameter("W", (3, 2))
Y = b.tanh(X @ W)


def ladder(rungs: int) -> tuple[Node, Node]:
    """Two ways up at each rung: 2**rungs paths from the foot to the top."""
    foot = b.input("x")
    top = foot
    for _ in range(rungs):
        top = b.sin(top) * b.cos(top)
    return foot, top


def chain(links: int) -> tuple[Node, Node]:
    start = b.input("x")
    node = start
    for _ in range(links):
        node = b.tanh(node)
    return start, node


@pytest.mark.parametrize("rungs", [1, 2, 10, 50])
def test_a_ladder_of_exponentially_many_paths_appends_five_nodes_a_rung(rungs: int) -> None:
    """s·cos and s·sin, times the slopes, their sum, and a minus sign at every other rung."""
    foot, top = ladder(rungs)
    forward = toposort([top])
    assert len(forward) == 1 + 3 * rungs
    appended = set(toposort(gradients(top, foot))) - set(forward)
    assert len(appended) == (11 * rungs - 4) // 2  # at the foot s is 1, and not multiplied by


def test_the_gradient_of_a_ladder_of_2_to_the_50_paths_is_right() -> None:
    foot, top = ladder(50)
    slope, x = 1.0, 0.7
    for _ in range(50):
        slope, x = slope * np.cos(2 * x), np.sin(x) * np.cos(x)
    assert evaluate(gradients(top, foot)[0], {"x": 0.7}) == pytest.approx(slope, rel=1e-12)


def test_a_chain_ten_thousand_deep_builds_differentiates_and_evaluates() -> None:
    start, end = chain(10_000)
    (slope,) = gradients(end, start)
    pushed = jvp(end, start, 1.0)
    value, ours, theirs = evaluate([end, slope, pushed], {"x": 0.5})
    expected = np.float64(0.5)
    product = np.float64(1.0)
    for _ in range(10_000):
        expected = np.tanh(expected)
        product *= 1 - expected**2
    assert value == expected
    assert ours == pytest.approx(product, rel=1e-10)
    assert theirs == pytest.approx(product, rel=1e-10)


def test_gradients_gives_a_list_with_a_node_of_each_xs_shape() -> None:
    found = gradients(Y, [X, W])
    assert [node.shape for node in found] == [("n", 3), (3, 2)]
    assert len(gradients(Y, W)) == 1


def test_missing_grad_ys_are_ones() -> None:
    assert gradients(Y, W) == gradients(b.sum(Y), W)
    assert gradients([Y, Y], W, [None, None]) == gradients([Y, Y], W)


def test_grad_ys_weigh_the_elements_of_ys() -> None:
    g = b.input("g", ("n", 2))
    assert gradients(Y, W, g) == gradients(b.sum(Y * g), W)


def test_several_ys_add_up() -> None:
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=(4, 3)), "W": rng.normal(size=(3, 2))}
    both = gradients([Y, b.sum(W * W)], W, [None, 3.0])
    parts = [*gradients(Y, W), *gradients(b.sum(W * W), W)]
    total, first, second = evaluate([*both, *parts], values)
    np.testing.assert_allclose(total, first + 3 * second, rtol=1e-14)


def test_cotangents_are_held_fixed() -> None:
    """grad_ys is a seed: that it depends on x adds nothing."""
    x = b.input("x")
    assert gradients(b.sin(x), x, x) == [x * b.cos(x)]


def test_an_unreachable_x_has_gradient_zero() -> None:
    other = b.parameter("other", (5, "n"), "float32")
    (found,) = gradients(Y, other)
    assert (found.shape, found.dtype) == ((5, "n"), "float32")
    assert not evaluate(found, {}, {"n": 2}).any()


def test_an_x_may_be_inside_the_graph_and_passes_on_to_those_below() -> None:
    x = b.input("x")
    h = b.sin(x)
    dh, dx = gradients(b.exp(h), [h, x])
    assert dh == b.exp(h)
    assert dx == b.exp(h) * b.cos(x)


def test_y_is_its_own_derivative() -> None:
    assert evaluate(gradients(X, X), {X: np.zeros((2, 3))})[0].tolist() == [[1.0] * 3] * 2


def test_a_node_used_twice_by_one_operation_counts_twice() -> None:
    x = b.input("x", (3,))
    value = np.array([1.0, 2.0, 4.0])
    (found,) = gradients(b.dot(x, x), x)
    np.testing.assert_array_equal(evaluate(found, {"x": value}), 2 * value)


def test_gradients_are_ordinary_nodes_to_any_order() -> None:
    x = b.input("x")
    node, expected = b.sin(2 * x), [np.sin, np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v)]
    for order, f in enumerate([*expected, *expected]):
        assert evaluate(node, {"x": 0.3}) == pytest.approx(2.0**order * f(0.6), rel=1e-12)
        (node,) = gradients(node, x)


def test_f_of_f_of_f_shares_every_value() -> None:
    """Algorithm 6.2: what the forward sweep computed is used, not computed anew."""
    x = b.input("x")
    once = b.exp(x)
    twice = b.exp(once)
    thrice = b.exp(twice)
    appended = set(toposort(gradients(thrice, x))) - set(toposort([thrice]))
    assert all(node.op == "mul" for node in appended)
    assert len(appended) == 2


def test_stop_gradient_holds_its_argument_fixed() -> None:
    x = b.input("x")
    (found,) = gradients(b.stop_gradient(b.sin(x)) * x, x)
    assert found == b.stop_gradient(b.sin(x))


def test_integers_pass_no_cotangent() -> None:
    x, k = b.input("x", (4, 3)), b.input("k", (4,), "int64")
    picked = b.index(x, (b.arange(4), k)) * k
    (found,) = gradients(b.sum(picked), x)
    ks = np.array([0, 2, 1, 1])
    expected = np.zeros((4, 3))
    expected[np.arange(4), ks] = ks
    np.testing.assert_array_equal(evaluate(found, {"x": np.ones((4, 3)), "k": ks}), expected)


def test_labels_refuse_differentiation() -> None:
    y = b.input("y", ("batch",), "int64", labels=10)
    with pytest.raises(TypeError, match=r"y of shape \(batch,\) holds whole numbers"):
        gradients(b.sum(y * 0.5), y)


def test_truth_values_have_no_derivative() -> None:
    x = b.input("x", (3,))
    with pytest.raises(TypeError, match="truth values"):
        gradients(x > 0, x)


def test_a_constant_is_not_a_variable() -> None:
    with pytest.raises(ValueError, match="not a variable"):
        gradients(b.sum(X), b.constant(2.0))


DOUBLE = 2 * X


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (b.sum(b.sin(3 * DOUBLE)), DOUBLE),
        (b.sum(b.sin(DOUBLE)) + b.sum(3 * DOUBLE), DOUBLE),
        (b.tanh(X.T), X.T),
        (b.sin(3 * W**2), W**2),
        (b.sin(-(W - W[0])), W - W[0]),
        (b.reshape(b.ravel(W), (2, 3)), b.ravel(W)),
    ],
)
def test_an_expression_that_normal_form_may_have_taken_apart_is_refused(y: Node, x: Node) -> None:
    """Its derivative would silently miss the places where it was merged with its reader."""
    with pytest.raises(ValueError, match="merges with what reads it"):
        gradients(y, x)


def test_an_expression_that_everything_passes_through_is_a_variable() -> None:
    (found,) = gradients(b.sum(b.sin(DOUBLE)), DOUBLE)
    assert found == b.cos(DOUBLE)


@pytest.mark.parametrize("node", [X.T, 2 * X, X + 1, b.sum(X, 0)])
def test_an_expression_of_other_leaves_has_gradient_zero(node: Node) -> None:
    (found,) = gradients(W, node)
    assert found.shape == node.shape
    assert not evaluate(found, {}, {"n": 2}).any()


def test_cotangents_must_fit() -> None:
    with pytest.raises(ShapeError, match=r"grad_ys of shape \(3, 2\).*\(n, 2\)"):
        gradients(Y, W, b.input("g", (3, 2)))
    with pytest.raises(ValueError, match="2 grad_ys for 1 ys"):
        gradients([Y], W, [None, None])


def test_nodes_only() -> None:
    with pytest.raises(TypeError, match="xs: 'W' is not a node"):
        gradients(Y, ["W"])  # type: ignore[list-item]


def test_grad_is_of_scalars_and_has_the_structure_of_xs() -> None:
    loss = b.sum(Y * Y)
    assert grad(loss, W) is grad(loss, [W, X])[0]
    with pytest.raises(ShapeError, match=r"grad: only a scalar.*\(n, 2\)"):
        grad(Y, W)


def test_vjp_is_the_cotangent_times_the_jacobian() -> None:
    g = b.input("g", ("n", 2))
    assert vjp(Y, W, g) is gradients(Y, W, g)[0]
    assert vjp([Y], [W], [g]) == gradients(Y, W, g)
