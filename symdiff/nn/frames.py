"""How kernels and pooling windows lie on the space axes of (batch, channels, *space).

Strides, dilations and paddings as users write them, one for all axes or one an axis, and what is
wrong with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symdiff.expr.node import Node, with_shape
from symdiff.expr.ops import window_positions
from symdiff.expr.shapes import (
    ShapeError,
    Size,
    size_add,
    size_floordiv,
    size_mul,
    size_sub,
    size_text,
)

Ends = tuple[int, int]


def space_of(x: Node, rank: int, what: str) -> tuple[Size, ...]:
    """The sizes of the space axes; ShapeError unless there are ``rank`` of them."""
    if x.ndim != rank + 2:
        axes = ("length",) if rank == 1 else ("height", "width")
        raise ShapeError(f"{what}: {with_shape(x)} is not (batch, channels, {', '.join(axes)})")
    return x.shape[2:]


def each(value: Any, rank: int, name: str, what: str, least: int = 1) -> tuple[int, ...]:
    """A whole number an axis, of one for all or of a sequence."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    if len(values) != rank or not all(_is_whole(v) for v in values):
        raise ShapeError(f"{what}: {name} is a whole number or {rank} of them, not {value!r}")
    if min(values) < least:
        raise ShapeError(f"{what}: {name} must be at least {least}, not {value!r}")
    return values


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def span_of(size: Size, dilation: int) -> Size:
    """The elements from the first to the last that a kernel sees."""
    return size_add(size_mul(dilation, size_sub(size, 1)), 1)


def paddings(
    padding: Any,
    space: Sequence[Size],
    spans: Sequence[Size],
    strides: Sequence[int],
    what: str,
) -> list[tuple[Size, Size]]:
    """What is added before and behind each axis.

    ``padding`` is a number for all ends, one an axis, or a pair (before, after) an axis; of one
    axis, (before, after) itself.  "valid" is 0.  "same" gives ceil(L / stride) positions, the
    padding split evenly, what is odd behind, as in TensorFlow and jax.
    """
    rank = len(space)
    if padding == "valid":
        padding = 0
    if padding == "same":
        return [
            _same(length, span, stride, what)
            for length, span, stride in zip(space, spans, strides, strict=True)
        ]
    ends = _ends(padding, rank)
    if ends is None:
        form = "(before, after)" if rank == 1 else "a number or a pair for each axis"
        raise ShapeError(
            f"{what}: padding is a whole number, {form}, 'same' or 'valid', not {padding!r}"
        )
    return [*ends]


def _ends(padding: Any, rank: int) -> list[Ends] | None:
    if _is_whole(padding):
        parts: Sequence[Any] = [padding] * rank
    elif isinstance(padding, (tuple, list)):
        parts = [padding] if rank == 1 and len(padding) == 2 else padding
    else:
        return None
    if len(parts) != rank:
        return None
    pairs = [(part, part) if _is_whole(part) else part for part in parts]
    for pair in pairs:
        is_pair = isinstance(pair, (tuple, list)) and len(pair) == 2
        if not is_pair or not all(_is_whole(end) and end >= 0 for end in pair):
            return None
    return [(before, after) for before, after in pairs]


def _same(length: Size, span: Size, stride: int, what: str) -> tuple[Size, Size]:
    if stride == 1:
        return _halves(size_sub(span, 1))
    if not isinstance(length, int) or not isinstance(span, int):
        raise ShapeError(
            f"{what}: padding='same' with stride {stride} depends on the length of an axis of "
            f"size {size_text(length)}; give the padding in numbers"
        )
    positions = -(-length // stride)
    return _halves(max((positions - 1) * stride + span - length, 0))


def _halves(total: Size) -> tuple[Size, Size]:
    before = size_floordiv(total, 2)
    return before, size_sub(total, before)


def check_fit(
    x: Node,
    sizes: Sequence[Size],
    strides: Sequence[int],
    dilations: Sequence[int],
    padded: Sequence[tuple[Size, Size]],
    what: str,
) -> None:
    """ShapeError where a kernel or window is known to be larger than a padded axis."""
    for axis, (length, size, stride, dilation, ends) in enumerate(
        zip(x.shape[2:], sizes, strides, dilations, padded, strict=True), 2
    ):
        whole = size_add(size_add(ends[0], length), ends[1])
        positions = window_positions(whole, size, stride, dilation)
        if isinstance(positions, int) and positions < 1:
            spread = f" with dilation {dilation}" if dilation != 1 else ""
            raise ShapeError(
                f"{what}: {size_text(size)} elements{spread} do not fit axis {axis} of "
                f"{with_shape(x)}" + (f", padded to {size_text(whole)}" if whole != length else "")
            )
