"""Machines made up for the doctor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symdiff.doctor.facts import AVX2, AVX512, Blas, Machine
from symdiff.doctor.measure import Gemm, Rates

OPENBLAS = Blas("openblas", "0.3.31", "SkylakeX", 8, "pthreads")

HEALTHY = Machine(
    numpy="2.4.0",
    blas=OPENBLAS,
    cpu="AMD EPYC 9654",
    flags=(*AVX2, *AVX512),
    cpus=8,
    usable=8,
    cores=8,
    load=0.1,
)


def machine(blas: dict[str, Any] | None = None, **changes: Any) -> Machine:
    """The healthy machine, changed."""
    return replace(HEALTHY, blas=replace(OPENBLAS, **(blas or {})), **changes)


def rates(one: float = 50.0, many: float = 350.0, size: int = 1024, threads: int = 8) -> Rates:
    """Products of these rates in both precisions, float64 at half."""
    return Rates(
        tuple(
            Gemm(dtype, count, size, rate / slower)
            for dtype, slower in (("float32", 1), ("float64", 2))
            for count, rate in ((1, one), (threads, many))
        )
    )
