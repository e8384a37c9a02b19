"""Matrix calculus as a textbook writes it: the printed line, and that it is the derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdiff.derive import derive
from tests.oracles import assert_close

N, M, D, C = 4, 3, 2, 5
SIZES = {"n": N, "m": M, "d": D, "c": C}
SHAPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("xy", ("n",)),
    **dict.fromkeys("bw", ("m",)),
    "A": ("n", "m"),
    "S": ("n", "n"),
    "X": ("n", "m"),
    "Y": ("n", "d"),
    "W": ("m", "d"),
    "U": ("n", "d"),
    "V": ("m", "d"),
    "B": ("m", "n"),
}
LINES: list[tuple[str, str, int, dict[str, str], str]] = [
    ("x @ S @ x", "x", 1, {}, "(S + Sᵀ) x"),
    ("x @ S @ x", "x", 1, {"S": "symmetric"}, "2 S x"),
    ("x @ S @ x", "x", 2, {}, "S + Sᵀ"),
    ("x @ A @ b", "A", 1, {}, "x bᵀ"),
    ("x @ A @ A.T @ x", "x", 1, {}, "2 A Aᵀ x"),
    ("log(x @ S @ x)", "x", 1, {"S": "symmetric"}, "2 S x / (xᵀ S x)"),
    ("sum((A@w - y)**2)", "w", 1, {}, "2 Aᵀ (A w − y)"),
    ("sum((A@w - y)**2)", "A", 1, {}, "2 (A w − y) wᵀ"),
    ("sum((A@w - y)**2)", "w", 2, {}, "2 Aᵀ A"),
    ("mean((A@w - y)**2)", "w", 2, {}, "2 Aᵀ A / n"),
    ("norm(A@w - y)", "w", 1, {}, "Aᵀ (A w − y) / ‖A w − y‖"),
    ("norm(x)", "x", 1, {}, "x / ‖x‖"),
    ("sum(log(1 + exp(-y*(X@w))))", "w", 1, {}, "−Xᵀ (y ⊙ σ(−y ⊙ (X w)))"),
    ("-sum(y*log(sigmoid(X@w)) + (1-y)*log(1-sigmoid(X@w)))", "w", 1, {}, "Xᵀ (σ(X w) − y)"),
    ("sum(softplus(X@w) - y*(X@w))", "w", 2, {}, "Xᵀ diag(σ(X w) ⊙ σ(−X w)) X"),
    ("sum(exp(X@w)) - y@(X@w)", "w", 1, {}, "Xᵀ (exp(X w) − y)"),
    ("sum(exp(X@w)) - y@(X@w)", "w", 2, {}, "Xᵀ diag(exp(X w)) X"),
    ("trace(A @ B)", "A", 1, {}, "Bᵀ"),
    ("trace(X.T @ S @ X)", "X", 1, {}, "(S + Sᵀ) X"),
    ("trace(X @ X.T)", "X", 1, {}, "2 X"),
    ("trace(S)", "S", 1, {}, "I"),
    (
        "-mean(sum(Y*log_softmax(X@W, axis=1), axis=1))",
        "W",
        1,
        {"Y": "one_hot"},
        "Xᵀ (softmax(X W) − Y) / n",
    ),
    ("sum((X - U@V.T)**2)", "U", 1, {}, "2 (U Vᵀ − X) V"),
    ("A @ w", "w", 1, {}, "A"),
    ("A @ w * x", "w", 1, {}, "diag(x) A"),
    ("sigmoid(A @ w)", "w", 1, {}, "diag(σ(A w) ⊙ σ(−A w)) A"),
    ("softmax(x)", "x", 1, {}, "diag(softmax(x)) − softmax(x) softmax(x)ᵀ"),
    ("x / norm(x)", "x", 1, {}, "I / ‖x‖ − x xᵀ / ‖x‖³"),
    ("logsumexp(A @ w)", "w", 1, {}, "Aᵀ softmax(A w)"),
    ("sum(X @ w)", "X", 1, {}, "ones((n,)) wᵀ"),
    ("sum(outer(x, w))", "x", 1, {}, "Σ(w) ones((n,))"),
]


def drawn(name: str, fact: str | None) -> Any:
    """Random data of which the fact is true."""
    rng = np.random.default_rng(len(name) + ord(name[0]))
    shape = [SIZES[size] for size in SHAPES[name]]
    if fact == "one_hot":
        return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    array = rng.normal(size=shape)
    return array @ array.T if fact == "symmetric" else array


@pytest.mark.parametrize(("formula", "wrt", "order", "facts", "line"), LINES)
def test_a_derivative_reads_as_in_a_textbook(
    formula: str, wrt: str, order: int, facts: dict[str, str], line: str
) -> None:
    names = [name for name in SHAPES if name in formula.replace("T", "")]
    shapes = {name: SHAPES[name] for name in names}
    declared = {name: {fact: True} for name, fact in facts.items()}
    d = derive(formula, wrt, shapes, declared, order=order)
    assert d.text.splitlines()[-1].partition(" = ")[2] == line
    arrays = {name: drawn(name, facts.get(name)) for name in d.inputs}
    below = d if order == 1 else derive(formula, wrt, shapes, declared)
    function = below.value if order == 1 else below.derivative
    rows = []
    for place in np.ndindex(arrays[wrt].shape):
        step = np.zeros(arrays[wrt].shape)
        step[place] = 1e-5
        ahead = function(**{**arrays, wrt: arrays[wrt] + step})
        behind = function(**{**arrays, wrt: arrays[wrt] - step})
        rows.append((ahead - behind) / 2e-5)
    slopes = np.moveaxis(np.array(rows), 0, -1)
    got = d.derivative(**arrays, check_facts=True)
    assert_close(got, slopes.reshape(np.shape(got)), 1e-6)


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        ("trace(X.T @ S @ X)", "trace(Xᵀ S X)"),
        ("sum((X - U@V.T)**2)", "‖X − U Vᵀ‖²"),
        ("x @ S @ x", "xᵀ S x"),
    ],
)
def test_a_formula_is_shown_in_matrix_notation(formula: str, line: str) -> None:
    shapes = {name: SHAPES[name] for name in SHAPES if name in formula}
    assert derive(formula, "X" if "X" in formula else "x", shapes).text.splitlines()[0] == (
        f"f = {line}"
    )
