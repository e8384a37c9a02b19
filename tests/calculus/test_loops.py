"""Derivatives of scans: those of the same steps written out, to second order, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.batching import vmap
from symdiff.calculus.curvature import HVP_MODES, hessian, hvp, jacobian
from symdiff.calculus.examples import MixingError
from symdiff.calculus.forward import jvp
from symdiff.calculus.per_example import per_example_gradients
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.loops import updates
from symdiff.expr.node import Node
from symdiff.expr.scan import flatten, scan
from symdiff.simplify import simplify

STEPS, BATCH = 4, 3
X = b.input("x", ("batch", STEPS, 2))
W, U, C = b.parameter("W", (2, 3)), b.parameter("U", (3, 3)), b.parameter("c", (3,))
MASK = b.input("mask", ("batch", STEPS), "bool")
IDS = b.input("ids", ("batch", STEPS), "int64", labels=4)
E = b.parameter("E", (4, 2))
PARAMETERS = [W, U, C, E]
H0 = b.zeros(("batch", 3))

Scan = Callable[..., tuple[Any, Any]]


def unrolled(f: Callable[..., Any], init: Any, xs: Any, reverse: bool = False) -> tuple[Any, Any]:
    """What scan does, as as many copies of the step as there are steps."""
    arrays, build = flatten(xs)
    ys: list[Any] = [None] * STEPS
    carry = init
    for t in range(STEPS)[:: -1 if reverse else 1]:
        carry, ys[t] = f(carry, build([x[t] for x in arrays]))
    return carry, b.stack(ys) if ys[0] is not None else None


def time_first(x: Node) -> Node:
    return b.swapaxes(x, 0, 1)


def simple(loop: Scan) -> Node:
    last, ys = loop(lambda h, x: ((n := b.tanh(x @ W + h @ U + C)), n * h), H0, time_first(X))
    return b.sum(last**2, axis=1) + b.sum(b.sin(ys), axis=(0, 2))


def backward_in_time(loop: Scan) -> Node:
    _, ys = loop(lambda h, x: ((n := b.tanh(x @ W + h @ U)), n), H0, time_first(X), reverse=True)
    return b.sum(ys[0] * ys[-1], axis=1)


def masked(loop: Scan) -> Node:
    def step(h: Node, x: tuple[Node, Node]) -> tuple[Node, Node]:
        new = b.sigmoid(x[0] @ W + h @ U)
        h = b.where(x[1][:, None], new, h)
        return h, h

    last, _ = loop(step, H0, (time_first(X), time_first(MASK)))
    return b.sum(last, axis=1)


def two_carries(loop: Scan) -> Node:
    def step(carry: tuple[Node, Node], x: Node) -> tuple[tuple[Node, Node], Node]:
        h, c = carry
        gate = b.sigmoid(x @ W + h @ U)
        c = gate * c + (1 - gate) * b.tanh(h @ U.T + C)
        return (gate * b.tanh(c), c), h

    (h, c), ys = loop(step, (H0, H0), time_first(X))
    return b.sum(h * c, axis=1) + b.sum(ys, axis=(0, 2))


def weights_in_and_outside(loop: Scan) -> Node:
    _, ys = loop(lambda h, x: ((n := b.tanh(x @ W + h @ U)), n @ U), H0, time_first(X))
    return b.sum((b.swapaxes(ys, 0, 1) @ U) ** 2, axis=(1, 2)) * b.sum(W)


def chained(loop: Scan) -> Node:
    _, ys = loop(lambda h, x: ((n := b.tanh(x @ W + h @ U)), n), H0, time_first(X))
    last, _ = loop(lambda h, y: (b.sin(y @ U + h * C), None), H0, ys)
    return b.sum(last, axis=1)


def running_scalar(loop: Scan) -> Node:
    """A carry an example, without axes of its own, by a cumulative product."""
    zero = b.zeros(("batch",))
    _, ys = loop(lambda s, x: ((n := 0.5 * s + b.sum(x @ W, 1) * C[0]), n * s), zero, time_first(X))
    return b.sum(ys, axis=0)


def embedded(loop: Scan) -> Node:
    last, _ = loop(lambda h, i: (b.tanh(E[i] @ W + h @ U), None), H0, time_first(IDS))
    return b.sum(last * C, axis=1)


def held(loop: Scan) -> Node:
    """What is held does not pass the derivative on, also not from step to step."""
    step = lambda h, x: ((n := b.tanh(x @ W + b.stop_gradient(h @ U) + h * C)), n)  # noqa: E731
    last, _ = loop(step, H0, time_first(X))
    return b.sum(last, axis=1)


def loop_of_loops(loop: Scan) -> Node:
    """The inner steps go over the same sequence, from the outer carry."""

    def outer(h: Node, x: Node) -> tuple[Node, None]:
        inner, _ = loop(lambda g, z: (b.tanh(z @ W + g @ U + h * C), None), h, time_first(X))
        return b.sin(inner + x @ W), None

    last, _ = loop(outer, H0, time_first(X))
    return b.sum(last, axis=1)


def loop_over_an_element(loop: Scan) -> Node:
    """As words of sentences: the inner steps go over the outer step's own part."""

    def outer(h: Node, xs: Node) -> tuple[Node, None]:
        inner, _ = loop(lambda g, z: (b.tanh(z @ W + g @ U), None), h, xs)
        return b.tanh(inner @ U + h), None

    places = b.constant(np.linspace(-1, 0.8, STEPS).reshape(STEPS, 1, 1))
    last, _ = loop(outer, H0, time_first(X)[:, None] * places)
    return b.sum(last, axis=1)


