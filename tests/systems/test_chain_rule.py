"""System 2: the small worked examples of the chain rule.

(sin(5 eˣ))′ = 5 cos(5 eˣ) eˣ; the gradients of (x + y) z, as circuits of an addition and a
multiplication, followed by one step of gradient descent; and the sigmoid neuron of Stanford's
CS231n notes on backpropagation ("Backpropagation, Intuitions"), whose lecture numbers are those
below: f(w, x) = 1 / (1 + exp(−(w0 x0 + w1 x1 + w2))) at w = (2, −3, −3), x = (−1, −2).
"""

from __future__ import annotations

import numpy as np
import pytest

import symdiff as sd
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.systems.derivations import derivative, derivatives, simplified

NEURON = {"w0": 2.0, "w1": -3.0, "w2": -3.0, "x0": -1.0, "x1": -2.0}


class Neuron:
    """The circuit of the lecture, node by node."""

    def __init__(self) -> None:
        self.w = [b.parameter(name) for name in ("w0", "w1", "w2")]
        self.x = [b.input(name) for name in ("x0", "x1")]
        self.sum = self.w[0] * self.x[0] + self.w[1] * self.x[1] + self.w[2]
        self.negated = -self.sum
        self.power = b.exp(self.negated)
        self.plus_one = 1 + self.power
        self.value = 1 / self.plus_one


def test_sine_of_exponential() -> None:
    """(sin(5 eˣ))′ is the node 5 cos(5 eˣ) eˣ, and its numbers are right."""
    x = b.input("x")
    slope = derivative(b.sin(5 * b.exp(x)), x)
    assert slope is simplified(5 * b.cos(5 * b.exp(x)) * b.exp(x))[0]
    at = np.linspace(-2, 2, 9)
    assert [float(evaluate(slope, {"x": v})) for v in at] == pytest.approx(
        list(5 * np.cos(5 * np.exp(at)) * np.exp(at)), rel=1e-13
    )


def test_sine_of_exponential_from_the_emitted_code() -> None:
    """The same from text to NumPy."""
    found = sd.derive("sin(5*exp(x))", wrt="x")
    assert found.derivative(x=0.3) == pytest.approx(5 * np.cos(5 * np.exp(0.3)) * np.exp(0.3))


def circuit() -> tuple[list[Node], Node]:
    """(x + y) z."""
    x, y, z = leaves = [b.parameter(name) for name in "xyz"]
    return leaves, (x + y) * z


def test_gradients_of_a_circuit() -> None:
    """Of (x + y) z they are z, z and x + y: at z = 2 and x + y = 8, they are 2, 2 and 8."""
    (x, y, z), f = circuit()
    assert derivatives(f, [x, y, z]) == simplified(z, z, x + y)
    values = {"x": 3.0, "y": 5.0, "z": 2.0}
    assert float(evaluate(f, values)) == 16.0
    assert [float(g) for g in evaluate(gradients(f, [x, y, z]), values)] == [2.0, 2.0, 8.0]


def test_one_descent_step() -> None:
    """Forward, backward, update: θ ← θ − ε ∇f lowers f = 16, by 2² + 2² + 8² = 72 an ε at first."""
    leaves, f = circuit()
    values, rate = {"x": 3.0, "y": 5.0, "z": 2.0}, 1e-2
    before, *grads = evaluate([f, *gradients(f, leaves)], values)
    stepped = {
        name: value - rate * float(grad)
        for (name, value), grad in zip(values.items(), grads, strict=True)
    }
    assert stepped == pytest.approx({"x": 2.98, "y": 4.98, "z": 1.92})
    after = evaluate(f, stepped)
    assert float(after) == pytest.approx(7.96 * 1.92)
    assert float(before - after) == pytest.approx(72 * rate, rel=2e-2)


def test_circuit_from_the_emitted_code() -> None:
    """Each of the three gradients as NumPy runs it."""
    at = {"x": 3.0, "y": 5.0, "z": 2.0}
    found = [sd.derive("(x + y) * z", wrt=name).derivative(**at) for name in "xyz"]
    assert [float(g) for g in found] == [2.0, 2.0, 8.0]


def test_unfolded_neuron_has_the_lectures_numbers() -> None:
    """Forward 1.00, −1.00, 0.37, 1.37, 0.73; backward −0.53, −0.53, −0.20, 0.20 at the sum."""
    n = Neuron()
    forward = evaluate([n.sum, n.negated, n.power, n.plus_one, n.value], NEURON)
    assert [round(float(v), 2) for v in forward] == [1.0, -1.0, 0.37, 1.37, 0.73]
    backward = gradients(n.value, [n.plus_one, n.power, n.negated, n.sum])
    numbers = [round(float(g), 2) for g in evaluate(backward, NEURON)]
    assert numbers == [-0.53, -0.53, -0.20, 0.20]


def test_neuron_folds_to_sigmoid() -> None:
    """1 / (1 + exp(−s)) is the node σ(s), 0.73 at the lecture's point."""
    n = Neuron()
    folded = simplified(n.value)[0]
    assert folded.op == "sigmoid"
    assert folded is simplified(b.sigmoid(n.sum))[0]
    assert round(float(evaluate(folded, NEURON)), 2) == 0.73


def test_folded_gradient_is_sigma_one_minus_sigma_times_inputs() -> None:
    """∂f/∂w = σ(1−σ) (x0, x1, 1) and ∂f/∂x = σ(1−σ) (w0, w1), as nodes and as numbers.

    In two decimals they are −0.20, −0.39, 0.20 and 0.39, −0.59.
    """
    n = Neuron()
    sigma = b.sigmoid(n.sum)
    slope = sigma * (1 - sigma)
    leaves, factors = [*n.w, *n.x], [n.x[0], n.x[1], 1.0, n.w[0], n.w[1]]
    found = derivatives(n.value, leaves)
    assert found == simplified(*(slope * factor for factor in factors))
    numbers = [round(float(g), 2) for g in evaluate(found, NEURON)]
    assert numbers == [-0.20, -0.39, 0.20, 0.39, -0.59]


def test_folded_gradient_at_the_sum() -> None:
    """At the sum the gradient is σ(1−σ) = 0.73 · 0.27 = 0.20."""
    n = Neuron()
    sigma = b.sigmoid(n.sum)
    at_sum = derivative(n.value, n.sum)
    assert at_sum is simplified(sigma * (1 - sigma))[0]
    assert round(float(evaluate(at_sum, NEURON)), 2) == 0.20


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_folded_neuron_does_not_overflow(far: float) -> None:
    """What the fold is for: exp(10⁴) is never taken, and value and gradients are finite."""
    n = Neuron()
    leaves = [*n.w, *n.x]
    found = evaluate([*simplified(n.value), *derivatives(n.value, leaves)], NEURON | {"w2": far})
    assert np.all(np.isfinite(np.array(found)))
    assert float(found[0]) == (0.0 if far < 0 else 1.0)


def test_neuron_from_the_emitted_code() -> None:
    """The lecture's spelling, text to NumPy: 0.73 and the gradients, and no overflow far away."""
    spelled = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
    found = {name: sd.derive(spelled, wrt=name) for name in NEURON}
    assert round(float(found["w0"].value(**NEURON)), 2) == 0.73
    numbers = {name: round(float(d.derivative(**NEURON)), 2) for name, d in found.items()}
    assert numbers == {"w0": -0.20, "w1": -0.39, "w2": 0.20, "x0": 0.39, "x1": -0.59}
    far = NEURON | {"w2": -1e4}
    assert [float(d.derivative(**far)) for d in found.values()] == [0.0] * 5
