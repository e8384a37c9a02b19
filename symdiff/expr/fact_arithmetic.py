"""Facts of sums, products and contractions: ranges, signs, known sums and symmetry."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from symdiff.expr.facts import NONE, UNKNOWN, Facts, ones

if TYPE_CHECKING:
    from symdiff.expr.node import Node


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _is_any(x: Node) -> bool:
    """Whether nothing is known of an array, not even that it is one number."""
    return x.facts is UNKNOWN and x.op != "constant"


def facts_of_sum(node: Node) -> Facts:
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


def facts_of_product(node: Node) -> Facts:
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


def facts_of_contraction(node: Node) -> Facts:
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
