"""Graphs as SymPy expressions and back.

Arrays of fixed shape are computed element by element, with SymPy expressions as the elements, so
that every operation has one meaning whatever the rank.  Text is never read: only nodes and SymPy
objects go in.  SymPy is imported when a function is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symdiff.expr import build
from symdiff.expr.algebra import scalar
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node, with_shape
from symdiff.expr.scalars import SCALARS

if TYPE_CHECKING:
    import sympy

Elements: TypeAlias = NDArray[Any]
Kernel: TypeAlias = Callable[[Node, list[Elements]], Any]

#: An array with more elements than this is refused: its expressions could not be read anyway.
MOST_ELEMENTS = 4096


def to_sympy(node: Node) -> Any:
    """The node as a SymPy expression; of rank 2 as a Matrix, of any other rank as an Array.

    A 0-d leaf is a real Symbol under its name, an element of an array ``x[0, 1]``; labels select
    through KroneckerDelta.  Raises ValueError where an array's shape is not fixed or too large.
    """
    import sympy

    done: dict[Node, Elements] = {}
    for part in toposort([node]):
        shape = _fixed_shape(part)
        if math.prod(shape) > MOST_ELEMENTS:
            raise ValueError(f"to_sympy: {with_shape(part)}: more than {MOST_ELEMENTS} elements")
        result = _KERNELS[part.op](part, [done[x] for x in part.inputs])
        done[part] = _elements(result, shape)
    array = done[node]
    if array.ndim == 0:
        return array[()]
    if array.ndim == 2:
        return sympy.ImmutableDenseMatrix(array.tolist())
    return sympy.ImmutableDenseNDimArray(array.ravel().tolist(), array.shape)


def _fixed_shape(node: Node) -> tuple[int, ...]:
    if not all(isinstance(size, int) for size in node.shape):
        raise ValueError(f"to_sympy: {with_shape(node)}: SymPy's arrays have fixed shapes")
    return tuple(int(size) for size in node.shape)


def _elements(result: Any, shape: tuple[int, ...]) -> Elements:
    """The result as an array of expressions; a lone expression is not to be taken apart."""
    array: Elements = np.empty(shape, dtype=object)
    array[...] = result
    return array


def _number(value: float) -> Any:
    """A number exactly where that is short (whole numbers, halves, eighths), else as a float."""
    import sympy

    if not math.isfinite(value):
        return sympy.nan if math.isnan(value) else sympy.oo * (1 if value > 0 else -1)
    if value * 64 == int(value * 64):
        return sympy.Rational(int(value * 64), 64)
    return sympy.Float(value)


def _each(function: Callable[..., Any]) -> Callable[..., Elements]:
    """The function of expressions, applied elementwise with broadcasting."""

    def apply(*arrays: Any) -> Elements:
        wide = np.broadcast_arrays(*(np.asarray(a, dtype=object) for a in arrays))
        result = np.empty(wide[0].shape, dtype=object)
        for place in np.ndindex(result.shape):
            result[place] = function(*(array[place] for array in wide))
        return result

    return apply


def _leaf(node: Node, inputs: list[Elements]) -> Any:
    import sympy

    name, facts = node.attr("name"), node.facts
    known: dict[str, bool] = {"integer": True} if node.dtype == "int64" else {"real": True}
    for fact in ("positive", "nonnegative", "nonzero"):
        if getattr(facts, fact):
            known[fact] = True
    if node.ndim == 0:
        return sympy.Symbol(name, **known)
    shape = _fixed_shape(node)
    base = sympy.IndexedBase(name, shape=shape, **known)
    array: Elements = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        array[place] = base[place]
    return array


def _size(node: Node, inputs: list[Elements]) -> Any:
    import sympy

    size = node.attr("size")
    return sympy.Symbol(size, integer=True, nonnegative=True) if isinstance(size, str) else size


def _constant(node: Node, inputs: list[Elements]) -> Any:
    import sympy

    if node.dtype == "bool":
        return _each(lambda value: sympy.true if value else sympy.false)(node.value)
    return _each(lambda value: _number(float(value)))(node.value)


def _add(node: Node, inputs: list[Elements]) -> Any:
    pairs = zip(node.attr("coefficients"), inputs, strict=True)
    return sum((_number(c) * x for c, x in pairs), start=_number(node.attr("constant")))


def _mul(node: Node, inputs: list[Elements]) -> Any:
    result: Any = _number(node.attr("coefficient"))
    for x, e in zip(inputs, node.attr("exponents"), strict=True):
        result = result * x ** _number(e)
    return result


def _cast(node: Node, inputs: list[Elements]) -> Any:
    import sympy

    if node.inputs[0].dtype != "bool" or node.dtype == "bool":
        return inputs[0]
    return _each(lambda c: sympy.Piecewise((1, c), (0, True)))(inputs[0])


def _scalar(name: str) -> Kernel:
    def kernel(node: Node, inputs: list[Elements]) -> Any:
        import sympy

        return _each(lambda *args: SCALARS[name].sympy(sympy, *args))(*inputs)

    return kernel


def _contract(node: Node, inputs: list[Elements]) -> Any:
    sizes = dict(node.attr("sizes"))
    arguments: list[Any] = []
    for x, names in zip(inputs, node.attr("indices"), strict=True):
        arguments += [x, list(names)]
    for name in node.attr("out"):
        if name in sizes:
            arguments += [np.full(sizes[name], _number(1.0), dtype=object), [name]]
    return np.einsum(*arguments, list(node.attr("out")))


def _folded(function: Callable[..., Any]) -> Kernel:
    """A function of all elements along the axes."""

    def kernel(node: Node, inputs: list[Elements]) -> Any:
        return _along(function, inputs[0], node.attr("axes"))

    return kernel


def _along(function: Callable[..., Any], x: Elements, axes: Sequence[int]) -> Elements:
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    moved = np.transpose(x, (*kept, *axes)).reshape((*(x.shape[a] for a in kept), -1))
    result = np.empty(moved.shape[:-1], dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = function(*moved[place])
    return result


def _maximum(*terms: Any) -> Any:
    import sympy

    return sympy.Max(*terms)


def _product(*terms: Any) -> Any:
    import sympy

    return sympy.Mul(*terms)


def _log_sum(*terms: Any) -> Any:
    import sympy

    return sympy.log(sympy.Add(*(sympy.exp(term) for term in terms)))


def _log_softmax(node: Node, inputs: list[Elements]) -> Any:
    axes = node.attr("axes")
    return inputs[0] - np.expand_dims(_along(_log_sum, inputs[0], axes), axes)


def _softmax(node: Node, inputs: list[Elements]) -> Any:
    import sympy

    exps = _each(sympy.exp)(inputs[0])
    sums = _along(lambda *terms: sympy.Add(*terms), exps, node.attr("axes"))
    return exps / np.expand_dims(sums, node.attr("axes"))


def _cumsum(node: Node, inputs: list[Elements]) -> Any:
    axis = node.attr("axis")
    if node.attr("reverse"):
        return np.flip(np.cumsum(np.flip(inputs[0], axis), axis), axis)
    return np.cumsum(inputs[0], axis)


def _slice(node: Node, inputs: list[Elements]) -> Any:
    ranges = node.attr("ranges")
    return inputs[0][tuple(slice(a, a + n * step, step) for a, n, step in ranges)]


def _pad(node: Node, inputs: list[Elements]) -> Any:
    result = _elements(_number(0.0), _fixed_shape(node))
    places = [
        slice(before, before + size * (gap + 1) - gap, gap + 1)
        for (before, _, gap), size in zip(node.attr("padding"), inputs[0].shape, strict=True)
    ]
    result[tuple(places)] = inputs[0]
    return result


def _one_hot(node: Node, inputs: list[Elements]) -> Any:
    return _selector(inputs[0], node.attr("n"))


def _selector(idx: Elements, n: int) -> Elements:
    """δ[i…, k] = 1 where the index is k, as KroneckerDelta where the index is not a number."""
    import sympy

    return _each(sympy.KroneckerDelta)(idx[..., None], np.arange(n, dtype=object))


def _take(node: Node, inputs: list[Elements]) -> Any:
    x, idx = inputs
    batch = node.attr("batch")
    lead, own = list(range(batch)), list(range(batch, idx.ndim))
    n, rest = idx.ndim, list(range(idx.ndim + 1, idx.ndim + x.ndim - batch))
    delta = _selector(_wrapped(idx, x.shape[batch]), x.shape[batch])
    return np.einsum(x, [*lead, n, *rest], delta, [*lead, *own, n], [*lead, *own, *rest])


def _scatter_add(node: Node, inputs: list[Elements]) -> Any:
    g, idx = inputs
    batch, count = node.attr("batch"), node.attr("n")
    lead, own = list(range(batch)), list(range(batch, idx.ndim))
    n, rest = g.ndim, list(range(idx.ndim, g.ndim))
    delta = _selector(_wrapped(idx, count), count)
    return np.einsum(g, [*lead, *own, *rest], delta, [*lead, *own, n], [*lead, n, *rest])


def _wrapped(idx: Elements, n: int) -> Elements:
    """Negative numbers count from the end."""
    return _each(lambda i: i + n if i.is_number and i < 0 else i)(idx)


_KERNELS: dict[str, Kernel] = {
    "input": _leaf,
    "parameter": _leaf,
    "constant": _constant,
    "size": _size,
    "arange": lambda node, inputs: _each(_number)(np.arange(node.attr("n"))),
    "add": _add,
    "mul": _mul,
    "cast": _cast,
    **{name: _scalar(name) for name in SCALARS},
    "contract": _contract,
    "max": _folded(_maximum),
    "prod": _folded(_product),
    "logsumexp": _folded(_log_sum),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cumsum": _cumsum,
    "reshape": lambda node, inputs: inputs[0].reshape(node.shape),
    "slice": _slice,
    "flip": lambda node, inputs: np.flip(inputs[0], node.attr("axes")),
    "pad": _pad,
    "concatenate": lambda node, inputs: np.concatenate(inputs, node.attr("axis")),
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
    "stop_gradient": lambda node, inputs: inputs[0],
}


def from_sympy(expression: sympy.Basic, leaves: Mapping[str, Node] | None = None) -> Node:
    """A scalar SymPy expression as a node.

    Symbols become the ``leaves`` of their names, or 0-d float64 inputs.  Raises TypeError for text
    (which SymPy would execute) and for what has no node, naming it.
    """
    import sympy

    if not isinstance(expression, sympy.Basic):
        raise TypeError(f"from_sympy: {expression!r} is not a SymPy expression; text is not read")
    known = dict(leaves or {})
    done: dict[Any, Any] = {}
    stack: list[Any] = [expression]
    while stack:
        part = stack[-1]
        missing = [] if part in done else [arg for arg in part.args if arg not in done]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if part not in done:
            done[part] = _node(part, [done[arg] for arg in part.args], known)
    result = done[expression]
    if isinstance(result, tuple):
        raise TypeError(f"from_sympy: {type(expression).__name__} is not an expression")
    return build.as_node(result)


def _node(part: Any, args: list[Any], leaves: dict[str, Node]) -> Any:
    """One SymPy object whose arguments are done: a node, a number, or a Piecewise's branch."""
    import sympy

    if part.is_Symbol:
        return leaves.setdefault(part.name, build.input(part.name))
    if isinstance(part, sympy.logic.boolalg.BooleanAtom):
        return bool(part)
    if part.is_number and not args:
        return int(part) if part.is_Integer else float(part)
    if part.is_Rational:
        return float(part)
    make = _FROM.get(type(part).__name__)
    if make is None:
        raise TypeError(f"from_sympy: {type(part).__name__} in {part} has no node")
    return make(*args)


