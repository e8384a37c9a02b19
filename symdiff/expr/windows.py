"""Windows: the pieces of an array that a small frame sees as it moves along some axes.

Convolution, pooling and their derivatives are this one linear operation and its adjoint, with
contractions and reductions around them.  A frame that moves by its own width, that is one element
wide, or that fits once only makes no windows that overlap: those are slices and reshapes, and the
constructors make them so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.movement import Padding, Range, linear, pad, reshape, slice_
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import cast
from symdiff.expr.ops import window_positions
from symdiff.expr.shapes import ShapeError, Size, size_add, size_mul, size_sub, size_text
from symdiff.expr.views import broadcast_to, is_view, transpose


@dataclass(frozen=True)
class Frame:
    """How a frame moves along one axis of the given length."""

    axis: int
    length: Size
    size: Size
    stride: int
    dilation: int
    positions: Size

    @property
    def overlaps(self) -> bool:
        """Whether the windows are more than a slice, reshaped."""
        apart = self.stride == self.size and self.dilation == 1
        return not apart and self.size != 1 and self.positions != 1

    @property
    def used(self) -> Range:
        """The elements that the windows see, where they do not overlap."""
        if self.size == 1:
            return (0, self.positions, self.stride)
        if self.positions == 1:
            return (0, self.size, self.dilation)
        return (0, size_mul(self.positions, self.size), 1)

    @property
    def unused(self) -> Padding:
        """The elements behind and between those that the windows see."""
        _, count, step = self.used
        span = size_add(size_mul(step, size_sub(count, 1)), 1)
        return (0, size_sub(self.length, span), step - 1)


def _frames(
    lengths: Sequence[Size],
    axes: Sequence[int],
    sizes: Sequence[Size],
    strides: Sequence[int],
    dilations: Sequence[int],
    what: str,
) -> list[Frame]:
    if min((*strides, *dilations, *(s for s in sizes if isinstance(s, int))), default=1) < 1:
        raise ShapeError(f"{what}: sizes, strides and dilations are at least 1")
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{what}: axes {tuple(axes)} name one axis twice")
    frames = []
    for axis, length, size, stride, dilation in zip(
        axes, lengths, sizes, strides, dilations, strict=True
    ):
        positions = window_positions(length, size, stride, dilation)
        if isinstance(positions, int) and positions < 1:
            spread = f" with dilation {dilation}" if dilation != 1 else ""
            raise ShapeError(
                f"{what}: a window of {size_text(size)}{spread} does not fit axis {axis}, "
                f"which has {size_text(length)} elements"
            )
        frames.append(Frame(axis, length, size, stride, dilation, positions))
    return frames


def window(
    x: Node,
    axes: Sequence[int],
    sizes: Sequence[Size],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Node:
    """Every window of the given sizes: axes become positions, the windows' own axes come last.

    Element k of the window at position p is ``x[p * stride + k * dilation]``; an axis of length L
    has (L - dilation (size - 1) - 1) // stride + 1 positions.

    Raises ShapeError where a window does not fit.
    """
    what = f"window of {with_shape(x)}"
    frames = _frames([x.shape[a] for a in axes], axes, sizes, strides, dilations, what)
    if is_view(x) and x.inputs[0].ndim == 0:
        shape = list(x.shape)
        for frame in frames:
            shape[frame.axis] = frame.positions
        return broadcast_to(x.inputs[0], (*shape, *sizes))
    apart = {frame.axis: frame for frame in frames if not frame.overlaps}
    x = slice_(x, [apart[a].used if a in apart else (0, s, 1) for a, s in enumerate(x.shape)])
    starts, shape = _split(x.shape, apart)
    core = reshape(x, tuple(shape))
    rest = [frame for frame in frames if frame.overlaps]
    if rest:
        attributes = {
            "axes": tuple(starts[frame.axis] for frame in rest),
            "sizes": tuple(frame.size for frame in rest),
            "strides": tuple(frame.stride for frame in rest),
            "dilations": tuple(frame.dilation for frame in rest),
        }
        core = linear(core, lambda inner: Node.make("window", [inner], **attributes))
    return transpose(core, _places(frames, starts, len(shape)))


def _split(shape: Sequence[Size], apart: dict[int, Frame]) -> tuple[list[int], list[Size]]:
    """The shape with an axis of positions and one of elements for each frame that is apart.

    Returns where each of the axes then begins, too.
    """
    starts: list[int] = []
    result: list[Size] = []
    for axis, size in enumerate(shape):
        starts.append(len(result))
        frame = apart.get(axis)
        result += [size] if frame is None else [frame.positions, frame.size]
    return starts, result


def _places(frames: Sequence[Frame], starts: Sequence[int], rank: int) -> list[int]:
    """Where the axes of the result stand after the split, the windows' own axes last."""
    own, overlapping = [], rank
    for frame in frames:
        own.append(overlapping if frame.overlaps else starts[frame.axis] + 1)
        overlapping += frame.overlaps
    return [*starts, *own]


def overlap_add(
    g: Node,
    axes: Sequence[int],
    lengths: Sequence[Size],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Node:
    """The adjoint of window: windows added up at their places, into axes of the given lengths.

    The windows' own axes are the last of ``g``, one for each of ``axes``.  What no window sees is
    0.

    Raises ShapeError where the numbers of positions are not those that the lengths allow.
    """
    what = f"overlap_add of {with_shape(g)}"
    first = g.ndim - len(axes)
    sizes = g.shape[first:]
    frames = _frames(lengths, axes, sizes, strides, dilations, what)
    for frame in frames:
        if frame.positions != g.shape[frame.axis]:
            raise ShapeError(
                f"{what}: axis {frame.axis} has {size_text(g.shape[frame.axis])} positions where "
                f"{size_text(frame.positions)} fit"
            )
    if g.dtype == "bool":
        g = cast(g, "int64")
    apart = {frame.axis: frame for frame in frames if not frame.overlaps}
    rest = [frame for frame in frames if frame.overlaps]
    starts, shape = _split(g.shape[:first], apart)
    places = _places(frames, starts, len(shape))
    core = transpose(g, [places.index(a) for a in range(g.ndim)])
    if rest:
        attributes = {
            "axes": tuple(starts[frame.axis] for frame in rest),
            "lengths": tuple(frame.length for frame in rest),
            "strides": tuple(frame.stride for frame in rest),
            "dilations": tuple(frame.dilation for frame in rest),
        }
        core = linear(core, lambda inner: Node.make("overlap_add", [inner], **attributes))
    overlapped = {frame.axis: frame.length for frame in rest}
    joined = [
        overlapped[a] if a in overlapped else apart[a].used[1] if a in apart else g.shape[a]
        for a in range(first)
    ]
    joined_core = reshape(core, tuple(joined))
    return pad(joined_core, [apart[a].unused if a in apart else (0, 0, 0) for a in range(first)])
