"""The engine: budget, cycles, measure, contract, linear cost, mapping and names."""

from __future__ import annotations

import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.context import Memo
from symdiff.simplify.pipeline import PHASES, RECOGNISE
from symdiff.simplify.rewrite import (
    Budget,
    Context,
    Phase,
    Recorder,
    Rewrite,
    RewriteError,
    Rule,
    rule,
    run_phase,
)

x = b.input("x", (3,))
y = b.input("y", (3,))


@rule("exact", "sin")
def growing(node: Node, context: Context) -> Node:
    """sin x = sin(x + 1), which is not so and never ends"""
    return scalar("sin", node.inputs[0] + 1)


@rule("exact", "sin")
def sine_to_cosine(node: Node, context: Context) -> Node:
    """sin x = cos x"""
    return scalar("cos", node.inputs[0])


@rule("exact", "cos")
def cosine_to_sine(node: Node, context: Context) -> Node:
    """cos x = sin x"""
    return scalar("sin", node.inputs[0])


@rule("exact", "sin")
def summing(node: Node, context: Context) -> Node:
    """sin x = Σx"""
    return node.inputs[0].sum()


def test_the_budget_names_the_last_rules() -> None:
    with pytest.raises(RewriteError, match="no end after 30 steps; the last rules were growing"):
        run_phase([b.sin(x)], Phase("endless", (growing,)), Budget(30))


def test_a_cycle_is_found_at_once() -> None:
    phase = Phase("cyclic", (sine_to_cosine, cosine_to_sine))
    with pytest.raises(RewriteError, match=r"comes back to itself.*sine_to_cosine, cosine_to_sine"):
        run_phase([b.sin(x)], phase, Budget(1000))


def test_debug_wants_a_decrease() -> None:
    with pytest.raises(RewriteError, match="growing: the measure went from"):
        run_phase([b.sin(x)], Phase("endless", (growing,)), Budget(30), debug=True)


def test_shape_and_dtype_stay() -> None:
    with pytest.raises(RewriteError, match=r"summing: a sin of shape \(3,\) .* became .* \(\)"):
        run_phase([b.sin(x)], Phase("faulty", (summing,)), Budget(30))


def test_a_rule_takes_its_law_from_its_docstring() -> None:
    assert growing.name == "growing"
    assert growing.law == "sin x = sin(x + 1), which is not so and never ends"
    assert growing.ops == ("sin",)


class Counting(Recorder):
    def __init__(self) -> None:
        super().__init__()
        self.rewrites = 0

    def rewritten(self, phase: str, rule: Rule, before: Node, rewrite: Rewrite) -> None:
        self.rewrites += 1


def test_shared_nodes_are_rewritten_once() -> None:
    """A ladder of 60 rungs has 2**60 paths."""
    node = b.log(b.exp(x))
    for _ in range(60):
        node = b.log(b.exp(b.sin(node) * b.cos(node)))
    counting = Counting()
    run_phase([node], RECOGNISE, Budget(1000), counting)
    assert counting.rewrites == 61


def test_settled_nodes_are_passed_over() -> None:
    sine = b.sin(x)
    done = run_phase([sine + y], Phase("one", (sine_to_cosine,)), Budget(10), settled=[sine, y])
    assert done[sine + y] is sine + y


def test_readers_are_counted() -> None:
    shared = b.exp(x)
    root = shared * y + shared.sum() + (x + y) * 3
    context = Context([root, shared])
    assert context.readers(shared) == 3
    assert context.readers(root) == 1
    assert context.is_shared(shared)
    assert not context.is_shared(root)
    assert context.merges_upwards(x + y)
    assert not context.merges_upwards(shared * y)


def test_rules_of_local_phases_look_at_no_readers() -> None:
    """Else they would be told that nothing is shared."""

    @rule("exact", "exp")
    def curious(node: Node, context: Context) -> None:
        """nothing, where something is shared"""
        context.is_shared(node)

    run_phase([b.exp(x)], Phase("open", (curious,), local=False), Budget(10), debug=True)
    with pytest.raises(RewriteError, match="curious: asks who reads a node"):
        run_phase([b.exp(x)], Phase("local", (curious,)), Budget(10), debug=True)


def test_what_came_of_the_rules_is_remembered() -> None:
    tried = []

    @rule("exact", "sin")
    def once(node: Node, context: Context) -> None:
        """nothing, and it says so"""
        tried.append(context.is_shared(node.inputs[0]))

    phase, memo = Phase("one", (once,), local=False), Memo()
    for _ in range(2):
        run_phase([b.sin(x) + y], phase, Budget(10), memo=memo)
    assert tried == [False]
    run_phase([b.sin(x) + y * x], phase, Budget(10), memo=memo)  # the answer would be another
    assert tried == [False, True]


