"""How each operation reads: a table, one function an operation.

A function is given the node and the documents of its inputs, and makes the node's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symdiff.expr.contraction import is_identity
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import Shape, Size, shape_text, size_add, size_mul, size_sub, size_text
from symdiff.expr.views import is_view
from symdiff.inspect.arithmetic import Docs, add, mul
from symdiff.inspect.layout import (
    ONE,
    Apply,
    Cases,
    Doc,
    Literal,
    Magnitude,
    Name,
    Number,
    Partial,
    Power,
    Relation,
    Subscript,
    negated,
    power,
    quotient,
    scaled,
    signed,
    transpose,
)
from symdiff.inspect.matrix import IDENTITY, Operand, contraction, spread, with_letters
from symdiff.inspect.ordering import factor_key

Builder = Callable[[Node, Docs], Doc]

#: Arrays of numbers up to this size are written out.
MOST_ELEMENTS = 8


def document(node: Node, look: Callable[[Node], Doc]) -> Doc:
    """The node's document, made of those of nodes below it, which ``look`` gives."""
    if node.op == "contract" and not is_view(node):
        return _contract(node, look)
    return OPERATIONS[node.op](node, [look(x) for x in node.inputs])


def _number(value: float) -> Doc:
    return negated(Number(-value)) if value < 0 else Number(value)


def _leaf(node: Node, inputs: Docs) -> Doc:
    return Name(node.attr("name"))


def _constant(node: Node, inputs: Docs) -> Doc:
    value = node.value
    if value.size > MOST_ELEMENTS:
        return Apply("array", (), (("", shape_text(node.shape)),))
    return _literal(value)


def _literal(value: Any) -> Doc:
    if value.ndim == 0:
        return _number(float(value))
    return Literal(tuple(_literal(np.asarray(row)) for row in value))


def _size(node: Node, inputs: Docs) -> Doc:
    return _size_doc(node.attr("size"))


def _size_doc(size: Size) -> Doc:
    if isinstance(size, int):
        return _number(float(size))
    text = size_text(size)
    return Name(text if isinstance(size, str) else f"({text})")


# Functions of the scalar table


def _scalar(name: str) -> Builder:
    return lambda node, inputs: Apply(name, tuple(inputs))


def _relation(name: str) -> Builder:
    return lambda node, inputs: Relation(inputs[0], name, inputs[1])


