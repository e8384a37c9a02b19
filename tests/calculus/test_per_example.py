"""Per-example gradients, norms and weighted sums against the loop over single examples."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.per_example import (
    per_example_gradients,
    per_example_sq_norms,
    squared_norms,
    weighted_gradients,
    weighted_sums,
)
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn import losses
from symdiff.simplify import simplify
from symdiff.simplify.contraction import plan
from tests.calculus.models import BATCH, MODELS, Model, labels, model, weight, x
from tests.oracles import autograd_gradients

EPS = float(np.finfo(np.float64).eps)
WEIGHTS = np.array([0.5, 2.0, 0.0, -1.0, 1.25])


@cache
def looped(name: str) -> tuple[Model, list[list[Any]]]:
    """A model, and each example's own gradients, one run of reverse mode an example."""
    m = MODELS[name]()
    graph = gradients(b.sum(m.losses), m.parameters)
    return m, [evaluate(graph, m.rows(slice(j, j + 1))) for j in range(BATCH)]


def assert_norms(ours: Any, loop: Any, scale: float, what: str) -> None:
    """|s − loop| ≤ 1e-10·loop + 64·eps·scale, and never below 0; scale: what may cancel."""
    assert ours >= 0, what
    assert abs(ours - loop) <= 1e-10 * loop + 64 * EPS * scale, f"{what}: {ours} against {loop}"


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_each_example_alone(name: str) -> None:
    m, loop = looped(name)
    found = evaluate(per_example_gradients(m.losses, m.parameters), m.values)
    for i, parameter in enumerate(m.names):
        for j in range(BATCH):
            np.testing.assert_allclose(
                found[i][j], loop[j][i], rtol=1e-10, atol=1e-13, err_msg=f"{parameter}, {j}"
            )


@pytest.mark.parametrize("name", MODELS)
def test_planned_norms_are_the_loops(name: str) -> None:
    m, loop = looped(name)
    planned = plan(per_example_sq_norms(m.losses, m.parameters))
    for i, s in enumerate(evaluate(planned, m.values)):
        assert s.shape == (BATCH,)
        largest = max(float(np.sum(loop[j][i] ** 2)) for j in range(BATCH))
        for j in range(BATCH):
            assert_norms(s[j], float(np.sum(loop[j][i] ** 2)), largest, f"{m.names[i]}, {j}")


@pytest.mark.parametrize("name", MODELS)
def test_simplified_norms_are_the_loops(name: str) -> None:
    m, loop = looped(name)
    stable = simplify(m.losses).root
    found = simplify(per_example_sq_norms(stable, m.parameters)).roots
    for i, s in enumerate(evaluate(found, m.values)):
        largest = max(float(np.sum(loop[j][i] ** 2)) for j in range(BATCH))
        for j in range(BATCH):
            assert_norms(s[j], float(np.sum(loop[j][i] ** 2)), largest, f"{m.names[i]}, {j}")


@pytest.mark.parametrize("name", MODELS)
def test_planned_weighted_sums_are_the_loops(name: str) -> None:
    m, loop = looped(name)
    weights = b.input("weights of examples", ("batch",))
    g = per_example_gradients(m.losses, m.parameters)
    roots = plan([*squared_norms(g), *weighted_sums(g, weights)])
    found = evaluate(roots, {**m.values, "weights of examples": WEIGHTS})[len(g) :]
    for i, total in enumerate(found):
        expected = sum(WEIGHTS[j] * loop[j][i] for j in range(BATCH))
        np.testing.assert_allclose(total, expected, rtol=1e-9, atol=1e-11, err_msg=m.names[i])


# Models whose gradients autograd is asked for as well, one example at a time.
@pytest.mark.parametrize(
    "name", ["mlp", "used_transposed", "weight_norm", "attention", "tied_embedding_and_head"]
)
def test_norms_are_autograds(name: str) -> None:
    m = MODELS[name]()
    found = evaluate(plan(per_example_sq_norms(m.losses, m.parameters)), m.values)
    for j in range(BATCH):
        theirs = autograd_gradients(b.sum(m.losses), m.names, m.rows(slice(j, j + 1)), {"batch": 1})
        for s, g in zip(found, theirs, strict=True):
            assert s[j] == pytest.approx(float(np.sum(g**2)), rel=1e-9, abs=1e-20)


@pytest.mark.parametrize("name", ["mlp", "attention", "embedding", "residual"])
def test_primal_values_are_the_batch_graphs_own_nodes(name: str) -> None:
    m = MODELS[name]()
    forward = set(toposort([m.losses]))
    g = per_example_gradients(m.losses, m.parameters)
    heavy = {"contract", "tanh", "softmax", "take", "exp", "log_softmax", "logsumexp"}
    rows = [n for n in toposort(g) if n.op in heavy and n.shape[:1] == ("batch",)]
    assert {n for n in rows if n in forward}
    inputs = [n for n in toposort(g) if n.op == "input"]
    assert all(n in forward for n in inputs)


def test_products_of_the_forward_pass_are_shared() -> None:
    w1, w2 = weight("W1", 4, 6), weight("W2", 6, 3)
    z = x() @ w1
    h = b.tanh(z)
    loss = losses.softmax_cross_entropy(h @ w2, labels())
    planned = set(toposort(plan(per_example_sq_norms(loss, [w1, w2]))))
    assert {z, h, h @ w2} <= planned


def test_unit_weights_give_the_gradient_of_the_sum_and_share_it() -> None:
    m = MODELS["mlp"]()
    direct = plan(gradients(b.sum(m.losses), m.parameters))
    assert plan(weighted_gradients(m.losses, m.parameters)) == direct


