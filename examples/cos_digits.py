"""A network of cosines, h = cos(x W + b), learns to read digits (Deep Learning, section 6.3.3).

The activation function is one line of the spec; its derivative is derived like any other.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent
EPOCHS, BATCH, RATE, HELD_OUT = 30, 32, 0.1, 360


def main() -> None:
    """Train by mini-batch gradient descent; print the loss and the held-out accuracy."""
    net = symdiff.compile(HERE / "cos_digits.toml")
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(images))
    x, y = (images[order] / 16).astype(np.float32), labels[order]
    x_train, y_train = x[HELD_OUT:], y[HELD_OUT:]

    params = net.init(seed=0)
    print(f"loss before {net.loss(params, x_train, y_train):.4f}")
    for _ in range(EPOCHS):
        for rows in np.array_split(rng.permutation(len(x_train)), len(x_train) // BATCH):
            _, grads = net.backward(params, x_train[rows], y_train[rows])
            for name, grad in grads.items():
                params[name] -= RATE * grad
    print(f"loss after  {net.loss(params, x_train, y_train):.4f}")
    right = net.forward(params, x[:HELD_OUT]).argmax(axis=1) == y[:HELD_OUT]
    print(f"accuracy {right.mean():.3f}")


if __name__ == "__main__":
    main()
