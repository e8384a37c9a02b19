"""The command line as a user meets it: files, exit statuses, and what is said about faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
DIGITS = EXAMPLES / "digits.toml"


def symdiff(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command, as ``python -m symdiff`` runs it."""
    return subprocess.run(
        [sys.executable, "-m", "symdiff", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_compile_prints_the_module_and_writes_the_same_file(tmp_path: Path) -> None:
    printed = symdiff("compile", DIGITS)
    assert (printed.returncode, printed.stderr) == (0, "")
    written = symdiff("compile", DIGITS, "-o", tmp_path / "digits.py")
    assert (written.returncode, written.stdout) == (0, "")
    assert (tmp_path / "digits.py").read_text(encoding="utf-8") == printed.stdout
    assert os.listdir(tmp_path) == ["digits.py"]


def test_the_written_module_checks_itself_without_symdiff(tmp_path: Path) -> None:
    symdiff("compile", DIGITS, "-o", tmp_path / "digits.py")
    code = (
        "import sys; sys.modules['symdiff'] = None; import runpy; sys.argv = ['digits', '--check'];"
    )
    code += "runpy.run_path('digits.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clipped_backward" in done.stdout


def test_tests_are_written_beside_the_module_and_pass(tmp_path: Path) -> None:
    done = symdiff(
        "compile", DIGITS, "-o", tmp_path / "digits.py", "--tests", tmp_path / "test_digits.py"
    )
    assert (done.returncode, done.stderr) == (0, "")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_digits.py"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stdout
    assert "passed" in ran.stdout


def test_every_fault_of_a_spec_is_said_once_with_its_place(tmp_path: Path) -> None:
    spec = tmp_path / "bad.toml"
    spec.write_text(
        'name = "bad"\n'
        'outptu = "q"\n'
        "[inputs]\n"
        'x = { shape = ["batch", 64] }\n'
        'y = { shape = ["batch"], labels = 10 }\n'
        "[parameters]\n"
        'W1 = { shape = [63, 10], init = "he_norml" }\n'
        "[equations]\n"
        'h = "rleu(x)"\n'
        'z = "x @ W1"\n'
        "[loss]\n"
        'per_example = "cross_entropy(softmax(z), yy)"\n'
    )
    done = symdiff("compile", spec, "-o", tmp_path / "out.py")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.removeprefix(f"{spec}:").split(":")[0] for line in lines] == [
        "2",
        "7",
        "9",
        "10",
        "12",
    ]
    assert all(": error: " in line for line in lines)
    assert "did you mean 'relu'" in lines[2]
    assert "64 and 63 differ" in lines[3]
    assert not (tmp_path / "out.py").exists()


def test_a_failed_compile_leaves_the_old_file_whole(tmp_path: Path) -> None:
    out = tmp_path / "digits.py"
    out.write_text("old")
    missing = symdiff("compile", tmp_path / "missing.toml", "-o", out)
    assert missing.returncode == 2
    assert "missing.toml" in missing.stderr
    assert "Traceback" not in missing.stderr
    folder = symdiff("compile", DIGITS, "-o", out, "--tests", tmp_path / "no" / "folder.py")
    assert folder.returncode == 2
    assert out.read_text() == "old"
    assert os.listdir(tmp_path) == ["digits.py"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compile", DIGITS, "--functions", "forward,bakward"], "did you mean 'backward'"),
        (["compile", DIGITS, "--tests", "t.py"], "--tests needs -o"),
        (["inspect", DIGITS, "--wrt", "W9"], "W9"),
        (["derive", "log(x", "--wrt", "x"], "error"),
        (["derive", "log(x)", "--wrt", "y"], "y"),
        (["derive", "x", "--wrt", "x", "--shape", "x"], "NAME=VALUE"),
        (["no-such-command"], "No such command"),
    ],
)
def test_faulty_commands_exit_with_2_and_no_traceback(
    arguments: list[str | Path], message: str
) -> None:
    done = symdiff(*arguments)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_functions_asked_for_are_the_only_ones(tmp_path: Path) -> None:
    done = symdiff("compile", DIGITS, "--functions", "forward,loss")
    assert done.returncode == 0
    assert "def loss(" in done.stdout
    assert "def backward(" not in done.stdout


