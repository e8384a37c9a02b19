"""Which factored arrays may be left unformed: what taking them apart would come to.

A node may be where nothing but contractions, or other such nodes, read it, and where its terms,
their factors, and the nodes on top of each other in it stay few enough to be searched.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence, Set
from functools import cached_property

from symdiff.expr.graph import consumers
from symdiff.expr.node import Node
from symdiff.expr.records import record
from symdiff.expr.shapes import size_value
from symdiff.simplify.cost import Nominal
from symdiff.simplify.order import EXHAUSTIVE
from symdiff.simplify.terms import OPENED, Expander, is_factored

MOST_FACTORS = 4  # operands of a term of a node that may be left unformed
MOST_TERMS = 8  # terms of such a node
MOST_DEPTH = 40  # nodes on top of each other in such a node
FACTORS = ("contract", "mul")  # what a reshape is to be moved through


def is_product(node: Node) -> bool:
    """Whether the node sums or multiplies, as against a view."""
    return node.op == "contract" and not node.is_view


@record(frozen=True, slots=True)
class _Form:
    """What a node comes to when it is taken apart."""

    terms: int = 1
    factors: int = 1
    depth: int = 0


WHOLE = _Form()  # a node that is not taken apart


class Unformed:
    """The nodes of a graph that may be left unformed are those in ``open``."""

    def __init__(self, roots: Sequence[Node], numbers: Nominal, order: Sequence[Node]) -> None:
        """``order`` is a topological order of the graph."""
        self.roots = tuple(roots)
        self.numbers = numbers
        self.order = order
        self.open = self.candidates()
        self.limit()

    @cached_property
    def place(self) -> Mapping[Node, int]:
        """Where each node stands in the order."""
        return {node: i for i, node in enumerate(self.order)}

    @cached_property
    def readers(self) -> Mapping[Node, Sequence[Node]]:
        """The nodes that read each node, once a reading."""
        return consumers(self.order)

    def candidates(self) -> set[Node]:
        """Factored nodes of which nothing but contractions, or other such nodes, read."""
        factored: set[Node] = set()
        for node in self.order:
            if node.op in OPENED and is_factored(node, factored):
                factored.add(node)
        kept = set(self.roots)
        found: set[Node] = set()
        for node in reversed(self.order) if factored else ():
            if node in factored and node not in kept:
                if all(is_product(user) or user in found for user in self.readers[node]):
                    found.add(node)
        return found

    def limit(self) -> None:
        """Form what would come to too many terms or factors, or what cannot be taken apart."""
        if not self.open:
            return
        forms: dict[Node, _Form] = {}
        for node in self.order:
            if node.op == "reshape" and node in self.open and node.inputs[0].op in FACTORS:
                self.regroup(node, forms)
            forms[node] = self.size_of(node, forms)
            if forms[node] is WHOLE:
                continue
            most = MOST_TERMS, MOST_FACTORS, MOST_DEPTH
            if is_product(node) and node not in self.open:
                most = MOST_TERMS**2, EXHAUSTIVE, MOST_DEPTH
            while _exceeds(forms[node], most) and self.form_smallest(node, forms, most):
                pass
            if _exceeds(forms[node], most):
                for x in node.inputs:
                    self.close(x)
                forms[node] = self.size_of(node, forms)
                if node in self.open and _exceeds(forms[node], most):
                    self.close(node)
                    forms[node] = self.size_of(node, forms)

    def form_smallest(
        self, node: Node, forms: dict[Node, _Form], most: tuple[int, int, int]
    ) -> bool:
        """Form the smallest array that has too many terms or factors; False if there is none."""
        at = 0 if forms[node].terms > most[0] else 1
        if forms[node].depth > most[2]:
            return False
        parts = sorted(self.inside(node, self.open), key=self.place.__getitem__)
        many = [x for x in parts if x in self.open and (forms[x].terms, forms[x].factors)[at] > 1]
        if not many:
            return False
        self.close(min(many, key=lambda x: (self.elements(x), x.digest)))
        for x in (*parts, node):
            forms[x] = self.size_of(x, forms)
        return True

    def elements(self, node: Node) -> int:
        """How many elements a node has, at the planner's numbers."""
        return math.prod(size_value(size, self.numbers) for size in node.shape)

    def regroup(self, node: Node, forms: dict[Node, _Form]) -> None:
        """Form what is in the way of a reshape: factors that have some of the axes that it joins.

        Heads are split off by a reshape: what the queries' cotangent is made of has the heads and
        not their features, but the cotangent itself has both.
        """
        if self.expands(node):
            return
        (core,) = node.inputs
        for x in core.inputs:
            self.close(x)
        forms[core] = self.size_of(core, forms)
        if not self.expands(node):
            self.close(node)

    def expands(self, node: Node) -> bool:
        """Whether an open node can be taken apart."""
        expander = Expander(self.open)
        terms = expander.expand(node, tuple(expander.index(size) for size in node.shape))
        return len(terms) != 1 or any(x.node is not node for x in terms[0].operands)

    def size_of(self, node: Node, forms: Mapping[Node, _Form]) -> _Form:
        if node not in self.open and node.op != "contract":
            return WHOLE
        parts = [forms[x] if x in self.open or x.is_view else WHOLE for x in node.inputs]
        depth = 1 + max([p.depth for p in parts], default=0)
        if node.op == "add":
            return _Form(sum([p.terms for p in parts]), max([p.factors for p in parts]), depth)
        extra = 1 if node.op == "scatter_add" else 0
        if node.op == "mul":
            times = [2 if e == 2 else 1 for e in node.attr("exponents")]
            parts = [p for p, n in zip(parts, times, strict=True) for _ in range(n)]
        if node.op == "scatter_add":
            parts = parts[:1]
        terms = math.prod([p.terms for p in parts])
        return _Form(terms, sum([p.factors for p in parts]) + extra, depth)

    def close(self, node: Node) -> None:
        """Have the node formed; so must be what it is made of, unless it is a contraction."""
        todo = [node]
        while todo:
            x = todo.pop()
            if x in self.open:
                self.open.discard(x)
                todo += [] if is_product(x) else x.inputs
            elif x.is_view:
                todo += x.inputs

    def inside(self, node: Node, opened: Container[Node]) -> Set[Node]:
        """The unformed nodes that a node is made of."""
        found: set[Node] = set()
        todo = list(node.inputs)
        while todo:
            x = todo.pop()
            if (x in opened or x.is_view) and x not in found:
                found.add(x)
                todo += x.inputs
        return found


def _exceeds(form: _Form, most: tuple[int, int, int]) -> bool:
    return form.terms > most[0] or form.factors > most[1] or form.depth > most[2]
