"""Declared facts: named in the header where a rule leaned on them, looked at on demand."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codegen.names import CHECKED_FACTS, FUNCTIONS
from symdiff.compiler import Compiled, compile_spec
from symdiff.derive import derive
from symdiff.expr import build as b
from tests.codegen.models import loaded, trained

EYE = np.eye(3)
TRUE: dict[str, Any] = {
    "sums_to_one": [[0.5, 0.5, 0.0], [2.0, -2.0, 1.0]],
    "one_hot": EYE,
    "positive": [[1.0, 2.0], [1e-300, np.inf]],
    "nonnegative": [[0.0, 2.0]],
    "nonzero": [[-1.0, 2.0]],
    "zero_or_one": [[0.0, 1.0]],
    "plus_minus_one": [[-1.0, 1.0]],
    "symmetric": [[1.0, 2.0], [2.0, 3.0]],
    "range": [[0.0, 2.0, 1.0]],
}
FALSE: list[tuple[str, Any, str]] = [
    ("sums_to_one", [[0.5, 0.5], [0.5, 0.625]], "a sum of 1.125 at [1]"),
    ("one_hot", [[0.0, 1.0], [0.5, 0.5]], "0.5 at [1, 0]"),
    ("one_hot", [[0.0, 1.0], [1.0, 1.0]], "a sum of 2.0 at [1]"),
    ("one_hot", [[0.0, 0.0]], "a sum of 0.0 at [0]"),
    ("positive", [[1.0, 0.0]], "0.0 at [0, 1]"),
    ("nonnegative", [[1.0, -1.0]], "-1.0 at [0, 1]"),
    ("nonzero", [[1.0, 0.0]], "0.0 at [0, 1]"),
    ("zero_or_one", [[1.0, 2.0]], "2.0 at [0, 1]"),
    ("plus_minus_one", [[1.0, 0.0]], "0.0 at [0, 1]"),
    ("symmetric", [[1.0, 2.0], [3.0, 4.0]], "2.0 at [0, 1]"),
    ("range", [[0.0, 2.5]], "2.5 at [0, 1]"),
]


def declared(fact: str, columns: int, dtype: str = "float64") -> ModuleType:
    """A model whose input ``t`` is declared to have the fact."""
    with b.default_dtype(dtype):
        rows = columns if fact == "symmetric" else "n"
        t = b.input("t", (rows, columns), dtype, **{fact: (0.0, 2.0) if fact == "range" else True})
        x, w = b.input("x", ("batch",), dtype), b.parameter("w", (), dtype)
        losses = w * x * b.sum(t)
        return loaded(trained({"t": t, "x": x}, {"w": w}, losses, losses, None, dtype, ("t", "x")))


def call(module: ModuleType, t: Any, **options: Any) -> Any:
    return module.backward({"w": np.array(2.0)}, np.asarray(t), np.ones(2), **options)


@pytest.mark.parametrize("fact", CHECKED_FACTS)
def test_what_is_true_passes(fact: str) -> None:
    t = np.array(TRUE[fact])
    module = declared(fact, t.shape[1])
    assert call(module, t, check_facts=True) == call(module, t)


@pytest.mark.parametrize(("fact", "t", "said"), FALSE)
def test_what_is_not_true_is_refused_only_on_demand(fact: str, t: Any, said: str) -> None:
    module = declared(fact, len(t[0]))
    call(module, t)
    with pytest.raises(ValueError, match=re.escape(f"t: declared {fact}, got {said}")):
        call(module, t, check_facts=True)


@pytest.mark.parametrize("fact", CHECKED_FACTS)
def test_nan_is_nowhere_as_declared(fact: str) -> None:
    with pytest.raises(ValueError, match=f"t: declared {fact}, got (a sum of )?nan at"):
        call(declared(fact, 2), np.full((2, 2), np.nan), check_facts=True)


def test_rounding_is_allowed_for_by_dtype() -> None:
    rows = np.random.default_rng(0).random((20, 1000))
    single = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    call(declared("sums_to_one", 1000, "float32"), single, check_facts=True)
    call(declared("sums_to_one", 1000), single.astype(np.float64), check_facts=True)
    off = rows / rows.sum(axis=1, keepdims=True) * (1 + 5e-6)
    call(declared("sums_to_one", 1000, "float32"), off, check_facts=True)
    with pytest.raises(ValueError, match="declared sums_to_one"):
        call(declared("sums_to_one", 1000), off, check_facts=True)


def test_every_function_takes_the_keyword_and_only_that_way() -> None:
    module = compile_spec(SPEC.replace(", sums_to_one = true", "")).module()
    for function in (f for f in FUNCTIONS if hasattr(module, f)):
        parameter = inspect.signature(getattr(module, function)).parameters["check_facts"]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is False
    assert not hasattr(module, "_check_facts"), "there is nothing to check"


SPEC = """
name = "smoothed"
output = "q"
[inputs]
x = { shape = ["batch", 3] }
t = { shape = ["batch", 2], sums_to_one = true }
[parameters]
W = { shape = [3, 2] }
[equations]
q = "softmax(x @ W)"
[loss]
per_example = "-sum(t * log(q), axis=-1)"
"""


@pytest.fixture(scope="module")
def smoothed() -> Compiled:
    return compile_spec(SPEC)


def test_every_function_refuses_what_it_takes(smoothed: Compiled) -> None:
    module = smoothed.module()
    params, x, t = module.init(), np.ones((4, 3)), np.ones((4, 2))
    module.forward(params, x, check_facts=True)
    extra = {"hvp": {"v": params}, "clipped_backward": {"max_norm": 1.0}}
    for function in [f for f in FUNCTIONS if hasattr(module, f)][1:]:
        given = {"params": params, "x": x, "t": t, **extra.get(function, {})}
        getattr(module, function)(**given)
        with pytest.raises(ValueError, match=r"t: declared sums_to_one, got a sum of 2\.0 at \[0"):
            getattr(module, function)(**given, check_facts=True)


@pytest.mark.parametrize(
    "functions", [["backward"], ["per_example_norms"], ["clipped_backward"], ["hvp"]]
)
def test_the_header_says_what_gradients_leaned_on(functions: list[str]) -> None:
    source = compile_spec(SPEC, functions).source
    assert "Simplified on the word of the spec: t has sums_to_one." in source
    assert "With check_facts=True" in source


def test_the_header_says_what_the_forward_graph_leaned_on() -> None:
    spec = SPEC.replace("sums_to_one", "positive").replace("t * log(q)", "abs(t) * q")
    source = compile_spec(spec, ["loss"]).source
    assert "Simplified on the word of the spec: t has positive." in source
    assert "sums_to_one" not in source[: source.index('"""', 3)]


