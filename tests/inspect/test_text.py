"""How expressions read as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.expr.scan import scan
from symdiff.inspect.naming import lines
from symdiff.inspect.operations import OPERATIONS
from symdiff.inspect.show import show, to_latex, to_text
from symdiff.inspect.text import number_text
from tests.calculus.cases import CASES, Case
from tests.inspect.reading import read

A, B = b.input("A", (3, 4)), b.input("B", (3, 4))
r, s = b.input("r", (3,)), b.input("s", (4,))
c, x, y = b.input("c"), b.input("x"), b.input("y")
n = b.size_node("batch", "float64")


def test_every_operation_has_a_form() -> None:
    assert set(OPERATIONS) == set(OPS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_operation_prints(case: Case) -> None:
    printed = to_text({"result": case.build(*case.nodes())})
    assert "result = " in printed
    assert "x0" in printed or not case.leaves


@pytest.mark.parametrize(
    ("node", "printed"),
    [
        (x - y, "x − y"),
        (y - x, "y − x"),
        (-x, "−x"),
        (-x - y - 1, "−x − y − 1"),
        (1 - x * x, "1 − x²"),
        (x * x + 1, "x² + 1"),
        (c + x * y + 0.5 * y, "x y + 0.5 y + c"),
        (x - (y - c), "c + x − y"),
        (x - 2 * (y - c), "x − 2 (y − c)"),
        (x / (y * n), "x / (batch y)"),
        ((x - y) / n, "(x − y) / batch"),
        (5 * b.cos(5 * b.exp(x)) * b.exp(x), "5 cos(5 exp(x)) exp(x)"),
        (x / 3, "x / 3"),
        (x / 3 + 1 / 7, "x / 3 + 1 / 7"),
        (0.0001 * x, "0.0001 x"),
        ((0.1 + 0.2) * x, "0.3 x"),
        (b.sqrt(x), "sqrt(x)"),
        (1 / b.sqrt(x), "1 / sqrt(x)"),
        (x**12, "x¹²"),
        (x**-2, "1 / x²"),
        (x**y, "x^y"),
        (x ** (y + 1), "x^(y + 1)"),
        (b.sigmoid(-x), "σ(−x)"),
        (b.abs(x - y), "|x − y|"),
        (b.abs(x - b.abs(y)), "abs(x − |y|)"),
        (b.where(x > y, x, -y), "where(x > y, x, −y)"),
        (x * (x >= 0), "[x ≥ 0] x"),
        (A * B, "A ⊙ B"),
        (2 * A * B, "2 A ⊙ B"),
        (A / B, "A / B"),
        (A * s, "A ⊙ s"),
        (A * b.expand_dims(r, 1), "diag(r) A"),
        (A - b.expand_dims(r, 1), "A − r[:, None]"),
        (b.expand_dims(r, 1) * s, "r sᵀ"),
        (c * A, "c A"),
        (A * (A @ B.T @ B), "A ⊙ (A Bᵀ B)"),
        (b.softmax(A), "softmax(A)"),
        (b.softmax(A, axis=0), "softmax(A, axis=0)"),
        (b.max(A), "max(A)"),
        (b.max(A, axis=1), "max(A, axis=1)"),
        (A[0], "A[0, :]"),
        (A[1:, ::2], "A[1:, ::2]"),
        (A[:, ::-1], "flip(A, axis=1)"),
        (b.eye(3), "I"),
        (b.zeros((3, 4)), "zeros((3, 4))"),
        (b.ones(("n", 4)), "ones((n, 4))"),
        (b.constant([1.0, 2.5]) * b.input("v", (2,)), "v ⊙ [1, 2.5]"),
    ],
)
def test_expressions_read_as_a_person_writes_them(node: Node, printed: str) -> None:
    assert show(node) == printed


def test_labels_print_as_selections() -> None:
    Z, k = b.input("Z", ("batch", 5)), b.input("k", ("batch",), "int64", labels=5)
    E, ids = b.input("E", (9, 2)), b.input("ids", ("n",), "int64", labels=9)
    assert show(Z[b.arange("batch"), k]) == "Z[arange(batch), k]"
    assert show(E[ids]) == "E[ids]"
    assert show(b.one_hot(k, 5)) == "one_hot(k)"


@pytest.mark.parametrize(
    ("value", "printed"),
    [(1.0, "1"), (0.5, "0.5"), (1e-5, "1e-5"), (1e20, "1e20"), (0.1, "0.1"), (1 / 3, repr(1 / 3))],
)
def test_numbers_print_in_their_shortest_form(value: float, printed: str) -> None:
    assert number_text(value) == printed


ROW = b.input("R", (1, 4))
ATOMS = (A, B, ROW, r[:, None], s, c, A @ B.T @ B, b.exp(A), b.where(A > B, A, 0.5), A - B)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from((1, 2, -1, 0.5))), min_size=1),
    st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from((1.0, -1.0, 2.0, -0.3)))),
)
def test_what_is_printed_is_what_is_computed(
    factors: list[tuple[Node, float]], terms: list[tuple[Node, float]]
) -> None:
    node: Node = b.constant(1.5)
    for factor, e in factors:
        node = node * (b.abs(factor) ** e if e == 0.5 else factor**e)
    for term, k in terms:
        node = node + k * term
    rng = np.random.default_rng(0)
    have = {v.attr("name"): rng.uniform(0.5, 1.5, size=v.shape) for v in (A, B, ROW, r, s, c)}
    expected = evaluate(node, dict(have))
    for line in lines({"result": node}):
        have[getattr(line.label, "text", "")] = read(line.doc, have)
    np.testing.assert_allclose(np.broadcast_to(have["result"], expected.shape), expected, 1e-7)


def test_loops_are_recurrences() -> None:
    z, U = b.input("z", ("steps", 3)), b.parameter("U", (3, 3))
    last, states = scan(lambda h, x: ((n := b.tanh(x + h @ U)), n), b.zeros((3,)), z + 1)
    assert to_text({"y": last, "J": b.sum(states**2)}).splitlines() == [
        "h[−1] = zeros((3,))",
        "h[t] = tanh((z + 1)[t] + Uᵀ h[t − 1])",
        "y = last(h)",
        "J = ‖h‖²",
    ]


def test_what_is_read_of_a_loop_has_names_that_nothing_else_has() -> None:
    h, w = b.input("h", ("steps",)), b.input("t1")
    step = lambda h, x: (b.exp(x * h) + w, (h, b.exp(x * h)))  # noqa: E731
    last, (before, inner) = scan(step, 1.0, h, reverse=True)
    assert to_text({"y": last + b.sum(before * inner)}).splitlines() == [
        "h2[steps] = 1",
        "exp[t] = exp(h2[t + 1] h[t])",
        "h2[t] = exp[t] + t1",
        "y = last(h2) + Σ(exp ⊙ before(h2))",
    ]
    begin, goes_on, y = to_latex({"y": last}).splitlines()[1:-1]
    assert begin == r"h_{2}\left[\mathrm{steps}\right] &= 1 \\"
    assert r"h_{2}\left[t + 1\right] \, h\left[t\right]" in goes_on
    assert y == r"y &= \operatorname{last}\left(h_{2}\right)"
