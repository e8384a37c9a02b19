"""What a one-hot label picks of a softmax is one probability: losses of that, before their slopes.

Σ_j y_j f(q_j) is f(Σ_j y_j q_j) for one-hot y.  So the focal loss has one factor 1 − q_y, instead
of a row of them, and the slope's q − y stands out (Lin et al. 2017); and |q − y| has no kink.
"""

from __future__ import annotations

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract, split_operands
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.simplify.parts import as_like, below_movement, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule


@rule("real-only", "contract")
def function_of_picked(node: Node, context: Context) -> Rewrite | None:
    """Σ y (1 − q)ᵃ z = (1 − Σ y q)ᵃ Σ y z, for y one-hot and q of a softmax"""
    whole, node = node, split_operands(node)
    if node.op != "contract":
        return None
    indices = node.attr("indices")
    for at, (hot, own) in enumerate(zip(node.inputs, indices, strict=True)):
        summed = {own[a] for a in hot.facts.one_hot} - set(node.attr("out"))
        if len(summed) != 1 or len(set(own)) < len(own):
            continue
        for i, (x, names) in enumerate(zip(node.inputs, indices, strict=True)):
            if i == at or set(names) != set(own) or len(names) != len(own):
                continue
            product = product_of(x)
            for base, e in product.factors.items():
                soft = _complemented(base)
                if soft is None or base.shape != x.shape:
                    continue
                kept = [n for n in names if n not in summed]
                pick = contract([hot, soft], [own, names], kept)
                one = power_product([(rebuild(base, [pick]), e)])
                rest = product.without(base)
                operands = [y for j, y in enumerate(node.inputs) if j != i]
                left = [n for j, n in enumerate(indices) if j != i]
                if rest.factors or rest.coefficient != 1:
                    operands.append(as_like(rest.bare(x.dtype), x))
                    left.append(names)
                made = contract(
                    [*operands, one], [*left, kept], node.attr("out"), dict(node.attr("sizes"))
                )
                return Rewrite(as_like(made, whole), {"q": soft, "y": hot}, hot.facts.declared)
    return None


@rule("exact", "contract", needs=("one_hot",))
def selection_within_product(node: Node, context: Context) -> Rewrite | None:
    """Σ (w one_hot(y)) q = Σ w one_hot(y) q, of which only w q_y is left"""
    indices = node.attr("indices")
    for at, (x, names) in enumerate(zip(node.inputs, indices, strict=True)):
        product = product_of(x)
        if x.op != "mul" or len(node.inputs) < 2 or len(set(names)) < len(names):
            continue
        hot = next((h for h, e in product.factors.items() if h.op == "one_hot" and e == 1), None)
        if hot is None or not any(names[a] not in node.attr("out") for a in _hot_axes(hot, x)):
            continue
        operands = [y for j, y in enumerate(node.inputs) if j != at]
        left = [n for j, n in enumerate(indices) if j != at]
        for base, e in product.factors.items():
            operands.append(power_product([(base, e)]))
            left.append(names[x.ndim - base.ndim :])
        made = contract(operands, left, node.attr("out"), dict(node.attr("sizes")))
        return Rewrite(as_like(power_product([(made, 1.0)], product.coefficient), node), {"y": hot})
    return None


def _hot_axes(hot: Node, x: Node) -> list[int]:
    """The axes of a product along which a factor is one-hot."""
    return [a + x.ndim - hot.ndim for a in hot.facts.one_hot]


def _complemented(x: Node) -> Node | None:
    """q of c − c q, with q of a softmax."""
    if x.op != "add" or len(x.inputs) != 1 or x.attr("constant") != -x.attr("coefficients")[0]:
        return None
    (q,) = x.inputs
    return q if below_movement(q)[0].op == "softmax" and q.shape == x.shape else None


@rule("real-only", "contract")
def distance_to_label(node: Node, context: Context) -> Rewrite | None:
    """Σ |q − y| = Σ q + Σ y − 2 Σ q y, for y that is 0 or 1 and q of a softmax"""
    (x, *more), indices = node.inputs, node.attr("indices")
    if (
        more
        or x.op != "abs"
        or x.ndim != len(set(indices[0]))
        or set(indices[0]) == set(node.attr("out"))
    ):
        return None
    total = sum_of(x.inputs[0])
    if total.constant or len(total.terms) != 2:
        return None
    for q, y in (list(total.terms), list(total.terms)[::-1]):
        c, d = total.terms[q], total.terms[y]
        if below_movement(q)[0].op != "softmax" or not y.facts.zero_or_one or c != -d:
            continue
        if q.shape != x.shape or y.shape != x.shape:
            continue
        sums = [
            (contract(each, indices * len(each), node.attr("out"), dict(node.attr("sizes"))), k)
            for each, k in (([q], 1.0), ([y], 1.0), ([q, y], -2.0))
        ]
        made = linear_combination([(each, k * abs(c)) for each, k in sums])
        return Rewrite(as_like(made, node), {"q": q, "y": y}, y.facts.declared)
    return None


ACCURATE: tuple[Rule, ...] = (
    function_of_picked,
    selection_within_product,
    distance_to_label,
)
