"""The trace: what it keeps, what it leaves out, and that each step can be replayed."""

from __future__ import annotations

import numpy as np

from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.trace import Trace

z = b.input("z", ("batch", 4))
p = b.input("p", ("batch", 4), sums_to_one=True)
w = b.input("w", ("batch",))
e = b.exp(z)
q = e / e.sum(1, keepdims=True)
LOSS = -(p * b.log(q)).sum(1).mean()
POINT = {
    "z": np.array([[0.1, -0.4, 2.0, 1.0], [1.5, -2.0, 0.3, 0.0], [0.0, 0.0, 1.0, -1.0]]),
    "p": np.array([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]]),
    "w": np.array([0.5, -1.0, 2.0]),
}


def names(trace: Trace) -> list[str]:
    return [step.rule.name for step in trace.telling]


def test_it_costs_nothing_when_not_asked_for() -> None:
    found = simplify(LOSS)
    assert found.trace.steps == ()
    assert found.trace.events == ()
    assert found.near_misses == ()


def test_it_tells_the_rules_in_order() -> None:
    assert names(simplify(LOSS, trace=True).trace) == ["softmax_of_exponentials", "log_of_known"]


def test_the_gradient_tells_the_fact_that_it_leaned_on() -> None:
    found = simplify(grad(simplify(LOSS).root, z), trace=True)
    assert names(found.trace) == ["known_sum"]
    (step,) = found.trace.telling
    assert step.facts == {("p", "sums_to_one")}
    assert step.bindings == {"p": p}
    assert found.trace.facts == found.assumptions == {("p", "sums_to_one")}


def test_every_step_can_be_replayed() -> None:
    roots = [LOSS, grad(LOSS, z), (w * b.log(b.exp(w) / (1 + b.exp(w)))).sum()]
    steps = simplify(roots, trace=True).trace.steps
    assert len(steps) > 5
    for step in steps:
        before, after = step.replay(POINT)
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-14)


def test_steps_that_the_result_did_not_come_from_are_left_out() -> None:
    """The softmax is recognised, and then its sum is 1, whatever the logits were."""
    logits = b.log(b.exp(z)) * 2
    found = simplify(b.softmax(logits).sum(1) + w, trace=True)
    assert found.root is 1 + w
    assert names(found.trace) == ["known_sum"]


def test_each_root_has_its_own_trace() -> None:
    found = simplify([b.log(b.exp(w)), b.log(q)], trace=True)
    first, second = found.roots
    assert names(found.trace) == ["log_of_known", "softmax_of_exponentials", "log_of_known"]
    assert names(found.trace.of(first)) == ["log_of_known"]
    assert names(found.trace.of(second)) == ["softmax_of_exponentials", "log_of_known"]


def test_absorbed_pieces_keep_their_steps() -> None:
    """m + log Σ exp(z − m): both the logsumexp and the shift lead to the result."""
    m = z.max(1)
    found = simplify(m + b.log(b.exp(z - m[:, None]).sum(1)), trace=True)
    assert found.root is b.logsumexp(z, 1)
    assert names(found.trace) == ["log_of_known", "shift_invariance"]


def test_housekeeping_is_one_line() -> None:
    loss = ((w * b.exp(w)) * 3 * (w * w) + (w + b.sin(w)) + b.cos(w)).sum()
    found = simplify(grad(loss, w), trace=True)
    lines = found.trace.lines(lambda node: node.op)
    assert sum("tidied up" in line for line in lines) == 1
    assert len(lines) == len(found.trace.telling) + 1


def test_lines_show_law_and_facts() -> None:
    found = simplify(b.einsum("ij,i->i", p, w), trace=True)
    (line,) = found.trace.lines(lambda node: node.op)
    assert (
        line == "contract  →  input    known_sum: Σ p = 1, where that is known of p  "
        "[p: sums_to_one]"
    )


def near(loss: Node) -> list[str]:
    return [str(miss) for miss in simplify(grad(simplify(loss).root, z), trace=True).near_misses]


def test_near_misses_name_what_is_in_the_way() -> None:
    t = b.input("t", ("batch", 4))
    weights = b.parameter("weights", (4,))
    assert near(LOSS) == []
    assert near(-(t * b.log(q)).sum(1).mean()) == [
        "softmax_minus_target not applied: Σt = 1 unknown, t is not declared sums_to_one"
    ]
    (weighted,) = near(-(p * weights * b.log(q)).sum())
    assert weighted.endswith("p is multiplied by weights")


def test_near_misses_of_labels() -> None:
    y = b.input("y", ("batch",))
    found = simplify(b.softplus(w) - y * w, trace=True)
    assert [str(miss) for miss in found.near_misses] == [
        "softplus_of_labels not applied: y is not known to be 0 or 1"
    ]
