"""The cheapest of the ways to a Hessian-vector product.

Pearlmutter's product can be had by applying either mode of differentiation to the other's result;
the numbers are the same and the work is not, so each is simplified and priced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr.graph import depends_on, toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size
from symdiff.simplify.context import Memo
from symdiff.simplify.cost import at, flops, total
from symdiff.simplify.pipeline import PHASES, Simplified, simplify
from symdiff.simplify.rewrite import Phase

MANY = 2000  # nodes of a graph that is large
PART = 100  # nodes of one that tells how much of it goes
EQUAL, FAR = 1.01, 1.5  # times the least price: as good, and out of reach


@dataclass(frozen=True)
class HessianVector:
    """The product as differentiated and simplified, its mode, and the flops of all made."""

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
    made: which are worth it (:func:`_contenders`) is seen from a part (:func:`_prices_of_part`).
    ``trace``, ``phases``, ``names`` and ``memo`` are simplify's, ``gradient`` is hvp's.  Errors as
    in calculus.curvature.hvp.
    """
    gradient = gradients(y, xs) if gradient is None else gradient
    contenders = list(HVP_MODES)
    if 2 * len(toposort(gradient)) > MANY:
        contenders = _contenders(_prices_of_part(y, xs, vs, gradient))
    raws = {mode: hvp(y, xs, vs, mode, gradient=gradient) for mode in contenders}
    found = {
        mode: simplify(raw, names, trace=trace, phases=phases, memo=memo)
        for mode, raw in raws.items()
    }
    flops_of = {mode: total(each.roots, flops) for mode, each in found.items()}
    best = min(found, key=lambda mode: at(flops_of[mode]))
    return HessianVector(raws[best], found[best], best, flops_of)


def _prices_of_part(
    y: Node, xs: Sequence[Node], vs: Sequence[Node], gradient: Sequence[Node]
) -> dict[str, int]:
    """What each mode costs as differentiated, for the variables that are nearest to y.

    As many as reach ``PART`` nodes of its graph: a deep model's layers are much the same, and of
    the rest of the graph each mode makes as much.
    """
    order = toposort([y])
    wanted = set(xs)
    nearest: list[Node] = []
    for node in reversed(order):
        nearest += [x for x in node.inputs if x in wanted]
        wanted.difference_update(node.inputs)
    count = 1
    while count < len(nearest) and len(depends_on(order, nearest[:count])) < PART:
        count *= 2
    part = set(nearest[:count] or xs)
    active = depends_on(order, part)
    fixed = {node for node in order if node not in active}
    chosen = [(x, v, g) for x, v, g in zip(xs, vs, gradient, strict=True) if x in part]
    own = [list(each) for each in zip(*chosen, strict=True)]
    return {
        mode: at(total(hvp(y, own[0], own[1], mode, gradient=own[2]), flops, fixed))
        for mode in HVP_MODES
    }


def _contenders(prices: Mapping[str, int]) -> list[str]:
    """The modes worth simplifying, given their prices as differentiated: the cheapest, and those
    that are neither as good as that one nor out of reach.
    """
    least = min(prices, key=lambda mode: prices[mode])
    low, high = EQUAL * prices[least], FAR * prices[least]
    return [least, *(mode for mode, price in prices.items() if low < price < high)]
