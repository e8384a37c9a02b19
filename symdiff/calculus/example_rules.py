"""Rows of nodes: for each operation, what one example sees of it, or why it mixes examples.

One rule an operation, over one description of the operands (:class:`Row`).  A rule finds where the
example axis stands in the result and builds the node of one example without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symdiff.expr import movement
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.expr.shapes import (
    Shape,
    Size,
    shape_size,
    size_floordiv,
    size_mul,
    size_names,
    size_text,
)
from symdiff.expr.views import squeeze


@dataclass(frozen=True)
class Row:
    """A diagonal node, seen from one example.

    ``node`` is its value for one example; ``axis`` is where the example axis stands in the whole.
    ``block`` is None where that axis is gone in ``node``; else the axis is kept in ``node``, with
    the ``block`` entries that belong to the example.
    """

    node: Node
    axis: int
    block: Size | None = None


class Mixes(Exception):
    """Raised by the rules: what the operation does to the examples."""

    def __init__(self, operation: str, what: str) -> None:
        self.operation, self.what = operation, what
        super().__init__(what)


Rows: TypeAlias = "Sequence[Row | None]"
Rule: TypeAlias = "Callable[[Node, Rows, str], Row | None]"


def has_size(shape: Sequence[Size], size: str) -> bool:
    return any(size in size_names(s) for s in shape)


def _axis(shape: Shape, size: str, operation: str) -> tuple[int, Size | None]:
    """The one axis that carries the example size, and its block."""
    found = [a for a, s in enumerate(shape) if size in size_names(s)]
    if len(found) > 1:
        raise Mixes(operation, "pairs examples with examples")
    (axis,) = found
    return axis, _block(shape[axis], size, operation)


def _block(length: Size, size: str, operation: str) -> Size | None:
    """How many entries of an axis belong to each example; None where it is the example axis."""
    if length == size:
        return None
    block = size_floordiv(length, size)
    if size in size_names(block) or size_mul(block, size) != length:
        raise Mixes(operation, f"has an axis of size {size_text(length)}")
    return block


def _shared(rows: Rows, places: Sequence[int], operation: str) -> tuple[Row, int]:
    """The first row, and the one place where all rows have the example axis."""
    if len(set(places)) > 1:
        raise Mixes(operation, "pairs examples with examples")
    return next(row for row in rows if row), places[0]


def _input(node: Node, rows: Rows, size: str) -> Row:
    axis, block = _axis(node.shape, size, "input")
    attributes = dict(node.attributes)
    if block is not None:
        raise Mixes("input", f"has an axis of size {size_text(node.shape[axis])}")
    shape = (*node.shape[:axis], *node.shape[axis + 1 :])
    # Facts about the last axis are void where that was the examples'.
    lost = () if axis < node.ndim - 1 else ("sums_to_one", "one_hot", "symmetric")
    declared = tuple(pair for pair in attributes["declared"] if pair[0] not in lost)
    return Row(Node.make("input", **{**attributes, "shape": shape, "declared": declared}), axis)


def _parameter(node: Node, rows: Rows, size: str) -> Row:
    raise Mixes("parameter", "has a row an example")


def _size(node: Node, rows: Rows, size: str) -> Row | None:
    if size in size_names(node.attr("size")):
        raise Mixes("size", "depends on the number of examples")
    return None


def _arange(node: Node, rows: Rows, size: str) -> Row | None:
    if not has_size(node.shape, size):
        return None
    raise Mixes("arange", "depends on the place of an example in the batch")


def _elementwise(node: Node, rows: Rows, size: str) -> Row:
    """Broadcasting aligns axes from the right, so the place is counted from there."""
    places = [r.axis - x.ndim for r, x in zip(rows, node.inputs, strict=True) if r]
    first, place = _shared(rows, places, node.op)
    inputs = []
    for row, x in zip(rows, node.inputs, strict=True):
        if row is not None:
            inputs.append(row.node)
        elif first.block is None and x.ndim >= -place:
            inputs.append(squeeze(x, (x.ndim + place,)))
        else:
            inputs.append(x)
    return Row(rebuild(node, inputs), node.ndim + place, first.block)


def _contract(node: Node, rows: Rows, size: str) -> Row:
    indices, out, sizes = node.attr("indices"), node.attr("out"), dict(node.attr("sizes"))
    what = "matrix product" if len(node.inputs) > 1 else "sum"
    owners = [(names[r.axis], r) for r, names in zip(rows, indices, strict=True) if r]
    blocks = {name: row.block for name, row in owners}
    for name, length in sizes.items():
        if size in size_names(length):
            blocks[name] = _block(length, size, "broadcast")
    if len(blocks) > 1:
        raise Mixes(what, "pairs examples with examples")
    ((name, block),) = blocks.items()
    if name not in out:
        raise Mixes(what, "sums over the examples")
    inputs = [row.node if row else x for row, x in zip(rows, node.inputs, strict=True)]
    axis = out.index(name)
    if block is None:
        indices = [[n for n in names if n != name] for names in indices]
        out = [n for n in out if n != name]
        sizes.pop(name, None)
    elif name in sizes:
        sizes[name] = block
    return Row(contract(inputs, indices, out, sizes), axis, block)


def _along(node: Node, row: Row, axes: Sequence[int], what: str) -> list[int]:
    """The axes of the row that an operation works along; the examples' must not be among them."""
    if row.axis in axes:
        raise Mixes(node.op, what)
    return [a - (row.block is None and a > row.axis) for a in axes]


