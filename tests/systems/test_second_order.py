"""System 8: Hessian-vector products, and the methods that need nothing else of the Hessian.

Pearlmutter 1994, *Fast Exact Multiplication by the Hessian*, and Goodfellow, Bengio and
Courville, *Deep Learning* (2016), section 6.5.10: H v = ∇_θ[(∇_θ J)ᵀ v], for v that does not
depend on θ, at the cost of a few gradients and without forming H.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg, eigsh, minres

from symdiff.calculus.curvature import hessian, hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import substitute
from symdiff.spec.load import load
from tests.systems.modules import Array, compiled, error

NETWORK = """
name = "network"
output = "z"
[inputs]
x = { shape = ["batch", 2] }
y = { shape = ["batch"], zero_or_one = true }
[parameters]
W = { shape = [2, 3] }
b = { shape = [3] }
w = { shape = [3], init = "ones" }
[equations]
h = "tanh(x @ W + b)"
z = "h @ w"
[loss]
per_example = "sigmoid_cross_entropy(z, y)"
regularizer = "0.5 * 1e-2 * (sum(W**2) + sum(w**2))"
"""


@dataclass(frozen=True)
class Problem:
    """An emitted module's loss as a function of one flat vector, at some data."""

    module: Any
    data: tuple[Array, ...]

    def gradient(self, flat: Array) -> Array:
        """∇J."""
        return self.module.ravel(self.module.backward(self.module.unravel(flat), *self.data)[1])

    def product(self, flat: Array, v: Array) -> Array:
        """H v, through the emitted hvp."""
        unravel = self.module.unravel
        return self.module.ravel(
            self.module.hvp(unravel(flat), unravel(np.asarray(v).ravel()), *self.data)
        )

    def operator(self, flat: Array) -> LinearOperator:
        """H as SciPy takes it: known by its products alone."""
        return LinearOperator(
            (flat.size, flat.size), matvec=lambda v: self.product(flat, v), dtype=np.float64
        )

    def columns(self, flat: Array) -> Array:
        """H, a column H e⁽ⁱ⁾ at a time."""
        return np.stack([self.product(flat, e) for e in np.eye(flat.size)], axis=1)


def problem(spec: str, size: int, seed: int = 8) -> tuple[Problem, Array]:
    """A problem on random data, and a point."""
    module, rng = compiled(spec), np.random.default_rng(seed)
    x, y = rng.normal(size=(size, 2)), rng.integers(0, 2, size).astype(float)
    point = module.ravel(module.init(seed))
    return Problem(module, (x, y)), point + 0.5 * rng.normal(size=point.shape)


@pytest.fixture(scope="module")
def network() -> tuple[Problem, Array]:
    """A small tanh network for two classes: a loss that is not convex."""
    return problem(NETWORK, 20)


def graph_hessian(spec: str, params: dict[str, Array], data: dict[str, Array]) -> Array:
    """H by the interpreter: the graph's hessian by one vector that the parameters are pieces of."""
    model = load(spec)
    assert model.regularizer is not None
    loss = b.mean(model.per_example) + model.regularizer
    theta = np.concatenate([value.ravel() for value in params.values()])
    flat, pieces, at = b.parameter("flat", theta.shape), {}, 0
    for name, value in params.items():
        piece = flat[at : at + value.size]
        pieces[model.parameters[name].node] = b.reshape(piece, value.shape)
        at += value.size
    (loss,) = substitute([loss], pieces)
    return evaluate(hessian(loss, flat), {**data, "flat": theta})


def test_columns_of_products_make_the_hessian(network: tuple[Problem, Array]) -> None:
    """H e⁽ⁱ⁾, column by column, is the Hessian: by the graph's own hessian, and symmetric."""
    problem, point = network
    H = problem.columns(point)
    data = dict(zip(("x", "y"), problem.data, strict=True))
    assert error(H, graph_hessian(NETWORK, problem.module.unravel(point), data)) < 1e-12
    assert error(H, H.T) < 1e-12


