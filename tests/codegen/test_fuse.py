"""The slope of the sigmoid, fused where neither factor is wanted otherwise; scaled norms divide."""

from __future__ import annotations

import numpy as np
import pytest

import symdiff as sd


@pytest.mark.parametrize("formula", ["np.sum(1/(1+np.exp(-x)))", "np.sum(np.tanh(3*x-1))"])
def test_a_slope_takes_one_exponential(formula: str) -> None:
    source = sd.derive(formula, "x", {"x": (3,)}).source
    derivative = source.split("def derivative")[1].split("\ndef ")[0]
    assert "_sigmoid_slope(" in derivative
    assert "_sigmoid(" not in derivative


def test_a_sigmoid_that_is_wanted_stays() -> None:
    derived = sd.derive("np.sum((1/(1+np.exp(-x)))**2)", "x", {"x": (3,)})
    x = np.array([-3.0, 0.5, 40.0])
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(derived.derivative(x=x), 2 * s**2 / (1 + np.exp(x)), rtol=1e-13)


def test_norms_are_scaled_when_they_are_computed() -> None:
    derived = sd.derive("np.sqrt(np.sum(x**2))", "x", {"x": (2,)})
    for size in (1e-300, 1e-200, 1.0, 1e200, 1e307):
        x = size * np.array([3.0, -4.0])
        np.testing.assert_allclose(derived.value(x=x), 5 * size, rtol=1e-14)
        np.testing.assert_allclose(derived.derivative(x=x), [0.6, -0.8], rtol=1e-14)
    assert derived.value(x=np.zeros(2)) == 0
    assert np.array_equal(derived.derivative(x=np.zeros(2)), np.zeros(2))
