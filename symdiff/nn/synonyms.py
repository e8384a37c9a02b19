"""What users of NumPy and scipy.special write for functions that have another name here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symdiff.expr import build
from symdiff.expr.algebra import scalar
from symdiff.expr.node import Node
from symdiff.expr.reductions import Axis
from symdiff.expr.shapes import Shape

_ROOT_HALF = math.sqrt(0.5)


def reciprocal(x: Any) -> Node:
    """1 / x, elementwise."""
    return build.power(x, -1)


def cbrt(x: Any) -> Node:
    """The cube root, elementwise, negative where x is; derivative 0 at 0."""
    return build.sign(x) * build.power(build.abs(x), 1 / 3)


def logit(p: Any) -> Node:
    """log(p / (1 − p)), elementwise: the inverse of the sigmoid."""
    return build.log(p / build.subtract(1, p))


def xlogy(x: Any, y: Any) -> Node:
    """x log y, and 0 where x is 0, elementwise."""
    nothing = build.equal(x, 0)
    return build.where(nothing, 0.0, build.multiply(x, build.log(build.where(nothing, 1.0, y))))


def xlog1py(x: Any, y: Any) -> Node:
    """x log(1 + y), and 0 where x is 0, elementwise."""
    nothing = build.equal(x, 0)
    return build.where(nothing, 0.0, build.multiply(x, build.log1p(build.where(nothing, 0.0, y))))


def entr(x: Any) -> Node:
    """−x log x, and 0 where x is 0, elementwise; for x ≥ 0."""
    return -xlogy(x, x)


def rel_entr(x: Any, y: Any) -> Node:
    """x log(x / y), and 0 where x is 0, elementwise; for x ≥ 0 and y > 0."""
    return xlogy(x, x) - xlogy(x, y)


def kl_div(x: Any, y: Any) -> Node:
    """x log(x / y) − x + y, elementwise; for x ≥ 0 and y > 0."""
    return build.add(build.subtract(rel_entr(x, y), x), y)


def erfc(x: Any) -> Node:
    """1 − erf(x), elementwise, right where that is next to nothing."""
    return scalar("erfc", build.as_node(x))


def ndtr(x: Any) -> Node:
    """Φ(x), the share of a standard normal distribution below x, elementwise."""
    return build.multiply(0.5, erfc(build.multiply(-_ROOT_HALF, x)))


def log_ndtr(x: Any) -> Node:
    """log Φ(x), elementwise, finite at any x."""
    return build.subtract(scalar("log_erfc", build.multiply(-_ROOT_HALF, x)), math.log(2))


def sinc(x: Any) -> Node:
    """sin(πx) / (πx), and 1 at 0, elementwise."""
    nothing = build.equal(x, 0)
    angle = build.multiply(math.pi, build.where(nothing, 1.0, x))
    return build.where(nothing, 1.0, build.divide(build.sin(angle), angle))


def heaviside(x: Any, h: Any) -> Node:
    """0 below 0, h at 0 and 1 above, elementwise."""
    return build.where(build.equal(x, 0), h, build.greater(x, 0) * 1.0)


def average(a: Any, axis: Axis = None, weights: Any = None) -> Node:
    """The mean over axes, or the weighted mean with weights of a's shape."""
    if weights is None:
        return build.mean(a, axis)
    a, weights = build.as_node(a), build.as_node(weights)
    if weights.shape != a.shape:
        raise ValueError(f"average: weights of shape {weights.shape} for an array of {a.shape}")
    return build.sum(a * weights, axis) / build.sum(weights, axis)


def linalg_norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Node:
    """numpy.linalg.norm: Euclidean over axes (None: all), or of order 1, ∞ or p over one axis.

    Raises ValueError for the orders of matrices.
    """
    x = build.as_node(x)
    over = tuple(range(x.ndim)) if axis is None else axis
    one = not isinstance(over, Sequence) or len(over) == 1
    if ord is None or (ord == 2 and one):
        return build.norm(x, axis, keepdims)
    if not one:
        raise ValueError(f"linalg.norm: the order {ord!r} of a matrix is not a part of a formula")
    sizes = build.abs(x)
    if ord == math.inf:
        return build.max(sizes, axis, keepdims)
    if ord == 1:
        return build.sum(sizes, axis, keepdims)
    if isinstance(ord, Node) or not ord > 0:
        raise ValueError(f"linalg.norm: the order is a number above 0, not {ord}")
    return build.power(build.sum(build.power(sizes, ord), axis, keepdims), 1 / ord)


def hstack(xs: Sequence[Any]) -> Node:
    """Arrays beside one another: joined along axis 1, or along axis 0 if they have no other."""
    nodes = [build.as_node(x) for x in xs]
    return build.concatenate(nodes, axis=0 if nodes[0].ndim < 2 else 1)


def vstack(xs: Sequence[Any]) -> Node:
    """Arrays below one another: joined along axis 0, vectors being rows."""
    nodes = [build.as_node(x) for x in xs]
    return build.concatenate([build.expand_dims(x, 0) if x.ndim < 2 else x for x in nodes], axis=0)


def full(shape: Shape, fill_value: Any) -> Node:
    """An array of one value."""
    return build.broadcast_to(fill_value, shape)


def full_like(x: Any, fill_value: Any) -> Node:
    """An array of one value, of x's shape."""
    return full(build.as_node(x).shape, fill_value)


def diff(x: Any, n: int = 1, axis: int = -1) -> Node:
    """Each element less the one before it, along an axis, n times over."""
    x = build.moveaxis(x, axis, -1)
    for _ in range(n):
        x = build.subtract(x[..., 1:], x[..., :-1])
    return build.moveaxis(x, -1, axis)


def logical_and(x: Any, y: Any) -> Node:
    """1 where neither is 0, else 0."""
    return build.multiply(_truth(x), _truth(y))


def logical_or(x: Any, y: Any) -> Node:
    """1 where not both are 0, else 0."""
    return build.maximum(_truth(x), _truth(y))


def logical_not(x: Any) -> Node:
    """1 where x is 0, else 0."""
    return build.subtract(1.0, _truth(x))


def _truth(x: Any) -> Node:
    return build.not_equal(x, 0) * 1.0


#: Those that are functions of the graph under another name.
OTHER_NAMES: Mapping[str, Callable[..., Any]] = {
    "amax": build.max,
    "amin": build.min,
    "fabs": build.abs,
    "true_divide": build.divide,
    "float_power": build.power,
    "identity": build.eye,
    "expit": build.sigmoid,
    "linalg.norm": linalg_norm,
}
