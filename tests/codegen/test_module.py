"""The emitted module: what it holds, and what its functions promise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codegen import FunctionBody, ModuleDescription, Parameter, emit
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from tests.codegen.models import (
    arguments,
    describe_graph,
    loaded,
    network,
    run_graph,
    trained,
)


@pytest.fixture(scope="module", params=["float64", "float32"])
def description(request: pytest.FixtureRequest) -> ModuleDescription:
    return network(request.param)


@pytest.fixture(scope="module")
def module(description: ModuleDescription) -> ModuleType:
    return loaded(description)


def values_of(module: ModuleType, description: ModuleDescription) -> dict[str, Any]:
    return {**module.init(1), **arguments(description)}


def call(module: ModuleType, function: str, values: Mapping[str, Any], *rest: Any) -> Any:
    """The function of the parameters, whatever stands before the inputs, and the inputs."""
    params = {name: values[name] for name in module.PARAMETERS}
    return getattr(module, function)(params, *rest, *(values[name] for name in module.INPUTS))


def test_constants_say_what_it_was_made_from(module: ModuleType) -> None:
    assert module.NAME == "net"
    assert module.SYMDIFF_VERSION == "0.0"
    assert module.SPEC_SHA256 == "0" * 64
    assert module.INPUTS == {"x": ("batch", 4), "y": ("batch",)}
    assert list(module.PARAMETERS) == ["W1", "b1", "W2", "b2"]
    assert module.PARAMETERS["W2"] == (5, 3)


def test_functions_compute_what_the_graph_says(
    module: ModuleType, description: ModuleDescription
) -> None:
    values = values_of(module, description)
    tolerance = 1e-12 if description.dtype == "float64" else 1e-5

    def close(got: Any, node: Any) -> None:
        expected = evaluate(node, values)
        assert np.asarray(got).dtype == description.dtype
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)

    bodies = description.functions
    close(_forward(module, values), bodies["forward"].result)
    close(call(module, "loss", values), bodies["loss"].result)
    loss, grads = call(module, "backward", values)
    close(loss, bodies["loss"].result)
    for name, node in description.functions["backward"].roots().items():
        if "." in name:
            close(grads[name.partition(".")[2]], node)


def _forward(module: ModuleType, values: Mapping[str, Any]) -> Any:
    params = {name: values[name] for name in module.PARAMETERS}
    return module.forward(params, values["x"])


def test_hvp_is_the_derivative_of_the_gradient() -> None:
    module = loaded(network())
    values = values_of(module, network())
    params = {name: values[name] for name in module.PARAMETERS}
    v = module.init(2)
    data = (values["x"], values["y"])
    ahead = module.backward({n: params[n] + 1e-5 * v[n] for n in params}, *data)[1]
    behind = module.backward({n: params[n] - 1e-5 * v[n] for n in params}, *data)[1]
    product = module.hvp(params, v, *data)
    assert list(product) == list(params)
    for name in params:
        slope = (ahead[name] - behind[name]) / 2e-5
        np.testing.assert_allclose(product[name], slope, rtol=1e-6, atol=1e-8)


def test_the_same_description_gives_the_same_text() -> None:
    assert emit(network()) == emit(network())
    code = (
        "from tests.codegen.models import network; from codegen import emit; import hashlib;"
        "print(hashlib.sha256(emit(network()).encode()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root, env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1] != ""


def test_text_is_plain() -> None:
    text = emit(network())
    assert text.endswith("\n")
    assert "\t" not in text
    assert "\r" not in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 100
    assert "import symdiff" not in text


def test_the_spec_s_names_come_first() -> None:
    text = emit(network())
    backward = text[text.index("def _backward(") :].split("\n\n\n")[0]
    assert "    h += b1\n    np.tanh(h, out=h)\n" in backward
    assert "    # h = tanh(x @ W1 + b1)\n    h = x.dot(W1, out=" in backward
    assert "d_W1 = " in backward
    assert "np.tensordot" not in backward


def test_init_is_reproducible_and_follows_the_initializers() -> None:
    shapes = {
        "he": ("he_normal", (50, 40), None),
        "gu": ("glorot_uniform", (50, 40), None),
        "gn": ("glorot_normal", (50, 40), None),
        "no": ("normal", (2000,), None),
        "nv": ("normal", (2000,), 2.0),
        "un": ("uniform", (2000,), 0.5),
        "ze": ("zeros", (3,), None),
        "on": ("ones", (2, 2), None),
        "co": ("constant", (), 0.25),
        "kernel": ("he_normal", (8, 4, 3, 3), None),
    }
    parameters = {
        name: Parameter(b.parameter(name, shape), init, value)
        for name, (init, shape, value) in shapes.items()
    }
    total = b.sum(parameters["he"].node) + parameters["co"].node
    description = replace(describe_graph({"out": total}), parameters=parameters)
    module = loaded(description)
    params = module.init(7)
    assert {name: array.shape for name, array in params.items()} == {
        name: shape for name, (_, shape, _) in shapes.items()
    }
    again, other = module.init(7), module.init(8)
    assert all(np.array_equal(params[name], again[name]) for name in params)
    assert not np.array_equal(params["he"], other["he"])
    spread = {name: float(array.std()) for name, array in params.items()}
    assert spread["he"] == pytest.approx((2 / 50) ** 0.5, rel=0.05)
    assert spread["gn"] == pytest.approx((2 / 90) ** 0.5, rel=0.05)
    assert spread["gu"] == pytest.approx((2 / 90) ** 0.5, rel=0.05)
    assert np.abs(params["gu"]).max() <= (6 / 90) ** 0.5
    assert spread["no"] == pytest.approx(0.05, rel=0.1)
    assert spread["nv"] == pytest.approx(2.0, rel=0.1)
    assert 0.45 < np.abs(params["un"]).max() <= 0.5
    assert spread["kernel"] == pytest.approx((2 / 36) ** 0.5, rel=0.15)
    assert params["ze"].tolist() == [0, 0, 0]
    assert params["on"].tolist() == [[1, 1], [1, 1]]
    assert params["co"] == 0.25


def test_ravel_and_unravel_are_inverse(module: ModuleType) -> None:
    params = module.init(3)
    flat = module.ravel(params)
    assert flat.shape == (4 * 5 + 5 + 5 * 3 + 3,)
    assert flat.dtype == module.DTYPE
    back = module.unravel(flat)
    assert list(back) == list(params)
    for name in params:
        np.testing.assert_array_equal(back[name], params[name])
    back["W1"][:] = 0
    assert flat[:20].any(), "unravel gives arrays of its own"


def test_frozen_parameters_have_no_place_in_ravel() -> None:
    described = network()
    parameters = dict(described.parameters)
    parameters["W1"] = replace(parameters["W1"], trainable=False)
    module = loaded(replace(described, parameters=parameters))
    assert module.ravel(module.init(0)).shape == (5 + 5 * 3 + 3,)
    assert list(module.unravel(np.zeros(23))) == ["b1", "W2", "b2"]


def test_unravel_finds_the_size_that_is_not_given() -> None:
    w = b.parameter("w", ("features", "classes"))
    x = b.input("x", ("batch", "features"))
    module = loaded(trained({"x": x}, {"w": w}, x @ w, (x @ w).sum(axis=1)))
    assert module.unravel(np.zeros(12), features=4)["w"].shape == (4, 3)
    assert module.unravel(np.zeros(12), features=4, classes=3)["w"].shape == (4, 3)
    with pytest.raises(ValueError, match="features, classes"):
        module.unravel(np.zeros(12))
    with pytest.raises(ValueError, match="expected 15 numbers"):
        module.unravel(np.zeros(13), features=5)


def test_arguments_are_left_alone_and_results_are_fresh(
    module: ModuleType, description: ModuleDescription
) -> None:
    values = values_of(module, description)
    before = {name: value.copy() for name, value in values.items()}
    loss, grads = call(module, "backward", values)
    for array in grads.values():
        array[...] = 0
    for name, value in before.items():
        np.testing.assert_array_equal(values[name], value)
    np.testing.assert_array_equal(call(module, "backward", values)[0], loss)


def test_results_share_no_memory_with_arguments_or_each_other() -> None:
    x, w = b.input("x", ("n", 3)), b.parameter("w", (3, 3))
    outputs = {
        "same": x, "again": x, "view": x.T, "part": x[1:], "row": x[0], "wide": x[:, None],
        "param": w, "diagonal": b.diagonal(w), "both": w + 1, "both_again": (w + 1).T,
        "spread": b.broadcast_to(x[0], ("n", 3)), "cell": x[0, 0],
    }  # fmt: skip
    values = {"x": np.arange(6.0).reshape(2, 3), "w": np.arange(9.0).reshape(3, 3)}
    got = run_graph(outputs, values)
    for name, array in got.items():
        assert array.flags.writeable, name
        others = [values["x"], values["w"], *(a for n, a in got.items() if n != name)]
        assert not any(np.shares_memory(array, other) for other in others), name


def test_batch_of_one_works_and_batch_of_none_is_refused_by_a_mean(
    module: ModuleType, description: ModuleDescription
) -> None:
    values = {**module.init(0), **arguments(description, batch=1)}
    assert np.isfinite(call(module, "loss", values))
    empty = {**values, "x": values["x"][:0], "y": values["y"][:0]}
    assert _forward(module, empty).shape == (0, 3)
    for function in ("loss", "backward"):
        with pytest.raises(ValueError, match="batch is 0"):
            call(module, function, empty)


def test_norms_of_no_examples_are_no_norms() -> None:
    x, w = b.input("x", ("batch", 3)), b.parameter("w", (3,))
    body = FunctionBody({"w": (x * x).sum(axis=1) + 0 * (x @ w)})
    described = describe_graph({"out": x @ w})
    module = loaded(replace(described, functions={"per_example_sq_norms": body}))
    assert module.per_example_sq_norms({"w": np.ones(3)}, np.zeros((0, 3)))["w"].shape == (0,)


def test_unused_inputs_are_taken_and_looked_at() -> None:
    described = network()
    unused = b.input("unused", ("batch", 2))
    module = loaded(replace(described, inputs={**described.inputs, "unused": unused}))
    values = {**module.init(0), **arguments(described), "unused": np.zeros((6, 2))}
    assert np.isfinite(call(module, "loss", values))
    with pytest.raises(ValueError, match=r"unused: expected shape \(batch, 2\) with batch = 6"):
        call(module, "loss", {**values, "unused": np.zeros((5, 2))})


def test_threads_do_not_disturb_each_other() -> None:
    described = network()
    module = loaded(described)
    many = [{**module.init(i), **arguments(described, seed=i)} for i in range(16)]
    alone = [call(module, "backward", values)[0] for values in many]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda values: call(module, "backward", values)[0], many * 4))
    assert together == alone * 4


def test_a_function_that_cannot_be_had_says_why() -> None:
    reason = 'softmax over the batch mixes examples ("q = softmax(z, 0)")'
    described = replace(network(), unavailable={"per_example_norms": reason})
    module = loaded(described)
    for arguments_ in ((), ({}, 1, 2)):
        with pytest.raises(NotImplementedError, match="softmax over the batch"):
            module.per_example_norms(*arguments_)
    assert reason in " ".join(str(module.__doc__).split())
    assert not hasattr(module, "clipped_backward"), "not asked for, not there"


def test_notes_stand_in_the_header() -> None:
    notes = ["assumes: p sums to one", 'has "quotes", """three""" and a \\ in it']
    module = loaded(replace(network(), notes=notes))
    assert all(note in str(module.__doc__) for note in notes)


def test_erf_needs_scipy_and_the_header_says_so() -> None:
    x = b.input("x", (3,))
    text = emit(describe_graph({"out": b.erf(x)}))
    assert "from scipy.special import erf" in text
    assert "SciPy (for erf)" in text
    assert "scipy" not in emit(describe_graph({"out": b.exp(x)})).lower()


def test_constant_arrays_stand_at_the_top() -> None:
    x = b.input("x", (2, 2))
    table = b.constant(np.array([[1.0, 2.5], [-np.inf, np.nan]]))
    text = emit(describe_graph({"out": b.maximum(x, table), "idx": x[b.constant(np.array([1]))]}))
    assert '_CONSTANT_1 = np.array([1, 2.5, -np.inf, np.nan], "float64").reshape((2, 2))' in text
    assert '_CONSTANT_2 = np.array([1], "int64")' in text


def test_several_outputs_are_a_dict_and_a_number_is_an_array_in_it() -> None:
    x = b.input("x", (3,))
    got = run_graph({"total": b.sum(x), "rows": x * 2}, {"x": np.ones(3)})
    assert isinstance(got["total"], np.ndarray)
    assert got["total"].shape == ()


def test_a_model_without_inputs_or_without_parameters() -> None:
    w = b.parameter("w", (3,))
    described = replace(
        describe_graph({"out": w * w}), functions={"loss": FunctionBody(b.sum(w * w))}
    )
    assert loaded(described).loss({"w": np.array([1.0, 2.0, 3.0])}) == 14
    x = b.input("x", (3,))
    module = loaded(describe_graph({"out": x + 1}))
    assert module.forward({}, np.zeros(3))["out"].tolist() == [1, 1, 1]
    assert module.init() == {}
    assert module.ravel({}).shape == (0,)
    assert module.unravel(np.zeros(0)) == {}


def test_what_no_module_can_hold_is_refused() -> None:
    x = b.input("x", ("n", 3))
    compound = b.input("wide", (b.concatenate([x, x], 0).shape[0], 3))
    with pytest.raises(ValueError, match=r"wide has shape \(2\*n, 3\)"):
        emit(describe_graph({"out": compound}))
    stray = b.input("stray", (3,))
    described = replace(describe_graph({"out": x + stray}), inputs={"x": x})
    with pytest.raises(ValueError, match="stray is no input"):
        emit(described)
    with pytest.raises(ValueError, match="no module has a function train"):
        emit(replace(described, functions={"train": FunctionBody(x)}))
