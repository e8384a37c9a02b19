"""What cannot be had of models that mix examples: the reason, the equation, its line; no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import symdiff as sd
from symdiff.cli import main
from symdiff.errors import SpecError
from tests.systems.modules import error

MIXED = """\
name = "mixed"
output = "z"
[inputs]
x = { shape = ["batch", 5] }
y = { shape = ["batch"], labels = 4 }
[parameters]
W1 = { shape = [5, 6] }
W2 = { shape = [6, 4] }
[equations]
h = "tanh(x @ W1)"
n = "MIXES"
z = "n @ W2"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""
WAYS = {
    "(h - mean(h, axis=0)) / std(h, axis=0)": "sum of h of shape (batch, 6) sums over the examples",
    "h - max(h, axis=0)": "max of h of shape (batch, 6) runs over the examples",
    "softmax(h @ h.T) @ h": "pairs examples with examples",
    "h * softmax(sum(h, axis=1), axis=0)[:, None]": "runs over the examples",
    "h[::-1]": "reverses the examples",
}
PER_EXAMPLE = {
    "per_example_sq_norms", "per_example_norms", "backward_with_norms", "clipped_backward",
}  # fmt: skip


@pytest.mark.parametrize("mixes", WAYS)
def test_the_equation_and_its_line_are_named(mixes: str) -> None:
    text = MIXED.replace("MIXES", mixes)
    with pytest.raises(SpecError) as caught:
        sd.compile(text, functions=["per_example_norms"])
    (line,) = caught.value.lines
    assert line.startswith("<spec>:11:1: error: per_example_norms: equation 'n': ")
    assert WAYS[mixes] in line


@pytest.mark.parametrize("mixes", WAYS)
def test_all_else_compiles_and_is_right(mixes: str) -> None:
    module: Any = sd.compile(MIXED.replace("MIXES", mixes))
    rng = np.random.default_rng(0)
    params = {n: rng.normal(size=shape) for n, shape in module.PARAMETERS.items()}
    v = {n: rng.normal(size=p.shape) for n, p in params.items()}
    x, y = rng.normal(size=(6, 5)), rng.integers(0, 4, 6)
    ahead, behind = (
        module.backward({n: p + t * v[n] for n, p in params.items()}, x, y) for t in (1e-6, -1e-6)
    )
    _, grads = module.backward(params, x, y)
    slope = sum(np.vdot(grads[n], v[n]) for n in v)
    assert (ahead[0] - behind[0]) / 2e-6 == pytest.approx(slope, rel=1e-6, abs=1e-8)
    product = module.hvp(params, v, x, y)
    for n in v:
        assert error(product[n], (ahead[1][n] - behind[1][n]) / 2e-6) < 1e-6
    for function in PER_EXAMPLE:
        with pytest.raises(NotImplementedError, match="equation 'n'"):
            getattr(module, function)(params, x, y)


def test_the_command_warns_with_file_line_and_column(tmp_path: Path) -> None:
    spec = tmp_path / "mixed.toml"
    spec.write_text(MIXED.replace("MIXES", "h - mean(h, axis=0)"), encoding="utf-8")
    run = CliRunner().invoke(main, ["compile", str(spec), "-o", str(tmp_path / "mixed.py")])
    assert run.exit_code == 0
    told = run.stderr.splitlines()
    assert all(line.startswith(f"{spec}:11:1: warning: no ") for line in told)
    assert {line.split("no ")[1].split(":")[0] for line in told} == PER_EXAMPLE
    run = CliRunner().invoke(main, ["compile", str(spec), "--functions", "clipped_backward"])
    assert run.exit_code == 2
    assert run.stderr.startswith(f"{spec}:11:1: error: clipped_backward: equation 'n': ")
    run = CliRunner().invoke(main, ["inspect", str(spec), "--of", "norms"])
    assert run.exit_code == 2
    assert run.stderr.startswith(f"{spec}:11:1: error: norms: equation 'n': ")


def test_what_the_loss_itself_mixes_is_at_the_line_of_the_loss() -> None:
    text = MIXED.replace("MIXES", "h").replace("(z, y)", "(z, y) - mean(z)")
    with pytest.raises(SpecError, match=r"<spec>:14:1: error: per_example_norms: sum of z"):
        sd.compile(text, functions=["per_example_norms"])
