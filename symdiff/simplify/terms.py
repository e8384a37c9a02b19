"""Sums of products over named indices: nodes taken apart into what contractions multiply.

A node is *factored* where none of the arrays that it is made of has all of its axes, such as an
outer product or a matrix product: it can be larger than all of them, so that a contraction over it
may be cheaper without forming it.  :class:`Expander` writes such a node as a sum of terms, each a
product of operands over indices.  Products, sums, contractions and views are crossed by
definition; movements along single axes (slice, pad, flip, and reshapes of axes that one factor
has) move onto the factors that have the axis; ``scatter_add`` is a product with a one-hot array.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import lru_cache
from itertools import product
from typing import TypeAlias

from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.movement import flip, one_hot, pad, reshape, slice_
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of, size_node
from symdiff.expr.records import record
from symdiff.expr.shapes import Shape, Size, shape_size
from symdiff.expr.views import transpose
from symdiff.simplify.figure import Indices
from symdiff.simplify.network import Operand

ON_AXES = ("slice", "pad", "flip")
OPENED = frozenset({"add", "mul", "contract", "reshape", "scatter_add", *ON_AXES})


@record(frozen=True, slots=True)
class Term:
    """``coefficient`` times the product of the operands, summed over ``sums``."""

    coefficient: float
    operands: tuple[Operand, ...]
    sums: frozenset[int] = frozenset()

    def times(self, other: Term) -> Term:
        """The product of two terms; the same index is the same index."""
        return Term(
            self.coefficient * other.coefficient,
            self.operands + other.operands,
            self.sums | other.sums,
        )


def real_axes(x: Node) -> set[int]:
    """The axes of a node along which it does not merely repeat, seen through a view."""
    if not x.is_view:
        return {a for a, size in enumerate(x.shape) if size != 1}
    (names,) = x.attr("indices")
    return {a for a, n in enumerate(x.attr("out")) if n in names and x.shape[a] != 1}


def is_factored(node: Node, known: Container[Node]) -> bool:
    """Whether no operand has all of the node's axes, given the factored ones among them."""
    if node.op in ("reshape", *ON_AXES) or (node.op == "contract" and len(node.inputs) == 1):
        return node.inputs[0] in known
    if node.op == "scatter_add":
        batch = node.attr("batch")  # one row for one place: the one-hot array is as large
        return bool(node.ndim > batch + 1 or node.inputs[1].ndim > batch)
    wide = {a for a, size in enumerate(node.shape) if size != 1}
    if node.op == "add":  # beside an array as large, the others might as well be formed
        rest = [x for x in node.inputs if _core(x) not in known]
        smaller = ({a + node.ndim - x.ndim for a in real_axes(x)} < wide for x in rest)
        return len(rest) < len(node.inputs) and all(smaller)
    if node.op == "mul":
        pairs = zip(node.inputs, node.attr("exponents"), strict=True)
        return all(
            (e in (1, 2) and _core(x) in known)
            or (len(node.inputs) > 1 and {a + node.ndim - x.ndim for a in real_axes(x)} < wide)
            for x, e in pairs
        )
    if node.op == "contract":
        out = {n for n, size in zip(node.attr("out"), node.shape, strict=True) if size != 1}
        return all(
            x in known or not out <= set(names)
            for x, names in zip(node.inputs, node.attr("indices"), strict=True)
        )
    return False


@lru_cache(maxsize=4096)  # asked of the terms of long sums, again and again
def stays_factored(node: Node, depth: int = 6) -> bool:
    """Whether a node is factored, as seen from a few nodes below it."""
    levels = [[node]]
    for _ in range(depth):
        below = (_core(x) for y in levels[-1] for x in y.inputs)
        levels.append([x for x in dict.fromkeys(below) if x.op in OPENED])
    known: set[Node] = set()
    for level in reversed(levels):
        known.update(x for x in level if x.op in OPENED and is_factored(x, known))
    return node in known


def _core(x: Node) -> Node:
    return x.inputs[0] if x.is_view else x


