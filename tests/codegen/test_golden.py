"""Emitted modules as files: what a change to the printing changes is seen in review, and runs.

``pytest --force-regen`` writes them anew.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from codegen import ModuleDescription, emit
from tests.codegen.models import network
from tests.codegen.test_check import layer

GOLDEN = Path(__file__).parents[1] / "golden"

MODELS: dict[str, Callable[[], ModuleDescription]] = {
    "network": network,
    "softmax_regression": lambda: layer("float32"),
}


@pytest.mark.parametrize("name", MODELS)
def test_emitted_modules_are_as_reviewed(name: str, file_regression: FileRegressionFixture) -> None:
    file_regression.check(emit(MODELS[name]()), fullpath=GOLDEN / f"{name}.py", encoding="utf-8")


@pytest.mark.parametrize("name", MODELS)
def test_reviewed_modules_check_themselves(name: str) -> None:
    module = runpy.run_path(str(GOLDEN / f"{name}.py"))
    assert module["_self_check"]()
