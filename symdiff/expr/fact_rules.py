"""How facts follow from an operation and its inputs' facts: one small rule an operation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

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


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _is_any(x: Node) -> bool:
    """Whether nothing is known of an array, not even that it is one number."""
    return x.facts is UNKNOWN and x.op != "constant"


def _add(node: Node) -> Facts:
    if any(map(_is_any, node.inputs)):
        return Facts(symmetric=True) if _is_symmetric_sum(node) else UNKNOWN
    constant: float = node.attr("constant")
    coefficients: tuple[float, ...] = node.attr("coefficients")
    lo = hi = constant
    integer = constant == math.floor(constant) if math.isfinite(constant) else False
    above = below = False  # some term is strictly off the bound
    for x, c in zip(node.inputs, coefficients, strict=True):
        f = x.facts
        lo += _times(c, f.lo) if c > 0 else _times(c, f.hi)
        hi += _times(c, f.hi) if c > 0 else _times(c, f.lo)
        integer = integer and f.integer and c == math.floor(c)
        above = above or (f.positive and c > 0)
        below = below or (f.positive and c < 0)
    nonzero = lo > 0 or hi < 0 or (lo >= 0 and above) or (hi <= 0 and below)
    if math.isnan(lo) or math.isnan(hi):
        lo, hi = -math.inf, math.inf
    sums = frozenset(
        (axis, total)
        for axis in range(node.ndim)
        if (total := _total(node, axis, coefficients, constant)) is not None
    )
    symmetric = _is_symmetric_sum(node)
    if constant == 0.5 and coefficients in ((0.5,), (-0.5,)):
        integer = node.inputs[0].facts.plus_minus_one  # (1 + y) / 2 is 0 or 1
    signs = (
        abs(constant) == 1 and coefficients == (-2 * constant,) and node.inputs[0].facts.zero_or_one
    )  # 1 - 2y and 2y - 1
    return Facts(lo, hi, nonzero or signs, integer, sums, symmetric=symmetric, plus_minus_one=signs)


def _total(node: Node, axis: int, coefficients: tuple[float, ...], constant: float) -> float | None:
    """The sum along an axis of an affine combination, where all its terms' are known."""
    n = node.shape[axis]
    if constant and not isinstance(n, int):
        return None
    total = constant * n if isinstance(n, int) else 0.0
    for x, c in zip(node.inputs, coefficients, strict=True):
        own = axis - (node.ndim - x.ndim)
        if own >= 0 and x.shape[own] == n:
            known = dict(x.facts.sums).get(own)
            if known is None:
                return None
            total += c * known
        elif isinstance(n, int) and _is_number(x):
            total += c * float(x.value.reshape(-1)[0]) * n
        else:
            return None
    return total


def _is_symmetric_sum(node: Node) -> bool:
    """Whether every term is symmetric, or has its transpose among the others, as often."""
    square = node.ndim == 2 and node.shape[0] == node.shape[1]
    if not square or any(x.shape != node.shape for x in node.inputs):
        return False
    terms = dict(zip(node.inputs, node.attr("coefficients"), strict=True))
    lone = [x for x in terms if not x.facts.symmetric]
    partner: dict[Node, Node] = {}
    for x in lone:
        other = _transposed(x)
        if other is not None:
            partner |= {x: other, other: x}
    return all(x in partner and terms.get(partner[x]) == terms[x] for x in lone)


def _transposed(x: Node) -> Node | None:
    """The matrix that a node is the transpose of."""
    if x.op != "contract" or len(x.inputs) != 1 or x.attr("indices")[0] != x.attr("out")[::-1]:
        return None
    return x.inputs[0] if len(set(x.attr("out"))) == 2 else None


def _is_symmetric_product(node: Node) -> bool:
    """Whether a contraction stays the same when the two axes of its result change places."""
    i, j = node.attr("out")
    swap = {i: j, j: i}
    pairs = list(zip(node.inputs, node.attr("indices"), strict=True))
    swapped = [(x, tuple(swap.get(n, n) for n in names)) for x, names in pairs]
    return all(pairs.count(p) == swapped.count(p) for p in pairs)


def _is_number(node: Node) -> bool:
    return node.op == "constant" and node.value.size == 1


def _power_of(f: Facts, e: float) -> tuple[float, float, bool]:
    """Bounds and nonzero of x**e."""
    whole = e == math.floor(e)
    if whole and e % 2 == 0:
        nonzero = f.nonzero or f.lo > 0 or f.hi < 0 or e < 0
        size = max(abs(f.lo), abs(f.hi))
        if e > 0:
            small = 0.0 if f.lo <= 0 <= f.hi else min(abs(f.lo), abs(f.hi))
            return _power(small, e), _power(size, e), nonzero
        return 0.0, math.inf, True
    if e > 0:
        if not whole or f.lo >= 0:
            return _power(max(f.lo, 0.0), e), _power(max(f.hi, 0.0), e), f.nonzero or f.lo > 0
        return -_power(-f.lo, e), (_power(f.hi, e) if f.hi >= 0 else 0.0), f.nonzero
    if f.lo >= 0 or not whole:
        return 0.0, math.inf, True
    return -math.inf, math.inf, True


def _power(x: float, e: float) -> float:
    try:
        return float(x**e)
    except OverflowError:
        return math.inf


