"""Roots and quotients of sums of squares by hypot, which overflows only where the result does.

√(x² + y² + z²) is hypot(hypot(x, y), z), 1 / (x² + y²) is hypot(x, y)⁻²; the squares of numbers
beyond 1e154 are infinite, and those below 1e-154 are nothing.  A last step: what cancels in sums of
squares has been found, and derivatives have been taken, when lengths come in their place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.contraction import summed_squares
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.simplify.parts import Product, as_like, place, product_of, sum_of, viewed_as


def lengths(roots: Sequence[Node]) -> list[Node]:
    """The roots, with roots and reciprocals of sums of squares as powers of hypot."""
    return rebuilt(roots, lambda node: _of_lengths(node) if node.op == "mul" else node)


def _of_lengths(node: Node) -> Node:
    product = product_of(node)
    for base, e in list(product.factors.items()):
        core, _ = place(base, base.ndim)
        quotient = e == 1 and _divides_twice(product)
        if e % 0.5 or (e > 0 and e % 1 == 0 and not quotient):
            continue
        if core.op == "add":
            length = length_of(core)
        elif quotient and summed_squares(core) is not None:
            length = scalar("abs", power_product([(core, 0.5)]))  # which is not squared at once
        else:
            continue
        if length is not None:
            product = product.without(base).times(viewed_as(base, length), 2 * e)
    return product.node(node)


def _divides_twice(product: Product) -> bool:
    """Whether the square of something is below the line, beside which a length can stand."""
    return any(e <= -2 and x.op not in ("size", "constant") for x, e in product.factors.items())


def length_of(total: Node) -> Node | None:
    """√(a² + b² + …), as hypot of hypot, where every term of the sum is a square."""
    parts = sum_of(total)
    sides = [_side(term, c) for term, c in parts.terms.items()]
    known = [side for side in sides if side is not None]
    if len(known) < len(sides) or parts.constant < 0:
        return None
    if parts.constant:
        known.append(constant(math.sqrt(parts.constant), total.dtype))
    length = known[0]
    for side in known[1:]:
        length = scalar("hypot", length, side)
    return as_like(length, total)


def _side(term: Node, c: float) -> Node | None:
    """√(c · term), up to its sign, of a product of squares, sums of squares among them."""
    if term.op == "add":
        inner = length_of(term) if c > 0 else None
        return None if inner is None else power_product([(inner, 1.0)], math.sqrt(c))
    product = product_of(term)
    if c * product.coefficient <= 0:
        return None
    halves = []
    for base, e in product.factors.items():
        core, _ = place(base, base.ndim)
        if e % 2 and not (e == 1 and summed_squares(core) is not None):
            return None
        halves.append((base, e / 2))
    if all(e < 0 for e in product.factors.values()):
        return None
    return power_product(halves, math.sqrt(c * product.coefficient))
