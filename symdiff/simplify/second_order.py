"""The cheapest of the ways to a Hessian-vector product.

Pearlmutter's product can be had by applying either mode of differentiation to the other's result;
the numbers are the same and the work is not, so each is simplified and priced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size
from symdiff.simplify.context import Memo
from symdiff.simplify.cost import at, flops, total
from symdiff.simplify.pipeline import PHASES, Simplified, simplify
from symdiff.simplify.rewrite import Phase


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
) -> HessianVector:
    """The Hessian of y times vs in the mode of the fewest flops.

    Sizes that are not known are priced at nominal numbers.  ``trace``, ``phases``, ``names`` and
    ``memo`` are simplify's.  Errors as in calculus.curvature.hvp.
    """
    ways: dict[str, tuple[list[Node], Simplified]] = {}
    for mode in HVP_MODES:
        raw = hvp(y, xs, vs, mode)
        ways[mode] = raw, simplify(raw, names, trace=trace, phases=phases, memo=memo)
    flops_of = {mode: total(found.roots, flops) for mode, (_, found) in ways.items()}
    best = min(ways, key=lambda mode: at(flops_of[mode]))
    return HessianVector(*ways[best], best, flops_of)
