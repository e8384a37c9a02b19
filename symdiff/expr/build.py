"""What users call: NumPy's names over nodes.

Every function takes nodes, numbers and arrays, broadcasts as NumPy does, and returns a node.
Shapes that do not fit raise ShapeError naming the function, the shapes and the user's leaves.
Here are the leaves and what moves elements; arithmetic, reductions and products come from the
modules beside this one and are offered under one roof.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.expr import movement, views
from symdiff.expr.arrangement import moveaxis, repeat, roll, split, tile
from symdiff.expr.contraction import contract
from symdiff.expr.elementwise import (
    abs,
    absolute,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    as_node,
    clip,
    cos,
    cosh,
    divide,
    equal,
    erf,
    exp,
    exp2,
    expm1,
    greater,
    greater_equal,
    hypot,
    is_number,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    where,
)
from symdiff.expr.indexing import index, take_along_axis
from symdiff.expr.movement import arange, eye, one_hot, stop_gradient
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import (
    cast,
    check_dtype,
    constant,
    current_dtype,
    default_dtype,
    full,
    size_node,
)
from symdiff.expr.products import (
    diag,
    diagonal,
    dot,
    einsum,
    inner,
    matmul,
    outer,
    tensordot,
    trace,
    vdot,
)
from symdiff.expr.reductions import (
    Axis,
    axes_of,
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    std,
    sum,
    var,
)
from symdiff.expr.shapes import (
    Shape,
    ShapeError,
    as_size,
    normalize_axes,
    shape_size,
    size_floordiv,
)

__all__ = [
    "abs",
    "absolute",
    "add",
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "as_node",
    "as_shape",
    "broadcast_to",
    "cast",
    "clip",
    "concatenate",
    "constant",
    "contract",
    "cos",
    "cosh",
    "cumsum",
    "default_dtype",
    "diag",
    "diagonal",
    "divide",
    "dot",
    "einsum",
    "equal",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "eye",
    "flip",
    "full",
    "greater",
    "greater_equal",
    "hypot",
    "index",
    "inner",
    "input",
    "is_number",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "negative",
    "norm",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "outer",
    "pad",
    "parameter",
    "power",
    "prod",
    "ravel",
    "relu",
    "repeat",
    "reshape",
    "roll",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size_node",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "var",
    "vdot",
    "where",
    "zeros",
    "zeros_like",
]


def as_shape(shape: Any) -> Shape:
    """A size or a sequence of sizes as a shape; a negative number other than -1 is refused."""
    if isinstance(shape, (int, str)) or hasattr(shape, "free_symbols"):
        shape = (shape,)
    return tuple(as_size(size) for size in shape)


def input(name: str, shape: Any = (), dtype: str = "float64", **facts: Any) -> Node:
    """Data that is given at call time, with the facts that the spec's [inputs] may declare."""
    declared = tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in facts.items()))
    dtype, shape = check_dtype(dtype), as_shape(shape)
    return Node.make("input", name=name, shape=shape, dtype=dtype, declared=declared)


