"""How each operation of the graph becomes steps: a table, one function an operation.

Contractions have a file of their own; most other operations are one step.  What is decided here
is what the text cannot undo: which values are Python numbers, where a truth value may multiply as
it is, and which views are taken together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from codegen import views
from codegen.builder import Builder
from codegen.layout import laid_out, memory_order
from codegen.loops import lower_final, lower_loop, lower_stacked
from codegen.recipes import lower_contract
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS, promote
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import (
    Shape,
    Size,
    broadcast_shapes,
    size_add,
    size_mul,
    size_names,
    size_sub,
)

Lowering = Callable[[Builder, Node, list[int]], int]

FLOATS = ("float32", "float64")


def lower(builder: Builder, node: Node, args: list[int]) -> int:
    """The register that holds the node's value, given those of its inputs."""
    order = memory_order(builder, node, args) if OPS[node.op].elementwise else None
    if order is None:
        made = LOWERINGS[node.op](builder, node, args)
    else:
        args = [laid_out(builder, arg, order) for arg in args]
        made = views.transpose(builder, LOWERINGS[node.op](builder, node, args), order)
    if views.is_turned(builder, made):
        builder.nodes.setdefault(builder.steps[made].args[0], node)
    return made


def _leaf(builder: Builder, node: Node, args: list[int]) -> int:
    return builder.emit("leaf", shape=node.shape, dtype=node.dtype, node=node)


def _constant(builder: Builder, node: Node, args: list[int]) -> int:
    if node.ndim == 0 and node.dtype != "bool":
        return builder.number(node.value.item(), node.dtype)
    return builder.emit("constant", shape=node.shape, dtype=node.dtype, node=node)


def _size(builder: Builder, node: Node, args: list[int]) -> int:
    return builder.emit("size", shape=(), dtype=node.dtype, weak=True, size=node.attr("size"))


def _arange(builder: Builder, node: Node, args: list[int]) -> int:
    return builder.emit("arange", shape=node.shape, dtype=node.dtype, n=node.attr("n"))


def _widened(builder: Builder, args: Sequence[int], dtype: str) -> list[int]:
    """The operands, with Python numbers as NumPy scalars where they make the result's dtype."""
    steps = [builder.steps[arg] for arg in args]
    arrays = [step.dtype for step in steps if not step.weak]
    if not arrays or promote(*arrays) == dtype:
        return list(args)
    return [builder.strong(step.dest) if step.dtype == dtype else step.dest for step in steps]


#: Sums and products of more operands than this are taken in parts: Python nests an expression
#: as deep as it has operators, and so deep that it refuses thousands.
MOST_OPERANDS = 30


def _add(builder: Builder, node: Node, args: list[int]) -> int:
    args = _widened(builder, args, node.dtype)
    pairs = list(zip(args, node.attr("coefficients"), strict=True))
    while True:
        part, pairs = pairs[:MOST_OPERANDS], pairs[MOST_OPERANDS:]
        terms = [arg for arg, _ in part]
        total = builder.emit(
            "add",
            terms,
            shape=_joint_shape(builder, terms),
            dtype=node.dtype,
            weak=all(builder.steps[arg].weak for arg in terms),
            coefficients=tuple(c for _, c in part),
            constant=0.0 if pairs else node.attr("constant"),
        )
        if not pairs:
            return total
        pairs.insert(0, (total, 1.0))


def _joint_shape(builder: Builder, args: Sequence[int]) -> Shape:
    return broadcast_shapes(*(builder.steps[arg].shape for arg in args))


def _mul(builder: Builder, node: Node, args: list[int]) -> int:
    args = _masks(builder, node, _widened(builder, args, node.dtype))
    exponents = node.attr("exponents")
    for arg, exponent in zip(args, exponents, strict=True):
        if builder.steps[arg].weak and exponent < 0 and _sizes_below(builder, arg):
            builder.divisors.setdefault(arg)
    vectors = _outer_factors(builder, node, args)
    if vectors:
        return builder.emit("outer", vectors, shape=_joint_shape(builder, args), dtype=node.dtype)
    pairs = list(zip(args, exponents, strict=True))
    while True:
        part, pairs = pairs[:MOST_OPERANDS], pairs[MOST_OPERANDS:]
        factors = [arg for arg, _ in part]
        product = builder.emit(
            "mul",
            factors,
            shape=_joint_shape(builder, factors),
            dtype=node.dtype,
            weak=all(builder.steps[arg].weak for arg in factors),
            exponents=tuple(e for _, e in part),
            coefficient=1.0 if pairs else node.attr("coefficient"),
        )
        if not pairs:
            return product
        pairs.insert(0, (product, 1.0))


