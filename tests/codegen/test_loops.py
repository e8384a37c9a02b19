"""Loops in emitted modules: how they read, what they hold, and how many steps there may be."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from codegen import build_program
from symdiff.calculus.curvature import hvp
from symdiff.calculus.per_example import per_example_gradients, squared_norms, weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.expr.scan import scan
from symdiff.expr.shapes import shape_size
from symdiff.simplify import simplify
from symdiff.simplify.cost import at
from tests.codegen.models import lines_of, run_graph

X, H0 = b.input("x", ("steps", "batch", 3)), b.input("h0", ("batch", 3))
U = b.parameter("U", (3, 3))


def states(reverse: bool = False) -> tuple[Node, Node]:
    step = lambda h, x: ((n := b.tanh(x + h @ U)), n)  # noqa: E731
    return scan(step, H0, X, reverse=reverse)


def test_a_loop_reads_as_one() -> None:
    last, ys = states()
    assert lines_of({"y": last, "ys": ys})[-7:-1] == [
        "h = h0",
        "ys = np.empty((steps, batch, 3), dtype=dtype)",
        "for t in range(steps):",
        "h = np.tanh(x[t] + h @ U)",
        "ys[t] = h",
        "y = h.copy()",
    ]


def test_a_loop_from_the_end_reads_as_one() -> None:
    lines = lines_of({"y": states(reverse=True)[0]})
    assert "for t in range(steps - 1, -1, -1):" in lines


def test_a_carry_before_and_after_each_step_is_one_array() -> None:
    """As gradients want it: the state's stack with one place more, seen twice."""
    _, ys = states()
    slopes = gradients(b.sum(ys * ys), [U, H0])
    text = "\n".join(lines_of(dict(zip(("dU", "dh"), simplify(slopes).roots, strict=True))))
    assert text.count("np.empty((steps + 1, batch, 3)") == 1
    assert "h_steps[t + 1] = h" in text
    assert "h_steps[:-1]" in text


@pytest.mark.parametrize("steps", [0, 1, 4])
@pytest.mark.parametrize("reverse", [False, True])
def test_any_number_of_steps_will_do(steps: int, reverse: bool) -> None:
    last, ys = states(reverse)
    loss = b.sum(last**2) + b.sum(b.sin(ys))
    dh, dU = gradients(loss, [H0, U])
    roots = simplify([last, ys, loss, dh, dU]).roots
    rng = np.random.default_rng(0)
    given = {"x": rng.normal(size=(steps, 2, 3)), "h0": rng.normal(size=(2, 3)), "U": np.eye(3)}
    found = run_graph(dict(zip(("last", "ys", "loss", "dh", "dU"), roots, strict=True)), given)
    h = given["h0"]
    for t in range(steps)[:: -1 if reverse else 1]:
        h = np.tanh(given["x"][t] + h)
        np.testing.assert_allclose(found["ys"][t], h)
    np.testing.assert_allclose(found["last"], h)
    if not steps:
        np.testing.assert_allclose(found["dh"], 2 * given["h0"])
        assert not found["dU"].any()


def test_results_are_in_memory_of_their_own() -> None:
    """What a loop of no steps gives back is what it began with, and not the argument itself."""
    given = {"x": np.zeros((0, 2, 3)), "h0": np.ones((2, 3)), "U": np.eye(3)}
    last, ys = states()
    found = run_graph({"last": last, "ys": ys}, given)
    found["last"][...] = 5
    assert (given["h0"] == 1).all()


def test_the_users_names_do_not_disturb_the_loop() -> None:
    x, h0 = b.input("range", ("t", 2)), b.input("h")
    last, ys = scan(lambda h, x: ((n := b.sin(h) + b.sum(x)), n), h0, x)
    given = {"range": np.ones((3, 2)), "h": np.array(0.5)}
    found = run_graph({"steps": last, "np": ys}, given)
    assert found["np"].shape == (3,)
    np.testing.assert_allclose(found["steps"], found["np"][-1])


def recurrent(time: int | str, d: int) -> tuple[Node, Node]:
    """The losses of a recurrent layer as wide as it has features, and its weight."""
    x, w = b.input("x", ("batch", time, d)), b.parameter("w", (d, d))
    h0 = b.zeros(("batch", d))
    _, ys = scan(lambda h, x: ((n := b.tanh(x + h @ w)), n), h0, b.swapaxes(x, 0, 1))
    return b.sum(ys**2, axis=(0, 2)), w


@pytest.mark.parametrize(("time", "d", "gram"), [(6, 60, True), (200, 8, False)])
def test_norms_hold_the_weights_of_all_examples_only_where_that_is_cheaper(
    time: int, d: int, gram: bool
) -> None:
    losses, w = recurrent(time, d)
    (losses,) = simplify(losses, contractions=False).roots
    norms = simplify(squared_norms(per_example_gradients(losses, [w]))).roots
    program = build_program({"s": norms[0]})
    sizes = [at(shape_size(step.shape), {"batch": 128}) for step in program.walk()]
    held = [step.shape for step in program.walk() if step.shape in (("batch", d, d),)]
    assert bool(held) is not gram
    assert max(sizes) <= 128 * max((time + 1) * d, time * time, 0 if gram else d * d)


def test_the_gradient_of_a_shared_weight_is_one_product_outside_the_loops() -> None:
    losses, w = recurrent("time", 8)
    rows = per_example_gradients(simplify(losses, contractions=False).root, [w])
    program = build_program({"dw": simplify(weighted_sums(rows)).roots[0]})
    outside = [step.shape for step in program.steps if step.action in ("matmul", "tensordot")]
    assert outside == [(8, 8)]
    loops = [step for step in program.steps if step.action == "loop"]
    inside = [[s.shape for s in block.walk() if s.action == "matmul"] for loop in loops
              for block in loop.blocks]  # fmt: skip
    assert inside == [[("batch", 8)], [("batch", 8)]]


def test_the_text_of_five_steps_and_of_a_thousand_differ_in_numbers_only() -> None:
    """And in the order of terms, which is that of digests: as many lines, of the same words."""

    def words(time: int) -> tuple[int, Counter[str]]:
        losses, w = recurrent(time, 4000)
        (losses,) = simplify(losses, contractions=False).roots
        v = b.parameter("v", w.shape)
        second = hvp(b.sum(losses), [w], [v])
        norms = squared_norms(per_example_gradients(losses, [w]))
        lines: list[str] = []
        for roots in ([b.sum(losses), *gradients(b.sum(losses), [w])], second, norms):
            found = simplify(roots).roots
            lines += lines_of({f"r{i}": node for i, node in enumerate(found)})
        text = re.sub(r"_?\d+", "", " ".join(lines))
        return len(lines), Counter(re.findall(r"[A-Za-z_]+|\S", text))

    assert words(5) == words(1000)
