"""The specs of this folder, compiled, with parameters and data as they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import symdiff
from symdiff.expr.shapes import size_value
from symdiff.spec.load import load
from symdiff.spec.model import Model

Array: TypeAlias = NDArray[Any]

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.toml"))
#: They mix the examples of a batch.
MIXING = ("batch_norm_training", "contrast_in_batch")
#: What the data have of the sizes that specs leave open.
SIZES: Mapping[str, int] = {
    "height": 6, "breadth": 5, "time": 5, "origin": 4, "features": 7, "classes": 4, "words": 8,
    "points": 6, "n": 5, "size": 4,
}  # fmt: skip


def text_of(name: str) -> str:
    """A spec's text, in double precision."""
    text = (HERE / f"{name}.toml").read_text(encoding="utf-8")
    return text.replace('dtype = "float32"', 'dtype = "float64"')


@cache
def model_of(name: str) -> Model:
    return load(text_of(name))


@cache
def module_of(name: str, functions: tuple[str, ...] = ()) -> Any:
    """The module of a spec in double precision, of all functions or of those."""
    return symdiff.compile(text_of(name), functions=functions or None)


def _drawn(rng: np.random.Generator, facts: Mapping[str, Any], shape: list[int], name: str) -> Any:
    if "labels" in facts:
        labels = facts["labels"]
        count = labels if isinstance(labels, int) else SIZES[labels]
        found = rng.integers(0, count, shape)
        if name == "length":  # 0 is a length, and so is all there is
            found = np.minimum(found, SIZES["time"])
        if facts.get("ignore") is not None:
            found = np.where(rng.random(shape) < 0.25, facts["ignore"], found)
        return found
    if facts.get("zero_or_one"):
        return (rng.random(shape) < 0.7) * 1.0
    if facts.get("one_hot"):
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if facts.get("range"):
        return rng.uniform(*facts["range"], shape)
    if facts.get("plus_minus_one"):
        return rng.integers(0, 2, shape) * 2.0 - 1.0
    if facts.get("sums_to_one"):
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    if facts.get("nonnegative") or facts.get("positive"):
        return rng.uniform(0.2, 2.0, shape)
    return rng.normal(size=shape)


def inputs_of(
    name: str, batch: int = 4, seed: int = 0, sizes: Mapping[str, int] | None = None
) -> dict[str, Array]:
    """Data by name: some masks with nothing in them, some labels that count nothing."""
    rng = np.random.default_rng(seed)
    known = {**SIZES, **(sizes or {}), "batch": batch}
    found = {}
    for key, node in model_of(name).inputs.items():
        shape = [size_value(size, known) for size in node.shape]
        found[key] = _drawn(rng, dict(node.attr("declared")), shape, key)
    if "edges" in found:
        found["edges"] = np.maximum(found["edges"], np.swapaxes(found["edges"], 1, 2))
    return found


def parameters_of(name: str, seed: int = 1) -> dict[str, Array]:
    """Parameters with nothing 0 or alike in them; variances positive."""
    rng = np.random.default_rng(seed)
    found = {}
    for key, p in model_of(name).parameters.items():
        shape = [size_value(size, SIZES) for size in p.node.shape]
        low, high = (0.5, 1.5) if p.init == "ones" else (-0.8, 0.8)
        found[key] = np.asarray(rng.uniform(low, high, shape))
    return found
