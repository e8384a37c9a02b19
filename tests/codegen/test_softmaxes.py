"""Softmaxes of one array share its exponentials; labels are taken off in place."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from codegen.support import kernels
from symdiff.compiler import Compiled, compile_spec
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.codegen.models import run_graph

KERNELS: Any = kernels
SPEC = """
name = "classifier"
output = "z"
[inputs]
x = {{ shape = ["batch", {time}4] }}
y = {{ shape = ["batch"{more}], labels = 5{ignore} }}
[parameters]
W = {{ shape = [4, 5] }}
[equations]
z = "x @ W"
[loss]
per_example = "{loss}"
"""
FLAT = "softmax_cross_entropy(z, y)"
OVER_TIME = "sum(softmax_cross_entropy(z, y), axis=1)"


def compiled(loss: str = FLAT, time: str = "", ignore: str = "") -> Compiled:
    more = ", 3" if time else ""
    return compile_spec(SPEC.format(loss=loss, time=time, more=more, ignore=ignore))


def kernel(found: Compiled, function: str) -> str:
    body = ast.parse(found.source).body
    node = next(n for n in body if isinstance(n, ast.FunctionDef) and n.name == f"_{function}")
    text = ast.get_source_segment(found.source, node)
    assert text is not None
    return text


@pytest.mark.parametrize(("loss", "time"), [(FLAT, ""), (OVER_TIME, "3, ")])
@pytest.mark.parametrize("function", ["backward", "backward_with_norms", "clipped_backward"])
def test_loss_and_gradient_share_their_exponentials(loss: str, time: str, function: str) -> None:
    text = kernel(compiled(loss, time), function)
    assert text.count("np.exp(") == 1
    assert text.count("_peak(") == 1
    assert text.count("np.log(") == 1
    assert "softmax" not in text
    assert "_one_hot(y" not in text


def test_the_loss_takes_the_logarithm_of_sums_only() -> None:
    text = kernel(compiled(), "loss")
    assert "np.log(total" in text
    assert "log_soft" not in text


@pytest.mark.parametrize(("loss", "time"), [(FLAT, ""), (OVER_TIME, "3, ")])
def test_derivatives_are_right(loss: str, time: str) -> None:
    assert compiled(loss, time).check() == 0


def test_labels_that_may_be_none_stay_an_array() -> None:
    text = kernel(compiled(ignore=", ignore = -1"), "backward")
    assert "_less_one_hot" not in text


def members(x: Node, axes: int | tuple[int, ...]) -> dict[str, Node]:
    return {
        "soft": b.softmax(x, axes),
        "log": b.log_softmax(x, axes),
        "sum": b.logsumexp(x, axes),
    }


@pytest.mark.parametrize("axis", [-1, 0, 1, (0, 2)])
@pytest.mark.parametrize("scale", [1.0, 1e3, 1e-3])
def test_all_of_the_family_together(axis: int | tuple[int, ...], scale: float) -> None:
    x = b.input("x", (4, 3, 5))
    outputs = members(x, axis)
    values: dict[Any, Any] = {"x": scale * np.random.default_rng(0).normal(size=(4, 3, 5))}
    got = run_graph(outputs, values)
    for name, node in outputs.items():
        np.testing.assert_allclose(got[name], evaluate(node, values), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("width", [1, 2, 10, 32, 33, 100])
def test_the_largest_of_each_row(width: int) -> None:
    x = np.random.default_rng(0).normal(size=(7, 3, width))
    x[0, 0] = -np.inf
    found = KERNELS._largest(x, -1)
    assert found.shape == (7, 3, 1)
    np.testing.assert_array_equal(found[1:], x[1:].max(axis=-1, keepdims=True))
    assert found[0, 0, 0] == np.finfo(float).min
    assert np.isnan(KERNELS._largest(np.array([[1.0, np.nan]]), -1)).all()


def test_nothing_is_as_large_as_can_be() -> None:
    assert KERNELS._largest(np.zeros((0, 3)), -1).shape == (0, 1)
    assert KERNELS._largest(np.zeros((2, 0)), -1).shape == (2, 1)
    for function in (KERNELS._softmax_into, KERNELS._log_softmax_into):
        assert function(np.zeros((0, 3)), -1, out=np.empty((0, 3))).shape == (0, 3)


def test_one_is_taken_off_each_row() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    index = np.array([[0, 3, 1], [2, 2, 0]])
    expected = x - (index[..., None] == np.arange(4))
    np.testing.assert_array_equal(KERNELS._less_one_hot(x, index), expected)
    np.testing.assert_array_equal(KERNELS._less_one_hot(x, index, out=np.empty_like(x)), expected)
    assert KERNELS._less_one_hot(x, index, out=x) is x
    np.testing.assert_array_equal(x, expected)
