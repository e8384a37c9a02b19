"""The Python names, as a program uses them."""

from __future__ import annotations

import numpy as np
import pytest

import symdiff as sd


def test_simplify_gives_the_node_and_the_rules_that_made_it() -> None:
    z = sd.input("z", (4,))
    node, trace = sd.simplify(sd.log(sd.exp(z) / sd.sum(sd.exp(z))))
    assert node is sd.log_softmax(z)
    lines = trace.lines(sd.show)
    assert any("softmax_of_exponentials" in line for line in lines)


def test_a_graph_compiles_like_a_spec() -> None:
    x = sd.input("x", ("batch", 3))
    y = sd.input("y", ("batch",), zero_or_one=True)
    w, b = sd.parameter("w", (3,)), sd.parameter("b")
    z = x @ w + b
    module = sd.compile(
        outputs={"p": sd.sigmoid(z)},
        per_example=sd.sigmoid_cross_entropy(z, y),
        regularizer=0.5 * sd.sum(w * w),
    )
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=3), "b": np.array(0.5)}
    data = rng.normal(size=(6, 3)), rng.integers(0, 2, 6).astype(float)
    loss, grads = module.backward(params, *data)
    p = module.forward(params, data[0])
    assert np.allclose(grads["w"], data[0].T @ (p - data[1]) / 6 + params["w"])
    assert np.allclose(grads["b"], np.mean(p - data[1]))
    assert np.isclose(loss, module.loss(params, *data))
    expected = np.abs(p - data[1]) * np.sqrt(1 + np.sum(data[0] ** 2, axis=1))
    assert np.allclose(module.per_example_norms(params, *data), expected)


def test_what_no_module_can_hold_is_refused_by_name() -> None:
    x, w = sd.input("x", ("batch", 3)), sd.parameter("w", (3,))
    losses = (x @ w) ** 2
    with pytest.raises(ValueError, match="'a b' is no identifier"):
        sd.compile(outputs={"a b": losses}, per_example=losses)
    with pytest.raises(ValueError, match="names two things"):
        sd.compile(outputs={"w": losses}, per_example=losses)
    with pytest.raises(ValueError, match="not \\('batch',\\)"):
        sd.compile(outputs={"z": losses}, per_example=sd.mean(losses))
    other = sd.parameter("b", (), "float32")
    with pytest.raises(ValueError, match="mix float32 and float64"):
        sd.compile(outputs={"z": losses}, per_example=losses + other)
    with pytest.raises(TypeError, match="per_example= is missing"):
        sd.compile(outputs={"z": losses})
    with pytest.raises(ValueError, match="of parameters only"):
        sd.compile(outputs={"z": losses}, per_example=losses, regularizer=sd.sum(x))


def test_an_input_may_be_an_output() -> None:
    x, w = sd.input("x", ("batch", 3)), sd.parameter("w", (3,))
    module = sd.compile(outputs={"x": x, "copy": x, "z": x @ w}, per_example=(x @ w) ** 2)
    data = np.arange(6.0).reshape(2, 3)
    out = module.forward({"w": np.ones(3)}, data)
    assert list(out) == ["x", "copy", "z"]
    assert np.array_equal(out["x"], data)
    assert not np.shares_memory(out["x"], data)
    assert np.array_equal(out["copy"], data)
    assert out["z"].tolist() == [3.0, 12.0]
