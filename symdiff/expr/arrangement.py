"""Arrays cut up, repeated and turned, under NumPy's names: slices, views and reshapes of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from symdiff.expr import movement, views
from symdiff.expr.elementwise import as_node
from symdiff.expr.node import Node, with_shape
from symdiff.expr.reductions import axes_of
from symdiff.expr.shapes import (
    ShapeError,
    Size,
    normalize_axes,
    size_floordiv,
    size_mul,
    size_sub,
)


def _part(x: Node, axis: int, start: Size, length: Size) -> Node:
    whole: list[movement.Range] = [(0, size, 1) for size in x.shape]
    return movement.slice_(x, [*whole[:axis], (start, length, 1), *whole[axis + 1 :]])


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Node]:
    """The array cut along an axis: into equal sections, or before each of the indices.

    Raises ShapeError where a number of sections does not divide the axis, or indices fall.
    """
    x = as_node(x)
    (axis,) = axes_of(x, axis, "split")
    size = x.shape[axis]
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count < 1 or (isinstance(size, int) and size % count):
            raise ShapeError(
                f"split: {count} sections do not divide axis {axis} of {with_shape(x)}"
            )
        length = size_floordiv(size, count)
        return [_part(x, axis, size_mul(i, length), length) for i in range(count)]
    ends: list[Size] = [0, *indices_or_sections, size]
    numbers = [end for end in ends if isinstance(end, int)]
    if numbers != sorted(numbers) or numbers[0] < 0:
        raise ShapeError(f"split: {list(indices_or_sections)} are no places in {with_shape(x)}")
    return [_part(x, axis, start, size_sub(end, start)) for start, end in pairwise(ends)]


def tile(x: Any, reps: Size | Sequence[Size]) -> Node:
    """The whole array repeated along each axis, as often as ``reps`` says (from the last axis)."""
    node = as_node(x)
    times: list[Size] = list(reps) if isinstance(reps, (tuple, list)) else [reps]
    if any(isinstance(n, int) and n < 0 for n in times):
        raise ShapeError(f"tile: {reps!r} of {with_shape(node)}: 0 or more times each axis")
    node = views.expand_dims(node, tuple(range(max(0, len(times) - node.ndim))))
    times = [*[1] * (node.ndim - len(times)), *times]
    for axis, count in enumerate(times):
        node = _repeated(node, count, axis, axis)
    return node


def repeat(x: Any, repeats: int, axis: int | None = None) -> Node:
    """Each element repeated along an axis (default: of the flattened array)."""
    x = as_node(x)
    if axis is None:
        x, axis = movement.reshape(x, (_count(x),)), 0
    (axis,) = axes_of(x, axis, "repeat")
    if repeats < 0:
        raise ShapeError(f"repeat: {repeats} times of {with_shape(x)}")
    return _repeated(x, repeats, axis, axis + 1)


def _count(x: Node) -> Size:
    count: Size = 1
    for size in x.shape:
        count = size_mul(count, size)
    return count


def _repeated(x: Node, count: Size, axis: int, place: int) -> Node:
    """``count`` copies along a new axis at ``place``, which is then joined with ``axis``."""
    if count == 1:
        return x
    spread = views.expand_dims(x, (place,))
    shape = (*spread.shape[:place], count, *spread.shape[place + 1 :])
    joined = (*x.shape[:axis], size_mul(count, x.shape[axis]), *x.shape[axis + 1 :])
    return movement.reshape(views.broadcast_to(spread, shape), joined)


def roll(x: Any, shift: int, axis: int | None = None) -> Node:
    """Elements moved along an axis, those that leave the end coming in at the start."""
    node = as_node(x)
    if axis is None:
        return movement.reshape(roll(movement.reshape(node, (_count(node),)), shift, 0), node.shape)
    (axis,) = axes_of(node, axis, "roll")
    size = node.shape[axis]
    if isinstance(size, int):
        shift %= max(size, 1)
    if shift == 0:
        return node
    cut: Size = size_sub(size, shift) if shift > 0 else -shift
    parts = [_part(node, axis, cut, size_sub(size, cut)), _part(node, axis, 0, cut)]
    return movement.concatenate(parts, axis)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Node:
    """Axes moved to other places; the others keep their order."""
    x = as_node(x)
    given = [(a,) if isinstance(a, int) else tuple(a) for a in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise ShapeError(f"moveaxis: {source!r} to {destination!r} of {with_shape(x)}")
    old, new = (_each(axes, x) for axes in given)
    order = [a for a in range(x.ndim) if a not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return views.transpose(x, order)


def _each(axes: Sequence[int], x: Node) -> list[int]:
    """Each of some axes, in the order given."""
    return [normalize_axes((a,), x.ndim, f"moveaxis of {with_shape(x)}")[0] for a in axes]
