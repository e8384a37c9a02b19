"""LaTeX shares the layout with text; here is what is its own."""

from __future__ import annotations

import pytest

from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.inspect.latex import name_latex
from symdiff.inspect.layout import Partial
from symdiff.inspect.show import to_latex
from tests.calculus.cases import CASES, Case

A, B = b.input("A", (3, 3)), b.input("B", (3, 3))
x, n = b.input("x"), b.size_node("batch", "float64")


def body(node: Node) -> str:
    (line,) = [part for part in to_latex({"r": node}).splitlines() if part.startswith("r &= ")]
    return line.removeprefix("r &= ")


@pytest.mark.parametrize(
    ("node", "printed"),
    [
        (A.T @ (A - B) / n, r"\frac{A^{\top} \, \left(A - B\right)}{\mathrm{batch}}"),
        (A * (A @ B), r"A \odot \left(A \, B\right)"),
        (b.sum(A * A), r"\left\lVert A \right\rVert^{2}"),
        (b.sigmoid(x), r"\sigma\left(x\right)"),
        (1e-5 * x, r"10^{-5} \, x"),
        (2.5e-7 * x, r"2.5 \cdot 10^{-7} \, x"),
        (x**-0.5, r"\frac{1}{\sqrt{x}}"),
        (1 / x + x, r"\frac{1}{x} + x"),
        (x * (x > 0), r"\left[x > 0\right] \, x"),
        (b.sum(b.input("X", ("batch", 3)), axis=0), r"\sum_{\text{batch}} X"),
        (
            b.einsum("ijk,ljk->il", b.input("t3", (2, 3, 4)), b.input("W", (5, 3, 4))),
            r"\sum_{kl} {t_{3}}_{ikl} \, W_{jkl}",
        ),
        (b.one_hot(b.input("y", (4,), "int64"), 3), r"\operatorname{one\_hot}\left(y\right)"),
    ],
)
def test_expressions(node: Node, printed: str) -> None:
    assert body(node) == printed


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("x", "x"),
        ("W1", "W_{1}"),
        ("alpha", r"\alpha"),
        ("beta2", r"\beta_{2}"),
        ("hidden", r"\mathrm{hidden}"),
        ("d_h", "d_{h}"),
        ("W_out", r"W_{\mathrm{out}}"),
        ("_x", r"\mathrm{\_x}"),
        ("x_", r"\mathrm{x\_}"),
    ],
)
def test_names(name: str, printed: str) -> None:
    assert name_latex(name) == printed


def test_a_derivative_is_a_fraction() -> None:
    line = to_latex({Partial("J", "W1"): x}).splitlines()[1]
    assert line == r"\frac{\partial J}{\partial W_{1}} &= x"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_brackets_are_balanced(case: Case) -> None:
    printed = to_latex({"r": case.build(*case.nodes())})
    plain = printed.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert printed.count(r"\left") == printed.count(r"\right")
