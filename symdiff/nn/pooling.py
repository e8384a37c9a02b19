"""Pooling: a reduction over windows.  The largest of a window shares its cotangent among ties."""

from __future__ import annotations

import math
from typing import Any

from symdiff.expr import build, movement
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import FLOATS, cast, constant, current_dtype
from symdiff.expr.shapes import ShapeError, Size, shape_size
from symdiff.expr.views import broadcast_to
from symdiff.expr.windows import window as windows
from symdiff.nn.frames import check_fit, each, paddings, space_of

Padded = list[tuple[Size, Size]]


def max_pool1d(x: Any, window: Any, stride: Any = None, padding: Any = 0) -> Node:
    """The largest element of each window of x (batch, channels, length); see max_pool2d."""
    return _max_pool(x, window, stride, padding, 1)


def max_pool2d(x: Any, window: Any, stride: Any = None, padding: Any = 0) -> Node:
    """The largest element of each window of x (batch, channels, height, width).

    ``window`` and ``stride`` are a number or one an axis; the stride defaults to the window.
    ``padding`` as in conv2d, smaller than the window; what is padded is never the largest.

    Raises ShapeError where a window is larger than the padded input.
    """
    return _max_pool(x, window, stride, padding, 2)


def avg_pool1d(
    x: Any, window: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Node:
    """The mean of each window of x (batch, channels, length); see avg_pool2d."""
    return _avg_pool(x, window, stride, padding, count_include_pad, 1)


def avg_pool2d(
    x: Any, window: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Node:
    """The mean of each window of x (batch, channels, height, width).

    Arguments as in max_pool2d.  What is padded counts as elements that are 0, as in torch and
    flax by default; not so with ``count_include_pad=False``, as in TensorFlow.
    """
    return _avg_pool(x, window, stride, padding, count_include_pad, 2)


def global_avg_pool(x: Any) -> Node:
    """The mean of each channel of x (batch, channels, *space): (batch, channels)."""
    x = build.as_node(x)
    return build.mean(x, _space_axes(x, "global_avg_pool"))


def global_max_pool(x: Any) -> Node:
    """The largest element of each channel of x (batch, channels, *space): (batch, channels)."""
    x = build.as_node(x)
    return build.max(x, _space_axes(x, "global_max_pool"))


def flatten(x: Any) -> Node:
    """x (batch, ...) as (batch, features), in C order."""
    x = build.as_node(x)
    if x.ndim < 1:
        raise ShapeError(f"flatten: {with_shape(x)} has no axis of examples")
    return movement.reshape(x, (x.shape[0], shape_size(x.shape[1:])))


def _space_axes(x: Node, what: str) -> tuple[int, ...]:
    if x.ndim < 3:
        raise ShapeError(f"{what}: {with_shape(x)} is not (batch, channels, *space)")
    return tuple(range(2, x.ndim))


def _max_pool(x: Any, window: Any, stride: Any, padding: Any, rank: int) -> Node:
    x = build.as_node(x)
    if x.dtype not in FLOATS:
        x = cast(x, current_dtype())
    sizes, strides, padded = _frame(x, window, stride, padding, rank, f"max_pool{rank}d")
    for axis, ends in enumerate(padded, 2):
        x = _surrounded(x, axis, ends)
    parts = windows(x, range(2, rank + 2), sizes, strides, (1,) * rank)
    return movement.reduction("max", parts, range(rank + 2, 2 * rank + 2))


def _avg_pool(
    x: Any, window: Any, stride: Any, padding: Any, count_include_pad: bool, rank: int
) -> Node:
    x = build.as_node(x)
    sizes, strides, padded = _frame(x, window, stride, padding, rank, f"avg_pool{rank}d")

    def means(values: Node) -> Node:
        lead = [(0, 0, 0)] * (values.ndim - rank)
        values = movement.pad(values, [*lead, *((before, after, 0) for before, after in padded)])
        axes = range(len(lead), values.ndim)
        parts = windows(values, axes, sizes, strides, (1,) * rank)
        return build.mean(parts, tuple(range(values.ndim, parts.ndim)))

    if count_include_pad or all(ends == (0, 0) for ends in padded):
        return means(x)
    ones = broadcast_to(constant(1, means(x).dtype), x.shape[2:])
    return build.divide(means(x), means(ones))


def _frame(
    x: Node, window: Any, stride: Any, padding: Any, rank: int, what: str
) -> tuple[tuple[int, ...], tuple[int, ...], Padded]:
    space = space_of(x, rank, what)
    sizes = each(window, rank, "window", what)
    strides = sizes if stride is None else each(stride, rank, "stride", what)
    padded = paddings(padding, space, sizes, strides, what)
    for size, ends in zip(sizes, padded, strict=True):
        if any(isinstance(end, int) and end >= size for end in ends):
            raise ShapeError(f"{what}: padding {padding!r} is not smaller than window {window!r}")
    check_fit(x, sizes, strides, (1,) * rank, padded, what)
    return sizes, strides, padded


def _surrounded(x: Node, axis: int, ends: tuple[Size, Size]) -> Node:
    """x with -inf before and behind an axis."""
    lowest = constant(-math.inf, x.dtype)
    before, after = (
        broadcast_to(lowest, (*x.shape[:axis], end, *x.shape[axis + 1 :])) for end in ends
    )
    return movement.concatenate([before, x, after], axis)
