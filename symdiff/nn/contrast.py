"""Contrasts of vectors within one example, and sums over the positions that a mask leaves.

Vectors are along the last axis.  Contrasts between the examples of a batch mix them; these compare
what belongs to one example, so that its gradient is its own.
"""

from __future__ import annotations

from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node, with_shape
from symdiff.expr.reductions import Axis
from symdiff.expr.shapes import ShapeError


def cosine_similarity(a: Any, b: Any, axis: int = -1, eps: float = 1e-8) -> Node:
    """a·b / max(‖a‖ ‖b‖, eps) along an axis."""
    norms = build.multiply(build.norm(a, axis), build.norm(b, axis))
    return build.divide(build.sum(build.multiply(a, b), axis), build.maximum(norms, eps))


def contrastive(a: Any, b: Any, y: Any, margin: float = 1.0) -> Node:
    """y d² + (1 - y) max(0, margin - d)² with d = ‖a - b‖ (Hadsell et al. 2006).

    a and b are (..., features); y (...) is 1 for pairs that belong together, else 0.
    """
    far = build.norm(build.subtract(a, b), axis=-1)
    near = build.sum(build.square(build.subtract(a, b)), axis=-1)
    apart = build.square(build.relu(build.subtract(margin, far)))
    y = build.as_node(y)
    return build.add(build.multiply(y, near), build.multiply(build.subtract(1.0, y), apart))


def triplet(anchor: Any, positive: Any, negative: Any, margin: float = 1.0) -> Node:
    """max(0, ‖anchor - positive‖² - ‖anchor - negative‖² + margin) (Schroff et al. 2015)."""
    near, far = (
        build.sum(build.square(build.subtract(anchor, other)), axis=-1)
        for other in (positive, negative)
    )
    return build.relu(build.add(build.subtract(near, far), margin))


def info_nce(anchor: Any, candidates: Any, temperature: Any = 1.0) -> Node:
    """-log of the softmax probability of candidate 0 (van den Oord et al. 2018).

    anchor is (..., features), candidates (..., count, features), the right one first; scores are
    dot products divided by the temperature.  The others are negatives of the same example.
    """
    anchor, candidates = build.as_node(anchor), build.as_node(candidates)
    if candidates.ndim != anchor.ndim + 1:
        raise ShapeError(
            f"info_nce: {with_shape(candidates)} has no axis of candidates beside those of "
            f"{with_shape(anchor)}"
        )
    dots = build.sum(build.multiply(build.expand_dims(anchor, anchor.ndim - 1), candidates), -1)
    logs = build.log_softmax(build.divide(dots, temperature))
    return build.negative(build.index(logs, (Ellipsis, 0)))


def masked_sum(x: Any, mask: Any, axis: Axis = -1) -> Node:
    """Σ x over an axis, where the mask is not 0; what stands elsewhere does not matter."""
    return build.sum(build.where(build.not_equal(mask, 0), x, 0.0), axis)


def masked_mean(x: Any, mask: Any, axis: Axis = -1) -> Node:
    """The mean of x over an axis, where the mask is not 0; 0 where it is 0 everywhere.

    The mask has the shape of x, or broadcasts to it.
    """
    x = build.as_node(x)
    mask = build.broadcast_to(build.not_equal(mask, 0), x.shape)
    count = build.sum(build.cast(mask, x.dtype), axis)
    return build.divide(masked_sum(x, mask, axis), build.maximum(count, 1.0))
