"""Contractions print as matrices, and what is printed is what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.expr import build as b
from symdiff.expr.contraction import contract
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.inspect.naming import lines
from symdiff.inspect.show import show
from tests.inspect.reading import read

A, B, C = (b.input(name, (3, 3)) for name in "ABC")
u, v = b.input("u", (3,)), b.input("v", (3,))
T, S = b.input("T", (3, 3, 3)), b.input("S", (3, 3, 3))
X, c = b.input("X", ("batch", 3)), b.input("c")


@pytest.mark.parametrize(
    ("node", "printed"),
    [
        (A @ B, "A B"),
        (A.T @ B, "Aᵀ B"),
        ((A.T @ B).T, "Bᵀ A"),
        (A @ v, "A v"),
        (v @ A, "Aᵀ v"),
        (u @ A @ v, "uᵀ A v"),
        (v @ u, "uᵀ v"),
        (v @ v, "‖v‖²"),
        (b.sum(A * A), "‖A‖²"),
        (b.norm(v), "‖v‖"),
        (b.outer(v, u), "v uᵀ"),
        (b.trace(A), "trace(A)"),
        (b.trace(A @ B), "trace(A B)"),
        (b.einsum("ij,jk,ki->", A, B, C), "trace(A B C)"),
        (b.einsum("ij,j,jk->ik", A, u, B), "A diag(u) B"),
        (b.einsum("i,ij->ij", u, A), "diag(u) A"),
        ((A.T * u) @ A, "Aᵀ diag(u) A"),
        ((A * b.exp(u)[:, None] * v).T @ B, "diag(v) Aᵀ diag(exp(u)) B"),
        (b.einsum("ij,ij->i", A, B), "Σ_axis1(A ⊙ B)"),
        (b.einsum("ij,ij,j->i", A, B, u), "(A ⊙ B) u"),
        (b.einsum("ij,ij,ik,ik->i", A, A, B, B), "Σ_axis1(A²) ⊙ Σ_axis1(B²)"),
        (b.einsum("ij,ik,kj->ij", A, B, C), "A ⊙ (B C)"),
        (b.sum(X, axis=0), "Σ_batch(X)"),
        (b.sum(X), "Σ(X)"),
        (b.mean(X, axis=0), "Σ_batch(X) / batch"),
        (b.einsum("il,ljk->ijk", A, T), "Σ_l A_il T_ljk"),
        (T @ A, "T A"),
        (T @ S, "T S"),
        (b.diag(u), "diag(u)"),
        (b.diag(u) * v, "v ⊙ diag(u)"),
        (b.eye(3) * A, "A ⊙ I"),
        (b.diagonal(A), "diagonal(A)"),
        (2 * c * (A @ B), "2 c A B"),
        (3 * (A @ (B + C)), "3 A (B + C)"),
    ],
)
def test_products_print_as_matrices(node: Node, printed: str) -> None:
    assert show(node) == printed


def test_a_symmetric_matrix_is_not_transposed() -> None:
    H = b.input("H", (3, 3), symmetric=True)
    assert show(A @ H.T) == "A H"


SCALED = (A * u, B * v[:, None], A * b.exp(B) * u, (A.T * u) * b.expand_dims(v, 1))
OPERANDS = {1: (u, v, u * v), 2: (A, B, C, *SCALED), 3: (T, S)}
LEAVES = (u, v, A, B, C, T, S)


@st.composite
def contractions(draw: st.DrawFn) -> Node:
    operands: list[Node] = []
    indices: list[tuple[int, ...]] = []
    for _ in range(draw(st.integers(1, 4))):
        x = draw(st.sampled_from(OPERANDS[draw(st.sampled_from((1, 2, 2, 2, 3)))]))
        operands.append(x)
        indices.append(tuple(draw(st.integers(0, 3)) for _ in x.shape))
    present = sorted({n for own in indices for n in own})
    out = draw(st.permutations(present))[: draw(st.integers(0, 3))]
    return contract(operands, indices, out)


@settings(max_examples=300, deadline=None)
@given(contractions())
def test_what_is_printed_is_what_is_computed(node: Node) -> None:
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {x.attr("name"): rng.normal(size=[3] * x.ndim) for x in LEAVES}
    have = dict(values)
    for line in lines({"result": node}):
        have[str(getattr(line.label, "text", ""))] = read(line.doc, have)
    np.testing.assert_allclose(have["result"], evaluate(node, values), atol=1e-9)
