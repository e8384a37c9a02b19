"""rnn, lstm and gru by their definitions, one example and one step at a time; scanned, unrolled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.per_example import per_example_gradients, per_example_sq_norms, weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.nn.recurrent import gru, lstm, rnn
from symdiff.simplify import simplify
from tests.codegen.models import run_graph
from tests.oracles import Array, assert_close, autograd_gradients, autograd_hvp

BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 3
X = b.input("x", ("batch", TIME, FEATURES))
MASK, LENGTHS = b.input("mask", ("batch", TIME)), b.input("lengths", ("batch",), "int64")
H0 = b.input("h0", ("batch", UNITS))
DATA = ("x", "mask", "lengths", "h0")


def weights(gates: int) -> list[Node]:
    return [
        b.parameter("W", (FEATURES, gates * UNITS)),
        b.parameter("U", (UNITS, gates * UNITS)),
        b.parameter("b", (gates * UNITS,)),
    ]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def rnn_step(h: Array, c: Array, x: Array, v: dict[str, Array]) -> tuple[Array, Array]:
    return np.tanh(x @ v["W"] + h @ v["U"] + v["b"]), c


def lstm_step(h: Array, c: Array, x: Array, v: dict[str, Array]) -> tuple[Array, Array]:
    i, f, g, o = np.split(x @ v["W"] + h @ v["U"] + v["b"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(h: Array, c: Array, x: Array, v: dict[str, Array]) -> tuple[Array, Array]:
    (r, z, n), (ur, uz, un) = np.split(x @ v["W"] + v["b"], 3), np.split(v["U"], 3, axis=1)
    r, z = sigmoid(r + h @ ur), sigmoid(z + h @ uz)
    return z * h + (1 - z) * np.tanh(n + (r * h) @ un), c


def late_gru_step(h: Array, c: Array, x: Array, v: dict[str, Array]) -> tuple[Array, Array]:
    (r, z, n), (hr, hz, hn) = np.split(x @ v["W"] + v["b"], 3), np.split(h @ v["U"], 3)
    r, z = sigmoid(r + hr), sigmoid(z + hz)
    return z * h + (1 - z) * np.tanh(n + r * (hn + v["c"])), c


def late_gru(*arguments: Any, **settings: Any) -> Node:
    return gru(*arguments, b.parameter("c", (UNITS,)), reset_after=True, **settings)


Network = tuple[Callable[..., Node], Callable[..., Any], int]
NETWORKS: dict[str, Network] = {
    "rnn": (rnn, rnn_step, 1),
    "lstm": (lstm, lstm_step, 4),
    "gru": (gru, gru_step, 3),
    "gru that resets after": (late_gru, late_gru_step, 3),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "all states": {"return_sequences": True},
    "backward": {"reverse": True, "return_sequences": True},
    "masked": {"mask": MASK, "return_sequences": True},
    "lengths": {"lengths": LENGTHS},
    "lengths backward": {"lengths": LENGTHS, "reverse": True},
    "from a state": {"initial_state": H0, "mask": MASK, "lengths": LENGTHS},
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS[request.param]


def values(gates: int) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    given = {p.attr("name"): rng.normal(size=p.shape) for p in weights(gates)}
    given["c"] = rng.normal(size=UNITS)
    given |= {f"v_{name}": rng.normal(size=a.shape) for name, a in list(given.items())}
    return given | {
        "x": rng.normal(size=(BATCH, TIME, FEATURES)),
        "mask": np.array([[1.0, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]]),
        "lengths": np.array([4, 1, 3]),
        "h0": rng.normal(size=(BATCH, UNITS)),
    }


def by_hand(step: Callable[..., Any], v: dict[str, Any], settings: dict[str, Any]) -> Array:
    states = np.zeros((BATCH, TIME, UNITS))
    last = np.zeros((BATCH, UNITS))
    for j in range(BATCH):
        h = v["h0"][j] if "initial_state" in settings else np.zeros(UNITS)
        c = np.zeros(UNITS)
        for t in range(TIME)[:: -1 if settings.get("reverse") else 1]:
            seen = "mask" not in settings or v["mask"][j, t]
            if seen and ("lengths" not in settings or t < v["lengths"][j]):
                h, c = step(h, c, v["x"][j, t], v)
            states[j, t] = h
        last[j] = h
    return states if settings.get("return_sequences") else last


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_values(network: Network, settings: dict[str, Any], unroll: bool) -> None:
    function, step, gates = network
    node = function(X, *weights(gates), **settings, unroll=unroll)
    assert any(n.op == "loop" for n in toposort([node])) is not unroll
    v = values(gates)
    assert_close(evaluate(node, v), by_hand(step, v, settings), 1e-12)


def losses_of(network: Network, **settings: Any) -> Node:
    function, _, gates = network
    h = function(X, *weights(gates), mask=MASK, return_sequences=True, **settings)
    return b.sum(b.sin(h), axis=(1, 2))


def parameters_of(losses: Node) -> list[Node]:
    return [n for n in toposort([losses]) if n.op == "parameter"]


@pytest.mark.parametrize("unroll", [False, True])
def test_derivatives_are_autograds_to_second_order(network: Network, unroll: bool) -> None:
    v = values(network[2])
    loss = b.sum(losses_of(network, unroll=unroll))
    xs = parameters_of(loss)
    names = [x.attr("name") for x in xs]
    vs = [v[f"v_{name}"] for name in names]
    expected = autograd_gradients(loss, names, v), autograd_hvp(loss, names, v, vs)
    directions = [b.input(f"v_{name}", x.shape) for name, x in zip(names, xs, strict=True)]
    slopes = gradients(loss, xs)
    for found, wanted in zip(evaluate(slopes, v), expected[0], strict=True):
        assert_close(found, wanted, 1e-10)
    for mode in HVP_MODES:
        products = hvp(loss, xs, directions, mode)
        for found, wanted in zip(evaluate(products, v), expected[1], strict=True):
            assert_close(found, wanted, 1e-9)
    roots = {f"r{i}": node for i, node in enumerate(simplify([*slopes, *products]).roots)}
    emitted = run_graph(roots, v)
    for found, wanted in zip(emitted.values(), [*expected[0], *expected[1]], strict=True):
        assert_close(found, wanted, 1e-9)


def test_norms_are_those_of_a_loop_over_examples(network: Network) -> None:
    v = values(network[2])
    (losses,) = simplify(losses_of(network), contractions=False).roots
    xs = parameters_of(losses)
    roots = [*per_example_sq_norms(losses, xs), *weighted_sums(per_example_gradients(losses, xs))]
    names = {f"r{i}": node for i, node in enumerate(simplify(roots).roots)}
    found = list(run_graph(names, v).values())
    slopes = gradients(losses, xs)
    alone = [{k: a[j : j + 1] if k in DATA else a for k, a in v.items()} for j in range(BATCH)]
    rows = [evaluate(slopes, given) for given in alone]
    for i in range(len(xs)):
        squares = np.array([(row[i] ** 2).sum() for row in rows])
        np.testing.assert_allclose(found[i], squares, rtol=1e-10)
        np.testing.assert_allclose(found[len(xs) + i], sum(row[i] for row in rows), rtol=1e-9)


def test_padding_an_example_changes_nothing(network: Network) -> None:
    function, _, gates = network
    v = values(gates)
    sizes = []
    for more in (0, 3):
        x = b.input("x", ("batch", TIME + more, FEATURES))
        losses = b.sum(function(x, *weights(gates), lengths=LENGTHS) ** 2, axis=1)
        roots = [losses, *per_example_sq_norms(losses, weights(gates))]
        padded = np.concatenate([v["x"], np.full((BATCH, more, FEATURES), 7.0)], axis=1)
        sizes.append(evaluate(list(simplify(roots).roots), v | {"x": padded}))
    for short, long in zip(*sizes, strict=True):
        np.testing.assert_allclose(short, long, rtol=1e-12)


def test_a_state_for_all_examples_is_learned(network: Network) -> None:
    function, _, gates = network
    start = b.parameter("start", (UNITS,))
    node = function(X, *weights(gates), initial_state=start)
    v = values(gates) | {"start": np.array([0.5, -1.0, 0.2])}
    everyone = function(X, *weights(gates), initial_state=H0)
    w = v | {"h0": np.tile(v["start"], (BATCH, 1))}
    assert_close(evaluate(node, v), evaluate(everyone, w), 1e-13)
    whole = evaluate(gradients(b.sum(node), start)[0], v)
    assert_close(whole, evaluate(gradients(b.sum(everyone), H0)[0], w).sum(axis=0), 1e-12)


def test_sequences_may_have_axes_in_front_and_sizes_without_numbers() -> None:
    x = b.input("x", ("batch", "users", "steps", "n"))
    W, U = b.parameter("W", ("n", "wide")), b.parameter("U", ("wide", "wide"))
    assert rnn(x, W, U).shape == ("batch", "users", "wide")
    assert rnn(x[0, 0], W, U, return_sequences=True).shape == ("steps", "wide")


def test_what_does_not_fit_is_refused() -> None:
    W, U, bias = weights(4)
    with pytest.raises(ShapeError, match=r"gru: U of shape \(3, 12\) is not \(3, 9\)"):
        gru(X, W, U, bias)
    with pytest.raises(ShapeError, match=r"lstm: W .* is not \(2, 12\), as x"):
        lstm(X, b.parameter("W", (2, 9)), U)
    with pytest.raises(ShapeError, match=r"lstm: b of shape \(3,\) is not \(12,\)"):
        lstm(X, W, U, b.parameter("b", (3,)))
    with pytest.raises(ShapeError, match="is no state of shape"):
        lstm(X, W, U, initial_state=b.input("s", ("batch", 2)))
    with pytest.raises(ShapeError, match=r"the mask has shape \(batch, 5\), not \(batch, 4\)"):
        lstm(X, W, U, mask=b.input("m", ("batch", 5)))
    with pytest.raises(ShapeError, match=r"lengths .* are not of shape"):
        lstm(X, W, U, lengths=b.input("n", ("batch", 1), "int64"))
    with pytest.raises(ShapeError, match="a number of steps that is not known"):
        lstm(b.input("x", ("batch", "time", 2)), W, U, unroll=True)
    with pytest.raises(ValueError, match="unknown activation 'tan'"):
        rnn(X, *weights(1), activation="tan")
    with pytest.raises(ValueError, match="say reset_after=True"):
        gru(X, *weights(3), b.parameter("c", (3,)))
