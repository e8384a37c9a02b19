"""In which order the axes of elementwise results lie in memory: that of the operands.

A product of matrices lies as its factors were multiplied, and images come out of one with their
channels last.  What is done to them an element at a time is done as they lie, and the transpose
stands behind it, where the next product takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from codegen import views
from codegen.builder import Builder
from symdiff.expr.node import Node


def memory_order(builder: Builder, node: Node, args: Sequence[int]) -> tuple[int, ...] | None:
    """The order in which a transposed operand's axes lie in memory, if what is beside it can too.

    Whole operands count first, then what most have.
    """
    found: dict[tuple[int, ...], tuple[bool, int]] = {}
    for arg in args:
        step = builder.steps[arg]
        if len(step.shape) == node.ndim and views.is_turned(builder, arg):
            order = step.detail("order")
            whole, many = found.get(order, (False, 0))
            found[order] = whole or step.shape == node.shape, many + 1
        elif 0 < len(step.shape) < node.ndim and _column(builder, arg) is None:
            return None
    return max(found, key=lambda order: (*found[order], [-i for i in order])) if found else None


def _column(builder: Builder, register: int) -> int | None:
    """How many axes stand behind the only one of a vector that may have several places."""
    step = builder.steps[register]
    if step.action != "index":
        return 0 if len(step.shape) == 1 else None
    if len(builder.steps[step.args[0]].shape) != 1 or views.DROP in step.detail("items"):
        return None
    items = step.detail("items")
    return len(items) - 1 - int(items.index(views.KEEP))


def laid_out(builder: Builder, register: int, order: Sequence[int]) -> int:
    """An operand with its axes as those of a transposed one lie in memory."""
    step = builder.steps[register]
    rank = len(order)
    if not step.shape:
        return register
    if len(step.shape) == rank:
        return views.transpose(builder, register, [order.index(axis) for axis in range(rank)])
    after = _column(builder, register)
    assert after is not None
    vector = step.args[0] if step.action == "index" else register
    place = order[rank - 1 - after]
    return views.index(builder, vector, [views.KEEP] + [views.NEW] * (rank - 1 - place))
