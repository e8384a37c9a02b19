"""Models for the tests of per-example functions: losses of shape (batch,), parameters, a point.

Each is independent over examples.  Parameters that a model does not use, or that it uses in some
unusual way, are what the tests are after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symdiff.expr import build as b
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from symdiff.nn import losses

BATCH = 5


@dataclass(frozen=True)
class Model:
    """A loss vector, the parameters to differentiate by, and values for all leaves."""

    losses: Node
    parameters: list[Node]
    values: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """The parameters' names."""
        return [p.attr("name") for p in self.parameters]

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs, which have one row an example."""
        return [x.attr("name") for x in leaves([self.losses], "input")]

    def rows(self, keep: slice | list[int]) -> dict[str, Any]:
        """The values with only some of the examples."""
        return {k: v[keep] if k in self.inputs else v for k, v in self.values.items()}


def model(loss: Node, *parameters: Node, batch: int = BATCH, seed: int = 0, **given: Any) -> Model:
    """A model with random values for all leaves that are not given."""
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {}
    for leaf in dict.fromkeys([*leaves([loss]), *parameters]):
        name = leaf.attr("name")
        shape = [size_value(s, {"batch": batch, "time": 3}) for s in leaf.shape]
        facts = dict(leaf.attr("declared")) if leaf.op == "input" else {}
        if name in given:
            values[name] = np.asarray(given[name])
        elif leaf.dtype == "int64":
            values[name] = rng.integers(0, facts.get("labels", 3), shape)
        else:
            values[name] = rng.normal(size=shape)
    return Model(loss, list(parameters), values)


def x(features: Any = 4, name: str = "x") -> Node:
    """Data of shape (batch, features)."""
    return b.input(name, ("batch", features))


def sequence(features: int = 4, time: Any = 3) -> Node:
    """Data of shape (batch, time, features)."""
    return b.input("x", ("batch", time, features))


def labels(n: int = 3, name: str = "y", *more: Any) -> Node:
    """Labels 0…n − 1, one an example, or an array of them."""
    return b.input(name, ("batch", *more), "int64", labels=n)


def weight(name: str, *shape: Any) -> Node:
    """A parameter."""
    return b.parameter(name, shape)


def _total(value: Node) -> Node:
    """The sum over all axes but the examples'."""
    return b.sum(value, axis=tuple(range(1, value.ndim)))


def mlp() -> Model:
    w1, b1, w2, b2 = weight("W1", 4, 6), weight("b1", 6), weight("W2", 6, 3), weight("b2", 3)
    h = b.tanh(x() @ w1 + b1)
    return model(losses.softmax_cross_entropy(h @ w2 + b2, labels()), w1, b1, w2, b2)


def naive_cross_entropy() -> Model:
    w = weight("W", 4, 3)
    q = b.exp(x() @ w) / b.sum(b.exp(x() @ w), axis=-1, keepdims=True)
    return model(-b.log(q[b.arange("batch"), labels()]), w)


def example_weights() -> Model:
    w, v = weight("W", 4, 3), b.input("v", ("batch",))
    loss = v * losses.softmax_cross_entropy(b.tanh(x() @ w), labels())
    return model(loss, w, v=[0.5, 2.0, 0.0, 1.0, -1.5])


def used_twice() -> Model:
    w = weight("W", 4, 4)
    return model(_total((b.tanh(b.tanh(x() @ w) @ w) - 1) ** 2), w)


def used_transposed() -> Model:
    w = weight("W", 4, 4)
    return model(_total(b.tanh(b.tanh(x() @ w) @ w.T) ** 2), w)


def tied_autoencoder() -> Model:
    w, c, d = weight("W", 4, 3), weight("c", 3), weight("d", 4)
    return model(_total((b.sigmoid(x() @ w + c) @ w.T + d - x()) ** 2), w, c, d)


def low_rank() -> Model:
    u, v = weight("U", 4, 2), weight("V", 2, 5)
    return model(_total(b.sin(x() @ (u @ v))), u, v)


def masked_weight() -> Model:
    w = weight("W", 4, 5)
    mask = b.constant((np.arange(20).reshape(4, 5) % 3 > 0).astype(float))
    return model(_total(b.tanh(x() @ (mask * w)) ** 2), w)


def positive_weight() -> Model:
    w = weight("W", 4, 5)
    return model(_total(b.tanh(x() @ b.exp(w)) ** 2), w)


def softmax_weight() -> Model:
    w = weight("W", 4, 5)
    return model(_total(b.tanh(x() @ b.softmax(w, axis=0)) ** 2), w)


