"""Whole derivatives: recognised before differentiating, folded after, right where it hurts."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.calculus.curvature import HVP_MODES, hessian, hvp
from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify import simplify

z = b.input("z", (5,))
y = b.input("y", (5,), zero_or_one=True)
soft = b.input("soft", (5,), range=(0.0, 1.0))
weight = b.input("weight", (5,))
x = b.input("x", (3,))
s = b.input("s", ())
LOGITS = np.array([-1e4, -40.0, 0.0, 40.0, 1e4])


def derivative(loss: Node, by: Node) -> Node:
    return simplify(grad(simplify(loss, debug=True).root, by), debug=True).root


def value(node: Node, **values: object) -> object:
    return evaluate(node, values)


SIGMOIDS = {
    "1/(1+e^-z)": 1 / (1 + b.exp(-z)),
    "e^z/(1+e^z)": b.exp(z) / (1 + b.exp(z)),
    "(1+e^-z)**-1": (1 + b.exp(-z)) ** -1,
    "the function": b.sigmoid(z),
}


def bce(p: Node, t: Node) -> Node:
    return -(t * b.log(p) + (1 - t) * b.log(1 - p))


@pytest.mark.parametrize("spelling", SIGMOIDS)
def test_binary_cross_entropy_of_labels(spelling: str) -> None:
    """softplus((1−2y) z), with the slope (1−2y) σ((1−2y) z)."""
    loss = bce(SIGMOIDS[spelling], y)
    sign = 1 - 2 * y
    assert simplify(loss, debug=True).root is b.softplus(sign * z)
    assert derivative(loss.sum(), z) is sign * b.sigmoid(sign * z)
    assert simplify(loss).assumptions == {("y", "zero_or_one")}


@pytest.mark.parametrize("spelling", SIGMOIDS)
def test_binary_cross_entropy_of_probabilities(spelling: str) -> None:
    loss = bce(SIGMOIDS[spelling], soft)
    assert derivative(loss.mean(), z) is 0.2 * (b.sigmoid(z) - soft)
    assert simplify(loss).assumptions == frozenset()


def test_weights_stand_in_front() -> None:
    p = b.sigmoid(z)
    inside = -(weight * soft * b.log(p) + weight * (1 - soft) * b.log(1 - p)).sum()
    outside = (weight * bce(p, soft)).sum()
    expected = weight * (b.sigmoid(z) - soft)
    assert derivative(inside, z) is expected
    assert derivative(outside, z) is expected


def test_log1p_of_minus_the_sigmoid() -> None:
    p = b.sigmoid(z)
    loss = -(y * b.log(p) + (1 - y) * b.log1p(-p))
    assert simplify(loss).root is b.softplus((1 - 2 * y) * z)


def test_the_gradient_alone_folds_too() -> None:
    """Of the loss as written, not recognised before."""
    raw = grad(bce(b.sigmoid(z), soft).sum(), z)
    assert simplify(raw).root is b.sigmoid(z) - soft


def test_extreme_logits_lose_nothing() -> None:
    """−σ(−40) is −4.2e−18, where σ(40) − 1 is 0."""
    found = derivative(bce(1 / (1 + b.exp(-z)), y).sum(), z)
    ones = value(found, z=LOGITS, y=np.ones(5))
    assert ones[3] == pytest.approx(-np.exp(-40.0), rel=1e-12)
    assert np.all(np.isfinite(ones))
    zeros = value(found, z=LOGITS, y=np.zeros(5))
    assert zeros[1] == pytest.approx(np.exp(-40.0), rel=1e-12)


def test_sine_of_an_exponential_is_left_alone() -> None:
    assert derivative(b.sin(5 * b.exp(s)), s) is 5 * b.cos(5 * b.exp(s)) * b.exp(s)


def test_a_neuron_written_out() -> None:
    """1 / (1 + e^−(w0 x0 + w1 x1 + w2)): each slope is σ(a) σ(−a) times the input."""
    w0, w1, w2, x0, x1 = (b.input(name) for name in ("w0", "w1", "w2", "x0", "x1"))
    neuron = 1 / (1 + b.exp(-(w0 * x0 + w1 * x1 + w2)))
    a = simplify(w0 * x0 + w1 * x1 + w2).root
    slope = b.sigmoid(a) * b.sigmoid(-a)
    simple = simplify(neuron).root
    assert simple is b.sigmoid(a)
    tidy = simplify([grad(simple, w0), grad(simple, w2), x0 * slope, slope]).roots
    assert tidy[0] is tidy[2]
    assert tidy[1] is tidy[3]


def test_tanh_by_the_sigmoid() -> None:
    assert simplify(2 * b.sigmoid(2 * z) - 1).root is b.tanh(z)


def test_hessian_of_softmax_cross_entropy() -> None:
    """(Σt)(q∘v − q (q·v)), in every mode the same node, and no Jacobian in it."""
    t, v = b.input("t", (5,)), b.input("v", (5,))
    e = b.exp(z)
    loss = simplify(-(t * b.log(e / e.sum())).sum()).root
    q = b.softmax(z)
    expected = simplify(t.sum() * q * (v - (q * v).sum())).root
    for mode in HVP_MODES:
        found = simplify(hvp(loss, z, v, mode)).root
        assert found is expected
        assert all(node.ndim < 2 for node in toposort([found]))
    values = {"z": np.array([1e3, 0.0, -5.0, 999.0, 2.0]), "t": np.arange(5.0)}
    full = simplify(hessian(loss, z)).root
    p = evaluate(q, values)
    np.testing.assert_allclose(
        evaluate(full, values), 10 * (np.diag(p) - np.outer(p, p)), rtol=1e-12, atol=1e-15
    )


def test_the_shift_and_the_sum_of_a_softmax_have_no_slope() -> None:
    assert simplify(grad(b.softmax(x + s).sum(), x)).root is b.zeros((3,), "float64")
    weighted = (b.softmax(x + s) * b.constant(np.arange(3.0))).sum()
    assert simplify(grad(simplify(weighted).root, s)).root is b.constant(0.0)


def test_attention_keeps_its_size() -> None:
    """Softmax attention and its gradient: one softmax, and products of matrices only."""
    q, k, v = (b.parameter(name, ("n", 8)) for name in "qkv")
    e = b.exp(q @ k.T / 8**0.5)
    attended = (e / e.sum(-1, keepdims=True)) @ v
    loss = simplify((attended**2).sum()).root
    grads = simplify([grad(loss, each) for each in (q, k, v)]).roots
    order = toposort(grads)
    assert [node.op for node in order].count("softmax") == 1
    assert not any(node.op == "exp" for node in order)
    assert max(node.ndim for node in order) == 2
    late = (e @ v) / e.sum(-1, keepdims=True)
    assert simplify(late).root is simplify(attended).root


# What went wrong elsewhere.


def test_log_of_two_exponentials_keeps_the_larger() -> None:
    """SymPy's logsumexp_2terms lost it: log(e³ + e¹) is 3.1269, not 4.3133."""
    node = simplify(b.log(b.exp(s) + b.exp(x[0]))).root
    assert value(node, s=3.0, x=np.ones(3)) == pytest.approx(3.1269280110429727, rel=1e-15)
    assert value(node, s=3e3, x=np.ones(3)) == 3e3


