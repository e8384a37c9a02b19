"""The cheapest of the ways to a Hessian-vector product.

Pearlmutter's product can be had by applying either mode of differentiation to the other's result;
the numbers are the same and the work is not, so each is simplified and priced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size
from symdiff.simplify.context import Memo
from symdiff.simplify.cost import at, flops, total
from symdiff.simplify.pipeline import PHASES, Simplified, simplify
from symdiff.simplify.rewrite import Phase

MANY = 2000  # nodes of a graph that is large
EQUAL, FAR = 1.01, 1.5  # times the least price: as good, and out of reach


@dataclass(frozen=True)
class HessianVector:
    """The product as differentiated and simplified, its mode, and every mode's flops."""

    raw: list[Node]
    simplified: Simplified
    mode: str
    flops: Mapping[str, Size]


def cheapest_hvp(
    y: Node,
    xs: Sequence[Node],
    vs: Sequence[Node],
    *,
    trace: bool = False,
    phases: Sequence[Phase] = PHASES,
    names: Mapping[Node, str] | None = None,
    memo: Memo | None = None,
    gradient: Sequence[Node] | None = None,
) -> HessianVector:
    """The Hessian of y times vs in the mode of the fewest flops.

    Sizes that are not known are priced at nominal numbers.  Of large graphs, not every mode is
    simplified (:func:`_contenders`); the others' flops are those before.  ``trace``, ``phases``,
    ``names`` and ``memo`` are simplify's, ``gradient`` is hvp's.  Errors as in
    calculus.curvature.hvp.
    """
    gradient = gradients(y, xs) if gradient is None else gradient
    raws = {mode: hvp(y, xs, vs, mode, gradient=gradient) for mode in HVP_MODES}
    flops_of: dict[str, Size] = {}
    contenders = list(raws)
    if max(len(toposort(raw)) for raw in raws.values()) > MANY:
        flops_of = {mode: total(raw, flops) for mode, raw in raws.items()}
        contenders = _contenders({mode: at(price) for mode, price in flops_of.items()})
    found: dict[str, Simplified] = {}
    for mode in contenders:
        found[mode] = simplify(raws[mode], names, trace=trace, phases=phases, memo=memo)
        flops_of[mode] = total(found[mode].roots, flops)
    best = min(found, key=lambda mode: at(flops_of[mode]))
    return HessianVector(raws[best], found[best], best, flops_of)


def _contenders(prices: Mapping[str, int]) -> list[str]:
    """The modes worth simplifying, given their prices as differentiated: the cheapest, and those
    that are neither as good as that one nor out of reach.
    """
    least = min(prices, key=lambda mode: prices[mode])
    low, high = EQUAL * prices[least], FAR * prices[least]
    return [least, *(mode for mode, price in prices.items() if low < price < high)]
