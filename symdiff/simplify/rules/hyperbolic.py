"""Hyperbolic functions as they are written with exponentials, and their complements."""

import math

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.node import Node
from symdiff.simplify.hidden import EVEN, ODD
from symdiff.simplify.parts import (
    Product,
    Sum,
    as_like,
    below_movement,
    common_exponent,
    moved_again,
    product_of,
    sum_of,
)
from symdiff.simplify.rewrite import Context, Fact, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import negative
from symdiff.simplify.rules.logarithms import of_scaled
from symdiff.simplify.rules.powers import expanded


@rule("stabler", "add", needs=("exp",))
def hyperbolic_of_exponentials(node: Node, context: Context) -> Rewrite | None:
    """eˣ + e⁻ˣ = 2 cosh x, eˣ − e⁻ˣ = 2 sinh x"""
    total = sum_of(node)
    powers = {x.inputs[0]: (x, c) for x, c in total.terms.items() if x.op == "exp"}
    for u, (x, c) in powers.items():
        minus = powers.get(negative(u))
        if minus is None or abs(c) != abs(minus[1]) or u is negative(u):
            continue
        y, d = minus
        name = "cosh" if c == d else "sinh"
        result = total.without(x, y).plus(scalar(name, u), 2.0 * c)
        return Rewrite(result.node(node), {"x": u})
    return None


@rule("exact", *ODD, *EVEN)
def odd_or_even(node: Node, context: Context) -> Rewrite | None:
    """tanh(−x) = −tanh x, cosh(−x) = cosh x, and all odd and even functions so"""
    (x,) = node.inputs
    if x.op != "mul" or x.attr("coefficient") >= 0:
        return None
    result = scalar(node.op, negative(x))
    return Rewrite(result if node.op in EVEN else negative(result), {"x": x})


@rule("stabler", "mul", needs=("sinh",))
def tanh_of_quotient(node: Node, context: Context) -> Rewrite | None:
    """sinh x / cosh x = tanh x, cosh x / sinh x = 1 / tanh x"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op == "sinh":
            below = scalar("cosh", base.inputs[0])
            f = product.factors.get(below, 0.0)
            if e * f < 0:
                k = common_exponent(abs(e), abs(f), base) * (1 if e > 0 else -1)
                if k == 0:
                    continue
                result = product.times(base, -k).times(below, k)
                result = result.times(scalar("tanh", base.inputs[0]), k)
                return Rewrite(result.node(node), {"x": base.inputs[0]})
    return None


@rule("stabler", "mul", needs=("expm1",))
def tanh_of_expm1(node: Node, context: Context) -> Rewrite | None:
    """(eʷ − 1) σ(−w) = tanh(w/2)"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op == "expm1" and e > 0:
            (w,) = base.inputs
            other = of_scaled("sigmoid", w, -1.0)
            f = product.factors.get(other, 0.0)
            if f > 0:
                k = common_exponent(e, f, base)
                if k == 0:
                    continue
                result = product.times(base, -k).times(other, -k)
                return Rewrite(result.times(of_scaled("tanh", w, 0.5), k).node(node), {"w": w})
    return None


@rule("stabler", "add", needs=("tanh", "erf"))
def one_plus_tanh(node: Node, context: Context) -> Rewrite | None:
    """1 + s tanh x = 2 σ(2 s x), 1 + s erf x = erfc(−s x), for s that is −1 or 1"""
    total = sum_of(node)
    for term, c in total.terms.items() if total.constant else ():
        found = _signed(term) if abs(total.constant) == abs(c) else None
        if found is None:
            continue
        core, moved, signs = found
        sign = 1.0 if c == total.constant else -1.0
        u = core.inputs[0]
        for s in signs:  # of the shape of the term
            u, moved = power_product([(s, 1.0), (moved_again(u, moved), 1.0)]), []
        if core.op == "tanh":
            new, k = of_scaled("sigmoid", u, 2.0 * sign), 2.0
        else:
            new, k = of_scaled("erfc", u, -sign), 1.0
        new = moved_again(new, moved)
        rest = [*total.without(term).terms.items(), (new, k * total.constant)]
        law = "1 + tanh x = 2 σ(2x)" if core.op == "tanh" else "1 + erf x = erfc(−x)"
        facts = frozenset[Fact]().union(*(s.facts.declared for s in signs))
        made = as_like(linear_combination(rest), node)
        return Rewrite(made, {"x": core.inputs[0]}, facts, "" if signs else law)
    return None


