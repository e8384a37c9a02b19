"""Sums and products as chains of calls: arrays of one shape first, small ones into large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codegen import softmaxes
from codegen.expansion import Expansion
from codegen.program import Step
from symdiff.expr.shapes import Shape


def _merge(work: Expansion, registers: Sequence[int], function: str, dtype: str) -> int:
    """Operands joined by a commutative function: equal shapes first, small ones into large."""
    groups: dict[Shape, list[int]] = {}
    for register in registers:
        groups.setdefault(work.step(register).shape, []).append(register)
    parts = []
    for group in groups.values():
        total = group[0]
        for register in group[1:]:
            total = work.ufunc(function, [total, register], dtype)
        parts.append(total)
    parts.sort(key=lambda r: len(work.step(r).shape))
    total = parts[0]
    for part in parts[1:]:
        total = work.ufunc(function, [part, total], dtype)
    return total


def add(work: Expansion, step: Step, args: list[int]) -> int:
    dtype, constant = step.dtype, step.detail("constant")
    pairs = list(zip(args, step.detail("coefficients"), strict=True))
    scalars = [(a, c) for a, c in pairs if not work.step(a).shape]
    plus: list[int] = []
    minus: list[int] = []
    for register, c in pairs:
        if work.step(register).shape:
            size = abs(c)
            if size != 1:
                scale = work.number(size, dtype)
                register = work.ufunc("multiply", [register, scale], dtype)
            (minus if c < 0 else plus).append(register)
    number = _scalar_sum(work, scalars, constant, dtype)
    if not plus:
        total = _merge(work, minus, "add", dtype)
        first = work.number(0.0, dtype) if number is None else number
        if number is None:
            return _shaped(work, work.ufunc("negative", [total], dtype), step)
        return _shaped(work, work.ufunc("subtract", [first, total], dtype), step)
    total = _merge(work, plus, "add", dtype)
    for register in sorted(minus, key=lambda r: len(work.step(r).shape)):
        less = softmaxes.without_labels(work, total, register)
        total = work.ufunc("subtract", [total, register], dtype) if less is None else less
    if number is not None:
        total = work.ufunc("add", [total, number], dtype)
    return _shaped(work, total, step)


def _shaped(work: Expansion, register: int, step: Step) -> int:
    if work.step(register).shape != step.shape:
        raise AssertionError(f"{step.action}: made {work.step(register).shape}, not {step.shape}")
    return register


def _scalar_sum(
    work: Expansion, pairs: Sequence[tuple[int, float]], constant: float, dtype: str
) -> int | None:
    """The terms without axes, and the constant; None if there is nothing to add."""
    if not pairs:
        return None if constant == 0 else work.number(constant, dtype)
    if len(pairs) == 1 and pairs[0][1] == 1 and constant == 0:
        return pairs[0][0]
    return work.builder.emit(
        "add",
        [a for a, _ in pairs],
        shape=(),
        dtype=dtype,
        weak=all(work.step(a).weak for a, _ in pairs),
        coefficients=tuple(c for _, c in pairs),
        constant=constant,
    )


def taken_in(work: Expansion, step: Step, number: float, alone: int) -> int | None:
    """A product times a number that is multiplied into a sum of multiples among its factors.

    c (a x + b) y is (ca x + cb) y, a pass less.  None if there is no such sum, or if more than
    ``alone`` steps read it.
    """
    pairs = list(zip(step.args, step.detail("exponents"), strict=True))
    for place, (arg, e) in enumerate(pairs):
        total = work.program.steps[arg]
        if total.action != "add" or e != 1 or not total.shape or arg in work.results:
            continue
        weights = total.detail("coefficients")
        if len(work.readers[arg]) > alone or any(abs(c) == 1 for c in weights):
            continue
        scaled = (
            ("coefficients", tuple(number * c for c in weights)),
            ("constant", number * total.detail("constant")),
        )
        inner = add(work, replace(total, details=scaled), [work.place[a] for a in total.args])
        args = [work.place[a] for a in step.args]
        args[place] = inner
        details = (("exponents", step.detail("exponents")), ("coefficient", 1.0))
        return mul(work, replace(step, details=details), args)
    return None


def mul(work: Expansion, step: Step, args: list[int]) -> int:
    dtype, coefficient = step.dtype, step.detail("coefficient")
    readers = work.readers.get(step.dest, [])
    if abs(coefficient) != 1 and not any(
        work.program.steps[r].action == "sigmoid" for r in readers
    ):
        inside = taken_in(work, step, coefficient, 1)
        if inside is not None:
            return inside
    pairs = list(zip(args, step.detail("exponents"), strict=True))
    # Masks multiply what is an array of floats by then: NumPy has no -mask.
    masks = [a for a, _ in pairs if work.step(a).dtype == "bool"]
    masks.sort(key=lambda a: -len(work.step(a).shape))
    scalars = [(a, e) for a, e in pairs if not work.step(a).shape and a not in masks]
    arrays = [(a, e) for a, e in pairs if work.step(a).shape and a not in masks]
    above = [work.power(a, e, dtype) for a, e in arrays if e > 0]
    below: list[int] = []
    for register, e in arrays:
        if e == -2:
            below += [register, register]  # the square of what is kept from overflow may overflow
        elif e < 0:
            below.append(work.power(register, -e, dtype))
    divisor = None
    if not masks and coefficient == 1 and len(scalars) == 1 and scalars[0][1] == -1:
        divisor, scalars = scalars[0][0], []
    number = _scalar_product(work, scalars, coefficient, dtype)
    if above:
        total = _merge(work, above, "multiply", dtype)
        if number is not None:
            minus = work.step(number).action == "number" and coefficient == -1
            total = (
                work.ufunc("negative", [total], dtype)
                if minus and not scalars
                else work.ufunc("multiply", [total, number], dtype)
            )
    else:
        total = number if number is not None else work.number(1.0, dtype)
    for register in below:
        total = work.ufunc("divide", [total, register], dtype)
    if divisor is not None:
        total = work.ufunc("divide", [total, divisor], dtype)
    for mask in masks:
        total = work.ufunc("multiply", [total, mask], dtype)
    return _shaped(work, total, step)


def _scalar_product(
    work: Expansion, pairs: Sequence[tuple[int, float]], coefficient: float, dtype: str
) -> int | None:
    if not pairs:
        return None if coefficient == 1 else work.number(coefficient, dtype)
    if len(pairs) == 1 and pairs[0][1] == 1 and coefficient == 1:
        return pairs[0][0]
    return work.builder.emit(
        "mul",
        [a for a, _ in pairs],
        shape=(),
        dtype=dtype,
        weak=all(work.step(a).weak for a, _ in pairs),
        exponents=tuple(e for _, e in pairs),
        coefficient=coefficient,
    )
