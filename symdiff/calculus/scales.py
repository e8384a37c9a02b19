"""Scalars that whole cotangents are multiplied by, kept beside them.

Differentiation is linear in the cotangent, so that a mean's 1/n need not travel through every node
of the graph to stand in front of the gradient: it is taken out where it comes in.
"""

from __future__ import annotations

from typing import TypeAlias

from symdiff.expr.algebra import power_product
from symdiff.expr.movement import split_scale
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, full, number_of

#: Scalars with exponents, and what they multiply.
Scale: TypeAlias = dict[Node, float]
Scaled: TypeAlias = tuple[Scale, Node]


def taken_out(g: Node, scale: Scale) -> Scaled:
    """A cotangent less the scalars that it is multiplied by, which join those of the scale."""
    number, factors, rest = split_scale(g)
    if rest is g and g.ndim and g.is_view and g.inputs[0].ndim == 0:
        product = power_product([(g.inputs[0], 1.0)])
        if product.op == "mul":
            number = product.attr("coefficient")
            factors = list(zip(product.inputs, product.attr("exponents"), strict=True))
        elif number_of(product) is None:
            factors = [(product, 1.0)]
        rest = full(g.shape, 1, g.dtype) if factors else g
    if not factors:
        return scale, g
    whole = dict(scale)
    for x, e in factors:
        whole[x] = whole.get(x, 0.0) + e
        if whole[x] == 0:
            del whole[x]
    return whole, times({}, rest, number)


def times(scale: Scale, g: Node, number: float = 1.0) -> Node:
    """A cotangent with its scalars and a number."""
    if not scale and number == 1:
        return g
    return cast(power_product([*scale.items(), (g, 1.0)], number), g.dtype)
