"""Facts are read from files of a root, so that any machine can be laid out in a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from symdiff.doctor import facts
from symdiff.doctor.facts import AVX2, AVX512, Blas


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_model_and_vectors_come_from_cpuinfo(tmp_path: Path) -> None:
    text = "processor\t: 0\nmodel name\t: A: CPU\nflags\t\t: fpu avx2 fma avx512f\n\n"
    root = lay(tmp_path, {"proc/cpuinfo": text + text.replace("A: CPU", "B")})
    assert facts.read_cpu(root) == ("A: CPU", ("avx2", "fma", "avx512f"))


def test_arm_calls_its_flags_features(tmp_path: Path) -> None:
    root = lay(tmp_path, {"proc/cpuinfo": "processor : 0\nFeatures : fp asimd sve\n"})
    assert facts.read_cpu(root) == (None, ("asimd", "sve"))


def test_without_cpuinfo_nothing_is_known(tmp_path: Path) -> None:
    assert facts.read_cpu(tmp_path) == (None, ())


@pytest.mark.parametrize(
    ("simd", "has", "lacks"),
    [
        ({"baseline": ["X86_V2"], "found": ["X86_V3", "X86_V4"]}, (*AVX2, *AVX512), ()),
        ({"baseline": ["SSE3"], "found": ["AVX2", "FMA3"], "not found": ["AVX512F"]}, AVX2, AVX512),
        ({"baseline": ["NEON", "ASIMD"]}, ("asimd",), AVX2),
        ({}, (), AVX2),
    ],
)
def test_numpy_tells_of_vectors_elsewhere(
    simd: dict[str, list[str]], has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    flags = set(facts.numpy_flags(simd))
    assert flags >= set(has)
    assert not flags & set(lacks)


def test_cpus_that_share_a_core_count_once(tmp_path: Path) -> None:
    place = "sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    root = lay(tmp_path, {place.format(n): f"{n % 2},{n % 2 + 2}\n" for n in range(4)})
    assert facts.count_cores(root, [0, 1, 2, 3]) == 2
    assert facts.count_cores(root, [0, 2]) == 1
    assert facts.count_cores(root / "nowhere", [0, 1, 2]) == 3


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 2.0),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, None),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "100000 100000\n",
                "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
            },
            1.0,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/box\n2:cpuset:/box\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu:/elsewhere\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
)
def test_the_strictest_quota_of_the_cgroups_holds(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    assert facts.read_quota(lay(tmp_path, files)) == quota


def test_numpys_own_library_is_taken_among_those_loaded() -> None:
    def pool(path: str, kernel: str) -> dict[str, object]:
        return {
            "user_api": "blas",
            "internal_api": "openblas",
            "filepath": path,
            "version": "0.3.31",
            "architecture": kernel,
            "num_threads": 4,
            "threading_layer": "pthreads",
        }

    openmp = {"user_api": "openmp", "internal_api": "openmp", "filepath": "numpy"}
    pools = [openmp, pool("scipy.libs/a.so", "Haswell"), pool("numpy.libs/b.so", "SkylakeX")]
    blas = facts.running_blas(pools, Blas("scipy-openblas", "0.3"))
    assert blas == Blas("openblas", "0.3.31", "SkylakeX", 4, "pthreads")
    assert facts.running_blas([openmp], Blas("accelerate")) == Blas("accelerate")


def test_without_threadpoolctl_the_build_tells_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    built = {"Build Dependencies": {"blas": {"name": "scipy-openblas", "version": "0.3.31"}}}
    assert facts.read_blas(built) == (Blas("scipy-openblas", "0.3.31"), ("threadpoolctl",))
    assert facts.read_blas({}) == (Blas("unknown"), ("threadpoolctl",))


@pytest.mark.parametrize(
    ("name", "family"),
    [("scipy-openblas", "openblas"), ("mkl-dynamic-lp64-seq", "mkl"), ("Accelerate", "accelerate")],
)
def test_names_of_builds_belong_to_families(name: str, family: str) -> None:
    assert Blas(name).family == family


def test_an_empty_root_still_gives_a_machine(tmp_path: Path) -> None:
    machine = facts.read_machine(
        tmp_path, {"OMP_NUM_THREADS": "2", "HOME": "/", "MKL_NUM_THREADS": ""}
    )
    assert machine.settings == {"OMP_NUM_THREADS": "2"}
    assert (machine.quota, machine.cores) == (None, machine.usable)
    assert machine.cpu
