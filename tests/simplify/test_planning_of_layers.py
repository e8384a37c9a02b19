"""What the planner makes of layers: which Grams it shares, and which arrays it never forms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from symdiff.calculus.per_example import per_example_gradients, squared_norms, weighted_sums
from symdiff.expr import build as b
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.nn import FUNCTIONS as F
from symdiff.simplify import simplify
from symdiff.simplify.cost import at, flops, total
from symdiff.simplify.order import EXHAUSTIVE
from symdiff.simplify.uses import gathered


def planned(loss: Node, weights: Sequence[Node], gradient: bool = False) -> list[Node]:
    """All nodes of the norms, alone or beside the gradient."""
    g = per_example_gradients(simplify(loss).root, weights)
    sums = weighted_sums(g) if gradient else []
    return toposort(simplify([*squared_norms(g), *sums]).roots)


def formed(nodes: Sequence[Node], weights: Sequence[Node]) -> list[str]:
    """The weights for which there is an array of batch × weight."""
    sizes = {frozenset((s, n.shape.count(s)) for s in n.shape) for n in nodes if n.dtype != "bool"}
    return [
        w.attr("name")
        for w in weights
        if frozenset((s, ("batch", *w.shape).count(s)) for s in ("batch", *w.shape)) in sizes
    ]


def attention(time: int, width: int, heads: int = 1) -> tuple[Node, list[Node], Node]:
    """Attention of one input, with the input."""
    q, k, v, o = (b.parameter(name, (width, width)) for name in ("Q", "K", "V", "O"))
    h = b.tanh(b.input("x", ("batch", time, width)))
    mixed = F["attention"](h @ q, h @ k, h @ v, causal=True, heads=heads)
    return b.sum(b.tanh(mixed @ o) ** 2, axis=(1, 2)), [q, k, v, o], h


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("gradient", [False, True])
def test_queries_keys_and_values_share_one_gram(heads: int, gradient: bool) -> None:
    loss, weights, h = attention(5, 64, heads)
    nodes = planned(loss, weights, gradient)
    assert formed(nodes, weights) == []
    grams = [n for n in nodes if n.op == "contract" and n.inputs == (h, h)]
    assert [n.shape for n in grams] == [("batch", 5, 5)]


def test_a_large_table_is_never_densified() -> None:
    table, w = b.parameter("E", (5000, 16)), b.parameter("W", (16, 16))
    ids = b.input("ids", ("batch", 12), "int64", labels=5000)
    mask = b.input("mask", ("batch", 12))
    bags = [
        F["embedding"](table, ids, padding_idx=0),
        b.expand_dims(F["embedding_bag"](table, ids), 1),
        b.expand_dims(F["embedding_bag"](table, ids, mask, "mean"), 1),
        b.expand_dims(F["embedding_bag"](table, ids, mask, "mean", 0), 1),
    ]
    for rows in bags:
        loss = b.sum(b.tanh(rows @ w) ** 2, axis=(1, 2))
        nodes = planned(loss, [table, w])
        assert all(5000 not in n.shape for n in nodes if n is not table)


def test_embedding_and_head_are_not_formed_where_grams_are_cheaper() -> None:
    table = b.parameter("E", (2000, 64))
    ids = b.input("ids", ("batch", 4), "int64", labels=2000)
    y = b.input("y", ("batch", 4), "int64", labels=2000)
    h = b.tanh(F["embedding"](table, ids))
    loss = b.sum(F["softmax_cross_entropy"](h @ table.T, y), axis=1)
    for gradient in (False, True):
        assert formed(planned(loss, [table], gradient), [table]) == []


def deep(uses: int, width: int) -> tuple[Node, Node]:
    """A weight used many times in depth, every other time transposed."""
    w = b.parameter("W", (width, width))
    h = b.input("x", ("batch", width))
    for u in range(uses):
        h = b.tanh(h @ (w.T if u % 2 else w))
    return b.sum(h * h, axis=1), w


@pytest.mark.parametrize("uses", [2, 3, 5, EXHAUSTIVE + 1, 24])
def test_a_weight_of_many_uses_is_not_formed_where_grams_are_cheaper(uses: int) -> None:
    loss, w = deep(uses, 128)
    nodes = planned(loss, [w])
    assert ("batch", 128, 128) not in {n.shape for n in nodes}


def test_the_size_of_the_plan_grows_with_the_uses_and_not_with_their_pairs() -> None:
    few, many = (len(planned(deep(uses, 128)[0], [deep(uses, 128)[1]])) for uses in (10, 20))
    assert many < 2.2 * few


def test_squared_sums_of_what_is_no_outer_product_stay() -> None:
    """A residual of picked rows, of which the loss is the square."""
    ids = b.input("ids", ("batch",), "int64", labels=9)
    rows = [b.parameter(f"p{i}", (9,))[ids] for i in range(6)]
    r = sum(rows[1:], rows[0])
    total = b.sum(r * r)
    assert gathered([total]) == [total]


def test_many_uses_are_formed_where_that_is_cheaper() -> None:
    loss, w = deep(24, 8)
    assert ("batch", 8, 8) in {n.shape for n in planned(loss, [w])}


def test_the_norms_of_many_uses_cost_little_beside_the_gradient() -> None:
    loss, w = deep(6, 256)
    g = per_example_gradients(simplify(loss).root, [w])
    alone = at(total(simplify(weighted_sums(g)).roots, flops))
    both = at(total(simplify([*weighted_sums(g), *squared_norms(g)]).roots, flops))
    assert both < 1.05 * alone


def test_a_low_rank_weight_is_never_formed() -> None:
    u, v = b.parameter("U", (60, 3)), b.parameter("V", (3, 50))
    h = b.tanh(F["low_rank"](b.input("x", ("batch", 60)), u, v))
    nodes = planned(b.sum(h * h, axis=1), [u, v], gradient=True)
    assert formed(nodes, [u, v]) == []
    assert (60, 50) not in {n.shape for n in nodes}


def test_no_array_is_larger_than_the_activations() -> None:
    """Cross-attention and a mean over bags, whose gradients have many factors."""
    q, k, v = b.parameter("Q", (64, 64)), b.parameter("K", (48, 64)), b.parameter("V", (48, 64))
    memory, mask = b.input("memory", ("batch", 6, 48)), b.input("mask", ("batch", 6))
    x = b.input("x", ("batch", 5, 64))
    mixed = F["attention"](x @ q, memory @ k, memory @ v, mask=mask[:, None, :], heads=4)
    loss = b.sum(b.tanh(mixed) ** 2, axis=(1, 2)) / (1 + b.sum(mask, axis=1))
    nodes = planned(loss, [q, k, v])
    largest = max(math.prod(n.shape[1:]) for n in nodes if n.shape[:1] == ("batch",))
    assert largest <= 6 * 64
