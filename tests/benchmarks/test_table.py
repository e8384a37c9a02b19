"""The table of a run, and what takes part in one."""

from __future__ import annotations

from tests.benchmarks.machine import machine
from tests.benchmarks.table import markdown


def test_a_table_has_a_column_a_contender_and_names_the_machine() -> None:
    rows = [
        {"workload": "W1", "function": f, "contender": c, "seconds": 2e-5, "ratio": ratio}
        for f, c, ratio in [
            ("gradient", "tuned", 1.0),
            ("gradient", "emitted", 1.04),
            ("gradient", "jax", 1.5),
            ("hvp", "tuned", 1.0),
        ]
    ]
    lines = markdown({"machine": {**machine(), "threads": 1}, "rows": rows}).splitlines()
    assert lines[0] == "|  | µs | emitted | tuned | jax |"
    assert lines[2] == "| W1 gradient | 20 | 1.04 | 1.00 | 1.50 |"
    assert lines[3] == "| W1 hvp |  |  | 1.00 |  |"
    assert "one thread of " in lines[-1]
