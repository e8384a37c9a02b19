"""The exclusive or, as in section 6.1 of Deep Learning (Goodfellow, Bengio, Courville 2016).

A linear model answers 1/2 everywhere; two relu units answer exactly; and stochastic gradient
descent finds such an answer from a random start.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import symdiff as sd

HERE = Path(__file__).parent
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])


def main() -> None:
    """Print what the three networks answer on the four points."""
    linear = sd.compile(HERE / "xor_linear.toml")
    start = {"w": np.zeros(2), "b": np.zeros(())}
    _, grads = linear.backward(start, X, Y)
    unit = [linear.unravel(column) for column in np.eye(3)]
    hessian = [linear.ravel(linear.hvp(start, v, X, Y)) for v in unit]
    best = linear.unravel(np.linalg.solve(hessian, -linear.ravel(grads)))
    w, b = np.round(best["w"], 12) + 0.0, float(best["b"])
    print(f"the normal equations of the linear model: w = {w}, b = {b:.2f}")

    xor = sd.compile(HERE / "xor.toml")
    book = {
        "W": np.ones((2, 2)),
        "c": np.array([0.0, -1.0]),
        "w": np.array([1.0, -2.0]),
        "b": np.array(0.0),
    }
    print(f"the book's W, c, w, b answer {xor.forward(book, X)}")

    params, rng = xor.init(seed=0, hidden=8), np.random.default_rng(0)
    for step in range(2001):
        if step % 500 == 0:
            print(f"  step {step:4d}  loss {xor.loss(params, X, Y):.2e}")
        row = rng.integers(4, size=1)
        _, grads = xor.backward(params, X[row], Y[row])
        params = {name: value - 0.05 * grads[name] for name, value in params.items()}
    print(f"stochastic gradient descent answers {np.round(xor.forward(params, X), 3) + 0.0}")


if __name__ == "__main__":
    main()
