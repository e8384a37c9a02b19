"""Each rule alone: as an exact graph, as numbers against a thousand digits, and not firing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves, toposort
from symdiff.expr.node import Node
from symdiff.simplify.pipeline import ARRANGE, CANONICAL, RULES
from symdiff.simplify.rewrite import Budget, Context, Phase, Rule, run_phase
from tests.simplify import cases, contraction_cases, stable_cases
from tests.simplify.cases import DEFAULTS, Case
from tests.simplify.highprecision import evaluate_exactly

CASES = {**cases.CASES, **contraction_cases.CASES, **stable_cases.CASES}
BY_NAME = {rule.name: rule for rule in RULES}
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
    """The normal form under one rule."""
    phase = Phase(rule.name, (rule,), local=not rule.housekeeping)
    return run_phase([root], phase, Budget(1000), debug=True)[root]


def canonical(rule: Rule, root: Node) -> Node:
    """What the canonical phase, which comes before the rule's, makes of a graph."""
    if rule in (*CANONICAL.rules, *ARRANGE.rules):
        return root
    return run_phase([root], CANONICAL, Budget(1000), debug=True)[root]


def values_of(root: Node, case: Case) -> Mapping[str, Any]:
    names = {leaf.attr("name") for leaf in leaves([root])}
    return {name: value for name, value in {**DEFAULTS, **case.points}.items() if name in names}


def relative_error(found: Any, truth: Any) -> float:
    """The largest error relative to the truth, inf where what is found is not a number."""
    found, truth = np.asarray(found, float), np.asarray(truth, float)
    both = np.isfinite(truth)
    if not np.all(np.isfinite(found[both])):
        return np.inf
    with np.errstate(all="ignore"):
        error = np.abs(found - truth)[both] / np.maximum(np.abs(truth[both]), 1e-300)
    return float(error.max(initial=0.0))


def test_every_rule_has_a_case() -> None:
    assert list(BY_NAME) == [rule.name for rule in RULES]  # names are unique
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


@pytest.mark.parametrize(("name", "i"), FIRING)
def test_both_sides_are_one_function(name: str, i: int) -> None:
    """With a thousand digits, at points where float64 overflows or cancels."""
    case = CASES[name]
    before, after = case.fires[i]
    values = values_of(before, case)
    left, right = evaluate_exactly(before, values), evaluate_exactly(after, values)
    assert relative_error(right, left) < 1e-15


@pytest.mark.parametrize(("name", "i"), FIRING)
def test_float64_is_accurate_after(name: str, i: int) -> None:
    """At those points, after the rule: as good as before, or right, and nearly so everywhere."""
    case = CASES[name]
    before, after = case.fires[i]
    values = values_of(before, case)
    truth = evaluate_exactly(before, values)
    old = relative_error(evaluate(before, values), truth)
    new = relative_error(evaluate(after, values), truth)
    assert new <= max(1e-13, 8 * old)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.gains])
def test_stabler_rules_gain(name: str) -> None:
    """Some point of each is lost before and right after."""
    case = CASES[name]
    assert BY_NAME[name].floats == "stabler"
    lost = 0
    for before, after in case.fires:
        values = values_of(before, case)
        truth = evaluate_exactly(before, values)
        old = relative_error(evaluate(before, values), truth)
        new = relative_error(evaluate(after, values), truth)
        lost += old > 1e-6 and new < 1e-12
    assert lost > 0
