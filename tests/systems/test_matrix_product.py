"""System 7: the gradients of a matrix product H W = U, and what they are for.

Goodfellow, Bengio and Courville, *Deep Learning* (2016), section 6.5.7: where a product adds to
the loss through U, the gradient ∇_U that arrives there gives ∇_H = ∇_U Wᵀ, which flows on down to
whatever made H, and ∇_W = Hᵀ ∇_U, which updates W.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import symdiff
from symdiff.calculus.reverse import gradients
from symdiff.cli import main
from symdiff.expr import build as b
from symdiff.spec.load import load
from tests.systems.modules import EXAMPLES, Array, compiled, error

SPEC = EXAMPLES / "matmul.toml"
SIZES = {"n": 3, "q": 4, "p": 2}


@pytest.fixture
def point() -> tuple[Any, dict[str, Array], Array, Array]:
    """The emitted module, with parameters and data."""
    module, rng = compiled("matmul.toml"), np.random.default_rng(7)
    return module, module.init(0, **SIZES), rng.normal(size=(6, 3)), rng.uniform(-1, 1, (6, 2))


def test_gradient_nodes_are_the_two_products() -> None:
    """The nodes appended for H and W *are* ∇_U Wᵀ and Hᵀ ∇_U: equal nodes are one node."""
    values = load(SPEC).values
    H, W, U = values["H"], values["W"], values["U"]
    d_U = b.input("d_U", U.shape)
    d_H, d_W = gradients(U, [H, W], d_U)
    assert d_H is d_U @ W.T
    assert d_W is H.T @ d_U


def test_gradients_have_the_shapes_of_what_they_belong_to() -> None:
    """∇_H is shaped as H, ∇_W as W, for sizes that are names."""
    model = load(SPEC)
    H, W = model.values["H"], model.values["W"]
    for node, grad in zip((H, W), gradients(b.sum(model.per_example), [H, W]), strict=True):
        assert grad.shape == node.shape


def test_emitted_gradients_flow_down_and_update(
    point: tuple[Any, dict[str, Array], Array, Array],
) -> None:
    """∇_W = Hᵀ ∇_U at W, and below H: ∇_V = Xᵀ (∇_U Wᵀ ⊙ (1 − H²))."""
    module, params, X, T = point
    H = np.tanh(X @ params["V"])
    U = H @ params["W"]
    assert error(module.forward(params, X), U) < 1e-14
    d_U = (np.tanh(U) - T) * (1 - np.tanh(U) ** 2)
    _, grads = module.backward(params, X, T)
    assert error(grads["W"], H.T @ d_U) < 1e-13
    d_H = d_U @ params["W"].T
    assert error(grads["V"], X.T @ (d_H * (1 - H**2))) < 1e-13


def test_a_step_along_the_gradient_lowers_the_loss(
    point: tuple[Any, dict[str, Array], Array, Array],
) -> None:
    """W ← W − ε Hᵀ ∇_U lowers the loss by ε ‖∇_W‖², to first order in ε."""
    module, params, X, T = point
    loss, grads = module.backward(params, X, T)
    rate = 1e-5
    stepped = params | {"W": params["W"] - rate * grads["W"]}
    gain = loss - module.loss(stepped, X, T)
    assert gain == pytest.approx(rate * np.sum(grads["W"] ** 2), rel=1e-3)


def test_gradients_print_as_the_book_writes_them() -> None:
    """For H W = U alone: ∇_H = ∇_U Wᵀ, ∇_W = Hᵀ ∇_U."""
    H, W = b.input("H", ("m", "n")), b.parameter("W", ("n", "p"))
    d_H, d_W = gradients(H @ W, [H, W], b.input("∇_U", ("m", "p")))
    assert symdiff.show(d_H) == "∇_U Wᵀ"
    assert symdiff.show(d_W) == "Hᵀ ∇_U"


def test_inspect_prints_both_products() -> None:
    """`symdiff inspect` shows both, made of what flows back into U, and what that flows on to."""
    result = CliRunner().invoke(main, ["inspect", str(SPEC), "--wrt", "H", "--wrt", "W"])
    assert result.exit_code == 0, result.output
    equations = [re.split(r"  +", line)[0] for line in result.output.splitlines()]
    assert "∂J/∂H = ∂J/∂U Wᵀ" in equations
    assert "∂J/∂W = Hᵀ ∂J/∂U" in equations


def test_inspect_prints_what_flows_further_down() -> None:
    """∂J/∂H goes on through H = tanh(X V) to V: Xᵀ ((1 − H²) ⊙ ∂J/∂H)."""
    result = CliRunner().invoke(main, ["inspect", str(SPEC)])
    assert result.exit_code == 0, result.output
    assert "∂J/∂V = Xᵀ ((1 − H²) ⊙ ∂J/∂H)" in result.output
