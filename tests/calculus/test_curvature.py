"""Hessian-vector products, Hessians and Jacobians."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.calculus.curvature import HVP_MODES, hessian, hvp, jacobian
from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from tests.calculus.cases import CASES, Case
from tests.oracles import assert_close, directional_difference

X = b.input("x", ("n", 3))
W = b.parameter("W", (3, 2))
V = b.input("v", (3, 2))
LOSS = b.mean(b.logsumexp(b.tanh(X @ W), axis=1)) + b.sum(W**4)
VALUES = {
    "x": np.random.default_rng(0).normal(size=(4, 3)),
    "W": np.random.default_rng(1).normal(size=(3, 2)),
    "v": np.random.default_rng(2).normal(size=(3, 2)),
}


def test_all_modes_agree() -> None:
    first, *others = evaluate([hvp(LOSS, W, V, mode) for mode in HVP_MODES], VALUES)
    for other in others:
        assert_close(other, first, 1e-12)


def test_the_columns_of_the_hessian_are_products_with_unit_vectors() -> None:
    whole = evaluate(hessian(LOSS, W), VALUES)
    assert whole.shape == (3, 2, 3, 2)
    for place in np.ndindex(3, 2):
        unit = np.zeros((3, 2))
        unit[place] = 1.0
        for mode in HVP_MODES:
            column = evaluate(hvp(LOSS, W, unit, mode), VALUES)
            assert_close(column, whole[(..., *place)], 1e-12, f"column {place} by {mode}")


def test_the_hessian_is_symmetric() -> None:
    whole = evaluate(hessian(LOSS, W), VALUES).reshape(6, 6)
    np.testing.assert_allclose(whole, whole.T, atol=1e-13)


@pytest.mark.parametrize("mode", HVP_MODES)
def test_several_xs_share_one_hessian(mode: str) -> None:
    """The mixed blocks count: H v over (W, x) at once."""
    u = b.input("u", ("n", 3))
    values = {**VALUES, "u": np.random.default_rng(3).normal(size=(4, 3))}
    found = evaluate(hvp(LOSS, [W, X], [V, u], mode), values)
    direction = {"W": values["v"], "x": values["u"]}
    for x, ours in zip([W, X], found, strict=True):
        slope = grad(LOSS, x)
        theirs = directional_difference(lambda at, g=slope: evaluate(g, at), values, direction)
        assert_close(ours, theirs, 1e-7)


@pytest.mark.parametrize("mode", HVP_MODES)
def test_v_is_held_fixed_though_it_depends_on_x(mode: str) -> None:
    found = evaluate(hvp(LOSS, W, b.sin(W), mode), VALUES)
    assert_close(found, evaluate(hvp(LOSS, W, V), {**VALUES, "v": np.sin(VALUES["W"])}), 1e-12)


@pytest.mark.parametrize("mode", HVP_MODES)
def test_a_linear_function_has_no_curvature(mode: str) -> None:
    assert not evaluate(hvp(b.sum(X @ W), W, V, mode), VALUES).any()


def test_refusals_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="mode 'forwards' is not one of reverse-over-reverse"):
        hvp(LOSS, W, V, "forwards")
    with pytest.raises(ShapeError, match="only a scalar"):
        hvp(X @ W, W, V)
    with pytest.raises(ShapeError, match="only a scalar"):
        hessian(X @ W, W)
    with pytest.raises(ShapeError, match=r"a v of shape \(2,\) does not fit W"):
        hvp(LOSS, W, np.ones(2))
    with pytest.raises(ValueError, match="1 vs for 2 xs"):
        hvp(LOSS, [W, X], [V])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_jacobian_has_the_values_shape_and_then_the_variables(case: Case) -> None:
    """Column by column, against finite differences, for every operation."""
    nodes = case.nodes()
    y, values = case.build(*nodes), case.values()
    for x in case.floats(nodes):
        whole = jacobian(y, x)
        assert whole.shape == (*y.shape, *x.shape)
        found, name = evaluate(whole, values), x.attr("name")
        for place in np.ndindex(*x.shape):
            unit = np.zeros(x.shape)
            unit[place] = 1.0
            theirs = directional_difference(lambda v: evaluate(y, v), values, {name: unit})
            assert_close(found[(..., *place)], theirs, 1e-7)


@pytest.mark.parametrize(
    ("y", "x"),
    [(b.sum(X), X), (X @ W, W), (b.softmax(X), X), (X, W), (b.sin(b.sum(X, 1)), X)],
)
def test_a_jacobian_has_no_helper_leaf_and_symbolic_sizes(y: Node, x: Node) -> None:
    whole = jacobian(y, x)
    assert whole.shape == (*y.shape, *x.shape)
    assert {leaf.attr("name") for leaf in leaves([whole])} <= {"x", "W"}
    assert evaluate(whole, VALUES, {"n": 4}).ndim == y.ndim + x.ndim


def test_the_hessian_of_a_quadratic_form_is_its_matrix_and_the_transpose() -> None:
    """Identities are renamed away, not multiplied by (Laue: xᵀAx gives A + Aᵀ)."""
    x, a = b.input("x", (3,)), b.input("A", (3, 3))
    assert hessian(x @ a @ x, x) is a + a.T


def test_a_jacobian_of_an_unrelated_variable_is_zero() -> None:
    assert not evaluate(jacobian(X, W), VALUES, {"n": 4}).any()
