"""Activations have jax.nn's values, survive extreme arguments, and keep the stated kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from symdiff.calculus.reverse import grad
from symdiff.expr import build
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.nn import activations as a

Array = NDArray[np.float64]
X = build.input("x", ("n",))
POINTS = np.concatenate([np.linspace(-7, 7, 29), [0.0, -1e4, 1e4]])


def elu(x: Array, alpha: float) -> Array:
    """By its definition."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


CASES: dict[str, tuple[Callable[[Any], Node], Callable[[Array], Array]]] = {
    "relu6": (a.relu6, lambda x: np.minimum(np.maximum(x, 0), 6)),
    "leaky_relu": (a.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    "leaky_relu(0.3)": (lambda x: a.leaky_relu(x, 0.3), lambda x: np.where(x > 0, x, 0.3 * x)),
    "hard_silu": (a.hard_silu, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "squareplus": (a.squareplus, lambda x: (x + np.sqrt(x * x + 4)) / 2),
    "elu": (a.elu, lambda x: elu(x, 1.0)),
    "elu(2)": (lambda x: a.elu(x, alpha=2), lambda x: elu(x, 2.0)),
    "selu": (a.selu, lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    "celu(2)": (lambda x: a.celu(x, 2), lambda x: np.where(x > 0, x, elu(x / 2, 2.0))),
    "gelu": (
        a.gelu,
        lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    ),
    "gelu(exact)": (
        lambda x: a.gelu(x, approximate=False),
        lambda x: x / 2 * (1 + special.erf(x / np.sqrt(2))),
    ),
    "silu": (a.silu, lambda x: x * special.expit(x)),
    "mish": (a.mish, lambda x: x * np.tanh(np.logaddexp(0, x))),
    "softsign": (a.softsign, lambda x: x / (1 + np.abs(x))),
    "hard_tanh": (a.hard_tanh, lambda x: np.clip(x, -1, 1)),
    "hard_sigmoid": (a.hard_sigmoid, lambda x: np.clip(x + 3, 0, 6) / 6),
    "log_sigmoid": (a.log_sigmoid, special.log_expit),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    ours, expected = CASES[name]
    values = evaluate(ours(X), {"x": POINTS})
    np.testing.assert_allclose(values, expected(POINTS), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_finite_everywhere_and_right_off_the_kinks(name: str) -> None:
    ours, expected = CASES[name]
    slope = evaluate(grad(build.sum(ours(X)), X), {"x": POINTS})
    assert np.all(np.isfinite(slope))
    smooth = np.linspace(-6.9, 6.9, 24) + 0.013
    h = 1e-6
    difference = (expected(smooth + h) - expected(smooth - h)) / (2 * h)
    ours_there = evaluate(grad(build.sum(ours(X)), X), {"x": smooth})
    np.testing.assert_allclose(ours_there, difference, atol=1e-7)


@pytest.mark.parametrize(
    ("function", "at_zero"),
    [(a.relu6, 0.0), (a.leaky_relu, 0.01), (a.elu, 1.0), (a.celu, 1.0), (a.softsign, 1.0)],
)
def test_the_derivative_at_zero(function: Callable[[Any], Node], at_zero: float) -> None:
    assert evaluate(grad(build.sum(function(X)), X), {"x": np.zeros(1)}).tolist() == [at_zero]


def test_the_slope_of_a_leaky_relu_can_be_learned() -> None:
    slope = build.parameter("slope")
    total = build.sum(a.leaky_relu(X, slope))
    arrays = {"x": np.array([-2.0, 3.0, -0.5]), "slope": np.array(0.25)}
    assert evaluate(grad(total, slope), arrays) == -2.5


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name: str) -> None:
    with build.default_dtype("float32"):
        assert CASES[name][0](build.input("x", ("n",), "float32")).dtype == "float32"