def _outer_factors(builder: Builder, node: Node, args: Sequence[int]) -> list[int]:
    """The vectors a and b where the product is a[:, None] * b and nothing else."""
    if len(args) != 2 or node.attr("coefficient") != 1 or node.attr("exponents") != (1.0, 1.0):
        return []
    for column, row in (args, reversed(args)):
        step = builder.steps[column]
        is_column = step.action == "index" and step.detail("items") == (views.KEEP, views.NEW)
        if is_column and len(builder.steps[row].shape) == 1:
            return [step.args[0], row]
    return []


def _sizes_below(builder: Builder, register: int) -> bool:
    stack = [register]
    while stack:
        step = builder.steps[stack.pop()]
        if step.action == "size" and size_names(step.detail("size")):
            return True
        stack.extend(step.args)
    return False


def _masks(builder: Builder, node: Node, args: list[int]) -> list[int]:
    """Factors that are truth values cast to floats, taken as they are behind a float factor.

    NumPy multiplies floats by bools as by 0 and 1, without a cast in between; a Python number
    times bools would be float64, whatever the module's dtype.
    """
    factors = list(zip(args, node.attr("exponents"), strict=True))
    if node.dtype not in FLOATS or len(args) > MOST_OPERANDS:
        return args
    taken, has_float = [], False
    for arg, exponent in factors:
        step = builder.steps[arg]
        is_mask = step.action == "cast" and builder.steps[step.args[0]].dtype == "bool"
        has_float |= not is_mask and not step.weak and step.dtype == node.dtype and exponent > 0
        taken.append(step.args[0] if is_mask and exponent == 1 else arg)
    return taken if has_float else args


def _scalar(builder: Builder, node: Node, args: list[int]) -> int:
    """A function of the scalar table; one argument at least is an array, to carry the dtype."""
    args = list(args)
    row = SCALARS[node.op]
    values = args[1:] if row.result == "branches" else args
    like = promote(*(builder.steps[arg].dtype for arg in values))
    offset = len(args) - len(values)
    strong = [builder.steps[arg].dtype for arg in values if not builder.steps[arg].weak]
    if not strong or promote(*strong) != like:
        position = next(
            i
            for i, arg in enumerate(values)
            if builder.steps[arg].weak and builder.steps[arg].dtype == like
        )
        args[offset + position] = builder.strong(values[position])
    if offset:
        args[0] = builder.strong(args[0])
    return builder.emit(node.op, args, shape=_joint_shape(builder, args), dtype=node.dtype)


_TURNED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}


def _comparison(builder: Builder, node: Node, args: list[int]) -> int:
    """``a - b > 0`` as ``a > b``: differences of floats are 0 for equal ones only."""
    less, right = (builder.steps[arg] for arg in args)
    at_zero = right.action == "number" and float(right.detail("literal")) == 0
    if not at_zero or less.action != "add" or less.dtype not in FLOATS or less.weak:
        return _scalar(builder, node, args)
    weights, constant = less.detail("coefficients"), less.detail("constant")
    if len(weights) == 1 and abs(weights[0]) == 1 and math.isfinite(constant):
        bound = builder.number(-constant * weights[0], less.dtype)
        action = node.op if weights[0] > 0 else _TURNED[node.op]
        return builder.emit(action, [less.args[0], bound], shape=less.shape, dtype=node.dtype)
    # Infinities of one sign have no difference, but are equal.
    if not constant and sorted(weights) == [-1.0, 1.0] and node.op in ("lt", "gt"):
        above, below = (less.args[weights.index(sign)] for sign in (1.0, -1.0))
        shape = _joint_shape(builder, [above, below])
        return builder.emit(node.op, [above, below], shape=shape, dtype=node.dtype)
    return _scalar(builder, node, args)


def _cast(builder: Builder, node: Node, args: list[int]) -> int:
    step = builder.steps[args[0]]
    if step.weak and node.dtype in FLOATS and step.action in ("number", "size"):
        settings = dict(step.details)
        return builder.emit(step.action, shape=(), dtype=node.dtype, weak=True, **settings)
    arg = builder.strong(args[0])
    return builder.emit("cast", [arg], shape=builder.steps[arg].shape, dtype=node.dtype)


def _one_array(builder: Builder, node: Node, args: list[int]) -> int:
    """An operation of arrays that takes its attributes as they are."""
    args = [builder.strong(arg) for arg in args]
    settings = {name: value for name, value in node.attributes if name != "dtype"}
    return builder.emit(node.op, args, shape=node.shape, dtype=node.dtype, **settings)


def _reshape(builder: Builder, node: Node, args: list[int]) -> int:
    return views.reshape(builder, args[0], node.shape)


