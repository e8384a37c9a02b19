"""Expressions as text with a precedence, so that parentheses stand where Python needs them.

Expressions are strings, not trees: what is printed is decided in the program, and all that
printing has to know of a part is how tightly it binds and how much it holds already.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

import numpy as np

from symdiff.expr.records import record


class Level(IntEnum):
    """Python's levels of precedence, loosest first."""

    COMPARE = 1
    SUM = 2
    MATMUL = 3  # Python's level of products, but a reader is glad of parentheses between them
    PRODUCT = 4
    UNARY = 5
    POWER = 6
    ATOM = 7


@record(frozen=True, slots=True)
class Text:
    """An expression: its code, how tightly it binds, how many operations it holds."""

    code: str
    level: Level = Level.ATOM
    operations: int = 0

    @property
    def is_name(self) -> bool:
        """Whether it is a bare name, free to be written more than once."""
        return self.code.isidentifier()

    def at(self, level: Level) -> str:
        """The code, in parentheses if it binds more loosely than ``level``."""
        return self.code if self.level >= level else f"({self.code})"


def count(parts: Iterable[Text]) -> int:
    """The operations of an expression made of the parts by one more."""
    return 1 + sum(part.operations for part in parts)


def number_text(value: float, dtype: str) -> Text:
    """The literal of a finite number: whole ones without a point, others in shortest form.

    Shortest for the dtype: a float32 that was written 0.1 is 0.1 again.
    """
    if value == int(value) and (dtype == "int64" or (abs(value) < 1e6 and repr(value) != "-0.0")):
        code = str(int(value))
    elif dtype == "float32" and float(np.float32(value)) == value:
        code = str(np.float32(value))
    else:
        code = repr(float(value))
    return Text(code, Level.UNARY if code.startswith("-") else Level.ATOM)
