"""Logarithms of what overflows or cancels as it is written.

A logarithm is split into those of its factors where one of them has a closed form: a sum of
exponentials, a difference of two, a product over an axis, a power.  A product with a sum of
exponentials below the line goes into the exponent, where nothing overflows.
"""

import math
from collections.abc import Callable

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import (
    Product,
    as_like,
    below_movement,
    moved_again,
    product_of,
)
from symdiff.simplify.rewrite import Context, Fact, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import (
    known_log,
    log_of_exponentials,
    log_of_terms,
    one_plus_exp,
)


def of_scaled(name: str, x: Node, c: float = 1.0) -> Node:
    """A function of c·x."""
    return scalar(name, power_product([(x, 1.0)], c))


def log_cosh(u: Node) -> Node:
    """log cosh u."""
    return linear_combination([(u, 1.0), (of_scaled("softplus", u, -2.0), 1.0)], -math.log(2))


def exponential_of(term: Node, c: float) -> Node | None:
    """log(c·term), where the term is an exponential, a sum or a positive multiple of one."""
    if c <= 0:
        return None
    core, moved = below_movement(term)
    if core.op == "cosh":
        found: Node | None = log_cosh(core.inputs[0])
    elif core.op in ("exp", "contract"):
        found = known_log(core)
    elif core.op == "mul" and core.attr("coefficient") == 1:
        found = _log_of_multiple(product_of(core))
    else:
        found = None
    if found is None:
        return None
    return linear_combination([(moved_again(found, moved), 1.0)], math.log(c))


def _log_of_multiple(product: Product) -> Node | None:
    """log(w eᵘ) where every other factor is known to be positive."""
    terms: list[tuple[Node, float]] = []
    exponentials = 0
    for base, e in product.factors.items():
        if base.op == "exp":
            exponentials += 1
            terms.append((base.inputs[0], e))
        elif base.facts.positive and OPS[base.op].leaf:
            terms.append((scalar("log", base), e))
        else:
            return None
    return linear_combination(terms) if exponentials else None


def log_of_sum(node: Node) -> Node | None:
    """log(Σ cᵢ eᵘⁱ + c), all cᵢ positive, by softplus of differences."""
    if node.op != "add" or one_plus_exp(node) is not None:
        return None
    constant = node.attr("constant")
    if constant < 0:
        return None
    logs = []
    for x, c in zip(node.inputs, node.attr("coefficients"), strict=True):
        found = exponential_of(x, c)
        if found is None:
            return None
        logs.append(found)
    return log_of_terms(logs, constant, node)


def log_of_difference(node: Node) -> Node | None:
    """log(c eᵃ − d eᵇ): there is a logarithm only where the first is larger."""
    if node.op == "expm1":
        (u,) = node.inputs
        return linear_combination([(u, 1.0), (of_scaled("log1mexp", u, -1.0), 1.0)])
    if node.op == "mul" and len(node.inputs) == 1 and node.attr("exponents") == (1.0,):
        inner = node.inputs[0]
        if inner.op == "expm1" and node.attr("coefficient") < 0:
            log_c = math.log(-node.attr("coefficient"))
            return linear_combination([(scalar("log1mexp", inner.inputs[0]), 1.0)], log_c)
        return None
    if node.op != "add" or len(node.inputs) + (node.attr("constant") != 0) != 2:
        return None
    if not node.attr("constant") and sum(node.attr("coefficients")) == 0:
        found = _log_of_sigmoids(node)
        if found is not None:
            return found
    above: list[Node] = []
    below: list[Node] = []
    for x, c in zip(node.inputs, node.attr("coefficients"), strict=True):
        found = exponential_of(x, abs(c))
        if found is None:
            return None
        (above if c > 0 else below).append(found)
    constant = node.attr("constant")
    if constant:
        number = linear_combination([], math.log(abs(constant)), node.dtype)
        (above if constant > 0 else below).append(number)
    if len(above) != 1 or len(below) != 1:
        return None
    less = linear_combination([(below[0], 1.0), (above[0], -1.0)])
    return linear_combination([(above[0], 1.0), (scalar("log1mexp", less), 1.0)])


