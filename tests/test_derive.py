"""derive: formulas as people type them, their derivatives shown, emitted and run."""

from __future__ import annotations

import ast
import json
from typing import Any

import numpy as np
import pytest

from symdiff.derive import Derivation, derive
from symdiff.errors import SpecError
from symdiff.simplify import simplify
from tests.oracles import assert_close

RNG = np.random.default_rng(0)
Z, V, P = RNG.normal(size=4), RNG.normal(size=4), RNG.dirichlet(np.ones(4))
X, Y, W = RNG.normal(size=(5, 3)), RNG.normal(size=5), RNG.normal(size=3)


def difference(d: Derivation, name: str, arrays: dict[str, Any], step: float = 1e-6) -> Any:
    """The Jacobian of the value by central differences, value's axes first."""
    x = np.asarray(arrays[name], dtype=float)
    shape = np.shape(d.value(**arrays))
    result = np.zeros((*shape, *x.shape))
    for place in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += step
        behind[place] -= step
        change = d.value(**{**arrays, name: ahead}) - d.value(**{**arrays, name: behind})
        result[(..., *place)] = change / (2 * step)
    return result


@pytest.mark.parametrize(
    ("expression", "wrt", "shown"),
    [
        ("sin(5*exp(x))", "x", "∂f/∂x = 5 cos(5 exp(x)) exp(x)"),
        ("(x + y) * z", "z", "∂f/∂z = x + y"),
        ("x**3 + np.log(x)", "x", "∂f/∂x = 1 / x + 3 x²"),
        ("a * x**2 / 2", "x", "∂f/∂x = a x"),
        ("exp(f)", "f", "∂F/∂f = exp(f)"),
        ("pi * r**2", "pi", "∂f/∂pi = r²"),
        ("x > 0", "x", "∂f/∂x = 0"),
        ("-y*log(1/(1+exp(-z))) - (1-y)*log(1-1/(1+exp(-z)))", "z", "∂f/∂z = σ(z) − y"),
    ],
)
def test_scalar_formulas(expression: str, wrt: str, shown: str) -> None:
    assert derive(expression, wrt).text.splitlines()[-1] == shown


def test_a_least_squares_gradient_prints_as_matrices() -> None:
    d = derive("sum((X @ w - y)**2)", "w", shapes={"X": ("n", 3), "w": 3, "y": "n"})
    assert d.text.splitlines() == ["f = ‖X w − y‖²", "∂f/∂w = 2 Xᵀ (X w − y)"]
    assert_close(d.derivative(X=X, w=W, y=Y), 2 * X.T @ (X @ W - Y), 1e-12)


def test_the_hessian_and_its_product_with_a_direction() -> None:
    shapes = {"X": ("n", 3), "w": (3,), "y": ("n",)}
    d = derive("sum((X @ w - y)**2)", "w", shapes, order=2)
    assert d.text.splitlines()[-1] == "∂²f/∂w² = 2 Xᵀ X"
    assert_close(d.derivative(X=X, w=W, y=Y), 2 * X.T @ X, 1e-12)
    along = derive("sum((X @ w - y)**2)", "w", shapes, order=2, direction="v")
    assert along.text.splitlines()[-1].startswith("∂²f/∂w² v = ")
    assert_close(along.derivative(X=X, w=W, y=Y, v=W), 2 * X.T @ X @ W, 1e-12)


def test_naive_cross_entropy_becomes_q_minus_p() -> None:
    naive = "-sum(p * log(exp(z) / sum(exp(z))))"
    shapes = {"z": (4,), "p": (4,)}
    d = derive(naive, "z", shapes, facts={"p": {"sums_to_one": True}})
    assert d.text.splitlines()[-1] == "∂f/∂z = softmax(z) − p"
    assert d.assumptions == (("p", "sums_to_one"),)
    assert "p has sums_to_one" in " ".join(d.source.split())
    assert any("sums_to_one" in line for line in d.trace_lines())
    unknown = derive(naive, "z", shapes)
    assert unknown.text.splitlines()[-1] == "∂f/∂z = Σ(p) softmax(z) − p"
    assert unknown.assumptions == ()
    stress = np.array([1000.0, -1000.0, 0.0, 900.0])
    assert_close(d.derivative(z=stress, p=P), np.array([1.0, 0, 0, 0]) - P, 1e-12)


