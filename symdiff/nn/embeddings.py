"""Rows of a table by number: embeddings, with a frozen row for padding, one by one or in bags."""

from __future__ import annotations

from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError

MODES = ("sum", "mean")


def embedding(table: Any, ids: Any, padding_idx: int | None = None) -> Node:
    """The rows of ``table`` at ``ids``: table[ids], of shape (*ids.shape, *table.shape[1:]).

    The row ``padding_idx`` (from the end if negative) is frozen: it is looked up like any other,
    and gets no gradient through this embedding, as in torch.nn.Embedding.
    """
    table, ids = build.as_node(table), build.as_node(ids)
    rows = build.index(table, ids)
    if padding_idx is None:
        return rows
    kept = build.not_equal(ids, _row(table, padding_idx))
    kept = build.expand_dims(kept, range(ids.ndim, rows.ndim))
    return build.where(kept, rows, build.stop_gradient(build.index(table, padding_idx)))


def embedding_bag(
    table: Any, ids: Any, weights: Any = None, mode: str = "sum", padding_idx: int | None = None
) -> Node:
    """The sum or the mean of the rows of each bag: ids (..., bag) gives (..., features).

    ``weights``, of the shape of ids or broadcast to it, multiply the rows; a mask is weights of 0
    and 1.  The mean is the weighted one, Σ w·row / Σ w.  Entries equal to ``padding_idx`` count
    nothing, in sum and mean, as in torch.nn.EmbeddingBag.  A bag without entries gives 0.
    """
    table, ids = build.as_node(table), build.as_node(ids)
    if mode not in MODES:
        raise ValueError(f"embedding_bag: mode {mode!r} is neither 'sum' nor 'mean'")
    if table.ndim != 2 or ids.ndim < 1:
        raise ShapeError(
            f"embedding_bag: {with_shape(table)} is to be (rows, features) and {with_shape(ids)} "
            "(..., bag)"
        )
    if weights is not None:
        weights = build.broadcast_to(weights, ids.shape)
    if padding_idx is not None:
        counts = build.cast(build.not_equal(ids, _row(table, padding_idx)), table.dtype)
        weights = counts if weights is None else build.multiply(weights, counts)
    rows = build.index(table, ids)
    if weights is None:
        return (build.sum if mode == "sum" else build.mean)(rows, axis=-2)
    total = build.sum(build.multiply(build.expand_dims(weights, ids.ndim), rows), axis=-2)
    if mode == "sum":
        return total
    count = build.sum(weights, axis=-1, keepdims=True)
    return build.divide(total, build.where(build.equal(count, 0.0), 1.0, count))


def _row(table: Node, row: int) -> Any:
    """The number of a row, from the start."""
    size = table.shape[0]
    if isinstance(size, int) and not -size <= row < size:
        raise ShapeError(f"embedding: padding_idx {row} is no row of {with_shape(table)}")
    if row >= 0:
        return row
    return size + row if isinstance(size, int) else build.size_node(size, "int64") + row
