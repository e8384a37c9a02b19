"""Where gradients are scaled: once, at the loss; never twice, never at what others read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codegen import multiples
from codegen.builder import Builder
from codegen.building import build_program
from codegen.description import surroundings
from codegen.functions import function_program
from codegen.multiples import number_of, numbers_joined
from codegen.operations import single_calls
from codegen.program import Program, Step
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


def is_scaled(program: Program, step: Step) -> bool:
    """Whether the step multiplies an array by a number."""
    return step.dest in multiples.scalings(program)


def simplified(outputs: dict[str, Node]) -> dict[str, Node]:
    return dict(zip(outputs, simplify(list(outputs.values())).roots, strict=True))


def scaled_twice(x: Node) -> Program:
    """6 x, divided by 2 n in a call of its own."""
    builder = Builder("float64")
    leaf = builder.emit("leaf", shape=x.shape, dtype=x.dtype, node=x)
    size = builder.emit("size", shape=(), dtype="float64", weak=True, size="n")
    by = {"exponents": (1.0,), "coefficient": 2.0}
    twice = builder.emit("mul", [size], shape=(), dtype="float64", weak=True, **by)
    details: dict[str, Any] = {"shape": x.shape, "dtype": x.dtype, "elementwise": True}
    six = builder.number(6.0, "float64")
    first = builder.emit("call", [leaf, six], function="multiply", **details)
    last = builder.emit("call", [first, twice], function="divide", **details)
    return Program(tuple(builder.steps), {"y": last}, {}, ())


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
    assert scalings(backward(compile_spec(RESIDUAL, ["backward"]).description)) == 1


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


def test_what_others_read_stays_as_it_is() -> None:
    """It is scaled beside, once for all that the number may go into."""
    x, g = b.input("x", ("n", 40)), b.input("g", ("n", 40))
    n = b.constant(1.0) * b.ones(("n",)).sum()
    d = g * b.tanh(x)
    outputs = {"a": (x.T @ d) / n, "c": (d.T @ x) / n, "other": b.exp(d).sum(1)}
    before, after = both(outputs)
    assert (scalings(before), scalings(after)) == (2, 1)
    assert_values_stay(outputs, x=(5, 40), g=(5, 40))


def test_nothing_enters_where_that_costs_more() -> None:
    x, g = b.input("x", ("n", 4)), b.input("g", ("n", 4))
    n = b.constant(1.0) * b.ones(("n",)).sum()
    d = g * b.tanh(x)
    outputs = {"a": (x.T @ d) / n, "other": b.exp(d).sum(1), "e": d.sum(0) / n * 2}
    before, after = both(outputs)
    assert after is before


def assert_values_stay(outputs: dict[str, Node], **shapes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    got = run_graph(outputs, values)
    for key, node in outputs.items():
        np.testing.assert_allclose(got[key], sd_evaluate(node, values), rtol=1e-12, atol=1e-12)


def test_squares_of_what_is_scaled_are_divided_again() -> None:
    """The batch's mean stands in the cotangent; what adds its squares up takes it out again."""
    x, g, w = b.input("x", ("n", 400)), b.input("g", ("n", 40)), b.input("w", (40, 40))
    n = b.constant(1.0) * b.ones(("n",)).sum()
    first = g * b.tanh(g)
    second = (first @ w) * b.sin(g)
    norms = [(d * d).sum(1) for d in (first, second)]
    outputs = {"a": (x.T @ first) / n, "c": (x.T @ second) / n, "s": norms[0], "t": norms[1]}
    before, after = both(outputs)
    assert (scalings(before), scalings(after)) == (2, 1)
    wide = [step for step in after.steps if step.action == "call" and step.shape == (400, 40)]
    assert [step.detail("function") for step in wide] == ["dot", "dot"]
    assert_values_stay(outputs, x=(5, 400), g=(5, 40), w=(40, 40))


def test_grams_of_what_is_scaled_are_divided_where_they_are_least() -> None:
    x, g = b.input("x", ("n", 6, 300)), b.input("g", ("n", 6, 200))
    n = b.constant(1.0) * b.ones(("n",)).sum()
    d = g * b.tanh(g)
    gram = (d @ d.swapaxes(1, 2)) * (x @ x.swapaxes(1, 2))
    weights = {c: b.einsum("nti,ntk->ik", y, d) / n for c, y in (("a", x), ("c", b.sin(x)))}
    outputs = {**weights, "s": gram.sum((1, 2))}
    program = single_calls(build_program(simplified(outputs)))
    after = scaled_early(program)
    assert len([s for s in after.steps if s.shape == (300, 200) and s.action == "call"]) == 2
    assert len([s for s in after.steps if is_scaled(after, s) and s.shape == ("n",)]) == 1
    assert_values_stay(simplified(outputs), x=(3, 6, 300), g=(3, 6, 200))


def test_what_clips_examples_takes_the_mean_with_it() -> None:
    """Rows are scaled once, by one vector, whatever the number of weights."""
    program = function_program(
        surroundings(description := compile_spec(RESIDUAL, ["clipped_backward"]).description),
        description.functions["clipped_backward"],
    )
    scaled = [step.shape for step in program.steps if is_scaled(program, step)]
    assert ("batch",) in scaled
    assert (64, 64) not in scaled


def test_norms_beside_gradients_take_no_pass_over_the_weights() -> None:
    description = compile_spec(RESIDUAL, ["backward_with_norms"]).description
    body = description.functions["backward_with_norms"]
    program = function_program(surroundings(description), body)
    scaled = [step.shape for step in program.steps if is_scaled(program, step)]
    assert sorted(scaled, key=len) == [*[("batch",)] * 3, ("batch", 64)]


def test_two_numbers_in_a_row_are_one() -> None:
    program = numbers_joined(scaled_twice(b.input("x", ("n", 4))))
    (last,) = [step for step in program.steps if step.action == "call"]
    value, powers = number_of(program, ("multiply", last.args[1]))
    assert value == 3.0
    assert [*powers.values()] == [-1.0]


def test_nothing_moves_where_it_would_cost_more() -> None:
    x, g = b.input("x", (500, 2)), b.input("g", (500, 3))
    n = b.ones(("m",)).sum()
    d = b.sin(g)
    outputs = {"a": (x.T @ d) / n, "c": (d.sum(0)) / n, "m": b.input("m", ("m",))}
    before, after = both(outputs)
    assert after is before