def remembered(loop: Scan) -> Node:
    """Carries that are views of what a step made, and of its element."""

    def step(carry: tuple[Node, Node], x: Node) -> tuple[tuple[Node, Node], Node]:
        h, z = carry
        return (b.sin(x @ W + h @ U)[:, ::-1], x), (h + z @ W) ** 2

    (h, z), ys = loop(step, (H0, X[:, 0]), time_first(X))
    return b.sum(h @ U, axis=1) + b.sum(z @ W, axis=1) + b.sum(ys, axis=(0, 2))


def exchanged(loop: Scan) -> Node:
    def step(carry: tuple[Node, Node], x: Node) -> tuple[tuple[Node, Node], Node]:
        g, h = carry
        return (h, b.tanh(g @ U + x @ W)), g * h

    (g, h), ys = loop(step, (H0 + C, H0), time_first(X))
    return b.sum(g @ U * h, axis=1) + b.sum(ys, axis=(0, 2))


def turned(loop: Scan) -> Node:
    """A step whose parts are others for one example than for the batch."""

    def step(carry: tuple[Node, Node], x: Node) -> tuple[tuple[Node, Node], Node]:
        (g, _), z = carry, x @ W
        centred = g - b.mean(g, axis=1, keepdims=True)
        return (b.tanh(b.sigmoid(g) + centred), 0.25 * b.stop_gradient(centred) * g * z), b.tanh(
            g * g
        )

    start = X[:, 0] @ W
    (g, h), ys = loop(step, (H0 + 1, start), time_first(X))
    return b.sum(b.sin(g), axis=1) + b.sum(b.sin(h), axis=1) + b.sum(ys, axis=(0, 2))


MODELS = [simple, backward_in_time, masked, two_carries, weights_in_and_outside, chained]
MODELS += [
    running_scalar,
    embedded,
    held,
    loop_of_loops,
    loop_over_an_element,
    remembered,
    exchanged,
    turned,
]


def values(batch: int = BATCH) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    given = {p.attr("name"): rng.normal(size=p.shape) for p in PARAMETERS}
    given |= {f"v_{name}": rng.normal(size=x.shape) for name, x in list(given.items())}
    lengths = np.array([4, 2, 3])[:batch]
    return given | {
        "x": rng.normal(size=(BATCH, STEPS, 2))[:batch],
        "mask": np.arange(STEPS) < lengths[:, None],
        "ids": rng.integers(0, 4, (BATCH, STEPS))[:batch],
    }


DIRECTIONS = [b.input(f"v_{p.attr('name')}", p.shape) for p in PARAMETERS]


