"""The planner: which arrays it forms, in what order, and that values stay what they are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.branches import condition
from symdiff.calculus.per_example import (
    per_example_gradients,
    per_example_sq_norms,
    squared_norms,
    weighted_sums,
)
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, size_value
from symdiff.nn import losses
from symdiff.simplify import order
from symdiff.simplify.contraction import plan
from symdiff.simplify.cost import Nominal, at, elements, flops, total
from symdiff.simplify.known import Known
from symdiff.simplify.network import Network, Operand
from symdiff.simplify.order import best_order, order_cost
from symdiff.simplify.terms import OPENED, Expander, matched_axes
from tests.strategies import SIZES, Graph, graphs


def shapes(roots: Sequence[Node]) -> set[Shape]:
    return {n.shape for n in toposort(roots)}


def linear_over_time(time: int, d: int, p: int) -> tuple[Node, Node]:
    """A linear layer shared over positions, as a loss an example and its weight."""
    w = b.parameter("W", (d, p))
    return b.sum(b.tanh(b.input("x", ("batch", time, d)) @ w), axis=(1, 2)), w


# The choice between Gram and instantiated forms


POSITIONS = [
    (t, d, p)
    for t in (1, 2, 4, 8, 16, 32, 64)
    for d, p in ((8, 8), (16, 64), (64, 64), (128, 16))
    if not 0.7 < t * (d + p) / (d * p) < 1.3  # leading order only
]


@pytest.mark.parametrize(("time", "d", "p"), POSITIONS)
def test_norms_alone_are_grams_where_t_d_plus_p_is_less_than_dp(time: int, d: int, p: int) -> None:
    loss, w = linear_over_time(time, d, p)
    formed = ("batch", d, p) in shapes(plan(per_example_sq_norms(loss, [w])))
    assert formed == (time * (d + p) > d * p)


WITH_GRADIENT = [
    (t, d, p)
    for t in (2, 4, 8, 16)
    for d, p in ((8, 8), (16, 64), (64, 64), (128, 16))
    if not 0.7 < 2 * t * t * (d + p + 1) / (3 * d * p) < 1.3
]


@pytest.mark.parametrize(("time", "d", "p"), WITH_GRADIENT)
def test_beside_the_gradient_grams_must_win_by_more(time: int, d: int, p: int) -> None:
    loss, w = linear_over_time(time, d, p)
    g = per_example_gradients(loss, [w])
    roots = plan([*squared_norms(g), *weighted_sums(g)])
    formed = ("batch", d, p) in shapes(roots)
    assert formed == (2 * time**2 * (d + p + 1) > 3 * d * p)


def guards(roots: Sequence[Node]) -> list[Node]:
    """The planner's choices by sizes."""
    return [n for n in toposort(roots) if n.op == "where" and n.inputs[0].op == "lt"]


def holds(choice: Node, time: int) -> bool:
    sizes = condition(choice)
    assert sizes is not None
    less, more = (size_value(size, {"time": time}) for size in sizes)
    return less < more


def test_sizes_that_are_given_decide() -> None:
    w = b.parameter("W", ("in", "out"))
    x = b.input("x", ("batch", "time", "in"))
    s = per_example_sq_norms(b.sum(b.tanh(x @ w), axis=(1, 2)), [w])
    formed = ("batch", "in", "out")
    wide, narrow = {"in": 64, "out": 64}, {"in": 3, "out": 3}
    assert formed in shapes(plan(s, {"time": 64, **wide}))
    assert formed not in shapes(plan(s, {"time": 2, **wide}))
    assert formed in shapes(plan(s, {"time": 2, **narrow}))
    assert not guards(plan(s, {"time": 2, **wide}))


SQUARE = [(16, 16), (64, 64), (16, 256), (128, 16)]


@pytest.mark.parametrize(("d", "p"), SQUARE)
def test_of_unknown_time_both_forms_are_had_on_either_side_of_the_threshold(d: int, p: int) -> None:
    """The norm alone: Gram where T (d + p) < d p."""
    w, x = b.parameter("W", (d, p)), b.input("x", ("batch", "time", d))
    (s,) = plan(per_example_sq_norms(b.sum(b.tanh(x @ w), axis=(1, 2)), [w]))
    (choice,) = guards([s])
    gram, formed = choice.inputs[1:]
    assert ("batch", d, p) not in shapes([gram])
    assert ("batch", "time", "time") in shapes([gram])
    assert ("batch", d, p) in shapes([formed])
    threshold = d * p / (d + p)
    for time in (max(int(threshold * 0.7), 1), int(threshold * 1.4) + 1):
        assert holds(choice, time) == (time < threshold)


