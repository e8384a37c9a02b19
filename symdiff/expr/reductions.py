"""Reductions over axes, under NumPy's names: ``axis=None`` means all, ``keepdims`` keeps ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symdiff.expr import movement, views
from symdiff.expr.contraction import contract
from symdiff.expr.elementwise import as_node, divide, negative, sqrt, square, subtract
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import size_node
from symdiff.expr.shapes import ShapeError, Size, normalize_axes, shape_size, size_sub

Axis = int | Sequence[int] | None


def axes_of(x: Node, axis: Axis, what: str) -> tuple[int, ...]:
    return normalize_axes(axis, x.ndim, f"{what} of {with_shape(x)}")


def _kept(result: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
    return views.expand_dims(result, axes) if keepdims else result


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The sum over axes (default: all)."""
    x = as_node(x)
    axes = axes_of(x, axis, "sum")
    out = [a for a in range(x.ndim) if a not in axes]
    return _kept(contract([x], [tuple(range(x.ndim))], out), axes, keepdims)


def _count(x: Node, axes: tuple[int, ...], what: str) -> Size:
    count = shape_size(x.shape[a] for a in axes)
    if count == 0:
        raise ShapeError(f"{what}: {with_shape(x)} has no elements along axes {axes}")
    return count


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The mean over axes."""
    x = as_node(x)
    count = _count(x, axes_of(x, axis, "mean"), "mean")
    return divide(sum(x, axis, keepdims), count if isinstance(count, int) else size_node(count))


def var(x: Any, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Node:
    """The variance over axes, divided by the number of elements less ``ddof``."""
    x = as_node(x)
    squares = square(subtract(x, mean(x, axis, keepdims=True)))
    if not ddof:
        return mean(squares, axis, keepdims)
    free = size_sub(_count(x, axes_of(x, axis, "var"), "var"), ddof)
    if isinstance(free, int) and free <= 0:
        raise ShapeError(f"var: {with_shape(x)} has no more than ddof={ddof} elements along axes")
    return divide(sum(squares, axis, keepdims), free if isinstance(free, int) else size_node(free))


def std(x: Any, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Node:
    """The standard deviation over axes; derivative 0 where it is 0."""
    return sqrt(var(x, axis, keepdims, ddof))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The maximum over axes; ties share the derivative equally."""
    x = as_node(x)
    axes = axes_of(x, axis, "max")
    return _kept(movement.reduction("max", x, axes), axes, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The minimum over axes; ties share the derivative equally."""
    return negative(max(negative(as_node(x)), axis, keepdims))


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The product over axes."""
    x = as_node(x)
    axes = axes_of(x, axis, "prod")
    return _kept(movement.reduction("prod", x, axes), axes, keepdims) if axes else x


def norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The Euclidean norm over axes; derivative 0 at 0."""
    return sqrt(sum(square(x), axis, keepdims))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """log(sum(exp(x))) over axes, shifted by the maximum."""
    x = as_node(x)
    axes = axes_of(x, axis, "logsumexp")
    return _kept(movement.reduction("logsumexp", x, axes), axes, keepdims) if axes else x


def softmax(x: Any, axis: Axis = -1) -> Node:
    """exp(x) / sum(exp(x)) along axes, shifted by the maximum."""
    x = as_node(x)
    return movement.reduction("softmax", x, axes_of(x, axis, "softmax"))


def log_softmax(x: Any, axis: Axis = -1) -> Node:
    """x - logsumexp(x) along axes."""
    x = as_node(x)
    return movement.reduction("log_softmax", x, axes_of(x, axis, "log_softmax"))


def cumsum(x: Any, axis: int | None = None) -> Node:
    """Partial sums along an axis (default: of the flattened array)."""
    x = as_node(x)
    if axis is None:
        x, axis = movement.reshape(x, (shape_size(x.shape),)), 0
    (axis,) = axes_of(x, axis, "cumsum")
    return movement.cumsum(x, axis)
