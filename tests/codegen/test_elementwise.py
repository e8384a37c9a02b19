"""Sums, products and functions read as a person writes them."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr import movement
from symdiff.expr.algebra import scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import size_node
from tests.codegen.models import line_of, lines_of, run_graph

P = b.input("p", ("batch", 3))
Q = b.input("q", ("batch", 3))
R = b.input("r", (3,))
T = b.input("t", ())
K = b.input("k", ("batch",), "int64")
BATCH = size_node("batch", "float64")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Q - P, "q - p"),
        (P + Q, "p + q"),
        (R + P, "p + r"),
        (-P, "-p"),
        (-P - Q, "-(p + q)"),
        (1 - P**2, "1 - p**2"),
        (P - 1, "p - 1"),
        (0.5 * P + 3 * Q, "0.5 * p + 3 * q"),
        (P - 2 * Q, "p - 2 * q"),
        (P / BATCH, "p / batch"),
        (2 * P / BATCH, "2 / batch * p"),
        (P / Q, "p / q"),
        (P / (Q * R), "p / (q * r)"),
        (1 / P, "1 / p"),
        (P**2, "p**2"),
        (P**3, "p * p * p"),
        (P**-2, "1 / p**2"),
        (P**4, "(p * p)**2"),
        (b.sqrt(P), "np.sqrt(p)"),
        (1 / b.sqrt(P), "1 / np.sqrt(p)"),
        (P**1.5, "p * np.sqrt(p)"),
        (T * P, "t * p"),
        (T * P * 2, "2 * t * p"),
        ((P - Q) * R, "(p - q) * r"),
        (-((P - Q) ** 2), "-(p - q)**2"),
        (P * b.cast(Q > 0, "float64"), "p * (q > 0)"),
        (b.cast(Q > 0, "float64"), "(q > 0).astype(dtype)"),
        (b.relu(P), "np.maximum(p, 0)"),
        (b.where(P > Q, P, 0.0), "np.where(p > q, p, 0)"),
        (b.power(P, Q), "p**q"),
        (b.maximum(P, 0.5), "np.maximum(p, 0.5)"),
        (b.softmax(P), "_softmax(p, axis=-1)"),
        (b.softmax(P, axis=(0, 1)), "_softmax(p, axis=(0, 1))"),
        (b.sum(P, axis=1, keepdims=True), "p.sum(axis=-1, keepdims=True)"),
        (b.max(P, axis=0), "p.max(axis=0)"),
        (P[:, 1], "p[:, 1].copy()"),
        (P[:-1], "p[:-1].copy()"),
        (P[1:, ::2], "p[1:, ::2].copy()"),
        (b.reshape(P, (3, "batch")), "p.reshape(3, batch).copy()"),
        (P[b.arange("batch"), K], "p[np.arange(batch), k]"),
        (R[K], "r[k]"),
        (b.one_hot(K, 4), "_one_hot(k, 4, dtype)"),
        (b.eye(3), "np.eye(3, dtype=dtype)"),
        (movement.pad(R, [(1, 2, 0)]), "np.pad(r, ((1, 2),))"),
        (b.concatenate([R, R], 0), "np.concatenate([r, r], axis=0)"),
        (movement.cumsum(P, 1), "p.cumsum(axis=-1)"),
        (b.full((3, 2), 0.0, "float64"), "np.zeros((3, 2), dtype=dtype)"),
        (b.full((3,), 1.0, "float64"), "np.ones(3, dtype=dtype)"),
        (b.full((3,), 2.5, "float64"), "np.full(3, 2.5, dtype=dtype)"),
        (b.broadcast_to(R, ("batch", 3)), "np.broadcast_to(r, (batch, 3)).copy()"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_line(node: Node, expected: str) -> None:
    anchors = {"out": node, "keep": b.sum(P)}  # p, so that every size has an argument
    (line,) = [line for line in lines_of(anchors) if line.startswith("out = ")]
    assert line == f"out = {expected}"


def test_numbers_keep_their_digits() -> None:
    assert line_of(0.1 * R) == "0.1 * r"
    assert line_of(R * (1 / 3)) == "0.3333333333333333 * r"
    r32 = b.input("r", (3,), "float32")
    assert line_of(b.maximum(r32, 0.1), "float32") == "np.maximum(r, 0.1)"
    assert line_of(b.maximum(r32, b.constant(-np.inf, "float32")), "float32") == (
        "np.maximum(r, -np.inf)"
    )


def test_long_sums_become_several_lines() -> None:
    terms = [b.sin(float(i) * P + Q) for i in range(1, 30)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    lines = lines_of({"out": total})
    assert max(map(len, lines)) <= 84
    assert len(lines) > 10


def test_a_single_use_is_written_where_it_is_used() -> None:
    h = b.tanh(P + R)
    assert lines_of({"out": h * Q}) == ["out = q * np.tanh(p + r)", 'return {"out": out}']


def test_a_value_with_two_users_is_computed_once() -> None:
    e = b.exp(P)
    lines = lines_of({"out": b.sin(e) + e})
    assert lines[:2] == ["exp = np.exp(p)", "out = exp + np.sin(exp)"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_intermediate_keeps_the_dtype(dtype: str) -> None:
    """Traps: literals, sizes under functions, whole numbers and truth values, 0-d values."""
    with b.default_dtype(dtype):
        x = b.input("x", ("batch", 3), dtype)
        t = b.input("t", (), dtype)
        k = b.input("k", ("batch",), "int64")
        n = size_node("batch", dtype)
        nodes = {
            "weak": x * 0.1 + 3,
            "size": x / n,
            "root_of_size": x * b.sqrt(n),
            "log_of_size": x * b.log(n),
            "whole": x * b.cast(k, dtype)[:, None],
            "mask": b.cast(x > 0, dtype) * 2.0,
            "mask_below": 0.5 * b.cast(x > 0, dtype) / b.exp(x),
            "mask_and_size": n * b.cast(x > 0, dtype) * b.exp(x),
            "masks": b.cast(x > 0, dtype) * b.cast(x < 1, dtype) / n,
            "where": b.where(x > 0, 1.0, 0.0),
            "zero_d": b.sin(t) * x.mean() + b.sqrt(b.exp(t)),
            "zero_d_relu": b.relu(t),
            "zero_d_sigmoid": b.sigmoid(t) + b.softplus(t) + scalar("reciprocal_or_zero", t),
            "hot": b.one_hot(k, 3) * x,
            "number": b.constant(2.5, dtype) + b.cast(b.sum(k), dtype),
            "only_size": 1 / n,
            "full": b.full(("batch", 2), 0.5, dtype),
            "hypot": b.hypot(x, 1.0),
            "where_inf": b.where(x > 0, x, b.constant(-np.inf, dtype)),
        }
    values = {
        "x": np.random.default_rng(0).normal(size=(4, 3)).astype(dtype),
        "t": np.asarray(0.5, dtype),
        "k": np.array([0, 2, 1, 1]),
    }
    got = run_graph(nodes, values, dtype)
    assert {name: str(array.dtype) for name, array in got.items()} == dict.fromkeys(nodes, dtype)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finite_inputs_raise_no_warning_and_stay_finite(dtype: str) -> None:
    x = b.input("x", ("n",), dtype)
    far = np.array([-1e30, -1e4, -1.0, 0.0, 1.0, 1e4, 1e30], dtype)
    nodes = {
        "sigmoid": b.sigmoid(x),
        "softplus": b.softplus(x),
        "softmax": b.softmax(x),
        "log_softmax": b.log_softmax(x),
        "logsumexp": b.logsumexp(x),
        "reciprocal": scalar("reciprocal_or_zero", x),
    }
    got = run_graph(nodes, {"x": far}, dtype)
    for name, array in got.items():
        assert np.all(np.isfinite(array)), name
    naive = run_graph({"out": b.exp(x) / x}, {"x": far}, dtype)["out"]
    assert np.isinf(naive).any()  # what the formula says, and no warning of it


def test_minus_infinity_counts_nothing_in_a_softmax() -> None:
    x = b.input("x", (2, 3))
    values = {"x": np.array([[0.0, -np.inf, 0.0], [-np.inf, -np.inf, -np.inf]])}
    got = run_graph({"p": b.softmax(x)[0], "lse": b.logsumexp(x, axis=1)}, values)
    np.testing.assert_array_equal(got["p"], [0.5, 0.0, 0.5])
    np.testing.assert_array_equal(got["lse"], [np.log(2.0), -np.inf])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_single_truth_values_stand_behind_floats(dtype: str) -> None:
    """NumPy refuses -(s > 0), and 2 * (s > 0) would be float64."""
    with b.default_dtype(dtype):
        s, x = b.input("s", (), dtype), b.input("x", (3,), dtype)
        mask = b.cast(s > 0, dtype)
        values = {"s": np.array(0.5, dtype), "x": np.array([1.0, -2.0, 3.0], dtype)}
        for node, expected in ((-mask * b.tanh(x), -1.0), (2 * mask * b.tanh(x), 2.0)):
            found = run_graph({"out": node}, values, dtype=dtype)["out"]
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected * np.tanh(values["x"]), rtol=1e-6)
