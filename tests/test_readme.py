"""Every command in the README is run, and prints what the README says that it prints.

A block marked ``console`` holds commands after ``$`` and their output; ``...`` in the output
stands for anything.  A block marked ``toml`` or ``python`` whose first line is a comment naming a
file is that file's content; the commands run in a copy of the README's world: the examples, and
the files that earlier blocks made.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from symdiff.spec.layers import KINDS
from symdiff.spec.load import load
from symdiff.spec.loss import KINDS as LOSS_KINDS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN_HERE = {"make test"}  # it runs this test; see test_make_test_runs_the_tests


def sessions() -> list[tuple[str, str]]:
    """(command, expected output) in the README's order."""
    found = []
    for kind, body in BLOCK.findall(README.read_text(encoding="utf-8")):
        if kind != "console":
            continue
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command.strip(), output))
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a clone has, and the environment that ``make`` has made."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("examples", "symdiff", "codegen", "pyproject.toml", "Makefile", "README.md"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as a shell runs it, with this interpreter's scripts first on the path."""
    scripts = str(Path(sys.executable).parent)
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # of a make that runs the tests
    env = {name: value for name, value in os.environ.items() if name not in outer}
    env |= {"PATH": scripts + os.pathsep + os.environ["PATH"], "COLUMNS": "100"}
    env["PYTHONPATH"] = str(folder)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
    )


def test_the_readmes_commands_print_what_it_says(world: Path) -> None:
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    ran = []
    for command, expected in sessions():
        if command in NOT_RUN_HERE:
            continue
        # The environment is there already: make is told so, and to use this one.
        made = f"make -o .venv/installed-examples demo BIN={Path(sys.executable).parent}"
        got = run(command.replace("make demo", made), world)
        assert checker.check_output(expected, got.stdout, flags), (
            f"$ {command}\nexit {got.returncode}\n--- README\n{expected}\n--- got\n{got.stdout}"
        )
        ran.append(command)
    assert len(ran) >= 4


def test_the_readme_shows_the_emitted_module_as_it_is_printed() -> None:
    from symdiff.compiler import compile_spec

    source = compile_spec(ROOT / "examples" / "digits.toml", style="plain").source
    shown = [body for kind, body in BLOCK.findall(README.read_text("utf-8")) if kind == "python"]
    functions = [body for body in shown if body.startswith("def ")]
    assert functions
    for body in functions:
        assert body.strip() in source


def test_the_readme_shows_the_spec_as_it_is() -> None:
    shown = [body for kind, body in BLOCK.findall(README.read_text("utf-8")) if kind == "toml"]
    assert shown
    spec = (ROOT / "examples" / "digits.toml").read_text("utf-8")
    assert shown[0].strip() in spec


def test_make_test_runs_the_tests() -> None:
    dry = subprocess.run(
        ["make", "-n", "test"], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    assert "pytest" in dry.stdout


def test_the_python_example_prints_what_is_said(world: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (program,) = (body for kind, body in BLOCK.findall(text) if "import symdiff" in body)
    (world / "program.py").write_text(program, encoding="utf-8")
    printed = run("python program.py", world).stdout.strip()
    assert f"It prints `{printed}`" in text


ROW = re.compile(r"^\| ([a-z0-9_ ]+) \| ([a-z0-9_ ]*?) ?(?:\[(.*)\] )?\|$", re.MULTILINE)


def test_the_layers_have_the_keys_that_are_told() -> None:
    """Every kind, with what its table requires and what it takes besides."""
    told = {
        kind: (set(required.split()), set(optional.split()))
        for kinds, required, optional in ROW.findall(README.read_text(encoding="utf-8"))
        for kind in kinds.split()
        if kind != "function"  # the heads of other tables
    }
    fields = {kind: row.table.model_fields for kind, row in KINDS.items()}
    assert told == {
        kind: (
            {name for name, field in own.items() if field.is_required()} - {"kind"},
            {name for name, field in own.items() if not field.is_required()},
        )
        for kind, own in fields.items()
    }


def test_the_losses_are_those_that_are_told() -> None:
    text = README.read_text(encoding="utf-8").replace("\n", " ")
    (listed,) = re.findall(r"`\[loss\]` takes `kind` \((.*?)\)", text)
    assert set(listed.split(", ")) == set(LOSS_KINDS)


def test_the_tagger_is_a_network() -> None:
    (text,) = (body for kind, body in BLOCK.findall(README.read_text("utf-8")) if "tagger" in body)
    assert [*load(text).inputs] == ["words", "tags"]
