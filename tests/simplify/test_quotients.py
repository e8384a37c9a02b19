"""Quotients of what vanishes with their divisor: proved to, and computed as means of slopes."""

from __future__ import annotations

import numpy as np
import pytest

import symdiff as sd
from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.pipeline import ACCURATE
from symdiff.simplify.quotients import limits

p = b.input("p", (3,), positive=True, sums_to_one=True)
q = b.input("q", (3,), positive=True, sums_to_one=True)
x = b.input("x", (3,), positive=True)
z = b.input("z", (3,))
a, c = b.input("a", ()), b.input("c", (), positive=True)
VALUES = {
    "p": np.array([0.5, 0.25, 0.25]),
    "q": np.array([0.125, 0.5, 0.375]),
    "x": np.array([0.5, 2.0, 3.0]),
    "z": np.array([0.5, -1.0, 2.0]),
    "c": np.array(0.75),
}
SOFT = np.exp(VALUES["z"]) / np.exp(VALUES["z"]).sum()
LOG = np.log(VALUES["p"] / VALUES["q"])
QUOTIENTS = {
    "Rényi": (b.log(b.sum(p**a * q ** (1 - a))) / (a - 1), 1, VALUES["p"] @ LOG),
    "Tsallis": ((1 - b.sum(p**a)) / (a - 1), 1, -VALUES["p"] @ np.log(VALUES["p"])),
    "of logits": (b.log(b.sum(b.softmax(z) ** a)) / (1 - a), 1, -SOFT @ np.log(SOFT)),
    "power mean": (b.mean(x**a) ** (1 / a), 0, np.exp(np.mean(np.log(VALUES["x"])))),
    "mean of exponentials": (b.log(b.mean(b.exp(a * z))) / a, 0, VALUES["z"].mean()),
    "of two squares": (
        4 / (1 - a**2) * (1 - b.sum(p ** ((1 - a) / 2) * q ** ((1 + a) / 2))),
        -1,
        VALUES["p"] @ LOG,
    ),
    "one plus a quotient": (
        b.sum((1 + 1 / a) * b.log(1 + a * x)),
        0,
        VALUES["x"].sum(),
    ),
}
OTHERS = [
    b.sum(x**a) ** (1 / a),
    b.log(b.sum(x**a)) / (a - 1),
    b.log(b.sum(p**a * q ** (2 - a))) / (a - 1),
    (2 - b.sum(p**a)) / (a - 1),
    b.log(b.sum(p**a)) / (a - 2),
    b.log(b.sum(p**a)) / (a**2 + 1),
    (1 - b.sum(p ** ((1 - a) / 2) * q ** ((1 + a) / 2))) / (2 - a**2),
    (b.exp(a) - 1) / a,
    b.log(b.sum(b.softmax(z) ** c)) / a,
]


def recognised(node: Node) -> Node:
    return simplify(node, phases=ACCURATE, contractions=False).root


@pytest.mark.parametrize("name", QUOTIENTS)
def test_the_limit_is_known(name: str) -> None:
    """At the pole itself, where the quotient is 0/0."""
    node, pole, limit = QUOTIENTS[name]
    found = [each for each in limits(*[recognised(node)] * 2) if evaluate(each.near, at(pole))]
    assert len(found) == 1
    assert evaluate(found[0].value, at(pole)) == pytest.approx(limit, rel=1e-14)
    assert not evaluate(found[0].near, at(pole + 0.75))


@pytest.mark.parametrize("name", QUOTIENTS)
@pytest.mark.parametrize("away", [-0.1, 0.1])
def test_it_is_the_quotient_elsewhere(name: str, away: float) -> None:
    node, pole, _ = QUOTIENTS[name]
    (found, *_) = (e for e in limits(*[recognised(node)] * 2) if evaluate(e.near, at(pole)))
    values = at(pole + away)
    assert evaluate(found.value, values) == pytest.approx(evaluate(node, values), rel=1e-13)


@pytest.mark.parametrize("node", OTHERS)
def test_others_have_none(node: Node) -> None:
    assert limits(recognised(node), recognised(node)) == []


def test_the_facts_are_in_the_ledger() -> None:
    facts = {"p": {"positive": True, "sums_to_one": True}}
    found = sd.derive("log(sum(p**a)) / (1 - a)", "a", {"p": (3,)}, facts)
    assert ("p", "sums_to_one") in found.assumptions


def test_without_the_fact_there_is_no_limit() -> None:
    """Σ pᵃ is not 1 at a = 1, so that the quotient is infinite there, as it should be."""
    found = sd.derive("log(sum(p**a)) / (1 - a)", "a", {"p": (2,)}, {"p": {"positive": True}})
    slope = found.derivative(p=np.array([0.5, 0.25]), a=np.array(1 + 1e-9))
    assert slope == pytest.approx(np.log(0.75) * 1e18, rel=1e-6)


def at(value: float) -> dict[Node | str, object]:
    return {**VALUES, "a": np.array(float(value))}


def test_a_slope_without_the_divisor_has_none() -> None:
    """Barron's loss is Σ expm1(a …) / a, of which the slope by x is divided by a no more."""
    node = recognised(b.sum(scalar("pow", 1 + x**2, a / 2) - 1) / a)
    assert limits(node, node)
    assert limits(node, recognised(grad(node, x))) == []
