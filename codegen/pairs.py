"""Which pairs of factors and terms the products and sums of a program have in common.

See :mod:`codegen.common`.  Factors to a small power stand as often as it says, below the line as
above it.  A number in front of a product is a factor, also where the sum that reads it has it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from codegen.lowering import MOST_OPERANDS
from codegen.program import Program, Step
from symdiff.expr.shapes import Shape

#: What is multiplied or added up: a register, a pair (numbered behind the registers) or a number
#: (below 0), with its exponent or coefficient.
Unit = tuple[int, float]
#: Units of a product, or of its inverse; of a sum, or of any multiple of it.
Pair = tuple[str, Unit, Unit]

_MOST = 3  # the power of a factor that is written as so many factors
_NORMS = ("hypot", "hypot_reduce")  # the squares of which may overflow


@dataclass
class Item:
    """What is still to be multiplied or added up of a step, apart from its ``rest``.

    ``rest`` are operands that are not paired: Python numbers and truth values.
    """

    kind: str
    units: Counter[Unit]
    rest: list[Unit]
    shape: Shape
    sign: float = 1.0

    def has(self, pair: Pair) -> float | None:
        """The exponent or coefficient of a pair in it; None if it has not got it."""
        _, a, b = pair
        if self.kind == "add":
            c = next((c for x, c in self.units if x == a[0]), None)
            return c if c is not None and self.units[b[0], c * b[1]] else None
        for e in (1.0, -1.0) if a[1] == b[1] == 1 else (1.0,):
            ours, other = (a[0], a[1] * e), (b[0], b[1] * e)
            if self.units[ours] > (ours == other) and self.units[other]:
                return e
        return None

    def take(self, pair: Pair, whole: int) -> list[float]:
        """Put a whole in the places of a pair; the exponents or coefficients that it has there."""
        _, a, b = pair
        found = []
        while (e := self.has(pair)) is not None:
            for x, k in (a, b):
                self.units[x, k * e] -= 1
            self.units += Counter()  # drops what is used up
            self.units[whole, e] += 1
            found.append(e)
        return found


@dataclass
class Parts:
    """The items of a program, by register, and the pairs that have been put in their places."""

    program: Program
    items: dict[int, Item] = field(default_factory=dict)
    chosen: list[Pair] = field(default_factory=list)
    scales: list[list[float]] = field(default_factory=list)
    numbers: dict[float, int] = field(default_factory=dict)
    moved: dict[int, float] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    multiples: set[tuple[int, int]] = field(default_factory=set)
    scaled: set[int] = field(default_factory=set)
    multiple_sums: dict[int, tuple[int, float]] = field(default_factory=dict)
    holders: dict[Pair, dict[int, None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.multiple_sums = _multiple_sums(self.program)
        readers, results = self.program.readers, set(self.program.results.values())
        # What multiples of a sum read as well, only the sum's other readers are known to.
        results |= {first for first, _ in self.multiple_sums.values()}
        alone = {x for x, users in readers.items() if len(users) == 1 and x not in results}
        for step in self.program.steps:
            if step.action in ("add", "mul") and not step.weak:
                self.items[step.dest] = self._item(step, alone)
        self.multiples = set(self._multiples())
        for item in list(self.items.values()):
            if item.kind == "add":
                self._move_numbers(item, alone)
        for x in [x for x in self.items if x not in alone and x not in results]:
            self._take_number(x, readers[x])
        for item in list(self.items.values()):
            if item.kind == "mul":
                self._spread_number(item, alone)

    def _multiples(self) -> Iterator[tuple[int, int]]:
        """The numbers, with what is wanted multiplied by them alone."""
        for item in self.items.values():
            numbers = [(x, y) for x, e in item.units for y, k in item.units
                       if x < 0 and y >= 0 and e == k == 1]  # fmt: skip
            if item.kind == "mul" and item.units.total() == 2 and not item.rest:
                yield from numbers
            if item.kind == "add":
                yield from ((self.number(abs(c)), x) for x, c in item.units if x >= 0)

    def _item(self, step: Step, alone: set[int]) -> Item:
        steps, item = self.program.steps, Item(step.action, Counter(), [], step.shape)
        for arg, e in zip(step.args, step.detail(_WEIGHTS[step.action]), strict=True):
            inner = self.items.get(arg)
            if steps[arg].weak or steps[arg].dtype != step.dtype:
                item.rest.append((arg, e))
            elif item.kind == "add" or e % 1 or abs(e) > _MOST:
                item.units[arg, e] += 1
            elif arg in self.multiple_sums and (e == 1 or abs(self.multiple_sums[arg][1]) == 1):
                first, ratio = self.multiple_sums[arg]
                item.units[first, 1.0 if e > 0 else -1.0] += int(abs(e))
                item.sign *= -1.0 if ratio < 0 and e % 2 else 1.0
                if abs(ratio) != 1:
                    item.units[self.number(abs(ratio)), 1.0] += 1
            elif abs(e) == 1 and arg in alone and inner and self._opens(inner, step, item):
                del self.items[arg]
                self.inside.add(arg)
                item.sign *= inner.sign
                item.units.update({(x, k * e): n for (x, k), n in inner.units.items()})
            else:
                item.units[arg, 1.0 if e > 0 else -1.0] += int(abs(e))
        if item.kind == "add":
            if step.detail("constant"):
                item.units[self.number(1.0), step.detail("constant")] += 1
            return item
        size = abs(step.detail("coefficient"))
        item.sign *= 1.0 if step.detail("coefficient") > 0 else -1.0
        if any(steps[arg].weak for arg, _ in item.rest):
            item.sign *= size  # numbers are multiplied with numbers
        elif size != 1:
            item.units[self.number(size), 1.0] += 1
        return item

    def _opens(self, inner: Item, step: Step, item: Item) -> bool:
        """Whether a product may be multiplied out in the one that alone reads it."""
        if inner.kind == "add" or inner.rest or inner.shape != step.shape:
            return False
        ours = {*step.args, *(x for x, _ in item.units)}
        size = len(step.args) + item.units.total() + inner.units.total()
        return size <= MOST_OPERANDS and ours.isdisjoint(x for x, _ in inner.units if x >= 0)

    def number(self, value: float) -> int:
        """What stands for a number."""
        return self.numbers.setdefault(value, -1 - len(self.numbers))

    def _move_numbers(self, item: Item, alone: set[int]) -> None:
        """Let products have the coefficients that a sum gives them, which alone reads them.

        Terms with one coefficient are better multiplied together, unless it is multiplied by
        one of their factors anyway.
        """
        groups: dict[float, list[Unit]] = {}
        for x, c in item.units:
            if x >= 0 and abs(c) != 1:
                groups.setdefault(abs(c), []).append((x, c))
        for size, group in groups.items():
            number = self.number(size)
            free = [x for x, _ in group if x in alone and self._takes_a_number(x)]
            if len(group) > 1:
                there = {x for x, _ in group if self._has_multiple(x, number, free)}
                if len(there) < len(group) or len(free) < len(group) - 1:
                    continue
            for x, c in group:
                if x in free:
                    del item.units[x, c]
                    item.units[x, 1.0 if c > 0 else -1.0] += 1
                    self.items[x].units[number, 1.0] += 1
                    self.multiples.discard((number, x))
                    self.moved[x] = size

    def _spread_number(self, item: Item, alone: set[int]) -> None:
        """3 - 3 x for 3 (1 - x), where 3 x is there."""
        numbers = [(x, e) for x, e in item.units.elements() if x < 0]
        if len(numbers) != 1 or numbers[0][1] != 1:
            return
        ((number, _),) = numbers
        size = next(value for value, place in self.numbers.items() if place == number)
        for x, e in item.units:
            once = e == 1 and item.units[x, e] == 1  # a square holds what it is of twice
            total = self.items.get(x) if once and x in alone else None
            if total is None or total.kind == "mul" or total.rest:
                continue
            terms = [(y, c) for y, c in total.units if y >= 0]
            free = [y for y, _ in terms if y in alone and self._takes_a_number(y)]
            if all(abs(c) == 1 and self._has_multiple(y, number, free) for y, c in terms):
                total.units = Counter({(y, c * size): n for (y, c), n in total.units.items()})
                del item.units[number, 1.0]
                self.scaled.add(x)
                self.multiples.discard((number, x))
                self._move_numbers(total, alone)
                return

    def _take_number(self, x: int, readers: Iterable[int]) -> None:
        """Let a product have the number by which all products that read it multiply it."""
        users = [self.items.get(user) for user in readers]
        products = [
            user for user in users if user and user.kind == "mul" and user.units[x, 1.0] == 1
        ]
        found = {tuple(unit for unit in user.units.elements() if unit[0] < 0) for user in products}
        numbers = next(iter(found), ())
        if len(products) < len(users) or len(found) != 1 or len(numbers) != 1:
            return
        (unit,) = numbers
        if unit[1] != 1 or not self._takes_a_number(x):
            return
        for user in products:
            del user.units[unit]
        self.items[x].units[unit] += 1
        self.scaled.add(x)

    def _has_multiple(self, x: int, number: int, free: list[int]) -> bool:
        """Whether a multiple of the value, or of one of its factors, is wanted by itself."""
        factors = [y for y, e in self.items[x].units if e == 1] if x in free else []
        return any((number, y) in self.multiples for y in (x, *factors))

    def _takes_a_number(self, x: int) -> bool:
        """Whether a value is a product without a number of its own."""
        item = self.items.get(x)
        if item is None or item.kind == "add" or abs(item.sign) != 1:
            return False
        return not any(y < 0 for y, _ in item.units)

    def pair(self, kind: str, a: Unit, b: Unit) -> Pair | None:
        """Two units, whatever their inverse or multiple; None if they are not to be paired."""
        a, b = min(a, b), max(a, b)
        if kind == "add":
            ratio = b[1] / a[1] if a[1] else 0.0
            return (kind, (a[0], 1.0), (b[0], ratio)) if ratio and a[1] * ratio == b[1] else None
        steps = self.program.steps
        if a == b and 0 <= a[0] < len(steps) and steps[a[0]].action in _NORMS:
            return None
        inverse = a[1] == b[1] == -1
        return (kind, (a[0], 1.0), (b[0], 1.0)) if inverse else (kind, a, b)

    def choose(self) -> None:
        """Take pairs while some are in two items, those of the most items first."""
        for dest, item in self.items.items():
            twice = [(u, u) for u, often in item.units.items() if often > 1]
            for a, b in [*combinations(sorted(item.units), 2), *twice]:
                self._note(dest, self.pair(item.kind, a, b))
        heap = [self._rank(pair) for pair, where in self.holders.items() if len(where) > 1]
        heapq.heapify(heap)
        while heap:
            count, _, pair = heapq.heappop(heap)
            where = [x for x in self.holders[pair] if self.items[x].has(pair) is not None]
            self.holders[pair] = dict.fromkeys(where)
            new = [pair] if len(where) < -count else self._take(pair, where)
            for each in new:
                if len(self.holders[each]) > 1:
                    heapq.heappush(heap, self._rank(each))

    def _rank(self, pair: Pair) -> tuple[int, bool, Pair]:
        """Those of the most items first; before those that are multiplied by numbers, those not."""
        kind, _, (_, weight) = pair
        return -len(self.holders[pair]), kind == "add" and abs(weight) != 1, pair

    def _note(self, dest: int, pair: Pair | None) -> None:
        if pair is not None:
            self.holders.setdefault(pair, {})[dest] = None

    def _take(self, pair: Pair, where: Iterable[int]) -> Iterable[Pair]:
        """Put the pair in its places; what it may be paired with in turn."""
        whole = len(self.program.steps) + len(self.chosen)
        self.chosen.append(pair)
        self.scales.append([])
        found: dict[Pair, None] = {}
        for dest in where:
            item = self.items[dest]
            exponents = item.take(pair, whole)
            self.scales[-1] += exponents
            for unit in item.units:
                for e in set(exponents):
                    own = (whole, e)
                    if unit != own or item.units[own] > 1:
                        new = self.pair(item.kind, own, unit)
                        if new is not None:
                            self._note(dest, new)
                            found[new] = None
        return found


def _multiple_sums(program: Program) -> dict[int, tuple[int, float]]:
    """The sums that are a whole multiple of another, perhaps a later one: which, how often it."""
    groups: dict[object, list[tuple[float, int]]] = {}
    for step in program.steps:
        if step.action == "add" and not step.weak:
            pairs = sorted(zip(step.args, step.detail("coefficients"), strict=True))
            size, constant = pairs[0][1], step.detail("constant")
            ratios = tuple((x, c / size) for x, c in pairs), constant / size, step.dtype
            groups.setdefault(ratios, []).append((size, step.dest))
    found: dict[int, tuple[int, float]] = {}
    for group in groups.values():
        least, first = min(group, key=lambda each: abs(each[0]))
        for size, dest in group:
            if dest != first and size / least % 1 == 0:
                found[dest] = first, size / least
    return found


_WEIGHTS = {"add": "coefficients", "mul": "exponents"}
