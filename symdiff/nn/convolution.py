"""Convolutions and their transposes: windows and one contraction.

What frameworks call convolution is a cross-correlation (Goodfellow, Bengio, Courville, *Deep
Learning*, 9.1): z[n, o, p] = Σ_c Σ_k w[o, c, k] x[n, c, stride p + dilation k].  A transposed
convolution is the adjoint of that map, as a function (Dumoulin and Visin, *A guide to convolution
arithmetic*, 2016).  Groups are an index that x and w share.
"""

from __future__ import annotations

from typing import Any

from symdiff.expr import build, movement
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, Size, size_add, size_floordiv, size_mul, size_sub
from symdiff.expr.windows import overlap_add, window
from symdiff.nn.frames import check_fit, each, paddings, space_of, span_of


def conv1d(
    x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Node:
    """The cross-correlation of x (batch, channels, length) with w (out, channels/groups, size).

    The result is (batch, out, positions); see conv2d.
    """
    return _conv(x, w, stride, padding, dilation, groups, 1)


def conv2d(
    x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Node:
    """The cross-correlation of x (batch, channels, height, width) with the kernels w.

    w is (out, channels/groups, rows, columns) and the result (batch, out, positions, positions),
    of which an axis of length L has (L + padding - dilation (size - 1) - 1) // stride + 1.
    ``stride`` and ``dilation`` are a number or one an axis; ``padding`` is a number, one an axis,
    (before, after) an axis, "valid" (none) or "same" (ceil(L / stride) positions).  Each of the
    ``groups`` reads its own part of the channels and makes its own part of the outputs.

    Raises ShapeError where the channels do not fit or a kernel is larger than the padded input.
    Conventions as torch.nn.functional.conv2d; "same" as jax and TensorFlow.
    """
    return _conv(x, w, stride, padding, dilation, groups, 2)


def conv_transpose1d(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    output_padding: Any = 0,
) -> Node:
    """The adjoint of conv1d in x: w is (channels, out/groups, size); see conv_transpose2d."""
    return _conv_transpose(x, w, stride, padding, dilation, groups, output_padding, 1)


def conv_transpose2d(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    output_padding: Any = 0,
) -> Node:
    """The adjoint of conv2d in x: each element of x adds its multiple of a kernel to the result.

    x is (batch, channels, height, width), w is (channels, out/groups, rows, columns): a conv2d
    whose outputs are the channels of x.  An axis of length L becomes
    (L - 1) stride - padding + dilation (size - 1) + 1 + output_padding, where ``output_padding``,
    less than the stride, tells lengths apart that conv2d maps to the same L.  padding="same" gives
    L·stride.

    Raises ShapeError where the channels do not fit or nothing would be left.  Conventions as
    torch.nn.functional.conv_transpose2d.
    """
    return _conv_transpose(x, w, stride, padding, dilation, groups, output_padding, 2)


def _conv(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int, rank: int) -> Node:
    what = f"conv{rank}d"
    x, w = build.as_node(x), build.as_node(w)
    space = space_of(x, rank, what)
    kernel = _kernel(w, rank, what, "(out, channels/groups, ")
    strides, dilations = each(stride, rank, "stride", what), each(dilation, rank, "dilation", what)
    _check_groups(groups, what)
    outputs = w.shape[0]
    _check_channels(x, w, groups, size_mul(w.shape[1], groups), outputs, what)
    spans = [span_of(size, d) for size, d in zip(kernel, dilations, strict=True)]
    padded = paddings(padding, space, spans, strides, what)
    check_fit(x, kernel, strides, dilations, padded, what)
    # x: batch, group, channel, positions, elements; w: group, out, channel, elements.
    n, g, c, o = 0, 1, 2, 3
    places, elements = range(4, 4 + rank), range(4 + rank, 4 + 2 * rank)
    batch = x.shape[0]
    if groups > 1:
        x, w = _grouped(x, 1, groups), _grouped(w, 0, groups)
    first = x.ndim - rank
    x = movement.pad(x, [(0, 0, 0)] * first + [(before, after, 0) for before, after in padded])
    parts = window(x, range(first, x.ndim), kernel, strides, dilations)
    if groups == 1:
        return contract(
            [parts, w], [(n, c, *places, *elements), (o, c, *elements)], (n, o, *places)
        )
    product = contract(
        [parts, w],
        [(n, g, c, *places, *elements), (g, o, c, *elements)],
        (n, g, o, *places),
    )
    return movement.reshape(product, (batch, outputs, *product.shape[3:]))


def _conv_transpose(
    x: Any,
    w: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    output_padding: Any,
    rank: int,
) -> Node:
    what = f"conv_transpose{rank}d"
    x, w = build.as_node(x), build.as_node(w)
    space = space_of(x, rank, what)
    kernel = _kernel(w, rank, what, "(channels, out/groups, ")
    strides, dilations = each(stride, rank, "stride", what), each(dilation, rank, "dilation", what)
    more = each(output_padding, rank, "output_padding", what, least=0)
    if any(extra >= s for extra, s in zip(more, strides, strict=True)):
        raise ShapeError(f"{what}: output_padding {output_padding!r} is not less than the stride")
    _check_groups(groups, what)
    outputs = size_mul(w.shape[1], groups)
    _check_channels(x, w, groups, w.shape[0], outputs, what)
    spans = [span_of(size, d) for size, d in zip(kernel, dilations, strict=True)]
    whole = [
        size_add(size_add(size_mul(s, size_sub(length, 1)), span), extra)
        for length, s, span, extra in zip(space, strides, spans, more, strict=True)
    ]
    cuts = _cuts(padding, space, spans, strides, whole, what)
    n, g, c, o = 0, 1, 2, 3
    places, elements = range(4, 4 + rank), range(4 + rank, 4 + 2 * rank)
    if groups == 1:
        out = (n, o, *places, *elements)
        parts = contract([x, w], [(n, c, *places), (c, o, *elements)], out)
    else:
        out = (n, g, o, *places, *elements)
        pair = [_grouped(x, 1, groups), _grouped(w, 0, groups)]
        parts = contract(pair, [(n, g, c, *places), (g, c, o, *elements)], out)
        parts = movement.reshape(parts, (x.shape[0], outputs, *parts.shape[3:]))
    result = overlap_add(parts, range(2, rank + 2), whole, strides, dilations)
    keep: list[movement.Range] = [(0, size, 1) for size in result.shape[:2]]
    for length, (before, after) in zip(whole, cuts, strict=True):
        left = size_sub(size_sub(length, before), after)
        if isinstance(left, int) and left < 1:
            raise ShapeError(f"{what}: padding {padding!r} leaves nothing of {with_shape(x)}")
        keep.append((before, left, 1))
    return movement.slice_(result, keep)


def _cuts(
    padding: Any,
    space: tuple[Size, ...],
    spans: list[Size],
    strides: tuple[int, ...],
    whole: list[Size],
    what: str,
) -> list[tuple[Size, Size]]:
    """What is cut off before and behind: what the convolution would have padded."""
    if padding != "same":
        return paddings(padding, space, spans, strides, what)
    cuts: list[tuple[Size, Size]] = []
    for length, s, full in zip(space, strides, whole, strict=True):
        total = size_sub(full, size_mul(length, s))
        if not isinstance(total, int) or total < 0:
            raise ShapeError(
                f"{what}: padding='same' with a kernel shorter than the stride {s}; "
                "give output_padding"
            )
        cuts.append((total // 2, size_sub(total, total // 2)))
    return cuts


def _kernel(w: Node, rank: int, what: str, form: str) -> tuple[Size, ...]:
    if w.ndim != rank + 2:
        sizes = "size)" if rank == 1 else "rows, columns)"
        raise ShapeError(f"{what}: the kernels {with_shape(w)} are not {form}{sizes}")
    return w.shape[2:]


def _check_groups(groups: int, what: str) -> None:
    if groups < 1:
        raise ShapeError(f"{what}: groups must be at least 1, not {groups}")


def _check_channels(
    x: Node, w: Node, groups: int, channels: Size, outputs: Size, what: str
) -> None:
    """ShapeError unless the kernels read the channels of x and the groups divide both sides."""
    if x.shape[1] != channels:
        of = f" in {groups} groups" if groups > 1 else ""
        raise ShapeError(
            f"{what}: the kernels {with_shape(w)} read {channels} channels{of}; "
            f"{with_shape(x)} has {x.shape[1]}"
        )
    for size, kind in ((channels, "channels"), (outputs, "outputs")):
        if isinstance(size, int) and size % groups:
            raise ShapeError(f"{what}: {groups} groups do not divide {size} {kind}")


def _grouped(x: Node, axis: int, groups: int) -> Node:
    """The axis split into groups and what each has."""
    size = size_floordiv(x.shape[axis], groups)
    return movement.reshape(x, (*x.shape[:axis], groups, size, *x.shape[axis + 1 :]))
