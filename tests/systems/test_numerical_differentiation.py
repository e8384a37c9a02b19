"""System 10: numerical differentiation, the check of the analytic one, and what it costs.

Goodfellow, Bengio and Courville, *Deep Learning* (2016), sections 4.3 and 11.5: by the definition
∂J/∂θ_i = lim (J(θ + ε e⁽ⁱ⁾) − J(θ)) / ε, all d partial derivatives cost d + 1 evaluations of J,
against one of `backward`, and are only as exact as ε allows: O(ε) by truncation, O(u/ε) by
rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.systems.modules import Array, compiled, error

SPEC = """
name = "checked"
output = "q"
[inputs]
x = { shape = ["batch", 3] }
y = { shape = ["batch"], labels = 2 }
[parameters]
W1 = { shape = [3, 4] }
b1 = { shape = [4] }
W2 = { shape = [4, 2] }
b2 = { shape = [2] }
[equations]
h = "tanh(x @ W1 + b1)"
q = "softmax(h @ W2 + b2)"
[loss]
per_example = "cross_entropy(q, y)"
regularizer = "0.05 * (sum(W1**2) + sum(W2**2))"
"""


class Counted:
    """A loss of one flat vector that counts its evaluations."""

    def __init__(self, module: Any, data: tuple[Array, ...]) -> None:
        self.module, self.data, self.evaluations = module, data, 0

    def __call__(self, flat: Array) -> float:
        self.evaluations += 1
        return float(self.module.loss(self.module.unravel(flat), *self.data))


def forward_differences(f: Callable[[Array], float], point: Array, step: float) -> Array:
    """(f(θ + ε e⁽ⁱ⁾) − f(θ)) / ε for every i: d + 1 evaluations."""
    here = f(point)
    return np.array([(f(point + step * e) - here) / step for e in np.eye(point.size)])


@pytest.fixture
def checked() -> tuple[Counted, Array, Array]:
    """The loss, a point, and the analytic gradient there."""
    module, rng = compiled(SPEC), np.random.default_rng(10)
    data = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)
    point = module.ravel(module.init(10)) + 0.1 * rng.normal(size=26)
    gradient = module.ravel(module.backward(module.unravel(point), *data)[1])
    return Counted(module, data), point, gradient


def test_costs_d_plus_one_evaluations(checked: tuple[Counted, Array, Array]) -> None:
    """d = 3·4 + 4 + 4·2 + 2 = 26 parameters: 27 evaluations of the loss."""
    loss, point, _ = checked
    forward_differences(loss, point, 1e-6)
    assert point.size == 26
    assert loss.evaluations == point.size + 1 == 27


def test_agrees_with_the_analytic_gradient(checked: tuple[Counted, Array, Array]) -> None:
    """At the step √u, where truncation and rounding meet, about eight digits are left."""
    loss, point, gradient = checked
    step = float(np.sqrt(np.finfo(float).eps))
    assert error(forward_differences(loss, point, step), gradient) < 1e-6


def test_error_is_proportional_to_the_step(checked: tuple[Counted, Array, Array]) -> None:
    """Halving ε halves the error of one-sided differences while truncation dominates."""
    loss, point, gradient = checked
    coarse, fine = (
        float(np.linalg.norm(forward_differences(loss, point, step) - gradient))
        for step in (2e-4, 1e-4)
    )
    assert coarse / fine == pytest.approx(2, rel=1e-2)


def test_finds_a_wrong_derivative(checked: tuple[Counted, Array, Array]) -> None:
    """What the check is for: one entry that is off by a percent stands out."""
    loss, point, gradient = checked
    numeric = forward_differences(loss, point, 1e-7)
    wrong = gradient.copy()
    worst = int(np.argmax(np.abs(gradient)))
    wrong[worst] *= 1.01
    suspicious = np.abs(wrong - numeric) > 1e-4 * np.abs(gradient).max()
    assert np.flatnonzero(suspicious).tolist() == [worst]
