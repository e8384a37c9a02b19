"""From a formula to a node, by a walk over its syntax tree; nothing is evaluated as Python.

The walk keeps its own stack, so that no nesting can exhaust Python's.  Every fault of a formula is
found in one walk: an expression with a fault has the value BROKEN, and whatever is made from it is
BROKEN silently.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symdiff.errors import Fault, SpecError
from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.spec.calls import Inlined, UserFunction
from symdiff.spec.constructs import PLANS, refuse
from symdiff.spec.scope import Plan, Scope
from symdiff.spec.syntax import Formula, FormulaFault, parse
from symdiff.spec.values import BROKEN, Value, as_array, is_number, says

MOST_STEPS = 200_000

# What a function of the graph raises for arguments that do not fit.
ARGUMENT_FAULTS = (ValueError, TypeError, ArithmeticError, LookupError)


@dataclass
class _Frame:
    """An expression on the walk's stack: its parts, their values so far, and what joins them."""

    node: ast.AST
    parts: Sequence[ast.AST]
    make: Callable[..., Value]
    formula: Formula
    scope: Scope
    site: tuple[int, str] | None  # the outermost call of a user function, and that function
    values: list[Value] = field(default_factory=list)


class Walk:
    """One walk over one formula; ``faults`` holds what was found, as (offset, message)."""

    def __init__(self, formula: Formula, scope: Scope) -> None:
        self.formula = formula
        self.scope = scope
        self.faults: list[tuple[int, str]] = []

    def value(self) -> Value:
        """The formula's value; BROKEN if there are faults."""
        stack: list[_Frame] = []
        result = self._enter(stack, self.formula.root, self.formula, self.scope, None)
        steps = 0
        while stack:
            steps += 1
            if steps > MOST_STEPS:
                self.faults.append((0, f"the formula takes more than {MOST_STEPS} steps"))
                return BROKEN
            frame = stack[-1]
            if result is not None:
                frame.values.append(result[0])
            done = len(frame.values)
            if done < len(frame.parts):
                part = frame.parts[done]
                result = self._enter(stack, part, frame.formula, frame.scope, frame.site)
                continue
            stack.pop()
            value = self._leave(frame)
            result = (value,)
            if isinstance(value, Inlined):
                site = frame.site or (frame.formula.offset(frame.node), value.function.name)
                inner = Scope(
                    {**value.function.values, **value.arguments}, value.function.functions
                )
                body = value.function.body
                result = self._enter(stack, body.root, body, inner, site)
        assert result is not None
        return result[0]

    def _fault(self, offset: int, message: str, site: tuple[int, str] | None) -> None:
        if site is not None:
            offset, message = site[0], f"in {site[1]}: {message}"
        if (offset, message) not in self.faults:
            self.faults.append((offset, message))

    def _enter(
        self,
        stack: list[_Frame],
        node: ast.AST,
        formula: Formula,
        scope: Scope,
        site: tuple[int, str] | None,
    ) -> tuple[Value] | None:
        """The value of a node without parts; else a frame on the stack."""
        try:
            plan = PLANS.get(type(node), refuse)(node, formula, scope)
        except FormulaFault as fault:
            self._fault(fault.offset, fault.message, site)
            return (BROKEN,)
        if isinstance(plan, Plan):
            stack.append(_Frame(node, plan.parts, plan.make, formula, scope, site))
            return None
        return (plan,)

    def _leave(self, frame: _Frame) -> Value:
        try:
            return frame.make(*frame.values)
        except FormulaFault as fault:
            self._fault(fault.offset, fault.message, frame.site)
        except RecursionError:
            self._fault(frame.formula.offset(frame.node), "nested too deeply", frame.site)
        except ARGUMENT_FAULTS as fault:
            said = _say(fault)
            segment = frame.formula.segment(frame.node)
            self._fault(frame.formula.offset(frame.node), f"{segment}: {said}", frame.site)
        return BROKEN


def _say(fault: BaseException) -> str:
    if isinstance(fault, ZeroDivisionError):
        return "division by zero"
    if isinstance(fault, OverflowError):
        return "the number is too large"
    said = fault.args[0] if fault.args else type(fault).__name__
    return " ".join(str(said).split())


def parse_formula(
    text: str,
    names: Mapping[str, Node | Value],
    functions: Mapping[str, UserFunction] | None = None,
    source: str = "EXPR",
) -> Node:
    """The node that a formula stands for, over named nodes, sizes and numbers.

    Raises SpecError with every fault of the formula, at ``source:1:column`` (lines and columns of
    the text as given).
    """
    try:
        walk = Walk(parse(text), Scope(names, functions or {}))
        value = array_value(walk)
        found = walk.faults
    except FormulaFault as fault:
        value, found = BROKEN, [(fault.offset, fault.message)]
    if found:
        raise SpecError(source, [Fault(*text_place(text, at), said) for at, said in found])
    node: Node = value
    return node


def array_value(walk: Walk) -> Value:
    """The walk's value as a node; BROKEN, with a fault noted, if it is no array."""
    value = walk.value()
    if value is BROKEN or isinstance(value, Node):
        return value
    value = as_array(value)
    if isinstance(value, Node) or is_number(value):
        return build.as_node(value)
    walk.faults.append((0, f"a formula gives an array, not {says(value)}"))
    return BROKEN


def text_place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character of a text."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
