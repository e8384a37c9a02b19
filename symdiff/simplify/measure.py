"""The measure that every rewrite decreases, which is why rewriting ends.

It is a polynomial interpretation: each operation has a weight, about what it costs and how easily
it overflows, and the measure of a node is its weight plus the measures of its inputs, taken two or
three times below exponentials and logarithms and twice for squares.  It grows with each input's, so that a smaller
node makes everything above it smaller; sharing plays no part, each reading counts.  (The numbers
are huge for deep graphs; they are computed in debug mode only.)
"""

from __future__ import annotations

import math

from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.views import is_view

_WEIGHTS = {
    "exp": 30,
    "expm1": 28,
    "log": 44,
    "log1p": 40,
    "pow": 60,
    "sigmoid": 24,
    "softplus": 24,
    "tanh": 20,
    "softmax": 20,
    "log_softmax": 20,
    "logsumexp": 24,
    "prod": 30,
    "max": 12,
    "where": 12,
    "scatter_add": 8,
    "take": 6,
    "relu": 4,
    "one_hot": 4,
    "cast": 2,
    "reshape": 1,
    "slice": 1,
    "flip": 1,
    "input": 2,
    "parameter": 2,
    "constant": 1,
    "size": 1,
    "arange": 1,
}
_OTHER = 10
_STILL = frozenset({"reshape", "flip", "slice", "take"})
_TIMES = {"exp": 2, "expm1": 2, "pow": 2, "log": 3, "log1p": 3}


def weight(node: Node) -> int:
    """The weight of one node; more, the more elements it has (sizes with names count as 32)."""
    elements = math.prod(s if isinstance(s, int) else 32 for s in node.shape)
    outward = len(node.inputs) == 1 and node.inputs[0].op in ("reshape", "flip")
    return _weight(node) * (2 + elements.bit_length()) + (outward and node.op not in _STILL)


def _weight(node: Node) -> int:
    if any(x.op == "exp" for x in node.inputs) and node.op in ("add", "contract"):
        return 60  # a sum of exponentials, which overflows
    if node.op == "add":
        numbers: int = sum((abs(c) != 1) + (c < 0) for c in node.attr("coefficients"))
        constant: float = node.attr("constant")
        extra = 5 + (abs(constant) != 1) if constant else 0
        return 3 + 3 * len(node.inputs) + numbers + extra
    if node.op == "mul":
        c: float = node.attr("coefficient")
        return 3 * len(node.inputs) + _factors(node) + (abs(c) != 1) + (c < 0)
    if node.op == "abs":
        return 3 + int(node.inputs[0].op == "mul")
    if node.op == "contract":
        return 1 if is_view(node) else 20 + 3 * len(node.inputs)
    return _WEIGHTS.get(node.op, _OTHER)


def _factors(node: Node) -> int:
    """Powers weigh, those of products most; so do products with a label, which sums cancel."""
    total = 0
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        total += 0 if e == 1 else {"exp": 10, "mul": 15}.get(x.op, 2)
        total += 10 if x.facts.zero_or_one else 0
    return total


def measure(node: Node) -> int:
    """The measure of a node."""
    total: dict[Node, int] = {}
    for each in toposort([node]):
        times = [_TIMES.get(each.op, 1)] * len(each.inputs)
        if each.op == "mul":
            times = [2 if e >= 2 else 1 for e in each.attr("exponents")]
        below = sum(k * total[x] for k, x in zip(times, each.inputs, strict=True))
        total[each] = weight(each) + below
    return total[node]