_SCALAR_FORMS: dict[str, Builder] = {
    **{name: _relation(name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
    "reciprocal_or_zero": lambda node, inputs: quotient(ONE, inputs[0]),
    "abs": lambda node, inputs: Magnitude(inputs[0]),
    "pow": lambda node, inputs: Power(inputs[0], inputs[1]),
    "where": lambda node, inputs: Cases(inputs[0], inputs[1], inputs[2]),
}


# Contractions


def _contract(node: Node, look: Callable[[Node], Doc]) -> Doc:
    operands = [
        operand
        for x, indices in zip(node.inputs, node.attr("indices"), strict=True)
        for operand in _operands(x, indices, look)
    ]
    operands.sort(key=lambda operand: factor_key(operand.doc))
    return contraction(operands, node.attr("out"))


def _operands(x: Node, indices: tuple[int, ...], look: Callable[[Node], Doc]) -> list[Operand]:
    """A matrix whose rows or columns are scaled by vectors as separate operands; else one."""
    doc = look(x)
    whole = [Operand(doc, indices, x.shape, x.facts.symmetric)]
    if x.op != "mul" or x.ndim != 2 or isinstance(doc, (Name, Partial)):
        return whole
    if x.attr("coefficient") != 1:
        return whole
    parts: list[Operand] = []
    for factor, e in zip(x.inputs, x.attr("exponents"), strict=True):
        if e < 0 or factor.ndim == 0:
            return whole
        match look(factor):
            case Subscript(vector, (":", "None")):
                parts.append(Operand(power(vector, e), indices[:1], x.shape[:1]))
            case own if factor.ndim == 1:
                parts.append(Operand(power(own, e), indices[1:], x.shape[1:]))
            case _ if e == 1 and factor.shape == x.shape:
                parts += _operands(factor, indices, look)
            case own if factor.shape == x.shape:
                parts.append(Operand(power(own, e), indices, x.shape, factor.facts.symmetric))
            case _:
                return whole
    return parts if len({part.indices for part in parts}) > 1 else whole


def _view(node: Node, doc: Doc) -> Doc:
    """Axes dropped, a diagonal taken, axes permuted, inserted and broadcast, in this order."""
    (x,), (names,), out = node.inputs, node.attr("indices"), node.attr("out")
    wide = [n not in names and size != 1 for n, size in zip(out, node.shape, strict=True)]
    if any(wide):
        value = number_of(x)
        if value in (0.0, 1.0):
            return Apply("zeros" if value == 0 else "ones", (), (("", shape_text(node.shape)),))
        if x.ndim == 0 or _is_trailing(names, out):
            return _repeated(doc, x.ndim, node.shape)
    gone = [n not in out for n in names]
    if any(gone) and x.op == "slice" and isinstance(doc, Subscript):  # none if it has a name
        starts = [size_text(start) for start, _, _ in x.attr("ranges")]
        items = zip(doc.items, starts, gone, strict=True)
        doc = Subscript(doc.base, tuple(s if drop else item for item, s, drop in items))
    elif any(gone):
        doc = Subscript(doc, tuple("0" if drop else ":" for drop in gone))
    left = [n for n in names if n in out]
    if len(set(left)) != len(left) > 2:
        kept = [n for n in out if n in left]
        doc, left = with_letters([Operand(doc, tuple(left), x.shape)], kept), kept
    elif len(set(left)) != len(left):
        doc, left = Apply("diagonal", (doc,)), list(dict.fromkeys(left))
    order = tuple(left.index(n) for n in out if n in left)
    if order != tuple(range(len(order))):
        doc = transpose(doc) if len(order) == 2 else Apply("transpose", (doc,), (("", str(order)),))
    if any(n not in names for n in out):
        doc = Subscript(doc, tuple(":" if n in names else "None" for n in out))
    if any(wide):
        doc = Apply("broadcast", (doc,), (("", shape_text(node.shape)),))
    return doc


def _repeated(doc: Doc, rank: int, shape: Shape) -> Doc:
    """A number as a multiple of ones, a vector as the rows of 1 vᵀ; else a broadcast."""
    if rank == 0:
        minus, size = signed(doc)
        term = scaled((size,), Apply("ones", (), (("", shape_text(shape)),)))
        return negated(term) if minus else term
    if rank == 1 and len(shape) == 2:
        minus, size = signed(doc)
        term = spread(Apply("ones", (), (("", shape_text(shape[:1])),)), size, [])
        return negated(term) if minus else term
    return Apply("broadcast", (doc,), (("", shape_text(shape)),))


def _is_trailing(names: Sequence[int], out: Sequence[int]) -> bool:
    return tuple(out[len(out) - len(names) :]) == tuple(names)


# Reductions, movement, selection


def _along(function: str) -> Builder:
    """Functions along axes; the last axis alone, or all of them, goes without saying."""

    def build(node: Node, inputs: Docs) -> Doc:
        axes, rank = node.attr("axes"), node.inputs[0].ndim
        keeps = node.ndim == rank
        if axes == (rank - 1,) if keeps else len(axes) == rank:
            return Apply(function, (inputs[0],))
        return Apply(function, (inputs[0],), (("axis", _axes_text(axes)),))

    return build


def _axes_text(axes: Sequence[int]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(tuple(axes))


def _cumsum(node: Node, inputs: Docs) -> Doc:
    keywords = [("axis", str(node.attr("axis")))] if node.ndim > 1 else []
    keywords += [("reverse", "True")] if node.attr("reverse") else []
    return Apply("cumsum", (inputs[0],), tuple(keywords))


def _reshape(node: Node, inputs: Docs) -> Doc:
    return Apply("reshape", (inputs[0],), (("", shape_text(node.shape)),))


def _slice(node: Node, inputs: Docs) -> Doc:
    items = []
    for (start, length, step), size in zip(node.attr("ranges"), node.inputs[0].shape, strict=True):
        last_taken = size_add(start, size_mul(step, size_sub(length, 1)))
        stop = size_add(last_taken, 1)
        reaches = size_sub(size, last_taken)
        first = "" if start == 0 else size_text(start)
        last = "" if isinstance(reaches, int) and 0 < reaches <= step else size_text(stop)
        items.append(f"{first}:{last}" + (f":{step}" if step > 1 else ""))
    return Subscript(inputs[0], tuple(items))


def _pad(node: Node, inputs: Docs) -> Doc:
    pairs = [(size_text(before), size_text(after)) for before, after, _ in node.attr("padding")]
    keywords = [("", ", ".join(f"({before}, {after})" for before, after in pairs))]
    gaps = [gap for _, _, gap in node.attr("padding")]
    keywords += [("gaps", str(tuple(gaps)))] if any(gaps) else []
    return Apply("pad", (inputs[0],), tuple(keywords))


def _concatenate(node: Node, inputs: Docs) -> Doc:
    keywords = (("axis", str(node.attr("axis"))),) if node.ndim > 1 else ()
    return Apply("concatenate", tuple(inputs), keywords)


def _windows(node: Node, inputs: Docs) -> Doc:
    """Strides and dilations of 1 go without saying."""
    axes, sizes, strides, dilations = (value for _, value in node.attributes)
    keywords = [("" if node.op == "window" else "lengths", _sizes_text(sizes))]
    keywords += [("axis", _axes_text(axes))]
    for name, values in (("stride", strides), ("dilation", dilations)):
        keywords += [(name, _axes_text(values))] if set(values) != {1} else []
    return Apply(node.op, (inputs[0],), tuple(keywords))


def _sizes_text(sizes: Sequence[Size]) -> str:
    return size_text(sizes[0]) if len(sizes) == 1 else shape_text(sizes)


def _take(node: Node, inputs: Docs) -> Doc:
    x, idx = inputs
    batch = node.attr("batch")
    if batch == 0:
        return Subscript(x, (idx,))
    if batch == 1 and node.inputs[1].ndim == 1:
        return Subscript(x, (Apply("arange", (_size_doc(node.shape[0]),)), idx))
    return Apply("take", (x, idx), (("batch", str(batch)),))


def _scatter_add(node: Node, inputs: Docs) -> Doc:
    """One number a row at a place of its own is a multiple of one_hot."""
    g, idx = node.inputs
    if node.attr("batch") == idx.ndim == g.ndim <= 1:
        hot = Apply("one_hot", (inputs[1],))
        value = number_of(g)
        if value is not None:
            term = scaled(() if abs(value) == 1 else (Number(abs(value)),), hot)
            return negated(term) if value < 0 else term
        minus, doc = signed(inputs[0])
        term = spread(doc, ONE, [hot]) if g.ndim else scaled((doc,), hot)
        return negated(term) if minus else term
    keywords = [("n", size_text(node.attr("n")))]
    keywords += [("batch", str(node.attr("batch")))] if node.attr("batch") else []
    return Apply("scatter_add", tuple(inputs), tuple(keywords))


def _one_hot(node: Node, inputs: Docs) -> Doc:
    return IDENTITY if is_identity(node) else Apply("one_hot", (inputs[0],))


OPERATIONS: dict[str, Builder] = {
    "input": _leaf,
    "parameter": _leaf,
    "constant": _constant,
    "size": _size,
    "arange": lambda node, inputs: Apply("arange", (_size_doc(node.attr("n")),)),
    "add": add,
    "mul": mul,
    "cast": lambda node, inputs: inputs[0],
    **{name: _scalar(name) for name in SCALARS},
    **_SCALAR_FORMS,
    "contract": lambda node, inputs: _view(node, inputs[0]),  # of views; else _contract
    **{op: _along(op) for op in ("max", "prod", "softmax", "log_softmax", "logsumexp")},
    "cumsum": _cumsum,
    "reshape": _reshape,
    "slice": _slice,
    "flip": lambda node, inputs: Apply(
        "flip", (inputs[0],), (("axis", _axes_text(node.attr("axes"))),)
    ),
    "pad": _pad,
    "concatenate": _concatenate,
    "window": _windows,
    "overlap_add": _windows,
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
    "stop_gradient": lambda node, inputs: Apply("stop_gradient", (inputs[0],)),
    "bound": lambda node, inputs: Name(node.attr("name") or node.attr("kind")),
    "loop": lambda node, inputs: Apply("scan", tuple(inputs)),
    "stacked": lambda node, inputs: inputs[0],
    "final": lambda node, inputs: Subscript(inputs[0], (Name("-1"),)),
}
