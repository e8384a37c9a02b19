"""1 − p for a probability p of a softmax, right to the last digit where p rounds to 1.

At most one probability of a row exceeds ½.  That one's complement is the sum of the others, each of
which has all its digits; for the rest, 1 − p loses none.  So (1 − p_k)² log p_k, the focal loss,
has a slope where the model is confident, and p − [k] beside it is −(1 − p) at k; so has that of a
power of p_k.  A last step; a difference p − [k] that stands alone, as in the slope of the
cross-entropy, is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild, rebuilt, toposort
from symdiff.expr.node import Node
from symdiff.expr.views import expand_dims, is_view
from symdiff.simplify.parts import Sum, as_like, below_movement, core_of, moved_again, sum_of
from symdiff.simplify.rewrite import Fact

Axes: TypeAlias = tuple[int, ...]
_NONLINEAR = ("exp", "mul", "pow")


def complements(roots: Sequence[Node], facts: set[Fact] | None = None) -> list[Node]:
    """The roots, with complements of the probabilities of a softmax as sums of the others.

    The declared facts leaned on, of labels, are added to ``facts``.
    """
    leaned: set[Fact] = set() if facts is None else facts
    order = toposort(roots)
    asked = {soft for node in order if node.op == "add" for soft in _asked(node)}
    asked.update(soft for node in order if node.op == "mul" for soft in _asked_beside(node))
    if not asked:
        return list(roots)
    logits = {(soft.inputs[0], soft.attr("axes")): soft for soft in asked}

    def made(node: Node) -> Node:
        if node.op == "add":
            return _of_sum(node, asked, leaned)
        if node.op == "log_softmax":
            soft = logits.get((node.inputs[0], node.attr("axes")))
            return node if soft is None else _logarithm(node, soft)
        return node

    return rebuilt(roots, made)


def complement(soft: Node) -> Node:
    """1 − p of every probability of a softmax."""
    axes: Axes = soft.attr("axes")
    large = scalar("gt", soft, 0.5)
    others = scalar("where", large, 0.0, soft)
    kept = [a for a in range(soft.ndim) if a not in axes]
    total = expand_dims(contract([others], [range(soft.ndim)], kept), axes)
    less = linear_combination([(soft, -1.0)], 1.0)
    return as_like(scalar("where", large, total, less), soft)


def _logarithm(node: Node, soft: Node) -> Node:
    """log p as log1p(−(1 − p)) where p > ½."""
    near = scalar("log1p", linear_combination([(complement(soft), -1.0)]))
    return as_like(scalar("where", scalar("gt", soft, 0.5), near, node), node)


def _of_softmax(x: Node) -> Node | None:
    """The softmax that a node holds probabilities of: moved, or picked by a one-hot array."""
    core, _ = below_movement(x)
    if core.op == "softmax":
        return core
    at = _picked(core)
    return None if at is None else core.inputs[at]


def _picked(node: Node) -> int | None:
    """Where a softmax stands in Σ y p with y one-hot along its axis."""
    if node.op != "contract" or len(node.inputs) != 2:
        return None
    names, out = node.attr("indices"), node.attr("out")
    for at, (soft, own) in enumerate(zip(node.inputs, names, strict=True)):
        hot, other = node.inputs[1 - at], names[1 - at]
        if soft.op != "softmax" or len(soft.attr("axes")) != 1 or sorted(own) != sorted(other):
            continue
        (axis,) = soft.attr("axes")
        hot_axes = {other[a] for a in hot.facts.one_hot}
        if own[axis] in hot_axes and set(own) - set(out) == {own[axis]}:
            return at
    return None


def _complement_of(x: Node) -> Node:
    """1 − x of a node that holds probabilities of a softmax."""
    core, moved = below_movement(x)
    if core.op == "softmax":
        made = complement(core)
    else:
        at = _picked(core)
        assert at is not None
        inputs = list(core.inputs)
        inputs[at] = complement(core.inputs[at])
        made = as_like(rebuild(core, inputs), core)
    return as_like(moved_again(made, moved), x)


def _pairs(total: Sum) -> list[tuple[Node, Node | None, float]]:
    """(p, h, c) of the terms c (p − h), (p, None, c) of c (p − 1), with h of zeros and ones."""
    found: list[tuple[Node, Node | None, float]] = []
    for x, c in total.terms.items():
        if _of_softmax(x) is None:
            continue
        if total.constant == -c:
            found.append((x, None, c))
            continue
        hot = next((h for h, d in total.terms.items() if d == -c and h.facts.zero_or_one), None)
        if hot is not None:
            found.append((x, hot, c))
    return found


def _asked(node: Node) -> list[Node]:
    """The softmaxes of which a complement stands in a sum, plainly or against a picked one."""
    found = []
    for x, hot, _ in _pairs(sum_of(node)):
        soft = _of_softmax(x)
        core, moved = below_movement(x)
        if soft is not None and (hot is None or core is not soft or not all(map(is_view, moved))):
            found.append(soft)
    return found


def _asked_beside(node: Node) -> list[Node]:
    """The softmaxes of differences p − [k] beside a function of the same logits in a product."""
    found = []
    for x in node.inputs:
        pairs = _pairs(sum_of(x)) if x.op == "add" else []
        softs = [soft for p, _, _ in pairs if (soft := _of_softmax(p)) is not None]
        if softs:
            others = [y for y in node.inputs if y is not x and core_of(y).op in _NONLINEAR]
            below = {y.inputs[0] for y in toposort(others) if y.op in ("softmax", "log_softmax")}
            found += [soft for soft in softs if soft.inputs[0] in below]
    return found


def _of_sum(node: Node, asked: set[Node], leaned: set[Fact]) -> Node:
    for x, hot, c in _pairs(sum_of(node)):
        if _of_softmax(x) not in asked:
            continue
        less = _complement_of(x)
        core, _ = below_movement(x)
        leaned.update(*(y.facts.declared for y in core.inputs if core.op == "contract"))
        total = sum_of(node)
        if hot is None:
            rest = Sum(total.without(x).terms, 0.0)
            return rest.plus(less, -c).node(node)
        leaned.update(hot.facts.declared)
        minus = linear_combination([(less, -1.0)])
        chosen = scalar("where", scalar("gt", hot, 0.5), minus, x)
        return total.without(x, hot).plus(chosen, c).node(node)
    return node
