"""Models over sequences, and weights used in many ways, for the tests of per-example functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symdiff import nn
from symdiff.expr import build as b
from symdiff.expr.node import Node
from tests.calculus.models import BATCH, Model, labels, model, sequence, weight, x

F = nn.FUNCTIONS
IDS = np.array([[1, 1, 1, 1], [0, 1, 2, 3], [6, 6, 0, 6], [5, 0, 5, 0], [0, 0, 0, 0]])
MASK = np.array([[1.0, 1, 1, 1], [1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]])


def _total(value: Node) -> Node:
    return b.sum(value, axis=tuple(range(1, value.ndim)))


def _mask() -> Node:
    return b.input("mask", ("batch", 4))


def padded_embedding() -> Model:
    e, w = weight("E", 7, 4), weight("W", 4, 3)
    rows = F["embedding"](e, labels(7, "ids", 4), padding_idx=0)
    return model(_total(b.tanh(rows @ w) ** 2), e, w, ids=IDS)


def frozen_padding_and_head() -> Model:
    """The padding row gets its gradient through the head alone."""
    e, w = weight("E", 7, 4), weight("W", 4, 4)
    h = b.tanh(F["embedding"](e, labels(7, "ids", 4), padding_idx=0) @ w)
    z = b.swapaxes(h @ b.transpose(e), 1, 2)
    return model(_total(b.log_softmax(z, axis=1) ** 2), e, w, ids=IDS)


def bag(mode: str, padding: int | None, rows: int = 7) -> Model:
    e, w = weight("E", rows, 4), weight("W", 4, 3)
    h = F["embedding_bag"](e, labels(7, "ids", 4), _mask(), mode, padding)
    return model(_total(b.tanh(h @ w) ** 2), e, w, ids=IDS, mask=MASK)


def bag_without_weights() -> Model:
    e = weight("E", 7, 4)
    return model(_total(b.sin(F["embedding_bag"](e, labels(7, "ids", 4)))), e, ids=IDS)


def positions() -> Model:
    p, w = weight("P", 6, 4), weight("W", 4, 3)
    data = sequence(4, "time")
    return model(_total(b.tanh((data + p[: data.shape[1]]) @ w) ** 2), p, w)


def multi_head(width: int = 4, time: int = 3, causal: bool = True) -> Model:
    q, k, v, o = (weight(name, width, width) for name in ("Q", "K", "V", "O"))
    h = b.tanh(sequence(width, time))
    mixed = F["attention"](h @ q, h @ k, h @ v, causal=causal, heads=2)
    return model(_total(b.tanh(mixed @ o) ** 2), q, k, v, o)


def masked_attention() -> Model:
    q, k, v, c = weight("Q", 4, 4), weight("K", 4, 4), weight("V", 4, 4), weight("c", 4)
    h = sequence(4, 4)
    seen = b.expand_dims(_mask(), 1)
    mixed = F["attention"](h @ q + c, h @ k, h @ v, mask=seen, causal=True, heads=2)
    return model(_total(b.tanh(mixed) ** 2), q, k, v, c, mask=MASK)


def cross_attention() -> Model:
    q, k, v = weight("Q", 4, 6), weight("K", 5, 6), weight("V", 5, 4)
    memory = b.input("memory", ("batch", 4, 5))
    seen = b.expand_dims(_mask(), 1)
    mixed = F["attention"](sequence() @ q, memory @ k, memory @ v, mask=seen, heads=2)
    return model(_total(b.tanh(mixed) ** 2), q, k, v, mask=MASK)


def block(norm: str = "layer_norm") -> Model:
    """A transformer block with tied embedding and head."""
    e, g, o, w1, w2 = weight("E", 7, 4), weight("g", 4), weight("o", 4), weight("W1", 4, 6), None
    w2, p = weight("W2", 6, 4), weight("P", 4, 4)
    q, k, v = weight("Q", 4, 4), weight("K", 4, 4), weight("V", 4, 4)
    x = F["embedding"](e, labels(7, "ids", 4)) + p
    h = F[norm](x, g, o) if norm == "layer_norm" else F[norm](x, g)
    x = x + F["attention"](h @ q, h @ k, h @ v, causal=True, heads=2)
    x = x + F["gelu"](F["layer_norm"](x) @ w1) @ w2
    loss = F["softmax_cross_entropy"](x @ b.transpose(e), labels(7, "y", 4))
    own = [e, p, g, o, q, k, v, w1, w2] if norm == "layer_norm" else [e, p, g, q, k, v, w1, w2]
    return model(b.mean(loss, axis=1), *own, ids=IDS)


def deep(uses: int, kind: str = "plain", width: int = 4) -> Model:
    """One weight used again and again: as it is, transposed, in slices, over time, with a sign."""
    w = weight("W", width, width)
    turned = b.transpose(w)
    h = sequence(width) if kind == "time" else x(width)
    for u in range(uses):
        at = turned if kind == "transposed" and u % 2 else w
        if kind == "slices":
            half = width // 2
            at = b.concatenate([w[:, half:], w[:, :half]], axis=1) if u % 2 else w
        h = b.tanh(h @ at) * (-1.0 if kind == "signs" and u % 2 else 1.0)
    return model(_total((h - 0.5) ** 2), w)


def deep_column() -> Model:
    """A weight of one column, used again and again, and one that repeats along an axis."""
    w, v = weight("W", 4, 1), weight("v", 4, 3)
    h, total = x(), b.zeros(("batch",))
    for _ in range(6):
        column = b.tanh(h @ w)
        h = h * column
        total = total + b.sum(b.tanh(h @ v + b.sum(v)) ** 2, axis=1)
    return model(total, w, v)


def deep_low_rank() -> Model:
    u, v = weight("U", 4, 2), weight("V", 2, 4)
    h = x()
    for _ in range(5):
        h = b.tanh(F["low_rank"](h, u, v))
    return model(_total((h - 0.5) ** 2), u, v)


def reparametrised() -> Model:
    """g v/‖v‖, M ⊙ W and exp(θ), each over time and used twice."""
    v, g, w, theta = weight("v", 4, 4), weight("g", 4), weight("W", 4, 4), weight("theta", 4, 4)
    kept = b.constant((np.arange(16).reshape(4, 4) % 3 > 0).astype(float))
    h = sequence()
    for _ in range(2):
        h = b.tanh(h @ (g * v / b.norm(v, axis=0)))
        h = b.tanh(h @ (kept * w))
        h = b.tanh(h @ b.exp(theta))
    return model(_total((h - 0.5) ** 2), v, g, w, theta)


def shared_scalars_over_layers() -> Model:
    """One slope, one gain and one temperature for all layers and positions."""
    w, a, gain, t = weight("W", 4, 4), weight("a"), weight("gain"), weight("t")
    h = sequence()
    for _ in range(3):
        h = gain * F["prelu"](h @ w, a)
    return model(_total(b.softmax(h / b.exp(t)) ** 2), w, a, gain, t)


def maxout_and_dropout() -> Model:
    w, c, a = weight("W", 4, 6), weight("c", 6), weight("a", 3)
    keep = b.input("keep", ("batch", 4))
    h = F["maxout"](F["dropout"](x(), keep, 0.5) @ w + c, 2)
    kept = np.array([[1.0, 0, 1, 0]] * BATCH)
    return model(_total(F["prelu"](h, a) ** 2), w, c, a, keep=kept)


def group_normalised() -> Model:
    w, g, o = weight("W", 4, 6), weight("g", 6), weight("o", 6)
    h = F["group_norm"](b.swapaxes(sequence() @ w, 1, 2), 3, g, o)
    return model(_total(b.tanh(h)), w, g, o)


def batch_normalised() -> Model:
    w, g, o = weight("W", 4, 6), weight("g", 6), weight("o", 6)
    mean, var = b.constant(np.arange(6.0) / 5), b.constant(np.arange(6.0) + 1)
    return model(_total(b.tanh(F["batch_norm"](sequence() @ w, mean, var, g, o))), w, g, o)


def opposite_signs_over_time() -> Model:
    """Positions whose contributions cancel in the first three examples."""
    w, sign = weight("W", 4, 5), b.input("sign", ("batch", 2))
    rows = np.random.default_rng(3).normal(size=(BATCH, 2, 4))
    rows[:3, 1] = rows[:3, 0]
    h = b.tanh(sequence(4, 2) @ w)
    signs = np.array([[1.0, -1.0]] * BATCH)
    return model(b.sum(b.expand_dims(sign, 2) * h, axis=(1, 2)), w, x=rows, sign=signs)


def zero_weighted() -> Model:
    q, k, v = weight("Q", 4, 4), weight("K", 4, 4), weight("V", 4, 4)
    own = b.input("own", ("batch",))
    h = sequence()
    mixed = F["attention"](h @ q, h @ k, h @ v, causal=True)
    return model(own * _total(mixed**2), q, k, v, own=[0.0, 1.0, -2.0, 0.0, 0.5])


def named(name: str, make: Callable[..., Model], *args: Any) -> tuple[str, Callable[[], Model]]:
    """An entry of the table for a model with arguments."""
    return name, lambda: make(*args)


SEQUENCES: dict[str, Callable[[], Model]] = {
    **{
        f.__name__: f
        for f in (
            padded_embedding, frozen_padding_and_head, bag_without_weights, positions, multi_head,
            masked_attention, cross_attention, block, deep_column, deep_low_rank, reparametrised,
            shared_scalars_over_layers, maxout_and_dropout, group_normalised, batch_normalised,
            opposite_signs_over_time, zero_weighted,
        )
    },
    **dict([
        named("bag_sum", bag, "sum", None),
        named("bag_mean", bag, "mean", None),
        named("bag_mean_padded", bag, "mean", 0),
        named("bag_of_a_large_table", bag, "mean", 0, 300),
        named("block_rms", block, "rms_norm"),
        named("wide_heads", multi_head, 16, 2),
        named("long_heads", multi_head, 4, 12),
        *(
            named(f"deep_{uses}_{kind}", deep, uses, kind)
            for uses in (2, 3, 6)
            for kind in ("plain", "transposed", "slices", "time", "signs")
        ),
        named("deep_12_wide", deep, 12, "transposed", 32),
    ]),
}  # fmt: skip
