"""Views: contractions of one operand that sum nothing.

Transposes, inserted and removed axes of size 1, broadcasts and diagonals.  Views of views are one
view; functions of one argument move inside them (``f(xᵀ) = f(x)ᵀ``), broadcasts move outside of
elementwise operations, and contractions absorb them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import Shape, ShapeError, Size, shape_text

Indices = tuple[int, ...]


def is_view(node: Node) -> bool:
    """Whether the node is a contraction of one operand that sums nothing (but axes of size 1)."""
    return node.is_view


def make_view(node: Node, names: Sequence[int], out: Sequence[int], shape: Shape) -> Node:
    """The operand with axes ``names`` as an array with axes ``out`` of the given shape.

    Indices of ``out`` that are not in ``names`` are broadcast; indices that are only in ``names``
    must have size 1.  Nested views are composed, and the view that changes nothing is its operand.
    """
    names = tuple(names)
    while node.is_view:
        (inner,) = node.attr("indices")
        rename = dict(zip(node.attr("out"), names, strict=True))
        names = tuple(rename.get(name, -1 - name) for name in inner)
        node = node.inputs[0]
    carried = [n for n, size in zip(names, node.shape, strict=True) if size != 1]
    kept = [n for n, size in zip(out, shape, strict=True) if size != 1]
    if carried == kept and node.shape == shape and len(set(carried)) == len(carried):
        return node
    number: dict[int, int] = {}
    own, free = [], 0
    for name, size in zip(names, node.shape, strict=True):
        if size == 1:
            own.append(free)
        else:
            number.setdefault(name, free)
            own.append(number[name])
        free = max(free, *own) + 1
    result, sizes = [], []
    for name, size in zip(out, shape, strict=True):
        if size != 1 and name in number:
            result.append(number[name])
        else:
            result.append(free)
            sizes.append((free, size))
            free += 1
    return Node.make(
        "contract", [node], indices=(tuple(own),), out=tuple(result), sizes=tuple(sizes)
    )


def through_view(node: Node, make: Callable[[Node], Node]) -> Node:
    """``make`` of the view's operand, viewed the same way; of the node itself if it is no view.

    For functions applied elementwise.  Diagonals are left outside: inside, more is computed.
    """
    if not node.is_view:
        return make(node)
    (names,), out = node.attr("indices"), node.attr("out")
    if len(set(names)) != len(names):
        return make(node)
    return make_view(make(node.inputs[0]), names, out, node.shape)


def rewrap(view: Node, core: Node) -> Node:
    """The view of another operand of the same shape."""
    (names,) = view.attr("indices")
    return make_view(core, names, view.attr("out"), view.shape)


def expanded_axes(node: Node) -> frozenset[int]:
    """The axes of size 1 that the node has only because a view inserted them."""
    if not node.is_view:
        return frozenset()
    (names,) = node.attr("indices")
    pairs = zip(node.attr("out"), node.shape, strict=True)
    return frozenset(a for a, (name, size) in enumerate(pairs) if size == 1 and name not in names)


def strip_broadcast(node: Node) -> Node:
    """The node with broadcast axes taken back to size 1, and leading ones removed."""
    if not node.is_view:
        return node
    (names,), out = node.attr("indices"), node.attr("out")
    shape: list[Size] = [s if n in names else 1 for n, s in zip(out, node.shape, strict=True)]
    start = 0
    while start < len(shape) and shape[start] == 1 and out[start] not in names:
        start += 1
    return make_view(node.inputs[0], names, out[start:], tuple(shape[start:]))


def transpose(node: Node, axes: Sequence[int] | None = None) -> Node:
    """The axes permuted; reversed by default."""
    order = tuple(reversed(range(node.ndim))) if axes is None else tuple(axes)
    if sorted(a % node.ndim if node.ndim else a for a in order) != list(range(node.ndim)) or any(
        not -node.ndim <= a < node.ndim for a in order
    ):
        raise ShapeError(f"transpose: axes {order} do not permute those of {with_shape(node)}")
    order = tuple(a % node.ndim for a in order)
    return make_view(node, range(node.ndim), order, tuple(node.shape[a] for a in order))


def expand_dims(node: Node, axes: Sequence[int]) -> Node:
    """Axes of size 1 inserted so that they stand at ``axes`` of the result."""
    if not axes:
        return node
    rank = node.ndim + len(axes)
    rest = iter(range(node.ndim))
    out = [rank + a if a in axes else next(rest) for a in range(rank)]
    shape = tuple(1 if n >= rank else node.shape[n] for n in out)
    return make_view(node, range(node.ndim), out, shape)


def squeeze(node: Node, axes: Sequence[int]) -> Node:
    """Axes of size 1 removed."""
    if not axes:
        return node
    for axis in axes:
        if node.shape[axis] != 1:
            raise ShapeError(f"squeeze: axis {axis} of {with_shape(node)} is not of size 1")
    out = [a for a in range(node.ndim) if a not in axes]
    return make_view(node, range(node.ndim), out, tuple(node.shape[a] for a in out))


def broadcast_to(node: Node, shape: Sequence[Size]) -> Node:
    """The node repeated along new leading axes and axes of size 1, as numpy.broadcast_to."""
    shape = tuple(shape)
    if node.shape == shape:
        return node
    offset = len(shape) - node.ndim
    if offset < 0 or any(
        have not in (1, want) for have, want in zip(node.shape, shape[offset:], strict=True)
    ):
        raise ShapeError(f"broadcast_to: {with_shape(node)} does not fit {shape_text(shape)}")
    out = [
        a - offset if a >= offset and node.shape[a - offset] != 1 else len(shape) + a
        for a in range(len(shape))
    ]
    return make_view(node, range(node.ndim), out, shape)
