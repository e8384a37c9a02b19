"""What derivatives are held against: central finite differences, and autograd run over the graph.

Neither uses the derivative table.  The autograd oracle is a second interpreter, written in
autograd's NumPy, so that a wrong kernel of the reference interpreter shows as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import autograd
import autograd.numpy as anp
import autograd.scipy.special as special
import numpy as np
from numpy.typing import NDArray

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr import loops
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import bind_sizes, size_value

Array: TypeAlias = NDArray[Any]
Values: TypeAlias = Mapping[str, Any]


def distance(ours: Any, theirs: Any) -> float:
    """‖a − b‖ / max(1, ‖b‖): the norm-wise error, relative where the truth is large."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.linalg.norm(ours - theirs) / max(1.0, float(np.linalg.norm(theirs))))


def assert_close(ours: Any, theirs: Any, tolerance: float, what: str = "values") -> None:
    """Fail unless the norm-wise error is within the tolerance; NaN fails."""
    error = distance(ours, theirs)
    assert error <= tolerance, f"{what}: error {error:.3g} exceeds {tolerance:.1g}"


def directional_difference(
    f: Callable[[Values], Array], values: Values, direction: Values, step: float = 1e-5
) -> Array:
    """(f(x + h v) − f(x − h v)) / 2h, of error O(h²)."""
    ahead = {k: v + step * direction[k] if k in direction else v for k, v in values.items()}
    behind = {k: v - step * direction[k] if k in direction else v for k, v in values.items()}
    difference: Array = (np.asarray(f(ahead)) - np.asarray(f(behind))) / (2 * step)
    return difference


def numeric_gradient(f: Callable[[Values], Array], values: Values, name: str) -> Array:
    """The gradient of a scalar function by one central difference an element."""
    x = np.asarray(values[name], dtype=np.float64)
    result = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        unit = np.zeros_like(x)
        unit[place] = 1.0
        result[place] = directional_difference(f, values, {name: unit})
    return result


def weighted(y: Node, seed: int = 0) -> Node:
    """A scalar that every element of y enters with a weight of its own."""
    shape = tuple(3 if not isinstance(s, int) else s for s in y.shape)
    if shape != y.shape:
        raise ValueError("weights need sizes that are numbers")
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, shape)
    return b.sum(y * b.constant(np.asarray(weights)))


def check_derivatives(
    y: Node, xs: Sequence[Node], values: Values, first: float = 1e-6, second: float = 1e-5
) -> None:
    """Hold first and second derivatives of y, in both modes, against finite differences."""
    scalar = weighted(y)
    rng = np.random.default_rng(1)
    names = [x.attr("name") for x in xs]
    direction = {n: rng.normal(size=np.shape(values[n])) for n in names}
    grads = gradients(scalar, xs)
    found = evaluate(grads, values)
    for name, ours in zip(names, found, strict=True):
        theirs = numeric_gradient(lambda v: evaluate(scalar, v), values, name)
        assert_close(ours, theirs, first, f"gradient of {y.op} by {name}")
    vs = [direction[n] for n in names]
    pushed = evaluate(jvp(y, xs, vs), values)
    numeric = directional_difference(lambda v: evaluate(y, v), values, direction)
    assert_close(pushed, numeric, first, f"forward mode of {y.op}")
    numeric_hvp = [
        directional_difference(lambda v, g=g: evaluate(g, v), values, direction) for g in grads
    ]
    for mode in HVP_MODES:
        for ours, theirs in zip(
            evaluate(hvp(scalar, xs, vs, mode), values), numeric_hvp, strict=True
        ):
            assert_close(ours, theirs, second, f"second derivative of {y.op}, {mode}")


# The autograd interpreter.


def _along(x: Any, axis: int, matrix: Array) -> Any:
    """A linear map along one axis."""
    return anp.moveaxis(anp.tensordot(matrix, x, axes=([1], [axis])), 0, axis)


def _picked(x: Any, axis: int, places: Sequence[int] | Array) -> Any:
    """Places along one axis; infinite pads times the zeros of a matrix would be no numbers."""
    return x[(slice(None),) * axis + (np.asarray(places, dtype=int),)]


def _selection(size: int, places: Sequence[int]) -> Array:
    matrix = np.zeros((len(places), size))
    matrix[np.arange(len(places)), list(places)] = 1.0
    return matrix


def _scan(n: int, reverse: bool) -> Array:
    lower = np.tril(np.ones((n, n)))
    return lower.T if reverse else lower


