"""Normalisations, as plain functions over :mod:`symdiff.expr.build`."""

from __future__ import annotations

from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, size_floordiv


def _scaled(x: Node, gain: Any, offset: Any) -> Node:
    if gain is not None:
        x = build.multiply(x, gain)
    return x if offset is None else build.add(x, offset)


def _standardized(x: Any, axis: Any, eps: float) -> Node:
    centred = build.subtract(x, build.mean(x, axis, keepdims=True))
    spread = build.add(build.mean(build.square(centred), axis, keepdims=True), eps)
    return build.divide(centred, build.sqrt(spread))


def layer_norm(
    x: Any, gain: Any = None, offset: Any = None, axis: Any = -1, eps: float = 1e-5
) -> Node:
    """(x - mean) / sqrt(var + eps) over ``axis``, times gain, plus offset (Ba et al. 2016)."""
    return _scaled(_standardized(build.as_node(x), axis, eps), gain, offset)


def rms_norm(x: Any, gain: Any = None, axis: Any = -1, eps: float = 1e-6) -> Node:
    """x / sqrt(mean(x²) + eps) over ``axis``, times gain (Zhang and Sennrich 2019)."""
    spread = build.add(build.mean(build.square(x), axis, keepdims=True), eps)
    return _scaled(build.divide(x, build.sqrt(spread)), gain, None)


def group_norm(
    x: Any, groups: int, gain: Any = None, offset: Any = None, eps: float = 1e-5
) -> Node:
    """layer_norm over each of ``groups`` groups of channels (Wu and He 2018).

    x is (batch, channels, *space); gain and offset are (channels,).
    """
    x = build.as_node(x)
    if x.ndim < 2:
        raise ShapeError(f"group_norm: {with_shape(x)} is not (batch, channels, ...)")
    batch, channels, *space = x.shape
    if groups < 1 or (isinstance(channels, int) and channels % groups):
        raise ShapeError(f"group_norm: {with_shape(x)} has no {groups} equal groups of channels")
    split = build.reshape(x, (batch, groups, size_floordiv(channels, groups), *space))
    normal = build.reshape(_standardized(split, tuple(range(2, split.ndim)), eps), x.shape)
    over_space = (slice(None), *[None] * len(space))
    gain, offset = (
        None if p is None else build.index(build.as_node(p), over_space) for p in (gain, offset)
    )
    return _scaled(normal, gain, offset)


def batch_norm(
    x: Any, mean: Any, var: Any, gain: Any = None, offset: Any = None, eps: float = 1e-5
) -> Node:
    """(x - mean) / sqrt(var + eps) with the given statistics, times gain, plus offset.

    The inference form of Ioffe and Szegedy 2015: examples stay independent.
    """
    normal = build.divide(build.subtract(x, mean), build.sqrt(build.add(var, eps)))
    return _scaled(normal, gain, offset)
