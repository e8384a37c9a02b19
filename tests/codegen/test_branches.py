"""Choices by sizes, as branches of emitted functions: what is computed where, and at what cost."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from codegen import program_of
from codegen.program import Program
from symdiff.compiler import Compiled, compile_spec
from symdiff.expr import build as b
from symdiff.expr.shapes import shape_size, size_value
from tests.codegen.models import lines_of, run_graph
from tests.systems.modules import error, example_gradients

SPEC = """
name = "sequence"
output = "z"
[inputs]
x = { shape = ["batch", "time", 20] }
y = { shape = ["batch", "time"], labels = 8 }
[parameters]
W1 = { shape = [20, 30] }
b1 = { shape = [30] }
W2 = { shape = [30, 8] }
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2"
[loss]
per_example = "softmax_cross_entropy(z, y).sum(axis=1)"
"""
A, C = b.input("a", ("n", "m")), b.input("c", ("m",))


def either(first: Any, second: Any) -> Any:
    """The first where n < 3 m."""
    return b.where(b.size_node("n") < 3 * b.size_node("m"), first, second)


@cache
def sequence() -> Compiled:
    return compile_spec(SPEC)


def text(**outputs: Any) -> str:
    return "\n".join(lines_of(outputs))


def test_only_the_way_that_is_taken_is_computed() -> None:
    first, second = "np.exp(a).sum(axis=-1)", "np.sin(a).sum(axis=-1)"
    out = either(b.sum(b.exp(A), axis=1), b.sum(b.sin(A), axis=1))
    assert f"if n < 3 * m:\nout = {first}\nelse:\nout = {second}" in text(out=out)


def test_what_both_ways_need_is_computed_before() -> None:
    shared = b.exp(A)
    out = either(b.sum(shared, axis=1), b.sum(shared**2, axis=1))
    before, _, branch = text(out=out).partition("if n < 3 * m:")
    assert "np.exp(a)" in before
    assert "np.exp" not in branch


def test_choices_of_one_condition_are_made_together() -> None:
    first = either(b.sum(b.exp(A), axis=1), b.sum(b.sin(A), axis=1))
    second = either(b.sum(b.exp(A) * C, axis=1), b.sum(b.sin(A) * C, axis=1))
    lines = text(one=first, two=second)
    assert lines.count("if n <") == 1
    assert lines.count("np.exp") == lines.count("np.sin") == 1


def test_a_later_choice_reads_what_the_first_made_in_the_same_way() -> None:
    costly = b.sin(A)
    first = either(b.sum(A, axis=1), b.sum(costly, axis=1))
    second = either(b.tanh(first), b.cos(first) * b.sum(costly * C, axis=1))
    lines = text(one=first, two=second)
    assert lines.count("if n <") == 2
    assert lines.count("np.sin") == 1
    before, _, _ = lines.partition("if n <")
    assert "np.sin" not in before


def test_choices_within_choices() -> None:
    inner = b.where(b.size_node("m") < 2, b.sum(b.exp(A), axis=1), b.sum(b.cos(A), axis=1))
    out = either(inner + b.sum(A, axis=1), b.sum(b.sin(A), axis=1))
    lines = text(out=out)
    assert lines.index("if n < 3 * m") < lines.index("if m < 2") < lines.index("np.sin")


@pytest.mark.parametrize("n", [2, 7])
def test_values_are_those_of_where(n: int) -> None:
    costly = b.sin(A)
    first = either(b.sum(A, axis=1), b.sum(costly, axis=1))
    second = either(b.tanh(first), b.cos(first) * b.sum(costly * C, axis=1))
    a, c = np.linspace(-1, 1, n * 2).reshape(n, 2), np.array([0.5, 2.0])
    found = run_graph({"one": first, "two": second}, {"a": a, "c": c})
    one = a.sum(axis=1) if n < 6 else np.sin(a).sum(axis=1)
    two = np.tanh(one) if n < 6 else np.cos(one) * (np.sin(a) * c).sum(axis=1)
    np.testing.assert_allclose(found["one"], one)
    np.testing.assert_allclose(found["two"], two)


# Norms over time of unknown length.


def branches(function: str) -> list[tuple[Program, Program]]:
    program = program_of(sequence().description, function)
    return [step.blocks for step in program.steps if step.action == "branch"]  # type: ignore[misc]


def largest(program: Program, sizes: dict[str, int]) -> int:
    return max(
        (size_value(shape_size(s.shape), sizes) for s in program.walk() if s.allocates), default=0
    )


@pytest.mark.parametrize("function", ["per_example_sq_norms", "clipped_backward"])
def test_where_grams_are_taken_no_array_of_batch_times_weights_is_made(function: str) -> None:
    program = program_of(sequence().description, function)
    sizes = {"batch": 50, "time": 2}
    for step in program.steps:
        if step.allocates and step.action != "pick":
            assert size_value(step.size, sizes) < 50 * 20 * 30
    for gram, formed in branches(function):
        assert largest(gram, sizes) < 50 * 30 * 8
        assert largest(formed, sizes) in (50 * 20 * 30, 50 * 30 * 8, 20 * 30, 30 * 8)


def test_a_gram_is_a_product_of_one_buffer_with_itself() -> None:
    """``A @ A.swapaxes(-1, -2)``: NumPy calls syrk where both operands are one buffer."""
    gram, _ = branches("per_example_sq_norms")[0]
    found = [s for s in gram.steps if dict(s.details).get("function") == "matmul"]
    assert len(found) == 2
    for step in found:
        first, second = (gram.steps[arg] for arg in step.args)
        assert second.action == "transpose"
        assert second.args == (first.dest,)


@pytest.mark.parametrize("time", [1, 2, 5, 9, 30])
def test_norms_and_clipped_gradients_are_the_loops_on_both_sides(time: int) -> None:
    module: Any = sequence().module()
    rng = np.random.default_rng(time)
    params = module.init(seed=1)
    x, y = rng.normal(size=(6, time, 20)), rng.integers(0, 8, (6, time))
    loop = example_gradients(module, params, x, y)
    squares = {k: np.array([np.sum(g[k] ** 2) for g in loop]) for k in params}
    for name, s in module.per_example_sq_norms(params, x, y).items():
        assert error(s, squares[name]) < 1e-10
    norms = np.sqrt(sum(squares.values()))
    bound = float(np.median(norms))
    factors = np.minimum(1, bound / norms)
    _, grads, ours = module.clipped_backward(params, x, y, bound)
    assert error(ours, norms) < 1e-10
    for name in params:
        expected = sum(f * g[name] for f, g in zip(factors, loop, strict=True)) / 6
        assert error(grads[name], expected) < 1e-10


@pytest.mark.parametrize(("time", "formed"), [(3, False), (40, True)])
def test_at_known_sizes_there_is_one_form_and_no_branch(time: int, formed: bool) -> None:
    """T (d + p) < d p, with d = 20 and p = 30: a Gram for T < 12."""
    text = SPEC.replace('"time"', str(time))
    program = program_of(
        compile_spec(text, ["per_example_sq_norms"]).description, "per_example_sq_norms"
    )
    assert all(step.action != "branch" for step in program.steps)
    sizes = [size_value(step.size, {"batch": 50}) for step in program.steps if step.allocates]
    assert (50 * 20 * 30 in sizes) == formed
    assert (50 * time * time in sizes) != formed
