"""What follows from facts and rates, on machines made up."""

from __future__ import annotations

import pytest

from symdiff.doctor.facts import AVX2, Blas, Machine
from symdiff.doctor.judge import Finding, better_kernel, findings
from symdiff.doctor.measure import Gemm, Rates, Trial
from tests.doctor.machines import HEALTHY, machine, rates

CORETYPE = "OPENBLAS_CORETYPE"


def always(found: list[Finding]) -> dict[str, str]:
    """What is to be set without a condition."""
    return {f.setting.name: f.setting.value for f in found if f.setting and not f.when}


def about(subject: str, found: list[Finding]) -> Finding:
    (one,) = (f for f in found if f.subject == subject)
    return one


def trial(one: float, kernel: str | None = "SkylakeX") -> Trial:
    gemm = (Gemm("float32", 1, 1024, one), Gemm("float64", 1, 1024, one / 2))
    return Trial(CORETYPE, "SkylakeX", kernel, gemm if kernel else ())


def test_a_healthy_machine_has_nothing_to_set_but_on_conditions() -> None:
    found = findings(HEALTHY, rates())
    assert always(found) == {}
    assert {f.subject for f in found} == {"processes", "waiting"}
    assert all(f.when and f.setting for f in found)


@pytest.mark.parametrize("kernel", ["Haswell", "Zen", "haswell", "Sandybridge", "Prescott"])
def test_a_kernel_without_the_avx512_of_the_cpu_is_replaced(kernel: str) -> None:
    zen4 = machine(blas={"kernel": kernel})
    assert always(findings(zen4, rates(one=50), trial(one=90))) == {CORETYPE: "SkylakeX"}


def test_unmeasured_it_is_a_proposal() -> None:
    proposed = about("kernel", findings(machine(blas={"kernel": "Haswell"})))
    assert "AVX-512, which the BLAS kernel Haswell leaves out" in proposed.said
    assert proposed.setting is not None
    assert proposed.setting.line().startswith("export OPENBLAS_CORETYPE=SkylakeX  # ")
    assert "not measured" in proposed.when


def test_the_measured_ratio_stands_in_the_line() -> None:
    found = findings(machine(blas={"kernel": "Haswell"}), rates(one=50), trial(one=90))
    assert about("kernel", found).setting.line() == (  # type: ignore[union-attr]
        "export OPENBLAS_CORETYPE=SkylakeX  # 1.80 in float32, 1.80 in float64 times the rate of "
        "Haswell, one thread"
    )


@pytest.mark.parametrize(
    ("tried", "said"),
    [
        (trial(one=51), "no faster: 1.02 in float32"),
        (trial(one=90, kernel="Haswell"), "has no such kernel"),
        (trial(one=0, kernel=None), "failed"),
    ],
)
def test_a_trial_that_gains_nothing_is_told_and_sets_nothing(tried: Trial, said: str) -> None:
    found = findings(machine(blas={"kernel": "Haswell"}), rates(one=50), tried)
    assert said in about("kernel", found).said
    assert always(found) == {}


@pytest.mark.parametrize(("float32", "float64", "taken"), [(45, 40, True), (45, 26, False)])
def test_both_precisions_count(float32: float, float64: float, taken: bool) -> None:
    gemm = (Gemm("float32", 1, 1024, float32), Gemm("float64", 1, 1024, float64))
    tried = Trial(CORETYPE, "SkylakeX", "SkylakeX", gemm)
    found = findings(machine(blas={"kernel": "Haswell"}), rates(one=50), tried)
    assert tried.ratios(rates(one=50)) == {"float32": float32 / 50, "float64": float64 / 25}
    assert (CORETYPE in always(found)) == taken


def test_avx2_asks_for_haswell_and_is_content_with_it() -> None:
    old = machine(blas={"kernel": "Nehalem"}, flags=AVX2)
    better = better_kernel(old)
    assert better is not None
    assert (better.variable, better.value) == (CORETYPE, "Haswell")
    for kernel in ("Haswell", "Zen"):
        assert better_kernel(machine(blas={"kernel": kernel}, flags=AVX2)) is None


@pytest.mark.parametrize(
    "sound",
    [
        machine(blas={"kernel": "Cooperlake"}),
        machine(blas={"kernel": "a kernel of the future"}),
        machine(blas={"kernel": None}),
        machine(blas={"kernel": "Haswell"}, flags=(*AVX2, "avx512f")),  # of Knights Landing
        machine(blas={"kernel": "armv8"}, flags=("asimd", "sve")),
        machine(blas={"name": "blis", "kernel": "haswell"}),
    ],
)
def test_no_kernel_is_proposed_where_none_is_known_to_be_better(sound: Machine) -> None:
    assert better_kernel(sound) is None
    assert all(f.subject != "kernel" for f in findings(sound))


def test_a_coretype_that_is_set_already_is_named() -> None:
    said = about(
        "kernel", findings(machine(blas={"kernel": "Haswell"}, settings={CORETYPE: "Haswell"}))
    ).said
    assert "OPENBLAS_CORETYPE=Haswell is set" in said


