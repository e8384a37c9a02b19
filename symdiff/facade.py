"""The facade's own functions: those whose form for callers differs from the one inside."""

from __future__ import annotations

from symdiff.expr.node import Node
from symdiff.simplify.pipeline import simplify as simplify_roots
from symdiff.simplify.trace import Trace


def simplify(node: Node) -> tuple[Node, Trace]:
    """The node in simplest, stablest form, and the trace of the rules that made it.

    Equal to the given node wherever that is defined over the reals; ``trace.lines(sd.show)`` gives
    a line of text a step.
    """
    found = simplify_roots([node], trace=True)
    return found.root, found.trace
