"""Powers of sums of powers without overflow: the last step, once nothing is differentiated more.

The squares of numbers beyond 1e154 are infinite, and those below 1e-154 are nothing.  ‖x‖ itself
is computed without them (:mod:`codegen.brief`); what is left is that x (x·y) / ‖x‖³ is u (u·y) /
‖x‖ with the unit vector u = x / ‖x‖, which is 0 where x is.  For other powers the scale is max |x|:
Σ xᵖ = mᵖ Σ (x/m)ᵖ for any m > 0, so that no derivative goes through m (Blue 1978).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import summed_squares
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import consumers, leaves, rebuild, toposort
from symdiff.expr.movement import reduction
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant, number_of
from symdiff.expr.views import expand_dims, is_view
from symdiff.simplify.alike import alike
from symdiff.simplify.balanced import balanced, opened_scalars
from symdiff.simplify.centring import centred_twice
from symdiff.simplify.complements import complements
from symdiff.simplify.far import cosines, far_apart
from symdiff.simplify.hills import hills
from symdiff.simplify.lengths import lengths
from symdiff.simplify.masked import masked
from symdiff.simplify.nothings import labels_over
from symdiff.simplify.parts import Product, place, product_of, viewed_as
from symdiff.simplify.rewrite import Fact
from symdiff.simplify.tempered import tempered

Degree = Node | float
_OPS = ("mul", "pow", "reciprocal_or_zero")


def scaled_norms(roots: Sequence[Node], facts: set[Fact] | None = None) -> list[Node]:
    """The roots with sums of powers below the line or a root computed from scaled numbers.

    Products are multiplied in an order in which nothing overflows that the result does not, and
    what a mask leaves out is not computed with.  The declared facts leaned on are added to
    ``facts``.
    """
    done: dict[Node, Node] = {}
    scaled: set[Node] = set()
    roots = hills(alike(labels_over(roots, facts)))
    roots = cosines(tempered(centred_twice(complements(roots, facts))))
    roots = lengths(roots, facts)
    order = toposort(roots)
    readers = consumers(order)
    for node in order:
        inputs = [done[x] for x in node.inputs]
        changed = any(a is not b for a, b in zip(inputs, node.inputs, strict=True))
        new = rebuild(node, inputs) if changed else node
        taken = node not in roots and all(_takes_in(reader, node) for reader in readers[node])
        done[node] = _scaled(new, scaled) if new.op in _OPS and not taken else new
    return masked(balanced(far_apart([done[root] for root in roots], facts)))


def _takes_in(reader: Node, node: Node) -> bool:
    """Whether the node will be scaled as a part of the product that reads it."""
    if node.ndim or node.op not in _OPS:
        return False
    if reader.op == "mul" and node.op == "mul":
        return bool(reader.attr("exponents")[reader.inputs.index(node)] == 1)
    return reader.op in ("mul", "reciprocal_or_zero")


def _scaled(node: Node, scaled: set[Node]) -> Node:
    """The product with each x that is ``scaled`` to 1 in it; takes note of these."""
    product = opened_scalars(product_of(node))
    for _ in range(len(product.factors)):
        found = next((x for x in _candidates(product) if x[1].x not in scaled), None)
        if found is None:
            break
        base, scaling = found
        scaled |= {scaling.small, scaling.x}
        product = _substituted(product, base, scaling)
        scaled.remove(scaling.x)
    return product.node(node)


@dataclass(frozen=True, slots=True)
class Scaling:
    """x = m u, where m is the largest size of x along axes, or its norm, the root of ``total``."""

    x: Node
    axes: tuple[int, ...]
    total: Node | None = None

    @property
    def largest(self) -> Node:
        """m, of the shape of x without the axes."""
        if self.total is not None:
            return power_product([(self.total, 0.5)])
        return reduction("max", scalar("abs", self.x), self.axes)

    @property
    def small(self) -> Node:
        """u, and 0 where all of x is."""
        whole = expand_dims(self.largest, self.axes)
        quotient = power_product([(self.x, 1.0), (whole, -1.0)])
        return scalar("where", scalar("gt", whole, 0.0), quotient, 0.0)

    def part(self, node: Node) -> tuple[Node, Degree]:
        """(v, d) of a node that is mᵈ v: v holds u where the node holds x; (node, 0) without."""
        if node is self.total:
            return constant(1.0, node.dtype), 2.0
        if node is self.x:
            return self.small, 1.0
        if node is power_product([(self.x, 1.0)], -1.0):
            return power_product([(self.small, 1.0)], -1.0), 1.0
        if node.op in ("abs", "reciprocal_or_zero"):
            inner, degree = self.part(node.inputs[0])
            sign = -1.0 if node.op == "reciprocal_or_zero" else 1.0
            return rebuild(node, [inner]), _times(degree, sign)
        if node.op == "pow":
            inner, degree = self.part(node.inputs[0])
            return rebuild(node, [inner, node.inputs[1]]), _times(degree, node.inputs[1])
        if node.op == "mul" or (node.op == "contract" and self._keeps_rows(node)):
            parts = [self.part(x) for x in node.inputs]
            powers = node.attr("exponents") if node.op == "mul" else [1.0] * len(parts)
            total: Degree = 0.0
            for (_, d), e in zip(parts, powers, strict=True):
                total = _plus(total, _times(d, e))
            return rebuild(node, [x for x, _ in parts]), total
        return node, 0.0

    def _keeps_rows(self, node: Node) -> bool:
        """Whether the axes of x that m still has stand in the result, in order."""
        if len(self.axes) == self.x.ndim or is_view(node):
            return len(self.axes) == self.x.ndim
        out = node.attr("out")
        for x, own in zip(node.inputs, node.attr("indices"), strict=True):
            if x.ndim == self.x.ndim:
                kept = [n for a, n in enumerate(own) if a not in self.axes]
                if kept != list(out):
                    return False
        return True


def _times(degree: Degree, by: Degree) -> Degree:
    if isinstance(degree, float) and isinstance(by, float):
        return degree * by
    if degree == 0.0:
        return 0.0
    number, node = (degree, by) if isinstance(degree, float) else (by, degree)
    if isinstance(number, float):
        assert isinstance(node, Node)
        return power_product([(node, 1.0)], number)
    assert isinstance(node, Node)
    return power_product([(node, 1.0), (number, 1.0)])


def _plus(a: Degree, b: Degree) -> Degree:
    if isinstance(a, float) and isinstance(b, float):
        return a + b
    terms = [(x, 1.0) for x in (a, b) if isinstance(x, Node)]
    return linear_combination(terms, sum(x for x in (a, b) if isinstance(x, float)))


def _candidates(product: Product) -> list[tuple[Node, Scaling]]:
    """The factors that are powers of a sum of powers of some x, not whole or below the line."""
    found = []
    for base, e in product.factors.items():
        core, _ = place(base, base.ndim)
        if core.op == "reciprocal_or_zero":
            core, e = core.inputs[0], -e
            if core.op == "mul" and len(core.inputs) == 1:
                e *= core.attr("exponents")[0]
                core = core.inputs[0]
        elif core.op == "pow":
            core, e = core.inputs[0], 0.5
        if core.op == "mul" and core.ndim == 0:
            sums = [x for x in core.inputs if x.op == "contract"]
            core = sums[0] if len(sums) == 1 else core
        scaling = _powers_summed(core)
        if scaling is not None and (e < 0 or (scaling.total is None and e % 1)):
            found.append((base, scaling))
    return found


def _powers_summed(total: Node) -> Scaling | None:
    """x and the axes of a sum of powers of x beyond the first, the other axes kept in order."""
    squares = summed_squares(total)
    if squares is not None:
        return Scaling(*squares, total)
    if total.op != "contract" or len(total.inputs) > 1:
        return None
    x, names, out = total.inputs[0], total.attr("indices")[0], total.attr("out")
    one = x.op == "mul" and len(x.inputs) == 1 and x.attr("exponents")[0] > 1
    if not (one or (x.op == "pow" and x.inputs[0].facts.nonnegative)):
        return None
    if x.inputs[0].shape != x.shape:
        return None
    x = x.inputs[0]
    x = x.inputs[0] if x.op == "abs" else x
    axes = tuple(a for a, n in enumerate(names) if n not in out)
    kept = tuple(n for n in names if n in out)
    plain = axes and len(set(names)) == len(names) and kept == tuple(out)
    return Scaling(x, axes) if plain else None


def _substituted(product: Product, base: Node, scaling: Scaling) -> Product:
    """The product with u for x, and m to what power is left."""
    whole = len(scaling.axes) == scaling.x.ndim
    core, places = place(base, base.ndim)
    made = Product({}, product.coefficient)
    degree: Degree = 0.0
    ordered = sorted(product.factors.items(), key=lambda pair: pair[0] is not base)
    for factor, e in ordered:
        settled = scaling.total is not None and isinstance(degree, float) and degree >= 0
        if settled and factor is not base:
            made = made.times(factor, e)
            continue
        inner, stands = place(factor, base.ndim)
        alike = whole or (inner.ndim == core.ndim and stands == places) or inner is scaling.x
        new, d = scaling.part(inner) if alike else (inner, 0.0)
        made = made.times(factor if new is inner else viewed_as(factor, new), e)
        degree = _plus(degree, _times(d, e))
    power = _known(degree)
    if core.op == "reciprocal_or_zero" and isinstance(power, float) and power < 0:
        guarded = scalar("reciprocal_or_zero", scaling.largest)
        return made.times(viewed_as(base, guarded), -power)
    if isinstance(power, float):
        return made.times(viewed_as(base, scaling.largest), power) if power else made
    return made.times(viewed_as(base, scalar("pow", scaling.largest, power)), 1.0)


def _known(degree: Degree) -> Degree:
    """The number that a degree is for all values of its variables."""
    if isinstance(degree, float):
        return degree
    value = number_of(degree)
    if value is not None:
        return value
    if any(leaf.ndim for leaf in leaves([degree])):
        return degree
    found = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        values: dict[Node | str, Any] = {leaf: rng.uniform(1.0, 3.0) for leaf in leaves([degree])}
        found.append(np.asarray(evaluate(degree, values)))
    near = round(float(found[0].flat[0]))
    if all(np.allclose(each, near, rtol=0, atol=1e-12) for each in found):
        return float(near)
    return degree
