"""One sign of a difference: y − x is taken as −(x − y) where x − y is computed too.

Sums keep whatever sign their terms were given, so that both may stand in one graph.  What reads
the one that goes passes the sign on, if it is linear, until a sum takes it into its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.node import Node
from symdiff.simplify.parts import as_like, product_of, sum_of

_LINEAR = ("contract", "reshape", "slice", "flip", "take", "pad", "scatter_add", "cumsum")

Signed = tuple[Node, float]


def one_sign(root: Node) -> Node:
    """The graph with one of each pair of opposite sums."""
    order = toposort([root])
    turned = _turned(order)
    if not turned:
        return root
    done: dict[Node, Signed] = {}
    for node in order:
        done[node] = (turned[node], -1.0) if node in turned else _rebuilt(node, done)
        kept, sign = done[node]
        if node in turned and kept in done:
            done[node] = done[kept][0], sign * done[kept][1]
    return _plain(*done[root])


def _turned(order: list[Node]) -> dict[Node, Node]:
    """The sums that are to go, and the opposite ones that stay."""
    readings: dict[Node, int] = {}
    for node in order:
        for x in node.inputs:
            readings[x] = readings.get(x, 0) + 1
    result = {}
    for node in order:
        if node.op == "add":
            opposite = as_like(_plain(node, -1.0), node)
            if (
                opposite.op == "add"
                and opposite in readings
                and _rank(node, readings) < _rank(opposite, readings)
            ):
                result[node] = opposite
    return result


def _rank(node: Node, readings: Mapping[Node, int]) -> tuple[int, int, bytes]:
    """How much a sum deserves to stay: by its readings, by its signs."""
    return readings.get(node, 0), sum(c > 0 for c in node.attr("coefficients")), node.digest


def _plain(node: Node, sign: float) -> Node:
    return node if sign > 0 else as_like(power_product([(node, 1.0)], sign), node)


def _rebuilt(node: Node, done: Mapping[Node, Signed]) -> Signed:
    """The node made of what its inputs became, and the sign that it passes on."""
    pairs = [done[x] for x in node.inputs]
    if all(x is y and sign > 0 for x, (y, sign) in zip(node.inputs, pairs, strict=True)):
        return node, 1.0
    if node.op == "add":
        total = sum_of(node)
        terms = [(done[x][0], c * done[x][1]) for x, c in total.terms.items()]
        return as_like(linear_combination(terms, total.constant, node.dtype), node), 1.0
    if node.op == "mul":
        product = product_of(node)
        factors, sign = [], 1.0
        for x, e in product.factors.items():
            y, own = done[x] if e % 1 == 0 else (_plain(*done[x]), 1.0)
            factors.append((y, e))
            sign *= own ** int(e)
        return as_like(power_product(factors, product.coefficient), node), sign
    if node.op in _LINEAR:
        sign = 1.0
        for _, own in pairs if node.op == "contract" else pairs[:1]:
            sign *= own
        inputs = [x for x, _ in pairs]
        if node.op != "contract":
            inputs[1:] = [_plain(*pair) for pair in pairs[1:]]
        return rebuild(node, inputs), sign
    if node.op in ("abs", "hypot"):
        return rebuild(node, [x for x, _ in pairs]), 1.0
    return rebuild(node, [_plain(*pair) for pair in pairs]), 1.0
