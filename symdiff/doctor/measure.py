"""How fast this machine multiplies matrices and copies arrays, within a given time.

Run as a program it does the same with whatever environment it was started in: a BLAS library reads
its variables once, when it is loaded, so that another kernel can only be tried in a child process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

#: Orders of the matrices; the largest is taken of which a few products fit into the time.  Three
#: of order 1024 are more than a core's own caches hold.
SIZES = (128, 256, 512, 1024)
DTYPES = ("float32", "float64")
TIMES = 4
COPIED = (1 << 20, 1 << 23, 1 << 26)  # bytes
BYTES_A_SECOND = 4e9  # what a copy reaches anywhere, to choose a size that fits


@dataclass(frozen=True)
class Gemm:
    """Products of two square matrices; threads is None where they could not be chosen."""

    dtype: str
    threads: int | None
    size: int
    gflops: float


@dataclass(frozen=True)
class Copy:
    """One thread's copies of an array; the rate counts what is read and what is written."""

    bytes: int
    gbytes: float


@dataclass(frozen=True)
class Rates:
    gemm: tuple[Gemm, ...] = ()
    copy: Copy | None = None

    def gflops(self, dtype: str, one: bool) -> Gemm | None:
        """The product on one thread, or on the most."""
        found = [g for g in self.gemm if g.dtype == dtype and g.threads is not None]
        found = [g for g in found if (g.threads == 1) == one]
        return found[-1] if found else None


@dataclass(frozen=True)
class Trial:
    """What a child process found with one more variable set; kernel is None where it failed."""

    variable: str
    value: str
    kernel: str | None = None
    gemm: tuple[Gemm, ...] = ()

    def ratios(self, rates: Rates) -> dict[str, float]:
        """The child's rate over ours, by dtype, one thread each."""
        found = {}
        for theirs in self.gemm:
            ours = rates.gflops(theirs.dtype, one=True)
            if ours is not None and theirs.threads == 1:
                found[theirs.dtype] = theirs.gflops / ours.gflops
        return found


def measure(seconds: float, threads: int | None) -> Rates:
    """GEMM in both precisions on one thread and on all (``threads``), and a copy.

    A part of the time goes to each; where threads cannot be chosen, they are left as they are.
    """
    counts = [None] if threads is None else sorted({1, threads})
    share = seconds / (len(DTYPES) * len(counts) + 1)
    gemm = []
    for dtype in DTYPES:
        size: int | None = None  # all threads take the size that one took
        for count in counts:
            gemm.append(measure_gemm(dtype, count, share, size))
            size = gemm[-1].size
    return Rates(tuple(gemm), measure_copy(share))


def measure_gemm(dtype: str, threads: int | None, seconds: float, size: int | None = None) -> Gemm:
    """The best of the products that fit into the time, at least one."""
    import numpy as np

    def product(order: int) -> Callable[[], object]:
        draw = np.random.default_rng(0)
        a, b = (draw.random((order, order)).astype(dtype) for _ in range(2))
        out = np.empty_like(a)
        return lambda: np.dot(a, b, out)

    with _limited(threads):
        if size is None:
            trial = product(256)
            trial()  # the first starts the threads
            rate = _work(256) / _best(trial, min(0.01, seconds / 4))
            fitting = [n for n in SIZES if TIMES * _work(n) / rate <= seconds]
            size = max(fitting, default=SIZES[0])
        best = _best(product(size), seconds)
    return Gemm(dtype, threads, size, _work(size) / best / 1e9)


def measure_copy(seconds: float) -> Copy:
    """Copies between two arrays that no cache holds, if the time allows."""
    import numpy as np

    fitting = [n for n in COPIED if TIMES * 2 * n / BYTES_A_SECOND <= seconds]
    count = max(fitting, default=COPIED[0])
    source, target = (np.ones(count // 8) for _ in range(2))
    return Copy(count, 2 * count / _best(lambda: np.copyto(target, source), seconds) / 1e9)


def _work(size: int) -> float:
    return 2.0 * size**3


def _best(run: Callable[[], object], seconds: float) -> float:
    """The shortest of the times that one run took; no clock is finer than a nanosecond."""
    best = float("inf")
    end = time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        run()
        now = time.perf_counter()
        best = min(best, now - start)
        if not now < end:
            return max(best, 1e-9)


def _limited(threads: int | None) -> AbstractContextManager[object]:
    if threads is None:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(threads, user_api="blas")
    return limits


def try_setting(variable: str, value: str, seconds: float, sizes: Mapping[str, int]) -> Trial:
    """One thread's products of these sizes, by dtype, in a child with the variable set."""
    package = str(Path(__file__).parent.parent.parent)
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    asked = [f"{dtype}={size}" for dtype, size in sizes.items()]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "symdiff.doctor.measure", str(seconds), *asked],
            env={**os.environ, variable: value, "PYTHONPATH": path},
            capture_output=True,
            encoding="utf-8",
            timeout=30 + 10 * seconds,
            check=True,
        )
        found = json.loads(done.stdout)
        gemm = tuple(Gemm(**one) for one in found["gemm"])
    except (OSError, subprocess.SubprocessError, ValueError, TypeError, KeyError):
        return Trial(variable, value)  # a kernel that the CPU cannot run kills the child
    return Trial(variable, value, found["kernel"], gemm)


def main(arguments: Sequence[str]) -> None:
    """``SECONDS float32=1024 ...``: prints the kernel and the rates as JSON."""
    from symdiff.doctor.facts import read_machine

    seconds, *asked = arguments
    pairs = [text.split("=") for text in asked]
    gemm = [measure_gemm(d, 1, float(seconds) / len(pairs), int(n)) for d, n in pairs]
    kernel = read_machine().blas.kernel
    print(json.dumps({"kernel": kernel, "gemm": [asdict(one) for one in gemm]}))


if __name__ == "__main__":
    main(sys.argv[1:])
