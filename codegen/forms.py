"""Forms: most lines of a long module say the same things of other names.

The *form* of ``h3 = np.dot(h2, W3, out=b[2])`` is that line without its names and whole numbers,
``_ = _.dot(_, _, out=_[0])``: what a line does with its names is read off its form, and each form
is parsed once.  Attributes, and the keywords of calls, belong to the form.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import lru_cache
from keyword import kwlist

#: Names that stand for values, no attributes and no keywords of calls; and whole numbers.
_PIECE = re.compile(r"(?<![\w.])(?:([A-Za-z_]\w*)(?!=(?!=)|\w)|\d+(?![\w.]))")
#: With any of these, a line may be more than one statement, or not a whole one.
_UNSURE = re.compile(r"""["'#;\\]""")
_KEYWORDS = frozenset(kwlist)

_STATEMENTS = (ast.Assign, ast.AugAssign, ast.Expr)
_PARTS = (
    *(ast.Attribute, ast.BinOp, ast.Call, ast.Compare, ast.Constant, ast.Name, ast.Slice),
    *(ast.Subscript, ast.Tuple, ast.UnaryOp, ast.cmpop, ast.expr_context, ast.keyword),
    *(ast.operator, ast.unaryop),
)

#: Of each name in a line which one it is, and whether it is assigned; what is read comes first.
Uses = tuple[tuple[int, bool], ...]


def uses_of(line: str, attributes: frozenset[str]) -> tuple[Uses, Sequence[str]] | None:
    """How a line uses its names, and those; None unless it is a plain statement for sure.

    The statement may only read these attributes.
    """
    if _UNSURE.search(line) or not line.isascii():
        return None
    pieces = _PIECE.split(line)  # every other one is a name, or None where a number was
    found = pieces[1::2]
    names = [name for name in found if name is not None]
    if not _KEYWORDS.isdisjoint(names):
        return None
    pieces[1::2] = ["0" if name is None else "_" for name in found]
    uses = _uses("".join(pieces), attributes)
    return None if uses is None or len(uses) != len(names) else (uses, names)


@lru_cache(maxsize=4096)
def _uses(form: str, attributes: frozenset[str]) -> Uses | None:
    """How a form uses its names."""
    try:
        tree = ast.parse(form)
    except SyntaxError:
        return None
    if len(tree.body) != 1 or not isinstance(tree.body[0], _STATEMENTS):
        return None
    found: list[ast.Name] = []
    for node in ast.walk(tree.body[0]):
        if not isinstance(node, (*_STATEMENTS, *_PARTS)):
            return None
        if isinstance(node, ast.Attribute) and node.attr not in attributes:
            return None
        if isinstance(node, ast.Name):
            if node.id != "_":
                return None
            found.append(node)
    found.sort(key=lambda node: node.col_offset)
    stored = [isinstance(node.ctx, ast.Store) for node in found]
    return tuple(sorted(enumerate(stored), key=lambda use: use[1]))
