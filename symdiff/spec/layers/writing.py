"""Layers as shorthand: each kind writes the equations that it stands for.

A layer sees the name of the value that feeds it and gives the name of its own; parameters are
W1, b1, W2, b2, ..., numbered by the layers that have any.  The equations are then read like any
that a user wrote, so a kind cannot mean what an equation could not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symdiff.errors import did_you_mean, listing
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, shape_text
from symdiff.nn import FUNCTIONS
from symdiff.spec.declare import Spec
from symdiff.spec.schema import Table, check
from symdiff.spec.toml_positions import Path
from symdiff.spec.values import BROKEN

_CALL = re.compile(r"\s*([^\W\d]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer: the table that declares it, and what writes it out."""

    table: type[Table]
    write: Callable[[Layers, Any, Path, int], None]


@dataclass
class Layers:
    """The layers of one spec being written out; ``value`` is the name of the last value so far.

    ``kinds`` are the kinds that there are; ``weights`` are the names of trainable weights, which
    ``l2`` is about.
    """

    spec: Spec
    value: str
    kinds: Mapping[str, LayerKind]
    numbers: dict[str, int] = field(default_factory=dict)
    weights: list[str] = field(default_factory=list)
    broken: bool = False

    def stack(self, tables: Sequence[Any], path: Path, depth: int = 0) -> None:
        """Write out layers one after the other; each fault is noted at its layer."""
        for i, data in enumerate(tables):
            self._layer(data, (*path, i), depth)

    def _layer(self, data: Any, path: Path, depth: int) -> None:
        reading = self.spec.reading
        if not isinstance(data, dict):
            reading.fault_value(path, f"expected a table with a kind, got {data!r}")
            self.broken = True
            return
        kind = data.get("kind")
        record = self.kinds.get(kind) if isinstance(kind, str) else None
        if record is None:
            self.broken = True
            if kind is None:
                reading.fault(path, f"missing key 'kind'; expected {listing([*self.kinds])}")
            else:
                hint = did_you_mean(kind, self.kinds) if isinstance(kind, str) else ""
                known = listing([*self.kinds])
                reading.fault_value(
                    (*path, "kind"), f"unknown layer kind {kind!r}; expected {known}{hint}"
                )
            return
        table = check(record.table, data, path, reading)
        if table is None:
            self.broken = True
        else:
            record.write(self, table, path, depth)

    def shape(self) -> Shape | None:
        """The shape of the value so far; None if it rests on a fault."""
        node = self.spec.values.get(self.value, BROKEN)
        return node.shape if isinstance(node, Node) and not self.broken else None

    def number(self, series: str) -> int:
        """The next number of a series of names; "parameters" is that of layers with parameters."""
        self.numbers[series] = self.numbers.get(series, 0) + 1
        return self.numbers[series]

    def parameter(
        self,
        name: str,
        shape: Shape,
        path: Path,
        init: str | None,
        value: float | None,
        trainable: bool,
    ) -> str:
        """Declare a parameter of a layer."""
        if self.spec.declare(name, "parameter", path):
            self.spec.add_parameter(name, shape, init, value, trainable)
        else:
            self.broken = True
        return name

    def equation(self, base: str, text: str, path: Path) -> None:
        """Write an equation; its name, ``base`` or the like, is the value from here on."""
        name = base
        while name in self.spec.kinds:
            name += "_"
        self.spec.declare(name, "equation", path)
        self.spec.equation(name, text, path, inside=False)
        self.value = name
        self.broken = self.broken or self.spec.values[name] is BROKEN

    def activated(self, text: str, activation: str | None, path: Path) -> str:
        """``relu(text)`` for an activation such as ``relu`` or ``leaky_relu(0.2)``."""
        if activation is None:
            return text
        match = _CALL.fullmatch(activation)
        functions = {**FUNCTIONS, **self.spec.functions}
        if match is None or match[1] not in functions:
            name = match[1] if match else activation
            self.spec.reading.fault_value(
                (*path, "activation"),
                f"unknown activation {name!r}{did_you_mean(name, functions)}",
            )
            self.broken = True
            return text
        arguments = f", {match[2]}" if match[2] and match[2].strip() else ""
        return f"{match[1]}({text}{arguments})"

    def keeps_shape(self, shape: Shape, activation: str | None, path: Path) -> None:
        """A fault if the last equation's activation gave another shape."""
        after = self.shape()
        if after is not None and after != shape:
            self.spec.reading.fault_value(
                (*path, "activation"),
                f"activation {activation!r} turns shape {shape_text(shape)} into "
                f"{shape_text(after)}; it must keep the shape",
            )
            self.broken = True
