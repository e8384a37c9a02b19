"""Figures: what multiplying operands over named indices costs, apart from what the operands are.

A set of operands is a bit mask, so that the search over orders (:mod:`symdiff.simplify.order`)
deals in numbers.  The layers of a model bring the same problem many times over, on other nodes:
what does not hang on these is found out once.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

Indices: TypeAlias = tuple[int, ...]
Tree: TypeAlias = "int | tuple[Tree, Tree]"
#: A number of operations for each element of the space of a set of indices.
Work: TypeAlias = tuple[int, int]


class Figure:
    """What a network is apart from its operands' values: what costs and orders hang on.

    ``rows`` are the operands' indices, numbered as ``numbers`` lists what their sizes are taken to
    be, those of the result first; ``classes`` are equal for equal operands; ``picks`` says which
    may select.  Sets of operands are bit masks of their positions, sets of indices bit masks of
    theirs.  Networks of one figure share it (:func:`figure`), and so what was found out of it.
    """

    def __init__(
        self,
        rows: tuple[Indices, ...],
        classes: tuple[int, ...],
        picks: tuple[bool, ...],
        out: int,
        numbers: tuple[int, ...],
    ) -> None:
        self.rows = rows
        self.classes = classes
        self.picks = picks
        self.numbers = numbers
        self.leaf = [sum({1 << n for n in row}) for row in rows]
        self.out_bits = (1 << out) - 1
        self._volumes: dict[int, int] = {}
        self._needed: dict[int, int] = {}
        self._signatures: dict[int, int] = {}
        self._pair_costs: dict[tuple[int, int], int] = {}

    def volume(self, bits: int) -> int:
        """The product of the sizes of a set of indices."""
        if bits not in self._volumes:
            chosen = (number for n, number in enumerate(self.numbers) if bits >> n & 1)
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

    def colours(self, mask: int) -> list[int]:
        """Of each index, what it is in the product of a set of operands, but for what it joins."""
        keep = self.needed(mask)
        return [hash((number, keep >> n & 1)) for n, number in enumerate(self.numbers)]

    def signature(self, mask: int) -> int:
        """A number that is equal where products are the same array, up to the order of axes."""
        if mask not in self._signatures:
            inside = [i for i in range(len(self.rows)) if mask >> i & 1]
            members = [(self.classes[i], self.rows[i]) for i in inside]
            self._signatures[mask] = coloured(members, self.colours(mask))
        return self._signatures[mask]

    def held(self, mask: int) -> int:
        """The indices that a set of operands stands with before a step: a one-hot array all."""
        return self.leaf[mask.bit_length() - 1] if self.selects(mask) else self.needed(mask)

    @cached_property
    def alone(self) -> list[tuple[int, Work]]:
        """The operands that have indices that no other has, nor the result: summed first.

        Not one-hot arrays: they are not formed until a step needs them.
        """
        return [
            (i, (1, bits))
            for i, bits in enumerate(self.leaf)
            if not self.selects(1 << i) and self.volume(bits) != self.volume(self.needed(1 << i))
        ]

    def selects(self, mask: int) -> bool:
        """Whether the set is one operand that selects, and what it selects from is in use."""
        i = mask.bit_length() - 1
        if mask != 1 << i or not self.picks[i]:
            return False
        row = self.rows[i]
        return bool(self.needed(mask) >> row[-1] & 1) and len(set(row)) == len(row)

    def selection(self, a: int, b: int) -> tuple[str, int] | None:
        """How to multiply by a one-hot operand without forming it: the way, and which it is.

        *equal*: two of them over their last index tell whether their indices are equal; *take*:
        one over its last index picks from the other; *scatter*: one over its places, with the
        last index kept, adds the other's rows up.
        """
        keep = self.needed(a | b)
        for one, other in ((a, b), (b, a)):
            if not self.selects(one):
                continue
            last, have = 1 << self._last(one), self.held(other)
            if last & have and not last & keep:
                same = self.selects(other) and self._last(other) == self._last(one)
                return ("equal" if same else "take"), one
            places = self.held(one) & ~last
            if not last & have and not places & ~have and not (have & ~keep) & ~places:
                return "scatter", one
        return None

    def _last(self, mask: int) -> int:
        """The last index of one operand."""
        return self.rows[mask.bit_length() - 1][-1]

    def pair_work(self, a: int, b: int) -> list[Work]:
        """The arithmetic of multiplying two partial products, and summing what nobody needs.

        A one-hot array that does not select has to be formed.
        """
        keep, found = self.needed(a | b), self.selection(a, b)
        if found is None:
            have = self.needed(a) | self.needed(b)
            formed = [(1, self.held(m)) for m in (a, b) if self.selects(m)]
            return [*formed, self._times(have, keep)]
        have = (self.held(a) | self.held(b)) & ~(1 << self._last(found[1]))
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


#: The figure of that description; a deep model has few, and many networks of each.
figure = lru_cache(maxsize=4096)(Figure)


def coloured(members: Sequence[tuple[Hashable, Indices]], colours: Sequence[int]) -> int:
    """Operands and indices coloured by their neighbours' colours, three times over.

    What the indices are called does not matter, only what they join.  Operands that are all
    different have an order of their own, in which the indices are numbered.
    """
    if len({key for key, _ in members}) == len(members):
        place: dict[int, int] = {}
        ordered: list[Any] = sorted(members)
        joined: list[Hashable] = []
        for key, row in ordered:
            joined.append((key, *[place.setdefault(n, len(place)) for n in row]))
        return hash((*joined, *[colours[n] for n in place]))
    colour = dict(enumerate(colours))
    for _ in range(3):
        seen: dict[int, list[int]] = {}
        for key, row in members:
            own = hash((key, *(colour[n] for n in row)))
            for axis, n in enumerate(row):
                seen.setdefault(n, []).append(hash((own, axis)))
        colour = {n: hash((colour[n], *sorted(around))) for n, around in seen.items()}
    return hash(tuple(sorted(hash((key, *(colour[n] for n in row))) for key, row in members)))


def members(tree: Tree) -> int:
    """The operands of an order, as a set."""
    return 1 << tree if isinstance(tree, int) else members(tree[0]) | members(tree[1])


def pairs(tree: Tree) -> list[tuple[int, int]]:
    """The pairs of sets of operands that an order multiplies, inner ones first."""
    if isinstance(tree, int):
        return []
    left, right = tree
    return [*pairs(left), *pairs(right), (members(left), members(right))]
