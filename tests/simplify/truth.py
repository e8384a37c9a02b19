"""True derivatives of formulas as people write them, by differences in 1500 digits.

The formula is run with NumPy's names standing for functions of arrays of mpmath numbers; nothing
of symdiff takes part.  A central difference with a step of 1e-400 is right to hundreds of digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

DIGITS = 1500
Array = NDArray[Any]
Axis = int | tuple[int, ...] | None


def _each(function: Callable[..., Any]) -> Callable[..., Array]:
    def apply(*args: Any) -> Array:
        return np.asarray(np.frompyfunc(function, len(args), 1)(*args), dtype=object)

    return apply


def exact(x: Any) -> Array:
    """An array of numbers as exact mpmath numbers."""
    return np.asarray(_each(mpmath.mpf)(np.asarray(x).astype(object)), dtype=object)


def _mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return np.asarray(total * (mpmath.mpf(np.size(total)) / np.size(x)), dtype=object)


def _var(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return _mean((x - _mean(x, axis, True)) ** 2, axis, keepdims)


def _larger(x: Any, y: Any) -> Any:
    return x if x >= y else y


_log, _exp, _sqrt = _each(mpmath.log), _each(mpmath.exp), _each(mpmath.sqrt)


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return _log(np.sum(_exp(x), axis=axis, keepdims=keepdims))


def _softmax(x: Any, axis: int = -1) -> Array:
    e = _exp(x)
    return np.asarray(e / np.sum(e, axis=axis, keepdims=True), dtype=object)


def _norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return _sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


#: What stands for NumPy in a formula; everything that only moves elements is NumPy's own.
NUMPY = SimpleNamespace(
    **{
        name: getattr(np, name)
        for name in (
            *("sum", "prod", "max", "min", "cumsum", "dot", "outer", "trace", "diag", "arange"),
            *("reshape", "transpose", "concatenate", "stack", "einsum", "where", "newaxis"),
            *("expand_dims", "squeeze", "take", "inf", "broadcast_to", "flip", "zeros", "ones"),
            *("swapaxes", "tril", "triu", "matmul"),
        )
    },
    eye=lambda n: exact(np.eye(n)),
    pi=mpmath.pi,
    e=mpmath.e,
    mean=_mean,
    var=_var,
    std=lambda *a, **k: _sqrt(_var(*a, **k)),
    exp=_exp,
    log=_log,
    sqrt=_sqrt,
    log1p=_each(lambda x: mpmath.log(1 + x)),
    expm1=_each(lambda x: mpmath.exp(x) - 1),
    log2=_each(lambda x: mpmath.log(x, 2)),
    log10=_each(mpmath.log10),
    sin=_each(mpmath.sin),
    cos=_each(mpmath.cos),
    sinh=_each(mpmath.sinh),
    cosh=_each(mpmath.cosh),
    tanh=_each(mpmath.tanh),
    arctanh=_each(mpmath.atanh),
    arctan=_each(mpmath.atan),
    arcsinh=_each(mpmath.asinh),
    arccosh=_each(mpmath.acosh),
    arcsin=_each(mpmath.asin),
    arccos=_each(mpmath.acos),
    exp2=_each(lambda x: mpmath.mpf(2) ** x),
    square=lambda x: x * x,
    abs=_each(abs),
    sign=_each(mpmath.sign),
    power=lambda x, y: x**y,
    maximum=_each(_larger),
    minimum=_each(lambda x, y: x if x <= y else y),
    clip=lambda x, lo, hi: _each(lambda v, a, b: min(max(v, a), b))(x, lo, hi),
    hypot=_each(lambda x, y: mpmath.sqrt(x * x + y * y)),
    logaddexp=_each(lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y))),
    linalg=SimpleNamespace(norm=_norm),
)
NAMES: Mapping[str, Any] = {
    "np": NUMPY,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "sigmoid": _each(lambda x: 1 / (1 + mpmath.exp(-x))),
    "softplus": _each(lambda x: mpmath.log(1 + mpmath.exp(x))),
    "erf": _each(mpmath.erf),
    "norm": _norm,
    "one_hot": lambda k, n: exact(np.eye(n)[k]),
    "log_softmax": lambda x, axis=-1: _log(_softmax(x, axis)),
    "__builtins__": {"__import__": __import__},  # which NumPy's own methods need
}


class Formula:
    """A formula of NumPy's names over arrays; of the tests' own tables, so that eval is safe."""

    def __init__(self, text: str, whole: frozenset[str] = frozenset()) -> None:
        self.code = compile(text, "formula", "eval")
        self.whole = whole

    def __call__(self, point: Mapping[str, Any]) -> Array:
        """The value at a point; arrays of mpmath numbers, indices as they are."""
        return np.asarray(eval(self.code, {**NAMES, **point}), dtype=object)  # noqa: S307

    def point(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of a point, those that are not whole numbers made exact."""
        return {
            name: np.asarray(value, dtype=np.int64) if name in self.whole else exact(value)
            for name, value in values.items()
        }


def _moved(point: Mapping[str, Any], name: str, by: Array) -> dict[str, Any]:
    return {**point, name: point[name] + by}


def _basis(shape: tuple[int, ...]) -> list[Array]:
    found = []
    for place in np.ndindex(*shape):
        unit = exact(np.zeros(shape))
        unit[place] = mpmath.mpf(1)
        found.append(unit)
    return found


def derivative(
    text: str,
    wrt: str,
    values: Mapping[str, Any],
    order: int = 1,
    direction: str | None = None,
    whole: frozenset[str] = frozenset(),
    digits: int = DIGITS,
) -> Array:
    """The derivative of the formula at a point, rounded to float64.

    The Jacobian (value's shape, then wrt's), the Hessian at order 2, its product with the input
    named by ``direction``.
    """
    with mpmath.workdps(digits):
        f = Formula(text, whole)
        point = f.point(values)
        units = _basis(np.shape(point[wrt]))
        h = mpmath.mpf(10) ** -(4 * digits // 15)
        if order == 1:
            parts = [
                (f(_moved(point, wrt, h * u)) - f(_moved(point, wrt, -h * u))) / (2 * h)
                for u in units
            ]
        else:
            others = units if direction is None else [point[direction]]
            parts = [_second(f, wrt, point, u, v, h) for u in units for v in others]
        whole_array = np.asarray([np.asarray(p, dtype=object) for p in parts], dtype=object)
        shape = np.shape(point[wrt])
        rest = whole_array.shape[1:]
        tail = shape if order == 2 and direction is None else ()
        result = whole_array.reshape((*shape, *tail, *rest))
        axes = [*range(result.ndim - len(rest), result.ndim), *range(result.ndim - len(rest))]
        return np.asarray(result.transpose(axes)).astype(np.float64)


def _second(f: Formula, wrt: str, point: Mapping[str, Any], u: Array, v: Array, h: Any) -> Any:
    """The mixed second difference along two directions."""
    signs = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
    total = sum(s * f(_moved(point, wrt, a * h * u + b * h * v)) for a, b, s in signs)
    return total / (4 * h * h)
