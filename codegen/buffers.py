"""Buffers: which arrays a function computes in, and which values share one.

Values whose call takes ``out=`` live in buffers of their exact shape and dtype.  A buffer is free
again when the last line that reads its value, through views too, has run; a call an element at a
time may write over an argument that is read here for the last time.  Results keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from codegen.memory import MemoryPlan
from codegen.program import Program, Step
from symdiff.expr.shapes import Shape

#: A buffer's shape and dtype.
Form = tuple[Shape, str]


@dataclass(frozen=True, slots=True)
class BufferPlan:
    """``buffer``: register → its buffer; ``over``: register → the argument that it writes over.

    ``forms``: what each buffer is, those of one form side by side.
    """

    buffer: Mapping[int, int]
    over: Mapping[int, int]
    forms: tuple[Form, ...]

    def groups(self) -> list[tuple[int, Form]]:
        """How many buffers there are of each form, in order."""
        counts: dict[Form, int] = {}
        for form in self.forms:
            counts[form] = counts.get(form, 0) + 1
        return [(count, form) for form, count in counts.items()]


def is_call(step: Step) -> bool:
    """Whether the step is one call that takes ``out=``."""
    return step.action == "call" and bool(step.shape)


def plan_buffers(program: Program, memory: MemoryPlan, fresh: Collection[int] = ()) -> BufferPlan:
    """Buffers for the calls of a program, given how long each line's value lives.

    Values of ``fresh`` registers are made anew each time: what a round of a loop leaves to the
    next must not stand where that one computes.
    """
    buffer: dict[int, int] = {}
    over: dict[int, int] = {}
    forms: list[Form] = []
    free: dict[Form, list[int]] = {}
    ending: dict[int, list[int]] = {}
    alias: dict[int, int] = {}

    def last_use(register: int) -> int:
        return memory.last_use[alias.get(register, register)]

    for step in program.steps:
        register = step.dest
        if step.action == "reshape" and alias.get(step.args[0], step.args[0]) in buffer:
            # Buffers are contiguous, so that this is the same memory in another shape.
            alias[register] = alias.get(step.args[0], step.args[0])
            if register in memory.slots:
                buffer[register] = buffer[alias[register]]
        if is_call(step) and register not in fresh:
            form = (step.shape, step.dtype)
            chosen = _written_over(program, step, buffer, last_use)
            if chosen is not None:
                over[register] = chosen
                buffer[register] = buffer[chosen]
                ending.get(register, []).remove(buffer[chosen])
            elif free.get(form):
                buffer[register] = free[form].pop()
            else:
                buffer[register] = len(forms)
                forms.append(form)
            ending.setdefault(memory.last_use[register], []).append(buffer[register])
        for ended in ending.pop(register, []):
            free.setdefault(forms[ended], []).append(ended)
    first = {form: b for b, form in reversed([*enumerate(forms)])}
    order = sorted(range(len(forms)), key=lambda b: first[forms[b]])
    place = {old: new for new, old in enumerate(order)}
    return BufferPlan(
        {register: place[b] for register, b in buffer.items()},
        over,
        tuple(forms[b] for b in order),
    )


def _written_over(
    program: Program, step: Step, buffer: Mapping[int, int], last_use: Callable[[int], int]
) -> int | None:
    """The argument whose buffer the result may take: of its form, and read for the last time."""
    if ("elementwise", True) not in step.details:
        return None
    for arg in step.args:
        source = program.steps[arg]
        same = source.shape == step.shape and source.dtype == step.dtype
        if same and arg in buffer and last_use(arg) == step.dest:
            return arg
    return None
