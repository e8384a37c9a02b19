"""Each operation on arrays whose elements are SymPy expressions: a table, one entry an operation.

Operations work element by element, so that each has one meaning whatever the rank.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symdiff.expr.graph import toposort
from symdiff.expr.loops import bound_leaves, updates, value_of
from symdiff.expr.node import Node, with_shape
from symdiff.expr.scalars import SCALARS

Elements: TypeAlias = NDArray[Any]
Kernel: TypeAlias = Callable[[Node, list[Elements]], Any]


def fixed_shape(node: Node) -> tuple[int, ...]:
    """The shape in numbers; ValueError if a size is a name."""
    if not all(isinstance(size, int) for size in node.shape):
        raise ValueError(f"to_sympy: {with_shape(node)}: SymPy's arrays have fixed shapes")
    return tuple(int(size) for size in node.shape)


def elements(result: Any, shape: tuple[int, ...]) -> Elements:
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
    shape = fixed_shape(node)
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
    result = elements(_number(0.0), fixed_shape(node))
    places = [
        slice(before, before + size * (gap + 1) - gap, gap + 1)
        for (before, _, gap), size in zip(node.attr("padding"), inputs[0].shape, strict=True)
    ]
    result[tuple(places)] = inputs[0]
    return result


def _frames(node: Node, shape: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[Any, Any]]:
    """For each element of a window its place there, and the slices of the array that it sees."""
    axes, strides, dilations = (node.attr(name) for name in ("axes", "strides", "dilations"))
    for place in np.ndindex(*sizes):
        seen = [slice(None)] * len(shape)
        for axis, k, stride, dilation, size in zip(
            axes, place, strides, dilations, sizes, strict=True
        ):
            last = shape[axis] - dilation * (size - 1 - k)
            seen[axis] = slice(k * dilation, last, stride)
        yield (..., *place), tuple(seen)


def _window(node: Node, inputs: list[Elements]) -> Any:
    result = np.empty(fixed_shape(node), dtype=object)
    for place, seen in _frames(node, inputs[0].shape, node.attr("sizes")):
        result[place] = inputs[0][seen]
    return result


def _overlap_add(node: Node, inputs: list[Elements]) -> Any:
    (windows,) = inputs
    result = elements(_number(0.0), fixed_shape(node))
    for place, seen in _frames(node, result.shape, windows.shape[result.ndim :]):
        result[seen] = result[seen] + windows[place]
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


@dataclass(frozen=True)
class _Steps:
    """A loop and the elements of its inputs: run for each reader anew."""

    hub: Node
    inputs: list[Elements]

    def run(self, values: Sequence[Node]) -> tuple[list[list[Elements]], list[Elements]]:
        """The values of each step in order of time, and the carries after the last."""
        nexts, leaves = updates(self.hub), bound_leaves(self.hub)
        count, arrays = self.hub.attr("counts")
        carries, rest = self.inputs[:count], self.inputs[count:]
        order = toposort([*nexts, *values])
        length, reverse = self.hub.attr("length"), self.hub.attr("reverse")
        found: list[list[Elements]] = []
        for t in reversed(range(length)) if reverse else range(length):
            now = [*carries, *(elements(x[t], x.shape[1:]) for x in rest[:arrays]), *rest[arrays:]]
            done = dict(zip(leaves, now, strict=True))
            for node in order:
                if node not in done:
                    result = KERNELS[node.op](node, [done[x] for x in node.inputs])
                    done[node] = elements(result, fixed_shape(node))
            carries = [done[update] for update in nexts]
            found.append([done[value] for value in values])
        return found[::-1] if reverse else found, carries


def _loop(node: Node, inputs: list[Elements]) -> Any:
    if not isinstance(node.attr("length"), int):
        raise ValueError(f"to_sympy: a scan of {node.attr('length')} steps: how many are they?")
    return _Steps(node, inputs)


def _stacked(node: Node, inputs: list[Elements]) -> Any:
    steps, _ = inputs[0].item().run([value_of(node)])
    result = np.empty(fixed_shape(node), dtype=object)
    for t, (value,) in enumerate(steps):
        result[t] = value if value.ndim else value.item()
    return result


KERNELS: dict[str, Kernel] = {
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
    "window": _window,
    "overlap_add": _overlap_add,
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
    "stop_gradient": lambda node, inputs: inputs[0],
    "bound": _leaf,
    "loop": _loop,
    "stacked": _stacked,
    "final": lambda node, inputs: inputs[0].item().run([])[1][node.attr("position")],
}
