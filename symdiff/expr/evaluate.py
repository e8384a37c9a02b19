"""The reference interpreter: one NumPy kernel an operation, run in topological order.

It shares no code with the code generator, so that each can be held against the other.  Kernels
are the plain reading of an operation; only the composites that exist to be stable (softmax,
log_softmax, logsumexp) are shifted by their maximum.  Every value is computed in its node's dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from symdiff.expr import loops
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node, with_shape
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import Shape, ShapeError, Size, bind_sizes, shape_text, size_value

Array: TypeAlias = NDArray[Any]
Sizes: TypeAlias = Mapping[str, int]
Values: TypeAlias = Mapping["Node | str", Any]
Kernel: TypeAlias = "Callable[[Node, Sizes, list[Any]], Any]"


@overload
def evaluate(roots: Node, values: Values, sizes: Sizes | None = None) -> Array: ...
@overload
def evaluate(
    roots: Mapping[Any, Node], values: Values, sizes: Sizes | None = None
) -> dict[Any, Array]: ...
@overload
def evaluate(roots: Sequence[Node], values: Values, sizes: Sizes | None = None) -> list[Array]: ...
def evaluate(
    roots: Node | Sequence[Node] | Mapping[Any, Node],
    values: Values,
    sizes: Sizes | None = None,
) -> Array | list[Array] | dict[Any, Array]:
    """The values of the roots: an array for a node, a list for a sequence, a dict for a dict.

    ``values`` maps the leaves, or their names, to arrays; sizes that are names are read from the
    arrays' shapes (``sizes`` gives those that no array shows).  Entries that no root needs are
    allowed.  Raises ValueError naming the leaf where a value is missing or of the wrong kind, and
    ShapeError (a ValueError) where a shape does not fit.  No RuntimeWarning is given: what is not
    finite comes out as NumPy has it.
    """
    if isinstance(roots, Node):
        return _run([roots], values, sizes)[0]
    if isinstance(roots, Mapping):
        return dict(zip(roots, _run(list(roots.values()), values, sizes), strict=True))
    return _run(list(roots), values, sizes)


def _run(roots: Sequence[Node], values: Values, sizes: Sizes | None) -> list[Array]:
    order = toposort(roots)
    env: dict[str, int] = dict(sizes or {})
    done = _bind(order, values, env)
    with np.errstate(all="ignore"):
        _compute(order, done, env)
    return [done[root] for root in roots]


def _compute(order: Sequence[Node], done: dict[Node, Any], env: Sizes) -> None:
    """The values of the nodes that are not there yet."""
    for node in order:
        if node in done:
            continue
        try:
            if node.op == "loop":
                readers = [x for x in order if x.op == "stacked" and x.inputs[0] is node]
                done[node] = _loop(node, env, [done[x] for x in node.inputs], readers)
                continue
            result = KERNELS[node.op](node, env, [done[x] for x in node.inputs])
        except KeyError as error:
            raise ShapeError(
                f"evaluate: no array shows the size {error.args[0]}; give it in sizes="
            ) from None
        done[node] = _checked(node, np.asarray(result), env)


@dataclass(frozen=True)
class _Run:
    """What a loop leaves behind: a body node's values at all steps, the carries' last values."""

    stacks: Mapping[Node, Array]
    carries: Sequence[Array]


def _loop(node: Node, env: Sizes, inputs: list[Array], readers: Sequence[Node]) -> _Run:
    """Step after step, as it says."""
    updates, leaves = loops.updates(node), loops.bound_leaves(node)
    count, elements = node.attr("counts")
    carries, arrays = inputs[:count], inputs[count : count + elements]
    wanted = list(dict.fromkeys(loops.value_of(reader) for reader in readers))
    steps = size_value(node.attr("length"), env)
    stacks = {x: np.empty((steps, *_shape(x.shape, env)), x.dtype) for x in wanted}
    order = toposort([*updates, *wanted])
    for t in reversed(range(steps)) if node.attr("reverse") else range(steps):
        now = [*carries, *(array[t] for array in arrays), *inputs[count + elements :]]
        done: dict[Node, Any] = dict(zip(leaves, now, strict=True))
        _compute(order, done, env)
        carries = [done[update] for update in updates]
        for x, stack in stacks.items():
            stack[t] = done[x]
    return _Run(stacks, carries)


def _bind(order: Sequence[Node], values: Values, env: dict[str, int]) -> dict[Node, Array]:
    """The arrays of the leaves that have names, after reading the named sizes off their shapes."""
    done: dict[Node, Array] = {}
    given = [key for key in values if isinstance(key, Node)]
    for leaf in dict.fromkeys([*(n for n in order if n.op in ("input", "parameter")), *given]):
        if leaf.op not in ("input", "parameter"):
            raise ValueError(f"evaluate: values are given to inputs and parameters, not to {leaf}")
        name = leaf.attr("name")
        if leaf not in values and name not in values:
            raise ValueError(f"evaluate: no value for {leaf.op} {with_shape(leaf)}")
        done[leaf] = _array(leaf, values[leaf] if leaf in values else values[name])
    # Lone names first: a compound size such as 2*n + 1 may need them.
    for leaf in sorted(
        done, key=lambda leaf: any(not isinstance(s, (int, str)) for s in leaf.shape)
    ):
        bind_sizes(leaf.shape, done[leaf].shape, env, leaf.attr("name"))
    return done


def _array(leaf: Node, value: Any) -> Array:
    array = np.asarray(value)
    kinds = {"int64": "iu", "bool": "b"}.get(leaf.dtype, "fiub")
    if array.dtype.kind not in kinds and array.size:
        raise ValueError(
            f"evaluate: {leaf.op} {leaf.attr('name')} holds {leaf.dtype}, got {array.dtype}"
        )
    return array.astype(leaf.dtype, copy=False)


def _checked(node: Node, result: Array, env: Sizes) -> Array:
    """The result in the node's dtype; its shape must be what the node says."""
    if result.shape != _shape(node.shape, env):
        raise ShapeError(
            f"evaluate: {node.op} gave shape {result.shape} where {shape_text(node.shape)} "
            f"was expected, from "
            + (" and ".join(with_shape(x) for x in node.inputs) or "no inputs")
        )
    return result.astype(node.dtype, copy=False)


