"""System 4: the L-layer network, its back-propagation, and its training by SGD.

Goodfellow, Bengio and Courville, *Deep Learning* (2016).  Algorithm 6.3, with h⁽⁰⁾ = x:
a⁽ᵏ⁾ = b⁽ᵏ⁾ + W⁽ᵏ⁾h⁽ᵏ⁻¹⁾, h⁽ᵏ⁾ = f(a⁽ᵏ⁾), J = L(h⁽ˡ⁾, y) + λΩ(θ).  Algorithm 6.4, from
g ← ∇_ŷ J down: g ← ∇_a J = g ⊙ f′(a⁽ᵏ⁾); ∇_b J = g + λ∇_bΩ; ∇_W J = g h⁽ᵏ⁻¹⁾ᵀ + λ∇_WΩ;
g ← ∇_h J = W⁽ᵏ⁾ᵀ g.  Rows are examples here, so that W h is written h @ W.  Stochastic gradient
descent as in Larochelle's lectures on training neural networks (hidden-layer gradient): for each
example θ ← θ − α (∇l + λ∇Ω).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import pytest

import symdiff as sd
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import substitute, toposort
from symdiff.expr.node import Node
from symdiff.model_graphs import ModelGraphs
from symdiff.spec.load import load
from tests.systems.modules import EXAMPLES, Array, compiled, error

LAMBDA, WIDTH = 0.01, 3
DEEP = EXAMPLES / "deep_mlp.toml"

Function: TypeAlias = Callable[[Array], Array]

# Each activation as formulas write it, and its value and derivative in NumPy.
ACTIVATIONS: Mapping[str, tuple[Function, Function]] = {
    "({})": (lambda a: a, np.ones_like),
    "relu({})": (lambda a: np.maximum(a, 0), lambda a: (a > 0).astype(float)),
    "abs({})": (np.abs, np.sign),
    "leaky_relu({}, 0.1)": (
        lambda a: np.where(a > 0, a, 0.1 * a),
        lambda a: np.where(a > 0, 1.0, 0.1),
    ),
    "sigmoid({})": (
        lambda a: 1 / (1 + np.exp(-a)),
        lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2,
    ),
    "tanh({})": (np.tanh, lambda a: 1 / np.cosh(a) ** 2),
    "softplus({})": (lambda a: np.log1p(np.exp(a)), lambda a: 1 / (1 + np.exp(-a))),
    "cos({})": (np.cos, lambda a: -np.sin(a)),
    "elu({})": (
        lambda a: np.where(a > 0, a, np.expm1(a)),
        lambda a: np.where(a > 0, 1.0, np.exp(a)),
    ),
    "mine({})": (lambda a: a / (1 + a**2), lambda a: (1 - a**2) / (1 + a**2) ** 2),
}

TABLE_FUNCTIONS = ("relu", "abs", "sigmoid", "tanh", "softplus", "cos", "sin", "arctan", "erf")


def network(depth: int, activation: str = "tanh({})") -> str:
    """The spec of Algorithm 6.3 at a depth: squared error, and half the weights' squares as Ω."""
    layers = range(1, depth + 1)
    shapes = {f"W{k}": [WIDTH, WIDTH] for k in layers} | {f"b{k}": [WIDTH] for k in layers}
    equations = {}
    for k in layers:
        equations[f"a{k}"] = f"{f'h{k - 1}' if k > 1 else 'x'} @ W{k} + b{k}"
        equations[f"h{k}"] = activation.format(f"a{k}")
    squares = " + ".join(f"sum(W{k}**2)" for k in layers)
    lines = [
        'name = "deep"',
        "[inputs]",
        f'x = {{ shape = ["batch", {WIDTH}] }}',
        f'y = {{ shape = ["batch", {WIDTH}] }}',
        "[parameters]",
        *(f"{name} = {{ shape = {shape} }}" for name, shape in shapes.items()),
        "[functions]",
        '"mine(u)" = "u / (1 + u**2)"',
        "[equations]",
        *(f'{name} = "{text}"' for name, text in equations.items()),
        "[loss]",
        f'per_example = "sum(squared_error(h{depth}, y), axis=1)"',
        f'regularizer = "{LAMBDA} * ({squares}) / 2"',
    ]
    return "\n".join(lines)


def point(depth: int) -> dict[str, Array]:
    """Parameters that neither blow up nor shrink what passes through them, and five examples."""
    rng = np.random.default_rng(depth)
    values = {"x": rng.normal(size=(5, WIDTH)), "y": rng.normal(size=(5, WIDTH))}
    for k in range(1, depth + 1):
        values[f"W{k}"] = 1.2 * np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0]
        values[f"b{k}"] = 0.1 * rng.normal(size=WIDTH)
    return values


