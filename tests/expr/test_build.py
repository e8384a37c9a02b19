"""Functions and indexing under NumPy's names, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.shapes import ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 5))
M = RNG.normal(size=(4, 5))
POSITIVE = RNG.uniform(0.1, 0.9, size=(3, 4))

CASES: list[tuple[str, Callable[[Any, Any], Any], tuple[np.ndarray, ...]]] = [
    ("sum", lambda n, x: n.sum(x, axis=(0, 2), keepdims=True), (X,)),
    ("mean", lambda n, x: n.mean(x, axis=-1), (X,)),
    ("var", lambda n, x: n.var(x, axis=1, keepdims=True), (X,)),
    ("std", lambda n, x: n.std(x), (X,)),
    ("max", lambda n, x: n.max(x, axis=(1, 2)), (X,)),
    ("min", lambda n, x: n.min(x, axis=0, keepdims=True), (X,)),
    ("prod", lambda n, x: n.prod(x, axis=1), (X,)),
    ("cumsum", lambda n, x: n.cumsum(x, axis=1), (X,)),
    ("cumsum flat", lambda n, x: n.cumsum(x), (X,)),
    ("transpose", lambda n, x: n.transpose(x, (1, 2, 0)), (X,)),
    ("swapaxes", lambda n, x: n.swapaxes(x, 0, -1), (X,)),
    ("reshape", lambda n, x: n.reshape(x, (4, -1)), (X,)),
    ("broadcast_to", lambda n, x: n.broadcast_to(x, (2, 4, 5)), (M,)),
    ("concatenate", lambda n, x, y: n.concatenate([x, y], axis=-1), (X, X[..., :2])),
    ("stack", lambda n, x: n.stack([x, 2 * x], axis=1), (X,)),
    ("pad", lambda n, x: n.pad(x, ((1, 0), (0, 2))), (M,)),
    ("pad value", lambda n, x: n.pad(x, 1, constant_values=3.0), (M,)),
    ("flip", lambda n, x: n.flip(x, 1), (X,)),
    ("trace", lambda n, x: n.trace(x[:, :4]), (M,)),
    ("diag of a matrix", lambda n, x: n.diag(x[:, :4]), (M,)),
    ("diag of a vector", lambda n, x: n.diag(x[0]), (M,)),
    ("tril", lambda n, x: n.tril(x, 1), (M,)),
    ("triu", lambda n, x: n.triu(x), (M,)),
    ("matmul", lambda n, x, y: n.matmul(x, y.T), (X, M)),
    ("dot", lambda n, x, y: n.dot(x, y.T), (X, M)),
    ("outer", lambda n, x, y: n.outer(x, y), (M, X)),
    ("inner", lambda n, x, y: n.inner(x, y), (X, M)),
    ("tensordot", lambda n, x, y: n.tensordot(x, y, 2), (X, M)),
    ("einsum", lambda n, x, y: n.einsum("...ij,ij->j...", x, y), (X, M)),
    ("where", lambda n, x: n.where(x > 0, x, 2.0), (X,)),
    ("clip", lambda n, x: n.clip(x, -0.5, 0.5), (X,)),
    ("hypot", lambda n, x, y: n.hypot(x, y), (X, M)),
    ("logaddexp", lambda n, x, y: n.logaddexp(x, y), (X, M)),
    ("power", lambda n, x: n.power(x, 1.5) + 2.0**x + x**x, (POSITIVE,)),
    ("square", lambda n, x: n.square(x) / n.sqrt(n.abs(x)), (X,)),
    ("take", lambda n, x: n.take(x, np.array([2, 0, 2]), axis=1), (X,)),
    ("take flat", lambda n, x: n.take(x, np.array([[7, -1]])), (X,)),
    ("index", lambda n, x: x[1:, ::-2, None, -1], (X,)),
    ("index ellipsis", lambda n, x: x[..., 1:3][0], (X,)),
    ("index rows", lambda n, x: x[np.arange(4), np.array([0, 4, 2, -1])], (M,)),
    ("index array", lambda n, x: x[:, np.array([[0, 1], [3, 3]])], (X,)),
    ("comparisons", lambda n, x: (x > 0) * 2.0 + (x <= 0) * x, (X,)),
]


@pytest.mark.parametrize(("function", "arrays"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_functions_mean_what_numpys_do(
    function: Callable[..., Any], arrays: tuple[np.ndarray, ...]
) -> None:
    inputs = [b.input(f"x{i}", a.shape) for i, a in enumerate(arrays)]
    node = function(b, *inputs)
    expected = np.asarray(function(np, *arrays))
    assert node.shape == expected.shape
    got = evaluate(node, dict(zip(inputs, arrays, strict=True)))
    assert np.allclose(got, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: x[5], "index 5 is out of range for size 4"),
        (lambda x: x[0, 0, 0], "3 indices for x of shape"),
        (lambda x: x[1.5], "1.5 is not an index"),
        (lambda x: x[..., ...], "more than one"),
        (lambda x: b.sum(x, axis=2), "sum of x of shape .*axis 2 is out of range"),
        (lambda x: b.reshape(x, (3, 7)), "does not have"),
        (lambda x: b.reshape(x, (-1, 3)), "no size at -1 fits"),
        (lambda x: b.concatenate([x, x[0]]), "differ in rank"),
        (lambda x: b.transpose(x, (0, 0)), "do not permute"),
        (lambda x: b.broadcast_to(x, (4, 6)), "does not fit"),
        (lambda x: b.trace(x[0]), "is not a matrix"),
        (lambda x: x + b.input("other", ("n", 1)), "4 against n"),
        (lambda x: b.max(x[:, :0], axis=1), "no elements"),
    ],
)
def test_faults_name_the_operation_and_the_shapes(
    build: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises((ShapeError, ValueError), match=message):
        build(b.input("x", (4, 5)))


def test_the_example_axis_survives_a_reshape() -> None:
    c = b.input("c", ("batch", 4, 8, 8))
    assert b.reshape(c, (-1, 256)).shape == ("batch", 256)
    assert b.reshape(c, ("batch", 16, -1)).shape == ("batch", 16, 16)


def test_labels_pick_one_entry_a_row() -> None:
    z, k = b.input("z", ("n", 3)), b.input("k", ("n",), "int64", labels=3)
    picked = z[b.arange("n"), k]
    value = evaluate(picked, {z: np.arange(6.0).reshape(2, 3), k: np.array([2, 0])})
    assert picked.shape == ("n",)
    assert value.tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    "key",
    [
        (slice(None), [0, 0, 1, -1], [1, -2, 2, 0]),
        (slice(None), np.array([[0], [3]]), np.array([1, 2])),
        (np.arange(2), np.array([3, 1]), np.array([0, -1])),
        ([1, 0, 1], [3, 0, -4]),
        (slice(None), [2, 0], [1, 1], slice(0, 1)),
    ],
)
def test_neighbouring_index_arrays_pick_together(key: tuple[Any, ...]) -> None:
    """Of a named axis too, and with places from the end, as in NumPy."""
    array = np.arange(48.0).reshape(2, 4, 3, 2)
    x, y = b.input("x", (2, 4, 3, 2)), b.input("y", (2, 4, "n", 2))
    for node in (x, y):
        found = evaluate(node[key], {node: array})
        np.testing.assert_array_equal(found, array[key])


def test_index_arrays_apart_or_of_other_shapes_are_faults() -> None:
    x = b.input("x", (2, 4, 3))
    with pytest.raises(ShapeError, match="index arrays are not next to each other"):
        x[[0, 1], :, [0, 1]]
    with pytest.raises(ShapeError, match=r"index arrays of shapes \(2,\) and \(3,\) do not fit"):
        x[:, [0, 1], [0, 1, 2]]


def test_sizes_take_part_in_shapes_and_in_arithmetic() -> None:
    x = b.input("x", ("n", 3))
    both = b.concatenate([x, x])
    assert str(both.shape[0]) == "2*n"
    assert float(evaluate(b.sum(both) / b.size_node("n"), {x: np.ones((5, 3))})) == 6.0
