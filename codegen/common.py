"""What sums and products have in common, computed once: how single formulas are spelled.

A sum or product of a graph is one node, however many terms or factors it has, and NumPy takes two
at a time.  So of ``a b c`` beside ``a b d`` the pair a b is multiplied once, and so for terms:
``a + 2 b`` and ``3 a + 6 b`` are multiples of one sum.  The pair that most have is taken first,
then the next, until no two share any; each spares as many calls as have it, less its own.
(Greedy: which pairs are best is a hard question, and formulas are short.)  So it matters less to
what a formula costs how its products are nested.  For arrays of networks, where sizes count and not
calls, there is :mod:`codegen.sharing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from codegen.builder import Builder, rewritten
from codegen.pairs import Item, Parts, Unit
from codegen.program import Program, Step
from symdiff.expr.shapes import Shape, broadcast_shapes


def common_parts(program: Program) -> Program:
    """The program with what its sums and products have in common computed once."""
    parts = Parts(program)
    parts.choose()
    return _Writing(program, parts).run()


class _Writing:
    """The program written out again, each pair where it is first needed."""

    def __init__(self, program: Program, parts: Parts) -> None:
        self.program, self.parts = program, parts
        self.values = {place: value for value, place in parts.numbers.items()}
        self.builder = Builder("")
        self.place: dict[int, int] = {}
        self.kept: dict[int, float] = {}  # numbers that a sum multiplies its terms by after all
        self.multiples: dict[int, float] = {}  # by what the values of pairs are multiplied

    def run(self) -> Program:
        program, builder, place = self.program, self.builder, self.place
        for step in program.steps:
            if step.dest in self.parts.inside:
                continue
            item = self.parts.items.get(step.dest)
            if step.dest in place:  # a product has needed it before
                pass
            elif item is None:
                args = tuple([place[arg] for arg in step.args])
                place[step.dest] = builder.append(step.moved(step.dest, args))
            else:
                place[step.dest] = self.made(self.settled(step.dest, item), step)
            is_node = step.dest not in self.parts.moved or step.dest in self.kept
            if is_node and step.dest not in self.parts.scaled and step.dest in program.nodes:
                builder.nodes.setdefault(place[step.dest], program.nodes[step.dest])
        return rewritten(program, builder, place)

    def settled(self, dest: int, item: Item) -> Item:
        """The item, with a number given back to the sum that it came from if it found no pair."""
        number = self.parts.moved.get(dest)
        if number is not None and item.units[self.parts.numbers[number], 1.0]:
            item.units[self.parts.numbers[number], 1.0] = 0
            self.kept[dest] = number
        return item

    def made(self, item: Item, like: Step) -> int:
        """The register of a sum or product."""
        return self.total(item, like) if item.kind == "add" else self.product(item, like)

    def at(self, x: int, like: Step) -> int:
        """The register of what a unit is of."""
        if x not in self.place and x < len(self.program.steps):
            step = self.program.steps[x]  # a sum of which one that stands before is a multiple
            self.place[x] = self.made(self.settled(x, self.parts.items[x]), step)
        if x not in self.place:
            kind, a, b = self.parts.chosen[x - len(self.program.steps)]
            if kind == "add":
                plain = abs(b[1]) == 1 and all(self.multiple(y, like) == 1 for y, _ in (a, b))
                scales = self.parts.scales[x - len(self.program.steps)]
                size = self.multiples[x] = 1.0 if plain else _multiple(scales)
                a, b = (a[0], size), (b[0], size * b[1])
            self.place[x] = self.made(Item(kind, Counter((a, b)), [], like.shape), like)
        return self.place[x]

    def multiple(self, x: int, like: Step) -> float:
        """By what the value that is had of a unit is multiplied."""
        if x >= 0:
            self.at(x, like)
        return self.multiples.get(x, 1.0)

    def product(self, item: Item, like: Step) -> int:
        factors: dict[int, float] = {}
        number = item.sign
        for x, e in item.units.elements():
            if x < 0:
                number *= self.values[x] ** e
            else:
                register = self.at(x, like)
                factors[register] = factors.get(register, 0.0) + e
        for x, e in item.rest:
            factors[self.place[x]] = factors.get(self.place[x], 0.0) + e
        return self.multiplied(factors, number, like)

    def multiplied(self, factors: dict[int, float], number: float, like: Step) -> int:
        if number == 1 and list(factors.values()) == [1.0]:
            return next(iter(factors))
        return self.builder.emit(
            "mul",
            list(factors),
            shape=self.shape(factors),
            dtype=like.dtype,
            exponents=tuple(factors.values()),
            coefficient=number,
        )

    def total(self, item: Item, like: Step) -> int:
        """A sum, with c (a + b) for c a + c b."""
        groups: dict[float, list[Unit]] = {}
        terms = [(x, c) for x, c in item.units.elements() if x >= 0]
        constant = sum(c for x, c in item.units.elements() if x < 0)
        for x, c in [*terms, *item.rest]:
            register = self.at(x, like)
            c = c * self.kept.get(x, 1.0) / self.multiples.get(x, 1.0)
            groups.setdefault(abs(c), []).append((register, c))
        pairs: list[Unit] = []
        for size, group in groups.items():
            if size == 1 or len(group) < 2:
                pairs += group
                continue
            turned = -1.0 if all(c < 0 for _, c in group) else 1.0
            inner = self.added([(x, turned * c / size) for x, c in group], 0.0, like)
            pairs.append((inner, turned * size))
        if len(pairs) < sum(map(len, groups.values())):
            pairs.sort(key=lambda pair: pair[1] < 0)
        return self.added(pairs, constant, like)

    def added(self, pairs: list[Unit], constant: float, like: Step) -> int:
        if len(pairs) == 1 and not constant:
            return self.multiplied({pairs[0][0]: 1.0}, pairs[0][1], like)
        return self.builder.emit(
            "add",
            [register for register, _ in pairs],
            shape=self.shape(register for register, _ in pairs),
            dtype=like.dtype,
            coefficients=tuple(c for _, c in pairs),
            constant=constant,
        )

    def shape(self, registers: Iterable[int]) -> Shape:
        return broadcast_shapes(*(self.builder.steps[register].shape for register in registers))


def _multiple(scales: list[float]) -> float:
    """Which multiple of a pair of terms is computed: the one wanted most, 1 if it is not exact."""
    often = Counter(map(abs, scales))
    size = min(often, key=lambda c: (-often[c], c != 1, c))
    exact = all(c / size * size == c for c in scales)
    return size if exact else 1.0