def algorithms(
    depth: int, values: Mapping[str, Array], f: Function, slope: Function
) -> tuple[float, dict[str, Array]]:
    """Algorithms 6.3 and 6.4 as printed: the loss, and the gradient of each parameter."""
    h, a = {0: values["x"]}, {}
    for k in range(1, depth + 1):
        a[k] = values[f"b{k}"] + h[k - 1] @ values[f"W{k}"]
        h[k] = f(a[k])
    m = len(h[0])
    omega = sum(np.sum(values[f"W{k}"] ** 2) for k in range(1, depth + 1)) / 2
    loss = np.sum((h[depth] - values["y"]) ** 2) / m + LAMBDA * omega
    g = 2 * (h[depth] - values["y"]) / m
    grads = {}
    for k in range(depth, 0, -1):
        g = g * slope(a[k])
        grads[f"b{k}"] = g.sum(axis=0)
        grads[f"W{k}"] = h[k - 1].T @ g + LAMBDA * values[f"W{k}"]
        g = g @ values[f"W{k}"].T
    return float(loss), grads


def assert_agrees(
    depth: int, activation: str, ours: tuple[float | Array, Mapping[str, Array]]
) -> None:
    """Hold a loss and its gradients against the two algorithms, relative to each one's size."""
    loss, grads = algorithms(depth, point(depth), *ACTIVATIONS[activation])
    assert float(ours[0]) == pytest.approx(loss, rel=1e-9)
    assert ours[1].keys() == grads.keys()
    for name, theirs in grads.items():
        assert error(ours[1][name] / np.linalg.norm(theirs), theirs / np.linalg.norm(theirs)) < 1e-9


def emitted_backward(depth: int, activation: str) -> tuple[float, dict[str, Array]]:
    """What backward of the emitted module gives at the point."""
    module = sd.compile(network(depth, activation), functions=["backward"])
    params = point(depth)
    x, y = params.pop("x"), params.pop("y")
    result: tuple[float, dict[str, Array]] = module.backward(params, x, y)
    return result


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_any_activation(activation: str) -> None:
    """The emitted module of a three-layer network, whatever f is; one is a user's own formula."""
    assert_agrees(3, activation, emitted_backward(3, activation))


@pytest.mark.parametrize("depth", range(1, 51))
def test_depths_1_to_50(depth: int) -> None:
    """The emitted backward gives Algorithm 6.4's gradients at every depth."""
    assert_agrees(depth, "tanh({})", emitted_backward(depth, "tanh({})"))


@pytest.mark.parametrize("depth", [1, 7, 50])
def test_depths_of_the_graph(depth: int) -> None:
    """So does the graph, in the reference interpreter."""
    graphs = ModelGraphs(load(network(depth)))
    loss, *grads = evaluate([graphs.loss, *graphs.gradients.values()], point(depth))
    assert_agrees(depth, "tanh({})", (loss, dict(zip(graphs.gradients, grads, strict=True))))


class Hidden:
    """A network's pre-activations and representations, and the gradients there, as nodes."""

    def __init__(self, depth: int, activation: str) -> None:
        model = load(network(depth, activation))
        self.values, loss = model.values, b.sum(model.per_example)
        self.a = [self.values[f"a{k}"] for k in range(1, depth + 1)]
        self.h = [self.values[f"h{k}"] for k in range(1, depth + 1)]
        self.d_a, self.d_h = gradients(loss, self.a), gradients(loss, self.h)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_gradients(activation: str) -> None:
    """∇_a = ∇_h ⊙ f′(a) at every pre-activation, ∇_h = ∇_a Wᵀ at every representation."""
    depth = 4
    found, values = Hidden(depth, activation), point(depth)
    a, d_a, d_h = (evaluate(nodes, values) for nodes in (found.a, found.d_a, found.d_h))
    for k in range(depth):
        assert error(d_a[k], d_h[k] * ACTIVATIONS[activation][1](a[k])) < 1e-12
        if k + 1 < depth:
            assert error(d_h[k], d_a[k + 1] @ values[f"W{k + 2}"].T) < 1e-12


@pytest.mark.parametrize("activation", [f"{name}({{}})" for name in TABLE_FUNCTIONS])
def test_hidden_gradients_are_the_algorithms_nodes(activation: str) -> None:
    """For functions of the derivative table the nodes are the algorithm's formulas, and no more."""
    depth = 4
    found = Hidden(depth, activation)
    values, a, h, d_a, d_h = found.values, found.a, found.h, found.d_a, found.d_h
    t = b.input("t", a[0].shape)
    (f,) = substitute([h[0]], {a[0]: t})
    slope = gradients(f, t)[0]
    for k in range(depth):
        assert d_a[k] is d_h[k] * substitute([slope], {t: a[k]})[0]
        if k + 1 < depth:
            assert d_h[k] is d_a[k + 1] @ values[f"W{k + 2}"].T


