"""Newton's method without a Hessian: scipy.optimize.minimize on an emitted module.

``backward`` gives the loss and its gradient (jac=True), ``hvp`` the products that Newton-CG solves
its inner systems with; ``ravel`` and ``unravel`` join parameters to the flat vectors of SciPy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent
Vector = NDArray[np.float64]


def main() -> None:
    """Fit softmax regression to its minimum, and compare with gradient descent."""
    net = symdiff.compile(HERE / "digits_linear.toml")
    images, labels = load_digits(return_X_y=True)
    x, y = images / 16, labels

    def loss_and_gradient(flat: Vector) -> tuple[float, Vector]:
        loss, grads = net.backward(net.unravel(flat), x, y)
        return float(loss), net.ravel(grads)

    def product(flat: Vector, v: Vector) -> Vector:
        return net.ravel(net.hvp(net.unravel(flat), net.unravel(v), x, y))

    start = net.ravel(net.init())
    found = minimize(
        loss_and_gradient,
        start,
        jac=True,
        hessp=product,
        method="Newton-CG",
        options={"xtol": 1e-10},
    )
    norm = np.linalg.norm(loss_and_gradient(found.x)[1])
    print(
        f"Newton-CG: {found.nit} steps, {found.nfev} gradients and {found.nhev} products: "
        f"loss {found.fun:.6f}, gradient norm {norm:.1e}"
    )

    flat, evaluations = start, found.nfev + found.nhev
    for _ in range(evaluations):
        flat = flat - 0.5 * loss_and_gradient(flat)[1]
    loss, gradient = loss_and_gradient(flat)
    print(
        f"gradient descent, {evaluations} gradients: "
        f"loss {loss:.6f}, gradient norm {np.linalg.norm(gradient):.1e}"
    )


if __name__ == "__main__":
    main()
