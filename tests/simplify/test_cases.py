"""Whole derivatives against the truth: the fixture of fifty, and as many of our own again.

Both files hold formulas as people write them, with the true derivative at a benign point and at
one where the naive derivative breaks.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.derive import Derivation
from tests.simplify.call_count import count_source, expected_function

DATA = Path(__file__).parent.parent / "data"
NAIVE = json.loads((DATA / "naive_to_stable.json").read_text(encoding="utf-8"))["cases"]
MORE = json.loads((DATA / "more_cases.json").read_text(encoding="utf-8"))["cases"]
CASES = {case["id"]: case for case in (*NAIVE, *MORE)}
SMALLEST = 2e-307


def derived(case: dict[str, Any]) -> Derivation:
    """The case's derivative, from the formula as it stands."""
    return _derived(case["id"])


@cache
def _derived(name: str) -> Derivation:
    case = CASES[name]
    inputs = case["inputs"]
    direction = case["hvp_vector"] if case["derivative"] == "hvp" else None
    return sd.derive(
        case["naive_numpy"],
        wrt=case["wrt"],
        shapes={name: tuple(given["shape"]) for name, given in inputs.items()},
        facts={name: given["facts"] for name, given in inputs.items() if given["facts"]},
        order=2 if case["derivative"] in ("hessian", "hvp") else 1,
        direction=direction,
    )


def values(case: dict[str, Any], point: str) -> dict[str, Any]:
    return {
        name: np.array(value, case["inputs"][name]["dtype"])
        for name, value in case[f"{point}_point"].items()
    }


def test_there_are_no_doubles() -> None:
    assert len(CASES) == len(NAIVE) + len(MORE)
    assert len(NAIVE) == 50
    assert len(MORE) >= 400


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("point", ["benign", "stress"])
def test_derivatives_are_right(name: str, point: str) -> None:
    case = CASES[name]
    if case.get(f"{point}_point") is None:
        assert point == "stress"
        return
    found = np.asarray(derived(case).derivative(**values(case, point)))
    truth = np.array(case[f"{point}_value_f64"])
    relative = 1e-12 if point == "benign" else case["rtol"]
    assert found.shape == truth.shape
    assert np.all(np.isfinite(found))
    error = np.abs(found - truth)
    assert np.all(error <= relative * np.abs(truth) + case["atol"] + SMALLEST), (found, truth)


def test_derivatives_are_small() -> None:
    """No more calls of NumPy than a person's stable form."""
    more, wrong = [], []
    for case in NAIVE:
        found = derived(case)
        arrays = values(case, "benign")
        ours = count_source(found.source, arrays, list(found.inputs))
        theirs = expected_function(case["expected_numpy"], arrays)
        if ours > theirs:
            more.append((case["id"], ours, theirs))
        if ours > 2 * theirs:
            wrong.append((case["id"], ours, theirs))
    assert not wrong
    # one more than theirs, for the digits that the rounded mean of numbers near 1e8 costs
    assert [name for name, _, _ in more] == ["variance_one_pass"]
