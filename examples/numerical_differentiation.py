"""Numerical differentiation checks the analytic gradient, and shows why one wants the latter.

By the definition of the derivative, (J(θ + ε e⁽ⁱ⁾) − J(θ)) / ε: d parameters cost d + 1 evaluations
of the loss, for about half of the digits.  ``backward`` costs a few evaluations, whatever d.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent


def main() -> None:
    """Compare the gradients of a network of parametric rectified units."""
    net = symdiff.compile(HERE / "prelu.toml")
    images, labels = load_digits(return_X_y=True)
    x, y = images[:20] / 16, labels[:20]
    params = net.init(seed=0)
    _, grads = net.backward(params, x, y)

    point, step, evaluations = net.ravel(params), np.sqrt(np.finfo(float).eps), 1
    here, numeric = net.loss(params, x, y), np.empty(point.size)
    for i in range(point.size):
        moved = point.copy()
        moved[i] += step
        numeric[i] = (net.loss(net.unravel(moved), x, y) - here) / step
        evaluations += 1

    for name, difference in net.unravel(np.abs(numeric - net.ravel(grads))).items():
        print(f"d_{name:5} {grads[name].size:5} entries, largest difference {difference.max():.1e}")
    print(f"{point.size} parameters took {evaluations} evaluations of the loss; backward, one call")


if __name__ == "__main__":
    main()
