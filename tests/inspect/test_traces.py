"""Traces of whole derivations: short, with laws and facts, each step true in numbers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from symdiff.cli import main
from symdiff.derive import Derivation, derive
from symdiff.inspect.model import inspect_model
from symdiff.simplify.rewrite import Rule
from symdiff.simplify.trace import LINES, Step, Trace
from symdiff.spec.load import load

FILE = Path(__file__).parents[1] / "data" / "naive_to_stable.json"
CASES: dict[str, dict[str, Any]] = {
    case["id"]: case for case in json.loads(FILE.read_text(encoding="utf-8"))["cases"]
}


@cache
def derived(name: str) -> Derivation:
    case = CASES[name]
    return derive(
        case["naive_numpy"],
        case["wrt"],
        shapes={x: tuple(given["shape"]) for x, given in case["inputs"].items()},
        facts={x: given["facts"] for x, given in case["inputs"].items() if given["facts"]},
        order=1 if case["derivative"] == "gradient" else 2,
        direction=case.get("hvp_vector"),
    )


@pytest.mark.parametrize("name", CASES)
def test_every_step_can_be_replayed(name: str) -> None:
    d = derived(name)
    point = {x: np.asarray(a, d.inputs[x].dtype) for x, a in CASES[name]["benign_point"].items()}
    for step in d.trace.steps:
        with np.errstate(all="ignore"):
            before, after = step.replay(point)
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-12, err_msg=step.rule.name)


@pytest.mark.parametrize("name", CASES)
def test_a_trace_is_short_and_says_what_it_leaned_on(name: str) -> None:
    d = derived(name)
    lines = d.trace_lines()
    assert len(lines) - len(d.near_misses) <= LINES + 3
    assert sum(line.endswith("by the chain rule") for line in lines) == 1
    for variable, fact in d.assumptions:
        assert any(f"{variable}: {fact}" in line for line in lines)


def test_what_is_not_in_the_ledger_is_not_needed() -> None:
    """Without its facts, a derivation that leaned on none comes out the same."""
    leaned = 0
    for name, case in CASES.items():
        d = derived(name)
        if d.assumptions:
            leaned += 1
            continue
        dtypes = {x: given["facts"].get("labels") for x, given in case["inputs"].items()}
        bare = derive(
            d.expression,
            d.wrt,
            shapes={x: node.shape for x, node in d.inputs.items()},
            facts={x: {"labels": n} for x, n in dtypes.items() if n},
            order=d.order,
            direction=d.direction,
        )
        assert bare.text == d.text
    assert leaned > 5


def test_the_law_is_the_one_that_applied() -> None:
    (recognised, logarithm, raw) = derived("log_sigmoid").trace_lines()
    assert recognised == (
        "1 / (exp(−x) + 1)  →  σ(x)    sigmoid_of_quotient: 1 / (1 + eʷ) = σ(−w), w ↦ −x"
    )
    assert logarithm == "log(σ(x))  →  −softplus(−x)    log_of_known: log σ(z) = −softplus(−z)"
    assert raw == "∂f/∂x = σ(−x)    by the chain rule"


def test_the_chain_rules_result_stands_between_formula_and_derivative() -> None:
    d = derive("-sum(t*log(softmax(2*z)))", "z", {"z": 4, "t": 4}, {"t": {"sums_to_one": True}})
    assert d.trace_lines() == [
        "log(softmax(2 z))  →  log_softmax(2 z)"
        "    log_of_known: log softmax(z) = log_softmax(z), z ↦ 2 z",
        "∂f/∂z = 2 (Σ(t) softmax(2 z) − t)    by the chain rule",
        "Σ(t)  →  1    known_sum: Σ p = 1, where that is known of p  [t: sums_to_one]",
        "tidied up in 1 step (sum_of_product)",
    ]


@pytest.mark.parametrize(
    ("formula", "shapes", "said"),
    [
        ("-sum(t*log(softmax(z)))", {"z": 3, "t": 3}, "Σt = 1 unknown, t is not declared"),
        ("-sum(p*w*log(softmax(z)))", {"z": 3, "p": 3, "w": 3}, "p is multiplied by w"),
        ("softplus(z) - y*z", {}, "softplus_of_labels not applied: y is not known to be 0 or 1"),
        ("z @ A @ z", {"z": 3, "A": (3, 3)}, "transpose_of_symmetric not applied: A is not"),
    ],
)
def test_near_misses_are_told_and_gone_with_the_fact(
    formula: str, shapes: dict[str, Any], said: str
) -> None:
    facts = {"p": {"sums_to_one": True}} if "p" in shapes else {}
    d = derive(formula, "z", shapes, facts)
    assert said in d.trace_lines()[-1]
    assert json.loads(d.to_json())["near_misses"] == list(d.near_misses)
    known = {"t": "sums_to_one", "y": "zero_or_one", "A": "symmetric"}
    more = {x: {known[x]: True} for x in d.inputs if x in known}
    if more:
        assert derive(formula, "z", shapes, facts | more).near_misses == ()


def test_inspect_tells_near_misses_and_leaves_them_out_without_trace() -> None:
    found = inspect_model(load(WEIGHTED), ["z"])
    said = "softmax_minus_target not applied: Σ(t ⊙ w) = 1 unknown, t is multiplied by w"
    assert said in found.to_text(trace=True)
    assert said not in found.to_text()


WEIGHTED = """
name = "weighted"
output = "q"
[inputs]
x = { shape = ["batch", 3] }
t = { shape = ["batch", 2], sums_to_one = true }
w = { shape = ["batch", 2] }
[parameters]
W = { shape = [3, 2] }
[equations]
z = "x @ W"
q = "softmax(z)"
[loss]
per_example = "-sum(t * w * log(q), axis=-1)"
"""


def test_the_command_shows_the_trace() -> None:
    formula = ["derive", "log(exp(x))", "--wrt", "x"]
    plain = CliRunner().invoke(main, formula).stdout
    traced = CliRunner().invoke(main, [*formula, "--trace"]).stdout
    assert traced == plain + "\n    log(exp(x))  →  x    log_of_known: log eᶻ = z\n" + (
        "    ∂f/∂x = 1    by the chain rule\n"
    )
    data = json.loads(CliRunner().invoke(main, [*formula, "--format", "json"]).stdout)
    assert [(s["rule"], s["before"], s["after"]) for s in data["steps"]] == [
        ("log_of_known", "log(exp(x))", "x")
    ]


def test_many_applications_of_one_rule_are_one_line() -> None:
    terms = " + ".join(f"log(exp(x{i}))" for i in range(12))
    (line, raw, tidied) = derive(terms, "x0").trace_lines()
    assert line.startswith("log(exp(x")
    assert line.endswith("(12 times)")
    assert raw.endswith("by the chain rule")
    assert tidied == "tidied up in 1 step (flatten_sum)"


def test_more_rules_than_lines_are_named_with_their_facts() -> None:
    x = derive("x * y", "x").value_node.inputs
    steps = tuple(
        Step("", Rule(f"rule{i:02}", "law", "exact", (), lambda *_: None), x[0], x[1], {},
             frozenset({("y", "positive")}) if i == 11 else frozenset())
        for i in range(12)
    )  # fmt: skip
    lines = Trace(steps).lines(lambda node: str(node.attr("name")))
    assert len(lines) == LINES + 1
    assert lines[-1] == "and by rule10, rule11  [y: positive]"
