"""System 9: per-example gradient norms, and what they are for.

Goodfellow 2015, *Efficient Per-Example Gradient Computations*: with layers z⁽ⁱ⁾ = h⁽ⁱ⁻¹⁾ W⁽ⁱ⁾,
h⁽ⁱ⁾ = φ⁽ⁱ⁾(z⁽ⁱ⁾) and a loss L(z⁽¹⁾ … z⁽ⁿ⁾, h⁽⁰⁾, y) that is a sum over examples, example j's
gradient by W⁽ⁱ⁾ has the squared norm

    s⁽ⁱ⁾_j = (Σ_k (z̄⁽ⁱ⁾_jk)²) (Σ_k (h⁽ⁱ⁻¹⁾_jk)²),    z̄⁽ⁱ⁾ = ∂L/∂z⁽ⁱ⁾,

so that the norms cost O(m n p) beyond back-propagation, where m calls with batches of 1 give up
the speed of matrix products.  φ need not be elementwise and L may read any z⁽ⁱ⁾.
"""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from symdiff.calculus.reverse import gradients
from symdiff.cli import main
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.spec.load import load
from tests.systems.modules import EXAMPLES, Array, compiled, error, example_gradients

SPECS = ("hidden_losses.toml", "low_rank.toml", "prelu.toml", "maxout.toml")
SIZES = {"n": 6, "p": 5, "q": 7}


def point(
    name: str, batch: int = 8, sizes: dict[str, int] = SIZES
) -> tuple[Any, dict[str, Array], tuple[Array, ...]]:
    """An example's module, with random parameters and data; sizes are of names fixed nowhere."""
    module, model, rng = compiled(name), load(EXAMPLES / name), np.random.default_rng(9)
    start = module.init(9, **{s: n for s, n in sizes.items() if s in model.free_sizes})
    params = {k: v + 0.2 * rng.normal(size=v.shape) for k, v in start.items()}
    data = []
    for node in model.inputs.values():
        shape = (batch, *(sizes.get(size, size) for size in node.shape[1:]))
        labels = dict(node.attr("declared")).get("labels")
        data.append(rng.integers(0, labels, shape) if labels else rng.normal(size=shape))
    return module, params, tuple(data)


@pytest.mark.parametrize("name", SPECS)
def test_norms_equal_the_loop(name: str) -> None:
    """Per matrix and over all, the norms are those of m gradients from batches of 1."""
    module, params, data = point(name)
    loop = example_gradients(module, params, *data)
    s = module.per_example_sq_norms(params, *data)
    assert [*s] == [*params]
    for parameter in params:
        assert error(s[parameter], [np.sum(g[parameter] ** 2) for g in loop]) < 1e-10
    over_all = [np.sqrt(sum(np.sum(part**2) for part in g.values())) for g in loop]
    assert error(module.per_example_norms(params, *data), over_all) < 1e-10


@pytest.mark.parametrize("name", SPECS)
def test_norms_come_with_the_gradient(name: str) -> None:
    """backward_with_norms gives in one pass what backward and per_example_sq_norms give."""
    module, params, data = point(name)
    loss, grads, s = module.backward_with_norms(params, *data)
    expected_loss, expected_grads = module.backward(params, *data)
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    for parameter, norms in module.per_example_sq_norms(params, *data).items():
        assert error(grads[parameter], expected_grads[parameter]) < 1e-12
        assert error(s[parameter], norms) < 1e-12


def test_products_of_row_sums() -> None:
    """s⁽ⁱ⁾_j = Σ z̄² Σ h², where φ is a softmax and L(z¹, z², z³, h⁰, y) reads every z and x.

    z̄ is the gradient of the sum of the losses at each pre-activation, as back-propagation has it.
    """
    module, params, (x, y) = point("hidden_losses.toml")
    values = load(EXAMPLES / "hidden_losses.toml").values
    losses = load(EXAMPLES / "hidden_losses.toml").per_example
    z = [values["z1"], values["z2"], values["z3"]]
    h = [values["x"], values["h1"], values["h2"]]
    here = {**params, "x": x, "y": y}
    z_bar = evaluate(gradients(b.sum(losses), z), here)
    s = module.per_example_sq_norms(params, x, y)
    for i, (above, below) in enumerate(zip(z_bar, evaluate(h, here), strict=True), 1):
        assert error(s[f"W{i}"], (above**2).sum(axis=1) * (below**2).sum(axis=1)) < 1e-12
        assert error(s[f"b{i}"], (above**2).sum(axis=1)) < 1e-12