def _moves(node: Node) -> list[tuple[int, int, int, int]]:
    """Of each axis with windows the values of the node's attributes."""
    return list(zip(*(value for _, value in node.attributes), strict=True))


class _Autograd:
    """One graph, interpreted with autograd's NumPy, so that autograd can differentiate it."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes

    def shape(self, node: Node) -> tuple[int, ...]:
        return tuple(size_value(s, self.sizes) for s in node.shape)

    def run(self, node: Node, inputs: list[Any]) -> Any:
        return getattr(self, f"op_{node.op}", self.scalar)(node, *inputs)

    def scalar(self, node: Node, *inputs: Any) -> Any:
        return _SCALARS[node.op](*inputs)

    def op_constant(self, node: Node) -> Any:
        return np.array(node.value)

    def op_size(self, node: Node) -> Any:
        return size_value(node.attr("size"), self.sizes)

    def op_arange(self, node: Node) -> Any:
        return np.arange(size_value(node.attr("n"), self.sizes))

    def op_add(self, node: Node, *inputs: Any) -> Any:
        total = node.attr("constant")
        for c, x in zip(node.attr("coefficients"), inputs, strict=True):
            total = total + c * x
        return total

    def op_mul(self, node: Node, *inputs: Any) -> Any:
        total = node.attr("coefficient")
        for e, x in zip(node.attr("exponents"), inputs, strict=True):
            total = total * (_root(x, e) if 0 < e < 1 else x**e)
        return total

    def op_cast(self, node: Node, x: Any) -> Any:
        return x * 1.0 if node.dtype.startswith("float") else np.asarray(x).astype(node.dtype)

    def op_contract(self, node: Node, *inputs: Any) -> Any:
        """Subscripts as text; diagonals as products with an identity, which autograd can do."""
        operands, terms, letters = list(inputs), [], iter("abcdefghijklmnopqrstuvwxyzABCDEFG")
        name: dict[int, str] = {}
        sizes: dict[str, int] = {}
        extra = []
        for x, indices in zip(inputs, node.attr("indices"), strict=True):
            term = ""
            for axis, index in enumerate(indices):
                letter = name.setdefault(index, "") or next(letters)
                name[index] = letter
                if letter in term:
                    other = next(letters)
                    extra.append((np.eye(x.shape[axis]), letter + other))
                    letter = other
                term += letter
                sizes[letter] = x.shape[axis]
            terms.append(term)
        for matrix, term in extra:
            operands.append(matrix)
            terms.append(term)
        full = self.shape(node)
        present = [i for i in node.attr("out") if i in name]
        result = anp.einsum(",".join(terms) + "->" + "".join(name[i] for i in present), *operands)
        kept = [n if i in name else 1 for i, n in zip(node.attr("out"), full, strict=True)]
        return anp.reshape(result, kept) * np.ones(full)

    def op_max(self, node: Node, x: Any) -> Any:
        for axis in reversed(node.attr("axes")):
            x = anp.max(x, axis=axis)
        return x

    def op_prod(self, node: Node, x: Any) -> Any:
        """One factor at a time: autograd's own derivative divides by the factors."""
        for axis in reversed(node.attr("axes")):
            x = anp.moveaxis(x, axis, 0)
            total = 1.0
            for row in range(x.shape[0]):
                total = total * x[row]
            x = total
        return x

    def op_cumsum(self, node: Node, x: Any) -> Any:
        axis = node.attr("axis")
        return _along(x, axis, _scan(x.shape[axis], node.attr("reverse")))

    def op_logsumexp(self, node: Node, x: Any) -> Any:
        return special.logsumexp(x, axis=node.attr("axes"))

    def op_log_softmax(self, node: Node, x: Any) -> Any:
        return x - special.logsumexp(x, axis=node.attr("axes"), keepdims=True)

    def op_softmax(self, node: Node, x: Any) -> Any:
        return anp.exp(self.op_log_softmax(node, x))

    def op_reshape(self, node: Node, x: Any) -> Any:
        return anp.reshape(x, self.shape(node))

    def op_slice(self, node: Node, x: Any) -> Any:
        for axis, (start, length, step) in enumerate(node.attr("ranges")):
            first = size_value(start, self.sizes)
            places = [first + step * k for k in range(size_value(length, self.sizes))]
            x = _picked(x, axis, places)
        return x

    def op_flip(self, node: Node, x: Any) -> Any:
        for axis in node.attr("axes"):
            x = _picked(x, axis, range(x.shape[axis])[::-1])
        return x

    def op_pad(self, node: Node, x: Any) -> Any:
        for axis, (before, _, gap) in enumerate(node.attr("padding")):
            first = size_value(before, self.sizes)
            places = [first + (gap + 1) * k for k in range(x.shape[axis])]
            x = _along(x, axis, _selection(self.shape(node)[axis], places).T)
        return x

    def op_concatenate(self, node: Node, *inputs: Any) -> Any:
        return anp.concatenate(inputs, axis=node.attr("axis"))

    def op_window(self, node: Node, x: Any) -> Any:
        for axis, size, stride, dilation in _moves(node):
            count = size_value(node.shape[axis], self.sizes)
            places = stride * np.arange(count)[:, None] + dilation * np.arange(size)
            picked = _picked(x, axis, places.ravel())
            parts = anp.reshape(picked, (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]))
            x = anp.moveaxis(parts, axis + 1, -1)
        return x

    def op_overlap_add(self, node: Node, g: Any) -> Any:
        for axis, length, stride, dilation in reversed(_moves(node)):
            places = stride * np.arange(g.shape[axis])[:, None] + dilation * np.arange(g.shape[-1])
            parts = anp.moveaxis(g, -1, axis + 1)
            flat = anp.reshape(parts, (*g.shape[:axis], places.size, *g.shape[axis + 1 : -1]))
            whole = size_value(length, self.sizes)
            g = _along(flat, axis, _selection(whole, list(places.ravel())).T)
        return g

    def op_take(self, node: Node, x: Any, idx: Any) -> Any:
        batch = node.attr("batch")
        idx = np.asarray(idx).astype(np.int64)  # a view has made floats of it
        rows = np.indices(idx.shape[:batch])
        grid = [r.reshape(r.shape + (1,) * (idx.ndim - batch)) for r in rows]
        return x[(*grid, idx)]

    def op_scatter_add(self, node: Node, g: Any, idx: Any) -> Any:
        """A product with one-hot rows; flattened so that the indices' own axes are one."""
        batch, full = node.attr("batch"), self.shape(node)
        n, lead, rest = full[batch], full[:batch], full[batch + 1 :]
        hot = (np.asarray(idx)[..., None] % n == np.arange(n)).astype(float)
        b_size, r_size = int(np.prod(lead)), int(np.prod(rest))
        picks = int(np.prod(idx.shape[batch:]))
        out = anp.einsum(
            "bin,bir->bnr",
            hot.reshape(b_size, picks, n),
            anp.reshape(g, (b_size, picks, r_size)),
        )
        return anp.reshape(out, full)

    def op_one_hot(self, node: Node, idx: Any) -> Any:
        n = size_value(node.attr("n"), self.sizes)
        return (np.asarray(idx)[..., None] == np.arange(n)).astype(node.dtype)

    def op_loop(self, node: Node, *inputs: Any) -> Any:
        return node, inputs  # run by those that read it

    def op_stacked(self, node: Node, loop: Any) -> Any:
        steps, _ = self.steps(*loop, loops.value_of(node))
        return anp.array(steps) if not node.ndim - 1 else anp.stack(steps)

    def op_final(self, node: Node, loop: Any) -> Any:
        return self.steps(*loop)[1][node.attr("position")]

    def steps(self, hub: Node, inputs: Any, *wanted: Node) -> tuple[list[Any], Any]:
        """The wanted value at each step in order of time, and the carries after the last."""
        nexts, leaves = loops.updates(hub), loops.bound_leaves(hub)
        count, arrays = hub.attr("counts")
        carries, rest = inputs[:count], inputs[count:]
        length = size_value(hub.attr("length"), self.sizes)
        found = []
        for t in range(length)[:: -1 if hub.attr("reverse") else 1]:
            now = [*carries, *(x[t] for x in rest[:arrays]), *rest[arrays:]]
            done = dict(zip(leaves, now, strict=True))
            for node in toposort([*nexts, *wanted]):
                if node not in done:
                    done[node] = self.run(node, [done[x] for x in node.inputs])
            carries = [done[update] for update in nexts]
            found += [anp.broadcast_to(done[x], self.shape(x)) for x in wanted]
        return found[:: -1 if hub.attr("reverse") else 1], carries

    def op_stop_gradient(self, node: Node, x: Any) -> Any:
        return np.asarray(autograd.tracer.getval(_unboxed(x)))


