"""Norms computed without overflow: the last step, once nothing is differentiated any more.

‖x‖ = m ‖x/m‖ with m = max |x| holds for any m, so that no derivative goes through m (Blue 1978);
the squares of numbers beyond 1e154 are infinite, and those below 1e-154 are nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.movement import reduction
from symdiff.expr.node import Node
from symdiff.expr.views import expand_dims
from symdiff.simplify.parts import Product, as_like, place, product_of, viewed_as


def scaled_norms(roots: Sequence[Node]) -> list[Node]:
    """The roots with roots and reciprocals of sums of squares computed from scaled numbers."""
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
        if (e > 0 and e % 1 == 0) or (2 * e) % 1 or e < -1.5:
            continue
        found = _squared(core)
        if found is None:
            continue
        x, axes = found
        if e <= -1 and base is core:
            taken = _divided(product.without(base), x, axes, core, e)
            if taken is not None:
                product = taken
                continue
        if e >= -1:
            product = product.without(base).times(viewed_as(base, _norm(core, x, axes)), 2 * e)
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


def _divided(
    product: Product, x: Node, axes: tuple[int, ...], total: Node, e: float
) -> Product | None:
    """x (x·y) / ‖x‖³ as u (u·y) / (m ‖u‖³), where u = x/m; the norm of a whole array only."""
    if len(axes) != x.ndim:
        return None
    largest, small, inside = _parts(x, axes)
    left = 2 * e
    for base, f in list(product.factors.items()):
        core, _ = place(base, base.ndim)
        if f != 1:
            continue
        if core is x:
            new = viewed_as(base, small)
        elif core.op == "contract" and core.inputs.count(x) == 1:
            inputs = [small if y is x else y for y in core.inputs]
            new = viewed_as(base, as_like(rebuild(core, inputs), core))
        else:
            continue
        product, left = product.without(base).times(new, 1.0), left + 1
    if left != -1:
        return None
    return product.times(as_like(inside, total), e).times(largest, left)


def _squared(total: Node) -> tuple[Node, tuple[int, ...]] | None:
    """(x, axes) of a sum of x² over axes, the others kept in order."""
    if total.op != "contract":
        return None
    x, names, out = total.inputs[0], total.attr("indices")[0], total.attr("out")
    if len(total.inputs) == 1:
        if x.op != "mul" or x.attr("exponents") != (2.0,) or x.attr("coefficient") != 1:
            return None
        x = x.inputs[0]
    elif len(total.inputs) != 2 or total.inputs[1] is not x or total.attr("indices")[1] != names:
        return None
    axes = tuple(a for a, n in enumerate(names) if n not in out)
    kept = tuple(n for n in names if n in out)
    return (x, axes) if axes and len(set(names)) == len(names) and kept == tuple(out) else None


def _norm(total: Node, x: Node, axes: tuple[int, ...]) -> Node:
    largest, _, inside = _parts(x, axes)
    return as_like(power_product([(largest, 1.0), (inside, 0.5)]), total)


def _parts(x: Node, axes: tuple[int, ...]) -> tuple[Node, Node, Node]:
    """(m, x/m, Σ (x/m)²)."""
    largest = reduction("max", scalar("abs", x), axes)
    whole = expand_dims(largest, axes)
    quotient = power_product([(x, 1.0), (whole, -1.0)])
    small = scalar("where", scalar("gt", whole, 0.0), quotient, 0.0)
    names = range(x.ndim)
    inside = contract([small, small], [names, names], [a for a in names if a not in axes])
    return largest, small, inside