class Expander:
    """Takes apart the nodes in ``opened``, a ``root`` and all views, giving each index a number.

    ``sizes`` collects the sizes of the indices handed out, ``placed`` the indices that each node
    taken apart was given.
    """

    def __init__(self, opened: Container[Node], root: Node | None = None) -> None:
        self.opened = opened
        self.root = root
        self.sizes: dict[int, Size] = {}
        self.placed: dict[Node, list[Indices]] = {}

    def index(self, size: Size) -> int:
        """A new index."""
        name = len(self.sizes)
        self.sizes[name] = size
        return name

    def expand(self, node: Node, names: Indices) -> list[Term]:
        """The node, whose axes have the given indices, as a sum of terms."""
        number = number_of(node)
        if number is not None:
            return [Term(number, ())]
        if node.is_view or node is self.root or node in self.opened:
            self.placed.setdefault(node, []).append(names)
            found = _RULES[node.op](self, node, names)
            if found is not None:
                return found
        return [Term(1.0, (Operand(node, names),))]

    def contraction(self, node: Node, names: Indices) -> list[Term]:
        """A contraction whose result has the given indices: the product of its operands."""
        rename = dict(zip(node.attr("out"), names, strict=True))
        fresh: set[int] = set()
        factors = []
        for x, own in zip(node.inputs, node.attr("indices"), strict=True):
            for n, size in zip(own, x.shape, strict=True):
                if n not in rename:
                    rename[n] = self.index(size)
                    fresh.add(rename[n])
            factors.append(self.expand(x, tuple(rename[n] for n in own)))
        first = Term(1.0, (), frozenset(fresh))
        return [first.times(term) for term in _multiplied(factors)]

    def _aligned(self, x: Node, names: Indices) -> Indices:
        """The indices of an operand of an elementwise node; axes of size 1 have their own."""
        own = names[len(names) - x.ndim :]
        return tuple(
            self.index(1) if size == 1 and self.sizes[n] != 1 else n
            for n, size in zip(own, x.shape, strict=True)
        )

    def _add(self, node: Node, names: Indices) -> list[Term]:
        terms = [Term(node.attr("constant"), ())] if node.attr("constant") else []
        for x, c in zip(node.inputs, node.attr("coefficients"), strict=True):
            inner = self.expand(x, self._aligned(x, names))
            terms += [Term(c, ()).times(term) for term in inner]
        return terms

    def _mul(self, node: Node, names: Indices) -> list[Term] | None:
        if node.attr("coefficient") == 1 and node.attr("exponents")[0] not in (1, 2):
            if len(node.inputs) == 1:
                return None  # a power is taken apart into itself
        factors = []
        for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
            if e not in (1, 2):
                x, e = power_product([(x, e)]), 1
            factors += [self.expand(x, self._aligned(x, names)) for _ in range(int(e))]
        first = Term(node.attr("coefficient"), ())
        return [first.times(term) for term in _multiplied(factors)]

    def _scatter_add(self, node: Node, names: Indices) -> list[Term]:
        (g, idx), batch = node.inputs, node.attr("batch")
        if not idx.facts.nonnegative:  # indices from the end
            n = node.attr("n")
            end = idx + (n if isinstance(n, int) else size_node(n))
            idx = scalar("where", scalar("lt", idx, 0), end, idx)
        places = tuple(self.index(size) for size in idx.shape[batch:])
        hot = one_hot(idx, node.attr("n"), node.dtype)
        lead = names[:batch] + places
        picks = Operand(hot, (*lead, names[batch]), idx)
        first = Term(1.0, (picks,), frozenset(places))
        return [first.times(term) for term in self.expand(g, lead + names[batch + 1 :])]

    def _on_axes(self, node: Node, names: Indices) -> list[Term] | None:
        """A movement along single axes, done to every factor that has the axis."""
        (x,) = node.inputs
        moved = [a for a in range(x.ndim) if _moves(node, a)]
        inner = tuple(self.index(x.shape[a]) if a in moved else names[a] for a in range(x.ndim))
        terms = self.expand(x, inner)
        for a in moved:
            if node.op == "pad" and not all(_has(term, inner[a]) for term in terms):
                return None
            terms = [
                Term(t.coefficient, tuple(
                    _along(node, a, operand, inner[a], names[a]) for operand in t.operands
                ), t.sums)
                for t in terms
            ]  # fmt: skip
        return terms

    def _reshape(self, node: Node, names: Indices) -> list[Term] | None:
        """Groups of axes reshaped in every factor that has them; each must have all or none."""
        (x,) = node.inputs
        inner: list[int] = [-1] * x.ndim
        changes: list[tuple[Indices, Indices]] = []
        for before, after in matched_axes(x.shape, node.shape):
            if len(before) == len(after) == 1:
                inner[before[0]] = names[after[0]]
                continue
            for a in before:
                inner[a] = self.index(x.shape[a])
            changes.append((tuple(inner[a] for a in before), tuple(names[a] for a in after)))
        terms = self.expand(x, tuple(inner))
        for old, new in changes:
            for term in terms:
                if not all(_regroups(o.names, old) for o in term.operands):
                    return None
            terms = [
                Term(t.coefficient, tuple(self._regroup(o, old, new) for o in t.operands), t.sums)
                for t in terms
            ]
        return terms

    def _regroup(self, operand: Operand, old: Indices, new: Indices) -> Operand:
        if not set(old) & set(operand.names):
            return operand
        rest = [n for n in operand.names if n not in old]
        moved = transpose(operand.node, [operand.names.index(n) for n in (*rest, *old)])
        shape = tuple(self.sizes[n] for n in (*rest, *new))
        return Operand(reshape(moved, shape), (*rest, *new))