def _unboxed(x: Any) -> Any:
    while isinstance(x, autograd.tracer.Box):
        x = x._value
    return x


def _root(x: Any, e: float) -> Any:
    """x**e with derivative 0 at 0, by the contract."""
    return anp.where(x == 0, 0.0, anp.where(x == 0, 1.0, x) ** e)


def _where(cond: Any, x: Any, y: Any) -> Any:
    """With both values of the result's shape: autograd's own does not sum where one is repeated."""
    zeros = np.zeros(np.broadcast_shapes(np.shape(cond), np.shape(x), np.shape(y)))
    return anp.where(_unboxed(cond), x + zeros, y + zeros)


def _reciprocal_or_zero(x: Any) -> Any:
    return anp.where(x == 0, 0.0, 1 / anp.where(x == 0, 1.0, x))


_SAME_NAME = ["exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh"]
_SAME_NAME += [
    "arctan",
    "arcsinh",
    "arctanh",
    "arccosh",
    "arcsin",
    "abs",
    "sign",
    "maximum",
    "minimum",
]
_SCALARS: dict[str, Callable[..., Any]] = {
    **{name: getattr(anp, name) for name in _SAME_NAME},
    "where": _where,
    "erf": special.erf,
    "erfc": special.erfc,
    "erfc_hazard": lambda x: 2 / np.sqrt(np.pi) * anp.exp(-x * x) / special.erfc(x),
    "log_erfc": lambda x: anp.log(special.erfc(x)),
    "log1mexp": lambda x: anp.log(-anp.expm1(x)),
    "sigmoid": lambda x: 0.5 * (anp.tanh(0.5 * x) + 1),
    "softplus": lambda x: anp.logaddexp(x, 0.0),
    "relu": lambda x: anp.where(x > 0, x, 0.0),
    "reciprocal_or_zero": _reciprocal_or_zero,
    "hypot": lambda x, y: anp.sqrt(x**2 + y**2),
    "pow": lambda x, y: x**y,
    "lt": lambda x, y: _unboxed(x) < _unboxed(y),
    "le": lambda x, y: _unboxed(x) <= _unboxed(y),
    "gt": lambda x, y: _unboxed(x) > _unboxed(y),
    "ge": lambda x, y: _unboxed(x) >= _unboxed(y),
    "eq": lambda x, y: _unboxed(x) == _unboxed(y),
    "ne": lambda x, y: _unboxed(x) != _unboxed(y),
}


