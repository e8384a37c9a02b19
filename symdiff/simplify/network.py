"""Networks: operands over named indices; what multiplying sets of them costs, and how it is done.

A set of operands is a bit mask, so that the search over orders (:mod:`symdiff.simplify.order`)
deals in numbers; nodes are built for the order that is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symdiff.expr.algebra import scalar
from symdiff.expr.contraction import contract
from symdiff.expr.movement import scatter_add, take
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, full
from symdiff.expr.shapes import Size
from symdiff.expr.views import make_view, transpose

Indices: TypeAlias = tuple[int, ...]
Tree: TypeAlias = "int | tuple[Tree, Tree]"
Built: TypeAlias = tuple[Node, Indices]
#: A number of operations for each element of the space of a set of indices.
Work: TypeAlias = tuple[int, int]
#: The same in terms of the sizes: numbers of operations times products of sizes.
Price: TypeAlias = "list[tuple[int, tuple[Size, ...]]]"


@dataclass(frozen=True)
class Operand:
    """An operand and its indices.

    ``picks`` is set where the operand is ``one_hot(picks, n)`` with every index in range: a
    product with it over its last index is then a selection.
    """

    node: Node
    names: Indices
    picks: Node | None = None


class Network:
    """Operands over named indices, of which those of ``out`` remain.

    ``sizes`` gives the indices' sizes, ``numbers`` what these are taken to be in decisions.  Sets
    of operands are bit masks of their positions, sets of indices bit masks of theirs.
    """

    def __init__(
        self,
        operands: Sequence[Operand],
        out: Sequence[int],
        sizes: Mapping[int, Size],
        numbers: Mapping[int, int],
    ) -> None:
        self.operands = list(operands)
        self.out = tuple(out)
        self.sizes = sizes
        names = dict.fromkeys((*out, *(n for x in self.operands for n in x.names)))
        self.bit = {n: 1 << p for p, n in enumerate(names)}
        self.numbers = {n: numbers[n] for n in names}
        self.leaf = [self.bits(x.names) for x in self.operands]
        self.out_bits = self.bits(self.out)
        self._volumes: dict[int, int] = {}
        self._needed: dict[int, int] = {}
        self._signatures: dict[int, int] = {}
        self._pair_costs: dict[tuple[int, int], int] = {}

    def bits(self, names: Sequence[int]) -> int:
        """Indices as a set."""
        bits = 0
        for n in names:
            bits |= self.bit[n]
        return bits

    def volume(self, bits: int) -> int:
        """The product of the sizes of a set of indices."""
        if bits not in self._volumes:
            chosen = (self.numbers[n] for n, bit in self.bit.items() if bits & bit)
            self._volumes[bits] = math.prod(chosen)
        return self._volumes[bits]

    def needed(self, mask: int) -> int:
        """The indices that the product of a set of operands keeps: those used outside of it."""
        if mask not in self._needed:
            inside, outside = 0, self.out_bits
            for i, bits in enumerate(self.leaf):
                if mask >> i & 1:
                    inside |= bits
                else:
                    outside |= bits
            self._needed[mask] = inside & outside
        return self._needed[mask]

    def signature(self, mask: int) -> int:
        """A number that is equal where products are the same array, up to the order of axes."""
        if mask not in self._signatures:
            keep = self.needed(mask)
            colour = {n: hash((self.numbers[n], bool(keep & b))) for n, b in self.bit.items()}
            members = [x for i, x in enumerate(self.operands) if mask >> i & 1]
            self._signatures[mask] = _coloured(members, colour)
        return self._signatures[mask]

    def identity(self) -> int:
        """A number that is equal for networks with equal results, axis by axis."""
        place = {n: p for p, n in enumerate(self.out)}
        colour = {n: hash((self.numbers[n], place.get(n))) for n in self.bit}
        return _coloured(self.operands, colour)

    def held(self, mask: int) -> int:
        """The indices that a set of operands stands with before a step: a one-hot array all."""
        x = self.picker(mask)
        return self.needed(mask) if x is None else self.leaf[mask.bit_length() - 1]

    # What one step costs.

    def start_work(self, i: int) -> list[Work]:
        """Indices that only one operand has, and the result has not, are summed first.

        Not those of a one-hot array: it is not formed until a step needs it.
        """
        bits = self.leaf[i]
        if self.picker(1 << i) is not None:
            return []
        summed = self.volume(bits) != self.volume(self.needed(1 << i))
        return [(1, bits)] if summed else []

    def picker(self, mask: int) -> Operand | None:
        """The operand, where the set is one that selects, and what it selects from is in use."""
        i = mask.bit_length() - 1
        x = self.operands[i]
        if mask != 1 << i or x.picks is None or not self.bit[x.names[-1]] & self.needed(mask):
            return None
        return x if len(set(x.names)) == len(x.names) else None

    def selection(self, a: int, b: int) -> tuple[str, int] | None:
        """How to multiply by a one-hot operand without forming it: the way, and which it is.

        *equal*: two of them over their last index tell whether their indices are equal; *take*:
        one over its last index picks from the other; *scatter*: one over its places, with the
        last index kept, adds the other's rows up.
        """
        keep = self.needed(a | b)
        for one, other in ((a, b), (b, a)):
            x = self.picker(one)
            if x is None:
                continue
            last, have = self.bit[x.names[-1]], self.held(other)
            if last & have and not last & keep:
                y = self.picker(other)
                same = y is not None and y.names[-1] == x.names[-1]
                return ("equal" if same else "take"), one
            places = self.held(one) & ~last
            if not last & have and not places & ~have and not (have & ~keep) & ~places:
                return "scatter", one
        return None

    def pair_work(self, a: int, b: int) -> list[Work]:
        """The arithmetic of multiplying two partial products, and summing what nobody needs.

        A one-hot array that does not select has to be formed.
        """
        keep, found = self.needed(a | b), self.selection(a, b)
        if found is None:
            have = self.needed(a) | self.needed(b)
            formed = [(1, self.held(m)) for m in (a, b) if self.picker(m)]
            return [*formed, self._times(have, keep)]
        last = self.bit[self.operands[found[1].bit_length() - 1].names[-1]]
        have = (self.held(a) | self.held(b)) & ~last
        if found[0] == "scatter":  # the rows, and the zeros that they are added to
            return [(1, have), (1, keep)]
        return [self._times(have, keep)]

    def pair_cost(self, a: int, b: int) -> int:
        """The work of multiplying two partial products, as a number."""
        if (a, b) not in self._pair_costs:
            self._pair_costs[a, b] = self.cost(self.pair_work(a, b))
        return self._pair_costs[a, b]

    def _times(self, have: int, keep: int) -> Work:
        return 2 if self.volume(have & ~keep) > 1 else 1, have

    def cost(self, work: Sequence[Work]) -> int:
        """The work as a number."""
        return sum(times * self.volume(bits) for times, bits in work)

    def price(self, work: Sequence[Work]) -> Price:
        """The work in terms of the sizes."""
        return [
            (times, tuple(self.sizes[n] for n, bit in self.bit.items() if bits & bit))
            for times, bits in work
        ]

    # How it is done.

    def build(self, tree: Tree) -> Built:
        """The nodes of an order; the result has the indices of ``out`` that operands have."""
        if isinstance(tree, int):
            x = self.operands[tree]
            return self._summed([(x.node, x.names)], self.needed(1 << tree))
        left, right = (members(part) for part in tree)
        keep = self.needed(left | right)
        found = self.selection(left, right)
        if found is not None:
            way, one = found
            x, other = self.operands[one.bit_length() - 1], tree[1] if one == left else tree[0]
            if way == "equal":
                assert isinstance(other, int)
                return self._equal(x, self.operands[other], keep)
            y = self.build(other)
            return self._scatter(x, y, keep) if way == "scatter" else self._take(x, y, keep)
        parts = sorted(
            (self.build(part) for part in tree), key=lambda built: (built[0].digest, built[1])
        )
        return self._summed(parts, keep)

    def _summed(self, parts: Sequence[Built], keep: int) -> Built:
        """The product with only the indices ``keep``.

        They stand in the order of ``out`` if that has them all; else as in the part that has
        them all; else those that all parts have come first, as the leading axes of a product of
        stacks of matrices do, then rows, then columns, else by number.
        """
        kept = [[n for n in names if self.bit[n] & keep] for _, names in parts]
        seen = dict.fromkeys(n for own in kept for n in own)
        whole = next((own for own in kept if len(set(own)) == len(own) == len(seen)), None)
        shared = sorted(n for n in seen if all(n in own for own in kept))
        rows = self._rows(parts, keep)
        rest = sorted(seen, key=lambda n: (n not in rows, n))
        names = tuple(whole or dict.fromkeys((*shared, *rest)))
        if set(names) <= set(self.out):
            names = tuple(n for n in self.out if n in names)
        return contract([node for node, _ in parts], [own for _, own in parts], names), names

    def _rows(self, parts: Sequence[Built], keep: int) -> Indices:
        """The indices of the rows, where one of two factors sums over its last axis, one not."""
        if len(parts) != 2:
            return ()
        ends = [names != () and not self.bit[names[-1]] & keep for _, names in parts]
        return () if ends[0] == ends[1] else parts[ends.index(True)][1]

    def _arranged(self, built: Built, order: Sequence[int]) -> Node:
        return transpose(built[0], [built[1].index(n) for n in order])

    def _equal(self, x: Operand, y: Operand, keep: int) -> Built:
        assert x.picks is not None
        assert y.picks is not None
        names = tuple(dict.fromkeys((*x.names[:-1], *y.names[:-1])))
        shape = tuple(self.sizes[n] for n in names)
        if x.picks is y.picks and x.names == y.names:
            return self._summed([(full(shape, 1, x.node.dtype), names)], keep)
        sides = []
        for side in (x, y):
            assert side.picks is not None
            own = [self.sizes[n] if n in side.names else 1 for n in names]
            sides.append(make_view(side.picks, side.names[:-1], names, tuple(own)))
        return self._summed([(cast(scalar("eq", *sides), x.node.dtype), names)], keep)

    def _take(self, x: Operand, y: Built, keep: int) -> Built:
        assert x.picks is not None
        *places, last = x.names
        shared = [n for n in places if n in y[1]]
        own = [n for n in places if n not in y[1]]
        rest = [n for n in y[1] if n not in x.names]
        idx = self._arranged((x.picks, tuple(places)), [*shared, *own])
        taken = take(self._arranged(y, [*shared, last, *rest]), idx, len(shared))
        return self._summed([(taken, (*shared, *own, *rest))], keep)

    def _scatter(self, x: Operand, y: Built, keep: int) -> Built:
        assert x.picks is not None
        *places, last = x.names
        shared = [n for n in places if self.bit[n] & keep]
        added = [n for n in places if not self.bit[n] & keep]
        rest = [n for n in y[1] if n not in places]
        idx = self._arranged((x.picks, tuple(places)), [*shared, *added])
        rows = self._arranged(y, [*shared, *added, *rest])
        total = scatter_add(rows, idx, self.sizes[last], len(shared))
        return self._summed([(total, (*shared, last, *rest))], keep)


def _coloured(members: Sequence[Operand], colour: dict[int, int]) -> int:
    """Operands and indices coloured by their neighbours' colours, three times over.

    What the indices are called does not matter, only what they join.  Operands that are all
    different have an order of their own, in which the indices are numbered.
    """
    if len({x.node.digest for x in members}) == len(members):
        place: dict[int, int] = {}
        ordered = sorted(members, key=lambda x: x.node.digest)
        for x in ordered:
            for n in x.names:
                place.setdefault(n, len(place))
        joined = [(x.node.digest, *(place[n] for n in x.names)) for x in ordered]
        return hash((*joined, *(colour[n] for n in place)))
    for _ in range(3):
        seen: dict[int, list[int]] = {}
        for x in members:
            own = hash((x.node.digest, *(colour[n] for n in x.names)))
            for axis, n in enumerate(x.names):
                seen.setdefault(n, []).append(hash((own, axis)))
        colour = {n: hash((colour[n], *sorted(around))) for n, around in seen.items()}
    return hash(tuple(sorted(
        hash((x.node.digest, *(colour[n] for n in x.names))) for x in members
    )))  # fmt: skip


def members(tree: Tree) -> int:
    """The operands of an order, as a set."""
    return 1 << tree if isinstance(tree, int) else members(tree[0]) | members(tree[1])
