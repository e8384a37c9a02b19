"""Factoring and distributing, each only where it saves work.

They are inverse to each other, and cannot chase each other: factoring needs a factor that every
term has, distributing a factor that divides out of every term.
"""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.node import Node
from symdiff.simplify.parts import (
    Product,
    as_like,
    multiplied,
    opened_sum,
    product_of,
    sum_of,
)
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule


@rule("real-only", "add")
def common_factor(node: Node, context: Context) -> Rewrite | None:
    """a b + a c = a (b + c)"""
    terms = sum_of(node)
    if terms.constant or len(terms.terms) < 2:
        return None
    common: dict[Node, float] | None = None
    for x in terms.terms:
        factors = product_of(x).factors
        if common is not None:
            factors = {a: e for a, e in common.items() if factors.get(a) == e}
        common = factors
        if not common:
            return None
    assert common is not None
    if spared(node, common, context) < 0:
        return None
    rest = []
    for x, c in terms.terms.items():
        rest.append((product_of(x).without(*common).bare(node.dtype), c))
    inner = linear_combination(rest)
    names = {f"a{i}": x for i, x in enumerate(common)}
    return Rewrite(as_like(power_product([*common.items(), (inner, 1.0)]), node), names)


def spared(node: Node, common: Mapping[Node, float], context: Context) -> int:
    """The multiplications spared where the factors that all terms of a sum have are taken out.

    Terms that others read, or multiples of them, will be multiplied as before; what is left of
    them, anew.
    A scalar moves on to what reads the sum, and there is multiplied once for each.
    """
    outer = multiplied(common)
    scalars = sum(a.ndim == 0 for a in common) if node.ndim else 0
    found = -outer - scalars * (context.readers(node) - 1)
    for x, c in sum_of(node).terms.items():
        own = multiplied(product_of(x).factors)
        if x.op == "mul" and context.is_shared_in_multiples(x):
            found -= max(own - outer - 1, 0) + (abs(c) != 1)  # the multiple may be there as well
        else:
            found += min(own - 1, outer)
    return found


@rule("real-only", "mul")
def cancelling_product(node: Node, context: Context) -> Rewrite | None:
    """a (b/a + c/a) = b + c, where something divides out of every term"""
    product = product_of(node)
    for total, e in product.factors.items():
        if total.op != "add" or e != 1 or total.attr("constant"):
            continue
        outside = product.without(total)
        terms = {x: product_of(x) for x in total.inputs}
        moved = {
            a: p
            for a, p in outside.factors.items()
            if any(p * t.factors.get(a, 0.0) < 0 for t in terms.values())
        }
        if not moved or not all(_divides(moved, t) for t in terms.values()):
            continue
        coefficients = sum_of(total).terms
        parts = []
        for x, t in terms.items():
            for a, p in moved.items():
                t = t.times(a, p)
            parts.append((t.bare(node.dtype), coefficients[x]))
        if sum(len(product_of(x).factors) for x, _ in parts) > sum(
            len(t.factors) for t in terms.values()
        ):
            continue
        result = outside.without(*moved).times(as_like(linear_combination(parts), total), 1.0)
        return Rewrite(result.node(node), {f"a{i}": a for i, a in enumerate(moved)})
    return None


def _divides(moved: dict[Node, float], term: Product) -> bool:
    return any(p * term.factors.get(a, 0.0) < 0 for a, p in moved.items())


@rule("stabler", "add")
def sum_less_its_share(node: Node, context: Context) -> Rewrite | None:
    """a + b − (a + b) p = (a + b) (1 − p)"""
    total = opened_sum(node)
    for term, c in total.terms.items():
        product = product_of(term)
        for whole, e in product.factors.items():
            own = sum_of(whole)
            if whole.op != "add" or e != 1 or len(own.terms) + bool(own.constant) < 2:
                continue
            rest = total.without(term)
            m = rest.constant / own.constant if own.constant else None
            if m is None:
                lead = next(iter(own.terms))
                m = rest.terms.get(lead, 0.0) / own.terms[lead]
            left = rest.minus(own, m) if m == -c * product.coefficient else None
            if left is None or left.terms or left.constant:
                continue
            share = product.without(whole).bare(node.dtype)
            less = linear_combination([(share, c)], m)
            made = power_product([(whole, 1.0), (less, 1.0)])
            return Rewrite(as_like(made, node), {"a": whole, "p": share})
    return None


ACCURATE: tuple[Rule, ...] = (sum_less_its_share,)
RULES: tuple[Rule, ...] = (common_factor, cancelling_product)