@pytest.mark.parametrize(("d", "p"), SQUARE)
def test_beside_the_gradient_the_threshold_is_that_of_the_square(d: int, p: int) -> None:
    """The norms and the gradient: Gram where 2 T² (d + p + 1) < 3 d p."""
    w, x = b.parameter("W", (d, p)), b.input("x", ("batch", "time", d))
    g = per_example_gradients(b.sum(b.tanh(x @ w), axis=(1, 2)), [w])
    found = guards(plan([*squared_norms(g), *weighted_sums(g)]))
    assert {n.inputs[0] for n in found} == {found[0].inputs[0]}
    for time in range(1, 40):
        assert holds(found[0], time) == (2 * time**2 * (d + p + 1) < 3 * d * p)


@pytest.mark.parametrize("time", [1, 3, 9, 40])
def test_both_sides_of_a_guard_have_the_loops_value(time: int) -> None:
    w, x = b.parameter("W", (12, 10)), b.input("x", ("batch", "time", 12))
    loss = b.sum(b.tanh(x @ w) ** 2, axis=(1, 2))
    (s,) = per_example_sq_norms(loss, [w])
    rng = np.random.default_rng(time)
    values = {"W": rng.normal(size=(12, 10)), "x": rng.normal(size=(4, time, 12))}
    np.testing.assert_allclose(*evaluate([s, *plan([s])], values), rtol=1e-10)


def test_unknown_widths_make_no_guard_where_products_of_norms_are_shorter() -> None:
    """One factor a position less is no matter of sizes, but for matrices of one column."""
    x, w = b.input("x", ("batch", "in")), b.parameter("W", ("in", "out"))
    planned = plan(per_example_sq_norms(b.sum(b.tanh(x @ w), axis=1), [w]))
    assert not guards(planned)
    assert ("batch", "in", "out") not in shapes(planned)


def test_weights_that_share_a_gram_are_decided_together() -> None:
    """T (d + 3p) < 3dp: where one weight alone would be instantiated, three have one Gram of x."""
    d, time = 60, 36
    x = b.input("x", ("batch", time, d))
    ws = [b.parameter(name, (d, d)) for name in "QKV"]
    loss = sum((b.sum(b.tanh(x @ w), axis=(1, 2)) for w in ws), start=b.zeros(("batch",)))
    formed = ("batch", d, d)
    alone = plan(per_example_sq_norms(b.sum(b.tanh(x @ ws[0]), axis=(1, 2)), ws[:1]))
    assert formed in shapes(alone)
    together = plan(per_example_sq_norms(loss, ws))
    assert formed not in shapes(together)
    grams = [n for n in toposort(together) if n.op == "contract" and n.inputs == (x, x)]
    assert len(grams) == 1


def mlp(*sizes: int) -> tuple[Node, list[Node]]:
    h, parameters = b.input("x", ("batch", sizes[0])), []
    for i, (d, p) in enumerate(itertools.pairwise(sizes)):
        w, c = b.parameter(f"W{i}", (d, p)), b.parameter(f"b{i}", (p,))
        h = (b.tanh(h) if i else h) @ w + c
        parameters += [w, c]
    return losses.softmax_cross_entropy(h, b.input("y", ("batch",), "int64")), parameters


def test_no_array_of_batch_times_weights_is_formed_for_an_mlp() -> None:
    loss, parameters = mlp(40, 50, 60, 10)
    g = per_example_gradients(loss, parameters)
    weights = b.input("w", ("batch",))
    roots = plan([*squared_norms(g), *weighted_sums(g, weights), *weighted_sums(g)])
    largest = max(at(elements(n)) for n in toposort(roots) if n.shape[:1] == ("batch",))
    assert largest == at(elements(b.input("h", ("batch", 60))))


def test_goodfellows_norms_cost_little_beside_the_gradient() -> None:
    loss, parameters = mlp(200, 300, 300, 10)
    g = per_example_gradients(loss, parameters)
    alone = at(total(plan(weighted_sums(g)), flops))
    both = at(total(plan([*weighted_sums(g), *squared_norms(g)]), flops))
    assert both < 1.02 * alone