def parameter(name: str, shape: Any = (), dtype: str = "float64") -> Node:
    """A parameter, with respect to which one differentiates."""
    return Node.make("parameter", name=name, shape=as_shape(shape), dtype=check_dtype(dtype))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Node:
    """The axes permuted; reversed by default."""
    return views.transpose(as_node(x), axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Node:
    """Two axes exchanged."""
    x = as_node(x)
    (a,), (b,) = axes_of(x, axis1, "swapaxes"), axes_of(x, axis2, "swapaxes")
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return views.transpose(x, order)


def reshape(x: Any, shape: Any) -> Node:
    """The same elements in another shape, in C order; one size may be -1."""
    x, wanted = as_node(x), list(as_shape(shape))
    if wanted.count(-1) > 1:
        raise ShapeError(f"reshape of {with_shape(x)}: more than one -1")
    if -1 in wanted:
        at = wanted.index(-1)
        known = shape_size(s for i, s in enumerate(wanted) if i != at)
        total = shape_size(x.shape)
        if known == 0 or (isinstance(known, int) and isinstance(total, int) and total % known):
            raise ShapeError(f"reshape of {with_shape(x)}: no size at -1 fits {tuple(wanted)}")
        wanted[at] = size_floordiv(total, known)
    return movement.reshape(x, tuple(wanted))


def ravel(x: Any) -> Node:
    """All elements along one axis."""
    return reshape(x, -1)


def broadcast_to(x: Any, shape: Any) -> Node:
    """The array repeated to the shape."""
    return views.broadcast_to(as_node(x), as_shape(shape))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Node:
    """Axes of size 1 inserted, at positions of the result."""
    x = as_node(x)
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    return views.expand_dims(x, normalize_axes(given, x.ndim + len(given), "expand_dims"))


def squeeze(x: Any, axis: Axis = None) -> Node:
    """Axes of size 1 removed (default: all of them)."""
    x = as_node(x)
    if axis is None:
        axis = [a for a, size in enumerate(x.shape) if size == 1]
    return views.squeeze(x, axes_of(x, axis, "squeeze"))


def concatenate(xs: Sequence[Any], axis: int = 0) -> Node:
    """Arrays one behind the other along an axis."""
    nodes = [as_node(x) for x in xs]
    if not nodes:
        raise ShapeError("concatenate: no arrays")
    (axis,) = axes_of(nodes[0], axis, "concatenate")
    return movement.concatenate(nodes, axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Node:
    """Arrays of one shape along a new axis."""
    return concatenate([expand_dims(x, axis) for x in xs], axis)


def flip(x: Any, axis: Axis = None) -> Node:
    """The order along the axes reversed."""
    x = as_node(x)
    return movement.flip(x, axes_of(x, axis, "flip"))


def pad(x: Any, pad_width: Any, constant_values: Any = 0) -> Node:
    """Axes lengthened by a number: pad_width is a number, a pair, or a pair an axis."""
    x = as_node(x)
    width = np.asarray(pad_width)
    if width.dtype.kind not in "iu" or (width.size and width.min() < 0):
        raise ShapeError(f"pad: {pad_width!r} is not whole numbers, 0 or more")
    try:
        pairs = np.broadcast_to(width, (x.ndim, 2)).tolist()
    except ValueError:
        raise ShapeError(f"pad: {pad_width!r} does not fit {with_shape(x)}") from None
    padding = [(before, after, 0) for before, after in pairs]
    if is_number(constant_values) and constant_values == 0:
        return movement.pad(x, padding)
    return add(movement.pad(subtract(x, constant_values), padding), constant_values)


def take(x: Any, indices: Any, axis: int | None = None) -> Node:
    """x[indices] along an axis (default: of the flattened array)."""
    x = as_node(x)
    if axis is None:
        x, axis = ravel(x), 0
    (axis,) = axes_of(x, axis, "take")
    return index(x, (*[slice(None)] * axis, indices))


def zeros_like(x: Any) -> Node:
    """Zeros of x's shape and dtype."""
    x = as_node(x)
    return full(x.shape, 0, x.dtype)


def ones_like(x: Any) -> Node:
    """Ones of x's shape and dtype."""
    x = as_node(x)
    return full(x.shape, 1, x.dtype)


def zeros(shape: Any, dtype: str | None = None) -> Node:
    """Zeros."""
    return full(as_shape(shape), 0, dtype or current_dtype())


def ones(shape: Any, dtype: str | None = None) -> Node:
    """Ones."""
    return full(as_shape(shape), 1, dtype or current_dtype())


def tril(x: Any, k: int = 0) -> Node:
    """The lower triangle of the last two axes, zeros above the k-th diagonal."""
    return where(_triangle(x, "tril") <= k, x, 0.0)


def triu(x: Any, k: int = 0) -> Node:
    """The upper triangle of the last two axes, zeros below the k-th diagonal."""
    return where(_triangle(x, "triu") >= k, x, 0.0)


def _triangle(x: Any, what: str) -> Node:
    x = as_node(x)
    if x.ndim < 2:
        raise ShapeError(f"{what}: {with_shape(x)} is not a matrix")
    rows, columns = arange(x.shape[-2]), arange(x.shape[-1])
    return subtract(columns, expand_dims(rows, 1))
