"""Softmax cross-entropy in many spellings: one loss, one gradient, softmax minus the target."""

from __future__ import annotations

import pytest

from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.simplify import Simplified, simplify

Z = b.input("z", ("batch", 10))
Y = b.input("y", ("batch",), dtype="int64", labels=10)
P = b.input("p", ("batch", 10), sums_to_one=True)
T = b.input("t", ("batch", 10))
ROWS = b.arange("batch")
E = b.exp(Z)
Q = E / E.sum(1, keepdims=True)
BATCH = b.size_node("batch", "float64")


def derivative(loss: Node) -> Simplified:
    """Recognise, differentiate, simplify: the order in which a compiler does it."""
    return simplify(grad(simplify(loss, debug=True).root, Z), trace=True, debug=True)


SHIFTED = b.exp(Z - Z.max(1, keepdims=True))
LABELLED = {
    "log of quotient, indexed": -b.log(Q)[ROWS, Y].mean(),
    "log of the indexed quotient": -b.log(Q[ROWS, Y]).mean(),
    "indexed exponential over sum": -b.log(E[ROWS, Y] / E.sum(1)).mean(),
    "difference of logs": -(Z[ROWS, Y] - b.log(E.sum(1))).mean(),
    "log-sum-exp": (b.logsumexp(Z, 1) - Z[ROWS, Y]).sum() / BATCH,
    "one-hot times log": -(b.one_hot(Y, 10) * b.log(Q)).sum(1).mean(),
    "one-hot, summed at once": -(b.one_hot(Y, 10) * b.log(Q)).sum() / BATCH,
    "log of the one-hot sum": -b.log((b.one_hot(Y, 10) * Q).sum(1)).mean(),
    "einsum": -b.einsum("ij,ij->", b.one_hot(Y, 10), b.log(Q)) / BATCH,
    "max-shifted": -b.log(SHIFTED / SHIFTED.sum(1, keepdims=True))[ROWS, Y].mean(),
    "max-shifted by hand": -(Z - Z.max(1, keepdims=True) - b.log(SHIFTED.sum(1, keepdims=True)))[
        ROWS, Y
    ].mean(),
    "product with the reciprocal": -b.log(E * (1 / E.sum(1, keepdims=True)))[ROWS, Y].mean(),
    "transposed": -b.log((E.T / E.sum(1)).T)[ROWS, Y].mean(),
    "reshaped in between": -b.log(b.reshape(b.reshape(Q, ("batch", 2, 5)) * 1.0, ("batch", 10)))[
        ROWS, Y
    ].mean(),
    "reshaped inside the log": -b.reshape(b.log(b.reshape(Q, ("batch", 2, 5))), ("batch", 10))[
        ROWS, Y
    ].mean(),
    "the function": -b.log(b.softmax(Z))[ROWS, Y].mean(),
}
DENSE = {
    "sum then mean": -(P * b.log(Q)).sum(1).mean(),
    "sum over all": -(P * b.log(Q)).sum() / BATCH,
    "difference of logs": -(P * (Z - b.log(E.sum(1, keepdims=True)))).sum(1).mean(),
    "einsum": -b.einsum("ij,ij->i", P, b.log(Q)).mean(),
    "matmul": -b.trace(P @ b.log(Q).T) / BATCH,
    "the function": -(P * b.log_softmax(Z)).sum(1).mean(),
}


@pytest.mark.parametrize("spelling", LABELLED)
def test_labels_give_softmax_minus_one_hot(spelling: str) -> None:
    found = derivative(LABELLED[spelling])
    assert found.root is (b.softmax(Z) - b.one_hot(Y, 10)) / BATCH
    assert found.near_misses == ()


@pytest.mark.parametrize("spelling", DENSE)
def test_probabilities_give_softmax_minus_target(spelling: str) -> None:
    found = derivative(DENSE[spelling])
    assert found.root is (b.softmax(Z) - P) / BATCH
    assert found.assumptions == {("p", "sums_to_one")}


def test_unknown_sums_stay_and_are_named() -> None:
    found = derivative(-(T * b.log(Q)).sum(1).mean())
    kept = (b.softmax(Z) * T.sum(1, keepdims=True) - T) / BATCH
    assert found.root is kept
    assert [str(miss) for miss in found.near_misses] == [
        "softmax_minus_target not applied: Σt = 1 unknown, t is not declared sums_to_one"
    ]
    assert found.assumptions == frozenset()
