"""A loop seen from one example: the loop of one row.

The axis of the examples stands in a carry where its shape says so; an array that a loop goes along
must have it behind time.  The values that the whole loop has of all examples are told for every
node of its body, so that what one example's derivatives read of the steps is never computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from symdiff.calculus.example_rules import Mixes, Row, Rows
from symdiff.calculus.loops import close, is_sunk
from symdiff.expr.graph import depends_on, toposort
from symdiff.expr.loops import (
    CARRY,
    ELEMENT,
    Carry,
    OpenLoop,
    bound,
    bound_leaves,
    element_leaf,
    final,
    open_loop,
    stacked,
    updates,
    value_of,
)
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_names

Typing: TypeAlias = Callable[[Sequence[Node], dict[Node, Row], str], Iterator[tuple[Node, Mixes]]]


def loop_rows(
    hub: Node, inputs: Rows, readers: Sequence[Node], size: str, type_rows: Typing
) -> dict[Node, Row]:
    """The rows of a loop's readers, and of all else that might be read of it.

    ``type_rows`` finds the rows of a body's nodes.
    """
    if size in size_names(hub.attr("length")):
        raise Mixes("scan", "goes along the examples")
    values = [value_of(reader) for reader in readers if reader.op == "stacked"]
    body = toposort([*updates(hub), *values])
    loop, opened = open_loop(hub, body)
    new = dict(zip(body, opened, strict=True))
    rows = _leaf_rows(loop, inputs, size, f"{hub.digest.hex()} row")
    if not rows:
        return {}
    for node, fault in type_rows(toposort(opened), rows, size):
        inner = fault.operation if node.op == "loop" else f"{fault.operation} in a scan"
        raise Mixes(inner, fault.what)
    one = {leaf: rows[leaf].node if leaf in rows else leaf for leaf in loop.leaves}
    whole = {leaf: x for part in (loop.elements, loop.shared) for leaf, x in part.items()}
    for leaf, row in zip(loop.leaves, inputs, strict=True):
        if row is not None:
            whole[leaf] = row.node
    carries = [
        Carry(one[c.leaf], whole.get(c.leaf, c.init), _row_of(c.update, rows)) for c in loop.carries
    ]
    single = OpenLoop(
        loop.length,
        loop.reverse,
        tuple(carries),
        {one[leaf]: whole[leaf] for leaf in loop.elements},
        {one[leaf]: whole[leaf] for leaf in loop.shared},
    )
    moving = depends_on(body, [x for x in bound_leaves(hub) if x.attr("kind") == CARRY])
    own = {**dict(zip(bound_leaves(hub), loop.leaves, strict=True)), **new}
    wanted = [x for x in own if x in moving and not is_sunk(x)]
    told = {x: rows[own[x]] for x in dict.fromkeys([*values, *wanted]) if own[x] in rows}
    ends = [i for i, carry in enumerate(loop.carries) if carry.leaf in rows]
    closed = close(single, [row.node for row in told.values()], ends)
    result = {
        stacked(hub, x): Row(stack, row.axis + 1, row.block)
        for (x, row), stack in zip(told.items(), closed.stacks, strict=True)
    }
    for i in ends:
        row = rows[loop.carries[i].leaf]
        result[final(hub, i)] = Row(closed.finals[i], row.axis, row.block)
    return result


def _leaf_rows(loop: OpenLoop, inputs: Rows, size: str, scope: str) -> dict[Node, Row]:
    """The rows of the body's leaves: those whose shape, or whose array, has the examples."""
    rows: dict[Node, Row] = {}
    for i, (leaf, given) in enumerate(zip(loop.leaves, inputs, strict=True)):
        kind, name = leaf.attr("kind"), leaf.attr("name")
        if given is None:
            continue
        if kind == ELEMENT and given.axis == 0:
            raise Mixes("scan", "goes along the examples")
        if kind == ELEMENT:
            rows[leaf] = Row(element_leaf(i, given.node, scope), given.axis - 1, given.block)
        else:
            rows[leaf] = Row(bound(kind, i, given.node, scope, name), given.axis, given.block)
    return rows


def _row_of(node: Node, rows: dict[Node, Row]) -> Node:
    return rows[node].node if node in rows else node
