"""The last step: products and norms computed so that nothing overflows that the result does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from codegen.formula import FormulaDescription, FormulaFunction, emit_formula
from codegen.load import load_module
from symdiff.expr import build as b
from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.simplify.balanced import balanced
from symdiff.simplify.scaled import scaled_norms

x, y = b.input("x", (3,)), b.input("y", (3,))
a, c = b.input("a", (), positive=True), b.input("c", (), positive=True)
p = b.input("p", (), positive=True)
A = b.input("A", (2, 3))
X = np.array([3.0, -4.0, 1.0])
Y = np.array([0.5, 2.0, -1.0])


def run(node: Node, values: Mapping[str, Any]) -> Any:
    """The value by the emitted module, whose norms do not overflow."""
    names = {leaf.attr("name"): leaf for leaf in leaves([node])}
    made = FormulaFunction(node, "Of a test.")
    text = emit_formula(FormulaDescription("A test.", names, {"value": made}, []))
    return load_module(text, "scaled").value(*(values[name] for name in names))


def powers(node: Node, exponent: Node) -> Node:
    return b.power(b.sum(b.power(b.abs(node), p)), exponent)


HOMOGENEOUS = {
    "norm": (b.sqrt(x @ x), 1),
    "inverse norm": (1 / b.sqrt(x @ x), -1),
    "cosine": ((x @ y) / b.sqrt(x @ x), 0),
    "slope of the cosine": (x * (x @ y) / (x @ x) ** 1.5, -1),
    "quotient of squares": ((x @ y) ** 2 / (x @ x), 0),
    "third power": (b.sum(x**3) / (x @ x) ** 1.5, 0),
    "p-norm": (powers(x, 1 / p), 1),
    "slope of the p-norm": (
        powers(x, 1 / p - 1) * b.power(b.abs(x), p - 1) * b.sign(x),
        0,
    ),
    "cubic norm": (b.sum(b.abs(x) ** 3) ** (-2 / 3) * x**2 * b.sign(x), 0),
    "centred": ((x - b.mean(x)) / b.sqrt(b.sum((x - b.mean(x)) ** 2)), 0),
}


def test_rows_of_any_scale() -> None:
    """Weight normalisation: the slope is that of the unit rows over their lengths."""
    found = sd.derive(
        "sum(c * (W / sqrt(sum(W**2, axis=1, keepdims=True)) @ x))",
        "W",
        {"W": (2, 3), "x": (3,), "c": (2,)},
    )
    W = np.array([[3.0, -4.0, 1.0], [0.5, 2.0, -1.0]])
    plain = found.derivative(W=W, x=X, c=np.array([1.0, -2.0]))
    scales = np.array([[2.0**600], [2.0**-600]])
    scaled = found.derivative(W=W * scales, x=X, c=np.array([1.0, -2.0]))
    np.testing.assert_allclose(scaled * scales, plain, rtol=1e-13)


@pytest.mark.parametrize("name", HOMOGENEOUS)
@pytest.mark.parametrize("scale", [1.0, 2.0**600, 2.0**-600])
def test_homogeneous_functions_at_any_scale(name: str, scale: float) -> None:
    node, degree = HOMOGENEOUS[name]
    (made,) = scaled_norms([node])
    values = {"x": X, "y": Y, "p": np.array(3.0)}
    expected = evaluate(node, values)
    found = run(made, {**values, "x": X * scale})
    np.testing.assert_allclose(found, expected * scale**degree, rtol=1e-12)


def test_each_row_has_a_scale_of_its_own() -> None:
    (made,) = scaled_norms([A * b.sum(A**2, 1, keepdims=True) ** -0.5])
    rows = np.stack([X * 2.0**600, Y * 2.0**-600])
    expected = np.stack([X / np.sqrt(X @ X), Y / np.sqrt(Y @ Y)])
    np.testing.assert_allclose(run(made, {"A": rows}), expected, rtol=1e-12)


def test_nothing_at_zero() -> None:
    (made,) = scaled_norms([b.sqrt(x @ x)])
    assert run(made, {"x": np.zeros(3)}) == 0.0


BALANCED = {
    "squares": (a**2 / c**2, (power_product([(a / c, 2.0)]))),
    "inverse squares": (a**-2 * c**-2, power_product([(a * c, -2.0)])),
    "one unit above": (x / c**2, x / c / c),
    "two units above": (x * a / c**2, (x / c) * (a / c)),
}


@pytest.mark.parametrize("name", BALANCED)
def test_order_of_products(name: str) -> None:
    before, after = BALANCED[name]
    assert balanced([before])[0] is after


@pytest.mark.parametrize(
    "node", [x / c, x * a / c, x**2 * a, x / (1 + c) ** 0.5, x / b.constant(2.0)]
)
def test_products_that_stay(node: Node) -> None:
    assert balanced([node])[0] is node


def test_guarded_squares() -> None:
    """x y (1/s)², with 1/s at hand as a reciprocal that is 0 at 0."""
    guard = scalar("reciprocal_or_zero", c)
    assert balanced([x * a * guard**2])[0] is (x * guard) * (a * guard)


def test_sums_of_squares_over_lengths() -> None:
    """Σ x² / h of large numbers, whose squares are infinite."""
    node = b.einsum("i,i->", x**2, 1 / scalar("hypot", x, y))
    (made,) = balanced([node])
    found = evaluate(made, {"x": X * 2.0**600, "y": Y})
    assert found == pytest.approx(np.abs(X).sum() * 2.0**600, rel=1e-14)


def test_what_is_bounded_is_divided_too() -> None:
    """x² σ(y) / s³ of a small σ(y), where the cube of s is nothing."""
    s = b.input("s", (3,))
    (made,) = balanced([power_product([(x, 2.0), (b.sigmoid(y), 1.0), (s, -3.0)])])
    found = evaluate(made, {"x": X, "y": np.full(3, -300.0), "s": np.full(3, 1e-131)})
    np.testing.assert_allclose(found, X**2 * (np.exp(-300.0) / 1e-131) * 1e262, rtol=1e-13)


def test_sums_of_quotients() -> None:
    """Σ y (c + y)⁻² of large numbers, whose squares are infinite."""
    node = b.einsum("i,i->", y, (c + y) ** -2)
    values = {"y": np.array([1e200, 2e200, 4e200]), "c": np.array(1.0)}
    (made,) = balanced([node])
    assert evaluate(made, values) == pytest.approx(1e-200 + 5e-201 + 2.5e-201, rel=1e-14)
