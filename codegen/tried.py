"""Programs at given sizes: what they hold and what they take, in this order of steps or another.

All orders in which steps come behind what they read compute the same; how much is held at a time
hangs on the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush

from codegen.footprint import Footprint, Numbers
from codegen.program import COMPOUND, LEAVES, VIEWS, Program, Step
from symdiff.expr.node import Node

#: A result that is at most this part of what it is made from is made at once.
SMALL = 16


def written_out(
    program: Program,
    order: Sequence[int],
    args: Sequence[tuple[int, ...]],
    place: Mapping[int, int],
) -> Program:
    """Steps of a program in an order, some of them twice; without those that nothing reads.

    ``args`` are places in the order; ``place`` has those of the last of each step.
    """
    needed = {place[r] for r in (*program.results.values(), *program.divisors)}
    for new in range(len(order) - 1, -1, -1):
        if new in needed:
            needed.update(args[new])
    number = {new: count for count, new in enumerate(sorted(needed))}
    made: list[Step] = []
    heads: dict[int, int] = {}
    again: dict[int, int] = {}
    nodes: dict[int, Node] = {}
    divided: dict[int, str] = {}
    for new, at in number.items():
        old = order[new]
        step = program.steps[old]
        own = tuple([number[a] for a in args[new]])
        if at != old or own != step.args:
            step = Step(
                at, step.action, own, step.details, step.shape, step.dtype, step.weak, step.blocks
            )
        made.append(step)
        head = heads.setdefault(program.again.get(old, old), at)
        if head != at:
            again[at] = head
        if old in program.nodes:
            nodes[at] = program.nodes[old]
        if old in program.divided:
            divided[at] = program.divided[old]
    return Program(
        tuple(made),
        {label: number[place[r]] for label, r in program.results.items()},
        nodes,
        tuple(number[place[r]] for r in program.divisors),
        divided,
        again,
    )


@dataclass(frozen=True)
class Tried:
    """A program at given sizes, with what counts of it."""

    program: Program
    numbers: Numbers

    @cached_property
    def footprint(self) -> Footprint:
        """What it holds."""
        return Footprint(self.program, self.numbers)

    @cached_property
    def flops(self) -> list[int]:
        """The arithmetic of each step."""
        return [self.numbers.step_flops(self.program, step) for step in self.program.steps]

    @cached_property
    def turn(self) -> int:
        """Where most is held, results aside."""
        held = self.footprint.held()
        return held.index(max(held))

    def ordered(self, order: Sequence[int]) -> Tried:
        """The program with its steps in another order; itself, if it is the same."""
        if list(order) == list(range(len(order))):
            return self
        place = {register: new for new, register in enumerate(order)}
        args = [tuple([place[a] for a in self.program.steps[r].args]) for r in order]
        return Tried(written_out(self.program, order, args, place), self.numbers)

    def excess(self, limit: int) -> int:
        """What is held beyond a limit, summed over the lines, results aside."""
        sizes = self.footprint.sizes
        room = max(0, limit - sum(sizes[r] for r in self.footprint.results))
        return sum(max(0, held - room) for held in self.footprint.held())

    @property
    def price(self) -> tuple[int, int]:
        """Flops; of equally many, bytes."""
        return sum(self.flops), self.footprint.peak


def eagerly(before: Tried) -> Tried:
    """The program with steps that make room put where they can first be taken.

    A step makes room if what it reads for the last time is no smaller than what it makes, or if
    that is small altogether: sums are added up while their terms are made.
    """
    program = before.program
    steps, sizes = program.steps, before.footprint.sizes
    base = [program.base(s.dest) for s in steps]
    readers = program.readers
    left = [0] * len(steps)  # how often each storage is still to be read
    for step in steps:
        if step.action not in VIEWS:
            for a in step.args:
                left[base[a]] += 1
    for register in program.results.values():
        left[base[register]] += 1
    placed = [False] * len(steps)
    order: list[int] = []

    def makes_room(step: Step) -> bool:
        if step.action in COMPOUND or step.action == "pick":
            return False
        below = [base[a] for a in step.args]
        last = {r for r in below if left[r] == below.count(r)}
        most = max((sizes[r] for r in below), default=0)
        return sizes[step.dest] <= max(sum(sizes[r] for r in last), most // SMALL)

    for first in steps:
        stack = [] if placed[first.dest] else [first.dest]
        while stack:
            register = stack.pop()
            step = steps[register]
            if placed[register]:
                continue
            placed[register] = True
            order.append(register)
            if step.action not in VIEWS:
                for a in step.args:
                    left[base[a]] -= 1
            for reader in readers[register]:
                ready = not placed[reader] and all(placed[a] for a in steps[reader].args)
                # Numbers and leaves hold nothing, and come where they are read.
                own = step.action not in LEAVES and not step.weak
                if ready and own and makes_room(steps[reader]):
                    stack.append(reader)
    return before.ordered(order)


def by_level(before: Tried) -> Tried:
    """The program with the steps before its turn in order of how many products lead to them.

    Passes that follow each other, as values and tangents do, then go side by side, and a cut
    through them both is narrow.
    """
    program = before.program
    end = before.turn + 1
    level: list[int] = []
    for step in program.steps:
        below = max((level[a] for a in step.args), default=0)
        level.append(below + is_heavy(step))
    head = sorted(range(end), key=lambda r: level[r])
    return before.ordered([*head, *range(end, len(program.steps))])


def by_making(before: Tried) -> Tried:
    """The program with the steps behind its turn in the order in which what they read was made.

    What is made again then is so in the order in which it is read, and need not wait.
    """
    program, end = before.program, before.turn + 1
    sizes = before.footprint.sizes
    large = max(sizes[:end]) // 2
    rank = [r if sizes[r] > large else -1 for r in range(end)]
    waits: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    for step in program.steps[end:]:
        rank.append(max((rank[program.base(a)] for a in step.args), default=-1))
        inner = {a for a in step.args if a >= end}
        waits[step.dest] = len(inner)
        for a in inner:
            readers.setdefault(a, []).append(step.dest)
    ready = [(rank[r], r) for r, count in waits.items() if not count]
    heapify(ready)
    tail: list[int] = []
    while ready:
        register = heappop(ready)[1]
        tail.append(register)
        for reader in readers.get(register, ()):
            waits[reader] -= 1
            if not waits[reader]:
                heappush(ready, (rank[reader], reader))
    return before.ordered([*range(end), *tail])


def is_heavy(step: Step) -> bool:
    """Whether a step takes far more arithmetic than its result has elements."""
    product = step.action == "call" and step.detail("function") in ("dot", "matmul")
    return product or step.action in COMPOUND
