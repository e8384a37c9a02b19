"""A spec under examination: compiled, with data and parameters drawn for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symdiff.compiler import compile_model
from symdiff.expr import build as b
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from symdiff.spec.load import load
from symdiff.spec.model import Model
from tests.campaign.network import SIZES

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = dict[str, Any]

TIGHT = 1e-9
SINGLE = 'dtype = "float32"\n'


class Mismatch(AssertionError):
    """Two ways to one number gave two numbers."""


def data_for(node: Node, rng: np.random.Generator, sizes: Mapping[str, int]) -> Array:
    """An array that an input may be, as its facts say."""
    facts = dict(node.attr("declared"))
    shape = [size_value(size, sizes) for size in node.shape]
    if "labels" in facts:
        labels = facts["labels"]
        low = 0 if facts.get("ignore") is None else facts["ignore"]
        return rng.integers(low, sizes.get(labels, labels), shape)
    if facts.get("sums_to_one"):
        return np.asarray(rng.dirichlet(np.ones(shape[-1]), shape[:-1]))
    if facts.get("zero_or_one"):
        return rng.integers(0, 2, shape).astype(np.float64)
    if facts.get("plus_minus_one"):
        return rng.integers(0, 2, shape) * 2.0 - 1.0
    if facts.get("range") or facts.get("nonnegative") or facts.get("positive"):
        return np.asarray(rng.uniform(0.05, 0.95, shape))
    return np.asarray(rng.normal(size=shape))


def agree(ours: Any, theirs: Any, what: str, tolerance: float = TIGHT, scale: Any = 0.0) -> None:
    """Raise Mismatch unless the arrays are equal up to rounding, of numbers as large as scale."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        raise Mismatch(f"{what}: shape {ours.shape}, expected {theirs.shape}")
    size = max(1.0, float(np.max(np.abs(theirs), initial=0.0)), float(np.max(scale, initial=0.0)))
    error = float(np.max(np.abs(ours - theirs), initial=0.0)) / size
    if not error <= tolerance:
        raise Mismatch(f"{what}: error {error:.3g} exceeds {tolerance:.1g}")


def agree_all(
    found: Mapping[str, Any],
    theirs: Sequence[Any],
    what: str,
    tolerance: float = TIGHT,
    scale: Any = 0.0,
) -> None:
    """The same of arrays by name."""
    for (name, ours), expected in zip(found.items(), theirs, strict=True):
        agree(ours, expected, f"{what} by {name}", tolerance, scale)


@dataclass
class Subject:
    """A spec compiled, with data for it."""

    text: str  # of either precision: all but in_single is double
    seed: int = 0
    batch: int = 3
    named: Mapping[str, int] = field(default_factory=lambda: SIZES)

    @cached_property
    def model(self) -> Model:
        return load(self.double)

    @property
    def double(self) -> str:
        """The spec in double precision."""
        return self.text.replace(SINGLE, "")

    @property
    def is_single(self) -> bool:
        return SINGLE in self.text

    @cached_property
    def in_single(self) -> ModuleType:
        """The module in single precision."""
        return compile_model(load(self.text)).module()

    @cached_property
    def module(self) -> ModuleType:
        compiled = compile_model(self.model)
        missing = compiled.description.unavailable
        if missing:
            raise Mismatch(f"without {', '.join(missing)}: {next(iter(missing.values()))}")
        return compiled.module()

    @cached_property
    def arrays(self) -> Arrays:
        """Values of the inputs, then of the parameters."""
        rng = np.random.default_rng(self.seed)
        sizes = self.sizes(self.batch)
        found = {name: data_for(x, rng, sizes) for name, x in self.model.inputs.items()}
        for name, p in self.model.parameters.items():
            shape = [size_value(size, self.named) for size in p.node.shape]
            low, high = (0.5, 1.5) if p.init == "ones" else (-0.9, 0.9)
            found[name] = np.asarray(rng.uniform(low, high, shape))
        return found

    @property
    def params(self) -> Arrays:
        return {name: self.arrays[name] for name in self.model.parameters}

    @property
    def inputs(self) -> list[Any]:
        return [self.arrays[name] for name in self.model.inputs]

    @cached_property
    def direction(self) -> Arrays:
        rng = np.random.default_rng(self.seed + 1)
        return {n: rng.normal(size=self.arrays[n].shape) for n in self.model.trainable}

    @cached_property
    def differs(self) -> bool:
        """Whether the loss's differences are what its derivatives say: nothing is held back."""
        return all(node.op != "stop_gradient" for node in toposort([self.loss]))

    @cached_property
    def loss(self) -> Node:
        """The loss as the spec says it, nothing simplified."""
        reduced = b.mean if self.model.reduction == "mean" else b.sum
        total = reduced(self.model.per_example)
        own = self.model.regularizer
        return total if own is None else total + own

    @property
    def all_sizes(self) -> dict[str, int]:
        return self.sizes(self.batch)

    def sizes(self, batch: int) -> dict[str, int]:
        return {**self.named, "batch": batch}

    def moved(self, step: float) -> Arrays:
        """The parameters, a step along the direction."""
        return {n: x + step * self.direction.get(n, 0.0) for n, x in self.params.items()}
