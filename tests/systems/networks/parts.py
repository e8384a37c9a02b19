"""What the networks in jax are made of: layers and losses, from their definitions, in plain jax.

Nothing here is symdiff's: convolutions are jax.lax's, recurrences and softmaxes are written out.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

RANKS = {1: ("NCH", "OIH", "NCH"), 2: ("NCHW", "OIHW", "NCHW")}


def each(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def conv(x: Any, w: Any, stride: Any = 1, pad: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Cross-correlation; ``pad`` is a number, one an axis, or pairs."""
    rank = w.ndim - 2
    ends = [(n, n) for n in each(pad, rank)] if not isinstance(pad, list) else pad
    return lax.conv_general_dilated(
        x, w, each(stride, rank), ends, rhs_dilation=each(dilation, rank),
        dimension_numbers=RANKS[rank], feature_group_count=groups,
    )  # fmt: skip


def conv_transpose(x: Any, w: Any, stride: int, pad: int = 0, more: int = 0) -> Any:
    """Each element of x puts the kernel w (in, out, *size), times itself, to its place."""
    rank = w.ndim - 2
    flipped = jnp.flip(jnp.swapaxes(w, 0, 1), range(2, w.ndim))
    ends = [(k - 1 - pad, k - 1 - pad + more) for k in w.shape[2:]]
    return lax.conv_general_dilated(
        x, flipped, (1,) * rank, ends, lhs_dilation=(stride,) * rank, dimension_numbers=RANKS[rank]
    )


def max_pool(x: Any, size: int, stride: int, pad: int = 0) -> Any:
    """The largest of windows, as an array of them: lax's own has no second derivative by jvp."""
    rank = x.ndim - 2
    x = jnp.pad(x, [(0, 0), (0, 0)] + [(pad, pad)] * rank, constant_values=-1e30)
    for axis in range(2, x.ndim):
        count = (x.shape[axis] - size) // stride + 1
        places = stride * jnp.arange(count)[:, None] + jnp.arange(size)
        x = jnp.moveaxis(jnp.take(x, places, axis=axis), axis + 1, -1).max(-1)
    return x


def standard(x: Any, axis: Any, eps: float = 1e-5) -> Any:
    return (x - x.mean(axis, keepdims=True)) / jnp.sqrt(x.var(axis, keepdims=True) + eps)


def layer_norm(x: Any, g: Any = 1.0, o: Any = 0.0) -> Any:
    return standard(x, -1) * g + o


def rms_norm(x: Any, g: Any) -> Any:
    return x * g / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)


def group_norm(x: Any, groups: int, g: Any, o: Any) -> Any:
    spread = (slice(None), *[None] * (x.ndim - 2))
    parts = standard(x.reshape(len(x), groups, -1), -1).reshape(x.shape)
    return parts * g[spread] + o[spread]


def step_rnn(f: Any) -> Any:
    def step(h: Any, x: Any, W: Any, U: Any, b: Any, c: Any) -> Any:
        new = f(x @ W + h[0] @ U + b)
        return (new,)

    return step


def step_gru(h: Any, x: Any, W: Any, U: Any, b: Any, c: Any) -> Any:
    """Reset before the product, or with a bias c of its own after it."""
    (h,) = h
    n = h.shape[-1]
    gates = jax.nn.sigmoid(x @ W[:, : 2 * n] + h @ U[:, : 2 * n] + b[: 2 * n])
    r, z = gates[:, :n], gates[:, n:]
    inner = (r * h) @ U[:, 2 * n :] if c is None else r * (h @ U[:, 2 * n :] + c)
    new = jnp.tanh(x @ W[:, 2 * n :] + b[2 * n :] + inner)
    return (z * h + (1 - z) * new,)


def step_lstm(state: Any, x: Any, W: Any, U: Any, b: Any, c: Any) -> Any:
    h, cell = state
    i, f, g, o = jnp.split(x @ W + h @ U + b, 4, axis=-1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


def recur(
    step: Any, x: Any, W: Any, U: Any, b: Any = 0.0, c: Any = None, start: Any = None,
    mask: Any = None, reverse: bool = False, states: int = 1,
) -> Any:  # fmt: skip
    """All states (batch, time, units), by lax.scan."""
    b = b + jnp.zeros(W.shape[1])
    zero = jnp.zeros((len(x), U.shape[0]))
    first = start if isinstance(start, tuple) else (zero if start is None else start,)
    first = (*first, *[zero] * (states - len(first)))
    seen = jnp.ones(x.shape[:2]) if mask is None else mask

    def body(state: Any, now: Any) -> Any:
        new = step(state, now[0], W, U, b, c)
        kept = now[1][:, None] > 0
        state = tuple(jnp.where(kept, a, o) for a, o in zip(new, state, strict=True))
        return state, state[0]

    _, found = lax.scan(body, first, (jnp.swapaxes(x, 0, 1), seen.T), reverse=reverse)
    return jnp.swapaxes(found, 0, 1)


def softmax(scores: Any, seen: Any = None) -> Any:
    """Along the last axis, over what is seen; 0 where nothing is."""
    seen = jnp.ones(scores.shape, bool) if seen is None else jnp.broadcast_to(seen, scores.shape)
    top = lax.stop_gradient(jnp.where(seen, scores, -1e30).max(-1, keepdims=True))
    e = jnp.where(seen, jnp.exp(jnp.where(seen, scores - top, 0.0)), 0.0)
    total = e.sum(-1, keepdims=True)
    return e / jnp.where(total == 0, 1.0, total)


def attend(q: Any, k: Any, v: Any, heads: int = 1, seen: Any = None) -> Any:
    """One head after another; seen (…, queries, keys)."""
    found = []
    for one in zip(*(jnp.split(x, heads, axis=-1) for x in (q, k, v)), strict=True):
        scores = jnp.einsum("bqd,bkd->bqk", one[0], one[1]) / jnp.sqrt(one[0].shape[-1])
        found.append(jnp.einsum("bqk,bkd->bqd", softmax(scores, seen), one[2]))
    return jnp.concatenate(found, axis=-1)


def past(n: int) -> Any:
    return jnp.tril(jnp.ones((n, n), bool))


def entropy(z: Any, y: Any, smoothing: float = 0.0, weights: Any = 1.0, ignore: Any = None) -> Any:
    """Cross-entropy of logits and labels, with all its options, from their definitions."""
    n = z.shape[-1]
    target = (1 - smoothing) * (y[..., None] == jnp.arange(n)) + smoothing / n
    loss = -(weights * target * jax.nn.log_softmax(z)).sum(-1)
    return loss if ignore is None else jnp.where(y == ignore, 0.0, loss)


def logistic(z: Any, y: Any, pos_weight: float = 1.0) -> Any:
    return -pos_weight * y * jax.nn.log_sigmoid(z) - (1 - y) * jax.nn.log_sigmoid(-z)


def masked_mean(x: Any, mask: Any, axis: Any) -> Any:
    kept = jnp.broadcast_to(mask != 0, x.shape)
    return jnp.where(kept, x, 0).sum(axis) / jnp.maximum(kept.sum(axis), 1)


def unit_relu(x: Any) -> Any:
    """max(0, x), with derivative 0 at 0."""
    return jnp.where(x > 0, x, 0.0)


def spread(b: Any) -> Any:
    """One number a channel, over an image."""
    return b[:, None, None]


__all__ = [name for name in dir() if not name.startswith("_") and name != "annotations"]
