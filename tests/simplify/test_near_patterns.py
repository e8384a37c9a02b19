"""Formulas that are nearly what a rule is for: with another power, a weight more, a mask that is 0.

Each is checked against the truth, in many digits, at an ordinary point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from tests.simplify.truth import derivative

SHAPES = {"x": (4,), "y": (4,), "z": (4,), "w": (4,), "m": (4,), "s": (), "A": (4, 3), "B": (4, 3)}
FACTS: dict[str, dict[str, Any]] = {
    "w": {"nonnegative": True},
    "s": {"positive": True},
    "m": {"zero_or_one": True},
}
POINT: dict[str, Any] = {
    "x": [-2.0, 0.5, 1.5, -0.25],
    "y": [0.5, -1.5, 2.0, 1.0],
    "z": [0.5, -1.0, 2.0, 0.25],
    "w": [0.5, 1.0, 0.0, 2.0],
    "m": [1.0, 0.0, 1.0, 0.0],
    "s": 1.5,
    "A": [[1.0, -2.0, 0.5], [0.25, 1.0, -1.0], [2.0, 0.0, 1.0], [-1.0, 3.0, 0.5]],
    "B": [[0.5, 1.0, 2.0], [-0.25, 1.5, 1.0], [1.0, 0.5, -1.0], [2.0, -3.0, 0.25]],
}
#: By what a rule might miss.
FORMULAS: dict[str, tuple[tuple[str, str], ...]] = {
    "a weight along the axis that is centred": (
        ("np.sum(x * y - np.mean(x) * y)", "x"),
        ("np.sum(x * (y - np.mean(y)) - np.mean(x) * (y - np.mean(y)))", "x"),
        ("np.sum(A * B - np.mean(A, axis=1, keepdims=True) * B)", "A"),
        ("np.sum((A * B - np.mean(A, axis=0, keepdims=True) * B)**2)", "A"),
        ("np.sum(A * x[:, None] - np.mean(A, axis=0, keepdims=True) * x[:, None])", "A"),
    ),
    "a power of what is normalised": (
        ("np.sum(y * np.sqrt(np.exp(2 * z) / np.sum(np.exp(z))))", "z"),
        ("np.sum(y * (np.exp(2 * z) / np.sum(np.exp(z)))**0.3)", "z"),
        ("np.sum(y * np.exp(z)) / np.sqrt(np.sum(np.exp(z)))", "z"),
        ("np.sum((np.exp(z) / np.sum(np.exp(z * z)))**2)", "z"),
        ("np.sum(y / np.sum(np.exp(z))**1.5 * np.exp(z)**0.5)", "z"),
        ("np.sqrt(np.sum(np.exp(-s * z))) / s", "s"),
    ),
    "weights that are not those below": (
        ("np.sum(y * (w * np.exp(z) / np.sum(w * w * np.exp(z))))", "z"),
        ("np.sum(y * (w * w * np.exp(z) / np.sum(w * np.exp(z))))", "z"),
        ("np.sum(y * (w * np.exp(z) / np.sum(m * np.exp(z))))", "z"),
        ("np.sum(y * w * np.exp(z)) / np.sum(w**3 * np.exp(z))", "z"),
    ),
    "weights that are 0": (
        ("np.log(np.sum(w * w / np.exp(z)))", "w"),
        ("np.log(np.sum(w + np.exp(z)))", "w"),
        ("np.log(np.sum(w**3 * np.exp(z)))", "w"),
        ("np.sum(np.log(w * w + np.exp(z)))", "w"),
        ("np.sum(np.log(m + np.exp(z)))", "z"),
        ("np.sum(np.log(m / (1 + np.exp(-z)) + (3 - m) * (1 - 1 / (1 + np.exp(-z)))))", "z"),
        ("np.sum(y * np.log(w / (1 + np.exp(-z)) + m * np.exp(z) + np.exp(-z)))", "z"),
    ),
    "masks that take away large numbers": (
        ("np.sum(y * np.exp(z + (1 - m) * -1e9))", "z"),
        ("np.sum(y * np.exp((z + (m - 1) * 1e12) / s))", "z"),
        ("np.sum(y * np.tanh(z - 1e6 * (1 - m))) / np.sum(np.exp(z - 1e6 * (1 - m)))", "z"),
    ),
    "roots of what changes its sign": (
        ("np.sum(np.sqrt(np.cosh(x)))", "x"),
        ("np.sum(np.cosh(s * x)**0.3 / s)", "s"),
        ("np.sum(np.sqrt((np.exp(x) + np.exp(-x)) / 2))", "x"),
        ("np.sum(np.sqrt(np.exp(x) - 1 - x))", "x"),
    ),
    "powers of numbers": (
        ("-np.sum(w * np.sqrt(2**z / np.sum(2**(z * w))))", "z"),
        ("np.sqrt(np.sum(2**z))", "z"),
    ),
}  # fmt: skip
ALL = [(formula, wrt) for family in FORMULAS.values() for formula, wrt in family]


@pytest.mark.parametrize(("formula", "wrt"), ALL)
def test_the_derivative_is_the_formulas_own(formula: str, wrt: str) -> None:
    used = {n for n in SHAPES if n in {*_names(formula)}}
    found = sd.derive(
        formula,
        wrt=wrt,
        shapes={name: SHAPES[name] for name in SHAPES if name in used},
        facts={name: FACTS[name] for name in FACTS if name in used},
    )
    point = {name: POINT[name] for name in POINT if name in used}
    truth = derivative(formula, wrt, point)
    arrays = {name: np.array(value) for name, value in point.items()}
    got = np.asarray(found.derivative(**arrays))
    np.testing.assert_allclose(got, truth, rtol=1e-11, atol=1e-13)


def _names(formula: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in formula).split()