def _reduction(node: Node, rows: Rows, size: str) -> Row:
    (row,), axes = rows, node.attr("axes")
    assert row is not None
    inner = _along(node, row, axes, "runs over the examples")
    kept = node.ndim == node.inputs[0].ndim
    axis = row.axis if kept else row.axis - sum(a < row.axis for a in axes)
    return Row(movement.reduction(node.op, row.node, inner), axis, row.block)


def _cumsum(node: Node, rows: Rows, size: str) -> Row:
    (row,) = rows
    assert row is not None
    (axis,) = _along(node, row, [node.attr("axis")], "runs over the examples")
    return Row(movement.cumsum(row.node, axis, node.attr("reverse")), row.axis, row.block)


def _flip(node: Node, rows: Rows, size: str) -> Row:
    (row,) = rows
    assert row is not None
    axes = _along(node, row, node.attr("axes"), "reverses the examples")
    return Row(movement.flip(row.node, axes), row.axis, row.block)


def _reshape(node: Node, rows: Rows, size: str) -> Row:
    """The examples' axis is found again by the number of elements before it."""
    (row,) = rows
    assert row is not None
    before = shape_size(node.inputs[0].shape[: row.axis])
    axis, block = _axis(node.shape, size, "reshape")
    if shape_size(node.shape[:axis]) != before:
        raise Mixes("reshape", "puts elements of several examples side by side")
    own = () if block is None else (block,)
    shape = (*node.shape[:axis], *own, *node.shape[axis + 1 :])
    return Row(movement.reshape(row.node, shape), axis, block)


def _slice(node: Node, rows: Rows, size: str) -> Row:
    (row,), ranges = rows, list(node.attr("ranges"))
    assert row is not None
    if ranges[row.axis] != (0, node.inputs[0].shape[row.axis], 1):
        raise Mixes("slice", "takes some of the examples")
    ranges[row.axis : row.axis + 1] = [] if row.block is None else [(0, row.block, 1)]
    return Row(movement.slice_(row.node, ranges), row.axis, row.block)


def _pad(node: Node, rows: Rows, size: str) -> Row:
    (row,), padding = rows, list(node.attr("padding"))
    assert row is not None
    if padding[row.axis] != (0, 0, 0):
        raise Mixes("pad", "adds rows beside the examples")
    if row.block is None:
        del padding[row.axis]
    return Row(movement.pad(row.node, padding), row.axis, row.block)


