"""What a machine says of itself: NumPy, its BLAS library, the CPU, and how much of it is ours.

Linux tells of its CPUs in /proc/cpuinfo and /sys, and of a container's share of them in cgroups
(man 7 cgroups; quota and period are ``cpu.max`` in version 2, ``cpu.cfs_*_us`` in version 1).
Elsewhere NumPy's own list of the SIMD extensions that it found stands in for the flags.  Files are
read under ``root``, so that tests can make machines up.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Environment variables that decide on kernels and threads.
VARIABLES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_THREAD_TIMEOUT",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
)

#: What the kernels of AVX-512 need, all of it (gcc's -march=skylake-avx512).
AVX512 = ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")
AVX2 = ("avx2", "fma")

#: The flags worth telling, as /proc/cpuinfo spells them.
TOLD = ("avx", *AVX2, *AVX512, "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "sve2")

#: NumPy's names of SIMD extensions, as flags: the old ones, and the levels of NumPy 2.4.
NUMPY_FLAGS: dict[str, tuple[str, ...]] = {
    "AVX": ("avx",),
    "AVX2": ("avx2",),
    "FMA3": ("fma",),
    "AVX512F": ("avx512f",),
    "AVX512CD": ("avx512cd",),
    "AVX512_SKX": AVX512,
    "X86_V3": ("avx", *AVX2),
    "X86_V4": ("avx", *AVX2, *AVX512),
    "ASIMD": ("asimd",),
    "SVE": ("sve",),
}

#: The families of BLAS libraries, looked for in the names that NumPy was built with.
FAMILIES = ("openblas", "mkl", "blis", "accelerate")


@dataclass(frozen=True)
class Blas:
    """NumPy's BLAS library; None stands for what could not be found out."""

    name: str
    version: str | None = None
    kernel: str | None = None
    threads: int | None = None
    layer: str | None = None

    @property
    def family(self) -> str:
        return next((f for f in FAMILIES if f in self.name.lower()), self.name)


@dataclass(frozen=True)
class Machine:
    """``cpus`` are the machine's, ``usable`` those that this process may run on, ``cores`` the
    physical ones among these, ``quota`` how many of them a container is given, if it is told."""

    numpy: str
    blas: Blas
    cpu: str
    flags: tuple[str, ...]
    cpus: int
    usable: int
    cores: int
    quota: float | None = None
    load: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def room(self) -> int:
        """As many threads as can run at the same time."""
        return max(1, self.usable if self.quota is None else min(self.usable, _up(self.quota)))


def _up(quota: float) -> int:
    return math.ceil(quota - 1e-6)


def read_machine(root: Path = Path("/"), environment: Mapping[str, str] | None = None) -> Machine:
    """The facts of this machine; what cannot be read is left out, nothing raises."""
    import numpy

    environment = os.environ if environment is None else environment
    config = _numpy_config()
    blas, missing = read_blas(config)
    usable = _affinity()
    model, flags = read_cpu(root)
    load = None
    with suppress(OSError, AttributeError):
        load = os.getloadavg()[0]
    return Machine(
        numpy=numpy.__version__,
        blas=blas,
        cpu=model or platform.processor() or platform.machine() or "unknown",
        flags=flags or numpy_flags(config.get("SIMD Extensions", {})),
        cpus=os.cpu_count() or len(usable),
        usable=len(usable),
        cores=count_cores(root, usable),
        quota=read_quota(root),
        load=load,
        settings={name: environment[name] for name in VARIABLES if environment.get(name)},
        missing=missing,
    )


def _affinity() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _numpy_config() -> dict[str, Any]:
    import numpy

    with suppress(Exception):  # a build without the file of its configuration
        return dict(numpy.show_config(mode="dicts") or {})
    return {}


def read_blas(config: Mapping[str, Any]) -> tuple[Blas, tuple[str, ...]]:
    """NumPy's BLAS as it runs (threadpoolctl), or as it was built, and the packages missing."""
    built = config.get("Build Dependencies", {}).get("blas", {})
    name = str(built.get("name") or "unknown")
    version = built.get("version")
    told = Blas(name, None if version in (None, "", "unknown") else str(version))
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return told, ("threadpoolctl",)
    return running_blas(threadpool_info(), told), ()


def running_blas(pools: Iterable[Mapping[str, Any]], built: Blas) -> Blas:
    """NumPy's library among those loaded; the one it was built with where none is known."""
    pools = [pool for pool in pools if pool.get("user_api") == "blas"]
    pools.sort(key=lambda pool: "numpy" not in str(pool.get("filepath")))
    for pool in pools:
        return Blas(
            str(pool.get("internal_api")),
            pool.get("version") or built.version,
            pool.get("architecture"),
            pool.get("num_threads"),
            pool.get("threading_layer"),
        )
    return built


def read_cpu(root: Path) -> tuple[str | None, tuple[str, ...]]:
    """The model and the vector flags of /proc/cpuinfo's first CPU."""
    fields: dict[str, str] = {}
    for line in _text(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip().lower(), value.strip())
    flags = fields.get("flags", fields.get("features", "")).split()
    return fields.get("model name"), tuple(flag for flag in TOLD if flag in flags)


def numpy_flags(simd: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The flags that stand behind the SIMD extensions that NumPy found."""
    named = [*simd.get("baseline", ()), *simd.get("found", ())]
    flags = {flag for name in named for flag in NUMPY_FLAGS.get(name, ())}
    return tuple(flag for flag in TOLD if flag in flags)


def count_cores(root: Path, usable: list[int]) -> int:
    """The physical cores that the usable CPUs lie on; as many as CPUs where that is not told."""
    cores = set()
    for cpu in usable:
        place = root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        cores.add(_text(place).strip() or str(cpu))
    return max(1, len(cores))


def read_quota(root: Path) -> float | None:
    """The CPUs' worth of time that the strictest cgroup above this process grants, if any."""
    quotas: list[float | None] = []
    mount = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, place = line.partition(":")
        controllers, _, path = place.partition(":")
        if not controllers:
            for folder in _upwards(mount, path):
                quota, _, period = _text(folder / "cpu.max").partition(" ")
                quotas.append(_ratio(quota, period))
        elif "cpu" in controllers.split(","):
            for folder in (*_upwards(mount / "cpu", path), *_upwards(mount / controllers, path)):
                quota = _text(folder / "cpu.cfs_quota_us")
                quotas.append(_ratio(quota, _text(folder / "cpu.cfs_period_us")))
    return min((quota for quota in quotas if quota is not None), default=None)


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """The cgroup's folder and those above it; in a container only the mount may be there."""
    parts = [part for part in path.split("/") if part and part != ".."]
    for count in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:count])


def _ratio(quota: str, period: str) -> float | None:
    try:
        share, whole = int(quota), int(period)
    except ValueError:
        return None  # "max", or no such file
    return share / whole if share > 0 and whole > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
