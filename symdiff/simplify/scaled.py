"""Norms divided by, not their powers: the last step, once nothing is differentiated any more.

The squares of numbers beyond 1e154 are infinite, and those below 1e-154 are nothing.  ‖x‖ itself
is computed without them (:mod:`codegen.brief`); what is left is that x (x·y) / ‖x‖³ is u (u·y) /
‖x‖ with the unit vector u = x / ‖x‖, which is 0 where x is.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.contraction import summed_squares
from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.node import Node
from symdiff.simplify.parts import Product, as_like, place, product_of, viewed_as


def scaled_norms(roots: Sequence[Node]) -> list[Node]:
    """The roots with unit vectors where powers of a norm divide a vector."""
    done: dict[Node, Node] = {}
    for node in toposort(roots):
        inputs = [done[x] for x in node.inputs]
        changed = any(a is not b for a, b in zip(inputs, node.inputs, strict=True))
        new = rebuild(node, inputs) if changed else node
        done[node] = _scaled(new) if new.op == "mul" else new
    return [done[root] for root in roots]


def _scaled(node: Node) -> Node:
    product = _opened(product_of(node))
    for base, e in list(product.factors.items()):
        core, _ = place(base, base.ndim)
        found = summed_squares(core) if e < 0 and (2 * e) % 1 == 0 else None
        if found is not None and base is core and len(found[1]) == found[0].ndim:
            product = _divided(product.without(base), found[0], core, 2 * e)
    return product.node(node)


def _opened(product: Product) -> Product:
    """The product with those of scalars among its factors multiplied out."""
    for base, e in list(product.factors.items()):
        if base.op == "mul" and base.ndim == 0 and e == 1:
            inner = product_of(base)
            product = Product(product.factors, product.coefficient * inner.coefficient)
            product = product.without(base)
            for x, p in inner.factors.items():
                product = product.times(x, p)
    return product


def _divided(product: Product, x: Node, total: Node, left: float) -> Product:
    """The product times ‖x‖ ** left, with the vectors x in it divided by their norm."""
    some = scalar("gt", power_product([(total, 0.5)]), 0.0)
    unit = scalar("where", some, power_product([(x, 1.0), (total, -0.5)]), 0.0)
    for base, f in list(product.factors.items()):
        core, _ = place(base, base.ndim)
        if f != 1 or left == 0:
            continue
        if core is x:
            new = viewed_as(base, unit)
        elif core.op == "contract" and core.inputs.count(x) == 1:
            inputs = [unit if y is x else y for y in core.inputs]
            new = viewed_as(base, as_like(rebuild(core, inputs), core))
        else:
            continue
        product, left = product.without(base).times(new, 1.0), left + 1
    return product.times(total, left / 2) if left else product
