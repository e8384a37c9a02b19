"""Where the derivative can't be shortened, it is given as it was."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr.algebra import linear_combination
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from symdiff.simplify.rewrite import Context, Phase, Rewrite, RewriteError, rule

derive_module: Any = importlib.import_module("symdiff.derive")


@rule("exact", "add")
def back_and_forth(node: Node, context: Context) -> Rewrite | None:
    """a + b = a + b + 1 = a + b, over and over"""
    step = -1.0 if node.attr("constant") else 1.0
    return Rewrite(linear_combination([(node, 1.0)], step))


@rule("exact", "add")
def growing(node: Node, context: Context) -> Rewrite | None:
    """a + b = a + b + 1, without end"""
    return Rewrite(linear_combination([(node, 1.0)], 1.0))


@pytest.mark.parametrize("broken", [back_and_forth, growing])
def test_a_cycle_leaves_the_longer_form(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    phase = Phase("shorten", (broken,), local=False)
    monkeypatch.setattr(derive_module, "SHORT", phase)
    found = sd.derive("sum(x**2 + 3*x*y)", wrt="x", shapes={"x": (2,), "y": (2,)})
    x, y = np.array([1.0, 2.0]), np.array([-0.5, 4.0])
    np.testing.assert_allclose(found.derivative(x=x, y=y), 2 * x + 3 * y)
    with pytest.raises(RewriteError):
        simplify(found.derivative_node, phases=(phase,))
