"""softmax, log_softmax and logsumexp, however they are spelled.

A softmax is found in a product that holds both eᶻ and one over its own sum, whatever else is
there, with the sum kept as axes of size 1 or broadcast, over any axes, transposed or not.
"""

from __future__ import annotations

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.movement import reduction
from symdiff.expr.node import Node
from symdiff.expr.views import expand_dims, squeeze
from symdiff.simplify.parts import (
    Places,
    Product,
    Sum,
    as_like,
    below_movement,
    common_exponent,
    core_of,
    find_below,
    is_constant_along,
    moved_again,
    opened,
    opened_sum,
    place,
    product_of,
    sum_of,
    viewed_as,
)
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import exponents_summed


def _speaks_of_exp(x: Node) -> bool:
    core, _ = below_movement(x)
    return core.op == "exp" or exponents_summed(core) is not None


def _aligned(total: Node, places: Places, axes: tuple[int, ...], own: Places) -> bool:
    """Whether a sum over ``axes`` stands at the same axes as what it is the sum of."""
    (names,), out = total.attr("indices"), total.attr("out")
    shape = total.inputs[0].shape
    kept = [a for a, size in enumerate(shape) if a not in axes and size != 1]
    return all(own[a] is not None and own[a] == places[out.index(names[a])] for a in kept)


@rule("stabler", "mul", needs=("exp",))
def softmax_of_exponentials(node: Node, context: Context) -> Rewrite | None:
    """eᶻ / Σeᶻ = softmax(z)"""
    if all(e > 0 for e in node.attr("exponents")):
        return None
    product = opened(node, _speaks_of_exp)
    for below, e in product.factors.items():
        if e > 0:
            continue
        total, places = place(below, node.ndim)
        found = exponents_summed(total)
        if found is None:
            continue
        z, axes = found
        for above, f in product.factors.items():
            pieces = _numerator(above, z, node.ndim) if f > 0 else None
            if pieces is None or not _aligned(total, places, axes, pieces[0]):
                continue
            _, moved, left, power = pieces
            if power > 1 and (-e < power or f != 1):
                continue
            k = min(f, -e)
            q = moved_again(reduction("softmax", z, axes), moved)
            if power > 1:
                result = product.without(above).times(below, power).times(q, power)
            else:
                result = product.times(above, -k).times(below, k).times(q, k)
            if left is not None:
                result = result.times(left, k)
            return Rewrite(result.node(node), {"z": z})
    return None


def _numerator(
    above: Node, z: Node, rank: int
) -> tuple[Places, list[Node], Node | None, float] | None:
    """eᶻ, moved or not, or e^(z+c), or e^(n z).

    Gives the places of z's axes, the movements, what is left, and n.
    """
    found = find_below(above, rank, z, "exp")
    if found is not None:
        return *found, None, 1.0
    core, own = place(above, rank)
    if core.op != "exp" or core.shape != z.shape:
        return None
    u = sum_of(core.inputs[0])
    rest = u.without(z) if u.terms.get(z) == 1 else u.minus(sum_of(z), 1.0)
    if rest is not None:
        left = viewed_as(above, scalar("exp", rest.node(core)))
        return own, below_movement(above)[1], left, 1.0
    power = _multiple(core.inputs[0], z)
    return None if power is None else (own, below_movement(above)[1], None, power)


def _multiple(u: Node, z: Node) -> float | None:
    """n > 1 of u = n z, a whole number."""
    total, own = sum_of(u), sum_of(z)
    if not own.terms:
        return None
    first = next(iter(own.terms))
    n = total.terms.get(first, 0.0) / own.terms[first]
    left = total.minus(own, n) if n > 1 and n % 1 == 0 else None
    return n if left is not None and not left.terms and not left.constant else None


@rule("stabler", "mul", needs=("exp",))
def weighted_mean_of_exponentials(node: Node, context: Context) -> Rewrite | None:
    """(Σ v eᶻ) / Σeᶻ = Σ v softmax(z)"""
    if all(e > 0 for e in node.attr("exponents")):
        return None
    product = opened(node, lambda x: exponents_summed(core_of(x)) is not None)
    for below, e in product.factors.items():
        if e > 0:
            continue
        total, places = place(below, node.ndim)
        found = exponents_summed(total)
        if found is None:
            continue
        z, axes = found
        for above, f in product.factors.items():
            core, own = place(above, node.ndim)
            if core.op != "contract" or core is total or f <= 0:
                continue
            wanted = total.inputs[0]
            powers = [
                1.0 if x is wanted else _multiple(x.inputs[0], z) if x.op == "exp" else None
                for x in core.inputs
            ]
            at = next((i for i, n in enumerate(powers) if n is not None), None)
            if at is None:
                continue
            power = powers[at] or 1.0
            if power > 1 and (-e < power or f != 1):
                continue
            names, out = core.attr("indices")[at], core.attr("out")
            stands: Places = tuple(own[out.index(n)] if n in out else -1 for n in names)
            if len(set(names)) < len(names) or not _aligned(total, places, axes, stands):
                continue
            operands = list(core.inputs)
            operands[at] = power_product([(reduction("softmax", z, axes), power)])
            mean = contract(operands, core.attr("indices"), out, dict(core.attr("sizes")))
            k = common_exponent(f, -e, above) if power == 1 else 1.0
            if k == 0:
                continue
            result = product.times(above, -k).times(below, k * power)
            result = result.times(viewed_as(above, mean), k)
            return Rewrite(result.node(node), {"z": z})
    return None


