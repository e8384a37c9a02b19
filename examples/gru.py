"""A recurrent network learns to spell the words of Python's own documentation, letter by letter.

Each step clips the words' own gradients, of which those of odd words are the longest.  The loss on
words that it was not trained on is held against that of a table of pairs of letters, in nats a
letter; then the network writes words of its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from pydoc_data.topics import topics
from types import ModuleType

import numpy as np

import symdiff

HERE = Path(__file__).parent
LETTERS = " abcdefghijklmnopqrstuvwxyz"
LONGEST, BATCH, STEPS, HELD_OUT = 14, 64, 200, 256

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def read() -> list[str]:
    """The words, each once, in an order that means nothing."""
    text = " ".join(topics[name].lower() for name in sorted(topics))
    words = sorted(set(re.findall(r"\b[a-z]{3,14}\b", text)))
    return [words[i] for i in np.random.default_rng(0).permutation(len(words))]


def encode(words: list[str]) -> Data:
    """The letters that each step sees, the words' lengths, the letters to come (-1: none)."""
    seen = np.zeros((len(words), LONGEST + 1), dtype=int)
    following = np.full(seen.shape, -1)
    for i, word in enumerate(words):
        codes = [LETTERS.index(letter) for letter in word]
        seen[i, 1 : len(word) + 1] = codes
        following[i, : len(word) + 1] = [*codes, 0]
    return seen, np.array([len(word) + 1 for word in words]), following


def pairs_loss(train: Data, held_out: Data) -> float:
    """The loss of a table of pairs, in which every pair is counted once more than it was seen."""
    counts = np.ones((len(LETTERS), len(LETTERS)))
    seen, _, following = train
    there = following >= 0
    np.add.at(counts, (seen[there], following[there]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    seen, _, following = held_out
    there = following >= 0
    return float(-np.log(shares[seen[there], following[there]]).mean())


def write(net: ModuleType, params: dict[str, np.ndarray], rng: np.random.Generator) -> str:
    """A word, each letter drawn as the network has it."""
    word = ""
    while len(word) < LONGEST:
        seen, length, _ = encode([word])
        scores = net.forward(params, seen, length)[0, len(word)].astype(float)
        shares = np.exp(scores - scores.max())
        letter = LETTERS[rng.choice(len(LETTERS), p=shares / shares.sum())]
        if letter == " ":
            break
        word += letter
    return word


def main() -> None:
    """Train with Adam (Kingma and Ba 2015); print losses, odd words and new ones."""
    net = symdiff.compile(HERE / "gru.toml")
    words = read()
    held_out, train = encode(words[:HELD_OUT]), encode(words[HELD_OUT:])
    letters = int((held_out[2] >= 0).sum())

    def loss() -> float:
        return float(net.loss(params, *held_out)) * HELD_OUT / letters

    rng = np.random.default_rng(0)
    params = net.init(seed=0)
    moments = {name: (np.zeros_like(p), np.zeros_like(p)) for name, p in params.items()}
    print(f"table of pairs {pairs_loss(train, held_out):.3f}")
    print(f"loss before {loss():.3f}")
    for step in range(STEPS):
        rows = rng.choice(len(train[1]), BATCH, replace=False)
        _, grads, _ = net.clipped_backward(params, *(part[rows] for part in train), 10.0)
        rate = 0.01 * min((step + 1) / 30, (STEPS - step) / (STEPS - 30))
        for name, grad in grads.items():
            first, second = moments[name]
            first += 0.1 * (grad - first)
            second += 0.02 * (grad**2 - second)
            params[name] -= rate * first / (np.sqrt(second) + 1e-6)
    print(f"loss after  {loss():.3f}")

    norms = net.per_example_norms(params, *held_out)
    order = np.argsort(norms)
    for said, places in (("least odd", order[:4]), ("oddest", order[-4:])):
        print(f"{said}: {', '.join(f'{words[j]} {norms[j]:.1f}' for j in places)}")
    print("new:", ", ".join(write(net, params, rng) for _ in range(8)))


if __name__ == "__main__":
    main()