def _multiplied(factors: Sequence[list[Term]]) -> list[Term]:
    terms = []
    for chosen in product(*factors):
        term = Term(1.0, ())
        for factor in chosen:
            term = term.times(factor)
        terms.append(term)
    return terms


def _has(term: Term, name: int) -> bool:
    return any(name in operand.names for operand in term.operands)


def _regroups(names: Indices, group: Indices) -> bool:
    """Whether an operand has all of the indices, each once, or none."""
    have = [n for n in names if n in group]
    return not have or len(have) == len(set(have)) == len(group)


def _moves(node: Node, axis: int) -> bool:
    if node.op == "flip":
        return axis in node.attr("axes")
    if node.op == "pad":
        return bool(node.attr("padding")[axis] != (0, 0, 0))
    return bool(node.attr("ranges")[axis] != (0, node.inputs[0].shape[axis], 1))


def _along(node: Node, axis: int, operand: Operand, old: int, new: int) -> Operand:
    """The movement of one axis of a node, done to an operand's axis of that index."""
    x = operand.node
    places = [a for a, n in enumerate(operand.names) if n == old]
    if not places:
        return operand
    if node.op == "flip":
        moved = flip(x, places)
    elif node.op == "pad":
        own = node.attr("padding")[axis]
        moved = pad(x, [own if a in places else (0, 0, 0) for a in range(x.ndim)])
    else:
        own = node.attr("ranges")[axis]
        moved = slice_(x, [own if a in places else (0, s, 1) for a, s in enumerate(x.shape)])
    return Operand(moved, tuple(new if n == old else n for n in operand.names))


def matched_axes(old: Shape, new: Shape) -> list[tuple[Indices, Indices]]:
    """The axes of a reshape's operand and result in the smallest groups of equal size."""
    groups, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        options = (
            (i + a, j + total - a)
            for total in range(1, len(old) + len(new) + 1)
            for a in range(total + 1)
        )
        i2, j2 = next(
            ((a, b) for a, b in options
             if a <= len(old) and b <= len(new) and shape_size(old[i:a]) == shape_size(new[j:b])),
            (len(old), len(new)),
        )  # fmt: skip
        groups.append((tuple(range(i, i2)), tuple(range(j, j2))))
        i, j = i2, j2
    return groups


Rule: TypeAlias = "Callable[[Expander, Node, Indices], list[Term] | None]"
_RULES: dict[str, Rule] = {
    "contract": Expander.contraction,
    "add": Expander._add,
    "mul": Expander._mul,
    "scatter_add": Expander._scatter_add,
    "reshape": Expander._reshape,
    **dict.fromkeys(ON_AXES, Expander._on_axes),
}
