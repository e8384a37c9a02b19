"""The table of scalar functions: NumPy meaning, SymPy form, partial derivatives, range.

A partial derivative is written in the vocabulary ``out, x, y`` and stated through the output
where that is cheaper.  A row's SymPy form proves its partials in the tests.  Where a function has
a kink, its derivative there is the convention of the contract: relu, abs 0 at 0; maximum and
minimum 0 at a tie with a constant, ½ at a tie of two variables; second derivatives 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from symdiff.expr.node import Node

Partial = Callable[..., "Node | None"]


@dataclass(frozen=True)
class Scalar:
    """One scalar function.

    ``numeric`` is its meaning on arrays, ``sympy`` its form over SymPy's names (a function of the
    sympy module and the arguments), ``partials`` one callable ``(out, *inputs) -> Node`` an
    argument (None: derivative zero wherever it exists), ``lo`` and ``hi`` the closed range,
    ``nonzero`` whether 0 is never taken.
    ``result`` is "float", "same" (keeps its argument's dtype), "bool", or "branches".
    """

    arity: int
    numeric: Callable[..., Any]
    sympy: Callable[..., Any]
    partials: tuple[Partial | None, ...]
    lo: float = -math.inf
    hi: float = math.inf
    nonzero: bool = False
    result: str = "float"


def _f(name: str, *args: Any) -> Node:
    from symdiff.expr.algebra import scalar

    return scalar(name, *args)


def _mask(cond: Node, like: Node) -> Node:
    from symdiff.expr.numbers import cast

    return cast(cond, like.dtype)


def _is_constant(node: Node) -> bool:
    from symdiff.expr.graph import is_constant

    return is_constant(node)


def _wins(compare: str, out: Node, x: Node, y: Node) -> Node:
    """d max(x, y)/dx (or of min): the indicator that x wins, sharing a tie of two variables."""
    strict = _mask(_f(compare, x, y), out)
    if _is_constant(x) or _is_constant(y):
        return strict
    return strict + 0.5 * _mask(_f("eq", x, y), out)


def _log_or_zero(x: Node) -> Node:
    positive = _f("gt", x, 0.0)
    return _f("where", positive, _f("log", _f("where", positive, x, 1.0)), 0.0)


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(np.asarray(x).dtype)


def _erf(x: Any) -> Any:
    array = np.asarray(x)
    return np.vectorize(math.erf, otypes=[np.float64])(array).astype(array.dtype)


def _erfc(x: Any) -> Any:
    array = np.asarray(x)
    return np.vectorize(math.erfc, otypes=[np.float64])(array).astype(array.dtype)


_DEPTH = 200


def _erfcx(x: Any) -> Any:
    """e^(x²) erfc(x): from 1 on by its continued fraction (Abramowitz and Stegun 7.1.14)."""
    array = np.asarray(x, np.float64)
    far = np.maximum(array, 1.0)
    tail = far
    for k in range(_DEPTH, 0, -1):
        tail = far + 0.5 * k / tail
    near = np.minimum(array, 1.0)
    found = np.where(array > 1, 1 / (math.sqrt(math.pi) * tail), np.exp(near * near) * _erfc(near))
    return found.astype(np.asarray(x).dtype)


def _log_erfc(x: Any) -> Any:
    above = np.maximum(x, 1)
    far = np.log(_erfcx(above)) - above * above
    near = np.log1p(-_erf(np.minimum(x, 1)))
    return np.where(x > 1, far, near).astype(np.asarray(x).dtype)


def _log1mexp(x: Any) -> Any:
    """The branch that cancels less; they meet at e^x = 1/2 (Maechler 2012)."""
    return np.where(x > -math.log(2), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _reciprocal_or_zero(x: Any) -> Any:
    array = np.asarray(x)
    return np.divide(1, array, out=np.zeros_like(array), where=array != 0)


def _where(cond: Any, a: Any, b: Any) -> Any:
    return np.where(cond, a, b)


_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)

SCALARS: dict[str, Scalar] = {
    "exp": Scalar(1, np.exp, lambda s, x: s.exp(x), (lambda out, x: out,), lo=0.0, nonzero=True),
    "expm1": Scalar(
        1,
        np.expm1,
        lambda s, x: s.exp(x) - 1,
        (lambda out, x: _f("exp", x),),
        lo=-1.0,
    ),
    "log": Scalar(1, np.log, lambda s, x: s.log(x), (lambda out, x: 1 / x,)),
    "log1p": Scalar(1, np.log1p, lambda s, x: s.log(1 + x), (lambda out, x: 1 / (1 + x),)),
    "sin": Scalar(
        1, np.sin, lambda s, x: s.sin(x), (lambda out, x: _f("cos", x),), lo=-1.0, hi=1.0
    ),
    "cos": Scalar(
        1, np.cos, lambda s, x: s.cos(x), (lambda out, x: -_f("sin", x),), lo=-1.0, hi=1.0
    ),
    "tan": Scalar(1, np.tan, lambda s, x: s.tan(x), (lambda out, x: 1 + out * out,)),
    "sinh": Scalar(1, np.sinh, lambda s, x: s.sinh(x), (lambda out, x: _f("cosh", x),)),
    "cosh": Scalar(
        1,
        np.cosh,
        lambda s, x: s.cosh(x),
        (lambda out, x: _f("sinh", x),),
        lo=1.0,
        nonzero=True,
    ),
    "tanh": Scalar(
        1,
        np.tanh,
        lambda s, x: s.tanh(x),
        (lambda out, x: 1 - out * out,),
        lo=-1.0,
        hi=1.0,
    ),
    "arctan": Scalar(
        1,
        np.arctan,
        lambda s, x: s.atan(x),
        (lambda out, x: 1 / (1 + x * x),),
        lo=-math.pi / 2,
        hi=math.pi / 2,
    ),
    "arcsinh": Scalar(
        1, np.arcsinh, lambda s, x: s.asinh(x), (lambda out, x: (1 + x * x) ** -0.5,)
    ),
    "arccosh": Scalar(
        1,
        np.arccosh,
        lambda s, x: s.acosh(x),
        (lambda out, x: (x - 1) ** -0.5 * (x + 1) ** -0.5,),
        lo=0.0,
    ),
    "arcsin": Scalar(
        1,
        np.arcsin,
        lambda s, x: s.asin(x),
        (lambda out, x: (1 - x) ** -0.5 * (1 + x) ** -0.5,),
        lo=-math.pi / 2,
        hi=math.pi / 2,
    ),
    "arctanh": Scalar(
        1,
        np.arctanh,
        lambda s, x: s.atanh(x),
        (lambda out, x: 1 / ((1 - x) * (1 + x)),),
    ),
    "erf": Scalar(
        1,
        _erf,
        lambda s, x: s.erf(x),
        (lambda out, x: _f("exp", -x * x) * _TWO_OVER_SQRT_PI,),
        lo=-1.0,
        hi=1.0,
    ),
    "erfc": Scalar(
        1,
        _erfc,
        lambda s, x: s.erfc(x),
        (lambda out, x: _f("exp", -x * x) * -_TWO_OVER_SQRT_PI,),
        lo=0.0,
        hi=2.0,
        nonzero=True,
    ),
    "log_erfc": Scalar(
        1,
        _log_erfc,
        lambda s, x: s.log(s.erfc(x)),
        (lambda out, x: -_f("erfc_hazard", x),),
        hi=math.log(2),
    ),
    # The slope of -log(erfc(x)), 2/√π exp(-x²) / erfc(x): the hazard rate of a normal variable.
    "erfc_hazard": Scalar(
        1,
        lambda x: _TWO_OVER_SQRT_PI / _erfcx(x),
        lambda s, x: 2 * s.exp(-(x**2)) / s.erfc(x) / s.sqrt(s.pi),
        (lambda out, x: out * (out - 2 * x),),
        lo=0.0,
    ),
    # log(1 - exp(x)) for x < 0.
    "log1mexp": Scalar(
        1,
        _log1mexp,
        lambda s, x: s.log(1 - s.exp(x)),
        (lambda out, x: -1 / _f("expm1", -x),),
        hi=0.0,
    ),
    "sigmoid": Scalar(
        1,
        _sigmoid,
        lambda s, x: 1 / (1 + s.exp(-x)),
        (lambda out, x: out * _f("sigmoid", -x),),
        lo=0.0,
        hi=1.0,
        nonzero=True,
    ),
    "softplus": Scalar(
        1,
        lambda x: np.logaddexp(x, np.zeros_like(x)),
        lambda s, x: s.log(1 + s.exp(x)),
        (lambda out, x: _f("sigmoid", x),),
        lo=0.0,
        nonzero=True,
    ),
    "relu": Scalar(
        1,
        lambda x: np.maximum(x, np.zeros_like(x)),
        lambda s, x: s.Max(x, 0),
        (lambda out, x: _mask(_f("gt", out, 0.0), x),),
        lo=0.0,
        result="same",
    ),
    "abs": Scalar(
        1,
        np.abs,
        lambda s, x: s.Abs(x),
        (lambda out, x: _f("sign", x),),
        lo=0.0,
        result="same",
    ),
    "sign": Scalar(1, np.sign, lambda s, x: s.sign(x), (None,), lo=-1.0, hi=1.0, result="same"),
    # 1/x, and 0 at 0: the factor that makes sqrt's and a norm's derivative 0 at 0.
    "reciprocal_or_zero": Scalar(
        1, _reciprocal_or_zero, lambda s, x: 1 / x, (lambda out, x: -out * out,)
    ),
    "hypot": Scalar(
        2,
        np.hypot,
        lambda s, x, y: s.sqrt(x**2 + y**2),
        (
            lambda out, x, y: x * _f("reciprocal_or_zero", out),
            lambda out, x, y: y * _f("reciprocal_or_zero", out),
        ),
        lo=0.0,
    ),
    "maximum": Scalar(
        2,
        np.maximum,
        lambda s, x, y: s.Max(x, y),
        (lambda out, x, y: _wins("gt", out, x, y), lambda out, x, y: _wins("gt", out, y, x)),
        result="same",
    ),
    "minimum": Scalar(
        2,
        np.minimum,
        lambda s, x, y: s.Min(x, y),
        (lambda out, x, y: _wins("lt", out, x, y), lambda out, x, y: _wins("lt", out, y, x)),
        result="same",
    ),
    # d x**y/dy is 0 where x is 0: the limit for y > 0.
    "pow": Scalar(
        2,
        np.power,
        lambda s, x, y: x**y,
        (
            lambda out, x, y: y * _f("pow", x, y - 1),
            lambda out, x, y: out * _log_or_zero(x),
        ),
    ),
    "where": Scalar(
        3,
        _where,
        lambda s, c, x, y: s.Piecewise((x, c), (y, True)),
        (None, lambda out, c, x, y: _mask(c, out), lambda out, c, x, y: 1 - _mask(c, out)),
        result="branches",
    ),
    "lt": Scalar(2, np.less, lambda s, x, y: x < y, (None, None), result="bool"),
    "le": Scalar(2, np.less_equal, lambda s, x, y: x <= y, (None, None), result="bool"),
    "gt": Scalar(2, np.greater, lambda s, x, y: x > y, (None, None), result="bool"),
    "ge": Scalar(2, np.greater_equal, lambda s, x, y: x >= y, (None, None), result="bool"),
    "eq": Scalar(2, np.equal, lambda s, x, y: s.Eq(x, y), (None, None), result="bool"),
    "ne": Scalar(2, np.not_equal, lambda s, x, y: s.Ne(x, y), (None, None), result="bool"),
}
