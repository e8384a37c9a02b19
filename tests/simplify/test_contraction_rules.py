"""Matrix expressions reach their closed forms, in the order of evaluation that costs least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from symdiff.derive import Derivation, derive
from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.cost import at, flops, total

SIZES = {"m": 60, "n": 50, "k": 40}
SHAPES: dict[str, tuple[str, ...]] = {
    "A": ("m", "n"),
    "B": ("n", "k"),
    "C": ("n", "k"),
    "D": ("k", "m"),
    "Q": ("n", "n"),
    "X": ("m", "n"),
    "w": ("n",),
    "x": ("n",),
    "z": ("n",),
    "u": ("m",),
    "y": ("m",),
    "v": ("n",),
}
A, B, C, D, Q, X, w, x, z, u, y, v = (b.input(name, shape) for name, shape in SHAPES.items())
S = b.input("S", ("n", "n"), symmetric=True)
M = b.input("M", ("m", "n"), zero_or_one=True)
r, s = A @ x - y, X @ w


@dataclass(frozen=True)
class Form:
    """A formula, the closed form of its derivative, and what that costs at most.

    The cost is in multiples of one product of a matrix of (m, n) with a vector.
    """

    text: str
    wrt: str
    closed: Node
    order: int = 1
    most: float = 2.5
    direction: str | None = None
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


SYMMETRIC = {"S": {"symmetric": True}}
MASK = {"M": {"zero_or_one": True}}
GEMM = 2.5 * 50
FORMS = {
    "quadratic": Form("x @ Q @ x", "x", (Q + Q.T) @ x, most=4.0),
    "quadratic, twice": Form("x @ Q @ x", "x", Q + Q.T, 2),
    "quadratic, symmetric": Form("x @ S @ x", "x", 2 * (S @ x), facts=SYMMETRIC),
    "quadratic, symmetric, transposed": Form("x @ S.T @ x", "x", 2 * (S @ x), facts=SYMMETRIC),
    "quadratic, symmetric, twice": Form("x @ S @ x", "x", 2 * S, 2, facts=SYMMETRIC),
    "bilinear": Form("u @ A @ x", "A", u[:, None] * x),
    "linear": Form("A @ x", "x", A),
    "squared norm": Form("x @ x", "x", 2 * b.eye("n"), 2),
    "least squares": Form("sum((X @ w - y)**2)", "w", 2 * (X.T @ (X @ w - y)), most=5.0),
    "least squares, twice": Form("sum((X @ w - y)**2)", "w", 2 * (X.T @ X), 2, GEMM),
    "least squares, along": Form(
        "sum((X @ w - y)**2)", "w", 2 * (X.T @ (X @ v)), 2, 5.0, direction="v"
    ),
    "norm of a residual": Form(
        "norm(A @ x - y)",
        "x",
        scalar("reciprocal_or_zero", b.norm(r)) * (A.T @ r),
        most=5.0,
    ),
    "logistic regression": Form(
        "sum(softplus(X @ w) - y * (X @ w))", "w", X.T @ (b.sigmoid(s) - y), most=5.0
    ),
    "logistic regression, twice": Form(
        "sum(softplus(X @ w) - y * (X @ w))",
        "w",
        ((b.sigmoid(s) * b.sigmoid(-s))[:, None] * X).T @ X,
        2,
        GEMM + 5,
    ),
    "logistic regression, along": Form(
        "sum(softplus(X @ w) - y * (X @ w))",
        "w",
        X.T @ (b.sigmoid(s) * b.sigmoid(-s) * (X @ v)),
        2,
        8.0,
        direction="v",
    ),
    "trace of a product": Form("trace(A @ B @ D)", "A", D.T @ B.T, most=GEMM),
    "trace of a transpose": Form("trace(Q.T)", "Q", b.eye("n")),
    "trace of a square": Form("trace(Q.T @ Q)", "Q", 2 * Q),
    "trace, cyclic": Form("trace(B @ D @ A)", "A", D.T @ B.T, most=GEMM),
    "sum of a product": Form("sum(A @ B)", "A", b.broadcast_to(B.sum(1), ("m", "n")), most=2.5),
    "shared factor": Form(
        "sum((A @ B + A @ C)**2)", "A", 2 * (A @ (B + C) @ (B + C).T), most=2 * GEMM
    ),
    "scaled rows": Form("sum((diag(u) @ A)**2)", "u", 2 * (u * (A**2).sum(1))),
    "scaled columns": Form("u @ (A @ diag(v))", "u", (A * v).T),
    "outer product": Form("outer(u, v) @ z", "z", u[:, None] * v),
    "masked factors": Form(
        "einsum('ij,ij,ij,ij->', M, M, X - outer(u, v), X - outer(u, v))",
        "u",
        2 * ((M * (u[:, None] * v - X)) @ v),
        most=5.5,
        facts=MASK,
    ),
    "elementwise": Form("sin(A @ x)", "x", b.cos(A @ x)[:, None] * A, most=5.0),
}


def derived(form: Form) -> Derivation:
    shapes = {**SHAPES, **{n: {"S": S, "M": M}[n].shape for n in form.facts}}
    names = {form.wrt, form.direction, *"ABCDMQXSwxzuyv"} - {None}
    used = {n: shapes[n] for n in names if n in shapes and (n in form.text or n == form.direction)}
    return derive(form.text, form.wrt, used, form.facts, form.order, form.direction)


@pytest.mark.parametrize("name", FORMS)
def test_derivatives_are_closed_forms(name: str) -> None:
    form = FORMS[name]
    assert derived(form).derivative_node is simplify(form.closed).root


@pytest.mark.parametrize("name", FORMS)
def test_they_are_evaluated_in_the_cheapest_order(name: str) -> None:
    form = FORMS[name]
    work = at(total([derived(form).derivative_node], flops), SIZES)
    assert work <= form.most * SIZES["m"] * SIZES["n"]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("A @ B @ D @ u", 3),  # A (B (D u)), never (A B) D
        ("u @ A @ B @ D", 3),
        ("(A @ B) @ (D @ u)", 3),
        ("outer(u, v) @ z", 1),
        ("trace(outer(u, v) @ outer(z, y))", 1),
        ("sum(A @ B)", 2),
        ("sum(A @ B, axis=0)", 2),
        ("diag(A @ B @ diag(sum(D, axis=1)) @ D)", 50 + 1),  # one product, then a sum
        ("diag(u) @ A @ diag(v)", 2),
        ("eye(n) @ v", 1),
    ],
)
def test_values_are_evaluated_in_the_cheapest_order(text: str, most: float) -> None:
    used = {n: shape for n, shape in SHAPES.items() if n in text}
    value = derive(text, next(iter(used)), used).value_node
    work = at(total([value], flops), SIZES)
    assert work <= 2.1 * most * SIZES["m"] * SIZES["n"]


def test_matrix_factorisation_along_a_direction() -> None:
    """∇² ‖R − U Vᵀ‖² times D is 2 D (Vᵀ V): small products, and R not looked at."""
    shapes = {"R": ("m", "n"), "U": ("m", 3), "V": ("n", 3), "D": ("m", 3)}
    found = derive("sum((R - U @ V.T)**2)", "U", shapes, direction="D").derivative_node
    V_, D_ = b.input("V", ("n", 3)), b.input("D", ("m", 3))
    assert found is simplify(2 * (D_ @ (V_.T @ V_))).root
    assert at(total([found], flops), SIZES) < 3 * 9 * (SIZES["m"] + SIZES["n"])


def test_symmetry_is_proved() -> None:
    for node in (Q + Q.T, 3 * (Q.T + Q), X.T @ X):
        assert node.facts.symmetric
    scaled = b.einsum("ij,i,ik->jk", X, u, X)
    assert scaled.facts.symmetric
    for node in (Q, Q - Q.T, Q @ Q, Q + 2 * Q.T, b.einsum("ij,i,ki->jk", X, u, b.exp(X.T))):
        assert not node.facts.symmetric


def test_declared_symmetry_is_named() -> None:
    assert derived(FORMS["quadratic, symmetric"]).assumptions == (("S", "symmetric"),)
    assert derived(FORMS["quadratic"]).assumptions == ()


@pytest.mark.parametrize("name", ["logistic regression, twice", "least squares, along"])
def test_emitted_values_are_right(name: str) -> None:
    """Against the textbook's formula in NumPy."""
    form, rng = FORMS[name], np.random.default_rng(0)
    found = derived(form)
    point = {n: rng.normal(size=[SIZES[s] for s in SHAPES[n]]) for n in found.inputs}
    if form.direction:
        expected = 2 * point["X"].T @ (point["X"] @ point["v"])
    else:
        p = 1 / (1 + np.exp(-point["X"] @ point["w"]))
        expected = point["X"].T @ np.diag(p * (1 - p)) @ point["X"]
    np.testing.assert_allclose(found.derivative(**point), expected, rtol=1e-11, atol=1e-11)
