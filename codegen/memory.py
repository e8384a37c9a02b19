"""Slots: where the values that get a line of their own are kept, and how long they live.

A stage of its own between the program and the text.  For now every value has a fresh slot; the
lifetimes are what a plan that reuses buffers needs, and are tested as such.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from codegen.program import COMPOUND, LEAVES, VIEWS, Program, Step


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """``slots``: register → slot, for registers with a line, in order.  ``last_use``: register →
    the last register whose line reads it, through inlined expressions and views too (its own,
    if none does; one past the end of the program for results and what they are views of)."""

    slots: Mapping[int, int]
    last_use: Mapping[int, int]

    def live_at(self, register: int) -> list[int]:
        """The registers whose values must be kept while the line of ``register`` runs."""
        return [r for r in self.slots if r <= register <= self.last_use[r]]


def plan_memory(program: Program, inlined: Collection[int]) -> MemoryPlan:
    """Slots for the registers that get a line, each a fresh one, and all lifetimes."""
    last = last_reads(program, inlined)
    silent = LEAVES | COMPOUND
    lined = [s.dest for s in program.steps if s.dest not in inlined and s.action not in silent]
    slots = {register: slot for slot, register in enumerate(lined)}
    return MemoryPlan(slots, {register: last[register] for register in lined})


def last_lines(program: Program, inlined: Collection[int]) -> dict[int, int]:
    """For every register the last one whose line has it in its text; views have lines too."""
    last = {step.dest: step.dest for step in program.steps}
    for register in program.results.values():
        last[register] = len(program.steps)
    for step in reversed(program.steps):
        at = last[step.dest] if step.dest in inlined else step.dest
        for arg in step.args:
            last[arg] = max(last[arg], at)
    return last


def last_reads(program: Program, inlined: Collection[int]) -> dict[int, int]:
    """For every register the last one whose line reads it, as in MemoryPlan."""
    end = len(program.steps)
    last = {step.dest: step.dest for step in program.steps}
    for register in program.results.values():
        last[register] = end
    # Backwards: an inlined expression is evaluated, and a view read, where its own users are.
    for step in reversed(program.steps):
        later = step.dest in inlined or step.action in VIEWS or _is_borrowed(step)
        for place, arg in enumerate(step.args):
            # After no rounds, what a loop carries is what it began with.
            begins = step.action in COMPOUND and place in step.detail("read_once")
            last[arg] = max(last[arg], last[step.dest] if later or begins else step.dest)
    return last


def _is_borrowed(step: Step) -> bool:
    """Whether a step names a value that may be in an argument's memory."""
    return step.action == "pick" and bool(dict(step.details).get("borrowed"))
