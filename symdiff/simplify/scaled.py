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
from symdiff.simplify.parts import as_like, place, product_of, viewed_as


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
    product = product_of(node)
    for base, e in list(product.factors.items()):
        core, _ = place(base, base.ndim)
        if (e > 0 and e % 1 == 0) or (2 * e) % 1 or e < -1:
            continue
        x = _squared(core)
        if x is not None:
            product = product.without(base).times(viewed_as(base, _norm(core, *x)), 2 * e)
    return product.node(node)


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
    largest = reduction("max", scalar("abs", x), axes)
    whole = expand_dims(largest, axes)
    quotient = power_product([(x, 1.0), (whole, -1.0)])
    small = scalar("where", scalar("gt", whole, 0.0), quotient, 0.0)
    names = range(x.ndim)
    inside = contract([small, small], [names, names], [a for a in names if a not in axes])
    return as_like(power_product([(largest, 1.0), (inside, 0.5)]), total)
