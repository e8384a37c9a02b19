"""A module's check of itself, and the test file beside it: right passes, wrong is found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codegen import FunctionBody, ModuleDescription, emit, emit_tests
from symdiff.expr import build as b
from symdiff.expr.node import Node
from tests.codegen.models import describe_graph, loaded, network, trained


def rows_of(x: Node, delta: Node, params: dict[str, Node], dtype: str) -> dict[str, Node]:
    """Goodfellow's products for one layer: ‖x_j‖² ‖δ_j‖² for the weight, ‖δ_j‖² for the bias."""
    own = (delta * delta).sum(axis=1)
    return {"W": (x * x).sum(axis=1) * own, "c": own}


def layer(dtype: str = "float64", **wrong: Callable[[Node], Node]) -> ModuleDescription:
    """Softmax regression with weight decay and all eight functions, by hand.

    ``wrong`` replaces, in one function, the weight's entry by a function of it.
    """
    with b.default_dtype(dtype):
        x = b.input("x", ("batch", 4), dtype)
        y = b.input("y", ("batch",), "int64", labels=3)
        params = {"W": b.parameter("W", (4, 3), dtype), "c": b.parameter("c", (3,), dtype)}
        z = x @ params["W"] + params["c"]
        losses = -b.log_softmax(z)[b.arange("batch"), y]
        decay = 0.05 * (params["W"] ** 2).sum()
        described = trained({"x": x, "y": y}, params, z, losses, decay, dtype)
        delta = b.softmax(z) - b.one_hot(y, 3, dtype)
        bound = b.input("the bound", (), dtype)
        sq_norms = rows_of(x, delta, params, dtype)
        norms = b.sqrt(sq_norms["W"] + sq_norms["c"])
        factors = b.minimum(1.0, bound / norms)
        rows = factors[:, None] * delta
        clipped = {
            "W": b.mean(x[:, :, None] * rows[:, None, :], axis=0) + 0.1 * params["W"],
            "c": b.mean(rows, axis=0),
        }
        loss, grads = described.functions["backward"].result
        product = described.functions["hvp"].result
        results: dict[str, Any] = {
            "backward": grads,
            "hvp": product,
            "per_example_sq_norms": sq_norms,
            "backward_with_norms": sq_norms,
            "clipped_backward": clipped,
        }
        for function, change in wrong.items():
            if function == "per_example_norms":
                norms = change(norms)
            else:
                entries = results[function]
                results[function] = {**entries, "W": change(entries["W"])}
    functions = {
        **described.functions,
        "backward": FunctionBody((loss, results["backward"])),
        "hvp": FunctionBody(results["hvp"], v=described.functions["hvp"].v),
        "per_example_sq_norms": FunctionBody(results["per_example_sq_norms"]),
        "per_example_norms": FunctionBody(norms),
        "backward_with_norms": FunctionBody((loss, grads, results["backward_with_norms"])),
        "clipped_backward": FunctionBody(
            (loss, results["clipped_backward"], norms), max_norm=bound
        ),
    }
    return replace(described, functions=functions)


