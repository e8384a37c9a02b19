"""Everything that a module computes, computed by jax from the twin of its network.

Gradients are jax.grad's, products with the Hessian jvp of that, each example's own gradient its
vmap; what is made of the examples' gradients (clipping, curvature) is written out from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.systems.networks.data import Array, model_of
from tests.systems.networks.twins import OUTPUTS, REGULARIZERS, TWINS

#: What halves the time that jax takes to compile; the numbers are double precision's anyway.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

Arrays = dict[str, Array]


class Truth:
    """One network at one point, in jax."""

    def __init__(self, name: str, params: Arrays, v: Arrays, data: Arrays) -> None:
        model = model_of(name)
        self.name, self.batch = name, len(next(iter(data.values())))
        self.mean = model.reduction == "mean"
        free = {k: jnp.asarray(params[k]) for k in model.trainable}
        fixed = {k: jnp.asarray(x) for k, x in params.items() if k not in free}
        self.v = {k: jnp.asarray(x) for k, x in v.items()}
        rows = {k: jnp.asarray(x) for k, x in data.items()}
        found = jax.jit(self._all, compiler_options=QUICK)(free, fixed, rows)
        everything: Mapping[str, Any] = jax.tree.map(np.asarray, found)
        self.output, self.loss = everything["output"], everything["loss"]
        self.grads, self.hvp = everything["grads"], everything["hvp"]
        self.ggn, self.fisher = everything["ggn"], everything["fisher"]
        self.own, self.omega = everything["own"], everything["omega"]

    def _all(self, free: Any, fixed: Any, rows: Any) -> Any:
        twin, v = TWINS[self.name], self.v
        reduced = jnp.mean if self.mean else jnp.sum

        def losses(theta: Any, rows: Any) -> Any:
            z, f = twin({**fixed, **theta}, **rows)
            return f(z)

        def omega(theta: Any) -> Any:
            of = REGULARIZERS.get(self.name)
            return 0.0 if of is None else of({**fixed, **theta})

        def total(theta: Any) -> Any:
            return reduced(losses(theta, rows)) + omega(theta)

        def single(theta: Any, row: Any) -> Any:
            return losses(theta, jax.tree.map(lambda x: x[None], row))[0]

        def slope(f: Any) -> Any:
            return jax.grad(lambda theta: f(theta) + 0.0 * sum(x.sum() for x in theta.values()))

        loss, grads = jax.value_and_grad(total)(free)
        _, product = jax.jvp(jax.grad(total), (free,), (v,))
        own = jax.vmap(jax.grad(single), in_axes=(None, 0))(free, rows)
        z, pull = jax.vjp(lambda theta: twin({**fixed, **theta}, **rows)[0], free)
        _, f = twin({**fixed, **free}, **rows)
        _, along = jax.jvp(lambda theta: twin({**fixed, **theta}, **rows)[0], (free,), (v,))
        _, bent = jax.jvp(jax.grad(lambda z: reduced(f(z))), (z,), (along,))
        (fisher,) = pull(bent)
        first, second = jax.jvp(slope(omega), (free,), (v,))
        output = OUTPUTS[self.name]({**fixed, **free}, rows) if self.name in OUTPUTS else z
        return {
            "output": output, "loss": loss, "grads": grads, "hvp": product, "own": own,
            "omega": first, "fisher": fisher, "ggn": {k: x + second[k] for k, x in fisher.items()},
        }  # fmt: skip

    @property
    def squares(self) -> Arrays:
        return {k: (g.reshape(self.batch, -1) ** 2).sum(1) for k, g in self.own.items()}

    @property
    def norms(self) -> Array:
        return np.asarray(np.sqrt(sum(self.squares.values())))

    def reduced(self, weights: Mapping[str, Any]) -> Arrays:
        """The examples' gradients times weights, reduced; those of a parameter by its name."""
        scale = 1 / self.batch if self.mean else 1.0
        return {k: scale * np.einsum("b,b...", weights[k], g) for k, g in self.own.items()}

    def weighted(self, weights: Any) -> Arrays:
        """The same with the gradient of Ω."""
        each = weights if isinstance(weights, Mapping) else dict.fromkeys(self.own, weights)
        return {k: g + self.omega[k] for k, g in self.reduced(each).items()}

    def empirical(self, v: Mapping[str, Any]) -> Arrays:
        """The reduction of g (g·v)."""
        flat = {k: g.reshape(self.batch, -1) for k, g in self.own.items()}
        dots = sum(g @ np.ravel(v[k]) for k, g in flat.items())
        return self.reduced(dict.fromkeys(self.own, dots))

    def diagonal(self) -> Arrays:
        scale = 1 / self.batch if self.mean else 1.0
        return {k: scale * (g**2).sum(0) for k, g in self.own.items()}

    def noise(self) -> tuple[float, float]:
        """Trace of the covariance, squared length of the mean, from m/(m-1) laws."""
        m = self.batch
        whole = sum(float((g.mean(0) ** 2).sum()) for g in self.own.values())
        each = float((self.norms**2).mean())
        return (each - whole) * m / (m - 1), (m * whole - each) / (m - 1)
