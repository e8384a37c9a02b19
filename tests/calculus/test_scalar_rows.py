"""Every row of the scalar table is proven: its partials are what sympy.diff makes of its form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy

from symdiff.calculus.derivatives import partial
from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.scalars import SCALARS
from tests.calculus.cases import CASES

NAMES = ("x", "y", "z")
KINKED = {"relu", "abs", "sign", "maximum", "minimum", "where", "lt", "le", "gt", "ge", "eq", "ne"}
POINTS = [
    (sympy.Rational(2, 3), sympy.Rational(5, 4)),
    (sympy.Rational(6, 7), sympy.Rational(1, 5)),
]


def _exact(value: float) -> Any:
    """A constant of the table as the number that was meant."""
    if abs(value) == 2.0 / math.sqrt(math.pi):
        return sympy.sign(value) * 2 / sympy.sqrt(sympy.pi)
    return sympy.Rational(value)


def _to_sympy(root: Node, leaves: dict[Node, Any]) -> Any:
    done: dict[Node, Any] = dict(leaves)
    for node in toposort([root]):
        if node in done:
            continue
        inputs = [done[x] for x in node.inputs]
        if node.op == "constant":
            done[node] = _exact(float(node.value))
        elif node.op == "add":
            pairs = zip(node.attr("coefficients"), inputs, strict=True)
            done[node] = _exact(node.attr("constant")) + sum(_exact(c) * x for c, x in pairs)
        elif node.op == "mul":
            pairs = zip(inputs, node.attr("exponents"), strict=True)
            factors = [x ** _exact(e) for x, e in pairs]
            done[node] = sympy.prod([_exact(node.attr("coefficient")), *factors])
        elif node.op == "cast":
            (truth,) = inputs
            done[node] = sympy.Piecewise((1, truth), (0, True))
        else:
            done[node] = SCALARS[node.op].sympy(sympy, *inputs)
    return done[root]


def _inputs(name: str) -> tuple[list[Node], list[Any]]:
    count = SCALARS[name].arity
    nodes = [b.input(n) for n in NAMES[:count]]
    assume = {"real": True} if name in KINKED else {"positive": True}
    symbols = [sympy.Symbol(n, **assume) for n in NAMES[:count]]
    if name == "where":
        nodes[0] = nodes[1] > nodes[2]
        symbols[0] = symbols[1] > symbols[2]
    return nodes, symbols


def _arguments(name: str) -> list[tuple[str, int]]:
    return [(name, i) for i in range(SCALARS[name].arity) if not (name == "where" and i == 0)]


ROWS = [row for name in SCALARS for row in _arguments(name)]


@pytest.mark.parametrize(("name", "i"), ROWS)
def test_a_partial_is_the_derivative_of_the_sympy_form(name: str, i: int) -> None:
    nodes, symbols = _inputs(name)
    form = SCALARS[name].sympy(sympy, *symbols)
    found = partial(scalar(name, *nodes), i)
    leaves = dict(zip(nodes, symbols, strict=True))
    ours = sympy.Integer(0) if found is None else _to_sympy(found, leaves)
    if name in KINKED:
        _assert_equal_off_the_kinks(name, form, ours, symbols, i)
    else:
        assert sympy.simplify((sympy.diff(form, symbols[i]) - ours).rewrite(sympy.exp)) == 0


def _assert_equal_off_the_kinks(name: str, form: Any, ours: Any, symbols: Any, i: int) -> None:
    """Piecewise, a row is the function that its form is around the point."""
    free = [s for s in symbols if s.is_Symbol]
    for point in POINTS:
        for sign in (1, -1):
            at = {s: sign * p for s, p in zip(free, point, strict=False)}
            h = sympy.Rational(1, 1000)  # the rows are linear, so that any step is exact
            ahead = _at(form, {**at, symbols[i]: at[symbols[i]] + h})
            behind = _at(form, {**at, symbols[i]: at[symbols[i]] - h})
            assert _at(ours, at) == (ahead - behind) / (2 * h)


def _at(form: Any, at: dict[Any, Any]) -> Any:
    value = form.subs(at)
    return sympy.Integer(bool(value)) if value in (sympy.true, sympy.false) else value


@pytest.mark.parametrize("name", sorted(SCALARS))
def test_the_numeric_meaning_is_the_sympy_form(name: str) -> None:
    case = next(case for case in CASES if case.op == name)
    nodes, symbols = _inputs(name)
    form = SCALARS[name].sympy(sympy, *symbols)
    free = [n for n in NAMES[: SCALARS[name].arity] if not (name == "where" and n == "x")]
    for row in range(3):
        arrays = list(case.values().values())[-len(free) :]
        at = {n: float(np.asarray(v).flat[row]) for n, v in zip(free, arrays, strict=True)}
        theirs = _at(form, {s: at[s.name] for s in form.free_symbols})
        ours = evaluate(scalar(name, *nodes), at)
        assert float(ours) == pytest.approx(float(theirs), rel=1e-14, abs=1e-15)
