"""Sums of variable powers below a line, with their largest base taken out.

xⁿ / (kⁿ + xⁿ) is (x/m)ⁿ / ((k/m)ⁿ + (x/m)ⁿ) for any m > 0: with the larger of |x| and |k| (the
smaller one, for n < 0) nothing overflows.  Where the bases are known to be positive, rules take
such powers for exponentials; this serves those of which nothing is declared.  A last step.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant, number_of
from symdiff.simplify.parts import Product, as_like, product_of, sum_of


def hills(roots: Sequence[Node]) -> list[Node]:
    """The roots, with quotients of powers by sums of powers in range."""
    together = rebuilt(roots, lambda node: _together(node) if node.op == "contract" else node)
    return rebuilt(together, lambda node: _product(node) if node.op == "mul" else node)


@dataclass(frozen=True)
class _Heap:
    """Σ w xⁿ with one exponent, that is mⁿ times what ``small`` is."""

    exponent: Node
    bases: tuple[Node, ...]
    largest: Node
    small: Node


def _heap(total: Node) -> _Heap | None:
    """A sum of powers with one variable exponent, and perhaps of what is none."""
    if total.op != "add":
        return None
    own = sum_of(total)
    powers: list[tuple[Node, Product, float]] = []
    rest: list[tuple[Node, float]] = []
    for term, c in own.terms.items():
        product = product_of(term)
        found = [x for x, e in product.factors.items() if x.op == "pow" and e == 1]
        if len(found) == 1:
            powers.append((found[0], product.without(found[0]), c))
        elif not found:
            rest.append((term, c))
        else:
            return None
    exponents = dict.fromkeys(power.inputs[1] for power, _, _ in powers)
    if len(exponents) != 1 or len(powers) + len(rest) + bool(own.constant) < 2:
        return None
    (n,) = exponents
    bases = tuple(dict.fromkeys(power.inputs[0] for power, _, _ in powers))
    one = constant(1.0, total.dtype)
    sizes = [scalar("abs", x) for x in bases]
    sizes += [one] if rest or own.constant else []
    high, low = (
        functools.reduce(lambda a, b, op=op: scalar(op, a, b), sizes)  # type: ignore[misc]
        for op in ("maximum", "minimum")
    )
    chosen = scalar("where", scalar("gt", n, 0.0), high, low)
    m = scalar("where", scalar("gt", chosen, 0.0), chosen, 1.0)
    terms = [(p.times(_small(x.inputs[0], m, n), 1.0).bare(total.dtype), c) for x, p, c in powers]
    if rest or own.constant:
        other = linear_combination(rest, own.constant, total.dtype)
        terms.append((power_product([(other, 1.0), (_small(one, m, n), 1.0)]), 1.0))
    return _Heap(n, bases, m, as_like(linear_combination(terms), total))


def _small(x: Node, m: Node, n: Node) -> Node:
    return scalar("pow", power_product([(x, 1.0), (m, -1.0)]), n)


def _product(node: Node) -> Node:
    product = product_of(node)
    for base, e in product.factors.items():
        heap = _heap(base) if e < 0 else None
        if heap is None:
            continue
        made = product.without(base).times(heap.small, e)
        power = [(heap.exponent, e)]
        for x, k in product.factors.items():
            if x.op == "pow" and k == 1 and x.inputs[0] in heap.bases:
                made = made.without(x).times(_small(x.inputs[0], heap.largest, x.inputs[1]), 1.0)
                power.append((x.inputs[1], 1.0))
        total = linear_combination(power)
        value = number_of(total)
        if value is None:
            made = made.times(scalar("pow", heap.largest, total), 1.0)
        elif value:
            made = made.times(heap.largest, value)
        return made.node(node)
    return node


def _together(node: Node) -> Node:
    """Σ v xⁿ⁻¹ / (kⁿ + xⁿ) with what divides and what is divided as one operand."""
    operands = list(zip(node.inputs, node.attr("indices"), strict=True))
    for i, (y, own) in enumerate(operands):
        below = [x for x, e in product_of(y).factors.items() if e < 0]
        if all(_heap(x) is None for x in below):
            continue
        beside = [
            j
            for j, (x, other) in enumerate(operands)
            if j != i and other == own and x.shape == y.shape and _has_power(x)
        ]
        if not beside:
            continue
        merged = product_of(y)
        for j in beside:
            inner = product_of(node.inputs[j])
            for x, e in inner.factors.items():
                merged = merged.times(x, e)
            merged = Product(merged.factors, merged.coefficient * inner.coefficient)
        rest = [pair for k, pair in enumerate(operands) if k != i and k not in beside]
        rest.append((as_like(merged.bare(node.dtype), y), own))
        inputs, names = [x for x, _ in rest], [n for _, n in rest]
        made = contract(inputs, names, node.attr("out"), dict(node.attr("sizes")))
        return as_like(made, node)
    return node


def _has_power(x: Node) -> bool:
    return any(y.op == "pow" for y in product_of(x).factors)
