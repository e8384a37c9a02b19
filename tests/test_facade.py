"""The Python names, as a program uses them."""

from __future__ import annotations

import numpy as np

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