def agree(ours: list[Node], theirs: list[Node]) -> None:
    given = values()
    for x, y in zip(evaluate(ours, given), evaluate(theirs, given), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


def loops(roots: list[Node]) -> list[Node]:
    return [node for node in toposort(roots) if node.op == "loop"]


@pytest.mark.parametrize("model", MODELS)
def test_gradients_and_tangents_are_those_of_the_steps_written_out(
    model: Callable[[Scan], Node],
) -> None:
    whole, plain = model(scan), model(unrolled)
    assert loops([whole])
    assert not loops([plain])
    agree([whole, *gradients(whole, PARAMETERS)], [plain, *gradients(plain, PARAMETERS)])
    agree([jvp(whole, PARAMETERS, DIRECTIONS)], [jvp(plain, PARAMETERS, DIRECTIONS)])


@pytest.mark.parametrize("mode", HVP_MODES)
@pytest.mark.parametrize("model", MODELS)
def test_hessian_vector_products_are_those_of_the_steps_written_out(
    model: Callable[[Scan], Node], mode: str
) -> None:
    whole, plain = b.sum(model(scan)), b.sum(model(unrolled))
    agree(
        hvp(whole, PARAMETERS, DIRECTIONS, mode),
        hvp(plain, PARAMETERS, DIRECTIONS),
    )


@pytest.mark.parametrize("model", MODELS)
def test_per_example_gradients_are_those_of_each_example_alone(
    model: Callable[[Scan], Node],
) -> None:
    losses = model(scan)
    found = evaluate(per_example_gradients(losses, PARAMETERS), values())
    whole = gradients(losses, PARAMETERS)
    for j in range(BATCH):
        alone = {k: v[j : j + 1] if k in ("x", "mask", "ids") else v for k, v in values().items()}
        for got, expected in zip(found, evaluate(whole, alone), strict=True):
            np.testing.assert_allclose(got[j], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("model", [simple, two_carries, running_scalar])
def test_jacobians_and_hessians_batch_loops(model: Callable[[Scan], Node]) -> None:
    whole, plain = model(scan), model(unrolled)
    agree([jacobian(whole, W)], [jacobian(plain, W)])
    agree([hessian(b.sum(whole), C)], [hessian(b.sum(plain), C)])


def test_a_loop_is_batched_only_where_it_has_to_be() -> None:
    """Of two carries that do not meet, one is batched; the other one's is the loop as it was."""

    def step(carry: tuple[Node, Node], x: Node) -> tuple[tuple[Node, Node], Node]:
        g, h = carry
        return (b.sin(g + x), b.cos(h * x)), g

    x, g0 = b.input("x", (STEPS,)), b.input("g0")
    (g, h), _ = scan(step, (g0, b.constant(1.0)), x)
    batched = vmap([g, h], {g0: b.input("gs", (5,))})
    (whole,) = {hub for hub in loops(batched) if ("gs" in str(hub.inputs))}
    assert [x.shape for x in updates(whole)] == [(5,)]
    given = {"x": np.arange(4.0), "gs": np.arange(5.0), "g0": 0.0}
    gs, hs = evaluate(batched, given)
    for j in range(5):
        expected = evaluate([g, h], {**given, "g0": given["gs"][j]})
        np.testing.assert_allclose([gs[j], hs[j]], expected)


@pytest.mark.parametrize("model", MODELS)
def test_per_example_gradients_run_the_forward_loops_once(model: Callable[[Scan], Node]) -> None:
    """What one example's derivatives read of the steps is what the batch has computed already."""
    (losses,) = simplify(model(scan), contractions=False).roots
    plain = loops([losses, *gradients(losses, PARAMETERS)])
    found = loops([losses, *per_example_gradients(losses, PARAMETERS)])
    assert len(found) <= len(plain)


def test_no_product_of_the_forward_loop_is_computed_again() -> None:
    """The backward loop has the one product that carries cotangents back, and nothing else."""
    losses = simple(scan)
    forward, backward = loops([losses, *gradients(losses, PARAMETERS)])

    def products(hub: Node) -> int:
        return sum(n.op == "contract" and len(n.inputs) == 2 for n in toposort(updates(hub)))

    assert products(backward) == 1
    outside = toposort([losses, *gradients(losses, PARAMETERS)])
    sums = [n for n in outside if n.op == "contract" and len(n.inputs) == 2]
    assert {n.shape for n in sums} == {W.shape, U.shape}
    assert forward is not backward


def test_examples_that_meet_in_a_step_are_refused_by_name() -> None:
    step = lambda h, x: (h - b.mean(h, axis=0) + x @ W, None)  # noqa: E731
    last, _ = scan(step, H0, time_first(X))
    losses = b.sum(last, axis=1)
    with pytest.raises(MixingError, match=r"equation 'state': sum in a scan.*over the examples"):
        per_example_gradients(losses, [W], names={last: "state"})
    _, ys = scan(lambda h, x: (h + x, h), b.zeros((STEPS, 2)), X)
    with pytest.raises(MixingError, match="goes along the examples"):
        per_example_gradients(b.sum(ys, axis=(1, 2)), [W])
