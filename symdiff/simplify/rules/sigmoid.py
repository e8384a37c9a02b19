"""sigmoid, softplus and tanh, and binary cross-entropy made of them.

Terms of a sum are compared as cofactor times function: ``y·softplus(−z) + (1−y)·softplus(z)``
needs only that the cofactors add up to a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.simplify.parts import (
    Product,
    Sum,
    below_movement,
    common_factors,
    core_of,
    moved_again,
    opened_sum,
    product_of,
    sum_of,
)
from symdiff.simplify.pattern import pattern_rule, wild
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import negative, one_plus_exp
from symdiff.simplify.rules.hyperbolic import one_plus_tanh
from symdiff.simplify.rules.softmax import log_softmax_of_difference

w = wild("w")

softplus_of_relu = pattern_rule(
    "softplus_of_relu",
    "relu(w) + softplus(−|w|) = softplus(w)",
    "exact",
    scalar("relu", w) + scalar("softplus", negative(scalar("abs", w))),
    lambda w: scalar("softplus", w),
)


def _with_constant(total: Sum, op: str, ratio: float) -> tuple[Node, float, Node] | None:
    """The first term c·op(w) of a sum whose number is ratio·c, as (term, c, w).

    Of several that could take the number, the first in canonical order does.
    """
    if not total.constant:
        return None
    for term, c in total.terms.items():
        core, moved = below_movement(term)
        if core.op == op and total.constant == ratio * c:
            return term, c, moved_again(core.inputs[0], moved)
    return None


@rule("stabler", "mul", needs=("exp",))
def sigmoid_of_quotient(node: Node, context: Context) -> Rewrite | None:
    """1 / (1 + eʷ) = σ(−w)"""
    product = product_of(node)
    for base, e in product.factors.items():
        core, moved = below_movement(base)
        found = one_plus_exp(core) if e < 0 else None
        if found is not None:
            c, inside = found
            s = moved_again(scalar("sigmoid", negative(inside)), moved)
            result = Product(product.factors, product.coefficient * c**e).without(base)
            return Rewrite(result.times(s, -e).node(node), {"w": inside})
    return None


@rule("stabler", "mul", needs=("sigmoid",))
def sigmoid_times_exp(node: Node, context: Context) -> Rewrite | None:
    """eᵘ σ(w) = e^(u+w) σ(−w), where u + w is simpler than u: so eᶻ σ(−z) = σ(z)"""
    product = product_of(node)
    for s, e in product.factors.items():
        if s.op != "sigmoid" or e <= 0:
            continue
        inside = s.inputs[0]
        for x, f in product.factors.items():
            if x.op != "exp" or f <= 0 or x.shape != s.shape:
                continue
            less = sum_of(x.inputs[0]).minus(sum_of(inside), -1.0)
            if less is None:
                continue
            k = min(e, f)
            whole = f - k == math.floor(f - k)
            result = product.times(s, -k).times(x, -k if whole else -f)
            if not whole:  # as an exponential of its own, and no root of one
                rest = power_product([(x.inputs[0], 1.0)], f - k)
                result = result.times(scalar("exp", rest), 1.0)
            result = result.times(scalar("sigmoid", negative(inside)), k)
            if less.terms or less.constant:
                result = result.times(scalar("exp", less.node(x)), k)
            return Rewrite(result.node(node), {"z": inside})
    return None


@rule("real-only", "mul", needs=("sigmoid",))
def odds_of_sigmoid(node: Node, context: Context) -> Rewrite | None:
    """σ(z) / σ(−z) = eᶻ"""
    product = product_of(node)
    for s, e in product.factors.items():
        if s.op != "sigmoid" or e <= 0:
            continue
        other = scalar("sigmoid", negative(s.inputs[0]))
        f = product.factors.get(other, 0.0)
        if f < 0:
            k = min(e, -f)
            power = scalar("exp", power_product([(s.inputs[0], 1.0)], k))
            result = product.times(s, -k).times(other, k).times(power, 1.0)
            return Rewrite(result.node(node), {"z": s.inputs[0]})
    return None


def _cofactors(total: Sum, op: str) -> Iterator[tuple[Node, float, Product, Node]]:
    """The terms of the kind c·cofactor·op(u), as (term, c, cofactor, u)."""
    for term, c in total.terms.items():
        product = product_of(term)
        for base, e in product.factors.items():
            core, moved = below_movement(base)
            if core.op == op and e == 1:
                yield term, c, product.without(base), moved_again(core.inputs[0], moved)


def _pairs(
    total: Sum, op: str
) -> Iterator[tuple[tuple[Node, float, Product, Node], tuple[Node, float, Product, Node]]]:
    """Two terms with op(u) and op(−u)."""
    found = list(_cofactors(total, op))
    places: dict[Node, list[tuple[Node, float, Product, Node]]] = {}
    for each in found:
        places.setdefault(each[3], []).append(each)
    for first in found:
        for second in places.get(negative(first[3]), ()):
            if first[0] is not second[0]:
                yield first, second


def _split(
    a: Product, b: Product, c: float, d: float, sign: float
) -> tuple[dict[Node, float], Node, float] | None:
    """c·a + sign·d·b as common factors times a number, with what is left of b: (common, b', k).

    None unless that is so.
    """
    common = common_factors(a, b)
    a_rest = power_product(list(a.without(*common).factors.items()), c * a.coefficient)
    b_rest = power_product(list(b.without(*common).factors.items()), d * b.coefficient)
    k = number_of(linear_combination([(a_rest, 1.0), (b_rest, sign)]))
    return None if k is None else (common, b_rest, k)


@rule("stabler", "add", needs=("softplus",))
def softplus_pair(node: Node, context: Context) -> Rewrite | None:
    """a softplus(z) + b softplus(−z) = (a+b) softplus(z) − b z, where a + b is a number"""
    total = sum_of(node)
    best: tuple[int, bytes, Rewrite] | None = None
    for (t1, c, a, u), (t2, d, b, _) in _pairs(total, "softplus"):
        found = _split(a, b, c, d, 1.0)
        if found is None:
            continue
        common, rest, k = found
        shared = list(common.items())
        result = total.without(t1, t2)
        linear = power_product([*shared, (rest, 1.0), (u, 1.0)])
        result = result.plus(linear, -1.0)
        if k:
            result = result.plus(power_product([*shared, (scalar("softplus", u), 1.0)]), k)
        key = (_size(rest), u.digest)
        if best is None or key < best[:2]:
            best = (*key, Rewrite(_normal(result, node), {"z": u}))
    return None if best is None else best[2]


def _size(node: Node) -> int:
    """How much there is to a cofactor: numbers, then plain nodes, then sums."""
    if number_of(node) is not None:
        return 0
    return 2 if core_of(node).op == "add" else 1


def _normal(total: Sum, like: Node) -> Node:
    return total.node(like)


@rule("stabler", "add", yields_to=(softplus_pair, log_softmax_of_difference), needs=("softplus",))
def softplus_reflected(node: Node, context: Context) -> Rewrite | None:
    """a softplus(z) − a z = a softplus(−z)"""
    for total in (sum_of(node), opened_sum(node)):
        for term, c, cofactor, z in _cofactors(total, "softplus"):
            linear = cofactor.times(z, 1.0).bare(node.dtype)
            rest = total.without(term).minus(sum_of(linear), -c)
            if rest is not None:
                new = cofactor.times(scalar("softplus", negative(z)), 1.0).bare(node.dtype)
                return Rewrite(rest.plus(new, c).node(node), {"z": z})
    return None


@rule("real-only", "add", needs=("sigmoid",))
def sigmoid_pair(node: Node, context: Context) -> Rewrite | None:
    """a σ(z) + b σ(−z) = (a−b) σ(z) + b, where a − b is a number"""
    total = sum_of(node)
    best: tuple[int, bytes, Rewrite] | None = None
    for (t1, c, a, u), (t2, d, b, _) in _pairs(total, "sigmoid"):
        found = _split(a, b, c, d, -1.0)
        if found is None:
            continue
        common, rest, k = found
        shared = list(common.items())
        result = total.without(t1, t2).plus(power_product([*shared, (rest, 1.0)]), 1.0)
        if k:
            result = result.plus(power_product([*shared, (scalar("sigmoid", u), 1.0)]), k)
        key = (_size(rest), u.digest)
        if best is None or key < best[:2]:
            best = (*key, Rewrite(_normal(result, node), {"z": u}))
    return None if best is None else best[2]


@rule("stabler", "add", yields_to=(sigmoid_pair,), needs=("sigmoid",))
def sigmoid_less_square(node: Node, context: Context) -> Rewrite | None:
    """a σ(z) − a σ(z)² = a σ(z) σ(−z)"""
    total = sum_of(node)
    for term, c, cofactor, z in _cofactors(total, "sigmoid"):
        s = scalar("sigmoid", z)
        square = power_product([*cofactor.factors.items(), (s, 2.0)])
        rest = total.without(term).minus(sum_of(square), -c)
        if rest is not None:
            other = scalar("sigmoid", negative(z))
            result = rest.plus(
                power_product([*cofactor.factors.items(), (s, 1.0), (other, 1.0)]), c
            )
            return Rewrite(result.node(node), {"z": z})
    return None


@rule(
    "stabler",
    "add",
    yields_to=(sigmoid_pair, sigmoid_less_square, one_plus_tanh),
    needs=("sigmoid",),
)
def tanh_of_sigmoid(node: Node, context: Context) -> Rewrite | None:
    """2 σ(w) − 1 = tanh(w/2)"""
    total = sum_of(node)
    found = _with_constant(total, "sigmoid", -0.5)
    if found is None:
        return None
    term, c, inside = found
    half = -0.5 if product_of(inside).coefficient < 0 else 0.5  # the sign comes out of an odd one
    new = scalar("tanh", power_product([(inside, 1.0)], half))
    result = Sum(total.without(term).terms, 0.0).plus(new, c * half)
    return Rewrite(result.node(node), {"w": inside})


@rule("stabler", "add", yields_to=(*tanh_of_sigmoid.yields_to, tanh_of_sigmoid), needs=("sigmoid",))
def one_minus_sigmoid(node: Node, context: Context) -> Rewrite | None:
    """1 − σ(w) = σ(−w)"""
    total = sum_of(node)
    found = _with_constant(total, "sigmoid", -1.0)
    if found is None:
        return None
    term, c, inside = found
    new = scalar("sigmoid", negative(inside))
    result = Sum(total.without(term).terms, 0.0).plus(new, -c)
    return Rewrite(result.node(node), {"w": inside})


@rule("stabler", "add", yields_to=(softplus_pair, softplus_reflected), needs=("softplus",))
def softplus_of_labels(node: Node, context: Context) -> Rewrite | None:
    """softplus(z) − y z = softplus((1−2y) z), for y that is 0 or 1"""
    total = sum_of(node)
    for term, c, cofactor, z in _cofactors(total, "softplus"):
        for y, scale, sign in _labels(total):
            factors = [*cofactor.factors.items(), (y, 1.0), (z, 1.0)]
            linear = sum_of(power_product(factors, cofactor.coefficient * scale))
            rest = total.without(term).minus(linear, -c)
            if rest is None:
                continue
            plus = scalar("softplus", power_product([(sign, 1.0), (z, 1.0)]))
            new = power_product([*cofactor.factors.items(), (plus, 1.0)], cofactor.coefficient)
            return Rewrite(rest.plus(new, c).node(node), {"z": z, "y": y}, y.facts.declared)
    return None


@rule("stabler", "add", yields_to=(sigmoid_pair,))
def sigmoid_of_labels(node: Node, context: Context) -> Rewrite | None:
    """y σ(z) + (1−y) σ(−z) = σ((2y−1) z), for y that is 0 or 1"""
    total = sum_of(node)
    for (t1, c, a, u), (t2, d, b, _) in _pairs(total, "sigmoid"):
        if c != d:
            continue
        common = common_factors(a, b)
        chosen, other = (p.without(*common) for p in (a, b))
        if len(chosen.factors) != 1 or chosen.coefficient != 1:
            continue
        ((y, e),) = chosen.factors.items()
        if e != 1 or not y.facts.zero_or_one:
            continue
        less = linear_combination([(y, -1.0)], 1.0)
        if other.bare(node.dtype) is not less:
            continue
        sign = linear_combination([(y, 2.0)], -1.0)
        new = scalar("sigmoid", power_product([(sign, 1.0), (u, 1.0)]))
        term = power_product([*common.items(), (new, 1.0)])
        return Rewrite(
            total.without(t1, t2).plus(term, c).node(node), {"z": u, "y": y}, y.facts.declared
        )
    return None


def _labels(total: Sum) -> list[tuple[Node, float, Node]]:
    """The factors of terms that are a multiple of a label y of 0 and 1: (x, y / x, 1 − 2y)."""
    found = {x for term in total.terms for x in product_of(term).factors}
    labels = []
    for x in sorted(found, key=lambda x: x.digest):
        if x.facts.zero_or_one and x.op != "size":
            labels.append((x, 1.0, linear_combination([(x, -2.0)], 1.0)))
        elif x.op == "add" and len(x.inputs) == 1 and x.inputs[0].facts.plus_minus_one:
            (signs,), (c,), number = x.inputs, x.attr("coefficients"), x.attr("constant")
            if abs(c) == number:
                labels.append((x, 0.5 / number, power_product([(signs, 1.0)], -c / number)))
    return labels


# Of the number 1 in a sum, only one of these can make use.
exp_minus_one = pattern_rule(
    "exp_minus_one",
    "eʷ − 1 = expm1(w)",
    "stabler",
    scalar("exp", w) - 1,
    lambda w: scalar("expm1", w),
    yields_to=(tanh_of_sigmoid, one_minus_sigmoid),
)

RULES: tuple[Rule, ...] = (
    sigmoid_of_quotient,
    sigmoid_times_exp,
    odds_of_sigmoid,
    tanh_of_sigmoid,
    one_minus_sigmoid,
    softplus_of_relu,
    softplus_pair,
    softplus_reflected,
    sigmoid_pair,
    sigmoid_less_square,
    softplus_of_labels,
    sigmoid_of_labels,
    exp_minus_one,
)
