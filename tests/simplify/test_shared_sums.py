"""Sums that are shared stay shared: a residual network's derivatives grow linearly with depth."""

from __future__ import annotations

import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify import simplify


def residual(depth: int) -> tuple[Node, list[Node]]:
    """h = h + tanh(h W), squared error: the scale of the loss moves through every layer."""
    h, y = b.input("x", ("batch", 4)), b.input("y", ("batch", 4))
    weights = [b.parameter(f"W{layer}", (4, 4)) for layer in range(depth)]
    for w in weights:
        h = h + b.tanh(h @ w)
    return simplify(b.mean(b.mean(b.square(h - y), axis=1))).root, weights


def readings(roots: list[Node]) -> int:
    """The edges of the simplified graph: work, where sums have many terms."""
    return sum(len(node.inputs) for node in toposort(simplify(roots).roots))


@pytest.mark.parametrize("second", [False, True])
def test_each_layer_adds_the_same_work(second: bool) -> None:
    counts = []
    for depth in (5, 10, 15):
        loss, weights = residual(depth)
        if second:
            vs = [b.input(f"v{i}", w.shape) for i, w in enumerate(weights)]
            counts.append(readings(hvp(loss, weights, vs)))
        else:
            counts.append(readings(gradients(loss, weights)))
    assert counts[1] - counts[0] == counts[2] - counts[1]