def test_clipping_adds_one_product_a_weight_and_no_more() -> None:
    loss, parameters = mlp(20, 30, 10)
    g = per_example_gradients(loss, parameters)

    def products(roots: Sequence[Node]) -> int:
        return sum(n.op == "contract" and len(n.inputs) == 2 and n.ndim == 2
                   for n in toposort(roots))  # fmt: skip

    plain = plan(weighted_sums(g))
    clipped = plan(weighted_sums(g, b.input("w", ("batch",))))
    assert products(clipped) == products(plain)
    assert products([*plain, *clipped]) == products(plain) + 2


def test_the_rows_of_the_smaller_factor_are_scaled() -> None:
    loss, parameters = mlp(50, 3)
    weights = b.input("w", ("batch",))
    (total_,) = plan(weighted_sums(per_example_gradients(loss, parameters[:1]), weights))
    scaled = [n for n in toposort([total_]) if n.op == "mul" and weights in toposort([n])]
    assert [n.shape for n in scaled] == [("batch", 3)]


def test_both_operands_of_a_gram_are_one_buffer() -> None:
    loss, w = linear_over_time(2, 40, 40)
    grams = [n for n in toposort(plan(per_example_sq_norms(loss, [w])))
             if n.shape == ("batch", 2, 2) and n.op == "contract"]  # fmt: skip
    assert len(grams) == 2
    assert all(n.inputs[0] is n.inputs[1] for n in grams)


def test_differences_from_targets_are_no_sums_to_be_taken_apart() -> None:
    """The cotangent of a squared error is formed, though what is subtracted is a product."""
    w = b.parameter("W", (10, 10))
    x, y = b.input("x", ("batch", 10)), b.input("y", ("batch", 10))
    order = toposort(plan(per_example_sq_norms(b.sum((x @ w - y) ** 2, axis=1), [w])))
    assert all(n.ndim < 3 for n in order)


def test_one_gram_serves_all_weights_that_read_one_input() -> None:
    x = b.input("x", ("batch", 3, 60))
    ws = [b.parameter(name, (60, 60)) for name in "QKV"]
    q, k, v = (x @ w for w in ws)
    loss = b.sum(b.softmax(q @ b.swapaxes(k, 1, 2)) @ v, axis=(1, 2))
    order = toposort(plan(per_example_sq_norms(loss, ws)))
    of_x = [n for n in order if n.op == "contract" and n.inputs == (x, x)]
    assert [n.shape for n in of_x] == [("batch", 3, 3)]


def test_the_low_rank_norm_does_not_form_the_weight() -> None:
    x, u, v = b.input("x", ("batch", 40)), b.parameter("U", (40, 2)), b.parameter("V", (2, 50))
    loss = b.sum(b.tanh(x @ u @ v), axis=1)
    assert (40, 50) not in shapes(plan(per_example_sq_norms(loss, [u, v])))


def test_a_vocabulary_is_never_densified() -> None:
    e, ids = b.parameter("E", (5000, 8)), b.input("ids", ("batch", 4), "int64", labels=5000)
    loss = b.sum(b.tanh(e[ids]), axis=(1, 2))
    order = toposort(plan(per_example_sq_norms(loss, [e])))
    assert {n.shape for n in order if 5000 in n.shape} == {(5000, 8)}
    assert "eq" in {n.op for n in order}


def test_a_tied_embedding_is_not_densified_either() -> None:
    e, ids = b.parameter("E", (5000, 8)), b.input("ids", ("batch", 2), "int64", labels=5000)
    h = b.tanh(e[ids])
    loss = b.sum(losses.softmax_cross_entropy(h @ e.T, ids), axis=1)
    found = shapes(plan(per_example_sq_norms(loss, [e])))
    assert ("batch", 5000, 8) not in found


def test_sums_of_uses_are_instantiated_where_grams_do_not_win_by_two() -> None:
    w = b.parameter("W", (5, 5))
    h = b.tanh(b.tanh(b.input("x", ("batch", 5)) @ w) @ w)
    small = shapes(plan(per_example_sq_norms(b.sum(h, axis=1), [w])))
    assert ("batch", 5, 5) in small
    wide = b.parameter("W", (50, 50))
    h = b.tanh(b.tanh(b.input("x", ("batch", 50)) @ wide) @ wide)
    assert ("batch", 50, 50) not in shapes(plan(per_example_sq_norms(b.sum(h, axis=1), [wide])))


