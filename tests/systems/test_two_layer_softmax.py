"""System 3: the two-layer relu-softmax classifier with integer labels, by batch gradient descent.

As in lectures on Goodfellow, Bengio and Courville, *Deep Learning* (2016), chapter 6:
s1 = x W1 + b1, a1 = relu(s1), s2 = a1 W2 + b2, a2 = softmax(s2),
J = −log a2[y] + α/2 (‖W1‖² + ‖W2‖²), with ∂J/∂s2 = a2 − 1(y = c), ∂J/∂W2 = a1ᵀ ∂J/∂s2 + α W2,
∂J/∂s1 = 1(s1 > 0) ⊙ (∂J/∂s2 W2ᵀ), ∂J/∂W1 = xᵀ ∂J/∂s1 + α W1.  Algorithm 1 descends along the
gradient of J averaged over all examples.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from symdiff.calculus.reverse import gradients
from symdiff.cli import main
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.expr.shapes import shape_text
from symdiff.model_graphs import ModelGraphs
from symdiff.spec.load import load
from tests.systems.derivations import simplified
from tests.systems.modules import EXAMPLES, Array, compiled, descend, error

SPEC = EXAMPLES / "two_layer_softmax.toml"
SPECS = sorted(EXAMPLES.glob("*.toml"))
ALPHA = 0.001
WEIGHTS = ("W1", "b1", "W2", "b2")


class Derivation:
    """The model's named nodes, forward form simplified, and the lecture's formulas over them."""

    def __init__(self) -> None:
        self.graphs = ModelGraphs(load(SPEC))
        values = self.graphs.values
        self.x, self.y = values["x"], values["y"]
        self.s1, self.a1, self.s2, self.a2 = (values[n] for n in ("s1", "a1", "s2", "a2"))
        self.W1, self.W2 = values["W1"], values["W2"]
        self.d_s2 = (self.a2 - b.one_hot(self.y, 3)) / b.size_node("batch", "float64")
        self.d_s1 = (self.a1 > 0) * (self.d_s2 @ self.W2.T)  # a1 > 0 just where s1 > 0

    def found(self, *xs: Node) -> tuple[Node, ...]:
        """The simplified gradients of the whole loss."""
        return simplified(*gradients(self.graphs.loss, xs))


@pytest.fixture
def data() -> tuple[dict[str, Array], Array, Array]:
    """Parameters, and 20 points with unbalanced labels."""
    rng = np.random.default_rng(3)
    params = {k: rng.normal(size=v.shape) for k, v in compiled(SPEC).init(0).items()}
    return params, rng.normal(size=(20, 2)), rng.choice(3, 20, p=[0.5, 0.3, 0.2])


def lecture(params: dict[str, Array], x: Array, y: Array) -> dict[str, Array]:
    """The gradients as the lecture writes them, in NumPy."""
    W1, b1, W2, b2 = (params[name] for name in WEIGHTS)
    s1 = x @ W1 + b1
    a1 = np.maximum(s1, 0)
    s2 = a1 @ W2 + b2
    a2 = np.exp(s2) / np.exp(s2).sum(axis=1, keepdims=True)
    d_s2 = a2.copy()
    d_s2[np.arange(len(y)), y] -= 1
    d_s2 /= len(y)
    d_s1 = (d_s2 @ W2.T) * (s1 > 0)
    return {
        "W1": x.T @ d_s1 + ALPHA * W1,
        "b1": d_s1.sum(axis=0),
        "W2": a1.T @ d_s2 + ALPHA * W2,
        "b2": d_s2.sum(axis=0),
    }


def test_one_examples_logit_gradient() -> None:
    """∂J/∂s2 = a2 − 1(y = c), one row an example, before any averaging."""
    d = Derivation()
    found = simplified(*gradients(d.graphs.per_example, d.s2))
    assert found == simplified(d.a2 - b.one_hot(d.y, 3))


def test_averaged_logit_gradient() -> None:
    """The same divided by the number of examples, for the averaged loss."""
    d = Derivation()
    assert d.found(d.s2) == simplified(d.d_s2)


def test_last_weights_gradient() -> None:
    """∂J/∂W2 = a1ᵀ ∂J/∂s2 + α W2."""
    d = Derivation()
    assert d.found(d.W2) == simplified(d.a1.T @ d.d_s2 + ALPHA * d.W2)


def test_hidden_gradient_is_masked() -> None:
    """∂J/∂s1 = 1(s1 > 0) ⊙ ∂J/∂s2 W2ᵀ: it passes where the relu does, and nowhere else."""
    d = Derivation()
    assert d.found(d.s1) == simplified(d.d_s1)


def test_first_weights_gradient() -> None:
    """∂J/∂W1 = xᵀ ∂J/∂s1 + α W1."""
    d = Derivation()
    assert d.found(d.W1) == simplified(d.x.T @ d.d_s1 + ALPHA * d.W1)


def test_regularizer_adds_alpha_times_the_weights() -> None:
    """The regularizer's own gradient is αW for the weights, and 0 for the biases."""
    own = ModelGraphs(load(SPEC)).regularizer_gradients
    assert own is not None
    for name, grad in own.items():
        W = b.parameter(name, grad.shape)
        assert simplified(grad) == simplified(ALPHA * W if name[0] == "W" else b.zeros(W.shape))


