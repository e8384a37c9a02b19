"""Logarithms of sums of products of what is never negative: mixtures, risk sets, chains of states.

Each factor goes into the exponent as its logarithm (a weight of 0 as −∞), and the sum becomes a
logsumexp over what it was taken over: then nothing overflows, and no digit is lost that the
logarithm of the result would need.  Only where some factor is an exponential in disguise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract, split_sum
from symdiff.expr.movement import concatenate, reduction
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant, number_of
from symdiff.expr.views import broadcast_to, expand_dims
from symdiff.simplify.parts import Sum, as_like, below_movement, moved_again, product_of, sum_of
from symdiff.simplify.rewrite import Context, Fact, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import known_log, log_of_exponentials, log_of_terms
from symdiff.simplify.rules.logarithms import log_cosh, log_sum_of_exponentials
from symdiff.simplify.rules.weighted import weights_into_exponents

_DEEP = 12
_LOW = -40.0
_MOST = 1 << 10  # the places that a running sum may have
_LARGEST = 1 << 16  # the elements that a product of many arrays may be spread over


@dataclass(frozen=True, slots=True)
class Logarithm:
    """log x: ``closed`` where exponentials went away in it; the facts of x leaned on."""

    node: Node
    closed: bool = False
    facts: frozenset[Fact] = frozenset()


def logarithm(x: Node, depth: int = _DEEP) -> Logarithm | None:
    """log x by its parts; None where x is not known to be ≥ 0."""
    core, moved = below_movement(x)
    found = _logarithm(core, depth)
    if found is None:
        return None
    node = as_like(moved_again(as_like(found.node, core), moved), x)
    return Logarithm(node, found.closed, found.facts)


def _logarithm(x: Node, depth: int) -> Logarithm | None:
    if depth == 0 or x.op == "one_hot":  # which chooses one term: there will be no sum
        return None
    value = number_of(x)
    if value is not None:
        return Logarithm(constant(math.log(value), x.dtype)) if value > 0 else None
    known = known_log(x)
    if known is not None:
        return Logarithm(known, True)
    by_parts = _BY_PARTS.get(x.op)
    found = by_parts(x, depth - 1) if by_parts is not None else None
    if found is not None and found.closed:
        return found
    return Logarithm(scalar("log", x), False, x.facts.declared) if x.facts.nonnegative else found


def _joined(logs: Sequence[Logarithm]) -> tuple[bool, frozenset[Fact]]:
    return any(log.closed for log in logs), frozenset().union(*(log.facts for log in logs))


def _of_product(x: Node, depth: int) -> Logarithm | None:
    product = product_of(x)
    if product.coefficient <= 0:
        return None
    logs, terms = [], []
    for base, e in product.factors.items():
        even = e % 2 == 0 and not base.facts.nonnegative
        inner = scalar("abs", base) if even else base
        found = logarithm(inner, depth)
        if found is None:
            return None
        logs.append(found)
        terms.append((found.node, e))
    return Logarithm(linear_combination(terms, math.log(product.coefficient)), *_joined(logs))


def _of_sum(x: Node, depth: int) -> Logarithm | None:
    total = sum_of(x)
    complement = _of_complement(total)
    if complement is not None:
        return complement
    if total.constant < 0 or any(c < 0 for c in total.terms.values()):
        return _of_difference(total, x, depth) if x.facts.nonnegative else None
    logs = []
    for term, c in total.terms.items():
        found = logarithm(term, depth)
        if found is None:
            return None
        node = linear_combination([(found.node, 1.0)], math.log(c))
        logs.append(Logarithm(node, found.closed, found.facts))
    closed, facts = _joined(logs)
    if not closed:
        return None
    return Logarithm(log_of_terms([log.node for log in logs], total.constant, x), True, facts)


def _of_difference(total: Sum, x: Node, depth: int) -> Logarithm | None:
    """log(a − b) = log a + log1mexp(log b − log a): there is one only where a is larger."""
    sides = []
    for sign in (1.0, -1.0):
        terms = {t: sign * c for t, c in total.terms.items() if sign * c > 0}
        side = Sum(terms, max(sign * total.constant, 0.0)).node(x)
        found = logarithm(side, depth)
        if found is None:
            return None
        sides.append(found)
    (above, below), (closed, facts) = sides, _joined(sides)
    if not closed:
        return None
    less = linear_combination([(below.node, 1.0), (above.node, -1.0)])
    node = linear_combination([(above.node, 1.0), (scalar("log1mexp", less), 1.0)])
    return Logarithm(node, True, facts)


def _of_complement(total: Sum) -> Logarithm | None:
    """log c (1 − softmax(z)): of each element, the logsumexp of the others less that of all."""
    if len(total.terms) != 1:
        return None
    ((term, c),) = total.terms.items()
    core, moved = below_movement(term)
    if c >= 0 or total.constant != -c or core.op != "softmax" or len(core.attr("axes")) != 1:
        return None
    (z,), (axis,) = core.inputs, core.attr("axes")
    n = z.shape[axis]
    if not isinstance(n, int) or not 1 < n <= _MOST:
        return None
    others = _sums_over(z, axis, ~np.eye(n, dtype=bool))
    less = expand_dims(reduction("logsumexp", z, (axis,)), (axis,))
    large = linear_combination([(others, 1.0), (less, -1.0)])
    small = scalar("log1p", linear_combination([(scalar("minimum", core, 0.5), -1.0)]))
    node = scalar("where", scalar("lt", core, 0.5), small, large)
    node = linear_combination([(node, 1.0)], math.log(-c))
    return Logarithm(moved_again(as_like(node, z), moved), True)


def _sums_over(z: Node, axis: int, which: NDArray[np.bool_]) -> Node:
    """For each place along an axis, the logsumexp of z over the places that its row says."""
    n = z.shape[axis]
    rows = expand_dims(z, (axis,))
    shape = [1] * rows.ndim
    shape[axis], shape[axis + 1] = which.shape
    whole = broadcast_to(rows, (*z.shape[: axis + 1], n, *z.shape[axis + 1 :]))
    mask = constant(which.reshape(shape), "bool")
    return reduction("logsumexp", scalar("where", mask, whole, -math.inf), (axis + 1,))


def _of_picked(x: Node) -> Logarithm | None:
    """log Σ y q = Σ y log q, for y one-hot and a softmax q."""
    x = split_sum(x)
    if (
        x.op != "contract"
        or len(x.inputs) != 2
        or len(set(x.attr("indices")[0])) < len(x.attr("indices")[0])
    ):
        return None
    names, out = x.attr("indices"), x.attr("out")
    for at, (hot, own) in enumerate(zip(x.inputs, names, strict=True)):
        soft, other = x.inputs[1 - at], names[1 - at]
        summed = set(own) - set(out)
        picks = any(summed == {own[a]} for a in hot.facts.one_hot)
        log = known_log(soft) if soft.op == "softmax" and set(own) == set(other) else None
        if picks and log is not None:
            made = contract([hot, log], [own, other], out, dict(x.attr("sizes")))
            return Logarithm(as_like(made, x), True, hot.facts.declared)
    return None


def _of_contraction(x: Node, depth: int) -> Logarithm | None:
    picked = _of_picked(x)
    if picked is not None:
        return picked
    out, operands = x.attr("out"), list(zip(x.inputs, x.attr("indices"), strict=True))
    sizes = {n: s for y, own in operands for n, s in zip(own, y.shape, strict=True) if s != 1}
    names = [*out, *(n for n in sizes if n not in out)]
    if any(len(set(own)) < len(own) for _, own in operands) or not set(out) <= set(sizes):
        return None
    if len(names) == len(out) or not _small([sizes[n] for n in names], x):
        return None
    logs, terms = [], []
    for y, own in operands:
        found = logarithm(y, depth)
        if found is None:
            return None
        logs.append(found)
        kept = [n for n, s in zip(own, y.shape, strict=True) if s != 1]
        bare = contract([found.node], [own], kept)
        terms.append((contract([bare], [kept], names, sizes), 1.0))
    axes = tuple(range(len(out), len(names)))
    closed, facts = _joined(logs)
    return Logarithm(reduction("logsumexp", linear_combination(terms), axes), closed, facts)


def _small(shape: Sequence[object], x: Node) -> bool:
    """Whether spreading factors over a shape costs little more than they are themselves."""
    known = [size if isinstance(size, int) else 64 for size in shape]
    own = max((len(y.shape) for y in x.inputs), default=0)
    return len(known) <= own or math.prod(known) <= _LARGEST


def _of_power(x: Node, depth: int) -> Logarithm | None:
    base, exponent = x.inputs
    if not base.facts.nonnegative:
        return None
    inner = logarithm(base, depth)
    if inner is None:
        return None
    node = power_product([(exponent, 1.0), (inner.node, 1.0)])
    return Logarithm(node, inner.closed or base.facts.positive, inner.facts | base.facts.declared)


def _of_prod(x: Node, depth: int) -> Logarithm | None:
    (inner,), axes = x.inputs, x.attr("axes")
    found = logarithm(inner, depth)
    if found is None:
        return None
    kept = [a for a in range(inner.ndim) if a not in axes]
    node = contract([as_like(found.node, inner)], [range(inner.ndim)], kept)
    return Logarithm(node, True, found.facts)


def _of_choice(x: Node, depth: int) -> Logarithm | None:
    condition, *branches = x.inputs
    logs = []
    for branch in branches:
        nothing = number_of(branch) == 0
        found = Logarithm(constant(-math.inf, x.dtype)) if nothing else logarithm(branch, depth)
        if found is None:
            return None
        logs.append(found)
    return Logarithm(scalar("where", condition, *(log.node for log in logs)), *_joined(logs))


def _of_pieces(x: Node, depth: int) -> Logarithm | None:
    logs = [logarithm(piece, depth) for piece in x.inputs]
    known = [log for log in logs if log is not None]
    if len(known) < len(logs):
        return None
    pieces = [as_like(log.node, y) for log, y in zip(known, x.inputs, strict=True)]
    return Logarithm(concatenate(pieces, x.attr("axis")), *_joined(known))


def _of_running_sum(x: Node, depth: int) -> Logarithm | None:
    """log Σ_{j ≤ i} x_j as logsumexp over a row of its own for each i, −∞ where j > i."""
    (inner,), axis, back = x.inputs, x.attr("axis"), x.attr("reverse")
    found = logarithm(inner, depth)
    n = x.shape[axis]
    if found is None or not found.closed or not isinstance(n, int) or n > _MOST:
        return None
    reached = np.tri(n, dtype=bool)
    node = _sums_over(as_like(found.node, inner), axis, reached.T if back else reached)
    return Logarithm(node, True, found.facts)


def _of_softplus(x: Node, depth: int) -> Logarithm | None:
    """Below −40, log softplus(z) is z: the difference is eᶻ/2, less than rounding."""
    (z,) = x.inputs
    if z.facts.lo >= _LOW:
        return None
    usual = scalar("log", scalar("softplus", scalar("maximum", z, _LOW)))
    return Logarithm(scalar("where", scalar("le", z, _LOW), z, usual), True)


def _of_cosh(x: Node, depth: int) -> Logarithm | None:
    return Logarithm(log_cosh(x.inputs[0]), True)


_BY_PARTS = {
    "mul": _of_product,
    "add": _of_sum,
    "contract": _of_contraction,
    "pow": _of_power,
    "prod": _of_prod,
    "where": _of_choice,
    "concatenate": _of_pieces,
    "cumsum": _of_running_sum,
    "cosh": _of_cosh,
    "softplus": _of_softplus,
}


@rule(
    "stabler",
    "log",
    "log1p",
    yields_to=(log_of_exponentials, log_sum_of_exponentials, weights_into_exponents),
)
def log_of_positive(node: Node, context: Context) -> Rewrite | None:
    """log Σ w eᶻ = logsumexp(z + log w), for w ≥ 0, in sums, products, powers and running sums"""
    (inside,) = node.inputs
    whole = linear_combination([(inside, 1.0)], float(node.op == "log1p"))
    total = sum_of(whole)
    found = logarithm(whole) or _of_difference(total, whole, _DEEP) or _of_some_factors(whole)
    if found is None or not found.closed:
        return None
    return Rewrite(as_like(found.node, node), {"x": inside}, found.facts)


def _of_some_factors(whole: Node) -> Logarithm | None:
    """log(a b) = log a + log b, for a ≥ 0 with a closed logarithm: so b is as good as ≥ 0."""
    product = product_of(whole)
    found = {x: log for x in product.factors if (log := logarithm(x)) is not None and log.closed}
    rest = product.without(*found)
    if not found or not rest.factors:
        return None
    terms = [(as_like(log.node, x), product.factors[x]) for x, log in found.items()]
    terms.append((scalar("log", rest.bare(whole.dtype)), 1.0))
    return Logarithm(linear_combination(terms), *_joined(list(found.values())))


@rule("stabler", "mul")
def powers_below(node: Node, context: Context) -> Rewrite | None:
    """xᵃ / (xᵃ + yᵃ) = e^(a log x − log(xᵃ + yᵃ)), for x, y > 0"""
    product = product_of(node)
    for base, e in product.factors.items():
        core, moved = below_movement(base)
        if e >= 0 or core.op != "add" or not any(_is_power(x) for x in sum_of(core).terms):
            continue
        found = logarithm(core)
        if found is None or not found.closed:
            continue
        terms = [(moved_again(as_like(found.node, core), moved), e)]
        result, facts = product.without(base), found.facts
        for other, f in product.factors.items():
            inner = logarithm(other) if _is_power(other) else None
            if inner is not None:
                result, facts = result.without(other), facts | inner.facts
                terms.append((inner.node, f))
        new = result.times(scalar("exp", linear_combination(terms)), 1.0)
        return Rewrite(new.node(node), {"x": base}, facts)
    return None


def _is_power(x: Node) -> bool:
    core, _ = below_movement(x)
    return core.op == "pow" and core.inputs[0].facts.positive


ACCURATE: tuple[Rule, ...] = (log_of_positive, powers_below)
