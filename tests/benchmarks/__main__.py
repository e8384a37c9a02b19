"""Run the benchmarks: ``python -m tests.benchmarks [--workload W2]... [--rounds 9] [--json FILE]``.

Prints one table for each workload: each contender's time over hand-tuned NumPy, within this run.
``--table FILE`` prints that of a run's JSON as Markdown, as the README has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tests.benchmarks.contenders import Call, Case, emitted, make_case, tuned
from tests.benchmarks.machine import machine
from tests.benchmarks.measure import disagreement, race
from tests.benchmarks.peers import PEERS, peers
from tests.benchmarks.table import markdown
from tests.benchmarks.workloads import FUNCTIONS, WORKLOADS

#: float32 rounding over sums of a few thousand terms; a wrong formula is off by far more.
AGREEMENT = 2e-3


@click.command()
@click.option("--workload", "names", multiple=True, help="one of W1 to W9; all by default")
@click.option("--function", "functions", multiple=True, type=click.Choice([*FUNCTIONS]))
@click.option("--peer", "wanted", multiple=True, type=click.Choice(["none", *PEERS]))
@click.option("--rounds", default=9, show_default=True)
@click.option("--seconds", default=0.1, show_default=True, help="of each contender in a round")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--table", "shown", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(
    names: tuple[str, ...],
    functions: tuple[str, ...],
    wanted: tuple[str, ...],
    rounds: int,
    seconds: float,
    target: Path | None,
    shown: Path | None,
) -> None:
    """Time emitted modules against hand-tuned NumPy and the peers that are installed."""
    if shown is not None:
        click.echo(markdown(json.loads(shown.read_text(encoding="utf-8"))))
        return
    where = machine()
    click.echo(", ".join(f"{key}: {value}" for key, value in where.items()))
    rows: list[dict[str, Any]] = []
    for workload in WORKLOADS:
        if names and workload.name not in names:
            continue
        case = make_case(workload)
        click.echo(f"{workload.name}  {workload.title}; compiled in {case.compile_seconds:.1f} s")
        begin = time.perf_counter()
        calls = {"tuned": tuned(case), "emitted": emitted(case), **peers(case, wanted)}
        click.echo(f"    peers set up in {time.perf_counter() - begin:.1f} s")
        for function in functions or FUNCTIONS:
            field, first = agreeing(case, calls, function)
            reference = "tuned" if "tuned" in field else "emitted"
            if reference not in field:
                continue
            for name, timing in race(field, reference, rounds, seconds).items():
                row = {"workload": workload.name, "function": function, "contender": name}
                rows.append({**row, **asdict(timing), "first_seconds": first[name]})
                click.echo(
                    f"    {function:9} {name:13} {timing.seconds * 1e6:12.1f} us"
                    f"  {timing.ratio:6.2f}  {timing.peak_bytes / 2**20:8.1f} MiB"
                    f"  {timing.page_faults:8.0f} faults  {first[name]:6.2f} s at first"
                )
    if target is not None:
        target.write_text(json.dumps({"machine": where, "rows": rows}, indent=1) + "\n")


def agreeing(
    case: Case, calls: Mapping[str, Mapping[str, Call]], function: str
) -> tuple[dict[str, Call], dict[str, float]]:
    """The calls whose results are the float64 module's, and how long each took for the first."""
    field: dict[str, Call] = {}
    first: dict[str, float] = {}
    for name, own in calls.items():
        if function not in own:
            continue
        begin = time.perf_counter()
        try:
            result = own[function]()
        except Exception as error:  # a peer's failure is a finding, not ours
            if name in ("tuned", "emitted"):
                raise
            click.echo(f"    {function}: {name} fails: {str(error).splitlines()[0][:80]}")
            continue
        first[name] = time.perf_counter() - begin
        error_of = disagreement(result, case.truth[function])
        if error_of <= AGREEMENT:
            field[name] = own[function]
        else:
            click.echo(f"    {function}: {name} disagrees by {error_of:.1e}, and is left out")
    return field, first


if __name__ == "__main__":
    main()
