"""softmax, log_softmax and logsumexp of one array as calls that share its exponentials.

A classifier's loss needs the logarithm, its gradient the softmax less the labels: both are of
z less its largest entry, whose exponentials are made once.  Of a logarithm only a few entries may
be wanted, those of the labels, and the sum's logarithm is taken off those alone.  Labels are taken
off in place, where they say (:func:`without_labels`), and are not made an array of zeros and ones.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from codegen import views
from codegen.program import Program, Step
from codegen.windows import Expansion
from symdiff.expr.shapes import Shape, shape_size

FAMILY = frozenset({"softmax", "log_softmax", "logsumexp"})

Argument = tuple[int, tuple[int, ...]]


class Work(Expansion, Protocol):
    """What is known of the program besides."""

    program: Program
    place: dict[int, int]
    softmaxes: Sharing

    def step(self, register: int) -> Step:
        """The step of a register."""

    def constant(self, name: str, shape: Shape, dtype: str) -> int:
        """An array of ones, or of zeros."""


class Sharing:
    """Which softmaxes of a program are taken apart, since that saves work."""

    def __init__(self, program: Program) -> None:
        family = [step for step in program.steps if step.action in FAMILY]
        self.members = Counter(argument(step) for step in family)
        readers = program.readers if family else {}
        results = set(program.results.values())
        steps = program.steps
        self.picked = {
            step.dest
            for step in family
            if step.action == "log_softmax"
            and step.dest not in results
            and all(picks_one(steps[r], step) for r in readers[step.dest])
        }

    def apart(self, step: Step) -> bool:
        """Whether the step is one of several of its argument, or picked from."""
        return self.members[argument(step)] > 1 or step.dest in self.picked


def argument(step: Step) -> Argument:
    """What a softmax is of, and along which axes."""
    return step.args[0], tuple(step.detail("axes"))


def picks_one(step: Step, source: Step) -> bool:
    """Whether a step takes one entry of each row of a softmax along the last axis."""
    rank = len(source.shape)
    if step.action != "take" or source.detail("axes") != (rank - 1,):
        return False
    return bool(step.args[0] == source.dest and step.detail("batch") == rank - 1) and (
        len(step.shape) == rank - 1
    )


def member(work: Work, step: Step, args: list[int]) -> int:
    """One of the family, of an argument of which there are several."""
    x = args[0]
    if step.action == "softmax":
        return work.ufunc("divide", [_weights(work, x, step), _total(work, x, step)], step.dtype)
    log = work.ufunc("log", [_total(work, x, step)], step.dtype)
    if step.action == "log_softmax":
        return work.ufunc("subtract", [_shifted(work, x, step), log], step.dtype)
    whole = work.ufunc("add", [log, _peak(work, x, step)], step.dtype)
    return views.reshape(work.builder, whole, step.shape)


def picked(work: Work, step: Step) -> int:
    """Entries of a log_softmax: those of the shifted array less the logarithm of the sum."""
    source = work.program.steps[step.args[0]]
    x, index = work.place[source.args[0]], work.place[step.args[1]]
    shifted = _shifted(work, x, source)
    taken = work.builder.emit(
        "take",
        [shifted, index],
        shape=step.shape,
        dtype=step.dtype,
        **dict(step.details),
    )
    log = work.ufunc("log", [_rows(work, x, source)], step.dtype)
    return work.ufunc("subtract", [taken, views.reshape(work.builder, log, step.shape)], step.dtype)


def without_labels(work: Work, total: int, label: int) -> int | None:
    """A sum less a one-hot array: 1 is taken off where that has a 1; None if it may have none."""
    step = work.step(label)
    node = work.builder.nodes.get(label)
    if step.action != "one_hot" or node is None or not node.facts.one_hot:
        return None
    if work.step(total).shape != step.shape or work.step(total).dtype != step.dtype:
        return None
    args = [total, step.args[0]]
    return work.call("_less_one_hot", args, step.shape, step.dtype, elementwise=True)


def _kept(shape: Shape, axes: tuple[int, ...]) -> Shape:
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def _peak(work: Work, x: int, step: Step) -> int:
    own, axes = work.step(x), step.detail("axes")
    return work.builder.emit(
        "finite_peak", [x], shape=_kept(own.shape, axes), dtype=own.dtype, axes=axes
    )


def _shifted(work: Work, x: int, step: Step) -> int:
    return work.ufunc("subtract", [x, _peak(work, x, step)], step.dtype)


def _weights(work: Work, x: int, step: Step) -> int:
    return work.ufunc("exp", [_shifted(work, x, step)], step.dtype)


def _total(work: Work, x: int, step: Step) -> int:
    """The sum of the exponentials, its axes kept."""
    shape = _kept(work.step(x).shape, step.detail("axes"))
    return views.reshape(work.builder, _rows(work, x, step), shape)


def _rows(work: Work, x: int, step: Step) -> int:
    """The sum of the exponentials; along the last axis a product with ones."""
    weights, axes = _weights(work, x, step), step.detail("axes")
    own = work.step(weights)
    rank = len(own.shape)
    if axes != (rank - 1,) or rank == 1:
        shape = _kept(own.shape, axes)
        return work.call("sum", [weights], shape, own.dtype, axes=axes, keepdims=True)
    width, lead = own.shape[-1], own.shape[:-1]
    flat = views.reshape(work.builder, weights, (shape_size(lead), width))
    ones = work.constant("ones", (width,), own.dtype)
    sums = work.call("dot", [flat, ones], (shape_size(lead),), own.dtype, hint="total")
    return views.reshape(work.builder, sums, lead)