def test_parameter_gradients_are_the_algorithms_nodes() -> None:
    """∇_b = g summed over examples, ∇_W = h⁽ᵏ⁻¹⁾ᵀ g, to each of which its λ∇Ω is added."""
    depth = 4
    model = load(network(depth))
    values = model.values
    for k in range(1, depth + 1):
        below = values[f"h{k - 1}"] if k > 1 else values["x"]
        a, W, bias = values[f"a{k}"], values[f"W{k}"], values[f"b{k}"]
        g, d_W, d_b = gradients(b.sum(model.per_example), [a, W, bias])
        assert d_b is b.sum(g, axis=0)
        assert d_W is below.T @ g
        assert model.regularizer is not None
        assert gradients(model.regularizer, [W, bias]) == [LAMBDA * W, b.zeros(bias.shape)]


def two_moons() -> tuple[Array, Array]:
    """Sixty points on two half circles that reach into each other, and which one each is on."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    angle = rng.uniform(0, np.pi, 60)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * (1 - 2 * y)[:, None]
    return x + np.outer(y, [1, 0.5]) + 0.05 * rng.normal(size=(60, 2)), y


@pytest.mark.parametrize(
    ("batch", "epochs", "rate"), [(1, 60, 0.05), (10, 80, 0.3), (60, 300, 0.5)]
)
def test_sgd_by_one_example_by_mini_batch_and_by_full_batch(
    batch: int, epochs: int, rate: float
) -> None:
    """The same module trains in steps of 1, of 10 and of all 60 examples."""
    module, rng, (x, y) = compiled(DEEP), np.random.default_rng(1), two_moons()
    params = module.init(0)
    before = module.loss(params, x, y)
    for _ in range(epochs):
        for rows in np.split(rng.permutation(len(y)), len(y) // batch):
            _, grads = module.backward(params, x[rows], y[rows])
            params = {name: value - rate * grads[name] for name, value in params.items()}
    assert module.loss(params, x, y) < 0.4 * before
    assert np.mean(module.forward(params, x).argmax(axis=1) == y) > 0.95


@pytest.mark.parametrize("batch", [1, 10, 30])
def test_full_batch_gradient_is_the_mean_of_its_parts(batch: int) -> None:
    """∇J over all examples is the mean of ∇J over parts of equal size, λ∇Ω and all."""
    module, (x, y) = compiled(DEEP), two_moons()
    params = module.init(0)
    whole = module.ravel(module.backward(params, x, y)[1])
    parts = [
        module.ravel(module.backward(params, x[rows], y[rows])[1])
        for rows in np.split(np.arange(len(y)), len(y) // batch)
    ]
    assert error(np.mean(parts, axis=0), whole) < 1e-13


def counted(nodes: list[Node]) -> dict[str, int]:
    """How often each operation stands in the graph of the nodes."""
    ops = [node.op for node in toposort(nodes)]
    return {op: ops.count(op) for op in ops}


def test_repeated_subexpressions_are_computed_once() -> None:
    """z = f(f(f(w))) and dz/dw = f′(f(f(w))) f′(f(w)) f′(w) share f(w) and f(f(w)).

    *Deep Learning*, section 6.5.3, equations 6.50 to 6.53 and figure 6.9: with f = sin there are
    three sines and three cosines in all, where the fully expanded chain rule has six sines.
    """
    w = b.parameter("w")
    z = b.sin(b.sin(b.sin(w)))
    (slope,) = gradients(z, [w])
    found = counted([z, slope])
    assert (found["sin"], found["cos"]) == (3, 3)
    assert float(evaluate(slope, {"w": 0.7})) == pytest.approx(
        np.cos(np.sin(np.sin(0.7))) * np.cos(np.sin(0.7)) * np.cos(0.7)
    )


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_repeated_functions_grow_linearly(depth: int) -> None:
    """One sine and one cosine a level, and at most one product."""
    w = b.parameter("w")
    z = w
    for _ in range(depth):
        z = b.sin(z)
    found = counted([z, *gradients(z, [w])])
    assert (found["sin"], found["cos"]) == (depth, depth)
    assert found["mul"] <= depth


def test_emitted_code_computes_repeated_subexpressions_once() -> None:
    """The derivative's function has one line for f(w), one for f(f(w)), and three for f′."""
    source = sd.derive("sin(sin(sin(w)))", wrt="w").source
    functions = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    text = ast.unparse(functions["derivative"])
    assert (text.count("np.sin("), text.count("np.cos(")) == (2, 3)
