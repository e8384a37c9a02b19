"""The derivative table: one entry an operation, one line an (operation, argument).

Two kinds of entry, in one vocabulary: ``g`` is the cotangent of the result, ``out`` the node
itself, ``x`` and ``y`` its inputs, ``i`` the number of an input where one rule serves them all.

* Elementwise operations state *partial derivatives* (PARTIALS); those of the scalar functions
  come from :mod:`symdiff.expr.scalars`.  Reverse mode multiplies them by ``g``, forward mode by
  the tangent.
* Everything else states its *adjoint* (ADJOINTS): the cotangent of one input.  None stands for an
  input in which nothing can vary (an index, a condition).

An entry may give a cotangent of the result's shape; the reverse sweep sums it to the input's
shape, once, where cotangents accumulate.  The adjoint of a contraction is a contraction of the
same operands (Laue, Mitterreiter, Giesen 2018, Theorem 8), so one rule does for transposes,
sums, broadcasts and every matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.movement import (
    Padding,
    arange,
    cumsum,
    eye,
    flip,
    pad,
    reduction,
    reshape,
    scatter_add,
    slice_,
    take,
)
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS, cast
from symdiff.expr.ops import OPS
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import Size, shape_size, size_add, size_sub
from symdiff.expr.views import expand_dims, transpose
from symdiff.expr.windows import overlap_add, window

Rule: TypeAlias = Callable[..., "Node | None"]
Entry: TypeAlias = "tuple[Rule | None, ...] | Rule"


def total(x: Node, axes: Sequence[int]) -> Node:
    """The sum over the axes, which stay with size 1."""
    kept = [a for a in range(x.ndim) if a not in axes]
    return expand_dims(contract([x], [range(x.ndim)], kept), tuple(axes))


def _mul(out: Node, i: int) -> Node:
    """The other factors times the power's derivative, which for roots is 0 at 0."""
    factors = list(zip(out.inputs, out.attr("exponents"), strict=True))
    x, e = factors.pop(i)
    if 0 < e < 1:
        lowered = (scalar("reciprocal_or_zero", power_product([(x, 1 - e)])), 1.0)
    else:
        lowered = (x, e - 1)
    return power_product([lowered, *factors], out.attr("coefficient") * e)


def _contract(g: Node, out: Node, i: int) -> Node:
    """The contraction of ``g`` with the other operands, back to the input's indices.

    Where the input is read along a diagonal, its repeated index is told apart by an identity.
    """
    operands, indices = [*out.inputs, g], [*out.attr("indices"), out.attr("out")]
    x, names = operands.pop(i), indices.pop(i)
    sizes: dict[int, Size] = {}
    fresh = 1 + max((n for own in (*indices, names) for n in own), default=0)
    for name, size in zip(names, x.shape, strict=True):
        if name in sizes:
            operands.append(eye(size, g.dtype))
            indices.append((name, fresh))
            name, fresh = fresh, fresh + 1
        sizes[name] = size
    return contract(operands, indices, tuple(sizes), sizes)


def _max(g: Node, out: Node, x: Node) -> Node:
    """Ties share equally."""
    axes = out.attr("axes")
    wins = cast(scalar("eq", x, expand_dims(out, axes)), g.dtype)
    return expand_dims(g, axes) * wins / total(wins, axes)


def _prod(g: Node, out: Node, x: Node) -> Node:
    """``g`` times the product of all the others, which is right, and smooth, at zeros too.

    ``out / x`` is neither; here the others are multiplied with the element itself replaced by 1.
    """
    axes = out.attr("axes")
    order = [*(a for a in range(x.ndim) if a not in axes), *axes]
    moved = transpose(x, order)
    n = shape_size(moved.shape[out.ndim :])
    rows = reshape(moved, (*out.shape, n))
    itself = scalar("eq", expand_dims(arange(n), (1,)), arange(n))
    others = scalar("where", itself, 1.0, expand_dims(rows, (out.ndim,)))
    result = expand_dims(g, (out.ndim,)) * reduction("prod", others, (out.ndim + 1,))
    return transpose(reshape(result, moved.shape), [order.index(a) for a in range(x.ndim)])


def _softmax(g: Node, out: Node, x: Node) -> Node:
    return out * (g - total(out * g, out.attr("axes")))


def _log_softmax(g: Node, out: Node, x: Node) -> Node:
    axes = out.attr("axes")
    return g - reduction("softmax", x, axes) * total(g, axes)


