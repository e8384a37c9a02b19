"""vmap: the same as running the graph once a row and stacking."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from symdiff.calculus.batching import vmap
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.shapes import ShapeError
from tests.calculus.cases import CASES, Case

ROWS = 3


@pytest.mark.parametrize("case", CASES, ids=str)
def test_batching_is_stacking_for_every_choice_of_inputs(case: Case) -> None:
    singles, many = case.nodes(), case.nodes(lead=ROWS)
    y = case.build(*singles)
    roots = [y, *gradients(b.sum(b.sin(y)), case.floats(singles))]
    points = [case.values(seed) for seed in range(ROWS)]
    stacked = {f"xs{i}": np.stack([p[f"x{i}"] for p in points]) for i in range(len(singles))}
    for count in range(1, len(singles) + 1):
        for chosen in combinations(range(len(singles)), count):
            batched = vmap(roots, {singles[i]: many[i] for i in chosen})
            rows = [
                {k: points[row if int(k[1:]) in chosen else 0][k] for k in points[0]}
                for row in range(ROWS)
            ]
            expected = [evaluate(roots, row) for row in rows]
            found = evaluate(batched, {**points[0], **stacked})
            for ours, node, root, *theirs in zip(found, batched, roots, *expected, strict=True):
                assert node.shape == (ROWS, *root.shape)
                assert node.dtype == root.dtype
                np.testing.assert_allclose(ours, np.stack(theirs), rtol=1e-12, atol=1e-12)


X = b.input("x", (4, 3))
W = b.parameter("W", (3, 2))
MANY = b.input("xs", ("m", 4, 3))


def test_nodes_that_depend_on_nothing_replaced_are_shared() -> None:
    shared = b.exp(W) @ b.softmax(W).T
    (batched,) = vmap([X @ shared], {X: MANY})
    assert shared in toposort([batched])
    assert all(node.shape[:1] != ("m",) for node in toposort([shared]))
    assert batched is MANY @ shared


def test_a_root_that_depends_on_nothing_replaced_is_repeated() -> None:
    same, moved = vmap([W, b.sum(X)], {X: MANY})
    assert same.shape == ("m", 3, 2)
    assert moved.shape == ("m",)


def test_an_inner_node_may_be_replaced() -> None:
    h = b.tanh(X @ W)
    hs = b.input("hs", (5, 4, 2))
    (batched,) = vmap([b.sum(h * h)], {h: hs})
    assert batched is b.sum(hs * hs, axis=(1, 2))


def test_vmaps_nest() -> None:
    x, xs = b.input("x", (3,)), b.input("xs", (4, 3))
    xss = b.input("xss", (5, 4, 3))
    (once,) = vmap([b.logsumexp(x)], {x: xs})
    (twice,) = vmap([once], {xs: xss})
    assert twice is b.logsumexp(xss, axis=2)


def test_what_replaces_must_have_one_axis_more() -> None:
    with pytest.raises(ShapeError, match=r"x of shape \(4, 3\): expected shape \(4, 4, 3\)"):
        vmap([X], {X: b.input("y", (4, 3))})
    with pytest.raises(ShapeError, match="cannot replace W"):
        vmap([X @ W], {X: MANY, W: b.input("Ws", (2, 3, 2))})
    with pytest.raises(ValueError, match="nothing is replaced"):
        vmap([X], {})


def test_a_chain_ten_thousand_deep_is_batched() -> None:
    x, xs = b.input("x"), b.input("xs", ("m",))
    node = x
    for _ in range(10_000):
        node = b.sin(node)
    (batched,) = vmap([node], {x: xs})
    assert batched.shape == ("m",)
    assert len(toposort([batched])) == 10_001
