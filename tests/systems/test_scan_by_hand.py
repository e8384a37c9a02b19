"""A recurrence that no layer kind has, written with ``sd.scan``: every function is jax's.

An LSTM with peepholes (Gers and Schmidhuber 2000) and normalised gates (Ba et al. 2016), with a
mask, a carry that counts, and a value taken at every step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd


def compiled() -> Any:
    x, y = sd.input("x", ("batch", "time", 3)), sd.input("y", ("batch", 2))
    mask = sd.input("mask", ("batch", "time"), zero_or_one=True)
    W, U = sd.parameter("W", (3, 8)), sd.parameter("U", (2, 8))
    P, g, d = sd.parameter("P", (3, 2)), sd.parameter("g", (8,)), sd.parameter("d", ())

    def step(carry: Any, now: Any) -> Any:
        (h, c, count), (x_t, seen) = carry, now
        z = sd.layer_norm(x_t @ W + h @ U) * g
        i, f, o, u = (z[:, 2 * k : 2 * k + 2] for k in range(4))
        new = sd.sigmoid(f + P[1] * c) * c + sd.sigmoid(i + P[0] * c) * sd.tanh(u)
        out = sd.sigmoid(o + P[2] * new) * sd.tanh(new)
        keep = seen[:, None]
        kept = keep * out + (1 - keep) * h, keep * new + (1 - keep) * c, count + seen * d
        return kept, sd.sum(out * out, axis=-1)

    zero = sd.zeros(("batch", 2))
    start = (zero, zero, sd.zeros(("batch",)))
    (h, _, count), energies = sd.scan(step, start, (sd.swapaxes(x, 0, 1), mask.T))
    loss = sd.sum((h - y) ** 2, axis=1) + 0.1 * sd.mean(energies, axis=0) + count**2
    return sd.compile(outputs={"h": h}, per_example=loss, regularizer=0.5 * sd.sum(W**2))


MODULE = compiled()


def losses_by_jax(jax: Any, p: Any, x: Any, y: Any, mask: Any) -> Any:
    jnp, sigmoid = jax.numpy, jax.nn.sigmoid

    def step(carry: Any, now: Any) -> Any:
        (h, c, count), (x_t, seen) = carry, now
        a = x_t @ p["W"] + h @ p["U"]
        normal = (a - a.mean(-1, keepdims=True)) / jnp.sqrt(a.var(-1, keepdims=True) + 1e-5)
        i, f, o, u = jnp.split(normal * p["g"], 4, -1)
        new = sigmoid(f + p["P"][1] * c) * c + sigmoid(i + p["P"][0] * c) * jnp.tanh(u)
        out = sigmoid(o + p["P"][2] * new) * jnp.tanh(new)
        keep = seen[:, None] > 0
        kept = jnp.where(keep, out, h), jnp.where(keep, new, c), count + seen * p["d"]
        return kept, (out**2).sum(-1)

    zero = jnp.zeros((len(x), 2))
    start = (zero, zero, jnp.zeros(len(x)))
    (h, _, count), energies = jax.lax.scan(step, start, (jnp.swapaxes(x, 0, 1), mask.T))
    return ((h - y) ** 2).sum(1) + 0.1 * energies.mean(0) + count**2


@pytest.mark.parametrize(("batch", "time"), [(3, 5), (1, 1), (4, 30)])
def test_every_function_is_jaxs(batch: int, time: int) -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(batch)
    p = {name: 0.7 * rng.normal(size=shape) for name, shape in MODULE.PARAMETERS.items()}
    v = {name: rng.normal(size=x.shape) for name, x in p.items()}
    x, y = rng.normal(size=(batch, time, 3)), rng.normal(size=(batch, 2))
    given = {"x": x, "y": y, "mask": (rng.random((batch, time)) < 0.7) * 1.0}
    data = [given[name] for name in MODULE.INPUTS]

    def total(p: Any) -> Any:
        return losses_by_jax(jax, p, **given).mean() + 0.5 * (p["W"] ** 2).sum()

    def single(p: Any, row: Any) -> Any:
        return losses_by_jax(jax, p, **{name: part[None] for name, part in row.items()})[0]

    with jax.enable_x64(True):
        slope, product = jax.jit(lambda p: jax.jvp(jax.grad(total), (p,), (v,)))(p)
        own = jax.jit(jax.vmap(jax.grad(single), in_axes=(None, 0)))(p, given)
    squares = {k: (np.asarray(g).reshape(batch, -1) ** 2).sum(1) for k, g in own.items()}
    loss, grads, norms = MODULE.backward_with_norms(p, *data)
    assert loss == pytest.approx(MODULE.loss(p, *data), rel=1e-13)
    for name in p:
        for ours, theirs in (
            (MODULE.backward(p, *data)[1], slope), (grads, slope),
            (MODULE.hvp(p, v, *data), product),
            (MODULE.per_example_sq_norms(p, *data), squares), (norms, squares),
        ):  # fmt: skip
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12)
