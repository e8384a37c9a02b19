"""Every script in examples/ runs without a warning, and shows what it is there to show."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
import tempfile
from functools import cache
from pathlib import Path
from unittest import mock

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py"))


@cache
def output(script: str) -> str:
    """What a script prints; what it writes goes to a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        arguments = ["--out", folder] if script == "demo.py" else []
        with mock.patch.object(sys, "argv", [script, *arguments]):
            runpy.run_path(str(FOLDER / script), run_name="__main__")
    return out.getvalue()


def numbers(script: str, pattern: str) -> list[float]:
    """The numbers in a pattern's groups, in all lines that a script prints and that match."""
    found = re.findall(pattern, output(script))
    assert found, f"{script} prints nothing like {pattern}:\n{output(script)}"
    return [float(n) for match in found for n in ([match] if isinstance(match, str) else match)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_runs(script: str) -> None:
    """It ends, and prints something."""
    assert output(script).strip()


def test_cosines_read_digits() -> None:
    """The network of cosines learns, and generalises."""
    before, after = numbers("cos_digits.py", r"loss (?:before|after) +([\d.]+)")
    assert after < 0.1 * before
    assert numbers("cos_digits.py", r"accuracy ([\d.]+)")[0] >= 0.95


def test_importance_sampling_trains_and_varies_less() -> None:
    """Both ways of drawing learn; by gradient norm the drawn gradient varies less."""
    start, uniform, by_norm = numbers("importance_sampling.py", r"(?m)^loss.* ([\d.]+)$")
    assert max(uniform, by_norm) < 0.25 * start
    plain, less = numbers("importance_sampling.py", r"([\d.]+) uniformly, ([\d.]+) by norm")
    assert less < plain


def test_clipping_withstands_a_corrupt_example() -> None:
    """The clipped gradient points where the clean one does; the plain one does not."""
    plain, clipped = numbers("clipping.py", r"(?:plain|clipped) +(-?[\d.]+)")
    assert clipped > 0.9 > 0.5 > plain


def test_eigenvalues_have_both_signs() -> None:
    """At either point the loss curves upwards in one direction and downwards in another."""
    found = numbers("eigenvalues.py", r"from (-?[\d.]+) to (-?[\d.]+)")
    assert max(found[::2]) < 0 < min(found[1::2])


def test_solvers_solve() -> None:
    """cg and minres need fewer products than there are unknowns, and Newton's step descends."""
    pattern = r"(\d+) products for (\d+) unknowns, residual (\S+);.* from ([\d.]+) to ([\d.]+)"
    found = numbers("solve.py", pattern)
    assert len(found) == 10
    for row in (found[:5], found[5:]):
        products, unknowns, residual, before, after = row
        assert products < unknowns
        assert residual < 1e-5
        assert after < before


def test_newton_reaches_the_minimum_where_descent_does_not() -> None:
    """For as many passes over the data."""
    losses = numbers("newton_cg.py", r"loss ([\d.]+)")
    norms = numbers("newton_cg.py", r"gradient norm (\S+)")
    assert losses[0] < losses[1]
    assert norms[0] < 1e-5 < norms[1]


def test_numerical_differentiation_states_its_cost() -> None:
    """d + 1 evaluations, and agreement to what one-sided differences can give."""
    script = "numerical_differentiation.py"
    d, evaluations = numbers(script, r"(\d+) parameters took (\d+) evaluations")
    assert evaluations == d + 1
    assert max(numbers(script, r"difference (\S+)")) < 1e-5
