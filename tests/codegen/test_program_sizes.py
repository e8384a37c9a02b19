"""The emitted programs of wide networks hold no array of batch × parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from codegen.description import surroundings
from codegen.kernel import write_kernel
from symdiff.compiler import Compiled, compile_spec
from symdiff.expr.shapes import size_value

SIZES = {"batch": 1, "time": 8}
FUNCTIONS = (
    "per_example_sq_norms", "per_example_norms", "backward_with_norms", "clipped_backward",
)  # fmt: skip

TRANSFORMER = """\
name = "wide"
layers = [
  { kind = "embedding", units = 256 },
  { kind = "positions", length = 8 },
  { kind = "transformer_block", heads = 4, hidden = 512, causal = true },
  { kind = "layer_norm" },
  { kind = "dense", units = 1000, tied = "E1" },
]
[inputs]
ids = { shape = ["batch", 8], labels = 1000 }
y   = { shape = ["batch", 8], labels = 1000 }
[loss]
kind = "softmax_cross_entropy"
"""
SHARED = """\
name = "shared"
[inputs]
x = { shape = ["batch", 128] }
[parameters]
W = { shape = [128, 128] }
U = { shape = [128, 2] }
V = { shape = [2, 128] }
t = { shape = [128, 128] }
M = { shape = [128, 128], trainable = false }
[equations]
h1 = "tanh(x @ W)"
h2 = "tanh(h1 @ W.T)"
h3 = "tanh(h2 @ W + low_rank(h1, U, V))"
h4 = "tanh(h3 @ W)"
h5 = "tanh(h4 @ W.T + h4 @ (M * exp(t)))"
h6 = "tanh(h5 @ W)"
[loss]
per_example = "sum(h6**2, axis=1)"
"""
REPARAMETRISED = """\
name = "reparametrised"
[inputs]
x = {{ shape = ["batch", 128] }}
y = {{ shape = ["batch", 100] }}
[parameters]
v = {{ shape = [128, 100] }}
g = {{ shape = [100] }}
U = {{ shape = [100, 100] }}
[equations]
W = "{}"
z = "tanh(x @ W) @ U"
[loss]
per_example = "sum((z - y)**2, axis=1)"
"""
WEIGHTS = (
    "v", "g * v / norm(v, axis=0)", "v / norm(v)", "g * exp(v)", "relu(v)", "softmax(v, axis=0)",
    "v - mean(v)",
)  # fmt: skip


def sizes_of(compiled: Compiled, function: str) -> Mapping[str, int]:
    """The numbers of elements for an example of what a function's program makes, by label."""
    description = compiled.description
    body = description.functions[function]
    program = write_kernel(surroundings(description), function, body).program
    found: dict[str, int] = {}
    for step in program.walk():
        if step.allocates and step.shape[:1] == ("batch",):
            label = f"{step.action} {step.shape}"
            found[label] = math.prod(size_value(size, SIZES) for size in step.shape)
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("spec", "largest"), [(TRANSFORMER, 8 * 1000), (SHARED, 6 * 128)])
def test_no_array_is_larger_than_the_activations(spec: str, largest: int, function: str) -> None:
    """Where 2T²(d + p + 1) < 3dp for every weight, T positions or uses."""
    compiled = _compiled(spec)
    found = sizes_of(compiled, function)
    assert found
    assert {label: size for label, size in found.items() if size > largest} == {}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_weights_made_of_others_are_not_instantiated(weight: str, function: str) -> None:
    """A weight's direction and its length, positive weights, weights of rows that sum to one."""
    found = sizes_of(_compiled(REPARAMETRISED.format(weight)), function)
    assert {label: size for label, size in found.items() if size > 128} == {}


_DONE: dict[str, Compiled] = {}


def _compiled(spec: str) -> Compiled:
    if spec not in _DONE:
        _DONE[spec] = compile_spec(spec, FUNCTIONS)
    return _DONE[spec]