def _logsumexp(g: Node, out: Node, x: Node) -> Node:
    axes = out.attr("axes")
    return expand_dims(g, axes) * reduction("softmax", x, axes)


def _slice(g: Node, out: Node, x: Node) -> Node:
    """Zeros where nothing was taken: before, between and behind."""
    padding: list[Padding] = []
    for size, (start, length, step) in zip(x.shape, out.attr("ranges"), strict=True):
        if length == 0:
            padding.append((size, 0, 0))
            continue
        used: Size = length
        for _ in range(step - 1):
            used = size_add(used, size_sub(length, 1))
        padding.append((start, size_sub(size_sub(size, start), used), step - 1))
    return pad(g, padding)


def _pad(g: Node, out: Node, x: Node) -> Node:
    place = zip(x.shape, out.attr("padding"), strict=True)
    return slice_(g, [(before, size, gap + 1) for size, (before, _, gap) in place])


def _concatenate(g: Node, out: Node, i: int) -> Node:
    """The input's own part."""
    axis = out.attr("axis")
    start: Size = 0
    for x in out.inputs[:i]:
        start = size_add(start, x.shape[axis])
    part = (start, out.inputs[i].shape[axis], 1)
    return slice_(g, [part if a == axis else (0, s, 1) for a, s in enumerate(out.shape)])


def _take(g: Node, out: Node, x: Node, y: Node) -> Node:
    """Duplicate indices accumulate."""
    batch = out.attr("batch")
    return scatter_add(g, y, x.shape[batch], batch)


def _window(g: Node, out: Node, x: Node) -> Node:
    """What several windows see adds up."""
    axes = out.attr("axes")
    lengths = [x.shape[a] for a in axes]
    return overlap_add(g, axes, lengths, out.attr("strides"), out.attr("dilations"))


def _overlap_add(g: Node, out: Node, x: Node) -> Node:
    axes = out.attr("axes")
    return window(g, axes, x.shape[out.ndim :], out.attr("strides"), out.attr("dilations"))


# Partial derivatives of the elementwise operations: (out, *inputs) -> Node.
PARTIALS: dict[str, Entry] = {
    **{name: row.partials for name, row in SCALARS.items()},
    "mul": _mul,
}

# Adjoints of the others: (g, out, *inputs) -> the cotangent of one input.
ADJOINTS: dict[str, Entry] = {
    "add": lambda g, out, i: g * out.attr("coefficients")[i],
    "cast": (lambda g, out, x: cast(g, x.dtype) if out.dtype in FLOATS else None,),
    "contract": _contract,
    "max": (_max,),
    "prod": (_prod,),
    "cumsum": (lambda g, out, x: cumsum(g, out.attr("axis"), not out.attr("reverse")),),
    "softmax": (_softmax,),
    "log_softmax": (_log_softmax,),
    "logsumexp": (_logsumexp,),
    "reshape": (lambda g, out, x: reshape(g, x.shape),),
    "slice": (_slice,),
    "flip": (lambda g, out, x: flip(g, out.attr("axes")),),
    "pad": (_pad,),
    "concatenate": _concatenate,
    "window": (_window,),
    "overlap_add": (_overlap_add,),
    "take": (_take, None),
    "scatter_add": (lambda g, out, x, y: take(g, y, out.attr("batch")), None),
    "one_hot": (None,),
    "stop_gradient": (None,),
}


def _apply(entry: Entry, i: int, inputs: tuple[Node, ...], *first: Node) -> Node | None:
    if not isinstance(entry, tuple):
        return entry(*first, i)
    rule = entry[i]
    return None if rule is None else rule(*first, *inputs)


def partial(out: Node, i: int) -> Node | None:
    """The partial derivative of an elementwise node in its i-th input; None where it is zero."""
    return _apply(PARTIALS[out.op], i, out.inputs, out)


def pullback(g: Node, out: Node, i: int) -> Node | None:
    """What the cotangent ``g`` of a node contributes to its i-th input's; None where nothing.

    The result has the input's shape, or one that broadcasting made of it.
    """
    if out.op in PARTIALS:
        slope = partial(out, i)
        return None if slope is None else g * slope
    return _apply(ADJOINTS[out.op], i, out.inputs, g, out)


def is_linear(out: Node, i: int) -> bool:
    """Whether the operation is linear in its i-th input, the others fixed."""
    linear_in = OPS[out.op].linear_in
    return linear_in is None or i in linear_in