def test_the_jacobian_of_an_array_has_the_values_axes_first() -> None:
    d = derive("softmax(A @ z)", "A", shapes={"A": (2, 4), "z": (4,)})
    arrays = {"A": RNG.normal(size=(2, 4)), "z": Z}
    assert np.shape(d.derivative(**arrays)) == (2, 2, 4)
    assert_close(d.derivative(**arrays), difference(d, "A", arrays), 1e-8)


@pytest.mark.parametrize(
    ("expression", "shapes"),
    [
        ("tanh(z) * sum(z)", {"z": (4,)}),
        ("logsumexp(z) + norm(z)", {"z": (4,)}),
        ("outer(z, z) @ v", {"z": (4,), "v": (4,)}),
        ("reshape(z, (2, 2)) @ reshape(v, (2, 2))", {"z": (4,), "v": (4,)}),
        ("z[::2] / (1 + z[1::2]**2)", {"z": (4,)}),
        ("cumsum(z) - mean(z)", {"z": ("n",)}),
    ],
)
def test_derivatives_are_those_of_finite_differences(
    expression: str, shapes: dict[str, Any]
) -> None:
    d = derive(expression, "z", shapes)
    arrays = {name: {"z": Z, "v": V}[name] for name in d.inputs}
    assert_close(d.derivative(**arrays), difference(d, "z", arrays), 1e-7)


def test_undeclared_names_are_scalars_in_order_of_appearance() -> None:
    d = derive("b * x + a", "x")
    assert {name: x.shape for name, x in d.inputs.items()} == {"x": (), "b": (), "a": ()}
    assert d.derivative(x=1.0, a=2.0, b=3.0) == 3.0


def test_declared_arrays_are_taken_used_or_not() -> None:
    d = derive("x**2", "x", shapes={"u": (3,)})
    assert d.derivative(x=2.0, u=np.zeros(3)) == 4.0
    with pytest.raises(ValueError, match="derivative takes the variables u, x: missing u"):
        d.derivative(x=2.0)


def test_a_declared_variable_that_is_not_used_has_derivative_zero() -> None:
    d = derive("x**2", "u", shapes={"u": (3,)})
    np.testing.assert_array_equal(d.derivative(x=2.0, u=np.ones(3)), np.zeros(3))


@pytest.mark.parametrize(
    "expression",
    ["-log_softmax(z)[k]", "-sum(one_hot(k, 4) * z)", "take(z, k)", "cross_entropy(softmax(z), k)"],
)
def test_indices_hold_whole_numbers(expression: str) -> None:
    d = derive(expression, "z", shapes={"z": (4,)})
    assert d.inputs["k"].dtype == "int64"
    arrays = {"z": Z, "k": 2}
    assert_close(d.derivative(**arrays), difference(d, "z", arrays), 1e-8)


def test_declared_labels_hold_whole_numbers() -> None:
    d = derive("y * x", "x", facts={"y": {"labels": 10}})
    assert d.inputs["y"].dtype == "int64"
    with pytest.raises(ValueError, match="expected labels 0 to 9"):
        d.value(x=1.0, y=12)


def test_the_lectures_neuron() -> None:
    d = derive("1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", "w0")
    point = {"w0": 2.0, "w1": -3.0, "w2": -3.0, "x0": -1.0, "x1": -2.0}
    assert round(float(d.value(**point)), 2) == 0.73
    assert round(float(d.derivative(**point)), 2) == -0.20


def test_the_source_is_one_module_that_needs_numpy_only() -> None:
    d = derive("sum(sigmoid(x) * v)", "x", shapes={"x": (4,), "v": (4,)})
    imports = [n for n in ast.walk(ast.parse(d.source)) if isinstance(n, (ast.Import))]
    assert [alias.name for n in imports for alias in n.names] == ["numpy"]
    assert d.source == derive("sum(sigmoid(x) * v)", "x", {"x": (4,), "v": (4,)}).source


def test_variables_may_have_any_name() -> None:
    d = derive("np * value + sizes**2 + self", "sizes", shapes={"np": ()})
    arrays = {"np": 2.0, "value": 3.0, "sizes": 4.0, "self": 1.0}
    assert (d.value(**arrays), d.derivative(**arrays)) == (23.0, 8.0)


def test_latex_and_json() -> None:
    d = derive("alpha * x**2", "x")
    assert r"\frac{\partial f}{\partial x} &= 2 \, \alpha \, x" in d.latex
    data = json.loads(d.to_json())
    assert data["derivative"] == {
        "name": "∂f/∂x",
        "text": "2 alpha x",
        "latex": r"2 \, \alpha \, x",
        "shape": [],
    }
    assert data["source"] == d.source


