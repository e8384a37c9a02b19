"""Costs as polynomials against what the emitted functions do when they run."""

from __future__ import annotations

import tracemalloc
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen import cost_of
from codegen.costs import COMPOUNDS, FLOPS
from codegen.envelope import largest, never_less
from codegen.numpy_table import PRINTERS
from codegen.program import COMPOUND, LEAVES
from symdiff.compiler import Compiled, compile_spec
from symdiff.expr.shapes import Size, as_expression, as_size, size_value
from tests.codegen.counting import counted
from tests.examples.test_specs import random_input

EXAMPLES = Path(__file__).parents[2] / "examples"
SEQUENCE = """
name = "sequence"
output = "z"
[inputs]
x = { shape = ["batch", "time", 6] }
y = { shape = ["batch", "time"], labels = 4 }
[parameters]
W1 = { shape = [6, 8] }
b1 = { shape = [8] }
W2 = { shape = [8, 4] }
[equations]
h = "gelu(x @ W1 + b1)"
z = "h @ W2"
[loss]
per_example = "softmax_cross_entropy(z, y).mean(axis=1)"
"""
WIDE = """
name = "wide"
output = "z"
[inputs]
x = { shape = ["batch", "features"] }
y = { shape = ["batch", 5] }
[parameters]
W1 = { shape = ["features", "hidden"] }
b1 = { shape = ["hidden"] }
W2 = { shape = ["hidden", 5] }
[equations]
h = "sigmoid(x @ W1 + b1)"
z = "h @ W2"
[loss]
per_example = "squared_error(z, y).mean(axis=1)"
"""
RECURRENT = """
name = "recurrent"
[inputs]
x = { shape = ["batch", "time", 6] }
n = { shape = ["batch"], labels = 5 }
y = { shape = ["batch", 4] }
[[layers]]
kind = "gru"
units = 7
return_sequences = true
lengths = "n"
[[layers]]
kind = "lstm"
units = 5
[[layers]]
kind = "dense"
units = 4
[loss]
kind = "squared_error"
"""
MODELS: dict[str, tuple[str | Path, dict[str, int]]] = {
    "digits": (EXAMPLES / "digits.toml", {"batch": 7}),
    "residual": (EXAMPLES / "residual.toml", {"batch": 5}),
    "xor": (EXAMPLES / "xor.toml", {"batch": 4, "hidden": 3}),
    "sequence": (SEQUENCE, {"batch": 3, "time": 5}),
    "lenet": (EXAMPLES / "lenet.toml", {"batch": 4}),
    "short": (SEQUENCE, {"batch": 3, "time": 2}),
    "recurrent": (RECURRENT, {"batch": 3, "time": 4}),
    "wide": (WIDE, {"batch": 6, "features": 9, "hidden": 11}),
    "weight_norm": (EXAMPLES / "weight_norm.toml", {"batch": 5}),
    "siamese": (EXAMPLES / "siamese.toml", {"batch": 5}),
    "transformer": (EXAMPLES / "transformer.toml", {"batch": 2, "time": 5}),
}


@cache
def compiled(name: str) -> Compiled:
    return compile_spec(MODELS[name][0])


def arguments(name: str, function: str, sizes: dict[str, int]) -> list[Any]:
    """What the kernel of a function is called with."""
    model, body = compiled(name).model, compiled(name).description.functions[function]
    rng = np.random.default_rng(0)

    def drawn(node: Any) -> Any:
        return random_input(node, sizes, rng).astype(node.dtype)

    def normal(node: Any) -> Any:
        return rng.normal(size=[size_value(s, sizes) for s in node.shape]).astype(node.dtype)

    params = {key: normal(p.node) for key, p in model.parameters.items()}
    found: list[Any] = [params]
    if body.v:
        found.append({key: drawn(node) for key, node in body.v.items()})
    inputs = [n for n in model.inputs if body.inputs is None or n in body.inputs]
    found += [drawn(model.inputs[n]) for n in inputs]
    return [*found, *([1.0] if body.max_norm is not None else [])]


