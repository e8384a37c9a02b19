"""torch on the CPU: autograd as it is, and compiled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as f

from tests.benchmarks.peers.models import mean_loss

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Case
    from tests.benchmarks.peers import Calls


def _cross_entropy(z: Any, y: Any) -> Any:
    flat = f.cross_entropy(z.reshape(-1, z.shape[-1]), y.reshape(-1), reduction="none")
    return flat.reshape(y.shape)


def _mean(x: Any, axis: int | None = None) -> Any:
    return x.mean() if axis is None else x.mean(axis)


LIB = SimpleNamespace(
    relu=torch.relu,
    tanh=torch.tanh,
    gelu=lambda x: f.gelu(x, approximate="tanh"),
    softmax=lambda x: torch.softmax(x, -1),
    cross_entropy=_cross_entropy,
    conv=f.conv2d,
    pool=lambda x: f.max_pool2d(x, 2),
    mean=_mean,
    sum=torch.sum,
    swapaxes=torch.swapaxes,
)


def calls(case: Case) -> Calls:
    """Gradients by autograd.grad, products with the Hessian by differentiating twice."""
    torch.set_num_threads(case.threads)
    loss = mean_loss(LIB, case.workload.name)
    p = {k: torch.from_numpy(a.copy()).requires_grad_() for k, a in case.params.items()}
    v = [torch.from_numpy(a.copy()) for a in case.v.values()]
    x, y = (torch.from_numpy(a) for a in case.inputs.values())

    def gradient_of(loss: Any) -> Any:
        def call() -> Any:
            value = loss(p, x, y)
            grads = torch.autograd.grad(value, list(p.values()))
            return value.detach().numpy(), {k: g.numpy() for k, g in zip(p, grads, strict=True)}

        return call

    def hvp() -> Any:
        grads = torch.autograd.grad(loss(p, x, y), list(p.values()), create_graph=True)
        found = torch.autograd.grad(grads, list(p.values()), v)
        return {k: g.numpy() for k, g in zip(p, found, strict=True)}

    compiled = torch.compile(loss, dynamic=False)
    return {
        "torch": {"gradient": gradient_of(loss), "hvp": hvp},
        "torch compile": {"gradient": gradient_of(compiled)},
    }