def _signed(term: Node) -> tuple[Node, list[Node], list[Node]] | None:
    """tanh x or erf x of a term that is that, or that times signs: (it, its movements, signs)."""
    factors = product_of(term).factors
    found = [(x, *below_movement(x)) for x in factors]
    odd = [(x, core, moved) for x, core, moved in found if core.op in ("tanh", "erf")]
    if len(odd) != 1 or product_of(term).coefficient != 1:
        return None
    ((x, core, moved),) = odd
    signs = [y for y in factors if y is not x]
    whole = factors[x] == 1 and all(y.facts.plus_minus_one and factors[y] == 1 for y in signs)
    return (core, moved, signs) if whole else None


@rule("stabler", "mul", needs=("expm1",))
def exp_over_expm1(node: Node, context: Context) -> Rewrite | None:
    """eʷ / expm1(w) = −1 / expm1(−w)"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "expm1" or e >= 0:
            continue
        (w,) = base.inputs
        above = scalar("exp", w)
        f = product.factors.get(above, 0.0)
        if f > 0:
            k = common_exponent(-e, f, base)
            if k == 0 or k % 1:
                continue
            result = product.times(base, k).times(above, -k)
            result = result.times(of_scaled("expm1", w, -1.0), -k)
            sign = -1.0 if k % 2 else 1.0
            return Rewrite(Product(result.factors, sign * result.coefficient).node(node), {"w": w})
    return None


@rule("stabler", "add", needs=("expm1",))
def one_plus_inverse_expm1(node: Node, context: Context) -> Rewrite | None:
    """1 + 1 / expm1(w) = −1 / expm1(−w)"""
    total = sum_of(node)
    for term, c in total.terms.items():
        if not total.constant or c != total.constant:
            continue
        product = product_of(term)
        if len(product.factors) != 1 or product.coefficient != 1:
            continue
        ((base, e),) = product.factors.items()
        if base.op == "expm1" and e == -1:
            (w,) = base.inputs
            new = power_product([(of_scaled("expm1", w, -1.0), -1.0)])
            rest = [*total.without(term).terms.items(), (new, -c)]
            return Rewrite(as_like(linear_combination(rest), node), {"w": w})
    return None


@rule("stabler", "log")
def area_function(node: Node, context: Context) -> Rewrite | None:
    """log(x + √(x² + k²)) = arcsinh(x/k) + log k, log(x + √(x² − k²)) = arccosh(x/k) + log k"""
    total = sum_of(node.inputs[0])
    for root, c in total.terms.items():
        k = _excess(root, total.without(root)) if c == 1 else None
        if not k:
            continue
        size = math.sqrt(abs(k))
        x = total.without(root).node(node)
        inside = power_product([(x, 1.0)], 1.0 / size)
        new = scalar("arcsinh" if k > 0 else "arccosh", inside)
        return Rewrite(linear_combination([(new, 1.0)], math.log(size)), {"x": x})
    return None


def _excess(root: Node, x: Sum) -> float | None:
    """k of √(x² + k), for an x of one term."""
    product = product_of(root)
    if (
        x.constant
        or len(x.terms) != 1
        or not any(e % 1 or b.op == "hypot" for b, e in product.factors.items())
    ):
        return None
    whole = Product({}, product.coefficient**2)
    for base, e in product.factors.items():
        inner = product_of(base)
        for b, p in inner.factors.items():
            whole = whole.times(b, 2 * e * p)
        whole = Product(whole.factors, whole.coefficient * inner.coefficient ** (2 * e))
    square = expanded(whole)
    ((y, c),) = x.terms.items()
    own = product_of(y)
    twice = Product({b: 2 * e for b, e in own.factors.items()}, (c * own.coefficient) ** 2)
    wanted = expanded(twice)
    if square is None or wanted is None:
        return None
    left = square.minus(wanted, 1.0)
    return None if left is None or left.terms else left.constant


RULES: tuple[Rule, ...] = (
    hyperbolic_of_exponentials,
    odd_or_even,
    tanh_of_quotient,
    tanh_of_expm1,
    one_plus_tanh,
    exp_over_expm1,
    one_plus_inverse_expm1,
)
ACCURATE: tuple[Rule, ...] = (area_function,)
