"""Timing of contenders side by side: agreement first, then rounds in turn, then ratios.

Machines are shared and noisy, so that a time alone says little: contenders take turns within each
round, and what is reported is the median over rounds of the ratio of each to the reference.
"""

from __future__ import annotations

import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], Any]


@dataclass(frozen=True)
class Timing:
    """``seconds`` a call (the median); ``ratio`` to the reference (the median of rounds')."""

    seconds: float
    ratio: float
    page_faults: float
    peak_bytes: int
    first_seconds: float = 0.0


def leaves(result: Any) -> list[np.ndarray]:
    """The arrays of a result, dicts in the order of their keys."""
    if isinstance(result, Mapping):
        return [a for key in sorted(result) for a in leaves(result[key])]
    if isinstance(result, tuple | list):
        return [a for part in result for a in leaves(part)]
    return [np.asarray(result, np.float64)]


def disagreement(result: Any, truth: Any) -> float:
    """The largest difference over all arrays, each relative to its own largest element."""
    found, wanted = leaves(result), leaves(truth)
    if [a.shape for a in found] != [a.shape for a in wanted]:
        return float("inf")
    worst = 0.0
    for a, t in zip(found, wanted, strict=True):
        scale = float(np.max(np.abs(t), initial=0.0))
        difference = float(np.max(np.abs(a - t), initial=0.0))
        if not np.isfinite(difference):
            return float("inf")
        worst = max(worst, difference / scale if scale else difference)
    return worst


def _repeats(call: Call, seconds: float) -> int:
    begin = time.perf_counter()
    call()
    once = max(time.perf_counter() - begin, 1e-7)
    return max(1, int(seconds / once))


def race(
    contenders: Mapping[str, Call], reference: str, rounds: int, seconds: float
) -> dict[str, Timing]:
    """Each contender's timing; a round runs each for about ``seconds``, one after the other."""
    repeats = {}
    for name, call in contenders.items():
        call()
        repeats[name] = _repeats(call, seconds)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    faults: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            n = repeats[name]
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            begin = time.perf_counter()
            for _ in range(n):
                call()
            times[name].append((time.perf_counter() - begin) / n)
            after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            faults[name].append((after - before) / n)
    return {
        name: Timing(
            statistics.median(times[name]),
            statistics.median(a / b for a, b in zip(times[name], times[reference], strict=True)),
            statistics.median(faults[name]),
            allocated(call),
        )
        for name, call in contenders.items()
    }


def allocated(call: Call) -> int:
    """The most that one call allocates beyond what is there before it, as NumPy reports it."""
    tracemalloc.start()
    try:
        kept = call()
        del kept
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
