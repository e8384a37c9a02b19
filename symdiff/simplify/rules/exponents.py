"""Powers of exponentials in disguise: the power goes into the exponent, as it is taken.

A probability of a softmax may be nothing in float64 while its logarithm is −2000.  Then qᵃ⁻¹ is
infinite where the slope of qᵃ, a qᵃ⁻¹ q′, is nothing; the slope of e^(a log q) has no power of q.
"""

from __future__ import annotations

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.node import Node
from symdiff.simplify.parts import Sum, as_like, below_movement, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import known_log
from symdiff.simplify.rules.positive import Logarithm, logarithm

_MOVED = ("exp", "softmax", "contract", "add")


def _logarithm(x: Node) -> Logarithm | None:
    """log x, where an exponential, or a power of what is positive, goes away in it."""
    core, _ = below_movement(x)
    total = sum_of(core)
    if core.op not in _MOVED or total.constant < 0 or min(total.terms.values()) < 0:
        return None
    known = known_log(x)
    found = Logarithm(known, True) if known is not None else logarithm(x)
    return found if found is not None and found.closed else None


@rule("stabler", "pow")
def power_of_exponential(node: Node, context: Context) -> Rewrite | None:
    """(eᶻ)ᵃ = e^(a z), softmax(z)ᵃ = e^(a log_softmax(z)), and so for sums of exponentials"""
    base, a = node.inputs
    log = _logarithm(base)
    if log is None:
        return None
    made = scalar("exp", power_product([(a, 1.0), (log.node, 1.0)]))
    return Rewrite(as_like(made, node), {"x": base, "a": a}, log.facts)


@rule("stabler", "mul", needs=("softmax",))
def root_of_softmax(node: Node, context: Context) -> Rewrite | None:
    """softmax(z)ᶜ = e^(c log_softmax(z)), for c that is not whole"""
    product = product_of(node)
    for base, e in product.factors.items():
        if e % 1 == 0 or below_movement(base)[0].op != "softmax":
            continue
        log = known_log(base)
        if log is not None:
            made = scalar("exp", power_product([(log, 1.0)], e))
            return Rewrite(product.without(base).times(made, 1.0).node(node), {"z": base})
    return None


@rule("stabler", "add")
def power_minus_one(node: Node, context: Context) -> Rewrite | None:
    """xᵃ − 1 = expm1(a log x), for x > 0"""
    total = sum_of(node)
    for term, c in total.terms.items():
        if term.op != "pow" or total.constant != -c or not term.inputs[0].facts.positive:
            continue
        x, a = term.inputs
        made = scalar("expm1", power_product([(a, 1.0), (scalar("log", x), 1.0)]))
        rest = Sum(total.without(term).terms, 0.0).plus(as_like(made, term), c)
        return Rewrite(rest.node(node), {"x": x, "a": a}, x.facts.declared)
    return None


ACCURATE: tuple[Rule, ...] = (power_of_exponential, root_of_softmax, power_minus_one)
