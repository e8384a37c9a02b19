"""System 5: output units, each with the loss that matches it.

Goodfellow, Bengio and Courville, *Deep Learning* (2016), section 6.2.2: linear units with squared
error; the sigmoid with −log σ((2y−1)z) = ζ((1−2y)z), ζ the softplus (equations 6.23 to 6.26);
the softmax with −z_i + log Σ_j exp z_j (equation 6.30), which is softmax(z + c) for every c
(equation 6.32) and needs one logit less than classes; the Gaussian with precision,
−½ log β + ½β(x−μ)², whose mean and precision are heads of one network (section 6.2.2.4).
"""

from __future__ import annotations

import runpy
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.systems.derivations import derivative, derivatives, simplified
from tests.systems.modules import EXAMPLES, Array, compiled, descend, error

FAR = 1e4


def labels(classes: int = 4) -> Node:
    """Integer labels, one an example."""
    return b.input("k", ("batch",), dtype="int64", labels=classes)


def logits(classes: int = 4) -> Node:
    """A row of logits an example."""
    return b.input("z", ("batch", classes))


def test_linear_unit_with_squared_error() -> None:
    """½(z − y)² has derivative z − y: what is wrong is what is handed back."""
    z, y = b.input("z", ("batch",)), b.input("y", ("batch",))
    assert derivative(0.5 * b.square(z - y), z) is simplified(z - y)[0]


SIGMOID_LOSSES = {
    "matched": "-log(sigmoid((2 * y - 1) * z))",
    "as written out": "-log(1 / (1 + exp(-(2 * y - 1) * z)))",
    "binary cross-entropy": "-(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))",
    "by name": "binary_cross_entropy(sigmoid(z), y)",
    "log of a sum": "log(1 + exp((1 - 2 * y) * z))",
    "softplus": "softplus((1 - 2 * y) * z)",
}


def test_sigmoid_loss_is_a_softplus() -> None:
    """−log σ((2y−1)z) is the node ζ((1−2y)z), and so are its other spellings."""
    z, y = b.input("z", ("batch",)), b.input("y", ("batch",), zero_or_one=True)
    (folded,) = simplified(b.softplus((1 - 2 * y) * z))
    assert folded.op == "softplus"
    sigma = b.sigmoid(z)
    for loss in (
        -b.log(b.sigmoid((2 * y - 1) * z)),
        -b.log(1 / (1 + b.exp(-(2 * y - 1) * z))),
        -(y * b.log(sigma) + (1 - y) * b.log(1 - sigma)),
        b.log(1 + b.exp((1 - 2 * y) * z)),
    ):
        assert simplified(loss)[0] is folded


def test_sigmoid_loss_gradient() -> None:
    """It is (1−2y) σ((1−2y)z), which for y of 0 or 1 is σ(z) − y, right to the last digit."""
    z, y = b.input("z", ("batch",)), b.input("y", ("batch",), zero_or_one=True)
    sign = 1 - 2 * y
    found = derivative(-b.log(b.sigmoid((2 * y - 1) * z)), z)
    assert found is simplified(sign * b.sigmoid(sign * z))[0]
    at = {"z": np.linspace(-5, 5, 11), "y": np.arange(11) % 2}
    assert error(evaluate(found, at), 1 / (1 + np.exp(-at["z"])) - at["y"]) < 1e-15


SOFTMAX_LOSSES = {
    "as written out": "-log(exp(z) / sum(exp(z), axis=1, keepdims=True))[arange(batch), y]",
    "matched": "-z[arange(batch), y] + log(sum(exp(z), axis=1))",
    "log-sum-exp": "logsumexp(z, axis=1) - z[arange(batch), y]",
    "by name": "cross_entropy(softmax(z), y)",
}


def test_softmax_loss_is_logsumexp_minus_the_true_logit() -> None:
    """−log softmax(z)_i is −z_i + log Σ_j exp z_j: one node, however it is spelled."""
    z, k = logits(), labels()
    true, rows = z[b.arange("batch"), k], b.sum(b.exp(z), axis=1, keepdims=True)
    (folded,) = simplified(-true + b.logsumexp(z, axis=1))
    assert simplified(-true + b.log(b.sum(b.exp(z), axis=1)))[0] is folded
    assert simplified(-b.log(b.exp(z) / rows)[b.arange("batch"), k])[0] is folded
    assert simplified(-b.log(b.softmax(z))[b.arange("batch"), k])[0] is folded


