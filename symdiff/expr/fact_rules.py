"""How facts follow from an operation and its inputs' facts: one small rule an operation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from symdiff.expr.fact_arithmetic import facts_of_contraction, facts_of_product, facts_of_sum
from symdiff.expr.facts import NONE, UNKNOWN, Facts, from_declared, near, ones
from symdiff.expr.scalars import SCALARS

if TYPE_CHECKING:
    from symdiff.expr.node import Node


def _declared(*facts: Facts) -> frozenset[tuple[str, str]]:
    return frozenset().union(*(f.declared for f in facts))


def _leaf(node: Node) -> Facts:
    return from_declared(node.attr("name"), node.attr("declared"), node.ndim)


def _constant(node: Node) -> Facts:
    value = node.value
    if value.size == 0 or not bool(np.all(np.isfinite(value))):
        return UNKNOWN
    axes = range(value.ndim)
    integer = bool(np.all(value == np.floor(value)))
    totals = [(a, np.asarray(value.sum(axis=a)).reshape(-1)) for a in axes]
    sums = frozenset((a, float(t[0])) for a, t in totals if np.ptp(t) <= 1e-12)
    one = frozenset(a for a, total in sums if near(total, 1.0))
    hot = one if integer and value.min() >= 0 else NONE
    symmetric = value.ndim == 2 and bool(np.array_equal(value, value.T))
    return Facts(
        float(value.min()),
        float(value.max()),
        bool(np.all(value != 0)),
        integer,
        sums,
        hot,
        symmetric,
        bool(np.all(np.abs(value) == 1)),
    )


def _scalar(node: Node) -> Facts:
    row = SCALARS[node.op]
    if row.result == "bool":
        return Facts(0.0, 1.0, integer=True)
    return Facts(row.lo, row.hi, row.nonzero)


def _monotone(node: Node) -> Facts:
    """Ranges of relu, abs, maximum, minimum, where from their arguments'."""
    facts = [x.facts for x in node.inputs]
    f = facts[0]
    integer = all(x.integer for x in facts)
    if node.op == "relu":
        return Facts(max(f.lo, 0.0), max(f.hi, 0.0), f.positive, integer)
    if node.op == "abs":
        low = 0.0 if f.lo <= 0 <= f.hi else min(abs(f.lo), abs(f.hi))
        return Facts(low, max(abs(f.lo), abs(f.hi)), f.nonzero or low > 0, integer)
    if node.op == "where":
        _, a, b = facts
        return Facts(
            min(a.lo, b.lo), max(a.hi, b.hi), a.nonzero and b.nonzero, a.integer and b.integer
        )
    pick = max if node.op == "maximum" else min
    lo, hi = pick(x.lo for x in facts), pick(x.hi for x in facts)
    some = any(x.positive for x in facts) if node.op == "maximum" else False
    return Facts(lo, hi, all(x.nonzero for x in facts) or some, integer)


def _hypot(node: Node) -> Facts:
    """At least as large as each side."""
    sizes = [max(f.lo, -f.hi, 0.0) for f in (x.facts for x in node.inputs)]
    return Facts(max(sizes), nonzero=any(x.facts.nonzero for x in node.inputs))


def _exp(node: Node) -> Facts:
    (f,) = (x.facts for x in node.inputs)
    try:
        lo, hi = math.exp(f.lo), math.exp(f.hi)
    except OverflowError:
        lo, hi = 0.0, math.inf
    return Facts(lo, hi, nonzero=True)


def _pow(node: Node) -> Facts:
    base = node.inputs[0].facts
    return Facts(lo=0.0 if base.nonnegative else -math.inf, nonzero=base.positive)


def _softmax(node: Node) -> Facts:
    axes: tuple[int, ...] = node.attr("axes")
    return Facts(0.0, 1.0, sums=ones(axes) if len(axes) == 1 else NONE)


def _cast(node: Node) -> Facts:
    f = node.inputs[0].facts
    if node.inputs[0].dtype == "bool":
        return replace(f, lo=max(f.lo, 0.0), hi=min(f.hi, 1.0), integer=True)
    return f


