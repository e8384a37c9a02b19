"""Nodes as SymPy expressions and back: the same values, and nothing read from text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.inspect import sympy_kernels
from symdiff.inspect.sympy_form import from_sympy, to_sympy
from tests.calculus.cases import CASES, Case

x, y = b.input("x"), b.input("y")


def test_every_operation_has_a_form() -> None:
    assert set(sympy_kernels.KERNELS) == set(OPS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_operation_means_the_same_in_sympy(case: Case) -> None:
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {
        f"x{i}": rng.integers(0, leaf.n, leaf.shape)
        if leaf.n
        else np.round(rng.uniform(leaf.lo, leaf.hi, leaf.shape), 3)
        for i, leaf in enumerate(case.leaves)
    }
    node = case.build(*case.nodes())
    found = np.asarray(_numbers(to_sympy(node), values))
    np.testing.assert_allclose(found, evaluate(node, values), rtol=1e-9, atol=1e-9)


def _numbers(expression: Any, values: dict[str, Any]) -> Any:
    if isinstance(expression, (sympy.MatrixBase, sympy.NDimArray)):
        flat = [_numbers(part, values) for part in expression]
        return np.reshape(flat, expression.shape)
    known = {
        symbol: values[str(getattr(symbol, "base", symbol))][
            tuple(int(i) for i in getattr(symbol, "indices", ()))
        ]
        for symbol in expression.atoms(sympy.Symbol, sympy.Indexed)
        if str(getattr(symbol, "base", symbol)) in values
        and np.ndim(values[str(getattr(symbol, "base", symbol))])
        == len(getattr(symbol, "indices", ()))
    }
    result = expression.subs(known)
    return float(result.evalf(30)) if result not in (sympy.true, sympy.false) else bool(result)


def test_scalars_become_real_symbols() -> None:
    found = to_sympy(x * b.sin(y))
    assert found == sympy.Symbol("x", real=True) * sympy.sin(sympy.Symbol("y", real=True))


def test_facts_become_assumptions() -> None:
    assert to_sympy(b.input("p", positive=True)).is_positive


def test_a_matrix_becomes_a_matrix() -> None:
    A, v = b.input("A", (2, 2)), b.input("v", (2,))
    assert to_sympy(A.T) == to_sympy(A).T
    assert to_sympy(v).shape == (2,)


def test_labels_select_by_kronecker_deltas() -> None:
    z, k = b.input("z", (2,)), b.input("k", (), "int64", labels=2)
    i = sympy.Symbol("k", integer=True, nonnegative=True)
    picked = to_sympy(z[k]).subs(i, 1)
    assert str(picked) == "z[1]"


def test_a_shape_that_is_not_fixed_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"to_sympy: X of shape \(batch,\)"):
        to_sympy(b.sum(b.input("X", ("batch",))))


def test_our_derivative_is_sympys() -> None:
    f = b.exp(-x * x) * b.tanh(x * y) / (1 + x**2)
    ours = to_sympy(grad(f, x))
    theirs = sympy.diff(to_sympy(f), sympy.Symbol("x", real=True))
    assert sympy.simplify(ours - theirs) == 0


NODES = [
    x + 2 * y - 1,
    x / y,
    b.sqrt(x) * y**-3,
    b.exp(-x) * b.sin(y) + b.tanh(x * y),
    b.log(x) * b.arctan(y),
    b.maximum(x, y) - b.minimum(x, 0.25),
    b.where(x > y, x * x, b.abs(y)),
    x**y,
    b.sigmoid(x),
    b.erf(x) + 1 / 3,
]


@pytest.mark.parametrize("node", NODES)
def test_there_and_back(node: Node) -> None:
    back = from_sympy(to_sympy(node))
    for point in ({"x": 0.7, "y": 0.3}, {"x": 0.2, "y": 1.9}):
        np.testing.assert_allclose(evaluate(back, point), evaluate(node, point), rtol=1e-12)


def test_symbols_become_the_given_leaves() -> None:
    X = b.input("x", (3,))
    assert from_sympy(2 * sympy.Symbol("x"), {"x": X}) is 2 * X


def test_constants_of_sympy() -> None:
    assert float(evaluate(from_sympy(sympy.pi * sympy.E), {})) == pytest.approx(np.pi * np.e)


@pytest.mark.parametrize("text", ["x + 1", "__import__('os')"])
def test_text_is_never_read(text: str) -> None:
    with pytest.raises(TypeError, match="text is not read"):
        from_sympy(text)  # type: ignore[arg-type]


def test_what_has_no_node_is_named() -> None:
    with pytest.raises(TypeError, match="gamma"):
        from_sympy(sympy.gamma(sympy.Symbol("x")))
