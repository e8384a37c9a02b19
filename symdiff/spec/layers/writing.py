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
from symdiff.expr.shapes import Shape, Size, shape_text, size_names
from symdiff.nn import FUNCTIONS
from symdiff.spec.declare import BATCH, Spec
from symdiff.spec.schema import Table, check
from symdiff.spec.toml_positions import Path
from symdiff.spec.values import BROKEN

CALL = re.compile(r"\s*([^\W\d]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)


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
        value: float | None = None,
        trainable: bool = True,
    ) -> str:
        """Declare a parameter of a layer, whose sizes must be numbers or names; its name.

        Where a layer above wrote an equation of that name, that is ``name`` and the like.
        """
        while self.spec.kinds.get(name) == "equation":
            name += "_"
        made = [size for size in shape if not isinstance(size, (int, str))]
        if made and not self.broken:
            names = sorted(set().union(*map(size_names, made)))
            self.spec.reading.fault(
                path,
                f"{name} would have shape {shape_text(shape)}, but the sizes of parameters are "
                f"numbers or names; fix {listing([repr(n) for n in names], 'and')} in [dims]",
            )
        if made:
            self.broken = True
        elif self.spec.declare(name, "parameter", path):
            self.spec.add_parameter(name, shape, init, value, trainable)
        else:
            self.broken = True
        return name

    def features(self, kind: str, path: Path, rank: int = 2) -> Shape | None:
        """The shape of the value so far, which must have ``rank`` axes; None if there is none."""
        shape = self.shape()
        if shape is not None and len(shape) < rank:
            wanted = "(batch, ..., features)" if rank == 2 else "(batch, ..., time, features)"
            self.spec.reading.fault(
                path, f"{kind} needs {wanted}; {self.value!r} has shape {shape_text(shape)}"
            )
            shape = None
        self.broken = self.broken or shape is None
        return shape

    def size(self, given: int | str, key: str, path: Path) -> Size | None:
        """A size that a layer's table mentions, as a number where it is fixed; None if faulty."""
        if not isinstance(given, str):
            return given
        self.spec.declare_size(given, (*path, key), key)
        size = self.spec.dims.get(given, given)
        if size == BATCH:
            self.spec.reading.fault_value((*path, key), f"{BATCH!r} is the example axis")
            self.broken = True
        return None if self.broken else size

    def named(self, name: str, key: str, path: Path) -> Shape | None:
        """The shape of an input or of a value above, which a layer's table names."""
        values = self.spec.values
        known = [n for n in values if self.spec.kinds.get(n) in ("input", "parameter", "equation")]
        if name not in known:
            self.spec.reading.fault_value(
                (*path, key), f"no value above is called {name!r}{did_you_mean(name, known)}"
            )
            self.broken = True
        node = values.get(name, BROKEN)
        self.broken = self.broken or not isinstance(node, Node)
        return node.shape if isinstance(node, Node) else None

    def weight(
        self,
        name: str,
        shape: Shape,
        path: Path,
        init: str | None = None,
        trainable: bool = True,
        named: Sequence[str | int] = (),
    ) -> str:
        """Declare a weight, which ``l2`` counts; ``named`` are the sizes that its table names."""
        name = self.parameter(name, shape, path, init, None, trainable)
        if not self.broken:
            self.spec.uses[name].update(size for size in named if isinstance(size, str))
            if trainable:
                self.weights.append(name)
        return name

    def equation(self, base: str, text: str, path: Path) -> str:
        """Write an equation; its name, ``base`` or the like, is the value from here on."""
        name = base
        while name in self.spec.kinds:
            name += "_"
        self.spec.declare(name, "equation", path)
        self.spec.equation(name, text, path, inside=False)
        self.value = name
        self.broken = self.broken or self.spec.values[name] is BROKEN
        return name

    def activated(self, text: str, activation: str | None, path: Path) -> str:
        """``relu(text)`` for an activation such as ``relu`` or ``leaky_relu(0.2)``."""
        if activation is None:
            return text
        match = CALL.fullmatch(activation)
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