def _one_hot(node: Node) -> Facts:
    """A row of one_hot sums to one only where its index is known to be in range."""
    idx = node.inputs[0]
    n, last = node.attr("n"), frozenset({node.ndim - 1})
    facts = Facts(0.0, 1.0, integer=True)
    if idx.op == "arange" and idx.attr("n") == n:
        return replace(facts, one_hot=last, sums=ones(last), symmetric=True)
    source = idx
    while source.op in ("reshape", "slice", "flip", "take"):
        source = source.inputs[0]
    if source.op == "input":
        declared = dict(source.attr("declared"))
        if declared.get("labels") == n and declared.get("ignore") is None:
            return replace(facts, one_hot=last, sums=ones(last))
    if idx.op == "constant" and isinstance(n, int) and idx.value.size:
        if idx.value.min() >= 0 and idx.value.max() < n:
            return replace(facts, one_hot=last, sums=ones(last))
    return facts


def _values_kept(node: Node) -> Facts:
    """Movement: the values are the first input's; what holds along axes is dropped."""
    return replace(node.inputs[0].facts, sums=NONE, one_hot=NONE, symmetric=False)


def _values_and_zero(node: Node) -> Facts:
    f = node.inputs[0].facts
    return Facts(min(f.lo, 0.0), max(f.hi, 0.0), integer=f.integer)


def _union(node: Node) -> Facts:
    facts = [x.facts for x in node.inputs]
    return Facts(
        min(f.lo for f in facts),
        max(f.hi for f in facts),
        all(f.nonzero for f in facts),
        all(f.integer for f in facts),
    )


def _take(node: Node) -> Facts:
    """Picking whole rows keeps what holds along the axes behind the picked one."""
    x, idx = node.inputs
    f, batch = x.facts, node.attr("batch")

    shift = idx.ndim - batch - 1
    sums = frozenset((a + shift, t) for a, t in f.sums if a > batch)
    one_hot = frozenset(a + shift for a in f.one_hot if a > batch)
    return replace(f, sums=sums, one_hot=one_hot, symmetric=False)


def _nothing(node: Node) -> Facts:
    return UNKNOWN


def _size(node: Node) -> Facts:
    size = node.attr("size")
    if isinstance(size, int):
        return Facts(float(size), float(size), size != 0, True)
    return Facts(lo=0.0, nonzero=True, integer=True)  # a mean over no rows is refused at run time


def _stacked(node: Node) -> Facts:
    """What holds at every step."""
    (value,) = node.attr("value").nodes
    facts: Facts = value.facts
    return replace(
        facts,
        sums=frozenset((axis + 1, total) for axis, total in facts.sums),
        one_hot=frozenset(axis + 1 for axis in facts.one_hot),
        symmetric=False,
    )


_RULES: dict[str, Callable[[Node], Facts]] = {
    "input": _leaf,
    "parameter": _nothing,
    "constant": _constant,
    "size": _size,
    "arange": lambda node: Facts(lo=0.0, integer=True),
    "add": facts_of_sum,
    "mul": facts_of_product,
    "cast": _cast,
    "contract": facts_of_contraction,
    "softmax": _softmax,
    "log_softmax": lambda node: Facts(hi=0.0),
    "logsumexp": _nothing,
    "one_hot": _one_hot,
    "max": _values_kept,
    "prod": _nothing,
    "cumsum": _nothing,
    "reshape": _values_kept,
    "slice": _values_kept,
    "flip": lambda node: node.inputs[0].facts,
    "pad": _values_and_zero,
    "concatenate": _union,
    "window": _values_kept,
    "overlap_add": _nothing,
    "take": _take,
    "scatter_add": _nothing,
    "stop_gradient": lambda node: node.inputs[0].facts,
    **dict.fromkeys(("bound", "loop", "final"), _nothing),
    "stacked": _stacked,
    **dict.fromkeys(SCALARS, _scalar),
    **dict.fromkeys(("relu", "abs", "where", "maximum", "minimum"), _monotone),
    "exp": _exp,
    "pow": _pow,
    "hypot": _hypot,
}

# Operations whose result says nothing of any input's declaration.
_OWN = frozenset({"parameter", "constant", "size", "arange", "softmax", "log_softmax", "stacked"})


def infer(node: Node) -> Facts:
    """The facts of a node from its operation and its inputs' facts."""
    facts = _RULES[node.op](node)
    if node.op == "input" or node.op in _OWN:
        return facts
    if node.op == "one_hot":
        idx = node.inputs[0]
        leaned = idx.facts.declared if facts.one_hot else NONE
        return replace(facts, declared=leaned)
    if facts is UNKNOWN or facts == UNKNOWN:
        return UNKNOWN
    declared = _declared(*(x.facts for x in node.inputs))
    return facts if declared == facts.declared else replace(facts, declared=declared)