def _slice(builder: Builder, node: Node, args: list[int]) -> int:
    """Ranges as (start, stop, step, dropped); stop is None where the slice runs to the end."""
    ranges: list[tuple[Size, Size | None, int, bool]] = []
    pairs = zip(node.attr("ranges"), node.inputs[0].shape, strict=True)
    for (start, length, step), size in pairs:
        stop: Size | None = size_add(start, size_mul(length, step))
        # The last element taken stands at stop - step; nothing fits behind it within the axis.
        past = size_sub(stop, size)
        if isinstance(past, int) and past >= 0:
            stop = None
        elif isinstance(past, int) and not isinstance(size, int):
            stop = past  # a[:-1] rather than a[:n - 1]
        ranges.append((start, stop, step, False))
    return builder.emit("slice", args, shape=node.shape, dtype=node.dtype, ranges=tuple(ranges))


def _stop_gradient(builder: Builder, node: Node, args: list[int]) -> int:
    return args[0]


def _one_hot(builder: Builder, node: Node, args: list[int]) -> int:
    idx = node.inputs[0]
    n = node.attr("n")
    if idx.op == "arange" and idx.attr("n") == n:
        return builder.emit("eye", shape=node.shape, dtype=node.dtype, n=n)
    args = [builder.strong(args[0])]
    return builder.emit("one_hot", args, shape=node.shape, dtype=node.dtype, n=n)


def _concatenate(builder: Builder, node: Node, args: list[int]) -> int:
    """Between two arrays of one number it is a pad; pads of several axes are taken together."""
    value = number_of(node.inputs[0])
    whole = isinstance(value, float) and number_of(node.inputs[-1]) == value
    if not whole or len(args) != 3:
        return _one_array(builder, node, args)
    axis, inner = node.attr("axis"), builder.steps[args[1]]
    ends = (node.inputs[0].shape[axis], node.inputs[2].shape[axis], 0)
    padding = [ends if a == axis else (0, 0, 0) for a in range(node.ndim)]
    register = builder.strong(args[1])
    if inner.action == "pad" and dict(inner.details).get("value", 0.0) == value:
        register = inner.args[0]
        pairs = zip(padding, inner.detail("padding"), strict=True)
        padding = [b if a == (0, 0, 0) else a for a, b in pairs]
    return builder.emit(
        "pad",
        [register],
        shape=node.shape,
        dtype=node.dtype,
        padding=tuple(padding),
        value=value,
    )


def _max(builder: Builder, node: Node, args: list[int]) -> int:
    if not node.attr("axes"):
        return args[0]
    if views.is_turned(builder, args[0]):
        return views.reduced(builder, "max", builder.steps[args[0]], node.attr("axes"))
    return _one_array(builder, node, args)


def _window(builder: Builder, node: Node, args: list[int]) -> int:
    """Windows of an array as it lies in memory."""
    if not views.is_turned(builder, args[0]):
        return _one_array(builder, node, args)
    step = builder.steps[args[0]]
    order, own = step.detail("order"), node.ndim - len(step.shape)
    settings = dict(node.attributes)
    settings["axes"] = tuple(order[axis] for axis in settings["axes"])
    rank = len(order)
    lead = [node.shape[order.index(axis)] for axis in range(rank)]
    shape = (*lead, *node.shape[rank:])
    made = builder.emit("window", step.args, shape=shape, dtype=node.dtype, **settings)
    return views.transpose(builder, made, [*order, *range(rank, rank + own)])


def _overlap_add(builder: Builder, node: Node, args: list[int]) -> int:
    """Windows added up in an array whose axes lie in memory as the windows' do."""
    if not views.is_turned(builder, args[0]):
        return _one_array(builder, node, args)
    order = builder.steps[args[0]].detail("order")
    rank = node.ndim
    lies = sorted(range(rank), key=lambda axis: order[axis])
    windows = views.transpose(builder, args[0], [*lies, *range(rank, len(order))])
    settings = dict(node.attributes)
    settings["axes"] = tuple(lies.index(axis) for axis in settings["axes"])
    shape = tuple(node.shape[axis] for axis in lies)
    made = builder.emit("overlap_add", [windows], shape=shape, dtype=node.dtype, **settings)
    return views.transpose(builder, made, [lies.index(axis) for axis in range(rank)])


LOWERINGS: dict[str, Lowering] = {
    "input": _leaf,
    "parameter": _leaf,
    "constant": _constant,
    "size": _size,
    "arange": _arange,
    "add": _add,
    "mul": _mul,
    "cast": _cast,
    **dict.fromkeys(SCALARS, _scalar),
    **dict.fromkeys(_TURNED, _comparison),
    "contract": lower_contract,
    "max": _max,
    **dict.fromkeys(("prod", "cumsum", "softmax", "log_softmax", "logsumexp"), _one_array),
    **dict.fromkeys(("flip", "pad", "take", "scatter_add"), _one_array),
    "concatenate": _concatenate,
    "window": _window,
    "overlap_add": _overlap_add,
    "reshape": _reshape,
    "slice": _slice,
    "one_hot": _one_hot,
    "stop_gradient": _stop_gradient,
    "bound": _leaf,
    "loop": lower_loop,
    "stacked": lower_stacked,
    "final": lower_final,
}
