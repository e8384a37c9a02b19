"""Powers, roots and quotients: what cancels is taken apart before it is computed.

``a/u − b/u²`` has one numerator, and where that cancels exactly, so does the loss of digits.
"""

from __future__ import annotations

import math

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant as number_node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import Product, Sum, as_like, opened, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import power_of_one_plus_exp

_MOST = 12


def expanded(product: Product) -> Sum | None:
    """The product with its sums (and squares of hypot) multiplied out; None if that is long."""
    parts: list[tuple[float, Product]] = [(product.coefficient, Product({}, 1.0))]
    for base, e in product.factors.items():
        terms = _as_terms(base, e)
        if terms is None:
            parts = [(c, p.times(base, e)) for c, p in parts]
            continue
        parts = [(c * k, _merged(p, q)) for c, p in parts for k, q in terms]
        if len(parts) > _MOST:
            return None
    total = Sum({}, 0.0)
    for c, p in parts:
        if not p.factors:
            total = Sum(total.terms, total.constant + c)
        else:
            node = power_product(list(p.factors.items()))
            value = number_of(node)
            if value is not None:
                total = Sum(total.terms, total.constant + c * value)
            else:
                own = sum_of(node)
                for x, k in own.terms.items():
                    total = total.plus(x, c * k)
                total = Sum(total.terms, total.constant + c * own.constant)
    return Sum({x: c for x, c in total.terms.items() if c}, total.constant)


def _as_terms(base: Node, e: float) -> list[tuple[float, Product]] | None:
    if base.op == "add" and e == 1:
        total = sum_of(base)
        terms = [(c, product_of(x)) for x, c in total.terms.items()]
        found = [(c * p.coefficient, Product(p.factors, 1.0)) for c, p in terms]
        return found + ([(total.constant, Product({}, 1.0))] if total.constant else [])
    if base.op == "hypot" and e == 2:
        return [_square(product_of(x)) for x in base.inputs]
    return None


def _square(x: Product) -> tuple[float, Product]:
    return x.coefficient**2, Product({b: 2 * e for b, e in x.factors.items()}, 1.0)


def _merged(a: Product, b: Product) -> Product:
    for base, e in b.factors.items():
        a = a.times(base, e)
    return Product(a.factors, a.coefficient * b.coefficient)


@rule("stabler", "add")
def over_common_denominator(node: Node, context: Context) -> Rewrite | None:
    """a/u − b/u² = (a u − b) / u², where the numerator cancels"""
    total = sum_of(node)
    terms = [(x, c, product_of(x)) for x, c in total.terms.items()]
    bases = dict.fromkeys(b for _, _, p in terms for b, e in p.factors.items() if e < 0)
    for u in bases:
        lowest = min(p.factors.get(u, 0.0) for _, _, p in terms)
        inside = [t for t in terms if (t[2].factors.get(u, 0.0) - lowest) % 1 == 0]
        for group in (inside, [t for t in inside if t[2].factors.get(u, 0.0) < 0]):
            whole = group is inside and lowest % 1 == 0
            number = total.constant if whole else 0.0
            if len(group) + (number != 0) < 2:
                continue
            numerator = Sum({}, 0.0)
            for _, c, p in group:
                raised = p.times(u, -lowest)
                part = expanded(Product(raised.factors, c * p.coefficient))
                if part is None:
                    break
                numerator = _plus(numerator, part)
            else:
                if number:
                    raised = Product({u: -lowest}, number)
                    part = expanded(raised)
                    if part is None:
                        continue
                    numerator = _plus(numerator, part)
                left = len(numerator.terms) + (numerator.constant != 0)
                degree = abs(lowest) + sum(_degree(product_of(x)) for x in numerator.terms)
                if left > 1 or degree >= sum(_degree(p) for _, _, p in group):
                    continue
                above = numerator.node(node)
                merged = power_product([(above, 1.0), (u, lowest)])
                rest = Sum(total.terms, total.constant - number).without(*(x for x, _, _ in group))
                return Rewrite(rest.plus(merged, 1.0).node(node), {"u": u})
    return None


@rule("stabler", "add")
def complement_of_quotient(node: Node, context: Context) -> Rewrite | None:
    """a − a c / (c + v) = a v / (c + v)"""
    total = sum_of(node)
    for term, d in total.terms.items():
        product = product_of(term)
        for u, e in product.factors.items():
            m = u.attr("constant") if u.op == "add" and e == -1 else 0.0
            if not m:
                continue
            above = product.without(u)
            c = -d * above.coefficient / m
            whole = Product(above.factors, 1.0)
            if whole.factors:
                other = whole.bare(node.dtype)
                if other is u or not _near(total.terms.get(other, 0.0), c):
                    continue
                rest = total.without(term, other)
            elif _near(total.constant, c):
                rest = Sum(total.without(term).terms, 0.0)
            else:
                continue
            less = linear_combination(list(sum_of(u).terms.items()))
            new = whole.times(less, 1.0).times(u, -1.0).bare(node.dtype)
            return Rewrite(rest.plus(new, c).node(node), {"u": u})
    return None


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-15 * abs(b)


