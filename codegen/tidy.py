"""What can be said more shortly once it is known who reads what: rewrites of single steps.

``a.sum(axis=1)[:, None]`` is ``a.sum(axis=1, keepdims=True)``; a sum over its number of terms is a
mean; two bounds are a clip; a reduction of many small windows is one operation a place in the
window.  Each only where nothing else reads the inner value, which is then a
step that nothing reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from codegen.program import Program, Step
from codegen.views import DROP, NEW
from symdiff.expr.shapes import shape_size

Rule = Callable[["Tidying", Step], "Step | None"]

FLOATS = ("float32", "float64")


def tidy(program: Program) -> tuple[Step, ...]:
    """The steps, each said as shortly as it can be."""
    for rule, actions in RULES.items():
        if any(step.action in actions for step in program.steps):
            program = program.with_steps(Tidying(program).run(rule, actions))
    return program.steps


class Tidying:
    """One walk over a program's steps."""

    def __init__(self, program: Program) -> None:
        self.steps = list(program.steps)
        self.readers = program.readers
        self.results = set(program.results.values())

    def run(self, rule: Rule, actions: Collection[str]) -> tuple[Step, ...]:
        for step in list(self.steps):
            now = self.steps[step.dest]
            new = rule(self, now) if now.action in actions else None
            if new is not None:
                self.steps[step.dest] = new
        return tuple(self.steps)

    def alone(self, register: int) -> bool:
        """Whether one step only reads it, once."""
        return len(self.readers[register]) == 1 and register not in self.results


#: Reductions over windows of at most this many elements are taken place by place.
MOST_PLACES = 32


def _pooled(tidying: Tidying, step: Step) -> Step | None:
    """x.max(axis=(3, 5)) of small windows as maxima of whole arrays.

    NumPy reduces several short axes that do not lie together at a tenth of the speed.
    """
    if step.dtype not in FLOATS or len(step.shape) < 3:
        return None
    source = tidying.steps[step.args[0]]
    axes = step.detail("axes")
    places = shape_size(source.shape[axis] for axis in axes)
    short = isinstance(places, int) and 1 < places <= MOST_PLACES
    if not short or (len(axes) < 2 and source.action != "window"):
        return None
    details = (("function", f"_pooled_{step.action}"), ("axes", tuple(axes)))
    return replace(step, action="pooled", details=details)


def _kept_axes(tidying: Tidying, step: Step) -> Step | None:
    source = tidying.steps[step.args[0]]
    if not tidying.alone(source.dest) or not _restores(step, source):
        return None
    details = (*source.details, ("keepdims", True))
    return replace(step, action=source.action, args=source.args, details=details)


def _restores(step: Step, source: Step) -> bool:
    """Whether an indexing puts back the very axes that a reduction took."""
    if source.action not in ("sum", "max") or dict(source.details).get("keepdims"):
        return False
    items: tuple[str, ...] = step.detail("items")
    new = tuple(axis for axis, item in enumerate(items) if item == NEW)
    return DROP not in items and new == tuple(sorted(source.detail("axes")))


def _mean_of_sum(tidying: Tidying, step: Step) -> Step | None:
    """x.sum() / 5 as x.mean(), which divides in the same way, for axes of known sizes."""
    if step.weak:
        return None
    for at, arg in enumerate(step.args):
        total = tidying.steps[arg]
        if total.action == "abs" and tidying.alone(arg):
            total = tidying.steps[total.args[0]]
        if total.action != "sum" or total.dtype not in FLOATS or not tidying.alone(total.dest):
            continue
        sizes = tidying.steps[total.args[0]].shape
        n = shape_size(tuple(sizes[axis] for axis in total.detail("axes")))
        if not isinstance(n, int) or n < 2:
            continue
        details = dict(step.details)
        if step.action == "mul":
            if abs(details["coefficient"]) != 1 / n or details["exponents"][at] != 1:
                continue
            details["coefficient"] = 1.0 if details["coefficient"] > 0 else -1.0
        else:
            weights = list(details["coefficients"])
            if abs(weights[at]) != 1 / n:
                continue
            weights[at] = 1.0 if weights[at] > 0 else -1.0
            details["coefficients"] = tuple(weights)
        tidying.steps[total.dest] = replace(total, action="mean")
        step = replace(step, details=tuple(details.items()))
        tidying.steps[step.dest] = step
    return step


def _clip(tidying: Tidying, step: Step) -> Step | None:
    """minimum(maximum(x, a), b) as clip(x, a, b), which NumPy defines so."""
    for inner, high in (step.args, step.args[::-1]):
        lower = tidying.steps[inner]
        if lower.action != "maximum" or not tidying.alone(inner) or lower.shape != step.shape:
            continue
        x, low = _by_size(tidying.steps, lower.args)
        return replace(step, action="clip", args=(x, low, high))
    return None


def _by_size(steps: Sequence[Step], args: Sequence[int]) -> list[int]:
    """The larger array first, a bound last."""
    return sorted(args, key=lambda arg: (-len(steps[arg].shape), steps[arg].action == "mul"))


#: The rules, in order, each with the actions of the steps that it rewrites.
RULES: dict[Rule, tuple[str, ...]] = {
    _pooled: ("max", "sum"),
    _kept_axes: ("index",),
    _mean_of_sum: ("mul", "add"),
    _clip: ("minimum",),
}
