"""The reference interpreter: values, dtypes, sizes read from the data, stability, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr import movement
from symdiff.expr.contraction import contract
from symdiff.expr.evaluate import KERNELS, evaluate
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.expr.shapes import ShapeError

X = b.input("x", ("n", 3))
DATA = np.random.default_rng(0).normal(size=(4, 3))
CUBE = np.random.default_rng(1).normal(size=(2, 3, 4))


def test_every_operation_has_a_kernel() -> None:
    assert set(KERNELS) == set(OPS)


def test_the_result_has_the_structure_that_was_asked_for() -> None:
    one = evaluate(b.sum(X), {"x": DATA})
    many = evaluate([b.sum(X), X], {"x": DATA})
    named = evaluate({"total": b.sum(X)}, {"x": DATA})
    assert isinstance(one, np.ndarray)
    assert one.shape == ()
    assert one == many[0] == named["total"]
    np.testing.assert_array_equal(many[1], DATA)


def test_leaves_are_found_by_node_or_by_name() -> None:
    assert evaluate(b.sum(X), {X: DATA}) == evaluate(b.sum(X), {"x": DATA})


def test_values_that_nothing_needs_are_allowed() -> None:
    other = b.input("other", ("k",))
    assert evaluate(b.sum(X), {"x": DATA, "unused": 3, other: np.ones(2)}) == DATA.sum()


def test_sizes_are_read_from_the_arrays() -> None:
    assert evaluate(b.mean(X, axis=0), {"x": DATA}).tolist() == pytest.approx(DATA.mean(0).tolist())
    assert evaluate(b.ones(("n",)), {X: DATA}).tolist() == [1.0] * 4
    assert evaluate(b.arange("n"), {}, {"n": 3}).tolist() == [0, 1, 2]


def test_compound_sizes_follow_from_their_parts() -> None:
    y = b.input("y", (b.concatenate([X, X], 0).shape[0],))
    twice = b.concatenate([X, X], 0)
    assert evaluate(b.sum(twice[:, 0] * y), {"x": DATA, "y": np.ones(8)}) == pytest.approx(
        2 * DATA[:, 0].sum()
    )
    with pytest.raises(ShapeError, match="y: expected shape"):
        evaluate(b.sum(twice[:, 0] * y), {"x": DATA, "y": np.ones(7)})


def test_no_rows_are_rows_too() -> None:
    assert evaluate(b.sum(X @ b.ones((3, 2)), axis=1), {"x": np.zeros((0, 3))}).shape == (0,)


def _float32(x: Node) -> Node:
    return b.softmax(3 * b.tanh(x) + 0.1 * x**2 / (1 + b.abs(x)), axis=1) @ b.exp(x).T


def test_float32_is_computed_in_float32() -> None:
    x = b.input("x", (4, 3), "float32")
    found = evaluate(_float32(x), {"x": DATA})
    assert found.dtype == np.float32
    wide = evaluate(_float32(b.input("x", (4, 3))), {"x": DATA})
    np.testing.assert_allclose(found, wide, rtol=1e-5)
    assert (found != wide).any()


def test_whole_numbers_stay_whole() -> None:
    k = b.input("k", (3,), "int64")
    found = evaluate(2 * k * k - 1, {"k": [1, 2, 2**40 // 2**20]})
    assert found.dtype == np.int64
    assert found.tolist() == [1, 7, 2 * 2**40 - 1]


MEANINGS: dict[str, tuple[Callable[[Node], Node], Callable[[Any], Any]]] = {
    "transpose": (lambda x: b.transpose(x, (2, 0, 1)), lambda v: v.transpose(2, 0, 1)),
    "sum": (lambda x: b.sum(x, axis=(0, 2)), lambda v: v.sum(axis=(0, 2))),
    "broadcast": (lambda x: b.broadcast_to(x, (5, 2, 3, 4)), lambda v: np.stack([v] * 5)),
    "einsum": (lambda x: b.einsum("ijk,ljk->il", x, x), lambda v: np.einsum("ijk,ljk->il", v, v)),
    "diagonal": (lambda x: b.diagonal(x[:, :2]), lambda v: np.diagonal(v[:, :2])),
    "max": (lambda x: b.max(x, axis=(0, 2)), lambda v: v.max(axis=(0, 2))),
    "prod": (lambda x: b.prod(x, axis=1), lambda v: v.prod(axis=1)),
    "cumsum": (lambda x: b.cumsum(x, axis=1), lambda v: v.cumsum(axis=1)),
    "reverse cumsum": (
        lambda x: movement.cumsum(x, 2, reverse=True),
        lambda v: v[..., ::-1].cumsum(axis=2)[..., ::-1],
    ),
    "reshape": (lambda x: b.reshape(x, (4, -1)), lambda v: v.reshape(4, -1)),
    "slice": (lambda x: x[:, 1:, ::-2], lambda v: v[:, 1:, ::-2]),
    "empty slice": (lambda x: x[:, 3:], lambda v: v[:, 3:]),
    "flip": (lambda x: b.flip(x, (0, 2)), lambda v: np.flip(v, (0, 2))),
    "pad": (lambda x: b.pad(x, (1, 2)), lambda v: np.pad(v, (1, 2))),
    "concatenate": (lambda x: b.concatenate([x, x], 1), lambda v: np.concatenate([v, v], 1)),
    "take": (lambda x: b.take(x, [[0, -1], [1, 1]], axis=1), lambda v: v[:, [[0, -1], [1, 1]]]),
    "powers": (lambda x: x**3 * b.abs(x) ** -1.5, lambda v: v**3 * np.abs(v) ** -1.5),
    "division": (lambda x: 2 / x, lambda v: 2 / v),
    "where": (lambda x: b.where(x > 0, x, -1), lambda v: np.where(v > 0, v, -1)),
    "softmax": (
        lambda x: b.softmax(x, axis=(0, 2)),
        lambda v: np.exp(v) / np.exp(v).sum(axis=(0, 2), keepdims=True),
    ),
    "logsumexp": (
        lambda x: b.logsumexp(x, axis=(0, 2)),
        lambda v: np.log(np.exp(v).sum(axis=(0, 2))),
    ),
    "log_softmax": (
        lambda x: b.log_softmax(x, axis=1),
        lambda v: v - np.log(np.exp(v).sum(axis=1, keepdims=True)),
    ),
    "one_hot": (lambda x: b.one_hot(b.constant([2, 0, -1, 9]), 3), lambda v: HOT),
}
HOT = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("name", MEANINGS)
def test_operations_mean_what_numpy_means(name: str) -> None:
    ours, numpys = MEANINGS[name]
    found = evaluate(ours(b.input("x", (2, 3, 4))), {"x": CUBE})
    np.testing.assert_allclose(found, numpys(CUBE), rtol=1e-13)


def test_a_contraction_broadcasts_to_indices_that_no_operand_has() -> None:
    node = contract([b.input("x", (2, 3))], [(0, 1)], (2, 1), {2: 5})
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(evaluate(node, {"x": value}), np.tile(value.sum(0), (5, 1)))


def test_interior_padding_and_its_inverse() -> None:
    x = b.input("x", (3,))
    padded = movement.pad(x, [(1, 2, 1)])
    assert evaluate(padded, {"x": [1, 2, 3]}).tolist() == [0, 1, 0, 2, 0, 3, 0, 0]
    assert evaluate(padded[1:6:2], {"x": [1, 2, 3]}).tolist() == [1, 2, 3]


def test_scatter_add_accumulates_in_each_row() -> None:
    g, i = b.input("g", (2, 3)), b.input("i", (2, 3), "int64")
    node = movement.scatter_add(g, i, 4, 1)
    found = evaluate(node, {"g": [[1, 2, 3], [4, 5, 6]], "i": [[0, 0, 3], [1, -1, 1]]})
    assert found.tolist() == [[3, 0, 0, 3], [0, 10, 0, 5]]


def test_a_division_does_not_overflow_in_its_reciprocal() -> None:
    x, y = b.input("x"), b.input("y")
    assert evaluate(x / y, {"x": 1e-310, "y": 1e-310}) == 1.0


STABLE: dict[str, tuple[Callable[[Node], Node], list[float]]] = {
    "softmax": (b.softmax, [1.0, 0.0, 0.0]),
    "log_softmax": (b.log_softmax, [0.0, -1e4, -2e4]),
    "logsumexp": (lambda z: b.logsumexp(z, -1, keepdims=True), [1e4]),
    "sigmoid": (b.sigmoid, [1.0, 0.5, 0.0]),
    "softplus": (b.softplus, [1e4, np.log(2), 0.0]),
    "tanh": (b.tanh, [1.0, 0.0, -1.0]),
    "erf": (b.erf, [1.0, 0.0, -1.0]),
    "hypot": (lambda z: b.hypot(1e300 * b.sign(z), 1e300), [2**0.5 * 1e300, 1e300, 2**0.5 * 1e300]),
}


@pytest.mark.parametrize("name", STABLE)
def test_large_arguments_give_finite_values_without_a_warning(name: str) -> None:
    f, expected = STABLE[name]
    z = b.input("z", (3,))
    found = evaluate(f(z), {"z": [1e4, 0.0, -1e4]})
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_masked_logits_of_minus_infinity_have_weight_zero() -> None:
    z = b.input("z", (3,))
    value = [0.0, -np.inf, 0.0]
    assert evaluate(b.softmax(z), {"z": value}).tolist() == [0.5, 0.0, 0.5]
    assert evaluate(b.logsumexp(z), {"z": value}) == np.log(2)
    assert evaluate(b.logsumexp(z), {"z": [-np.inf] * 3}) == -np.inf


def test_a_branch_not_taken_gives_no_warning() -> None:
    x = b.input("x", (2,))
    node = b.where(x > 0, b.log(x), 0.0)
    assert evaluate(node, {"x": [0.0, 1.0]}).tolist() == [0.0, 0.0]


def test_inputs_are_not_modified() -> None:
    value = DATA.copy()
    evaluate(_float32(X), {"x": value})
    np.testing.assert_array_equal(value, DATA)


def test_a_missing_value_names_the_leaf() -> None:
    w = b.parameter("W1", (3, "hidden"))
    with pytest.raises(ValueError, match=r"no value for parameter W1 of shape \(3, hidden\)"):
        evaluate(X @ w, {"x": DATA})


def test_a_wrong_shape_names_the_leaf_and_both_shapes() -> None:
    with pytest.raises(ShapeError, match=r"x: expected shape \(n, 3\).*, got \(4, 2\)"):
        evaluate(b.sum(X), {"x": np.ones((4, 2))})
    y = b.input("y", ("n",))
    with pytest.raises(ShapeError, match=r"y: expected shape \(n,\) with {'n': 4}, got \(5,\)"):
        evaluate(b.sum(X, 1) * y, {"x": DATA, "y": np.ones(5)})


@pytest.mark.parametrize(
    ("dtype", "value"), [("int64", 0.5), ("int64", True), ("bool", 1), ("float64", 1j)]
)
def test_values_of_the_wrong_kind_are_refused(dtype: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"input k holds {dtype}"):
        evaluate(b.input("k", (), dtype), {"k": value})


def test_a_size_that_nothing_shows_is_named() -> None:
    with pytest.raises(ShapeError, match="no array shows the size n"):
        evaluate(b.sum(b.ones(("n",)) * b.arange("n")), {})


def test_only_leaves_are_given_values() -> None:
    with pytest.raises(ValueError, match="values are given to inputs and parameters"):
        evaluate(b.sum(X), {X: DATA, b.sum(X): 1.0})
