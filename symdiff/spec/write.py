"""A model as the text of a spec of equations: what layers stand for, written out.

Reading the text back gives the same graphs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape
from symdiff.spec.declare import BATCH
from symdiff.spec.model import Model, Parameter


def equations_text(model: Model) -> str:
    """The TOML of the model with every layer as equations; sizes fixed by name are numbers."""
    output = list(model.outputs) if len(model.outputs) > 1 else model.outputs[0]
    head = {"name": model.name, "dtype": model.dtype, "output": output}
    loss: dict[str, Any] = {"per_example": model.per_example_text, "reduction": model.reduction}
    if model.regularizer_text is not None:
        loss["regularizer"] = model.regularizer_text
    sections = [
        _lines(head),
        _section("dims", model.dims),
        _section("inputs", {name: _input(x, model.split) for name, x in model.inputs.items()}),
        _section("parameters", {name: _parameter(p) for name, p in model.parameters.items()}),
        _section("functions", model.functions),
        _section("equations", {name: e.text for name, e in model.equations.items()}),
        _section("loss", loss),
    ]
    return "\n".join(section for section in sections if section)


def _input(node: Node, split: Shape) -> dict[str, Any]:
    shape = node.shape
    if split and shape[: len(split)] == split:
        shape = (BATCH, *shape[len(split) :])
    return {"shape": list(_shape(shape)), **dict(node.attr("declared"))}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    table: dict[str, Any] = {"shape": list(_shape(parameter.node.shape)), "init": parameter.init}
    if parameter.value is not None:
        table["value"] = parameter.value
    if not parameter.trainable:
        table["trainable"] = False
    return table


def _shape(shape: Shape) -> Iterable[int | str]:
    return (size if isinstance(size, int) else str(size) for size in shape)


def _section(title: str, entries: Mapping[str, Any]) -> str:
    return f"[{title}]\n{_lines(entries)}" if entries else ""


def _lines(entries: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in entries.items())


def _key(key: str) -> str:
    return key if key.isascii() and key.isidentifier() else _value(key)


def _value(value: Any) -> str:
    """A value in TOML's notation; JSON's strings are TOML's basic strings, but for DEL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    return repr(value)
