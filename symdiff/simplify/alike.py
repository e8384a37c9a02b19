"""Differences of what may be nearly alike, taken where they are exact: among the variables.

1 − x/y loses what x/y is rounded by; (y − x)/y does not, since numbers that are nearly alike have
an exact difference (Sterbenz 1974).  So has log(2 x/(x + y)), the slope of the divergence of Jensen
and Shannon, which is log1p((x − y)/(x + y)) next to 0.  Last steps: the forms that they replace are
simpler to differentiate and to show.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.graph import rebuilt, toposort
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import Product, as_like, product_of, sum_of

_EXACT = frozenset(("relu", "abs", "cast", "minimum", "maximum"))
_NEAR = 0.5


def alike(roots: Sequence[Node]) -> list[Node]:
    """The roots, with such differences and logarithms by exact differences."""
    below = {x for node in toposort(roots) if node.op == "mul" for x in _beside_divisors(node)}

    def made(node: Node) -> Node:
        if node.op == "log":
            return _logarithm(node)
        return _difference(node) if node.op == "add" and node not in below else node

    return rebuilt(roots, made)


def _beside_divisors(node: Node) -> Sequence[Node]:
    """What a product divides, and may then divide by as much as its range."""
    return node.inputs if min(node.attr("exponents")) < 0 else ()


def _is_exact(x: Node) -> bool:
    """Whether a node is a variable, or one of two, up to its sign."""
    if OPS[x.op].leaf:
        return x.op != "constant"
    return x.op in _EXACT and all(OPS[y.op].leaf or _is_exact(y) for y in x.inputs)


def _difference(node: Node) -> Node:
    total = sum_of(node)
    terms = [(product_of(x), c) for x, c in total.terms.items()]
    if total.constant:
        terms.append((Product({}, 1.0), total.constant))
    if len(terms) != 2 or node.op != "add":
        return node
    (one, c), (other, d) = terms
    if c * one.coefficient != -d * other.coefficient:
        return node
    if not all(_is_exact(x) for product in (one, other) for x in product.factors):
        return node
    ratio = Product(one.factors, 1.0)
    for x, e in other.factors.items():
        ratio = ratio.times(x, -e)
    if sorted(ratio.factors.values()) != [-1.0, 1.0]:
        return node
    u, v = sorted(ratio.factors, key=lambda x: -ratio.factors[x])
    if one.factors.get(v, 0.0) > -1:  # else there would be a new divisor
        u, v, one, other, c, d = v, u, other, one, d, c
    if one.factors.get(v, 0.0) > -1 or min(other.factors.values(), default=0.0) < 0:
        return node
    less = power_product([(linear_combination([(u, 1.0), (v, -1.0)]), 1.0), (v, -1.0)])
    made = other.times(less, 1.0)
    made = Product(made.factors, -d * other.coefficient)
    return made.node(node)


def _by_nearness(less: Node, b: Node, usual: Node, like: Node) -> Node:
    """log1p(less/b) where that is small, and what is usual elsewhere."""
    share = power_product([(less, 1.0), (b, -1.0)])
    near = scalar("lt", scalar("abs", share), _NEAR)
    small = scalar("log1p", scalar("where", near, share, 0.0))
    return as_like(scalar("where", near, small, usual), like)


def _logarithm(node: Node) -> Node:
    """log(c x/s) of a variable and a sum in which it stands."""
    product = product_of(node.inputs[0])
    if sorted(product.factors.values()) != [-1.0, 1.0]:
        return node
    above, below = sorted(product.factors, key=lambda x: -product.factors[x])
    if product.coefficient <= 0 or not _is_exact(above) or below.op != "add":
        return node
    total = sum_of(below)
    if above not in total.terms or not all(_is_exact(x) for x in total.terms):
        return node
    terms = [(above, product.coefficient), *((x, -c) for x, c in total.terms.items())]
    return _by_nearness(linear_combination(terms, -total.constant), below, node, node)
