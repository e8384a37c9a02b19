"""Layers over space: convolutions, their transposes, pooling, flatten.

Values are (batch, channels, *space), as the functions of :mod:`symdiff.nn.convolution` and
:mod:`symdiff.nn.pooling` take them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainValidator

from symdiff.expr.shapes import Shape, shape_text, size_floordiv
from symdiff.spec.layers.dense import bias
from symdiff.spec.layers.writing import LayerKind, Layers
from symdiff.spec.schema import Bias, Init, Size, Table, WholeSize
from symdiff.spec.toml_positions import Path

Numbers = int | tuple[int, ...]


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _numbers(value: Any) -> Numbers:
    if _is_whole(value, 1):
        return int(value)
    if isinstance(value, list) and value and all(_is_whole(item, 1) for item in value):
        return tuple(value)
    raise ValueError(f"expected a whole number of at least 1, or a list of them, got {value!r}")


def _padding(value: Any) -> Any:
    if value in ("same", "valid") or _is_whole(value, 0):
        return value
    if isinstance(value, list) and value:
        ends = [tuple(item) if isinstance(item, list) else item for item in value]
        whole = [n for end in ends for n in (end if isinstance(end, tuple) else (end,))]
        if all(_is_whole(n, 0) for n in whole):
            return tuple(ends)
    raise ValueError(f'expected a whole number, a list of them, "same" or "valid", got {value!r}')


OneOrEach = Annotated[Any, PlainValidator(_numbers)]
Padding = Annotated[Any, PlainValidator(_padding)]


class ConvTable(Table):
    """activation(conv2d(x, W, ...) + b), with W (channels, in/groups, *kernel).

    ``kernel``, ``stride`` and ``dilation`` are a number or a list, one an axis; ``padding`` is a
    number, one an axis, [before, after] an axis, "same" or "valid".
    """

    kind: str
    channels: Size
    kernel: OneOrEach
    stride: OneOrEach = 1
    padding: Padding = 0
    dilation: OneOrEach = 1
    groups: WholeSize = 1
    activation: str | None = None
    bias: Bias = True
    init: Init | None = None
    trainable: bool = True


class ConvTransposeTable(ConvTable):
    """activation(conv_transpose2d(x, W, ...) + b), with W (in, channels/groups, *kernel)."""

    output_padding: Padding = 0


class PoolTable(Table):
    """max_pool2d(x, window, ...) and the like; the stride defaults to the window."""

    kind: str
    window: OneOrEach
    stride: OneOrEach | None = None
    padding: Padding = 0


class PlainTable(Table):
    """flatten(x), global_avg_pool(x), global_max_pool(x)."""

    kind: str


_AXES = {1: "(batch, channels, length)", 2: "(batch, channels, height, width)"}


def _rank(kind: str) -> int:
    return int(kind.removesuffix("d")[-1])


def _images(layers: Layers, kind: str, path: Path) -> Shape | None:
    """The shape of the value so far, which must have the kind's space axes; None if it has not."""
    shape, rank = layers.shape(), _rank(kind)
    if shape is not None and len(shape) != rank + 2:
        layers.spec.reading.fault(
            path,
            f"{kind} needs {_AXES[rank]}; {layers.value!r} has shape {shape_text(shape)}",
        )
        shape = None
    layers.broken = layers.broken or shape is None
    return shape


def _settings(table: Table, *names: str) -> str:
    """The settings that are not as they are by default, as arguments."""
    fields = type(table).model_fields
    given = [(name, getattr(table, name)) for name in names]
    return "".join(f", {n}={value!r}" for n, value in given if value != fields[n].default)


def _kernel(layers: Layers, table: ConvTable, rank: int, path: Path) -> tuple[int, ...] | None:
    sizes: Numbers = table.kernel
    if isinstance(sizes, int):
        return (sizes,) * rank
    if len(sizes) == rank:
        return sizes
    layers.spec.reading.fault_value(
        (*path, "kernel"), f"expected a whole number or {rank} of them, got {[*sizes]!r}"
    )
    layers.broken = True
    return None


def _conv(layers: Layers, table: ConvTable, path: Path, depth: int) -> None:
    kind, rank = table.kind, _rank(table.kind)
    x, shape = layers.value, _images(layers, kind, path)
    channels = layers.size(table.channels, "channels", path)
    kernel = _kernel(layers, table, rank, path)
    number = layers.number("parameters")
    if shape is None or channels is None or kernel is None:
        layers.activated("x", table.activation, path)
        layers.broken = True
        return
    for size, of in ((shape[1], f"channels of {x!r} of shape {shape_text(shape)}"),
                     (channels, "channels of the layer")):  # fmt: skip
        if isinstance(size, int) and size % table.groups:
            layers.spec.reading.fault_value(
                (*path, "groups"), f"{table.groups} groups do not divide the {size} {of}"
            )
            layers.broken = True
    more = _settings(table, "stride", "padding", "dilation", "groups")
    first, second = channels, size_floordiv(shape[1], table.groups)
    if isinstance(table, ConvTransposeTable):
        first, second = shape[1], size_floordiv(channels, table.groups)
        more += _settings(table, "output_padding")
    named, trainable = [table.channels], table.trainable
    whole = (first, second, *kernel)
    weight = layers.weight(f"W{number}", whole, path, table.init, trainable, named)
    text = f"{kind}({x}, {weight}{more})"
    if table.bias is not False:
        name = bias(layers, table.bias, f"b{number}", (channels,), path, trainable)
        text = f"{text} + {name}[:{', None' * rank}]"
    if layers.broken:
        return
    layers.equation(f"h{number}", layers.activated(text, table.activation, path), path)
    after = layers.shape()
    if after is not None:
        layers.keeps_shape((shape[0], channels, *after[2:]), table.activation, path)


def _pool(layers: Layers, table: PoolTable, path: Path, depth: int) -> None:
    if _images(layers, table.kind, path) is None:
        return
    text = f"{table.kind}({layers.value}, {table.window!r}{_settings(table, 'stride', 'padding')})"
    layers.equation(f"p{layers.number('p')}", text, path)


def _plain(series: str, rank: int) -> Any:
    def write(layers: Layers, table: PlainTable, path: Path, depth: int) -> None:
        shape = layers.shape()
        if shape is not None and len(shape) < rank:
            layers.spec.reading.fault(
                path,
                f"{table.kind} needs (batch, channels, *space); {layers.value!r} has shape "
                f"{shape_text(shape)}",
            )
            layers.broken = True
        if shape is not None and not layers.broken:
            layers.equation(
                f"{series}{layers.number(series)}", f"{table.kind}({layers.value})", path
            )

    return write


KINDS: Mapping[str, LayerKind] = {
    **dict.fromkeys(("conv1d", "conv2d"), LayerKind(ConvTable, _conv)),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), LayerKind(ConvTransposeTable, _conv)),
    **dict.fromkeys(
        ("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"), LayerKind(PoolTable, _pool)
    ),
    **dict.fromkeys(("global_avg_pool", "global_max_pool"), LayerKind(PlainTable, _plain("p", 3))),
    "flatten": LayerKind(PlainTable, _plain("f", 1)),
}
