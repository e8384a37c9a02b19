"""In which order to evaluate a contraction of several operands, pair by pair.

The search is over all orders for up to ``EXHAUSTIVE`` operands.  What it minimises is the cost of
the *distinct* intermediate results: two pairs that compute the same array under other index
names, as the two copies of G in ‖G‖² do, are paid for once.  A path optimiser that prices both
chooses wrongly between Gram and instantiated forms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from symdiff.expr.algebra import cast, full, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.movement import scatter_add, take
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size
from symdiff.expr.views import make_view, transpose

EXHAUSTIVE = 8

Indices: TypeAlias = tuple[int, ...]
Tree: TypeAlias = "int | tuple[Tree, Tree]"
Built: TypeAlias = tuple[Node, Indices]


@dataclass(frozen=True)
class Operand:
    """An operand and its indices.

    ``picks`` is set where the operand is ``one_hot(picks, n)`` with every index in range: a
    product with it over its last index is then a selection.
    """

    node: Node
    names: Indices
    picks: Node | None = None


@dataclass(frozen=True)
class Plan:
    """An order, what it costs, and the signatures of everything that it computes."""

    cost: int
    tree: Tree
    computed: frozenset[int]


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
        self.leaf = [self._bits(x.names) for x in self.operands]
        self.out_bits = self._bits(self.out)
        self._volumes: dict[int, int] = {}
        self._needed: dict[int, int] = {}
        self._signatures: dict[int, int] = {}

    def _bits(self, names: Sequence[int]) -> int:
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
        """A number that is equal for sets of operands whose products are the same array,

        up to the order of axes.
        """
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

    # What one step costs.

    def start_cost(self, i: int) -> int:
        """Indices that only one operand has, and the result has not, are summed first."""
        bits = self.leaf[i]
        summed = self.volume(bits) != self.volume(self.needed(1 << i))
        return self.volume(bits) if summed else 0

    def picker(self, mask: int) -> Operand | None:
        """The operand, where the set is one that selects, with all its indices still in use."""
        i = mask.bit_length() - 1
        x = self.operands[i]
        if mask != 1 << i or x.picks is None or self.needed(mask) != self.leaf[i]:
            return None
        return x if len(set(x.names)) == len(x.names) else None

    def selection(self, a: int, b: int) -> tuple[str, Operand] | None:
        """How to multiply by a one-hot operand without forming it: the way, and the operand.

        *equal*: two of them over their last index tell whether their indices are equal; *take*:
        one over its last index picks from the other; *scatter*: one over its places, with the
        last index kept, adds the other's rows up.
        """
        keep = self.needed(a | b)
        for one, other in ((a, b), (b, a)):
            x = self.picker(one)
            if x is None:
                continue
            last, have = self.bit[x.names[-1]], self.needed(other)
            if last & have and not last & keep:
                y = self.picker(other)
                return ("equal" if y is not None and y.names[-1] == x.names[-1] else "take"), x
            places = self.needed(one) & ~last
            if not last & have and not places & ~have and not (have & ~keep) & ~places:
                return "scatter", x
        return None

    def pair_cost(self, a: int, b: int) -> int:
        """The arithmetic of multiplying two partial products, and summing what nobody needs."""
        have, keep = self.needed(a) | self.needed(b), self.needed(a | b)
        found = self.selection(a, b)
        if found is not None:
            last = self.bit[found[1].names[-1]]
            if found[0] == "scatter":
                return self.volume(have & ~last)
            have &= ~last
        return self.volume(have) * (2 if self.volume(have & ~keep) > 1 else 1)

    # How it is done.

    def build(self, tree: Tree) -> Built:
        """The nodes of an order; the result has the indices of ``out`` that operands have."""
        if isinstance(tree, int):
            x = self.operands[tree]
            return self._summed([(x.node, x.names)], self.needed(1 << tree))
        left, right = (_mask(part) for part in tree)
        keep = self.needed(left | right)
        found = self.selection(left, right)
        if found is not None:
            way, x = found
            other = tree[1] if tree[0] == self.operands.index(x) else tree[0]
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
        """The product with only the indices ``keep``: in the order of ``out`` if those are the

        result's.  Else they stand as in the part that has them all, if one has; else those that all parts have
        come first, as the leading axes of a product of stacks of matrices do.
        """
        kept = [[n for n in names if self.bit[n] & keep] for _, names in parts]
        seen = dict.fromkeys(n for own in kept for n in own)
        whole = next((own for own in kept if len(set(own)) == len(own) == len(seen)), None)
        shared = [n for n in seen if all(n in own for own in kept)]
        names = tuple(whole or dict.fromkeys((*shared, *seen)))
        if set(names) <= set(self.out):
            names = tuple(n for n in self.out if n in names)
        return contract([node for node, _ in parts], [own for _, own in parts], names), names

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

    What the indices are called does not matter, only what they join.
    """
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


