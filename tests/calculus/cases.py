"""One small graph or more for each operation, with points at which it is smooth.

The derivative, batching and dtype tests run over all of them; a test demands that no operation
is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symdiff.expr import build as b
from symdiff.expr import movement
from symdiff.expr.algebra import scalar
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node
from symdiff.expr.scan import scan
from symdiff.expr.windows import overlap_add, window


@dataclass(frozen=True)
class Leaf:
    """An input of a case: its shape and the interval of its values; whole numbers if ``n``.

    A ``held`` leaf is not differentiated by.
    """

    shape: tuple[int, ...]
    lo: float = -1.5
    hi: float = 1.5
    n: int = 0
    held: bool = False


@dataclass(frozen=True)
class Case:
    """An operation applied to leaves x0, x1, …; ``build`` gives a node that exercises it."""

    op: str
    leaves: tuple[Leaf, ...]
    build: Callable[..., Node]
    label: str = ""

    def __str__(self) -> str:
        return f"{self.op}-{self.label}" if self.label else self.op

    def nodes(self, dtype: str = "float64", lead: int | None = None) -> list[Node]:
        """The leaves as inputs; with a leading axis where ``lead`` is given."""
        front = () if lead is None else (lead,)
        mark = "" if lead is None else "s"
        return [
            b.input(f"x{mark}{i}", (*front, *leaf.shape), "int64" if leaf.n else dtype)
            for i, leaf in enumerate(self.leaves)
        ]

    def floats(self, nodes: list[Node]) -> list[Node]:
        """Those of the nodes that one differentiates by."""
        pairs = zip(nodes, self.leaves, strict=True)
        return [node for node, leaf in pairs if not leaf.n and not leaf.held]

    def values(self, seed: int = 0) -> dict[str, Any]:
        """A point: distinct values, so that nothing ties."""
        rng = np.random.default_rng(seed)
        return {
            f"x{i}": rng.integers(0, leaf.n, leaf.shape)
            if leaf.n
            else np.asarray(rng.uniform(leaf.lo, leaf.hi, leaf.shape))
            for i, leaf in enumerate(self.leaves)
        }


def _cell(h: Node, x: Node, w: Node, reverse: bool = False) -> tuple[Node, Node]:
    """A recurrence, and what is read of its steps: a value on the way, and one beside it."""

    def step(h: Node, x: Node) -> tuple[Node, Node]:
        a = b.tanh(x + h @ w)
        return a * h, b.sin(h) * a

    last, ys = scan(step, h, x, reverse=reverse)
    return last, ys


_LOOP = (Leaf((2, 3)), Leaf((4, 2, 3)), Leaf((3, 3)))
_ROW, _MATRIX = Leaf((4,)), Leaf((3, 4))
_DOMAIN = {
    "log": (0.5, 2.0),
    "log1p": (-0.4, 2.0),
    "log1mexp": (-2.0, -0.2),
    "arctanh": (-0.8, 0.8),
    "arcsin": (-0.8, 0.8),
    "arccosh": (1.2, 3.0),
    "tan": (-1.0, 1.0),
    "reciprocal_or_zero": (0.5, 2.0),
}
_UNARY = ["exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan"]
_UNARY += ["arcsinh", "arctanh", "erf", "erfc", "sigmoid", "softplus", "relu", "abs", "sign"]
_UNARY += ["log1mexp", "reciprocal_or_zero", "arcsin", "arccosh"]
_UNARY += ["erfc_hazard", "log_erfc"]


def _unary(name: str) -> Case:
    return Case(name, (Leaf((3, 4), *_DOMAIN.get(name, (-1.5, 1.5))),), lambda x: scalar(name, x))


def _compared(name: str) -> Case:
    def build(x: Node, y: Node) -> Node:
        return scalar(name, x, y) * x

    return Case(name, (_MATRIX, _ROW), build)


def _labels(*shape: int, n: int) -> Leaf:
    return Leaf(shape, n=n)


CASES: list[Case] = [
    *map(_unary, _UNARY),
    *map(_compared, ("lt", "le", "gt", "ge", "eq", "ne")),
    Case("hypot", (_MATRIX, Leaf((4,), 0.5, 1.5)), lambda x, y: b.hypot(x, y)),
    Case("maximum", (_MATRIX, _ROW), lambda x, y: b.maximum(x, y)),
    Case("maximum", (_MATRIX,), lambda x: b.maximum(x, 0.3), "constant"),
    Case("minimum", (_MATRIX, _ROW), lambda x, y: b.minimum(x, y)),
    Case("pow", (Leaf((3, 4), 0.5, 2.0), _ROW), lambda x, y: b.power(x, y)),
    Case("where", (_MATRIX, _ROW, _MATRIX), lambda x, y, z: b.where(x > y, y * z, z)),
    Case("add", (_MATRIX, _ROW, Leaf(())), lambda x, y, z: 2 * x - 3 * y + z + 1),
    Case("mul", (_MATRIX, Leaf((4,), 0.5, 2.0)), lambda x, y: 3 * x**2 / y),
    Case("mul", (Leaf((3, 4), 0.5, 2.0), _ROW), lambda x, y: b.sqrt(x) * y, "root"),
    Case("mul", (Leaf((3, 1), 0.5, 2.0), _ROW, Leaf(())), lambda x, y, z: x**1.5 * y * z, "three"),
    Case("cast", (_MATRIX,), lambda x: b.cast(x > 0, x.dtype) * x),
    Case("contract", (_MATRIX, Leaf((4, 2))), lambda x, y: x @ y, "matmul"),
    Case("contract", (_MATRIX,), lambda x: b.tanh(x).T, "transpose"),
    Case("contract", (Leaf((3, 3)),), lambda x: b.trace(b.sin(x)), "trace"),
    Case("contract", (Leaf((3, 3)),), lambda x: b.diagonal(b.sin(x)) ** 2, "diagonal"),
    Case("contract", (Leaf((4,)),), lambda x: b.diag(x * x), "diag"),
    Case(
        "contract",
        (Leaf((2, 3)), Leaf((3, 3, 2)), Leaf((3,))),
        lambda x, y, z: contract([x, y, z], [(0, 1), (1, 1, 2), (1,)], (2, 0, 3), {3: 2}),
        "any",
    ),
    Case("contract", (_MATRIX,), lambda x: b.broadcast_to(b.sum(x * x, 0), (2, 4)), "broadcast"),
    Case("contract", (_MATRIX,), lambda x: b.einsum("ij,ij,kj->ik", x, x, x), "repeated"),
    Case("max", (_MATRIX,), lambda x: b.max(x * x, axis=1)),
    Case("max", (Leaf((2, 3, 2)),), lambda x: b.max(x, axis=(0, 2)), "axes"),
    Case("prod", (_MATRIX,), lambda x: b.prod(x, axis=1)),
    Case("prod", (Leaf((2, 3, 2)),), lambda x: b.prod(x, axis=(0, 2)), "axes"),
    Case("cumsum", (_MATRIX,), lambda x: b.cumsum(x * x, axis=1)),
    Case("cumsum", (_MATRIX,), lambda x: movement.cumsum(x, 0, reverse=True) ** 2, "reverse"),
    Case("softmax", (_MATRIX,), lambda x: b.softmax(x)),
    Case("softmax", (Leaf((2, 3, 2)),), lambda x: b.softmax(x, axis=(0, 2)), "axes"),
    Case("log_softmax", (_MATRIX,), lambda x: b.log_softmax(x, axis=0)),
    Case("logsumexp", (_MATRIX,), lambda x: b.logsumexp(x, axis=1)),
    Case("logsumexp", (Leaf((2, 3, 2)),), lambda x: b.logsumexp(x, axis=(0, 1)), "axes"),
    Case("reshape", (_MATRIX,), lambda x: b.reshape(x, (2, 6)) ** 2),
    Case("slice", (Leaf((3, 7)),), lambda x: x[1:, 1:6:2] ** 2),
    Case("slice", (Leaf((3, 7)),), lambda x: x[2] ** 2, "row"),
    Case("flip", (_MATRIX,), lambda x: b.flip(x, 1) * x),
    Case("pad", (_MATRIX,), lambda x: movement.pad(x, [(1, 0, 0), (0, 2, 1)]) ** 2),
    Case("concatenate", (_MATRIX, Leaf((3, 2))), lambda x, y: b.concatenate([x, y, x], 1) ** 2),
    Case("take", (Leaf((4, 2)), _labels(3, n=4)), lambda x, i: b.take(x, i, 0) ** 2),
    Case("take", (_MATRIX, _labels(3, n=4)), lambda x, i: movement.take(x, i, 1) ** 2, "label"),
    Case(
        "take",
        (Leaf((2, 4, 2)), _labels(2, 3, n=4)),
        lambda x, i: movement.take(x, i, 1) ** 2,
        "rows",
    ),
    Case(
        "scatter_add",
        (Leaf((3, 2)), _labels(3, n=4)),
        lambda x, i: movement.scatter_add(x * x, i, 4),
    ),
    Case(
        "scatter_add",
        (Leaf((2, 3, 2)), _labels(2, 3, n=4)),
        lambda x, i: movement.scatter_add(x * x, i, 4, 1),
        "rows",
    ),
    Case(
        "window",
        (Leaf((2, 7, 6)),),
        lambda x: window(x * x, (1, 2), (3, 2), (2, 1), (1, 3)) ** 2,
    ),
    Case(
        "window",
        (Leaf((5, 7)),),
        lambda x: window(x, (1, 0), (2, 2), (2, 1), (1, 1)) ** 2,
        "one apart",
    ),
    Case(
        "overlap_add",
        (Leaf((2, 3, 3, 3, 2)),),
        lambda g: overlap_add(g * g, (1, 2), (8, 6), (2, 1), (1, 3)) ** 2,
    ),
    Case(
        "overlap_add",
        (Leaf((4, 3, 2, 2)),),
        lambda g: overlap_add(g, (1, 0), (7, 5), (2, 1), (1, 1)) ** 2,
        "one apart",
    ),
    Case("one_hot", (_MATRIX, _labels(3, n=4)), lambda x, i: b.one_hot(i, 4, x.dtype) * x**2),
    Case(
        "stop_gradient",
        (Leaf((3, 4), held=True), _ROW),
        lambda x, y: b.stop_gradient(b.sin(x)) * y**2,
    ),
    Case("loop", _LOOP, lambda h, x, w: _cell(h, x, w)[1]),
    Case("stacked", _LOOP, lambda h, x, w: _cell(h, x, w, True)[1]),
    Case("final", _LOOP, lambda h, x, w: _cell(h, x, w)[0]),
]
