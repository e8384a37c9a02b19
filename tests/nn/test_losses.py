"""Losses have the stated values and shapes, skip ignored labels, and do not overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import grad
from symdiff.expr import build
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn import losses
from symdiff.simplify import simplify

RNG = np.random.default_rng(1)
LOGITS = RNG.normal(size=(6, 4))
PROBABILITIES = special.softmax(LOGITS, axis=1)
SOFT = special.softmax(RNG.normal(size=(6, 4)), axis=1)
HARD = RNG.integers(0, 4, size=6)
ROWS = np.arange(6)

Z = build.input("z", ("batch", 4))
Y = build.input("y", ("batch",), "int64", labels=4)
Y_IGNORE = build.input("y", ("batch",), "int64", labels=4, ignore=-1)
P = build.input("p", ("batch", 4), sums_to_one=True)
A = build.input("a", ("batch", 3))
B = build.input("b", ("batch", 3))
BITS = build.input("b", ("batch", 3), zero_or_one=True)

A_VALUES = RNG.normal(size=(6, 3)) * 3
BIT_VALUES = RNG.integers(0, 2, size=(6, 3)).astype(float)


def log_q() -> Any:
    """The logarithms of the probabilities."""
    return np.log(PROBABILITIES)


def test_cross_entropy_of_labels_and_of_probabilities() -> None:
    arrays = {"z": PROBABILITIES, "y": HARD, "p": SOFT}
    by_label, by_rows = losses.cross_entropy(Z, Y), losses.cross_entropy(Z, P)
    assert by_label.shape == by_rows.shape == ("batch",)
    np.testing.assert_allclose(evaluate(by_label, arrays), -log_q()[ROWS, HARD])
    np.testing.assert_allclose(evaluate(by_rows, arrays), -(SOFT * log_q()).sum(1))


def test_softmax_cross_entropy_is_cross_entropy_of_the_softmax() -> None:
    arrays = {"z": LOGITS, "y": HARD, "p": SOFT}
    by_label, by_rows = losses.softmax_cross_entropy(Z, Y), losses.softmax_cross_entropy(Z, P)
    assert by_label.shape == by_rows.shape == ("batch",)
    np.testing.assert_allclose(evaluate(by_label, arrays), -log_q()[ROWS, HARD])
    np.testing.assert_allclose(evaluate(by_rows, arrays), -(SOFT * log_q()).sum(1))


def test_one_row_with_one_label() -> None:
    z, k = build.input("z", (4,)), build.input("k", (), "int64", labels=4)
    loss = losses.softmax_cross_entropy(z, k)
    assert loss.shape == ()
    value = evaluate(loss, {"z": LOGITS[0], "k": np.array(2)})
    np.testing.assert_allclose(value, special.logsumexp(LOGITS[0]) - LOGITS[0, 2])


def test_labels_over_a_sequence() -> None:
    z = build.input("z", ("batch", "time", 4))
    y = build.input("y", ("batch", "time"), "int64", labels=4)
    assert losses.softmax_cross_entropy(z, y).shape == ("batch", "time")


@pytest.mark.parametrize("loss", [losses.softmax_cross_entropy, losses.cross_entropy])
def test_rows_with_the_label_to_ignore_count_nothing(loss: Callable[[Any, Any], Node]) -> None:
    y = HARD.copy()
    y[[1, 4]] = -1
    node = loss(Z, Y_IGNORE)
    arrays = {"z": PROBABILITIES, "y": y}
    kept = evaluate(loss(Z, Y), {"z": PROBABILITIES, "y": HARD})
    kept[[1, 4]] = 0
    np.testing.assert_array_equal(evaluate(node, arrays), kept)
    slope = evaluate(grad(build.sum(node), Z), arrays)
    assert np.all(slope[[1, 4]] == 0)
    assert np.all(slope[[0, 2, 3, 5], y[[0, 2, 3, 5]]] != 0)


def test_labels_that_were_moved_about_are_ignored_all_the_same() -> None:
    z = build.input("z", ("batch", 2, 4))
    y = build.input("y", (2, "batch"), "int64", labels=4, ignore=-1)
    rows = losses.softmax_cross_entropy(build.reshape(z, (-1, 4)), build.reshape(y.T, -1))
    arrays = {"z": LOGITS.reshape(3, 2, 4), "y": np.array([[0, -1, 2], [1, 3, -1]])}
    assert (evaluate(rows, arrays) == 0).tolist() == [False, False, True, False, False, True]


@pytest.mark.parametrize(
    "loss",
    [losses.sigmoid_cross_entropy, losses.focal, losses.squared_error, losses.absolute_error,
     losses.huber, losses.hinge, losses.gaussian_nll, losses.poisson_nll],
)  # fmt: skip
def test_elements_with_the_label_to_ignore_count_nothing(loss: Callable[[Any, Any], Node]) -> None:
    z = build.input("z", ("batch",))
    y = build.input("y", ("batch",), "int64", labels=2, ignore=9)
    values = evaluate(loss(z, y), {"z": np.array([1.0, -2.0]), "y": np.array([9, 1])})
    assert values[0] == 0
    assert values[1] > 0


def test_losses_on_logits_neither_overflow_nor_lose_the_gradient() -> None:
    z = np.array([[1e4, -1e4, 0.0, 0.0]])
    wrong, right = {"z": z, "y": np.array([1])}, {"z": z, "y": np.array([0])}
    node = losses.softmax_cross_entropy(Z, Y)
    assert evaluate(node, wrong) == [2e4]
    assert evaluate(node, right) == [0.0]
    assert evaluate(grad(build.sum(node), Z), wrong).tolist() == [[1.0, -1.0, 0.0, 0.0]]
    node = losses.sigmoid_cross_entropy(A, BITS)
    arrays = {"a": np.array([[1e4, -1e4, 40.0]]), "b": np.array([[0.0, 0.0, 1.0]])}
    np.testing.assert_allclose(evaluate(node, arrays), [[1e4, 0.0, np.exp(-40)]], rtol=1e-12)
    slope = evaluate(grad(build.sum(node), A), arrays)
    np.testing.assert_allclose(slope, [[1.0, 0.0, -np.exp(-40)]], rtol=1e-12)


SOFT_BITS = RNG.uniform(size=(6, 3))


def binary(z: Any, y: Any) -> Any:
    """Binary cross-entropy of the sigmoid, by scipy."""
    return -(y * special.log_expit(z) + (1 - y) * special.log_expit(-z))


def focal(z: Any, y: Any, gamma: float) -> Any:
    """Focal loss by its definition."""
    missed = y * special.expit(-z) + (1 - y) * special.expit(z)
    return missed**gamma * binary(z, y)


ELEMENTWISE: dict[str, tuple[Node, Any]] = {
    "sigmoid_cross_entropy": (
        losses.sigmoid_cross_entropy(A, B),
        lambda a, b: binary(a, SOFT_BITS),
    ),
    "sigmoid_cross_entropy of bits": (losses.sigmoid_cross_entropy(A, BITS), binary),
    "binary_cross_entropy": (
        losses.binary_cross_entropy(build.sigmoid(A), BITS),
        binary,
    ),
    "squared_error": (losses.squared_error(A, BITS), lambda a, b: (a - b) ** 2),
    "absolute_error": (losses.absolute_error(A, BITS), lambda a, b: np.abs(a - b)),
    "huber": (losses.huber(A, BITS), lambda a, b: special.huber(1.0, a - b)),
    "huber(2)": (losses.huber(A, BITS, delta=2), lambda a, b: special.huber(2.0, a - b)),
    "hinge of bits": (
        losses.hinge(A, BITS),
        lambda a, b: np.maximum(0, 1 - (2 * b - 1) * a),
    ),
    "gaussian_nll": (losses.gaussian_nll(A, BITS), lambda a, b: (a - b) ** 2 / 2),
    "gaussian_nll, variance": (
        losses.gaussian_nll(A, BITS, build.exp(A)),
        lambda a, b: (a + (a - b) ** 2 / np.exp(a)) / 2,
    ),
    "gaussian_nll, precision": (
        losses.gaussian_nll(A, BITS, precision=build.exp(A)),
        lambda a, b: (-a + (a - b) ** 2 * np.exp(a)) / 2,
    ),
    "poisson_nll": (losses.poisson_nll(A, BITS), lambda a, b: np.exp(a) - b * a),
    "poisson_nll of a rate": (
        losses.poisson_nll(build.exp(A), BITS, log_input=False),
        lambda a, b: np.exp(a) - b * a,
    ),
    "focal": (losses.focal(A, BITS), lambda a, b: focal(a, b, 2.0)),
    "focal of a root": (losses.focal(A, BITS, gamma=1.5), lambda a, b: focal(a, b, 1.5)),
    "focal, weighed": (
        losses.focal(A, BITS, gamma=1.0, alpha=0.25),
        lambda a, b: (0.25 * b + 0.75 * (1 - b)) * focal(a, b, 1.0),
    ),
}


def test_a_focal_loss_with_a_root_has_second_derivatives_where_it_saturates() -> None:
    """(1 - p)**1.5 has none at p = 1, the loss as a function of its logit everywhere."""
    z = build.input("z", ("n",))
    y = build.input("y", ("n",), zero_or_one=True)
    total = build.sum(losses.focal(z, y, gamma=1.5))
    values = {"z": np.array([900.0, -900.0, 900.0]), "y": np.array([1.0, 0.0, 0.0])}
    (bend,) = evaluate([simplify(hvp(total, [z], [build.ones_like(z)])[0]).root], values)
    np.testing.assert_allclose(bend, np.zeros(3), atol=1e-300)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_losses(name: str) -> None:
    node, expected = ELEMENTWISE[name]
    bits = SOFT_BITS if name == "sigmoid_cross_entropy" else BIT_VALUES
    ours = evaluate(node, {"a": A_VALUES, "b": bits})
    assert node.shape == ("batch", 3)
    np.testing.assert_allclose(ours, expected(A_VALUES, bits), rtol=1e-11, atol=1e-14)


def test_hinge_of_plus_and_minus_one() -> None:
    signs = build.input("b", ("batch", 3), plus_minus_one=True)
    ours = evaluate(losses.hinge(A, signs), {"a": A_VALUES, "b": 2 * BIT_VALUES - 1})
    bits = evaluate(losses.hinge(A, BITS), {"a": A_VALUES, "b": BIT_VALUES})
    np.testing.assert_array_equal(ours, bits)


def test_kl_divergence_takes_zero_log_zero_as_zero() -> None:
    q = build.input("q", ("batch", 4))
    node = losses.kl_divergence(P, q)
    values = evaluate(node, {"p": SOFT, "q": PROBABILITIES})
    np.testing.assert_allclose(values, special.rel_entr(SOFT, PROBABILITIES).sum(1), rtol=1e-11)
    certain = evaluate(node, {"p": np.eye(4)[:1], "q": PROBABILITIES[:1]})
    np.testing.assert_allclose(certain, -np.log(PROBABILITIES[:1, 0]))
    slope = evaluate(grad(build.sum(node), q), {"p": np.eye(4)[:1], "q": PROBABILITIES[:1]})
    assert np.all(np.isfinite(slope))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.cross_entropy(Z, A), "cross_entropy: z of shape (batch, 4) and a of shape "
         "(batch, 3) differ in shape"),
        (lambda: losses.softmax_cross_entropy(A, build.input("y", (), "int64")),
         "softmax_cross_entropy: labels y of shape () for a of shape (batch, 3): expected labels "
         "of shape (batch,)"),
        (lambda: losses.softmax_cross_entropy(A, Y), "softmax_cross_entropy: y of shape (batch,) "
         "holds 4 labels, but a of shape (batch, 3) has only 3 classes"),
        (lambda: losses.cross_entropy(build.input("s"), Y), "cross_entropy: s of shape () has no "
         "axis of classes"),
        (lambda: losses.kl_divergence(P, A), "kl_divergence: p of shape (batch, 4) and a of shape "
         "(batch, 3) differ in shape"),
    ],
)  # fmt: skip
def test_targets_that_do_not_fit_are_named(make: Callable[[], Node], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        make()
    assert str(caught.value) == message


def test_a_variance_and_a_precision_are_one_too_many() -> None:
    with pytest.raises(TypeError, match="not both"):
        losses.gaussian_nll(A, B, variance=1.0, precision=1.0)