# Squares stay nonnegative


def test_sums_that_may_cancel_are_clamped_and_products_are_not() -> None:
    loss, w = linear_over_time(2, 40, 40)
    (s,) = plan(per_example_sq_norms(loss, [w]))
    assert s.op == "relu"
    loss, parameters = mlp(40, 50, 10)
    for s in plan(per_example_sq_norms(loss, parameters)):
        assert s.op != "relu"
        assert s.facts.nonnegative


def test_contributions_that_cancel_leave_no_negative_norm() -> None:
    w, x = b.parameter("W", (40, 40)), b.input("x", ("batch", 2, 40))
    sign = b.constant(np.array([1.0, -1.0]))
    (s,) = plan(per_example_sq_norms(b.sum(b.tanh(x @ w) * sign[:, None], axis=(1, 2)), [w]))
    rng = np.random.default_rng(0)
    row = rng.normal(size=(200, 1, 40))
    found = evaluate(s, {"W": rng.normal(size=(40, 40)), "x": np.concatenate([row, row], 1)})
    assert s.op == "relu"
    assert np.all(found >= 0)
    assert np.all(found < 1e-10)


# Orders of evaluation


def test_every_contraction_is_of_one_or_two_operands() -> None:
    a, c, d, e = (b.input(n, (6, 6)) for n in "acde")
    node = b.einsum("ij,jk,kl,li->", a, c, d, e)
    assert len(node.inputs) == 4
    assert max(len(n.inputs) for n in toposort(plan([node]))) == 2


@pytest.mark.parametrize("sizes", [(40, 2, 30, 3, 20), (5, 50, 5, 50, 5), (9, 8, 7, 6, 5)])
def test_matrix_chains_take_the_order_of_fewest_operations(sizes: tuple[int, ...]) -> None:
    nodes = [b.input(f"m{i}", pair) for i, pair in enumerate(itertools.pairwise(sizes))]
    chain = b.einsum("ij,jk,kl,lm->im", *nodes)
    (planned,) = plan([chain])
    best: dict[tuple[int, int], int] = {}
    n = len(nodes)
    for width in range(n):
        for i in range(n - width):
            best[i, i + width] = min(
                (best[i, k] + best[k + 1, i + width]
                 + 2 * sizes[i] * sizes[k + 1] * sizes[i + width + 1]
                 for k in range(i, i + width)),
                default=0,
            )  # fmt: skip
    assert at(total([planned], flops)) == best[0, n - 1]


def test_products_as_written_are_reordered_where_that_is_cheaper() -> None:
    a, c = b.input("a", (50, 50)), b.input("c", (50, 50))
    v = b.input("v", (50,))
    (planned,) = plan([(a @ c) @ v])
    assert (50, 50) not in {n.shape for n in toposort([planned]) if n.inputs}


def test_products_that_are_needed_anyway_are_not_avoided() -> None:
    a, c, v = b.input("a", (50, 50)), b.input("c", (50, 50)), b.input("v", (50,))
    product = a @ c
    planned = plan([product @ v, product])
    assert planned == [product @ v, product]


def test_what_hangs_on_the_batch_size_stays_as_written() -> None:
    x, w1, w2 = b.input("x", ("batch", 64)), b.parameter("A", (64, 64)), b.parameter("B", (64, 64))
    y = (x @ w1) @ w2
    assert plan([y]) == [y]
    assert plan([y], {"batch": 1}) == [y]
    assert plan([y], {"batch": 4096}) == [x @ (w1 @ w2)]


def test_scalar_factors_stay_in_front() -> None:
    a, c, d, t = (*(b.input(n, (6, 6)) for n in "acd"), b.input("t", ()))
    node = 3 * t * b.einsum("ij,jk,kl->il", a, c, d)
    (planned,) = plan([node])
    assert planned.op == "mul"
    assert planned.attr("coefficient") == 3
    assert t in planned.inputs


def test_many_operands_are_planned_too() -> None:
    letters = "abcdefghijkl"
    nodes = [b.input(f"m{i}", (3, 3)) for i in range(11)]
    pairs = ",".join(p + q for p, q in itertools.pairwise(letters))
    node = b.einsum(f"{pairs}->al", *nodes)
    (planned,) = plan([node])
    rng = np.random.default_rng(0)
    values = {f"m{i}": rng.normal(size=(3, 3)) for i in range(11)}
    expected = np.linalg.multi_dot(list(values.values()))
    np.testing.assert_allclose(evaluate(planned, values), expected, rtol=1e-12)
    assert max(len(n.inputs) for n in toposort([planned])) == 2


