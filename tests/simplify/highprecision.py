"""A second interpreter, with mpmath: every operation as it is written, with a thousand digits.

Naive formulas do not overflow or cancel here, so that both sides of a rule can be held against
the truth at points where float64 gives up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import bind_sizes, size_value

DIGITS = 1000
Array = NDArray[Any]


_SCALARS: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "expm1": lambda x: mpmath.exp(x) - 1,
    "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "cosh": mpmath.cosh,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "erfc_hazard": lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x) / mpmath.erfc(x),
    "log_erfc": lambda x: mpmath.log(mpmath.erfc(x)),
    "log1mexp": lambda x: mpmath.log(1 - mpmath.exp(x)),
    "hypot": lambda x, y: mpmath.sqrt(x * x + y * y),
    "pow": lambda x, y: x ** int(y) if y == int(y) else x**y,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "relu": lambda x: max(x, mpmath.mpf(0)),
    "abs": abs,
    "sign": mpmath.sign,
    "maximum": max,
    "minimum": min,
    "where": lambda c, x, y: x if c else y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "lt": lambda x, y: x < y,
    "eq": lambda x, y: x == y,
    "le": lambda x, y: x <= y,
    "reciprocal_or_zero": lambda x: 1 / x if x else mpmath.mpf(0),
}


def _power(x: Any, e: float) -> Any:
    return x ** int(e) if e == int(e) else mpmath.sqrt(x) if e == 0.5 else x ** mpmath.mpf(e)


def _each(function: Callable[..., Any], *arrays: Any) -> Array:
    """The function of every element; not a number where it is not defined over the reals."""

    def real(*args: Any) -> Any:
        try:
            value = function(*args)
        except (ZeroDivisionError, ValueError, OverflowError):
            return mpmath.mpf("nan")
        return mpmath.mpf("nan") if isinstance(value, mpmath.mpc) else value

    return np.asarray(np.frompyfunc(real, len(arrays), 1)(*arrays), dtype=object)


def _einsum(node: Node, inputs: list[Array], sizes: Mapping[str, int]) -> Array:
    """A sum of products, one index at a time summed by hand: exact, and slow."""
    indices, out = node.attr("indices"), node.attr("out")
    shape = tuple(size_value(s, sizes) for s in node.shape)
    extent: dict[int, int] = {}
    for names, x in zip(indices, inputs, strict=True):
        extent.update(zip(names, x.shape, strict=True))
    summed = [n for n in extent if n not in out]
    result = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        at = dict(zip(out, place, strict=True))
        total = mpmath.mpf(0)
        for inner in np.ndindex(*(extent[n] for n in summed)):
            at.update(zip(summed, inner, strict=True))
            term = mpmath.mpf(1)
            for names, x in zip(indices, inputs, strict=True):
                term *= x[tuple(at[n] for n in names)]
            total += term
        result[place] = total
    return result


def _softmax(x: Array, axes: tuple[int, ...]) -> Array:
    e = _each(mpmath.exp, x)
    return np.asarray(e / e.sum(axis=axes, keepdims=True), dtype=object)


def _run(node: Node, inputs: list[Array], sizes: Mapping[str, int]) -> Any:
    op = node.op
    if op == "constant":
        return _each(mpmath.mpf, node.value.astype(object))
    if op == "size":
        return np.asarray(mpmath.mpf(size_value(node.attr("size"), sizes)), dtype=object)
    if op == "arange":
        return np.arange(size_value(node.attr("n"), sizes))
    if op == "add":
        total: Any = mpmath.mpf(node.attr("constant"))
        for c, x in zip(node.attr("coefficients"), inputs, strict=True):
            total = total + mpmath.mpf(c) * x
        return total
    if op == "mul":
        whole: Any = mpmath.mpf(node.attr("coefficient"))
        for e, x in zip(node.attr("exponents"), inputs, strict=True):
            whole = whole * _each(lambda v, e=e: _power(v, e), x)
        return whole
    if op == "cast":
        return _each(lambda v: mpmath.mpf(int(v)), inputs[0])
    if op in _SCALARS:
        return _each(_SCALARS[op], *inputs)
    if op == "contract":
        return _einsum(node, inputs, sizes)
    if op == "max":
        return inputs[0].max(axis=node.attr("axes"))
    if op == "prod":
        return np.prod(inputs[0], axis=node.attr("axes"))
    if op == "softmax":
        return _softmax(inputs[0], node.attr("axes"))
    if op == "log_softmax":
        return _each(mpmath.log, _softmax(inputs[0], node.attr("axes")))
    if op == "logsumexp":
        return _each(mpmath.log, _each(mpmath.exp, inputs[0]).sum(axis=node.attr("axes")))
    if op == "reshape":
        return inputs[0].reshape([size_value(s, sizes) for s in node.shape])
    if op == "slice":
        ranges = [[size_value(v, sizes) for v in r] for r in node.attr("ranges")]
        return inputs[0][tuple(slice(a, a + n * step, step) for a, n, step in ranges)]
    if op == "cumsum":
        axis, back = node.attr("axis"), node.attr("reverse")
        total = np.cumsum(np.flip(inputs[0], axis) if back else inputs[0], axis=axis)
        return np.flip(total, axis) if back else total
    if op == "flip":
        return np.flip(inputs[0], node.attr("axes"))
    if op == "concatenate":
        return np.concatenate(inputs, axis=node.attr("axis"))
    if op == "take":
        x, idx = inputs
        rows = np.indices(idx.shape[: node.attr("batch")])
        lead = [r.reshape(r.shape + (1,) * (idx.ndim - node.attr("batch"))) for r in rows]
        return x[(*lead, idx.astype(int))]
    if op == "scatter_add":
        g, idx = inputs
        result = np.full([size_value(s, sizes) for s in node.shape], mpmath.mpf(0), dtype=object)
        batch = node.attr("batch")
        for place in np.ndindex(*idx.shape):
            result[(*place[:batch], int(idx[place]))] += g[place]
        return result
    if op == "one_hot":
        n = size_value(node.attr("n"), sizes)
        hot = inputs[0].astype(int)[..., None] == np.arange(n)
        return _each(lambda v: mpmath.mpf(int(v)), hot)
    raise NotImplementedError(op)


def evaluate_exactly(root: Node, values: Mapping[str, Any]) -> Array:
    """The value of a graph in a thousand digits, rounded to float64 at the end."""
    order = toposort([root])
    sizes: dict[str, int] = {}
    done: dict[Node, Any] = {}
    with mpmath.workdps(DIGITS):
        for node in order:
            if node.op in ("input", "parameter"):
                array = np.asarray(values[node.attr("name")])
                bind_sizes(node.shape, array.shape, sizes)
                exact = array if node.dtype == "int64" else _each(mpmath.mpf, array.astype(object))
                done[node] = np.asarray(exact)
            else:
                inputs = [done[x] for x in node.inputs]
                done[node] = np.asarray(_run(node, inputs, sizes), dtype=object)
        return np.asarray(done[root]).astype(np.float64)
