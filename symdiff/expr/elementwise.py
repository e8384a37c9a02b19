"""Arithmetic, comparisons and functions applied elementwise, under NumPy's names."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symdiff.expr import views
from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import (
    FLOATS,
    arithmetic,
    cast,
    constant,
    current_dtype,
    number_of,
)
from symdiff.expr.shapes import broadcast_shapes


def as_node(x: Any) -> Node:
    """x as a node: numbers and arrays become constants."""
    return x if isinstance(x, Node) else constant(x)


def is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool)


def _sum_of(terms: Sequence[tuple[Any, float]]) -> Node:
    total, nodes = 0.0, []
    for x, c in terms:
        if is_number(x):
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
        if is_number(value):
            number *= value
        else:
            nodes.append((as_node(value), 1.0))
    return power_product(nodes, number)


def divide(x: Any, y: Any) -> Node:
    """x / y, elementwise; whole numbers divide to a float."""
    if is_number(y):
        if y == 0:
            raise ZeroDivisionError("division by the number 0")
        x = as_node(x)
        return multiply(x if x.dtype in FLOATS else cast(x, current_dtype()), 1.0 / y)
    if is_number(x):
        return power_product([(as_node(y), -1.0)], float(x))
    return power_product([(as_node(x), 1.0), (as_node(y), -1.0)])


def power(x: Any, y: Any) -> Node:
    """x ** y, elementwise; x ** 0 is 1, x ** 0.5 the square root."""
    exponent = float(y) if is_number(y) else number_of(y) if isinstance(y, Node) else None
    if exponent is not None and (not isinstance(y, Node) or y.ndim == 0):
        if not math.isfinite(exponent):
            raise ValueError(f"power: the exponent {exponent} is not finite")
        return power_product([(as_node(x), exponent)])
    base = number_of(x) if isinstance(x, Node) and x.ndim == 0 else x if is_number(x) else None
    if base == math.e:
        return scalar("exp", as_node(y))
    x, y = x if is_number(x) else as_node(x), as_node(y)
    nodes, _ = arithmetic([v for v in (x, y) if isinstance(v, Node)], whole=False)
    return scalar("pow", *(nodes if isinstance(x, Node) else [float(x), nodes[0]]))


def square(x: Any) -> Node:
    """x ** 2."""
    return power(x, 2)


def sqrt(x: Any) -> Node:
    """The square root; its derivative at 0 is 0 by convention."""
    return power(x, 0.5)


def _as_arguments(*xs: Any) -> list[Any]:
    return [x if isinstance(x, Node) or is_number(x) else as_node(x) for x in xs]


def maximum(x: Any, y: Any) -> Node:
    """The larger, elementwise; at a tie the derivative is shared, or 0 beside a constant."""
    for a, b in ((x, y), (y, x)):
        value = float(b) if is_number(b) else number_of(b) if isinstance(b, Node) else None
        if value == 0 and isinstance(a, Node):
            result = scalar("relu", a)
            return result if not isinstance(b, Node) else _as_wide(result, b)
    return scalar("maximum", *_as_arguments(x, y))


def _as_wide(x: Node, other: Node) -> Node:
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


def _unary(name: str) -> Callable[[Any], Node]:
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
arccosh, arcsin = _unary("arccosh"), _unary("arcsin")
erf, sigmoid, softplus = _unary("erf"), _unary("sigmoid"), _unary("softplus")
relu, abs, sign = _unary("relu"), _unary("abs"), _unary("sign")
absolute = abs


def hypot(x: Any, y: Any) -> Node:
    """sqrt(x**2 + y**2) without overflow."""
    return scalar("hypot", *_as_arguments(x, y))


def arccos(x: Any) -> Node:
    """arccos(x) = π/2 − arcsin(x), elementwise."""
    return subtract(math.pi / 2, arcsin(x))


def log2(x: Any) -> Node:
    """The logarithm to base 2, elementwise."""
    return divide(log(x), math.log(2))


def log10(x: Any) -> Node:
    """The logarithm to base 10, elementwise."""
    return divide(log(x), math.log(10))


def exp2(x: Any) -> Node:
    """2 ** x, elementwise."""
    return exp(multiply(x, math.log(2)))


def logaddexp(x: Any, y: Any) -> Node:
    """log(exp(x) + exp(y)), as y + softplus(x - y)."""
    return add(y, scalar("softplus", subtract(x, y)))