def weight_norm() -> Model:
    v, g = weight("v", 4, 5), weight("g", 5)
    return model(_total(b.tanh(x() @ (g * v / b.norm(v, axis=0)))), v, g)


def shared_scalars() -> Model:
    w, a, t = weight("W", 4, 4), weight("alpha"), weight("t")
    h = b.where(x() @ w > 0, x() @ w, a * (x() @ w))
    h = b.where(h @ w > 0, h @ w, a * (h @ w))
    return model(losses.softmax_cross_entropy(h / b.exp(t), labels(4)), w, a, t)


def over_time() -> Model:
    w, c = weight("W", 4, 6), weight("c", 6)
    return model(_total(b.tanh(sequence() @ w + c) ** 2), w, c)


def long_sequence() -> Model:
    w, c = weight("W", 3, 2), weight("c", 2)
    return model(_total(b.tanh(sequence(3, 9) @ w + c) ** 2), w, c)


def short_wide_sequence() -> Model:
    w = weight("W", 16, 16)
    return model(_total(b.tanh(sequence(16, 2) @ w) ** 2), w)


def unknown_time() -> Model:
    w = weight("W", 4, 5)
    return model(_total(b.tanh(sequence(4, "time") @ w) ** 2), w)


def merged_batch_and_time() -> Model:
    w, c = weight("W", 4, 5), weight("c", 5)
    flat = b.tanh(b.reshape(sequence(), (-1, 4)) @ w + c)
    return model(_total(b.reshape(flat, ("batch", 3, 5)) ** 3), w, c)


def recurrent() -> Model:
    w, u = weight("W", 4, 4), weight("U", 4, 4)
    data, h = sequence(), b.zeros(("batch", 4))
    for t in range(3):
        h = b.tanh(data[:, t] @ u + h @ w)
    return model(_total(h * h), w, u)


def embedding() -> Model:
    e, w = weight("E", 7, 4), weight("W", 4, 3)
    ids = labels(7, "ids", 5)
    repeated = [[1, 1, 1, 1, 1], [0, 1, 2, 3, 4], [6, 6, 2, 2, 6], [5, 0, 5, 0, 0], [3, 3, 4, 4, 3]]
    return model(_total(b.tanh(e[ids] @ w) ** 2), e, w, ids=repeated)


def embedding_from_the_end() -> Model:
    e = weight("E", 7, 4)
    ids = b.input("ids", ("batch", 3), "int64")
    given = [[-1, 6, 0], [-7, 0, 0], [1, 2, 3], [-2, -2, 5], [4, -3, 4]]
    return model(_total(b.sin(e[ids])), e, ids=given)


def tied_embedding_and_head() -> Model:
    e, w = weight("E", 7, 4), weight("W", 4, 4)
    h = b.tanh(e[labels(7, "ids", 3)] @ w)
    loss = b.sum(losses.softmax_cross_entropy(h @ e.T, labels(7, "y", 3)), axis=1)
    return model(loss, e, w, ids=[[1, 1, 2]] * 4 + [[0, 5, 0]])


def one_embedding() -> Model:
    e = weight("E", 6, 4)
    return model(_total(b.tanh(e[labels(6, "k")]) ** 2), e)


def embedded_bias() -> Model:
    e = weight("e", 7)
    return model(b.sum(b.sin(e[labels(7, "ids", 4)]), axis=1), e, ids=[[1, 1, 2, 1]] * 5)


def softmax_hidden() -> Model:
    w1, w2 = weight("W1", 4, 5), weight("W2", 5, 3)
    return model(losses.softmax_cross_entropy(b.softmax(x() @ w1) @ w2, labels()), w1, w2)


def reads_pre_activations() -> Model:
    w1, w2 = weight("W1", 4, 5), weight("W2", 5, 3)
    z1 = x() @ w1
    z2 = b.relu(z1) @ w2
    sparse = 0.1 * b.sum(b.softplus(z1), axis=1)
    loss = losses.softmax_cross_entropy(z2, labels()) + sparse + 0.01 * b.sum(z2 * z2, axis=1)
    return model(loss, w1, w2)


def layer_normalised() -> Model:
    w, gain, offset = weight("W", 4, 6), weight("gain", 6), weight("offset", 6)
    z = sequence() @ w
    z = z - b.mean(z, axis=-1, keepdims=True)
    z = z / b.sqrt(b.mean(z * z, axis=-1, keepdims=True) + 1e-5)
    return model(_total(b.tanh(gain * z + offset)), w, gain, offset)


def centred() -> Model:
    """Terms of the gradient that repeat along an axis of the weight."""
    w, e = weight("W", 4, 6), weight("E", 7, 6)
    z = sequence() @ w + e[labels(7, "ids", 3)]
    return model(_total((z - b.mean(z, axis=-1, keepdims=True)) ** 2), w, e)