def _log_of_sigmoids(node: Node) -> Node | None:
    """log c (σ(a) − σ(b)) = log c + log σ(a) + log σ(−b) + log1mexp(b − a).

    And tanh a − tanh b is 2 (σ(2a) − σ(2b)).
    """
    inside, ops = {}, set()
    for x, c in zip(node.inputs, node.attr("coefficients"), strict=True):
        core, moved = below_movement(x)
        if core.op not in ("sigmoid", "tanh"):
            return None
        ops.add(core.op)
        inside[c > 0] = moved_again(core.inputs[0], moved)
    if len(ops) != 1:
        return None
    k = 2.0 if ops == {"tanh"} else 1.0
    a, b = (power_product([(inside[side], 1.0)], k) for side in (True, False))
    less = linear_combination([(b, 1.0), (a, -1.0)])
    terms = [(scalar("log1mexp", less), 1.0), (of_scaled("softplus", a, -1.0), -1.0)]
    number = math.log(k * max(node.attr("coefficients")))
    return linear_combination([*terms, (scalar("softplus", b), -1.0)], number)


def size_log(x: Node) -> Node:
    """log|x|, without the bars where x is known not to be negative."""
    return scalar("log", x if x.facts.nonnegative else scalar("abs", x))


def log_of_prod(node: Node) -> Node | None:
    """log|Π x| = Σ log|x|."""
    if node.op != "prod":
        return None
    (x,), axes = node.inputs, node.attr("axes")
    return contract([size_log(x)], [range(x.ndim)], [a for a in range(x.ndim) if a not in axes])


def log_of_variable_power(node: Node) -> Node | None:
    """log|xᵃ| = a log|x|."""
    if node.op != "pow":
        return None
    x, a = node.inputs
    return power_product([(a, 1.0), (size_log(x), 1.0)])


def _signs(node: Node) -> frozenset[Fact]:
    """What size_log leaned on in the logarithm of a node's size."""
    x = node.inputs[0]
    bare = node.op in ("prod", "pow") and x.facts.nonnegative
    return x.facts.declared if bare else frozenset()


def _splitting(
    name: str,
    law: str,
    closed: Callable[[Node], Node | None],
    positive: bool,
    yields_to: tuple[Rule, ...] = (),
) -> Rule:
    """A rule for logarithms of products with a factor whose logarithm (of its size) is known.

    ``positive`` says that such a factor is; else the others must be, or be absent.
    """

    def apply(node: Node, context: Context) -> Rewrite | None:
        inside, moved = below_movement(node.inputs[0])
        whole = closed(inside)
        if whole is not None:
            new = as_like(moved_again(as_like(whole, inside), moved), node)
            return Rewrite(new, {"x": inside.inputs[0]}, _signs(inside))
        product = product_of(inside)
        for base, e in product.factors.items():
            core, own = below_movement(base)
            found = closed(core)
            if found is None or core is inside:
                continue
            found = moved_again(as_like(found, core), own)
            rest, facts = product.without(base), _signs(core)
            terms, number = [(found, e)], 0.0
            if not rest.factors:
                if rest.coefficient <= 0:
                    continue
                number = math.log(rest.coefficient)
            else:
                other = rest.bare(inside.dtype)
                if not positive and not other.facts.nonnegative:
                    continue
                facts |= frozenset() if positive else other.facts.declared
                terms.append((scalar("log", other), 1.0))
            result = as_like(linear_combination(terms, number), inside)
            return Rewrite(as_like(moved_again(result, moved), node), {"x": core.inputs[0]}, facts)
        return None

    return Rule(name, law, "stabler", ("log",), apply, yields_to=yields_to)


