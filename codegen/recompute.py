"""Recomputation: values that are dropped where they are not read for long, and computed again.

A function that goes through a network forwards and backwards holds most at the turn.  Of what is
read behind it some is kept; the rest is made again, from what is kept, when it is read, and then
stays until nothing reads it.  So each value is made again at most once, and the price is at most
one more forward pass.  What to keep is tried out: cuts through the steps before the turn
(:mod:`codegen.segments`), with and without what takes no product to make; only what is cheap to
make; then as much is given back as there is room for.  The cheapest program that fits is taken,
priced by :mod:`codegen.costs`.  Where none fits, the turn of the best is the next to be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from codegen.footprint import Numbers
from codegen.program import COMPOUND, LEAVES, Program
from codegen.segments import Unit, choose_cuts
from codegen.tried import Tried, by_level, by_making, eagerly, written_out

#: How often the turn of a program is looked for.
MOST_TURNS = 4
#: Halvings of the range in which a number is looked for.
HALVINGS = 9
#: A price, over that of the program as it is, at which no other orders are tried.
ENOUGH = 1.34
#: What may not be done twice: the caller's function is called once.
_ONCE = frozenset({"asked", "entry"})


def made_again(program: Program, turn: int, kept: Collection[int]) -> Program:
    """The program in which steps behind the turn read no array from before it that is not kept.

    What they read of others is made again where it is read first.
    """
    steps = program.steps
    order = [*range(turn + 1)]  # which step stands at each place
    args = [steps[r].args for r in order]
    place = {r: r for r in order if _stays(program, r, kept)}
    for step in steps[turn + 1 :]:
        stack = [step.dest]
        while stack:
            register = stack[-1]
            missing = [a for a in steps[register].args if a not in place]
            if register in place:
                stack.pop()
            elif missing:
                stack += missing
            else:
                place[register] = len(order)
                order.append(stack.pop())
                args.append(tuple(place[a] for a in steps[register].args))
    return written_out(program, order, args, place)


def _stays(program: Program, register: int, kept: Collection[int]) -> bool:
    """Whether what a register holds is there behind the turn: kept, or no array."""
    base = program.steps[program.base(register)]
    if base.dest in kept:
        return True
    return base.action in LEAVES or (not base.shape and base.action not in COMPOUND)


def within(program: Program, numbers: Numbers, limit: int) -> Program:
    """The program with as little computed again as holds no more than ``limit`` bytes.

    ``numbers`` has one for each size.  Where no such program is found, the one of those tried
    that holds least.
    """
    before = Tried(program, numbers)
    if before.footprint.peak <= limit:
        return program
    found: list[Tried] = []
    start = eagerly(before)
    for order in (lambda same: same, by_level, by_making):
        tried = order(start)
        if tried is not start or not found:
            found.append(_reduced(tried, limit))
        fitting = [x for x in found if x.footprint.peak <= limit]
        if fitting and min(fitting, key=lambda x: x.price).price[0] <= ENOUGH * before.price[0]:
            break
    best = min(fitting, key=lambda x: x.price, default=None)
    return (best or min(found, key=lambda x: x.footprint.peak)).program


def _reduced(start: Tried, limit: int) -> Tried:
    """A program that fits, or else the one that holds least, its order as it is.

    Where much is held for long, one turn brings down a part of that, and the next another.
    """
    best = last = start
    for _ in range(MOST_TURNS):
        if best.footprint.peak <= limit:
            break
        better = _Turn(last, limit).best()
        if better.excess(limit) >= last.excess(limit):
            break
        last = better
        best = min(best, better, key=lambda x: x.footprint.peak)
    return best


@dataclass
class _Turn:
    """What can be dropped before the turn of a program, and what is to be gained by it."""

    before: Tried
    limit: int
    tried: dict[frozenset[int], Tried] = field(default_factory=dict)

    def __post_init__(self) -> None:
        footprint = self.before.footprint
        program = footprint.program
        self.turn = self.before.turn
        sizes, last, own = footprint.sizes, footprint.last, footprint.results
        forward = range(self.turn + 1)
        self.storages = [r for r in forward if sizes[r]]
        self.wanted = [
            r
            for r in self.storages
            if last[r] > self.turn and r not in own and program.steps[r].action not in _ONCE
        ]
        self.fixed = [r for r in self.storages if r in own or program.steps[r].action in _ONCE]
        read = dict.fromkeys(self.storages, -1)
        for step in program.steps[: self.turn + 1]:
            for arg in step.args:
                base = program.base(arg)
                if base in read:
                    read[base] = step.dest
        self.read = read

    @cached_property
    def cost(self) -> dict[int, int]:
        """Flops to have each wanted storage again, those it is made from being there."""
        program, flops = self.before.program, self.before.flops
        there = {*self.wanted, *self.fixed}
        total: dict[int, int] = {}
        for step in program.steps[: self.turn + 1]:
            below = {program.base(a) for a in step.args} - there
            total[step.dest] = flops[step.dest] + sum(total.get(r, 0) for r in below)
        return {r: total[r] for r in self.wanted}

    def keeping(self, kept: Collection[int]) -> Tried:
        """The program that keeps these."""
        key = frozenset(kept)
        if key not in self.tried:
            program = made_again(self.before.program, self.turn, {*kept, *self.fixed})
            self.tried[key] = Tried(program, self.before.numbers)
        return self.tried[key]

    def best(self) -> Tried:
        """The cheapest program that fits, or the one that holds least."""
        sizes = self.before.footprint.sizes
        cheap = {r for r in self.wanted if self.cost[r] <= LIGHT * sizes[r]}
        heavy = [r for r in self.wanted if r not in cheap]
        by_price = sorted(self.wanted, key=lambda r: self.cost[r] / sizes[r])
        choices = [self.dropping(by_price), self.dropping(self.wanted[::-1])]
        choices += map(self.by_cuts, [self.wanted, heavy] if cheap and heavy else [self.wanted])
        fitting = [kept for kept in choices if self.fits(kept)]
        if not fitting:
            return min(self.tried.values(), key=lambda x: x.excess(self.limit))
        return min((self.filled(kept) for kept in fitting), key=lambda x: x.price)

    def fits(self, kept: frozenset[int]) -> bool:
        """Whether the program that keeps these is within the limit."""
        return self.keeping(kept).footprint.peak <= self.limit

    def dropping(self, order: Sequence[int]) -> frozenset[int]:
        """What is kept if the first of an order are dropped, as many as need be."""
        return _least(len(order), lambda count: frozenset(order[count:]), self.fits)

    def by_cuts(self, wanted: Collection[int]) -> frozenset[int]:
        """What is kept with the widest cuts that fit."""
        footprint = self.before.footprint
        stash = {*wanted}
        units = [
            Unit(r, self.read[r], footprint.sizes[r], r in stash)
            for r in self.storages
            if r not in self.fixed
        ]
        total = sum(unit.size for unit in units if unit.wanted)
        end = self.turn + 1
        cuts: dict[int, frozenset[int] | None] = {}

        def kept(budget: int) -> frozenset[int] | None:
            if budget not in cuts:
                places = choose_cuts(units, end, budget)
                cuts[budget] = None if places is None else _crossing(units, places)
            return cuts[budget]

        # Budgets that are too small have no cuts, those that are too large do not fit.
        low, high = 0, total
        best = frozenset[int](stash)
        for _ in range(HALVINGS):
            middle = (low + high) // 2
            choice = kept(middle)
            if choice is None:
                low = middle
            elif self.fits(choice):
                best, low = choice, middle
            else:
                high = middle
        return best

    def filled(self, kept: frozenset[int]) -> Tried:
        """With as much kept besides as there is room for, what is dearest for its size first."""
        sizes = self.before.footprint.sizes
        order = sorted(
            (r for r in self.wanted if r not in kept), key=lambda r: (-self.cost[r] / sizes[r], -r)
        )
        most = len(order)
        more = _least(most, lambda count: kept.union(order[: most - count]), self.fits)
        return min((self.keeping(x) for x in (kept, more)), key=lambda x: x.price)


#: Flops a byte up to which an array counts as cheap to make: no product is among them.
LIGHT = 6


def _crossing(units: Sequence[Unit], places: Sequence[int]) -> frozenset[int]:
    """The storages that are read across one of the cuts, and what is made behind the last."""
    end = places[-1] if places else 0
    return frozenset(
        unit.made
        for unit in units
        if (unit.wanted and unit.made >= end) or any(unit.crosses(cut) for cut in places)
    )


def _least(
    most: int, choice: Callable[[int], frozenset[int]], fits: Callable[[frozenset[int]], bool]
) -> frozenset[int]:
    """The choice of the least number that fits, by halving; that of the largest if none does."""
    low, high = -1, most
    if not fits(choice(most)):
        return choice(most)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(choice(middle)):
            high = middle
        else:
            low = middle
    return choice(high)
