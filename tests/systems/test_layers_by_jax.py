"""The layered specs of test_layers in jax: outputs, gradients, Hessian products and norms.

The equations that the layers stand for are run as Python, over functions written in jax; jax
differentiates them, and ``vmap(grad)`` gives each example's own gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdiff.expr.graph import leaves
from symdiff.spec.load import load
from symdiff.spec.model import Model
from tests.systems.test_layers import data, module, start, text_of

jax = pytest.importorskip("jax")
jnp: Any = jax.numpy


# Jax takes its time to compile; the others are variants and compositions of these.
CHOSEN = ["tied", "bag of means", "units", "low rank over time", "norms"]


@pytest.fixture(autouse=True)
def doubles() -> Any:
    """Double precision, for these tests only."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def embedding(table: Any, ids: Any, padding_idx: int | None = None) -> Any:
    if padding_idx is not None:
        table = table.at[padding_idx].set(jax.lax.stop_gradient(table[padding_idx]))
    return table[ids]


def embedding_bag(
    table: Any, ids: Any, weights: Any = None, mode: str = "sum", padding_idx: int | None = None
) -> Any:
    weights = jnp.ones(ids.shape) if weights is None else weights
    if padding_idx is not None:
        weights = weights * (ids != padding_idx)
    total = jnp.einsum("...l,...ld->...d", weights, table[ids])
    count = weights.sum(-1, keepdims=True)
    return total if mode == "sum" else total / jnp.where(count == 0, 1, count)


def attention(
    q: Any, k: Any, v: Any, mask: Any = None, causal: bool = False, heads: int = 1
) -> Any:
    """One head at a time."""
    outs = []
    for one in zip(*(jnp.split(x, heads, axis=-1) for x in (q, k, v)), strict=True):
        scores = one[0] @ jnp.swapaxes(one[1], -1, -2) / jnp.sqrt(one[0].shape[-1])
        seen = jnp.ones(scores.shape, bool) if mask is None else mask + jnp.zeros(scores.shape) > 0
        if causal:
            seen = seen & jnp.tril(jnp.ones(scores.shape[-2:], bool))
        e = jnp.where(seen, jnp.exp(scores), 0.0)
        total = e.sum(-1, keepdims=True)
        outs.append(e / jnp.where(total == 0, 1, total) @ one[2])
    return jnp.concatenate(outs, axis=-1)


def standardized(x: Any, axis: Any, eps: float) -> Any:
    return (x - x.mean(axis, keepdims=True)) / jnp.sqrt(x.var(axis, keepdims=True) + eps)


def group_norm(x: Any, groups: int, gain: Any, offset: Any) -> Any:
    split = x.reshape(x.shape[0], groups, -1)
    normal = standardized(split, -1, 1e-5).reshape(x.shape)
    spread = (slice(None), *[None] * (x.ndim - 2))
    return normal * gain[spread] + offset[spread]


def entropy(z: Any, y: Any, label_smoothing: float = 0.0) -> Any:
    target = jax.nn.one_hot(y, z.shape[-1])
    smooth = (1 - label_smoothing) * target + label_smoothing / z.shape[-1]
    return jnp.where(y == -1, 0.0, -(smooth * jax.nn.log_softmax(z)).sum(-1))


def multiclass_hinge(z: Any, y: Any) -> Any:
    target = jax.nn.one_hot(y, z.shape[-1])
    right = (z * target).sum(-1, keepdims=True)
    over = jnp.maximum(0, 1 + z - right) * (1 - target)
    return jnp.where(y == -1, 0.0, over.sum(-1))


def masked_sum(x: Any, mask: Any, axis: Any) -> Any:
    return jnp.where(mask != 0, x, 0).sum(axis)


FUNCTIONS: dict[str, Any] = {
    "embedding": embedding, "embedding_bag": embedding_bag, "attention": attention,
    "layer_norm": lambda x, gain, offset: standardized(x, -1, 1e-5) * gain + offset,
    "rms_norm": lambda x, gain: x * gain / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6),
    "group_norm": group_norm,
    "batch_norm": lambda x, mean, var, gain, offset: (
        (x - mean) / jnp.sqrt(var + 1e-5) * gain + offset
    ),
    "prelu": lambda x, a: jnp.where(x > 0, x, a * x),
    "dropout": lambda x, mask, rate: x * mask / (1 - rate),
    "maxout": lambda x, pieces: x.reshape(*x.shape[:-1], -1, pieces).max(-1),
    "low_rank": lambda x, u, v: x @ (u @ v),
    "softmax_cross_entropy": entropy, "multiclass_hinge": multiclass_hinge,
    "squared_error": lambda a, b: (a - b) ** 2,
    "masked_sum": masked_sum,
    "masked_mean": lambda x, mask, axis: (
        masked_sum(x, mask, axis) / jnp.maximum((mask != 0).sum(axis), 1)
    ),
    "mean": jnp.mean, "sum": jnp.sum, "tanh": jnp.tanh, "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
}  # fmt: skip


def run(model: Model, params: Any, rows: Any) -> tuple[Any, Any]:
    """The output and the losses of a batch."""
    names = {**FUNCTIONS, **params, **dict(zip(model.inputs, rows, strict=True))}
    for name, equation in model.equations.items():
        names[name] = eval(equation.text, names)  # noqa: S307
    return names[model.outputs[0]], eval(model.per_example_text, names)  # noqa: S307


def assert_dicts(ours: Any, theirs: Any) -> None:
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-8, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_function_is_jaxs(name: str) -> None:
    m, model, params = module(name), load(text_of(name)), start(name)
    given = [jnp.asarray(x) for x in data(name)]
    free = {k: jnp.asarray(params[k]) for k in model.trainable}
    frozen = {k: jnp.asarray(p) for k, p in params.items() if k not in free}

    def loss(theta: Any) -> Any:
        return run(model, {**frozen, **theta}, given)[1].mean()

    def single(theta: Any, *row: Any) -> Any:
        return run(model, {**frozen, **theta}, [x[None] for x in row])[1][0]

    arrays = data(name)
    output, losses = jax.jit(lambda theta: run(model, {**frozen, **theta}, given))(free)
    read = {leaf.attr("name") for leaf in leaves([*model.output_nodes.values()], "input")}
    taken = [x for x, own in zip(arrays, model.inputs, strict=True) if own in read]
    np.testing.assert_allclose(m.forward(params, *taken), output, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(m.loss(params, *arrays), losses.mean(), rtol=1e-10)
    v = {k: jnp.asarray(np.random.default_rng(9).normal(size=p.shape)) for k, p in free.items()}
    slope, product = jax.jit(lambda theta: jax.jvp(jax.grad(loss), (theta,), (v,)))(free)
    assert_dicts(m.backward(params, *arrays)[1], slope)
    assert_dicts(m.hvp(params, {k: np.asarray(x) for k, x in v.items()}, *arrays), product)
    rows = jax.jit(jax.vmap(jax.grad(single), in_axes=(None, *[0] * len(given))))
    per_example = rows(free, *given)
    squares = {k: (g.reshape(len(g), -1) ** 2).sum(1) for k, g in per_example.items()}
    assert_dicts(m.per_example_sq_norms(params, *arrays), squares)
    assert_dicts(m.backward_with_norms(params, *arrays)[2], squares)
