"""Exponentials of different shapes in one product: a maximum that is taken off, a scale.

exp(z) / exp(max z) is ∞/∞ where exp(z − max z) is between 0 and 1.  Done for lone formulas only: in
a network, a row that is scaled is often computed once for many.
"""

from __future__ import annotations

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.views import is_view, rewrap
from symdiff.simplify.parts import as_like, below_movement, moved_again, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule


@rule("stabler", "mul", needs=("exp",))
def exponentials_of_shapes(node: Node, context: Context) -> Rewrite | None:
    """eᵃ e⁻ᵇ = e^(a−b), where b is broadcast to the shape of a"""
    product = product_of(node)
    powers = [(x, e) for x, e in product.factors.items() if below_movement(x)[0].op == "exp"]
    if len(powers) < 2 or not any(x.shape == node.shape for x, _ in powers):
        return None
    terms = []
    for x, e in powers:
        core, moved = below_movement(x)
        terms.append((moved_again(core.inputs[0], moved), e))
    if not any(_opposite(*terms[0], *other) for other in terms[1:]):
        return None
    made = scalar("exp", linear_combination(terms))
    result = product.without(*(x for x, _ in powers)).times(made, 1.0)
    return Rewrite(result.node(node), {f"x{i}": x for i, (x, _) in enumerate(terms)})


@rule("stabler", "mul", needs=("exp",))
def exponential_into_sum(node: Node, context: Context) -> Rewrite | None:
    """e⁻ᵃ Σ w eᵇ = Σ w e^(b−a)"""
    product = product_of(node)
    for u, e in product.factors.items():
        core, moved = below_movement(u)
        if core.op != "exp":
            continue
        power = moved_again(core.inputs[0], moved)
        for base, k in product.factors.items():
            found = _within(base, power, e) if k == 1 else None
            if found is not None:
                result = product.without(u, base).times(found, 1.0)
                return Rewrite(result.node(node), {"a": power, "x": base})
    return None


def _opposite(a: Node, k: float, b: Node, m: float) -> bool:
    """Whether one of the exponents k a and m b may cancel the other, as they are written.

    Where both have one sign, neither helps the other, and what they share with other terms of a
    sum would no longer stand out.
    """
    signs = {c * k > 0 for c in sum_of(a).terms.values()}
    signs |= {c * m > 0 for c in sum_of(b).terms.values()}
    return len(signs) > 1


def _within(base: Node, u: Node, e: float) -> Node | None:
    """The sum with e u in the exponent of an exponential that stands in it."""
    core = base.inputs[0] if is_view(base) else base
    if core.op != "contract" or is_view(core) or (u.ndim and core is not base):
        return None
    out = core.attr("out")
    for at, (x, own) in enumerate(zip(core.inputs, core.attr("indices"), strict=True)):
        if x.op != "exp" or len(set(own)) < len(own):
            continue
        if not _opposite(u, e, x.inputs[0], 1.0):
            continue
        less = linear_combination([(u, e)])
        if u.ndim:
            if u.shape != core.shape or not set(out) <= set(own):
                continue
            sizes = dict(zip(own, x.shape, strict=True))
            if any(sizes[n] != s for n, s in zip(out, u.shape, strict=True)):
                continue
            less = contract([less], [out], own, sizes)
        power = as_like(linear_combination([(x.inputs[0], 1.0), (less, 1.0)]), x)
        inputs = list(core.inputs)
        inputs[at] = scalar("exp", power)
        made = rebuild(core, inputs)
        return made if core is base else rewrap(base, made)
    return None


ACCURATE: tuple[Rule, ...] = (exponentials_of_shapes, exponential_into_sum)
