"""System 6: hidden units, their derivatives, their parameters and their biases.

Goodfellow, Bengio and Courville, *Deep Learning* (2016), section 6.3: a hidden unit computes
h = g(z) of an affine z = Wᵀx + b, elementwise but for maxout.  By the chain rule the gradient
arrives at z as ∂J/∂z = ∂J/∂h ⊙ g′(z), which is what the bias receives, summed over examples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.simplify import simplify
from tests.systems.modules import Array, compiled, descend, error, example_gradients

UNIT = """
name = "unit"
output = "h"
[inputs]
x = {{ shape = ["batch", 3] }}
t = {{ shape = ["batch", 2] }}
[parameters]
W = {{ shape = [3, 4] }}
b = {{ shape = [4], init = "constant", value = 0.1 }}
V = {{ shape = [4, 2] }}
{more}
[equations]
z = "x @ W + b"
h = "{unit}"
[loss]
per_example = "0.5 * sum((h @ V - t)**2, axis=-1)"
"""
RNG = np.random.default_rng(6)
X, T = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))


def sigma(z: Array) -> Array:
    """The logistic sigmoid."""
    return 1 / (1 + np.exp(-z))


UNITS: dict[str, tuple[str, Callable[[Array], Array], Callable[[Array], Array]]] = {
    "relu": ("relu(z)", lambda z: np.maximum(0, z), lambda z: 1.0 * (z > 0)),
    "absolute value": ("abs(z)", np.abs, np.sign),
    "leaky": (
        "leaky_relu(z, 0.01)",
        lambda z: np.maximum(0, z) + 0.01 * np.minimum(0, z),
        lambda z: np.where(z > 0, 1, 0.01),
    ),
    "sigmoid": ("sigmoid(z)", sigma, lambda z: sigma(z) * (1 - sigma(z))),
    "tanh": ("tanh(z)", np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "tanh by sigmoid": (
        "2 * sigmoid(2 * z) - 1",
        lambda z: 2 * sigma(2 * z) - 1,
        lambda z: 1 - np.tanh(z) ** 2,
    ),
    "cos": ("cos(z)", np.cos, lambda z: -np.sin(z)),
    "softplus": ("softplus(z)", lambda z: np.log(1 + np.exp(z)), sigma),
    "softplus as written": ("log(1 + exp(z))", lambda z: np.log(1 + np.exp(z)), sigma),
}


def params_of(module: Any, seed: int = 0) -> dict[str, Array]:
    """Parameters off their initial values, so that no two units are alike."""
    rng = np.random.default_rng(seed)
    return {k: v + 0.3 * rng.normal(size=v.shape) for k, v in module.init(seed).items()}


@pytest.mark.parametrize("name", UNITS)
def test_unit_and_its_derivative(name: str) -> None:
    """h = g(z); ∂J/∂b = Σ_j ∂J/∂h ⊙ g′(z); ∂J/∂W = xᵀ (∂J/∂h ⊙ g′(z))."""
    formula, g, slope = UNITS[name]
    unit = compiled(UNIT.format(unit=formula, more=""))
    params = params_of(unit)
    z = X @ params["W"] + params["b"]
    h = g(z)
    assert error(unit.forward(params, X), h) < 1e-12
    arriving = (h @ params["V"] - T) @ params["V"].T / len(X)
    _, grads = unit.backward(params, X, T)
    assert error(grads["b"], (arriving * slope(z)).sum(axis=0)) < 1e-12
    assert error(grads["W"], X.T @ (arriving * slope(z))) < 1e-12


@pytest.mark.parametrize("name", ["relu", "absolute value"])
def test_kink_has_derivative_zero(name: str) -> None:
    """The convention at z = 0: relu′(0) = |·|′(0) = 0, so nothing arrives at W and b."""
    unit = compiled(UNIT.format(unit=UNITS[name][0], more=""))
    params = params_of(unit) | {"W": np.zeros((3, 4)), "b": np.zeros(4)}
    _, grads = unit.backward(params, X, T)
    assert not grads["W"].any()
    assert not grads["b"].any()


GENERAL = "maximum(z, 0) + {alpha} * minimum(z, 0)"


@pytest.mark.parametrize(
    ("alpha", "name"), [(0.0, "relu"), (-1.0, "absolute value"), (0.01, "leaky")]
)
def test_rectifiers_are_one_family(alpha: float, name: str) -> None:
    """Equation 6.36: h_i = max(0, z_i) + α_i min(0, z_i); α = 0, −1 and 0.01 are the named ones."""
    general = compiled(UNIT.format(unit=GENERAL.format(alpha=alpha), more=""))
    named = compiled(UNIT.format(unit=UNITS[name][0], more=""))
    params = params_of(general)
    assert error(general.forward(params, X), named.forward(params, X)) < 1e-14
    ours, theirs = general.backward(params, X, T), named.backward(params, X, T)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-14)
    for parameter in params:
        assert error(ours[1][parameter], theirs[1][parameter]) < 1e-14


PARAMETRIC = UNIT.format(
    unit=GENERAL.format(alpha="alpha"),
    more='alpha = { shape = [4], init = "constant", value = 0.25 }',
)


def test_parametric_slope_has_a_gradient() -> None:
    """∂J/∂α_i = Σ_j (∂J/∂h)_ji min(0, z_ji); its norm squares each example's share."""
    unit = compiled(PARAMETRIC)
    params = params_of(unit)
    z = X @ params["W"] + params["b"]
    h = np.maximum(z, 0) + params["alpha"] * np.minimum(z, 0)
    share = (h @ params["V"] - T) @ params["V"].T * np.minimum(z, 0)
    assert error(unit.backward(params, X, T)[1]["alpha"], share.mean(axis=0)) < 1e-12
    assert error(unit.per_example_sq_norms(params, X, T)["alpha"], (share**2).sum(axis=1)) < 1e-12


