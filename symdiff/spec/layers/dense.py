"""Dense layers, activations and residual blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symdiff.expr.shapes import shape_text
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Bias, Init, Size, Table
from symdiff.spec.toml_positions import Path

_DEEPEST = 20


class DenseTable(Table):
    """activation(x @ W + b), on the last axis of x.

    ``bias`` is true, false, or the number that biases begin with.
    """

    kind: str
    units: Size
    activation: str | None = None
    bias: Bias = True
    init: Init | None = None
    trainable: bool = True


class ActivationTable(Table):
    """activation(x)."""

    kind: str
    activation: str


class ResidualTable(Table):
    """x + layers(x), and an activation of that."""

    kind: str
    layers: list[Any]
    activation: str | None = None


def _dense(layers: Layers, table: DenseTable, path: Path, depth: int) -> None:
    spec, x, shape = layers.spec, layers.value, layers.shape()
    number = layers.number("parameters")
    if isinstance(table.units, str):
        spec.declare_size(table.units, (*path, "units"), "units")
    units = spec.dims.get(table.units, table.units) if isinstance(table.units, str) else table.units
    if units == "batch":
        spec.reading.fault_value((*path, "units"), "'batch' is the example axis")
        layers.broken = True
    if shape is not None and len(shape) < 2:
        spec.reading.fault(
            path,
            f"dense needs (batch, ..., features); {x!r} has shape {shape_text(shape)}",
        )
        layers.broken = True
    if shape is None or layers.broken:
        layers.activated("x", table.activation, path)
        layers.broken = True
        return
    init, trainable = table.init, table.trainable
    weight = layers.parameter(f"W{number}", (shape[-1], units), path, init, None, trainable)
    if isinstance(table.units, str):
        spec.uses[weight].add(table.units)
    text = f"{x} @ {weight}"
    if table.bias is not False:
        value = None if table.bias is True else float(table.bias)
        start = "zeros" if value is None else "constant"
        bias = layers.parameter(f"b{number}", (units,), path, start, value, trainable)
        text = f"{text} + {bias}"
    if layers.broken:
        return
    if trainable:
        layers.weights.append(weight)
    layers.equation(f"h{number}", layers.activated(text, table.activation, path), path)
    layers.keeps_shape((*shape[:-1], units), table.activation, path)


def _activation(layers: Layers, table: ActivationTable, path: Path, depth: int) -> None:
    shape = layers.shape()
    text = layers.activated(layers.value, table.activation, path)
    if shape is None or layers.broken:
        return
    layers.equation(f"a{layers.number('a')}", text, path)
    layers.keeps_shape(shape, table.activation, path)


def _residual(layers: Layers, table: ResidualTable, path: Path, depth: int) -> None:
    spec, x, before = layers.spec, layers.value, layers.shape()
    if not table.layers:
        spec.reading.fault_value((*path, "layers"), "a residual block needs layers")
        layers.broken = True
    if depth >= _DEEPEST:
        spec.reading.fault(path, f"residual blocks are nested more than {_DEEPEST} deep")
        layers.broken = True
        return
    layers.stack(table.layers, (*path, "layers"), depth + 1)
    after = layers.shape()
    text = layers.activated(f"{x} + {layers.value}", table.activation, path)
    if before is None or after is None or layers.broken:
        return
    if before != after:
        spec.reading.fault(
            path,
            f"residual adds {x!r} of shape {shape_text(before)} to {layers.value!r} of shape "
            f"{shape_text(after)}; they must be the same",
        )
        layers.broken = True
        return
    layers.equation(f"r{layers.number('r')}", text, path)
    layers.keeps_shape(before, table.activation, path)


KINDS: Mapping[str, LayerKind] = {
    "dense": LayerKind(DenseTable, _dense),
    "activation": LayerKind(ActivationTable, _activation),
    "residual": LayerKind(ResidualTable, _residual),
}
