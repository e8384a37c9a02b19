"""What the tests of derivations share: a derivative as the compiler makes it, and its like.

Nodes are interned, so that two formulas are the same when their simplified graphs are the same
object; how often a value is read decides what is merged into what, so formulas that are compared
are simplified in company of the same sort.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.simplify import simplify


def simplified(*nodes: Node) -> tuple[Node, ...]:
    """The nodes, simplified in one graph."""
    return simplify(nodes).roots


def derivatives(y: Node, xs: Sequence[Node]) -> tuple[Node, ...]:
    """The derivatives of sum(y): y is simplified, differentiated, and simplified again.

    The xs may be inner nodes of y.
    """
    found = simplify([y, *xs])
    return simplified(*gradients(b.sum(found.roots[0]), found.roots[1:]))


def derivative(y: Node, x: Node) -> Node:
    """The derivative of sum(y) with respect to x."""
    return derivatives(y, [x])[0]