def test_softmax_loss_gradient() -> None:
    """It is softmax(z) − 1(i = k)."""
    z, k = logits(), labels()
    loss = -b.log(b.exp(z) / b.sum(b.exp(z), axis=1, keepdims=True))[b.arange("batch"), k]
    assert derivative(loss, z) is simplified(b.softmax(z) - b.one_hot(k, 4))[0]


def test_gaussian_loss_gradients() -> None:
    """−½ log β + ½β(x−μ)²: ∂/∂μ = −β(x − μ), ∂/∂β = ½(x−μ)² − 1/(2β)."""
    mu, x = b.input("mu", ("batch",)), b.input("x", ("batch",))
    beta = b.input("beta", ("batch",), positive=True)
    loss = -0.5 * b.log(beta) + 0.5 * beta * b.square(x - mu)
    (d_mu,) = derivatives(loss, [mu])
    (d_beta,) = derivatives(loss, [beta])
    assert d_mu is simplified(-beta * (x - mu))[0]
    assert d_beta is simplified(0.5 * b.square(x - mu) - 0.5 / beta)[0]


@pytest.mark.parametrize(("s", "slope"), [(-FAR, -0.5), (0.0, -0.5 + 0.5 * 1.5**2)])
def test_precision_as_an_exponential_at_far_logits(s: float, slope: float) -> None:
    """With β = eˢ, −½ log β is −½ s, not the logarithm of an underflow: a slope of −½ at −10⁴."""
    found = sd.derive("-0.5 * log(exp(s)) + 0.5 * exp(s) * (x - mu)**2", wrt="s")
    at = {"s": s, "x": 2.0, "mu": 0.5}
    assert found.value(**at) == pytest.approx(-0.5 * s + 0.5 * np.exp(s) * 1.5**2)
    assert found.derivative(**at) == slope


def unit(loss: str, dtype: str, classes: int = 0) -> ModuleType:
    """A module whose logits are its input plus a parameter that has, so, the logits' gradient."""
    row, bias = (f", {classes}", f"{classes}") if classes else ("", "")
    fact = f"labels = {classes}" if classes else "zero_or_one = true"
    module: ModuleType = compiled(
        f"""
name = "unit"
dtype = "{dtype}"
output = "z"
[inputs]
x = {{ shape = ["batch"{row}] }}
y = {{ shape = ["batch"], {fact} }}
[parameters]
shift = {{ shape = [{bias}] }}
[equations]
z = "x + shift"
[loss]
per_example = "{loss}"
"""
    )
    return module


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spelling", SIGMOID_LOSSES)
@pytest.mark.parametrize("z", [-FAR, FAR])
@pytest.mark.parametrize("y", [0, 1])
def test_sigmoid_losses_at_far_logits(dtype: str, spelling: str, z: float, y: int) -> None:
    """At ±10⁴ the emitted loss is |z| or 0, and its gradient ±1 or 0: no NaN, nothing lost."""
    module, x, target = unit(SIGMOID_LOSSES[spelling], dtype), np.array([z]), np.array([float(y)])
    params = {"shift": np.array(0.0)}
    loss, grads = module.backward(params, x, target)
    wrong = (z > 0) != y
    assert loss == (FAR if wrong else 0.0)
    assert grads["shift"] == (np.sign(z) if wrong else 0.0)
    assert module.per_example_norms(params, x, target) == [1.0 if wrong else 0.0]
    assert module.hvp(params, {"shift": np.array(1.0)}, x, target)["shift"] == 0.0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spelling", SOFTMAX_LOSSES)
@pytest.mark.parametrize("z", [-FAR, FAR])
@pytest.mark.parametrize("y", [0, 1])
def test_softmax_losses_at_far_logits(dtype: str, spelling: str, z: float, y: int) -> None:
    """With logits (z, 0, 0) at ±10⁴, the gradient is softmax(z) − 1(i = y), to the last digit."""
    module, x = unit(SOFTMAX_LOSSES[spelling], dtype, 3), np.array([[z, 0.0, 0.0]])
    params, target = {"shift": np.zeros(3)}, np.array([y])
    q = np.array([1.0, 0.0, 0.0]) if z > 0 else np.array([0.0, 0.5, 0.5])
    loss, grads = module.backward(params, x, target)
    expected = {(FAR, 0): 0.0, (FAR, 1): FAR, (-FAR, 0): FAR + np.log(2), (-FAR, 1): np.log(2)}
    assert loss == pytest.approx(expected[z, y])
    assert grads["shift"].tolist() == (q - np.eye(3)[y]).tolist()
    norms = module.per_example_norms(params, x, target)
    assert norms == pytest.approx([np.linalg.norm(q - np.eye(3)[y])])
    v = np.array([1.0, -2.0, 0.5])
    curved = module.hvp(params, {"shift": v}, x, target)["shift"]
    assert error(curved, q * (v - q @ v)) < 1e-15


