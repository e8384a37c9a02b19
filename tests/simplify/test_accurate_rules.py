"""The rules that only lone formulas get: as graphs, as numbers, and not firing."""

from __future__ import annotations

import pytest

from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.simplify.pipeline import ACCURATE, CANONICAL, RULES
from symdiff.simplify.rewrite import Budget, Context, Phase, run_phase
from tests.simplify.highprecision import evaluate_exactly
from tests.simplify.stable_cases import ACCURATE as CASES
from tests.simplify.test_rules import relative_error, values_of

BY_NAME = {rule.name: rule for phase in ACCURATE for rule in phase.rules if rule not in RULES}


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(BY_NAME)


@pytest.mark.parametrize("name", CASES)
def test_what_it_does(name: str) -> None:
    rule, case = BY_NAME[name], CASES[name]
    for pair in case.fires:
        before, after = (run_phase([x], CANONICAL, Budget(1000))[x] for x in pair)
        made = run_phase([before], Phase(name, (rule,)), Budget(100))[before]
        assert run_phase([made], CANONICAL, Budget(1000))[made] is after
        values = values_of(before, case)
        truth = evaluate_exactly(before, values)
        assert relative_error(evaluate_exactly(after, values), truth) < 1e-15
        new = relative_error(evaluate(after, dict(values)), truth)
        old = relative_error(evaluate(before, dict(values)), truth)
        assert new <= max(1e-13, 8 * old)


@pytest.mark.parametrize("name", CASES)
def test_where_it_must_not_fire(name: str) -> None:
    rule = BY_NAME[name]
    for root in CASES[name].never:
        for node in toposort([root]):
            if node.op in rule.ops:
                assert rule(node, Context([root])) is None
