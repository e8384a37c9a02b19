"""A compilation by phases: what each takes, in whatever a clock counts.

The functions that begin a phase are wrapped for as long as a measurement takes, so that nothing is
counted, and nothing is slower, in any other compilation.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any
from unittest.mock import patch

#: The phases, by the functions that they begin with: each where it is looked up when it is called.
PHASES: Mapping[str, tuple[str, ...]] = {
    "read the spec": ("symdiff.compiler.load",),
    "differentiate": (
        "symdiff.model_graphs.gradients",
        "symdiff.model_graphs.per_example_gradients",
        "symdiff.model_graphs.squared_norms",
        "symdiff.model_graphs.weighted_sums",
        "symdiff.simplify.second_order.hvp",
    ),
    "choose a mode of hvp": ("symdiff.functions.cheapest_hvp",),
    "rewrite": ("symdiff.simplify.pipeline.run_phase",),
    "plan contractions": ("symdiff.simplify.pipeline.planned",),
    "make steps": ("codegen.functions.build_program",),
    "take products at hand": ("codegen.functions.with_products_at_hand",),
    "share products": ("codegen.functions.shared_products",),
    "take single calls": ("codegen.functions.single_calls",),
    "scale early": ("codegen.functions.scaled_early",),
    "choose what is inlined": ("codegen.writer.choose_inlined",),
    "plan memory": ("codegen.writer.plan_memory", "codegen.writer.plan_buffers"),
    "write lines": ("codegen.kernel.write_body",),
    "verify": ("codegen.module.verify",),
}
REST = "all else"


@contextmanager
def by_phase(clock: Callable[[], float]) -> Iterator[dict[str, float]]:
    """What the clock shows of each phase that runs in the block, without the phases within it."""
    spent = dict.fromkeys([*PHASES, REST], 0.0)
    running, since = [REST], [clock()]

    def turn() -> None:
        now = clock()
        spent[running[-1]] += now - since[0]
        since[0] = now

    def wrapped(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            turn()
            running.append(phase)
            try:
                return function(*args, **kwargs)
            finally:
                turn()
                running.pop()

        return call

    patches = []
    for phase, functions in PHASES.items():
        for path in functions:
            place, _, name = path.rpartition(".")
            module = import_module(place)
            patches.append(patch.object(module, name, wrapped(phase, getattr(module, name))))
    for each in patches:
        each.start()
    try:
        yield spent
    finally:
        turn()
        for each in patches:
            each.stop()


class Lines:
    """A clock that counts lines of Python as they run: of any loop, each round."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> float:
        return self.count

    def __enter__(self) -> Lines:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        self.count += 1
        return self._trace


def slope(first: float, last: float, times: float) -> float:
    """The power of the depth with which something grows that is ``times`` as deep: 1 is linear."""
    told = first > 0 and last > 0 and times != 1
    return math.log(last / first) / math.log(times) if told else 0.0


def superlinear(works: Sequence[Mapping[str, float]], most: float) -> dict[str, float]:
    """The phases whose work, at n, 2n and 4n layers, grows faster than these, and how much.

    What the second doubling adds is twice what the first adds, where the work is linear; it may be
    ``most`` times as much.
    """
    once, twice, fourfold = works
    found = {
        phase: (fourfold[phase] - twice[phase]) / max(2 * (twice[phase] - once[phase]), 1.0)
        for phase in once
    }
    return {phase: grown for phase, grown in found.items() if grown > most}
