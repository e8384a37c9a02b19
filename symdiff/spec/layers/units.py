"""Layers of units with parameters of their own, and dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from symdiff.expr.shapes import size_mul
from symdiff.spec.layers.dense import bias
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Bias, Init, Name, Number, Size, Table, WholeSize
from symdiff.spec.toml_positions import Path


class PreluTable(Table):
    """prelu(x, a): a slope below 0 for each entry of an axis, or one for all if ``shared``.

    The axis is the last, of features, or 1, of channels.
    """

    kind: str
    shared: bool = False
    axis: Literal[-1, 1] = -1
    value: Number = 0.25
    trainable: bool = True


class MaxoutTable(Table):
    """maxout(x @ W + b, pieces): each unit the largest of its affine functions."""

    kind: str
    units: Size
    pieces: WholeSize = 2
    bias: Bias = True
    init: Init | None = None
    trainable: bool = True


class LowRankTable(Table):
    """activation(x @ U @ V + b), with U (features, rank) and V (rank, units)."""

    kind: str
    units: Size
    rank: Size
    activation: str | None = None
    bias: Bias = True
    init: Init | None = None
    trainable: bool = True


class DropoutTable(Table):
    """dropout(x, mask, rate): x * mask / (1 - rate), the mask an input that broadcasts to x."""

    kind: str
    mask: Name
    rate: Number


def _prelu(layers: Layers, table: PreluTable, path: Path, depth: int) -> None:
    shape = layers.features("prelu", path)
    if shape is None:
        return
    number = layers.number("parameters")
    name = layers.parameter(
        f"a{number}",
        () if table.shared else (shape[table.axis],),
        path,
        "constant",
        table.value,
        table.trainable,
    )
    spread = (
        ""
        if table.shared or table.axis == -1 or len(shape) == 2
        else f"[:{', None' * (len(shape) - 2)}]"
    )
    if not layers.broken:
        layers.equation(f"h{number}", f"prelu({layers.value}, {name}{spread})", path)


def _maxout(layers: Layers, table: MaxoutTable, path: Path, depth: int) -> None:
    x, shape = layers.value, layers.features("maxout", path)
    units = layers.size(table.units, "units", path)
    number = layers.number("parameters")
    if shape is None or units is None:
        return
    width = size_mul(units, table.pieces)
    weight = layers.weight(
        f"W{number}", (shape[-1], width), path, table.init, table.trainable, [table.units]
    )
    text = f"{x} @ {weight}"
    if table.bias is not False:
        own = bias(layers, table.bias, f"b{number}", (width,), path, table.trainable)
        text = f"{text} + {own}"
    if not layers.broken:
        layers.equation(f"h{number}", f"maxout({text}, {table.pieces})", path)


def _low_rank(layers: Layers, table: LowRankTable, path: Path, depth: int) -> None:
    x, shape = layers.value, layers.features("low_rank", path)
    units = layers.size(table.units, "units", path)
    rank = layers.size(table.rank, "rank", path)
    number = layers.number("parameters")
    if shape is None or units is None or rank is None:
        layers.activated("x", table.activation, path)
        layers.broken = True
        return
    init, trainable = table.init, table.trainable
    u = layers.weight(f"U{number}", (shape[-1], rank), path, init, trainable, [table.rank])
    v = layers.weight(f"V{number}", (rank, units), path, init, trainable, [table.units])
    text = f"low_rank({x}, {u}, {v})"
    if table.bias is not False:
        text = f"{text} + {bias(layers, table.bias, f'b{number}', (units,), path, trainable)}"
    if not layers.broken:
        layers.equation(f"h{number}", layers.activated(text, table.activation, path), path)
        layers.keeps_shape((*shape[:-1], units), table.activation, path)


def _dropout(layers: Layers, table: DropoutTable, path: Path, depth: int) -> None:
    shape = layers.shape()
    layers.named(table.mask, "mask", path)
    if not 0 <= table.rate < 1:
        layers.spec.reading.fault_value(
            (*path, "rate"), f"expected at least 0 and less than 1, got {table.rate!r}"
        )
        layers.broken = True
    if shape is None or layers.broken:
        return
    text = f"dropout({layers.value}, {table.mask}, {table.rate!r})"
    layers.equation(f"d{layers.number('d')}", text, path)


KINDS: Mapping[str, LayerKind] = {
    "prelu": LayerKind(PreluTable, _prelu),
    "maxout": LayerKind(MaxoutTable, _maxout),
    "low_rank": LayerKind(LowRankTable, _low_rank),
    "dropout": LayerKind(DropoutTable, _dropout),
}
