"""The ends of a Hessian's spectrum, from Hessian-vector products alone.

The emitted ``hvp`` is a linear operator to SciPy: Lanczos' method finds the largest and smallest
eigenvalues of a matrix that is never formed.  The largest bounds the stable step of gradient
descent, 2/λ; a negative one is a direction in which the loss falls away faster and faster.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent


def main() -> None:
    """Print both ends of the spectrum at the start and after some training."""
    net = symdiff.compile(HERE / "low_rank.toml")
    images, labels = load_digits(return_X_y=True)
    x, y = images[:500] / 16, labels[:500]
    params = net.init(seed=0)
    size = net.ravel(params).size

    for steps in (0, 200):
        for _ in range(steps):
            _, grads = net.backward(params, x, y)
            params = {name: params[name] - 0.2 * grads[name] for name in params}

        def product(v: NDArray[np.float64], at: dict[str, np.ndarray] = params) -> np.ndarray:
            return net.ravel(net.hvp(at, net.unravel(v.ravel()), x, y))

        hessian = LinearOperator((size, size), matvec=product, dtype=np.float64)
        low, high = (
            eigsh(hessian, k=1, which=end, v0=np.ones(size), tol=1e-4, return_eigenvectors=False)[0]
            for end in ("SA", "LA")
        )
        print(
            f"after {steps:3} steps: loss {net.loss(params, x, y):.3f}, {size} eigenvalues "
            f"from {low:.4f} to {high:.4f}, stable steps up to {2 / high:.2f}"
        )


if __name__ == "__main__":
    main()