def test_inspect_prints_the_products() -> None:
    """`symdiff inspect --of norms` shows Σ h² ⊙ Σ z̄², with one z̄ for the weight and the bias."""
    result = CliRunner().invoke(
        main, ["inspect", str(EXAMPLES / "hidden_losses.toml"), "--of", "norms"]
    )
    assert result.exit_code == 0, result.output
    weight = re.search(r"^s_W1 = Σ_n\(x²\) ⊙ Σ_p\((\w+)²\) ", result.output, re.MULTILINE)
    assert weight
    assert f"s_b1 = Σ_p({weight[1]}²) " in result.output


@pytest.mark.parametrize("function", ["per_example_sq_norms", "backward_with_norms", "clip"])
def test_no_gradient_of_an_example_is_ever_formed(function: str) -> None:
    """The products of row sums, not arrays of batch × weights elements, whatever L reads."""
    batch, sizes = 100, {"n": 150, "p": 150, "q": 150}
    module, params, data = point("hidden_losses.toml", batch, sizes)
    call = {
        "per_example_sq_norms": lambda: module.per_example_sq_norms(params, *data),
        "backward_with_norms": lambda: module.backward_with_norms(params, *data),
        "clip": lambda: module.clipped_backward(params, *data, 1.0),
    }[function]
    call()
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_array = 8 * batch * sizes["n"] * sizes["p"]
    assert peak < one_array / 4


AUGMENTED = """
name = "augmented"
output = "z"
[inputs]
x = { shape = ["batch", 4] }
y = { shape = ["batch"], labels = 3 }
[parameters]
A1 = { shape = [5, 6] }
A2 = { shape = [7, 3] }
[equations]
one = "ones_like(x[:, :1])"
h = "tanh(concatenate([x, one], axis=1) @ A1)"
z = "concatenate([h, one], axis=1) @ A2"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""
PLAIN = """
name = "plain"
output = "z"
[inputs]
x = { shape = ["batch", 4] }
y = { shape = ["batch"], labels = 3 }
[parameters]
W1 = { shape = [4, 6] }
b1 = { shape = [6] }
W2 = { shape = [6, 3] }
b2 = { shape = [3] }
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2 + b2"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""


def data_of(size: int = 10) -> tuple[Array, Array]:
    """Data of PLAIN and AUGMENTED."""
    rng = np.random.default_rng(10)
    return rng.normal(size=(size, 4)), rng.integers(0, 3, size)


def test_biases_are_an_extra_column() -> None:
    """Biases as a row of W under a column of ones in h: s = Σ z̄² (Σ h² + 1), of both together."""
    augmented, plain = compiled(AUGMENTED), compiled(PLAIN)
    params, (x, y) = plain.init(1), data_of()
    params["b1"], params["b2"] = np.linspace(-1, 1, 6), np.array([0.5, -0.5, 1.0])
    stacked = {f"A{i}": np.vstack([params[f"W{i}"], params[f"b{i}"]]) for i in (1, 2)}
    assert error(augmented.forward(stacked, x), plain.forward(params, x)) < 1e-14
    both = augmented.per_example_sq_norms(stacked, x, y)
    apart = plain.per_example_sq_norms(params, x, y)
    for i, h in enumerate((x, np.tanh(x @ params["W1"] + params["b1"])), 1):
        assert error(both[f"A{i}"], apart[f"W{i}"] + apart[f"b{i}"]) < 1e-12
        z_bar_squared = apart[f"b{i}"]
        assert error(both[f"A{i}"], z_bar_squared * ((h**2).sum(axis=1) + 1)) < 1e-12


def importance(params: dict[str, Array], x: Array, y: Array) -> Array:
    """p_j ∝ ‖g_j‖, of the losses without weights."""
    norms = compiled("importance.toml").per_example_norms(params, x, y, np.ones(len(x)))
    return norms / norms.sum()


def test_importance_weights_keep_the_expected_gradient() -> None:
    """With j drawn at p_j and weighted 1/(N p_j), Σ_j p_j g_j/(N p_j) is the mean gradient."""
    module, rng = compiled("importance.toml"), np.random.default_rng(3)
    params, x, y = module.init(0), rng.uniform(size=(30, 64)), rng.integers(0, 10, 30)
    p = importance(params, x, y)
    _, mean = module.backward(params, x, y, np.ones(30))
    expected = {name: np.zeros(value.shape) for name, value in params.items()}
    for j in range(30):
        weight = np.array([1 / (30 * p[j])])
        _, drawn = module.backward(params, x[j : j + 1], y[j : j + 1], weight)
        for name in expected:
            expected[name] += p[j] * drawn[name]
    for name in expected:
        assert error(expected[name], mean[name]) < 1e-13


