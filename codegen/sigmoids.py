"""The sigmoid as calls."""

from __future__ import annotations

from codegen.arithmetic import taken_in
from codegen.expansion import Expansion
from codegen.program import Step


def sigmoid(work: Expansion, step: Step, args: list[int]) -> int:
    """1 / (1 + exp(-x)): exp may overflow on the one side, where the result is 0.

    Of sigmoid(x) and sigmoid(-x) the second is 1 minus the first, as tanh' is 1 - tanh^2.
    """
    x, factor = _multiple(work, args[0])
    one = work.number(1.0, step.dtype)
    opposite = work.sigmoids.get((x, -factor))
    if opposite is not None:
        return work.ufunc("subtract", [one, opposite], step.dtype)
    inside = _scaled_argument(work, step, -factor)
    if inside is not None:
        minus = inside
    elif factor == 1:
        minus = work.ufunc("negative", [x], step.dtype)
    elif factor == -1:
        minus = x
    else:
        minus = work.ufunc("multiply", [x, work.number(-factor, step.dtype)], step.dtype)
    below = work.ufunc("exp", [minus], step.dtype)
    below = work.ufunc("add", [below, one], step.dtype)
    result = work.ufunc("divide", [one, below], step.dtype)
    work.sigmoids[x, factor] = result
    return result


def _multiple(work: Expansion, register: int) -> tuple[int, float]:
    """A value as a number times another."""
    factor = 1.0
    while (source := work.step(register)).action == "call":
        if source.detail("function") == "negative":
            factor = -factor
        elif source.detail("function") == "multiply":
            number = work.step(source.args[1])
            if number.action != "number":
                break
            factor *= float(number.detail("literal"))
        else:
            break
        register = source.args[0]
    return register, factor


def _scaled_argument(work: Expansion, step: Step, factor: float) -> int | None:
    """A sigmoid's argument times a number, if that saves a pass: see _taken_in.

    The opposite sigmoid, which is 1 minus this one, is the only other that may read the sum.
    """
    steps, product = work.program.steps, work.program.steps[step.args[0]]
    if product.action != "mul" or abs(product.detail("coefficient")) != abs(factor):
        return None
    others = [r for arg in product.args for r in work.readers[arg] if steps[r].action == "mul"]
    opposite = {r for r in others if steps[r].args == product.args}
    read = {r for made in opposite for r in work.readers[made]}
    minus = {r for r in read if steps[r].action == "mul" and len(steps[r].args) == 1}
    read |= {r for made in minus for r in work.readers[made]}
    if any(steps[r].action != "sigmoid" for r in read - minus):
        return None
    return taken_in(work, product, factor, len(opposite))
