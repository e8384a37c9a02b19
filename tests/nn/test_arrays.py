"""Reductions and movements in formulas: NumPy's values, derivatives to second order, per example.

Each formula is pasted into NumPy as it stands and into a model over (batch, ...), where ``x`` is
data times a parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.per_example import per_example_gradients, squared_norms
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn import FUNCTIONS
from symdiff.simplify import simplify
from symdiff.spec.formula import parse_formula
from tests.oracles import assert_close, autograd_hvp

BATCH = 3
RNG = np.random.default_rng(8)
DATA = RNG.normal(size=(BATCH, 4, 6)) + 0.3
W = RNG.normal(size=(4, 6))
IDS = RNG.integers(0, 4, size=(BATCH, 2, 6))
ids = b.input("ids", ("batch", 2, 6), "int64", labels=4)

FORMULAS: dict[str, Callable[[Any], Any]] = {
    "var(x, axis=1)": lambda x: np.var(x, axis=1),
    "var(x, axis=(1, 2))": lambda x: np.var(x, axis=(1, 2)),
    "var(x, axis=1, ddof=1)": lambda x: np.var(x, axis=1, ddof=1),
    "x.std(axis=(1, 2), ddof=2)": lambda x: x.std(axis=(1, 2), ddof=2),
    "diff(x, axis=1)": lambda x: np.diff(x, axis=1),
    "x[:, [0, 1, 3], [5, 0, -1]]": lambda x: x[:, [0, 1, 3], [5, 0, -1]],
    "glu(x)": lambda x: x[..., :3] / (1 + np.exp(-x[..., 3:])),
    "glu(x, axis=1)": lambda x: x[:, :2] / (1 + np.exp(-x[:, 2:])),
    "std(x, axis=-1, keepdims=True)": lambda x: np.std(x, axis=-1, keepdims=True),
    "x.std(axis=2)": lambda x: x.std(axis=2),
    "prod(x, axis=-1)": lambda x: np.prod(x, axis=-1),
    "prod(x, axis=(1, 2))": lambda x: np.prod(x, axis=(1, 2)),
    "cumsum(x, axis=1)": lambda x: np.cumsum(x, axis=1),
    "cumsum(x[:, ::-1], axis=-1)": lambda x: np.cumsum(x[:, ::-1], axis=-1),
    "norm(x, axis=2)": lambda x: np.sqrt((x**2).sum(2)),
    "norm(x, axis=(1, 2), keepdims=True)": lambda x: np.sqrt((x**2).sum((1, 2), keepdims=True)),
    "min(x, axis=1)": lambda x: np.min(x, axis=1),
    "max(x, axis=(1, 2))": lambda x: np.max(x, axis=(1, 2)),
    "max(x, axis=1) - x.min(axis=1)": lambda x: np.max(x, axis=1) - x.min(axis=1),
    "reshape(x, (-1, 24))": lambda x: np.reshape(x, (-1, 24)),
    "reshape(x, (-1, 4, 2, 3)).transpose(0, 2, 1, 3)": lambda x: np.reshape(
        x, (-1, 4, 2, 3)
    ).transpose(0, 2, 1, 3),
    "swapaxes(x, 1, -1)": lambda x: np.swapaxes(x, 1, -1),
    "moveaxis(x, 1, 2)": lambda x: np.moveaxis(x, 1, 2),
    "moveaxis(x, (2, 0), (0, 1)).transpose(1, 0, 2)": lambda x: np.moveaxis(
        x, (2, 0), (0, 1)
    ).transpose(1, 0, 2),
    "x[:, 1:, ::2]": lambda x: x[:, 1:, ::2],
    "x[:, -1, -2:]": lambda x: x[:, -1, -2:],
    "x[..., ::-2]": lambda x: x[..., ::-2],
    "x[:, [3, 0, 0]]": lambda x: x[:, [3, 0, 0]],
    "x[:, None, 2] * x": lambda x: x[:, None, 2] * x,
    "concatenate([x, 2 * x[:, :1]], axis=1)": lambda x: np.concatenate([x, 2 * x[:, :1]], axis=1),
    "stack([x, x * x], axis=1)": lambda x: np.stack([x, x * x], axis=1),
    "stack([x, -x], axis=-1)": lambda x: np.stack([x, -x], axis=-1),
    "split(x, 3, axis=-1)[1]": lambda x: np.split(x, 3, axis=-1)[1],
    "split(x, [1, 4], axis=2)[-1]": lambda x: np.split(x, [1, 4], axis=2)[-1],
    "pad(x, ((0, 0), (1, 0), (0, 2)))": lambda x: np.pad(x, ((0, 0), (1, 0), (0, 2))),
    "pad(x, ((0, 0), (1, 1), (0, 0)), constant_values=0.5)": lambda x: np.pad(
        x, ((0, 0), (1, 1), (0, 0)), constant_values=0.5
    ),
    "tile(x, (1, 2, 3))": lambda x: np.tile(x, (1, 2, 3)),
    "tile(x, 2)": lambda x: np.tile(x, 2),
    "repeat(x, 3, axis=1)": lambda x: np.repeat(x, 3, axis=1),
    "x.repeat(2, axis=-1)": lambda x: x.repeat(2, axis=-1),
    "roll(x, 2, axis=1)": lambda x: np.roll(x, 2, axis=1),
    "roll(x, -1, axis=2)": lambda x: np.roll(x, -1, axis=2),
    "broadcast_to(x[:, None], (x.shape[0], 2, 4, 6))": lambda x: np.broadcast_to(
        x[:, None], (x.shape[0], 2, 4, 6)
    ),
    "expand_dims(x, (1, -1))": lambda x: np.expand_dims(x, (1, -1)),
    "squeeze(x[:, :1], 1)": lambda x: np.squeeze(x[:, :1], 1),
    "flip(x, 1)": lambda x: np.flip(x, 1),
    "where(x > 0.2, x, x * x)": lambda x: np.where(x > 0.2, x, x * x),
    "clip(x, -0.3, 0.8)": lambda x: np.clip(x, -0.3, 0.8),
    "x.clip(0.1, None)": lambda x: x.clip(0.1, None),
    "take(x, 2, axis=1)": lambda x: np.take(x, 2, axis=1),
    "take(x, [3, 3, 1], axis=2)": lambda x: np.take(x, [3, 3, 1], axis=2),
    "take_along_axis(x, ids, axis=1)": lambda x: np.take_along_axis(x, IDS, axis=1),
    "diagonal(x[:, :, :4], axis1=1, axis2=2)": lambda x: np.diagonal(x[:, :, :4], axis1=1, axis2=2),
    "trace(x[:, :, :4], axis1=1, axis2=2)": lambda x: np.trace(x[:, :, :4], axis1=1, axis2=2),
    "diagonal(x, 1, 1, 2)": lambda x: np.diagonal(x, 1, 1, 2),
    "trace(x, offset=-1, axis1=2, axis2=1)": lambda x: np.trace(x, offset=-1, axis1=2, axis2=1),
    "tril(x)": np.tril,
    "tril(x, -1)": lambda x: np.tril(x, -1),
    "triu(x, 1)": lambda x: np.triu(x, 1),
    "einsum('nij,nkj->nik', x, x)": lambda x: np.einsum("nij,nkj->nik", x, x),
    "logaddexp(x[:, 0], x[:, 1])": lambda x: np.logaddexp(x[:, 0], x[:, 1]),
}


def model(formula: str) -> tuple[Node, Node, Node]:
    """The formula's value, a loss an example of it, and the parameter."""
    w = b.parameter("w", W.shape)
    x = b.input("data", ("batch", 4, 6)) * w
    value = parse_formula(formula, {"x": x, "ids": ids})
    smooth = b.tanh(value) * b.cos(0.3 * value)
    axes = tuple(range(1, value.ndim))
    return value, b.sum(smooth, axis=axes) if axes else smooth, w


