"""Cross-entropies whose logarithms were written out: what log-sum-exp and softplus are less."""

from __future__ import annotations

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract, split_sum
from symdiff.expr.movement import reduction
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.views import make_view
from symdiff.simplify.parts import (
    Sum,
    as_like,
    below_movement,
    find_below,
    moved_again,
    product_of,
    sum_of,
)
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.contractions import is_product, parts_of
from symdiff.simplify.rules.exponentials import negative


@rule("stabler", "add", needs=("logsumexp",))
def expectation_of_log_softmax(node: Node, context: Context) -> Rewrite | None:
    """Σ lse(z) − Σ p z = −Σ p log_softmax(z), where Σp = 1 along its axis"""
    total = sum_of(node)
    for x, c in total.terms.items():
        for y, d in total.terms.items():
            found = _expected(x, y) if d == -c else None
            if found is not None:
                new, facts, bindings = found
                result = total.without(x, y).plus(as_like(new, node), d)
                return Rewrite(result.node(node), bindings, facts)
    return None


def _expected(
    low: Node, mean: Node
) -> tuple[Node, frozenset[tuple[str, str]], dict[str, Node]] | None:
    """Σ p log_softmax(z), where ``low`` is lse(z) or a sum of it, and ``mean`` Σ p z over that."""
    mean = split_sum(mean) if mean.op == "contract" else mean
    if not is_product(mean) or len(mean.inputs) != 2:
        return None
    summed = parts_of(low) if is_product(low) and len(low.inputs) == 1 else None
    lse = summed.operands[0] if summed is not None else low
    if lse.op != "logsumexp" or len(lse.attr("axes")) != 1:
        return None
    (z,), (axis,) = lse.inputs, lse.attr("axes")
    parts = parts_of(mean)
    for i, j in ((0, 1), (1, 0)):
        p, w = parts.operands[i], parts.operands[j]
        if w is not z or p.shape != z.shape or parts.indices[i] != parts.indices[j]:
            continue
        if axis not in p.facts.sums_to_one:
            continue
        names = list(parts.indices[j])
        if len(set(names)) < len(names) or names.pop(axis) in parts.out:
            continue
        own = summed.indices[0] if summed is not None else tuple(range(lse.ndim))
        out = summed.out if summed is not None else own
        if [out.index(n) if n in out else -1 for n in own] != [
            parts.out.index(n) if n in parts.out else -1 for n in names
        ]:
            continue
        operands = list(parts.operands)
        operands[j] = reduction("log_softmax", z, (axis,))
        new = contract(operands, parts.indices, parts.out)
        return new, p.facts.declared, {"z": z, "p": p}
    return None


@rule("stabler", "add", needs=("log_softmax",))
def logsumexp_of_difference(node: Node, context: Context) -> Rewrite | None:
    """x − log_softmax(x) = lse(x)"""
    total = sum_of(node)
    for y, c in total.terms.items():
        core, moved = below_movement(y)
        if core.op != "log_softmax":
            continue
        (x,), axes = core.inputs, core.attr("axes")
        for other, d in total.terms.items():
            if d != -c or moved_again(x, moved) is not other:
                continue
            found = find_below(y, node.ndim, core, "")
            assert found is not None
            kept = [a for a in range(x.ndim) if a not in axes]
            if any(found[0][a] is None and x.shape[a] != 1 for a in kept):
                continue
            places = [found[0][a] for a in kept]
            names = [-1 - i if place is None else place for i, place in enumerate(places)]
            low = reduction("logsumexp", x, axes)
            low = make_view(low, names, range(node.ndim), node.shape)
            return Rewrite(total.without(y, other).plus(low, d).node(node), {"x": x})
    return None


@rule("real-only", "add", needs=("softplus",))
def softplus_of_complement(node: Node, context: Context) -> Rewrite | None:
    """softplus(−z) + (1 − y) z = softplus(z) − y z"""
    total = sum_of(node)
    for x, c in total.terms.items():
        if x.op != "softplus":
            continue
        z = negative(x.inputs[0])
        if number_of(z) is not None:
            continue
        for other, d in total.terms.items():
            rest = _complement(other, d, z, c)
            if rest is not None:
                less = total.without(x, other).plus(scalar("softplus", z), c)
                result = Sum(less.terms, less.constant).plus(as_like(rest, node), 1.0)
                return Rewrite(result.node(node), {"z": z})
    return None


def _complement(term: Node, d: float, z: Node, c: float) -> Node | None:
    """r, where d·term is c z + r and the term is z (1 + …) up to a number."""
    product = product_of(term)
    if z.op == "mul":
        return None
    if product.factors.get(z) != 1 or len(product.factors) != 2:
        return None
    (inside,) = product.without(z).factors
    total = sum_of(inside)
    scale = d * product.coefficient
    if inside.op != "add" or scale * total.constant != c:
        return None
    rest = linear_combination(list(total.terms.items()))
    return power_product([(z, 1.0), (rest, 1.0)], scale)


RULES: tuple[Rule, ...] = (
    expectation_of_log_softmax,
    logsumexp_of_difference,
    softplus_of_complement,
)
