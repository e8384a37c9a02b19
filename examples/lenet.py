"""LeNet learns to read digits, and its per-example gradient norms say which it finds hard.

An image that is read wrongly, or only just rightly, has a large gradient; those come with the
gradient itself in one pass, convolutions and all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent
EPOCHS, BATCH, RATE, HELD_OUT = 12, 32, 0.2, 360


def main() -> None:
    """Train by mini-batch gradient descent; print the loss, the accuracy and the norms."""
    net = symdiff.compile(HERE / "lenet.toml")
    data = load_digits()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(data.images))
    x = (data.images[order, None] / 16).astype(np.float32)  # (examples, 1 channel, 8, 8)
    y = data.target[order]
    x_train, y_train = x[HELD_OUT:], y[HELD_OUT:]

    params = net.init(seed=0)
    print(f"loss before {net.loss(params, x_train, y_train):.4f}")
    for _ in range(EPOCHS):
        for rows in np.array_split(rng.permutation(len(x_train)), len(x_train) // BATCH):
            _, grads = net.backward(params, x_train[rows], y_train[rows])
            for name, grad in grads.items():
                params[name] -= RATE * grad
    print(f"loss after  {net.loss(params, x_train, y_train):.4f}")

    read = net.forward(params, x[:HELD_OUT]).argmax(axis=1)
    wrong = read != y[:HELD_OUT]
    print(f"accuracy {1 - wrong.mean():.3f}")
    norms = net.per_example_norms(params, x[:HELD_OUT], y[:HELD_OUT])
    print(f"gradient norm, median of those read wrongly {np.median(norms[wrong]):.3f}")
    print(f"gradient norm, median of those read rightly {np.median(norms[~wrong]):.3f}")


if __name__ == "__main__":
    main()
