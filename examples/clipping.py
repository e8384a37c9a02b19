"""Clipped gradients: no example may contribute more than a bound, and none needs a second pass.

Each example's gradient is scaled by min(1, C/‖g_j‖).  Back-propagation is linear in what flows
back from each example, so that rescaling rows and repeating the last product is all it takes
(Goodfellow 2015, section 6); differential privacy and robustness to bad data both ask for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import symdiff

HERE = Path(__file__).parent
BOUND = 5.0


def main() -> None:
    """One corrupt image among 200 drowns the gradient, but not the clipped one."""
    net = symdiff.compile(HERE / "digits.toml")
    images, labels = load_digits(return_X_y=True)
    x, y = (images[:200] / 16).astype(np.float32), labels[:200]
    corrupt = x.copy()
    corrupt[0] = 1000 * (1 - x[0])
    params = net.init(seed=0)
    norms = net.per_example_norms(params, corrupt, y)
    print(f"gradient norms: median {np.median(norms):.2f}, of the corrupt image {norms[0]:.2f}")

    def cosine(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
        a_flat, b_flat = net.ravel(a), net.ravel(b)
        return float(a_flat @ b_flat / np.linalg.norm(a_flat) / np.linalg.norm(b_flat))

    _, clean = net.backward(params, x[1:], y[1:])
    _, plain = net.backward(params, corrupt, y)
    _, clipped, _ = net.clipped_backward(params, corrupt, y, BOUND)
    print(f"cosine with the gradient of the other images: plain   {cosine(plain, clean):.3f}")
    print(f"                                              clipped {cosine(clipped, clean):.3f}")


if __name__ == "__main__":
    main()