def self_check(module: ModuleType, capsys: pytest.CaptureFixture[str]) -> tuple[bool, list[str]]:
    """Whether the module finds itself right, and the lines that it prints."""
    fine = module._self_check()
    return fine, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_module_passes(dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    fine, lines = self_check(loaded(layer(dtype)), capsys)
    assert fine
    assert [line[:2] for line in lines] == ["ok"] * 7


WRONG: dict[str, tuple[Callable[[Node], Node], str]] = {
    "backward": (lambda g: g * 1.0001, "the gradient"),
    "hvp": (lambda g: g * 1.0001, "hvp against"),
    "per_example_sq_norms": (lambda s: s * 1.0001, "per_example_sq_norms"),
    "per_example_norms": (lambda s: s * 1.0001, "per_example_norms"),
    "backward_with_norms": (lambda s: s * 1.0001, "backward_with_norms"),
    "clipped_backward": (lambda g: g * 1.0001, "clipped_backward"),
}


@pytest.mark.parametrize("function", WRONG)
def test_a_wrong_function_is_found(function: str, capsys: pytest.CaptureFixture[str]) -> None:
    change, line = WRONG[function]
    fine, lines = self_check(loaded(layer(**{function: change})), capsys)
    assert not fine
    assert any(x.startswith("FAIL") and line in x for x in lines), lines


def test_one_wrong_coordinate_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = np.ones((4, 3))
    wrong[2, 1] = 1.001
    fine, _ = self_check(loaded(layer(backward=lambda g: g * b.constant(wrong))), capsys)
    assert not fine


def test_a_product_that_is_not_symmetric_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = b.constant(np.linspace(0.9, 1.1, 12).reshape(4, 3))
    _, lines = self_check(loaded(layer(hvp=lambda g: g * wrong)), capsys)
    assert any(line.startswith("FAIL") and "u . (H v)" in line for line in lines)


def test_not_a_number_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    fine, _ = self_check(loaded(layer(backward=lambda g: g * np.nan)), capsys)
    assert not fine


def test_stopped_gradients_are_not_held_against_differences(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x, w = b.input("x", ("batch", 3)), b.parameter("w", (3,))
    losses = (x @ w) * b.stop_gradient(b.tanh(x @ w))
    fine, lines = self_check(loaded(trained({"x": x}, {"w": w}, losses, losses)), capsys)
    assert fine
    assert any(line.startswith("skip") for line in lines)


def test_random_data_obey_the_declared_facts() -> None:
    facts: dict[str, dict[str, Any]] = {
        "p": {"sums_to_one": True, "positive": True},
        "o": {"one_hot": True},
        "z": {"zero_or_one": True},
        "s": {"plus_minus_one": True},
        "r": {"range": (2.0, 3.0)},
        "h": {"range": (5.0, float("inf"))},
        "a": {"positive": True},
        "m": {"symmetric": True},
    }
    nodes = {
        name: b.input(name, (4, 4) if name == "m" else ("batch", 4), **declared)
        for name, declared in facts.items()
    }
    nodes["k"] = b.input("k", ("batch",), "int64", labels="classes", ignore=-1)
    nodes["t"] = b.input("t", ("batch",), "bool")
    w = b.parameter("w", ("classes", 4))
    total: Node = b.sum(b.one_hot(nodes["k"], "classes") @ w)
    for name, node in nodes.items():
        total = total + b.sum(b.cast(node, "float64") if name in "kt" else node)
    described = trained(
        nodes,
        {"w": w},
        total,
        total * b.full(("batch",), 1.0, "float64"),
        forward_inputs=tuple(nodes),
    )
    module = loaded(described)
    _, data = module._random_arguments(np.random.default_rng(0))
    drawn = dict(zip(nodes, data, strict=True))
    np.testing.assert_allclose(drawn["p"].sum(axis=1), 1)
    assert (drawn["p"] > 0).all()
    assert (drawn["o"].sum(axis=1) == 1).all()
    assert set(np.unique(drawn["o"])) == {0.0, 1.0}
    assert set(np.unique(drawn["z"])) <= {0.0, 1.0}
    assert set(np.unique(drawn["s"])) <= {-1.0, 1.0}
    assert 2 <= drawn["r"].min() <= drawn["r"].max() <= 3
    assert drawn["h"].min() >= 5
    assert drawn["a"].min() > 0
    np.testing.assert_array_equal(drawn["m"], drawn["m"].T)
    assert set(np.unique(drawn["k"])) <= {-1, 0, 1, 2, 3, 4}
    assert drawn["t"].dtype == bool
    assert module._self_check()


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-W", "error", str(path), *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


def test_check_from_the_command_line(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(emit(layer("float32")), encoding="utf-8")
    wrong.write_text(emit(layer("float32", hvp=lambda g: 2 * g)), encoding="utf-8")
    done = run(right, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("ok") == 7
    done = run(wrong, "--check")
    assert (done.returncode, done.stderr) == (1, "")
    assert "FAIL  hvp against finite differences" in done.stdout
    done = run(right)
    assert done.returncode != 0
    assert "--check" in done.stderr


def test_the_emitted_tests_pass_on_a_right_module_and_fail_on_a_wrong_one(tmp_path: Path) -> None:
    traps = tmp_path / "test_net.py"
    for wrong, failed in (({}, 0), ({"hvp": lambda g: 2 * g}, 6)):
        described = layer("float32", **wrong)
        (tmp_path / "net.py").write_text(emit(described), encoding="utf-8")
        traps.write_text(emit_tests(described, "net.py"), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", traps],
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert done.returncode == (1 if failed else 0), done.stdout
        assert (f"{failed} failed" in done.stdout) == bool(failed)


def test_emitted_tests_of_a_module_with_odd_names(tmp_path: Path) -> None:
    x, w = b.input("np", ("batch", 3)), b.parameter("_backward", (3,))
    losses = b.tanh(x @ w)
    described = trained({"np": x}, {"_backward": w}, losses, losses, forward_inputs=("np",))
    assert "module._backward_(" not in emit(network())
    assert "module._backward_" in emit_tests(described, "odd.py")


def test_a_module_that_only_goes_forward_has_nothing_to_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x = b.input("x", ("n", 3))
    fine, lines = self_check(loaded(describe_graph({"out": x + 1})), capsys)
    assert fine
    assert lines == []
