"""Sums of exponentials with weights of either sign, shifted so that none overflows.

log Σ w eᶻ = s + log Σ w e^(z − s) for any s; the largest z whose weight is not 0 is the one that
serves.  No rule takes such a sum for a logsumexp, since a weight of unknown sign has no logarithm
(scipy's has its ``b`` for them), and a mask of which nothing is declared is such a weight.  A step
before a formula is differentiated: s is a number to the derivative, in which it cancels.  What is
differentiated by must not stand in the weights, since z − s is bounded where they are 0.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild, rebuilt, toposort
from symdiff.expr.movement import reduction, stop_gradient
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.expr.views import is_view
from symdiff.simplify.parts import Product, as_like, product_of, sum_of

_HIGHEST = 709.0
_LARGEST = 1 << 16


def shifted(roots: Sequence[Node], x: Node) -> list[Node]:
    """The roots, to be differentiated by x, with such sums shifted below logarithms and lines."""

    def made(node: Node) -> Node:
        if node.op == "log":
            return _logarithm(node, x)
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
    if total.op != "contract" or is_view(total):
        return None
    operands = list(zip(total.inputs, total.attr("indices"), strict=True))
    at = [i for i, (y, _) in enumerate(operands) if y.op == "exp"]
    if len(at) != 1 or any(len(set(own)) < len(own) for _, own in operands):
        return None
    weights = [pair for i, pair in enumerate(operands) if i not in at]
    (e, names), out = operands[at[0]], total.attr("out")
    if not weights or all(w.facts.nonnegative for w, _ in weights):
        return None
    if any(x in toposort([w]) for w, _ in weights):
        return None
    sizes = {n: s for y, own in operands for n, s in zip(own, y.shape, strict=True) if s != 1}
    full = [*out, *(n for n in sizes if n not in out)]
    known = [sizes[n] for n in full if n in sizes and isinstance(sizes[n], int)]
    if not set(out) <= set(sizes) or len(known) < len(full) or len(full) == len(out):
        return None
    if math.prod(int(str(size)) for size in known) > _LARGEST:
        return None

    def spread(y: Node, own: Sequence[int]) -> Node:
        kept = [n for n, s in zip(own, y.shape, strict=True) if s != 1]
        return contract([contract([y], [own], kept)], [kept], full, sizes)

    z = spread(e.inputs[0], names)
    factors = [spread(w, own) for w, own in weights]
    present = scalar("ne", power_product([(w, 1.0) for w in factors]), 0.0)
    axes = tuple(range(len(out), len(full)))
    shift = stop_gradient(reduction("max", scalar("where", present, z, -math.inf), axes))
    less = linear_combination([(z, 1.0), (contract([shift], [out], full, sizes), -1.0)])
    held = scalar("exp", scalar("minimum", less, _HIGHEST))
    made = contract([*factors, held], [full] * (len(factors) + 1), out)
    return _Sum(e, tuple(w for w, _ in weights), shift, less, made)


def _terms(total: Node, x: Node) -> tuple[Node, Node] | None:
    """(s, Σ w e^(z − s)) of a sum of terms w eᶻ, a number among them, with the largest z for s."""
    own = sum_of(total)
    parts: list[tuple[Node, Node, float]] = []
    for term, c in own.terms.items():
        product = product_of(term)
        powers = [y for y, e in product.factors.items() if y.op == "exp" and e == 1]
        if len(powers) != 1:
            return None
        weight = product.without(*powers).bare(total.dtype)
        parts.append((powers[0].inputs[0], weight, c))
    if own.constant:
        parts.append((constant(0.0, total.dtype), constant(1.0, total.dtype), own.constant))
    if len(parts) < 2 or all(c > 0 and w.facts.nonnegative for _, w, c in parts):
        return None
    if any(x in toposort([w]) for _, w, _ in parts):
        return None
    known = [w.facts.positive for _, w, _ in parts]
    peaks = [
        z if sure else scalar("where", scalar("ne", w, 0.0), z, -math.inf)
        for sure, (z, w, _) in zip(known, parts, strict=True)
    ]
    shift = stop_gradient(functools.reduce(lambda y, z: scalar("maximum", y, z), peaks))
    made = []
    for sure, (z, w, c) in zip(known, parts, strict=True):
        less = linear_combination([(z, 1.0), (shift, -1.0)])
        held = scalar("exp", less if sure else scalar("minimum", less, _HIGHEST))
        made.append((power_product([(w, 1.0), (held, 1.0)]), c))
    return shift, linear_combination(made)


def _logarithm(node: Node, x: Node) -> Node:
    product = product_of(node.inputs[0])
    for base, k in product.factors.items():
        apart = _terms(base, x) if base.op == "add" else None
        if apart is not None:
            shift, total = apart
            powers = {y: e for y, e in product.factors.items() if y.op == "exp"}
            rest = product.without(base, *powers).times(total, k).bare(node.dtype)
            terms = [(y.inputs[0], e) for y, e in powers.items()]
            terms += [(as_like(shift, node), k), (scalar("log", rest), 1.0)]
            return as_like(linear_combination(terms), node)
        found = _weighted(base, x) if k == 1 else None
        if found is not None:
            rest = product.without(base).times(found.node, 1.0).bare(node.dtype)
            terms = [(as_like(found.shift, node), 1.0), (scalar("log", rest), 1.0)]
            return as_like(linear_combination(terms), node)
    return node


def _quotient(node: Node, x: Node) -> Node:
    """Σ v w eᶻ / Σ w eᶻ, where both are sums over all axes."""
    product = product_of(node)
    for base, k in product.factors.items():
        found = _weighted(base, x) if k < 0 and base.ndim == 0 else None
        if found is None or found.z.shape != found.exponents.shape:
            continue
        result, left = product.without(base).times(found.node, k), -k
        for other, p in product.factors.items():
            new = _numerator(other, found, product) if p > 0 else None
            if new is not None:
                result, left = result.without(other).times(new, p), left - p
        if left == 0:
            return result.node(node)
    return node


def _numerator(node: Node, total: _Sum, product: Product) -> Node | None:
    """A factor that holds eᶻ once, with e^(z − s) there, bounded where the weights stand by it."""
    inputs = node.inputs if node.op == "contract" else (node,)
    if sum(y is total.z for y in inputs) != 1:
        return None
    beside = set(inputs) | set(product.factors)
    bounded = all(w in beside for w in total.weights)
    power = scalar("minimum", total.exponents, _HIGHEST) if bounded else total.exponents
    e = scalar("exp", power)
    return e if node is total.z else rebuild(node, [e if y is total.z else y for y in inputs])