@rule("stabler", "add", needs=("logsumexp",))
def log_softmax_of_difference(node: Node, context: Context) -> Rewrite | None:
    """x − logsumexp(x) = log_softmax(x)"""
    for whole in (sum_of(node), opened_sum(node)):
        for term, c in whole.terms.items():
            lse, places = place(term, node.ndim)
            if lse.op != "logsumexp":
                continue
            x, axes = lse.inputs[0], lse.attr("axes")
            kept = [a for a in range(x.ndim) if a not in axes]
            at = {a: p for a, p in zip(kept, places, strict=True) if x.shape[a] != 1}
            rest, moved = _taken(whole.without(term), x, -c, at, node.ndim)
            if rest is not None:
                new = moved_again(reduction("log_softmax", x, axes), moved)
                return Rewrite(rest.plus(new, -c).node(node), {"x": x})
    return None


def _taken(
    whole: Sum, x: Node, c: float, at: dict[int, int | None], rank: int
) -> tuple[Sum | None, list[Node]]:
    """The sum less c·x, where x stands in it, moved or not, with its axes at those places."""
    for term, own in whole.terms.items():
        found = find_below(term, rank, x, "") if own == c else None
        if found is not None and all(found[0][a] == p for a, p in at.items()):
            return whole.without(term), found[1]
    if all(a + rank - x.ndim == p for a, p in at.items()):
        return whole.minus(sum_of(x), c), []
    return None, []


@rule("stabler", "add")
def entropy_of_softmax(node: Node, context: Context) -> Rewrite | None:
    """logsumexp(x) − Σ x softmax(x) = −Σ softmax(x) log_softmax(x)"""
    total = sum_of(node)
    for term, c in total.terms.items():
        product = product_of(term)
        for base, e in product.factors.items():
            lse = core_of(base)
            if lse.op != "logsumexp" or e != 1:
                continue
            x, axes = lse.inputs[0], lse.attr("axes")
            q = reduction("softmax", x, axes)
            around = product.without(base)
            expected = sum_of(_with_mean(around, base, q, x, axes))
            if len(expected.terms) != 1 or expected.constant:
                continue
            ((other, k),) = expected.terms.items()
            if other is term or not _near(total.terms.get(other, 0.0), -c * k):
                continue
            entropy = _with_mean(around, base, q, reduction("log_softmax", x, axes), axes)
            return Rewrite(total.without(term, other).plus(entropy, -c).node(node), {"x": x})
    return None


def _with_mean(around: Product, like: Node, q: Node, y: Node, axes: tuple[int, ...]) -> Node:
    """The product with Σ y q along the axes for one more factor, which stands as ``like`` does."""
    kept = [a for a in range(y.ndim) if a not in axes]
    mean = contract([y, q], [range(y.ndim)] * 2, kept)
    return around.times(viewed_as(like, mean), 1.0).bare(y.dtype)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-12 * abs(b)


@rule("stabler", "softmax", "log_softmax", "logsumexp")
def shift_invariance(node: Node, context: Context) -> Rewrite | None:
    """softmax(z + c) = softmax(z), logsumexp(z + c) = logsumexp(z) + c, c constant along them"""
    z, axes = node.inputs[0], node.attr("axes")
    found = _shift(z, axes)
    if found is None:
        return None
    rest, shift = found
    result = reduction(node.op, as_like(rest, z), axes)
    law = f"{node.op}(z + c) = {node.op}(z), c constant along its axes"
    if node.op == "logsumexp":
        law = law.replace("(z),", "(z) + c,")
        whole = expand_dims(shift, range(z.ndim - shift.ndim))
        result = linear_combination([(result, 1.0), (squeeze(whole, axes), 1.0)])
    return Rewrite(as_like(result, node), {"z": rest, "c": shift}, law=law)


def _shift(z: Node, axes: tuple[int, ...]) -> tuple[Node, Node] | None:
    """z as (what varies along the axes, what does not), both there; seen through multiples."""
    core = core_of(z)
    if core is not z:
        return None
    if z.op == "mul":
        factors = product_of(z)
        sums = [x for x in factors.factors if not is_constant_along(x, axes, z.ndim)]
        if len(sums) != 1 or sums[0].op != "add" or factors.factors[sums[0]] != 1:
            return None
        found = _shift(sums[0], tuple(a - z.ndim + sums[0].ndim for a in axes))
        if found is None:
            return None
        outside = factors.without(sums[0])
        pair = [
            power_product([*outside.factors.items(), (x, 1.0)], outside.coefficient) for x in found
        ]
        return pair[0], pair[1]
    if z.op != "add":
        return None
    whole = sum_of(z)
    fixed = {x: c for x, c in whole.terms.items() if is_constant_along(x, axes, z.ndim)}
    moving = {x: c for x, c in whole.terms.items() if x not in fixed}
    if not moving or (not fixed and not whole.constant):
        return None
    shift = linear_combination(list(fixed.items()), whole.constant, dtype=z.dtype)
    return linear_combination(list(moving.items())), shift


RULES: tuple[Rule, ...] = (
    softmax_of_exponentials,
    weighted_mean_of_exponentials,
    log_softmax_of_difference,
    entropy_of_softmax,
    shift_invariance,
)
