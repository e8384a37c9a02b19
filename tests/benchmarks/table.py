"""The table of a benchmark's JSON, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def markdown(run: Mapping[str, Any]) -> str:
    """A line a workload and function, a column a contender: times over hand-tuned NumPy's.

    The first column is the time of the emitted function, in microseconds.
    """
    rows = run["rows"]
    names = list(dict.fromkeys(row["contender"] for row in rows))
    order = [n for n in ("emitted", "tuned") if n in names]
    columns = [*order, *(n for n in names if n not in order)]
    cells = {(r["workload"], r["function"], r["contender"]): r for r in rows}
    head = ["", "µs", *columns]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    for workload, function in dict.fromkeys((r["workload"], r["function"]) for r in rows):
        found = [cells.get((workload, function, name)) for name in columns]
        own = cells.get((workload, function, "emitted"))
        micro = "" if own is None else f"{own['seconds'] * 1e6:,.0f}".replace(",", " ")
        ratios = ["" if cell is None else f"{cell['ratio']:.2f}" for cell in found]
        lines.append(_line([f"{workload} {function}", micro, *ratios]))
    where = run["machine"]
    threads = "one thread" if where["threads"] == 1 else f"{where['threads']} threads"
    note = (
        f"{where['cpu']}, {threads} of {where['blas']} ({where['kernel']} kernel), NumPy "
        f"{where['numpy']}: medians of ratios to hand-tuned NumPy within one run."
    )
    return "\n".join([*lines, "", note])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