@pytest.mark.parametrize("shape", [(), ("batch", 1), (1,)])
def test_softmax_forgets_what_is_added_to_all_logits(shape: tuple[int | str, ...]) -> None:
    """softmax(z + c) is the node softmax(z), for one c and for one c a row."""
    z, c = logits(), b.input("c", shape)
    assert simplified(b.softmax(z + c))[0] is b.softmax(z)
    assert simplified(b.softmax(z - b.max(z, axis=1, keepdims=True)))[0] is b.softmax(z)


def test_softmax_remembers_what_differs_between_logits() -> None:
    """A c of one entry a class stays."""
    z, c = logits(), b.input("c", (4,))
    assert simplified(b.softmax(z + c))[0] is b.softmax(z + c)


FIXED = """
name = "fixed"
output = "q"
[inputs]
x = {{ shape = ["batch", 2] }}
y = {{ shape = ["batch"], labels = {classes} }}
[parameters]
W = {{ shape = [2, {free}] }}
c = {{ shape = [{free}] }}
[equations]
u = "x @ W + c"
z = "pad(u, ((0, 0), (1, 0)))"
q = "softmax(z)"
[loss]
per_example = "cross_entropy(q, y)"
"""


def test_one_logit_fixed_at_zero() -> None:
    """n − 1 free logits u beside a 0: ∂J/∂u is softmax([0, u]) − 1(i = y), but for its first."""
    module, rng = compiled(FIXED.format(classes=3, free=2)), np.random.default_rng(0)
    x, y = rng.normal(size=(6, 2)), rng.integers(3, size=6)
    params = {"W": rng.normal(size=(2, 2)), "c": rng.normal(size=2)}
    u = np.column_stack([np.zeros(6), x @ params["W"] + params["c"]])
    q = np.exp(u) / np.exp(u).sum(axis=1, keepdims=True)
    assert error(module.forward(params, x), q) < 1e-15
    d_u = (q - np.eye(3)[y])[:, 1:] / 6
    _, grads = module.backward(params, x, y)
    assert error(grads["W"], x.T @ d_u) < 1e-15
    assert error(grads["c"], d_u.sum(axis=0)) < 1e-15


def test_two_classes_with_one_logit_fixed_are_a_sigmoid() -> None:
    """softmax([0, u])₁ = σ(u), and the loss is ζ((1−2y)u), at ±10⁴ too."""
    module = compiled(FIXED.format(classes=2, free=1))
    params = {"W": np.array([[1.0], [0.0]]), "c": np.zeros(1)}
    u = np.array([-FAR, -3.0, 0.0, 2.0, FAR])
    x, y = np.column_stack([u, u]), np.array([1, 0, 1, 0, 0])
    assert (
        error(module.forward(params, x)[:, 1], evaluate(b.sigmoid(b.input("u", (5,))), {"u": u}))
        < 1e-15
    )
    assert module.loss(params, x, y) == pytest.approx(np.mean(np.logaddexp(0, (1 - 2 * y) * u)))


def test_one_logit_fixed_loses_nothing() -> None:
    """Trained on labels alone, the fixed softmax reaches their frequencies like the free one."""
    module, x = compiled(FIXED.format(classes=3, free=2)), np.zeros((10, 2))
    y = np.array([0] * 2 + [1] * 5 + [2] * 3)
    params = module.init(0)
    descend(module, params, (x, y), steps=300, rate=2.0)
    assert error(module.forward(params, x)[0], np.array([0.2, 0.5, 0.3])) < 1e-9


def adam(module: ModuleType, x: Array, t: Array, steps: int) -> dict[str, Array]:
    """Parameters after Adam (Kingma and Ba 2014) on all examples at once."""
    theta, first, second = module.ravel(module.init(0)), np.zeros(1), np.zeros(1)
    for step in range(1, steps + 1):
        g = module.ravel(module.backward(module.unravel(theta), x, t)[1])
        first, second = 0.9 * first + 0.1 * g, 0.99 * second + 0.01 * g**2
        scale = np.sqrt(second / (1 - 0.99**step)) + 1e-8
        theta = theta - 0.02 * first / (1 - 0.9**step) / scale
    params: dict[str, Array] = module.unravel(theta)
    return params