def test_planning_twice_is_planning_once() -> None:
    loss, parameters = mlp(12, 20, 10)
    g = per_example_gradients(loss, parameters)
    once = plan([*squared_norms(g), *weighted_sums(g, b.input("w", ("batch",)))])
    assert plan(once) == once


def test_an_outer_product_under_a_product_is_not_formed() -> None:
    u, v, m = b.input("u", (30,)), b.input("v", (40,)), b.input("m", (40, 5))
    (planned,) = plan([b.outer(u, v) @ m])
    assert (30, 40) not in {n.shape for n in toposort([planned]) if n.inputs}


def test_indices_that_nothing_has_count_their_size() -> None:
    u, v = b.input("u", (4,)), b.input("v", ("n",))
    outer = u[:, None] * v + b.broadcast_to(v, (4, "n"))
    (planned,) = plan([b.sum(outer, axis=0) @ v])
    values = {"u": np.arange(4.0), "v": np.array([1.0, 2.0, 3.0])}
    assert evaluate(planned, values) == pytest.approx((6 + 4) * 14)


@st.composite
def einsums(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """Random contractions of two to five operands over five indices."""
    size = dict(zip("abcde", draw(st.permutations([2, 3, 4, 5, 1])), strict=True))
    terms = draw(st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=3),
                          min_size=2, max_size=5))  # fmt: skip
    used = sorted({c for term in terms for c in term})
    out = draw(st.lists(st.sampled_from(used), unique=True, max_size=3))
    text = ",".join("".join(t) for t in terms) + "->" + "".join(out)
    return text, [tuple(size[c] for c in term) for term in terms]


