"""How long compiling takes: networks by depth, with all functions.

Nothing is asserted about times; ``pytest tests/benchmarks --benchmark-only`` prints them, for the
depths in ``SYMDIFF_DEPTHS``, such as "50,200,1000", as the processor's time.  What stands beside
them as ``extra_info``: milliseconds a layer, and from the first depth on the slope of the time
over depth, both as logarithms: 1 is linear.
"""

from __future__ import annotations

import math
import os
import time
from typing import Any

import pytest

from symdiff.compiler import compile_spec

#: The first depth of each body, and its seconds.
FIRST: dict[str, tuple[int, float]] = {}

DEPTHS = [int(n) for n in os.environ.get("SYMDIFF_DEPTHS", "10,20").split(",")]
BODIES = {"plain": "tanh({x} @ W{i} + b{i})", "residual": "{x} + tanh({x} @ W{i} + b{i})"}


def network(depth: int, body: str) -> str:
    """The spec of a multilayer perceptron with a least-squares loss."""
    lines = [f'name = "network"\noutput = "h{depth}"\n[inputs]']
    lines += [f'{name} = {{ shape = ["batch", 64] }}' for name in ("x", "y")]
    lines += ["[parameters]"]
    for i in range(1, depth + 1):
        lines += [f"W{i} = {{ shape = [64, 64] }}", f"b{i} = {{ shape = [64] }}"]
    lines += ["[equations]"]
    for i in range(1, depth + 1):
        formula = body.format(x="x" if i == 1 else f"h{i - 1}", i=i)
        lines += [f'h{i} = "{formula}"']
    lines += ["[loss]", f'per_example = "mean((h{depth} - y)**2, axis=1)"']
    return "\n".join(lines)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", BODIES)
def test_compile(benchmark: Any, name: str, depth: int) -> None:
    assert compile_spec(network(2, BODIES[name])).source  # what is imported is no part of it
    spec = network(depth, BODIES[name])
    text = benchmark.pedantic(lambda: compile_spec(spec).source, rounds=1)
    assert f"h{depth}" in text
    if benchmark.stats:
        seconds = benchmark.stats.stats.min
        benchmark.extra_info["ms a layer"] = round(1e3 * seconds / depth, 1)
        first, least = FIRST.setdefault(name, (depth, seconds))
        if depth > first:
            slope = math.log(seconds / least) / math.log(depth / first)
            benchmark.extra_info["slope"] = round(slope, 2)
