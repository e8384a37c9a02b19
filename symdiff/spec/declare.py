"""What a spec declares: one namespace of sizes, inputs, parameters, functions and equations.

Declaring happens in two steps: all names first, so that a formula can say that a name stands
further down, then values in order.  A name whose declaration has a fault is BROKEN: known, but
silent in whatever uses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, Size, shape_size
from symdiff.spec.calls import UserFunction
from symdiff.spec.formula import Walk, array_value
from symdiff.spec.model import Equation, Parameter
from symdiff.spec.reading import Reading
from symdiff.spec.schema import FormulaTable, InputTable, ParameterTable, name_fault
from symdiff.spec.scope import Scope
from symdiff.spec.syntax import FormulaFault, parse
from symdiff.spec.toml_positions import Path
from symdiff.spec.values import BROKEN, Value, from_size

BATCH = "batch"
_SIGNATURE = re.compile(r"\s*([^\W\d]\w*)\s*\(([^()]*)\)\s*")
_FLAGS = (
    "sums_to_one", "one_hot", "positive", "nonnegative", "nonzero", "zero_or_one",
    "plus_minus_one", "symmetric",
)  # fmt: skip
_NEED_AN_AXIS = ("sums_to_one", "one_hot")


@dataclass
class Spec:
    """A spec being read: what is declared so far, and what each declared thing uses.

    ``places`` says where each name is declared, ``kinds`` what it is, ``uses`` which names its
    declaration reads; ``values`` holds what formulas see.  ``split`` are the axes that stand in the
    batch's place in the data; formulas see one axis, of all their places.
    """

    reading: Reading
    dtype: str = "float64"
    examples: tuple[str, ...] = (BATCH,)
    split: tuple[str, ...] = ()
    places: dict[str, Path] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    below: set[str] = field(default_factory=set)
    inputs: dict[str, Node] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    functions: dict[str, Value] = field(default_factory=dict)
    function_texts: dict[str, str] = field(default_factory=dict)
    equations: dict[str, Equation] = field(default_factory=dict)

    @property
    def batch(self) -> Size:
        """How many rows the data have."""
        return shape_size(self.split) if self.split else BATCH

    def declare(self, name: str, kind: str, path: Path) -> bool:
        """Enter a name into the namespace; False, with a fault, if it cannot stand there."""
        if fault := name_fault(name):
            self.reading.fault(path, fault)
            return False
        if name in self.kinds:
            line = self.reading.positions.key(self.places[name])[0]
            also = f"{self.kinds[name]} on line {line}"
            self.reading.fault(path, f"{kind} {name!r} has the name of the {also}")
            return False
        self.kinds[name], self.places[name], self.uses[name] = kind, path, set()
        return True

    def declare_size(self, name: str, path: Path, what: str) -> None:
        """Enter a size that a shape mentions; a fault if the name is something else's."""
        if self.kinds.get(name, "size") not in ("size", "dim"):
            kind = self.kinds[name]
            self.reading.fault_value(path, f"{what}: {name!r} is the name of the {kind}, no size")
        elif name not in self.kinds:
            self.kinds[name], self.places[name], self.uses[name] = "size", path, set()
            self.values[name] = from_size(self.batch if name == BATCH else name)

    def shape(self, given: Sequence[int | str], path: Path, user: str) -> Shape | None:
        """A declared shape with fixed sizes as numbers; None if it rests on a fault."""
        sizes: list[int | str] = []
        for size in given:
            if isinstance(size, str):
                self.uses[user].add(size)
                if self.values.get(size) is BROKEN or self.kinds.get(size) not in ("size", "dim"):
                    return None
            sizes.append(self.dims.get(size, size) if isinstance(size, str) else size)
        return tuple(sizes)

    def input(self, name: str, table: InputTable) -> None:
        """Build an input's node."""
        path = ("inputs", name)
        facts = self._facts(name, table, path)
        for axis, size in enumerate(table.shape):
            if size == BATCH and axis:
                self.reading.fault_value(
                    (*path, "shape", axis), "the example axis 'batch' can only be axis 0"
                )
                facts = None
        shape = self.shape(table.shape, path, name)
        if facts is None or shape is None:
            return
        dtype = self.dtype if table.labels is None else "int64"
        if self.split and shape[:1] == (BATCH,):
            if len(shape) == 1:  # what held along the batch holds along no axis of its
                facts = {key: fact for key, fact in facts.items() if key not in _NEED_AN_AXIS}
            node = build.input(name, (*self.split, *shape[1:]), dtype, **facts)
            self.inputs[name] = node
            self.values[name] = build.reshape(node, (self.batch, *shape[1:]))
        else:
            self.inputs[name] = self.values[name] = build.input(name, shape, dtype, **facts)

    def _facts(self, name: str, table: InputTable, path: Path) -> dict[str, Any] | None:
        facts: dict[str, Any] = {flag: True for flag in _FLAGS if getattr(table, flag)}
        faults = 0

        def refuse(key: str, message: str) -> None:
            nonlocal faults
            faults += 1
            self.reading.fault((*path, key), message)

        rank = len(table.shape)
        for key in _NEED_AN_AXIS:
            if key in facts and rank == 0:
                refuse(key, f"{key} holds along the last axis, and {name!r} has none")
        if "symmetric" in facts and (rank != 2 or table.shape[0] != table.shape[1]):
            refuse("symmetric", f"symmetric needs a square matrix; {name!r} is none by its shape")
        if table.range is not None:
            facts["range"] = table.range
        if table.labels is not None:
            for key in facts:
                refuse(key, f"{name!r} holds labels; {key} cannot be declared of them")
            labels = table.labels
            if isinstance(labels, str):
                self.uses[name].add(labels)
                labels = self.dims.get(labels, labels)
            facts["labels"] = labels
            if table.ignore is not None:
                facts["ignore"] = table.ignore
        elif table.ignore is not None:
            refuse("ignore", "ignore names a label that counts nothing; it needs labels = ...")
        return None if faults else facts

    def parameter(self, name: str, table: ParameterTable, path: Path) -> None:
        """Build a parameter's node."""
        faults = len(self.reading.faults)
        if table.init == "constant" and table.value is None:
            self.reading.fault_value((*path, "init"), "init 'constant' needs value = ...")
        if table.init != "constant" and table.value is not None:
            self.reading.fault((*path, "value"), 'value is for init = "constant" only')
        for axis, size in enumerate(table.shape):
            if size == BATCH:
                self.reading.fault_value(
                    (*path, "shape", axis), "a parameter has no example axis 'batch'"
                )
        shape = self.shape(table.shape, path, name)
        if shape is None or len(self.reading.faults) > faults:
            return
        self.add_parameter(name, shape, table.init, table.value, table.trainable)

    def add_parameter(
        self, name: str, shape: Shape, init: str | None, value: float | None, trainable: bool
    ) -> None:
        """Enter a parameter whose shape is known."""
        init = init or ("glorot_uniform" if len(shape) >= 2 else "zeros")
        node = build.parameter(name, shape, self.dtype)
        self.parameters[name] = Parameter(node, init, value, trainable)
        self.values[name] = node

    def function(self, header: str, name: str, table: FormulaTable) -> Value:
        """A user function; its formula is checked with its parameters left open."""
        path = ("functions", header)
        parameters = function_parameters(header)
        faults = [fault for parameter in parameters if (fault := name_fault(parameter))]
        if len(set(parameters)) < len(parameters):
            faults.append(f"function {name!r} has two parameters of one name")
        for fault in faults:
            self.reading.fault(path, fault)
        try:
            body = parse(table.formula)
        except FormulaFault as fault:
            self.reading.fault_inside(path, fault.offset, fault.message)
            return BROKEN
        sizes = {n: v for n, v in self.values.items() if self.kinds.get(n) in ("size", "dim")}
        values = {**sizes, **dict.fromkeys(parameters, BROKEN)}
        functions = dict(self.functions)
        below = frozenset(n for n in self.below | {name} if self.kinds[n] == "function")
        walk = Walk(body, Scope(values, functions, self.kinds, below))
        walk.value()
        self._note(walk, path)
        self.uses[name] |= walk.scope.used - set(parameters)
        if faults or walk.faults:
            return BROKEN
        self.function_texts[" ".join(header.split())] = table.formula
        return UserFunction(name, parameters, body, sizes, functions)

    def formula(self, text: str, path: Path, user: str, inside: bool = True) -> Value:
        """The node of a formula that stands at ``path``; BROKEN, with faults, if it has none.

        ``inside`` says that the text is the string at the path, so that columns count in it.
        """
        scope = Scope(self.values, self.functions, self.kinds, frozenset(self.below))
        try:
            walk = Walk(parse(text), scope)
        except FormulaFault as fault:
            if inside:
                self.reading.fault_inside(path, fault.offset, fault.message)
            else:
                self.reading.fault(path, f"{text}: {fault.message}")
            return BROKEN
        value = array_value(walk)
        self._note(walk, path, None if inside else text)
        self.uses.setdefault(user, set()).update(scope.used)
        return value if not walk.faults else BROKEN

    def _note(self, walk: Walk, path: Path, text: str | None = None) -> None:
        for offset, message in walk.faults:
            if text is None:
                self.reading.fault_inside(path, offset, message)
            else:
                self.reading.fault(path, f"{text}: {message}")

    def equation(self, name: str, text: str, path: Path, inside: bool = True) -> None:
        """Build an equation's node and let the equations below it use the name."""
        value = self.formula(text, path, name, inside)
        self.below.discard(name)
        self.values[name] = value
        if value is not BROKEN:
            line, column = self.reading.positions.key(path)
            self.equations[name] = Equation(value, text, line, column)


def function_parameters(header: str) -> tuple[str, ...]:
    """The parameters of ``name(a, b)``; empty if the header is not of that form."""
    match = _SIGNATURE.fullmatch(header)
    if match is None or not match[2].strip():
        return ()
    return tuple(part.strip() for part in match[2].split(","))


def function_name(header: str) -> str | None:
    """The name of ``name(a, b)``; None if the header is not of that form or has no parameters."""
    match = _SIGNATURE.fullmatch(header)
    return match[1] if match and function_parameters(header) else None
