"""Equal functions reach the same node, however they are spelled, and so do their derivatives."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest

from symdiff.derive import Derivation, derive
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves, substitute
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from symdiff.simplify import simplify
from symdiff.simplify.pipeline import PHASES
from symdiff.simplify.rewrite import Budget, run_phase
from symdiff.variables import read_formula
from tests.simplify.spellings import FAMILIES
from tests.simplify.test_confluence import ORDERS, in_random_order, tidied

Array = np.ndarray[Any, Any]
SPELLINGS = [
    pytest.param(name, i, id=f"{name}-{i}")
    for name, family in FAMILIES.items()
    for i in range(1, len(family.spellings))
]


@cache
def derived(name: str, i: int = 0) -> Derivation:
    family = FAMILIES[name]
    return derive(family.spellings[i], family.wrt, family.shapes, family.facts)


#: Families whose derivatives are sums over whose terms a number is spread.
SPREAD = ("layer norm", "gelu", "gelu by the error function")


def point(node: Node) -> dict[Node | str, Array]:
    """Random values for what a graph reads, with n = 3."""
    rng = np.random.default_rng(0)
    return {
        x.attr("name"): rng.normal(size=[size_value(s, {"n": 3}) for s in x.shape])
        for x in leaves([node])
    }


def test_there_are_many() -> None:
    texts = [s for family in FAMILIES.values() for s in family.spellings]
    assert len(set(texts)) == len(texts) >= 150


@pytest.mark.parametrize(("name", "i"), SPELLINGS)
def test_one_function_is_one_node(name: str, i: int) -> None:
    assert derived(name, i).value_node is derived(name).value_node


@pytest.mark.parametrize(("name", "i"), SPELLINGS)
def test_one_derivative_is_one_node(name: str, i: int) -> None:
    assert derived(name, i).derivative_node is derived(name).derivative_node


@pytest.mark.parametrize("name", FAMILIES)
def test_a_constant_factor_stays_in_front(name: str) -> None:
    family, once = FAMILIES[name], derived(name)
    for text in (f"3 * ({family.spellings[0]})", f"({family.spellings[1]}) * 3"):
        thrice = derive(text, family.wrt, family.shapes, family.facts)
        assert thrice.value_node is simplify(3 * once.value_node).root
        if name in SPREAD:
            values = point(thrice.derivative_node)
            found, expected = evaluate([thrice.derivative_node, once.derivative_node], values)
            np.testing.assert_allclose(found, 3 * expected, rtol=1e-12, atol=1e-14)
        else:
            assert thrice.derivative_node is simplify(3 * once.derivative_node).root


@pytest.mark.parametrize("name", FAMILIES)
def test_rules_in_any_order(name: str) -> None:
    """Within each phase, 20 random orders of all rules reach one node, spelling by spelling."""
    family = FAMILIES[name]
    for text in family.spellings:
        root = read_formula(text, family.shapes, family.facts).node
        rng = random.Random(text)
        for phase in PHASES:
            expected = run_phase([root], phase, Budget(10_000))[root]
            for _ in range(ORDERS):
                assert tidied(in_random_order(root, phase, rng)) is tidied(expected)
            root = expected


def test_the_known_derivatives() -> None:
    """What the references come to, written out."""
    z = b.input("z", ("n", 5))
    y = b.input("y", ("n",), dtype="int64", labels=5)
    p = b.input("p", ("n", 5), sums_to_one=True)
    m = b.input("m", ("n",), zero_or_one=True)
    n = b.size_node("n", "float64")
    less = b.softmax(z) - b.one_hot(y, 5)
    assert derived("softmax cross-entropy, labels, mean").derivative_node is less / n
    assert derived("softmax cross-entropy, probabilities, sum").derivative_node is b.softmax(z) - p
    assert derived("softmax cross-entropy, masked").derivative_node is m[:, None] * less
    assert derived("softmax cross-entropy, left out").derivative_node is m[:, None] * less


def test_one_hot_targets_are_labels() -> None:
    """With a target known to be one-hot, the derivative is the labels' with it as one_hot(y)."""
    t, y = b.input("t", ("n", 5), one_hot=True), b.input("y", ("n",), dtype="int64", labels=5)
    for text in (
        "-mean(sum(t * log(softmax(z)), axis=1))",
        "-sum(t * log_softmax(z)) / n",
        "mean(softmax_cross_entropy(z, t))",
        "-trace(t @ log_softmax(z).T) / n",
    ):
        found = derive(text, "z", {"z": ("n", 5), "t": ("n", 5)}, {"t": {"one_hot": True}})
        (labelled,) = substitute([found.derivative_node], {t: b.one_hot(y, 5)})
        assert labelled is derived("softmax cross-entropy, labels, mean").derivative_node