def test_columns_are_differences_of_gradients(network: tuple[Problem, Array]) -> None:
    """H e⁽ⁱ⁾ = lim (∇J(θ + ε e⁽ⁱ⁾) − ∇J(θ − ε e⁽ⁱ⁾)) / 2ε."""
    problem, point = network
    step = 1e-5
    differences = [
        (problem.gradient(point + step * e) - problem.gradient(point - step * e)) / (2 * step)
        for e in np.eye(point.size)
    ]
    assert error(problem.columns(point), np.stack(differences, axis=1)) < 1e-8


def test_product_is_linear_in_its_direction(network: tuple[Problem, Array]) -> None:
    """H (2u − 3v) = 2 H u − 3 H v, since v is held fixed."""
    problem, point = network
    u, v = np.random.default_rng(0).normal(size=(2, point.size))
    ours = problem.product(point, 2 * u - 3 * v)
    assert error(ours, 2 * problem.product(point, u) - 3 * problem.product(point, v)) < 1e-12


def test_product_is_the_gradient_of_a_gradient_times_v() -> None:
    """H v = ∇[(∇J)ᵀ v] with v constant, even where v is computed from θ (equation 6.59)."""
    theta = b.parameter("theta", (3,))
    J = b.sum(theta**4) + b.prod(theta)
    v = b.input("v", (3,))
    (slope,) = gradients(J, theta)
    (by_definition,) = gradients(b.sum(slope * v), theta)
    at = np.array([0.5, -1.0, 2.0])
    expected = np.diag(12 * at**2) + np.array([[0, 2.0, -1], [2, 0, 0.5], [-1, 0.5, 0]])
    given = np.array([1.0, 2.0, -1.0])
    assert error(evaluate(by_definition, {"theta": at, "v": given}), expected @ given) < 1e-13
    moving = hvp(J, theta, b.sin(theta))
    assert error(evaluate(moving, {"theta": at}), expected @ np.sin(at)) < 1e-13


def test_extreme_eigenvalues(network: tuple[Problem, Array]) -> None:
    """scipy.sparse.linalg.eigsh finds the ends of the spectrum from products alone."""
    problem, point = network
    exact = np.linalg.eigvalsh(problem.columns(point))
    start = np.ones(point.size)
    operator = problem.operator(point)
    low, high = (eigsh(operator, k=1, which=end, v0=start)[0][0] for end in ("SA", "LA"))
    assert low == pytest.approx(exact[0], rel=1e-8)
    assert high == pytest.approx(exact[-1], rel=1e-8)
    assert low < 0 < high


def test_conjugate_gradients_solve_with_the_hessian() -> None:
    """Hx = b by cg: the Hessian of softmax regression with weight decay is positive definite."""
    module = compiled("digits_linear.toml")
    rng = np.random.default_rng(0)
    on_digits = Problem(module, (rng.uniform(size=(50, 64)), rng.integers(0, 10, 50)))
    point = 0.1 * rng.normal(size=650)
    H = on_digits.operator(point)
    assert eigsh(H, k=1, which="SA", v0=np.ones(650), tol=1e-3)[0][0] > 0
    right = rng.normal(size=650)
    x, code = cg(H, right, rtol=1e-10)
    assert code == 0
    assert error(on_digits.product(point, x), right) < 1e-8


def test_minres_solves_with_an_indefinite_hessian(network: tuple[Problem, Array]) -> None:
    """Hx = b by minres, which needs symmetry but no sign: the network's H has both signs."""
    problem, point = network
    right = np.random.default_rng(1).normal(size=point.size)
    x, code = minres(problem.operator(point), right, rtol=1e-12, maxiter=500)
    assert code == 0
    assert error(problem.product(point, x), right) < 1e-6


def test_newton_cg_reaches_a_minimum(network: tuple[Problem, Array]) -> None:
    """scipy.optimize.minimize(method="Newton-CG", jac=True, hessp=…) on loss, grads and hvp."""
    problem, start = network
    module = problem.module

    def loss_and_gradient(flat: Array) -> tuple[float, Array]:
        loss, grads = module.backward(module.unravel(flat), *problem.data)
        return float(loss), module.ravel(grads)

    found = minimize(
        loss_and_gradient, start, jac=True, hessp=problem.product, method="Newton-CG", tol=1e-10
    )
    assert np.linalg.norm(problem.gradient(found.x)) < 1e-6
    assert found.fun < loss_and_gradient(start)[0]
    assert np.linalg.eigvalsh(problem.columns(found.x))[0] > -1e-6
