"""The variables of a lone formula: which there are, of what shape, and whether they are indices.

A spec declares everything; a formula typed at a prompt does not.  What is not declared is a scalar;
what is used as an index, or as the label of a loss, holds whole numbers.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from symdiff.errors import Fault, SpecError, did_you_mean, listing
from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, shape_text
from symdiff.nn import FUNCTIONS
from symdiff.spec.formula import parse_formula
from symdiff.spec.schema import InputTable, name_fault
from symdiff.spec.scope import CONSTANTS, ROOTS
from symdiff.spec.syntax import Formula, FormulaFault, parse
from symdiff.spec.values import from_size

#: What faults of a formula are placed in, and those of what is declared about its variables.
FORMULA, DECLARED = "EXPR", "derive"

_INDEX_ARGUMENTS = ("idx", "ids", "indices")
_LABEL_ARGUMENTS = {"cross_entropy": "y", "softmax_cross_entropy": "y"}

_NEEDS: Mapping[str, tuple[Callable[[Shape], bool], str]] = {
    "sums_to_one": (lambda shape: len(shape) > 0, "holds along the last axis; it has none"),
    "one_hot": (lambda shape: len(shape) > 0, "holds along the last axis; it has none"),
    "symmetric": (lambda shape: len(shape) == 2 and shape[0] == shape[1], "needs a square matrix"),
}


@dataclass(frozen=True)
class Reading:
    """A formula that has been read: its node, and its variables in order."""

    node: Node
    inputs: Mapping[str, Node]


def read_formula(
    text: str,
    shapes: Mapping[str, Any],
    facts: Mapping[str, Mapping[str, Any]],
    also: Iterable[str] = (),
) -> Reading:
    """The formula over variables of the given shapes and facts; any other name is a scalar.

    ``also`` names further variables.  Raises SpecError with what is wrong with the formula or with
    what is declared.
    """
    try:
        formula = parse(text)
    except FormulaFault:
        parse_formula(text, {}, source=FORMULA)  # the same fault, placed in the text
        raise
    declared = list(dict.fromkeys([*shapes, *facts, *also]))
    tables = {name: _table(name, shapes.get(name, ()), facts.get(name, {})) for name in declared}
    sizes = {s for t in tables.values() for s in (*t.shape, t.labels) if isinstance(s, str)}
    clash = sorted(sizes & set(tables))
    if clash:
        raise _wrong(f"{clash[0]!r} is the name of a variable and of a size")
    for name in free_names(formula, {*declared, *sizes}):
        tables.setdefault(name, InputTable(shape=[]))
    known = {size: from_size(size) for size in sizes}
    indices = index_names(formula)
    labels = {n for n in label_names(formula) if n in tables and not facts.get(n)}

    def read(whole: set[str]) -> Reading:
        inputs = {name: _input(name, table, whole) for name, table in tables.items()}
        return Reading(parse_formula(text, {**known, **inputs}, source=FORMULA), inputs)

    try:
        return read(indices)
    except SpecError:
        if not labels - indices:
            raise
        try:
            return read(indices | labels)
        except SpecError:
            pass
        raise


def _wrong(*said: str) -> SpecError:
    return SpecError(DECLARED, [Fault(1, 1, text) for text in said])


def _table(name: str, shape: Any, facts: Mapping[str, Any]) -> InputTable:
    if fault := name_fault(name):
        raise _wrong(fault)
    sizes = [shape] if isinstance(shape, (int, str)) else list(shape)
    given = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}
    given = {k: v for k, v in given.items() if v is not False and v is not None}
    try:
        table = InputTable.model_validate({"shape": sizes, **given})
    except ValidationError as invalid:
        raise _wrong(*(_said(name, error) for error in invalid.errors())) from None
    faults = [
        f"{name} of shape {shape_text(tuple(sizes))}: {key} {what}"
        for key, (holds, what) in _NEEDS.items()
        if getattr(table, key) and not holds(tuple(table.shape))
    ]
    if table.ignore is not None and table.labels is None:
        faults.append(f"{name}: ignore names a label that counts nothing; it needs labels")
    if faults:
        raise _wrong(*faults)
    return table


def _said(name: str, error: Any) -> str:
    key = str(error["loc"][0])
    what = "shape" if key == "shape" else f"fact {key}"
    if error["type"] == "extra_forbidden":
        known = [k for k in InputTable.model_fields if k != "shape"]
        hint = did_you_mean(key, known) or f"; expected {listing(known)}"
        return f"{name}: unknown fact {key!r}{hint}"
    said = str(error.get("ctx", {}).get("error") or error["msg"])
    return f"{name}: {what}: {said[:1].lower()}{said[1:]}"


def _input(name: str, table: InputTable, whole: set[str]) -> Node:
    facts = {
        key: value
        for key in InputTable.model_fields
        if key != "shape" and (value := getattr(table, key)) not in (False, None)
    }
    dtype = "int64" if table.labels is not None or name in whole else "float64"
    return build.input(name, tuple(table.shape), dtype, **facts)


def free_names(formula: Formula, declared: set[str]) -> list[str]:
    """The names that stand for values in a formula and are not declared, in order of appearance.

    Functions and constants are none unless declared.
    """
    called = {id(n.func) for n in ast.walk(formula.root) if isinstance(n, ast.Call)}
    prefixes = {id(n.value) for n in ast.walk(formula.root) if isinstance(n, ast.Attribute)}
    found = []
    for node in ast.walk(formula.root):
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in declared:
            is_module = id(node) in prefixes and node.id in ROOTS
            if not is_module and node.id not in CONSTANTS and node.id not in FUNCTIONS:
                found.append((formula.offset(node), node.id))
    return list(dict.fromkeys(name for _, name in sorted(found)))


def index_names(formula: Formula) -> set[str]:
    """The names that are used as indices: in brackets, or where a function takes indices."""
    found: set[str] = set()
    for node in ast.walk(formula.root):
        if isinstance(node, ast.Subscript):
            found.update(_plain_names(node.slice))
    for argument, value in _arguments(formula):
        if argument in _INDEX_ARGUMENTS:
            found.update(_plain_names(value))
    return found


def label_names(formula: Formula) -> set[str]:
    """The names that are given to a loss as labels."""
    return {
        name
        for function, wanted in _LABEL_ARGUMENTS.items()
        for argument, value in _arguments(formula, function)
        if argument == wanted
        for name in _plain_names(value)
    }


def _arguments(formula: Formula, function: str | None = None) -> Iterator[tuple[str, ast.expr]]:
    """What calls of known functions (or of one) pass, by the name of the argument."""
    for node in ast.walk(formula.root):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in FUNCTIONS or function not in (None, name):
            continue
        parameters = list(inspect.signature(FUNCTIONS[name]).parameters)
        yield from zip(parameters, node.args, strict=False)
        yield from ((keyword.arg or "", keyword.value) for keyword in node.keywords)


def _plain_names(node: ast.expr) -> set[str]:
    """The names in arithmetic on indices; what calls are given is their own affair."""
    found: set[str] = set()
    stack: list[ast.AST] = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif not isinstance(part, (ast.Call, ast.Subscript, ast.Attribute)):
            stack.extend(ast.iter_child_nodes(part))
    return found
