"""Facts are derived where they hold, and killed where they stop holding."""

from __future__ import annotations

import pytest

from symdiff.expr import build as b

p = b.input("p", ("n", 3), sums_to_one=True, nonnegative=True)
z = b.input("z", ("n", 3))
k = b.input("k", ("n",), "int64", labels=3)
w = b.input("w", (3,))
y = b.input("y", ("n",), zero_or_one=True)
m = b.input("m", ("n",), plus_minus_one=True)
A = b.input("A", (3, 3), symmetric=True)


@pytest.mark.parametrize(
    ("node", "axes"),
    [
        (p, {1}),
        (b.softmax(z), {1}),
        (b.softmax(z, axis=0), {0}),
        (p.T, {0}),
        (b.one_hot(k, 3), {1}),
        (0.9 * p + 0.1 / 3, {1}),
        (0.25 * p + 0.75 * b.softmax(z), {1}),
        (p + b.softmax(z) - b.one_hot(k, 3), {1}),
        (b.softmax(z) @ b.softmax(b.input("C", (3, 3))), {1}),
        (b.broadcast_to(p, (2, "n", 3)), {2}),
        (p[:, :2], set()),
        (p * w, set()),
        (0.9 * p, set()),
        (0.9 * p + 0.1, set()),
        (b.one_hot(k, 4), set()),
        (b.relu(p), set()),
        (b.softmax(z, axis=(0, 1)), set()),
        (z, set()),
        (p[:1], set()),
    ],
)
def test_where_values_sum_to_one(node: b.Node, axes: set[int]) -> None:
    assert node.facts.sums_to_one == axes


def test_a_sum_of_probabilities_is_known_and_says_whose_word_that_is() -> None:
    total = b.sum(p, axis=1)
    assert (total.facts.lo, total.facts.hi) == (1.0, 1.0)
    assert ("p", "sums_to_one") in total.facts.declared


@pytest.mark.parametrize(
    ("node", "positive"),
    [
        (b.exp(z), True),
        (b.exp(z) + 1, True),
        (b.sum(b.exp(z)), True),
        (b.var(z) + 1e-5, True),
        (b.sqrt(b.var(z) + 1e-5), True),
        (1 / (1 + b.exp(z)), True),
        (z * z, False),
        (z * z + 1, True),
        (1 - b.sigmoid(z), False),
        (b.maximum(z, 1.0), True),
        (b.relu(z), False),
        (b.exp(z) - 1, False),
        (b.abs(m), True),
    ],
)
def test_positive_values(node: b.Node, positive: bool) -> None:
    assert node.facts.positive == positive


def test_sums_of_squares_are_nonnegative() -> None:
    x, w = b.input("x", ("n",)), b.input("w", ("n",))
    for node in (x @ x, x @ (y * x), (x * w) @ (x * w), x @ (y * b.exp(w) * x), x @ (x**3)):
        assert node.facts.nonnegative
    for node in (x @ w, x @ (x * w), x @ x**2, -(x @ x), (x * w) @ (y * w)):
        assert not node.facts.nonnegative


def test_labels_and_masks() -> None:
    assert y.facts.zero_or_one
    assert (1 - y).facts.zero_or_one
    assert (y * y).facts.zero_or_one
    assert not (2 * y).facts.zero_or_one
    assert (2 * y - 1).facts.lo == -1
    assert (z > 0).facts.zero_or_one
    assert b.cast(z > 0, "float64").facts.zero_or_one
    assert m.facts.plus_minus_one
    assert (-m).facts.plus_minus_one
    assert (2 * y - 1).facts.plus_minus_one
    assert (1 - 2 * y).facts.plus_minus_one
    assert not (2 * m - 1).facts.plus_minus_one
    assert not (1 - y).facts.plus_minus_one
    assert k.facts.integer
    assert k.facts.lo == 0
    assert k.facts.hi == 2
    ignoring = b.input("i", ("n",), "int64", labels=3, ignore=-1)
    assert not b.one_hot(ignoring, 3).facts.sums_to_one
    assert A.T.facts.symmetric
    assert (A + A.T).facts.symmetric
    assert not (A @ A).facts.symmetric


def test_powers_of_what_is_positive_are_positive() -> None:
    exponent = b.input("a", ("n",))
    assert (b.sigmoid(z[:, 0]) ** exponent).facts.positive
    assert (p[:, 0] ** exponent).facts.nonnegative
    assert not (p[:, 0] ** exponent).facts.positive
    assert not (z[:, 0] ** exponent).facts.nonnegative


def test_an_unknown_fact_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="input q: unknown fact 'sums_to_two'"):
        b.input("q", (3,), sums_to_two=True)
