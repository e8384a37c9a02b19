"""From a spec's text to a Model, with every fault of the text in one run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from symdiff.errors import Fault, SpecError, did_you_mean
from symdiff.expr import build
from symdiff.spec import loss as losses
from symdiff.spec.declare import BATCH, Spec, function_name
from symdiff.spec.layers import KINDS
from symdiff.spec.layers.writing import Layers
from symdiff.spec.model import Model
from symdiff.spec.reading import Reading
from symdiff.spec.schema import (
    SECTIONS,
    Dim,
    FormulaTable,
    Head,
    InputTable,
    LossTable,
    ParameterTable,
    Table,
    check,
    name_fault,
)
from symdiff.spec.toml_positions import Path
from symdiff.spec.values import BROKEN


def load(spec: str | os.PathLike[str], examples: Sequence[str] = (BATCH,)) -> Model:
    """The model of a spec: a path, or the TOML text itself (a text has a line break or an ``=``).

    ``examples`` are the axes of the inputs whose places are the examples; ``user/row`` among them
    splits the batch: the data have these two axes in its place, and the examples are the users.
    Raises SpecError with every fault that the spec has; nothing in it is ever run.
    """
    if isinstance(spec, str) and ("\n" in spec or ("=" in spec and not os.path.exists(spec))):
        return load_text(spec, examples=examples)
    path = os.fspath(spec)
    try:
        data = FilePath(path).read_bytes()
    except (OSError, ValueError) as fault:
        said = getattr(fault, "strerror", None) or str(fault)
        raise SpecError(path, [Fault(1, 1, f"cannot be read: {said}")]) from None
    return load_bytes(data, path, examples)


def load_text(text: str, source: str = "<spec>", examples: Sequence[str] = (BATCH,)) -> Model:
    """The model of a TOML text; ``source`` stands for the file's name in messages."""
    return load_bytes(text.encode("utf-8", "surrogatepass"), source, examples)


def load_bytes(data: bytes, source: str, examples: Sequence[str] = (BATCH,)) -> Model:
    """The model of a file's bytes."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = fault.start - (data.rfind(b"\n", 0, fault.start) + 1) + 1
        raise SpecError(source, [Fault(line, column, "this is not UTF-8 text")]) from None
    reading = Reading(source, text)
    return _Loader(reading, tuple(examples)).model(hashlib.sha256(data).hexdigest())


def split_of(examples: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The axes whose places are the examples, and those that the batch is split into, if any.

    ``user/row`` as the first of the examples' axes means (user,), and a batch of (user, row).
    """
    split = tuple(part.strip() for part in examples[0].split("/"))
    if len(split) == 1:
        return tuple(examples), ()
    return (split[0], *examples[1:]), split


