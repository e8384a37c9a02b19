"""Each rule alone, as an exact graph, and where it must not fire; test_rule_numbers runs them."""

from __future__ import annotations

import pytest

from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify.pipeline import ACCURATE, ARRANGE, CANONICAL, PHASES, RULES
from symdiff.simplify.rewrite import Budget, Context, Phase, Rule, run_phase
from tests.simplify.measuring import BY_NAME, CASES

FIRING = [
    pytest.param(name, i, id=f"{name}-{i}")
    for name, case in CASES.items()
    for i in range(len(case.fires))
]
NEVER = [
    pytest.param(name, i, id=f"{name}-{i}")
    for name, case in CASES.items()
    for i in range(len(case.never))
]


def alone(rule: Rule, root: Node) -> Node:
    """The normal form under one rule; those that only lone formulas get may raise the measure."""
    phases = [phase for phase in (*PHASES, *ACCURATE) if rule in phase.rules]
    phase = Phase(rule.name, (rule,), local=all(each.local for each in phases))
    return run_phase([root], phase, Budget(1000), debug=rule in RULES)[root]


def canonical(rule: Rule, root: Node) -> Node:
    """What the canonical phase, which comes before the rule's, makes of a graph."""
    if rule in (*CANONICAL.rules, *ARRANGE.rules):
        return root
    return run_phase([root], CANONICAL, Budget(1000), debug=True)[root]


def test_every_rule_has_a_case() -> None:
    rules = dict.fromkeys(rule for phase in (*PHASES, *ACCURATE) for rule in phase.rules)
    assert sorted(BY_NAME) == sorted(rule.name for rule in rules)  # names are unique
    assert set(CASES) == set(BY_NAME)
    for name, case in CASES.items():
        assert case.fires, name
        assert case.never, name


def test_laws_fit_on_a_line() -> None:
    for rule in RULES:
        assert 0 < len(rule.law) <= 100, rule.name
        assert "\n" not in rule.law


@pytest.mark.parametrize(("name", "i"), FIRING)
def test_the_graph_is_exactly_that(name: str, i: int) -> None:
    """The canonical phase, which comes first, leaves the left side standing."""
    rule = BY_NAME[name]
    before, after = (canonical(rule, side) for side in CASES[name].fires[i])
    assert before is not after
    assert canonical(rule, alone(rule, before)) is after


@pytest.mark.parametrize(("name", "i"), NEVER)
def test_it_does_not_fire(name: str, i: int) -> None:
    rule = BY_NAME[name]
    root = canonical(rule, CASES[name].never[i])
    context = Context([root])
    for node in toposort([root]):
        if node.op in rule.ops:
            assert rule(node, context) is None
