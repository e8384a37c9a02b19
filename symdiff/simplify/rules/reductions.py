"""Sums whose value is known, and selection written as a contraction.

``q·Σp − p`` becomes ``q − p`` here and nowhere else: by knowing that Σp = 1, from a declaration,
a one-hot, a softmax, or what the facts carry through.  Unknown sums stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.contraction import contract, is_identity
from symdiff.expr.movement import take
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS, full
from symdiff.expr.views import transpose
from symdiff.simplify.parts import as_like, product_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule

Indices = tuple[int, ...]


def without_axes(node: Node, at: int, axes: Sequence[int], total: float) -> Node:
    """A contraction with one operand's sums along axes, each equal to ``total``, taken."""
    x, names = node.inputs[at], node.attr("indices")[at]
    kept = [a for a in range(x.ndim) if a not in axes]
    operands, indices = list(node.inputs), list(node.attr("indices"))
    operands[at] = full(tuple(x.shape[a] for a in kept), total, x.dtype)
    indices[at] = tuple(names[a] for a in kept)
    result = contract(operands, indices, node.attr("out"), dict(node.attr("sizes")))
    return as_like(result, node)


def own_axes(node: Node, at: int) -> list[int]:
    """The axes of an operand whose index is summed and stands nowhere else."""
    indices: tuple[Indices, ...] = node.attr("indices")
    names = indices[at]
    others = [n for i, own in enumerate(indices) if i != at for n in own]
    others += node.attr("out")
    return [a for a, n in enumerate(names) if n not in others and names.count(n) == 1]


@rule("exact", "contract")
def known_sum(node: Node, context: Context) -> Rewrite | None:
    """Σ p = 1, where that is known of p"""
    for at, x in enumerate(node.inputs):
        axes = own_axes(node, at)
        totals = {axis: total for axis, total in x.facts.sums if axis in axes}
        if totals:
            axis = min(totals)
            return Rewrite(without_axes(node, at, [axis], totals[axis]), {"p": x}, x.facts.declared)
        if x.op == "softmax" and set(x.attr("axes")) <= set(axes):
            return Rewrite(without_axes(node, at, x.attr("axes"), 1.0), {"p": x})
    return None


@rule("exact", "contract", needs=("scatter_add",))
def sum_of_scatter(node: Node, context: Context) -> Rewrite | None:
    """Σ scatter_add(g, i) = Σ g, over the axis scattered along"""
    for at, (x, names) in enumerate(zip(node.inputs, node.attr("indices"), strict=True)):
        if x.op != "scatter_add" or x.attr("batch") not in own_axes(node, at):
            continue
        g, idx = x.inputs
        batch = x.attr("batch")
        fresh = 1 + max(n for own in (*node.attr("indices"), node.attr("out")) for n in own)
        middle = tuple(fresh + i for i in range(idx.ndim - batch))
        operands, indices = list(node.inputs), list(node.attr("indices"))
        operands[at] = g
        indices[at] = (*names[:batch], *middle, *names[batch + 1 :])
        result = contract(operands, indices, node.attr("out"), dict(node.attr("sizes")))
        return Rewrite(as_like(result, node), {"g": g, "i": idx})
    return None


@rule("real-only", "contract", needs=("one_hot",))
def selection_by_one_hot(node: Node, context: Context) -> Rewrite | None:
    """Σ_k one_hot(y)_k z_k = z_y, where y is known to be in range"""
    indices: tuple[Indices, ...] = node.attr("indices")
    for at, hot in enumerate(node.inputs):
        if hot.op != "one_hot" or is_identity(hot) or (hot.ndim - 1) not in hot.facts.one_hot:
            continue
        *rows, k = indices[at]
        holders = [i for i, own in enumerate(indices) if i != at and k in own]
        if k in rows or k in node.attr("out") or len(holders) != 1 or len(set(rows)) < len(rows):
            continue
        (other,) = holders
        x, names = node.inputs[other], indices[other]
        if len(set(names)) < len(names) or x.dtype not in FLOATS:
            continue
        return Rewrite(_selected(node, at, other), {"y": hot.inputs[0], "z": x}, hot.facts.declared)
    return None


def _selected(node: Node, at: int, other: int) -> Node:
    indices: tuple[Indices, ...] = node.attr("indices")
    idx, x = node.inputs[at].inputs[0], node.inputs[other]
    *rows, k = indices[at]
    names = indices[other]
    shared = [n for n in rows if n in names]
    free = [n for n in rows if n not in names]
    rest = [n for n in names if n != k and n not in shared]
    moved = transpose(x, [names.index(n) for n in (*shared, k, *rest)])
    places = transpose(idx, [rows.index(n) for n in (*shared, *free)])
    picked = take(moved, places, len(shared))
    operands, left = list(node.inputs), list(indices)
    operands[other], left[other] = picked, (*shared, *free, *rest)
    del operands[at], left[at]
    return as_like(contract(operands, left, node.attr("out"), dict(node.attr("sizes"))), node)


@rule("exact", "mul")
def power_of_zero_or_one(node: Node, context: Context) -> Rewrite | None:
    """y² = y, for y that is 0 or 1"""
    product = product_of(node)
    for y, e in product.factors.items():
        if e > 1 and y.facts.zero_or_one:
            return Rewrite(product.without(y).times(y, 1.0).node(node), {"y": y}, y.facts.declared)
    return None


@rule("exact", "contract")
def mask_twice(node: Node, context: Context) -> Rewrite | None:
    """Σ y y z = Σ y z, for y that is 0 or 1"""
    pairs = list(zip(node.inputs, node.attr("indices"), strict=True))
    for at, (y, names) in enumerate(pairs):
        if y.facts.zero_or_one and (y, names) in pairs[:at]:
            rest = pairs[:at] + pairs[at + 1 :]
            result = contract([x for x, _ in rest], [n for _, n in rest], node.attr("out"))
            return Rewrite(as_like(result, node), {"y": y}, y.facts.declared)
    return None


RULES: tuple[Rule, ...] = (
    known_sum,
    sum_of_scatter,
    selection_by_one_hot,
    power_of_zero_or_one,
    mask_twice,
)
