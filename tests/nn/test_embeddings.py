"""Embeddings and bags of them, by loops over their entries."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.shapes import ShapeError
from symdiff.nn.embeddings import embedding, embedding_bag
from tests.oracles import check_derivatives

RNG = np.random.default_rng(5)
TABLE = RNG.normal(size=(5, 3))
IDS = np.array([[1, 1, 4], [0, 2, 2], [2, 2, 2]])
WEIGHTS = np.array([[1.0, 0.5, 0.0], [2.0, 1.0, 3.0], [0.0, 0.0, 0.0]])
ARRAYS = {"table": TABLE, "ids": IDS, "weights": WEIGHTS}
table = b.parameter("table", (5, 3))
ids = b.input("ids", (3, 3), "int64", labels=5)
weights = b.input("weights", (3, 3))


def test_rows_are_looked_up() -> None:
    np.testing.assert_array_equal(evaluate(embedding(table, ids), ARRAYS), TABLE[IDS])


@pytest.mark.parametrize("padding", [2, -3])
def test_the_padding_row_is_looked_up_but_frozen(padding: int) -> None:
    rows = embedding(table, ids, padding)
    slope, free = (gradients(b.sum(x * x), [table])[0] for x in (rows, embedding(table, ids)))
    value, ours, theirs = evaluate([rows, slope, free], ARRAYS)
    np.testing.assert_array_equal(value, TABLE[IDS])
    np.testing.assert_array_equal(ours[2], 0.0)
    kept = [0, 1, 3, 4]
    np.testing.assert_allclose(ours[kept], theirs[kept])
    assert np.any(theirs[2] != 0)


def test_the_padding_row_of_a_table_of_unknown_size() -> None:
    unknown = b.parameter("table", ("vocabulary", 3))
    (slope,) = gradients(b.sum(embedding(unknown, ids, -3)), [unknown])
    found = evaluate(slope, ARRAYS, {"vocabulary": 5})
    np.testing.assert_array_equal(found[:, 0], [1, 2, 0, 0, 1])


def by_loops(mode: str, weighted: bool, padding: int | None) -> list[list[float]]:
    """Bag by bag, entry by entry."""
    result = []
    for bag, mine in zip(IDS, WEIGHTS, strict=True):
        total, count = np.zeros(3), 0.0
        for place, weight in zip(bag, mine, strict=True):
            if place != padding:
                w = weight if weighted else 1.0
                total, count = total + w * TABLE[place], count + w
        result.append(total if mode == "sum" else total / (count or 1.0))
    return result


@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("padding", [None, 2])
def test_bags(mode: str, weighted: bool, padding: int | None) -> None:
    bag = embedding_bag(table, ids, weights if weighted else None, mode, padding)
    np.testing.assert_allclose(evaluate(bag, ARRAYS), by_loops(mode, weighted, padding))
    check_derivatives(b.tanh(bag), [table], ARRAYS)


def test_weights_of_a_bag_have_derivatives() -> None:
    filled = {**ARRAYS, "weights": WEIGHTS + 0.5}
    for mode in ("sum", "mean"):
        bag = embedding_bag(table, ids, weights, mode, padding_idx=2)
        check_derivatives(bag[:2], [table, weights], filled)


def test_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"padding_idx 5 is no row of table of shape \(5, 3\)"):
        embedding(table, ids, 5)
    with pytest.raises(ValueError, match="mode 'max' is neither 'sum' nor 'mean'"):
        embedding_bag(table, ids, mode="max")
    with pytest.raises(ShapeError, match="is to be"):
        embedding_bag(b.parameter("t", (3,)), ids)