def _concatenate(node: Node, rows: Rows, size: str) -> Row:
    places = [row.axis for row in rows if row]
    first, place = _shared(rows, places, "concatenate")
    if place == node.attr("axis"):
        raise Mixes("concatenate", "puts batches one behind the other")
    axis = node.attr("axis") - (first.block is None and node.attr("axis") > place)
    nodes = [row.node for row in rows if row]
    return Row(movement.concatenate(nodes, axis), place, first.block)


def _window(node: Node, rows: Rows, size: str) -> Row:
    """The axes of windows stand behind all others, and keep their places among themselves."""
    (row,) = rows
    assert row is not None
    what = "moves over the examples"
    if row.axis >= node.ndim:
        raise Mixes(node.op, "adds examples up")
    axes = _along(node, row, node.attr("axes"), what)
    return Row(rebuild(node, [row.node], axes=tuple(axes)), row.axis, row.block)


def _selection_axis(node: Node, rows: Rows, what: str) -> tuple[Row | None, Row | None, int]:
    """The rows of take's or scatter_add's operands, and their leading axes in one example."""
    (x, idx), batch = rows, node.attr("batch")
    leading = [row for row in rows if row is not None and row.axis < batch]
    if len(leading) == 1 or (leading and leading[0].axis != leading[-1].axis):
        raise Mixes(node.op, what)
    return x, idx, batch - (bool(leading) and leading[0].block is None)


def _take(node: Node, rows: Rows, size: str) -> Row:
    """x (B…, n, R…) at idx (B…, I…): the examples may be in B of both, in R, or in I."""
    x, idx, batch = _selection_axis(node, rows, "picks examples")
    full, places = node.attr("batch"), node.inputs[1]
    if x is not None and x.axis >= full and (idx is not None or x.axis == full):
        raise Mixes("take", "picks examples")
    inputs = [r.node if r else n for r, n in zip(rows, node.inputs, strict=True)]
    taken = movement.take(inputs[0], inputs[1], batch)
    if x is not None and x.axis < full:
        return Row(taken, x.axis, x.block)
    if x is not None:
        return Row(taken, places.ndim + x.axis - full - 1, x.block)
    assert idx is not None
    return Row(taken, idx.axis, idx.block)


def _scatter_add(node: Node, rows: Rows, size: str) -> Row:
    """g (B…, I…, R…) at idx (B…, I…): the examples may be in B of both, or in R."""
    g, idx, batch = _selection_axis(node, rows, "adds examples up")
    full, n = node.attr("batch"), node.attr("n")
    if size in size_names(n) or g is None or (idx is not None and idx.axis >= full):
        raise Mixes("scatter_add", "adds examples up")
    places = node.inputs[1]
    axis = g.axis if g.axis < full else full + 1 + g.axis - places.ndim
    added = movement.scatter_add(g.node, idx.node if idx else places, n, batch)
    return Row(added, axis, g.block)


def _one_hot(node: Node, rows: Rows, size: str) -> Row:
    (row,) = rows
    if row is None or size in size_names(node.attr("n")):
        raise Mixes("one_hot", "has a place for each example")
    return Row(rebuild(node, [row.node]), row.axis, row.block)


UNBATCH: dict[str, Rule] = {
    "input": _input,
    "parameter": _parameter,
    "constant": lambda node, rows, size: None,
    "size": _size,
    "arange": _arange,
    **{op: _elementwise for op, record in OPS.items() if record.elementwise},
    "contract": _contract,
    **dict.fromkeys(("max", "prod", "softmax", "log_softmax", "logsumexp"), _reduction),
    "cumsum": _cumsum,
    "flip": _flip,
    "reshape": _reshape,
    "slice": _slice,
    "pad": _pad,
    "concatenate": _concatenate,
    "window": _window,
    "overlap_add": _window,
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
    "stop_gradient": _elementwise,
}
# Operations that may bring the example axis in without an operand that has it.
SOURCES = frozenset({"input", "parameter", "contract"})
