"""Every operation: the emitted module computes what the interpreter computes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from codegen.lowering import LOWERINGS
from codegen.numpy_table import PRINTERS
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.ops import OPS
from tests.calculus.cases import CASES, Case
from tests.codegen.models import run_graph
from tests.strategies import SIZES, Graph, graphs


def test_the_table_of_lowerings_covers_every_operation() -> None:
    assert set(LOWERINGS) == set(OPS)


def test_the_cases_cover_every_operation_with_inputs() -> None:
    assert {name for name, op in OPS.items() if not op.leaf} == {case.op for case in CASES}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_module_computes_what_the_interpreter_does(case: Case, dtype: str) -> None:
    with b.default_dtype(dtype):
        nodes = case.nodes(dtype)
        y = case.build(*nodes)
        roots = {"y": y}
        if y.dtype == dtype:
            floats = case.floats(nodes)
            roots |= {f"d{i}": g for i, g in enumerate(gradients((y * y).sum(), floats))}
    values = {
        name: v.astype(dtype) if v.dtype.kind == "f" else v for name, v in case.values().items()
    }
    expected = evaluate(roots, values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = run_graph(roots, values, dtype)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    for name, array in expected.items():
        assert got[name].dtype == roots[name].dtype, name
        assert got[name].shape == array.shape, name
        np.testing.assert_allclose(got[name], array, rtol=tolerance, atol=tolerance)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(graphs())
def test_random_graphs_and_their_gradients(graph: Graph) -> None:
    roots = {"root": graph.root, "inner": graph.inner}
    grads = gradients(graph.root, graph.leaves)
    roots |= {f"d_{name}": g for name, g in zip(graph.names, grads, strict=True)}
    expected = evaluate(roots, graph.values, SIZES)
    got = run_graph(roots, graph.values, more_leaves=graph.leaves)
    for name, array in expected.items():
        assert got[name].shape == array.shape, name
        np.testing.assert_allclose(got[name], array, rtol=1e-9, atol=1e-9)


def test_every_printer_is_used_by_some_lowering_or_operation() -> None:
    made = {"strong", "copy", "eye", "full", "index", "transpose", "broadcast", "diagonal"}
    made |= {"matmul", "tensordot", "vecdot", "vdot", "outer", "sum", "number", "sigmoid_slope"}
    made |= {"mean", "clip", "finite_peak", "softplus_brief", "columns", "pooled"}
    made |= {"hypot_reduce", "divide_or_zero"}
    made |= {"call", "asked", "entry"}
    assert set(PRINTERS) <= made | set(OPS)
