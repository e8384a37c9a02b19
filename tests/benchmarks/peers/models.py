"""The nine workloads as losses of each example, over whatever library computes.

A library is an object with NumPy's names for what is used here, and ``cross_entropy``, ``gelu``,
``relu``, ``softmax``, ``conv`` and ``pool``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Params = Mapping[str, Any]
Loss = Callable[[Any, Params, Any, Any], Any]


def _layers(lib: Any, p: Params, h: Any, activation: str) -> Any:
    depth = sum(name.startswith("W") for name in p)
    for i in range(1, depth):
        h = getattr(lib, activation)(h @ p[f"W{i}"] + p[f"b{i}"])
    return h @ p[f"W{depth}"] + p[f"b{depth}"]


def _mlp(activation: str, loss: str) -> Loss:
    def per_example(lib: Any, p: Params, x: Any, y: Any) -> Any:
        z = _layers(lib, p, x, activation)
        return lib.cross_entropy(z, y) if loss == "ce" else lib.mean((z - y) ** 2, -1)

    return per_example


def _residual(lib: Any, p: Params, x: Any, y: Any) -> Any:
    for i in range(1, 1 + len(p) // 2):
        x = x + lib.tanh(x @ p[f"W{i}"] + p[f"b{i}"])
    return lib.mean((x - y) ** 2, -1)


def _sequence(lib: Any, p: Params, x: Any, y: Any) -> Any:
    return lib.sum(lib.cross_entropy(_layers(lib, p, x, "gelu"), y), -1)


def _block(lib: Any, p: Params, x: Any, y: Any) -> Any:
    q, k, v = x @ p["Wq"], x @ p["Wk"], x @ p["Wv"]
    a = lib.softmax(q @ lib.swapaxes(k, -1, -2) / 8)
    r = x + (a @ v) @ p["Wo"]
    o = r + lib.gelu(r @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return lib.mean(lib.mean((o - y) ** 2, -1), -1)


def _lenet(lib: Any, p: Params, x: Any, y: Any) -> Any:
    a = lib.pool(lib.relu(lib.conv(x, p["K1"]) + p["c1"].reshape((8, 1, 1))))
    a = lib.pool(lib.relu(lib.conv(a, p["K2"]) + p["c2"].reshape((16, 1, 1))))
    return lib.cross_entropy(a.reshape((a.shape[0], 256)) @ p["W"] + p["b"], y)


LOSSES: dict[str, Loss] = {
    "W1": _mlp("relu", "se"),
    "W2": _mlp("relu", "ce"),
    "W3": _mlp("tanh", "ce"),
    "W4": _mlp("relu", "ce"),
    "W5": _residual,
    "W6": _mlp("gelu", "se"),
    "W7": _sequence,
    "W8": _block,
    "W9": _lenet,
}


def regularizer(workload: str, p: Params) -> Any:
    """What the loss adds to its examples'."""
    return 0.5 * 1e-4 * sum((p[f"W{i}"] ** 2).sum() for i in (1, 2, 3)) if workload == "W3" else 0.0


def mean_loss(lib: Any, workload: str) -> Callable[[Params, Any, Any], Any]:
    """The loss of a batch."""
    per_example = LOSSES[workload]

    def loss(p: Params, x: Any, y: Any) -> Any:
        return lib.mean(per_example(lib, p, x, y)) + regularizer(workload, p)

    return loss
