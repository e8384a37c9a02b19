"""The constructs of formulas: one plan a kind of syntax node, and nothing else parses.

A plan is the value outright, or the parts whose values make it.  What has no entry in ``PLANS`` is
refused by name.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from symdiff.errors import did_you_mean
from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.nn import FUNCTIONS
from symdiff.spec.calls import METHODS, call
from symdiff.spec.scope import CONSTANTS, MODULES, ROOTS, Plan, Scope, strict
from symdiff.spec.syntax import Formula, FormulaFault
from symdiff.spec.values import (
    BINARY,
    Symbolic,
    Value,
    as_array,
    binary,
    check_number,
    from_size,
    negative,
    says,
)

ABOVE = "a formula uses only names above it"


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
        raise FormulaFault(at, f"{name!r} is declared below; {ABOVE}")
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in scope.functions or name in FUNCTIONS:
        raise FormulaFault(at, f"{name!r} is a function; it must be called")
    if name in scope.kinds:
        said = f"{scope.describe(name)} is not seen in here: it must be given as an argument"
        raise FormulaFault(at, said)
    raise FormulaFault(at, f"unknown name {name!r}{did_you_mean(name, scope.known())}")


def _binary(node: ast.BinOp, formula: Formula, scope: Scope) -> Plan:
    kind = type(node.op)
    if kind not in BINARY:
        raise FormulaFault(formula.offset(node), _not_a_part(node.op))
    return Plan((node.left, node.right), strict(lambda a, b: binary(kind, a, b)))


def _compare(node: ast.Compare, formula: Formula, scope: Scope) -> Plan:
    at = formula.offset(node)
    if len(node.ops) > 1:
        raise FormulaFault(at, "a chain of comparisons; write (a < b) * (b < c)")
    kind = type(node.ops[0])
    if kind not in BINARY:
        raise FormulaFault(at, _not_a_part(node.ops[0]))
    parts = (node.left, node.comparators[0])
    return Plan(parts, strict(lambda a, b: binary(kind, a, b)))


def _unary(node: ast.UnaryOp, formula: Formula, scope: Scope) -> Plan:
    if isinstance(node.op, ast.USub):
        return Plan((node.operand,), strict(negative))
    raise FormulaFault(formula.offset(node), _not_a_part(node.op))


def _tuple(node: ast.Tuple, formula: Formula, scope: Scope) -> Plan:
    return Plan(node.elts, strict(lambda *values: tuple(values)))


def _list(node: ast.List, formula: Formula, scope: Scope) -> Plan:
    return Plan(node.elts, strict(lambda *values: list(values)))


def _slice(node: ast.Slice, formula: Formula, scope: Scope) -> Plan:
    given = [part for part in (node.lower, node.upper, node.step) if part is not None]

    def make(*values: Value) -> Value:
        rest = iter(values)
        bounds = [
            None if part is None else _slice_bound(next(rest))
            for part in (node.lower, node.upper, node.step)
        ]
        return slice(*bounds)

    return Plan(given, strict(make))


def _slice_bound(value: Value) -> Value:
    if isinstance(value, Symbolic):
        return value.size
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"the bounds of a slice are whole numbers, not {says(value)}")


def _subscript(node: ast.Subscript, formula: Formula, scope: Scope) -> Plan:
    return Plan((node.value, node.slice), strict(_index))


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
    if not parts or not isinstance(node, ast.Name) or node.id not in ROOTS:
        return None
    if node.id in scope.values:
        return None
    name = ".".join((node.id, *reversed(parts)))
    found = [name.removeprefix(f"{m}.") for m in MODULES if name.startswith(f"{m}.")]
    return min([name, *found], key=len)


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

    return Plan((node.value,), strict(make))


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
    try:
        name, function, subject = _called(node.func, formula, scope)
    except FormulaFault as unknown:
        return Plan(parts, _raise(unknown))  # its arguments may have faults of their own
    method = subject is not None

    def make(*values: Value) -> Value:
        split = len(values) - len(named)
        keywords = dict(zip(named, values[split:], strict=True))
        return call(name, function, values[:split], keywords, method)

    return Plan(parts if subject is None else [subject, *parts], make)


def _raise(fault: FormulaFault) -> Callable[..., Value]:
    def make(*values: Value) -> Value:
        raise fault

    return make


def _called(node: ast.expr, formula: Formula, scope: Scope) -> tuple[str, Value, ast.expr | None]:
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
        if name in scope.below and scope.kinds.get(name) == "function":
            raise FormulaFault(at, f"{name!r} is declared below; {ABOVE}")
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


def refuse(node: ast.AST, formula: Formula, scope: Scope) -> Value:
    """The fault of a construct that formulas do not have."""
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
