"""Units with parameters of their own, by their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.shapes import ShapeError
from symdiff.nn import units
from tests.oracles import check_derivatives

RNG = np.random.default_rng(6)
ARRAYS = {
    "x": RNG.normal(size=(4, 6)),
    "slope": RNG.normal(size=6),
    "u": RNG.normal(size=(6, 2)),
    "v": RNG.normal(size=(2, 5)),
    "mask": np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0]),
}
X, SLOPE, U, V, MASK = (b.parameter(name, value.shape) for name, value in ARRAYS.items())


def test_prelu() -> None:
    x, slope = ARRAYS["x"], ARRAYS["slope"]
    y = units.prelu(X, SLOPE)
    np.testing.assert_array_equal(evaluate(y, ARRAYS), np.where(x > 0, x, slope * x))
    check_derivatives(y, [X, SLOPE], ARRAYS)


def test_maxout() -> None:
    y = units.maxout(X, 3)
    expected = np.stack([ARRAYS["x"][:, :3].max(1), ARRAYS["x"][:, 3:].max(1)], axis=1)
    np.testing.assert_array_equal(evaluate(y, ARRAYS), expected)
    check_derivatives(y * y, [X], ARRAYS)
    with pytest.raises(ShapeError, match=r"x of shape \(4, 6\) has no units of 4 pieces"):
        units.maxout(X, 4)


def test_low_rank_never_forms_the_product() -> None:
    y = units.low_rank(X, U, V)
    np.testing.assert_allclose(evaluate(y, ARRAYS), ARRAYS["x"] @ ARRAYS["u"] @ ARRAYS["v"])
    assert (6, 5) not in {node.shape for node in toposort([y])}
    check_derivatives(b.tanh(y), [X, U, V], ARRAYS)


def test_dropout() -> None:
    y = units.dropout(X, MASK, 0.25)
    np.testing.assert_allclose(evaluate(y, ARRAYS), ARRAYS["x"] * ARRAYS["mask"] / 0.75)
    check_derivatives(y * y, [X], ARRAYS)
    with pytest.raises(ValueError, match=r"rate 1.0 is not at least 0 and less than 1"):
        units.dropout(X, MASK, 1.0)
