"""The closed set of operations, as records.

What users call (``layer_norm``, ``cross_entropy``, ``var``) is built from these in
:mod:`symdiff.expr.build` and :mod:`symdiff.nn`, so that derivatives, batching, the interpreter and
the printer need only this set.  Each of those is a sibling table keyed by the operation's name,
and a test demands that each covers every operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import (
    Shape,
    ShapeError,
    Size,
    broadcast_shapes,
    shape_size,
    shape_text,
    size_add,
    size_floordiv,
    size_mul,
    size_sub,
    size_text,
)

if TYPE_CHECKING:
    from symdiff.expr.node import Node

Inputs = Sequence["Node"]
Attrs = Mapping[str, Any]


@dataclass(frozen=True)
class Op:
    """One operation: its attributes in order, how shape and dtype follow, and flags.

    ``linear_in`` lists the inputs in which it is linear with the others fixed; None marks n-ary
    operations that are linear in every input.  ``elementwise`` operations broadcast as NumPy's.
    """

    attributes: tuple[str, ...]
    shape: Callable[[Inputs, Attrs], Shape]
    dtype: Callable[[Inputs, Attrs], str]
    leaf: bool = False
    elementwise: bool = False
    linear_in: tuple[int, ...] | None = ()


_RANK = {"bool": 0, "int64": 1, "float32": 2, "float64": 3}


def promote(*dtypes: str) -> str:
    """The widest of the dtypes, in the order bool, int64, float32, float64."""
    if dtypes.count(dtypes[0]) == len(dtypes):
        return dtypes[0]
    return max(dtypes, key=_RANK.__getitem__)


def _same(inputs: Inputs, attrs: Attrs) -> Shape:
    return inputs[0].shape


def _attr_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    shape: Shape = attrs["shape"]
    return shape


def _attr_dtype(inputs: Inputs, attrs: Attrs) -> str:
    return str(attrs["dtype"])


def _first_dtype(inputs: Inputs, attrs: Attrs) -> str:
    return inputs[0].dtype


def _promoted(inputs: Inputs, attrs: Attrs) -> str:
    return promote(*[node.dtype for node in inputs])


def _broadcast(inputs: Inputs, attrs: Attrs) -> Shape:
    return broadcast_shapes(*[node.shape for node in inputs])


def _without_axes(inputs: Inputs, attrs: Attrs) -> Shape:
    return tuple(s for axis, s in enumerate(inputs[0].shape) if axis not in attrs["axes"])


def _contract_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    sizes: dict[int, Size] = dict(attrs["sizes"])
    for node, names in zip(inputs, attrs["indices"], strict=True):
        if len(names) != node.ndim:
            raise ShapeError(f"contract: {len(names)} indices for shape {shape_text(node.shape)}")
        for name, size in zip(names, node.shape, strict=True):
            if sizes.setdefault(name, size) != size:
                raise ShapeError(
                    "contract: one index has sizes "
                    f"{size_text(sizes[name])} and {size_text(size)} in shapes "
                    + " and ".join(shape_text(n.shape) for n in inputs)
                )
    out: tuple[int, ...] = attrs["out"]
    if len(set(out)) != len(out):
        raise ShapeError("contract: an index stands twice in the result")
    return tuple(sizes[name] for name in out)


def _reshape_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    shape: Shape = attrs["shape"]
    if shape_size(shape) != shape_size(inputs[0].shape):
        raise ShapeError(
            f"reshape: shape {shape_text(inputs[0].shape)} does not have "
            f"the elements of {shape_text(shape)}"
        )
    return shape


def _slice_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    if len(attrs["ranges"]) != inputs[0].ndim:
        raise ShapeError("slice: one range an axis")
    return tuple(length for _, length, _ in attrs["ranges"])


def _pad_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    result: list[Size] = []
    for size, (before, after, interior) in zip(inputs[0].shape, attrs["padding"], strict=True):
        gaps = size_mul(interior, size_sub(size, 1)) if interior else 0
        result.append(size_add(size_add(size_add(before, size), gaps), after))
    return tuple(result)


def _concatenate_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    axis = attrs["axis"]
    first = inputs[0].shape
    total: Size = 0
    for node in inputs:
        shape = node.shape
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(shape, first, strict=True)) if i != axis
        ):
            raise ShapeError(
                "concatenate: shapes "
                + " and ".join(shape_text(n.shape) for n in inputs)
                + f" differ off axis {axis}"
            )
        total = size_add(total, shape[axis])
    return (*first[:axis], total, *first[axis + 1 :])


def _take_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    x, idx = inputs
    batch = attrs["batch"]
    if x.ndim <= batch or x.shape[:batch] != idx.shape[:batch]:
        raise ShapeError(
            f"take: shape {shape_text(x.shape)} and indices of shape {shape_text(idx.shape)} "
            f"do not agree in their first {batch} axes"
        )
    return idx.shape + x.shape[batch + 1 :]


def _scatter_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    g, idx = inputs
    if g.shape[: idx.ndim] != idx.shape:
        raise ShapeError(
            f"scatter_add: shape {shape_text(g.shape)} does not begin with "
            f"the indices' {shape_text(idx.shape)}"
        )
    batch = attrs["batch"]
    return (*idx.shape[:batch], attrs["n"], *g.shape[idx.ndim :])


def _one_hot_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    return (*inputs[0].shape, attrs["n"])


def window_positions(length: Size, size: Size, stride: int, dilation: int) -> Size:
    """The number of places at which a window fits along an axis."""
    span = size_mul(dilation, size_sub(size, 1))
    return size_floordiv(size_sub(size_add(length, stride - 1), span), stride)


def _window_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    shape = list(inputs[0].shape)
    moves = zip(attrs["axes"], attrs["sizes"], attrs["strides"], attrs["dilations"], strict=True)
    for axis, size, stride, dilation in moves:
        shape[axis] = window_positions(shape[axis], size, stride, dilation)
    return (*shape, *attrs["sizes"])


def _overlap_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    shape = list(inputs[0].shape[: inputs[0].ndim - len(attrs["axes"])])
    for axis, length in zip(attrs["axes"], attrs["lengths"], strict=True):
        shape[axis] = length
    return tuple(shape)


def _loop_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    """A hub has no value; its inputs must be what its body takes them for."""
    carries, elements = attrs["counts"]
    for x, update in zip(inputs, attrs["body"].nodes, strict=False):
        if x.shape != update.shape or x.dtype != update.dtype:
            raise ShapeError(
                f"loop: a carry of shape {shape_text(x.shape)}, {x.dtype}, becomes "
                f"{shape_text(update.shape)}, {update.dtype}"
            )
    for x in inputs[carries : carries + elements]:
        if x.shape[:1] != (attrs["length"],):
            raise ShapeError(
                f"loop: elements of shape {shape_text(x.shape)} for "
                f"{size_text(attrs['length'])} steps"
            )
    return ()


def _stacked_shape(inputs: Inputs, attrs: Attrs) -> Shape:
    (node,) = attrs["value"].nodes
    return (inputs[0].attr("length"), *node.shape)


def _final(inputs: Inputs, attrs: Attrs) -> Node:
    carry: Node = inputs[0].attr("body").nodes[attrs["position"]]
    return carry


def _scalar_ops() -> dict[str, Op]:
    def dtype_of(name: str) -> Callable[[Inputs, Attrs], str]:
        kind = SCALARS[name].result
        if kind == "bool":
            return lambda inputs, attrs: "bool"
        if kind == "branches":
            return lambda inputs, attrs: promote(*(node.dtype for node in inputs[1:]))
        return _promoted

    return {name: Op((), _broadcast, dtype_of(name), elementwise=True) for name in SCALARS}


OPS: dict[str, Op] = {
    "input": Op(("name", "shape", "dtype", "declared"), _attr_shape, _attr_dtype, leaf=True),
    "parameter": Op(("name", "shape", "dtype"), _attr_shape, _attr_dtype, leaf=True),
    "constant": Op(("dtype", "shape", "data"), _attr_shape, _attr_dtype, leaf=True),
    "size": Op(("size", "dtype"), lambda i, a: (), _attr_dtype, leaf=True),
    "arange": Op(("n",), lambda i, a: (a["n"],), lambda i, a: "int64", leaf=True),
    "bound": Op(
        ("scope", "kind", "position", "name", "shape", "dtype"), _attr_shape, _attr_dtype, leaf=True
    ),
    # The result dtype of add and mul is stated by the constructor: it depends on whether the
    # coefficients are whole numbers.
    "add": Op(
        ("coefficients", "constant", "dtype"),
        _broadcast,
        _attr_dtype,
        elementwise=True,
        linear_in=None,
    ),
    "mul": Op(("exponents", "coefficient", "dtype"), _broadcast, _attr_dtype, elementwise=True),
    "cast": Op(("dtype",), _same, _attr_dtype, elementwise=True, linear_in=(0,)),
    **_scalar_ops(),
    "contract": Op(("indices", "out", "sizes"), _contract_shape, _promoted, linear_in=None),
    "max": Op(("axes",), _without_axes, _first_dtype),
    "prod": Op(("axes",), _without_axes, _first_dtype),
    "cumsum": Op(("axis", "reverse"), _same, _first_dtype, linear_in=(0,)),
    "softmax": Op(("axes",), _same, _first_dtype),
    "log_softmax": Op(("axes",), _same, _first_dtype),
    "logsumexp": Op(("axes",), _without_axes, _first_dtype),
    "reshape": Op(("shape",), _reshape_shape, _first_dtype, linear_in=(0,)),
    "slice": Op(("ranges",), _slice_shape, _first_dtype, linear_in=(0,)),
    "flip": Op(("axes",), _same, _first_dtype, linear_in=(0,)),
    "pad": Op(("padding",), _pad_shape, _first_dtype, linear_in=(0,)),
    "concatenate": Op(("axis",), _concatenate_shape, _promoted, linear_in=None),
    "window": Op(
        ("axes", "sizes", "strides", "dilations"), _window_shape, _first_dtype, linear_in=(0,)
    ),
    "overlap_add": Op(
        ("axes", "lengths", "strides", "dilations"), _overlap_shape, _first_dtype, linear_in=(0,)
    ),
    "take": Op(("batch",), _take_shape, _first_dtype, linear_in=(0,)),
    "scatter_add": Op(("batch", "n"), _scatter_shape, _first_dtype, linear_in=(0,)),
    "one_hot": Op(("n", "dtype"), _one_hot_shape, _attr_dtype),
    "stop_gradient": Op((), _same, _first_dtype),
    "loop": Op(("body", "counts", "length", "reverse", "names"), _loop_shape, _first_dtype),
    "stacked": Op(("value",), _stacked_shape, lambda i, a: str(a["value"].nodes[0].dtype)),
    "final": Op(("position",), lambda i, a: _final(i, a).shape, lambda i, a: _final(i, a).dtype),
}
