"""System 1: learning the exclusive or.

Goodfellow, Bengio and Courville, *Deep Learning* (2016), section 6.1: the linear model
f(x; w, b) = xᵀw + b (equation 6.2) under the mean of (f*(x) − f(x))² (equation 6.1) cannot do it;
f(x; W, c, w, b) = wᵀ max(0, Wᵀx + c) + b (equation 6.3) can, with the W, c, w, b of equations 6.4
to 6.6.
"""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.expr.evaluate import evaluate
from symdiff.spec.load import load
from tests.systems.modules import EXAMPLES, Array, compiled, error

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
BOOK = {
    "W": np.array([[1.0, 1.0], [1.0, 1.0]]),
    "c": np.array([0.0, -1.0]),
    "w": np.array([1.0, -2.0]),
    "b": np.array(0.0),
}


def test_the_books_solution_answers_exactly() -> None:
    """With W = [[1, 1], [1, 1]], c = [0, −1], w = [1, −2], b = 0 the answers are 0, 1, 1, 0."""
    assert compiled("xor.toml").forward(BOOK, X).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_the_books_hidden_features() -> None:
    """max(0, XW + c), which folds the points (0, 1) and (1, 0) into one (equation 6.9)."""
    h = evaluate(load(EXAMPLES / "xor.toml").values["h"], BOOK | {"x": X})
    assert h.tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 1.0]]


def test_the_books_solution_is_a_minimum() -> None:
    """The loss there is 0, and so is every gradient."""
    loss, grads = compiled("xor.toml").backward(BOOK, X, Y)
    assert loss == 0
    assert {name: np.abs(grad).max() for name, grad in grads.items()} == dict.fromkeys(BOOK, 0)


def test_normal_equations_of_the_linear_model() -> None:
    """The stationary point of J is w = 0, b = ½: the answer is ½ everywhere, the loss ¼.

    J is quadratic, so that its Hessian is 2/m [X 1]ᵀ[X 1] wherever it is taken, and the normal
    equations are H θ = −∇J(0).
    """
    linear = compiled("xor_linear.toml")
    start = linear.unravel(np.zeros(3))
    columns = [linear.hvp(start, linear.unravel(v), X, Y) for v in np.eye(3)]
    hessian = np.stack([linear.ravel(column) for column in columns], axis=1)
    design = np.column_stack([X, np.ones(4)])
    assert error(hessian, design.T @ design / 2) < 1e-14
    gradient = linear.ravel(linear.backward(start, X, Y)[1])
    best = linear.unravel(np.linalg.solve(hessian, -gradient))
    assert error(best["w"], np.zeros(2)) < 1e-14
    assert best["b"] == pytest.approx(0.5)
    at_best = {"w": np.zeros(2), "b": np.array(0.5)}
    loss, grads = linear.backward(at_best, X, Y)
    assert (loss, linear.ravel(grads).tolist()) == (0.25, [0.0, 0.0, 0.0])
    assert linear.forward(at_best, X).tolist() == [0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sgd_from_a_random_start_solves_it(seed: int) -> None:
    """Steps along the gradient of one randomly drawn example reach the four right answers."""
    xor, rng = compiled("xor.toml"), np.random.default_rng(seed)
    params: dict[str, Array] = xor.init(seed, hidden=8)
    assert error(xor.forward(params, X), Y) > 0.1
    for _ in range(3000):
        row = rng.integers(4, size=1)
        _, grads = xor.backward(params, X[row], Y[row])
        params = {name: value - 0.05 * grads[name] for name, value in params.items()}
    assert error(xor.forward(params, X), Y) < 1e-3
