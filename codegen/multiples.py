"""Arrays times numbers: what the number is, where it stands in a product, two of them as one.

A *monomial* is a Python number as a literal times powers of other numbers, sizes mostly, by their
registers; products of such numbers are taken without making any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from codegen import views
from codegen.program import Program, Step
from codegen.rewriting import Rewriting

#: A scaling: multiply or divide, and the register of the number.
Scale = tuple[str, int]
#: A number: its literal part, and the powers of others, by their registers.
Monomial: TypeAlias = "tuple[float, Mapping[int, float]]"


def scalings(program: Program) -> dict[int, Scale]:
    """The steps that scale an array by a number."""
    found: dict[int, Scale] = {}
    for step, function in zip(program.steps, program.called, strict=True):
        if function in ("multiply", "divide") and step.shape and len(step.args) == 2:
            if program.steps[step.args[1]].weak:
                found[step.dest] = function, step.args[1]
    return found


def monomial(program: Program, register: int) -> Monomial:
    """A Python number as a literal times powers of other numbers."""
    step = program.steps[register]
    if step.action == "number":
        return float(step.detail("literal")), {}
    if step.action != "mul" or not step.weak:
        return 1.0, {register: 1.0}
    found: Monomial = (step.detail("coefficient"), {})
    for arg, e in zip(step.args, step.detail("exponents"), strict=True):
        found = times(found, power(monomial(program, arg), e))
    return found


def times(first: Monomial, second: Monomial) -> Monomial:
    """The product of two numbers."""
    powers = dict(first[1])
    for register, e in second[1].items():
        powers[register] = powers.get(register, 0.0) + e
    return first[0] * second[0], powers


def power(found: Monomial, exponent: float) -> Monomial:
    """A number to a power."""
    value, powers = found
    return value**exponent, {register: e * exponent for register, e in powers.items()}


def number_of(program: Program, scale: Scale) -> Monomial:
    """What a scaling multiplies by."""
    return power(monomial(program, scale[1]), 1.0 if scale[0] == "multiply" else -1.0)


def number_key(program: Program, scale: Scale) -> object:
    """What a scaling multiplies by, in whatever registers it stands."""

    def said(register: int) -> object:
        step = program.steps[register]
        return step.action, step.details, tuple(said(arg) for arg in step.args)

    return scale[0], said(scale[1])


class Scaling(Rewriting):
    """A program being written out again with numbers in other places."""

    def written(self, step: Step) -> int:
        """The step as it is; axes that were dropped below it are not inserted again."""
        if step.action == "index":
            return views.index(self.builder, self.place[step.args[0]], step.detail("items"))
        return self.builder.append(step.moved(step.dest, tuple([self.place[a] for a in step.args])))

    def scaled(self, register: int, found: Monomial) -> int:
        """A value of the new program, times a number of the old one."""
        if found[0] == 1 and not any(found[1].values()):
            return register
        return self.call("multiply", register, self.number(found))

    def call(self, function: str, register: int, number: int) -> int:
        """A value times, or over, a number."""
        details = (("function", function), ("elementwise", True))
        step = self.builder.steps[register]
        made = replace(step, action="call", args=(register, number), details=details, blocks=())
        return self.builder.append(made)

    def number(self, found: Monomial) -> int:
        """A number of the old program's."""
        value, powers = found
        bases = {self.moved(register): e for register, e in powers.items() if e}
        dtypes = [self.builder.steps[register].dtype for register in bases]
        dtype = next((d for d in dtypes if d != "int64"), self.dtype)
        if not bases:
            return self.builder.number(value, dtype)
        return self.builder.emit(
            "mul",
            list(bases),
            shape=(),
            dtype=dtype,
            weak=True,
            exponents=tuple(map(float, bases.values())),
            coefficient=value,
        )

    @cached_property
    def dtype(self) -> str:
        """That of the numbers that scale arrays."""
        return next(self.program.steps[r].dtype for r in scalings(self.program))

    def moved(self, register: int) -> int:
        """A number that stands in the old program, made when it is needed: it is no array."""
        if register not in self.place:
            step = self.program.steps[register]
            args = tuple(self.moved(a) for a in step.args)
            self.place[register] = self.builder.append(step.moved(step.dest, args))
        return self.place[register]

    def without(self, gone: Sequence[int]) -> Program:
        """The new program; what is ``gone`` has no value of its own any more."""
        program, place = self.program, self.place
        without = set(gone)
        return Program(
            tuple(self.builder.steps),
            {label: place[r] for label, r in program.results.items()},
            {place[r]: node for r, node in program.nodes.items() if r not in without},
            tuple(place[r] for r in program.divisors),
            {place[r]: by for r, by in program.divided.items() if r not in without},
        )


def factors_last(program: Program) -> Program:
    """The program with c (x y) for x (c y), where nothing else reads c y.

    Scalings by one number so stand beside each other, where products share an array.
    """
    readers, scales = program.readers, scalings(program)
    results = {*program.results.values()}
    inner: dict[int, int] = {}
    for step in program.steps:
        if program.called[step.dest] != "multiply" or step.dest in scales:
            continue
        for arg in step.args:
            alone = arg in scales and len(readers[arg]) == 1 and arg not in results
            if alone and program.steps[arg].shape == step.shape:
                inner[step.dest] = arg
    if not inner:
        return program
    work, gone = Scaling(program), {*inner.values()}
    for step in program.steps:
        if step.dest in gone:
            work.place[step.dest] = work.place[step.args[0]]
            continue
        made = work.written(step)
        if step.dest in inner:
            made = work.scaled(made, number_of(program, scales[inner[step.dest]]))
        work.place[step.dest] = made
    return work.without([*gone])


def numbers_joined(program: Program) -> Program:
    """The program with one scaling for two in a row, where nothing else reads what is between."""
    readers, scales = program.readers, scalings(program)
    results = {*program.results.values()}
    inner: dict[int, int] = {}
    for register in scales:
        source = program.steps[register].args[0]
        if source in scales and len(readers[source]) == 1 and source not in results:
            inner[register] = source
    if not inner:
        return program
    work, gone = Scaling(program), {*inner.values()}
    numbers: dict[int, Monomial] = {}
    for step in program.steps:
        register = step.dest
        if register in gone or register in inner:
            number = number_of(program, scales[register])
            if register in inner:
                number = times(number, numbers[inner[register]])
            numbers[register], made = number, work.place[step.args[0]]
            work.place[register] = made if register in gone else work.scaled(made, number)
        else:
            work.place[register] = work.written(step)
    return work.without([*gone])
