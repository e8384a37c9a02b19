"""Quotients of an exponential and what vanishes with it: u / expm1(u) for u = eᶻ.

That is 1 where u is small.  But eᶻ is 0 in float64 for z below −745, and infinite above 709, and
0/0 is no number.  So z is held between numbers whose exponentials are normal: there the quotient is
1, or nothing, already.  Done before a derivative is shortened, which would take eᶻ out of the sum
in which the quotient stands, and never where more derivatives are to be taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.simplify.parts import Product, Sum, as_like, opened, product_of, sum_of

_LOWEST, _HIGHEST = -708.0, 709.0


def vanishing(roots: Sequence[Node]) -> list[Node]:
    """The roots, with the exponents in such quotients held where they have a quotient."""
    return rebuilt(roots, lambda node: _product(node) if node.op == "mul" else node)


def _product(node: Node) -> Node:
    product = opened(node, lambda x: x.op in ("exp", "expm1"))
    for u, k in product.factors.items():
        if u.op != "exp" or k < 1:
            continue
        held = _held(product, u)
        if held is not None:
            return held.node(node)
        for base, e in product.factors.items():
            if base.op == "add" and e == 1:
                split = _split(product.without(base), sum_of(base), u, node)
                if split is not None:
                    return split
    return node


def _held(product: Product, u: Node) -> Product | None:
    """The product with u / expm1(c u) in it held; None if there is no such quotient."""
    for below, e in product.factors.items():
        if below.op != "expm1" or e >= 0:
            continue
        total = sum_of(below.inputs[0])
        k = min(product.factors.get(u, 0.0), -e)
        if list(total.terms) != [u] or total.constant or k < 1:
            continue
        c = total.terms[u]
        power = scalar("maximum", u.inputs[0], _LOWEST)
        v = scalar("exp", scalar("minimum", power, _HIGHEST) if c > 0 else power)
        quotient = [(v, 1.0), (scalar("expm1", power_product([(v, 1.0)], c)), -1.0)]
        return product.times(u, -k).times(below, k).times(power_product(quotient), k)
    return None


def _split(outer: Product, total: Sum, u: Node, like: Node) -> Node | None:
    """u (a + b / expm1(u)) as u a + b (u / expm1(u))."""
    apart: dict[Node, float] = {}
    inside: dict[Node, float] = {}
    for term, c in total.terms.items():
        product = product_of(term).times(u, 1.0)
        held = _held(product, u)
        if held is None:
            inside[term] = c
        else:
            apart[as_like(held.bare(like.dtype), like)] = c
    if not apart:
        return None
    parts = []
    if inside or total.constant:
        rest = linear_combination(list(inside.items()), total.constant)
        parts.append((outer.times(rest, 1.0).node(like), 1.0))
    less = outer.times(u, -1.0)
    parts += [(less.times(x, 1.0).node(like), c) for x, c in apart.items()]
    return as_like(linear_combination(parts), like)
