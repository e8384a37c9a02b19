"""Axes in memory: what is done to transposed products is done as they lie, and says the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from codegen.building import build_program
from codegen.operations import single_calls
from codegen.program import Program
from symdiff.calculus.reverse import gradients
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.nn.convolution import conv2d
from symdiff.nn.pooling import max_pool2d
from symdiff.simplify import simplify
from tests.benchmarks.workloads import WORKLOADS
from tests.codegen.models import run_graph

RNG = np.random.default_rng(0)
A, B = b.input("A", (4, 6, 5)), b.input("B", (5, 3))
c, whole = b.input("c", (4,)), b.input("whole", (4, 3, 6))
VALUES: dict[Any, Any] = {
    "A": RNG.normal(size=(4, 6, 5)),
    "B": RNG.normal(size=(5, 3)),
    "c": RNG.normal(size=4),
    "whole": RNG.normal(size=(4, 3, 6)),
    "image": RNG.normal(size=(2, 3, 8, 6)),
    "kernel": RNG.normal(size=(4, 3, 3, 2)),
}
product = b.transpose(A @ B, (0, 2, 1))  # (4, 3, 6)

#: What is done to a transposed product.
DONE: dict[str, Callable[[Node], Node]] = {
    "functions": lambda x: b.tanh(b.relu(x)) * x + 1,
    "a vector along the first axis": lambda x: b.relu(x + b.expand_dims(c, (1, 2))),
    "a vector along the last": lambda x: b.exp(x) * b.input("whole", (4, 3, 6))[0, 0],
    "another array": lambda x: b.sin(x) * whole - whole,
    "its largest": lambda x: b.exp(x - b.expand_dims(b.max(x, 1), (1,))),
    "sums": lambda x: b.relu(x).sum(0) + b.relu(x).sum((0, 1)),
    "a split axis": lambda x: b.max(b.reshape(b.sin(x), (4, 3, 3, 2)), 3),
    "merged axes": lambda x: b.reshape(b.relu(x), (12, 6)) @ b.ones((6, 2)),
    "split and merged": lambda x: b.exp(b.reshape(b.reshape(x, (4, 3, 3, 2)), (4, 3, 6))),
    "new axes": lambda x: b.expand_dims(b.relu(x), (1, 3)) * b.expand_dims(whole, (1, 3)),
    "a choice": lambda x: b.where(x > 0, whole, 0.0) + b.where(whole > 0, x, 0.0),
    "other orders beside it": lambda x: b.relu(x) * b.transpose(b.sin(A @ B), (0, 2, 1)),
}


@pytest.mark.parametrize("name", DONE)
def test_values_stay(name: str) -> None:
    node = DONE[name](product)
    outputs = {"y": node}
    np.testing.assert_allclose(
        run_graph(outputs, VALUES)["y"], evaluate(node, VALUES), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_windows_of_any_layout(order: tuple[int, ...]) -> None:
    """Convolution, bias, relu, pooling and their gradients, of images stored in any order."""
    image, kernel = b.input("image", (2, 3, 8, 6)), b.input("kernel", (4, 3, 3, 2))
    shuffled = b.transpose(b.sin(b.transpose(image, order)), np.argsort(order).tolist())
    y = max_pool2d(b.relu(conv2d(shuffled, kernel) + b.expand_dims(c, (1, 2))), 2)
    y = conv2d(y, b.expand_dims(kernel[:, :, 0, 0].T, (2, 3)), padding=1, stride=2)
    loss = (y * y).sum()
    nodes = simplify([loss, *gradients(loss, [image, kernel, c])]).roots
    outputs = {f"y{i}": node for i, node in enumerate(nodes)}
    got = run_graph(outputs, VALUES)
    for key, node in outputs.items():
        np.testing.assert_allclose(got[key], evaluate(node, VALUES), rtol=1e-10, atol=1e-12)


def transposes(program: Program) -> int:
    return sum(step.action == "transpose" for step in program.steps)


def test_the_transpose_comes_last() -> None:
    program = single_calls(build_program({"y": b.tanh(b.relu(product) + 1)}))
    assert program.steps[program.results["y"]].action == "transpose"
    assert transposes(program) == 1


def test_a_network_of_images_is_computed_with_channels_last() -> None:
    spec = next(w for w in WORKLOADS if w.name == "W9").spec
    source = compile_spec(spec, ["backward"]).source
    kernel = next(
        n
        for n in ast.parse(source).body
        if isinstance(n, ast.FunctionDef) and n.name == "_backward"
    )
    text = ast.get_source_segment(source, kernel) or ""
    for line in ("a1 += c1", "np.maximum(a1, _0, out=a1)", "a2 += c2"):
        assert f"    {line}\n" in text
    assert "p1 = _pooled_max(t2, axes=(2, 4), out=" in text
    assert "# a1 = relu(conv2d(x, K1) + reshape(c1, (8, 1, 1))), its axes in another order" in text


def windows_of(image: Node) -> tuple[Node, Node]:
    """Two functions of a convolution, each as windows of two by two."""
    kernel = b.input("square", (4, 3, 3, 3))
    y = conv2d(image, kernel)
    first, second = (b.reshape(f(y), (2, 4, 3, 2, 2, 2)) for f in (b.tanh, b.sin))
    return first, second


def test_windows_that_lie_alike_are_multiplied_where_they_lie() -> None:
    """Their dot products copy neither into rows."""
    image = b.input("image", (2, 3, 8, 6))
    first, second = windows_of(image)
    node = b.einsum("bcipjq,bcipjq->bcij", first, second)
    program = single_calls(build_program({"y": node}))
    called = [s.detail("function") for s in program.steps if s.action == "call"]
    assert "vecdot" not in called
    assert "_pooled_sum" in called
    assert [s.shape for s in program.steps if program.copies(s.dest)] == []
    values = {**VALUES, "square": RNG.normal(size=(4, 3, 3, 3))}
    got = run_graph({"y": node}, values)["y"]
    np.testing.assert_allclose(got, evaluate(node, values), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "equation", ["bcipjq,bcipjq->bcpq", "bcipjq,bcjqip->bc", "bcipjq,bcipjq->"]
)
def test_windows_that_do_not_are_multiplied_as_before(equation: str) -> None:
    image = b.input("image", (2, 3, 8, 6))
    first, second = windows_of(image)
    if "jqip" in equation:
        second = b.transpose(second, (0, 1, 4, 5, 2, 3))
    node = b.einsum(equation, first, second)
    values = {**VALUES, "square": RNG.normal(size=(4, 3, 3, 3))}
    got = run_graph({"y": node}, values)["y"]
    np.testing.assert_allclose(got, evaluate(node, values), rtol=1e-12, atol=1e-14)


def test_windows_that_are_summed_before_they_are_added_up_lie_as_one_would() -> None:
    """In second derivatives: two products, their sum, and the windows' places added up."""
    spec = next(w for w in WORKLOADS if w.name == "W9").spec
    source = compile_spec(spec, ["hvp"]).source
    kernel = source[source.index("def _hvp(") :].split("\n\n\n")[0]
    places_first = r"_overlap_add\(\s*product_\d+\.transpose\(0, 3, 4, 5, 1, 2\), axes=\(1, 2\)"
    assert len(re.findall(places_first, kernel)) == 1
    assert kernel.count("_overlap_add(") == 1
