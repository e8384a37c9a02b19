"""A network that says how sure it is: heads for a mean and for a precision, trained together.

The targets are sin(x) with noise that is small for negative x and large for positive x; the
network finds both from the targets alone, by Adam (Kingma and Ba 2014) on the emitted gradient.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

import symdiff as sd

HERE = Path(__file__).parent


def spread(x: np.ndarray) -> np.ndarray:
    """The standard deviation of the noise."""
    return np.where(x < 0, 0.1, 0.5)


def samples(m: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (m, 1) and noisy targets (m,)."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.5, 2.5, m)
    return x[:, None], np.sin(x) + spread(x) * rng.normal(size=m)


def train(module: ModuleType, x: np.ndarray, t: np.ndarray, steps: int = 1500) -> dict:
    """Parameters after Adam on all samples at once."""
    params = module.init(seed=0)
    theta, first, second = module.ravel(params), 0.0, 0.0
    for step in range(1, steps + 1):
        loss, grads = module.backward(module.unravel(theta), x, t)
        if step % 500 == 1:
            print(f"  step {step:4d}  loss {loss:+.3f}")
        g = module.ravel(grads)
        first, second = 0.9 * first + 0.1 * g, 0.99 * second + 0.01 * g**2
        scale = np.sqrt(second / (1 - 0.99**step)) + 1e-8
        theta = theta - 0.02 * first / (1 - 0.9**step) / scale
    return module.unravel(theta)


def main() -> None:
    """Print the loss as it falls, and the learned mean and spread beside the true ones."""
    module = sd.compile(HERE / "heads_mu_beta.toml")
    x, t = samples()
    params = train(module, x, t)
    print(f"  trained    loss {module.loss(params, x, t):+.3f}")
    at = np.linspace(-2, 2, 8)
    found = module.forward(params, at[:, None])
    print("     x   sin x     mu   spread   1/sqrt(beta)")
    for row in zip(at, np.sin(at), found["mu"], spread(at), found["beta"] ** -0.5, strict=True):
        print("{:6.2f} {:7.2f} {:6.2f} {:8.2f} {:14.2f}".format(*row))


if __name__ == "__main__":
    main()
