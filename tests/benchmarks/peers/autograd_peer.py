"""autograd: a tape over NumPy itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import autograd
import autograd.numpy as np
import numpy

from tests.benchmarks.peers.models import mean_loss

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Case
    from tests.benchmarks.peers import Calls


def _log_softmax(z: Any) -> Any:
    shifted = z - np.max(z, -1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), -1, keepdims=True))


def _cross_entropy(z: Any, y: Any) -> Any:
    classes = numpy.eye(z.shape[-1], dtype=numpy.float32)
    return -np.sum(classes[y] * _log_softmax(z), -1)


LIB = SimpleNamespace(
    relu=lambda x: np.maximum(x, numpy.float32(0)),
    tanh=np.tanh,
    gelu=lambda x: 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
    softmax=lambda x: np.exp(_log_softmax(x)),
    cross_entropy=_cross_entropy,
    mean=np.mean,
    sum=np.sum,
    swapaxes=np.swapaxes,
)


def calls(case: Case) -> Calls:
    """Gradient and products with the Hessian; it has no convolutions."""
    if case.workload.name == "W9":
        return {}
    loss = mean_loss(LIB, case.workload.name)
    p, v = dict(case.params), dict(case.v)
    x, y = case.inputs.values()
    gradient = autograd.value_and_grad(loss)

    def slope(p: Any) -> Any:
        grads = autograd.grad(loss)(p, x, y)
        return sum(np.sum(grads[k] * v[k]) for k in v)

    return {
        "autograd": {"gradient": lambda: gradient(p, x, y), "hvp": lambda: autograd.grad(slope)(p)}
    }
