"""From a formula to a node, by a walk over its syntax tree; nothing is evaluated as Python.

The walk keeps its own stack, so that no nesting can exhaust Python's.  Every fault of a formula is
found in one walk: an expression with a fault has the value BROKEN, and whatever is made from it is
BROKEN silently.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symdiff.errors import Fault, SpecError, did_you_mean
from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.nn import FUNCTIONS
from symdiff.spec.calls import METHODS, Inlined, UserFunction, call
from symdiff.spec.syntax import Formula, FormulaFault, parse
from symdiff.spec.values import (
    BINARY,
    BROKEN,
    Symbolic,
    Value,
    as_array,
    binary,
    check_number,
    from_size,
    is_number,
    negative,
    says,
)

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "inf": math.inf}
MODULES = ("np", "numpy")
MOST_STEPS = 200_000

# What a function of the graph raises for arguments that do not fit.
ARGUMENT_FAULTS = (ValueError, TypeError, ArithmeticError, LookupError)


@dataclass
class Scope:
    """The names that a formula may use.

    ``values`` are nodes, numbers, sizes and BROKEN; ``functions`` the user's own; ``kinds`` says
    what a name is ("input", "parameter", ...); ``below`` are the names that are declared only
    further down.  ``used`` collects the names that were read.
    """

    values: Mapping[str, Value]
    functions: Mapping[str, UserFunction | Value] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    below: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)

    def known(self) -> list[str]:
        """Every name that stands for a value."""
        return [*self.values, *CONSTANTS]

    def callable_names(self) -> list[str]:
        """Every name that can be called."""
        return [*self.functions, *FUNCTIONS]

    def describe(self, name: str) -> str:
        """``the parameter W1``."""
        return f"{self.kinds.get(name, 'name')} {name!r}"


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
            plan = PLANS.get(type(node), _refuse)(node, formula, scope)
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


@dataclass
class Plan:
    """How an expression's value is made: from the values of its parts."""

    parts: Sequence[ast.AST]
    make: Callable[..., Value]


def _strict(make: Callable[..., Value]) -> Callable[..., Value]:
    """``make``, but BROKEN if any part is."""

    def checked(*values: Value) -> Value:
        return BROKEN if any(value is BROKEN for value in values) else make(*values)

    return checked


# One plan a kind of syntax node: a value outright, or a Plan.


def _constant(node: ast.Constant, formula: Formula, scope: Scope) -> Value:
    value = node.value
    at = formula.offset(node)
    if isinstance(value, (complex, bytes)):
        raise FormulaFault(at, f"{formula.segment(node)} is neither a real number nor a string")
    if isinstance(value, (int, float)):
        try:
            check_number(value)
        except ValueError as fault:
            raise FormulaFault(at, str(fault)) from None
        if isinstance(value, float) and math.isinf(value):
            raise FormulaFault(at, "the number is too large; write inf for infinity")
    return value


def _name(node: ast.Name, formula: Formula, scope: Scope) -> Value:
    name, at = node.id, formula.offset(node)
    if name in scope.values:
        scope.used.add(name)
        return scope.values[name]
    if name in scope.below:
        raise FormulaFault(at, f"{name!r} is declared below; a formula uses only names above it")
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in scope.functions or name in FUNCTIONS:
        raise FormulaFault(at, f"{name!r} is a function; it must be called")
    hint = did_you_mean(name, [*scope.known(), *scope.callable_names()])
    raise FormulaFault(at, f"unknown name {name!r}{hint}")


def _binary(node: ast.BinOp, formula: Formula, scope: Scope) -> Plan:
    kind = type(node.op)
    if kind not in BINARY:
        raise FormulaFault(formula.offset(node), _not_a_part(node.op))
    return Plan((node.left, node.right), _strict(lambda a, b: binary(kind, a, b)))


def _compare(node: ast.Compare, formula: Formula, scope: Scope) -> Plan:
    at = formula.offset(node)
    if len(node.ops) > 1:
        raise FormulaFault(at, "a chain of comparisons; write (a < b) * (b < c)")
    kind = type(node.ops[0])
    if kind not in BINARY:
        raise FormulaFault(at, _not_a_part(node.ops[0]))
    parts = (node.left, node.comparators[0])
    return Plan(parts, _strict(lambda a, b: binary(kind, a, b)))


def _unary(node: ast.UnaryOp, formula: Formula, scope: Scope) -> Plan:
    if isinstance(node.op, ast.USub):
        return Plan((node.operand,), _strict(negative))
    raise FormulaFault(formula.offset(node), _not_a_part(node.op))


def _tuple(node: ast.Tuple, formula: Formula, scope: Scope) -> Plan:
    return Plan(node.elts, _strict(lambda *values: tuple(values)))


def _list(node: ast.List, formula: Formula, scope: Scope) -> Plan:
    return Plan(node.elts, _strict(lambda *values: list(values)))


def _slice(node: ast.Slice, formula: Formula, scope: Scope) -> Plan:
    given = [part for part in (node.lower, node.upper, node.step) if part is not None]

    def make(*values: Value) -> Value:
        rest = iter(values)
        bounds = [
            None if part is None else _slice_bound(next(rest))
            for part in (node.lower, node.upper, node.step)
        ]
        return slice(*bounds)

    return Plan(given, _strict(make))


def _slice_bound(value: Value) -> Value:
    if isinstance(value, Symbolic):
        return value.size
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"the bounds of a slice are whole numbers, not {says(value)}")


def _subscript(node: ast.Subscript, formula: Formula, scope: Scope) -> Plan:
    return Plan((node.value, node.slice), _strict(_index))


