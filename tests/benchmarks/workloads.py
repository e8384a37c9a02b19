"""The nine workloads: what is computed, and on what data.

Sizes run from a net where calls are the cost (W1) to one where products are (W4), with depth (W5),
a wide activation (W6), time (W7), attention (W8) and convolutions (W9).  All in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Draw = Callable[[np.random.Generator], Mapping[str, Array]]

#: What is timed, by the name that tables print: the emitted function that does it.
FUNCTIONS = {
    "gradient": "backward",
    "hvp": "hvp",
    "norms": "backward_with_norms",
    "clipped": "clipped_backward",
}


@dataclass(frozen=True)
class Workload:
    """``spec`` is a model spec (TOML); ``draw`` makes the inputs from a generator."""

    name: str
    title: str
    spec: str
    draw: Draw


def mlp_spec(name: str, widths: list[int], activation: str, loss: str, extra: str = "") -> str:
    """A multilayer perceptron, its loss on the last layer's value."""
    lines = [f'name = "{name}"', 'dtype = "float32"', f'output = "z{len(widths) - 1}"', "[inputs]"]
    lines.append(f'x = {{ shape = ["batch", {widths[0]}] }}')
    labelled = "softmax" in loss
    lines.append(
        f'y = {{ shape = ["batch"], labels = {widths[-1]} }}'
        if labelled
        else f'y = {{ shape = ["batch", {widths[-1]}] }}'
    )
    lines.append("[parameters]")
    for i, (d, p) in enumerate(pairwise(widths), 1):
        lines += [f"W{i} = {{ shape = [{d}, {p}] }}", f"b{i} = {{ shape = [{p}] }}"]
    lines.append("[equations]")
    last = len(widths) - 1
    for i in range(1, last + 1):
        h = "x" if i == 1 else f"h{i - 1}"
        lines.append(f'z{i} = "{h} @ W{i} + b{i}"')
        if i < last:
            lines.append(f'h{i} = "{activation.format(f"z{i}")}"')
    return "\n".join([*lines, "[loss]", f'per_example = "{loss.format(f"z{last}")}"', extra, ""])


def residual_spec(name: str, depth: int, width: int) -> str:
    """``depth`` blocks h + tanh(h W + b), squared error on the last h."""
    lines = [f'name = "{name}"', 'dtype = "float32"', f'output = "h{depth}"', "[inputs]"]
    lines += [f'{a} = {{ shape = ["batch", {width}] }}' for a in "xy"]
    lines.append("[parameters]")
    for i in range(1, depth + 1):
        lines += [f"W{i} = {{ shape = [{width}, {width}] }}", f"b{i} = {{ shape = [{width}] }}"]
    lines.append("[equations]")
    for i in range(1, depth + 1):
        h = "x" if i == 1 else f"h{i - 1}"
        lines.append(f'h{i} = "{h} + tanh({h} @ W{i} + b{i})"')
    return "\n".join([*lines, "[loss]", f'per_example = "mean((h{depth} - y)**2, axis=1)"', ""])


_SEQUENCE = """
name = "W7"
dtype = "float32"
output = "z2"
[inputs]
x = { shape = ["batch", 32, 128] }
y = { shape = ["batch", 32], labels = 10 }
[parameters]
W1 = { shape = [128, 512] }
b1 = { shape = [512] }
W2 = { shape = [512, 10] }
b2 = { shape = [10] }
[equations]
z1 = "x @ W1 + b1"
h1 = "gelu(z1)"
z2 = "h1 @ W2 + b2"
[loss]
per_example = "sum(softmax_cross_entropy(z2, y), axis=1)"
"""

_BLOCK = """
name = "W8"
dtype = "float32"
output = "o"
[inputs]
x = { shape = ["batch", 32, 64] }
y = { shape = ["batch", 32, 64] }
[parameters]
Wq = { shape = [64, 64] }
Wk = { shape = [64, 64] }
Wv = { shape = [64, 64] }
Wo = { shape = [64, 64] }
W1 = { shape = [64, 256] }
b1 = { shape = [256] }
W2 = { shape = [256, 64] }
b2 = { shape = [64] }
[equations]
q = "x @ Wq"
k = "x @ Wk"
v = "x @ Wv"
a = "softmax(q @ swapaxes(k, 1, 2) / 8)"
r = "x + (a @ v) @ Wo"
z1 = "r @ W1 + b1"
h1 = "gelu(z1)"
o = "r + h1 @ W2 + b2"
[loss]
per_example = "mean((o - y)**2, axis=(1, 2))"
"""

