"""Opacus: norms by hooks on layers, in ghost mode, for the dense networks with labels."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from opacus.grad_sample import GradSampleModuleFastGradientClipping
from torch import nn

from tests.benchmarks.peers.models import regularizer

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Case
    from tests.benchmarks.peers import Calls

ACTIVATIONS: dict[str, type[nn.Module]] = {"W2": nn.ReLU, "W3": nn.Tanh, "W4": nn.ReLU}


def calls(case: Case) -> Calls:
    """The gradient with each parameter's squared norms."""
    name = case.workload.name
    if name not in ACTIVATIONS:
        return {}
    depth = len(case.params) // 2
    layers: list[nn.Module] = []
    for i in range(1, depth + 1):
        w, b = (torch.from_numpy(case.params[f"{kind}{i}"].copy()) for kind in "Wb")
        linear = nn.Linear(*w.shape)
        linear.weight.data, linear.bias.data = w.T.contiguous(), b
        layers += [linear, ACTIVATIONS[name]()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GradSampleModuleFastGradientClipping(
            nn.Sequential(*layers[:-1]), max_grad_norm=case.max_norm, use_ghost_clipping=True
        )
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    x, y = (torch.from_numpy(a) for a in case.inputs.values())

    def norms() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.zero_grad()
            value = nn.functional.cross_entropy(model(x), y)
            own = regularizer(name, {f"W{i}": layer.weight for i, layer in enumerate(linears, 1)})
            (value + own).backward()
        grads, squares = {}, {}
        for i, layer in enumerate(linears, 1):
            grads[f"W{i}"], grads[f"b{i}"] = layer.weight.grad.numpy().T, layer.bias.grad.numpy()
            squares[f"W{i}"] = layer.weight._norm_sample.numpy() ** 2
            squares[f"b{i}"] = layer.bias._norm_sample.numpy() ** 2
        return float(value.detach()) + float(torch.as_tensor(own).detach()), grads, squares

    return {"opacus": {"norms": norms}}
