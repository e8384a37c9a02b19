"""scan: what it computes, what it is called with, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves, toposort
from symdiff.expr.loops import value_of
from symdiff.expr.node import Node
from symdiff.expr.scan import scan
from symdiff.expr.shapes import ShapeError

X = b.input("x", ("steps", 2, 3))
W, U = b.parameter("W", (3, 4)), b.parameter("U", (4, 4))
H0 = b.input("h0", (2, 4))


def values(steps: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"x": (steps, 2, 3), "W": (3, 4), "U": (4, 4), "h0": (2, 4)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def recurrent(h: Node, x: Node) -> tuple[Node, Node]:
    h = b.tanh(x @ W + h @ U)
    return h, 2 * h


def by_hand(given: dict[str, np.ndarray], order: range) -> tuple[np.ndarray, np.ndarray]:
    h, ys = given["h0"], np.zeros((len(order), 2, 4))
    for t in order:
        h = np.tanh(given["x"][t] @ given["W"] + h @ given["U"])
        ys[t] = 2 * h
    return h, ys


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_steps_are_those_of_a_plain_loop(steps: int, reverse: bool) -> None:
    given = values(steps)
    last, ys = by_hand(given, range(steps)[:: -1 if reverse else 1])
    found = evaluate(list(scan(recurrent, H0, X, reverse=reverse)), given)
    np.testing.assert_allclose(found[0], last, rtol=1e-14)
    np.testing.assert_allclose(found[1], ys, rtol=1e-14)


def test_after_no_steps_the_carry_is_the_first() -> None:
    given = values(0)
    last, ys = evaluate(list(scan(recurrent, H0, X)), given)
    np.testing.assert_array_equal(last, given["h0"])
    assert ys.shape == (0, 2, 4)


def test_the_function_is_called_once_and_the_graph_does_not_grow() -> None:
    calls = []

    def step(h: Node, x: Node) -> tuple[Node, Node]:
        calls.append(x)
        return recurrent(h, x)

    sizes = []
    for steps in (5, 1000):
        x = b.input("x", (steps, 2, 3))
        sizes.append(len(toposort(scan(step, H0, x))))
    assert len(calls) == 2
    assert sizes[0] == sizes[1]


def test_carries_elements_and_results_may_be_structures() -> None:
    y = b.input("y", ("steps",))

    def step(carry: dict[str, Node], x: tuple[Node, Node]) -> tuple[dict[str, Node], list[Node]]:
        total, product = carry["total"] + x[0], carry["product"] * x[1]
        return {"total": total, "product": product}, [total, product]

    last, (sums, products) = scan(step, {"total": 0, "product": 1}, (y, y))
    given = {"y": np.array([1.0, 2.0, 3.0])}
    found = evaluate([last["total"], last["product"], sums, products], given)
    assert found[:2] == [6, 6]
    np.testing.assert_array_equal(found[2], [1, 3, 6])
    np.testing.assert_array_equal(found[3], [1, 2, 6])


def test_a_number_of_steps_will_do_in_place_of_arrays() -> None:
    last, nothing = scan(lambda x, _: (0.5 * (x + 2 / x), None), 1.0, None, length=6)
    assert nothing is None
    np.testing.assert_allclose(evaluate(last, {}), np.sqrt(2), rtol=1e-15)


def test_elements_may_be_whole_numbers() -> None:
    ids, table = b.input("ids", ("steps",), "int64"), b.parameter("E", (4, 2))
    last, _ = scan(lambda h, i: (b.tanh(h + table[i]), None), b.zeros((2,)), ids)
    given = {"ids": np.array([3, 1, 3]), "E": np.arange(8.0).reshape(4, 2) / 8}
    h = np.zeros(2)
    for i in given["ids"]:
        h = np.tanh(h + given["E"][i])
    np.testing.assert_allclose(evaluate(last, given), h)


def test_a_scan_may_stand_in_another() -> None:
    """The inner one runs from the outer one's carry, over the outer one's elements."""

    def outer(h: Node, x: Node) -> tuple[Node, Node]:
        last, ys = scan(lambda g, row: (b.sin(g + row @ W + h), g * h), h, x[:, None])
        return last, b.sum(ys, axis=0)

    h0 = b.input("h0", (1, 4))
    last, ys = scan(outer, h0, X)
    given = values(3) | {"h0": np.ones((1, 4))}
    h, stacked = given["h0"], []
    for x in given["x"]:
        g, total = h, 0.0
        for row in x:
            total, g = total + g * h, np.sin(g + row @ given["W"] + h)
        stacked.append(total)
        h = g
    found = evaluate([last, ys], given)
    np.testing.assert_allclose(found[0], h)
    np.testing.assert_allclose(found[1], stacked)


def test_equal_scans_are_one_node_and_others_are_not() -> None:
    assert scan(recurrent, H0, X)[0] is scan(recurrent, H0, X)[0]
    assert scan(recurrent, H0, X)[0] is not scan(recurrent, H0, X, reverse=True)[0]
    (reader,) = [n for n in toposort([scan(recurrent, H0, X)[1]]) if n.op == "stacked"]
    assert leaves([value_of(reader)]) == []


def test_what_cannot_be_scanned_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"carry h has shape \(2, 4\) and becomes \(2, 3\)"):
        scan(lambda h, x: (x, None), H0, X)
    with pytest.raises(TypeError, match=r"carry n holds int64 and becomes float64"):
        scan(lambda n, x: (n + b.sum(x), None), b.constant(0), X)
    with pytest.raises(TypeError, match="another structure"):
        scan(lambda h, x: ((h, h), None), H0, X)
    with pytest.raises(TypeError, match="a pair"):
        scan(lambda h, x: h, H0, X)
    with pytest.raises(ShapeError, match=r"y of shape .* has 7 steps, where steps are expected"):
        scan(recurrent, H0, (X, b.input("y", (7,))))
    with pytest.raises(ShapeError, match="no axis to go along"):
        scan(recurrent, H0, b.input("s"))
    with pytest.raises(ValueError, match="neither xs nor length"):
        scan(lambda h, x: (h, None), H0)


def test_a_leaf_of_a_step_is_of_no_use_outside() -> None:
    kept: list[Node] = []
    scan(lambda h, x: (kept.append(h) or h, None), H0, X)
    with pytest.raises(ValueError, match="no value for bound"):
        evaluate(kept[0], values())
