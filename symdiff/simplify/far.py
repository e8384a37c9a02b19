"""Logarithms of quotients and of one plus squares, where what they are taken of leaves the range.

log(a/b) is 2 log(√a/√b), whose quotient is in range for all a and b; log(1 + u²) is 2 log |u| to
the last digit once |u| is beyond 1e9, and u² beyond 1e154 is infinite.  And 1 + x/h, where h is a
root of x² + r, is (r/h) / (h − x) where x is negative and the sum cancels.  Last steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.simplify.lengths import length_of
from symdiff.simplify.parts import Product, Sum, as_like, product_of, sum_of
from symdiff.simplify.rewrite import Fact

_FAR = 1e9
_RANGE = 1e50


def far_apart(roots: Sequence[Node], facts: set[Fact] | None = None) -> list[Node]:
    """The roots, with such logarithms and sums computed without leaving the range.

    The declared facts leaned on are added to ``facts``.
    """
    leaned: set[Fact] = set() if facts is None else facts

    def made(node: Node) -> Node:
        if node.op == "log":
            return _log_of_quotient(node, leaned)
        if node.op == "log1p":
            return _log_of_one_plus_square(node, leaned)
        return _one_plus_cosine(node) if node.op == "add" else node

    return rebuilt(roots, made)


def cosines(roots: Sequence[Node]) -> list[Node]:
    """The roots, with such sums of roots that are not lengths; before others are made of these."""

    def made(node: Node) -> Node:
        return _one_plus_cosine(node, roots_only=True) if node.op == "add" else node

    return rebuilt(roots, made)


def _log_of_quotient(node: Node, leaned: set[Fact]) -> Node:
    product = product_of(node.inputs[0])
    wide = [x for x in product.factors if not (x.facts.lo > 1 / _RANGE and x.facts.hi < _RANGE)]
    wide = [x for x in wide if x.op not in ("size", "constant")]
    if len(wide) < 2 or product.coefficient <= 0:
        return node
    if not all(x.facts.nonnegative for x in product.factors) or max(product.factors.values()) < 0:
        return node
    leaned.update(*(x.facts.declared for x in product.factors))
    halves = [(x, e / 2) for x, e in product.factors.items()]
    root = power_product(halves, math.sqrt(product.coefficient))
    return as_like(power_product([(scalar("log", root), 1.0)], 2.0), node)


def _log_of_one_plus_square(node: Node, leaned: set[Fact]) -> Node:
    (square,) = node.inputs
    product = product_of(square)
    exponents = product.factors.items()
    if product.coefficient <= 0 or not any(e >= 2 and not _is_near(x) for x, e in exponents):
        return node
    odd = [x for x, e in exponents if e % 2 and not x.facts.nonnegative]
    if any(e % 1 for e in product.factors.values() if e % 2) and odd:
        return node
    leaned.update(*(x.facts.declared for x, e in exponents if e % 2 and x not in odd))
    sizes = [(scalar("abs", x) if x in odd else x, e / 2) for x, e in exponents]
    size = scalar("abs", power_product(sizes, math.sqrt(product.coefficient)))
    if odd:  # of less than −1 there is no logarithm
        sign = power_product([(x, product.factors[x]) for x in odd])
        size = scalar("where", scalar("gt", sign, 0.0), size, 0.0)
    far = scalar("gt", size, _FAR)
    large = power_product([(scalar("log", scalar("where", far, size, 1.0)), 1.0)], 2.0)
    return as_like(scalar("where", far, large, node), node)


def _is_near(x: Node) -> bool:
    return x.facts.lo > -_RANGE and x.facts.hi < _RANGE


def _one_plus_cosine(node: Node, roots_only: bool = False) -> Node:
    """c + c x/h of a length h, without cancelling where x/h is nearly −1."""
    total = sum_of(node)
    for term, c in total.terms.items():
        product = product_of(term)
        if not total.constant or abs(c * product.coefficient) != abs(total.constant):
            continue
        for below, e in product.factors.items():
            x = Product(product.without(below).factors, 1.0).bare(node.dtype)
            found = _length(below, e, x)
            if found is None or (roots_only and _is_length(found[0])):
                continue
            h, ratio, rest = found
            sign = math.copysign(1.0, c * product.coefficient * total.constant)
            above = linear_combination([(h, 1.0), (x, -sign)])
            cancelled = power_product([(ratio, 1.0), (rest, 1.0), (above, -1.0)])
            turned = scalar("lt", power_product([(x, 1.0)], sign), 0.0)
            plain = linear_combination([(term, c / total.constant)], 1.0)
            chosen = scalar("where", turned, cancelled, plain)
            others = Sum(total.without(term).terms, 0.0)
            return others.plus(as_like(chosen, node), total.constant).node(node)
    return node


def _length(below: Node, e: float, x: Node) -> tuple[Node, Node, Node] | None:
    """h with h² = x² + r of what divides by it, and r/h as two factors; r = y² of hypot(x, y)."""
    guarded = below.op == "reciprocal_or_zero" and e == 1
    h = below.inputs[0] if guarded else below
    if h.op == "hypot" and (guarded or e == -1):
        if x not in h.inputs:
            return None
        y = h.inputs[1 - h.inputs.index(x)]
        return h, power_product([(y, 1.0), (h, -1.0)]), y
    square = h if not guarded else _root_of(h)
    if square is None or square.op != "add" or not (guarded or e == -0.5):
        return None
    total = sum_of(square)
    squared = power_product([(x, 2.0)])
    own = sum_of(squared)
    rest = total.minus(own, 1.0) if len(own.terms) == 1 and not own.constant else None
    if rest is None:
        return None
    h = power_product([(square, 0.5)])
    return h, power_product([(rest.node(square), 1.0), (h, -1.0)]), constant(1.0, square.dtype)


def _is_length(h: Node) -> bool:
    """Whether a root is a hypot, or will be one."""
    return h.op == "hypot" or length_of(power_product([(h, 2.0)])) is not None


def _root_of(h: Node) -> Node | None:
    """What a node is the square root of."""
    product = product_of(h)
    if list(product.factors.values()) != [0.5] or product.coefficient != 1:
        return None
    return next(iter(product.factors))
