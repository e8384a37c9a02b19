"""Elementwise functions of one array, differentiated as wholes: d · f′(z).

Where an elementwise expression reads one array in several places, as z σ(v(z)) does, passing a
cotangent along each way multiplies it into every term.  The slope f′(z) is an array of its own,
free of cotangents and tangents, which the backward sweep, the tangents and the second derivative
share: Rh = f′ Rz, and R(d f′) = Rd f′ + d f″ Rz (Pearlmutter 1994).  Where there is one way only
the chain rule says the same, a factor at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from symdiff.calculus.derivatives import PARTIALS, partial
from symdiff.expr.algebra import linear_combination
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS, full

#: Operations that slopes reach through: of ``where``, what is not chosen may be infinite.
SMOOTH = frozenset({"add", *PARTIALS}) - {"where"}


class Slopes:
    """Which nodes of a graph are elementwise functions of one array that moves, and their slopes.

    ``order`` is topological, ``moving`` the nodes that depend on the variables; ``stops`` are
    nodes whose own derivatives are wanted, which no slope reaches past.
    """

    def __init__(
        self, order: Sequence[Node], moving: Collection[Node], stops: Collection[Node] = ()
    ) -> None:
        self.moving = moving
        self._source: dict[Node, Node] = {}
        self._branches: set[Node] = set()
        self._slope: dict[Node, Node] = {}
        stops = set(stops)
        for node in order:
            if node not in moving or node.op not in SMOOTH:
                continue
            inputs = self._inputs(node)
            sources = {x if x in stops else self._source.get(x, x) for x in inputs}
            if len(sources) != 1 or any(x.shape != node.shape for x in inputs):
                continue
            self._source[node] = sources.pop()
            if len(inputs) > 1 or any(x in self._branches for x in inputs if x not in stops):
                self._branches.add(node)

    def _inputs(self, node: Node) -> list[Node]:
        return [x for x in node.inputs if x in self.moving and x.dtype in FLOATS]

    def source(self, node: Node) -> Node | None:
        """The array that a node is a function of, where several ways lead to it; else None."""
        return self._source[node] if node in self._branches else None

    def slope(self, node: Node) -> Node:
        """The derivative of a node by its source, an element at a time."""
        source, known = self._source[node], self._slope
        one = full((), 1, node.dtype)
        stack = [node]
        while stack:
            at = stack[-1]
            inside = [x for x in self._inputs(at) if x is not source]
            missing = [x for x in inside if x not in known]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if at not in known:
                known[at] = self._chained(at, source, one)
        return known[node]

    def _chained(self, node: Node, source: Node, one: Node) -> Node:
        terms = []
        for i, x in enumerate(node.inputs):
            if x not in self.moving or x.dtype not in FLOATS:
                continue
            inner = one if x is source else self._slope[x]
            if node.op == "add":
                terms.append((inner, node.attr("coefficients")[i]))
            else:
                own = partial(node, i)
                if own is not None:
                    terms.append((own * inner, 1.0))
        return linear_combination(terms, dtype=node.dtype)
