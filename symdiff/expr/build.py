"""What users call: NumPy's names over nodes.

Every function takes nodes, numbers and arrays, broadcasts as NumPy does, and returns a node.
Shapes that do not fit raise ShapeError naming the function, the shapes and the user's leaves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symdiff.expr import movement, views
from symdiff.expr.algebra import (
    FLOATS,
    arithmetic,
    cast,
    check_dtype,
    constant,
    current_dtype,
    default_dtype,
    full,
    linear_combination,
    number_of,
    power_product,
    scalar,
    size_node,
)
from symdiff.expr.contraction import contract
from symdiff.expr.indexing import index, take_along_axis
from symdiff.expr.movement import arange, eye, one_hot, stop_gradient
from symdiff.expr.node import Node, with_shape
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
from symdiff.expr.shapes import (
    Shape,
    ShapeError,
    Size,
    as_size,
    normalize_axes,
    shape_size,
    size_floordiv,
)

__all__ = [
    "arange", "cast", "constant", "contract", "default_dtype", "diag", "diagonal", "dot",
    "einsum", "eye", "full", "index", "inner", "matmul", "one_hot", "outer", "size_node",
    "stop_gradient", "take_along_axis", "tensordot", "trace", "vdot",
]  # fmt: skip

Axis = int | Sequence[int] | None


def as_node(x: Any) -> Node:
    """x as a node: numbers and arrays become constants."""
    return x if isinstance(x, Node) else constant(x)


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


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool)


def _sum_of(terms: Sequence[tuple[Any, float]]) -> Node:
    total, nodes = 0.0, []
    for x, c in terms:
        if _is_number(x):
            total += c * x
        else:
            nodes.append((as_node(x), c))
    return linear_combination(nodes, total)


def add(x: Any, y: Any) -> Node:
    """x + y."""
    return _sum_of([(x, 1.0), (y, 1.0)])


def subtract(x: Any, y: Any) -> Node:
    """x - y."""
    return _sum_of([(x, 1.0), (y, -1.0)])


def negative(x: Any) -> Node:
    """-x."""
    return _sum_of([(x, -1.0)])


def multiply(x: Any, y: Any) -> Node:
    """x * y, elementwise."""
    number, nodes = 1.0, []
    for value in (x, y):
        if _is_number(value):
            number *= value
        else:
            nodes.append((as_node(value), 1.0))
    return power_product(nodes, number)


def divide(x: Any, y: Any) -> Node:
    """x / y, elementwise; whole numbers divide to a float."""
    if _is_number(y):
        if y == 0:
            raise ZeroDivisionError("division by the number 0")
        x = as_node(x)
        return multiply(x if x.dtype in FLOATS else cast(x, current_dtype()), 1.0 / y)
    if _is_number(x):
        return power_product([(as_node(y), -1.0)], float(x))
    return power_product([(as_node(x), 1.0), (as_node(y), -1.0)])


def power(x: Any, y: Any) -> Node:
    """x ** y, elementwise; x ** 0 is 1, x ** 0.5 the square root."""
    exponent = float(y) if _is_number(y) else number_of(y) if isinstance(y, Node) else None
    if exponent is not None and (not isinstance(y, Node) or y.ndim == 0):
        if not math.isfinite(exponent):
            raise ValueError(f"power: the exponent {exponent} is not finite")
        return power_product([(as_node(x), exponent)])
    base = number_of(x) if isinstance(x, Node) and x.ndim == 0 else x if _is_number(x) else None
    if base == math.e:
        return scalar("exp", as_node(y))
    x, y = x if _is_number(x) else as_node(x), as_node(y)
    nodes, _ = arithmetic([v for v in (x, y) if isinstance(v, Node)], whole=False)
    return scalar("pow", *(nodes if isinstance(x, Node) else [float(x), nodes[0]]))


def square(x: Any) -> Node:
    """x ** 2."""
    return power(x, 2)


def sqrt(x: Any) -> Node:
    """The square root; its derivative at 0 is 0 by convention."""
    return power(x, 0.5)


def _as_arguments(*xs: Any) -> list[Any]:
    return [x if isinstance(x, Node) or _is_number(x) else as_node(x) for x in xs]


def maximum(x: Any, y: Any) -> Node:
    """The larger, elementwise; at a tie the derivative is shared, or 0 beside a constant."""
    for a, b in ((x, y), (y, x)):
        value = float(b) if _is_number(b) else number_of(b) if isinstance(b, Node) else None
        if value == 0 and isinstance(a, Node):
            result = scalar("relu", a)
            return result if not isinstance(b, Node) else _as_wide(result, b)
    return scalar("maximum", *_as_arguments(x, y))


def _as_wide(x: Node, other: Node) -> Node:
    from symdiff.expr.shapes import broadcast_shapes

    return views.broadcast_to(x, broadcast_shapes(x.shape, other.shape))


def minimum(x: Any, y: Any) -> Node:
    """The smaller, elementwise; ties as in maximum."""
    return scalar("minimum", *_as_arguments(x, y))


def clip(x: Any, a_min: Any = None, a_max: Any = None) -> Node:
    """x held between a_min and a_max; derivative 0 at the bounds."""
    if a_min is not None:
        x = maximum(x, a_min)
    return as_node(x) if a_max is None else minimum(x, a_max)


def where(condition: Any, x: Any, y: Any) -> Node:
    """x where the condition holds (is not 0), else y."""
    args = _as_arguments(x, y)
    return scalar("where", as_node(condition), *args)


def _compare(op: str, x: Any, y: Any) -> Node:
    return scalar(op, *_as_arguments(x, y))


def less(x: Any, y: Any) -> Node:
    """x < y."""
    return _compare("lt", x, y)


def less_equal(x: Any, y: Any) -> Node:
    """x <= y."""
    return _compare("le", x, y)


def greater(x: Any, y: Any) -> Node:
    """x > y."""
    return _compare("gt", x, y)


def greater_equal(x: Any, y: Any) -> Node:
    """x >= y."""
    return _compare("ge", x, y)


def equal(x: Any, y: Any) -> Node:
    """x == y (the operator itself compares nodes, not values)."""
    return _compare("eq", x, y)


def not_equal(x: Any, y: Any) -> Node:
    """x != y."""
    return _compare("ne", x, y)


def _unary(name: str) -> Any:
    def function(x: Any) -> Node:
        node = as_node(x)
        return scalar(name, node)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}(x), elementwise."
    return function


exp, expm1, log, log1p = _unary("exp"), _unary("expm1"), _unary("log"), _unary("log1p")
sin, cos, tan = _unary("sin"), _unary("cos"), _unary("tan")
sinh, cosh, tanh = _unary("sinh"), _unary("cosh"), _unary("tanh")
arctan, arcsinh, arctanh = _unary("arctan"), _unary("arcsinh"), _unary("arctanh")
erf, sigmoid, softplus = _unary("erf"), _unary("sigmoid"), _unary("softplus")
relu, abs, sign = _unary("relu"), _unary("abs"), _unary("sign")
absolute = abs


def hypot(x: Any, y: Any) -> Node:
    """sqrt(x**2 + y**2) without overflow."""
    return scalar("hypot", *_as_arguments(x, y))


def logaddexp(x: Any, y: Any) -> Node:
    """log(exp(x) + exp(y)), as y + softplus(x - y)."""
    return add(y, scalar("softplus", subtract(x, y)))


# Reductions


def _axes(x: Node, axis: Axis, what: str) -> tuple[int, ...]:
    return normalize_axes(axis, x.ndim, f"{what} of {with_shape(x)}")


def _kept(result: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
    return views.expand_dims(result, axes) if keepdims else result


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The sum over axes (default: all)."""
    x = as_node(x)
    axes = _axes(x, axis, "sum")
    out = [a for a in range(x.ndim) if a not in axes]
    return _kept(contract([x], [tuple(range(x.ndim))], out), axes, keepdims)


