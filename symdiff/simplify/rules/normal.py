"""The normal distribution's tails: what erfc is too small for, its logarithm and its hazard hold.

erfc(x) is nothing beyond 27, so that the likelihood of a probit model has no slope at 40 standard
deviations.  log_erfc is finite there, and so is minus its slope, the hazard 2/√π e^(−x²) / erfc(x),
which is about 2x; scipy.special's erfcx computes both.
"""

from __future__ import annotations

import math

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.node import Node
from symdiff.simplify.parts import Product, Sum, as_like, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule

_CLOSE = 1e-14
_ERROR = ("erf", "erfc")


@rule("stabler", "mul", needs=("exp",))
def hazard_of_quotient(node: Node, context: Context) -> Rewrite | None:
    """e^(−x²) / erfc(x) = √π/2 hazard(x), minus the slope of log erfc"""
    product = product_of(node)
    for power, k in product.factors.items():
        if power.op != "exp" or k <= 0:
            continue
        total = sum_of(power.inputs[0])
        for below, e in product.factors.items():
            if below.op != "erfc" or e > -1:
                continue
            (x,) = below.inputs
            term = next((t for t, c in total.terms.items() if _is_minus_square(t, c * k, x)), None)
            if term is None:
                continue
            exponent = Sum(total.without(term).terms, total.constant)
            rest = product.without(power).times(below, 1.0).times(scalar("erfc_hazard", x), 1.0)
            if exponent.terms or exponent.constant:
                left = linear_combination(
                    [(y, c * k) for y, c in exponent.terms.items()], exponent.constant * k
                )
                rest = rest.times(scalar("exp", left), 1.0)
            half = math.sqrt(math.pi) / 2
            return Rewrite(Product(rest.factors, rest.coefficient * half).node(node), {"x": x})
    return None


def _is_minus_square(term: Node, c: float, x: Node) -> bool:
    """Whether c · term is −x²."""
    square, number = _normal(Product({x: 2.0}, 1.0))
    own, factor = _normal(product_of(term))
    return own == square and abs(c * factor + number) <= _CLOSE * number


def _normal(product: Product) -> tuple[dict[Node, float], float]:
    """The factors, products among them opened and sums of one leading number, and the number."""
    factors: dict[Node, float] = {}
    number = product.coefficient
    for base, e in product.factors.items():
        inner = product_of(base)
        number *= inner.coefficient**e if inner.coefficient > 0 or e % 1 == 0 else math.nan
        for x, p in inner.factors.items():
            total = sum_of(x)
            lead = next(iter(total.terms.values()), 1.0)
            if x.op == "add" and lead != 1 and p * e % 2 == 0:
                scaled = [(y, c / lead) for y, c in total.terms.items()]
                x = linear_combination(scaled, total.constant / lead, x.dtype)
                number *= lead ** (p * e)
            if p * e % 2 == 0 and x.facts.plus_minus_one:
                continue
            factors[x] = factors.get(x, 0.0) + p * e
    return factors, number


@rule("stabler", "log1p")
def log1p_of_erf(node: Node, context: Context) -> Rewrite | None:
    """log1p(erf x) = log_erfc(−x)"""
    product = product_of(node.inputs[0])
    (base, e), *more = product.factors.items()
    if more or base.op != "erf" or e != 1 or abs(product.coefficient) != 1:
        return None
    inner = power_product([(base.inputs[0], 1.0)], -product.coefficient)
    return Rewrite(scalar("log_erfc", inner), {"x": base.inputs[0]})


@rule("stabler", "log")
def log_of_interval(node: Node, context: Context) -> Rewrite | None:
    """log(erfc x − erfc y) = log erfc x + log(1 − erfc y / erfc x), in the tail where they stand"""
    total = sum_of(node.inputs[0])
    if len(total.terms) != 2 or total.constant:
        return None
    (a, c), (b, d) = total.terms.items()
    if c != -d or a.op != b.op or a.op not in _ERROR or a.shape != b.shape:
        return None
    if (c > 0) is not (a.op == "erfc"):
        a, b = b, a
    (x,), (y,) = a.inputs, b.inputs
    upper = scalar("gt", linear_combination([(x, 1.0), (y, 1.0)]), 0.0)
    minus = [power_product([(z, 1.0)], -1.0) for z in (x, y)]
    near = scalar("log_erfc", scalar("where", upper, x, minus[1]))
    far = scalar("log_erfc", scalar("where", upper, y, minus[0]))
    gap = scalar("log1mexp", linear_combination([(far, 1.0), (near, -1.0)]))
    made = linear_combination([(near, 1.0), (gap, 1.0)], math.log(abs(c)))
    return Rewrite(as_like(made, node), {"x": x, "y": y})


RULES: tuple[Rule, ...] = (hazard_of_quotient, log1p_of_erf)
ACCURATE: tuple[Rule, ...] = (log_of_interval,)
