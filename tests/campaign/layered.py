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
from tests.campaign.network import Shape, Size, number, positions

Layer: TypeAlias = tuple[dict[str, Any], Shape]
Row: TypeAlias = Callable[[Draw, Shape], "Layer | None"]

UNITS: tuple[Size, ...] = (3, 1, 2, 4, "width")
ACTIVATIONS = ("tanh", "relu", "gelu", "softplus", "silu", "softmax", "elu", "erf", "sin")


def _data(d: Draw, letter: str, shape: Shape, **facts: Any) -> str:
    """A new input with a name of its own."""
    return d.network.input(f"{letter}{len(d.network.inputs)}", shape, **facts)


def _dense(d: Draw, shape: Shape) -> Layer | None:
    units: Size = d.one(UNITS)
    keys: dict[str, Any] = {"units": units, "bias": d.one((True, False, 0.5))}
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
    own = shape[:1] + (1,) * (len(shape) - 1) if d.chance() else shape
    mask = _data(d, "m", own, zero_or_one=True)
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
    how = d.one(("all", "all", "keys", "pairs"))
    if how != "all":
        own = shape[:1] if how == "keys" else (shape[0], shape[0])
        keys["mask"] = _data(d, "m", own, zero_or_one=True)
    return keys, shape


def _attention_across(d: Draw, shape: Shape) -> Layer | None:
    """To a memory of its own length, some keys of which may be left out."""
    found = _attention(d, shape)
    if found is None:
        return None
    keys = {k: v for k, v in found[0].items() if k in ("heads", "bias")}
    time: Size = d.one((3, "time", 1))
    keys["memory"] = _data(d, "o", (time, d.one((2, 1))))
    if d.chance():
        keys["mask"] = _data(d, "m", (time,), zero_or_one=True)
    return keys, shape


def _transformer_block(d: Draw, shape: Shape) -> Layer | None:
    found = _attention(d, shape)
    if found is None:
        return None
    keys = {**found[0], "hidden": 3, "norm": d.one(("layer_norm", "rms_norm"))}
    if d.rarely(2):
        across = _attention_across(d, shape)
        assert across is not None
        keys["memory"] = across[0]["memory"]
        if "mask" in across[0]:
            keys["memory_mask"] = across[0]["mask"]
    return {**keys, "norm_first": not d.chance()}, shape


def _any_attention(d: Draw, shape: Shape) -> Layer | None:
    return _attention_across(d, shape) if d.rarely(2) else _attention(d, shape)


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
    how = d.one(("none", "none", "mask", "lengths"))
    if how == "mask":
        keys["mask"] = _data(d, "m", shape[:1], zero_or_one=True)
    if how == "lengths":
        keys["lengths"] = _data(d, "n", (), labels=number(shape[0]) + 1)
    if d.rarely(3):
        keys["initial_state"] = _data(d, "s", (units,))
    return keys, ((shape[0], units) if keys["return_sequences"] else (units,))


def _rnn(d: Draw, shape: Shape) -> Layer | None:
    found = _recurrent(d, shape)
    activation = d.one(("tanh", "softplus", "sin"))
    return found and ({**found[0], "activation": activation}, found[1])


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
    "attention": _any_attention,
    "transformer_block": _transformer_block,
    **{f"conv{rank}d": _in_space(_conv, rank) for rank in (1, 2)},
    **{f"conv_transpose{rank}d": _in_space(_conv_transpose, rank) for rank in (1, 2)},
    **{f"{how}_pool{rank}d": _in_space(_pool, rank) for how in ("max", "avg") for rank in (1, 2)},
    "flatten": _flatten,
    "global_avg_pool": _channels,
    "global_max_pool": _channels,
    "rnn": _rnn,
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
