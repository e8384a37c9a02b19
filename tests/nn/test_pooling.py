"""Pooling by loops over windows, ties, paddings, derivatives; flatten and global pooling."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.shapes import ShapeError
from symdiff.nn import pooling
from symdiff.nn.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from tests.oracles import check_derivatives

Array = NDArray[Any]
RNG = np.random.default_rng(3)
X = b.input("x", (2, 3, 7, 6))
VALUES = {"x": RNG.normal(size=X.shape) - 3}  # below 0: a padded 0 would be the largest

GRID = [
    (window, stride, padding)
    for window in (2, (3, 2), (1, 3))
    for stride in (None, 1, (2, 3))
    for padding in (0, (1, 1), ((0, 1), (1, 0)), "same")
    if not (window == (1, 3) and padding == (1, 1))
    and not (window == (1, 3) and padding == ((0, 1), (1, 0)))
]


def pooled(
    x: Array, window: Any, stride: Any, padding: Any, function: Callable[[Array], Any], fill: float
) -> Array:
    """The function of each window, one window after the other."""
    sizes = window if isinstance(window, tuple) else (window, window)
    strides = sizes if stride is None else stride if isinstance(stride, tuple) else (stride,) * 2
    ends = []
    for n, k, s, p in zip(
        x.shape[2:], sizes, strides, padding if isinstance(padding, tuple) else (padding,) * 2,
        strict=True,
    ):  # fmt: skip
        if p == "same":
            total = max((-(-n // s) - 1) * s + k - n, 0)
            p = (total // 2, total - total // 2)
        ends.append(p if isinstance(p, tuple) else (p, p))
    x = np.pad(x, ((0, 0), (0, 0), *ends), constant_values=fill)
    shape = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], sizes, strides, strict=True)]
    result = np.empty((*x.shape[:2], *shape))
    for p, q in itertools.product(*map(range, shape)):
        rows = slice(p * strides[0], p * strides[0] + sizes[0])
        result[:, :, p, q] = function(x[:, :, rows, q * strides[1] : q * strides[1] + sizes[1]])
    return result


@pytest.mark.parametrize(("window", "stride", "padding"), GRID)
def test_max_pool(window: Any, stride: Any, padding: Any) -> None:
    expected = pooled(VALUES["x"], window, stride, padding, lambda part: part.max((2, 3)), -np.inf)
    np.testing.assert_array_equal(
        evaluate(max_pool2d(X, window, stride, padding), VALUES), expected
    )


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(("window", "stride", "padding"), GRID)
def test_avg_pool(window: Any, stride: Any, padding: Any, counted: bool) -> None:
    fill, mean = (0.0, np.mean) if counted else (np.nan, np.nanmean)
    expected = pooled(VALUES["x"], window, stride, padding, lambda part: mean(part, (2, 3)), fill)
    node = avg_pool2d(X, window, stride, padding, count_include_pad=counted)
    np.testing.assert_allclose(evaluate(node, VALUES), expected, rtol=1e-12)


def test_one_axis_is_two_with_one_of_size_1() -> None:
    line, image = X[:, :, 0], X[:, :, :1]
    for one, two in ((max_pool1d, max_pool2d), (avg_pool1d, avg_pool2d)):
        got, expected = evaluate(
            [one(line, 3, 2, 1), two(image, (1, 3), (1, 2), (0, 1))[:, :, 0]], VALUES
        )
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("stride", [2, 1])
def test_ties_share_equally(stride: int) -> None:
    x = b.input("x", (1, 1, 4, 4))
    tied = np.array([[1.0, 1, 0, 0], [0, 1, 0, 2], [3, 3, 3, 3], [3, 3, 3, 3]])[None, None]
    (grad,) = gradients(b.sum(max_pool2d(x, 2, stride)), [x])
    expected = np.zeros((4, 4))
    for p, q in itertools.product(range(0, 3, stride), repeat=2):
        part = tied[0, 0, p : p + 2, q : q + 2]
        expected[p : p + 2, q : q + 2] += (part == part.max()) / (part == part.max()).sum()
    np.testing.assert_allclose(evaluate(grad, {"x": tied})[0, 0], expected, rtol=1e-14)


def test_padding_has_no_part_in_a_gradient() -> None:
    (grad,) = gradients(b.sum(max_pool2d(X, 3, 2, 1)), [X])
    total = evaluate(b.sum(grad), VALUES)
    assert total == pytest.approx(evaluate(max_pool2d(X, 3, 2, 1), VALUES).size)


POOLS: list[Any] = [
    lambda x: max_pool2d(x, 2),
    lambda x: max_pool2d(x, 3, 2, 1),
    lambda x: avg_pool2d(x, (2, 3), 1),
    lambda x: avg_pool2d(x, 2, padding="same", count_include_pad=False),
    pooling.global_avg_pool,
    pooling.global_max_pool,
    pooling.flatten,
]


@pytest.mark.parametrize("make", POOLS)
def test_derivatives(make: Any) -> None:
    x = b.input("x", (2, 2, 5, 4))
    values = {"x": RNG.permutation(80).reshape(x.shape) / 30 - 1.3}
    check_derivatives(b.tanh(make(b.tanh(x))), [x], values)


def test_global_pooling_and_flatten() -> None:
    made = [pooling.global_avg_pool(X), pooling.global_max_pool(X), pooling.flatten(X)]
    average, largest, flat = evaluate(made, VALUES)
    np.testing.assert_allclose(average, VALUES["x"].mean((2, 3)), rtol=1e-14)
    np.testing.assert_array_equal(largest, VALUES["x"].max((2, 3)))
    np.testing.assert_array_equal(flat, VALUES["x"].reshape(2, -1))


def test_symbolic_sizes() -> None:
    x = b.input("x", ("batch", "c", "h", "w"))
    for make in (lambda x: max_pool2d(x, 2), lambda x: avg_pool2d(x, 3, 2, 1)):
        np.testing.assert_allclose(evaluate(make(x), VALUES), evaluate(make(X), VALUES))
    assert pooling.flatten(b.input("x", ("batch", 3, 4))).shape == ("batch", 12)


def test_whole_numbers_are_pooled_as_floats() -> None:
    x = b.constant(np.arange(16).reshape(1, 1, 4, 4))
    np.testing.assert_array_equal(evaluate(max_pool2d(x, 2, padding=1), {})[0, 0, 0], [0, 2, 3])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: max_pool2d(X, 8),
            r"max_pool2d: 8 elements do not fit axis 2 of x of shape \(2, 3, 7, 6\)",
        ),
        (lambda: max_pool2d(X, 2, padding=2), "padding 2 is not smaller than window 2"),
        (lambda: avg_pool1d(X, 2), r"is not \(batch, channels, length\)"),
        (lambda: avg_pool2d(X, 0), "window must be at least 1"),
        (lambda: pooling.global_avg_pool(X[:, :, 0, 0]), r"is not \(batch, channels, \*space\)"),
        (lambda: pooling.flatten(b.constant(1.0)), "has no axis of examples"),
    ],
)
def test_what_does_not_fit_is_said(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        make()