def test_importance_sampling_has_the_least_variance() -> None:
    """E‖g_j/(N p_j)‖² is (mean ‖g‖)² at p ∝ ‖g‖, and never less; uniformly it is mean ‖g‖²."""
    module, rng = compiled("importance.toml"), np.random.default_rng(3)
    params, x, y = module.init(0), rng.uniform(size=(30, 64)), rng.integers(0, 10, 30)
    norms = module.per_example_norms(params, x, y, np.ones(30))

    def second_moment(p: Array) -> float:
        weighted = module.per_example_norms(params, x, y, 1 / (30 * p))
        return float(np.sum(p * weighted**2))

    best = second_moment(importance(params, x, y))
    assert best == pytest.approx(np.mean(norms) ** 2, rel=1e-12)
    assert second_moment(np.full(30, 1 / 30)) == pytest.approx(np.mean(norms**2), rel=1e-12)
    for _ in range(5):
        assert second_moment(rng.dirichlet(np.full(30, 5.0))) > best


def test_example_weights_scale_the_norms() -> None:
    """A weight multiplies ℓ_j, so s_j scales by its square; a weight of 0 leaves s_j = 0."""
    module, rng = compiled("importance.toml"), np.random.default_rng(5)
    params, x, y = module.init(0), rng.uniform(size=(6, 64)), rng.integers(0, 10, 6)
    w = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 0.0])
    ones = module.per_example_sq_norms(params, x, y, np.ones(6))
    for name, s in module.per_example_sq_norms(params, x, y, w).items():
        assert error(s, w**2 * ones[name]) < 1e-12


def test_clipping_rescales_rows() -> None:
    """Section 6: Z̄′ is Z̄ with row j scaled by min(1, C/‖g_j‖); then W̄ = Hᵀ Z̄′ once more."""
    plain = compiled(PLAIN)
    params, (x, y) = plain.init(2), data_of()
    norms = plain.per_example_norms(params, x, y)
    bound = float(np.median(norms))
    loss, grads, given = plain.clipped_backward(params, x, y, bound)

    h = np.tanh(x @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    z2_bar = q - np.eye(3)[y]
    z1_bar = z2_bar @ params["W2"].T * (1 - h**2)
    scale = np.minimum(1, bound / norms)[:, None]
    assert (scale < 1).sum() == 5
    m = len(x)
    assert error(grads["W2"], h.T @ (scale * z2_bar) / m) < 1e-13
    assert error(grads["b2"], (scale * z2_bar).sum(axis=0) / m) < 1e-13
    assert error(grads["W1"], x.T @ (scale * z1_bar) / m) < 1e-13
    assert error(grads["b1"], (scale * z1_bar).sum(axis=0) / m) < 1e-13
    assert loss == pytest.approx(plain.loss(params, x, y), rel=1e-14)
    assert error(given, norms) < 1e-13


@pytest.mark.parametrize("name", SPECS)
def test_clipped_gradient_is_the_loop_of_clipped_gradients(name: str) -> None:
    """(1/m) Σ_j min(1, C/‖g_j‖) g_j; no example contributes more than C."""
    module, params, data = point(name)
    loop = example_gradients(module, params, *data)
    norms = module.per_example_norms(params, *data)
    bound = 0.7 * float(np.mean(norms))
    _, grads, _ = module.clipped_backward(params, *data, bound)
    for parameter in params:
        clipped = [min(1, bound / n) * g[parameter] for n, g in zip(norms, loop, strict=True)]
        assert error(grads[parameter], np.mean(clipped, axis=0)) < 1e-12


def test_a_loose_bound_changes_nothing() -> None:
    """With C above every norm, the clipped gradient is the gradient."""
    plain = compiled(PLAIN)
    params, (x, y) = plain.init(2), data_of()
    _, grads = plain.backward(params, x, y)
    _, clipped, norms = plain.clipped_backward(params, x, y, 1e3)
    assert norms.max() < 1e3
    for name, grad in grads.items():
        assert error(clipped[name], grad) < 1e-13
