"""Networks of [[layers]], drawn: a row a kind of layer.

A row is a function of the shape so far (without the batch axis) that gives the layer's keys and the
shape after it, or None where the kind does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.campaign.formulas import Draw
from tests.campaign.network import Shape

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
}


def add_layer(d: Draw) -> None:
    """One more layer, of a kind that fits."""
    kind = d.one(list(LAYERS))
    made = LAYERS[kind](d, d.shape)
    if made is not None:
        keys, d.network.shape = made
        d.network.layers.append({"kind": kind, **keys})
