"""Run the benchmarks: ``python -m tests.benchmarks [--workload W2]... [--rounds 9] [--json FILE]``.

Prints one table for each function: each contender's time over hand-tuned NumPy, within this run.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from tests.benchmarks.contenders import Call, Case, emitted, make_case, tuned
from tests.benchmarks.measure import disagreement, race
from tests.benchmarks.workloads import FUNCTIONS, WORKLOADS

#: float32 rounding over sums of a few thousand terms; a wrong formula is off by far more.
AGREEMENT = 2e-3

CONTENDERS: dict[str, Callable[[Case], dict[str, Call]]] = {"tuned": tuned, "emitted": emitted}


@click.command()
@click.option("--workload", "names", multiple=True, help="one of W1 to W9; all by default")
@click.option("--function", "functions", multiple=True, type=click.Choice([*FUNCTIONS]))
@click.option("--rounds", default=9, show_default=True)
@click.option("--seconds", default=0.1, show_default=True, help="of each contender in a round")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
def main(
    names: tuple[str, ...],
    functions: tuple[str, ...],
    rounds: int,
    seconds: float,
    target: Path | None,
) -> None:
    """Time emitted modules against hand-tuned NumPy and the peers that are installed."""
    rows: list[dict[str, Any]] = []
    for workload in WORKLOADS:
        if names and workload.name not in names:
            continue
        case = make_case(workload)
        calls = {name: make(case) for name, make in CONTENDERS.items()}
        click.echo(f"{workload.name}  {workload.title}; compiled in {case.compile_seconds:.1f} s")
        for function in functions or FUNCTIONS:
            field = {n: c[function] for n, c in calls.items() if function in c}
            wrong = {}
            for name, call in field.items():
                error = disagreement(call(), case.truth[function])
                if not error <= AGREEMENT:
                    wrong[name] = error
            for name, error in wrong.items():
                click.echo(f"    {function}: {name} disagrees by {error:.1e}, and is left out")
                del field[name]
            reference = "tuned" if "tuned" in field else "emitted"
            if reference not in field:
                continue
            for name, timing in race(field, reference, rounds, seconds).items():
                rows.append(
                    {"workload": workload.name, "function": function, "contender": name}
                    | asdict(timing)
                )
                click.echo(
                    f"    {function:9} {name:10} {timing.seconds * 1e6:12.1f} us"
                    f"  {timing.ratio:6.2f}  {timing.peak_bytes / 2**20:8.1f} MiB"
                    f"  {timing.page_faults:8.0f} faults"
                )
    if target is not None:
        machine = {"machine": platform.processor(), "numpy": np.__version__}
        target.write_text(json.dumps({**machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
