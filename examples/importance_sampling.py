"""Training on the examples that matter: importance sampling by gradient norm.

Of all ways to draw examples, p_j ∝ ‖g_j‖ with weights 1/(N p_j) gives the unbiased estimate of the
mean gradient that varies least.  The norms of all N examples cost little more than a gradient
(Goodfellow 2015, *Efficient Per-Example Gradient Computations*), so p can be computed afresh at
every step.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent
STEPS, BATCH, RATE = 300, 16, 0.1


def train(
    net: ModuleType, x: NDArray[np.float64], y: NDArray[np.int64], by_norm: bool
) -> dict[str, NDArray[np.float64]]:
    """Parameters after STEPS steps on BATCH examples each, drawn uniformly or by gradient norm."""
    rng, params, ones = np.random.default_rng(0), net.init(seed=0), np.ones(len(x))
    for _ in range(STEPS):
        norms = net.per_example_norms(params, x, y, ones) if by_norm else ones
        p = norms / norms.sum()
        rows = rng.choice(len(x), BATCH, p=p)
        _, grads = net.backward(params, x[rows], y[rows], 1 / (len(x) * p[rows]))
        for name, grad in grads.items():
            params[name] -= RATE * grad
    return params


def main() -> None:
    """Train both ways, and compare the losses and how far a drawn gradient strays."""
    net = symdiff.compile(HERE / "importance.toml")
    images, labels = load_digits(return_X_y=True)
    x, y, ones = images / 16, labels, np.ones(len(images))
    print(f"loss at the start          {net.loss(net.init(seed=0), x, y, ones):.4f}")
    for by_norm in (False, True):
        params = train(net, x, y, by_norm)
        how = "drawn by gradient norm" if by_norm else "drawn uniformly"
        print(f"loss, {how:22} {net.loss(params, x, y, ones):.4f}")

    # Of one drawn gradient g, E‖g − mean‖² = E‖g‖² − ‖mean‖², for either way of drawing.
    norms = net.per_example_norms(params, x, y, ones)
    _, grads = net.backward(params, x, y, ones)
    mean_squared = sum(np.sum(grad**2) for grad in grads.values())
    uniform = np.mean(norms**2) - mean_squared
    by_norms = np.mean(norms) ** 2 - mean_squared
    print(f"variance of a drawn gradient: {uniform:.4f} uniformly, {by_norms:.4f} by norm")


if __name__ == "__main__":
    main()