@rule("stabler", "add")
def sum_of_quotients(node: Node, context: Context) -> Rewrite | None:
    """a/u + b/v = (a v + b u) / (u v), where the numerator has one term"""
    total = sum_of(node)
    quotients = [x for x in total.terms if -1 in product_of(x).factors.values()]
    if len(quotients) < 2 or not any(_divides_by_sum(product_of(x)) for x in quotients):
        return None
    split = [(x, total.terms[x], *_quotient(product_of(x))) for x in quotients]
    for i, (x, c, above, below) in enumerate(split):
        for y, d, over, under in split[:i]:
            if not any(b.op == "add" for p in (below, under) for b in p.factors):
                continue
            parts = [
                expanded(Product(_merged(p, q).factors, k * p.coefficient))
                for p, q, k in ((above, under, c), (over, below, d))
            ]
            if parts[0] is None or parts[1] is None:
                continue
            numerator = _plus(parts[0], parts[1])
            if len(numerator.terms) + (numerator.constant != 0) != 1:
                continue
            both = _merged(below, under)
            result = Product({b: -e for b, e in both.factors.items()}, 1.0)
            new = result.times(numerator.node(node), 1.0).bare(node.dtype)
            return Rewrite(total.without(x, y).plus(new, 1.0).node(node), {"u": x, "v": y})
    return None


def _divides_by_sum(product: Product) -> bool:
    return any(e == -1 and b.op == "add" for b, e in product.factors.items())


def _quotient(product: Product) -> tuple[Product, Product]:
    """A product as (above, below) the line."""
    below = {b: -e for b, e in product.factors.items() if e == -1}
    above = {b: e for b, e in product.factors.items() if b not in below}
    return Product(above, product.coefficient), Product(below, 1.0)


def _degree(product: Product) -> float:
    return sum(abs(e) for e in product.factors.values())


def _plus(a: Sum, b: Sum) -> Sum:
    for x, c in b.terms.items():
        a = a.plus(x, c)
    terms = {x: c for x, c in a.terms.items() if abs(c) > 1e-15 * abs(b.terms.get(x, 0.0))}
    return Sum(terms, a.constant + b.constant)


def root_of(term: Node, c: float) -> Node | None:
    """√(c·term), up to its sign, where the term is a product of squares and of what is positive."""
    product = product_of(term)
    if c * product.coefficient <= 0:
        return None
    squares = 0
    for base, e in product.factors.items():
        if e % 2 == 0:
            squares += e > 0
        elif not (base.facts.positive and base.ndim == 0):
            return None
    halves = [(x, e / 2) for x, e in product.factors.items()]
    return power_product(halves, math.sqrt(c * product.coefficient))


def is_square(term: Node) -> bool:
    return any(e % 2 == 0 and e > 0 for e in product_of(term).factors.values())


@rule("stabler", "add")
def difference_of_roots(node: Node, context: Context) -> Rewrite | None:
    """√a − √b = (a − b) / (√a + √b), where a − b is a number"""
    total = sum_of(node)
    roots = {}
    for x, c in total.terms.items():
        product = product_of(x)
        if len(product.factors) == 1 and product.coefficient == 1:
            ((base, e),) = product.factors.items()
            if e == 0.5:
                roots[x] = base, c
    for x, (a, c) in roots.items():
        for y, (b, d) in roots.items():
            if c <= 0 or c != -d:
                continue
            less = number_of(linear_combination([(a, 1.0), (b, -1.0)]))
            if not less:
                continue
            both = linear_combination([(x, 1.0), (y, 1.0)])
            new = power_product([(both, -1.0)], less)
            return Rewrite(total.without(x, y).plus(new, c).node(node), {"a": a, "b": b})
    return None


@rule("stabler", "add", yields_to=(power_of_one_plus_exp,))
def difference_of_squares(node: Node, context: Context) -> Rewrite | None:
    """x² − y² = (x − y) (x + y)"""
    total = sum_of(node)
    squares = [(root_of(x, 1.0), c) for x, c in total.terms.items()]
    if total.constant:
        squares.append((number_node(1.0, node.dtype), total.constant))
    if len(squares) != 2 or squares[0][1] != -squares[1][1]:
        return None
    scale = abs(squares[0][1])
    (x, _), (y, _) = sorted(squares, key=lambda pair: -pair[1])
    if x is None or y is None or not all(is_square(t) for t in total.terms):
        return None
    less, more = _merged_sum(x, y, -1.0), _merged_sum(x, y, 1.0)
    return Rewrite(
        as_like(power_product([(less, 1.0), (more, 1.0)], scale), node), {"x": x, "y": y}
    )


def _merged_sum(x: Node, y: Node, sign: float) -> Node:
    """x ± y; where both are sums with terms in common, as one."""
    a, b = sum_of(x), sum_of(y)
    if x.shape != y.shape or a.terms.keys().isdisjoint(b.terms):
        return linear_combination([(x, 1.0), (y, sign)])
    for term, c in b.terms.items():
        a = a.plus(term, sign * c)
    return Sum(a.terms, a.constant + sign * b.constant).node(x)