def _mask(tree: Tree) -> int:
    return 1 << tree if isinstance(tree, int) else _mask(tree[0]) | _mask(tree[1])


def best_order(network: Network, known: Set[int] = frozenset()) -> Plan:
    """The cheapest order, where results whose signatures are ``known`` cost nothing."""
    start, seen = 0, set()
    for i in range(len(network.operands)):
        signature = network.signature(1 << i)
        cost = network.start_cost(i)
        if cost and signature not in known and signature not in seen:
            start += cost
            seen.add(signature)
    if len(network.operands) < 2:
        return Plan(start, 0, frozenset(seen))
    search = _Search(network, known)
    if len(network.operands) > EXHAUSTIVE:
        search.follow(_greedy_path(network), start, frozenset(seen))
    else:
        leaves: list[tuple[int, Tree]] = [(1 << i, i) for i in range(len(network.operands))]
        search.run(leaves, start, frozenset(seen), (0, 0), 0)
    assert search.best is not None
    return search.best


class _Search:
    """Depth first over pairs, cheapest pair first; what costs as much as the best is cut off."""

    def __init__(self, network: Network, known: Set[int]) -> None:
        self.network, self.known = network, known
        self.best: Plan | None = None

    def step(self, a: int, b: int, seen: frozenset[int]) -> tuple[int, int]:
        signature = self.network.signature(a | b)
        if signature in seen or signature in self.known:
            return 0, signature
        return self.network.pair_cost(a, b), signature

    def run(
        self,
        parts: list[tuple[int, Tree]],
        cost: int,
        seen: frozenset[int],
        last: tuple[int, int],
        made: int,
    ) -> None:
        """Independent pairs commute: a pair that could have come before the last one must not

        come after it if its key is smaller.
        """
        if len(parts) == 1:
            if self.best is None or cost < self.best.cost:
                self.best = Plan(cost, parts[0][1], seen)
            return
        pairs = []
        for j, (b, _) in enumerate(parts):
            for i, (a, _) in enumerate(parts[:j]):
                key = (max(a, b), min(a, b))
                if made not in (a, b) and key < last:
                    continue
                price, signature = self.step(a, b, seen)
                pairs.append((price, key, i, j, signature))
        for price, key, i, j, signature in sorted(pairs):
            if self.best is not None and cost + price >= self.best.cost:
                break
            (a, left), (b, right) = parts[i], parts[j]
            rest = [part for k, part in enumerate(parts) if k not in (i, j)]
            self.run([*rest, (a | b, (left, right))], cost + price, seen | {signature}, key, a | b)

    def follow(self, path: Sequence[Sequence[int]], cost: int, seen: frozenset[int]) -> None:
        """The cost of a given path, as opt_einsum writes them."""
        parts: list[tuple[int, Tree]] = [(1 << i, i) for i in range(len(self.network.operands))]
        for places in path:
            chosen = [parts[i] for i in places]
            parts = [part for i, part in enumerate(parts) if i not in places]
            while len(chosen) > 1:
                (a, left), (b, right) = chosen.pop(0), chosen.pop(0)
                price, signature = self.step(a, b, seen)
                cost, seen = cost + price, seen | {signature}
                chosen.insert(0, (a | b, (left, right)))
            parts.append(chosen[0])
        self.best = Plan(cost, parts[0][1], seen)


def _greedy_path(network: Network) -> list[tuple[int, ...]]:
    from opt_einsum.paths import greedy

    inputs = [set(x.names) for x in network.operands]
    path: list[tuple[int, ...]] = greedy(inputs, set(network.out), network.numbers)
    return path
