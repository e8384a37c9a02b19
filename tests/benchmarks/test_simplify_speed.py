"""How long simplifying takes: networks by depth, and the spelling corpus.

Nothing is asserted about times; ``pytest tests/benchmarks --benchmark-only`` prints them, as the
processor's time.  What stands beside them as ``extra_info``: nodes, and milliseconds per 100
nodes.  That the *work* grows linearly is asserted where it can be counted, in
tests/simplify/test_engine.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.variables import read_formula
from tests.simplify.spellings import FAMILIES

DEPTHS = (50, 100, 200)


def network(depth: int) -> tuple[Node, list[Node]]:
    """The loss, as it is written, and the parameters of a multilayer perceptron."""
    h = b.input("h", ("batch", 32))
    parameters: list[Node] = []
    for i in range(depth):
        matrix, bias = b.parameter(f"W{i}", (32, 32)), b.parameter(f"b{i}", (32,))
        parameters += [matrix, bias]
        h = b.relu(h @ matrix + bias)
    e = b.exp(h)
    k = b.input("k", ("batch",), dtype="int64", labels=32)
    return -b.log(e / e.sum(1, keepdims=True))[b.arange("batch"), k].mean(), parameters


def timed(benchmark: Any, roots: Sequence[Node]) -> None:
    """Simplify the roots, a few times."""
    nodes = len(toposort(roots))
    found = benchmark.pedantic(lambda: simplify(roots), rounds=2)
    assert len(found.roots) == len(roots)
    benchmark.extra_info["nodes"] = nodes
    if benchmark.stats:
        seconds = benchmark.stats.stats.min
        benchmark.extra_info["ms per 100 nodes"] = round(1e5 * seconds / nodes, 2)


def gradient_of(depth: int) -> list[Node]:
    loss, parameters = network(depth)
    return gradients(simplify(loss).root, parameters)


def hvp_of(depth: int) -> list[Node]:
    loss, parameters = network(depth)
    vs = [b.input(f"v.{i}", p.shape) for i, p in enumerate(parameters)]
    return hvp(simplify(loss).root, parameters, vs)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("made", [gradient_of, hvp_of], ids=["gradient", "hvp"])
def test_networks(benchmark: Any, made: Callable[[int], list[Node]], depth: int) -> None:
    timed(benchmark, made(depth))


@pytest.mark.parametrize("name", FAMILIES)
def test_spellings(benchmark: Any, name: str) -> None:
    family = FAMILIES[name]
    timed(benchmark, [read_formula(s, family.shapes, family.facts).node for s in family.spellings])
