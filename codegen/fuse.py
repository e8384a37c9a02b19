"""Products whose factors share their work: the slope of the sigmoid.

sigmoid(x) sigmoid(-x) needs one exponential, not two, where neither factor is wanted otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codegen.program import Program, Step


def fused(program: Program, short: bool = False) -> tuple[Step, ...]:
    """The steps with each such product taken as one; what is no longer needed still stands.

    In ``short`` programs a sigmoid shares its logarithm with softplus, and is left to where there
    is one.
    """
    readers = program.readers
    steps = list(program.steps)
    kept = set(program.results.values())
    logarithms = {s.args[0] for s in steps if s.action == "softplus"} if short else set()
    for at, step in enumerate(program.steps):
        if step.action != "mul":
            continue
        exponents = dict(zip(step.args, step.detail("exponents"), strict=True))
        free = [
            a
            for a in step.args
            if steps[a].action == "sigmoid"
            and len(readers[a]) == 1
            and a not in kept
            and exponents[a] == 1
        ]
        pair = next(((a, b) for a in free for b in free if a != b and _opposite(steps, a, b)), None)
        if pair is None:
            continue
        first, second = sorted(pair)
        if not logarithms.isdisjoint((*steps[first].args, *steps[second].args)):
            continue
        inner = min(steps[first].args[0], steps[second].args[0])
        steps[second] = replace(steps[second], action="sigmoid_slope", args=(inner,))
        rest = [a for a in step.args if a != first]
        details = {**dict(step.details), "exponents": tuple(exponents[a] for a in rest)}
        steps[at] = replace(step, args=tuple(rest), details=tuple(details.items()))
    return tuple(steps)


def _opposite(steps: Sequence[Step], a: int, b: int) -> bool:
    """Whether the second sigmoid's argument is minus the first's."""
    x, y = steps[steps[a].args[0]], steps[steps[b].args[0]]
    if y.action == "mul" and y.args == (x.dest,) and y.detail("exponents") == (1.0,):
        return bool(y.detail("coefficient") == -1)
    if x.action != y.action or x.args != y.args:
        return False
    if x.action == "mul":
        same = x.detail("exponents") == y.detail("exponents")
        return bool(same and x.detail("coefficient") == -y.detail("coefficient"))
    if x.action == "add":
        minus = tuple(-c for c in y.detail("coefficients"))
        return bool(
            x.detail("coefficients") == minus and x.detail("constant") == -y.detail("constant")
        )
    return False
