"""Logarithms of what overflows or cancels as it is written, and hyperbolic functions.

A logarithm is split into those of its factors where one of them has a closed form: a sum of
exponentials, a difference of two, a product over an axis, a power.  A product with a sum of
exponentials below the line goes into the exponent, where nothing overflows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild
from symdiff.expr.movement import concatenate, reduction
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant as number_node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS
from symdiff.expr.views import expand_dims
from symdiff.simplify.hidden import EVEN, ODD
from symdiff.simplify.parts import (
    Product,
    as_like,
    below_movement,
    moved_again,
    product_of,
    sum_of,
)
from symdiff.simplify.rewrite import Context, Fact, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import (
    known_log,
    log_of_exponentials,
    negative,
    one_plus_exp,
)


def of_scaled(name: str, x: Node, c: float = 1.0) -> Node:
    """A function of c·x."""
    return scalar(name, power_product([(x, 1.0)], c))


def log_cosh(u: Node) -> Node:
    """log cosh u."""
    return linear_combination([(u, 1.0), (of_scaled("softplus", u, -2.0), 1.0)], -math.log(2))


@dataclass(frozen=True, slots=True)
class Exponential:
    """c·e^power with c > 0."""

    power: Node | None
    c: float

    def log(self) -> tuple[Node | None, float]:
        return self.power, math.log(self.c)


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
    logs.sort(key=lambda each: each.digest)
    if constant:
        logs.append(number_node(math.log(constant), node.dtype))
    if len(logs) == 1:
        return logs[0]
    if len(logs) == 2:
        over = scalar("softplus", linear_combination([(logs[0], 1.0), (logs[1], -1.0)]))
        return linear_combination([(logs[1], 1.0), (over, 1.0)])
    rows = [expand_dims(as_like(each, node), (node.ndim,)) for each in logs]
    return reduction("logsumexp", concatenate(rows, node.ndim), (node.ndim,))


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


@rule("stabler", "mul")
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


@rule("stabler", "add")
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


@rule("stabler", "mul")
def tanh_of_quotient(node: Node, context: Context) -> Rewrite | None:
    """sinh x / cosh x = tanh x"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op == "sinh" and e > 0:
            below = scalar("cosh", base.inputs[0])
            f = product.factors.get(below, 0.0)
            if f < 0:
                k = min(e, -f)
                result = product.times(base, -k).times(below, k)
                result = result.times(scalar("tanh", base.inputs[0]), k)
                return Rewrite(result.node(node), {"x": base.inputs[0]})
    return None


@rule("stabler", "mul")
def tanh_of_expm1(node: Node, context: Context) -> Rewrite | None:
    """(eʷ − 1) σ(−w) = tanh(w/2)"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op == "expm1" and e > 0:
            (w,) = base.inputs
            other = of_scaled("sigmoid", w, -1.0)
            f = product.factors.get(other, 0.0)
            if f > 0:
                k = min(e, f)
                result = product.times(base, -k).times(other, -k)
                return Rewrite(result.times(of_scaled("tanh", w, 0.5), k).node(node), {"w": w})
    return None


@rule("stabler", "add")
def one_plus_tanh(node: Node, context: Context) -> Rewrite | None:
    """1 + tanh x = 2 σ(2x), 1 + erf x = erfc(−x)"""
    total = sum_of(node)
    if not total.constant:
        return None
    for term, c in total.terms.items():
        if abs(total.constant) != abs(c):
            continue
        core, moved = below_movement(term)
        if core.op not in ("tanh", "erf"):
            continue
        sign = 1.0 if c == total.constant else -1.0
        (u,) = core.inputs
        if core.op == "tanh":
            new, k = of_scaled("sigmoid", u, 2.0 * sign), 2.0
        else:
            new, k = of_scaled("erfc", u, -sign), 1.0
        number = total.constant
        rest = linear_combination(
            [*total.without(term).terms.items(), (moved_again(new, moved), k * number)]
        )
        law = "1 + tanh x = 2 σ(2x)" if core.op == "tanh" else "1 + erf x = erfc(−x)"
        return Rewrite(as_like(rest, node), {"x": u}, law=law)
    return None


@rule("stabler", "mul")
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
            k = min(-e, f)
            if k != math.floor(k):
                continue
            result = product.times(base, k).times(above, -k)
            result = result.times(of_scaled("expm1", w, -1.0), -k)
            sign = -1.0 if k % 2 else 1.0
            return Rewrite(Product(result.factors, sign * result.coefficient).node(node), {"w": w})
    return None


@rule("stabler", "add")
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


def weights_and_exponential(node: Node) -> Node | None:
    """Σ w eᶻ as Σ e^(z + log w), where each other factor is positive and stands along z's axes."""
    if node.op != "contract" or len(node.inputs) < 2:
        return None
    indices, out = node.attr("indices"), node.attr("out")
    for at, (x, names) in enumerate(zip(node.inputs, indices, strict=True)):
        if x.op != "exp" or len(set(names)) < len(names) or not set(out) <= set(names):
            continue
        pieces: list[tuple[Node, float]] = [(x.inputs[0], 1.0)]
        for i, (w, own) in enumerate(zip(node.inputs, indices, strict=True)):
            if i == at:
                continue
            power = known_log(w) if w.op == "exp" else None
            if power is None:
                if not w.facts.positive:
                    break
                power = scalar("log", w)
            if not set(own) <= set(names) or len(set(own)) < len(own):
                break
            sizes = dict(zip(names, x.shape, strict=True))
            if any(sizes[n] != s for n, s in zip(own, w.shape, strict=True)):
                break
            pieces.append((contract([power], [own], names, sizes), 1.0))
        else:
            whole = scalar("exp", linear_combination(pieces))
            return as_like(contract([whole], [names], out), node)
    return None


