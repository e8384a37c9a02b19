"""Simplifying raises the count of NumPy's calls only to be stabler: formulas where it once did."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from tests.campaign import expressions
from tests.campaign.expressions import dearer, emitted

x, y, z = (b.input(name, (3, 4)) for name in "xyz")
c, row, s, t = b.input("c", (3, 1)), b.input("row", (4,)), b.input("s", ()), b.input("t", ())
k = b.input("k", (3,), dtype="int64", labels=4)
_RNG = np.random.default_rng(5)
VALUES = {
    **{name: _RNG.uniform(0.3, 1.5, (3, 4)) for name in "xyz"},
    "c": _RNG.uniform(0.3, 1.5, (3, 1)),
    "row": _RNG.uniform(0.3, 1.5, (4,)),
    "s": np.asarray(0.7),
    "t": np.asarray(1.3),
    "k": np.array([3, 0, 2]),
}

h = b.hypot(x, 1 + b.abs(y))
low = b.logsumexp(z)
e = b.exp(b.tanh(x))
curve = (1 + x**2) ** b.tanh(x)
picked = (x * (e / e.sum(1, keepdims=True)))[b.arange(3), k]
FORMULAS: dict[str, Node] = {
    "a factor of a sum of quotients": b.cos(h.sum()) * (c / b.hypot(c, h)).sum(1),
    "a factor of a product that is read": b.tanh((c * b.sin(x)).sum(1) @ (c * b.sin(x))),
    "absolute values of a multiple": b.hypot(3 * x, b.abs(3 * x) + 1),
    "a multiple inside of a product": b.hypot(3 * x * b.sin(y), b.abs(3 * x) + 1),
    "a sum that comes apart": b.sin((c * b.sin(row)).sum()),
    "a factor of terms of which one is read": (2 * low * b.sin(curve) + low)
    * b.sin(h * b.sin(low * b.sin(curve))),
    "the norm of a product": b.sqrt(((x * b.sin(x)) ** 2).sum(1)),
    "the norm of an outer product": b.sqrt(((c[:, 0] * c) ** 2).sum(1)),
    "probabilities that are picked": picked.mean(),
    "a scalar of a sum that is read": b.sin((s * b.sin(x) - s).sum())
    + b.tanh((s * b.sin(x) - s) @ row).sum(),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_no_more_calls(name: str) -> None:
    found = simplify(FORMULAS[name], trace=True, contractions=False).trace
    assert all(step.rule.floats != "stabler" for step in found.steps)
    assert dearer([FORMULAS[name]], VALUES) == []


def test_what_is_dearer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if squares were taken to be something that takes a call more."""

    def wasteful(root: Node, **options: object) -> object:
        found = simplify(root, **options)  # type: ignore[arg-type]
        wasted = b.arctan(b.tan(b.arctan(found.root)))
        return type(found)((wasted,), found.mapping, trace=found.trace)

    monkeypatch.setattr(expressions, "simplify", wasteful)
    before = emitted(x * y, VALUES).calls
    (said,) = dearer([x * y], VALUES)
    assert said.startswith(f"{before} calls became {before + 3}")