def test_the_modules_check_checks_facts(
    smoothed: Compiled, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoothed.module()._self_check()
    assert "what is declared of its inputs checked" in capsys.readouterr().out


def test_the_emitted_tests_check_facts(smoothed: Compiled, tmp_path: Path) -> None:
    module, tests = tmp_path / "smoothed.py", tmp_path / "test_smoothed.py"
    module.write_text(smoothed.source, encoding="utf-8")
    tests.write_text(smoothed.tests_for(module, tests), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "-k", "declared"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("passed") == 1


def test_formulas_check_facts_too() -> None:
    d = derive("-sum(p*log(softmax(z)))", "z", {"z": 2, "p": 2}, {"p": {"sums_to_one": True}})
    z, p = np.zeros(2), np.array([0.25, 0.5])
    assert np.isfinite(d.value(z=z, p=p))
    for function in (d.value, d.derivative):
        with pytest.raises(ValueError, match=r"p: declared sums_to_one, got a sum of 0\.75$"):
            function(z=z, p=p, check_facts=True)
        function(z=z, p=p / p.sum(), check_facts=True)
    scalar = derive("log(x**2)", "x", facts={"x": {"positive": True}})
    with pytest.raises(ValueError, match=r"x: declared positive, got -1\.0$"):
        scalar.value(x=-1.0, check_facts=True)


def test_a_variable_may_have_the_keywords_name() -> None:
    d = derive("check_facts**2", "check_facts", facts={"check_facts": {"positive": True}})
    assert d.derivative(check_facts=-3.0) == -6.0