def _sum(*terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _times(*factors: Any) -> Any:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _piecewise(*branches: tuple[Any, Any]) -> Any:
    """Nested where; past the last condition the value is not defined, and is nan."""
    result: Any = math.nan
    for value, condition in reversed(branches):
        if isinstance(condition, bool):
            result = value if condition else result
        else:
            result = build.where(condition, value, result)
    return result


def _fold(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        result = args[0]
        for arg in args[1:]:
            result = function(result, arg)
        return result

    return make


def _compare(name: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: scalar(name, build.as_node(x), build.as_node(y))


_FROM: dict[str, Callable[..., Any]] = {
    "Add": _sum,
    "Mul": _times,
    "Pow": build.power,
    "Max": _fold(build.maximum),
    "Min": _fold(build.minimum),
    "Abs": build.abs,
    "sign": build.sign,
    "exp": build.exp,
    "log": build.log,
    "sin": build.sin,
    "cos": build.cos,
    "tan": build.tan,
    "sinh": build.sinh,
    "cosh": build.cosh,
    "tanh": build.tanh,
    "atan": build.arctan,
    "asinh": build.arcsinh,
    "atanh": build.arctanh,
    "erf": build.erf,
    "Piecewise": _piecewise,
    "ExprCondPair": lambda value, condition: (value, condition),
    "StrictLessThan": _compare("lt"),
    "LessThan": _compare("le"),
    "StrictGreaterThan": _compare("gt"),
    "GreaterThan": _compare("ge"),
    "Equality": _compare("eq"),
    "Unequality": _compare("ne"),
}
