"""Hand-tuned NumPy for the workloads: the ceiling that emitted code is held against.

Buffers are allocated once, arrays bound once, nothing is validated, and each function writes into
the same results at every call.
"""

from __future__ import annotations

from tests.benchmarks.tuned.block import Block
from tests.benchmarks.tuned.dense import Dense, Layer
from tests.benchmarks.tuned.lenet import LeNet

TUNED: dict[str, Dense | Block | LeNet] = {
    "W1": Dense([Layer("relu"), Layer(None)], "squared"),
    "W2": Dense([Layer("relu"), Layer(None)], "softmax"),
    "W3": Dense([Layer("tanh"), Layer("tanh"), Layer(None)], "softmax", l2=1e-4),
    "W4": Dense([Layer("relu"), Layer("relu"), Layer(None)], "softmax"),
    "W5": Dense([Layer("tanh", residual=True)] * 50, "squared"),
    "W6": Dense([Layer("gelu"), Layer(None)], "squared"),
    "W7": Dense([Layer("gelu"), Layer(None)], "softmax"),
    "W8": Block(),
    "W9": LeNet(),
}
