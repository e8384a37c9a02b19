"""The machine that a benchmark ran on: what its figures hang on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info


def machine() -> dict[str, str | int]:
    """CPU, cores, NumPy and its BLAS: library, kernel and threads."""
    blas = next((x for x in threadpool_info() if x["user_api"] == "blas"), {})
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('internal_api', '?')} {blas.get('version', '?')}",
        "kernel": str(blas.get("architecture", "?")),
        "threads": int(blas.get("num_threads", 1)),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
