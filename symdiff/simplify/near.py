"""Near misses: what would have been simpler, had one more fact been known.

They are looked for in the finished graph, so that they cost the rewriting nothing.  Naming the
missing fact teaches what to declare better than silence does.
"""

from __future__ import annotations

from collections.abc import Callable

from symdiff.expr.node import Node
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
                reason, pieces = _why(t)
                total_of_t = "Σ{t}" if t.op in ("input", "parameter") else "Σ({t})"
                reason = f"{total_of_t} = 1 unknown, {reason}"
                return NearMiss("softmax_minus_target", node, reason, {"t": t, **pieces})
    return None


def _is_or_holds(term: Node, t: Node) -> bool:
    return term is t or core_of(term) is t


def _why(t: Node) -> tuple[str, dict[str, Node]]:
    """Why nothing is known of a node's sums, and the pieces that the words speak of."""
    if t.op in ("input", "parameter"):
        return "{t} is not declared sums_to_one", {}
    if t.op == "mul":
        known = [x for x in t.inputs if x.facts.sums_to_one]
        others = [core_of(x) for x in t.inputs if x not in known]
        if known and others:
            pieces = {f"w{i}": x for i, x in enumerate(others)}
            by = " and ".join(f"{{{name}}}" for name in pieces)
            return f"{{p}} is multiplied by {by}", {"p": known[0], **pieces}
    if t.op == "one_hot":
        return "{y} may be out of range", {"y": t.inputs[0]}
    return "{t} has no known sum", {}


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
                said = "{y} is not known to be 0 or 1"
                return NearMiss("softplus_of_labels", node, said, {"y": y})
    return None


def transpose_of_symmetric(node: Node) -> NearMiss | None:
    """A x + Aᵀ x stays, where A is not known to be symmetric."""
    total = sum_of(node)
    terms = [(core_of(x), c) for x, c in total.terms.items()]
    products = [(x, c) for x, c in terms if x.op == "contract" and len(x.inputs) > 1]
    for i, (one, c) in enumerate(products):
        for other, own in products[:i]:
            if own == c and set(one.inputs) == set(other.inputs):
                for a in one.inputs:
                    if a.op == "input" and a.ndim == 2 and a.shape[0] == a.shape[1]:
                        if not a.facts.symmetric and one.inputs.count(a) == 1:
                            said = "{A} is not declared symmetric"
                            return NearMiss("transpose_of_symmetric", node, said, {"A": a})
    return None


WATCHERS: tuple[tuple[str, Callable[[Node], NearMiss | None]], ...] = (
    ("add", softmax_minus_target),
    ("add", softplus_of_labels),
    ("add", transpose_of_symmetric),
)
