"""Random expressions: simplified, they are what they were, and cost more only to be stabler.

The expressions, and the check of their values, are those of tests/simplify/test_random_graphs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from codegen.formula import FormulaDescription, FormulaFunction, emit_formula
from codegen.load import load_module
from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves, substitute
from symdiff.expr.node import Node
from symdiff.inspect.show import show
from symdiff.simplify import simplify
from tests.oracles import assert_close
from tests.simplify.call_count import count_source
from tests.simplify.test_random_graphs import check, naive_values, s, spellings, u, z
from tests.strategies import SIZES, graphs


@dataclass(frozen=True)
class Expression:
    """Nodes with a point; printed as text."""

    roots: tuple[Node, ...]
    values: dict[str, Any]

    def text(self) -> str:
        """The nodes as equations, and the point."""
        shown = "\n".join(show(root) for root in self.roots)
        point = "\n".join(f"{name} = {value!r}" for name, value in self.values.items())
        return f"{shown}\nat\n{point}\n"


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """A smooth graph or a naive spelling, as it is, its gradient, or its Hessian times a vector."""
    kind = draw(st.sampled_from(("spelling", "gradient of a spelling", "graph", "gradient", "hvp")))
    if "spelling" in kind:
        root, values = draw(spellings()), naive_values(draw(st.integers(0, 1000)))
        if kind == "spelling":
            return Expression((root,), values)
        return Expression(tuple(gradients(simplify(root).root, [z, u, s])), values)
    graph = draw(graphs(max_steps={"graph": 7, "gradient": 5, "hvp": 4}[kind]))
    if kind == "graph":
        return Expression((graph.root, graph.inner), graph.values)
    if kind == "gradient":
        return Expression(tuple(gradients(graph.root, graph.leaves)), graph.values)
    made = hvp(graph.root, list(graph.leaves), graph.tangents)
    return Expression(tuple(made), {**graph.values, **graph.direction})


@dataclass(frozen=True)
class Emitted:
    """The module that a node alone becomes, with the values of its inputs."""

    source: str
    values: dict[str, Any]

    @property
    def calls(self) -> int:
        """The calls of NumPy that it comes to."""
        return count_source(self.source, self.values, list(self.values))

    @property
    def result(self) -> Any:
        """What it computes."""
        return load_module(self.source, "emitted").derivative(*self.values.values())


def emitted(root: Node, values: dict[str, Any]) -> Emitted:
    """A node emitted as it is; parameters and sizes are inputs."""
    found = leaves([root])
    made = [b.input(leaf.attr("name"), leaf.shape, leaf.dtype) for leaf in found]
    free = {a: x for a, x in zip(found, made, strict=True) if a.op == "parameter"}
    (root,) = substitute([root], free)
    inputs = {leaf.attr("name"): free.get(leaf, leaf) for leaf in found}
    inputs["sizes"] = b.input("sizes", tuple(SIZES))
    functions = {"derivative": FormulaFunction(root, "")}
    source = emit_formula(FormulaDescription("", inputs, functions))
    given = {**values, "sizes": np.zeros(list(SIZES.values()))}
    return Emitted(source, {name: given[name] for name in inputs})


#: One root in some six thousand takes a call more: where a number or a scalar, gathered before a
#: sum or taken out of one, was had for nothing where it stood.
SPARE = 1


def dearer(roots: Sequence[Node], values: dict[str, Any], spare: int = 0) -> list[str]:
    """Where simplifying a node raised its count of calls, though no rule that did is stabler.

    Both are emitted, so that both gain by what :mod:`codegen.common` finds.  Raises AssertionError
    where what is emitted computes something else than the node.
    """
    said = []
    for root in roots:
        found = simplify(root, trace=True, contractions=False)
        rules = {step.rule.name: step.rule.floats for step in found.trace.steps}
        after = emitted(found.root, values)
        assert_close(after.result, evaluate(found.root, values, SIZES), 1e-9, "emitted")
        if "stabler" in rules.values():
            continue
        before = emitted(root, values)
        if after.calls > before.calls + spare:
            named = ", ".join(sorted(rules))
            said.append(f"{before.calls} calls became {after.calls} by {named}")
    return said


def check_expression(expression: Expression) -> None:
    """Everything about one expression.  Raises AssertionError, or what the simplifier raises."""
    check(list(expression.roots), expression.values)
    said = dearer(expression.roots, expression.values, SPARE)
    assert not said, "; ".join(said)