@rule("stabler", "log", "mul")
def weights_into_exponents(node: Node, context: Context) -> Rewrite | None:
    """log Σ w eᶻ = log Σ e^(z + log w), and below a line, for w > 0"""
    for base, e in product_of(node if node.op == "mul" else node.inputs[0]).factors.items():
        if node.op == "mul" and (e > 0 or base.ndim == 0):
            continue
        core, moved = below_movement(base)
        found = weights_and_exponential(core)
        if found is None:
            continue
        new = moved_again(found, moved)
        if node.op == "mul":
            result = product_of(node).without(base).times(new, e).node(node)
        else:
            inside = product_of(node.inputs[0]).without(base).times(new, e)
            result = scalar("log", inside.node(node.inputs[0]))
        return Rewrite(as_like(result, node), {"x": core}, core.facts.declared)
    return None


def _below_chain(node: Node, wanted: Node) -> list[tuple[Node, int]] | None:
    """The linear operations, outermost first, through which a node is made of ``wanted``."""
    chain: list[tuple[Node, int]] = []
    while len(chain) < _DEEP:
        if node.op == "contract":
            if wanted in node.inputs and node.inputs.count(wanted) == 1:
                return [*chain, (node, node.inputs.index(wanted))]
            inner = [i for i, x in enumerate(node.inputs) if x.op in _LINEAR]
            inner = [i for i in inner if _reaches(node.inputs[i], wanted)]
            if len(inner) != 1:
                return None
            chain.append((node, inner[0]))
            node = node.inputs[inner[0]]
        elif node.op in _LINEAR:
            chain.append((node, 0))
            node = node.inputs[0]
        else:
            return None
    return None


_DEEP = 8
_LINEAR = ("contract", "reshape", "slice", "flip", "take", "mul")


def _reaches(node: Node, wanted: Node, depth: int = _DEEP) -> bool:
    if node is wanted:
        return True
    if node.op not in _LINEAR or depth == 0:
        return False
    return any(_reaches(x, wanted, depth - 1) for x in node.inputs)


