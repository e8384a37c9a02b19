"""Numbers that arithmetic gave are taken for the simple ones that they are but for rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.numbers import rounded_away

x = b.input("x", (3,))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (0.4999999999999999, 0.5),
        (1 / math.sqrt(2), math.sqrt(0.5)),
        (-math.sqrt(3) * math.sqrt(3), -3.0),
        (2 / math.sqrt(2), math.sqrt(2)),
        (0.0, 0.0),
        (math.inf, math.inf),
    ],
)
def test_what_is_rounded_away(given: float, found: float) -> None:
    assert rounded_away(given) == found


@pytest.mark.parametrize("given", [1 / 3, 0.1, math.pi, 1 + 1e-14, 1e-200, 1e300, 0.044715, 1.702])
def test_what_stays(given: float) -> None:
    assert rounded_away(given) == given


def test_random_numbers_stay() -> None:
    numbers = np.random.default_rng(0).normal(size=5000)
    assert all(rounded_away(float(value)) == value for value in numbers)


def test_roots_of_numbers_have_one_spelling() -> None:
    assert x / math.sqrt(2) is x * math.sqrt(0.5)
    assert x * 0.7071067811865475 is x * 0.7071067811865476
    assert x + 0.7071067811865475 is x + b.sqrt(b.constant(0.5))
    assert x / b.sqrt(b.constant(2.0)) is x * math.sqrt(0.5)
    assert (x * math.sqrt(0.5)) ** 2 is 0.5 * x**2
    assert 0.4999999999999999 * x is not 0.5 * x  # but numbers as given are left alone
