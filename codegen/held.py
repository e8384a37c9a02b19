"""What a call holds in memory: the arrays that it makes, results included and arguments not.

Emitted functions keep every array that has a name until they return.  Inside a line Python holds
the operands of what it evaluates; where the left operand of an infix operator is an array without
a name, NumPy writes the result over it, if it is large (256 KiB).  The peak is the largest of
what is held over the lines: a polynomial each, of which those are kept that may be the largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from codegen.buffers import ITEM_BYTES, form_bytes
from codegen.envelope import largest
from codegen.program import Program, Step
from codegen.writer import Written
from symdiff.expr.shapes import (
    Size,
    as_expression,
    as_size,
    shape_size,
    size_add,
    size_mul,
    size_sub,
)

#: Actions that are printed as infix operators, whose results may be written over a temporary.
_INFIX = {"add": "coefficients", "mul": "exponents"}


def array_bytes(step: Step) -> Size:
    """The memory that the step's array takes, or would if it were no view."""
    return 0 if step.weak else size_mul(ITEM_BYTES[step.dtype], step.size)


def switch(step: Step) -> str:
    """The name of a number that is 1 where a branch's condition holds, and 0 where not."""
    return f"[{step.detail('less')} < {step.detail('more')}]"


def chosen(step: Step, first: Size, second: Size) -> Size:
    """The one or the other size, as the condition of a branch has it."""
    difference = as_expression(size_sub(first, second))
    return size_add(second, as_size(difference * as_expression(switch(step))))


def peak_bytes(written: Written) -> tuple[Size, ...]:
    """What the text as printed comes to hold: the largest of the given polynomials."""
    kept = _buffers(written)
    return largest(size_add(kept, peak) for peak in _Lines(written, frees=False).peaks())


def live_bytes(written: Written) -> tuple[Size, ...]:
    """The same, if every array went as soon as nothing reads it any more."""
    return largest(_Lines(written, frees=True).peaks())


def _sum(sizes: Iterable[Size]) -> Size:
    total: Size = 0
    for size, count in Counter(sizes).items():
        total = size_add(total, size_mul(count, size))
    return total


@dataclass(frozen=True, slots=True)
class _Held:
    """Bytes while something is evaluated, at most, and after."""

    peaks: tuple[Size, ...]
    after: Size


def _buffers(written: Written) -> Size:
    """The memory of the buffers of a program and of what its steps hold."""
    kept = _sum(form_bytes(form) for form in written.buffers.forms)
    for register, blocks in written.blocks.items():
        step = written.program.steps[register]
        inner = [_buffers(block) for block in blocks]
        kept = size_add(kept, chosen(step, *inner) if step.action == "branch" else _sum(inner))
    return kept


class _Lines:
    """The evaluation of a program's lines, in order; names may be given up with their last use."""

    def __init__(self, written: Written, frees: bool) -> None:
        self.written = written
        self.program = written.program
        self.plan = written.memory
        self.frees = frees

    def peaks(self) -> list[Size]:
        """What is held at most in each line, and at the end."""
        found: list[Size] = []
        kept: Size = 0
        ending: dict[int, list[Size]] = {}
        place = 0
        for step in self.program.steps:
            register = step.dest
            if register not in self.plan.slots and register not in self.written.blocks:
                continue
            for before in range(place, register):
                for gone in ending.pop(before, ()):
                    kept = size_sub(kept, gone)
            place = register
            if register in self.written.blocks:
                line = self.block(register)
            elif step.action == "pick":
                line = _Held((), self.left(step))
            else:
                line = self.evaluated(register)
            found += [size_add(kept, peak) for peak in line.peaks]
            kept = size_add(kept, line.after)
            deleted = self.written.tight and register in self.plan.slots
            if (self.frees or deleted) and line.after != 0:
                last = self.plan.last_use.get(register, register)
                ending.setdefault(last, []).append(line.after)
        for gone in ending.pop(place, ()):  # what the last line read, or wrote over
            kept = size_sub(kept, gone)
        return [*found, kept]

    def block(self, register: int) -> _Held:
        """A step with blocks: what has a name in a block is kept, as everywhere.

        The next round of a loop writes over it; what a loop leaves behind is there from the first.
        """
        step = self.program.steps[register]
        inner = [_Lines(block, self.frees).peaks() for block in self.written.blocks[register]]
        if step.action == "branch":
            first, second = inner
            peaks = [chosen(step, peak, 0) for peak in first]
            peaks += [chosen(step, 0, peak) for peak in second]
            after = 0 if self.frees else chosen(step, first[-1], second[-1])
            return _Held(largest(peaks), after)
        picks = [x for x in self.program.steps if x.action == "pick" and x.args == (register,)]
        made = _sum(array_bytes(x) for x in picks)
        after = 0 if self.frees else inner[0][-1]
        return _Held(largest(size_add(made, peak) for peak in inner[0]), after)

    def left(self, pick: Step) -> Size:
        """What is left behind by a step with blocks, by those of a branch that make it.

        Where all is kept, branches' names are counted with theirs.
        """
        step = self.program.steps[pick.args[0]]
        if step.action != "branch":
            return array_bytes(pick)
        made = (pick.detail("label") in block.results for block in step.blocks)
        first, second = (array_bytes(pick) if own else 0 for own in made)
        return chosen(step, first, second) if self.frees else 0

    def evaluated(self, register: int) -> _Held:
        """One step and all that is written inside its line."""
        step = self.program.steps[register]
        inner: Size = 0
        peaks: list[Size] = []
        reused = False
        for arg in self.printed_order(step):
            held = self.argument(arg)
            peaks += [size_add(inner, peak) for peak in held.peaks]
            inner = size_add(inner, held.after)
            reused |= step.action in _INFIX and held.after == array_bytes(step)
        if not self.makes(step):
            return _Held((*peaks, inner), inner)
        plan = self.written.buffers
        own = array_bytes(step)
        if register in plan.buffer and not self.frees:
            own = 0  # it is among the buffers, which are counted as such
        made = 0 if reused or register in plan.over else own
        while_made = size_add(inner, size_add(made, self.scratch(step)))
        return _Held(largest((*peaks, while_made)), own)

    def printed_order(self, step: Step) -> list[int]:
        """The operands in the order in which the expression has them."""
        args = list(dict.fromkeys(step.args))
        if step.action not in _INFIX:
            return args
        weights = dict(zip(step.args, step.detail(_INFIX[step.action]), strict=True))
        steps = self.program.steps
        return sorted(args, key=lambda a: (weights[a] < 0, -len(steps[a].shape), a))

    def argument(self, register: int) -> _Held:
        """What evaluating an operand holds: nothing where it has a name."""
        if register in self.plan.slots or not self.program.steps[register].args:
            return _Held((), 0)
        return self.evaluated(register)

    def makes(self, step: Step) -> bool:
        """Whether the step makes an array."""
        return step.allocates or self.program.copies(step.dest)

    def scratch(self, step: Step) -> Size:
        """What a step makes besides its result, and gives back."""
        if step.action == "call":
            return CALL_SCRATCH.get(step.detail("function"), _none)(step, self.program)
        return SCRATCH.get(step.action, _none)(step, self.program)


