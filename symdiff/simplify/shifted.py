"""Sums of exponentials with weights of either sign, shifted so that none overflows.

log Σ w eᶻ = s + log Σ w e^(z − s) for any s; the largest z whose weight is not 0 is the one that
serves.  No rule takes such a sum for a logsumexp, since a weight of unknown sign has no logarithm
(scipy's has its ``b`` for them), and a mask of which nothing is declared is such a weight.  A step
before a formula is differentiated: s is a number to the derivative, in which it cancels.  Where a
weight is 0, z − s is bounded; where that weight is what is differentiated by, its slope is
e^(z − s) over the sum, so that there s is raised until that is in range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.contraction import contract, split_operands
from symdiff.expr.graph import rebuild, rebuilt, toposort
from symdiff.expr.movement import stop_gradient
from symdiff.expr.node import Node
from symdiff.expr.views import is_view
from symdiff.simplify.parts import Product, as_like, opened, place, product_of, viewed_as
from symdiff.simplify.shifts import HIGHEST, exponent, raised, shifted_terms, summed


def shifted(roots: Sequence[Node], x: Node) -> list[Node]:
    """The roots, to be differentiated by x, with such sums shifted below logarithms and lines."""

    def made(node: Node) -> Node:
        if node.op == "log":
            return _logarithm(node, x)
        if node.op == "contract" and not is_view(node):
            return _contraction(node, x)
        return _quotient(node, x) if node.op == "mul" else node

    return rebuilt(roots, made)


@dataclass(frozen=True)
class _Sum:
    """Σ w eᶻ with its largest exponent: ``exponents`` are z − s, and ``node`` the sum of those."""

    z: Node
    weights: tuple[Node, ...]
    shift: Node
    exponents: Node
    node: Node


def _weighted(total: Node, x: Node) -> _Sum | None:
    """A sum of one exponential with weights of unknown sign, shifted."""
    apart = summed(total)
    if apart is None or all(w.facts.nonnegative for w in apart.weights):
        return None
    moving = any(x in toposort([w]) for w in apart.weights)
    peak = raised(apart.peak, apart.highest) if moving else apart.peak
    shift = stop_gradient(peak)
    made = apart.at(shift, not moving)
    return _Sum(apart.exponential, apart.weights, shift, apart.less(shift), made)


def _logarithm(node: Node, x: Node) -> Node:
    product = product_of(node.inputs[0])
    for base, k in product.factors.items():
        apart = shifted_terms(base, x) if base.op == "add" else None
        if apart is not None:
            shift, total = apart
            powers = {y: e for y, e in product.factors.items() if y.op == "exp"}
            rest = product.without(base, *powers).times(total, k).bare(node.dtype)
            terms = [(y.inputs[0], e) for y, e in powers.items()]
            terms += [(as_like(shift, node), k), (scalar("log", rest), 1.0)]
            return as_like(linear_combination(terms), node)
        found = _weighted(base, x)
        if found is not None:
            rest = product.without(base).times(found.node, k).bare(node.dtype)
            terms = [(as_like(found.shift, node), k), (scalar("log", rest), 1.0)]
            return as_like(linear_combination(terms), node)
    return node


def _quotient(node: Node, x: Node) -> Node:
    """eᵘ / (w eᶻ + …), and Σ v w eᶻ / Σ w eᶻ."""
    product = opened(node, lambda y: y.op == "exp")
    for base, k in product.factors.items():
        core, _ = place(base, base.ndim)
        if k >= 0 or core.op not in ("add", "contract"):
            continue
        if core.op == "add":
            made = _below_terms(product, base, core, x)
        elif base is core and base.ndim == 0:
            made = _below_sum(product, base, x)
        else:
            made = _below_rows(product, base, core, x)
        if made is not None:
            return made.node(node)
    return node


def _below_terms(product: Product, base: Node, core: Node, x: Node) -> Product | None:
    apart = shifted_terms(core, x)
    if apart is None:
        return None
    shift, total = apart
    k = product.factors[base]
    powers = {y: z for y in product.factors if (z := exponent(y)) is not None}
    terms = [(z, product.factors[y]) for y, z in powers.items()]
    terms.append((viewed_as(base, as_like(shift, core)), k))
    made = product.without(base, *powers).times(viewed_as(base, as_like(total, core)), k)
    return made.times(scalar("exp", linear_combination(terms)), 1.0)


def _below_rows(product: Product, base: Node, core: Node, x: Node) -> Product | None:
    """w eᶻ / Σ w eᶻ, each row by its own sum."""
    found = _weighted(core, x)
    powers = {y: e for y, e in product.factors.items() if y.op == "exp" and e > 0}
    if found is None or not powers:
        return None
    k = product.factors[base]
    terms = [(y.inputs[0], e) for y, e in powers.items()]
    power = linear_combination([*terms, (viewed_as(base, found.shift), k)])
    if all(w in product.factors for w in found.weights):  # where these are 0, so is all
        power = scalar("minimum", power, HIGHEST)
    made = product.without(base, *powers).times(viewed_as(base, found.node), k)
    return made.times(scalar("exp", power), 1.0)


def _contraction(node: Node, x: Node) -> Node:
    """Σ v w eᶻ / Σ w eᶻ, where a quotient of rows is summed over these."""
    whole = split_operands(node)
    if whole.op != "contract":
        return node
    operands = list(zip(whole.inputs, whole.attr("indices"), strict=True))
    for i, (y, own) in enumerate(operands):
        for base, k in product_of(y).factors.items():
            found = _weighted(base, x) if k < 0 and base.ndim == y.ndim else None
            at = [j for j, (z, names) in enumerate(operands) if _is_power(z, own, names)]
            if found is None or len(at) != 1:
                continue
            e, names = operands[at[0]]
            sizes = dict(zip(names, e.shape, strict=True))
            less = contract([found.shift], [own], names, sizes)
            power = linear_combination([(e.inputs[0], 1.0), (less, k)])
            if all(w in whole.inputs for w in found.weights):
                power = scalar("minimum", power, HIGHEST)
            inputs = list(whole.inputs)
            inputs[at[0]] = scalar("exp", power)
            inputs[i] = product_of(y).without(base).times(found.node, k).node(y)
            return as_like(rebuild(whole, inputs), node)
    return node


def _is_power(z: Node, own: Sequence[int], names: Sequence[int]) -> bool:
    """Whether an operand is an exponential over all of the axes of another."""
    return z.op == "exp" and set(own) <= set(names) and len(set(names)) == len(names)


def _below_sum(product: Product, base: Node, x: Node) -> Product | None:
    """Σ v w eᶻ / Σ w eᶻ, where both are sums over all axes."""
    found = _weighted(base, x)
    if found is None or found.z.shape != found.exponents.shape:
        return None
    k = product.factors[base]
    result, left = product.without(base).times(found.node, k), -k
    for other, p in product.factors.items():
        new = _numerator(other, found, product) if p > 0 else None
        if new is not None:
            result, left = result.without(other).times(new, p), left - p
    return result if left == 0 else None


def _numerator(node: Node, total: _Sum, product: Product) -> Node | None:
    """A factor that holds eᶻ once, with e^(z − s) there, bounded where the weights stand by it."""
    inputs = node.inputs if node.op == "contract" else (node,)
    if sum(y is total.z for y in inputs) != 1:
        return None
    beside = set(inputs) | set(product.factors)
    bounded = all(w in beside for w in total.weights)
    power = scalar("minimum", total.exponents, HIGHEST) if bounded else total.exponents
    e = scalar("exp", power)
    return e if node is total.z else rebuild(node, [e if y is total.z else y for y in inputs])
