"""What a node costs: arithmetic and memory traffic, as polynomials in the sizes and as numbers.

One addition, multiplication, division, square root or comparison counts 1, a function such as exp
counts ``FUNCTION``.  Views cost nothing.  The polynomials are sizes like any other
(:mod:`symdiff.expr.shapes`): numbers where all sizes are numbers, SymPy's otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from typing import TypeAlias

from symdiff.expr.graph import toposort
from symdiff.expr.loops import updates
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import Size, shape_size, size_add, size_mul, size_value
from symdiff.expr.views import is_view

Cost: TypeAlias = Callable[[Node], Size]

FUNCTION = 10
ITEM_BYTES = {"bool": 1, "int64": 8, "float32": 4, "float64": 8}
_CHEAP = {
    "abs", "sign", "relu", "reciprocal_or_zero", "maximum", "minimum", "where",
    "lt", "le", "gt", "ge", "eq", "ne",
}  # fmt: skip


class Nominal(dict[str, int]):
    """Sizes to decide by while they are unknown: batch is 128, any other name 64, unless given."""

    def __missing__(self, name: str) -> int:
        return 128 if name == "batch" else 64


def elements(node: Node) -> Size:
    """The number of elements."""
    return shape_size(node.shape)


def contraction_space(node: Node) -> Size:
    """The product of the sizes of all indices of a contraction."""
    sizes: dict[int, Size] = dict(node.attr("sizes"))
    for x, names in zip(node.inputs, node.attr("indices"), strict=True):
        sizes.update(zip(names, x.shape, strict=True))
    return shape_size(sizes.values())


def _times(factor: int) -> Cost:
    return lambda node: size_mul(factor, elements(node))


def _of_input(factor: int) -> Cost:
    return lambda node: size_mul(factor, elements(node.inputs[0]))


def _nothing(node: Node) -> Size:
    return 0


def _add(node: Node) -> Size:
    scaled = sum(abs(c) != 1 for c in node.attr("coefficients"))
    work = len(node.inputs) - 1 + scaled + (node.attr("constant") != 0)
    return size_mul(work, elements(node))


def _power(e: float) -> int:
    """The multiplications of x**e where e is a small whole number, with a root for a half."""
    whole = int(abs(e))
    if abs(e) - whole not in (0.0, 0.5) or whole > 16:
        return FUNCTION
    return max(whole - 1, 0) + (abs(e) != whole) * (2 if whole else 1)


def _mul(node: Node) -> Size:
    """Each factor's power at the factor's own size; the products at the whole's."""
    products = len(node.inputs) - 1 + (node.attr("coefficient") not in (1, -1))
    if node.attr("coefficient") == 1 and all(e < 0 for e in node.attr("exponents")):
        products += 1
    total = size_mul(products, elements(node))
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        total = size_add(total, size_mul(_power(e), elements(x)))
    return total


def _contract(node: Node) -> Size:
    """One operation for each factor and element of the index space; sums of one operand add only.

    That is the cost of evaluating it at once; of more than two operands, the planner's order of
    pairs costs less.
    """
    if is_view(node):
        return 0
    return size_mul(len(node.inputs), contraction_space(node))


def _steps(node: Node, measure: Cost) -> Size:
    """A loop's body, once a step."""
    return size_mul(node.attr("length"), total(updates(node), measure))


FLOPS: dict[str, Cost] = {
    **{op: _nothing for op, record in OPS.items() if record.leaf},
    **{name: _times(1 if name in _CHEAP else FUNCTION) for name in SCALARS},
    "add": _add,
    "mul": _mul,
    "contract": _contract,
    "max": _of_input(1),
    "prod": _of_input(1),
    "cumsum": _of_input(1),
    "softmax": _of_input(FUNCTION + 4),
    "log_softmax": _of_input(FUNCTION + 4),
    "logsumexp": _of_input(FUNCTION + 3),
    "scatter_add": _of_input(1),
    "overlap_add": _of_input(1),
    "one_hot": _times(1),
    **dict.fromkeys(
        (
            *("cast", "reshape", "slice", "flip", "pad", "concatenate", "take", "window"),
            *("stop_gradient", "stacked", "final"),
        ),
        _nothing,
    ),
    "loop": lambda node: _steps(node, flops),
}
_FREE = frozenset({"reshape", "slice", "flip", "window", "stop_gradient", "size", "final"})


def flops(node: Node) -> Size:
    """The arithmetic of one node, its inputs given."""
    return FLOPS[node.op](node)


def bytes_moved(node: Node) -> Size:
    """What one node reads and writes; nothing where it is only another way to look at an array."""
    if OPS[node.op].leaf or node.op in _FREE or is_view(node):
        return 0
    if node.op == "loop":
        return _steps(node, bytes_moved)
    whole: Size = 0
    for x in {*node.inputs, node} if node.op != "stacked" else {node}:
        whole = size_add(whole, size_mul(ITEM_BYTES[x.dtype], elements(x)))
    return whole


def total(roots: Iterable[Node], measure: Cost, given: Container[Node] = ()) -> Size:
    """The sum of a measure over every node that the roots need, each once; ``given`` ones not."""
    result: Size = 0
    needed = (node for node in toposort(roots, given) if node not in given)
    for size, count in Counter(map(measure, needed)).items():
        result = size_add(result, size_mul(count, size))
    return result


def at(size: Size, sizes: Mapping[str, int] | None = None) -> int:
    """The number that a cost is at given sizes; sizes that are not given take nominal values."""
    return size_value(size, Nominal(sizes or {}))
