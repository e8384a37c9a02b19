"""Networks: operands over named indices, and how multiplying them is done.

What it costs is a matter of their figure (:mod:`symdiff.simplify.figure`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from symdiff.expr.algebra import scalar
from symdiff.expr.contraction import contract
from symdiff.expr.movement import scatter_add, take
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, full
from symdiff.expr.records import record
from symdiff.expr.shapes import Size
from symdiff.expr.views import make_view, transpose
from symdiff.simplify.figure import Indices, Tree, Work, coloured, figure, members

#: What a product is made of.
Nodes: TypeAlias = frozenset[object]
Built: TypeAlias = tuple[Node, Indices]
#: The same in terms of the sizes: numbers of operations times products of sizes.
Price: TypeAlias = "list[tuple[int, tuple[Size, ...]]]"


@record(frozen=True, slots=True)
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

    ``sizes`` gives the indices' sizes, ``numbers`` what these are taken to be in decisions.
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
        names = dict.fromkeys((*out, *[n for x in self.operands for n in x.names]))
        self.place = {n: p for p, n in enumerate(names)}
        self.numbers = {n: numbers[n] for n in names}
        classes: dict[bytes, int] = {}
        self.figure = figure(
            tuple([tuple([self.place[n] for n in x.names]) for x in self.operands]),
            tuple([classes.setdefault(x.node.digest, len(classes)) for x in self.operands]),
            tuple([x.picks is not None for x in self.operands]),
            len(self.out),
            tuple(self.numbers.values()),
        )
        self._signatures: dict[int, int] = {}
        self._nodes: dict[int, Nodes] = {}

    def bits(self, names: Sequence[int]) -> int:
        """Indices as a set."""
        bits = 0
        for n in names:
            bits |= 1 << self.place[n]
        return bits

    def nodes(self, mask: int) -> Nodes:
        """What a product is made of: nodes, with how many there are of each if of some are more."""
        found = self._nodes.get(mask)
        if found is None:
            inside = [x.node for i, x in enumerate(self.operands) if mask >> i & 1]
            found = frozenset(inside)
            if len(found) < len(inside):
                found = frozenset(Counter(inside).items())
            self._nodes[mask] = found
        return found

    def signature(self, mask: int) -> int:
        """A number that is equal where products are the same array, up to the order of axes."""
        if mask not in self._signatures:
            rows = self.figure.rows
            inside = [i for i in range(len(rows)) if mask >> i & 1]
            members = [(self.operands[i].node.digest, rows[i]) for i in inside]
            self._signatures[mask] = coloured(members, self.figure.colours(mask))
        return self._signatures[mask]

    def identity(self) -> int:
        """A number that is equal for networks with equal results, axis by axis."""
        numbers = enumerate(self.numbers.values())
        place = len(self.out)
        colours = [hash((number, n if n < place else None)) for n, number in numbers]
        members = zip(self.operands, self.figure.rows, strict=True)
        return coloured([(x.node.digest, row) for x, row in members], colours)

    def price(self, work: Sequence[Work]) -> Price:
        """The work in terms of the sizes."""
        return [
            (times, tuple(self.sizes[n] for n, p in self.place.items() if bits >> p & 1))
            for times, bits in work
        ]

    # How it is done.

    def build(self, tree: Tree) -> Built:
        """The nodes of an order; the result has the indices of ``out`` that operands have."""
        if isinstance(tree, int):
            x = self.operands[tree]
            return self._summed([(x.node, x.names)], self.figure.needed(1 << tree))
        left, right = (members(part) for part in tree)
        keep = self.figure.needed(left | right)
        found = self.figure.selection(left, right)
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
        kept = [[n for n in names if keep >> self.place[n] & 1] for _, names in parts]
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
        ends = [names != () and not keep >> self.place[names[-1]] & 1 for _, names in parts]
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
        shared = [n for n in places if keep >> self.place[n] & 1]
        added = [n for n in places if not keep >> self.place[n] & 1]
        rest = [n for n in y[1] if n not in places]
        idx = self._arranged((x.picks, tuple(places)), [*shared, *added])
        rows = self._arranged(y, [*shared, *added, *rest])
        total = scatter_add(rows, idx, self.sizes[last], len(shared))
        return self._summed([(total, (*shared, last, *rest))], keep)
