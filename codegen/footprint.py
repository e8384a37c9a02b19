"""What a program holds in memory at given sizes, and when: the figures that recomputation needs.

A *storage* is a register whose step makes an array; views stand in the storage of what they are
views of.  Calls compute in buffers, which are all there from the first line to the last; other
arrays are there from the line that makes them to the last that reads them.  Arithmetic is in
numbers, for a plan tries many programs; what is printed is counted from the printed text
(:mod:`codegen.held`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from codegen.buffers import BufferPlan, Form, form_bytes, plan_buffers
from codegen.memory import MemoryPlan, plan_memory
from codegen.program import COMPOUND, LEAVES, VIEWS, Program, Step
from symdiff.expr.shapes import Size, size_value


class Numbers:
    """Given numbers for names of sizes, and what polynomials in them are: each is put in once."""

    def __init__(self, at: Mapping[str, int]) -> None:
        self.at = at
        self.sizes: dict[Size, int] = {}
        self.flops: dict[object, int] = {}

    def value(self, size: Size) -> int:
        """The number that a size is."""
        found = self.sizes.get(size)
        if found is None:
            found = self.sizes[size] = size_value(size, self.at)
        return found

    def step_flops(self, program: Program, step: Step) -> int:
        """The arithmetic of a step, known by what it does to arrays of which shapes."""
        from codegen.costs import step_flops

        sources = tuple([(program.steps[a].shape, program.steps[a].weak) for a in step.args])
        key = (step.action, step.details, step.shape, step.weak, sources, step.blocks)
        found = self.flops.get(key)
        if found is None:
            found = self.flops[key] = self.value(step_flops(program, step))
        return found


@dataclass(frozen=True)
class Footprint:
    """A program's storages at given sizes."""

    program: Program
    numbers: Numbers

    @cached_property
    def sizes(self) -> list[int]:
        """For each register the bytes of the array that its step makes; 0 where it makes none."""
        known: dict[Form, int] = {}
        found = []
        for step in self.program.steps:
            form = Form(step.shape, step.dtype)
            made = step.shape and (step.allocates or self.program.copies(step.dest))
            if made and form not in known:
                known[form] = self.numbers.value(form_bytes(form))
            found.append(known[form] if made else 0)
        return found

    @cached_property
    def last(self) -> Mapping[int, int]:
        """For each storage the last register whose line reads it; past the end for results."""
        return self._memory.last_use

    @cached_property
    def results(self) -> frozenset[int]:
        """The storages of results."""
        return frozenset(self.program.base(r) for r in self.program.results.values())

    @cached_property
    def _memory(self) -> MemoryPlan:
        program, silent = self.program, LEAVES | COMPOUND
        inlined = {s.dest for s in program.steps if s.weak or s.action in silent}
        inlined |= {
            s.dest for s in program.steps if s.action in VIEWS and not program.copies(s.dest)
        }
        return plan_memory(self.program, inlined)

    @cached_property
    def buffers(self) -> BufferPlan:
        """Which storages share memory."""
        return plan_buffers(self.program, self._memory, sharing=True)

    def held(self) -> list[int]:
        """Bytes of storages without results' that are there while each line runs."""
        steps = len(self.program.steps)
        change = [0] * (steps + 1)
        for register, size in enumerate(self.sizes):
            if size and register not in self.results:
                # What is written over makes room for what is written.
                change[register + (register in self.buffers.over)] += size
                change[min(self.last[register], steps - 1) + 1] -= size
        return list(accumulate(change))[:steps]

    @cached_property
    def peak(self) -> int:
        """Bytes of all buffers, and of other arrays where those are most."""
        total = sum(self.numbers.value(form_bytes(form)) for form in self.buffers.forms)
        change = [0] * (len(self.program.steps) + 2)
        for register, size in enumerate(self.sizes):
            step = self.program.steps[register]
            computed = step.action == "call" or step.is_constant
            if size and not (computed and register in self.buffers.buffer):
                change[register] += size
                change[self.last[register] + 1] -= size
        return total + max(accumulate(change))