def test_a_rule_is_not_tried_where_nothing_it_needs_is_near() -> None:
    @rule("exact", "sin", needs=("cos",))
    def sine_of_cosine(node: Node, context: Context) -> Node:
        """sin x = cos x, which it says needs a cosine"""
        return scalar("cos", node.inputs[0])

    phase = Phase("one", (sine_of_cosine,))
    far, close = b.sin(b.exp(x)), b.sin(b.exp(b.cos(x)))
    assert run_phase([far], phase, Budget(10))[far] is far
    assert run_phase([close], phase, Budget(10))[close].op == "cos"
    with pytest.raises(RewriteError, match="sine_of_cosine: fires without any of cos near"):
        run_phase([far], phase, Budget(10), debug=True)


def test_calls_that_share_a_memo_find_the_same() -> None:
    loss, parameters = network(3)
    vs = [b.input(f"v{i}", p.shape) for i, p in enumerate(parameters)]
    memo = Memo()
    for roots in ([loss], gradients(loss, parameters), hvp(loss, parameters, vs)):
        alone, together = simplify(roots), simplify(roots, memo=memo)
        assert together.roots == alone.roots
        assert together.mapping == alone.mapping
        assert together.assumptions == alone.assumptions


def network(depth: int, residual: bool = False) -> tuple[Node, list[Node]]:
    h = b.input("h", ("batch", 4))
    parameters = []
    for i in range(depth):
        matrix, bias = b.parameter(f"W{i}", (4, 4)), b.parameter(f"b{i}", (4,))
        parameters += [matrix, bias]
        new = b.tanh(h @ matrix + bias)
        h = h + new if residual else new
    e = b.exp(h)
    k = b.input("k", ("batch",), dtype="int64", labels=4)
    loss = -b.log(e / e.sum(1, keepdims=True))[b.arange("batch"), k].mean()
    return simplify(loss, contractions=False).root, parameters


class Visits(Recorder):
    """How often the engine built or rewrote a node."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def rewritten(self, phase: str, rule: Rule, before: Node, rewrite: Rewrite) -> None:
        self.count += 1

    def rebuilt(self, before: Node, after: Node, inputs: object) -> None:
        self.count += 1


def changes(roots: list[Node]) -> int:
    """The rewrites and rebuildings that one round of all phases takes."""
    visits = Visits()
    for phase in PHASES:
        done = run_phase(roots, phase, Budget(10**6), visits)
        roots = [done[root] for root in roots]
    return visits.count


@pytest.mark.parametrize("residual", [False, True])
def test_the_work_is_linear_in_the_depth(residual: bool) -> None:
    """Of a gradient and of a Hessian-vector product: equal steps in depth, equal steps in work."""
    first, second = [], []
    for depth in (10, 20, 30):
        loss, parameters = network(depth, residual)
        grads = gradients(loss, parameters)
        first.append(changes(grads))
        vs = [b.input(f"v.{i}", p.shape) for i, p in enumerate(parameters)]
        second.append(changes(hvp(loss, parameters, vs)))
    for work in (first, second):
        assert work[2] - work[1] == work[1] - work[0]


@pytest.mark.parametrize("residual", [False, True])
def test_simplifying_shares_what_was_shared(residual: bool) -> None:
    """The nodes of a simplified gradient grow linearly with the depth, and by no more than raw."""
    raw, simple = [], []
    for depth in (10, 20, 30):
        loss, parameters = network(depth, residual)
        grads = gradients(loss, parameters)
        raw.append(len(toposort(grads)))
        simple.append(len(toposort(simplify(grads).roots)))
    assert simple[2] - simple[1] == simple[1] - simple[0]
    assert simple[1] - simple[0] <= (raw[1] - raw[0]) * 1.25


def test_a_long_chain_is_no_trouble() -> None:
    node = x
    for _ in range(5000):
        node = b.sin(node) + x
    assert simplify(node).root is node


def test_a_long_sum_is_one_sum() -> None:
    total = b.input("x0", ())
    for i in range(1, 2000):
        total = total + b.input(f"x{i}", ())
    assert len(simplify(total).root.inputs) == 2000


def test_the_mapping_follows_every_node() -> None:
    e = b.exp(x)
    q = e / e.sum()
    loss = -(y * b.log(q)).sum()
    found = simplify([loss, q], names={q: "q", loss: "loss"})
    assert found.mapping[q] is b.softmax(x)
    assert found.mapping[x] is x
    assert found.names == {b.softmax(x): "q", found.roots[0]: "loss"}


def test_several_roots_come_back_in_order() -> None:
    found = simplify([b.log(b.exp(x)), y, b.log(b.exp(x))])
    assert found.roots == (x, y, x)


def test_one_root_is_the_root() -> None:
    assert simplify(b.log(b.exp(x))).root is x
    with pytest.raises(ValueError, match="2 roots"):
        _ = simplify([x, y]).root


def test_nothing_to_do_is_nothing_done() -> None:
    node = b.tanh(x @ b.parameter("W", (3, 2)))
    assert simplify(node).root is node
