"""The last touch on derivatives of formulas: factors shared, diagonals outermost, one sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.pipeline import SHORT
from symdiff.simplify.rewrite import Context
from symdiff.simplify.signs import one_sign
from tests.simplify.highprecision import evaluate_exactly
from tests.simplify.measuring import relative_error

v, w, x, y, z = (b.input(name, (4,)) for name in "vwxyz")
A = b.input("A", (4, 4))
s, t = b.input("s", ()), b.input("t", ())
EYE = b.eye(4)
pos = b.input("pos", (4,), positive=True)
F = "float64"
_RNG = np.random.default_rng(3)
VALUES: Mapping[str, Any] = {
    **{name: _RNG.normal(size=4) for name in "vwxyz"},
    "A": _RNG.normal(size=(4, 4)),
    "pos": np.array([0.5, 1.0, 2.0, 3.0]),
    "s": np.array(0.7),
    "t": np.array(-1.3),
}
BY_NAME = {rule.name: rule for rule in SHORT.rules}

#: What each rule makes of what, and where it does nothing.
FIRES: dict[str, list[tuple[Node, Node]]] = {
    "shared_factors": [
        (x * y * w + x * y * z + v, x * y * (w + z) + v),
        (3 * x * y + x * w + z, x * (3 * y + w) + z),
        (x**3 * y - 2 * x**2 * z + w, x**2 * (x * y - 2 * z) + w),
        (y / x - z * v / x + w, (y - z * v) / x + w),
        (v * (2 * x + 1) + 3 * (v * x) + y, v * (5 * x + 1) + y),
        (x * y + x + z, x * (y + 1) + z),
    ],
    "shared_divisor": [
        (y * (x / s + w / s**2), (y / s) * (x + w / s)),
        (t * y * (w / s - x / s**3), t * y * (w - x / s**2) / s),
    ],
    "diagonal_outermost": [
        ((EYE * x) * y, EYE * x * y),
        (EYE * x[:, None] * y, EYE * x * y),
        (EYE * x[:, None] ** 2, EYE * x**2),
    ],
    "common_vector": [
        (A @ x + A.T @ x, (A + A.T) @ x),
        (2 * (A @ x) - A.T @ x, (2 * A - A.T) @ x),
    ],
    "compare_multiples": [
        (b.cast(0.1 * x > x, F) * y, b.cast(x < 0, F) * y),
        (b.cast(s * x <= (s - 1) * x, F) * y, b.cast(x <= 0, F) * y),
        (b.cast(b.equal(x, 0.3 * x), F) * y, b.cast(b.equal(x, 0.0), F) * y),
    ],
    "sign_of_compared": [
        (b.cast(b.expm1(x) < 0, F) * y, b.cast(x < 0, F) * y),
        (b.cast(-2 * x * pos > 0, F) * y, b.cast(x < 0, F) * y),
    ],
    "relu_against_bound": [
        (b.cast(b.relu(x) < 2, F) * y, b.cast(x < 2, F) * y),
        (b.cast(b.relu(x) >= 1, F) * y, b.cast(x >= 1, F) * y),
    ],
    "sign_of_indicators": [
        (b.cast(x > 0, F) + 0.5 * b.cast(b.equal(x, 0.0), F), 0.5 * b.sign(x) + 0.5),
        (y * b.cast(x > 0, F) - y * b.cast(x < 0, F), y * b.sign(x)),
        (
            b.cast(x > 0, F) + 0.25 * b.cast(x < 0, F) + 0.625 * b.cast(b.equal(x, 0.0), F) + w,
            0.625 + 0.375 * b.sign(x) + w,
        ),
    ],
    "multiplied_out": [
        (x * (y + w) - x * y + z, x * w + z),
        (s * (1 + b.sign(x)) + (s - 1) * (1 - b.sign(x)), 2 * s - 1 + b.sign(x)),
    ],
}
NEVER: dict[str, list[Node]] = {
    "shared_factors": [x * y + w * z, x * y + w / x, w / x + z / x**2, x * y - 2],
    "shared_divisor": [x / s + w / s**2, y * (x / s + w), y * (x / w + z / w**2), (x + w) / s],
    "diagonal_outermost": [EYE * x, (A * x) * y, A * x[:, None], EYE * A],
    "common_vector": [A @ x + A.T @ y, A @ x + (A * A) @ x, A @ x],
    "compare_multiples": [x > y, x > x + 1, s * x > t * x, x > 2],
    "sign_of_compared": [b.exp(x) > 0, x * y > 0, b.expm1(x) > 1, b.sin(x) > 0],
    "relu_against_bound": [b.relu(x) < -1, b.relu(x) < y, b.relu(x) <= 0, b.abs(x) < 1],
    "sign_of_indicators": [
        b.cast(x > 0, F) + b.cast(b.equal(x, 0.0), F),
        b.cast(x > 0, F) + 0.5 * b.cast(b.equal(y, 0.0), F),
        y * b.cast(x > 0, F) - z * b.cast(x < 0, F),
        b.cast(x > 0, F) + y,
    ],
    "multiplied_out": [x * (y + w) + z, x * (y + w) * (v + 1) - x * y, b.sin(x) + y],
}


def shortened(root: Node) -> Node:
    return simplify(root, phases=(SHORT,), contractions=False, debug=True).root


@pytest.mark.parametrize(("rule", "i"), [(k, i) for k, v in FIRES.items() for i in range(len(v))])
def test_what_each_does(rule: str, i: int) -> None:
    before, after = FIRES[rule][i]
    made = shortened(before)
    assert made is shortened(after)
    assert made is not before
    truth = evaluate_exactly(before, VALUES)
    assert relative_error(evaluate_exactly(made, VALUES), truth) < 1e-15
    assert relative_error(evaluate(made, dict(VALUES.items())), truth) < 1e-13


@pytest.mark.parametrize(("rule", "i"), [(k, i) for k, v in NEVER.items() for i in range(len(v))])
def test_where_each_does_nothing(rule: str, i: int) -> None:
    root = NEVER[rule][i]
    context = Context([root])
    fired = [BY_NAME[rule](x, context) for x in toposort([root]) if x.op in BY_NAME[rule].ops]
    assert not any(fired)


def test_every_rule_has_a_case() -> None:
    elsewhere = {"flatten_sum", "flatten_product", "transpose_of_symmetric"}
    assert set(FIRES) == set(NEVER) == set(BY_NAME) - elsewhere


def test_a_product_that_is_wanted_stays_whole() -> None:
    both = b.sin(x * y)
    total = x * y * w + x * y + z
    root = both * total
    assert any(node is x * y for node in toposort([shortened(root)]))


def test_a_difference_has_one_sign() -> None:
    r = x - y
    root = b.sum(r**2) * (y - x) + b.exp(r)
    made = one_sign(root)
    assert made is b.exp(r) - b.sum(r**2) * r
    assert one_sign(made) is made
    assert one_sign(y - x) is y - x
    inside = b.log(y - x) + (A @ (y - x)) / r**3 + b.abs(r)
    assert one_sign(inside) is b.log(y - x) - (A @ (y - x)) / (y - x) ** 3 + b.abs(y - x)
    assert one_sign(b.exp(-x - y) + (x + y) ** 2) is b.exp(-x - y) + (x + y) ** 2
    alone = b.exp(x - y) + b.exp(2 * y - x)
    assert one_sign(alone) is alone


@pytest.mark.parametrize(
    ("formula", "order", "line"),
    [
        ("sum(x/(1+exp(-x)))", 2, "diag((x ⊙ (σ(−x) − σ(x)) + 2) ⊙ σ(x) ⊙ σ(−x))"),
        ("x@A@x", 1, "(A + Aᵀ) x"),
        ("sum(log(1+x**2/s))", 1, "2 x / hypot(x, sqrt(s))²"),
        ("s*log(sum(exp(x/s)))", 1, "softmax(x / s)"),
    ],
)
def test_derivatives_read_well(formula: str, order: int, line: str) -> None:
    shapes = {"x": (4,), "A": (4, 4)}
    used = {name: shape for name, shape in shapes.items() if name in formula}
    facts = {"s": {"positive": True}} if "s)" in formula or "s*" in formula else {}
    found = sd.derive(formula, "x", used, facts if "/s" in formula else {}, order=order)
    assert found.text.splitlines()[-1].partition(" = ")[2] == line


def test_the_slope_of_a_tempered_logsumexp_is_an_entropy() -> None:
    """Without the difference of two large numbers."""
    found = sd.derive("t*log(sum(exp(x/t)))", "t", {"x": (3,)}, {"t": {"positive": True}})
    assert found.text.splitlines()[-1].endswith("= −log_softmax(x / t)ᵀ softmax(x / t)")
    far = {"x": np.array([1e9, 1e9 - 1, 1e9 - 2]), "t": np.array(1.0)}
    q = np.exp([0.0, -1.0, -2.0]) / np.exp([0.0, -1.0, -2.0]).sum()
    np.testing.assert_allclose(found.derivative(**far), -(q @ np.log(q)), rtol=1e-14)
