"""Networks of [[layers]], drawn: a row a kind of layer.

A row is a function of the shape so far (without the batch axis) that gives the layer's keys and the
shape after it, or None where the kind does not fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.campaign.drawing import Draw
from tests.campaign.formulas import PADDINGS
from tests.campaign.network import Shape, number, positions

Layer: TypeAlias = tuple[dict[str, Any], Shape]
Row: TypeAlias = Callable[[Draw, Shape], "Layer | None"]

ACTIVATIONS = ("tanh", "relu", "gelu", "softplus", "silu", "softmax", "elu", "erf", "sin")


def _dense(d: Draw, shape: Shape) -> Layer | None:
    units = d.one((3, 1, 2, 4))
    keys: dict[str, Any] = {"units": units, "bias": not d.chance()}
    if d.chance():
        keys["activation"] = d.one(ACTIVATIONS)
    return (keys, (*shape[:-1], units)) if shape else None


def _activation(d: Draw, shape: Shape) -> Layer | None:
    return {"activation": d.one(ACTIVATIONS)}, shape


def _residual(d: Draw, shape: Shape) -> Layer | None:
    if not shape or not isinstance(shape[-1], int):
        return None
    inner = {"kind": "dense", "units": shape[-1], "activation": d.one(ACTIVATIONS)}
    return {"layers": [inner] * d.one((1, 2))}, shape


def _prelu(d: Draw, shape: Shape) -> Layer | None:
    return ({"shared": d.chance()}, shape) if shape else None


def _maxout(d: Draw, shape: Shape) -> Layer | None:
    units = d.one((2, 1, 3))
    return ({"units": units, "pieces": d.one((2, 3))}, (*shape[:-1], units)) if shape else None


def _low_rank(d: Draw, shape: Shape) -> Layer | None:
    units = d.one((3, 2))
    keys = {"units": units, "rank": d.one((1, 2)), "activation": d.one(ACTIVATIONS)}
    return (keys, (*shape[:-1], units)) if shape else None


def _dropout(d: Draw, shape: Shape) -> Layer | None:
    mask = d.network.input(f"m{len(d.network.inputs)}", shape, zero_or_one=True)
    return {"mask": mask, "rate": 0.25}, shape


def _norm(d: Draw, shape: Shape) -> Layer | None:
    return ({"gain": not d.chance(), "trainable": not d.chance()}, shape) if shape else None


def _group_norm(d: Draw, shape: Shape) -> Layer | None:
    if len(shape) < 2 or not isinstance(shape[0], int):
        return None
    return {"groups": d.one([g for g in (1, 2) if shape[0] % g == 0])}, shape


def _batch_norm(d: Draw, shape: Shape) -> Layer | None:
    return ({"offset": not d.chance()}, shape) if shape and isinstance(shape[0], int) else None


def _positions(d: Draw, shape: Shape) -> Layer | None:
    if len(shape) != 2:
        return None
    return {"length": shape[0] if isinstance(shape[0], int) else 6}, shape


def _attention(d: Draw, shape: Shape) -> Layer | None:
    if len(shape) != 2:
        return None
    keys: dict[str, Any] = {"causal": d.chance(), "bias": d.chance()}
    if isinstance(shape[-1], int) and shape[-1] % 2 == 0 and d.chance():
        keys["heads"] = 2
    return keys, shape


def _transformer_block(d: Draw, shape: Shape) -> Layer | None:
    found = _attention(d, shape)
    if found is None:
        return None
    keys = {**found[0], "hidden": 3, "norm": d.one(("layer_norm", "rms_norm"))}
    return {**keys, "norm_first": not d.chance()}, shape


def _conv(d: Draw, shape: Shape, rank: int) -> Layer | None:
    if len(shape) != rank + 1 or not all(isinstance(n, int) for n in shape):
        return None
    kernel, stride, dilation = d.one((2, 1, 3)), d.one((1, 2)), d.one((1, 2))
    padding = d.one(PADDINGS)
    places = [positions(n, kernel, stride, padding, dilation) for n in shape[1:]]
    groups = d.one([g for g in (1, 2) if number(shape[0]) % g == 0])
    channels = groups * d.one((1, 2))
    keys = {"channels": channels, "kernel": kernel, "stride": stride, "padding": padding}
    keys |= {"dilation": dilation, "groups": groups, "activation": d.one(ACTIVATIONS)}
    return None if None in places else (keys, (channels, *(p for p in places if p)))


def _conv_transpose(d: Draw, shape: Shape, rank: int) -> Layer | None:
    if len(shape) != rank + 1 or not all(isinstance(n, int) and n <= 5 for n in shape):
        return None
    kernel, stride, channels = d.one((2, 1, 3)), d.one((1, 2)), d.one((1, 2))
    keys = {"channels": channels, "kernel": kernel, "stride": stride}
    return keys, (channels, *(stride * (number(n) - 1) + kernel for n in shape[1:]))


def _pool(d: Draw, shape: Shape, rank: int) -> Layer | None:
    if len(shape) != rank + 1 or not all(isinstance(n, int) for n in shape):
        return None
    window, stride = d.one((2, 1)), d.one((1, 2))
    places = [positions(n, window, stride) for n in shape[1:]]
    keys = {"window": window, "stride": stride}
    return None if None in places else (keys, (shape[0], *(p for p in places if p)))


def _flatten(d: Draw, shape: Shape) -> Layer | None:
    if not shape or not all(isinstance(n, int) for n in shape):
        return None
    total = math.prod(number(n) for n in shape)
    return ({}, (total,)) if total <= 40 else None


def _channels(d: Draw, shape: Shape) -> Layer | None:
    return ({}, shape[:1]) if len(shape) >= 2 else None


def _recurrent(d: Draw, shape: Shape) -> Layer | None:
    if len(shape) != 2:
        return None
    units = d.one((2, 1, 3))
    keys: dict[str, Any] = {"units": units, "reverse": d.chance(), "bias": not d.chance()}
    keys["return_sequences"] = d.chance()
    keys["unroll"] = isinstance(shape[0], int) and d.chance()
    if d.rarely(2):
        name = f"m{len(d.network.inputs)}"
        keys["mask"] = d.network.input(name, shape[:1], zero_or_one=True)
    return keys, ((shape[0], units) if keys["return_sequences"] else (units,))


def _gru(d: Draw, shape: Shape) -> Layer | None:
    found = _recurrent(d, shape)
    return found and ({**found[0], "reset_after": d.chance()}, found[1])


def _in_space(row: Callable[[Draw, Shape, int], Layer | None], rank: int) -> Row:
    return lambda d, shape: row(d, shape, rank)


LAYERS: Mapping[str, Row] = {
    "dense": _dense,
    "activation": _activation,
    "residual": _residual,
    "prelu": _prelu,
    "maxout": _maxout,
    "low_rank": _low_rank,
    "dropout": _dropout,
    "layer_norm": _norm,
    "rms_norm": _norm,
    "group_norm": _group_norm,
    "batch_norm": _batch_norm,
    "positions": _positions,
    "attention": _attention,
    "transformer_block": _transformer_block,
    **{f"conv{rank}d": _in_space(_conv, rank) for rank in (1, 2)},
    **{f"conv_transpose{rank}d": _in_space(_conv_transpose, rank) for rank in (1, 2)},
    **{f"{how}_pool{rank}d": _in_space(_pool, rank) for how in ("max", "avg") for rank in (1, 2)},
    "flatten": _flatten,
    "global_avg_pool": _channels,
    "global_max_pool": _channels,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _gru,
}


def add_layer(d: Draw) -> None:
    """One more layer, of a kind that fits."""
    kind = d.one(list(LAYERS))
    made = LAYERS[kind](d, d.shape)
    if made is not None:
        keys, d.network.shape = made
        d.network.layers.append({"kind": kind, **keys})