def test_parametric_slope_is_learned() -> None:
    """Taught |z|, the slopes descend from 0.25 to −1: absolute value rectification."""
    unit = compiled(PARAMETRIC)
    params = params_of(unit) | {"alpha": np.full(4, 0.25), "b": np.zeros(4)}
    inputs = np.random.default_rng(1).normal(size=(40, 3))
    fixed = {name: params[name] for name in ("W", "b", "V")}
    targets = np.abs(inputs @ params["W"]) @ params["V"]
    for _ in range(300):
        _, grads = unit.backward(params, inputs, targets)
        params = fixed | {"alpha": params["alpha"] - 0.5 * grads["alpha"]}
    assert params["alpha"] == pytest.approx(-np.ones(4), abs=0.05)


def test_tanh_is_a_sigmoid() -> None:
    """Section 6.3.2: tanh(z) = 2σ(2z) − 1, which the simplifier knows."""
    z = b.input("z", ("batch",))
    assert simplify(2 * b.sigmoid(2 * z) - 1).root is b.tanh(z)
    far = np.array([-800.0, -20.0, -1e-9, 0.0, 0.5, 800.0])
    assert error(evaluate(2 * b.sigmoid(2 * z) - 1, {"z": far}), np.tanh(far)) < 1e-15


def test_low_rank_factors_hold_fewer_parameters() -> None:
    """Section 6.3.3: h = g(Vᵀ Uᵀ x + b) holds q (n + p) weights where W = U V holds n p."""
    module = compiled("low_rank.toml")
    n, p, q = 64, 32, 4
    shapes = module.PARAMETERS
    factors = np.prod(shapes["U"]) + np.prod(shapes["V"])
    assert factors == q * (n + p) == 384
    assert factors < n * p == 2048


FACTORED = """
name = "factored"
output = "z"
[inputs]
x = {{ shape = ["batch", 6] }}
y = {{ shape = ["batch"], labels = 3 }}
[parameters]
{weights}
b = {{ shape = [5] }}
W2 = {{ shape = [5, 3] }}
[equations]
z = "relu({product} + b) @ W2"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""


def test_low_rank_factors_act_as_their_product() -> None:
    """With W = U V: ∇_U = ∇_W Vᵀ and ∇_V = Uᵀ ∇_W; the norms are the factors' own, exactly."""
    factored = compiled(
        FACTORED.format(
            weights="U = { shape = [6, 2] }\nV = { shape = [2, 5] }", product="x @ U @ V"
        )
    )
    full = compiled(FACTORED.format(weights="W = { shape = [6, 5] }", product="x @ W"))
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(9, 6)), rng.integers(0, 3, 9)
    params = params_of(factored)
    U, V = params["U"], params["V"]
    whole = {"W": U @ V, "b": params["b"], "W2": params["W2"]}
    assert error(factored.forward(params, x), full.forward(whole, x)) < 1e-12
    grads, whole_grads = factored.backward(params, x, y)[1], full.backward(whole, x, y)[1]
    assert error(grads["U"], whole_grads["W"] @ V.T) < 1e-12
    assert error(grads["V"], U.T @ whole_grads["W"]) < 1e-12
    loop = example_gradients(factored, params, x, y)
    for name, s in factored.per_example_sq_norms(params, x, y).items():
        assert error(s, [np.sum(g[name] ** 2) for g in loop]) < 1e-10


MAXOUT = """
name = "maxout"
output = "h"
[inputs]
x = { shape = ["batch", 1] }
t = { shape = ["batch", 1] }
[parameters]
W = { shape = [1, 1, 2] }
b = { shape = [1, 2] }
[equations]
pieces = "einsum('ni,iuk->nuk', x, W) + b"
h = "max(pieces, axis=-1)"
[loss]
per_example = "0.5 * sum((h - t)**2, axis=-1)"
"""


