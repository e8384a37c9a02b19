"""Functions that a module has on request, against loops over examples and over labels."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from codegen import cost_of
from symdiff.compiler import Compiled, compile_spec
from symdiff.errors import SpecError
from symdiff.functions import ON_REQUEST
from tests.systems.modules import Array, error, example_gradients

NETWORK = """
name = "net"
output = "{output}"
[inputs]
x = {{ shape = ["batch", 5] }}
y = {{ shape = {target} }}
[parameters]
W1 = {{ shape = [5, 6] }}
b1 = {{ shape = [6] }}
W2 = {{ shape = [6, 3] }}
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2"
q = "softmax(z)"
p = "sigmoid(z)"
[loss]
per_example = "{loss}"
reduction = "{reduction}"
"""
LABELS = '["batch"], labels = 3'
LOSSES = {
    "cross_entropy": ("q", LABELS, "cross_entropy(q, y)"),
    "squared_error": ("z", '["batch", 3]', "squared_error(z, y).sum(axis=1)"),
    "of_probabilities": ("p", '["batch", 3]', "squared_error(p, y).sum(axis=1)"),
    "logistic": ("p", '["batch", 3], zero_or_one = true', "binary_cross_entropy(p, y).sum(axis=1)"),
    "poisson": ("z", '["batch", 3], nonnegative = true', "(exp(z) - y * z).sum(axis=1)"),
    "mixed": ("z", '["batch", 3]', "((sigmoid(z)**0.5 + exp(-z)) * softplus(z)).sum(axis=1)"),
    "focal": ("z", '["batch", 3]', "(sigmoid(-z)**2 * softplus(z)).sum(axis=1)"),
}
EXPONENTIAL = ("cross_entropy", "squared_error", "logistic", "poisson")


def spec(name: str, reduction: str = "mean") -> str:
    output, target, loss = LOSSES[name]
    return NETWORK.format(output=output, target=target, loss=loss, reduction=reduction)


@cache
def compiled(name: str, *functions: str, reduction: str = "mean") -> Compiled:
    return compile_spec(spec(name, reduction), functions)


def data(name: str, m: int = 6) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(m, 5))
    if name == "cross_entropy":
        return x, rng.integers(0, 3, m)
    if name == "logistic":
        return x, 1.0 * (rng.normal(size=(m, 3)) > 0)
    return x, rng.uniform(0.1, 0.9, size=(m, 3))


def params_and_direction(module: Any) -> tuple[dict[str, Array], dict[str, Array]]:
    rng = np.random.default_rng(5)
    params = module.init(seed=2)
    return params, {k: rng.normal(size=p.shape) for k, p in params.items()}


def flat(grads: dict[str, Array]) -> Array:
    return np.concatenate([np.ravel(g) for g in grads.values()])


# Gauss-Newton and Fisher.


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("name", "at", "curvature"),
    [
        ("cross_entropy", "z", lambda z: np.diag(soft(z)) - np.outer(soft(z), soft(z))),
        ("squared_error", "z", lambda z: 2 * np.eye(3)),
        ("of_probabilities", "p", lambda p: 2 * np.eye(3)),
        ("logistic", "z", lambda z: np.diag(sigma(z) * sigma(-z))),
        ("poisson", "z", lambda z: np.diag(np.exp(z))),
        (
            "mixed",
            "z",
            lambda z: np.diag(
                bend(lambda u: (sigma(u) ** 0.5 + np.exp(-u)) * np.log1p(np.exp(u)), z)
            ),
        ),
        ("focal", "z", lambda z: np.diag(bend(lambda u: sigma(-u) ** 2 * np.log1p(np.exp(u)), z))),
    ],
)
def test_gauss_newton_is_the_loop_over_jacobians(
    name: str, at: str, curvature: Any, reduction: str
) -> None:
    """Jᵀ H J v with J by finite differences of forward, an example at a time."""
    module: Any = compiled(name, "ggn_vp", reduction=reduction).module()
    forward: Any = sd.compile(
        re.sub(r'output = "\w"', f'output = "{at}"', spec(name)), functions=["forward"]
    )
    params, v = params_and_direction(module)
    x, y = data(name)
    jacobians = jacobian(forward, params, x)
    values = forward.forward(params, x)
    total = sum(
        j.T @ curvature(values[k]) @ j @ flat(v) for k, j in enumerate(jacobians)
    )  # fmt: skip
    total = total / len(x) if reduction == "mean" else total
    assert error(flat(module.ggn_vp(params, v, x, y)), total) < 1e-6


def soft(z: Array) -> Array:
    return np.exp(z) / np.exp(z).sum()


def sigma(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def bend(f: Any, z: Array, h: float = 1e-4) -> Array:
    """f'' by differences."""
    return np.asarray((f(z + h) - 2 * f(z) + f(z - h)) / h**2)


def jacobian(module: Any, params: dict[str, Array], x: Array) -> list[Array]:
    """For each example the derivative of its outputs by all parameters: central differences."""
    columns = []
    for name, p in params.items():
        for place in range(p.size):
            step = np.zeros(p.shape)
            step.flat[place] = 1e-6
            ahead, behind = ({**params, name: p + sign * step} for sign in (1, -1))
            columns.append((module.forward(ahead, x) - module.forward(behind, x)) / 2e-6)
    return [np.stack([c[j] for c in columns], axis=1) for j in range(len(x))]


def test_gauss_newton_has_the_curvature_of_the_regulariser() -> None:
    text = spec("squared_error") + 'regularizer = "0.5 * sum(W2**2) ** 2"\n'
    both: Any = sd.compile(text, functions=["ggn_vp"])
    alone: Any = compiled("squared_error", "ggn_vp").module()
    params, v = params_and_direction(both)
    x, y = data("squared_error")
    w, d = params["W2"], v["W2"]
    own = 2 * np.sum(w**2) * d + 4 * np.sum(w * d) * w
    found = both.ggn_vp(params, v, x, y)["W2"] - alone.ggn_vp(params, v, x, y)["W2"]
    assert error(found, own) < 1e-10


def test_fisher_is_the_expectation_over_the_models_own_labels() -> None:
    """Σ_k q_k g(k) g(k)ᵀ v, a batch of one example and one label at a time."""
    module: Any = compiled("cross_entropy", "fisher_vp", "backward", "forward").module()
    params, v = params_and_direction(module)
    x, y = data("cross_entropy")
    q = module.forward(params, x)
    total = np.zeros(flat(params).size)
    for j in range(len(x)):
        for k in range(3):
            g = flat(module.backward(params, x[j : j + 1], np.array([k]))[1])
            total += q[j, k] * g * (g @ flat(v)) / len(x)
    assert error(flat(module.fisher_vp(params, v, x, y)), total) < 1e-12


@pytest.mark.parametrize("name", EXPONENTIAL)
def test_fisher_is_gauss_newton_in_the_natural_parameter(name: str) -> None:
    module: Any = compiled(name, "fisher_vp", "ggn_vp").module()
    params, v = params_and_direction(module)
    given = params, v, *data(name)
    assert error(flat(module.fisher_vp(*given)), flat(module.ggn_vp(*given))) < 1e-12


@pytest.mark.parametrize("signs", [False, True])
def test_the_logit_of_one_product_is_a_natural_parameter(signs: bool) -> None:
    """Logistic regression: Xᵀ diag(p (1 - p)) X / batch, for labels 0 and 1 as for -1 and 1."""
    text = """
