"""Loops in simplest form: equal values, small bodies, and text that does not know how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.per_example import (
    per_example_gradients,
    per_example_sq_norms,
    weighted_sums,
)
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.loops import updates
from symdiff.expr.node import Node
from symdiff.expr.scan import scan
from symdiff.expr.shapes import shape_size
from symdiff.simplify import simplify
from symdiff.simplify.cost import at, bytes_moved, flops, total
from tests.calculus.test_loops import DIRECTIONS, MODELS, PARAMETERS, Scan, loops, values
from tests.codegen.models import run_graph

X = b.input("x", ("batch", "steps", 2))
W, U = b.parameter("W", (2, 3)), b.parameter("U", (3, 3))


def recurrent(x: Node = X) -> Node:
    h0 = b.zeros(("batch", 3))
    _, ys = scan(lambda h, x: ((n := b.tanh(x @ W + h @ U)), n), h0, b.swapaxes(x, 0, 1))
    return b.sum(b.cos(ys), axis=(0, 2))


def simplest(roots: Sequence[Node]) -> list[Node]:
    return list(simplify(roots, debug=True).roots)


def functions(losses: Node) -> list[Node]:
    (losses,) = simplify(losses, contractions=False).roots
    whole = b.sum(losses)
    rows = per_example_gradients(losses, PARAMETERS)
    return [
        whole,
        *weighted_sums(rows, b.cos(losses)),
        *per_example_sq_norms(losses, PARAMETERS),
        *hvp(whole, PARAMETERS, DIRECTIONS),
    ]


@pytest.mark.parametrize("model", MODELS)
def test_what_is_simplified_and_emitted_has_the_values_that_it_had(
    model: Callable[[Scan], Node],
) -> None:
    roots, given = functions(model(scan)), values()
    found = simplest(roots)
    expected = evaluate(roots, given)
    emitted = run_graph({f"r{i}": node for i, node in enumerate(found)}, given)
    for i, (value, ours) in enumerate(zip(expected, evaluate(found, given), strict=True)):
        np.testing.assert_allclose(ours, value, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(emitted[f"r{i}"], value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_the_simplest_form_is_in_simplest_form(model: Callable[[Scan], Node]) -> None:
    once = simplify(functions(model(scan)), contractions=False).roots
    assert simplify(once, contractions=False).roots == once


def test_products_with_the_elements_are_one_outside() -> None:
    (hub,) = loops(simplest([recurrent()]))
    products = [n for n in toposort(updates(hub)) if n.op == "contract" and len(n.inputs) == 2]
    assert len(products) == 1
    assert W not in hub.inputs


def test_a_value_that_does_not_go_on_is_computed_outside() -> None:
    h0 = b.zeros(("batch", 3))
    step = lambda h, x: ((n := b.tanh(x @ W + h @ U)), b.exp(n @ U))  # noqa: E731
    _, ys = scan(step, h0, b.swapaxes(X, 0, 1))
    (hub,) = loops(simplest([ys]))
    assert "exp" not in {n.op for n in toposort(updates(hub))}


def test_a_carry_that_is_never_read_and_one_that_never_changes_are_gone() -> None:
    def step(carry: tuple[Node, Node, Node], x: Node) -> tuple[tuple[Node, Node, Node], Node]:
        h, unread, fixed = carry
        h = b.tanh(h * fixed + x)
        return (h, unread + h, fixed), h

    x, a = b.input("x", ("steps",)), b.input("a")
    _, ys = scan(step, (0.0, 0.0, a), x)
    (hub,) = loops(simplest([ys]))
    assert len(updates(hub)) == 1


def test_a_scan_without_a_carry_is_no_loop() -> None:
    _, ys = scan(lambda h, x: (h, b.exp(x) * h), 2.0, X)
    assert simplest([ys]) == [simplify(2 * b.exp(X)).root]


def test_the_cost_of_a_loop_is_that_of_its_steps() -> None:
    found = simplest([recurrent()])
    assert at(total(found, flops), {"steps": 1000}) > 900 * at(total(found, flops), {"steps": 1})
    (hub,) = loops(found)
    assert at(bytes_moved(hub), {"steps": 6}) == 6 * at(bytes_moved(hub), {"steps": 1})


def test_norms_of_a_long_sequence_form_no_array_of_examples_times_weights() -> None:
    """For few steps the Gram of the stacked factors; all of it outside of the loops."""
    d = 40
    x, w = b.input("x", ("batch", 6, d)), b.parameter("w", (d, d))
    h0 = b.zeros(("batch", d))
    _, ys = scan(lambda h, x: ((n := b.tanh(x + h @ w)), n), h0, b.swapaxes(x, 0, 1))
    norms = simplest(per_example_sq_norms(b.sum(ys**2, axis=(0, 2)), [w]))
    sizes = {"batch": 128}
    largest = max(at(shape_size(n.shape), sizes) for n in toposort(norms))
    assert largest < 128 * d * d
    given = {"x": np.random.default_rng(0).normal(size=(3, 6, d)), "w": np.eye(d) / 2}
    found = evaluate(norms, given)[0]
    raw = per_example_gradients(b.sum(ys**2, axis=(0, 2)), [w])[0]
    np.testing.assert_allclose(found, (evaluate(raw, given) ** 2).sum(axis=(1, 2)), rtol=1e-10)
