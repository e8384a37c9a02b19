"""Random graphs, smooth ones and ones full of naive spellings: same values, settled at once."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.pipeline import PHASES
from symdiff.simplify.rewrite import Budget, Phase, run_phase
from tests.oracles import assert_close
from tests.strategies import SIZES, Graph, graphs

RUNS = settings(max_examples=int(os.environ.get("SYMDIFF_EXAMPLES", "60")), deadline=None)


def check(roots: list[Node], values: dict[str, object]) -> None:
    """Simplifying changes no value (up to rounding), and simplifying again changes nothing."""
    found = simplify(roots, debug=True, trace=True)
    before, after = evaluate(roots, values, SIZES), evaluate(list(found.roots), values, SIZES)
    for old, new, root in zip(before, after, roots, strict=True):
        assert_close(new, old, 1e-9, root.op)
    unplanned = simplify(roots, contractions=False).roots
    assert simplify(unplanned, contractions=False).roots == unplanned
    for step in found.trace.steps:
        left, right = step.replay(values, SIZES)
        assert_close(right, left, 1e-9, step.rule.name)


@RUNS
@given(graphs())
def test_smooth_graphs(graph: Graph) -> None:
    check([graph.root, graph.inner], graph.values)


@RUNS
@given(graphs(max_steps=5))
def test_their_gradients(graph: Graph) -> None:
    check(gradients(graph.root, graph.leaves), graph.values)


@settings(max_examples=15, deadline=None)
@given(graphs(max_steps=4))
def test_their_hessian_vector_products(graph: Graph) -> None:
    values = {**graph.values, **graph.direction}
    check(hvp(graph.root, list(graph.leaves), graph.tangents), values)


z = b.input("z", (3, 4))
u = b.input("u", (3, 4))
c = b.input("c", (3, 1))
s = b.input("s", ())
y = b.input("y", (3, 4), zero_or_one=True)
p = b.input("p", (3, 4), sums_to_one=True)
k = b.input("k", (3,), dtype="int64", labels=4)


def naive_values(seed: int) -> dict[str, object]:
    """A point for the naive spellings."""
    rng = np.random.default_rng(seed)
    p_value = rng.uniform(0.1, 1.0, (3, 4))
    return {
        "z": rng.normal(size=(3, 4)),
        "u": rng.normal(size=(3, 4)),
        "c": rng.normal(size=(3, 1)),
        "s": np.asarray(rng.uniform(0.5, 2.0)),
        "y": rng.integers(0, 2, (3, 4)).astype(float),
        "p": p_value / p_value.sum(1, keepdims=True),
        "k": rng.integers(0, 4, 3),
    }


def _sigmoid(x: Node) -> Node:
    return 1 / (1 + b.exp(-x))


def _normalised(x: Node) -> Node:
    e = b.exp(x)
    return e / e.sum(-1, keepdims=True)


# Spellings as people write them; every result is positive or any, and of moderate size.
_ANY: tuple[Callable[[Node], Node], ...] = (
    lambda x: x - b.logsumexp(x, -1, keepdims=True),
    lambda x: x - x.max(-1, keepdims=True),
    lambda x: x + c,
    lambda x: x * s,
    lambda x: -x,
    lambda x: x + b.sqrt(x**2),
    lambda x: b.exp(b.tanh(x)) - 1,
    lambda x: 2 * _sigmoid(2 * x) - 1,
    lambda x: b.log(_normalised(x)),
    lambda x: b.log(_sigmoid(x)),
    lambda x: b.log(1 + b.exp(x)),
    lambda x: b.where(x > 0, x, 0.0),
    lambda x: b.reshape(b.log(b.reshape(b.softmax(x), (12,))), (3, 4)),
    lambda x: b.tanh(x),
)
_POSITIVE: tuple[Callable[[Node], Node], ...] = (
    _sigmoid,
    _normalised,
    lambda x: 1 - _sigmoid(x),
    lambda x: b.exp(b.tanh(x)),
    lambda x: b.softplus(x),
    lambda x: b.exp(x) / (1 + b.exp(x)),
    lambda x: 1 + b.exp(b.tanh(x)),
    lambda x: b.softmax(x, axis=0),
)
_PAIRS: tuple[Callable[[Node, Node], Node], ...] = (
    lambda x, v: x + v,
    lambda x, v: x - v,
    lambda x, v: b.tanh(x) * v,
    lambda x, v: y * x + (1 - y) * v,
    lambda x, v: y * b.softplus(-x) + (1 - y) * b.softplus(x) + v,
    lambda x, v: b.softplus(x) - y * x - v,
    lambda x, v: p * x - p * v,
)


@st.composite
def spellings(draw: st.DrawFn) -> Node:
    """A scalar of naive spellings, one in another."""
    pool = [z, u]
    positive: list[Node] = [b.exp(u)]
    for _ in range(draw(st.integers(2, 6))):
        x = pool[-1 - draw(st.integers(0, min(3, len(pool)) - 1))]
        other = pool[draw(st.integers(0, len(pool) - 1))]
        kind = draw(st.sampled_from("aapplm"))
        if kind == "a":
            pool.append(draw(st.sampled_from(_ANY))(x))
        elif kind == "p":
            positive.append(draw(st.sampled_from(_POSITIVE))(b.tanh(x) * 3))
        elif kind == "l":
            first = positive[draw(st.integers(0, len(positive) - 1))]
            second = positive[-1]
            pool.append(b.log(first / second) if draw(st.booleans()) else b.log(first * second))
        else:
            pool.append(draw(st.sampled_from(_PAIRS))(x, other))
    last = pool[-1] * positive[-1]
    how = draw(st.integers(0, 4))
    if how == 0:
        return last.sum()
    if how == 1:
        return (p * last).sum(1).mean()
    if how == 2:
        return last[b.arange(3), k].mean()
    if how == 3:
        return (b.one_hot(k, 4) * last).sum() / 3
    return b.einsum("ij,ij,ij->", p, y, last)


@RUNS
@given(spellings(), st.integers(0, 1000))
def test_naive_spellings(root: Node, seed: int) -> None:
    check([root], naive_values(seed))


@RUNS
@given(spellings(), st.integers(0, 1000))
def test_gradients_of_naive_spellings(root: Node, seed: int) -> None:
    check(gradients(simplify(root).root, [z, u, s]), naive_values(seed))


@RUNS
@given(spellings(), st.integers(0, 1000))
def test_rules_in_any_order(root: Node, seed: int) -> None:
    """The rules of each phase, shuffled, reach the same node."""
    rng = random.Random(seed)
    for phase in PHASES:
        rules = list(phase.rules)
        rng.shuffle(rules)
        mixed = Phase(phase.name, tuple(rules), phase.local)
        expected = run_phase([root], phase, Budget(10_000))[root]
        assert run_phase([root], mixed, Budget(10_000))[root] is expected
        root = expected
