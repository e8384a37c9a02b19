"""Linear systems with the Hessian, H x = b, by methods that only ask for products H v.

Conjugate gradients need a positive definite H, which softmax regression with weight decay has;
MINRES only needs a symmetric one.  One solve with b = ∇J is Newton's step.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg, minres
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent


def main() -> None:
    """Solve for Newton's step at the start, and take it."""
    net = symdiff.compile(HERE / "digits_linear.toml")
    images, labels = load_digits(return_X_y=True)
    x, y = images / 16, labels
    params = net.init()
    loss, grads = net.backward(params, x, y)
    gradient, products = net.ravel(grads), 0

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal products
        products += 1
        return net.ravel(net.hvp(params, net.unravel(v.ravel()), x, y))

    hessian = LinearOperator((gradient.size,) * 2, matvec=product, dtype=np.float64)
    for solve in (cg, minres):
        products = 0
        step, code = solve(hessian, gradient, rtol=1e-8)
        assert code == 0
        used = products
        residual = np.linalg.norm(product(step) - gradient) / np.linalg.norm(gradient)
        after = net.loss(net.unravel(net.ravel(params) - step), x, y)
        print(
            f"{solve.__name__:6} {used} products for {gradient.size} unknowns, residual "
            f"{residual:.1e}; Newton's step takes the loss from {loss:.4f} to {after:.4f}"
        )


if __name__ == "__main__":
    main()
