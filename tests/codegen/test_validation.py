"""What is wrong with an argument is said in its name, with what was expected and what came."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codegen import FunctionBody
from symdiff.expr import build as b
from tests.codegen.models import arguments, describe_graph, loaded, network


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return loaded(network("float32"))


def arguments_of(module: ModuleType) -> dict[str, Any]:
    return {"params": module.init(0), **arguments(network("float32"))}


def refused(module: ModuleType, message: str, **changes: Any) -> None:
    """The loss of the arguments, with changes, raises a ValueError that holds the message."""
    with pytest.raises(ValueError, match=re.escape(message)):
        module.loss(**{**arguments_of(module), **changes})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((6, 3)), "x: expected shape (batch, 4), got (6, 3)"),
        (np.zeros(4), "x: expected shape (batch, 4), got (4,)"),
        (np.zeros((6, 4), complex), "x: expected numbers (float32), got dtype complex128"),
        (np.zeros((6, 4), bool), "x: expected numbers (float32), got dtype bool"),
        (np.full((6, 4), "a"), "x: expected numbers (float32), got dtype <U1"),
        (None, "x: expected numbers (float32), got dtype object"),
        ([[1.0, 2.0], [3.0]], "x: expected an array, got list"),
    ],
    ids=repr,
)
def test_wrong_data(module: ModuleType, x: Any, message: str) -> None:
    refused(module, message, x=x)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(5, int), "y: expected shape (batch,) with batch = 6, got (5,)"),
        (np.zeros(6), "y: expected integers (int64), got dtype float64"),
        (np.zeros(6, bool), "y: expected integers (int64), got dtype bool"),
        (np.array([0, 1, 2, 3, 0, 1]), "y: expected labels 0 to 2, got 3"),
        (np.array([0, 1, 2, -1, 0, 1]), "y: expected labels 0 to 2, got -1"),
    ],
    ids=repr,
)
def test_wrong_labels(module: ModuleType, y: Any, message: str) -> None:
    refused(module, message, y=y)


def test_wrong_params(module: ModuleType) -> None:
    params = module.init(0)
    refused(
        module,
        "params: expected the names W1, b1, W2, b2; missing b1",
        params={name: array for name, array in params.items() if name != "b1"},
    )
    refused(module, "; missing W1; unknown w1", params={
        "w1" if name == "W1" else name: array for name, array in params.items()
    })  # fmt: skip
    refused(
        module,
        "params['W1']: expected shape (4, 5), got (5, 4)",
        params={**params, "W1": params["W1"].T},
    )
    refused(module, "params['b2']: expected numbers", params={**params, "b2": np.zeros(3, bool)})
    refused(module, "params: expected a dict of arrays, got list", params=[1, 2])


def test_wrong_directions(module: ModuleType) -> None:
    given = arguments_of(module)
    with pytest.raises(ValueError, match=r"v: expected the names .* missing W1"):
        module.hvp(v={}, **given)
    with pytest.raises(ValueError, match=re.escape("v['W2']: expected shape (5, 3), got (1,)")):
        module.hvp(v={**given["params"], "W2": np.zeros(1)}, **given)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", ">i4"])
def test_any_integer_dtype_serves_for_labels(module: ModuleType, dtype: str) -> None:
    given = arguments_of(module)
    expected = module.loss(**given)
    assert module.loss(**{**given, "y": given["y"].astype(dtype)}) == expected


def test_lists_and_other_float_dtypes_are_taken(module: ModuleType) -> None:
    given = arguments_of(module)
    expected = module.loss(**given)
    lists = {name: array.tolist() for name, array in given["params"].items()}
    got = module.loss(lists, given["x"].tolist(), given["y"].tolist())
    assert got == expected
    assert got.dtype == np.float32
    wide = {**given, "x": given["x"].astype(">f8")}
    assert module.loss(**wide).dtype == np.float32
    assert module.loss(given["params"], np.arange(24).reshape(6, 4), given["y"]) > 0


def test_the_order_of_params_does_not_matter(module: ModuleType) -> None:
    given = arguments_of(module)
    turned = dict(reversed(given["params"].items()))
    loss, grads = module.backward(turned, given["x"], given["y"])
    assert loss == module.backward(**given)[0]
    assert list(grads) == ["W1", "b1", "W2", "b2"]


def test_sizes_agree_across_parameters_and_data() -> None:
    x, w = b.input("x", ("batch", "features")), b.parameter("w", ("features", "classes"))
    k = b.input("k", ("batch",), "int64", labels="classes", ignore=-1)
    z = x @ w
    hot = b.one_hot(k, "classes")
    module = loaded(describe_graph({"out": z * hot}))
    assert list(module.INPUTS) == ["k", "x"]
    params = {"w": np.ones((3, 2))}
    labels = np.array([0, 1, -1, 1])
    assert module.forward(params, labels, np.ones((4, 3)))["out"].shape == (4, 2)
    with pytest.raises(ValueError, match=re.escape("(batch, features) with batch = 4, features")):
        module.forward(params, labels, np.ones((4, 4)))
    with pytest.raises(ValueError, match="expected labels 0 to 1 or -1, got 2"):
        module.forward(params, labels + 1, np.ones((4, 3)))


def test_truth_values_serve_where_zero_or_one_is_declared() -> None:
    x = b.input("x", ("n",), zero_or_one=True)
    module = loaded(describe_graph({"out": 2 * x}))
    assert module.forward({}, np.array([True, False]))["out"].tolist() == [2.0, 0.0]


def test_the_bound_of_clipping_is_a_number_that_is_not_negative() -> None:
    x, bound = b.input("x", ("batch", 3)), b.input("the bound", ())
    norms = b.sqrt((x * x).sum(axis=1))
    body = FunctionBody((x.sum(), {}, b.minimum(norms, bound)), max_norm=bound)
    described = replace(describe_graph({"out": x}), functions={"clipped_backward": body})
    module = loaded(described)
    data = np.array([[3.0, 4.0, 0.0], [0.1, 0.0, 0.0]])
    assert module.clipped_backward({}, data, 1)[2].tolist() == [1.0, 0.1]
    for wrong in (-1.0, np.nan, np.ones(2), "a", None, True):
        with pytest.raises(ValueError, match=r"^max_norm: expected"):
            module.clipped_backward({}, data, wrong)


def test_arguments_like_earlier_ones_are_taken_as_they_are_and_others_looked_at() -> None:
    module = loaded(network("float32"))
    good = {"params": module.init(0), **arguments(network("float32"))}
    first = module.loss(**good)
    assert len(module._SEEN) == 1
    assert module.loss(**good) == first
    assert module.loss(**{**good, "x": good["x"].astype(np.float64)}) == first
    assert module.loss(**{**good, "x": good["x"].tolist()}) == first
    assert module.loss(**{**good, "x": good["x"].astype(">f4")}) == first
    assert len(module._SEEN) == 1  # what had to be changed is looked at again
    params = good["params"]
    for changes, message in [
        ({"y": np.full(6, 3)}, "y: expected labels 0 to 2, got 3"),
        ({"y": np.full(6, -1)}, "y: expected labels 0 to 2, got -1"),
        ({"y": good["y"].astype(float)}, "y: expected integers (int64), got dtype float64"),
        ({"x": good["x"][:5]}, "y: expected shape (batch,) with batch = 5, got (6,)"),
        ({"params": {**params, "b1": np.zeros(4, np.float32)}}, "params['b1']: expected shape"),
        ({"params": {**params, "b3": params["b1"]}}, "unknown b3"),
        ({"params": {k: a for k, a in params.items() if k != "b1"}}, "missing b1"),
    ]:
        refused(module, message, **changes)
    other = {**good, "x": good["x"][:4], "y": good["y"][:4]}
    assert module.loss(**other) == module.loss(**other) != first
    assert len(module._SEEN) == 2


def test_parameters_changed_in_place_are_seen() -> None:
    module = loaded(network("float32"))
    good = {"params": module.init(0), **arguments(network("float32"))}
    first = module.loss(**good)
    good["params"]["W1"] += 1
    changed = module.loss(**good)
    assert changed != first
    again = {**good, "params": {k: a.copy() for k, a in good["params"].items()}}
    assert module.loss(**again) == changed