@pytest.mark.parametrize(
    ("expression", "wrt", "more", "said"),
    [
        ("sin(x", "x", {}, r"EXPR:1:4: error: cannot be read"),
        ("sinn(x)", "x", {}, r"EXPR:1:1: error: unknown function 'sinn'; did you mean 'sin'"),
        ("x + log", "x", {}, r"EXPR:1:5: error: 'log' is a function"),
        ("rate * x", "rat", {}, r"no variable of the formula is called 'rat'; did you mean 'rate'"),
        ("X @ w", "w", {"shapes": {"X": (2, 3), "w": (4,)}}, r"X of shape \(2, 3\)"),
        ("x * 2", "x", {"facts": {"x": {"positve": True}}}, "x: unknown fact 'positve'; did you"),
        ("x * 2", "x", {"facts": {"x": {"one_hot": True}}}, r"x of shape \(\): one_hot holds"),
        ("x * 2", "x", {"facts": {"x": {"range": (1, 0)}}}, "x: fact range: expected"),
        ("x * 2", "x", {"shapes": {"x": (-1,)}}, "x: shape: expected a size of at least 1"),
        ("x * 2", "x", {"shapes": {"x": ("x",)}}, "'x' is the name of a variable and of a size"),
        ("z[k]", "k", {"shapes": {"z": 3}}, "'k' holds labels or indices"),
        ("exp(x)", "x", {"shapes": {"x": 3}, "order": 2}, r"shape \(3,\); only a scalar"),
        (
            "sum(x)",
            "x",
            {"shapes": {"x": 3, "v": 4}, "direction": "v"},
            r"direction 'v' has shape \(4,\), not that of 'x', \(3,\)",
        ),
        ("__import__('os')", "x", {}, "unknown function '__import__'"),
        ("x.__class__", "x", {}, "__class__ is not a part of a formula"),
        ("", "x", {}, "the formula is empty"),
    ],
)
def test_what_is_wrong_is_said_of_the_users_own_things(
    expression: str, wrt: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(SpecError, match=said):
        derive(expression, wrt, **more)


def test_other_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="order is 1 or 2, not 3"):
        derive("x", "x", order=3)


def test_masked_squares_have_their_curvature_where_they_are_zero() -> None:
    """A sum of squares in its cheapest order has no kink at 0."""
    shapes, facts = {"x": (3,), "m": (3,)}, {"m": {"zero_or_one": True}}
    arrays = {"x": np.zeros(3), "m": np.array([1.0, 0.0, 1.0])}
    text = "sum((m * x)**2)"
    first, second = (derive(text, "x", shapes, facts, order) for order in (1, 2))
    x, m = (first.inputs[name] for name in "xm")
    assert first.derivative_node is simplify(2 * m * x).root
    np.testing.assert_array_equal(second.derivative(**arrays), np.diag(2 * arrays["m"]))


@pytest.mark.parametrize(
    ("text", "fact", "point", "truth"),
    [
        ("sum(p)", "sums_to_one", [0.25, 0.75], [1.0, 1.0]),
        ("-sum(p * log(softmax(z)[0]))", "sums_to_one", [0.5, 0.5], [np.log(2.0)] * 2),
        ("sum(p**2)", "zero_or_one", [0.0, 1.0], [0.0, 2.0]),
        ("sum(p**2)", "one_hot", [0.0, 1.0], [0.0, 2.0]),
    ],
)
def test_equations_of_what_moves_are_not_used(
    text: str, fact: str, point: list[float], truth: list[float]
) -> None:
    """A partial derivative leaves the set on which they hold."""
    shapes = {name: (2,) for name in "pz" if f"({name}" in text}
    found = derive(text, "p", shapes=shapes, facts={"p": {fact: True}})
    values = {"p": np.array(point), "z": np.zeros(2)}
    got = found.derivative(**{name: values[name] for name in shapes})
    np.testing.assert_allclose(got, truth, rtol=1e-15)
    assert not found.assumptions
    with pytest.raises(ValueError, match="p: declared"):
        found.derivative(**{n: 3 + 0 * values[n] for n in shapes}, check_facts=True)


def test_a_symmetric_matrix_that_moves_is_not_taken_for_its_transpose() -> None:
    found = derive(
        "trace(A.T @ B)", "A", shapes={"A": (2, 2), "B": (2, 2)}, facts={"A": {"symmetric": True}}
    )
    b = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(found.derivative(A=np.eye(2), B=b), b)
