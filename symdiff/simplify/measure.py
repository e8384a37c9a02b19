"""The measure that every rewrite decreases, which is why rewriting ends.

It is a polynomial interpretation: each operation has a weight, about what it costs and how easily
it overflows, and the measure of a node is its weight plus the measures of its inputs, taken twice
below exponentials and logarithms and for squares.  It grows with each input's, so that a smaller
node makes everything above it smaller; sharing plays no part, each reading counts.  (The numbers
are huge for deep graphs; they are computed in debug mode only.)
"""

from __future__ import annotations

from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.views import is_view

_WEIGHTS = {
    "exp": 30,
    "expm1": 28,
    "log": 40,
    "log1p": 38,
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
    "relu": 6,
    "abs": 6,
    "one_hot": 4,
    "cast": 2,
    "reshape": 1,
    "slice": 1,
    "flip": 1,
    "input": 1,
    "parameter": 1,
    "constant": 1,
    "size": 1,
    "arange": 1,
}
_OTHER = 10
_TWICE = frozenset({"exp", "expm1", "log", "log1p", "pow"})


def weight(node: Node) -> int:
    """The weight of one node; more, the more axes it has."""
    return _weight(node) * (2 + node.ndim)


def _weight(node: Node) -> int:
    if any(x.op == "exp" for x in node.inputs) and node.op in ("add", "contract"):
        return 60  # a sum of exponentials, which overflows
    if node.op == "add":
        constant: float = node.attr("constant")
        numbers: int = sum(abs(c) != 1 for c in (*node.attr("coefficients"), constant or 1.0))
        return 3 + 3 * len(node.inputs) + numbers + bool(constant)
    if node.op == "mul":
        powers: int = sum(e != 1 for e in node.attr("exponents"))
        return 3 * len(node.inputs) + powers + int(node.attr("coefficient") != 1)
    if node.op == "contract":
        return 1 if is_view(node) else 20 + 3 * len(node.inputs)
    return _WEIGHTS.get(node.op, _OTHER)


def measure(node: Node) -> int:
    """The measure of a node."""
    total: dict[Node, int] = {}
    for each in toposort([node]):
        times = [2 if each.op in _TWICE else 1] * len(each.inputs)
        if each.op == "mul":
            times = [2 if e == 2 else 1 for e in each.attr("exponents")]
        below = sum(k * total[x] for k, x in zip(times, each.inputs, strict=True))
        total[each] = weight(each) + below
    return total[node]
