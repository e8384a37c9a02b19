"""Losses on classes with smoothing, weights and ignored labels, and contrasts, by definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from symdiff.calculus.curvature import hvp
from symdiff.calculus.per_example import per_example_gradients, squared_norms
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn import FUNCTIONS as F
from symdiff.simplify import simplify
from tests.oracles import Array, assert_close, autograd_hvp

RNG = np.random.default_rng(9)
ROWS, TIME, CLASSES = 4, 3, 5
LOGITS = RNG.normal(size=(ROWS, TIME, CLASSES)) * 2
LABELS = RNG.integers(0, CLASSES, size=(ROWS, TIME))
SOFT = special.softmax(RNG.normal(size=LOGITS.shape), axis=-1)
WEIGHTS = RNG.uniform(0.5, 2.0, CLASSES)
MASK = np.array([[1.0, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
SCALE = RNG.normal(size=CLASSES)
ARRAYS = {
    "z": LOGITS, "y": LABELS, "t": SOFT, "w": WEIGHTS, "mask": MASK, "scale": SCALE,
    "hits": (SOFT > 0.2) * 1.0, "u": RNG.normal(size=(ROWS, CLASSES)), "a": LOGITS[:, 0],
    "pair": np.array([1.0, 0, 1, 0]),
}  # fmt: skip

scale = b.parameter("scale", (CLASSES,))
z = b.input("z", ("batch", TIME, CLASSES)) * scale
y = b.input("y", ("batch", TIME), "int64", labels=CLASSES)
t = b.input("t", ("batch", TIME, CLASSES))
w, mask = b.input("w", (CLASSES,)), b.input("mask", ("batch", TIME))
hits = b.input("hits", ("batch", TIME, CLASSES), zero_or_one=True)
u, a = b.input("u", ("batch", CLASSES)), b.input("a", ("batch", CLASSES)) * scale
pair = b.input("pair", ("batch",))

Z, A, U = LOGITS * SCALE, LOGITS[:, 0] * SCALE, ARRAYS["u"]
LOGS = special.log_softmax(Z, axis=-1)
HARD = np.eye(CLASSES)[LABELS]
SMOOTH = 0.9 * HARD + 0.1 / CLASSES
SOFTER = 0.7 * SOFT + 0.3 / CLASSES
DISTANCE = np.sqrt(((A - U) ** 2).sum(-1))
RIGHT = np.take_along_axis(Z, LABELS[..., None], -1)


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.logaddexp(0, x)


entropy = F["softmax_cross_entropy"]
CASES: dict[str, tuple[Node, Array]] = {
    "smoothed labels": (entropy(z, y, label_smoothing=0.1), -(SMOOTH * LOGS).sum(-1)),
    "smoothed rows": (entropy(z, t, 0.3), -(SOFTER * LOGS).sum(-1)),
    "class weights": (entropy(z, y, class_weights=w), -(WEIGHTS * HARD * LOGS).sum(-1)),
    "class weights of rows": (entropy(z, t, class_weights=w), -(WEIGHTS * SOFT * LOGS).sum(-1)),
    "both": (entropy(z, y, 0.1, w), -(WEIGHTS * SMOOTH * LOGS).sum(-1)),
    "ignored": (
        entropy(z, y, 0.1, w, ignore=2),
        -(WEIGHTS * SMOOTH * LOGS).sum(-1) * (LABELS != 2),
    ),
    "probabilities": (
        F["cross_entropy"](b.softmax(z), y, 0.1, w, 2),
        -(WEIGHTS * SMOOTH * LOGS).sum(-1) * (LABELS != 2),
    ),
    "positive weights": (
        F["sigmoid_cross_entropy"](z, t, pos_weight=w),
        WEIGHTS * SOFT * softplus(-Z) + (1 - SOFT) * softplus(Z),
    ),
    "positive weights of bits": (
        F["sigmoid_cross_entropy"](z, hits, w),
        np.where(SOFT > 0.2, WEIGHTS * softplus(-Z), softplus(Z)),
    ),
    "multiclass hinge": (
        F["multiclass_hinge"](z, y, 0.5),
        (np.maximum(0, 0.5 + Z - RIGHT) * (1 - HARD)).sum(-1),
    ),
    "masked mean": (
        F["masked_mean"](entropy(z, y), mask),
        -((HARD * LOGS).sum(-1) * MASK).sum(1) / np.maximum(MASK.sum(1), 1),
    ),
    "masked sum": (F["masked_sum"](entropy(z, y), mask), -((HARD * LOGS).sum(-1) * MASK).sum(1)),
    "cosine": (
        F["cosine_similarity"](a, u),
        (A * U).sum(-1) / np.sqrt((A**2).sum(-1) * (U**2).sum(-1)),
    ),
    "contrastive": (
        F["contrastive"](a, u, pair, margin=4.0),
        np.where(ARRAYS["pair"] > 0, DISTANCE**2, np.maximum(0, 4.0 - DISTANCE) ** 2),
    ),
    "triplet": (
        F["triplet"](a, u, z[:, 1], margin=2.0),
        np.maximum(0, DISTANCE**2 - ((A - Z[:, 1]) ** 2).sum(-1) + 2.0),
    ),
    "info_nce": (
        F["info_nce"](u, z, 0.5),
        -special.log_softmax((U[:, None] * Z).sum(-1) / 0.5, axis=-1)[:, 0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_values_derivatives_and_norms(case: str) -> None:
    loss, expected = CASES[case]
    np.testing.assert_allclose(evaluate(loss, ARRAYS), expected, rtol=1e-10, atol=1e-13)
    per_example = b.sum(loss, axis=tuple(range(1, loss.ndim))) if loss.ndim > 1 else loss
    total = b.sum(simplify(per_example).root)
    direction = RNG.normal(size=CLASSES)
    (ours,) = evaluate(hvp(total, [scale], [direction]), ARRAYS)
    (theirs,) = autograd_hvp(b.sum(per_example), ["scale"], ARRAYS, [direction])
    assert_close(ours, theirs, 1e-9)
    (slope,) = gradients(b.sum(per_example), [scale])
    loop = []
    for j in range(ROWS):
        row = {k: v if k in ("w", "scale") else v[j : j + 1] for k, v in ARRAYS.items()}
        loop.append(float(np.sum(evaluate(slope, row) ** 2)))
    g = per_example_gradients(simplify(per_example).root, [scale])
    found = evaluate(simplify(squared_norms(g)).roots[0], ARRAYS)
    np.testing.assert_allclose(found, loop, rtol=1e-9, atol=1e-20)


def test_ignored_labels_may_be_no_class() -> None:
    labels = np.array([[-1, 2, 0], [1, -1, -1], [4, 3, 2], [-1, -1, -1]])
    found = evaluate(entropy(z, y, 0.1, w, ignore=-1), {**ARRAYS, "y": labels})
    np.testing.assert_array_equal(found == 0, labels == -1)


def test_large_logits_do_not_overflow() -> None:
    far = b.input("far", (2, 3))
    k = b.input("k", (2,), "int64")
    node = entropy(far, k, 0.1, b.constant([1.0, 2.0, 3.0]))
    values = {"far": np.array([[1e4, 0.0, -1e4], [0.0, 800.0, -800.0]]), "k": np.array([0, 1])}
    (slope,) = gradients(b.sum(node), [far])
    assert all(np.all(np.isfinite(x)) for x in evaluate([node, slope], values))


def test_what_a_mask_hides_does_not_matter() -> None:
    x = b.input("x", (1, 3))
    given: dict[str, Any] = {"x": np.array([[1.0, np.inf, 3.0]]), "m": np.array([[1.0, 0.0, 1.0]])}
    hidden = b.input("m", (1, 3))
    assert evaluate(F["masked_mean"](x, hidden), given) == 2.0
    assert evaluate(F["masked_sum"](x, hidden), given) == 4.0


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"label_smoothing 1.5 is not from 0 to 1"):
        entropy(z, y, 1.5)
    with pytest.raises(ShapeError, match=r"multiclass_hinge: .* holds no labels"):
        F["multiclass_hinge"](z, t)
    with pytest.raises(ShapeError, match="has no axis of candidates"):
        F["info_nce"](u, a)
