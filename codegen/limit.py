"""A limit on the memory of a module's functions: which of them compute values again for it.

The limit is on what a call makes, results included and arguments not, at given sizes, as the
printed text has it (:mod:`codegen.held`).  The plan is made on the program
(:mod:`codegen.recompute`), whose figures are nearly those of the text; where the text holds more,
the plan is made again for as much less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from codegen.costs import ProgramCost
from codegen.description import ModuleDescription
from codegen.held import switch
from codegen.module import cost_of, program_of
from codegen.program import Program
from codegen.recompute import within
from symdiff.expr.shapes import size_value

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
        before = _figures(cost_of(description, function), at)
        if before.peak <= limit:
            continue
        program = program_of(description, function)
        made, after = _planned(description, function, program, limit, at)
        if after.peak <= limit:
            programs[function] = made
            changed[function] = (before, after)
        else:
            _, least = _planned(description, function, program, 0, at)
            unreachable.append(Unreachable(function, min(least.peak, after.peak, before.peak)))
    return Limited(replace(description, programs=programs), changed, tuple(unreachable))


def _planned(
    description: ModuleDescription,
    function: str,
    program: Program,
    limit: int,
    at: Mapping[str, int],
) -> tuple[Program, Figures]:
    """A program within the limit, or what comes nearest, with the figures of its text."""
    aim = limit
    best: tuple[Program, Figures] | None = None
    for _ in range(MOST_PLANS):
        made = within(program, {**at, **_switches(program, at)}, aim)
        with_it = replace(description, programs={function: made})
        found = _figures(cost_of(with_it, function), at)
        if best is None or found.peak < best[1].peak:
            best = made, found
        if found.peak <= limit or aim <= 0:
            break
        aim = max(0, aim - (found.peak - limit))
    assert best is not None
    return best


def _figures(cost: ProgramCost, at: Mapping[str, int]) -> Figures:
    return Figures(cost.number(cost.peak_bytes, at), cost.number([cost.flops], at))


def _switches(program: Program, at: Mapping[str, int]) -> dict[str, int]:
    """Which branches are taken."""
    return {
        switch(step): int(size_value(step.detail("less"), at) < size_value(step.detail("more"), at))
        for step in program.walk()
        if step.action == "branch"
    }
