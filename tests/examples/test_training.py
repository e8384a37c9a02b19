"""The networks that come without a script train, and the convex ones have the Hessians of books."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special
from sklearn.datasets import load_digits

import symdiff

FOLDER = Path(__file__).parents[2] / "examples"
Data = tuple[Any, ...]


@cache
def digits() -> tuple[Any, Any]:
    """Some images, from 0 to 1, and their labels."""
    images, labels = load_digits(return_X_y=True)
    return images[:600] / 16, labels[:600]


def candidates() -> Data:
    """Pairs of which a hidden rule says the better one."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 400, 8))
    rule = rng.normal(size=8)
    swap = (np.sin(first @ rule) < np.sin(second @ rule))[:, None]
    return np.where(swap, second, first), np.where(swap, first, second)


def ratings() -> Data:
    """Every third rating of users and items of rank 3, with little noise."""
    rng = np.random.default_rng(2)
    table = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 40)) + rng.normal(size=(30, 1))
    users, items = np.nonzero(rng.random((30, 40)) < 0.6)
    return users, items, table[users, items] + 0.01 * rng.normal(size=len(users))


def branches() -> Data:
    """y with one, two or three answers for an x (Bishop 1994)."""
    y = np.linspace(0, 1, 300)
    x = y + 0.3 * np.sin(2 * np.pi * y) + 0.02 * np.random.default_rng(3).normal(size=300)
    return x[:, None], y


def descend(module: Any, params: Any, data: Data, steps: int, rate: float, **sizes: int) -> Any:
    """Full-batch Adam (Kingma and Ba 2015); ``sizes`` are the open ones."""
    at = module.ravel(params)
    first, second = np.zeros_like(at), np.zeros_like(at)
    for step in range(1, steps + 1):
        _, grads = module.backward(module.unravel(at, **sizes), *data)
        g = module.ravel(grads)
        first, second = 0.9 * first + 0.1 * g, 0.99 * second + 0.01 * g * g
        size = rate * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
        at = at - size * first / (np.sqrt(second) + 1e-8)
    return module.unravel(at, **sizes)


@cache
def trained(name: str, data: Callable[[], Data], steps: int, rate: float) -> tuple[float, float]:
    """A network's loss before and after training."""
    module, given = symdiff.compile(FOLDER / f"{name}.toml"), data()
    params = module.init(seed=0)
    after = descend(module, params, given, steps, rate)
    return float(module.loss(params, *given)), float(module.loss(after, *given))


@pytest.mark.parametrize(
    ("name", "data", "steps", "rate"),
    [
        ("tied_autoencoder", lambda: digits()[:1], 150, 0.02),
        ("siamese", candidates, 200, 0.03),
        ("low_rank", digits, 100, 0.02),
        ("weight_norm", digits, 100, 0.05),
        ("maxout", lambda: (digits()[0][:, 20:22], digits()[1] / 4.0), 150, 0.02),
        ("prelu", digits, 60, 0.02),
        ("factorization", ratings, 250, 0.05),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_loss_falls_by_more_than_half(
    name: str, data: Callable[[], Data], steps: int, rate: float
) -> None:
    before, after = trained(name, data, steps, rate)
    assert after < 0.5 * before


def test_a_mixture_density_is_better_than_any_one_gaussian() -> None:
    """The best Gaussian that knows y's mean and spread, but not x, and then by regression."""
    _, after = trained("mixture_density", branches, 400, 0.03)
    x, y = branches()
    powers = np.vander(x[:, 0], 8)
    rest = y - powers @ np.linalg.lstsq(powers, y, rcond=None)[0]
    gaussian = 0.5 * np.log(2 * np.pi * np.e * np.mean(rest**2))
    assert after < gaussian - 0.3


def regression(name: str, **sizes: int) -> tuple[Any, Any, Any, Any]:
    """A convex model, data, parameters and a direction."""
    module = symdiff.compile(FOLDER / f"{name}.toml")
    rng = np.random.default_rng(4)
    x, params = rng.normal(size=(50, 4)), module.init(seed=0, **sizes)
    params = {name: p + 0.3 * rng.normal(size=p.shape) for name, p in params.items()}
    return module, x, params, {name: rng.normal(size=p.shape) for name, p in params.items()}


def test_the_hessian_of_logistic_regression() -> None:
    module, x, params, v = regression("logistic", features=4)
    y = (x[:, 0] + 0.5 * x[:, 1] > 0) * 1.0
    p = special.expit(x @ params["w"])
    hessian = x.T @ np.diag(p * (1 - p)) @ x / len(x) + 1e-2 * np.eye(4)
    np.testing.assert_allclose(module.hvp(params, v, x, y)["w"], hessian @ v["w"], rtol=1e-10)
    for _ in range(10):  # Newton's method
        _, grads = module.backward(params, x, y)
        columns = [module.hvp(params, {"w": e}, x, y)["w"] for e in np.eye(4)]
        params = {"w": params["w"] - np.linalg.solve(np.array(columns), grads["w"])}
    assert np.linalg.norm(module.backward(params, x, y)[1]["w"]) < 1e-12


def test_the_hessian_of_softmax_regression() -> None:
    module, x, params, v = regression("softmax_regression", features=4, classes=3)
    y = np.random.default_rng(5).integers(0, 3, 50)
    p = special.softmax(x @ params["W"], axis=1)
    middle = np.einsum("nk,kl->nkl", p, np.eye(3)) - np.einsum("nk,nl->nkl", p, p)
    hessian = np.einsum("nkl,ni,nj->ikjl", middle, x, x) / len(x)
    expected = np.einsum("ikjl,jl->ik", hessian, v["W"])
    np.testing.assert_allclose(module.hvp(params, v, x, y)["W"], expected, rtol=1e-10)
    after = descend(module, params, (x, y), 200, 0.05, features=4)
    assert np.linalg.norm(module.ravel(module.backward(after, x, y)[1])) < 1e-2


def test_the_gradients_of_equal_candidates_cancel() -> None:
    module = symdiff.compile(FOLDER / "siamese.toml")
    better, _ = candidates()
    params = module.init(seed=0)
    np.testing.assert_array_equal(module.per_example_norms(params, better, better), 0.0)
