"""Models whose memory is planned and measured: deep, residual, convolutions, attention, loops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from codegen.within import function_figures
from symdiff.compiler import Compiled, compile_spec
from symdiff.memory_limit import sizes_of
from tests.benchmarks.measure import allocated
from tests.examples.test_specs import random_input


def layered(equations: Sequence[str], parameters: Sequence[str], width: int) -> str:
    """A spec of equations over x (batch, width), squared error on the last."""
    last = equations[-1].partition(" ")[0]
    return "\n".join(
        [
            'name = "layered"',
            f'output = "{last}"',
            "[inputs]",
            *(f'{a} = {{ shape = ["batch", {width}] }}' for a in "xy"),
            "[parameters]",
            *(f"{w} = {{ shape = [{width}, {width}] }}" for w in parameters),
            "[equations]",
            *(f'{e.partition(" = ")[0]} = "{e.partition(" = ")[2]}"' for e in equations),
            "[loss]",
            f'per_example = "mean(({last} - y)**2, axis=1)"',
        ]
    )


def chain(depth: int, width: int, residual: bool = False) -> str:
    """Layers tanh(h W), or h + tanh(h W)."""
    before = ["x", *(f"h{i}" for i in range(1, depth))]
    skip = "{h} + " if residual else ""
    form = f"h{{i}} = {skip}tanh({{h}} @ W{{i}})"
    equations = [form.format(i=i, h=h) for i, h in enumerate(before, 1)]
    return layered(equations, [f"W{i}" for i in range(1, depth + 1)], width)


def _stack(inputs: str, layers: Sequence[str], loss: str = "softmax_cross_entropy") -> str:
    blocks = "\n".join(f"[[layers]]\n{layer}" for layer in layers)
    return f'name = "stack"\n[inputs]\n{inputs}\n{blocks}\n[loss]\nkind = "{loss}"\n'


_BLOCK = 'kind = "transformer_block"\nheads = 2\nhidden = 32\ncausal = true'
_RNN = 'kind = "{}"\nunits = 12\nreturn_sequences = true'
_DENSE = 'kind = "dense"\nunits = {}'
_CONV = (
    'kind = "conv2d"\nchannels = {}\nkernel = 3\npadding = "same"\nactivation = "relu"\n'
    '[[layers]]\nkind = "max_pool2d"\nwindow = 2'
)
_SEQUENCE = 'x = { shape = ["batch", "time", 16] }\ny = { shape = ["batch", "time"], labels = 5 }'
_IMAGES = 'x = { shape = ["batch", 1, 16, 16] }\ny = { shape = ["batch"], labels = 10 }'

SPECS: dict[str, tuple[str, dict[str, int]]] = {
    "deep": (chain(20, 16), {"batch": 400}),
    "residual": (chain(12, 16, residual=True), {"batch": 400}),
    "convolutions": (
        _stack(_IMAGES, [_CONV.format(6), _CONV.format(8), 'kind = "flatten"', _DENSE.format(10)]),
        {"batch": 40},
    ),
    "transformer": (
        _stack(_SEQUENCE, [*[_BLOCK] * 2, _DENSE.format(5)]),
        {"batch": 40, "time": 16},
    ),
    "recurrent": (
        _stack(_SEQUENCE, [*(_RNN.format(k) for k in ("rnn", "gru", "lstm")), _DENSE.format(5)]),
        {"batch": 60, "time": 16},
    ),
}


@cache
def compiled(name: str, functions: tuple[str, ...] | None = None) -> Compiled:
    """A model of SPECS."""
    return compile_spec(SPECS[name][0], functions)


def arguments(model: Compiled, function: str, sizes: dict[str, int]) -> list[Any]:
    """What a function is called with, at sizes."""
    rng = np.random.default_rng(0)
    drawn = model.module().init()
    body = model.description.functions[function]
    found: list[Any] = [drawn]
    if body.v is not None:
        found.append({k: rng.standard_normal(a.shape) for k, a in drawn.items()})
    for name, node in model.model.inputs.items():
        if body.inputs is None or name in body.inputs:
            found.append(random_input(node, sizes, rng).astype(node.dtype))
    return [*found, *([0.5] if body.max_norm is not None else [])]


def planned_peak(model: Compiled, function: str, sizes: dict[str, int]) -> int:
    """The most that a call holds, as the cost model has it."""
    at = sizes_of(model.model, sizes)
    return function_figures(model.description, function, at).peak


def measured_peak(module: ModuleType, function: str, given: Sequence[Any]) -> int:
    """The most that a call of the kernel holds."""
    kernel = getattr(module, f"_{function}")
    kernel(*given)
    return allocated(lambda: kernel(*given))