def test_scalar_weights_scale() -> None:
    m = MODELS["mlp"]()
    half = evaluate(weighted_gradients(m.losses, m.parameters, b.constant(0.5)), m.values)
    whole = evaluate(weighted_gradients(m.losses, m.parameters), m.values)
    for a, c in zip(half, whole, strict=True):
        np.testing.assert_allclose(a, c / 2, rtol=1e-12)


def test_norms_come_with_the_example_weights_squared() -> None:
    w, v = weight("W", 4, 3), b.input("v", ("batch",))
    plain = losses.softmax_cross_entropy(b.tanh(x() @ w), labels())
    given = np.array([0.5, 2.0, 0.0, 1.0, -1.5])
    m = model(v * plain, w, v=given)
    (s,) = evaluate(plan(per_example_sq_norms(m.losses, [w])), m.values)
    (bare,) = evaluate(plan(per_example_sq_norms(plain, [w])), m.values)
    np.testing.assert_allclose(s, given**2 * bare, rtol=1e-12)
    assert s[2] == 0.0


def test_an_unused_parameter_has_norm_zero() -> None:
    m = MODELS["unused"]()
    s = evaluate(per_example_sq_norms(m.losses, m.parameters), m.values)[1]
    np.testing.assert_array_equal(s, np.zeros(BATCH))


def test_a_loss_without_data_has_the_same_gradient_for_every_example() -> None:
    w = weight("W", 2, 2)
    loss = b.broadcast_to(b.sum(w * w), ("batch",))
    (s,) = plan(per_example_sq_norms(loss, [w]))
    found = evaluate(s, {"W": np.array([[1.0, 2.0], [0.0, 2.0]])}, {"batch": 3})
    np.testing.assert_allclose(found, [36.0, 36.0, 36.0])


@pytest.mark.parametrize("features", [4, 60])
def test_equal_inputs_of_a_siamese_net_have_norm_exactly_zero(features: int) -> None:
    w = weight("W", features, features)
    rng = np.random.default_rng(0)
    a, c = rng.normal(size=(2, 5, features))
    c[:3] = a[:3]
    left, right = b.tanh(x(features, "a") @ w), b.tanh(x(features, "c") @ w)
    m = model(b.sum((left - right) ** 2, axis=1), w, a=a, c=c)
    (s,) = evaluate(plan(per_example_sq_norms(m.losses, [w])), m.values)
    np.testing.assert_array_equal(s[:3], np.zeros(3))
    assert np.all(s[3:] > 0)


@pytest.mark.parametrize("name", ["mlp", "over_time", "embedding", "attention", "used_twice"])
@pytest.mark.parametrize("batch", [0, 1])
def test_small_batches(name: str, batch: int) -> None:
    m, loop = looped(name)
    planned = plan(per_example_sq_norms(m.losses, m.parameters))
    for i, s in enumerate(evaluate(planned, m.rows(slice(0, batch)))):
        assert s.shape == (batch,)
        for j in range(batch):
            assert s[j] == pytest.approx(float(np.sum(loop[j][i] ** 2)), rel=1e-9)


def test_padding_an_example_leaves_its_norm() -> None:
    w, c = weight("W", 4, 5), weight("c", 5)
    data, mask = b.input("x", ("batch", "time", 4)), b.input("mask", ("batch", "time"))
    loss = b.sum(mask * b.sum(b.tanh(data @ w + c) ** 2, axis=2), axis=1)
    roots = plan(per_example_sq_norms(loss, [w, c]))
    m = model(loss, w, c, mask=np.ones((BATCH, 3)))
    padded = {
        **m.values,
        "x": np.pad(m.values["x"], [(0, 0), (0, 4), (0, 0)], constant_values=9.0),
        "mask": np.pad(m.values["mask"], [(0, 0), (0, 4)]),
    }
    for a, p in zip(evaluate(roots, m.values), evaluate(roots, padded), strict=True):
        np.testing.assert_allclose(a, p, rtol=1e-12)


def numeric(f: Node, name: str, values: dict[str, Any], step: float = 1e-5) -> Any:
    at = values[name]
    found = np.zeros_like(at)
    for place in np.ndindex(*at.shape):
        unit = np.zeros_like(at)
        unit[place] = step
        ahead, behind = ({**values, name: at + s * unit} for s in (1, -1))
        found[place] = (evaluate(f, ahead) - evaluate(f, behind)) / (2 * step)
    return found


@pytest.mark.parametrize("name", ["mlp", "over_time", "used_transposed"])
def test_norms_can_be_differentiated_again(name: str) -> None:
    m = MODELS[name]()
    penalty = b.sum(b.sqrt(sum(per_example_sq_norms(m.losses, m.parameters)) + 1.0))
    found = evaluate(plan(gradients(penalty, m.parameters)), m.values)
    for parameter, ours in zip(m.names, found, strict=True):
        theirs = numeric(plan([penalty])[0], parameter, m.values)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6, err_msg=parameter)


def test_the_loss_must_be_one_number_an_example() -> None:
    w = weight("W", 4, 3)
    with pytest.raises(ShapeError, match=r"expected, of shape \(batch,\)"):
        per_example_gradients(x() @ w, [w])
    with pytest.raises(ShapeError, match=r"expected, of shape \(batch,\)"):
        per_example_gradients(b.sum(x() @ w), [w])


def test_float32_stays_float32() -> None:
    data = b.input("x", ("batch", 3, 4), "float32")
    w = b.parameter("W", (4, 5), "float32")
    with b.default_dtype("float32"):
        loss = b.sum(b.tanh(data @ w) ** 2, axis=(1, 2))
        roots = plan(per_example_sq_norms(loss, [w]))
    assert {n.dtype for n in toposort(roots)} == {"float32"}
