"""How often emitted functions go through their largest arrays: no more than by hand."""

from __future__ import annotations

import pytest

from codegen.building import build_program
from codegen.description import surroundings
from codegen.functions import function_program
from codegen.operations import single_calls
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.node import Node

WIDE = 777
SPEC = """
name = "wide"
dtype = "float32"
output = "z2"
[inputs]
x = {{ shape = ["batch", 5] }}
y = {{ shape = ["batch"], labels = 3 }}
[parameters]
W1 = {{ shape = [5, 777] }}
b1 = {{ shape = [777] }}
W2 = {{ shape = [777, 3] }}
[equations]
h1 = "{activation}(x @ W1 + b1)"
z2 = "h1 @ W2"
[loss]
per_example = "softmax_cross_entropy(z2, y)"
"""

#: Calls, an element at a time, on arrays of all hidden units of all examples.
PASSES = {
    ("relu", "forward"): 2,
    ("relu", "backward"): 4,
    ("relu", "hvp"): 6,
    ("tanh", "forward"): 2,
    ("tanh", "backward"): 5,
    ("gelu", "forward"): 9,
    ("gelu", "backward"): 16,
    ("gelu", "hvp"): 31,
    ("gelu", "backward_with_norms"): 16,
    ("sigmoid", "backward"): 8,
}


@pytest.mark.parametrize(("activation", "function"), PASSES)
def test_passes_over_all_hidden_units(activation: str, function: str) -> None:
    description = compile_spec(SPEC.format(activation=activation), [function]).description
    program = function_program(surroundings(description), description.functions[function])
    calls = [
        step.detail("function")
        for step in program.steps
        if step.action == "call"
        and step.shape == ("batch", WIDE)
        and dict(step.details).get("elementwise")
    ]
    assert len(calls) == PASSES[activation, function], calls


x, y = b.input("x", (4, 3)), b.input("y", (4, 3))


@pytest.mark.parametrize(
    ("node", "calls"),
    [
        (2 * (3 * x + 1) * y, 3),  # 6 x + 2, times y
        (2 * (x + 1) * y, 3),  # (x + 1) y, times 2
        (b.sigmoid(2 * (3 * x + 1) * y), 6),  # as above, and exp, + 1, 1 /
    ],
)
def test_numbers_are_multiplied_into_sums_of_multiples(node: Node, calls: int) -> None:
    program = single_calls(build_program({"y": node}))
    assert sum(step.action == "call" for step in program.steps) <= calls


def test_norms_of_weights_and_biases_share_the_cotangents_norms() -> None:
    """Clipping takes two dot products a layer, and forms no square of a cotangent."""
    spec = SPEC.format(activation="tanh").replace('"h1 @ W2"', '"h1 @ W2 + b2"')
    spec = spec.replace("W2 = {", "b2 = { shape = [3] }\nW2 = {")
    description = compile_spec(spec, ["clipped_backward"]).description
    body = description.functions["clipped_backward"]
    program = function_program(surroundings(description), body)
    calls = [step for step in program.steps if step.action == "call"]
    dots = [step for step in calls if step.detail("function") == "vecdot"]
    assert len(dots) == 4
    squares = [s for s in calls if s.detail("function") == "multiply" and len({*s.args}) == 1]
    assert [s.shape for s in squares] == [("batch", WIDE)]  # of tanh, for its slope


ONE_UNIT = """
name = "regression"
[inputs]
x = { shape = ["batch", 500] }
y = { shape = ["batch", 1] }
[parameters]
W1 = { shape = [500, 400] }
W2 = { shape = [400, 1] }
b2 = { shape = [1] }
[equations]
z = "tanh(x @ W1) @ W2 + b2"
[loss]
per_example = "sum((z - y)**2, axis=1)"
"""


def test_a_last_layer_of_one_unit_is_a_matrix_product() -> None:
    """Its column is not taken out and put back: a vector is no faster, and reads worse."""
    text = compile_spec(ONE_UNIT, ["backward"]).source
    kernel = text[text.index("def _backward(") : text.index("def ravel")]
    assert ".dot(W2, out=" in kernel
    assert ".T.dot(" in kernel
    assert "[:, None]" not in kernel