log_sum_of_exponentials = _splitting(
    "log_sum_of_exponentials",
    "log(eᵃ + eᵇ) = b + softplus(a − b)",
    log_of_sum,
    True,
    (log_of_exponentials,),
)
log_difference_of_exponentials = _splitting(
    "log_difference_of_exponentials",
    "log(eᵃ − eᵇ) = a + log1mexp(b − a)",
    log_of_difference,
    False,
)
log_product = _splitting("log_product", "log Π x = Σ log |x|", log_of_prod, False)
log_variable_power = _splitting(
    "log_variable_power", "log xᵃ = a log |x|", log_of_variable_power, False
)


@rule("stabler", "log")
def log_of_cosh(node: Node, context: Context) -> Rewrite | None:
    """log cosh x = x + softplus(−2x) − log 2"""
    product = product_of(node.inputs[0])
    for base, e in product.factors.items():
        if base.op != "cosh":
            continue
        rest = product.without(base)
        terms, number = [(log_cosh(base.inputs[0]), e)], 0.0
        if rest.factors:
            terms.append((scalar("log", rest.bare(node.dtype)), 1.0))
        else:
            number = math.log(rest.coefficient)
        return Rewrite(as_like(linear_combination(terms, number), node), {"x": base.inputs[0]})
    return None


@rule("stabler", "log1p")
def log1p_of_minus_exp(node: Node, context: Context) -> Rewrite | None:
    """log1p(−eˣ) = log1mexp(x)"""
    (inside,) = node.inputs
    if inside.op != "mul" or inside.attr("coefficient") >= 0:
        return None
    u = exponential_of(
        power_product(list(product_of(inside).factors.items())), -inside.attr("coefficient")
    )
    return None if u is None else Rewrite(as_like(scalar("log1mexp", u), node), {"x": u})


@rule("stabler", "mul", needs=("exp", "cosh"))
def exponentials_below(node: Node, context: Context) -> Rewrite | None:
    """1 / (eᵃ + eᵇ) = e^(−b − softplus(a − b))"""
    product = product_of(node)
    for base, e in product.factors.items():
        if e >= 0:
            continue
        core, moved = below_movement(base)
        found = log_of_sum(core)
        if found is not None:
            power = power_product([(moved_again(as_like(found, core), moved), 1.0)], e)
            result = product.without(base).times(scalar("exp", power), 1.0)
            return Rewrite(result.node(node), {"x": base})
    return None


@rule("real-only", "where")
def exponential_or_nothing(node: Node, context: Context) -> Rewrite | None:
    """where(c, eᵘ, 0) = exp(where(c, u, −∞))"""
    condition, a, b = node.inputs
    minus = float("-inf")
    if a.op == "exp" and number_of(b) == 0:
        power = scalar("where", condition, a.inputs[0], minus)
    elif b.op == "exp" and number_of(a) == 0:
        power = scalar("where", condition, minus, b.inputs[0])
    else:
        return None
    return Rewrite(as_like(scalar("exp", power), node), {"c": condition})


@rule("stabler", "mul", needs=("prod",))
def power_of_product(node: Node, context: Context) -> Rewrite | None:
    """(Π x)ᵖ = e^(p Σ log x), for x > 0 and p that is not whole"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "prod" or e == math.floor(e) or not base.inputs[0].facts.positive:
            continue
        logs = log_of_prod(base)
        assert logs is not None
        power = power_product([(logs, 1.0)], e)
        result = product.without(base).times(scalar("exp", power), 1.0)
        return Rewrite(result.node(node), {"x": base.inputs[0]}, base.inputs[0].facts.declared)
    return None


RULES: tuple[Rule, ...] = (
    power_of_product,
    log_sum_of_exponentials,
    log_difference_of_exponentials,
    log_product,
    log_variable_power,
    log_of_cosh,
    log1p_of_minus_exp,
    exponentials_below,
    exponential_or_nothing,
)
