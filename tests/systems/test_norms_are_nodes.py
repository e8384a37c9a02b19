"""Per-example norms are nodes: a penalty on them is differentiated and compiled like any other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from codegen import program_of
from symdiff.compiler import compile_model, graph_model
from symdiff.expr.shapes import size_value
from tests.systems.modules import error


def penalised(time: int | str | None, scale: float = 0.3) -> tuple[Any, Any, Any]:
    """Output, plain loss and loss with scale·‖g_j‖ of a layer, over time if there is any."""
    axes = (1, 2) if time is not None else 1
    x = sd.input("x", ("batch", 4) if time is None else ("batch", time, 4))
    w, c = sd.parameter("W", (4, 3)), sd.parameter("c", (3,))
    z = sd.tanh(x @ w + c)
    loss = sd.sum(z**2 + z, axis=axes)
    squares = sd.per_example_sq_norms(loss, [w, c])
    return z, loss, loss + scale * sd.sqrt(squares[0] + squares[1])


def slope(module: Any, params: dict[str, Any], x: Any, name: str, place: int) -> float:
    """A central difference of the loss."""
    step = np.zeros(params[name].shape)
    step.flat[place] = 1e-5
    ahead, behind = ({**params, name: params[name] + sign * step} for sign in (1, -1))
    return float(module.loss(ahead, x) - module.loss(behind, x)) / 2e-5


@pytest.mark.parametrize("time", [None, 2, 9, "time"])
def test_the_gradient_of_a_gradient_penalty_is_its_slope(time: int | str | None) -> None:
    z, _, loss = penalised(time)
    module: Any = sd.compile(outputs={"z": z}, per_example=loss)
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(4, 3)), "c": rng.normal(size=3)}
    for length in (2, 9) if time == "time" else (time,):
        shape = (5, 4) if length is None else (5, length, 4)
        x = rng.normal(size=shape)
        _, grads = module.backward(params, x)
        for name, g in grads.items():
            slopes = [slope(module, params, x, name, place) for place in range(g.size)]
            assert error(g.ravel(), slopes) < 1e-7


def test_the_penalty_is_the_loops() -> None:
    z, plain, loss = penalised(3)
    with_it: Any = sd.compile(outputs={"z": z}, per_example=loss, reduction="sum")
    without: Any = sd.compile(outputs={"z": z}, per_example=plain, reduction="sum")
    rng = np.random.default_rng(1)
    params = {"W": rng.normal(size=(4, 3)), "c": rng.normal(size=3)}
    x = rng.normal(size=(5, 3, 4))
    norms = [
        np.sqrt(sum(np.sum(g**2) for g in without.backward(params, x[j : j + 1])[1].values()))
        for j in range(5)
    ]
    expected = without.loss(params, x) + 0.3 * np.sum(norms)
    assert with_it.loss(params, x) == pytest.approx(expected, rel=1e-12)


def test_the_penalised_loss_has_per_example_norms_of_its_own() -> None:
    z, _, loss = penalised(None)
    module: Any = sd.compile(outputs={"z": z}, per_example=loss)
    rng = np.random.default_rng(2)
    params = {"W": rng.normal(size=(4, 3)), "c": rng.normal(size=3)}
    x = rng.normal(size=(5, 4))
    found = module.per_example_sq_norms(params, x)
    for j in range(5):
        _, g = module.backward(params, x[j : j + 1])
        for name in params:
            assert found[name][j] == pytest.approx(np.sum(g[name] ** 2), rel=1e-9)


def test_a_penalty_of_a_dense_layer_forms_no_gradient_an_example() -> None:
    x, w = sd.input("x", ("batch", 40)), sd.parameter("W", (40, 30))
    z = sd.tanh(x @ w)
    loss = sd.sum(z**2, axis=1)
    (s,) = sd.per_example_sq_norms(loss, [w])
    model = graph_model("penalty", {"z": z}, loss + sd.sqrt(s))
    program = program_of(compile_model(model, ["backward"]).description, "backward")
    sizes = [size_value(step.size, {"batch": 100}) for step in program.steps if step.allocates]
    assert max(sizes) < 100 * 40 * 2
