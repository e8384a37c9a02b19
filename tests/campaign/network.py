"""A network in the making: inputs, parameters, equations or layers, and the spec they come to.

Shapes are kept without the batch axis.  Sizes are numbers, or names of which SIZES says what the
data will have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Size: TypeAlias = int | str
Shape: TypeAlias = tuple[Size, ...]

#: What the data have of sizes that a spec has by name.
SIZES: Mapping[str, int] = {"time": 4, "width": 3}


def number(size: Size) -> int:
    """A size as the data have it."""
    return size if isinstance(size, int) else SIZES[size]


def positions(
    length: Size, size: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> int | None:
    """How many places a window has along an axis; None if it does not fit."""
    n, span = number(length), dilation * (size - 1) + 1
    if padding == "same":
        return -(-n // stride)
    whole = n + 2 * int(padding) - span
    return whole // stride + 1 if whole >= 0 else None


@dataclass
class Network:
    """What a spec says; ``value`` names the last value so far, of ``shape``."""

    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    equations: dict[str, str] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)
    loss: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    value: str = ""
    shape: Shape = ()
    dtype: str = "float64"

    def input(self, name: str, shape: Shape, **facts: Any) -> str:
        """A new input with the batch axis in front."""
        self.inputs[name] = {"shape": ["batch", *shape], **facts}
        return name

    def parameter(self, shape: Shape, **options: Any) -> str:
        """A new parameter, named by its shape and number."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = {"shape": list(shape), **options}
        return name

    def equation(self, text: str, shape: Shape) -> str:
        """A new value, the last from now on."""
        name = f"h{len(self.equations)}"
        self.equations[name] = text
        self.shapes[name] = shape
        self.value, self.shape = name, shape
        return name

    def toml(self) -> str:
        """The spec."""
        lines = ['name = "drawn"']
        if self.dtype != "float64":
            lines.append(f"dtype = {_text(self.dtype)}")
        if self.equations:
            lines.append(f"output = {_text(self.value)}")
        for title in ("inputs", "parameters", "equations"):
            table = getattr(self, title)
            if table:
                lines += [f"[{title}]", *(f"{key} = {_text(own)}" for key, own in table.items())]
        for layer in self.layers:
            lines += ["[[layers]]", *(f"{key} = {_text(own)}" for key, own in layer.items())]
        lines += ["[loss]", *(f"{key} = {_text(own)}" for key, own in self.loss.items())]
        return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    """A value in TOML; JSON is that, but for tables."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_text(own)}" for key, own in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_text(own) for own in value) + "]"
    return json.dumps(value)
