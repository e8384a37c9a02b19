"""Attention over a sequence (Vaswani et al. 2017), as products and a softmax.

The heads are an axis that the features are split into, so that one product serves all of them and
the queries', keys' and values' weights stay single matrices.
"""

from __future__ import annotations

from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, shape_text, size_floordiv, size_text

# What is no key's score: far below any, and finite, so that a row without keys has no NaN.
_LOWEST = -1e30


def attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    causal: bool = False,
    heads: int = 1,
    scale: Any = None,
) -> Node:
    """softmax(scale · query keyᵀ) value for each head, the heads' results side by side.

    query is (..., queries, heads·d), key (..., keys, heads·d), value (..., keys, heads·m); the
    result is (..., queries, heads·m).  ``scale`` is 1/√d by default.  ``mask`` broadcasts to
    (..., queries, keys), the same for every head: a query sees the keys where it is true, or not
    0.  A mask of keys alone, of shape (batch, keys), is given as ``mask[:, None, :]``.  ``causal``
    lets query t see keys 0…t only.  A query that sees no key gets 0, and has no gradient.

    Raises ShapeError where sizes differ or the heads do not divide them.  Definitions as in
    jax.nn.dot_product_attention and torch's scaled_dot_product_attention.
    """
    q, k, v = build.as_node(query), build.as_node(key), build.as_node(value)
    _check(q, k, v, heads)
    q, k, v = (_split(x, heads) for x in (q, k, v))
    scores = build.matmul(q, build.swapaxes(k, -1, -2))
    if scale is None:
        scale = build.power(_number(q.shape[-1]), -0.5)
    scores = build.multiply(scores, scale)
    seen = None if mask is None else build.not_equal(_per_head(mask, heads), 0)
    if seen is not None:
        _check_mask(build.as_node(mask), seen, scores)
    if causal:
        rows = build.expand_dims(build.arange(q.shape[-2]), 1)
        past = build.less_equal(build.arange(k.shape[-2]), rows)
        scores = build.where(past, scores, _LOWEST)
    if seen is not None:
        scores = build.where(seen, scores, _LOWEST)
    mixed = build.matmul(build.softmax(scores), v)
    if seen is not None:
        both = build.multiply(seen, past) if causal else seen
        sees_any = build.greater(build.max(build.cast(both, "int64"), axis=-1, keepdims=True), 0)
        mixed = build.where(sees_any, mixed, 0.0)
    return _joined(mixed, heads)


def _number(size: Any) -> Node:
    return build.constant(float(size)) if isinstance(size, int) else build.size_node(size)


def _check(q: Node, k: Node, v: Node, heads: int) -> None:
    if min(x.ndim for x in (q, k, v)) < 2:
        raise ShapeError(
            f"attention: {with_shape(q)}, {with_shape(k)} and {with_shape(v)} must each be "
            "(..., time, features)"
        )
    if q.shape[-1] != k.shape[-1]:
        raise ShapeError(f"attention: queries {with_shape(q)} and keys {with_shape(k)} differ")
    if k.shape[-2] != v.shape[-2]:
        raise ShapeError(f"attention: keys {with_shape(k)} and values {with_shape(v)} differ")
    for x in (q, v):
        if heads < 1 or (isinstance(x.shape[-1], int) and x.shape[-1] % heads):
            raise ShapeError(
                f"attention: {heads} heads do not divide {with_shape(x)}'s "
                f"{size_text(x.shape[-1])} features"
            )


def _check_mask(mask: Node, seen: Node, scores: Node) -> None:
    try:
        fits = build.where(seen, scores, 0.0).shape == scores.shape
    except ShapeError:
        fits = False
    if not fits:
        raise ShapeError(
            f"attention: the mask {with_shape(mask)} does not fit the queries and keys, "
            f"{shape_text(scores.shape)}; a mask of keys alone is given as mask[:, None, :]"
        )


def _split(x: Node, heads: int) -> Node:
    """(..., time, heads·d) as (..., heads, time, d)."""
    if heads == 1:
        return x
    *lead, features = x.shape
    split = build.reshape(x, (*lead, heads, size_floordiv(features, heads)))
    return build.swapaxes(split, -2, -3)


def _joined(x: Node, heads: int) -> Node:
    """(..., heads, time, d) as (..., time, heads·d)."""
    if heads == 1:
        return x
    apart = build.swapaxes(x, -2, -3)
    return build.reshape(apart, (*apart.shape[:-2], -1))


def _per_head(mask: Any, heads: int) -> Node:
    """The mask with an axis for the heads."""
    mask = build.as_node(mask)
    return mask if heads == 1 or mask.ndim < 3 else build.expand_dims(mask, mask.ndim - 2)