def test_heads_for_mean_and_precision_train() -> None:
    """Noise of 0.1 on the left and 0.5 on the right is found as β, and sin x under it as μ."""
    module, rng = compiled("heads_mu_beta.toml"), np.random.default_rng(0)
    x = rng.uniform(-2.5, 2.5, 300)
    noise = np.where(x < 0, 0.1, 0.5)
    t = np.sin(x) + noise * rng.normal(size=300)
    before = module.loss(module.init(0), x[:, None], t)
    params = adam(module, x[:, None], t, 600)
    assert module.loss(params, x[:, None], t) < before - 1
    left = np.linspace(-2, -0.5, 7)
    found = module.forward(params, left[:, None])
    assert np.abs(found["mu"] - np.sin(left)).max() < 0.15
    spread = np.exp(np.mean(np.log(found["beta"] ** -0.5)))
    assert 0.07 < spread < 0.15
    right = module.forward(params, -left[:, None])
    assert 0.35 < np.exp(np.mean(np.log(right["beta"] ** -0.5))) < 0.75


@cache
def saturated(logit: float) -> dict[str, float]:
    """A row of the table of examples/saturation.py."""
    row: dict[str, float] = script("saturation.py")["gradients"](logit)
    return row


@cache
def script(name: str) -> dict[str, Any]:
    """The names of an example script."""
    return runpy.run_path(str(EXAMPLES / name))


@pytest.mark.parametrize("logit", [-10.0, -100.0, -FAR])
def test_saturation_table(logit: float) -> None:
    """At very wrong logits squared error has lost the gradient, and the matched loss has it whole.

    The columns are those of examples/saturation.py: the sigmoid, the softmax and the clipped
    linear unit max(0, min(1, z)) (equation 6.18) under squared error, for a true class of logit z;
    then the sigmoid and the softmax under their own loss.
    """
    row = saturated(logit)
    e = np.exp(logit)
    assert row["squared sigmoid"] == pytest.approx(-2 * e, rel=1e-3, abs=1e-300)
    assert row["squared softmax"] == pytest.approx(-1.5 * e, rel=1e-3, abs=1e-300)
    assert row["squared clipped"] == 0
    assert row["-log sigmoid"] == pytest.approx(-1, rel=1e-4)
    assert row["-log softmax"] == pytest.approx(-1, rel=1e-4)
    if logit == -FAR:
        assert row["squared sigmoid"] == row["squared softmax"] == 0
        assert row["-log sigmoid"] == row["-log softmax"] == -1


def test_saturation_sets_in_with_the_error() -> None:
    """The worse the answer, the less squared error asks for; the matched loss asks for more."""
    rows = [saturated(z) for z in (-2.0, -4.0, -8.0, -16.0)]
    for name in ("squared sigmoid", "squared softmax"):
        assert np.all(np.diff([abs(row[name]) for row in rows]) < 0)
    for name in ("-log sigmoid", "-log softmax"):
        assert np.all(np.diff([abs(row[name]) for row in rows]) > 0)


def test_heads_share_the_layers_below() -> None:
    """∇_h is the sum of what both heads send down: ∂J/∂μ w1 + ∂J/∂β σ(h w2 + b2) w2."""
    h, t = b.input("h", ("batch", 4)), b.input("t", ("batch",))
    w1, w2 = b.parameter("w1", (4,)), b.parameter("w2", (4,))
    mu, s = h @ w1, h @ w2
    beta = b.softplus(s)
    loss = b.sum(-0.5 * b.log(beta) + 0.5 * beta * b.square(t - mu))
    d_h, d_mu, d_beta = gradients(loss, [h, mu, beta])
    rng = np.random.default_rng(2)
    at = {"h": rng.normal(size=(3, 4)), "t": rng.normal(size=3)}
    at |= {"w1": rng.normal(size=4), "w2": rng.normal(size=4)}
    whole, to_mu, to_beta = evaluate([d_h, d_mu, d_beta], at)
    sigma = 1 / (1 + np.exp(-(at["h"] @ at["w2"])))
    parts = np.outer(to_mu, at["w1"]) + np.outer(to_beta * sigma, at["w2"])
    assert error(whole, parts) < 1e-14
