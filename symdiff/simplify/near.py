"""Near misses: what would have been simpler, had one more fact been known.

They are looked for in the finished graph, so that they cost the rewriting nothing.  Naming the
missing fact teaches what to declare better than silence does.
"""

from __future__ import annotations

from collections.abc import Callable

from symdiff.expr.node import Node, describe
from symdiff.expr.views import is_view
from symdiff.simplify.parts import core_of, product_of, sum_of
from symdiff.simplify.trace import NearMiss


def softmax_minus_target(node: Node) -> NearMiss | None:
    """softmax(z)·Σt − t stays, where Σt = 1 is not known."""
    total = sum_of(node)
    for term, c in total.terms.items():
        product = product_of(term)
        if not any(core_of(x).op == "softmax" for x in product.factors):
            continue
        for factor, e in product.factors.items():
            summed = core_of(factor)
            if e != 1 or summed.op != "contract" or len(summed.inputs) != 1 or is_view(summed):
                continue
            (t,) = summed.inputs
            if any(own == -c and _is_or_holds(x, t) for x, own in total.terms.items()):
                return NearMiss(
                    "softmax_minus_target", node, f"Σ{describe(t)} = 1 unknown, {_why(t)}"
                )
    return None


def _is_or_holds(term: Node, t: Node) -> bool:
    return term is t or core_of(term) is t


def _why(t: Node) -> str:
    """Why nothing is known of a node's sums."""
    if t.op in ("input", "parameter"):
        return f"{describe(t)} is not declared sums_to_one"
    if t.op == "mul":
        known = [x for x in t.inputs if x.facts.sums_to_one]
        others = [x for x in t.inputs if x not in known]
        if known and others:
            by = " and ".join(describe(core_of(x)) for x in others)
            return f"{describe(known[0])} is multiplied by {by}"
    if t.op == "one_hot":
        return f"{describe(t.inputs[0])} may be out of range"
    return f"{describe(t)} has no known sum"


def softplus_of_labels(node: Node) -> NearMiss | None:
    """softplus(z) − y z stays, where y is not known to be 0 or 1."""
    total = sum_of(node)
    for term, c in total.terms.items():
        if term.op != "softplus":
            continue
        (z,) = term.inputs
        for other, own in total.terms.items():
            if own != -c or other.op != "mul" or z not in other.inputs or len(other.inputs) != 2:
                continue
            (y,) = (x for x in other.inputs if x is not z)
            if not y.facts.zero_or_one:
                return NearMiss(
                    "softplus_of_labels", node, f"{describe(y)} is not known to be 0 or 1"
                )
    return None


WATCHERS: tuple[tuple[str, Callable[[Node], NearMiss | None]], ...] = (
    ("add", softmax_minus_target),
    ("add", softplus_of_labels),
)