@settings(max_examples=60, deadline=None)
@given(einsums(), st.booleans())
def test_random_contractions_keep_their_values(
    drawn: tuple[str, list[tuple[int, ...]]], same: bool
) -> None:
    text, sizes = drawn
    rng = np.random.default_rng(0)
    names = [f"m{shape}" if same else f"m{i}" for i, shape in enumerate(sizes)]
    values = {n: rng.normal(size=shape) for n, shape in zip(names, sizes, strict=True)}
    nodes = [b.input(n, shape) for n, shape in zip(names, sizes, strict=True)]
    (planned,) = plan([b.einsum(text, *nodes)])
    expected = np.einsum(text, *(values[n] for n in names))
    np.testing.assert_allclose(evaluate(planned, values), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_random_graphs_and_their_derivatives_keep_their_values(graph: Graph) -> None:
    roots = [graph.root, graph.inner, *gradients(graph.root, graph.leaves)]
    before = evaluate(roots, graph.values, SIZES)
    after = evaluate(plan(roots), graph.values, SIZES)
    for ours, theirs in zip(after, before, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(einsums())
def test_the_order_found_is_the_cheapest_of_all(drawn: tuple[str, list[tuple[int, ...]]]) -> None:
    """Against every order, with equal intermediate results paid for once."""
    text, sizes = drawn
    terms, out = text.split("->")
    size = {ord(c): n for t, s in zip(terms.split(","), sizes, strict=True)
            for c, n in zip(t, s, strict=True)}  # fmt: skip
    operands = [
        Operand(b.input(f"m{s}", s), tuple(ord(c) for c in t))
        for t, s in zip(terms.split(","), sizes, strict=True)
    ]
    network = Network(operands, [ord(c) for c in out], dict(size), size)
    costs = [order_cost(network, tree).cost for tree in trees(list(range(len(operands))))]
    found = best_order(network)
    assert found.cost == min(costs)
    assert order_cost(network, found.tree).cost == found.cost


def trees(parts: list[Any]) -> list[Any]:
    """All orders of multiplying the parts."""
    if len(parts) == 1:
        return parts
    found = []
    for i, j in itertools.combinations(range(len(parts)), 2):
        rest = [p for k, p in enumerate(parts) if k not in (i, j)]
        found += trees([*rest, (parts[i], parts[j])])
    return found


def test_equal_copies_are_paid_for_once() -> None:
    """h V h' V': forming h V twice costs what forming it once does."""
    h, v = b.input("h", (30, 20)), b.input("v", (20, 10))
    sizes = {0: 30, 1: 20, 2: 10, 3: 20}
    operands = [Operand(h, (0, 1)), Operand(v, (1, 2)), Operand(h, (0, 3)), Operand(v, (3, 2))]
    network = Network(operands, (0,), dict(sizes), sizes)
    assert best_order(network).cost == 2 * 30 * 20 * 10 + 2 * 30 * 10


def test_factors_over_the_same_indices_do_not_add_to_the_orders_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A norm of h gᵀ, scaled twice an example: four matrices, and four weights of examples."""
    h, g = b.input("h", ("batch", 9, 6)), b.input("g", ("batch", 9, 5))
    u, v = b.input("u", ("batch",)), b.input("v", ("batch",))
    sizes = {0: 128, 1: 9, 2: 6, 3: 5, 4: 9}
    matrices = [Operand(h, (0, 1, 2)), Operand(g, (0, 1, 3)), Operand(h, (0, 4, 2))]
    matrices.append(Operand(g, (0, 4, 3)))
    weights = [Operand(x, (0,)) for x in (u, v, u, v)]
    steps = 0
    step = order._Search.step

    def counted(*arguments: Any) -> tuple[int, int]:
        nonlocal steps
        steps += 1
        return step(*arguments)

    monkeypatch.setattr(order._Search, "step", counted)
    plain = best_order(Network(matrices, (0,), dict(sizes), sizes))
    assert 0 < steps < 100
    scaled = best_order(Network([*weights, *matrices], (0,), dict(sizes), sizes))
    assert steps < 400
    # u v and its square are made once each, and multiplied into the squares
    assert scaled.cost == plain.cost + 3 * 128


def test_what_is_known_costs_nothing() -> None:
    h = b.input("h", (30, 20))
    sizes = {0: 30, 1: 20, 2: 30}
    network = Network([Operand(h, (0, 1)), Operand(h, (2, 1))], (0, 2), dict(sizes), sizes)
    first = best_order(network)
    assert first.cost == 2 * 30 * 20 * 30
    assert best_order(network, Known(plans=(first,))).cost == 0


# Reach


def test_deep_graphs_are_planned_without_recursion() -> None:
    u, v = b.input("u", (4,)), b.input("v", (6,))
    chain = b.tanh(u)
    nested = u[:, None] * v
    for _ in range(2000):
        chain = b.tanh(chain)
        nested = b.flip(b.reshape(nested, (4, 2, 3)), 1).reshape(4, 6) + u[:, None]
    (planned,) = plan([(nested @ v) @ chain])
    values = {"u": np.arange(4.0), "v": np.arange(6.0)}
    assert np.isfinite(evaluate(planned, values))


def test_second_derivatives_of_norms_form_no_weights_an_example() -> None:
    loss, parameters = mlp(20, 30, 10)
    penalty = b.sum(b.sqrt(sum(per_example_sq_norms(loss, parameters))))
    roots = plan(gradients(penalty, parameters))
    rows = [n for n in toposort(roots) if n.shape[:1] == ("batch",)]
    assert max(at(elements(n)) for n in rows) <= 128 * 30


def test_reshapes_are_matched_in_the_smallest_groups() -> None:
    assert matched_axes((2, 3, 4), (6, 4)) == [((0, 1), (0,)), ((2,), (1,))]
    assert matched_axes(("n", 4, 6), ("n", 2, 2, 6)) == [
        ((0,), (0,)), ((1,), (1, 2)), ((2,), (3,)),
    ]  # fmt: skip
    assert matched_axes((4, 6), (6, 4)) == [((0, 1), (0, 1))]


def test_nominal_sizes() -> None:
    sizes = Nominal({"time": 5})
    assert (sizes["batch"], sizes["hidden"], sizes["time"]) == (128, 64, 5)


def test_powers_are_not_taken_apart() -> None:
    a, c = b.parameter("a", (3,)), b.parameter("c", (3,))
    for whole in (a**-2, b.sqrt(a), 2 * a**-2, a**-2 * c, (a**-2)[:, None] * c):
        expander = Expander({x for x in toposort([whole]) if x.op in OPENED})
        (term,) = expander.expand(whole, tuple(expander.index(size) for size in whole.shape))
        power = b.sqrt(a) if whole is b.sqrt(a) else a**-2
        assert power in [x.node for x in term.operands]
