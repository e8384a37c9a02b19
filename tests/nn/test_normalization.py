"""Normalisations by their definitions, and the table of functions as a whole."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from symdiff.expr import build
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn import FUNCTIONS
from symdiff.nn import normalization as n

RNG = np.random.default_rng(2)
X_VALUES = RNG.normal(size=(3, 6, 4)) * 2 + 1
GAIN, OFFSET = RNG.normal(size=6), RNG.normal(size=6)
X = build.input("x", ("batch", 6, 4))
ARRAYS = {"x": X_VALUES, "gain": GAIN, "offset": OFFSET}
gain, offset = build.parameter("gain", (6,)), build.parameter("offset", (6,))


def test_layer_norm() -> None:
    ours = evaluate(n.layer_norm(X, axis=(1, 2), eps=1e-3), ARRAYS)
    mean, var = X_VALUES.mean((1, 2), keepdims=True), X_VALUES.var((1, 2), keepdims=True)
    np.testing.assert_allclose(ours, (X_VALUES - mean) / np.sqrt(var + 1e-3), rtol=1e-12)


def test_layer_norm_scales_and_shifts() -> None:
    last = build.transpose(X, (0, 2, 1))
    ours = evaluate(n.layer_norm(last, gain, offset), ARRAYS)
    plain = evaluate(n.layer_norm(last), ARRAYS)
    np.testing.assert_allclose(ours, plain * GAIN + OFFSET, rtol=1e-12)


def test_rms_norm() -> None:
    ours = evaluate(n.rms_norm(X, eps=1e-3), ARRAYS)
    scale = np.sqrt((X_VALUES**2).mean(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(ours, X_VALUES / scale, rtol=1e-12)


def test_group_norm() -> None:
    ours = evaluate(n.group_norm(X, 2, gain, offset), ARRAYS)
    groups = X_VALUES.reshape(3, 2, 12)
    normal = (groups - groups.mean(-1, keepdims=True)) / np.sqrt(
        groups.var(-1, keepdims=True) + 1e-5
    )
    expected = normal.reshape(3, 6, 4) * GAIN[:, None] + OFFSET[:, None]
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_group_norm_takes_gains_that_are_spread_over_space() -> None:
    spread = n.group_norm(X, 2, gain[:, None], offset[:, None])
    np.testing.assert_array_equal(
        evaluate(spread, ARRAYS), evaluate(n.group_norm(X, 2, gain, offset), ARRAYS)
    )


@pytest.mark.parametrize(
    ("normalised", "part"),
    [
        (lambda: n.group_norm(X, 2, gain[:, None, None, None]), "gain"),
        (lambda: n.layer_norm(X, offset=offset), "offset"),
        (lambda: n.rms_norm(X, gain[:, None, None, None]), "gain"),
        (lambda: n.batch_norm(X, gain[:, None], offset), "variance"),
        (lambda: n.batch_norm(X, gain, offset[:, None]), "mean"),
    ],
)
def test_scales_do_not_make_the_values_larger(normalised: Any, part: str) -> None:
    said = rf"the {part}, .* does not broadcast to the \(batch, 6, 4\) of what is normalised"
    with pytest.raises(ShapeError, match=said):
        normalised()


def test_groups_must_divide_the_channels() -> None:
    with pytest.raises(ShapeError, match=r"x of shape \(batch, 6, 4\) has no 4 equal groups"):
        n.group_norm(X, 4)


def test_batch_norm_uses_the_statistics_it_is_given() -> None:
    last = build.transpose(X, (0, 2, 1))
    ours = evaluate(n.batch_norm(last, offset, build.square(gain), eps=1e-3), ARRAYS)
    expected = (X_VALUES.transpose(0, 2, 1) - OFFSET) / np.sqrt(GAIN**2 + 1e-3)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_formulas_says_what_it_does_and_what_it_takes(name: str) -> None:
    function = FUNCTIONS[name]
    assert inspect.signature(function).parameters
    assert function.__doc__


TAKES_NUMBERS = [
    name
    for name, function in FUNCTIONS.items()
    if len([p for p in inspect.signature(function).parameters.values() if p.default is p.empty])
    == 1
    and next(iter(inspect.signature(function).parameters)) in ("x", "value")
    and name
    not in (
        "trace",
        "diag",
        "diagonal",
        "tril",
        "triu",
        "flatten",
        "global_avg_pool",
        "global_max_pool",
        "glu",
        "diff",
    )
]


@pytest.mark.parametrize("name", [name for name in TAKES_NUMBERS if "softmax" not in name])
def test_functions_of_one_array_take_a_number(name: str) -> None:
    extra = {"axis": None} if "axis" in inspect.signature(FUNCTIONS[name]).parameters else {}
    node = FUNCTIONS[name](0.5, **extra)
    assert isinstance(node, Node)
    assert node.shape in ((), (1,))
