"""Layers over sequences: embeddings, attention, and the transformer block made of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, Size, shape_text
from symdiff.nn.embeddings import MODES
from symdiff.nn.losses import declared_of
from symdiff.spec.layers.dense import bias
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Init, Name, Table, WholeSize
from symdiff.spec.schema import Size as SizeKey
from symdiff.spec.toml_positions import Path


class EmbeddingTable(Table):
    """E[ids]: a row of ``units`` numbers for each label.

    The rows are as many as there are labels, or ``rows``.  ``padding_idx`` freezes a row;
    ``bag`` takes the sum or the mean over the last axis of ids, with ``weights`` from an input.
    """

    kind: str
    units: SizeKey
    rows: SizeKey | None = None
    padding_idx: int | None = None
    bag: Literal["sum", "mean"] | None = None
    weights: Name | None = None
    init: Init | None = None
    trainable: bool = True


class PositionsTable(Table):
    """x + P[:time]: a learned row for each of ``length`` places, the same for every example."""

    kind: str
    length: SizeKey
    init: Init | None = None
    trainable: bool = True


class AttentionTable(Table):
    """attention(x @ Wq, x @ Wk, x @ Wv) @ Wo over (batch, time, features).

    ``mask`` names an input: (batch, keys), or what broadcasts to (batch, queries, keys).
    ``memory`` names the value that keys and values are of (cross-attention).
    """

    kind: str
    heads: WholeSize = 1
    causal: bool = False
    mask: Name | None = None
    memory: Name | None = None
    bias: bool = False
    init: Init | None = None
    trainable: bool = True


class TransformerBlockTable(Table):
    """x + attention(norm(x)), and to that dense(activation(dense(norm(that)))).

    ``norm_first = false`` normalises each sum instead (Vaswani et al. 2017).  ``memory`` puts an
    attention to another sequence between, whose mask is ``memory_mask``.
    """

    kind: str
    heads: WholeSize = 1
    hidden: SizeKey
    activation: str = "gelu"
    causal: bool = False
    mask: Name | None = None
    memory: Name | None = None
    memory_mask: Name | None = None
    norm: Literal["layer_norm", "rms_norm"] = "layer_norm"
    norm_first: bool = True
    bias: bool = True


def _embedding(layers: Layers, table: EmbeddingTable, path: Path, depth: int) -> None:
    spec, ids, shape = layers.spec, layers.value, layers.shape()
    units = layers.size(table.units, "units", path)
    number = layers.number("parameters")
    rows = _rows(layers, table, path)
    if table.bag is None and table.weights is not None:
        spec.reading.fault((*path, "weights"), "weights are of the rows of a bag; say bag = ...")
        layers.broken = True
    if table.bag is not None and shape is not None and len(shape) < 2:
        spec.reading.fault(path, f"a bag needs (batch, bag); {ids!r} has shape {shape_text(shape)}")
        layers.broken = True
    if table.weights is not None:
        layers.named(table.weights, "weights", path)
    if shape is None or units is None or rows is None or layers.broken:
        layers.broken = True
        return
    sizes = [table.units] if table.rows is None else [table.units, table.rows]
    e = layers.weight(f"E{number}", (rows, units), path, table.init, table.trainable, sizes)
    parts = [e, ids]
    if table.bag is not None:
        parts += [] if table.weights is None else [f"weights={table.weights}"]
        parts += [] if table.bag == MODES[0] else [f"mode={table.bag!r}"]
    if table.padding_idx is not None:
        parts.append(f"padding_idx={table.padding_idx}")
    function = "embedding" if table.bag is None else "embedding_bag"
    if not layers.broken:
        layers.equation(f"h{number}", f"{function}({', '.join(parts)})", path)


def _rows(layers: Layers, table: EmbeddingTable, path: Path) -> Size | None:
    """How many rows the table of an embedding has."""
    node = layers.spec.values.get(layers.value)
    if layers.shape() is None or not isinstance(node, Node):
        return None
    if node.dtype != "int64":
        layers.spec.reading.fault(
            path, f"embedding needs labels, which {layers.value!r} does not hold; say labels = ..."
        )
        return None
    if table.rows is not None:
        return layers.size(table.rows, "rows", path)
    facts = declared_of(node)
    if "labels" not in facts:
        layers.spec.reading.fault(path, f"embedding of {layers.value!r} needs rows = ...")
        return None
    labels: Size = facts["labels"]
    return labels


def _positions(layers: Layers, table: PositionsTable, path: Path, depth: int) -> None:
    x, shape = layers.value, layers.features("positions", path, rank=3)
    length = layers.size(table.length, "length", path)
    number = layers.number("parameters")
    if shape is None or length is None:
        return
    time = shape[-2]
    if isinstance(time, int) and isinstance(length, int) and time > length:
        layers.spec.reading.fault_value(
            (*path, "length"), f"{length} positions for {x!r} of shape {shape_text(shape)}"
        )
        layers.broken = True
        return
    names = [table.length]
    p = layers.weight(f"P{number}", (length, shape[-1]), path, table.init, table.trainable, names)
    part = p if time == length else f"{p}[:{x}.shape[{len(shape) - 2}]]"
    if not layers.broken:
        layers.equation(f"h{number}", f"{x} + {part}", path)


def _attention(layers: Layers, table: AttentionTable, path: Path, depth: int) -> None:
    x, shape = layers.value, layers.features("attention", path, rank=3)
    memory = table.memory or x
    other = shape if table.memory is None else layers.named(table.memory, "memory", path)
    mask = None if table.mask is None else layers.named(table.mask, "mask", path)
    number = layers.number("parameters")
    if shape is None or other is None or layers.broken:
        layers.broken = True
        return
    width = shape[-1]
    if isinstance(width, int) and width % table.heads:
        layers.spec.reading.fault_value(
            (*path, "heads"),
            f"{table.heads} heads do not divide the {width} features of {x!r} of shape "
            f"{shape_text(shape)}",
        )
        layers.broken = True
        return
    made = [
        _projection(layers, table, letter, number, source, (size, width), path)
        for letter, source, size in (
            ("q", x, width), ("k", memory, other[-1]), ("v", memory, other[-1]),
        )
    ]  # fmt: skip
    if layers.broken:
        return
    if mask is not None:
        keys_alone = len(mask) == len(shape) - 1 and mask[:1] == (layers.spec.batch,)
        made.append(f"mask={table.mask}{'[:, None, :]' if keys_alone else ''}")
    made += ["causal=True"] if table.causal else []
    made += [f"heads={table.heads}"] if table.heads > 1 else []
    mixed = layers.equation(f"m{number}", f"attention({', '.join(made)})", path)
    if not layers.broken:
        _projection(layers, table, "o", number, mixed, (width, width), path, f"h{number}")


def _projection(
    layers: Layers,
    table: AttentionTable,
    letter: str,
    number: int,
    source: str,
    shape: Shape,
    path: Path,
    name: str | None = None,
) -> str:
    """The equation of queries, keys, values, or of the output."""
    weight = layers.weight(f"W{letter}{number}", shape, path, table.init, table.trainable)
    text = f"{source} @ {weight}"
    if table.bias:
        own = bias(layers, True, f"b{letter}{number}", shape[1:], path, table.trainable)
        text = f"{text} + {own}"
    return "" if layers.broken else layers.equation(name or f"{letter}{number}", text, path)


def _transformer_block(
    layers: Layers, table: TransformerBlockTable, path: Path, depth: int
) -> None:
    shape = layers.features("transformer_block", path, rank=3)
    if layers.size(table.hidden, "hidden", path) is None or shape is None:
        layers.broken = True
        return
    if table.memory is None and table.memory_mask is not None:
        layers.spec.reading.fault((*path, "memory_mask"), "memory_mask needs memory = ...")
        layers.broken = True
        return
    norm = {"kind": table.norm}
    own = {
        "kind": "attention", "heads": table.heads, "causal": table.causal, "bias": table.bias
    }  # fmt: skip
    if table.mask is not None:
        own["mask"] = table.mask
    parts: list[list[dict[str, Any]]] = [[own]]
    if table.memory is not None:
        across = {"kind": "attention", "heads": table.heads, "bias": table.bias}
        masked = {} if table.memory_mask is None else {"mask": table.memory_mask}
        parts.append([{**across, "memory": table.memory, **masked}])
    wide = {"kind": "dense", "units": table.hidden, "bias": table.bias}
    back = {"kind": "dense", "units": shape[-1], "bias": table.bias}
    parts.append([{**wide, "activation": table.activation}, back])
    for part in parts:
        inner = [norm, *part] if table.norm_first else part
        layers.stack([{"kind": "residual", "layers": inner}], path, depth + 1)
        if not table.norm_first:
            layers.stack([norm], path, depth + 1)


KINDS: Mapping[str, LayerKind] = {
    "embedding": LayerKind(EmbeddingTable, _embedding),
    "positions": LayerKind(PositionsTable, _positions),
    "attention": LayerKind(AttentionTable, _attention),
    "transformer_block": LayerKind(TransformerBlockTable, _transformer_block),
}
