"""Attention by its definition, one query and one head at a time, and its derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn.attention import attention
from tests.oracles import Array, assert_close, autograd_hvp, check_derivatives, weighted

RNG = np.random.default_rng(4)
BATCH, QUERIES, KEYS, HEADS = 2, 4, 3, 2
VALUES = {
    "q": RNG.normal(size=(BATCH, QUERIES, 6)),
    "k": RNG.normal(size=(BATCH, KEYS, 6)),
    "v": RNG.normal(size=(BATCH, KEYS, 4)),
    "mask": np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),
}
Q, K, V, MASK = (b.parameter(name, x.shape) for name, x in VALUES.items())
KEY_MASK = MASK[:, None, :]


def by_loops(heads: int, causal: bool, mask: Array | None, scale: float | None = None) -> Array:
    """Each query of each head on its own."""
    q, k, v = VALUES["q"], VALUES["k"], VALUES["v"]
    result = np.zeros((BATCH, QUERIES, 4))
    d, m = 6 // heads, 4 // heads
    for j, t, head in np.ndindex(BATCH, QUERIES, heads):
        seen = [s for s in range(KEYS) if not (causal and s > t)]
        seen = [s for s in seen if mask is None or mask[j, s]]
        mine, values = slice(head * d, head * d + d), slice(head * m, head * m + m)
        scores = [(scale or d**-0.5) * np.dot(q[j, t, mine], k[j, s, mine]) for s in seen]
        total = sum(np.exp(score) for score in scores)
        for s, score in zip(seen, scores, strict=True):
            result[j, t, values] += np.exp(score) / total * v[j, s, values]
    return result


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_values(heads: int, causal: bool, masked: bool) -> None:
    node = attention(Q, K, V, KEY_MASK if masked else None, causal, heads)
    expected = by_loops(heads, causal, VALUES["mask"] if masked else None)
    np.testing.assert_allclose(evaluate(node, VALUES), expected, rtol=1e-12, atol=1e-14)


def test_the_scale_can_be_given() -> None:
    found = evaluate(attention(Q, K, V, scale=0.3, heads=2), VALUES)
    np.testing.assert_allclose(found, by_loops(2, False, None, 0.3), rtol=1e-12)


def test_the_reference_of_jax() -> None:
    jax = pytest.importorskip("jax")

    narrow = {name: x[..., :4] for name, x in VALUES.items()}
    q, k, v = (
        jax.numpy.asarray(narrow[name]).reshape(BATCH, -1, HEADS, 2) for name in ("q", "k", "v")
    )
    theirs = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(BATCH, QUERIES, 4)
    ours = evaluate(attention(Q[..., :4], K[..., :4], V, causal=True, heads=HEADS), VALUES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_derivatives(causal: bool) -> None:
    check_derivatives(attention(Q, K, V, KEY_MASK, causal, HEADS), [Q, K, V], VALUES)


def test_second_derivatives_are_autograds() -> None:
    scalar = weighted(b.tanh(attention(Q, K, V, KEY_MASK, True, HEADS)))
    vs = [RNG.normal(size=VALUES[n].shape) for n in ("q", "k", "v")]
    ours = evaluate(hvp(scalar, [Q, K, V], vs), VALUES)
    for a, c in zip(ours, autograd_hvp(scalar, ["q", "k", "v"], VALUES, vs), strict=True):
        assert_close(a, c, 1e-10)


def test_a_query_that_sees_no_key_is_0_without_gradient() -> None:
    y = attention(Q, K, V, KEY_MASK, heads=2)
    slopes = gradients(b.sum(y * y + y), [Q, K, V])
    value, *found = evaluate([y, *slopes], VALUES)
    for x in (value, *found):
        assert np.all(x[1] == 0)
        assert np.any(x[0] != 0)


def test_what_is_not_seen_does_not_matter() -> None:
    y = attention(Q, K, V, KEY_MASK)
    other = {**VALUES, "k": VALUES["k"].copy(), "v": VALUES["v"].copy()}
    other["k"][0, 1], other["v"][0, 1] = 1e8, -7.0
    np.testing.assert_array_equal(evaluate(y, VALUES), evaluate(y, other))


@pytest.mark.parametrize(
    ("q", "k", "v", "heads", "said"),
    [
        ((3, 6), (4, 5), (4, 6), 1, r"queries q of shape \(3, 6\) and keys k of shape \(4, 5\)"),
        ((3, 6), (4, 6), (5, 6), 1, r"keys k of shape \(4, 6\) and values v of shape \(5, 6\)"),
        ((3, 6), (4, 6), (4, 6), 4, r"4 heads do not divide q of shape \(3, 6\)'s 6 features"),
        ((6,), (6,), (6,), 1, r"must each be \(..., time, features\)"),
    ],
)
def test_sizes_that_do_not_fit(q: Any, k: Any, v: Any, heads: int, said: str) -> None:
    nodes: list[Node] = [b.input(n, s) for n, s in zip("qkv", (q, k, v), strict=True)]
    with pytest.raises(ShapeError, match=said):
        attention(*nodes, heads=heads)


def test_a_mask_of_keys_alone_needs_an_axis_of_queries() -> None:
    q, mask = b.input("q", ("batch", "time", 6)), b.input("mask", ("batch", "time"))
    said = r"the mask mask of shape \(batch, time\) does not fit .* given as mask\[:, None, :\]"
    with pytest.raises(ShapeError, match=said):
        attention(q, q, q, mask=mask)
    assert attention(q, q, q, mask=mask[:, None, :], heads=2).shape == q.shape


def test_sizes_may_be_names() -> None:
    q = b.input("q", ("batch", "time", "width"))
    mask = b.input("mask", ("batch", "time"))
    y = attention(q, q, q, mask[:, None, :], causal=True)
    assert y.shape == ("batch", "time", "width")
    data = VALUES["q"]
    given = {"q": data, "mask": np.ones(data.shape[:2])}
    last = evaluate(attention(q, q, q), {"q": data})[:, -1]
    np.testing.assert_allclose(evaluate(y, given)[:, -1], last, rtol=1e-12)
