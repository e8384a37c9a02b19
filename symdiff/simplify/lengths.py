"""Roots and quotients of sums of squares by hypot, which overflows only where the result does.

√(x² + y² + z²) is hypot(hypot(x, y), z), 1 / (x² + y²) is hypot(x, y)⁻²; the squares of numbers
beyond 1e154 are infinite, and those below 1e-154 are nothing.  A last step: what cancels in sums of
squares has been found, and derivatives have been taken, when lengths come in their place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract, summed_squares
from symdiff.expr.graph import rebuild, rebuilt, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.expr.views import is_view
from symdiff.simplify.parts import (
    Product,
    as_like,
    opened_sum,
    place,
    product_of,
    sum_of,
    viewed_as,
)
from symdiff.simplify.rewrite import Fact

_WIDE = 1e50
_TINY = 2.0**-1022


def lengths(roots: Sequence[Node], facts: set[Fact] | None = None) -> list[Node]:
    """The roots, with roots and reciprocals of sums of squares as powers of hypot.

    The declared facts leaned on are added to ``facts``.
    """
    leaned: set[Fact] = set() if facts is None else facts
    made = {"mul": _of_lengths, "pow": _power_of_length}
    return rebuilt(roots, lambda node: made[node.op](node, leaned) if node.op in made else node)


def _power_of_length(node: Node, leaned: set[Fact]) -> Node:
    """(x² + c²)ᵃ as hypot(x, c)²ᵃ."""
    base, exponent = node.inputs
    core, _ = place(base, base.ndim)
    length = length_of(core) if core.op == "add" else None
    if length is None:
        return node
    leaned |= _leaned(core)
    twice = power_product([(exponent, 1.0)], 2.0)
    return as_like(scalar("pow", viewed_as(base, length), twice), node)


def _of_lengths(node: Node, leaned: set[Fact]) -> Node:
    product = product_of(node)
    made: list[Node] = []
    shares = False
    for base, e in list(product.factors.items()):
        core, _ = place(base, base.ndim)
        quotient = e == 1 and _divides_twice(product)
        if e % 0.5 or (e > 0 and e % 1 == 0 and not quotient):
            continue
        weighted = _as_squares(core) if e < 0 or e % 1 else None
        if weighted is not None and e % 1:
            leaned |= _leaned(core)
            product = product.without(base).times(viewed_as(base, weighted), e)
            continue
        if weighted is not None:
            length: Node | None = scalar("abs", power_product([(weighted, 0.5)]))
        elif core.op == "add":
            length = length_of(core)
            apart = _length_and_share(core) if length is None and (e < 0 or e % 1) else None
            if apart is not None:
                length, share = apart
                shares = True
                product = product.times(viewed_as(base, share), e)
        elif quotient and summed_squares(core) is not None:
            length = scalar("abs", power_product([(core, 0.5)]))  # which is not squared at once
        else:
            continue
        if length is not None:
            leaned |= _leaned(core)
            made.append(viewed_as(base, length))
            product = product.without(base).times(made[-1], 2 * e)
    for h in made:
        product = _spread(product, h)
        above = [x for x, e in product.factors.items() if e > 0 and not x.ndim]
        if shares or not above:
            product = _divided(product, h)
    return product.node(node)


def _divided(product: Product, h: Node) -> Product:
    """x y / h³ of a scalar h as u y / h² with u = x/h, since scalars are multiplied first."""
    rows = [x for x, e in product.factors.items() if e == 1 and x.ndim and _degree(x)]
    if h.ndim or product.factors.get(h, 0.0) > -3 or not rows:
        return product
    x = max(rows, key=lambda x: (x.ndim, x.digest))
    return product.without(x).times(h, 1.0).times(_quotient(x, h), 1.0)


def _quotient(x: Node, h: Node) -> Node:
    """x/h as a choice, from which no scalar is taken out."""
    quotient = power_product([(x, 1.0), (h, -1.0)])
    return scalar("where", scalar("gt", h, 0.0), quotient, 0.0)


def _spread(product: Product, h: Node) -> Product:
    """The product with sums of products above h² as sums of quotients: 2 a b + c, or x·y."""
    for base, e in list(product.factors.items()):
        if e != 1 or product.factors.get(h, 0.0) > -2:
            continue
        new = None
        if base.op == "add" and any(_degree(term) >= 2 for term in base.inputs):
            total = sum_of(base)
            terms = [(product_of(x).times(h, -2.0), c) for x, c in total.terms.items()]
            terms += [(Product({h: -2.0}, 1.0), total.constant)] if total.constant else []
            new = linear_combination([(x.bare(base.dtype), c) for x, c in terms])
        elif base.op == "contract" and not is_view(base) and len(base.inputs) > 1 and not h.ndim:
            below = set(toposort([h]))
            wide = [i for i, x in enumerate(base.inputs) if x in below and _degree(x) >= 1][:2]
            if len(wide) == 2 and summed_squares(base) is None:
                inputs = list(base.inputs)
                for i in wide:
                    inputs[i] = _quotient(inputs[i], h)
                new = rebuild(base, inputs)
        if new is not None:
            product = product.without(base).times(h, 2.0).times(new, 1.0)
    return product


def _degree(x: Node) -> float:
    """How many factors, which may be large, a product multiplies."""
    factors = product_of(x).factors.items()
    return sum(e for y, e in factors if e > 0 and not (y.facts.lo > -_WIDE and y.facts.hi < _WIDE))


def _length_and_share(total: Node) -> tuple[Node, Node] | None:
    """(h, q) with h² q a sum of squares and of what may have either sign, as r²/n + 1, b² − 4 a c.

    h is the hypot of the roots of its terms' sizes, so that each term is at most h².
    """
    parts = opened_sum(total)
    if not any(_is_square(term) and not _is_bounded(term) for term in parts.terms):
        return None
    # Any h > 0 will do; where all terms are 0, so is the sum, and not 0/0.
    sides = [constant(math.sqrt(abs(parts.constant)) or _TINY, total.dtype)]
    terms: list[Product] = [Product({}, parts.constant)] if parts.constant else []
    for term, c in parts.terms.items():
        product = product_of(term)
        whole, root = Product({}, c * product.coefficient), Product({}, 1.0)
        for base, e in product.factors.items():
            if base.op == "exp":
                half = scalar("exp", power_product([(base.inputs[0], 1.0)], e / 2))
                whole, root = whole.times(half, 2.0), root.times(half, 1.0)
                continue
            core, _ = place(base, base.ndim)
            squares = core if summed_squares(core) is not None else _as_squares(core)
            if squares is not None and e == 1:
                norm = viewed_as(base, scalar("abs", power_product([(squares, 0.5)])))
                whole, root = whole.times(norm, 2.0), root.times(norm, 1.0)
                continue
            whole = whole.times(base, e)
            known = e % 2 == 0 or base.facts.nonnegative
            root = root.times(base if known else scalar("abs", base), e / 2)
        sides.append(Product(root.factors, math.sqrt(abs(whole.coefficient))).bare(total.dtype))
        terms.append(whole)
    length = sides[0]
    for side in sides[1:]:
        length = scalar("hypot", length, side)
    length = as_like(length, total)
    shares = [(term.times(length, -2.0).bare(total.dtype), 1.0) for term in terms]
    return length, as_like(linear_combination(shares), total)


def _is_bounded(term: Node) -> bool:
    """Whether no square in the term can leave the range."""
    return all(
        x.facts.lo > -_WIDE and x.facts.hi < _WIDE
        for x, e in product_of(term).factors.items()
        if e >= 2 or x.op == "contract"
    )


def _leaned(total: Node) -> frozenset[Fact]:
    """The facts by which what is no square in a sum has a root."""
    terms = total.inputs if total.op in ("add", "contract") else (total,)
    found: frozenset[Fact] = frozenset()
    for term in terms:
        for base, e in product_of(term).factors.items():
            inner = place(base, base.ndim)[0]
            found |= _leaned(inner) if inner.op in ("add", "contract") else frozenset()
            found |= base.facts.declared if e % 2 and base.facts.positive else frozenset()
    return found


def _divides_twice(product: Product) -> bool:
    """Whether the square of something is below the line, beside which a length can stand."""
    return any(e <= -2 and x.op not in ("size", "constant") for x, e in product.factors.items())


def length_of(total: Node) -> Node | None:
    """√(a² + b² + …), as hypot of hypot, of squares, or of some and what is positive."""
    parts = sum_of(total)
    squares = any(_is_square(term) for term in parts.terms)
    sides = [_side(term, c, squares) for term, c in parts.terms.items()]
    known = [side for side in sides if side is not None]
    if len(known) < len(sides) or parts.constant < 0:
        return None
    if parts.constant:
        known.append(constant(math.sqrt(parts.constant), total.dtype))
    length = known[0]
    for side in known[1:]:
        length = scalar("hypot", length, side)
    return as_like(length, total)


def _side(term: Node, c: float, beside_squares: bool = False) -> Node | None:
    """√(c · term), up to its sign, of a product of squares, sums of squares among them.

    Beside squares, a variable that is positive will do.
    """
    if term.op == "add":
        inner = length_of(term) if c > 0 else None
        return None if inner is None else power_product([(inner, 1.0)], math.sqrt(c))
    product = product_of(term)
    if c * product.coefficient <= 0:
        return None
    halves = []
    for base, e in product.factors.items():
        core, _ = place(base, base.ndim)
        weighted = _as_squares(core) if e == 1 else None
        if weighted is not None:
            halves.append((viewed_as(base, weighted), 0.5))
            continue
        positive = beside_squares and base.facts.positive and base.ndim == 0
        if e % 2 and not positive and not (e == 1 and summed_squares(core) is not None):
            return None
        halves.append((base, e / 2))
    if all(e < 0 for e in product.factors.values()):
        return None
    return power_product(halves, math.sqrt(c * product.coefficient))


def _is_square(term: Node) -> bool:
    """Whether a square, or a sum of squares, is a factor of the term."""
    return any(
        e > 0 and (e % 2 == 0 or (e == 1 and _is_sum_of_squares(place(x, x.ndim)[0])))
        for x, e in product_of(term).factors.items()
    )


def _is_sum_of_squares(core: Node) -> bool:
    return summed_squares(core) is not None or _as_squares(core) is not None


def _as_squares(total: Node) -> Node | None:
    """Σ w x² / s² as Σ (√w x/s)², for w > 0; None of what is no such sum, or plainly Σ x²."""
    if total.op != "contract" or is_view(total) or summed_squares(total) is not None:
        return None
    names = total.attr("indices")[0]
    alike = all(own == names for own in total.attr("indices"))
    shapes = {x.shape for x in total.inputs}
    if not alike or len(shapes) > 1 or len(set(names)) < len(names):
        return None
    whole = Product({}, 1.0)
    for x in total.inputs:
        product = product_of(x)
        whole = Product(whole.factors, whole.coefficient * product.coefficient)
        for base, e in product.factors.items():
            whole = whole.times(base, e)
    if whole.coefficient <= 0 or not any(e > 0 and e % 2 == 0 for e in whole.factors.values()):
        return None
    if any(e % 2 and not x.facts.positive for x, e in whole.factors.items()):
        return None
    half = power_product([(x, e / 2) for x, e in whole.factors.items()], whole.coefficient**0.5)
    half = as_like(half, total.inputs[0])
    made = contract([half, half], [names, names], total.attr("out"), dict(total.attr("sizes")))
    return made if summed_squares(made) is not None else None
