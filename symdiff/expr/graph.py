"""Walks over graphs, all iterative: order, consumers, dependence, substitution, rebuilding."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from symdiff.expr.node import Node


def toposort(roots: Iterable[Node], given: Container[Node] = ()) -> list[Node]:
    """Every node that the roots need, inputs before users, each once, in a deterministic order.

    What ``given`` nodes need is left out.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[Node | None] = []
    stack.extend(reversed(list(roots)))
    while stack:
        node = stack.pop()
        if node is None:  # what stands below it on the stack has all of its inputs by now
            ready = stack.pop()
            assert ready is not None
            order.append(ready)
        elif node not in seen:
            seen.add(node)
            if not node.inputs or (given and node in given):
                order.append(node)
            else:
                stack += (node, None, *node.inputs[::-1])
    return order


def consumers(order: Sequence[Node]) -> dict[Node, list[Node]]:
    """For each node of a topological order, the nodes in it that read it (once a reading)."""
    readers: dict[Node, list[Node]] = {node: [] for node in order}
    for node in order:
        for x in node.inputs:
            readers[x].append(node)
    return readers


def depends_on(order: Sequence[Node], xs: Iterable[Node]) -> set[Node]:
    """The nodes of a topological order that can be reached from xs, xs included."""
    reached = set(xs)
    for node in order:
        if any(x in reached for x in node.inputs):
            reached.add(node)
    return reached


def rebuild(node: Node, inputs: Sequence[Node], **changed: Any) -> Node:
    """The node with other inputs and attributes, through the constructors, in normal form."""
    if not changed and all(a is b for a, b in zip(node.inputs, inputs, strict=True)):
        return node
    from symdiff.expr.constructors import CONSTRUCTORS, REPLACING

    if node.op in REPLACING and not changed:
        return REPLACING[node.op](node, inputs)
    return CONSTRUCTORS[node.op](list(inputs), {**dict(node.attributes), **changed})


def rebuilt(roots: Sequence[Node], made: Callable[[Node], Node]) -> list[Node]:
    """The roots with ``made(node)`` for every node below them, whose inputs have been so made."""
    done: dict[Node, Node] = {}
    for node in toposort(roots):
        done[node] = made(rebuild(node, [done[x] for x in node.inputs]))
    return [done[root] for root in roots]


def substitute(roots: Sequence[Node], mapping: Mapping[Node, Node]) -> list[Node]:
    """The roots with nodes replaced, simultaneously; what is put in is not searched again."""
    new: dict[Node, Node] = dict(mapping)
    stack: list[Node] = list(reversed(roots))
    while stack:
        node = stack[-1]
        if node in new:
            stack.pop()
            continue
        missing = [x for x in node.inputs if x not in new]
        if missing:
            stack.extend(reversed(missing))
        else:
            new[node] = rebuild(node, [new[x] for x in node.inputs])
            stack.pop()
    return [new[root] for root in roots]


_FIXED: WeakKeyDictionary[Node, bool] = WeakKeyDictionary()


def is_constant(node: Node) -> bool:
    """Whether no leaf that varies is below the node: its value is fixed by the formula alone.

    Answers are kept with the nodes, so that asking at every node of a graph is linear in it.
    """
    stack = [node]
    while stack:
        top = stack[-1]
        missing = [] if top in _FIXED else [x for x in top.inputs if x not in _FIXED]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if top not in _FIXED:
            leaf = top.op in ("input", "parameter", "bound")
            _FIXED[top] = not leaf and all(_FIXED[x] for x in top.inputs)
    return _FIXED[node]


def leaves(roots: Iterable[Node], *ops: str) -> list[Node]:
    """The leaves of the given operations (default: inputs and parameters), in first-use order."""
    wanted: Any = ops or ("input", "parameter")
    return [node for node in toposort(roots) if node.op in wanted]
