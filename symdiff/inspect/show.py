"""Expressions as text and as LaTeX: definitions first, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff.expr.node import Node
from symdiff.expr.shapes import shape_text
from symdiff.inspect.latex import LATEX
from symdiff.inspect.layout import Partial
from symdiff.inspect.naming import Line, lines
from symdiff.inspect.text import TEXT

Roots = Mapping["str | Partial", Node]
Names = Mapping[Node, "str | Partial"]


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


def to_text(roots: Roots, names: Names | None = None, shapes: bool = False) -> str:
    """The roots as equations in Unicode text, below the definitions of what they share.

    ``names`` gives nodes the names that they are shown by.  The notation is that of
    :mod:`symdiff.inspect.text`.
    """
    return "\n".join(text_lines(lines(roots, names), shapes))


def to_latex(roots: Roots, names: Names | None = None) -> str:
    """The same as a LaTeX ``aligned`` block, for math mode."""
    return latex_lines(lines(roots, names))


def show(node: Node) -> str:
    """A node's expression alone, where it needs no definitions; else with them above."""
    equations = lines({"result": node})
    if len(equations) == 1:
        return TEXT.draw(equations[0].doc)
    return "\n".join(text_lines(equations))
