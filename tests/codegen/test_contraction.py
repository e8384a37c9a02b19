"""Contractions: any of them computes what einsum does, and those of daily life read plainly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import build_program
from symdiff.expr import build as b
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node
from tests.codegen.models import describe_graph, line_of, lines_of, run_graph

LETTERS = "abcdef"
SIZES = {"a": 2, "b": 3, "c": 4, "d": 1, "e": 5, "f": 2}
NAMES = {"a": "n", "b": 3, "c": "k", "d": 1, "e": 5, "f": "m"}


@st.composite
def equations(draw: st.DrawFn) -> tuple[list[str], str]:
    """Operands' indices, and the result's, with a chance of repeats within an operand."""
    operands = draw(st.lists(st.text(LETTERS, min_size=1, max_size=4), min_size=1, max_size=4))
    present = sorted(set("".join(operands)))
    order = draw(st.permutations(present))
    return operands, "".join(order[: draw(st.integers(0, len(order)))])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(equations())
def test_any_contraction_is_einsum(equation: tuple[list[str], str]) -> None:
    operands, out = equation
    rng = np.random.default_rng(0)
    leaves = [b.input(f"x{i}", tuple(NAMES[n] for n in names)) for i, names in enumerate(operands)]
    values = {
        f"x{i}": rng.normal(size=[SIZES[n] for n in names]) for i, names in enumerate(operands)
    }
    # Through the node itself, so that the whole lowering is seen, not the constructor's pieces.
    node = Node.make(
        "contract",
        leaves,
        indices=tuple(tuple(map(LETTERS.index, names)) for names in operands),
        out=tuple(map(LETTERS.index, out)),
        sizes=(),
    )
    expected = np.einsum(",".join(operands) + "->" + out, *values.values())
    got = run_graph({"y": node}, values)["y"]
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)


X = b.input("x", ("batch", 4))
W = b.parameter("W", (4, 5))
G = b.input("g", ("batch", 5))
S = b.input("s", ("batch", 7, 4))
D = b.input("d", ("batch", 7, 5))
A = b.input("a", (4,))
C = b.input("c", (5,))


def einsum(text: str) -> Callable[..., Node]:
    return lambda *operands: b.einsum(text, *operands)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (X @ W, "x @ W"),
        (X.T @ G, "x.T @ g"),
        (G @ W.T, "g @ W.T"),
        ((X @ W).T, "(x @ W).T"),
        (A @ W, "a @ W"),
        (W @ C, "W @ c"),
        (b.outer(A, C), "np.outer(a, c)"),
        (G.sum(axis=0), "g.sum(axis=0)"),
        (G.sum(), "g.sum()"),
        (einsum("ij,ij->i")(G, G), "np.vecdot(g, g)"),
        (einsum("ij,ij->j")(G, G), "np.vecdot(g, g, axis=0)"),
        (einsum("btd,bsd->bts")(S, S), "s @ s.swapaxes(-1, -2)"),
        (einsum("btd,dp->btp")(S, W), "s @ W"),
        (einsum("btd,btp->dp")(S, D), "np.tensordot(s, d, axes=([0, 1], [0, 1]))"),
        (einsum("btd,btp->bdp")(S, D), "s.swapaxes(-1, -2) @ d"),
        (einsum("ii->i")(b.input("q", (3, 3))), 'np.einsum("ii->i", q).copy()'),
    ],
    ids=str,
)
def test_plain_products_read_plainly(node: Node, expected: str) -> None:
    assert line_of(node) == expected


def test_private_indices_are_summed_before_the_product() -> None:
    program = build_program({"y": einsum("ij,ik->i")(X, G)})
    assert all(step.size in (4, 5, "batch") or step.action == "leaf" for step in program.steps)


def test_the_cheapest_pair_is_taken_first() -> None:
    """u vᵀ W: two products with vectors, never the outer product."""
    u, v = b.input("u", (50,)), b.input("v", (60,))
    w = b.parameter("w", (60, 70))
    program = build_program({"y": contract([u, v, w], [(0,), (1,), (1, 2)], (0, 2))})
    made = [step.shape for step in program.steps if step.allocates]
    assert made == [(70,), (50, 70)]


def test_symbolic_sizes_are_read_from_the_arguments() -> None:
    y = b.input("y", ("n", "k", "m"))
    node = einsum("nkm,nkm->n")(y, y)
    lines = lines_of({"out": node})
    assert "k = y.shape[1]" in lines
    assert "m = y.shape[2]" in lines
    assert describe_graph({"out": node}).user_names() >= {"n", "k", "m"}