def test_sixty_four_threads_in_a_container_of_two_cpus() -> None:
    boxed = machine(blas={"threads": 64}, cpus=64, usable=64, cores=64, quota=2.0)
    found = findings(boxed)
    assert always(found) == {"OPENBLAS_NUM_THREADS": "2"}
    assert about("threads", found).said == (
        "64 threads of BLAS on 2 CPUs (a quota of 2 on 64 CPUs)"
    )


@pytest.mark.parametrize(("quota", "room"), [(0.5, 1), (1.5, 2), (2.0, 2), (16.0, 8), (None, 8)])
def test_a_quota_leaves_room_for_as_many_threads_as_it_feeds(
    quota: float | None, room: int
) -> None:
    assert machine(quota=quota).room == room


def test_affinity_counts_as_a_container_does() -> None:
    found = findings(machine(usable=3, cores=3, cpus=8))
    assert always(found) == {"OPENBLAS_NUM_THREADS": "3"}
    assert "3 of 8" in about("threads", found).said


def test_two_threads_a_core_are_one_too_many() -> None:
    assert always(findings(machine(cores=4))) == {"OPENBLAS_NUM_THREADS": "4"}


@pytest.mark.parametrize(
    ("blas", "variable"),
    [
        ({"name": "mkl", "kernel": None, "layer": "intel"}, "MKL_NUM_THREADS"),
        ({"name": "blis", "kernel": "zen3"}, "BLIS_NUM_THREADS"),
        ({"layer": "openmp"}, "OMP_NUM_THREADS"),
        ({"name": "flexiblas", "kernel": None}, "OMP_NUM_THREADS"),
    ],
)
def test_each_library_is_told_by_its_own_variable(blas: dict[str, str], variable: str) -> None:
    found = findings(machine(blas={"threads": 64, **blas}))
    assert always(found) == {variable: "8"}


def test_mkl_is_not_asked_for_kernels_nor_for_openblas_waiting() -> None:
    mkl = machine(blas={"name": "mkl", "version": "2024.2", "kernel": None, "layer": "intel"})
    assert {f.subject for f in findings(mkl, rates())} == {"processes"}


def test_threads_that_give_nothing_are_left_away() -> None:
    assert always(findings(HEALTHY, rates(one=50, many=45))) == {"OPENBLAS_NUM_THREADS": "1"}
    busy = findings(machine(load=9.0), rates(one=50, many=45))
    assert always(busy) == {}
    assert "load 9.0 on 8 CPUs" in about("threads", busy).said
    small = findings(HEALTHY, rates(one=50, many=45, size=256))
    assert all(f.subject != "threads" for f in small)


def test_fewer_threads_than_cores_are_told_as_what_they_are() -> None:
    asked = findings(machine(blas={"threads": 1}, settings={"OMP_NUM_THREADS": "1"}))
    assert [f.subject for f in asked] == ["threads"]
    assert "as OMP_NUM_THREADS=1 says" in asked[0].said
    assert asked[0].when
    built = findings(machine(blas={"threads": 64}, cpus=128, usable=128, cores=128))
    assert "built for" in about("threads", built).said
    assert always(built) == {}


@pytest.mark.parametrize("value", ["14", "4", "30"])
def test_a_spin_that_is_set_is_let_alone(value: str) -> None:
    found = findings(machine(settings={"OPENBLAS_THREAD_TIMEOUT": value}))
    assert all(f.subject != "waiting" for f in found)


@pytest.mark.parametrize("value", ["100", "1", "short"])
def test_a_spin_that_is_no_exponent_is_told(value: str) -> None:
    found = findings(machine(settings={"OPENBLAS_THREAD_TIMEOUT": value}))
    assert always(found) == {"OPENBLAS_THREAD_TIMEOUT": "14"}


def test_without_threadpoolctl_the_rest_is_judged() -> None:
    blind = Blas("scipy-openblas", "0.3.31.188.0")
    bare = Machine("2.4.0", blind, "x", HEALTHY.flags, 8, 8, 8, missing=("threadpoolctl",))
    unlimited = Rates((Gemm("float32", None, 1024, 300.0),))
    found = findings(bare, unlimited)
    assert "pip install threadpoolctl" in about("threadpoolctl", found).said
    assert better_kernel(bare) is None
    assert always(found) == {}
    boxed = Machine("2.4.0", blind, "x", (), 64, 64, 64, quota=2.0, missing=("threadpoolctl",))
    assert always(findings(boxed)) == {"OPENBLAS_NUM_THREADS": "2"}
    settled = Machine(
        "2.4.0", blind, "x", (), 64, 64, 64, quota=2.0, settings={"OMP_NUM_THREADS": "2"}
    )
    assert always(findings(settled)) == {}


def test_of_accelerate_without_known_threads_nothing_is_said() -> None:
    mac = Machine("2.4.0", Blas("accelerate"), "arm", ("asimd",), 8, 8, 8)
    assert findings(mac, Rates((Gemm("float32", None, 1024, 900.0),))) == []
