"""Random graphs: the interpreter and all derivatives against autograd."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from symdiff.calculus.batching import vmap
from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from tests.oracles import (
    assert_close,
    autograd_gradients,
    autograd_hvp,
    autograd_value,
)
from tests.strategies import SIZES, Graph, graphs

RUNS = settings(max_examples=60, deadline=None)


@RUNS
@given(graphs())
def test_the_interpreter_agrees_with_autograd(graph: Graph) -> None:
    ours = evaluate([graph.root, graph.inner], graph.values, SIZES)
    assert_close(ours[0], autograd_value(graph.root, graph.values, SIZES), 1e-12)
    assert_close(ours[1], autograd_value(graph.inner, graph.values, SIZES), 1e-12)


@RUNS
@given(graphs())
def test_gradients_agree_with_autograd(graph: Graph) -> None:
    ours = evaluate(gradients(graph.root, graph.leaves), graph.values, SIZES)
    theirs = autograd_gradients(graph.root, graph.names, graph.values, SIZES)
    for name, mine, other in zip(graph.names, ours, theirs, strict=True):
        assert_close(mine, other, 1e-9, name)


@RUNS
@given(graphs())
def test_forward_mode_agrees_with_reverse_mode(graph: Graph) -> None:
    """⟨u, J t⟩ = ⟨Jᵀ u, t⟩."""
    u = b.sin(graph.inner)
    pushed = b.sum(u * jvp(graph.inner, graph.leaves, graph.tangents))
    pulled = gradients(graph.inner, graph.leaves, u)
    ours, *theirs = evaluate([pushed, *pulled], {**graph.values, **graph.direction}, SIZES)
    pairs = zip(theirs, graph.direction.values(), strict=True)
    assert_close(ours, sum((p * t).sum() for p, t in pairs), 1e-9)


@settings(max_examples=30, deadline=None)
@given(graphs(max_steps=5))
def test_hessian_vector_products_of_all_modes_agree_with_autograd(graph: Graph) -> None:
    vs = graph.direction
    values = {**graph.values, **vs}
    theirs = autograd_hvp(graph.root, graph.names, graph.values, list(vs.values()), SIZES)
    for mode in HVP_MODES:
        ours = evaluate(hvp(graph.root, graph.leaves, graph.tangents, mode), values, SIZES)
        for name, mine, other in zip(graph.names, ours, theirs, strict=True):
            assert_close(mine, other, 1e-9, f"{name} by {mode}")


@RUNS
@given(graphs())
def test_batching_is_stacking(graph: Graph) -> None:
    """The first leaf has a row each; the others are shared."""
    first, name = graph.leaves[0], graph.names[0]
    many = b.input("many", ("m", *first.shape), first.dtype)
    roots = [graph.inner, *gradients(graph.root, graph.leaves)]
    rows = np.stack([graph.values[name], graph.direction["t0"], 0.5 * graph.values[name]])
    batched = vmap(roots, {first: many})
    found = evaluate(batched, {**graph.values, "many": rows}, {**SIZES, "m": 3})
    expected = [evaluate(roots, {**graph.values, name: row}, SIZES) for row in rows]
    for ours, *theirs in zip(found, *expected, strict=True):
        assert_close(ours, np.stack(theirs), 1e-11)
