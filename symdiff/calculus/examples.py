"""The example axis, typed: from a graph over a batch to the graph of one example.

Every node is *free* of the example axis, *diagonal* along one axis (row j depends on row j of the
data alone), or *mixing*.  :func:`unbatch` types the graph from its leaves up, one rule an
operation, and builds each diagonal node's row from stand-ins for one row of each input.
Differentiating the rows is ordinary differentiation; :func:`~symdiff.calculus.batching.vmap` over
the nodes that were there in the first place puts the example axis back
(:mod:`symdiff.calculus.per_example`).

The example axis may also be merged with others that come behind it, as in
``reshape(x, (-1, 256))``: the row then keeps an axis with its own block of that axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symdiff.calculus.example_rules import SOURCES, UNBATCH, Mixes, Row, Rows, has_size
from symdiff.calculus.loop_examples import loop_rows
from symdiff.expr.graph import toposort
from symdiff.expr.loops import LOOP_READERS, readers_of
from symdiff.expr.movement import reshape
from symdiff.expr.node import Node, describe
from symdiff.expr.shapes import shape_text
from symdiff.expr.views import transpose

EXAMPLES = "batch"


class MixingError(ValueError):
    """A node whose rows depend on more than one example.

    ``operation`` says what mixes, ``node`` is where, ``equation`` the name of the equation that
    holds it, if names were given.
    """

    def __init__(self, operation: str, node: Node, equation: str | None, message: str) -> None:
        self.operation, self.node, self.equation = operation, node, equation
        super().__init__(message)


@dataclass(frozen=True)
class SingleExample:
    """What :func:`unbatch` gives.

    ``roots`` are the roots for one example.  ``whole`` maps each node of that graph that differs
    between examples to the batch graph's own node, its example axis in front: what to give to
    ``vmap`` so that nothing is computed twice.
    """

    roots: list[Node]
    whole: dict[Node, Node]
    size: str


def unbatch(
    roots: Sequence[Node], size: str = EXAMPLES, names: Mapping[Node, str] | None = None
) -> SingleExample:
    """The graph of one example: the roots without the axis of the named size.

    Inputs carry the size along one axis; a root that does not carry it is returned as it is.
    Raises MixingError, naming the operation, its operands and (through ``names``, equations in
    their order) the equation, where a node's row depends on other examples' rows, on how many
    examples there are, or on where in the batch the example stands.
    """
    order = toposort(roots)
    rows: dict[Node, Row] = {}
    for node, fault in type_rows(order, rows, size):
        raise _error(fault, node, size, names or {}) from None
    return SingleExample(
        [rows[root].node if root in rows else root for root in roots],
        _wholes([*dict.fromkeys([*order, *rows])], rows, size),
        size,
    )


def type_rows(
    order: Sequence[Node], rows: dict[Node, Row], size: str
) -> Iterator[tuple[Node, Mixes]]:
    """Find the rows of the nodes of a graph that are not there yet; those that mix come out.

    What depends on how many examples there are is told only if nothing else mixes: a mean over
    the examples has that, too.
    """
    counted: list[tuple[Node, Mixes]] = []
    readers = readers_of(order)
    for node in order:
        if node in rows or node.op in LOOP_READERS:
            continue
        inputs = [rows.get(x) for x in node.inputs]
        try:
            if node.op == "loop":
                rows |= loop_rows(node, inputs, readers[node], size, type_rows)
                continue
            row = _row(node, inputs, size)
        except Mixes as fault:
            if node.op != "size":
                yield node, fault
            counted.append((node, fault))
        else:
            if row is not None:
                rows[node] = row
    yield from counted


def _row(node: Node, inputs: Rows, size: str) -> Row | None:
    """The node seen from one example; None where it is free."""
    if any(inputs) or node.op in ("size", "arange"):
        return UNBATCH[node.op](node, inputs, size)
    if not has_size(node.shape, size):
        return None
    if node.op not in SOURCES:
        raise Mixes(node.op, "makes an axis over the examples")
    return UNBATCH[node.op](node, inputs, size)


def _wholes(order: Sequence[Node], rows: Mapping[Node, Row], size: str) -> dict[Node, Node]:
    """Each row that differs between examples, with the node of the batch graph that holds them."""
    varying = {row.node for node, row in rows.items() if node.op == "input"}
    whole: dict[Node, Node] = {}
    for node in toposort(row.node for row in rows.values()):
        if node not in varying and any(x in varying for x in node.inputs):
            varying.add(node)
    for node in order:
        row = rows.get(node)
        if row is not None and row.node in varying and row.node not in whole:
            whole[row.node] = in_front(node, row, size)
    return whole


def in_front(node: Node, row: Row, size: str) -> Node:
    """The diagonal node with its example axis moved to the front, and only the examples on it."""
    if row.block is not None:
        split = (*node.shape[: row.axis], size, row.block, *node.shape[row.axis + 1 :])
        node = reshape(node, split)
    return transpose(node, [row.axis, *(a for a in range(node.ndim) if a != row.axis)])


def _error(fault: Mixes, node: Node, size: str, names: Mapping[Node, str]) -> MixingError:
    equation = next((name for n, name in names.items() if node in toposort([n])), None)
    place = f"equation {equation!r}: " if equation is not None else ""
    operands = " and ".join(
        f"{names.get(x) or describe(x)} of shape {shape_text(x.shape)}" for x in node.inputs
    )
    return MixingError(
        fault.operation,
        node,
        equation,
        f"{place}{fault.operation} of {operands or describe(node)} {fault.what}, so that examples "
        f"along {size!r} are not independent: there are no per-example gradients",
    )