def autograd_function(
    root: Node, values: Values, named: Mapping[str, int] | None = None
) -> Callable[..., Any]:
    """The graph as a function of its leaves' arrays, by name, that autograd can differentiate.

    ``named`` gives the named sizes that no leaf of the graph shows.
    """
    order = toposort([root])
    sizes: dict[str, int] = dict(named or {})
    for node in order:
        if node.op in ("input", "parameter"):
            bind_sizes(node.shape, np.shape(values[node.attr("name")]), sizes)
    machine = _Autograd(sizes)

    def run(arrays: Values) -> Any:
        done: dict[Node, Any] = {}
        for node in order:
            if node.op in ("input", "parameter"):
                done[node] = arrays[node.attr("name")]
            else:
                done[node] = machine.run(node, [done[x] for x in node.inputs])
        return done[root]

    return run


def autograd_value(root: Node, values: Values, named: Mapping[str, int] | None = None) -> Any:
    """The value of a graph by autograd's NumPy."""
    return autograd_function(root, values, named)(dict(values))


def _gradient(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """autograd.grad; a function that does not depend on its argument has gradient zero."""

    def run(x: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.filterwarnings("ignore", "Output seems independent")
            return autograd.grad(lambda arrays: 1.0 * f(arrays))(x)

    return run


def autograd_gradients(
    scalar: Node, names: Sequence[str], values: Values, named: Mapping[str, int] | None = None
) -> list[Array]:
    """The gradients of a scalar by the named leaves, by autograd."""
    run = autograd_function(scalar, values, named)
    free = {n: np.asarray(values[n], dtype=np.float64) for n in names}
    found = _gradient(lambda arrays: run({**values, **arrays}))(free)
    return [found[n] for n in names]


def autograd_hvp(
    scalar: Node,
    names: Sequence[str],
    values: Values,
    vs: Sequence[Array],
    named: Mapping[str, int] | None = None,
) -> list[Array]:
    """The Hessian-vector product by autograd: the gradient of ⟨∇f, v⟩."""
    run = autograd_function(scalar, values, named)
    free = {n: np.asarray(values[n], dtype=np.float64) for n in names}

    def slope(arrays: Values) -> Any:
        first = _gradient(lambda inner: run({**values, **inner}))(arrays)
        return sum(anp.sum(first[n] * v) for n, v in zip(names, vs, strict=True))

    found = _gradient(slope)(free)
    return [found[n] for n in names]