def _is_any_product(node: Node) -> bool:
    """Whether nothing can be known of a product: of a factor nothing is, and none is 0 throughout.

    A factor that is a scalar says nothing of symmetry.
    """
    some = False
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        some = some or (e == 1 and x.ndim > 0 and _is_any(x))
        if x.facts.lo == x.facts.hi:
            return False
    return some and bool(node.attr("coefficient"))


def _mul(node: Node) -> Facts:
    if _is_any_product(node):
        return UNKNOWN
    coefficient: float = node.attr("coefficient")
    lo = hi = coefficient
    nonzero = coefficient != 0
    integer = coefficient == math.floor(coefficient) if math.isfinite(coefficient) else False
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        a, b, nz = (x.facts.lo, x.facts.hi, x.facts.nonzero) if e == 1 else _power_of(x.facts, e)
        if a == -math.inf and b == math.inf and (lo or hi):
            lo, hi = a, b
        else:
            corners = [_times(lo, a), _times(lo, b), _times(hi, a), _times(hi, b)]
            lo, hi = min(corners), max(corners)
        nonzero = nonzero and nz
        integer = integer and x.facts.integer and e >= 0 and e == math.floor(e)
    sums: frozenset[tuple[int, float]] = NONE
    if len(node.inputs) == 1 and node.attr("exponents") == (1.0,):
        sums = frozenset((a, coefficient * t) for a, t in node.inputs[0].facts.sums)
    plus_minus = abs(coefficient) == 1 and all(x.facts.plus_minus_one for x in node.inputs)
    symmetric = all(x.facts.symmetric or x.ndim == 0 for x in node.inputs)
    symmetric = symmetric and node.ndim == 2
    return Facts(
        lo, hi, nonzero, integer, sums, symmetric=symmetric, plus_minus_one=plus_minus
    )  # fmt: skip


def _is_nonnegative_product(node: Node) -> bool:
    """Whether what a contraction sums is a product of nonnegative values and of squares."""
    lone = [x for x in node.inputs if not x.facts.nonnegative]
    if lone and len(set(lone)) == len(lone) and all(x.op != "mul" for x in lone):
        return False
    count: dict[tuple[Node, tuple[int, ...]], float] = {}
    sign = 1.0
    for operand, names in zip(node.inputs, node.attr("indices"), strict=True):
        if operand.facts.nonnegative:
            continue
        factors = [(operand, 1.0)]
        if operand.op == "mul":
            sign *= operand.attr("coefficient")
            factors = list(zip(operand.inputs, operand.attr("exponents"), strict=True))
        for x, e in factors:
            if not x.facts.nonnegative:
                own = (x, names[len(names) - x.ndim :])
                count[own] = count.get(own, 0.0) + e
    return sign > 0 and all(e % 2 == 0 for e in count.values())


def _contract(node: Node) -> Facts:
    facts = [x.facts for x in node.inputs]
    if node.is_view and facts[0] is UNKNOWN and node.inputs[0].op != "mul":
        return UNKNOWN
    repeated = len(facts) > 1 and len(set(node.inputs)) < len(facts)
    nonnegative = _is_nonnegative_product(node)
    if len(facts) > 1 and not repeated and not nonnegative and not any(f.sums for f in facts):
        return UNKNOWN  # no operand is another's mirror image
    out: tuple[int, ...] = node.attr("out")
    indices: tuple[tuple[int, ...], ...] = node.attr("indices")
    kept = set(out)
    summed = {i for names in indices for i in names if i not in kept}
    if len(facts) == 1 and not summed:
        (f,), (names,) = facts, indices
        if len(set(names)) == len(names):  # a view: transpose, expand, broadcast
            return replace(
                f,
                sums=frozenset((out.index(names[a]), t) for a, t in f.sums if names[a] in out),
                one_hot=frozenset(out.index(names[a]) for a in f.one_hot if names[a] in out),
                symmetric=f.symmetric and len(out) == 2 and set(names) == set(out),
            )
        return replace(f, sums=NONE, one_hot=NONE, symmetric=False)
    symmetric = repeated and len(out) == 2 and _is_symmetric_product(node)
    if not nonnegative and not symmetric and all(f is UNKNOWN or f.sums == NONE for f in facts):
        return UNKNOWN if len(facts) > 1 else Facts(nonzero=False, integer=facts[0].integer)
    result = Facts(lo=0.0 if nonnegative else -math.inf, symmetric=symmetric)
    if len(facts) == 1:
        (f,), (names,) = facts, indices
        reduced = [a for a, name in enumerate(names) if name in summed]
        totals = dict(f.sums)
        if len(reduced) == 1 and reduced[0] in totals and len(set(names)) == len(names):
            total = totals[reduced[0]]
            return Facts(total, total, nonzero=total != 0)
        return replace(result, nonzero=f.positive, integer=f.integer)
    # sum_k w[.., k] p[k, ..]: rows of w that sum to one, of rows p that sum to one, do so again.
    if len(facts) == 2 and len(summed) == 1:
        (k,) = summed
        one = set()
        for first, second in ((0, 1), (1, 0)):
            w, p = indices[first], indices[second]
            if k not in w or k not in p or w.index(k) not in facts[first].sums_to_one:
                continue
            for axis in facts[second].sums_to_one:
                if p[axis] in kept and p[axis] not in w:
                    one.add(out.index(p[axis]))
        result = replace(result, sums=ones(one))
    return replace(result, nonzero=nonnegative and all(f.positive for f in facts))


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
    "add": _add,
    "mul": _mul,
    "cast": _cast,
    "contract": _contract,
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