def _count(x: Node, axes: tuple[int, ...], what: str) -> Size:
    count = shape_size(x.shape[a] for a in axes)
    if count == 0:
        raise ShapeError(f"{what}: {with_shape(x)} has no elements along axes {axes}")
    return count


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The mean over axes."""
    x = as_node(x)
    count = _count(x, _axes(x, axis, "mean"), "mean")
    return divide(sum(x, axis, keepdims), count if isinstance(count, int) else size_node(count))


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The variance over axes, divided by the number of elements (ddof=0)."""
    x = as_node(x)
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The standard deviation over axes (ddof=0); derivative 0 where it is 0."""
    return sqrt(var(x, axis, keepdims))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The maximum over axes; ties share the derivative equally."""
    x = as_node(x)
    axes = _axes(x, axis, "max")
    return _kept(movement.reduction("max", x, axes), axes, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The minimum over axes; ties share the derivative equally."""
    return negative(max(negative(as_node(x)), axis, keepdims))


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The product over axes."""
    x = as_node(x)
    axes = _axes(x, axis, "prod")
    return _kept(movement.reduction("prod", x, axes), axes, keepdims) if axes else x


def norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """The Euclidean norm over axes; derivative 0 at 0."""
    return sqrt(sum(square(x), axis, keepdims))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Node:
    """log(sum(exp(x))) over axes, shifted by the maximum."""
    x = as_node(x)
    axes = _axes(x, axis, "logsumexp")
    return _kept(movement.reduction("logsumexp", x, axes), axes, keepdims) if axes else x


def softmax(x: Any, axis: Axis = -1) -> Node:
    """exp(x) / sum(exp(x)) along axes, shifted by the maximum."""
    x = as_node(x)
    return movement.reduction("softmax", x, _axes(x, axis, "softmax"))


def log_softmax(x: Any, axis: Axis = -1) -> Node:
    """x - logsumexp(x) along axes."""
    x = as_node(x)
    return movement.reduction("log_softmax", x, _axes(x, axis, "log_softmax"))


def cumsum(x: Any, axis: int | None = None) -> Node:
    """Partial sums along an axis (default: of the flattened array)."""
    x = as_node(x)
    if axis is None:
        x, axis = movement.reshape(x, (shape_size(x.shape),)), 0
    (axis,) = _axes(x, axis, "cumsum")
    return movement.cumsum(x, axis)


# Movement


def transpose(x: Any, axes: Sequence[int] | None = None) -> Node:
    """The axes permuted; reversed by default."""
    return views.transpose(as_node(x), axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Node:
    """Two axes exchanged."""
    x = as_node(x)
    (a,), (b,) = _axes(x, axis1, "swapaxes"), _axes(x, axis2, "swapaxes")
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
    return views.squeeze(x, _axes(x, axis, "squeeze"))


def concatenate(xs: Sequence[Any], axis: int = 0) -> Node:
    """Arrays one behind the other along an axis."""
    nodes = [as_node(x) for x in xs]
    if not nodes:
        raise ShapeError("concatenate: no arrays")
    (axis,) = _axes(nodes[0], axis, "concatenate")
    return movement.concatenate(nodes, axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Node:
    """Arrays of one shape along a new axis."""
    return concatenate([expand_dims(x, axis) for x in xs], axis)


def flip(x: Any, axis: Axis = None) -> Node:
    """The order along the axes reversed."""
    x = as_node(x)
    return movement.flip(x, _axes(x, axis, "flip"))


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
    if _is_number(constant_values) and constant_values == 0:
        return movement.pad(x, padding)
    return add(movement.pad(subtract(x, constant_values), padding), constant_values)


def take(x: Any, indices: Any, axis: int | None = None) -> Node:
    """x[indices] along an axis (default: of the flattened array)."""
    x = as_node(x)
    if axis is None:
        x, axis = ravel(x), 0
    (axis,) = _axes(x, axis, "take")
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


__all__ += [
    name
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and name[0] != "_"
]
