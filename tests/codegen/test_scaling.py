"""Where gradients are scaled: once, at the loss; never twice, never at what others read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codegen.description import surroundings
from codegen.functions import function_program
from codegen.operations import single_calls
from codegen.program import Program, build_program
from codegen.scaling import scaled_early
from symdiff.calculus.reverse import gradients
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from tests.codegen.models import run_graph

RESIDUAL = """
name = "deep"
[inputs]
x = { shape = ["batch", 64] }
y = { shape = ["batch", 64] }
[parameters]
W1 = { shape = [64, 64] }
W2 = { shape = [64, 64] }
W3 = { shape = [64, 64] }
[equations]
h1 = "x + tanh(x @ W1)"
h2 = "h1 + tanh(h1 @ W2)"
h3 = "h2 + tanh(h2 @ W3)"
[loss]
per_example = "mean((h3 - y)**2, axis=1)"
"""


def scalings(program: Program) -> int:
    """The arrays that are multiplied or divided by a number of the sizes."""
    return sum(
        step.action == "call"
        and step.detail("function") in ("multiply", "divide")
        and len(step.args) == 2
        and program.steps[step.args[1]].weak
        and program.steps[step.args[1]].action != "number"
        for step in program.steps
    )


def both(outputs: dict[str, Node]) -> tuple[Program, Program]:
    program = single_calls(build_program(outputs))
    return program, scaled_early(program)


def backward(description: Any) -> Program:
    return function_program(surroundings(description), description.functions["backward"])


def test_a_deep_gradient_is_scaled_where_it_begins() -> None:
    assert scalings(backward(compile_spec(RESIDUAL, ["backward"]).description)) == 2


def network(activation: Any) -> tuple[dict[str, Node], dict[str, Any]]:
    x, y = b.input("x", ("batch", 3)), b.input("y", ("batch", 2))
    W, V = b.parameter("W", (3, 4)), b.parameter("V", (4, 2))
    loss = ((activation(x @ W) @ V - y) ** 2).sum(1).mean()
    found = simplify(gradients(loss, [W, V])).roots
    rng = np.random.default_rng(0)
    shapes = {"x": (5, 3), "y": (5, 2), "W": (3, 4), "V": (4, 2)}
    return dict(zip("ab", found, strict=True)), {k: rng.normal(size=s) for k, s in shapes.items()}


@pytest.mark.parametrize(
    "activation", [b.tanh, b.relu, b.sigmoid, lambda x: x, lambda x: x * b.tanh(x)]
)
def test_values_stay(activation: Any) -> None:
    outputs, values = network(activation)
    before, after = both(outputs)
    assert scalings(after) <= scalings(before)
    got = run_graph(outputs, values)
    for key, node in outputs.items():
        wanted = sd_evaluate(node, values)
        np.testing.assert_allclose(got[key], wanted, rtol=1e-12, atol=1e-14)


def sd_evaluate(node: Node, values: dict[str, Any]) -> Any:
    from symdiff.expr.evaluate import evaluate

    return evaluate(node, values)


def test_one_number_on_the_way_to_itself_counts_twice() -> None:
    x, W = b.input("x", (4, 6)), b.input("W", (6, 6))
    first = 0.25 * b.sin(x) @ W
    second = 0.25 * b.relu(first) @ W
    outputs = {"a": second, "c": 0.25 * b.tanh(first) @ W, "d": 0.25 * (first @ W)}
    values = {"x": np.random.default_rng(0).normal(size=(4, 6)), "W": np.eye(6) + 0.5}
    got = run_graph(outputs, values)
    for key, node in outputs.items():
        np.testing.assert_allclose(got[key], sd_evaluate(node, values), rtol=1e-12)


QUOTIENT = """
name = "drawn"
[inputs]
x = { shape = ["batch", 4] }
y = { shape = ["batch", 2], range = [0.0, 1.0] }
e = { shape = ["batch"] }
[parameters]
A = { shape = [4, 2], init = "uniform" }
B = { shape = [2, 4], init = "uniform" }
C = { shape = [2, 2], init = "uniform" }
[equations]
h = "maxout(celu(x) @ (A @ B), 2)"
g = "einsum('bi,ij,bk->bk', h, C, h)"
z = "g / (1 + h**2)"
[loss]
per_example = "e * sum(sigmoid_cross_entropy(z, y), axis=1)"
reduction = "sum"
"""


def test_of_two_factors_one_is_scaled() -> None:
    """Factors 2 of a quotient's second derivative meet in products of both."""
    rng = np.random.default_rng(0)
    x, y, e = rng.normal(size=(3, 4)), rng.uniform(size=(3, 2)), rng.normal(size=3)
    found = []
    for style in ("buffered", "plain"):
        module = compile_spec(QUOTIENT, style=style).module()
        params = module.init(0)
        v = {name: 1 + 0 * p for name, p in params.items()}
        found.append(module.hvp(params, v, x, y, e))
    for name, product in found[1].items():
        np.testing.assert_allclose(found[0][name], product, rtol=1e-9)


def test_what_others_read_is_left_alone() -> None:
    x, g = b.input("x", ("n", 40)), b.input("g", ("n", 40))
    n = b.constant(1.0) * b.ones(("n",)).sum()
    d = g * b.tanh(x)
    outputs = {"a": (x.T @ d) / n, "c": (d.T @ x) / n, "norm": (d * d).sum(1)}
    before, after = both(outputs)
    assert scalings(before) == 2
    assert after is before


def test_nothing_moves_where_it_would_cost_more() -> None:
    x, g = b.input("x", (500, 2)), b.input("g", (500, 3))
    n = b.ones(("m",)).sum()
    d = b.sin(g)
    outputs = {"a": (x.T @ d) / n, "c": (d.sum(0)) / n, "m": b.input("m", ("m",))}
    before, after = both(outputs)
    assert after is before
