"""Within a phase, rules applied anywhere in any order reach the same node."""

from __future__ import annotations

import random

import pytest

from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.graph import substitute, toposort
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.pipeline import CANONICAL, PHASES
from symdiff.simplify.rewrite import Budget, Context, Phase, by_operation, run_phase
from tests.simplify import cases as c
from tests.simplify.contraction_cases import CASES as CONTRACTION_CASES
from tests.simplify.stable_cases import CASES as STABLE_CASES
from tests.simplify.test_softmax_cross_entropy import DENSE, LABELLED

ORDERS = 20
CASES = {**c.CASES, **CONTRACTION_CASES, **STABLE_CASES}


def in_random_order(root: Node, phase: Phase, rng: random.Random) -> Node:
    """One random redex of the whole graph after another, until there is none."""
    rules = by_operation(phase.rules)
    while True:
        order = toposort([root])
        context = Context([root])
        redexes = [(node, rule) for node in order for rule in rules.get(node.op, ())]
        rng.shuffle(redexes)
        for node, rule in redexes:
            rewrite = rule(node, context)
            if rewrite is not None:
                (root,) = substitute([root], {node: rewrite.node})
                break
        else:
            return root


def tidied(root: Node) -> Node:
    """The canonical form, which the phase that follows puts a result into."""
    return run_phase([root], CANONICAL, Budget(10_000))[root]


def _network() -> Node:
    h = b.tanh(c.z @ b.parameter("W", (4, 4)) + b.parameter("b", (4,)))
    e = b.exp(h)
    return -b.log(e / e.sum(1, keepdims=True))[c.rows, c.k].mean()


def _binary(s: Node, y: Node) -> Node:
    return -(y * b.log(s) + (1 - y) * b.log(1 - s)).sum()


FORMULAS: dict[str, Node] = {
    **{f"labels, {name}": loss for name, loss in LABELLED.items()},
    **{f"dense, {name}": loss for name, loss in DENSE.items()},
    "binary": _binary(1 / (1 + b.exp(-c.w)), c.label),
    "binary, soft": _binary(b.exp(c.w) / (1 + b.exp(c.w)), c.soft),
    "binary, two logits": _binary(b.sigmoid(c.w), c.label) + _binary(b.sigmoid(c.x), c.soft),
    "shifted, weighted": (c.u * b.softmax((c.z - c.z.max(1, keepdims=True)) / c.s)).sum(),
    "exponentials": b.log(b.exp(c.w) * b.exp(c.x) / (1 + b.exp(c.w))) * (b.exp(c.x) - 1),
    "many sigmoids": (1 - b.sigmoid(c.w)) * b.exp(c.w) + 2 * b.sigmoid(2 * c.x) - 1,
    "kinks": b.sqrt(c.x**2) + c.x + b.relu(b.relu(c.y)) + b.abs(b.abs(c.w)) ** 2,
    "raw gradient": grad(_network(), c.z),
    "gradient": grad(simplify(_network()).root, b.parameter("W", (4, 4))),
    "hvp": hvp(simplify(_network()).root, c.z, c.u),
    "softplus beside log_softmax": (
        b.softplus(c.z) - c.u * c.z - c.z + b.logsumexp(c.z, 1, keepdims=True)
    ).sum(),
    "late binary": grad(_binary(b.sigmoid(c.w), c.soft), c.w),
    "nested sums": ((c.w + c.x) * 2 - (c.x - c.y)) * c.s + c.s * (c.y * (c.x * c.w)),
}


@pytest.mark.parametrize("phase", range(len(PHASES)), ids=[phase.name for phase in PHASES])
@pytest.mark.parametrize("formula", FORMULAS)
def test_orders_agree_on_formulas(formula: str, phase: int) -> None:
    """Each phase starts from what the phases before it leave."""
    (root,) = [FORMULAS[formula]]
    for earlier in PHASES[:phase]:
        root = run_phase([root], earlier, Budget(10_000))[root]
    expected = tidied(run_phase([root], PHASES[phase], Budget(10_000), debug=True)[root])
    rng = random.Random(formula)
    for _ in range(ORDERS):
        assert tidied(in_random_order(root, PHASES[phase], rng)) is expected


@pytest.mark.parametrize("name", CASES)
def test_orders_agree_on_the_cases(name: str) -> None:
    for i, (before, _) in enumerate(CASES[name].fires):
        rng = random.Random(f"{name}-{i}")
        root = before
        for phase in PHASES:
            expected = run_phase([root], phase, Budget(10_000))[root]
            for _ in range(3):
                assert tidied(in_random_order(root, phase, rng)) is tidied(expected)
            root = expected