def test_emitted_gradients_are_the_lectures(data: tuple[dict[str, Array], Array, Array]) -> None:
    """backward of the emitted module against the formulas in NumPy."""
    params, x, y = data
    _, grads = compiled(SPEC).backward(params, x, y)
    for name, theirs in lecture(params, x, y).items():
        assert error(grads[name], theirs) < 1e-12, name


def test_batch_gradient_descent_learns() -> None:
    """Algorithm 1 on two rings and a disc: every step lowers the averaged loss."""
    rng, module = np.random.default_rng(0), compiled(SPEC)
    y = np.repeat(np.arange(3), 20)
    angle = rng.uniform(0, 2 * np.pi, 60)
    x = (y + rng.uniform(0.1, 0.6, 60))[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    params = module.init(0)
    losses = [float(module.loss(params, x, y))]
    losses += [descend(module, params, (x, y), steps=1, rate=0.2) for _ in range(400)]
    assert np.all(np.diff(losses) < 0)
    assert losses[-1] < 0.25 * losses[0]
    assert np.mean(module.forward(params, x).argmax(axis=1) == y) > 0.95


def test_zero_initialisation_stalls(data: tuple[dict[str, Array], Array, Array]) -> None:
    """From zero only the last biases move: the answer becomes the labels' frequencies, no more."""
    _, x, y = data
    module = compiled(SPEC)
    params = {name: np.zeros_like(value) for name, value in module.init(0).items()}
    _, grads = module.backward(params, x, y)
    assert [name for name in WEIGHTS if np.any(grads[name])] == ["b2"]
    descend(module, params, (x, y), steps=500, rate=1.0)
    assert [name for name in WEIGHTS if np.any(params[name])] == ["b2"]
    share = np.bincount(y, minlength=3) / len(y)
    assert error(module.forward(params, x), np.tile(share, (len(y), 1))) < 1e-6
    assert module.loss(params, x, y) == pytest.approx(-np.sum(share * np.log(share)))


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_gradients_have_their_parameters_shapes(spec: Path) -> None:
    """For every example spec, symbolically, names of sizes included."""
    graphs = ModelGraphs(load(spec))
    shapes = {name: node.shape for name, node in graphs.trainable.items()}
    assert {name: grad.shape for name, grad in graphs.gradients.items()} == shapes


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_inspect_prints_each_gradients_shape_beside_its_parameters(spec: Path) -> None:
    """``symdiff inspect`` ends each line ∂J/∂W = … with its shape, and W with its own."""
    result = CliRunner().invoke(main, ["inspect", str(spec)])
    assert result.exit_code == 0, result.output
    found = re.findall(r"(?m)^∂J/∂(\w+) = .* (\(.*?\))  (\w+) (\(.*?\))$", result.output)
    shapes = {name: shape_text(node.shape) for name, node in load(spec).trainable.items()}
    assert shapes.items() <= {name: shape for name, shape, _, _ in found}.items()
    for name, shape, beside, own in found:
        assert (beside, own) == (name, shape)


def test_emitted_gradients_have_their_parameters_shapes(
    data: tuple[dict[str, Array], Array, Array],
) -> None:
    """The arrays as well."""
    params, x, y = data
    _, grads = compiled(SPEC).backward(params, x, y)
    assert {k: g.shape for k, g in grads.items()} == {k: p.shape for k, p in params.items()}