@rule("real-only", "mul", needs=("reciprocal_or_zero",))
def power_beside_guard(node: Node, context: Context) -> Rewrite | None:
    """(1/x, or 0 where x is 0) / x² = 1 / x³, which has no value at 0 either way"""
    product = product_of(node)
    for guard, e in product.factors.items():
        x = guard.inputs[0] if guard.op == "reciprocal_or_zero" else guard
        if x is not guard and e > 0 and product.factors.get(x, 0.0) < 0:
            return Rewrite(product.without(guard).times(x, -e).node(node), {"x": x})
    return None


@rule("real-only", "mul", needs=("sign",))
def sign_times_size(node: Node, context: Context) -> Rewrite | None:
    """x sign x = |x|, |x| sign x = x, and the quotients so"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "sign" or e != 1:
            continue
        (x,) = base.inputs
        size = scalar("abs", x)
        for one, other, a, b in ((x, size, "x", "|x|"), (size, x, "|x|", "x")):
            f = product.factors.get(one, 0.0)
            if f % 2 == 1:
                result = product.without(base, one).times(other, f)
                law = f"{a} sign x = {b}" if f > 0 else f"sign x / {a} = 1 / {b}"
                return Rewrite(result.node(node), {"x": x}, law=law)
    return None


@rule("stabler", "mul", needs=("pow",))
def product_of_variable_powers(node: Node, context: Context) -> Rewrite | None:
    """xᵃ xᵇ = xᵃ⁺ᵇ"""
    bases = {x.inputs[0] for x in node.inputs if x.op == "pow"}
    product = opened(node, lambda x: x in bases)
    groups: dict[Node, list[tuple[Node, float]]] = {}
    for base, e in product.factors.items():
        if base.op == "pow":
            groups.setdefault(base.inputs[0], []).append((base, e))
    for x, powers in groups.items():
        own = product.factors.get(x, 0.0)
        if len(powers) + (own != 0) < 2 and not (len(powers) == 1 and powers[0][1] != 1):
            continue
        whole = all(e == math.floor(e) for _, e in powers)
        if not whole and not x.facts.nonnegative:
            continue
        total = linear_combination([(p.inputs[1], e) for p, e in powers], own, node.dtype)
        result = product.without(x, *(p for p, _ in powers))
        value = number_of(total)
        if len(powers) == 1 and total.op == "add":
            continue
        if value is None:
            result = result.times(scalar("pow", x, total), 1.0)
        else:
            result = result.times(x, value)
        facts = frozenset() if whole else x.facts.declared
        return Rewrite(result.node(node), {"x": x}, facts)
    return None


@rule("real-only", "pow")
def power_of_variable_power(node: Node, context: Context) -> Rewrite | None:
    """(xᵃ)ᵇ = x^(a b), for x ≥ 0"""
    base, b = node.inputs
    if base.op == "pow" and base.inputs[0].facts.nonnegative:
        x, a = base.inputs
        power = power_product([(a, 1.0), (b, 1.0)])
    elif base.op == "mul" and len(base.inputs) == 1 and base.attr("coefficient") == 1:
        (x,), (e,) = base.inputs, base.attr("exponents")
        if not x.facts.nonnegative:
            return None
        power = power_product([(b, 1.0)], e)
    else:
        return None
    value = number_of(power)
    result = scalar("pow", x, power) if value is None else power_product([(x, value)])
    return Rewrite(as_like(result, node), {"x": x}, x.facts.declared)


@rule("stabler", "mul")
def root_of_squares(node: Node, context: Context) -> Rewrite | None:
    """√(x y) = √x √y, and other powers, for x, y ≥ 0"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "mul" or e == math.floor(e):
            continue
        inner = product_of(base)
        if inner.coefficient <= 0 or len(inner.factors) < 2:
            continue
        bare = all(x.op == "contract" or _is_leaf(x) for x in inner.factors)
        if not bare or not all(x.facts.nonnegative for x in inner.factors):
            continue
        result = Product(product.factors, product.coefficient * inner.coefficient**e).without(base)
        for x, p in inner.factors.items():
            result = result.times(x, p * e)
        facts = frozenset().union(*(x.facts.declared for x in inner.factors))
        return Rewrite(result.node(node), {"x": base}, facts)
    return None


def _is_leaf(x: Node) -> bool:
    """Whether a node is a variable, or one that is never negative plus a number."""
    shifted = x.op == "add" and len(x.inputs) == 1 and x.inputs[0].facts.nonnegative
    return OPS[(x.inputs[0] if shifted else x).op].leaf


RULES: tuple[Rule, ...] = (
    over_common_denominator,
    sum_of_quotients,
    sign_times_size,
    product_of_variable_powers,
    power_of_variable_power,
)
#: Accurate, at the price of work that is shared otherwise: 1 − h² of a tanh h at hand.
ACCURATE: tuple[Rule, ...] = (
    difference_of_squares,
    difference_of_roots,
    root_of_squares,
    complement_of_quotient,
    power_beside_guard,
)