@pytest.mark.parametrize("formula", FORMULAS)
def test_formula(formula: str) -> None:
    value, losses, w = model(formula)
    arrays = {"data": DATA, "w": W, "ids": IDS}
    np.testing.assert_allclose(evaluate(value, arrays), FORMULAS[formula](DATA * W), rtol=1e-12)
    total = b.sum(losses)
    direction = RNG.normal(size=W.shape)
    (product,) = evaluate(hvp(total, [w], [direction]), arrays)
    (theirs,) = autograd_hvp(total, ["w"], arrays, [direction])
    assert_close(product, theirs, 1e-9)
    (slope,) = gradients(total, [w])
    rows = [{"data": DATA[j : j + 1], "ids": IDS[j : j + 1], "w": W} for j in range(BATCH)]
    loop = [float(np.sum(evaluate(slope, row) ** 2)) for row in rows]
    g = per_example_gradients(simplify(losses).root, [w])
    np.testing.assert_allclose(evaluate(simplify(squared_norms(g)).roots[0], arrays), loop)


SQUARE = RNG.normal(size=(4, 4))


@pytest.mark.parametrize(
    "formula",
    [
        "diag(m)", "diag(m, -1)", "diag(m[0])", "diag(m[0], 2)", "diag(m[0], -1)",
        "tile(m[0], (2, 1))", "repeat(m, 2)",
    ],
)  # fmt: skip
def test_formulas_without_examples(formula: str) -> None:
    name, rest = formula.split("(", 1)
    ours = evaluate(parse_formula(formula, {"m": b.input("m", (4, 4))}), {"m": SQUARE})
    row = {"m": SQUARE, "m[0]": SQUARE[0]}
    arguments = rest.removesuffix(")").split(", ", 1)
    given: tuple[Any, ...] = {"tile": ((2, 1),), "repeat": (2,)}.get(name, ())
    if name == "diag":
        given = tuple(int(k) for k in arguments[1:])
    np.testing.assert_array_equal(ours, getattr(np, name)(row[arguments[0]], *given))


def test_roll_and_reps_of_no_axis() -> None:
    x = b.input("x", (4, 4))
    for count in (5, -3, 16):
        found = evaluate(FUNCTIONS["roll"](x, count), {"x": SQUARE})
        np.testing.assert_array_equal(found, np.roll(SQUARE, count))


def test_sizes_may_be_names() -> None:
    x = b.input("x", ("batch", "time"))
    first, second = FUNCTIONS["split"](x, 2, axis=1)
    rolled, twice = FUNCTIONS["roll"](x, 1, axis=1), FUNCTIONS["repeat"](x, 2, axis=1)
    found = evaluate([first, second, rolled, twice], {"x": SQUARE})
    expected = [*np.split(SQUARE, 2, 1), np.roll(SQUARE, 1, 1), np.repeat(SQUARE, 2, 1)]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("split", (4, 1), r"4 sections do not divide axis 1 of x of shape \(3, 6\)"),
        ("split", ([4, 2], 1), r"\[4, 2\] are no places in x of shape \(3, 6\)"),
        ("tile", (-1,), r"-1 of x of shape \(3, 6\)"),
        ("repeat", (-1, 0), r"-1 times of x"),
        ("moveaxis", (0, (0, 1)), r"0 to \(0, 1\) of x of shape \(3, 6\)"),
        ("roll", (1, 2), r"roll of x of shape \(3, 6\)"),
    ],
)
def test_what_does_not_fit(name: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        FUNCTIONS[name](b.input("x", (3, 6)), *arguments)
