"""Terms w eᶻ and Σ w eᶻ taken apart, to be computed with a common exponent taken off."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract, split_operands
from symdiff.expr.graph import toposort
from symdiff.expr.movement import reduction, stop_gradient
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.expr.views import is_view
from symdiff.simplify.parts import below_movement, moved_again, product_of, sum_of

HIGHEST = 709.0
_MOST = 700.0
_LARGEST = 1 << 16


@dataclass(frozen=True)
class Summed:
    """Σ w eᶻ over axes: z and the weights spread over all of them."""

    exponential: Node
    weights: tuple[Node, ...]
    z: Node
    factors: tuple[Node, ...]
    out: tuple[int, ...]
    full: tuple[int, ...]
    sizes: dict[int, object]

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(range(len(self.out), len(self.full)))

    @property
    def highest(self) -> Node:
        """The largest exponent."""
        return reduction("max", self.z, self.axes)

    @property
    def peak(self) -> Node:
        """The largest exponent whose weight is not 0."""
        if not self.factors:
            return self.highest
        present = scalar("ne", power_product([(w, 1.0) for w in self.factors]), 0.0)
        return reduction("max", scalar("where", present, self.z, -math.inf), self.axes)

    def less(self, shift: Node) -> Node:
        """z − s."""
        spread = contract([shift], [self.out], self.full, self.sizes)
        return linear_combination([(self.z, 1.0), (spread, -1.0)])

    def at(self, shift: Node, bounded: bool) -> Node:
        """Σ w e^(z − s), bounded where weights may be 0."""
        less = self.less(shift)
        held = scalar("exp", scalar("minimum", less, HIGHEST) if bounded else less)
        return contract([*self.factors, held], [self.full] * (len(self.factors) + 1), self.out)


def summed(total: Node) -> Summed | None:
    """A sum over axes of one exponential with weights, of sizes that are known."""
    if total.op != "contract" or is_view(total):
        return None
    total = split_operands(total)  # a product with the exponential may be read elsewhere
    if total.op != "contract":
        return None
    operands = list(zip(total.inputs, total.attr("indices"), strict=True))
    at = [i for i, (y, _) in enumerate(operands) if y.op == "exp"]
    if len(at) != 1 or any(len(set(own)) < len(own) for _, own in operands):
        return None
    weights = [pair for i, pair in enumerate(operands) if i not in at]
    (e, names), out = operands[at[0]], total.attr("out")
    sizes = {n: s for y, own in operands for n, s in zip(own, y.shape, strict=True) if s != 1}
    full = (*out, *(n for n in sizes if n not in out))
    known = [sizes[n] for n in full if n in sizes and isinstance(sizes[n], int)]
    if not set(out) <= set(sizes) or len(known) < len(full) or len(full) == len(out):
        return None
    if math.prod(int(str(size)) for size in known) > _LARGEST:
        return None

    def spread(y: Node, own: Sequence[int]) -> Node:
        kept = [n for n, s in zip(own, y.shape, strict=True) if s != 1]
        return contract([contract([y], [own], kept)], [kept], full, sizes)

    factors = tuple(spread(w, own) for w, own in weights)
    apart = tuple(w for w, _ in weights)
    return Summed(e, apart, spread(e.inputs[0], names), factors, tuple(out), full, dict(sizes))


def exponent(y: Node) -> Node | None:
    """z of eᶻ, or of elements of it."""
    core, moved = below_movement(y)
    return moved_again(core.inputs[0], moved) if core.op == "exp" else None


@dataclass(frozen=True)
class _Part:
    """A term of a sum: its exponent where it counts, and anyway, and the term less a shift."""

    peak: Node
    highest: Node
    at: Callable[[Node, bool], Node]
    weights: tuple[Node, ...]
    grows: bool


def _element(term: Node) -> _Part | None:
    """w eᶻ; of what has no exponential, z is 0."""
    product = product_of(term)
    powers = {y: z for y, e in product.factors.items() if e == 1 and (z := exponent(y)) is not None}
    if len(powers) > 1:
        return None
    weight = product.without(*powers).bare(term.dtype)
    z = next(iter(powers.values()), constant(0.0, term.dtype))

    def at(shift: Node, bounded: bool) -> Node:
        less = linear_combination([(z, 1.0), (shift, -1.0)])
        held = scalar("minimum", less, HIGHEST) if bounded and not weight.facts.positive else less
        return power_product([(weight, 1.0), (scalar("exp", held), 1.0)])

    return _Part(_counting(z, weight), z, at, (weight,), bool(powers))


def _sum(term: Node) -> _Part | None:
    """w Σ v eᶻ."""
    product = product_of(term)
    for base, e in product.factors.items():
        inner = summed(base) if e == 1 and base.shape == term.shape else None
        if inner is None:
            continue
        outer = product.without(base).bare(term.dtype)
        if any(exponent(y) is not None for y in product.factors):
            return None

        def at(shift: Node, bounded: bool, own: Summed = inner, by: Node = outer) -> Node:
            return power_product([(by, 1.0), (own.at(shift, bounded), 1.0)])

        weights = (outer, *inner.weights)
        return _Part(_counting(inner.peak, outer), inner.highest, at, weights, True)
    return None


def _counting(z: Node, weight: Node) -> Node:
    """An exponent where its weight is not 0."""
    if weight.facts.positive:
        return z
    return scalar("where", scalar("ne", weight, 0.0), z, -math.inf)


def shifted_terms(total: Node, x: Node) -> tuple[Node, Node] | None:
    """(s, Σ w e^(z − s)) of a sum of terms w eᶻ of either sign, with the largest z for s.

    What has no exponential is e⁰ times that.
    """
    own = sum_of(total)
    terms = [(term, c) for term, c in own.terms.items()]
    if own.constant:
        terms.append((constant(1.0, total.dtype), own.constant))
    parts = [(_sum(term) or _element(term), c) for term, c in terms]
    found = [(part, c) for part, c in parts if part is not None]
    if len(found) < len(parts) or len(parts) < 2 or not any(part.grows for part, _ in found):
        return None
    weights = [w for part, _ in found for w in part.weights]
    if all(c > 0 for _, c in found) and all(w.facts.nonnegative for w in weights):
        return None
    moving = any(x in toposort([w]) for w in weights)
    shift = _largest([part.peak for part, _ in found])
    if moving:
        shift = raised(shift, _largest([part.highest for part, _ in found]))
    shift = stop_gradient(shift)
    return shift, linear_combination([(part.at(shift, not moving), c) for part, c in found])


def raised(peak: Node, highest: Node) -> Node:
    """The largest exponent that counts, or what leaves the largest of all in range."""
    return scalar("maximum", peak, linear_combination([(highest, 1.0)], -_MOST))


def _largest(nodes: Sequence[Node]) -> Node:
    return functools.reduce(lambda y, z: scalar("maximum", y, z), dict.fromkeys(nodes))