def _index(value: Value, key: Value) -> Value:
    if isinstance(value, (tuple, list)):
        plain = isinstance(key, int) and not isinstance(key, bool)
        if not plain and not isinstance(key, slice):
            raise TypeError(f"a tuple is indexed by a number or a slice, not {says(key)}")
        if isinstance(key, slice):
            return value[key]
        if not -len(value) <= key < len(value):
            raise IndexError(f"index {key} is out of range for {len(value)} sizes")
        return value[key]
    if not isinstance(value, Node):
        raise TypeError(f"{says(value)} cannot be indexed")
    keys = [_key(k) for k in key] if isinstance(key, tuple) else [_key(key)]
    return build.index(value, tuple(keys))


def _key(value: Value) -> Value:
    if isinstance(value, (str, float, bool)):
        raise TypeError(f"{says(value)} is not an index")
    if isinstance(value, list) and not all(
        isinstance(item, int) and not isinstance(item, bool) for item in value
    ):
        raise TypeError("a list of indices holds whole numbers")
    return as_array(value)


def _module_name(node: ast.expr, scope: Scope) -> str | None:
    """``exp`` for ``np.exp``; None if the prefix is no module or is a name of the user's."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    is_module = isinstance(node, ast.Name) and node.id in MODULES and node.id not in scope.values
    if not parts or not is_module:
        return None
    return ".".join(reversed(parts))


def _attribute(node: ast.Attribute, formula: Formula, scope: Scope) -> Value:
    at = formula.offset(node)
    name = _module_name(node, scope)
    if name is not None:
        if name == "newaxis":
            return None
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise FormulaFault(at, f"{name!r} is a function; it must be called")
        raise FormulaFault(at, f"unknown name {name!r}{did_you_mean(name, FUNCTIONS)}")
    if node.attr not in ATTRIBUTES:
        if node.attr in METHODS:
            raise FormulaFault(at, f".{node.attr} is a method; it must be called")
        known = [*ATTRIBUTES, *METHODS]
        hint = did_you_mean(node.attr, known)
        raise FormulaFault(at, f".{node.attr} is not a part of a formula{hint}")

    def make(value: Value) -> Value:
        if not isinstance(value, Node):
            raise TypeError(f"{says(value)} has no .{node.attr}")
        return ATTRIBUTES[node.attr](value)

    return Plan((node.value,), _strict(make))


ATTRIBUTES: Mapping[str, Callable[[Node], Value]] = {
    "T": lambda x: x.T,
    "shape": lambda x: tuple(from_size(size) for size in x.shape),
    "ndim": lambda x: x.ndim,
}


def _call(node: ast.Call, formula: Formula, scope: Scope) -> Plan:
    for keyword in node.keywords:
        if keyword.arg is None:
            raise FormulaFault(formula.offset(keyword.value), "** is not a part of a formula here")
    named = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
    parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    name, function, subject = _called(node.func, formula, scope)
    method = subject is not None

    def make(*values: Value) -> Value:
        split = len(values) - len(named)
        keywords = dict(zip(named, values[split:], strict=True))
        return call(name, function, values[:split], keywords, method)

    return Plan(parts if subject is None else [subject, *parts], make)


def _called(
    node: ast.expr, formula: Formula, scope: Scope
) -> tuple[str, Value, ast.expr | None]:
    """The name and the function that a call calls; for a method, also what it is called on."""
    at = formula.offset(node)
    name = _module_name(node, scope)
    if name is None and isinstance(node, ast.Attribute):
        if node.attr not in METHODS:
            hint = did_you_mean(node.attr, METHODS)
            raise FormulaFault(at, f"unknown method .{node.attr}{hint}")
        return node.attr, METHODS[node.attr], node.value
    if name is None:
        if not isinstance(node, ast.Name):
            raise FormulaFault(at, "only a function's name can be called")
        name = node.id
        if name in scope.functions:
            scope.used.add(name)
            return name, scope.functions[name], None
        if name in scope.values:
            raise FormulaFault(at, f"{scope.describe(name)} is not a function")
        if name in scope.below and name not in FUNCTIONS:
            raise FormulaFault(at, f"{name!r} is declared below; a formula uses only names above")
    if name in FUNCTIONS:
        return name, FUNCTIONS[name], None
    hint = did_you_mean(name, scope.callable_names())
    raise FormulaFault(at, f"unknown function {name!r}{hint}")


_WORDS: Mapping[type[ast.AST], str] = {
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.BitAnd: "& (multiply comparisons instead)",
    ast.BitOr: "| (use maximum of comparisons instead)",
    ast.BitXor: "^ (a power is written **)",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Invert: "~",
    ast.Not: "'not' (use 1 - a instead)",
    ast.UAdd: "a leading +",
    ast.Is: "'is'",
    ast.IsNot: "'is not'",
    ast.In: "'in'",
    ast.NotIn: "'not in'",
    ast.BoolOp: "'and' or 'or' (multiply comparisons instead)",
    ast.IfExp: "'if' (use where(condition, a, b) instead)",
    ast.Lambda: "lambda",
    ast.Starred: "*",
    ast.NamedExpr: ":=",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.JoinedStr: "an f-string",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
}


def _not_a_part(node: ast.AST) -> str:
    return f"{_WORDS.get(type(node), 'this')} is not a part of a formula"


def _refuse(node: ast.AST, formula: Formula, scope: Scope) -> Value:
    raise FormulaFault(formula.offset(node), _not_a_part(node))


PLANS: Mapping[type[ast.AST], Callable[[Any, Formula, Scope], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.UnaryOp: _unary,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.Call: _call,
}


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


def names_in(text: str) -> Iterable[str]:
    """The identifiers that a text holds, readable or not."""
    return re.findall(r"[^\W\d]\w*", text)
