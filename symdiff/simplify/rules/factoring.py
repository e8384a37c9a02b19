"""The last touch for lone formulas: fewer products, diagonals outermost.

What is here loses structure that other rules look for, so that it comes when those are done, once
and after the derivative is taken (:data:`symdiff.simplify.pipeline.SHORT`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff.expr.algebra import linear_combination
from symdiff.expr.contraction import is_identity
from symdiff.expr.node import Node
from symdiff.expr.views import is_view, rewrap, squeeze
from symdiff.simplify.parts import Product, Sum, core_of, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule

Factors = Mapping[Node, float]


@rule("real-only", "add")
def shared_factors(node: Node, context: Context) -> Rewrite | None:
    """a b + a c + d = a (b + c) + d"""
    total = sum_of(node)
    terms = {
        x: _factors_of(x)
        for x in total.terms
        if x.op != "mul" or not context.is_shared(x)
    }  # fmt: skip
    found = _best(list(terms.values()))
    if not found:
        return None
    inner, taken = Sum({}, 0.0), []
    for x, product in terms.items():
        if _common(product.factors, found) != found:
            continue
        for a, e in found.items():
            product = product.times(a, -e)
        taken.append(x)
        rest = sum_of(product.bare(node.dtype)) if product.factors else Sum({}, product.coefficient)
        for y, k in rest.terms.items():
            inner = inner.plus(y, total.terms[x] * k)
        inner = Sum(inner.terms, inner.constant + total.terms[x] * rest.constant)
    whole = linear_combination(list(inner.terms.items()), inner.constant, dtype=node.dtype)
    product = Product(dict(found), 1.0).times(whole, 1.0)
    names = {f"a{i}": a for i, a in enumerate(found)}
    return Rewrite(total.without(*taken).plus(product.bare(node.dtype), 1.0).node(node), names)


def _factors_of(x: Node) -> Product:
    """A term as a product; of a view of one, the product of views."""
    core = x.inputs[0] if is_view(x) else x
    product = product_of(core)
    if core is x or core.op != "mul" or any(y.shape != core.shape for y in core.inputs):
        return product_of(x)
    return Product({rewrap(x, y): e for y, e in product.factors.items()}, product.coefficient)


def _best(products: Sequence[Product]) -> Factors:
    """The factors common to two of the products that save most, {} if no two share any."""
    holders: dict[Node, list[Product]] = {}
    for product in products:
        for a in product.factors:
            holders.setdefault(a, []).append(product)
    best: Factors = {}
    for a in sorted(holders, key=lambda a: a.digest):
        for i, p in enumerate(holders[a]):
            for q in holders[a][:i]:
                found = _common(p.factors, q.factors)
                if _saving(found) > _saving(best):
                    best = found
    return best


def _saving(factors: Factors) -> tuple[float, float]:
    """Products of arrays saved, and of scalars."""
    arrays = sum(min(abs(e), 1) for a, e in factors.items() if a.ndim)
    return arrays, sum(abs(e) for e in factors.values())


def _common(p: Factors, q: Factors) -> Factors:
    """The factors that both have, to the lesser power where that is positive."""
    found = {}
    for a, e in p.items():
        f = q.get(a, 0.0)
        if e == f or (min(e, f) > 0 and (e - f) % 1 == 0):
            found[a] = min(e, f)
    return found


@rule("stabler", "mul")
def shared_divisor(node: Node, context: Context) -> Rewrite | None:
    """c (a/s + b/s²) = (c/s) (a + b/s): where c makes up for s, which may be out of range alone"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "add" or e != 1 or base.attr("constant") or context.is_shared(base):
            continue
        total = sum_of(base)
        terms = {x: product_of(x) for x in total.terms}
        first, *others = terms.values()
        common = {
            s: max(e, *(p.factors.get(s, 0.0) for p in others))
            for s, e in first.factors.items()
            if s.ndim == 0 and e < 0 and s.op != "size"
        }
        common = {s: e for s, e in common.items() if e < 0}
        wholes = all((p.factors[s] - e) % 1 == 0 for s, e in common.items() for p in terms.values())
        if not common or not others or not wholes:
            continue
        less = []
        for x, p in terms.items():
            for s, e in common.items():
                p = p.times(s, -e)
            less.append((p.bare(node.dtype), total.terms[x]))
        result = product.without(base).times(linear_combination(less, dtype=node.dtype), 1.0)
        for s, e in common.items():
            result = result.times(s, e)
        return Rewrite(result.node(node), {"s": next(iter(common))})
    return None


@rule("exact", "mul")
def diagonal_outermost(node: Node, context: Context) -> Rewrite | None:
    """diag(v) ⊙ w = diag(v w), and diag(v) ⊙ w[:, None] too"""
    product = product_of(node)
    if node.ndim != 2:
        return None
    for x, e in product.factors.items():
        inner = product_of(x)
        if x.op == "mul" and e == 1 and any(_is_diagonal(y, node) for y in inner.factors):
            result = Product(product.factors, product.coefficient * inner.coefficient).without(x)
            for y, k in inner.factors.items():
                result = result.times(y, k)
            return Rewrite(result.node(node), {"v": x})
    if not any(_is_diagonal(x, node) for x in product.factors):
        return None
    for x, e in product.factors.items():
        if x.ndim == 2 and x.shape[1] == 1:
            result = product.without(x).times(squeeze(x, (1,)), e)
            return Rewrite(result.node(node), {"w": x})
    return None


def _is_diagonal(x: Node, node: Node) -> bool:
    return x.shape == node.shape and is_identity(core_of(x))


RULES: tuple[Rule, ...] = (shared_factors, shared_divisor, diagonal_outermost)
