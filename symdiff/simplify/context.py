"""What rules may know beyond the node: who reads it.  And what was asked, so as not to ask again.

A rule's answer follows from the node, which never changes, and from the answers that the context
gave.  So that no rule fires on a node, or which does, is remembered together with those answers
(:class:`Memo`), and holds wherever the context still gives them: in the next phase's sweep over
the same graph, and in the next function's graph, which is made of the same forward pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.node import Node

if TYPE_CHECKING:
    from symdiff.simplify.known import Plan
    from symdiff.simplify.products import Products

#: A question, the node that it was about, and the answer.
Asked: TypeAlias = "tuple[Callable[[Context, Node], Any], Node, Any]"


class Context:
    """How many nodes of the graph read a node, and which."""

    def __init__(self, roots: Sequence[Node], order: Sequence[Node] | None = None) -> None:
        """``order`` is a topological order of the graph, where there is one already."""
        order = toposort(roots) if order is None else order
        self._readings = dict.fromkeys(order, 0)
        self._reader: dict[Node, Node] = {}  # the last of them
        for node in order:
            for x in node.inputs:
                self._readings[x] += 1
                self._reader[x] = node
        self._counts = self._readings.copy()
        for root in roots:
            self._counts[root] += 1
        # Constructors take scalars out of a product and absorb views, so that who reads ``s x``
        # or a view of x will read x.
        for node in reversed(order):
            inner = _looked_through(node) if node.op in _SEEN_THROUGH else None
            if inner is not None:
                self._counts[inner] += self._counts[node] - 1
        self._multiples = Counter(_bare(node) for node in order if node.op in _SCALED)
        self._source: dict[Node, Node] = {}
        self.asked: list[Asked] = []

    def readers(self, node: Node) -> int:
        """How many readings of the node there are; a node that a rule has just made has one."""
        count = self._count(node)
        self.asked.append((Context._count, node, count))
        return count

    def _count(self, node: Node) -> int:
        return self._counts.get(node, 1)

    def is_shared(self, node: Node) -> bool:
        """Whether there is more than one reading of the node."""
        shared = self._shared(node)
        self.asked.append((Context._shared, node, shared))
        return shared

    def _shared(self, node: Node) -> bool:
        return self._counts.get(node, 1) > 1

    def is_shared_in_multiples(self, node: Node) -> bool:
        """Whether there is more than one reading of the node or of multiples of it."""
        shared = self._shared_in_multiples(node)
        self.asked.append((Context._shared_in_multiples, node, shared))
        return shared

    def _shared_in_multiples(self, node: Node) -> bool:
        return self._shared(node) or (node.op in _SCALED and self._multiples[_bare(node)] > 1)

    def merges_upwards(self, node: Node) -> bool:
        """Whether the node's only reader is of its operation and shape, and will take it in."""
        merges = self._merges(node)
        self.asked.append((Context._merges, node, merges))
        return merges

    def _merges(self, node: Node) -> bool:
        reader = self._only_reader(node)
        return reader is not None and reader.op == node.op and reader.shape == node.shape

    def _only_reader(self, node: Node) -> Node | None:
        """The one node that reads this one, as it was when the phase began; None if not one."""
        source = self._source.get(node, node)
        alone = self._readings.get(source) == 1 and self._counts[source] == 1
        return self._reader[source] if alone else None

    def moved(self, old: Node, new: Node) -> None:
        """The readers of ``old`` will read ``new``."""
        if old not in self._counts or new is old:
            return
        if old.op in _SCALED:
            self._multiples[_bare(old)] -= 1
        if new not in self._counts:
            if new.op in _SCALED:
                self._multiples[_bare(new)] += 1
            self._source[new] = self._source.get(old, old)
        reached: Node | None = new
        while reached is not None:
            self._counts[reached] = self._counts.get(reached, 0) + self._counts[old]
            reached = _looked_through(reached)

    def agrees(self, asked: Sequence[Asked]) -> bool:
        """Whether every question has the answer that it had."""
        return not asked or all(question(self, node) == answer for question, node, answer in asked)


_SCALED = ("mul", "add")


def _bare(node: Node) -> Hashable:
    """What a product and its multiples have in common, or a sum and minus that."""
    if node.op == "mul":
        return node.inputs, node.attr("exponents")
    coefficients, constant = node.attr("coefficients"), node.attr("constant")
    if coefficients[0] < 0:  # the terms stand in the same order
        coefficients, constant = tuple([-c for c in coefficients]), -constant
    return node.inputs, coefficients, constant


_SEEN_THROUGH = ("contract", "mul")


def _looked_through(node: Node) -> Node | None:
    """What a view or a product with nothing but scalars is made of."""
    if node.is_view:
        return node.inputs[0]
    if node.op != "mul" or node.ndim == 0:
        return None
    found: Node | None = None
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        if x.ndim:
            if found is not None or e != 1:
                return None
            found = x
    return found


class Memo:
    """What is known of nodes: what rules made of them, and what they are with other inputs.

    One for several calls of simplify spares what their graphs have in common.  It keeps every node
    that it has seen.
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, dict[Node, tuple[tuple[Asked, ...], Any]]] = {}
        self._rebuilt: dict[tuple[Node, ...], Node] = {}
        self._order: tuple[list[Node], list[Node]] = [], []
        self._loops: dict[Hashable, dict[tuple[Node, ...], tuple[Node, ...]]] = {}
        #: Of the planner: nodes as sums of products, and what contractions were evaluated to.
        self.taken_apart: dict[object, Products] = {}
        self.evaluated: dict[object, Sequence[tuple[Plan, Node]]] = {}

    def found(self, rules: Hashable) -> dict[Node, tuple[tuple[Asked, ...], Any]]:
        """What came of trying these rules on a node, and what they had asked."""
        return self._found.setdefault(rules, {})

    def loops(self, phases: Hashable) -> dict[tuple[Node, ...], tuple[Node, ...]]:
        """What all that is read of a loop became in these phases."""
        return self._loops.setdefault(phases, {})

    def order(self, roots: Sequence[Node]) -> list[Node]:
        """The graph in topological order; phases in a row mostly go over the same one."""
        if self._order[0] != list(roots):
            self._order = list(roots), toposort(roots)
        return self._order[1]

    def rebuild(self, node: Node, inputs: Sequence[Node]) -> Node:
        """The node with other inputs, in normal form."""
        key = (node, *inputs)
        built = self._rebuilt.get(key)
        if built is None:
            built = self._rebuilt[key] = rebuild(node, inputs)
        return built
