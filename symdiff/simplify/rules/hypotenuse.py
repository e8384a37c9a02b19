"""Roots and quotients of x² + y² by hypot, which overflows only where the result does."""

from __future__ import annotations

import math
from collections.abc import Iterator

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant as number_node
from symdiff.simplify.parts import Product, as_like, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.powers import is_square, root_of


@rule("stabler", "mul")
def hypot_of_squares(node: Node, context: Context) -> Rewrite | None:
    """√(x² + y²) = hypot(x, y), and 1 / (x² + y²) = hypot(x, y)⁻²"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "add" or (e > 0 and e == math.floor(e)) or 2 * e != math.floor(2 * e):
            continue
        sides = _two_squares(base)
        if sides is not None:
            facts = base.facts.declared if base.facts.nonnegative else frozenset()
            result = product.without(base).times(scalar("hypot", *sides), 2 * e)
            return Rewrite(result.node(node), {"x": sides[0], "y": sides[1]}, facts)
    return None


def _two_squares(base: Node) -> tuple[Node, Node] | None:
    total = sum_of(base)
    found = [root_of(x, c) for x, c in total.terms.items()]
    if total.constant > 0:
        found.append(number_node(math.sqrt(total.constant), base.dtype))
    elif total.constant < 0:
        return None
    if len(found) != 2 or found[0] is None or found[1] is None:
        return None
    squares = [is_square(x) for x in total.terms]
    if not any(squares) or (not all(squares) and any(_has_root(x) for x in found)):
        return None
    return found[0], found[1]


def _has_root(side: Node | None) -> bool:
    """Whether a side has a variable's root beside what is squared."""
    if side is None or len(product_of(side).factors) < 2:
        return False
    return any(e % 1 and e > 0 for e in product_of(side).factors.values())


@rule("exact", "hypot", needs=("abs",))
def signs_in_hypot(node: Node, context: Context) -> Rewrite | None:
    """hypot(|x|, y) = hypot(x, y)"""
    sides = []
    for side in node.inputs:
        product = product_of(side)
        bare = {x.inputs[0] if x.op == "abs" else x: e for x, e in product.factors.items()}
        whole = bare.keys() == product.factors.keys() or len(bare) < len(product.factors)
        sides.append(side if whole else Product(bare, product.coefficient).node(side))
    if all(a is b for a, b in zip(sides, node.inputs, strict=True)):
        return None
    return Rewrite(as_like(scalar("hypot", *sides), node), {"x": sides[0], "y": sides[1]})


@rule("stabler", "mul")
def scale_of_hypot(node: Node, context: Context) -> Rewrite | None:
    """s hypot(x/s, y) = hypot(x, s y), and its powers, for s > 0 or an even power"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "hypot":
            continue
        for x, y in (base.inputs, base.inputs[::-1]):
            inner = product_of(x)
            for s, k in inner.factors.items():
                even = k % 1 == 0 and (k * e) % 2 == 0
                own = product.factors.get(s, 0.0)
                if k > 0 or own / (-k * e) < 1 or not (even or s.facts.positive):
                    continue
                if len(inner.factors) == 1:  # 1/s does not overflow but where s is nothing
                    continue
                sides = inner.without(s).bare(node.dtype), power_product([(y, 1.0), (s, -k)])
                result = product.without(base).times(scalar("hypot", *sides), e).times(s, k * e)
                facts = frozenset() if even else s.facts.declared
                return Rewrite(result.node(node), {"x": sides[0], "y": y, "s": s}, facts)
    return None


@rule("stabler", "mul")
def scale_of_hypot_in_sum(node: Node, context: Context) -> Rewrite | None:
    """Σ z / hypot(x/s, y) / s = Σ z / hypot(x, s y), and its powers, for s > 0 or an even power"""
    product = product_of(node)
    for total, one in product.factors.items():
        if total.op != "contract" or one != 1:
            continue
        for operand in total.inputs:
            for found, s, power in _scaled_hypots(product, product_of(operand)):
                inputs = [found.bare(x.dtype) if x is operand else x for x in total.inputs]
                result = product.without(total).times(s, power).times(rebuild(total, inputs), 1.0)
                facts = frozenset() if power % 2 == 0 else s.facts.declared
                return Rewrite(result.node(node), {"s": s}, facts)
    return None


def _scaled_hypots(outer: Product, inner: Product) -> Iterator[tuple[Product, Node, float]]:
    """The inner product with a scalar s of the outer one taken into a hypot; s, and its power."""
    for base, e in inner.factors.items():
        if base.op != "hypot" or e > 0:
            continue
        for x, y in (base.inputs, base.inputs[::-1]):
            side = product_of(x)
            for s, k in side.factors.items():
                power = k * e
                if s.ndim or k > 0 or outer.factors.get(s, 0.0) / -power < 1:
                    continue
                if power % 2 == 0 or s.facts.positive:
                    less = side.without(s).bare(x.dtype)
                    new = scalar("hypot", less, power_product([(y, 1.0), (s, -k)]))
                    yield inner.without(base).times(new, e), s, power


RULES: tuple[Rule, ...] = (hypot_of_squares, signs_in_hypot, scale_of_hypot)
ACCURATE: tuple[Rule, ...] = (scale_of_hypot_in_sum,)
