"""The measure that every rewrite decreases, which is why rewriting ends.

(Rules that only lone formulas get may raise it: there the budget alone sees to an end.)

Five numbers, compared in that order, each a polynomial interpretation (what a node counts itself
plus what its inputs count, more than once below squares, exponentials and logarithms):

1. *functions*: what is computed besides sums and products, weighted so that naive spellings weigh
   more than the composites that replace them, with a surcharge for what overflows or cancels;
   what a condition asks about does not count;
2. *contractions* that sum or multiply;
3. *operands* of sums, products and contractions, and leaves; twice below contractions and indexing;
4. *form*: numbers, signs, what stands inside of abs, and see :mod:`symdiff.simplify.form`;
5. *size*: nodes.

Every reading counts, so that sharing plays no part.  What a node counts for being made of another
it counts where views and reshapes stand between the two as well: they move outward.  (The numbers
are huge for deep graphs; they are computed in debug mode only.)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from symdiff.expr.graph import toposort
from symdiff.expr.loops import LOOP_READERS
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS
from symdiff.expr.views import is_view
from symdiff.simplify.form import form
from symdiff.simplify.hidden import hidden, weights
from symdiff.simplify.parts import below_movement, is_constant_along
from symdiff.simplify.terms import matched_axes

Measure: TypeAlias = tuple[int, ...]

_WEIGHTS = {
    "pow": 20,
    "log": 14,
    "log1p": 13,
    "exp": 10,
    "expm1": 9,
    "logsumexp": 8,
    "sigmoid": 8,
    "softplus": 8,
    "softmax": 8,
    "log_softmax": 8,
    "tanh": 8,
    "erf": 7,
    "hypot": 0,
    "max": 4,
    "where": 4,
    "scatter_add": 3,
    "overlap_add": 3,
    "one_hot": 3,
    "take": 2,
    **dict.fromkeys(("abs", "relu", "cast"), 1),
    **dict.fromkeys(("add", "mul", "reshape", "slice", "flip", "pad", "window"), 0),
    "stop_gradient": 0,
}
_OTHER = 6
_TIMES = {"exp": 2, "expm1": 2, "pow": 2, "log": 3, "log1p": 3}
_OF_WEIGHTS = 7  # which may become exponentials of their logarithms
_LOGARITHMS = ("log", "log1p", "softplus", "log_softmax")
_MOST = 6  # of a power, that counts
_SHIFTED = ("softmax", "log_softmax", "logsumexp")


def measure(node: Node) -> Measure:
    """The measure of a node."""
    total: dict[Node, Measure] = {}
    found: dict[Node, _Divisors] = {}
    for each in toposort([node]):
        sums = [_functions(each) + hidden(each), int(_sums(each)), _operands(each), _form(each), 1]
        if each.op == "abs":
            sums[3] += sum(total[each.inputs[0]][3:])
        asks = OPS[each.op].elementwise and each.dtype == "bool"
        for k, x in zip(_times(each), each.inputs, strict=True):
            below = (0, *total[x][1:]) if asks else total[x]
            sums = [own + k * inner for own, inner in zip(sums, below, strict=True)]
            sums[2] += total[x][2] if _sums(each) or each.op == "take" else 0
        found[each] = _divisors(each, found)
        for x in found[each].own:
            sums = [own + inner for own, inner in zip(sums, total[x], strict=True)]
        total[each] = tuple(sums)
    return total[node]


def _times(node: Node) -> list[int]:
    """How often each input counts."""
    if node.op in LOOP_READERS:  # leaves to what is around the loop
        return [0]
    if node.op in _SHIFTED:
        return [1 + _shifts(node)]
    if node.op == "exp" and (z := _core(node.inputs[0])).op == "mul":
        (x, *more), c = z.inputs, z.attr("coefficient")
        if not more and _core(x).op in _LOGARITHMS:  # of a multiple of a logarithm: a power
            return [min(max(2, math.ceil(abs(c))), _MOST)]
    if node.op == "contract":
        return [_OF_WEIGHTS if found else 1 for found in weights(node)]
    if node.op != "mul":
        return [_TIMES.get(node.op, 1)] * len(node.inputs)
    return [_often(x, e) for x, e in zip(node.inputs, node.attr("exponents"), strict=True)]


@dataclass(frozen=True, slots=True)
class _Divisors:
    """The sums that a node divides by; those that a sum counts once more, itself or below."""

    all: frozenset[Node] = frozenset()
    counted: frozenset[Node] = frozenset()
    own: frozenset[Node] = frozenset()


def _divisors(node: Node, found: Mapping[Node, _Divisors]) -> _Divisors:
    """Quotients' divisors, which the numerator of two quotients has as factors.

    Where two terms of a sum have some, these count once more: in the outermost sum or in one that
    it could take in or was gathered from.
    """
    if not (node.op in ("add", "mul") or _sums(node) or _core(node) is not node):
        return _Divisors()
    exponents = node.attr("exponents") if node.op == "mul" else [1.0] * len(node.inputs)
    pairs = list(zip(node.inputs, exponents, strict=True))
    inner = [found[x] for x, e in pairs if e > 0]
    below = frozenset(x for x, e in pairs if e < 0 and _core(x).op == "add")
    every = below.union(*(each.all for each in inner))
    counted = frozenset[Node]().union(*(each.counted for each in inner))
    if node.op != "add" or sum(bool(each.all) for each in inner) < 2:
        return _Divisors(every, counted)
    return _Divisors(every, every | counted, every - counted)


def _often(x: Node, e: float) -> int:
    """How often a factor x**e counts."""
    x = _core(x)
    if x.op == "hypot":  # that has its sides once, and a sum of squares twice
        return min(math.ceil(abs(e)), 2 * _MOST)
    if x.op in ("add", "mul", "exp") and (e < 0 or e % 1):  # sums perhaps of squares
        return max(min(math.ceil(2 * abs(e)), 2 * _MOST), 1 + (x.op != "add"))
    return max(min(math.ceil(abs(e)), _MOST), 1)


def _core(x: Node) -> Node:
    """What views and reshapes are of; anything else itself."""
    return below_movement(x)[0]


def _functions(node: Node) -> int:
    if OPS[node.op].leaf or node.op in LOOP_READERS or is_view(node):
        return 0
    return _WEIGHTS.get(node.op, _OTHER) + _surcharge(node)


def _surcharge(node: Node) -> int:
    """For what cancels, or hides a simpler form."""
    if node.op == "mul":
        roots: list[tuple[Node, float]] = list(
            zip(node.inputs, node.attr("exponents"), strict=True)
        )
        return 5 * sum(_core(x).op == "mul" and e != int(e) for x, e in roots)
    if node.op in ("log", "abs") and (x := _core(node.inputs[0])).op == "mul":
        return 5 if node.op == "log" else len(x.inputs) + (x.attr("coefficient") != 1)
    return _shifts(node) if node.op in _SHIFTED else 0


def _shifts(node: Node) -> int:
    """The terms inside a softmax or logsumexp that are constant along its axes."""
    z, axes = _with_axes(node.inputs[0], node.attr("axes"))
    sums = [z] if z.op == "add" else []
    if z.op == "mul":
        factors = dict(zip(z.inputs, z.attr("exponents"), strict=True))
        varying = [x for x in factors if not is_constant_along(x, axes, z.ndim)]
        sums = [x for x in varying if x.op == "add" and factors[x] == 1 and len(varying) == 1]
    fixed = 0
    for x in sums:
        along = [a - z.ndim + x.ndim for a in axes]
        fixed += sum(is_constant_along(term, along, x.ndim) for term in x.inputs)
        fixed += bool(x.attr("constant"))
    return fixed


def _with_axes(z: Node, axes: Iterable[int]) -> tuple[Node, Collection[int]]:
    """What views and reshapes are of that leave some axes whole, and where it has these."""
    axes = set(axes)
    while z.op in ("reshape", "flip") or is_view(z):
        if is_view(z):
            (names,), out = z.attr("indices"), z.attr("out")
            axes = {names.index(out[a]) for a in axes if out[a] in names}
        elif z.op == "reshape":
            groups = matched_axes(z.inputs[0].shape, z.shape)
            if any(0 < len(axes & {*after}) < len(after) for _, after in groups):
                break
            axes = {a for before, after in groups if axes & {*after} for a in before}
        (z,) = z.inputs
    return z, axes


def _operands(node: Node) -> int:
    if OPS[node.op].leaf or node.op in LOOP_READERS:
        return 0 if number_of(node) is not None else 2
    if node.op == "add":
        scale = abs(node.attr("constant"))
        shared = scale not in (0, 1) and all(abs(c) == scale for c in node.attr("coefficients"))
        return len(node.inputs) + bool(scale) + 2 * shared
    if node.op == "mul":
        exponents: tuple[float, ...] = node.attr("exponents")
        powers = sum(min(int(e), _MOST) if e >= 2 else 1 for e in exponents)
        return powers if len(exponents) > 1 or exponents[0] >= 2 else 0
    if node.op == "hypot":
        return 2
    if node.op == "where":  # what multiples are chosen from is better multiplied
        return 4 * sum(x.op == "mul" and bool(x.attr("coefficient") != 1) for x in node.inputs)
    if _sums(node):
        return max(2, len(node.inputs))
    return 2 * all(x.op == "constant" for x in node.inputs)  # which could be one


def _sums(node: Node) -> bool:
    return node.op == "contract" and not is_view(node)


def _form(node: Node) -> int:
    numbers: tuple[float, ...] = ()
    if node.op == "add":
        numbers = (*node.attr("coefficients"), node.attr("constant") or 1.0)
    elif node.op == "mul":
        numbers = (node.attr("coefficient"), *node.attr("exponents"))
    return form(node) + sum((abs(c) != 1) + (c < 0) for c in numbers)