def attention() -> Model:
    q, k, v = weight("Q", 4, 4), weight("K", 4, 4), weight("V", 4, 4)
    data = sequence()
    scores = (data @ q) @ b.swapaxes(data @ k, 1, 2)
    return model(_total((b.softmax(scores) @ (data @ v)) ** 2), q, k, v)


def heads() -> Model:
    w, o = weight("W", 4, 6), weight("O", 6, 4)
    split = b.reshape(sequence() @ w, ("batch", 3, 2, 3))
    mixed = b.einsum("bthk,bshk->bths", split, split)
    out = b.reshape(b.einsum("bths,bshk->bthk", b.tanh(mixed), split), ("batch", 3, 6)) @ o
    return model(_total(out**2), w, o)


def residual() -> Model:
    w1, w2 = weight("W1", 4, 4), weight("W2", 4, 4)
    h = x() + b.tanh(x() @ w1)
    return model(_total((h + b.tanh(h @ w2)) ** 2), w1, w2)


def frozen() -> Model:
    w1, w2 = weight("W1", 4, 5), weight("W2", 5, 3)
    frozen_layer = weight("F", 5, 5)
    h = b.tanh(b.tanh(x() @ w1) @ frozen_layer)
    return model(losses.softmax_cross_entropy(h @ w2, labels()), w1, w2)


def unused() -> Model:
    w, never = weight("W", 4, 3), weight("never", 2, 2)
    return model(_total(b.tanh(x() @ w)), w, never)


def siamese() -> Model:
    w = weight("W", 4, 5)
    left, right = b.tanh(x(4, "a") @ w), b.tanh(x(4, "c") @ w)
    same = np.arange(12.0).reshape(3, 4) / 7
    a = np.concatenate([same, np.ones((2, 4))])
    return model(_total((left - right) ** 2), w, a=a, c=np.concatenate([same, np.zeros((2, 4))]))


def opposite_signs() -> Model:
    w = weight("W", 4, 5)
    return model(_total(b.tanh(x(4, "a") @ w) - 3 * b.tanh(x(4, "c") @ -w)), w)


def sliced_weight() -> Model:
    w = weight("W", 6, 4)
    first, second = w[:4], w[2:, ::-1]
    return model(_total(b.tanh(b.tanh(x() @ first) @ second) ** 2), w)


def reshaped_weight() -> Model:
    w = weight("w", 20)
    return model(_total(b.tanh(x() @ b.reshape(w, (4, 5)))), w)


def weight_of_heads() -> Model:
    w = weight("W", 2, 4, 3)
    joined = b.reshape(b.transpose(w, (1, 0, 2)), (4, 6))
    return model(_total(b.tanh(sequence() @ joined) ** 2), w)


def concatenated_weights() -> Model:
    w, v = weight("W", 4, 2), weight("V", 4, 3)
    return model(_total(b.tanh(x() @ b.concatenate([w, v], axis=1)) ** 2), w, v)


def regularised_example() -> Model:
    w = weight("W", 4, 3)
    loss = losses.softmax_cross_entropy(x() @ w, labels()) + 0.1 * b.sum(w * w)
    return model(loss, w)


def bilinear() -> Model:
    w = weight("W", 3, 4, 5)
    return model(b.sum(b.einsum("bi,kij,bj->bk", x(), b.transpose(w, (0, 1, 2)), x(5, "u")), 1), w)


def second_order() -> Model:
    """A loss that itself holds a gradient: the input gradient's norm."""
    from symdiff.calculus.reverse import gradients

    w1, w2 = weight("W1", 4, 5), weight("W2", 5)
    data = x()
    f = b.tanh(data @ w1) @ w2
    (slope,) = gradients(b.sum(f), [data])
    return model(f**2 + b.sum(slope * slope, axis=1), w1, w2)


MODELS: dict[str, Callable[[], Model]] = {
    f.__name__: f
    for f in (
        mlp, naive_cross_entropy, example_weights, used_twice, used_transposed, tied_autoencoder,
        low_rank, masked_weight, positive_weight, softmax_weight, weight_norm, shared_scalars,
        over_time, long_sequence, short_wide_sequence, unknown_time, merged_batch_and_time,
        recurrent, embedding, embedding_from_the_end, tied_embedding_and_head, one_embedding,
        embedded_bias, softmax_hidden, reads_pre_activations, layer_normalised, centred, attention,
        heads, residual, frozen, unused, siamese, opposite_signs, sliced_weight, reshaped_weight,
        weight_of_heads, concatenated_weights, regularised_example, second_order,
    )
}  # fmt: skip
