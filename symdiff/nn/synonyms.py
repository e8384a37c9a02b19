"""What users of NumPy and scipy.special write for functions that have another name here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.expr.reductions import Axis


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


def entr(x: Any) -> Node:
    """−x log x, and 0 where x is 0, elementwise; for x ≥ 0."""
    return -xlogy(x, x)


def rel_entr(x: Any, y: Any) -> Node:
    """x log(x / y), and 0 where x is 0, elementwise; for x ≥ 0 and y > 0."""
    return xlogy(x, x) - xlogy(x, y)


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


#: Those that are functions of the graph under another name.
OTHER_NAMES: Mapping[str, Callable[..., Any]] = {
    "amax": build.max,
    "amin": build.min,
    "fabs": build.abs,
    "true_divide": build.divide,
    "identity": build.eye,
    "expit": build.sigmoid,
    "linalg.norm": linalg_norm,
}
