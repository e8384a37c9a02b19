"""Factors that a call takes in which is made anyway: one call less for single formulas.

``c Σ 1/t`` divides ones and multiplies then, where ``Σ c/t`` divides c; and where k x is there,
``k |x|`` is the absolute value of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codegen.builder import Builder, rewritten
from codegen.program import Program, Step
from codegen.views import KEEP, NEW, index
from symdiff.expr.shapes import broadcast_shapes

#: A number without its sign, and sizes with their exponents.
Multiple = tuple[float, frozenset[tuple[int, float]]]
#: The factors of a product, and its number without its sign.
Whole = tuple[frozenset[tuple[int, float]], float]

ONE: Multiple = (1.0, frozenset())


def absorbed(program: Program) -> Program:
    """The program with such factors where they cost nothing."""
    return _Absorbing(program).run()


class _Absorbing:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = Builder("")
        self.place: dict[int, int] = {}
        self.readers = program.readers
        self.results = set(program.results.values())
        self.present = {_whole(s) for s in program.steps if s.action == "mul" and not s.weak}
        self.quotients = {pair for s in program.steps for pair in _quotients(s)}
        self.wanted = {pair for s in program.steps for pair in self.multiples_in(s)}
        found = {s.dest: self.multiple_of_abs(s) for s in program.steps if s.action == "abs"}
        self.multiples = {register: k for register, k in found.items() if k is not None}
        users = {
            user: k for register, k in self.multiples.items() for user in self.readers[register]
        }
        #: Products that a sum multiplies by what |x| is multiplied by.
        self.carried = {
            user: number
            for user, (number, _) in users.items()
            if self.carried_by(program.steps[user]) == number
        }

    def run(self) -> Program:
        program, builder, place = self.program, self.builder, self.place
        for step in program.steps:
            place[step.dest] = self.written(step)
            if step.dest in program.nodes and step.dest not in self.multiples:
                builder.nodes.setdefault(place[step.dest], program.nodes[step.dest])
        return rewritten(program, builder, place)

    def written(self, step: Step) -> int:
        if step.dest in self.multiples:
            multiple = self.multiple(step.args[0], self.multiples[step.dest])
            return self.emit("abs", [multiple], step)
        if step.action == "mul" and not step.weak:
            return self.product(step)
        args = [self.place[arg] for arg in step.args]
        if step.action == "add":
            pairs = zip(step.args, step.detail("coefficients"), strict=True)
            own = tuple(
                c / self.multiples.get(arg, ONE)[0] / self.carried.get(arg, 1.0) for arg, c in pairs
            )
            constant = step.detail("constant")
            return self.emit("add", args, step, coefficients=own, constant=constant)
        return self.builder.append(step.moved(step.dest, tuple(args)))

    def emit(self, action: str, args: list[int], like: Step, **details: Any) -> int:
        return self.builder.emit(
            action, args, shape=like.shape, dtype=like.dtype, weak=like.weak, **details
        )

    # Absolute values of multiples.

    def multiple_of_abs(self, step: Step) -> Multiple | None:
        """By what all that reads |x| multiplies it, if that multiple of x is there."""
        found = {self.multiple_for(user, step.dest) for user in self.readers[step.dest]}
        if len(found) != 1 or step.dest in self.results:
            return None
        (multiple,) = found
        source = step.args[0]
        if multiple is None or multiple == ONE:
            return None
        there = (source, multiple) in self.wanted or self.inside(source, multiple) in self.present
        return multiple if there else None

    def multiple_for(self, user: int, register: int) -> Multiple | None:
        step = self.program.steps[user]
        own = [multiple for arg, multiple in self.multiples_in(step) if arg == register]
        if len(own) != 1 or step.args.count(register) != 1:
            return None
        number = self.carried_by(step)
        return own[0] if number is None else (number, own[0][1])

    def carried_by(self, step: Step) -> float | None:
        """The number by which the one sum that reads a product without a number multiplies it."""
        if step.action != "mul" or step.weak or abs(step.detail("coefficient")) != 1:
            return None
        if not self.alone(step.dest):
            return None
        (user,) = self.readers[step.dest]
        reader = self.program.steps[user]
        if reader.action != "add" or reader.weak:
            return None
        found = abs(float(reader.detail("coefficients")[reader.args.index(step.dest)]))
        return None if found == 1 else found

    def multiples_in(self, step: Step) -> Iterator[tuple[int, Multiple]]:
        """The arguments that a step multiplies by numbers, in products perhaps after others."""
        if step.action == "add" and not step.weak:
            for arg, c in zip(step.args, step.detail("coefficients"), strict=True):
                yield arg, (abs(c), frozenset())
        elif step.action == "mul" and not step.weak:
            factors, number = _whole(step)
            sizes = frozenset((x, e) for x, e in factors if self.program.steps[x].weak)
            if all(self.program.steps[x].action == "size" for x, _ in sizes):
                for arg, e in factors - sizes:
                    if e == 1:
                        yield arg, (number, sizes)

    def inside(self, register: int, multiple: Multiple) -> Whole:
        """A multiple of a value that is a product, as one product."""
        step, (number, sizes) = self.program.steps[register], multiple
        if step.action != "mul" or step.weak:
            return sizes | {(register, 1.0)}, number
        factors, own = _whole(step)
        return factors | sizes, own * number

    def multiple(self, register: int, multiple: Multiple) -> int:
        """The register of a multiple of a value."""
        whole = self.inside(register, multiple)
        if (register, multiple) in self.wanted:
            whole = multiple[1] | {(register, 1.0)}, multiple[0]
        for x, _ in multiple[1]:
            if x not in self.place:
                self.place[x] = self.builder.append(self.program.steps[x])
        factors = {self.place[x]: e for x, e in sorted(whole[0])}
        return self.multiplied(factors, whole[1], self.program.steps[register])

    def multiplied(self, factors: Mapping[int, float], number: float, like: Step) -> int:
        if number == 1 and list(factors.values()) == [1.0]:
            return next(iter(factors))
        return self.builder.emit(
            "mul",
            list(factors),
            shape=broadcast_shapes(*(self.builder.steps[x].shape for x in factors)),
            dtype=like.dtype,
            exponents=tuple(factors.values()),
            coefficient=number,
        )

    # Sums of reciprocals.

    def product(self, step: Step) -> int:
        number = step.detail("coefficient")
        factors = dict(zip(step.args, step.detail("exponents"), strict=True))
        for arg in step.args:
            size, sizes = self.multiples.get(arg, ONE)
            number /= size if step.dest not in self.carried else 1.0
            factors = {x: e for x, e in factors.items() if (x, e) not in sizes}
        places = {x: self.place[x] for x in step.args}
        found = ((x, self.reciprocals(x)) for x, e in factors.items() if e == 1)
        summed, below = next(((x, y) for x, y in found if y is not None), (None, None))
        if summed is not None and below is not None:
            above = self.numerator(step, factors, summed, below)
            if above is not None:
                del factors[above]
                places[summed] = self.sum_of_quotient(below, self.place[above], 1.0)
            elif abs(number) != 1:
                places[summed] = self.sum_of_quotient(below, None, number)
                number = 1.0
        powers: dict[int, float] = {}
        for x, e in factors.items():
            powers[places[x]] = powers.get(places[x], 0.0) + e
        return self.multiplied(powers, number, step)

    def alone(self, register: int) -> bool:
        return len(self.readers[register]) == 1 and register not in self.results

    def reciprocals(self, register: int) -> _Reciprocals | None:
        """The reciprocals that a value is the sum of, where nothing else reads them."""
        after, total = self.below_views(register)
        if total.action not in _SUMS or not self.alone(total.dest) or len(after) > 1:
            return None
        if total.action == "sum" and any(_restored(x) != total.detail("axes") for x in after):
            return None
        for arg in total.args:
            before, below = self.below_views(arg)
            shapes = {self.program.steps[x].shape for x in below.args}
            if self.is_reciprocal(below) and (not before or shapes == {below.shape}):
                return _Reciprocals(after, total, before, below)
        return None

    def below_views(self, register: int) -> tuple[list[Step], Step]:
        """What a value is a part of, and the views, the last first, that nothing else reads."""
        views: list[Step] = []
        step = self.program.steps[register]
        while step.action in ("index", "slice") and self.alone(step.dest):
            views.append(step)
            step = self.program.steps[step.args[0]]
        return views, step

    def is_reciprocal(self, step: Step) -> bool:
        """Whether a step divides 1, and one step reads it."""
        if step.action != "mul" or step.weak or not self.alone(step.dest):
            return False
        factors, number = _whole(step)
        return number == 1 and all(e < 0 for _, e in factors)

    def numerator(
        self, step: Step, factors: Mapping[int, float], summed: int, found: _Reciprocals
    ) -> int | None:
        """A factor of the size of the sum, or a scalar, to be divided: best one that is anyway."""
        fitting = []
        whole = self.program.steps[summed].shape if found.total.action == "sum" else ()
        for x, e in factors.items():
            own = self.program.steps[x]
            fits = own.shape in (whole, ()) and own.dtype == step.dtype and not own.weak
            if x != summed and e == 1 and fits:
                fitting.append(x)
        below = {*zip(found.below.args, found.below.detail("exponents"), strict=True)}
        there = (x for x in fitting if any((x, *y) in self.quotients for y in below))
        return next(there, fitting[0] if fitting else None)

    def sum_of_quotient(self, found: _Reciprocals, above: int | None, number: float) -> int:
        total, below = found.total, found.below
        factors: dict[int, float] = {}
        if above is not None:
            if self.builder.steps[above].shape and not found.after:
                axes, rank = total.detail("axes"), len(self.program.steps[total.args[0]].shape)
                first = next(axis for axis in range(rank) if axis not in axes)
                rest = range(first, rank)  # in front, broadcasting adds axes
                above = index(self.builder, above, [NEW if a in axes else KEEP for a in rest])
            factors[above] = 1.0
        for x, e in zip(below.args, below.detail("exponents"), strict=True):
            register = self.place[x]
            for view in reversed(found.before):
                register = self.emit(view.action, [register], view, **dict(view.details))
            factors[register] = factors.get(register, 0.0) + e
        quotient = self.multiplied(factors, number * below.detail("coefficient"), below)
        top = found.before[0].dest if found.before else below.dest
        args = [quotient if x == top else self.place[x] for x in total.args]
        made = self.emit(total.action, args, total, **dict(total.details))
        for view in found.after:
            made = index(self.builder, made, view.detail("items"))
        return made


@dataclass(frozen=True)
class _Reciprocals:
    """Reciprocals, indexed, summed, and perhaps with the axes put back: the last step first."""

    after: list[Step]
    total: Step
    before: list[Step]
    below: Step


_SUMS = ("sum", "matmul", "vdot", "vecdot")


def _restored(view: Step) -> tuple[int, ...] | None:
    """The axes that an indexing inserts, if it does nothing else."""
    if view.action != "index" or not {*view.detail("items")} <= {KEEP, NEW}:
        return None
    return tuple(axis for axis, item in enumerate(view.detail("items")) if item == NEW)


def _quotients(step: Step) -> Iterator[tuple[int, int, float]]:
    """The factors of a product with what they are divided by, and its exponent."""
    if step.action == "mul" and not step.weak:
        pairs = list(zip(step.args, step.detail("exponents"), strict=True))
        for x, _ in (pair for pair in pairs if pair[1] == 1):
            yield from ((x, y, e) for y, e in pairs if e < 0)


def _whole(step: Step) -> Whole:
    pairs = zip(step.args, step.detail("exponents"), strict=True)
    return frozenset(pairs), abs(step.detail("coefficient"))
