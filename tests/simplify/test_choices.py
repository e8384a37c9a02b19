"""Sums with masks that are choices: what a branch does not have is not added and taken away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination as total
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast
from symdiff.simplify.choices import chosen_sums

x, y, z = (b.input(name, (4,)) for name in "xyz")
s = b.input("s", ())
below = x < 0
mask = cast(below, "float64")
not_below = cast(x >= 0, "float64")
SUMS = {
    "a number": (total([(b.where(below, y, 0.0), 1.0), (mask, -1.0)], 1.0), b.where(below, y, 1.0)),
    "a number, at a minus": (
        total([(b.where(below, 0.0, z), 1.0), (y * mask, 2.0), (mask, 1.0)], -1.0),
        b.where(below, 2 * y, z - 1),
    ),
    "a term": (total([(y, 1.0), (mask * z, 1.0), (mask * y, -1.0)]), b.where(below, z, y)),
    "a term beside others": (
        total([(z, 1.0), (y, 1.0), (mask * y, -1.0), (b.where(below, s, 0.0), 1.0)]),
        z + b.where(below, s, y),
    ),
    "a multiple": (
        total([(y, 2.0), (mask * b.exp(-z), 1.0), (mask * y, -2.0)]),
        b.where(below, b.exp(-z), 2 * y),
    ),
    "a sum": (
        total([(b.where(below, y, z + 1), 1.0), (mask, -1.0)], 1.0),
        b.where(below, y, z + 2),
    ),
    "one less a mask": (
        total([((1 - mask) * y, 1.0), (y, -1.0), (mask * z, 1.0)]),
        b.where(below, z - y, 0.0),
    ),
    "the opposite": (
        total([(b.where(below, y, 0.0), 1.0), (not_below * z, 1.0), (z, -1.0)]),
        b.where(below, y - z, 0.0),
    ),
    "the opposite of a number": (
        total([(b.where(x >= 0, 0.0, y), 1.0), (mask, -1.0)], 1.0),
        b.where(below, y, 1.0),
    ),
}
OTHERS = [
    1 - mask,
    3 * (1 - mask) + 2 * mask,
    y * mask + z * (1 - mask),
    y + z * mask,
    1 - mask + y * cast(y < 0, "float64"),
    1 - cast(x <= 0, "float64") + b.where(below, y, 0.0) * 2,
]
VALUES: dict[Node | str, Any] = {
    "x": np.array([-1.0, 0.0, 2.0, -3.0]),
    "y": np.array([1e-30, 2.0, 1e-30, -1e20]),
    "z": np.array([1e-25, 1e5, -1e-40, 3.0]),
    "s": np.array(1e-35),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_become_choices(name: str) -> None:
    """Of the same value to the last digit, where the sum had none left."""
    node, expected = SUMS[name]
    (made,) = chosen_sums([node])
    assert "where" in {x.op for x in (made, *made.inputs)}
    assert not any(x.op == "cast" for x in (made, *made.inputs))
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(expected, VALUES), rtol=1e-15)


@pytest.mark.parametrize("node", OTHERS)
def test_others_stay(node: Node) -> None:
    assert chosen_sums([node]) == [node]


def test_the_slope_of_elu() -> None:
    """α eˣ below 0, also where that is less than the rounding of 1."""
    found = sd.derive("sum(where(x < 0, a*(exp(x) - 1), x))", "x", {"x": (3,)})
    np.testing.assert_allclose(
        found.derivative(x=np.array([-50.0, -1.0, 2.0]), a=np.array(1.5)),
        [1.5 * np.exp(-50.0), 1.5 * np.exp(-1.0), 1.0],
        rtol=1e-15,
    )
    assert found.text.endswith("where(x < 0, a exp(x), 1)")
