"""Units with parameters of their own, as plain functions over :mod:`symdiff.expr.build`."""

from __future__ import annotations

from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, size_floordiv


def prelu(x: Any, slope: Any) -> Node:
    """x above 0, slope · x below (He et al. 2015); the slope broadcasts to x."""
    return build.where(build.greater(x, 0.0), x, build.multiply(slope, x))


def maxout(x: Any, pieces: int) -> Node:
    """The largest of each ``pieces`` neighbours along the last axis (Goodfellow et al. 2013).

    x is (..., units·pieces), the pieces of a unit next to each other; the result is (..., units).
    """
    x = build.as_node(x)
    if x.ndim == 0 or pieces < 1 or (isinstance(x.shape[-1], int) and x.shape[-1] % pieces):
        raise ShapeError(f"maxout: {with_shape(x)} has no units of {pieces} pieces")
    units = size_floordiv(x.shape[-1], pieces)
    return build.max(build.reshape(x, (*x.shape[:-1], units, pieces)), axis=-1)


def low_rank(x: Any, u: Any, v: Any) -> Node:
    """x @ U @ V, from the left: the product U V is never formed.

    x is (..., n), U (n, rank), V (rank, units); the result is (..., units).
    """
    return build.matmul(build.matmul(x, u), v)


def dropout(x: Any, mask: Any, rate: float) -> Node:
    """x · mask / (1 - rate): what a mask of 0 and 1 keeps, scaled (Srivastava et al. 2014).

    The mask is data, 1 with probability 1 - rate, and broadcasts to x; the scale makes the
    expectation over masks x itself, as in jax and torch, so that a mask of 1 - rate everywhere
    (no dropout) gives x.  Raises ValueError unless 0 <= rate < 1.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: the rate {rate!r} is not at least 0 and less than 1")
    return build.divide(build.multiply(x, mask), 1.0 - rate)
