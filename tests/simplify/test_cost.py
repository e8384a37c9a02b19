"""What nodes cost."""

from __future__ import annotations

import pytest
import sympy

from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr import movement
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.simplify.contraction import plan
from symdiff.simplify.cost import FLOPS, FUNCTION, at, bytes_moved, elements, flops, total

X = b.input("x", (8, 5))
IDS = b.input("ids", (8, 2), "int64")


def test_every_operation_has_a_cost() -> None:
    assert FLOPS.keys() == OPS.keys()


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (X + 2, 40),
        (X - b.tanh(X), 40),
        (2 * X - 3 * b.tanh(X), 120),
        (-X, 0),
        (X * b.tanh(X), 40),
        (3 * X, 40),
        (X**2, 40),
        (X**3, 80),
        (b.sqrt(X), 40),
        (1 / X, 40),
        (X**0.3, 40 * FUNCTION),
        (b.relu(X), 40),
        (b.exp(X), 40 * FUNCTION),
        (X.T, 0),
        (b.broadcast_to(X, (3, 8, 5)), 0),
        (b.sum(X), 40),
        (b.max(X, axis=1), 40),
        (X @ b.input("w", (5, 7)), 2 * 8 * 5 * 7),
        (X @ X.T, 2 * 8 * 5 * 8),
        (b.softmax(X), 40 * (FUNCTION + 4)),
        (b.reshape(X, (40,)), 0),
        (X[1:], 0),
        (movement.take(X, IDS, 1), 0),
        (movement.scatter_add(b.input("g", (8, 2)), IDS, 5, 1), 16),
    ],
    ids=lambda v: v.op if isinstance(v, Node) else str(v),
)
def test_arithmetic(node: Node, expected: int) -> None:
    assert flops(node) == expected


def test_broadcast_powers_are_counted_at_their_own_size() -> None:
    scale = b.input("scale", (5,))
    assert flops(X / scale**2) == 40 + 5


def test_traffic_is_read_and_written_once() -> None:
    y = b.input("y", (8, 5), "float32")
    assert bytes_moved(b.exp(X)) == 2 * 8 * 40
    assert bytes_moved(b.exp(y)) == 2 * 4 * 40
    assert bytes_moved(X * X.T[0, 0] * b.tanh(X)) > 2 * 8 * 40
    assert bytes_moved(X @ X.T) == 8 * (40 + 64)
    assert bytes_moved(X.T) == bytes_moved(X) == bytes_moved(b.reshape(X, (40,))) == 0


def test_symbolic_sizes_give_polynomials() -> None:
    n, d, p = sympy.symbols("batch d p", integer=True, nonnegative=True)
    w = b.parameter("W", ("d", "p"))
    z = b.input("x", ("batch", "d")) @ w
    assert flops(z) == 2 * n * d * p
    assert elements(z) == n * p
    loss = b.sum(z * z)
    both = total(plan(gradients(loss, [w])), flops)
    assert sympy.expand(both - (4 * n * d * p)).coeff(n * d * p) == 0
    assert at(flops(z), {"batch": 2, "d": 3, "p": 4}) == 48


def test_unknown_sizes_take_nominal_values() -> None:
    z = b.input("x", ("batch", "d")) @ b.parameter("W", ("d", 10))
    assert at(flops(z)) == 2 * 128 * 64 * 10
    assert at(flops(z), {"d": 5}) == 2 * 128 * 5 * 10


def test_shared_nodes_count_once() -> None:
    e = b.exp(X)
    assert total([e, e + 1, e * e], flops) == flops(e) + flops(e + 1) + flops(e * e)


def test_numbers_stay_numbers() -> None:
    assert isinstance(total([b.softmax(X @ X.T)], flops), int)
