"""Every rule is used by some test of a whole derivative.

Used means that a step by the rule stands in the trace of a formula that a test holds against the
truth: a whole case, a spelling, a matrix expression; or else in that of an example network.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from symdiff.functions import module_functions
from symdiff.simplify import Simplified, simplify
from symdiff.simplify.measure import measure
from symdiff.simplify.pipeline import RULES, SHORT
from symdiff.simplify.trace import Trace
from symdiff.spec.load import load
from tests.simplify import test_cases, test_contraction_rules, test_spellings
from tests.simplify.measuring import BY_NAME
from tests.simplify.spellings import FAMILIES

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))

#: Rules that no whole derivative needs, and why they are there nevertheless.
JUSTIFIED: Mapping[str, str] = {}


def traces() -> Iterator[Trace]:
    """The traces of all formulas of which a test knows the derivative."""
    for case in test_cases.CASES.values():
        yield test_cases.derived(case).trace
    for name, family in FAMILIES.items():
        for i in range(len(family.spellings)):
            yield test_spellings.derived(name, i).trace
    for form in test_contraction_rules.FORMS.values():
        yield test_contraction_rules.derived(form).trace


@cache
def used_by_formulas() -> frozenset[str]:
    return frozenset(step.rule.name for trace in traces() for step in trace.steps)


def used_by_networks(patch: pytest.MonkeyPatch) -> set[str]:
    """The rules by which the functions of the example networks became what they are."""
    used: set[str] = set()

    def traced(*args: Any, **options: Any) -> Simplified:
        found = simplify(*args, **{**options, "trace": True})
        used.update(step.rule.name for step in found.trace.steps)
        return found

    for module in ("symdiff.functions", "symdiff.simplify.second_order"):
        patch.setattr(sys.modules[module], "simplify", traced)
    for path in EXAMPLES:
        module_functions(load(path))
    return used


def test_every_rule_is_used_by_a_whole_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not wants a row in tests.simplify.generate_cases, or a reason to be."""
    unused = {*BY_NAME, *(rule.name for rule in SHORT.rules)} - used_by_formulas()
    if unused - set(JUSTIFIED):
        unused -= used_by_networks(monkeypatch)
    assert unused == set(JUSTIFIED)


def test_their_steps_decrease_the_measure() -> None:
    """But for rules that only lone formulas get, to which the budget alone sets an end."""
    steps = {(step.before, step.after): step for trace in traces() for step in trace.steps}
    for (before, after), step in steps.items():
        if step.rule in RULES:
            assert measure(after) < measure(before), step.rule.name


def test_networks_use_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    used = used_by_networks(monkeypatch)
    assert used <= {*BY_NAME, *(rule.name for rule in SHORT.rules)}
    assert len(used) >= 10
