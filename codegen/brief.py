"""Fewer calls for the same digits: how single formulas are spelled.

A network's kernels are chosen for speed; a formula is judged by how little it says.  So softplus
is ``logaddexp(0, x)``, the sigmoid exp(−softplus(−x)), which shares its logarithm with what stands
around it, and the composites of the softmax family that have one argument share the shifted
exponentials.  sigmoid(x) keeps its tails: below −37, softplus(−x) is −x to the last bit, and above
that its rounding is at most 3.6e−15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from codegen.program import Builder, Program, Step
from codegen.views import DROP, KEEP, index

_FAMILY = ("softmax", "log_softmax", "logsumexp")


def brief(program: Program, dtype: str) -> Program:
    """The program with each such function in fewer calls."""
    return _Brief(program, dtype).run()


class _Brief:
    def __init__(self, program: Program, dtype: str) -> None:
        self.program = program
        self.builder = Builder(dtype)
        self.places: dict[int, int] = {}
        self.present = {(step.action, step.args, step.details) for step in program.steps}
        self.shared = Counter(_argument(step) for step in program.steps if step.action in _FAMILY)

    def run(self) -> Program:
        program, builder, places = self.program, self.builder, self.places
        for step in program.steps:
            made = self.made(step)
            places[step.dest] = made
            if step.dest in program.nodes:
                builder.nodes.setdefault(made, program.nodes[step.dest])
        return Program(
            tuple(builder.steps),
            {label: places[register] for label, register in program.results.items()},
            builder.nodes,
            tuple(places[register] for register in program.divisors),
        )

    def made(self, step: Step) -> int:
        """The register that holds the step's value."""
        args = [self.places[arg] for arg in step.args]
        if step.action == "sigmoid":
            minus = self.negative(self.program.steps[step.args[0]])
            return self.unary("exp", self.scaled(self.unary("softplus_brief", minus), -1.0))
        if step.action == "softplus":
            return self.unary("softplus_brief", args[0])
        if step.action in _FAMILY and self.shared[_argument(step)] > 1:
            return _SHARED[step.action](self, args[0], step)
        return self.builder.emit(
            step.action,
            args,
            shape=step.shape,
            dtype=step.dtype,
            weak=step.weak,
            **dict(step.details),
        )

    def emit(self, action: str, args: list[int], like: int, **details: Any) -> int:
        step = self.builder.steps[like]
        return self.builder.emit(action, args, shape=step.shape, dtype=step.dtype, **details)

    def unary(self, action: str, x: int) -> int:
        return self.emit(action, [x], x)

    def scaled(self, x: int, c: float) -> int:
        return self.emit("mul", [x], x, exponents=(1.0,), coefficient=c)

    def negative(self, step: Step) -> int:
        """Minus the value, as the program has it already if it does."""
        x = self.places[step.dest]
        if step.action == "mul" and not step.weak:
            details = {**dict(step.details), "coefficient": -step.detail("coefficient")}
            if details["coefficient"] == 1 and step.detail("exponents") == (1.0,):
                return self.places[step.args[0]]
        elif step.action == "add" and not step.weak:
            minus = tuple(-c for c in step.detail("coefficients"))
            details = {"coefficients": minus, "constant": -step.detail("constant")}
        else:
            return self.scaled(x, -1.0)
        if (step.action, step.args, tuple(details.items())) not in self.present:
            return self.scaled(x, -1.0)
        args = [self.places[arg] for arg in step.args]
        return self.emit(step.action, args, x, **details)

    # The softmax family: what its members share, and each of them.

    def shifted(self, x: int, step: Step) -> tuple[int, int]:
        """x less its largest along the axes, and that."""
        own = self.builder.steps[x]
        axes = step.detail("axes")
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(own.shape))
        peak = self.builder.emit("finite_peak", [x], shape=shape, dtype=own.dtype, axes=axes)
        return self.emit("add", [x, peak], x, coefficients=(1.0, -1.0), constant=0.0), peak

    def weights(self, x: int, step: Step) -> tuple[int, int]:
        """The shifted exponentials, and their sum."""
        shifted, peak = self.shifted(x, step)
        weights = self.unary("exp", shifted)
        total = self.emit("sum", [weights], peak, axes=step.detail("axes"), keepdims=True)
        return weights, total

    def softmax(self, x: int, step: Step) -> int:
        weights, total = self.weights(x, step)
        return self.emit("mul", [weights, total], x, exponents=(1.0, -1.0), coefficient=1.0)

    def log_softmax(self, x: int, step: Step) -> int:
        log = self.unary("log", self.weights(x, step)[1])
        shifted = self.shifted(x, step)[0]
        return self.emit("add", [shifted, log], x, coefficients=(1.0, -1.0), constant=0.0)

    def logsumexp(self, x: int, step: Step) -> int:
        log = self.unary("log", self.weights(x, step)[1])
        peak = self.shifted(x, step)[1]
        whole = self.emit("add", [peak, log], peak, coefficients=(1.0, 1.0), constant=0.0)
        rank, axes = len(self.builder.steps[x].shape), step.detail("axes")
        return index(self.builder, whole, [DROP if a in axes else KEEP for a in range(rank)])


_SHARED: dict[str, Callable[[_Brief, int, Step], int]] = {
    "softmax": _Brief.softmax,
    "log_softmax": _Brief.log_softmax,
    "logsumexp": _Brief.logsumexp,
}


def _argument(step: Step) -> tuple[int, tuple[int, ...]]:
    return step.args[0], step.detail("axes")
