"""Dense layers, activations and residual blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symdiff.expr.shapes import Shape, shape_text
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Bias, Init, Name, Size, Table
from symdiff.spec.toml_positions import Path

_DEEPEST = 20


class DenseTable(Table):
    """activation(x @ W + b), on the last axis of x.

    ``bias`` is true, false, or the number that biases begin with.  ``tied`` names a parameter
    above whose transpose is the weight: an embedding's table in a head, an encoder's in a decoder.
    """

    kind: str
    units: Size
    activation: str | None = None
    bias: Bias = True
    init: Init | None = None
    trainable: bool = True
    tied: Name | None = None


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
    x, shape = layers.value, layers.features("dense", path)
    number = layers.number("parameters")
    units = layers.size(table.units, "units", path)
    if shape is None or units is None or layers.broken:
        layers.activated("x", table.activation, path)
        layers.broken = True
        return
    trainable = table.trainable
    if table.tied is None:
        weight = layers.weight(
            f"W{number}", (shape[-1], units), path, table.init, trainable, [table.units]
        )
    else:
        weight = f"{table.tied}.T"
        _check_tied(layers, table, (units, shape[-1]), path)
    text = f"{x} @ {weight}"
    if table.bias is not False:
        text = f"{text} + {bias(layers, table.bias, f'b{number}', (units,), path, trainable)}"
    if layers.broken:
        return
    layers.equation(f"h{number}", layers.activated(text, table.activation, path), path)
    layers.keeps_shape((*shape[:-1], units), table.activation, path)


def _check_tied(layers: Layers, table: DenseTable, wanted: Shape, path: Path) -> None:
    """A fault if the tied weight is none, or does not fit, or is told how to begin."""
    assert table.tied is not None
    found = layers.named(table.tied, "tied", path)
    if found is not None and found != wanted:
        layers.spec.reading.fault_value(
            (*path, "tied"),
            f"the transpose of {table.tied!r} of shape {shape_text(found)} is not the weight: "
            f"expected shape {shape_text(wanted)}",
        )
        layers.broken = True
    if table.init is not None:
        layers.spec.reading.fault((*path, "init"), "a tied weight begins as the one it is tied to")
        layers.broken = True


def bias(
    layers: Layers, begin: bool | float, name: str, shape: Shape, path: Path, trainable: bool = True
) -> str:
    """Declare a bias that begins with 0, or with a number."""
    value = None if isinstance(begin, bool) else float(begin)
    start = "zeros" if value is None else "constant"
    return layers.parameter(name, shape, path, start, value, trainable)


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
