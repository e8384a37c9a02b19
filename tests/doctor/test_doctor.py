"""The command, on the machine that runs the tests: whatever it is, it is examined."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from symdiff.cli import main
from symdiff.doctor import report
from symdiff.doctor.facts import read_machine
from symdiff.doctor.measure import Gemm, Rates, Trial, measure_gemm, try_setting
from symdiff.doctor.report import Report
from tests.doctor.machines import HEALTHY, machine, rates


def doctor(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["doctor", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_text_tells_the_machine_and_its_rates() -> None:
    text = doctor("--seconds", "0.05")
    for start in ("NumPy ", "BLAS ", "kernel ", "CPU ", "float32 product", "float64 product"):
        assert f"\n{start}" in f"\n{text}"
    assert "copy of" in text


def test_json_has_the_same_by_name() -> None:
    found = json.loads(doctor("--seconds", "0.05", "--format", "json"))
    assert set(found) == {"machine", "rates", "trial", "findings"}
    assert {gemm["dtype"] for gemm in found["rates"]["gemm"]} == {"float32", "float64"}
    assert all(gemm["gflops"] > 0 for gemm in found["rates"]["gemm"])
    assert found["rates"]["copy"]["gbytes"] > 0


def test_no_seconds_measure_nothing() -> None:
    assert json.loads(doctor("--seconds", "0", "--format", "json"))["rates"] is None
    assert "Gflop" not in doctor("--seconds", "0")


@pytest.mark.parametrize("wrong", [["--seconds", "-1"], ["--seconds", "inf"], ["--format", "xml"]])
def test_a_wrong_command_is_told(wrong: list[str]) -> None:
    assert CliRunner().invoke(main, ["doctor", *wrong]).exit_code == 2


def test_it_works_without_threadpoolctl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    text = doctor("--seconds", "0.05")
    assert "threads as they are" in text
    assert "pip install threadpoolctl" in text


def test_a_child_measures_the_sizes_it_is_given() -> None:
    tried = try_setting("OPENBLAS_THREAD_TIMEOUT", "14", 0.01, {"float32": 64, "float64": 32})
    assert [(g.dtype, g.threads, g.size) for g in tried.gemm] == [
        ("float32", 1, 64),
        ("float64", 1, 32),
    ]
    assert tried.kernel == read_machine().blas.kernel


def test_a_child_that_fails_leaves_no_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = try_setting("X", "1", 0.01, {"float16_of_no_kind": 8})
    assert tried == Trial("X", "1")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert try_setting("X", "1", 0.01, {"float32": 8}) == Trial("X", "1")


def test_a_poorer_kernel_is_tried_when_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def tried(variable: str, value: str, seconds: float, sizes: dict[str, int]) -> Trial:
        asked.append((variable, value, sizes))
        return Trial(variable, value)

    monkeypatch.setattr(report, "read_machine", lambda: machine(blas={"kernel": "Haswell"}))
    monkeypatch.setattr(report, "measure", lambda seconds, threads: rates())
    monkeypatch.setattr(report, "try_setting", tried)
    assert report.examine(0.05).trial is None
    assert report.examine(1.0).trial == Trial("OPENBLAS_CORETYPE", "SkylakeX")
    assert asked == [("OPENBLAS_CORETYPE", "SkylakeX", {"float32": 1024, "float64": 1024})]


def test_a_time_that_is_no_number_ends() -> None:
    assert measure_gemm("float32", None, float("nan"), 16).size == 16


def test_settings_are_lines_for_a_shell() -> None:
    poor = machine(blas={"kernel": "Haswell", "threads": 64}, cpus=64, usable=64, cores=64, quota=2)
    gemm = tuple(Gemm(g.dtype, 1, g.size, 2 * g.gflops) for g in rates().gemm if g.threads == 1)
    tried = Trial("OPENBLAS_CORETYPE", "SkylakeX", "SkylakeX", gemm)
    lines = Report(poor, rates(threads=64), tried).to_text().splitlines()
    assert (
        "export OPENBLAS_NUM_THREADS=2  # as many as can run at once; 64 wait for each other"
        in (lines)
    )
    assert any(line.startswith("export OPENBLAS_CORETYPE=SkylakeX  # ") for line in lines)
    assert "nothing has to be set" not in lines
    assert "nothing has to be set" in Report(HEALTHY, Rates()).to_text().splitlines()
