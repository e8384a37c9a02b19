"""Differences of what is nearly alike, by exact differences of the variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.algebra import power_product
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.alike import alike

x, y, z = (b.input(name, (3,)) for name in "xyz")
GAP = np.array([2.0**-40, -(2.0**-50), 2.0**-45])
Y = np.array([1.0, 3.0, 0.7])
VALUES: dict[Node | str, Any] = {"x": Y + GAP, "y": Y, "z": np.array([2.0, 0.5, 1e10])}
DIFFERENCES = {
    "one": (1 - x / y, -GAP / Y),
    "a multiple": (3 * x / y - 3, 3 * GAP / Y),
    "a factor": (z - power_product([(z, 1.0), (x, 1.0), (y, -1.0)]), -VALUES["z"] * GAP / Y),
    "kinks": (2 - 2 * b.relu(x) / y, -2 * GAP / Y),
    "the logarithm of a mean": (b.log(2 * x / (x + y)), np.log1p(GAP / (2 * Y + GAP))),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_digits_are_kept(name: str) -> None:
    node, expected = DIFFERENCES[name]
    (made,) = alike([node])
    np.testing.assert_allclose(evaluate(made, VALUES), expected, rtol=1e-14)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_it_is_the_same_far_apart(name: str) -> None:
    node, _ = DIFFERENCES[name]
    (made,) = alike([node])
    values = {**VALUES, "x": np.array([5.0, 1e-3, 2.0])}
    np.testing.assert_allclose(evaluate(made, values), evaluate(node, values), rtol=1e-14)


@pytest.mark.parametrize(
    "node",
    [
        *(x - y, x * z - y * z, 1 + x / y, 2 - x / y, 1 - x / y + z, 1 - b.exp(x) / y),
        *((1 - x / y) / y, 1 / z - x / (z * y), b.log(x / y), b.log(x / (y + z))),
    ],
)
def test_others_stay(node: Node) -> None:
    assert alike([node]) == [node]