_LENET = """
name = "W9"
dtype = "float32"
output = "z"
[inputs]
x = { shape = ["batch", 1, 28, 28] }
y = { shape = ["batch"], labels = 10 }
[parameters]
K1 = { shape = [8, 1, 5, 5] }
c1 = { shape = [8] }
K2 = { shape = [16, 8, 5, 5] }
c2 = { shape = [16] }
W = { shape = [256, 10] }
b = { shape = [10] }
[equations]
a1 = "relu(conv2d(x, K1) + reshape(c1, (8, 1, 1)))"
p1 = "max_pool2d(a1, 2)"
a2 = "relu(conv2d(p1, K2) + reshape(c2, (16, 1, 1)))"
p2 = "max_pool2d(a2, 2)"
z = "reshape(p2, (-1, 256)) @ W + b"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""


def _normal(*shape: int) -> Callable[[np.random.Generator], Array]:
    return lambda rng: rng.standard_normal(shape, dtype=np.float32)


def _labels(*shape: int) -> Callable[[np.random.Generator], Array]:
    return lambda rng: rng.integers(0, 10, shape)


def _pair(
    x: Callable[[np.random.Generator], Array], y: Callable[[np.random.Generator], Array]
) -> Draw:
    return lambda rng: {"x": x(rng), "y": y(rng)}


_CE = "softmax_cross_entropy({}, y)"
_SE = "mean(({} - y)**2, axis=1)"
_L2 = 'regularizer = "0.5 * 1e-4 * (sum(W1**2) + sum(W2**2) + sum(W3**2))"'

WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "W1",
        "2-2-1 relu, squared error, batch 4",
        mlp_spec("W1", [2, 2, 1], "relu({})", _SE),
        _pair(_normal(4, 2), _normal(4, 1)),
    ),
    Workload(
        "W2",
        "784-128-10 relu, softmax cross-entropy, batch 64",
        mlp_spec("W2", [784, 128, 10], "relu({})", _CE),
        _pair(_normal(64, 784), _labels(64)),
    ),
    Workload(
        "W3",
        "784-512-512-10 tanh, softmax cross-entropy, L2, batch 128",
        mlp_spec("W3", [784, 512, 512, 10], "tanh({})", _CE, _L2),
        _pair(_normal(128, 784), _labels(128)),
    ),
    Workload(
        "W4",
        "1024-2048-2048-10 relu, softmax cross-entropy, batch 512",
        mlp_spec("W4", [1024, 2048, 2048, 10], "relu({})", _CE),
        _pair(_normal(512, 1024), _labels(512)),
    ),
    Workload(
        "W5",
        "50 residual tanh layers of 64, squared error, batch 64",
        residual_spec("W5", 50, 64),
        _pair(_normal(64, 64), _normal(64, 64)),
    ),
    Workload(
        "W6",
        "512-2048-512 gelu, squared error, batch 1024",
        mlp_spec("W6", [512, 2048, 512], "gelu({})", _SE),
        _pair(_normal(1024, 512), _normal(1024, 512)),
    ),
    Workload(
        "W7",
        "(64, 32, 128) to gelu 512 to 10, cross-entropy summed over time",
        _SEQUENCE,
        _pair(_normal(64, 32, 128), _labels(64, 32)),
    ),
    Workload(
        "W8",
        "one transformer block, one head, width 64, 32 steps, batch 32",
        _BLOCK,
        _pair(_normal(32, 32, 64), _normal(32, 32, 64)),
    ),
    Workload(
        "W9",
        "LeNet on 28 x 28 images, batch 64",
        _LENET,
        _pair(_normal(64, 1, 28, 28), _labels(64)),
    ),
)