def _shape(shape: Shape, env: Sizes) -> tuple[int, ...]:
    return tuple(size_value(size, env) for size in shape)


def _leaf(node: Node, env: Sizes, inputs: list[Array]) -> Array:
    raise ValueError(f"evaluate: no value for {node.op} {with_shape(node)}")


def _power(x: Array, exponent: float) -> Array:
    if exponent == 1:
        return x
    if exponent == 2:
        return x * x
    if exponent == 0.5:
        return np.sqrt(x)
    result: Array = np.power(x, int(exponent) if x.dtype.kind == "i" else exponent)
    return result


def _add(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    number = int if node.dtype == "int64" else float
    total: Any = np.asarray(number(node.attr("constant")), node.dtype)
    for coefficient, x in zip(node.attr("coefficients"), inputs, strict=True):
        x = x.astype(node.dtype, copy=False)
        total = total + (x if coefficient == 1 else number(coefficient) * x)
    return total


def _mul(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    """Negative powers are collected below the line: x / y, not x * (1 / y)."""
    above: Any = np.asarray(node.attr("coefficient"), node.dtype)
    below: Any = None
    twice: list[Array] = []
    for exponent, x, source in zip(node.attr("exponents"), inputs, node.inputs, strict=True):
        if exponent == -2 and source.op == "hypot":  # whose square may overflow
            twice += [x, x]
            continue
        factor = _power(x.astype(node.dtype, copy=False), abs(exponent))
        if exponent >= 0:
            above = above * factor
        else:
            below = factor if below is None else below * factor
    result = above if below is None else above / below
    for x in twice:
        result = result / x
    return result


def _scalar(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return SCALARS[node.op].numeric(*inputs)


def _contract(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    """An einsum over the indices that operands have, then a broadcast to those that none has."""
    indices, out = node.attr("indices"), node.attr("out")
    rank = {name: i for i, name in enumerate(dict.fromkeys(n for names in indices for n in names))}
    operands: list[Any] = []
    for x, names in zip(inputs, indices, strict=True):
        operands += [x.astype(node.dtype, copy=False), [rank[name] for name in names]]
    present = [name for name in out if name in rank]
    result = np.einsum(*operands, [rank[name] for name in present], optimize=len(inputs) > 1)
    place = tuple(slice(None) if name in rank else None for name in out)
    return np.broadcast_to(np.asarray(result)[place], _shape(node.shape, env))


def _max(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return inputs[0].max(axis=node.attr("axes"))


def _prod(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return inputs[0].prod(axis=node.attr("axes"))


def _cumsum(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    axis = node.attr("axis")
    if not node.attr("reverse"):
        return np.cumsum(inputs[0], axis=axis)
    return np.flip(np.cumsum(np.flip(inputs[0], axis), axis=axis), axis)


def _shift(x: Array, axes: tuple[int, ...]) -> Array:
    """The maximum over axes, kept; 0 where it is infinite (inf − inf would be NaN)."""
    top = x.max(axis=axes, keepdims=True, initial=-math.inf)
    shift: Array = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    return shift


def _softmax(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    (x,), axes = inputs, node.attr("axes")
    weights = np.exp(x - _shift(x, axes))
    return weights / weights.sum(axis=axes, keepdims=True)


def _log_softmax(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    (x,), axes = inputs, node.attr("axes")
    shifted = x - _shift(x, axes)
    return shifted - np.log(np.exp(shifted).sum(axis=axes, keepdims=True))


def _logsumexp(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    (x,), axes = inputs, node.attr("axes")
    shift = _shift(x, axes)
    total = np.log(np.exp(x - shift).sum(axis=axes, keepdims=True)) + shift
    return total.squeeze(axis=axes)


def _reshape(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return inputs[0].reshape(_shape(node.shape, env))


def _strided(start: Size, length: Size, step: int, env: Sizes) -> slice:
    first, count = size_value(start, env), size_value(length, env)
    return slice(first, first + (count - 1) * step + 1 if count else first, step)


def _slice(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    ranges = node.attr("ranges")
    return inputs[0][tuple(_strided(start, n, step, env) for start, n, step in ranges)]


def _flip(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return np.flip(inputs[0], node.attr("axes"))


def _pad(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    (x,) = inputs
    result = np.zeros(_shape(node.shape, env), x.dtype)
    place = zip(x.shape, node.attr("padding"), strict=True)
    result[tuple(_strided(before, n, gap + 1, env) for n, (before, _, gap) in place)] = x
    return result


def _concatenate(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return np.concatenate(inputs, axis=node.attr("axis"))


def _places(count: int, size: int, stride: int, dilation: int) -> Array:
    """Where the elements of each window stand along an axis: (positions, size)."""
    return stride * np.arange(count)[:, None] + dilation * np.arange(size)


def _window(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    """One axis after the other is picked from; its windows' own axis goes last."""
    (result,) = inputs
    for axis, size, stride, dilation in zip(*(value for _, value in node.attributes), strict=True):
        count = size_value(node.shape[axis], env)
        places = _places(count, size_value(size, env), stride, dilation)
        result = np.moveaxis(np.take(result, places, axis=axis), axis + 1, -1)
    return result


def _overlap_add(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    """One axis after the other, the last first, whose windows' own axis is the last."""
    (result,) = inputs
    moves = list(zip(*(value for _, value in node.attributes), strict=True))
    for axis, length, stride, dilation in reversed(moves):
        places = _places(result.shape[axis], result.shape[-1], stride, dilation)
        parts = np.moveaxis(result, -1, axis + 1)
        shape = (*parts.shape[:axis], size_value(length, env), *parts.shape[axis + 2 :])
        result = np.zeros(shape, parts.dtype)
        np.add.at(result, (slice(None),) * axis + (places,), parts)
    return result


def _rows(idx: Array, batch: int) -> tuple[Array, ...]:
    """Index arrays that pair each index with its place in the ``batch`` leading axes."""
    axes = [
        np.arange(n).reshape((n,) + (1,) * (idx.ndim - axis - 1))
        for axis, n in enumerate(idx.shape[:batch])
    ]
    return (*axes, idx)


def _take(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    x, idx = inputs
    return x[_rows(idx, node.attr("batch"))]


def _scatter_add(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    g, idx = inputs
    result = np.zeros(_shape(node.shape, env), g.dtype)
    np.add.at(result, _rows(idx, node.attr("batch")), g)
    return result


def _one_hot(node: Node, env: Sizes, inputs: list[Array]) -> Any:
    return inputs[0][..., None] == np.arange(size_value(node.attr("n"), env))


KERNELS: dict[str, Kernel] = {
    "input": _leaf,
    "parameter": _leaf,
    "constant": lambda node, env, inputs: node.value,
    "size": lambda node, env, inputs: size_value(node.attr("size"), env),
    "arange": lambda node, env, inputs: np.arange(size_value(node.attr("n"), env)),
    "add": _add,
    "mul": _mul,
    "cast": lambda node, env, inputs: inputs[0].astype(node.dtype),
    **dict.fromkeys(SCALARS, _scalar),
    "contract": _contract,
    "max": _max,
    "prod": _prod,
    "cumsum": _cumsum,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "reshape": _reshape,
    "slice": _slice,
    "flip": _flip,
    "pad": _pad,
    "concatenate": _concatenate,
    "window": _window,
    "overlap_add": _overlap_add,
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
    "stop_gradient": lambda node, env, inputs: inputs[0],
    "bound": _leaf,
    "loop": _leaf,  # run by _loop, which sees its readers
    "stacked": lambda node, env, inputs: inputs[0].stacks[loops.value_of(node)],
    "final": lambda node, env, inputs: inputs[0].carries[node.attr("position")],
}
