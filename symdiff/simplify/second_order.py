"""The cheapest of the ways to a Hessian-vector product.

Pearlmutter's product can be had by applying either mode of differentiation to the other's result;
the numbers are the same and the work is not, so each is simplified and priced.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.expr.node import Node
from symdiff.simplify.cost import at, flops, total
from symdiff.simplify.pipeline import PHASES, Simplified, simplify
from symdiff.simplify.rewrite import Phase


def cheapest_hvp(
    y: Node,
    xs: Sequence[Node],
    vs: Sequence[Node],
    *,
    trace: bool = False,
    phases: Sequence[Phase] = PHASES,
) -> tuple[list[Node], Simplified]:
    """The Hessian of y times vs in the mode of the fewest flops: as differentiated, and simplified.

    Sizes that are not known are priced at nominal numbers.  Errors as in calculus.curvature.hvp.
    """
    ways = []
    for mode in HVP_MODES:
        raw = hvp(y, xs, vs, mode)
        ways.append((raw, simplify(raw, trace=trace, phases=phases)))
    return min(ways, key=lambda way: at(total(way[1].roots, flops)))