def test_root_of_square_of_negative_numbers() -> None:
    """PyTensor once had the branches swapped: NaN below 0."""
    node = simplify(b.sqrt(x**2)).root
    assert value(node, x=np.array([-2.0, 0.0, 3.0])).tolist() == [2.0, 0.0, 3.0]


def test_any_number_before_the_exponential_is_not_a_sigmoid() -> None:
    """Theano took c + eˣ for 1 + eˣ."""
    for c in (2.0, 0.5, -1.0):
        node = simplify(1 / (c + b.exp(x))).root
        assert not any(each.op == "sigmoid" for each in toposort([node]))
        point = np.array([0.1, 0.3, -0.2])
        np.testing.assert_allclose(value(node, x=point), 1 / (c + np.exp(point)), rtol=1e-15)


def test_numbers_are_folded_in_double_precision() -> None:
    """PyTensor folded log(2) in float32 for a float64 graph."""
    wide = b.input("wide", (), dtype="float64")
    node = simplify(b.log(2 * b.exp(wide))).root
    assert value(node, wide=0.0) == np.log(2.0)


def test_soft_and_hard_labels_are_both_stable() -> None:
    """Theano: stable with whole numbers, NaN with rows of probabilities."""
    rows = b.input("rows", (1, 3))
    k = b.input("k", (1,), dtype="int64", labels=3)
    p = b.input("p", (1, 3), sums_to_one=True)
    e = b.exp(rows)
    log_q = b.log(e / e.sum(1, keepdims=True))
    hard = derivative(-log_q[b.arange(1), k].sum(), rows)
    dense = derivative(-(p * log_q).sum(), rows)
    point = np.array([[1000.0, 0.0, -1000.0]])
    np.testing.assert_allclose(
        value(hard, rows=point, k=np.array([2])),
        value(dense, rows=point, p=np.array([[0.0, 0.0, 1.0]])),
    )


def test_a_reshape_between_defeats_nothing() -> None:
    node = b.log(b.reshape(1 / (1 + b.exp(-z)), (5, 1)))
    assert simplify(node).root is -b.reshape(b.softplus(-z), (5, 1))


def test_one_minus_the_exponential_written_as_a_sum() -> None:
    """PyTensor's own canonical form −1·eˣ hid it from the rule."""
    assert simplify(-1 * b.exp(x) + 1).root is -b.expm1(x)


def test_half_of_x_and_its_size_is_relu() -> None:
    """Theano's gradient of ½(x + |x|) was NaN."""
    loss = (0.5 * (x + b.sqrt(x**2))).sum()
    slope = derivative(loss, x)
    assert value(slope, x=np.array([-1.0, 0.0, 2.0])).tolist() == [0.0, 0.0, 1.0]