def _none(step: Step, program: Program) -> Size:
    return 0


def _copies(number: int) -> Callable[[Step, Program], Size]:
    """Arrays of the operand's size that a helper function holds beside its result."""

    def count(step: Step, program: Program) -> Size:
        return size_mul(number, array_bytes(program.steps[step.args[0]]))

    return count


def _scaled_terms(step: Step, program: Program) -> Size:
    """A term with a factor is made before it is added to those before it."""
    terms = zip(step.detail("coefficients"), step.args, strict=True)
    sizes = [array_bytes(program.steps[arg]) for c, arg in terms if abs(c) != 1]
    return largest(sizes)[0] if len(step.args) > 1 and sizes else 0


def _powers(step: Step, program: Program) -> Size:
    """A factor with a power is made before it is multiplied by."""
    factors = zip(step.detail("exponents"), step.args, strict=True)
    sizes = [array_bytes(program.steps[arg]) for e, arg in factors if abs(e) != 1]
    return largest(sizes)[0] if len(step.args) > 1 and sizes else 0


def _tensordot(step: Step, program: Program) -> Size:
    """Operands whose summed axes do not stand where a matrix product needs them are copied."""
    copied: Size = 0
    for arg, axes, last in zip(step.args, step.detail("axes"), (True, False), strict=True):
        x = program.steps[arg]
        rank = len(x.shape)
        fit = range(rank - len(axes), rank) if last else range(len(axes))
        if tuple(axes) != tuple(fit) or x.action == "transpose":
            copied = size_add(copied, array_bytes(x))
    return copied


def _one_hot(step: Step, program: Program) -> Size:
    return shape_size(step.shape)  # the truth values


def _columns(step: Step, program: Program) -> Size:
    """Short rows are copied, so as to compare them place by place."""
    x = program.steps[step.args[0]]
    short = step.detail("axes") == (len(x.shape) - 1,) and x.shape[-1] in range(1, 33)
    return array_bytes(x) if short else 0


def _places(step: Step, program: Program) -> Size:
    return array_bytes(program.steps[step.args[1]])


SCRATCH: Mapping[str, Callable[[Step, Program], Size]] = {
    "add": _scaled_terms,
    "mul": _powers,
    "tensordot": _tensordot,
    "one_hot": _one_hot,
    "finite_peak": _columns,
    "softmax": _copies(1),
    "log_softmax": _copies(1),
    "logsumexp": _copies(1),
    "sigmoid": _copies(2),
    "sigmoid_slope": _copies(1),
    "softplus": _copies(1),
    "log1mexp": _copies(2),
    "log_erfc": _copies(3),
    "erfc_hazard": _copies(1),
}

CALL_SCRATCH: Mapping[str, Callable[[Step, Program], Size]] = {
    "_softplus_into": _copies(1),
    "_softmax_into": _columns,
    "_log_softmax_into": _copies(1),
    "_less_one_hot": _places,
}
