"""Bodies of loops, simplified together with all that is read of them.

A body is a graph like any other, so the same phases put it into their normal form.  What depends
on no carry then moves out, and what is read of the steps and does not carry them on is computed
from their stacks (:func:`symdiff.calculus.loops.close`).  That changes the graph around, which may
change the body again; so bodies take their turn with the phases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from symdiff.calculus.loops import close
from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.loops import open_loop, readers_of, value_of
from symdiff.expr.node import Node

#: Nodes in simplest form, for nodes.
Bodies: TypeAlias = Callable[[Sequence[Node]], Sequence[Node]]
#: What all that is read of a loop became, by the nodes that read it.
Known: TypeAlias = dict[tuple[Node, ...], tuple[Node, ...]]


def simplified_loops(roots: Sequence[Node], simplify: Bodies, known: Known) -> dict[Node, Node]:
    """For every node below the roots what it becomes when the loops' bodies are simplified.

    What is ``known`` of a loop is not looked for again.  Where there are no loops, nothing is said.
    """
    order = toposort(roots)
    readers = readers_of(order)
    new: dict[Node, Node] = {}
    if not readers:
        return new
    for node in order:
        if node in new:
            continue
        new[node] = rebuild(node, [new[x] for x in node.inputs])
        if node.op == "loop":
            now = tuple(rebuild(reader, [new[node]]) for reader in readers[node])
            if now not in known:
                known[now] = _simplified(new[node], now, simplify)
            new |= zip(readers[node], known[now], strict=True)
    return new


def _simplified(hub: Node, readers: Sequence[Node], simplify: Bodies) -> tuple[Node, ...]:
    """What the readers of a loop become."""
    stacks = [reader for reader in readers if reader.op == "stacked"]
    ends = {reader: reader.attr("position") for reader in readers if reader.op == "final"}
    loop, opened = open_loop(hub, [value_of(reader) for reader in stacks])
    count = len(loop.carries)
    body = simplify([*(carry.update for carry in loop.carries), *opened])
    carries = [replace(c, update=u) for c, u in zip(loop.carries, body, strict=False)]
    closed = close(replace(loop, carries=tuple(carries)), body[count:], list(ends.values()))
    found = dict(zip(stacks, closed.stacks, strict=True))
    found |= {reader: closed.finals[i] for reader, i in ends.items()}
    return tuple(found[reader] for reader in readers)
