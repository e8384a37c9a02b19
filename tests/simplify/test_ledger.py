"""The ledger of assumptions: what a derivative leans on, of what was declared, is listed.

Without a fact the derivative is another function, or it is not; where it is another at values that
break the fact, the fact must be among the assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from symdiff.compiler import compile_spec
from symdiff.derive import Derivation, derive
from symdiff.expr.shapes import size_value
from tests.simplify.spellings import FAMILIES
from tests.simplify.test_cases import CASES

Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Formula:
    """What derive takes, but for the facts."""

    text: str
    wrt: str
    shapes: Mapping[str, Any]
    order: int = 1
    direction: str | None = None

    def derived(self, facts: Facts) -> Derivation:
        return derive(self.text, self.wrt, self.shapes, facts, self.order, self.direction)


def _formulas() -> dict[str, tuple[Formula, Facts]]:
    found: dict[str, tuple[Formula, Facts]] = {}
    for name, case in CASES.items():
        given, kind = case["inputs"], case["derivative"]
        shapes = {x: tuple(of["shape"]) for x, of in given.items()}
        order = 2 if kind in ("hessian", "hvp") else 1
        direction = case["hvp_vector"] if kind == "hvp" else None
        formula = Formula(case["naive_numpy"], case["wrt"], shapes, order, direction)
        found[name] = formula, {x: of["facts"] for x, of in given.items() if of["facts"]}
    for name, family in FAMILIES.items():
        for i, text in enumerate(family.spellings[:12]):
            found[f"{name}, {i}"] = Formula(text, family.wrt, family.shapes), family.facts
    return found


FORMULAS = _formulas()
#: Labels are whole numbers, and looked at in every call: they are never taken on trust.
DECLARED = [
    pytest.param(name, x, fact, id=f"{name}-{x}-{fact}")
    for name, (_, facts) in FORMULAS.items()
    for x, own in facts.items()
    for fact, value in own.items()
    if value and fact not in ("labels", "ignore")
]


def without(facts: Facts, x: str, fact: str) -> Facts:
    """The declarations but one."""
    less = {**facts, x: {key: value for key, value in facts[x].items() if key != fact}}
    return {name: own for name, own in less.items() if own}


def anything(found: Derivation) -> dict[str, Any]:
    """Values that break most facts."""
    rng = np.random.default_rng(7)
    arrays: dict[str, Any] = {}
    for name, node in found.inputs.items():
        shape = [size_value(size, {"n": 3}) for size in node.shape]
        whole = node.dtype == "int64"
        arrays[name] = rng.integers(0, 2, shape) if whole else 2 * rng.normal(size=shape)
    return arrays


@pytest.mark.parametrize(("name", "x", "fact"), DECLARED)
def test_what_is_leaned_on_is_listed(name: str, x: str, fact: str) -> None:
    formula, facts = FORMULAS[name]
    trusting, wary = formula.derived(facts), formula.derived(without(facts, x, fact))
    arrays = anything(trusting)
    for one, other in ((trusting.value, wary.value), (trusting.derivative, wary.derivative)):
        if not np.allclose(one(**arrays), other(**arrays), 1e-9, 1e-12, equal_nan=True):
            assert (x, fact) in trusting.assumptions


@pytest.mark.parametrize(
    ("text", "facts", "leaned"),
    [
        ("sqrt(x**2)", {"x": {"nonnegative": True}}, "nonnegative"),
        ("1 / sqrt(4 * x**2)", {"x": {"positive": True}}, "positive"),
        ("(x**4)**0.25", {"x": {"range": [0, 2]}}, "range"),
        ("abs(3 * x)", {"x": {"positive": True}}, "positive"),
        ("where(x > 0, log(x), 0)", {"x": {"positive": True}}, "positive"),
        ("where(x <= 1, x, x**2)", {"x": {"range": [0, 1]}}, "range"),
        ("relu(x)**2", {"x": {"nonnegative": True}}, "nonnegative"),
        ("maximum(x, 0)", {"x": {"nonnegative": True}}, "nonnegative"),
        ("sigmoid_cross_entropy(2.5, x)", {"x": {"zero_or_one": True}}, None),
    ],
)
def test_signs_taken_on_trust_are_listed_told_and_checked(
    text: str, facts: Facts, leaned: str | None
) -> None:
    found = derive(text, "x", facts=facts)
    assert found.assumptions == ((("x", leaned),) if leaned else ())
    if leaned:
        assert any(f"[x: {leaned}]" in line for line in found.trace_lines())
        assert f"Simplified on the word of the caller: x has {leaned}." in found.source
    with pytest.raises(ValueError, match="x: declared"):
        found.derivative(x=-3.0, check_facts=True)


def test_a_spec_says_what_it_was_trusted_in() -> None:
    spec = """
name = "scale"
output = "h"
[inputs]
x = { shape = ["batch"], positive = true }
[parameters]
w = { shape = [] }
[equations]
h = "w * sqrt(x**2)"
[loss]
per_example = "h**2"
"""
    compiled = compile_spec(spec)
    assert "Simplified on the word of the spec: x has positive." in compiled.source
    module = compiled.module()
    with pytest.raises(ValueError, match=r"x: declared positive, got -1\.0"):
        module.loss({"w": np.array(1.0)}, np.array([-1.0]), check_facts=True)


def test_sums_clamped_at_zero_lean_on_their_weights() -> None:
    """Σ w x² in the cheapest order may round below 0 and is clamped, if w is nonnegative."""
    shapes, text = {"X": ("n", 2), "w": ("n",), "v": (2, 90)}, "sum(w[:, None] * (X @ v)**2)"
    trusting, wary = (
        derive(text, "v", shapes, {"w": {"nonnegative": True}}),
        derive(text, "v", shapes),
    )
    assert "maximum" in trusting.source
    assert trusting.assumptions == (("w", "nonnegative"),)
    assert "maximum" not in wary.source
    assert wary.assumptions == ()
