"""In which order a program computes: what is needed first, and else as a person would write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff.expr.graph import toposort
from symdiff.expr.node import Node

NOTHING: Mapping[Node, Sequence[Node]] = {}


def reading_order(
    roots: Sequence[Node],
    first: Sequence[Node],
    reads: Mapping[Node, Sequence[Node]] = NOTHING,
    plain: Sequence[Node] | None = None,
) -> list[Node]:
    """The nodes that the roots need, inputs before users, in an order for readers.

    ``reads`` says what nodes need, where that is not their inputs; ``plain`` is one such order,
    where there is one already.

    Leaves of ``first`` come first, then what its other nodes need, in its order, then the rest;
    of a node's inputs, the one made of earlier leaves comes earlier, and of such arrays in a sum
    the one that needs fewer steps in a row, so that none waits for the last to be added.  (The
    graph's own order of operands is that of digests, which means nothing to a reader.)
    """
    plain = down_to(roots, reads) if plain is None else plain
    needed = set(plain)
    wanted = [node for node in first if node in needed]
    below = {node: reads.get(node, node.inputs) for node in plain}
    wanted.sort(key=lambda node: bool(below[node]))
    rank = {node: place for place, node in enumerate(wanted) if not below[node]}
    for node in plain:
        if node not in rank:
            rank[node] = min((rank[x] for x in below[node]), default=len(plain))
    depth = depths(plain, reads)
    order: list[Node] = []
    done: set[Node] = set()
    stack = [(node, False) for node in reversed([*wanted, *roots])]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in done:
            done.add(node)
            stack.append((node, True))
            inputs = [x for x in dict.fromkeys(below[node]) if x not in done]
            if len(inputs) > 1:
                if node.op == "add" and node.ndim:
                    inputs.sort(key=lambda x: -depth[x])
                inputs.sort(key=lambda x: -rank[x])
            stack += [(x, False) for x in inputs]
    return order


def by_depth(
    roots: Sequence[Node], reads: Mapping[Node, Sequence[Node]], plain: Sequence[Node]
) -> list[Node]:
    """The roots, those that need the fewest steps in a row first; else in their order.

    Gradients so come in the order in which reverse mode has them, last layer first: each is made
    while the cotangent that it needs is there, and no cotangent is kept for later.
    """
    return sorted(roots, key=depths(plain, reads).__getitem__)


def depths(plain: Sequence[Node], reads: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """How many steps in a row each node needs; ``plain`` has inputs before users."""
    depth: dict[Node, int] = {}
    for node in plain:
        depth[node] = 1 + max([depth[x] for x in reads.get(node, node.inputs)], default=0)
    return depth


def down_to(roots: Sequence[Node], reads: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """The nodes that the roots need, inputs before users; ``reads`` as in reading_order."""
    if not reads:
        return toposort(roots)
    order: list[Node] = []
    done: set[Node] = set()
    stack = [(node, False) for node in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in done:
            done.add(node)
            stack.append((node, True))
            below = reads.get(node, node.inputs)
            stack.extend((x, False) for x in reversed(below) if x not in done)
    return order