class _Loader:
    """The steps of one reading, in the order in which names depend on each other."""

    def __init__(self, reading: Reading, examples: tuple[str, ...]) -> None:
        self.reading = reading
        self.spec = Spec(reading)
        self.spec.examples, self.spec.split = split_of(examples)
        self.spec.values.update(dict.fromkeys(reading.lost, BROKEN))
        self.layers: Layers | None = None

    def model(self, sha256: str) -> Model:
        """The model; SpecError if the reading has faults."""
        spec, reading = self.spec, self.reading
        head = self._head()
        with build.default_dtype(spec.dtype):
            self._declare_all()
            self._examples()
            self._equations()
            loss, per_example, regularizer, texts = self._loss()
        outputs = self._outputs(head)
        reading.stop_at_faults()
        assert loss is not None
        self._warn_unused(outputs)
        return Model(
            name=head.name,
            dtype=head.dtype,
            source=reading.source,
            sha256=sha256,
            dims=spec.dims,
            inputs=spec.inputs,
            parameters=spec.parameters,
            functions=spec.function_texts,
            equations=spec.equations,
            outputs=outputs,
            per_example=per_example,
            per_example_text=texts[0],
            reduction=loss.reduction,
            regularizer=regularizer,
            regularizer_text=texts[1],
            warnings=reading.warning_lines(),
            examples=spec.examples,
            split=spec.split,
            loss_place=reading.positions.key(
                (*losses.PATH, "per_example" if loss.kind is None else "kind")
            ),
        )

    def _head(self) -> Head:
        data = self.reading.data
        for key in SECTIONS:
            wanted: type = list if key == "layers" else dict
            if key in data and not isinstance(data[key], wanted):
                said = "[[layers]]" if key == "layers" else f"a table [{key}]"
                self.reading.fault((key,), f"expected {said}")
                del data[key]
                self.reading.lost.add(key)
        keys = {key: value for key, value in data.items() if key not in SECTIONS}
        head = check(Head, keys, (), self.reading, fallback={"name": "model"})
        assert head is not None
        self.spec.dtype = head.dtype
        return head

    def _section(self, name: str) -> Mapping[str, Any]:
        section: Mapping[str, Any] = self.reading.data.get(name, {})
        return section

    def _tables(
        self, section: str, kind: str, model: type[Table], key: str | None = None
    ) -> Iterator[tuple[str, Path, Any]]:
        """The entries of a section that can be declared, with their table (None if faulty)."""
        for name, data in self._section(section).items():
            path: Path = (section, name)
            declared = self.spec.declare(name, kind, path)
            if key is not None:
                table = check(model, {key: data}, path, self.reading, wrapped=True)
            elif isinstance(data, dict):
                # A parameter whose shape is sound stands, however it is drawn.
                sound: dict[str, Any] | None = {} if model is ParameterTable else None
                table = check(model, data, path, self.reading, fallback=sound)
            else:
                self.reading.fault_value(path, "expected a table such as { shape = [...] }")
                table = None
            if declared:
                self.spec.values[name] = BROKEN
                yield name, path, table

    def _declare_all(self) -> None:
        spec = self.spec
        for name, path, table in self._tables("dims", "dim", Dim, "size"):
            if name == BATCH:
                self.reading.fault(path, "'batch' is the example axis; it is read from the data")
            elif table is not None:
                spec.dims[name] = spec.values[name] = table.size
        inputs = [*self._tables("inputs", "input", InputTable)]
        parameters = [*self._tables("parameters", "parameter", ParameterTable)]
        functions = [*self._functions()]
        for name, data in self._section("equations").items():
            if spec.declare(name, "equation", ("equations", name)):
                spec.below.add(name)
                check(FormulaTable, {"formula": data}, ("equations", name), self.reading, True)
        for name, path, table in [*inputs, *parameters]:
            if table is not None:
                for axis, size in enumerate(table.shape):
                    if isinstance(size, str):
                        spec.declare_size(size, (*path, "shape", axis), f"the shape of {name!r}")
        for name, path, table in inputs:
            if table is not None:
                if isinstance(table.labels, str):
                    self._labels(name, table.labels, path)
                spec.input(name, table)
        for name, path, table in parameters:
            if table is not None:
                spec.parameter(name, table, path)
        for header, name, table in functions:
            spec.below.discard(name)
            spec.functions[name] = BROKEN if table is None else spec.function(header, name, table)
        if not inputs and not self._section("inputs") and "inputs" not in self.reading.lost:
            self.reading.fault((), "missing table [inputs]")

    def _examples(self) -> None:
        """Every example axis must be an axis of an input, and those of a split new ones."""
        spec = self.spec
        text = "/".join(spec.split)
        for place, axis in enumerate(spec.split):
            fault = name_fault(axis)
            if axis in spec.kinds:
                fault = f"{axis!r} is the {spec.kinds[axis]} of that name already; take another"
            elif axis in spec.split[:place]:
                fault = f"{axis!r} stands there twice"
            if fault:
                self.reading.fault((), f"example axis {text!r}: {fault}")
        if spec.split and spec.kinds.get(BATCH) != "size" and not self.reading.faults:
            self.reading.fault((), f"example axis {text!r}: no input has an axis 'batch' to split")
        known = [s for x in spec.inputs.values() for s in x.shape if isinstance(s, str)]
        missing = [axis for axis in spec.examples if axis not in known]
        if spec.examples != (BATCH,) and missing and not self.reading.faults:
            groups = missing if len(missing) > 1 else [*missing, "row"]
            split = f"; {'/'.join(groups)} splits the batch, with several rows of each {groups[0]}"
            for axis in missing:
                said = f"example axis {axis!r}: no input has an axis of that name"
                near = did_you_mean(axis, known)
                able = BATCH in known and missing == [*spec.examples]
                self.reading.fault((), said + (near or (split if able else "")))

    def _labels(self, name: str, labels: str, path: Path) -> None:
        """A number of labels given by name must be the size of something."""
        sized = self.spec.kinds.get(labels) in ("size", "dim")
        units = any(isinstance(x, dict) and x.get("units") == labels for x in self._layer_tables())
        if units:
            self.spec.declare_size(labels, (*path, "labels"), f"the labels of {name!r}")
        elif not sized:
            self.reading.fault_value(
                (*path, "labels"),
                f"the number of labels {labels!r} is the size of nothing; fix it under [dims] or "
                "use it in a shape",
            )

    def _layer_tables(self) -> list[Any]:
        tables: list[Any] = self.reading.data.get("layers", [])
        return tables

    def _functions(self) -> Iterator[tuple[str, str, FormulaTable | None]]:
        spec = self.spec
        for header, data in self._section("functions").items():
            path: Path = ("functions", header)
            table = check(FormulaTable, {"formula": data}, path, self.reading, True)
            name = function_name(header)
            if name is None:
                self.reading.fault(
                    path, f'expected a function such as "swish(x, beta)", got {header!r}'
                )
            elif spec.declare(name, "function", path):
                spec.below.add(name)
                yield header, name, table

    def _equations(self) -> None:
        data = self.reading.data
        if "layers" not in data:
            lost = self.reading.lost & {"equations", "layers"}
            if not self._section("equations") and not lost:
                self.reading.fault((), "missing table [equations] or [[layers]]")
            for name, text in self._section("equations").items():
                path: Path = ("equations", name)
                if self.spec.places.get(name) != path:
                    continue
                if isinstance(text, str):
                    self.spec.equation(name, text, path)
                else:
                    self.spec.below.discard(name)
                    self.spec.values[name] = BROKEN
            return
        for other in ("equations", "parameters"):
            if other in data:
                self.reading.fault(
                    (other,), f"[[layers]] stand for the {other}; a spec has one or the other"
                )
        first = next((n for n, kind in self.spec.kinds.items() if kind == "input"), None)
        if not data["layers"]:
            self.reading.fault(("layers",), "expected at least one layer")
        elif first is not None:
            self.layers = Layers(self.spec, first, KINDS)
            self.layers.stack(data["layers"], ("layers",))

    def _loss(self) -> tuple[LossTable | None, Any, Any, tuple[str, str | None]]:
        spec, reading = self.spec, self.reading
        if "loss" not in reading.data:
            if "loss" not in reading.lost:
                reading.fault((), "missing table [loss]")
            return None, BROKEN, None, ("", None)
        loss = check(LossTable, self._section("loss"), losses.PATH, reading, fallback={})
        assert loss is not None
        if {"kind", "per_example"} & set(self._section("loss")) and not (
            loss.kind or loss.per_example
        ):
            return loss, BROKEN, None, ("", None)
        text = losses.per_example_text(spec, loss, self.layers)
        omega = losses.regularizer_text(spec, loss, self.layers)
        per_example = BROKEN if text is None else losses.per_example_node(spec, loss, text)
        regularizer = None if omega is None else losses.regularizer_node(spec, loss, omega)
        return loss, per_example, regularizer, (text or "", omega)

    def _outputs(self, head: Head) -> tuple[str, ...]:
        spec = self.spec
        if head.output is None:
            return tuple([*spec.equations][-1:])
        known = [n for n, kind in spec.kinds.items() if kind in ("input", "parameter", "equation")]
        path: Path = ("output",)
        for i, name in enumerate(head.output):
            place = (*path, i) if (*path, i) in self.reading.positions else path
            if name not in known and name not in self.reading.lost:
                said = f"no equation is called {name!r}{did_you_mean(name, known)}"
                self.reading.fault_value(place, said)
        if len(set(head.output)) < len(head.output):
            self.reading.fault_value(path, "one name stands twice among the outputs")
        return head.output

    def _warn_unused(self, outputs: Sequence[str]) -> None:
        spec = self.spec
        alive: set[str] = set()
        todo = [*outputs, *spec.uses.get("loss", ()), *spec.uses.get("regularizer", ())]
        while todo:
            name = todo.pop()
            if name not in alive:
                alive.add(name)
                todo.extend(spec.uses.get(name, ()))
        for name, kind in spec.kinds.items():
            if name not in alive and kind != "size":
                parameter = spec.parameters.get(name)
                more = "; its gradient is 0" if parameter and parameter.trainable else ""
                self.reading.warn(spec.places[name], f"{kind} {name!r} is not used{more}")


__all__ = ["load", "load_bytes", "load_text"]
