"""Any identifier may be a user's: the module renames what is its own."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest

from codegen import FunctionBody, ModuleDescription, emit, load_module
from codegen.names import Locals, Names
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.codegen.models import loaded, trained

#: Names that the module, its helpers or Python itself would like to have.
TRAPS = (
    *("np", "v", "params", "loss", "work", "pi", "beta", "forward", "backward", "init", "hvp"),
    *("sizes", "dtype", "data", "seed", "rng", "d", "flat", "max_norm", "t1", "mask", "total"),
    *("_softmax", "_check_inputs", "_loss", "_backward", "_TRAINABLE", "_nonzero", "np_", "loss_"),
    *("sum", "len", "range", "ValueError", "dict", "print", "numpy", "DTYPE", "PARAMETERS"),
    *(
        "d_w",
        "Hv_w",
        "__x",
        "_",
        "match",
        "type",
        "σ",
        "self",
        "sys",
        "output",
        "norms",
        "math",
        "erf",
        "_one_hot",
        "_INPUT_FACTS",
        "e",
        "inf",
    ),
)


def model(data: str, weight: str, hidden: str, size: str) -> ModuleDescription:
    """mean over ``size`` of a small loss, with one name for each kind of thing."""
    x = b.input(data, (size, 3), "float64")
    w = b.parameter(weight, (3, 2))
    other = b.parameter("other", (2,))
    h = b.tanh(x @ w)
    losses = b.logsumexp(b.softmax(h * other) + h, axis=1)
    described = trained({data: x}, {weight: w, "other": other}, h, losses, forward_inputs=(data,))
    return replace(described, names={h: hidden})


def check(description: ModuleDescription, data: str, weight: str) -> None:
    rng = np.random.default_rng(0)
    module = loaded(description)
    params = {weight: rng.normal(size=(3, 2)), "other": rng.normal(size=2)}
    x = rng.normal(size=(4, 3))
    values = {data: x, **params}
    for function in ("forward", "loss"):
        (expected,) = evaluate(list(description.functions[function].roots().values()), values)
        np.testing.assert_allclose(getattr(module, function)(params, x), expected, rtol=1e-12)
    loss, grads = module.backward(params, x)
    roots = list(description.functions["backward"].roots().values())
    for got, expected in zip([loss, *grads.values()], evaluate(roots, values), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert list(grads) == [weight, "other"]
    assert set(module.hvp(params, grads, x)) == {weight, "other"}
    module.unravel(module.ravel(module.init(0)))


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_may_name_an_input_a_parameter_an_equation_or_a_size(trap: str) -> None:
    check(model(trap, "w", "h", "batch"), trap, "w")
    check(model("x", trap, "h", "batch"), "x", trap)
    check(model("x", "w", trap, "batch"), "x", "w")
    check(model("x", "w", "h", trap), "x", "w")


def test_all_traps_at_once() -> None:
    names = [name for name in TRAPS if name != "other"]
    inputs = {name: b.input(name, ("batch", 3)) for name in names[: len(names) // 2]}
    params = {name: b.parameter(name, (3,)) for name in names[len(names) // 2 :]}
    losses: Node = b.constant(0.0)
    for x, w in zip(inputs.values(), params.values(), strict=False):
        losses = losses + b.tanh(x * w).sum(axis=1)
    description = trained(inputs, params, losses, losses, forward_inputs=tuple(inputs))
    module = loaded(description)
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=3) for name in params}
    data = {name: rng.normal(size=(2, 3)) for name in inputs}
    loss, grads = module.backward(values, *data.values())
    roots = list(description.functions["backward"].roots().values())
    for got, expected in zip([loss, *grads.values()], evaluate(roots, values | data), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_public_names_stay_and_arguments_step_aside() -> None:
    module = loaded(model("params", "v", "loss", "batch"))
    assert list(inspect.signature(module.hvp).parameters) == [
        "params_",
        "v_",
        "params",
        "work",
        "check_facts",
    ]
    assert all(callable(getattr(module, name)) for name in ("init", "loss", "ravel"))


def test_the_usual_module_uses_the_usual_names() -> None:
    module = loaded(model("x", "w", "h", "batch"))
    expected = ["params", "v", "x", "work", "check_facts"]
    assert list(inspect.signature(module.hvp).parameters) == expected
    assert module.np is np


def test_init_takes_sizes_that_are_named_like_its_own_argument() -> None:
    w = b.parameter("w", ("seed", "rng"))
    x = b.input("x", ("batch", "seed"))
    described = trained({"x": x}, {"w": w}, x @ w, (x @ w).sum(axis=1))
    module = loaded(described)
    assert module.init(seed=3, rng=2)["w"].shape == (3, 2)
    with pytest.raises(TypeError, match="rng"):
        module.init(seed=3)


def test_two_values_that_want_one_name_both_get_one() -> None:
    x = b.input("x", (3,))
    first, second = b.sin(x), b.cos(x)
    description = ModuleDescription(
        name="twice",
        dtype="float64",
        version="0",
        spec_sha256="",
        source="a test",
        inputs={"x": x},
        parameters={},
        functions={"forward": FunctionBody({"a": first * second, "b": first + second})},
        names={first: "same", second: "same"},
    )
    text = emit(description)
    assert "same = np.sin(x, out=" in text
    assert "same_2 = np.cos(x, out=" in text
    load_module(text, "twice")


def test_names_own_things_away_from_the_users() -> None:
    names = Names({"np", "np_"})
    assert names.own("np") == "np__"
    assert names.own("np") == "np__"
    assert names.own("params") == "params"
    assert names.own("loss") == "loss_", "public names are taken"


def test_locals_are_numbered() -> None:
    local = Locals({"t1"})
    assert [local.temporary(""), local.temporary("")] == ["t1_2", "t2"]
    assert [local.temporary("mask"), local.temporary("mask")] == ["mask", "mask_2"]
    assert local.give("lambda") == "lambda_2"
