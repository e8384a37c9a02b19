"""The seconds that each phase of a compilation takes, by depth.

``python -m tests.benchmarks.phases 50,200,1000 residual`` prints them, of the processor's time,
and the slope from the first depth to the last, both as logarithms: 1 is linear.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

from symdiff.compiler import compile_spec
from tests.benchmarks.test_compile_speed import BODIES, network
from tests.phases import by_phase, slope


def seconds(depth: int, body: str) -> dict[str, float]:
    """The seconds of each phase for a network of that depth, all functions."""
    spec = network(depth, BODIES[body])
    with by_phase(time.process_time) as spent:
        assert compile_spec(spec).source
    return spent


def table(found: Mapping[int, Mapping[str, float]]) -> str:
    """The phases with their seconds by depth, the longest first."""
    depths = sorted(found)
    least, most = found[depths[0]], found[depths[-1]]
    rows = [(p, [found[d][p] for d in depths]) for p in sorted(most, key=lambda p: -most[p])]
    rows.append(("all", [sum(found[d].values()) for d in depths]))
    lines = [f"{'seconds at a depth of':24}" + "".join(f"{d:>9}" for d in depths) + "    slope"]
    for phase, own in rows:
        figures = "".join(f"{each:9.3f}" for each in own)
        lines.append(f"{phase:24}{figures}{slope(own[0], own[-1], depths[-1] / depths[0]):9.2f}")
    assert least.keys() == most.keys()
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Compile networks of the given depths, and print what each phase took."""
    depths = [int(n) for n in arguments[0].split(",")] if arguments else [50, 200, 1000]
    body = arguments[1] if len(arguments) > 1 else "residual"
    seconds(2, body)  # what is imported is no part of it
    print(table({depth: seconds(depth, body) for depth in depths}))


if __name__ == "__main__":
    main(sys.argv[1:])
