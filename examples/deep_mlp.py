"""A five-layer network trained by stochastic gradient descent, three ways.

Every update is theta <- theta - rate * gradient of the averaged loss; the examples that are
averaged over are one, ten, or all of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import symdiff as sd

HERE = Path(__file__).parent
SCHEDULES = {"one example at a time": (1, 60, 0.05), "mini-batches of 10": (10, 80, 0.3)}
SCHEDULES |= {"full batch": (60, 300, 0.5)}


def two_moons(m: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Points on two half circles that reach into each other, and which one each is on."""
    rng = np.random.default_rng(0)
    y = np.arange(m) % 2
    angle = rng.uniform(0, np.pi, m)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * (1 - 2 * y)[:, None]
    return x + np.outer(y, [1, 0.5]) + 0.05 * rng.normal(size=(m, 2)), y


def main() -> None:
    """Print the loss before and after each schedule, and the accuracy."""
    module, (x, y) = sd.compile(HERE / "deep_mlp.toml"), two_moons()
    for name, (batch, epochs, rate) in SCHEDULES.items():
        params, rng = module.init(seed=0), np.random.default_rng(1)
        before = module.loss(params, x, y)
        for _ in range(epochs):
            for rows in np.split(rng.permutation(len(y)), len(y) // batch):
                _, grads = module.backward(params, x[rows], y[rows])
                params = {name: value - rate * grads[name] for name, value in params.items()}
        right = np.mean(module.forward(params, x).argmax(axis=1) == y)
        after = module.loss(params, x, y)
        print(f"{name}: loss {before:.3f} -> {after:.3f}, accuracy {right:.2f}")


if __name__ == "__main__":
    main()