def test_every_action_has_its_flops() -> None:
    assert FLOPS.keys() == {*PRINTERS, *LEAVES, "pick"}
    assert COMPOUNDS.keys() == COMPOUND


@pytest.mark.parametrize("name", MODELS)
def test_flops_and_products_are_those_of_a_run(name: str) -> None:
    model, sizes = compiled(name), MODELS[name][1]
    module = model.module()
    for function in model.description.functions:
        cost = cost_of(model.description, function)
        kernel = getattr(module, f"_{function}")
        with np.errstate(all="ignore"):  # as the public functions call it
            ran = counted(kernel, *arguments(name, function, sizes))
        assert cost.number([cost.products], sizes) == ran.products, function
        # NumPy scalars that Python numbers meet are a handful.
        assert cost.number([cost.flops], sizes) == pytest.approx(ran.flops, rel=0.01, abs=8), (
            function
        )


LARGE = {
    "digits": {"batch": 4000},
    "wide": {"batch": 400, "features": 300, "hidden": 400},
    "sequence": {"batch": 100, "time": 100},
    "recurrent": {"batch": 50, "time": 100},
    "lenet": {"batch": 200},
}


@pytest.mark.parametrize("name", LARGE)
def test_peak_bytes_are_those_of_a_run(name: str) -> None:
    model, sizes = compiled(name), LARGE[name]
    module = model.module()
    for function in model.description.functions:
        given = arguments(name, function, sizes)
        kernel = getattr(module, f"_{function}")
        kernel(*given)
        tracemalloc.start()
        try:
            kernel(*given)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        cost = cost_of(model.description, function)
        expected = cost.number(cost.peak_bytes, sizes)
        assert expected == pytest.approx(peak, rel=0.1), function
        assert cost.number(cost.live_bytes, sizes) <= expected


def test_figures_at_sizes_are_those_of_a_program_with_these_sizes() -> None:
    """Sizes put into the spec, or into the polynomials."""
    sizes = {"features": 64, "hidden": 64}  # what the planner takes them to be
    text = WIDE.replace("[inputs]", "[dims]\nfeatures = 64\nhidden = 64\n[inputs]")
    fixed, free = compile_spec(text).description, compiled("wide").description
    for function in free.functions:
        ours, theirs = cost_of(free, function), cost_of(fixed, function)
        for figure in ("flops", "product_flops", "bytes_moved"):
            at = {**sizes, "batch": 100}
            found, wanted = (size_value(getattr(c, figure), at) for c in (ours, theirs))
            # Factors meet in the order of digests, which sizes are part of: a pass over a vector.
            assert found == pytest.approx(wanted, rel=3e-3), (function, figure)


def test_a_product_of_matrices_is_2mnp() -> None:
    cost = cost_of(compiled("wide").description, "forward")
    batch, n, p = (as_expression(name) for name in ("batch", "features", "hidden"))
    assert cost.product_flops == as_size(2 * batch * n * p + 2 * batch * p * 5)
    assert cost.products == 2


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(3, 2, True), ("n", 1, True), (1, "n", False), ("n", "m", False), ("n", "n", True)],
)
def test_polynomials_are_compared_at_sizes_of_at_least_one(
    a: Size, b: Size, expected: bool
) -> None:
    assert never_less(a, b) == expected


def test_only_what_may_be_the_largest_is_kept() -> None:
    n, m = as_expression("n"), as_expression("m")
    assert largest([1, "n", as_size(n + m), as_size(2 * m), as_size(3 * m)]) == (
        as_size(n + m),
        as_size(3 * m),
    )
    assert largest([]) == (0,)


@pytest.mark.parametrize("name", MODELS)
def test_no_more_is_live_than_is_held(name: str) -> None:
    model, sizes = compiled(name), {**MODELS[name][1], "batch": 100}
    for function in model.description.functions:
        cost = cost_of(model.description, function)
        live = cost.number(cost.live_bytes, sizes)
        assert 0 < live <= cost.number(cost.peak_bytes, sizes), function
