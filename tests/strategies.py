"""Hypothesis strategies that draw random graphs, with points at which to evaluate them.

The graphs are made of what users call, over a few small shapes of which some are symbolic, with
nodes used more than once.  Every operation drawn is smooth at almost every point and keeps values
near 1, so that differences are the derivatives' fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, shape_size, size_value
from symdiff.expr.windows import window

SIZES = {"n": 2}
_SHAPES: tuple[Shape, ...] = ((), (3,), ("n",), ("n", 3), (3, 3), ("n", 1), (2, "n", 3))


@dataclass(frozen=True)
class Graph:
    """A drawn graph: a scalar root, an array inside it, its leaves, and a point."""

    root: Node
    inner: Node
    leaves: tuple[Node, ...]
    values: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """The leaves' names."""
        return [leaf.attr("name") for leaf in self.leaves]

    @property
    def tangents(self) -> list[Node]:
        """Inputs t0, t1, … of the leaves' shapes, for a direction."""
        return [b.input(f"t{i}", x.shape, x.dtype) for i, x in enumerate(self.leaves)]

    @property
    def direction(self) -> dict[str, Any]:
        """The values of the tangents: a random direction."""
        rng = np.random.default_rng(0)
        return {
            f"t{i}": np.asarray(rng.normal(size=self.values[name].shape))
            for i, name in enumerate(self.names)
        }


_UNARY: tuple[Callable[[Node], Node], ...] = (
    b.tanh,
    b.sin,
    b.cos,
    b.sigmoid,
    b.softplus,
    b.arctan,
    b.arcsinh,
    b.erf,
    lambda x: b.exp(b.sin(x)),
    lambda x: b.log1p(x * x),
    lambda x: b.sqrt(1 + x * x),
    lambda x: 1 / (1 + x * x),
    lambda x: b.expm1(-x * x),
    lambda x: b.tanh(x) ** 2 - 3 * x,
    lambda x: b.relu(x + 0.1),
    lambda x: b.abs(x - 0.1),
    lambda x: b.where(x > 0.2, b.sin(x), x),
    lambda x: b.stop_gradient(b.cos(x)) * x,
)
_BINARY: tuple[Callable[[Node, Node], Node], ...] = (
    lambda x, y: x + 2 * y,
    lambda x, y: x - y,
    lambda x, y: x * b.sin(y),
    lambda x, y: x / (1 + y * y),
    lambda x, y: b.maximum(x, y + 0.01),
    lambda x, y: b.hypot(x, 1 + b.abs(y)),
    lambda x, y: b.power(1 + x * x, b.tanh(y)),
)


def _windows(x: Node) -> Node:
    """Overlapping windows along the last axis, padded so that one fits."""
    return window(b.pad(x, 1), (x.ndim - 1,), (3,), (2,), (1,))


_OF_ARRAY: tuple[Callable[[Node], Node], ...] = (
    b.softmax,
    b.log_softmax,
    b.logsumexp,
    lambda x: b.sum(x, axis=-1),
    lambda x: b.mean(x, axis=0),
    lambda x: b.max(x, axis=-1),
    lambda x: b.cumsum(x, axis=-1),
    lambda x: b.prod(b.tanh(x), axis=-1),
    lambda x: b.norm(x, axis=-1),
    lambda x: b.flip(x, 0) * x,
    lambda x: x.T,
    lambda x: b.ravel(x),
    lambda x: b.concatenate([x, 2 * x], axis=0),
    lambda x: b.pad(x, 1),
    lambda x: b.sum(b.tanh(_windows(x)), axis=-1),
    lambda x: b.max(_windows(x), axis=-1),
    lambda x: x[1:],
    lambda x: x[..., None] * x[..., None, :],
)


def _combine(x: Node, y: Node, binary: Callable[[Node, Node], Node]) -> Node:
    """A matrix product where the shapes have one, else a broadcasting operation, else a mix."""
    if x.ndim and y.ndim and x.shape[-1] == y.shape[-2 if y.ndim > 1 else 0]:
        if y.ndim <= 2 or x.shape[:-2] == y.shape[:-2]:
            return b.tanh(x @ y)
    try:
        return binary(x, y)
    except ValueError:
        return binary(x, b.tanh(b.sum(y)))


@st.composite
def graphs(draw: st.DrawFn, max_steps: int = 7, dtype: str = "float64") -> Graph:
    """A random graph of up to ``max_steps`` operations over two or three leaves."""
    shapes = draw(st.lists(st.sampled_from(_SHAPES), min_size=2, max_size=3))
    leaves = tuple(b.parameter(f"p{i}", shape, dtype) for i, shape in enumerate(shapes))
    pool: list[Node] = list(leaves)
    for _ in range(draw(st.integers(2, max_steps))):
        x, y = _recent(draw, pool), _recent(draw, pool)
        kind = draw(st.sampled_from("ubba"))
        if kind == "u":
            new = draw(st.sampled_from(_UNARY))(x)
        elif kind == "a" and x.ndim and _elements(x) <= 40:
            new = draw(st.sampled_from(_OF_ARRAY))(x)
        else:
            new = _combine(x, y, draw(st.sampled_from(_BINARY)))
        if 0 < _elements(new) <= 200:
            pool.append(new)
    inner = pool[-1]
    # Everything drawn counts, in the root, so that no step is in vain.
    root = _total([b.sin(b.sum(node)) for node in pool[len(leaves) :]] or [b.sum(leaves[0])])
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = {
        f"p{i}": rng.uniform(-1.0, 1.0, [size_value(s, SIZES) for s in shape]).astype(dtype)
        for i, shape in enumerate(shapes)
    }
    return Graph(root, inner, leaves, values)


def _recent(draw: st.DrawFn, pool: Sequence[Node]) -> Node:
    return pool[-1 - draw(st.integers(0, min(len(pool), 4) - 1))]


def _elements(node: Node) -> int:
    return size_value(shape_size(node.shape), SIZES)


def _total(nodes: Sequence[Node]) -> Node:
    total = nodes[0]
    for node in nodes[1:]:
        total = total + node
    return total
