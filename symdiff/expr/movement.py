"""Constructors of movement, selection and the composites, in node-local normal form.

Operations that are linear let numbers and 0-d factors out in front; a movement that moves nothing
is its operand; movements of the same kind in a row are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symdiff.expr.algebra import power_product, split_product
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import (
    FLOATS,
    arithmetic,
    cast,
    constant,
    current_dtype,
)
from symdiff.expr.shapes import (
    Shape,
    ShapeError,
    Size,
    shape_size,
    shape_text,
    size_add,
    size_floordiv,
    size_mul,
    size_sub,
    size_text,
)
from symdiff.expr.views import broadcast_to, expand_dims, is_view, make_view, rewrap

Range = tuple[Size, Size, int]
Padding = tuple[Size, Size, int]


def split_scale(node: Node) -> tuple[float, list[tuple[Node, float]], Node]:
    """node as number * 0-d factors * rest; rest is the node where nothing comes out."""
    inner = node.inputs[0] if is_view(node) else node
    if inner.op != "mul" or inner.ndim == 0:
        return 1.0, [], node
    number, zero_d, rest = split_product(inner)
    if rest is inner or len(zero_d) == len(inner.inputs):
        return 1.0, [], node
    if inner is not node:
        rest = rewrap(node, rest)
    return number, zero_d, rest


def linear(node: Node, make: Callable[[Node], Node]) -> Node:
    """``make`` of the node with its number and 0-d factors outside."""
    number, factors, rest = split_scale(node)
    if rest is node:
        return make(node)
    return power_product([*factors, (make(rest), 1.0)], number)


def reshape(x: Node, shape: Shape) -> Node:
    """x with the same elements in another shape, in C order.

    Raises ShapeError if the numbers of elements differ.
    """
    if x.shape == shape:
        return x
    if shape_size(shape) != shape_size(x.shape):
        raise ShapeError(f"reshape: {with_shape(x)} does not have {shape_text(shape)}'s elements")
    if x.op == "reshape":
        return reshape(x.inputs[0], shape)
    if [s for s in x.shape if s != 1] == [s for s in shape if s != 1]:
        kept = iter([a for a, s in enumerate(x.shape) if s != 1])
        fresh = iter(range(x.ndim, x.ndim + len(shape)))
        out = [next(fresh) if s == 1 else next(kept) for s in shape]
        return make_view(x, range(x.ndim), out, shape)
    if is_view(x) and x.inputs[0].ndim == 0:
        return broadcast_to(x.inputs[0], shape)
    return linear(x, lambda core: Node.make("reshape", [core], shape=shape))


def slice_(x: Node, ranges: Sequence[Range]) -> Node:
    """Elements start, start + step, … (length of them) along each axis; steps are positive."""
    ranges = tuple(ranges)
    if all(
        start == 0 and step == 1 and length == size
        for (start, length, step), size in zip(ranges, x.shape, strict=True)
    ):
        return x
    if x.op == "slice":
        merged = tuple(
            (size_add(s0, size_mul(d0, s1)), n1, d0 * d1)
            for (s0, _, d0), (s1, n1, d1) in zip(x.attr("ranges"), ranges, strict=True)
        )
        return slice_(x.inputs[0], merged)
    if is_view(x) and x.inputs[0].ndim == 0:
        return broadcast_to(x.inputs[0], tuple(n for _, n, _ in ranges))
    return linear(x, lambda core: Node.make("slice", [core], ranges=ranges))


def flip(x: Node, axes: Sequence[int]) -> Node:
    """The order of elements reversed along the axes."""
    axes = tuple(sorted(a for a in axes if x.shape[a] != 1))
    if not axes:
        return x
    if x.op == "flip":
        return flip(x.inputs[0], sorted(set(axes) ^ set(x.attr("axes"))))
    return linear(x, lambda core: Node.make("flip", [core], axes=axes))


def pad(x: Node, padding: Sequence[Padding]) -> Node:
    """Zeros before and after each axis, and ``interior`` many between neighbours."""
    padding = tuple(padding)
    if all(p == (0, 0, 0) for p in padding):
        return x
    if x.dtype == "bool":
        raise TypeError("pad: truth values cannot be padded with zeros")
    return linear(x, lambda core: Node.make("pad", [core], padding=padding))


def concatenate(xs: Sequence[Node], axis: int) -> Node:
    """The arrays one behind the other along an axis.

    Raises ShapeError if they differ off that axis.
    """
    inputs = [x for x in xs if x.shape[axis] != 0] or list(xs[:1])
    if any(x.ndim != xs[0].ndim for x in xs):
        names = " and ".join(with_shape(x) for x in xs)
        raise ShapeError(f"concatenate: {names} differ in rank")
    if len(inputs) == 1:
        return inputs[0]
    if len({x.dtype for x in inputs}) > 1:
        inputs, _ = arithmetic(inputs)
    return Node.make("concatenate", inputs, axis=axis)


def take(x: Node, idx: Node, batch: int = 0) -> Node:
    """x (B…, n, R…) at idx (B…, I…) of whole numbers: (B…, I…, R…); B has ``batch`` axes.

    ``batch=0`` is numpy.take along axis 0; ``take(z, y, batch=1)`` is ``z[arange(m), y]``.
    """
    if idx.dtype != "int64":
        raise TypeError(f"take: {with_shape(idx)} holds {idx.dtype}, not whole numbers")
    if idx.op == "arange" and idx.attr("n") == x.shape[0] and batch == 0:
        return x
    return linear(x, lambda core: Node.make("take", [core, idx], batch=batch))


def scatter_add(g: Node, idx: Node, n: Size, batch: int = 0) -> Node:
    """The adjoint of take: rows of g added at their indices into zeros; duplicates accumulate.

    One place a row, known not to wrap, is a scaled one_hot.
    """
    if batch == idx.ndim == g.ndim and idx.facts.nonnegative:
        hot = one_hot(idx, n, g.dtype)
        return power_product([(expand_dims(g, (g.ndim,)), 1.0), (hot, 1.0)])
    return linear(g, lambda core: Node.make("scatter_add", [core, idx], batch=batch, n=n))


def one_hot(idx: Node, n: Size, dtype: str | None = None) -> Node:
    """1 at the index, 0 elsewhere, along a new last axis of size n; out of range gives zeros."""
    if idx.dtype not in ("int64",):
        raise TypeError(f"one_hot: {with_shape(idx)} holds {idx.dtype}, not whole numbers")
    return Node.make("one_hot", [idx], n=n, dtype=dtype or current_dtype())


def arange(n: Size) -> Node:
    """0, 1, …, n - 1."""
    return Node.make("arange", n=n)


def eye(n: Size, dtype: str | None = None) -> Node:
    """The identity matrix."""
    return one_hot(arange(n), n, dtype)


def stop_gradient(x: Node | int | float) -> Node:
    """x, with derivative zero."""
    if not isinstance(x, Node):
        return constant(x)
    if x.op in ("stop_gradient", "constant", "size", "arange", "one_hot"):
        return x
    return Node.make("stop_gradient", [x])


def cumsum(x: Node, axis: int, reverse: bool = False) -> Node:
    """Partial sums along an axis, from its end if ``reverse``."""
    if x.dtype == "bool":
        x = cast(x, "int64")
    return linear(x, lambda core: Node.make("cumsum", [core], axis=axis, reverse=reverse))


def reduction(op: str, x: Node, axes: Sequence[int]) -> Node:
    """max, prod, logsumexp (axes removed) or softmax, log_softmax over the axes."""
    axes = tuple(axes)
    if op == "max" and not axes:
        return x
    if op in ("softmax", "log_softmax", "logsumexp") and x.dtype not in FLOATS:
        x = cast(x, current_dtype())
    if op == "max" and any(x.shape[a] == 0 for a in axes):
        raise ShapeError(f"max: {with_shape(x)} has no elements along axes {axes}")
    return Node.make(op, [x], axes=axes)


def normalize_slice(key: slice, size: Size, what: str) -> tuple[Range, bool]:
    """A Python slice as (start, length, step > 0) and whether the result is then flipped.

    Bounds of a symbolic axis may be missing, symbolic, or whole numbers counted from either end;
    whether they are in range is then known only at run time, and a symbolic axis is taken to be
    long enough.  Raises ShapeError for what cannot be decided.
    """
    step = 1 if key.step is None else key.step
    if not isinstance(step, int) or step == 0:
        raise ShapeError(f"{what}: the step of a slice is a whole number other than 0")
    if isinstance(size, int) and all(isinstance(b, int | None) for b in (key.start, key.stop)):
        start, stop, _ = key.indices(size)
        length = len(range(start, stop, step))
        if step > 0 or length == 0:
            return (start if length else 0, length, abs(step)), False
        return (start + (length - 1) * step, length, -step), True

    def place(bound: Size | None, default: Size) -> Size:
        if bound is None:
            return default
        return size_add(size, bound) if isinstance(bound, int) and bound < 0 else bound

    if step == -1 and key.start is None and key.stop is None:
        return (0, size, 1), True
    if step < 0:
        raise ShapeError(f"{what}: a slice with step {step} of an axis of size {size_text(size)}")
    start_, stop_ = place(key.start, 0), place(key.stop, size)
    span = size_sub(stop_, start_)
    if isinstance(span, int):
        span = max(span, 0)
    if step == 1:
        return (start_, span, 1), False
    return (start_, size_floordiv(size_add(span, step - 1), step), step), False


def zeros(shape: Shape, dtype: str) -> Node:
    """Zeros of a shape."""
    return broadcast_to(constant(0, dtype), shape)
