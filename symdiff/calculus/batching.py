"""vmap: the same graph over a leading axis, one rule an operation.

Every node that depends on a replaced one gets the new axis in front; all others are shared as
they are, without copies.  (The rule dictionaries of JAX's autodidax are the model; with one
fixed place for the axis no bookkeeping of places is needed.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symdiff.expr import movement
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.loops import readers_of
from symdiff.expr.node import Node, with_shape
from symdiff.expr.ops import OPS
from symdiff.expr.shapes import ShapeError, Size, shape_text
from symdiff.expr.views import broadcast_to, expand_dims, transpose


@dataclass(frozen=True)
class Lane:
    """An input of a node that is batched: the input to use, and whether it has the new axis."""

    node: Node
    batched: bool


Rule: TypeAlias = Callable[[Node, Sequence[Lane], Size], Node]


def vmap(roots: Sequence[Node], mapping: Mapping[Node, Node]) -> list[Node]:
    """The roots over a leading axis, along which the mapped nodes are replaced by given ones.

    ``mapping`` gives for each replaced node (a leaf or any other) one of its shape with an axis
    in front, of the same size for all.  Each returned root has that axis in front too; a root that
    depends on nothing replaced is broadcast.  Raises ShapeError where a shape does not fit.
    """
    n = _leading(mapping)
    batched: dict[Node, Node] = dict(mapping)
    order = toposort(roots, mapping)
    readers = readers_of(order)
    for node in order:
        if node.op == "loop" and any(x in batched for x in node.inputs):
            from symdiff.calculus.loop_axes import with_axis

            lanes = [Lane(batched.get(x, x), x in batched) for x in node.inputs]
            batched |= with_axis(node, lanes, n, readers[node], batched)
        elif node not in batched and any(x in batched for x in node.inputs):
            lanes = [Lane(batched.get(x, x), x in batched) for x in node.inputs]
            batched[node] = BATCHING[node.op](node, lanes, n)
    return [
        batched[root] if root in batched else broadcast_to(root, (n, *root.shape)) for root in roots
    ]


def _leading(mapping: Mapping[Node, Node]) -> Size:
    if not mapping:
        raise ValueError("vmap: nothing is replaced, so nothing says how long the axis is")
    n = next((new.shape[0] for new in mapping.values() if new.ndim), None)
    for old, new in mapping.items():
        if n is None or new.shape != (n, *old.shape):
            wanted = (n or "n", *old.shape)
            raise ShapeError(
                f"vmap: {with_shape(new)} cannot replace {with_shape(old)}: "
                f"expected shape {shape_text(wanted)}"
            )
    assert n is not None
    return n


def _move(x: Node, source: int, to: int) -> Node:
    axes = [a for a in range(x.ndim) if a != source]
    axes.insert(to, source)
    return transpose(x, axes)


def _whole(lane: Lane, n: Size) -> Node:
    """The input with the new axis, repeated along it if need be."""
    return lane.node if lane.batched else broadcast_to(lane.node, (n, *lane.node.shape))


def _elementwise(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    """Broadcasting aligns axes from the right, so missing ones are put behind the new one."""
    inputs = []
    for lane, x in zip(lanes, node.inputs, strict=True):
        gap = tuple(range(1, 1 + node.ndim - x.ndim))
        inputs.append(expand_dims(lane.node, gap) if lane.batched else x)
    return rebuild(node, inputs)


def _pointwise(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return rebuild(node, [lane.node for lane in lanes])


def _contract(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    indices, out, sizes = node.attr("indices"), node.attr("out"), dict(node.attr("sizes"))
    new = 1 + max((name for names in (*indices, out) for name in names), default=-1)
    own = [(new, *i) if lane.batched else i for lane, i in zip(lanes, indices, strict=True)]
    return contract([lane.node for lane in lanes], own, (new, *out), sizes)


def _reduction(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.reduction(node.op, lanes[0].node, [a + 1 for a in node.attr("axes")])


def _cumsum(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.cumsum(lanes[0].node, node.attr("axis") + 1, node.attr("reverse"))


def _reshape(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.reshape(lanes[0].node, (n, *node.shape))


def _slice(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.slice_(lanes[0].node, [(0, n, 1), *node.attr("ranges")])


def _flip(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.flip(lanes[0].node, [a + 1 for a in node.attr("axes")])


def _pad(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.pad(lanes[0].node, [(0, 0, 0), *node.attr("padding")])


def _concatenate(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    return movement.concatenate([_whole(lane, n) for lane in lanes], node.attr("axis") + 1)


def _window(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    axes = [a + 1 for a in node.attr("axes")]
    return rebuild(node, [lanes[0].node], axes=tuple(axes))


def _take(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    """An axis that only x or only the indices have travels as one of their own axes."""
    (x, idx), batch = lanes, node.attr("batch")
    if x.batched and idx.batched:
        return movement.take(x.node, idx.node, batch + 1)
    if x.batched:
        last = _move(x.node, 0, x.node.ndim - 1)
        return _move(movement.take(last, idx.node, batch), node.ndim, 0)
    return _move(movement.take(x.node, _move(idx.node, 0, batch), batch), batch, 0)


def _scatter_add(node: Node, lanes: Sequence[Lane], n: Size) -> Node:
    (g, idx), batch, size = lanes, node.attr("batch"), node.attr("n")
    if idx.batched:
        return movement.scatter_add(_whole(g, n), idx.node, size, batch + 1)
    last = _move(g.node, 0, g.node.ndim - 1)
    return _move(movement.scatter_add(last, idx.node, size, batch), node.ndim, 0)


BATCHING: dict[str, Rule] = {
    **{op: _elementwise for op, record in OPS.items() if record.elementwise},
    "contract": _contract,
    **dict.fromkeys(("max", "prod", "softmax", "log_softmax", "logsumexp"), _reduction),
    "cumsum": _cumsum,
    "reshape": _reshape,
    "slice": _slice,
    "flip": _flip,
    "pad": _pad,
    "concatenate": _concatenate,
    "window": _window,
    "overlap_add": _window,
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _pointwise,
    "stop_gradient": _pointwise,
}
