"""Expressions as text and as LaTeX: definitions first, one equation a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symdiff.expr.node import Node
from symdiff.expr.shapes import shape_text
from symdiff.inspect.latex import LATEX
from symdiff.inspect.layout import Doc
from symdiff.inspect.naming import Line, brief, lines
from symdiff.inspect.text import TEXT
from symdiff.simplify.trace import Trace

Roots = Mapping["str | Doc", Node]
Names = Mapping[Node, "str | Doc"]


def text_lines(equations: Sequence[Line], shapes: bool = False) -> list[str]:
    """``label = expression`` a line; with ``shapes``, followed by the shape."""
    result = []
    for line in equations:
        end = f"    {shape_text(line.shape)}" if shapes else ""
        result.append(f"{TEXT.draw(line.label)} = {TEXT.draw(line.doc)}{end}")
    return result


def latex_lines(equations: Sequence[Line]) -> str:
    """The equations under one another, aligned at their equals signs."""
    rows = [f"{LATEX.draw(line.label)} &= {LATEX.draw(line.doc)}" for line in equations]
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def to_text(roots: Node | Roots, names: Names | None = None, shapes: bool = False) -> str:
    """Equations in Unicode text, below the definitions of what they share.

    ``roots`` maps labels to nodes; a single node is shown without a label where it needs no
    definitions, and else as ``result``.  ``names`` gives nodes the names that they are shown by.
    The notation is that of :mod:`symdiff.inspect.text`.
    """
    equations = lines({"result": roots} if isinstance(roots, Node) else roots, names)
    if isinstance(roots, Node) and len(equations) == 1:
        return TEXT.draw(equations[0].doc)
    return "\n".join(text_lines(equations, shapes))


def one_line(node: Node, known: Names | None = None) -> str:
    """A node on one line of text, with ``…`` for what would need a definition.

    Nodes below it that are ``known`` are shown by their names.
    """
    return TEXT.draw(brief(node, known))


def to_latex(roots: Node | Roots, names: Names | None = None) -> str:
    """The same in LaTeX's math mode: an expression, or an ``aligned`` block of equations."""
    equations = lines({"result": roots} if isinstance(roots, Node) else roots, names)
    if isinstance(roots, Node) and len(equations) == 1:
        return LATEX.draw(equations[0].doc)
    return latex_lines(equations)


def show(node: Node, names: Names | None = None) -> str:
    """A node's expression as text, below the definitions that it needs."""
    return to_text(node, names)


def joined(traces: Iterable[Trace]) -> Trace:
    """The traces of consecutive simplifications as one."""
    parts = list(traces)
    return Trace(
        tuple(step for trace in parts for step in trace.steps),
        tuple(event for trace in parts for event in trace.events),
    )
