"""A small transformer learns to write like Python's own documentation, one character at a time.

Its loss on text that it was not trained on is held against what the best tables of single
characters and of pairs of them reach, in nats a character, and the norms of the examples' own
gradients tell which stretch of the text it finds oddest.
"""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

import symdiff

HERE = Path(__file__).parent
KNOWN = " abcdefghijklmnopqrstuvwxyz.,()"  # and one code for all other characters
TIME, BATCH, STEPS, HELD_OUT = 32, 32, 400, 64


def read() -> tuple[str, np.ndarray]:
    """The text in small letters, and its characters' codes."""
    text = " ".join(" ".join(topics[name].lower().split()) for name in sorted(topics))
    code = {character: i for i, character in enumerate(KNOWN)}
    return text, np.array([code.get(character, len(KNOWN)) for character in text])


def tables(codes: np.ndarray) -> tuple[float, float]:
    """The entropy of a character, alone and after the one before it."""
    pairs = np.zeros((len(KNOWN) + 1, len(KNOWN) + 1))
    np.add.at(pairs, (codes[:-1], codes[1:]), 1 / (len(codes) - 1))

    def entropy(p: np.ndarray) -> float:
        return float(-np.sum(p[p > 0] * np.log(p[p > 0])))

    single = entropy(pairs.sum(axis=1))
    return single, entropy(pairs) - single


def windows(codes: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of the text, and the same one character on."""
    places = starts[:, None] + np.arange(TIME)
    return codes[places], codes[places + 1]


def main() -> None:
    """Train with Adam (Kingma and Ba 2015); print losses and norms."""
    net = symdiff.compile(HERE / "transformer.toml")
    text, codes = read()
    single, pair = tables(codes)
    print(f"tables of single characters {single:.3f}, of pairs {pair:.3f}")

    rng = np.random.default_rng(0)
    held_out = windows(codes, TIME * np.arange(HELD_OUT))
    params = net.init(seed=0)
    moments = {name: (np.zeros_like(p), np.zeros_like(p)) for name, p in params.items()}
    print(f"loss before {net.loss(params, *held_out):.3f}")
    for step in range(STEPS):
        starts = rng.integers(TIME * (HELD_OUT + 1), len(codes) - TIME, BATCH)
        _, grads = net.backward(params, *windows(codes, starts))
        rate = 0.01 * min((step + 1) / 50, (STEPS - step) / (STEPS - 50))
        for name, grad in grads.items():
            first, second = moments[name]
            first += 0.1 * (grad - first)
            second += 0.02 * (grad**2 - second)
            params[name] -= rate * first / (np.sqrt(second) + 1e-6)
    print(f"loss after  {net.loss(params, *held_out):.3f}")

    norms = net.per_example_norms(params, *held_out)
    for said, j in (("least odd", np.argmin(norms)), ("oddest", np.argmax(norms))):
        print(f"{said}: {text[TIME * j : TIME * (j + 1)]!r}, norm {norms[j]:.2f}")


if __name__ == "__main__":
    main()
