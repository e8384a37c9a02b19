"""For each operation, how a node of it is built from other inputs, in normal form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symdiff.expr import algebra, movement, numbers, windows
from symdiff.expr.contraction import contract, with_operands
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.expr.scalars import SCALARS

Constructor = Callable[[list[Node], dict[str, Any]], Node]


def _as_it_is(op: str) -> Constructor:
    return lambda inputs, attrs: Node.make(op, inputs, **attrs)


def _scalar(name: str) -> Constructor:
    return lambda inputs, attrs: algebra.scalar(name, *inputs)


def _reduction(op: str) -> Constructor:
    return lambda inputs, attrs: movement.reduction(op, inputs[0], attrs["axes"])


def _add(inputs: list[Node], attrs: dict[str, Any]) -> Node:
    terms = list(zip(inputs, attrs["coefficients"], strict=True))
    return algebra.linear_combination(terms, attrs["constant"])


def _mul(inputs: list[Node], attrs: dict[str, Any]) -> Node:
    factors = list(zip(inputs, attrs["exponents"], strict=True))
    return algebra.power_product(factors, attrs["coefficient"])


CONSTRUCTORS: dict[str, Constructor] = {
    **{op: _as_it_is(op) for op, record in OPS.items() if record.leaf},
    **{name: _scalar(name) for name in SCALARS},
    "add": _add,
    "mul": _mul,
    "cast": lambda inputs, attrs: numbers.cast(inputs[0], attrs["dtype"]),
    "contract": lambda inputs, attrs: contract(
        inputs, attrs["indices"], attrs["out"], dict(attrs["sizes"])
    ),
    **{op: _reduction(op) for op in ("max", "prod", "softmax", "log_softmax", "logsumexp")},
    "cumsum": lambda inputs, attrs: movement.cumsum(inputs[0], attrs["axis"], attrs["reverse"]),
    "reshape": lambda inputs, attrs: movement.reshape(inputs[0], attrs["shape"]),
    "slice": lambda inputs, attrs: movement.slice_(inputs[0], attrs["ranges"]),
    "flip": lambda inputs, attrs: movement.flip(inputs[0], attrs["axes"]),
    "pad": lambda inputs, attrs: movement.pad(inputs[0], attrs["padding"]),
    "concatenate": lambda inputs, attrs: movement.concatenate(inputs, attrs["axis"]),
    "window": lambda inputs, attrs: windows.window(
        inputs[0], attrs["axes"], attrs["sizes"], attrs["strides"], attrs["dilations"]
    ),
    "overlap_add": lambda inputs, attrs: windows.overlap_add(
        inputs[0], attrs["axes"], attrs["lengths"], attrs["strides"], attrs["dilations"]
    ),
    "take": lambda inputs, attrs: movement.take(inputs[0], inputs[1], attrs["batch"]),
    "scatter_add": lambda inputs, attrs: movement.scatter_add(
        inputs[0], inputs[1], attrs["n"], attrs["batch"]
    ),
    "one_hot": lambda inputs, attrs: movement.one_hot(inputs[0], attrs["n"], attrs["dtype"]),
    "stop_gradient": lambda inputs, attrs: movement.stop_gradient(inputs[0]),
    # A loop's normal form concerns its readers too (:mod:`symdiff.calculus.loops`).
    **{op: _as_it_is(op) for op in ("loop", "stacked", "final")},
}

#: Quicker ways to a node with other inputs, by operation.
REPLACING: dict[str, Callable[[Node, Sequence[Node]], Node]] = {
    "add": algebra.with_inputs,
    "mul": algebra.with_inputs,
    "contract": with_operands,
}
