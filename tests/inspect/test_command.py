"""The text that ``symdiff inspect`` prints, by its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symdiff.errors import SpecError
from symdiff.inspect.command import inspect_spec

DIGITS = Path(__file__).parents[2] / "examples" / "digits.toml"


def test_the_default_shows_equations_and_gradients_of_the_trainable_parameters() -> None:
    text = inspect_spec(DIGITS)
    assert text.startswith("h = relu(x W1 + b1)")
    assert all(f"∂J/∂{name} = " in text for name in ("W1", "b1", "W2", "b2"))


def test_each_format_is_its_own() -> None:
    assert inspect_spec(DIGITS, ["z"], form="latex").startswith(r"\begin{aligned}")
    assert json.loads(inspect_spec(DIGITS, ["z"], form="json"))["name"] == "digits"


def test_equations_are_a_spec_again() -> None:
    text = inspect_spec(DIGITS, equations=True)
    assert inspect_spec(text, equations=True) == text
    assert inspect_spec(text, ["W1"]) == inspect_spec(DIGITS, ["W1"])


def test_rules_on_demand() -> None:
    assert "log_softmax" in inspect_spec(DIGITS, ["z"], trace=True)
    assert "∂J/∂q" in inspect_spec(DIGITS, ["z"], raw=True)


def test_faults_of_the_spec_are_raised() -> None:
    with pytest.raises(SpecError, match="missing table"):
        inspect_spec('name = "m"\n')
