"""Normalisations, as plain functions over :mod:`symdiff.expr.build`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, broadcast_shapes, shape_text, size_floordiv


def _scaled(name: str, x: Node, gain: Any, offset: Any) -> Node:
    parts = {"gain": gain, "offset": offset}
    _check_fits(name, x, parts)
    if gain is not None:
        x = build.multiply(x, gain)
    return x if offset is None else build.add(x, offset)


def _check_fits(name: str, x: Node, parts: Mapping[str, Any]) -> None:
    """A part that broadcasting would make x larger for is one that has its axis elsewhere."""
    for part, given in parts.items():
        if given is None:
            continue
        node = build.as_node(given)
        try:
            fits = broadcast_shapes(x.shape, node.shape) == x.shape
        except ShapeError:
            fits = False
        if not fits:
            raise ShapeError(
                f"{name}: the {part}, {with_shape(node)}, does not broadcast to the "
                f"{shape_text(x.shape)} of what is normalised"
            )


def _standardized(x: Any, axis: Any, eps: float) -> Node:
    centred = build.subtract(x, build.mean(x, axis, keepdims=True))
    spread = build.add(build.mean(build.square(centred), axis, keepdims=True), eps)
    return build.divide(centred, build.sqrt(spread))


def layer_norm(
    x: Any, gain: Any = None, offset: Any = None, axis: Any = -1, eps: float = 1e-5
) -> Node:
    """(x - mean) / sqrt(var + eps) over ``axis``, times gain, plus offset (Ba et al. 2016)."""
    return _scaled("layer_norm", _standardized(build.as_node(x), axis, eps), gain, offset)


def rms_norm(x: Any, gain: Any = None, axis: Any = -1, eps: float = 1e-6) -> Node:
    """x / sqrt(mean(x²) + eps) over ``axis``, times gain (Zhang and Sennrich 2019)."""
    spread = build.add(build.mean(build.square(x), axis, keepdims=True), eps)
    return _scaled("rms_norm", build.divide(x, build.sqrt(spread)), gain, None)


def group_norm(
    x: Any, groups: int, gain: Any = None, offset: Any = None, eps: float = 1e-5
) -> Node:
    """layer_norm over each of ``groups`` groups of channels (Wu and He 2018).

    x is (batch, channels, *space); gain and offset are (channels,), or have an axis of 1 for each
    axis of space behind.
    """
    x = build.as_node(x)
    if x.ndim < 2:
        raise ShapeError(f"group_norm: {with_shape(x)} is not (batch, channels, ...)")
    batch, channels, *space = x.shape
    if groups < 1 or (channels % groups if isinstance(channels, int) else groups > 1):
        raise ShapeError(f"group_norm: {with_shape(x)} has no {groups} equal groups of channels")
    split = build.reshape(x, (batch, groups, size_floordiv(channels, groups), *space))
    normal = build.reshape(_standardized(split, tuple(range(2, split.ndim)), eps), x.shape)
    over_space = (slice(None), *[None] * len(space))
    parts = [None if p is None else build.as_node(p) for p in (gain, offset)]
    gain, offset = (
        build.index(p, over_space) if p is not None and p.ndim == 1 else p for p in parts
    )
    return _scaled("group_norm", normal, gain, offset)


def batch_norm(
    x: Any, mean: Any, var: Any, gain: Any = None, offset: Any = None, eps: float = 1e-5
) -> Node:
    """(x - mean) / sqrt(var + eps) with the given statistics, times gain, plus offset.

    The inference form of Ioffe and Szegedy 2015: examples stay independent.  All broadcast to x:
    those of channels of (batch, channels, *space) are given as ``mean[:, None, None]``.
    """
    x = build.as_node(x)
    _check_fits("batch_norm", x, {"mean": mean, "variance": var})
    normal = build.divide(build.subtract(x, mean), build.sqrt(build.add(var, eps)))
    return _scaled("batch_norm", normal, gain, offset)
