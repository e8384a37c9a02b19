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

from codegen.buffers import BufferPlan, form_bytes, plan_buffers
from codegen.memory import MemoryPlan, plan_memory
from codegen.program import COMPOUND, LEAVES, VIEWS, Program
from symdiff.expr.shapes import size_value


@dataclass(frozen=True)
class Footprint:
    """A program's storages at given sizes."""

    program: Program
    at: Mapping[str, int]

    @cached_property
    def sizes(self) -> list[int]:
        """For each register the bytes of the array that its step makes; 0 where it makes none."""
        known: dict[object, int] = {}
        found = []
        for step in self.program.steps:
            form = (step.shape, step.dtype)
            if step.shape and step.allocates and form not in known:
                known[form] = size_value(form_bytes(form), self.at)
            found.append(known[form] if step.shape and step.allocates else 0)
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
        silent = LEAVES | VIEWS | COMPOUND
        inlined = {s.dest for s in self.program.steps if s.weak or s.action in silent}
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
        total = sum(size_value(form_bytes(form), self.at) for form in self.buffers.forms)
        change = [0] * (len(self.program.steps) + 2)
        for register, size in enumerate(self.sizes):
            if size and register not in self.buffers.buffer:
                change[register] += size
                change[self.last[register] + 1] -= size
        return total + max(accumulate(change))
