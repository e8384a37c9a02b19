"""Where a gradient is scaled: at the loss, once, and not at every weight.

The mean over examples stands in front of each weight's gradient, as algebra would have it, and
costs a pass over each.  Cotangents are linear in the one that they begin with, so that the number
may as well be multiplied in there, where the array is smallest, if nothing else reads it on the
way but squares, whose number is taken out again (:mod:`codegen.carriers`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from codegen.carriers import SUMS, Carried, carried, elements
from codegen.multiples import (
    Scale,
    Scaling,
    factors_last,
    monomial,
    number_key,
    number_of,
    numbers_joined,
    power,
    scalings,
    times,
)
from codegen.program import Program, Step, live

#: So many numbers are tried, those first that scale most: a try goes through the whole program.
MOST_NUMBERS = 8


def scaled_early(program: Program) -> Program:
    """The program with numbers that scale several results multiplied in as early as may be."""
    program = factors_last(program)
    tried: set[object] = set()
    while True:
        before, scales = program, scalings(program)
        ends: dict[Scale, dict[int, int]] = {}
        for register, scale in scales.items():
            ends.setdefault(scale, {})[register] = program.steps[register].args[0]
        several = [scale for scale, own in ends.items() if len(own) > 1]
        several.sort(key=lambda scale: -elements(before, ends[scale]))
        for key, scale in {number_key(program, scale): scale for scale in several}.items():
            if key not in tried and len(tried) < MOST_NUMBERS:
                tried.add(key)
                program = _moved(before, scale, ends[scale], scales.keys())
                if program is not before:
                    break
        else:
            return live(numbers_joined(program))


def _moved(
    program: Program, scale: Scale, ends: Mapping[int, int], scaled: Collection[int]
) -> Program:
    """The program with one number moved; ``ends`` multiply by it, ``scaled`` by some number."""
    way = carried(program, ends, scaled)
    return program if way.saved <= 0 else _Move(program, scale, way).run()


class _Move(Scaling):
    """A program being written out again, with a number at the ``first`` of what carries it."""

    def __init__(self, program: Program, scale: Scale, way: Carried) -> None:
        super().__init__(program)
        self.scale, self.way = scale, way

    def run(self) -> Program:
        program, place, way = self.program, self.place, self.way
        out_again = power(number_of(program, self.scale), -1.0)
        for step in program.steps:
            if step.dest in way.removed:
                place[step.dest] = place[step.args[0]]
                continue
            place[step.dest] = self.written(step)
            if step.dest in way.again:
                own = power(out_again, way.again[step.dest])
                place[step.dest] = self.scaled(place[step.dest], own)
        return self.named(self.without([*way.values]))

    def named(self, program: Program) -> Program:
        """With the names of values that are divided by a size now, and by nothing else."""
        function, number = self.scale
        size = self.program.steps[number]
        if function != "divide" or size.action != "size":
            return program
        nodes, divided = dict(program.nodes), dict(program.divided)
        for register in self.way.values - self.program.divided.keys():
            if register in self.program.nodes:
                nodes[self.place[register]] = self.program.nodes[register]
                divided[self.place[register]] = str(size.detail("size"))
        for register in self.way.removed:
            if register in self.program.nodes:
                nodes[self.place[register]] = self.program.nodes[register]
                divided.pop(self.place[register], None)
        return Program(program.steps, program.results, nodes, program.divisors, divided)

    def written(self, step: Step) -> int:
        """The step in the new program, its terms that do not carry the number scaled."""
        way, first = self.way, step.dest in self.way.first
        if step.action == "index" and not first:
            return super().written(step)
        args = [self.place[a] for a in step.args]
        if step.dest in way.entered:
            base = way.entered[step.dest]
            args = [self.view_of_scaled(a, base) for a in step.args]
        if self.program.called[step.dest] in SUMS and step.dest in way.values and not first:
            kept = zip(step.args, args, strict=True)
            args = [new if old in way.values else self.by_scale(new) for old, new in kept]
        if first and step.action == "full":
            return self.filled(step)
        register = self.builder.append(step.moved(step.dest, tuple(args)))
        return self.by_scale(register) if first else register

    def filled(self, step: Step) -> int:
        """An array of one number, scaled."""
        one = monomial(self.program, step.args[0])
        number = self.number(times(one, number_of(self.program, self.scale)))
        details = (("constant", "weights"),) if step.details and self.is_plain(number) else ()
        return self.builder.append(replace(step, args=(number,), details=details))

    def is_plain(self, number: int) -> bool:
        """Whether a number is a literal or a quotient of one by a size: no line has to make it."""
        step = self.builder.steps[number]
        if step.action != "mul":
            return step.action == "number"
        sources = [self.builder.steps[arg] for arg in step.args]
        sizes = [x.action == "size" and isinstance(x.detail("size"), str) for x in sources]
        return sizes == [True] and step.detail("exponents") == (-1.0,)

    def view_of_scaled(self, register: int, base: int) -> int:
        """An argument as it is, or if it is the base, or a view of it, that of the scaled base."""
        if self.program.base(register) != base:
            return self.place[register]
        step = self.program.steps[register]
        if register == base:
            return self.filled(step) if step.action == "full" else self.by_scale(self.place[base])
        args = (self.view_of_scaled(step.args[0], base), *(self.place[a] for a in step.args[1:]))
        return self.builder.append(step.moved(step.dest, args))

    def by_scale(self, register: int) -> int:
        """A value of the new program, scaled."""
        function, number = self.scale
        return self.call(function, register, self.moved(number))
