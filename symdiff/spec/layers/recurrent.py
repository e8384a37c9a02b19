"""Recurrent layers over (batch, time, features): the equations of rnn, lstm and gru."""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.errors import did_you_mean, listing
from symdiff.expr.shapes import size_mul
from symdiff.nn.recurrent import ACTIVATIONS
from symdiff.spec.layers.dense import bias
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Bias, Init, Name, Size, Table
from symdiff.spec.toml_positions import Path


class RecurrentTable(Table):
    """What all of them take: the last state of ``units``, or with ``return_sequences`` every one.

    ``mask`` names an input (batch, time) and ``lengths`` one of (batch,): steps left out carry the
    state through.  ``initial_state`` names a value (batch, units) or (units,).  ``reverse`` runs
    from the last step, and ``unroll`` writes the steps out.
    """

    kind: str
    units: Size
    return_sequences: bool = False
    mask: Name | None = None
    lengths: Name | None = None
    initial_state: Name | None = None
    reverse: bool = False
    unroll: bool = False
    bias: Bias = True
    init: Init | None = None
    recurrent_init: Init | None = None
    trainable: bool = True


class RnnTable(RecurrentTable):
    """rnn(x, W, U, b)."""

    activation: str = "tanh"


class LstmTable(RecurrentTable):
    """lstm(x, W, U, b), its gates i, f, g, o side by side; ``initial_cell`` names the first c."""

    initial_cell: Name | None = None


class GruTable(RecurrentTable):
    """gru(x, W, U, b), its gates r, z and candidate n side by side.

    ``reset_after`` resets after the product, which then has a bias c of its own.
    """

    reset_after: bool = False


def _write(layers: Layers, table: RecurrentTable, path: Path, gates: int, more: list[str]) -> None:
    """Declare W, U and b, and write the call; ``more`` are arguments of the kind's own."""
    x, shape = layers.value, layers.features(table.kind, path, rank=3)
    units = layers.size(table.units, "units", path)
    number = layers.number("parameters")
    told = _named(layers, table, path)
    if shape is None or units is None or layers.broken:
        layers.broken = True
        return
    if table.unroll and not isinstance(shape[-2], int):
        layers.spec.reading.fault_value(
            (*path, "unroll"), f"{x!r} has {shape[-2]} steps: only a number of them can be unrolled"
        )
        layers.broken = True
        return
    wide, trainable, named = size_mul(gates, units), table.trainable, [table.units]
    parts = [
        x,
        layers.weight(f"W{number}", (shape[-1], wide), path, table.init, trainable, named),
        layers.weight(f"U{number}", (units, wide), path, table.recurrent_init, trainable, named),
    ]
    if table.bias is not False:
        parts.append(bias(layers, table.bias, f"b{number}", (wide,), path, trainable))
    if table.bias is not False and isinstance(table, GruTable) and table.reset_after:
        parts.append(bias(layers, table.bias, f"c{number}", (units,), path, trainable))
    told += more
    for flag in ("return_sequences", "reverse", "unroll"):
        told += [f"{flag}=True"] if getattr(table, flag) else []
    if not layers.broken:
        layers.equation(f"h{number}", f"{table.kind}({', '.join([*parts, *told])})", path)


def _named(layers: Layers, table: RecurrentTable, path: Path) -> list[str]:
    """The arguments that the table gives by name."""
    keys = ["initial_state", "initial_cell", "mask", "lengths"]
    found: list[str] = []
    for key in keys:
        name = getattr(table, key, None)
        if name is not None:
            layers.named(name, key, path)
            found.append(f"{key}={name}")
    return found


def _rnn(layers: Layers, table: RnnTable, path: Path, depth: int) -> None:
    if table.activation not in ACTIVATIONS:
        hint = did_you_mean(table.activation, ACTIVATIONS)
        known = listing([*ACTIVATIONS])
        layers.spec.reading.fault_value(
            (*path, "activation"),
            f"unknown activation {table.activation!r}; expected {known}{hint}",
        )
        layers.broken = True
    plain = table.activation == "tanh"
    _write(layers, table, path, 1, [] if plain else [f"activation={table.activation!r}"])


def _lstm(layers: Layers, table: LstmTable, path: Path, depth: int) -> None:
    _write(layers, table, path, 4, [])


def _gru(layers: Layers, table: GruTable, path: Path, depth: int) -> None:
    _write(layers, table, path, 3, ["reset_after=True"] if table.reset_after else [])


KINDS: Mapping[str, LayerKind] = {
    "rnn": LayerKind(RnnTable, _rnn),
    "lstm": LayerKind(LstmTable, _lstm),
    "gru": LayerKind(GruTable, _gru),
}