name = "logistic"
output = "z"
[inputs]
x = { shape = ["batch", 4] }
y = { shape = ["batch"], TARGETS = true }
[parameters]
w = { shape = [4] }
[equations]
z = "x @ w"
[loss]
per_example = "LOSS"
"""
    targets, loss = (
        ("plus_minus_one", "softplus(-y * z)")
        if signs
        else ("zero_or_one", "binary_cross_entropy(sigmoid(z), y)")
    )
    text = text.replace("TARGETS", targets).replace("LOSS", loss)
    rng = np.random.default_rng(5)
    x, w, v = rng.normal(size=(7, 4)), rng.normal(size=4), rng.normal(size=4)
    p = 1 / (1 + np.exp(-x @ w))
    y = (rng.random(7) < 0.5) * (2.0 if signs else 1.0) - signs
    module: Any = sd.compile(text, functions=["fisher_vp"])
    expected = x.T @ (p * (1 - p) * (x @ v)) / 7
    assert error(module.fisher_vp({"w": w}, {"w": v}, x, y)["w"], expected) < 1e-13


@pytest.mark.parametrize("loss", ["exp(z * y)", "(z - y) ** 4", "y * squared_error(z, y)"])
def test_a_loss_that_is_no_log_likelihood_has_no_fisher_information(loss: str) -> None:
    text = spec("squared_error").replace("squared_error(z, y)", f"({loss})")
    with pytest.raises(SpecError, match="depends on y, so that the loss is not known to be"):
        sd.compile(text, functions=["fisher_vp"])
    assert sd.compile(text, functions=["ggn_vp", "empirical_fisher_vp"])


@pytest.mark.parametrize(
    "terms",
    [
        ("squared_error(z, y).sum(axis=1)", "(exp(h) - h).sum(axis=1)"),
        ("squared_error(h @ W2, y).sum(axis=1)", "softplus(x @ W1).sum(axis=1)"),
        ("log(1 + exp(z)).sum(axis=1)", "(y * b1[:3]**2).sum(axis=1)"),
    ],
)
def test_gauss_newton_of_a_sum_is_the_sum(terms: tuple[str, str]) -> None:
    """Terms of different values of the network, or of parameters alone: none is left out."""
    text, old = spec("squared_error"), LOSSES["squared_error"][2]
    params, v = params_and_direction(compiled("squared_error", "backward").module())
    one, other, both = (
        sd.compile(text.replace(old, loss), functions=["ggn_vp"])
        for loss in (*terms, " + ".join(terms))
    )
    given = params, v, *data("squared_error")
    parts = flat(one.ggn_vp(*given)) + flat(other.ggn_vp(*given))
    assert error(flat(both.ggn_vp(*given)), parts) < 1e-12


def test_a_loss_that_is_linear_in_its_parameters_has_no_gauss_newton_matrix() -> None:
    text = spec("squared_error").replace("squared_error(z, y).sum(axis=1)", "(x @ W1).sum(axis=1)")
    with pytest.raises(SpecError, match="linear in all that it is made of"):
        sd.compile(text, functions=["ggn_vp"])


def test_a_loss_without_parameters_has_no_gauss_newton_matrix() -> None:
    text = spec("squared_error").replace("squared_error(z, y).sum(axis=1)", "(x**2).sum(axis=1)")
    with pytest.raises(SpecError, match="linear in all that it is made of"):
        sd.compile(text, functions=["ggn_vp"])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_empirical_fisher_and_its_diagonal_are_the_loops(reduction: str) -> None:
    names = ("empirical_fisher_vp", "fisher_diagonal", "backward")
    module: Any = compiled("cross_entropy", *names, reduction=reduction).module()
    params, v = params_and_direction(module)
    x, y = data("cross_entropy")
    loop = [flat(g) for g in example_gradients(module, params, x, y)]
    scale = 1 / len(x) if reduction == "mean" else 1.0
    product = scale * sum(g * (g @ flat(v)) for g in loop)
    assert error(flat(module.empirical_fisher_vp(params, v, x, y)), product) < 1e-12
    diagonal = scale * sum(g**2 for g in loop)
    assert error(flat(module.fisher_diagonal(params, x, y)), diagonal) < 1e-12


def test_the_diagonal_forms_no_array_of_batch_times_weights() -> None:
    model = compiled("cross_entropy", "fisher_diagonal", "backward")
    ours, plain = (cost_of(model.description, f) for f in ("fisher_diagonal", "backward"))
    assert ours.products == plain.products
    for size in ours.peak_bytes:
        assert size.coeff("batch") < 8 * 5 * 6 * 2  # type: ignore[union-attr]


def test_noise_scale_is_that_of_the_loops_gradients() -> None:
    module: Any = compiled("cross_entropy", "noise_scale", "backward").module()
    params, _ = params_and_direction(module)
    x, y = data("cross_entropy", 40)
    loop = np.stack([flat(g) for g in example_gradients(module, params, x, y)])
    trace = np.trace(np.cov(loop.T))
    square = np.sum(loop.mean(axis=0) ** 2) - trace / len(x)
    assert error(module.noise_scale(params, x, y), (trace / square, trace, square)) < 1e-10


# Other ways to clip.


def test_clipping_by_parameter_is_the_loops() -> None:
    module: Any = compiled("cross_entropy", "clipped_by_parameter", "backward").module()
    params, _ = params_and_direction(module)
    x, y = data("cross_entropy")
    loop = example_gradients(module, params, x, y)
    norms = {k: np.array([np.linalg.norm(g[k]) for g in loop]) for k in params}
    bounds = {"W1": float(np.median(norms["W1"])), "b1": 0.0, "W2": 1e9}
    _, grads, found = module.clipped_by_parameter(params, x, y, bounds)
    for name in params:
        assert error(found[name], norms[name]) < 1e-12
        factors = np.minimum(1, bounds[name] / norms[name])
        mean = sum(f * g[name] for f, g in zip(factors, loop, strict=True)) / len(x)
        assert error(grads[name], mean) < 1e-12


def automatic(s: dict[str, Array]) -> Array:
    """Automatic clipping: Bu et al. 2023."""
    return 1 / (np.sqrt(sum(s.values())) + 0.01)


def of_one(s: dict[str, Array]) -> dict[str, Array]:
    """Weights that differ by parameter."""
    return {"W1": 1 / (1 + s["W1"]), "b1": np.zeros(len(s["b1"])), "W2": s["b1"]}


@pytest.mark.parametrize("weight", [automatic, of_one, lambda s: 2.0])
def test_weights_may_be_any_function_of_the_norms(weight: Any) -> None:
    module: Any = compiled("cross_entropy", "weighted_backward", "backward").module()
    params, _ = params_and_direction(module)
    x, y = data("cross_entropy")
    loop = example_gradients(module, params, x, y)
    s = {k: np.array([np.sum(g[k] ** 2) for g in loop]) for k in params}
    loss, grads, found = module.weighted_backward(params, x, y, weight)
    assert error(loss, module.backward(params, x, y)[0]) < 1e-12
    given = weight(s)
    factors = given if isinstance(given, dict) else dict.fromkeys(params, given * np.ones(len(x)))
    for name in params:
        assert error(found[name], s[name]) < 1e-12
        mean = sum(f * g[name] for f, g in zip(factors[name], loop, strict=True)) / len(x)
        assert error(grads[name], mean) < 1e-12


def test_clipping_takes_no_more_products_than_the_plain_gradient() -> None:
    names = ("backward", "clipped_backward", "clipped_by_parameter", "weighted_backward")
    description = compiled("cross_entropy", *names).description
    plain, *others = (cost_of(description, name).products for name in names)
    assert others == [plain] * 3


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (lambda s: np.zeros(3), r"weight: expected numbers, \(6,\), got float64 of shape \(3,\)"),
        (lambda s: {"W1": 1.0}, "weight: expected weights for W1, b1, W2"),
    ],
)
def test_weights_of_another_shape_are_refused(weight: Any, said: str) -> None:
    module: Any = compiled("cross_entropy", "weighted_backward", "backward").module()
    params, _ = params_and_direction(module)
    with pytest.raises(ValueError, match=said):
        module.weighted_backward(params, *data("cross_entropy"), weight)


def test_bounds_must_be_one_a_parameter() -> None:
    module: Any = compiled("cross_entropy", "clipped_by_parameter", "backward").module()
    params, _ = params_and_direction(module)
    with pytest.raises(ValueError, match="names W1, b1, W2"):
        module.clipped_by_parameter(params, *data("cross_entropy"), {"W1": 1.0})
    bounds = {"W1": 1.0, "b1": -1.0, "W2": 1.0}
    with pytest.raises(ValueError, match=r"max_norms\['b1'\]: expected a number that is not neg"):
        module.clipped_by_parameter(params, *data("cross_entropy"), bounds)


def test_a_module_has_them_only_on_request() -> None:
    module = sd.compile(spec("cross_entropy"))
    for name in ON_REQUEST:
        assert not hasattr(module, name)


@pytest.mark.parametrize("name", LOSSES)
def test_modules_check_what_was_asked_for(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    wanted = [f for f in ON_REQUEST if name in EXPONENTIAL or f != "fisher_vp"]
    assert compile_spec(spec(name), ["backward", *wanted]).check() == 0
    lines = capfd.readouterr().out
    assert all(f in lines for f in wanted)
