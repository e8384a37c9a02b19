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

Bodies: TypeAlias = Callable[[Sequence[Node]], Sequence[Node]]
Settled: TypeAlias = set[tuple[Node, tuple[Node, ...]]]


def simplified_loops(roots: Sequence[Node], simplify: Bodies, settled: Settled) -> dict[Node, Node]:
    """For every node below the roots what it becomes when the loops' bodies are simplified.

    ``settled`` are hubs, with what is read of them, that are known to be in normal form.
    """
    order = toposort(roots)
    readers = readers_of(order)
    new: dict[Node, Node] = {}
    for node in order:
        if node in new:
            continue
        new[node] = rebuild(node, [new[x] for x in node.inputs])
        if node.op == "loop":
            new |= _simplified(new[node], readers[node], simplify, settled)
    return new


def _simplified(
    hub: Node, readers: Sequence[Node], simplify: Bodies, settled: Settled
) -> dict[Node, Node]:
    """What the readers of a loop become."""
    stacks = [reader for reader in readers if reader.op == "stacked"]
    ends = {reader: reader.attr("position") for reader in readers if reader.op == "final"}
    values = tuple(value_of(reader) for reader in stacks)
    if (hub, values) in settled:
        return {reader: rebuild(reader, [hub]) for reader in readers}
    loop, opened = open_loop(hub, values)
    count = len(loop.carries)
    body = simplify([*(carry.update for carry in loop.carries), *opened])
    carries = [replace(c, update=u) for c, u in zip(loop.carries, body, strict=False)]
    closed = close(replace(loop, carries=tuple(carries)), body[count:], list(ends.values()))
    found = dict(zip(stacks, closed.stacks, strict=True))
    found |= {reader: closed.finals[i] for reader, i in ends.items()}
    if all(new is rebuild(reader, [hub]) for reader, new in found.items()):
        settled.add((hub, values))
    return found
