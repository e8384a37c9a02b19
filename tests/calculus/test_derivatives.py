"""The derivative table: complete, right to second order, and checked by something that bites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.calculus import derivatives
from symdiff.calculus.batching import BATCHING
from symdiff.calculus.derivatives import ADJOINTS, PARTIALS
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.evaluate import KERNELS, evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.loops import LOOPS
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from tests.calculus.cases import CASES, Case
from tests.oracles import assert_close, autograd_value, check_derivatives, weighted

WITH_INPUTS = {op for op, record in OPS.items() if not record.leaf}
Rows = list[tuple[dict[str, Any], str, int | None]]


def _rows() -> Rows:
    """Every rule of the table: (table, operation, argument; None where one rule serves all)."""
    rows: Rows = []
    for table in (PARTIALS, ADJOINTS):
        for op, entry in table.items():
            arguments = range(len(entry)) if isinstance(entry, tuple) else [None]
            rows += [
                (table, op, i)
                for i in arguments
                if i is None or entry[i] is not None  # type: ignore[index]
            ]
    return rows


def _check(case: Case) -> None:
    nodes = case.nodes()
    check_derivatives(case.build(*nodes), case.floats(nodes), case.values())


def _check_operation(op: str) -> None:
    for case in CASES:
        if case.op == op:
            _check(case)
    if op == "cast":
        _check_widening()


def _check_widening() -> None:
    """float32 is too coarse for finite differences; the derivative of a cast is 1."""
    x = b.input("x", (3,), "float32")
    weights = np.array([0.5, 1.0, 2.0])
    (found,) = gradients(b.sum(b.cast(x, "float64") * b.constant(weights)), x)
    assert found.dtype == "float32"
    assert_close(evaluate(found, {"x": np.ones(3)}), weights, 1e-6)


def test_each_table_covers_every_operation() -> None:
    assert set(KERNELS) == set(OPS)
    assert set(PARTIALS) | set(ADJOINTS) | LOOPS == WITH_INPUTS
    assert not set(PARTIALS) & set(ADJOINTS)
    assert set(BATCHING) | LOOPS == WITH_INPUTS


def test_the_cases_cover_every_operation() -> None:
    assert {case.op for case in CASES} == WITH_INPUTS


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_exercises_its_operation(case: Case) -> None:
    root = case.build(*case.nodes())
    assert any(node.op == case.op for node in toposort([root]))
    assert_close(evaluate(root, case.values()), autograd_value(root, case.values()), 1e-13)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_agree_with_finite_differences_to_second_order(case: Case) -> None:
    _check(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_can_be_differentiated_again_and_again(case: Case) -> None:
    """To third order: the derivatives of a gradient are right to second order."""
    nodes = case.nodes()
    xs = case.floats(nodes)
    for slope in gradients(weighted(case.build(*nodes)), xs):
        check_derivatives(slope, xs, case.values(), first=1e-5, second=1e-4)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_stays_float32(case: Case) -> None:
    nodes = case.nodes("float32")
    values = {k: np.asarray(v, np.float32 if v.dtype.kind == "f" else None)
              for k, v in case.values().items()}  # fmt: skip
    loss = b.sum(b.sin(case.build(*nodes)))
    found = gradients(loss, case.floats(nodes))
    assert {node.dtype for node in found} == {"float32"}
    assert all(node.dtype != "float64" for node in toposort([loss, *found]))
    wide = case.nodes()
    exact = gradients(b.sum(b.sin(case.build(*wide))), case.floats(wide))
    for ours, theirs in zip(evaluate(found, values), evaluate(exact, values), strict=True):
        assert ours.dtype == np.float32
        assert_close(ours, theirs, 1e-4)


def _planted(rule: Callable[..., Node | None], kind: str) -> Callable[..., Node | None]:
    def wrong(*args: Any) -> Node | None:
        right = rule(*args)
        if right is None or kind == "zero":
            return None
        return {"scaled": right * 1.001, "negated": -right, "shifted": right + 0.001}[kind]

    return wrong


@pytest.mark.parametrize("kind", ["scaled", "negated", "shifted", "zero"])
@pytest.mark.parametrize(
    ("table", "op", "argument"),
    _rows(),
    ids=lambda part: "" if isinstance(part, dict) else str(part),
)
def test_a_wrong_derivative_is_caught(
    table: dict[str, Any], op: str, argument: int | None, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = table[op]
    if argument is None:
        planted: Any = _planted(entry, kind)
    else:
        planted = (*entry[:argument], _planted(entry[argument], kind), *entry[argument + 1 :])
    monkeypatch.setitem(table, op, planted)
    with pytest.raises(AssertionError, match="error"):
        _check_operation(op)


def test_widening_passes_the_cotangent_on_in_the_narrow_dtype() -> None:
    _check_widening()


def test_a_partial_of_a_step_is_absent() -> None:
    x = b.input("x", (3,))
    for op in ("sign", "lt", "ge", "eq", "ne"):
        node = scalar(op, x) if op == "sign" else scalar(op, x, 0.5)
        assert derivatives.partial(node, 0) is None


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_prod_is_right_at_zeros_to_second_order(zeros: int) -> None:
    x = b.input("x", (4,))
    value = np.array([2.0, -3.0, 0.5, 1.5])
    value[:zeros] = 0.0
    check_derivatives(b.prod(x), [x], {"x": value})


def test_take_accumulates_duplicates_and_wraps_negative_indices() -> None:
    x, i = b.input("x", (4,)), b.input("i", (5,), "int64")
    found = gradients(b.sum(b.take(x, i)), x)
    picks = np.array([1, 1, -1, 3, 0])
    assert evaluate(found[0], {"x": np.ones(4), "i": picks}).tolist() == [1, 2, 0, 2]


def test_a_constant_negative_index_wraps_in_the_derivative_too() -> None:
    x = b.input("x", (2, 4))
    picked = b.index(x, (b.arange(2), b.constant(np.array([-1, 0]))))
    found = evaluate(gradients(b.sum(picked), x), {"x": np.ones((2, 4))})
    assert found[0].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]


def test_cotangents_keep_each_inputs_dtype() -> None:
    x, y = b.input("x", (3,), "float32"), b.input("y", (3,), "float64")
    found = gradients(b.sum(x * y), [x, y])
    assert [node.dtype for node in found] == ["float32", "float64"]


def test_weights_of_the_checker_differ() -> None:
    """A checker that sums with equal weights is blind to rules that mix elements up."""
    weights = next(n for n in toposort([weighted(b.input("x", (4,)))]) if n.op == "constant")
    assert len(set(weights.value.tolist())) == 4
