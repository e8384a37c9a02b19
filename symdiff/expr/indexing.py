"""``x[key]`` with NumPy's meaning: integers, slices, …, None, and arrays of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.expr.algebra import scalar
from symdiff.expr.movement import Range, flip, normalize_slice, reshape, slice_, take
from symdiff.expr.node import Node, describe, with_shape
from symdiff.expr.numbers import constant, size_node
from symdiff.expr.shapes import ShapeError, Size, shape_text, size_mul, size_text
from symdiff.expr.views import expand_dims, squeeze, transpose


def index(x: Node, key: Any) -> Node:
    """x[key].

    A key is one or a tuple of: whole numbers, slices, ``...``, None, arrays or nodes of whole
    numbers.  Several index arrays must be next to each other, and pick together, as in
    ``z[arange(n), y]`` and ``pairs[:, rows, columns]``.  Raises ShapeError naming x.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    what = f"indexing {describe(x)}"
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if sum(k is Ellipsis for k in keys) > 1:
        raise ShapeError(f"{what}: more than one '...'")
    if used > x.ndim:
        raise ShapeError(f"{what}: {used} indices for {with_shape(x)}")
    rest: list[Any] = [slice(None)] * (x.ndim - used)
    if any(k is Ellipsis for k in keys):
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        keys[at : at + 1] = rest
    else:
        keys += rest
    keys = [_whole(k, what) for k in keys]
    x, keys = _slices(x, keys, what)
    return _arrays(x, keys, what)


def _whole(key: Any, what: str) -> Any:
    if key is None or isinstance(key, (slice, Node)):
        if isinstance(key, Node) and key.dtype != "int64":
            raise ShapeError(f"{what}: {with_shape(key)} holds {key.dtype}, not whole numbers")
        return key
    if isinstance(key, (bool, float)):
        raise ShapeError(f"{what}: {key!r} is not an index")
    if isinstance(key, int):
        return key
    array = np.asarray(key)
    if array.dtype.kind not in "iu":
        raise ShapeError(f"{what}: {key!r} is not an index")
    return int(array) if array.ndim == 0 else constant(array.astype(np.int64))


def _slices(x: Node, keys: list[Any], what: str) -> tuple[Node, list[Any]]:
    """Slices and whole numbers taken; what is left are index nodes, None, and whole axes."""
    ranges: list[Range] = []
    left: list[Any] = []
    flips: list[int] = []
    drop: list[int] = []
    axis = 0
    for key in keys:
        if key is None:
            left.append(None)
            continue
        size = x.shape[axis]
        if isinstance(key, slice):
            chosen, reverse = normalize_slice(key, size, what)
            ranges.append(chosen)
            flips += [axis] if reverse else []
            left.append(slice(None))
        elif isinstance(key, int):
            if isinstance(size, int) and not -size <= key < size:
                raise ShapeError(f"{what}: index {key} is out of range for size {size_text(size)}")
            position, _ = normalize_slice(slice(key, key + 1 if key != -1 else None), size, what)
            ranges.append((position[0], 1, 1))
            drop.append(axis)
        else:
            ranges.append((0, size, 1))
            left.append(key)
        axis += 1
    return squeeze(flip(slice_(x, ranges), flips), drop), left


def _arrays(x: Node, keys: list[Any], what: str) -> Node:
    """Index nodes taken, then None axes inserted."""
    places = [i for i, k in enumerate([k for k in keys if k is not None]) if isinstance(k, Node)]
    plain = [k for k in keys if k is not None]
    if places:
        if None in keys:
            raise ShapeError(f"{what}: None beside an index array; insert the axis afterwards")
        return _take(x, plain, places, what)
    return expand_dims(x, [i for i, k in enumerate(keys) if k is None])


def _take(x: Node, keys: list[Any], places: list[int], what: str) -> Node:
    first, axis = places[0], places[-1]
    if axis - first != len(places) - 1:
        raise ShapeError(f"{what}: the index arrays are not next to each other")
    leading = places[:-1]
    rows = first == 0 and all(_row_axis(keys[p], x, p, len(leading), p) for p in leading)
    if leading and not rows:
        return _along(*_together(x, keys, places, what), first)
    if leading:
        if keys[axis].ndim < axis:
            raise ShapeError(f"{what}: {with_shape(keys[axis])} does not have a row for each of x")
        return take(x, keys[axis], axis)
    return _along(x, keys[axis], axis)


def _along(x: Node, idx: Node, axis: int) -> Node:
    """x picked along an axis, in whose place the axes of idx stand then."""
    order = (axis, *(a for a in range(x.ndim) if a != axis))
    taken = take(transpose(x, order), idx)
    back = [*range(idx.ndim, idx.ndim + axis), *range(idx.ndim)]
    back += range(idx.ndim + axis, taken.ndim)
    return transpose(taken, back)


def _together(x: Node, keys: list[Any], places: list[int], what: str) -> tuple[Node, Node]:
    """Neighbouring axes as one, and the places along it that index arrays pick together."""
    sizes = [x.shape[place] for place in places]
    whole: Size = 1
    joint: Node | None = None
    for place, size in zip(places, sizes, strict=True):
        key, many = keys[place], size_node(size, "int64")
        if not key.facts.nonnegative:
            key = scalar("where", scalar("lt", key, 0), key + many, key)
        try:
            joint = key if joint is None else joint * many + key
        except ShapeError:
            shapes = " and ".join(shape_text(keys[p].shape) for p in places)
            raise ShapeError(f"{what}: index arrays of shapes {shapes} do not fit") from None
        whole = size_mul(whole, size)
    assert joint is not None
    shape = (*x.shape[: places[0]], whole, *x.shape[places[-1] + 1 :])
    return reshape(x, shape), joint


def _row_axis(key: Node, x: Node, axis: int, count: int, position: int) -> bool:
    """Whether the key is arange over the whole axis, shaped to vary along its own place."""
    if key.op == "contract":  # arange(n)[:, None]
        shape = key.shape
        key = key.inputs[0]
        lead = shape[position] if position < len(shape) else None
        if lead != x.shape[axis]:
            return False
    elif count > 1 and position + 1 < count:
        return False
    if key.op == "arange":
        return bool(key.attr("n") == x.shape[axis])
    return _is_arange(key, x, axis)


def _is_arange(key: Node, x: Node, axis: int) -> bool:
    return (
        key.op == "constant"
        and key.ndim == 1
        and key.shape[0] == x.shape[axis]
        and bool(np.array_equal(key.value, np.arange(key.shape[0])))
    )


def take_along_axis(x: Any, idx: Any, axis: int) -> Node:
    """x picked along an axis by indices of x's rank, as numpy.take_along_axis.

    All other axes of idx must be those of x.  Raises ShapeError otherwise.
    """
    x, idx = (a if isinstance(a, Node) else constant(a) for a in (x, idx))
    if idx.ndim != x.ndim or not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"take_along_axis: {with_shape(x)} and {with_shape(idx)}, axis {axis}")
    axis %= x.ndim
    others = [a for a in range(x.ndim) if a != axis]
    if any(x.shape[a] != idx.shape[a] for a in others):
        raise ShapeError(f"take_along_axis: {with_shape(x)} and {with_shape(idx)} differ")
    order = (*others, axis)
    taken = take(transpose(x, order), transpose(idx, order), len(others))
    return transpose(taken, tuple(order.index(a) for a in range(x.ndim)))
