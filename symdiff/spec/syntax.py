"""The text of a formula as Python's syntax tree, with faults placed by character.

Only Python's parser is used: nothing is compiled or run.  What the tree may hold is decided in
:mod:`symdiff.spec.formula`, node by node.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

_BLANKS = str.maketrans("\t\n\r\f\v", "     ")


class FormulaFault(ValueError):
    """One fault at a character of a formula."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


@dataclass(frozen=True)
class Formula:
    """A parsed formula: its text, its tree, and how the tree's columns map to characters."""

    text: str
    root: ast.expr
    _lead: int
    _characters: tuple[int, ...] | None = field(repr=False)

    def offset(self, node: ast.AST) -> int:
        """The character at which the tree's node begins."""
        return self._character(getattr(node, "col_offset", 0))

    def segment(self, node: ast.AST) -> str:
        """The node's own text, shortened."""
        end = getattr(node, "end_col_offset", None)
        stop = len(self.text) if end is None else self._character(end)
        text = " ".join(self.text[self.offset(node) : stop].split())
        return text if len(text) <= 60 else f"{text[:57]}..."

    def _character(self, column: int) -> int:
        if self._characters is not None:  # the tree counts UTF-8 bytes
            column = self._characters[min(column, len(self._characters) - 1)]
        return self._lead + column


def parse(text: str) -> Formula:
    """The formula's tree.  Raises FormulaFault if it is no Python expression.

    Line breaks count as blanks.
    """
    for sign, what in (("#", "a comment"), ("\\", "a backslash")):
        if sign in text:
            raise FormulaFault(text.index(sign), f"{what} cannot stand in a formula")
    flat = text.translate(_BLANKS)
    body = flat.strip(" ")
    if not body:
        raise FormulaFault(0, "the formula is empty")
    lead = len(flat) - len(flat.lstrip(" "))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as '1if': a syntax fault or fine
            tree = ast.parse(body, mode="eval")
    except SyntaxError as fault:
        column = (fault.offset or len(body) + 1) - 1  # offset 0: the text ends too early
        said = (fault.msg or "invalid syntax").split(" (<unknown>")[0]
        if "digits" in said and "integer" in said:
            digits = re.search(r"[\d_]{1000}", body)
            column, said = digits.start() if digits else 0, "the number is too large"
        raise FormulaFault(lead + min(column, len(body) - 1), f"cannot be read: {said}") from None
    except (RecursionError, MemoryError):
        raise FormulaFault(lead, "the formula is nested too deeply") from None
    except ValueError:  # null bytes, lone surrogates
        at = next((i for i, c in enumerate(body) if c == "\0" or "\ud800" <= c <= "\udfff"), 0)
        raise FormulaFault(lead + at, "the formula holds a character that is no text") from None
    if body.isascii():
        return Formula(text, tree.body, lead, None)
    characters: list[int] = []
    for i, character in enumerate(body):
        characters += [i] * len(character.encode())
    return Formula(text, tree.body, lead, (*characters, len(body)))
