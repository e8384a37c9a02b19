"""Differences from a mean keep the digits that the rounding of the mean would cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify.centring import centred_twice

x, c = b.input("x", (7,)), b.input("c", (7,))
A = b.input("A", (3, 7))
soft = b.softmax(A)
less = x - b.mean(x)
OFFSETS = np.array([1.0, 2.0, 4.5, 7.0, 3.0, 0.3, -2.1])
ROWS = np.stack([OFFSETS, OFFSETS[::-1], OFFSETS**2])
CENTRED: dict[str, tuple[Node, Callable[[Any, Any], Any]]] = {
    "differences": (x - b.mean(x), lambda x, A: x - x.mean()),
    "twice": (2 * x - 2 * b.mean(x), lambda x, A: 2 * (x - x.mean())),
    "beside a weight": (b.exp(x - b.mean(x)), lambda x, A: np.exp(x - x.mean())),
    "rows": (
        A - b.mean(A, 1, keepdims=True),
        lambda x, A: A - A.mean(1, keepdims=True),
    ),
    "columns": (A - b.mean(A, 0), lambda x, A: A - A.mean(0)),
    "all": (A - b.mean(A), lambda x, A: A - A.mean()),
}


@pytest.mark.parametrize("name", CENTRED)
def test_an_offset_changes_nothing(name: str) -> None:
    node, expected = CENTRED[name]
    (made,) = centred_twice([node])
    far, rows = OFFSETS + 1e8, ROWS + 1e8
    exact = expected((far - 1e8).astype(np.longdouble), (rows - 1e8).astype(np.longdouble))
    np.testing.assert_allclose(
        evaluate(made, {"x": far, "A": rows}), exact.astype(float), rtol=1e-13, atol=1e-14
    )


@pytest.mark.parametrize(
    "node",
    [
        b.einsum("i,i->", less, less),
        soft - b.mean(soft, 1, keepdims=True),
        x * c - b.mean(x * c),
        x - b.mean(c),
        x - 2 * b.mean(x),
    ],
)
def test_where_there_is_nothing_to_lose(node: Node) -> None:
    assert centred_twice([node]) == [node]


def test_squares_share_what_is_computed() -> None:
    (made,) = centred_twice([less / b.sqrt(b.sum(less**2))])
    assert sum(node.op == "slice" for node in toposort([made])) == 1
