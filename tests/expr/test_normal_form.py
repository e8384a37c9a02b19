"""The node-local normal form: equal spellings are the same object."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.algebra import power_product
from symdiff.expr.contraction import split_sum
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node

x = b.input("x", ("n", 4))
y = b.input("y", ("n", 4))
s = b.input("s")
t = b.input("t")
k = b.input("k", ("n", 4), zero_or_one=True)
A = b.input("A", (4, 4))
v = b.input("v", (4,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (x + y, y + x),
        (x - y, -(y - x)),
        (x + x, 2 * x),
        (-x - y, -(x + y)),
        (0.5 * x - 0.5 * y, (x - y) / 2),
        (-2 * (x - y), 2 * (y - x)),
        (-(1 - x), x - 1),
        (-(y - x) * s, s * (x - y)),
        (power_product([(2 * k - 1, 1), (x, 1)], -1), (1 - 2 * k) * x),
        (power_product([(x, 2), (1 - 2 * k, -1)], -3), power_product([(x, 2), (2 * k - 1, -1)], 3)),
        (x * x, b.square(x)),
        (x / y, x * y**-1),
        (b.sqrt(x) * b.sqrt(x), x),
        ((x * y) * s / t, s * (x / t * y)),
        (x - x + y, y),
        (2 * x - x, x),
        (x + 1 - 1, x),
        (1 - (1 - x), x),
        (x.T.T, x),
        ((x.T + y.T), (x.T + y.T)),
        (b.exp(x.T), b.exp(x).T),
        (b.exp(b.broadcast_to(v, ("n", 4))), b.broadcast_to(b.exp(v), ("n", 4))),
        (x * b.broadcast_to(v, ("n", 4)), x * v),
        (b.sum(3 * x), 3 * b.sum(x)),
        (b.sum(s * x), s * b.sum(x)),
        (b.sum(x / s, axis=1), b.sum(x, axis=1) / s),
        (split_sum(b.sum(x * y)), b.einsum("ij,ij->", x, y)),
        (split_sum(b.sum(x**2)), b.einsum("ij,ij", x, x)),
        (split_sum(b.sum(x * v)), b.einsum("ij,j->", x, v)),
        (b.sum(b.sum(x, axis=0)), b.sum(x)),
        (b.sum(x.T, axis=0), b.sum(x, axis=1)),
        (A @ b.eye(4), A),
        (b.trace(b.eye(4) @ A), b.trace(A)),
        (b.sum(b.broadcast_to(s, (3, "n"))), 3 * s * b.size_node("n")),
        (b.outer(v, v), v[:, None] * v),
        ((2 * A) @ (3 * v), 6 * (A @ v)),
        (b.matmul(A.T, v), v @ A),
        (b.reshape(b.reshape(x, (2, 2, "n")), ("n", 4)), x),
        (b.reshape(v, (1, 4)), v[None, :]),
        (x[1:][:, 1:3], x[1:, 1:3]),
        (x[:, ::-1][:, ::-1], x),
        (b.maximum(x, 0), b.relu(x)),
        (b.concatenate([x]), x),
        (b.mean(x, axis=1), b.sum(x, axis=1) / 4),
        (b.cast(b.cast(x, "float32"), "float32"), b.cast(x, "float32")),
        (x**0 * y, y),
    ],
)
def test_equal_spellings_are_one_node(one: Node, other: Node) -> None:
    assert one is other


def test_cancelled_terms_keep_the_shape() -> None:
    assert (0 * x + s).shape == ("n", 4)
    assert (x - x).shape == ("n", 4)
    assert (x / x + s).shape == ("n", 4)


def test_a_root_of_an_even_power_stays() -> None:
    root = b.sqrt(v**2)
    assert root is not v
    assert np.array_equal(evaluate(root, {v: np.array([-1.0, 2.0, -3.0, 0.0])}), [1, 2, 3, 0])


def test_nested_sums_are_not_flattened_so_shared_work_stays_shared() -> None:
    h = x + y
    assert (h + v).op == "add"
    assert h in (h + v).inputs


def test_constants_are_kept_apart_by_dtype_and_bits() -> None:
    values = [b.constant(c) for c in (0.0, -0.0, 0, False, 1, 1.0, True, float("nan"))]
    assert len(set(values)) == len(values)
    assert b.constant(float("nan")) is b.constant(float("nan"))


def test_the_digest_is_the_same_in_every_process() -> None:
    node = b.sum(b.exp(b.input("x", (3,)) * 2 + 1))
    assert node.digest.hex() == "465a8bbec5085626c4f7d723b6cc0944"


def test_unused_nodes_are_freed() -> None:
    from symdiff.expr.node import _TABLE

    node = b.exp(b.input("only_here", (3,)))
    digest = node.digest
    del node
    gc.collect()
    assert digest not in _TABLE


def test_nodes_are_immutable_and_have_no_truth_value() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        x.op = "y"
    with pytest.raises(TypeError, match="truth value"):
        bool(x > 0)
    with pytest.raises(TypeError, match="not iterable"):
        iter(x)


def test_a_chain_of_ten_thousand_builds_and_is_freed() -> None:
    node = v
    for _ in range(10_000):
        node = b.tanh(node)
    assert np.all(np.abs(evaluate(node, {v: np.ones(4)})) < 0.02)
    del node
    gc.collect()


def test_numbers_keep_their_digits_in_float32() -> None:
    f = b.input("f", (3,), "float32")
    half = b.constant(0.5, "float32")
    assert (half * b.constant(1e-4, "float32") * f).attr("coefficient") == 0.5e-4
    assert b.constant(0.1, "float32").value.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_labels_and_masks_keep_the_float_dtype(dtype: str) -> None:
    f = b.input("f", ("n", 3), dtype)
    k = b.input("k", ("n",), "int64", labels=3)
    for node in (2.5 * f + 1, f / 3, f**0.5, f * (f > 0), f * k[:, None], b.mean(f), b.var(f)):
        assert node.dtype == dtype
    assert (k + 1).dtype == "int64"
    with b.default_dtype(dtype):
        assert (k / 2).dtype == dtype
        assert b.sum((k > 1) * 1.0).dtype == dtype


def test_truth_values_count_as_zero_and_one() -> None:
    both = (v > 0) * 1.0 + (v > 1)
    assert np.array_equal(evaluate(both, {v: np.array([-1.0, 0.5, 2.0, 3.0])}), [0, 1, 2, 2])


def test_a_mask_of_large_numbers_takes_no_digits_from_what_it_is_added_to() -> None:
    """In float32 there is nothing of z in z + 1e9 m − 1e9; added as it is written, 0 changes z."""
    z, m = b.input("z", (3,), "float32"), b.input("m", (3,), "float32")
    scores = np.array([0.5, -1.25, 3.0], np.float32)
    mask = np.array([1.0, 0.0, 1.0], np.float32)
    for node in (z + (1.0 - m) * -1e9, z - 1e9 * (1 - m), 2 * (z / 2 + (m - 1) * 5e8)):
        found = evaluate(node, {"z": scores, "m": mask})
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found[[0, 2]], scores[[0, 2]])
        assert found[1] < -9e8


def test_a_large_offset_alone_is_one_with_its_scale() -> None:
    assert (x - 1000) / 1000 is x / 1000 - 1
