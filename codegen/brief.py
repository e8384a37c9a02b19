"""Fewer calls for the same digits: how single formulas are spelled.

A network's kernels are chosen for speed; a formula is judged by how little it says.  So softplus
is ``logaddexp(0, x)``, the sigmoid exp(−softplus(−x)), which shares its logarithm with what stands
around it, and the composites of the softmax family that have one argument share the shifted
exponentials.  sigmoid(x) keeps its tails: below −37, softplus(−x) is −x to the last bit, and above
that its rounding is at most 3.6e−15.  A root of a sum of squares is ``hypot.reduce``, whose squares
do not overflow, and x · (1/y, or 0 where y is 0) one division.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from codegen.builder import Builder
from codegen.program import Program, Step
from codegen.views import DROP, KEEP, NEW, index
from symdiff.expr.contraction import summed_squares, summed_squares_of_product
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, broadcast_shapes

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
        self.users, self.results = program.readers, set(program.results.values())
        self.readers = {register: len(users) for register, users in self.users.items()}
        self.registers = {node: register for register, node in program.nodes.items()}
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
        if step.action == "mul" and not step.weak:
            return self.product(step)
        quotient = self.guarded(step) if step.action == "where" else None
        if quotient is not None:
            return quotient
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
        present = (step.action, step.args, tuple(details.items())) in self.present
        if not present and not (self.readers[step.dest] == 1 and _has_signs(step)):
            return self.scaled(x, -1.0)
        args = [self.places[arg] for arg in step.args]
        return self.emit(step.action, args, x, **details)

    def product(self, step: Step) -> int:
        """A product, with norms and guarded quotients each as one factor."""
        factors, divisor = self.factors(step), None
        for arg in step.args:
            if factors.get(self.places[arg]) == 1:
                divisor = self.guarded_below(arg)
            if divisor is not None:
                del factors[self.places[arg]]
                break
        above = self.of_factors(factors, step)
        if divisor is None:
            return above
        return self.emit_shaped("divide_or_zero", [above, divisor], step)

    def guarded_below(self, register: int) -> int | None:
        """What a reciprocal that is 0 at 0 is of, seen through axes of size 1."""
        step = self.program.steps[register]
        if step.action == "reciprocal_or_zero":
            return self.places[step.args[0]]
        inner = self.guarded_below(step.args[0]) if step.action == "index" else None
        return None if inner is None else index(self.builder, inner, step.detail("items"))

    def factors(self, step: Step) -> dict[int, float]:
        """The registers that a product multiplies, to their powers."""
        factors: dict[int, float] = {}
        for arg, e in zip(step.args, step.detail("exponents"), strict=True):
            norm = self.norm(arg) if _is_rooted(e) or self.has_root(arg, e) else None
            place, power = (self.places[arg], e) if norm is None else (norm, 2 * e)
            factors[place] = factors.get(place, 0.0) + power
        return factors

    def of_factors(self, factors: dict[int, float], step: Step) -> int:
        """The product of a step with other factors, and (a b)ⁿ for aⁿ bⁿ."""
        coefficient = step.detail("coefficient")
        powers = Counter(e for e in factors.values() if abs(e) >= 2 and e % 1 == 0)
        for e in (e for e, n in powers.items() if n > 1):
            bases = [x for x in factors if factors[x] == e]
            inner = self.builder.emit(
                "mul",
                bases,
                shape=broadcast_shapes(*(self.builder.steps[x].shape for x in bases)),
                dtype=step.dtype,
                exponents=(1.0,) * len(bases),
                coefficient=1.0,
            )
            factors = {**{x: k for x, k in factors.items() if x not in bases}, inner: e}
        if not factors:
            return self.builder.number(coefficient, step.dtype)
        if coefficient == 1 and list(factors.values()) == [1.0]:
            return next(iter(factors))
        return self.builder.emit(
            "mul",
            list(factors),
            shape=broadcast_shapes(*(self.builder.steps[arg].shape for arg in factors)),
            dtype=step.dtype,
            exponents=tuple(factors.values()),
            coefficient=coefficient,
        )

    def guarded(self, step: Step) -> int | None:
        """where(y > 0, x / y, 0) as one division, for a norm y."""
        mask, quotient, other = (self.program.steps[arg] for arg in step.args)
        view = mask if mask.action == "index" else None
        mask = mask if view is None else self.program.steps[view.args[0]]
        if mask.action != "gt" or quotient.action != "mul" or not self.is_zero(other):
            return None
        factors, norm = self.factors(quotient), self.places[mask.args[0]]
        compared = self.program.steps[mask.args[1]]
        if self.builder.steps[norm].action != "hypot_reduce" or not self.is_zero(compared):
            return None
        norm = norm if view is None else index(self.builder, norm, view.detail("items"))
        if factors.get(norm) != -1:
            return None
        del factors[norm]
        above = self.of_factors(factors, quotient)
        return self.emit_shaped("divide_or_zero", [above, norm], step)

    def is_zero(self, step: Step) -> bool:
        return step.action == "number" and float(step.detail("literal")) == 0

    def emit_shaped(self, action: str, args: list[int], like: Step, **details: Any) -> int:
        return self.builder.emit(action, args, shape=like.shape, dtype=like.dtype, **details)

    def place_of(self, node: Node) -> int | None:
        """Where a node's value stands, if it does."""
        while node.op == "stop_gradient":  # which computes nothing
            (node,) = node.inputs
        register = self.registers.get(node)
        return None if register is None else self.places[register]

    def norm(self, register: int) -> int | None:
        """The root of a sum of squares, seen through axes of size 1."""
        step = self.program.steps[register]
        if step.action == "index":
            inner = self.norm(step.args[0])
            return None if inner is None else index(self.builder, inner, step.detail("items"))
        node = self.program.nodes.get(register)
        if node is None:
            return None
        found = summed_squares(node)
        x = None if found is None else self.place_of(found[0])
        if found is not None and x is not None:
            return self.emit_shaped("hypot_reduce", [x], step, axes=found[1])
        if not self.only_rooted(register):
            return None
        squares = summed_squares_of_product(node)
        if squares is not None:
            halves = {self.place_of(y): e for y, e in squares[0]}
            if None not in halves:
                known = {y: e for y, e in halves.items() if y is not None}
                return self.norm_of_product(known, squares[1], node.inputs[0].shape, step)
        return self.norm_with_factors(step) if step.action == "mul" else None

    def has_root(self, register: int, e: float) -> bool:
        """Whether a power is as well had of the root, which is there: only products read it."""
        powers = []
        for user in self.users[register]:
            step = self.program.steps[user]
            if step.action != "mul" or step.weak:
                return False
            powers += [k for x, k in zip(step.args, step.detail("exponents"), strict=True)
                       if x == register]  # fmt: skip
        return e % 1 == 0 and any(map(_is_rooted, powers)) and register not in self.results

    def only_rooted(self, register: int) -> bool:
        """Whether a value is read for its root only."""
        for user in self.users[register]:
            step = self.program.steps[user]
            if step.action == "index":
                if not self.only_rooted(user):
                    return False
            elif step.action != "mul" or step.weak:
                return False
            else:
                pairs = zip(step.args, step.detail("exponents"), strict=True)
                if any(arg == register and not _is_rooted(e) for arg, e in pairs):
                    return False
        return register not in self.results

    def norm_of_product(
        self, halves: dict[int, float], axes: tuple[int, ...], shape: Shape, like: Step
    ) -> int:
        product = self.builder.emit(
            "mul",
            list(halves),
            shape=shape,
            dtype=like.dtype,
            exponents=tuple(halves.values()),
            coefficient=1.0,
        )
        return self.emit_shaped("hypot_reduce", [product], like, axes=axes)

    def norm_with_factors(self, step: Step) -> int | None:
        """√(c² Σ x²), with c taken in, where it is no larger than x."""
        halves: dict[int, float] = {}
        found: tuple[Node, tuple[int, ...]] | None = None
        for arg, e in zip(step.args, step.detail("exponents"), strict=True):
            node = self.program.nodes.get(arg)
            total = summed_squares(node) if node is not None and e == 1 else None
            if total is not None and found is None and self.readers[arg] == 1:
                found = total
            elif e % 2 or self.program.steps[arg].shape not in ((), step.shape):
                return None
            else:
                halves[arg] = e / 2
        place = None if found is None else self.place_of(found[0])
        if found is None or place is None or step.detail("coefficient") != 1:
            return None
        x, axes = found
        items = [NEW if axis in axes else KEEP for axis in range(x.ndim)]
        if items.count(KEEP) != len(step.shape):
            return None
        factors = {place: 1.0}
        for arg, e in halves.items():
            own = self.places[arg]
            factors[index(self.builder, own, items) if self.program.steps[arg].shape else own] = e
        return self.norm_of_product(factors, axes, x.shape, step)

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


def _is_rooted(e: float) -> bool:
    """Whether a power of a sum of squares is taken of its root."""
    return (2 * e) % 1 == 0 and (e < 0 or e % 1 != 0)


def _has_signs(step: Step) -> bool:
    """Whether minus the step's value has fewer minus signs, or as many."""
    if step.action == "mul":
        return bool(step.detail("coefficient") < 0)
    signs = [c < 0 for c in step.detail("coefficients")]
    return 2 * sum(signs) >= len(signs) and not step.detail("constant") > 0
