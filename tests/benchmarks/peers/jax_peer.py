"""jax: jit of value_and_grad, of jvp of grad, and norms by vmap of grad."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from tests.benchmarks.peers.models import LOSSES, mean_loss, regularizer

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Case
    from tests.benchmarks.peers import Calls

#: Per-example gradients of more bytes than this are not instantiated.
MOST_BYTES = 2**31


def _cross_entropy(z: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], -1)[..., 0]


def _conv(x: Any, w: Any) -> Any:
    return jax.lax.conv(x, w, (1, 1), "VALID")


def _pool(x: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


LIB = SimpleNamespace(
    relu=jax.nn.relu,
    tanh=jnp.tanh,
    gelu=jax.nn.gelu,
    softmax=jax.nn.softmax,
    cross_entropy=_cross_entropy,
    conv=_conv,
    pool=_pool,
    mean=jnp.mean,
    sum=jnp.sum,
    swapaxes=jnp.swapaxes,
)


def calls(case: Case) -> Calls:
    """Compiled at the first call; each waits for its result."""
    name = case.workload.name
    loss = mean_loss(LIB, name)
    p, v = (jax.tree.map(jnp.asarray, dict(d)) for d in (case.params, case.v))
    x, y = (jnp.asarray(a) for a in case.inputs.values())

    def one(p: Any, a: Any, b: Any) -> Any:
        return LOSSES[name](LIB, p, a[None], b[None])[0]

    def own(p: Any) -> Any:
        grads = jax.vmap(jax.grad(one), (None, 0, 0))(p, x, y)
        squares = {k: jnp.sum(g.reshape(len(x), -1) ** 2, 1) for k, g in grads.items()}
        return grads, squares

    def norms(p: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(p, x, y)
        return value, grads, own(p)[1]

    def clipped(p: Any) -> Any:
        grads, squares = own(p)
        sizes = jnp.sqrt(sum(squares.values()))
        scale = jnp.minimum(1, case.max_norm / jnp.maximum(sizes, 1e-30)) / len(x)
        more = jax.grad(lambda p: jnp.asarray(regularizer(name, p), "float32"))(p)
        total = {k: jnp.tensordot(scale, g, 1) + more[k] for k, g in grads.items()}
        return loss(p, x, y), total, sizes

    work = {
        "gradient": lambda p: jax.value_and_grad(loss)(p, x, y),
        "hvp": lambda p: jax.jvp(lambda p: jax.grad(loss)(p, x, y), (p,), (v,))[1],
    }
    if len(x) * sum(a.size for a in p.values()) * 4 <= MOST_BYTES:
        work |= {"norms": norms, "clipped": clipped}

    def bound(function: Any) -> Any:
        compiled = jax.jit(function)
        return lambda: jax.block_until_ready(compiled(p))

    return {"jax": {key: bound(function) for key, function in work.items()}}
