"""Per-example norms and weighted sums of sequence models and of weights used many times."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.per_example import per_example_gradients, squared_norms, weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.simplify import simplify
from tests.calculus.models import BATCH, Model
from tests.calculus.sequence_models import SEQUENCES

EPS = float(np.finfo(np.float64).eps)
WEIGHTS = np.array([0.5, 2.0, 0.0, -1.0, 1.25])


@cache
def looped(name: str) -> tuple[Model, list[list[Any]]]:
    """A model, and each example's own gradients, one run of reverse mode an example."""
    m = SEQUENCES[name]()
    graph = gradients(b.sum(m.losses), m.parameters)
    return m, [evaluate(graph, m.rows(slice(j, j + 1))) for j in range(BATCH)]


@pytest.mark.parametrize("name", SEQUENCES)
def test_norms_and_weighted_sums_are_the_loops(name: str) -> None:
    m, loop = looped(name)
    weights = b.input("weights of examples", ("batch",))
    g = per_example_gradients(simplify(m.losses).root, m.parameters)
    values = {**m.values, "weights of examples": WEIGHTS}
    found = evaluate(simplify([*squared_norms(g), *weighted_sums(g, weights)]).roots, values)
    alone = evaluate(simplify(squared_norms(g)).roots, values)
    for i, parameter in enumerate(m.names):
        squares = np.array([float(np.sum(loop[j][i] ** 2)) for j in range(BATCH)])
        bound = 1e-10 * squares + 64 * EPS * squares.max()
        for s in (found[i], alone[i]):
            assert s.shape == (BATCH,)
            assert np.all(s >= 0), parameter
            assert np.all(abs(s - squares) <= bound), f"{parameter}: {s} against {squares}"
        total = sum(WEIGHTS[j] * loop[j][i] for j in range(BATCH))
        scale = np.sqrt(squares.max())
        np.testing.assert_allclose(
            found[len(g) + i], total, rtol=1e-9, atol=1e-12 * max(scale, 1), err_msg=parameter
        )


def test_padding_rows_have_no_gradient() -> None:
    m, loop = looped("padded_embedding")
    assert all(np.all(loop[j][0][0] == 0) for j in range(BATCH))
    (s, _) = evaluate(squared_norms(per_example_gradients(m.losses, m.parameters)), m.values)
    assert s[4] == 0.0  # nothing but padding


def test_examples_of_weight_zero_have_norm_zero() -> None:
    m, _ = looped("zero_weighted")
    g = per_example_gradients(m.losses, m.parameters)
    for s in evaluate(simplify(squared_norms(g)).roots, m.values):
        np.testing.assert_array_equal(s[[0, 3]], 0.0)


@pytest.mark.parametrize("name", ["block", "bag_mean_padded", "deep_6_transposed"])
@pytest.mark.parametrize("batch", [0, 1])
def test_small_batches(name: str, batch: int) -> None:
    m, loop = looped(name)
    g = per_example_gradients(simplify(m.losses).root, m.parameters)
    roots = simplify(squared_norms(g)).roots
    for i, s in enumerate(evaluate(roots, m.rows(slice(0, batch)))):
        assert s.shape == (batch,)
        for j in range(batch):
            assert s[j] == pytest.approx(float(np.sum(loop[j][i] ** 2)), rel=1e-9, abs=1e-25)
