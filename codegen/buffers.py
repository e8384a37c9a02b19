"""Buffers: which arrays a function computes in, and which values share one.

Values whose call takes ``out=`` live in buffers of their exact shape and dtype.  A buffer is free
again when the last line that reads its value, through views too, has run; a call an element at a
time may write over an argument that is read here for the last time.  Results keep theirs.
Constants, ones to sum with for instance, have buffers that are filled when they are made, and that
nothing else is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from codegen.envelope import never_less
from codegen.memory import MemoryPlan
from codegen.program import Program, Step
from symdiff.expr.shapes import Shape, Size, shape_size, size_mul


class Form(NamedTuple):
    """A buffer's shape and dtype, and the number that it holds if it is a constant.

    The number is a register's until lines are written, and then its text.
    """

    shape: Shape
    dtype: str
    number: str = ""


ITEM_BYTES = {"bool": 1, "int64": 8, "float32": 4, "float64": 8}


def form_bytes(form: Form) -> Size:
    """The memory of a buffer."""
    return size_mul(ITEM_BYTES[form.dtype], shape_size(form.shape))


@dataclass(frozen=True, slots=True)
class BufferPlan:
    """``buffer``: register → its buffer; ``over``: register → the argument that it writes over.

    ``forms``: what each buffer is, those of one form side by side.  ``views`` are beginnings of
    buffers in other shapes: the buffer and the form; ``view``: register → the one it stands in.
    """

    buffer: Mapping[int, int]
    over: Mapping[int, int]
    forms: tuple[Form, ...]
    views: tuple[tuple[int, Form], ...] = ()
    view: Mapping[int, int] = field(default_factory=dict)

    def groups(self) -> list[tuple[int, Form]]:
        """How many buffers there are of each form, in order."""
        counts: dict[Form, int] = {}
        for form in self.forms:
            counts[form] = counts.get(form, 0) + 1
        return [(count, form) for form, count in counts.items()]


def is_call(step: Step) -> bool:
    """Whether the step is one call that takes ``out=``."""
    return step.action == "call" and bool(step.shape)


def plan_buffers(
    program: Program,
    memory: MemoryPlan,
    fresh: Collection[int] = (),
    sharing: bool = False,
) -> BufferPlan:
    """Buffers for the calls of a program, given how long each line's value lives.

    Values of ``fresh`` registers are made anew each time: what a round of a loop leaves to the
    next must not stand where that one computes.  With ``sharing``, values of other shapes stand in
    the beginnings of buffers that are free, where the one shape is never the smaller of the two,
    at whatever sizes.
    """
    buffer: dict[int, int] = {}
    over: dict[int, int] = {}
    forms: list[Form] = []
    free: dict[Form, list[int]] = {}
    ending: dict[int, list[int]] = {}
    alias: dict[int, int] = {}
    constants: dict[Form, int] = {}
    shared = _passing(program, memory) if sharing else frozenset()

    def last_use(register: int) -> int:
        return memory.last_use[alias.get(register, register)]

    for step in program.steps:
        register = step.dest
        if step.is_constant:
            form = Form(step.shape, step.dtype, str(step.args[0]))
            if form not in constants:
                constants[form] = len(forms)
                forms.append(form)
            buffer[register] = constants[form]
        if step.action == "reshape" and alias.get(step.args[0], step.args[0]) in buffer:
            # Buffers are contiguous, so that this is the same memory in another shape.
            alias[register] = alias.get(step.args[0], step.args[0])
            if register in memory.slots:
                buffer[register] = buffer[alias[register]]
        if is_call(step) and register not in fresh:
            form = Form(step.shape, step.dtype)
            chosen = _written_over(program, step, buffer, last_use)
            if chosen is not None:
                over[register] = chosen
                buffer[register] = buffer[chosen]
                ending.get(register, []).remove(buffer[chosen])
            elif free.get(form):
                buffer[register] = free[form].pop()
            elif register in shared and (found := _of_other_shape(form, forms, free)) is not None:
                buffer[register] = found
                if _fits(form, forms[found]):
                    forms[found] = form
            else:
                buffer[register] = len(forms)
                forms.append(form)
            ending.setdefault(memory.last_use[register], []).append(buffer[register])
        for ended in ending.pop(register, []):
            free.setdefault(forms[ended], []).append(ended)
    first = {form: b for b, form in reversed([*enumerate(forms)])}
    order = sorted(range(len(forms)), key=lambda b: first[forms[b]])
    place = {old: new for new, old in enumerate(order)}
    views: dict[tuple[int, Form], int] = {}
    view: dict[int, int] = {}
    for register, b in buffer.items():
        step = program.steps[register]
        form = Form(step.shape, step.dtype)
        if is_call(step) and register not in over and form != forms[b]:
            view[register] = views.setdefault((place[b], form), len(views))
    return BufferPlan(
        {register: place[b] for register, b in buffer.items()},
        over,
        tuple(forms[b] for b in order),
        tuple(views),
        view,
    )


def _passing(program: Program, memory: MemoryPlan) -> frozenset[int]:
    """The calls whose buffers come free again: their values are no results, nor become some.

    A result that took a large buffer for a small shape would hold it to the end.
    """
    ends = {program.base(register) for register in program.results.values()}
    for step in reversed(program.steps):
        if step.dest in ends and dict(step.details).get("elementwise"):
            form = (step.shape, step.dtype)
            sources = [program.steps[arg] for arg in step.args]
            ends |= {
                x.dest
                for x in sources
                if (x.shape, x.dtype) == form and memory.last_use.get(x.dest) == step.dest
            }
    return frozenset(s.dest for s in program.steps if is_call(s) and s.dest not in ends)


def _of_other_shape(form: Form, forms: list[Form], free: dict[Form, list[int]]) -> int | None:
    """A free buffer in which the form fits, taken from the free ones; or else one that fits in it.

    Of those that are large enough the smallest, of the others the largest.
    """
    best: Form | None = None
    for other in [f for f, buffers in free.items() if buffers and f.dtype == form.dtype]:
        enough = _fits(other, form)
        if not enough and not _fits(form, other):
            continue
        if best is None:
            best = other
        elif enough == _fits(best, form):
            best = other if _fits(best, other) == enough else best
        elif enough:
            best = other
    return None if best is None else free[best].pop()


@lru_cache(maxsize=65536)
def _fits(outer: Form, inner: Form) -> bool:
    """Whether the one form never has fewer elements than the other."""
    return never_less(shape_size(outer.shape), shape_size(inner.shape))


def _written_over(
    program: Program, step: Step, buffer: Mapping[int, int], last_use: Callable[[int], int]
) -> int | None:
    """The argument whose buffer the result may take: of its form, and read for the last time."""
    if ("elementwise", True) not in step.details:
        return None
    for arg in step.args:
        source = program.steps[arg]
        same = source.shape == step.shape and source.dtype == step.dtype
        same = same and not program.steps[program.base(arg)].is_constant
        if same and arg in buffer and last_use(arg) == step.dest:
            return arg
    return None