@pytest.mark.parametrize(
    ("slopes", "rectifier"),
    [((1.0, 0.0), "relu"), ((1.0, -1.0), "absolute value"), ((1.0, 0.01), "leaky")],
)
def test_two_pieces_make_every_rectifier(slopes: tuple[float, float], rectifier: str) -> None:
    """Equation 6.37: h_i = max over j in G(i) of z_j; with two pieces, each rectified unit."""
    module = compiled(MAXOUT)
    x = np.linspace(-2, 2, 9)[:, None]
    params = {"W": np.reshape(slopes, (1, 1, 2)), "b": np.zeros((1, 2))}
    assert np.array_equal(module.forward(params, x), UNITS[rectifier][1](x))


def test_only_the_winning_piece_learns() -> None:
    """∂h_i/∂z_j is 1 for the largest z_j of the group and 0 for the others; a tie is shared."""
    module = compiled(MAXOUT)
    params = {"W": np.array([[[2.0, -1.0]]]), "b": np.zeros((1, 2))}
    x, t = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    _, grads = module.backward(params, x, t)
    assert np.array_equal(grads["b"], [[(2.0 + 5.0) / 2, 0.0]])
    assert np.array_equal(grads["W"], [[[(2.0 * 1 + 5.0 * 3) / 2, 0.0]]])
    _, grads = module.backward(params, np.zeros((1, 1)), np.ones((1, 1)))
    assert np.array_equal(grads["b"], [[-0.5, -0.5]])


def test_maxout_learns_a_convex_function() -> None:
    """Maxout units learn their activation: sums of them fit x₁² + |x₂|, and no affine map does."""
    module = compiled("maxout.toml")
    rng = np.random.default_rng(4)
    x = rng.uniform(-1, 1, size=(200, 2))
    y = x[:, 0] ** 2 + np.abs(x[:, 1])
    affine = np.c_[x, np.ones(len(x))]
    residual = y - affine @ np.linalg.lstsq(affine, y, rcond=None)[0]
    after = descend(module, module.init(0), (x, y), steps=400, rate=0.05)
    assert after < 0.1 * np.mean(residual**2)


def test_skip_connection_carries_the_gradient_past_its_block() -> None:
    """r = h + f(h): ∂J/∂h = ∂J/∂r + (∂f/∂h)ᵀ ∂J/∂r, the first term untouched by f."""
    h, V, v = b.input("h", ("n", 4)), b.parameter("V", (4, 4)), b.parameter("v", (4,))
    f = b.tanh(h @ V + v)
    arriving = b.input("g", ("n", 4))
    through_block = gradients(f, h, arriving)[0]
    assert gradients(h + f, h, arriving)[0] is arriving + through_block


def deep(kind: str, depth: int) -> str:
    """A spec of many narrow tanh layers, plain or each within a skip connection."""
    layer = '{ kind = "dense", units = 4, activation = "tanh" }'
    one = f'kind = "residual"\nlayers = [{layer}]' if kind == "residual" else layer[2:-2]
    block = "[[layers]]\n" + (one if kind == "residual" else one.replace(", ", "\n")) + "\n"
    return (
        'name = "deep"\n[inputs]\nx = { shape = ["batch", 4] }\nt = { shape = ["batch", 4] }\n'
        + block * depth
        + '[loss]\nkind = "squared_error"\n'
    )


def test_skip_connections_keep_deep_gradients_alive() -> None:
    """20 layers of small weights: the gradient at the first one vanishes, but not with skips."""
    norm = {}
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    for kind in ("plain", "residual"):
        module = compiled(deep(kind, 20), "backward")
        params = {name: 0.3 * value for name, value in module.init(0).items()}
        norm[kind] = np.linalg.norm(module.backward(params, x, t)[1]["W1"])
    assert norm["plain"] < 1e-6
    assert norm["residual"] > 1e-2


BIASED = """
name = "biased"
[inputs]
x = {{ shape = ["batch", 20] }}
t = {{ shape = ["batch", 50] }}
[[layers]]
kind = "dense"
units = 50
activation = "relu"
init = "normal"
bias = {bias}
[loss]
kind = "squared_error"
"""


def test_biases_begin_at_zero_or_a_tenth() -> None:
    """Section 6.3.1: biases of 0.1 make relus active for most inputs from the start."""
    x = np.random.default_rng(0).uniform(size=(100, 20)) - 0.5
    active = {}
    for bias in ("true", "0.1"):
        module = compiled(BIASED.format(bias=bias))
        params = module.init(seed=3)
        assert np.all(params["b1"] == (0.0 if bias == "true" else 0.1))
        active[bias] = np.mean(module.forward(params, x) > 0)
    assert active["true"] == pytest.approx(0.5, abs=0.05)
    assert active["0.1"] > 0.9


def test_all_zero_biases_are_the_default() -> None:
    """A bias is 0 unless told otherwise: ``init = "constant"`` with ``value = 0.1``."""
    assert not compiled("cos_digits.toml").init(0)["b1"].any()
    assert np.all(compiled("prelu.toml").init(0)["b1"] == 0.1)
