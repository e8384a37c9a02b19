"""A limit on the memory of a module's functions: which of them compute values again for it.

The limit is on what a call makes, results included and arguments not, at given sizes, as the
printed text has it (:mod:`codegen.held`).  The plan is made on the program
(:mod:`codegen.recompute`), whose figures are nearly those of the text; where the text holds more,
the plan is made again for as much less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from codegen.description import ModuleDescription
from codegen.footprint import Numbers
from codegen.held import peak_bytes, switch
from codegen.module import program_of, written_of
from codegen.program import Program
from codegen.recompute import within
from codegen.writer import Written
from symdiff.expr.shapes import Shape, size_value

#: How often a plan is made anew because the text holds more than the plan has it.
MOST_PLANS = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """What a function holds at most, in bytes, and its flops."""

    peak: int
    flops: int


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A function that no plan brings within the limit; ``least`` is the least peak found."""

    function: str
    least: int


@dataclass(frozen=True, slots=True)
class Limited:
    """A description whose functions are within a limit.

    ``changed`` are the functions that compute values again, with their figures before and after.
    """

    description: ModuleDescription
    changed: Mapping[str, tuple[Figures, Figures]]
    unreachable: tuple[Unreachable, ...]


def limited(description: ModuleDescription, limit: int, at: Mapping[str, int]) -> Limited:
    """The description with the programs of functions that hold more changed to hold no more.

    ``at`` has a number for each size that is a name.
    """
    changed: dict[str, tuple[Figures, Figures]] = {}
    unreachable: list[Unreachable] = []
    programs: dict[str, Program] = {}
    for function in description.functions:
        program = program_of(description, function)
        numbers = Numbers({**at, **_switches(program, at)})
        before = _figures(description, function, numbers)
        if before.peak <= limit:
            continue
        made, after = _planned(description, function, program, limit, numbers)
        if after.peak > limit:
            other = _planned(description, function, program, 0, numbers)
            made, after = min((made, after), other, key=lambda plan: plan[1].peak)
        if after.peak <= limit:
            programs[function] = made
            changed[function] = (before, after)
        else:
            unreachable.append(Unreachable(function, min(after.peak, before.peak)))
    return Limited(replace(description, programs=programs), changed, tuple(unreachable))


def _planned(
    description: ModuleDescription,
    function: str,
    program: Program,
    limit: int,
    numbers: Numbers,
) -> tuple[Program, Figures]:
    """A program within the limit, or what comes nearest, with the figures of its text."""
    aim = limit
    best: tuple[Program, Figures] | None = None
    for _ in range(MOST_PLANS):
        made = within(program, numbers, aim)
        with_it = replace(description, programs={function: made})
        found = _figures(with_it, function, numbers)
        if best is None or found.peak < best[1].peak:
            best = made, found
        if found.peak <= limit or aim <= 0:
            break
        aim = max(0, aim - (found.peak - limit))
    assert best is not None
    return best


def function_figures(
    description: ModuleDescription, function: str, at: Mapping[str, int]
) -> Figures:
    """What a function holds and takes where sizes have these numbers."""
    program = program_of(description, function)
    return _figures(description, function, Numbers({**at, **_switches(program, at)}))


def _figures(description: ModuleDescription, function: str, numbers: Numbers) -> Figures:
    """Those of the function's text, with numbers for sizes from the start, which is quicker."""
    written = written_of(description, function)
    program = written.program
    flops = sum(numbers.step_flops(program, step) for step in program.steps)
    return Figures(max(map(numbers.value, peak_bytes(_at(written, numbers)))), flops)


def _at(written: Written, numbers: Numbers) -> Written:
    """A written program whose arrays have shapes of numbers."""

    def shape(sizes: Shape) -> Shape:
        return tuple([numbers.value(size) for size in sizes])

    program = written.program
    steps = tuple([replace(step, shape=shape(step.shape)) for step in program.steps])
    forms = tuple([form._replace(shape=shape(form.shape)) for form in written.buffers.forms])
    return replace(
        written,
        program=replace(program, steps=steps),
        buffers=replace(written.buffers, forms=forms),
        blocks={
            register: tuple([_at(block, numbers) for block in blocks])
            for register, blocks in written.blocks.items()
        },
    )


def _switches(program: Program, at: Mapping[str, int]) -> dict[str, int]:
    """Which branches are taken."""
    return {
        switch(step): int(size_value(step.detail("less"), at) < size_value(step.detail("more"), at))
        for step in program.walk()
        if step.action == "branch"
    }
