"""Loops over one more axis, and loops of one example.

Time stays in front of what a loop reads and leaves behind; the axis of a batch stands behind it
inside, and before it outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from symdiff.calculus.loop_rules import reached_from
from symdiff.calculus.loops import close
from symdiff.expr.loops import (
    ELEMENT,
    Carry,
    OpenLoop,
    bound_leaves,
    open_loop,
    value_of,
)
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size
from symdiff.expr.views import broadcast_to, transpose

if TYPE_CHECKING:
    from symdiff.calculus.batching import Lane


def with_axis(
    hub: Node, lanes: Sequence[Lane], n: Size, readers: Sequence[Node], batched: Mapping[Node, Node]
) -> dict[Node, Node]:
    """The loop's readers with the new axis in front: those that depend on a batched input.

    Where the carries at all steps are ``batched`` already, what else is read is made of them, and
    the steps are not gone through again.
    """
    from symdiff.calculus.batching import vmap

    missing = [reader for reader in readers if reader not in batched]
    made = _from_carries(hub, missing, batched)
    if made is not None:
        return dict(zip(missing, vmap(made, batched), strict=True))
    stacks = [reader for reader in readers if reader.op == "stacked"]
    loop, opened = open_loop(hub, [value_of(reader) for reader in stacks])
    leaves, scope = loop.leaves, f"{hub.digest.hex()} lanes"
    varying = [leaf for leaf, lane in zip(leaves, lanes, strict=True) if lane.batched]
    moving = reached_from(loop, varying, opened)
    wide = {leaf: _wide_leaf(leaf, i, n, scope) for i, leaf in enumerate(leaves) if leaf in moving}
    elements, shared = dict(loop.elements), dict(loop.shared)
    carries = list(loop.carries)
    count = len(carries)
    wanted = [carry.update for carry in carries if carry.leaf in wide]
    wanted += [x for x in opened if x in moving]
    new = dict(zip(wanted, vmap(wanted, wide), strict=True))
    for i, (leaf, lane) in enumerate(zip(leaves, lanes, strict=True)):
        if leaf not in wide:
            continue
        if i < count:
            init = lane.node if lane.batched else broadcast_to(lane.node, (n, *leaf.shape))
            carries.append(Carry(wide[leaf], init, new[carries[i].update]))
        elif leaf.attr("kind") == ELEMENT:
            elements[wide[leaf]] = _swapped(lane.node)
        else:
            shared[wide[leaf]] = lane.node
    whole = OpenLoop(loop.length, loop.reverse, tuple(carries), elements, shared)
    place = {carry.leaf: i for i, carry in enumerate(carries)}
    ends = {
        reader: place[wide[leaves[reader.attr("position")]]]
        for reader in readers
        if reader.op == "final" and leaves[reader.attr("position")] in wide
    }
    asked = {r: new[x] for r, x in zip(stacks, opened, strict=True) if x in moving}
    closed = close(whole, list(asked.values()), list(ends.values()))
    result = {r: _swapped(stack) for r, stack in zip(asked, closed.stacks, strict=True)}
    return result | {reader: closed.finals[i] for reader, i in ends.items()}


def _from_carries(
    hub: Node, readers: Sequence[Node], batched: Mapping[Node, Node]
) -> list[Node] | None:
    """The stacks that are read, made of those that are batched; None if that will not do."""
    known = [x for x in batched if x.op == "stacked" and x.inputs[0] is hub]
    stacks = {value_of(x): x for x in known}
    count, _ = hub.attr("counts")
    starts = bound_leaves(hub)[:count]
    if any(leaf not in stacks for leaf in starts) or any(r.op == "final" for r in readers):
        return None
    loop, opened = open_loop(hub, [*(value_of(reader) for reader in readers), *stacks])
    values, told = opened[: len(readers)], opened[len(readers) :]
    given = {**loop.elements, **dict(zip(told, stacks.values(), strict=True))}
    return close(replace(loop, carries=(), elements=given), values).stacks


def _wide_leaf(leaf: Node, position: int, n: Size, scope: str) -> Node:
    """A leaf like another with an axis in front."""
    return Node.make(
        "bound",
        scope=scope,
        kind=leaf.attr("kind"),
        position=position,
        name=leaf.attr("name"),
        shape=(n, *leaf.shape),
        dtype=leaf.dtype,
    )


def _swapped(x: Node) -> Node:
    """The first two axes exchanged: time and the batch."""
    return transpose(x, [1, 0, *range(2, x.ndim)])
