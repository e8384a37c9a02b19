"""A model as its author wrote it: each equation over the names of those above it.

The graph of a model knows no equations: what a name stands for is merged with whatever reads it.
Here every formula is read again with the equations above it as inputs, so that derivatives can be
taken from one equation to the next, as in a textbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symdiff.expr import build
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.simplify import Simplified, simplify
from symdiff.spec.calls import UserFunction
from symdiff.spec.declare import function_name, function_parameters
from symdiff.spec.formula import parse_formula
from symdiff.spec.model import Model
from symdiff.spec.syntax import parse
from symdiff.spec.values import Value, from_size


@dataclass(frozen=True)
class Equations:
    """The formulas of a model, each over leaves.

    ``leaves`` has a leaf for every name (inputs, parameters, equations); ``formulas`` what each
    equation, and last the loss (under the name ``loss``), is in terms of them, as written.
    """

    model: Model
    leaves: Mapping[str, Node]
    formulas: Mapping[str, Node]
    loss: str

    def reads(self, name: str) -> set[str]:
        """The names that a formula reads."""
        return {leaf.attr("name") for leaf in leaves([self.formulas[name]])}

    def simplified(self) -> tuple[dict[str, Node], Simplified]:
        """The formulas in simplest form, each by itself."""
        found = simplify(list(self.formulas.values()), trace=True)
        return dict(zip(self.formulas, found.roots, strict=True)), found


def read_equations(model: Model) -> Equations:
    """The formulas of a model that was read from a spec."""
    with build.default_dtype(model.dtype):
        sizes: dict[str, Value] = {name: from_size(name) for name in model.free_sizes}
        sizes.update(model.dims)
        functions = _functions(model, sizes)
        values: dict[str, Value] = {**sizes, **model.inputs}
        values.update((name, p.node) for name, p in model.parameters.items())
        formulas: dict[str, Node] = {}
        for name, equation in model.equations.items():
            node = parse_formula(equation.text, values, functions, name)
            formulas[name] = node
            # What holds whole numbers has no derivative: it is read through.
            is_float = node.dtype in FLOATS
            values[name] = build.input(name, node.shape, node.dtype) if is_float else node
        label = next(n for n in ("J", "L", "J_total", "loss_total") if n not in values)
        formulas[label] = _loss(model, values, functions)
    named = {name: node for name, node in values.items() if isinstance(node, Node)}
    return Equations(model, named, formulas, label)


def _functions(model: Model, sizes: Mapping[str, Value]) -> dict[str, UserFunction]:
    functions: dict[str, UserFunction] = {}
    for header, text in model.functions.items():
        name = function_name(header)
        assert name is not None
        parameters = function_parameters(header)
        functions[name] = UserFunction(name, parameters, parse(text), sizes, dict(functions))
    return functions


def _loss(model: Model, values: Mapping[str, Value], functions: Mapping[str, UserFunction]) -> Node:
    """The reduction of the losses per example, plus the regularizer."""
    rows = parse_formula(model.per_example_text, values, functions, "per_example")
    loss = build.mean(rows) if model.reduction == "mean" else build.sum(rows)
    if model.regularizer_text is not None:
        loss = loss + parse_formula(model.regularizer_text, values, functions, "regularizer")
    return loss if loss.dtype in FLOATS else build.cast(loss, model.dtype)
