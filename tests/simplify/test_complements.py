"""1 − p of a softmax, where p rounds to 1: from the other probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify.complements import complement, complements

z = b.input("z", (3, 4))
k = b.input("k", (3,), dtype="int64", labels=4)
hot = b.input("hot", (3, 4), one_hot=True)
mask = b.input("mask", (3, 4), zero_or_one=True)
q, log_q = b.softmax(z), b.log_softmax(z)
rows = b.arange(3)
picked = b.einsum("ij,ij->i", hot, q)
VALUES: dict[str | Node, Any] = {
    "z": np.array([[40.0, 0.0, -1.0, 1.0], [0.3, -50.0, 60.0, 1.0], [0.1, 0.2, 0.3, 0.4]]),
    "k": np.array([0, 2, 1]),
    "hot": np.eye(4)[[0, 2, 1]],
    "mask": np.eye(4)[[0, 2, 1]],
}
OTHERS = np.exp(VALUES["z"] - VALUES["z"].max(1, keepdims=True))
LESS = (OTHERS.sum(1) - OTHERS[range(3), VALUES["k"]]) / OTHERS.sum(1)
LESS[:2] = [np.exp(-40) + np.exp(-41) + np.exp(-39), np.exp(-59.7) + np.exp(-110) + np.exp(-59)]

ROWS = {
    "by a label": 1 - q[rows, k],
    "by a one-hot array": 3 - 3 * picked,
    "below a power": (1 - q[rows, k]) ** 2,
    "beside others": 1 + b.sum(z, 1) - q[rows, k],
    "of each": b.einsum("ij,ij->i", 1 - q, hot),
    "its logarithm": log_q[rows, k] * (1 - picked),
}
EXPECTED = {
    "by a label": LESS,
    "by a one-hot array": 3 * LESS,
    "below a power": LESS**2,
    "beside others": LESS + VALUES["z"].sum(1),
    "of each": LESS,
    "its logarithm": np.log1p(-LESS) * LESS,
}


@pytest.mark.parametrize("name", ROWS)
def test_complements_keep_their_digits(name: str) -> None:
    (made,) = complements([ROWS[name]])
    np.testing.assert_allclose(evaluate(made, VALUES), EXPECTED[name], rtol=1e-13)


def test_every_complement() -> None:
    (value,) = evaluate([complement(q)], VALUES)
    np.testing.assert_allclose(value[[0, 1, 2], VALUES["k"]], LESS, rtol=1e-13)
    np.testing.assert_allclose(value, 1 - evaluate(q, VALUES), rtol=0, atol=1e-15)


def test_differences_beside_a_function_of_the_logits() -> None:
    """The slope of a power of the label's probability."""
    power = b.exp(0.7 * log_q[rows, k])[:, None]
    (made,) = complements([power * (q - b.one_hot(k, 4))])
    found = evaluate(made, VALUES)
    expected = -LESS * np.exp(0.7 * np.log1p(-LESS))
    np.testing.assert_allclose(found[[0, 1, 2], VALUES["k"]], expected, rtol=1e-13)
    alone = b.exp(b.sum(z[:, :1], 1))[:, None] * (q - b.one_hot(k, 4))
    assert complements([alone]) == [alone]


@pytest.mark.parametrize("label", [hot, mask])
def test_differences_from_labels_follow(label: Node) -> None:
    (made,) = complements([(1 - picked)[:, None] * (q - label)])
    found = evaluate(made, VALUES)
    np.testing.assert_allclose(found[[0, 1, 2], VALUES["k"]], -(LESS**2), rtol=1e-13)


@pytest.mark.parametrize(
    "node",
    [
        q - hot,
        2 - q,
        1 + q,
        1 - b.sigmoid(z),
        1 - b.einsum("ij,ij->i", mask, q),
        1 - b.einsum("ij,ij->j", hot, q),
        log_q[rows, k],
    ],
)
def test_others_are_left_alone(node: Node) -> None:
    assert complements([node]) == [node]


def test_the_slope_of_cross_entropy_stays_short() -> None:
    text = "-sum(log(softmax(z)[k]))"
    found = sd.derive(text, wrt="z", shapes={"z": (4,)}, facts={"k": {"labels": 4}})
    assert complements([found.derivative_node]) == [found.derivative_node]
    assert "where" not in {node.op for node in toposort([found.derivative_node])}


@pytest.mark.parametrize(
    "picked",
    [
        "(np.exp(z) / np.sum(np.exp(z)))[k]",
        "np.exp(log_softmax(z)[k])",
        "np.exp((z - np.log(np.sum(np.exp(z))))[k])",
        "np.exp(z[k] - logsumexp(z))",
    ],
)
def test_unlikelihood_of_a_sure_label(picked: str) -> None:
    """∇(−log(1 − q_k)) is 1 at k, and minus the shares of the others, where q_k rounds to 1."""
    found = sd.derive(f"-np.log(1 - {picked})", "z", {"z": (4,)}, {"k": {"labels": 4}})
    z = np.array([0.0, 0.0, 100.0, 9.0])
    shares = np.exp(z) * [1, 1, 0, 1] / (2 + np.exp(9.0))
    wanted = np.where(np.arange(4) == 2, 1, -shares)
    np.testing.assert_allclose(found.derivative(z=z, k=np.array(2)), wanted, rtol=1e-12)
