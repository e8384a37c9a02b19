"""Batch gradient descent on the averaged loss of a two-layer classifier of three spirals.

All examples enter each step, as in the lectures' Algorithm 1.  Started from zero it stalls: the
hidden units answer 0, which leaves W2 without a gradient, and W2 = 0 leaves W1 and b1 without one.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

import symdiff as sd

HERE = Path(__file__).parent


def spirals(arm: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Points on three arms that wind around each other, and the number of each one's arm."""
    rng = np.random.default_rng(0)
    radius = np.tile(np.linspace(0.05, 1, arm), 3)
    y = np.repeat(np.arange(3), arm)
    angle = 4 * radius + 2 * np.pi / 3 * y + rng.normal(0, 0.1, 3 * arm)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def descend(module: ModuleType, params: dict, x: np.ndarray, y: np.ndarray, steps: int) -> dict:
    """Forward, backward, update, on all examples at once."""
    for step in range(steps):
        loss, grads = module.backward(params, x, y)
        if step % (steps // 4) == 0:
            print(f"  step {step:4d}  loss {loss:.4f}")
        params = {name: value - 0.5 * grads[name] for name, value in params.items()}
    return params


def main() -> None:
    """Train from a random start and from zero; print the losses and the accuracies."""
    module = sd.compile(HERE / "two_layer_softmax.toml")
    x, y = spirals()
    starts = {"random": module.init(seed=0)}
    starts["zero"] = {name: np.zeros_like(value) for name, value in starts["random"].items()}
    for name, start in starts.items():
        print(f"from a {name} start:")
        params = descend(module, start, x, y, 1000)
        right = np.mean(module.forward(params, x).argmax(axis=1) == y)
        print(f"  loss {module.loss(params, x, y):.4f}, accuracy {right:.2f}")


if __name__ == "__main__":
    main()
