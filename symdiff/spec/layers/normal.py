"""Normalisations as layers, with gains that begin with 1 and offsets that begin with 0."""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.expr.shapes import Size, shape_text
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Number, Table, WholeSize
from symdiff.spec.toml_positions import Path


class LayerNormTable(Table):
    """layer_norm(x, g, o), on the last axis of x."""

    kind: str
    gain: bool = True
    offset: bool = True
    eps: Number = 1e-5
    trainable: bool = True


class RmsNormTable(Table):
    """rms_norm(x, g), on the last axis of x."""

    kind: str
    gain: bool = True
    eps: Number = 1e-6
    trainable: bool = True


class GroupNormTable(Table):
    """group_norm(x, groups, g, o) of x (batch, channels, ...)."""

    kind: str
    groups: WholeSize
    gain: bool = True
    offset: bool = True
    eps: Number = 1e-5
    trainable: bool = True


class BatchNormTable(Table):
    """batch_norm(x, mean, var, g, o): the inference form, on axis 1 of x (batch, channels, ...).

    Mean and variance are frozen parameters, 0 and 1 until they are given: statistics of a batch
    would make examples depend on each other.
    """

    kind: str
    gain: bool = True
    offset: bool = True
    eps: Number = 1e-5
    trainable: bool = True


_AXIS = {"group_norm": 1, "batch_norm": 1}


def _norm(
    layers: Layers,
    table: LayerNormTable | RmsNormTable | GroupNormTable | BatchNormTable,
    path: Path,
    depth: int,
) -> None:
    kind = table.kind
    shape = layers.features(kind, path)
    if shape is None:
        return
    parts = [layers.value]
    size = shape[_AXIS.get(kind, -1)]
    spread = f"[:, {', '.join(['None'] * (len(shape) - 2))}]" if len(shape) > 2 else ""
    if isinstance(table, GroupNormTable):
        parts.append(str(table.groups))
        if isinstance(size, int) and size % table.groups:
            layers.spec.reading.fault_value(
                (*path, "groups"),
                f"{table.groups} groups do not divide the {size} channels of {layers.value!r} of "
                f"shape {shape_text(shape)}",
            )
            layers.broken = True
    number = layers.number("parameters")
    spread = spread if isinstance(table, BatchNormTable) else ""
    if isinstance(table, BatchNormTable):
        for name, init in ((f"mean{number}", "zeros"), (f"var{number}", "ones")):
            parts.append(layers.parameter(name, (size,), path, init, trainable=False) + spread)
    parts += [part + spread for part in _scales(layers, table, size, number, path)]
    if table.eps != type(table).model_fields["eps"].default:
        parts.append(f"eps={table.eps!r}")
    if table.eps < 0:
        layers.spec.reading.fault_value((*path, "eps"), f"expected at least 0, got {table.eps!r}")
        layers.broken = True
    if not layers.broken:
        layers.equation(f"h{number}", f"{kind}({', '.join(parts)})", path)


def _scales(
    layers: Layers,
    table: LayerNormTable | RmsNormTable | GroupNormTable | BatchNormTable,
    size: Size,
    number: int,
    path: Path,
) -> list[str]:
    """The gain and the offset as arguments."""
    parts = []
    trainable = table.trainable
    if table.gain:
        name = layers.parameter(f"g{number}", (size,), path, "ones", trainable=trainable)
        parts.append(f"gain={name}")
    if getattr(table, "offset", False):
        name = layers.parameter(f"o{number}", (size,), path, "zeros", trainable=trainable)
        parts.append(f"offset={name}")
    return parts


KINDS: Mapping[str, LayerKind] = {
    "layer_norm": LayerKind(LayerNormTable, _norm),
    "rms_norm": LayerKind(RmsNormTable, _norm),
    "group_norm": LayerKind(GroupNormTable, _norm),
    "batch_norm": LayerKind(BatchNormTable, _norm),
}
