"""Sums over the same indices, gathered so that rules for terms see what stands below them."""

from __future__ import annotations

from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size
from symdiff.expr.views import Indices, transpose
from symdiff.simplify.parts import as_like, sum_of
from symdiff.simplify.rewrite import Context, Rule, rule
from symdiff.simplify.rules.contractions import Parts, is_product, parts_of, sharing
from symdiff.simplify.terms import stays_factored


@dataclass(frozen=True, slots=True)
class _Summand:
    """What a plain sum adds up: elementwise factors that all have every index."""

    parts: Parts
    names: Indices

    @property
    def shape(self) -> list[tuple[int, Size]]:
        """Each index's place in the result (−1 where it is summed) and size."""
        x = self.parts.operands[0]
        sizes = dict(zip(self.parts.indices[0], x.shape, strict=True))
        out = self.parts.out
        return [(out.index(n) if n in out else -1, sizes[n]) for n in self.names]

    def body(self, order: Indices) -> Node:
        """The product below the sum, with its axes in the given order."""
        factors = []
        for x, names in zip(self.parts.operands, self.parts.indices, strict=True):
            factors.append((transpose(x, [names.index(n) for n in order]), 1.0))
        return power_product(factors)


def _is_square_of_shared(summand: _Summand, context: Context) -> bool:
    """Whether a sum of squares is of an array that is there anyway: nothing would be saved."""
    squared = {*summand.parts.operands}
    return len(summand.parts.operands) > 1 and len(squared) == 1 and context.is_shared(*squared)


def _summand(node: Node) -> _Summand | None:
    if not is_product(node):
        return None
    parts = parts_of(node)
    names = parts.indices[0]
    if len(set(names)) < len(names) or not set(parts.out) <= set(names):
        return None
    if any(sorted(own) != sorted(names) for own in parts.indices):
        return None
    return _Summand(parts, names)


_NEAR = 4


def _near(body: Node) -> set[Node]:
    """What stands a few operations below a node, and varies along some axis."""
    found, front = set[Node](), [body]
    for _ in range(_NEAR):
        found.update(x for x in front if x.ndim)
        front = [y for x in front for y in x.inputs]
    return {x for x in found if x.op not in ("constant", "arange", "one_hot")}


@rule("real-only", "add", housekeeping=True)
def gather_sums(node: Node, context: Context) -> Node | None:
    """Σ a + Σ b = Σ (a + b), where a and b are made of the same arrays"""
    total = sum_of(node)
    found = []
    for x, c in total.terms.items():
        summand = _summand(x) if not context.is_shared(x) and x.shape == node.shape else None
        if summand is None or _is_square_of_shared(summand, context):
            continue
        # An outer product that is summed need not be formed, but the sum of two would be.
        if not all(map(stays_factored, summand.parts.operands)):
            found.append((x, c, summand))
    if len(found) < 2:
        return None
    partners = sharing([set().union(*map(_near, s.parts.operands)) for _, _, s in found])
    taken, merged = set[Node](), list[tuple[Node, float]]()
    for k, (x, c, first) in enumerate(found):
        if x in taken:
            continue
        bodies, gone = [(first.body(first.names), c)], [x]
        for y, d, other in (found[m] for m in partners[k]):
            order = _matched(first, other) if abs(c) == abs(d) and y not in taken else None
            if order is None:
                continue
            bodies.append((other.body(order), d))
            gone.append(y)
        if len(gone) > 1:
            inner = linear_combination(bodies)
            summed = contract([inner], [first.names], first.parts.out)
            merged.append((as_like(summed, node), 1.0))
            taken.update(gone)
    if not merged:
        return None
    rest = total.without(*taken)
    for summed, c in merged:
        rest = rest.plus(summed, c)
    return rest.node(node)


def _matched(first: _Summand, other: _Summand) -> Indices | None:
    """The indices of the second in the order of the first's; None where the sizes differ."""
    left = list(zip(other.names, other.shape, strict=True))
    order = []
    for wanted in first.shape:
        place = next((p for p in left if p[1] == wanted), None)
        if place is None:
            return None
        left.remove(place)
        order.append(place[0])
    return None if left else tuple(order)


RULES: tuple[Rule, ...] = (gather_sums,)