@rule("stabler", "mul")
def softmax_in_contraction(node: Node, context: Context) -> Rewrite | None:
    """Σ v w eᶻ / Σ w eᶻ = Σ v softmax(z + log w), for w ≥ 0"""
    product = product_of(node)
    for below, e in product.factors.items():
        if e >= 0 or below.ndim or below.op != "contract":
            continue
        at = next((i for i, x in enumerate(below.inputs) if _weighted(x) is not None), None)
        if at is None or below.inputs.count(below.inputs[at]) > 1:
            continue
        shifted = _log_weighted(below, at)
        if shifted is None:
            continue
        power, weights = shifted
        exponential = below.inputs[at]
        q = reduction("softmax", power, tuple(range(power.ndim)))
        for above, f in product.factors.items():
            if f <= 0:
                continue
            new = _with_softmax(above, exponential, below, at, q, bool(weights))
            k = min(f, -e)
            if new is None and above is exponential:
                same = [w for w in weights if w.shape == above.shape or w.ndim == 0]
                if all(product.factors.get(w, 0.0) >= k for w in same) and same == weights:
                    new = q
                    for w in weights:
                        product = product.times(w, -k)
            if new is not None:
                result = product.times(above, -k).times(below, k).times(new, k)
                facts = frozenset().union(*(w.facts.declared for w in weights))
                facts |= exponential.facts.declared
                return Rewrite(result.node(node), {"z": power}, facts)
    return None


def _weighted(x: Node) -> Node | None:
    """log(w eᶻ), for w ≥ 0: what is not the exponential is weights."""
    if x.op == "exp":
        return x.inputs[0]
    if x.op != "mul" or x.attr("coefficient") != 1:
        return None
    terms, exponentials = [], 0
    for base, e in product_of(x).factors.items():
        if base.op == "exp":
            exponentials += 1
            terms.append((base.inputs[0], e))
        elif base.facts.nonnegative:
            terms.append((scalar("log", base), e))
        else:
            return None
    return linear_combination(terms) if exponentials else None


def _log_weighted(total: Node, at: int) -> tuple[Node, list[Node]] | None:
    """(z + log w, the weights) of Σ w eᶻ over all axes; None unless w ≥ 0."""
    x, names = total.inputs[at], total.attr("indices")[at]
    own_power = _weighted(x)
    if own_power is None or len(set(names)) < len(names):
        return None
    pieces, weights = [(own_power, 1.0)], []
    sizes = dict(zip(names, x.shape, strict=True))
    for i, (w, own) in enumerate(zip(total.inputs, total.attr("indices"), strict=True)):
        if i == at:
            continue
        aligned = set(own) <= set(names) and len(set(own)) == len(own)
        if not aligned or not w.facts.nonnegative:
            return None
        if any(sizes[n] != s for n, s in zip(own, w.shape, strict=True)):
            return None
        weights.append(w)
        pieces.append((contract([scalar("log", w)], [own], names, sizes), 1.0))
    return linear_combination(pieces), weights


def _with_softmax(
    above: Node, exponential: Node, below: Node, at: int, q: Node, weighted: bool
) -> Node | None:
    """The numerator with softmax in the exponential's place, the weights gone with it."""
    chain = _below_chain(above, exponential)
    if chain is None:
        return None
    inner, place = chain[-1]
    if inner.op != "contract":
        return None
    pairs = list(zip(inner.inputs, inner.attr("indices"), strict=True))
    names = pairs[place][1]
    rename = dict(zip(below.attr("indices")[at], names, strict=True))
    drop = []
    for i, (w, own) in enumerate(zip(below.inputs, below.attr("indices"), strict=True)):
        if i == at:
            continue
        wanted = w, tuple(rename[n] for n in own)
        if wanted not in pairs:
            return None
        drop.append(pairs.index(wanted))
    kept = [(q if i == place else x, n) for i, (x, n) in enumerate(pairs) if i not in drop]
    new = contract(
        [x for x, _ in kept], [n for _, n in kept], inner.attr("out"), dict(inner.attr("sizes"))
    )
    new = as_like(new, inner)
    for user, i in reversed(chain[:-1]):
        new = rebuild(user, [*user.inputs[:i], new, *user.inputs[i + 1 :]])
    return new


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


@rule("stabler", "mul")
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
    softmax_in_contraction,
    weights_into_exponents,
    power_of_product,
    log_sum_of_exponentials,
    log_difference_of_exponentials,
    log_product,
    log_variable_power,
    log_of_cosh,
    log1p_of_minus_exp,
    exponentials_below,
    hyperbolic_of_exponentials,
    odd_or_even,
    tanh_of_quotient,
    tanh_of_expm1,
    one_plus_tanh,
    exp_over_expm1,
    one_plus_inverse_expm1,
    exponential_or_nothing,
)
