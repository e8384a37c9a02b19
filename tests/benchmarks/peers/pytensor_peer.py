"""PyTensor: a graph that is rewritten and compiled by numba."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytensor
import pytensor.tensor as pt

from tests.benchmarks.peers.models import mean_loss

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Case
    from tests.benchmarks.peers import Calls

#: It compiles deep nets for minutes, and has no convolution for numba.
LEFT_OUT = frozenset({"W5", "W9"})


def _cross_entropy(z: Any, y: Any) -> Any:
    picked = pt.eq(y[..., None], pt.arange(10)).astype("float32")
    return -(picked * pt.special.log_softmax(z, axis=-1)).sum(-1)


LIB = SimpleNamespace(
    relu=lambda x: pt.maximum(x, 0),
    tanh=pt.tanh,
    gelu=lambda x: 0.5 * x * (1 + pt.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
    softmax=lambda x: pt.special.softmax(x, axis=-1),
    cross_entropy=_cross_entropy,
    mean=pt.mean,
    sum=pt.sum,
    swapaxes=pt.swapaxes,
)


def calls(case: Case) -> Calls:
    """Compiled here, on shared variables."""
    if case.workload.name in LEFT_OUT:
        return {}
    with pytensor.config.change_flags(floatX="float32"):
        p = {k: pytensor.shared(a, name=k) for k, a in case.params.items()}
        x, y = (pytensor.shared(a) for a in case.inputs.values())
        value = mean_loss(LIB, case.workload.name)(p, x, y)
        grads = pt.grad(value, list(p.values()))
        slope = sum((g * a).sum() for g, a in zip(grads, case.v.values(), strict=True))
        again = pt.grad(slope, list(p.values()))
        gradient = pytensor.function([], [value, *grads], mode="NUMBA")
        second = pytensor.function([], again, mode="NUMBA")

    def call() -> Any:
        value, *found = gradient()
        return value, dict(zip(p, found, strict=True))

    return {"pytensor": {"gradient": call, "hvp": lambda: dict(zip(p, second(), strict=True))}}