def test_a_model_that_mixes_examples_compiles_without_per_example_functions(
    tmp_path: Path,
) -> None:
    spec = tmp_path / "mixing.toml"
    spec.write_text(
        'name = "mixing"\noutput = "h"\n[inputs]\nx = { shape = ["batch", 3] }\n'
        'y = { shape = ["batch"] }\n[parameters]\nw = { shape = [3] }\n[equations]\n'
        'c = "x - mean(x, axis=0)"\nh = "c @ w"\n[loss]\nper_example = "squared_error(h, y)"\n'
    )
    done = symdiff("compile", spec, "-o", tmp_path / "mixing.py")
    assert done.returncode == 0
    assert "per_example_norms" in done.stderr
    assert "equation 'c'" in done.stderr
    asked = symdiff("compile", spec, "--functions", "per_example_norms")
    assert asked.returncode == 2
    use = (
        "import numpy as np, mixing\np = mixing.init()\nx, y = np.ones((2, 3)), np.ones(2)\n"
        "mixing.backward(p, x, y)\n"
        "try: mixing.per_example_norms(p, x, y)\nexcept NotImplementedError as e: print(e)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", use], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert "equation 'c'" in ran.stdout, ran.stderr


def test_check_says_what_it_checked() -> None:
    done = symdiff("check", DIGITS)
    assert done.returncode == 0
    assert "hvp" in done.stdout


def test_inspect_shows_the_derivative_and_its_rules() -> None:
    done = symdiff("inspect", DIGITS, "--wrt", "z", "--trace")
    assert done.returncode == 0, done.stderr
    assert "(q − one_hot(y)) / batch" in done.stdout
    assert "log_softmax" in done.stdout
    found = json.loads(symdiff("inspect", DIGITS, "--format", "json").stdout)
    assert found


def test_derive_takes_an_expression_that_begins_with_a_minus_sign() -> None:
    done = symdiff("derive", "-log(exp(z)/sum(exp(z)))[k]", "--wrt", "z", "--shape", "z=4",
                   "--fact", "k=labels:4")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "softmax(z)" in done.stdout


def test_help_is_quick_because_it_imports_neither_numpy_nor_sympy() -> None:
    code = "import sys, symdiff.cli; print({'numpy', 'sympy'} & set(sys.modules) or 'neither')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout.strip() == "neither"


def test_version() -> None:
    import symdiff as package

    assert symdiff("--version").stdout.strip() == f"symdiff, version {package.__version__}"


def test_a_limit_on_memory_is_kept_or_refused(tmp_path: Path) -> None:
    layers = "\n".join(
        '[[layers]]\nkind = "dense"\nunits = 8\nactivation = "tanh"' for _ in range(9)
    )
    spec = tmp_path / "deep.toml"
    spec.write_text(
        'name = "deep"\n[inputs]\nx = { shape = ["batch", 8] }\ny = { shape = ["batch", 8] }\n'
        f'{layers}\n[loss]\nkind = "squared_error"\n',
        encoding="utf-8",
    )
    command = ("compile", spec, "--functions", "backward", "--at", "batch=1000", "--memory")
    kept = symdiff(*command, "500kB")
    assert (kept.returncode, kept.stderr) == (0, "")
    assert "no more than 500 000 bytes at batch = 1000." in " ".join(kept.stdout.split())
    assert "# recomputed: h" in kept.stdout
    refused = symdiff(*command, "1kB")
    assert refused.returncode == 2
    assert "backward cannot be had within 1 000 bytes at batch = 1000" in refused.stderr
    plain = symdiff(*command, "1MB", "--style", "plain")
    assert plain.returncode == 2
    assert "--memory goes with --style buffered" in plain.stderr
