"""What is left of 1 by some probabilities of a softmax is the sum of the others.

Discrete survival is 1 − Σ_{j ≤ t} q_j, and 1 − cumsum(q): where the model is sure that what it asks
about has happened, nothing is left of these in float64, and their logarithms are −∞.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symdiff.expr.algebra import linear_combination
from symdiff.expr.contraction import contract, split_operands
from symdiff.expr.movement import cumsum, slice_
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.simplify.parts import Sum, as_like, below_movement, moved_again, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule

_MOST = 1 << 12


@rule("stabler", "add", needs=("softmax",))
def complement_of_part(node: Node, context: Context) -> Rewrite | None:
    """1 − Σ_S q = Σ_(not S) q, for q of a softmax"""
    total = sum_of(node)
    if not total.constant:
        return None
    found: dict[tuple[Node, int], tuple[list[Node], NDArray[Any]]] = {}
    for term, c in total.terms.items():
        part = _part(term)
        if part is not None:
            q, axis, which = part
            terms, weights = found.get((q, axis), ([], np.ones(len(which))))
            found[q, axis] = [*terms, term], weights + c / total.constant * which
    for (q, axis), (terms, weights) in found.items():
        whole = all(t.shape == terms[0].shape for t in terms)
        lost = np.count_nonzero(weights != 1)
        if not whole or weights.min() != 0 or not 1 < lost < len(weights):
            continue
        kept = [a for a in range(q.ndim) if a != axis]
        mask = constant(weights, q.dtype)
        made = contract([q, mask], [range(q.ndim), [axis]], kept)
        rest = Sum(total.without(*terms).terms, 0.0).plus(as_like(made, terms[0]), total.constant)
        return Rewrite(rest.node(node), {"q": q})
    return None


def _part(term: Node) -> tuple[Node, int, NDArray[Any]] | None:
    """(q, axis, w) of a term Σ w q along the axis of a softmax, with w of zeros and ones."""
    summed: int | None = None
    inner = term
    if term.op == "contract" and len(term.inputs) == 1 and not term.is_view:
        (names,), out = term.attr("indices"), term.attr("out")
        axes = [a for a, n in enumerate(names) if n not in out]
        if len(axes) != 1 or tuple(n for n in names if n in out) != tuple(out):
            return None
        (summed,), (inner,) = axes, term.inputs
    core, moved = below_movement(inner)
    if core.op != "softmax" or len(core.attr("axes")) != 1 or not isinstance(core.shape[-1], int):
        return None
    (axis,) = core.attr("axes")
    n = core.shape[axis]
    if not isinstance(n, int) or n > _MOST:
        return None
    one = summed is None
    if (one and (core.ndim > 1 or term.ndim)) or (not one and summed != axis):
        return None
    if not all(m.op == "slice" or (one and (m.op == "reshape" or m.is_view)) for m in moved):
        return None
    places: NDArray[Any] = np.arange(n)
    for m in reversed(moved):
        if m.op == "slice":
            if any(
                a != axis and r != (0, size, 1)
                for a, (r, size) in enumerate(zip(m.attr("ranges"), m.inputs[0].shape, strict=True))
            ):
                return None
            start, length, step = m.attr("ranges")[axis]
            if not all(isinstance(v, int) for v in (start, length, step)):
                return None
            places = places[start : start + length * step : step][:length]
    if one and len(places) != 1:
        return None
    which = np.zeros(n)
    which[places] = 1.0
    return core, axis, which


@rule("stabler", "add", needs=("softmax",))
def complement_of_running_sum(node: Node, context: Context) -> Rewrite | None:
    """1 − cumsum(q)_t = Σ_{j > t} q_j, for q of a softmax"""
    total = sum_of(node)
    for term, c in total.terms.items():
        core, moved = below_movement(term)
        if core.op != "cumsum" or total.constant != -c or core.inputs[0].op != "softmax":
            continue
        (q,), axis = core.inputs, core.attr("axis")
        if q.attr("axes") != (axis,) or not moved or moved[-1].op != "slice":
            continue
        back, ranges = core.attr("reverse"), list(moved[-1].attr("ranges"))
        start, length, step = ranges[axis]
        n = q.shape[axis]
        if not all(isinstance(v, int) for v in (start, length, step, n)):
            continue
        start += -1 if back else 1
        if start < 0 or start + (length - 1) * step >= n or step < 1:
            continue
        ranges[axis] = (start, length, step)
        picked = slice_(cumsum(q, axis, not back), ranges)
        made = moved_again(picked, moved[:-1])
        rest = Sum(total.without(term).terms, 0.0).plus(made, total.constant)
        return Rewrite(rest.node(node), {"q": q})
    return None


@rule("stabler", "add", needs=("softmax",))
def complement_of_masked(node: Node, context: Context) -> Rewrite | None:
    """1 − Σ m q = Σ (1 − m) q, for m of zeros and ones and q of a softmax"""
    total = sum_of(node)
    for term, c in total.terms.items():
        if term.op != "contract" or total.constant != -c:
            continue
        whole = split_operands(term)
        if whole.op != "contract" or len(whole.inputs) != 2:
            continue
        names, out = whole.attr("indices"), whole.attr("out")
        for i, (q, own) in enumerate(zip(whole.inputs, names, strict=True)):
            m, other = whole.inputs[1 - i], names[1 - i]
            if q.op != "softmax" or q.shape != m.shape or own != other or len(set(own)) < len(own):
                continue
            if {own[a] for a in q.attr("axes")} != set(own) - set(out):
                continue
            if not m.facts.zero_or_one or m.facts.one_hot:
                continue
            less = linear_combination([(m, -1.0)], 1.0)
            made = contract([q, less], [own, own], out)
            rest = Sum(total.without(term).terms, 0.0).plus(as_like(made, term), total.constant)
            return Rewrite(rest.node(node), {"q": q, "m": m}, m.facts.declared)
    return None


ACCURATE: tuple[Rule, ...] = (
    complement_of_part,
    complement_of_running_sum,
    complement_of_masked,
)
