"""What an expression of a formula can stand for, and arithmetic on it.

Numbers stay Python's until they meet an array, so that ``0.5 * 1e-4`` is one constant; sizes that
have names stay sizes until they meet a float or an array, so that ``x.reshape(n * m)`` is a shape.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size, size_add, size_mul, size_sub, size_text

LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Symbolic:
    """A size that is no number yet: a name, or an expression over names."""

    size: Size


class Broken:
    """The value of what has a fault, or rests on one: reported once, then silent."""

    def __repr__(self) -> str:
        return "BROKEN"


BROKEN = Broken()
Value = Any  # Node, int, float, bool, str, None, Ellipsis, slice, tuple, list, Symbolic or BROKEN


def from_size(size: Size) -> int | Symbolic:
    """A size as a value of a formula."""
    return size if isinstance(size, int) else Symbolic(size)


def to_size(value: int | Symbolic) -> Size:
    """The size that an integer value of a formula is."""
    return value.size if isinstance(value, Symbolic) else value


def as_array(value: Value) -> Value:
    """The value with sizes as 0-d nodes; for places where arrays and numbers are expected."""
    return build.size_node(value.size) if isinstance(value, Symbolic) else value


def says(value: Value) -> str:
    """What a value is, for messages."""
    if isinstance(value, Symbolic):
        return f"the size {size_text(value.size)}"
    for kind, text in _KINDS:
        if isinstance(value, kind):
            return text
    return repr(value)


_KINDS: tuple[tuple[type, str], ...] = (
    (Node, "an array"),
    (str, "a string"),
    (tuple, "a tuple"),
    (list, "a list"),
    (slice, "a slice"),
    (type(None), "None"),
    (type(Ellipsis), "'...'"),
)


def is_number(value: Value) -> bool:
    """Whether the value is a Python number (a truth value counts as 0 or 1)."""
    return isinstance(value, (int, float))


def check_number(value: Value) -> Value:
    """The number, or a ValueError if it is beyond what arrays hold or is none at all."""
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise ValueError("the number is too large")
    elif not isinstance(value, float) or math.isnan(value):
        raise ValueError("the value is not a real number")
    return value


def _number_power(a: float, b: float) -> float:
    whole = isinstance(a, int) and isinstance(b, int)
    if whole and abs(a) > 1 and abs(b) * math.log2(abs(a)) > 64:
        raise ValueError("the number is too large")
    result: float = a**b
    return result


@dataclass(frozen=True)
class Binary:
    """A binary operator: its sign, its meaning on numbers, on arrays, and on sizes if closed."""

    sign: str
    numbers: Callable[[Any, Any], Any] | None
    arrays: Callable[[Any, Any], Any]
    sizes: Callable[[Size, Size], Size] | None = None


BINARY: dict[type[ast.AST], Binary] = {
    ast.Add: Binary("+", operator.add, operator.add, size_add),
    ast.Sub: Binary("-", operator.sub, operator.sub, size_sub),
    ast.Mult: Binary("*", operator.mul, operator.mul, size_mul),
    ast.Div: Binary("/", operator.truediv, operator.truediv),
    ast.Pow: Binary("**", _number_power, operator.pow),
    ast.MatMult: Binary("@", None, operator.matmul),
    ast.Lt: Binary("<", operator.lt, operator.lt),
    ast.LtE: Binary("<=", operator.le, operator.le),
    ast.Gt: Binary(">", operator.gt, operator.gt),
    ast.GtE: Binary(">=", operator.ge, operator.ge),
    ast.Eq: Binary("==", operator.eq, build.equal),
    ast.NotEq: Binary("!=", operator.ne, build.not_equal),
}


def binary(kind: type[ast.AST], a: Value, b: Value) -> Value:
    """``a sign b``.  Raises ValueError or TypeError saying what does not fit."""
    row = BINARY[kind]
    if kind is ast.Add and isinstance(a, tuple) and isinstance(b, tuple):
        return a + b  # shapes: x.shape[:-1] + (2,)
    for value in (a, b):
        if not (is_number(value) or isinstance(value, (Node, Symbolic))):
            raise TypeError(f"{row.sign} needs numbers or arrays, not {says(value)}")
    if is_number(a) and is_number(b):
        if row.numbers is None:
            raise TypeError(f"{row.sign} needs arrays, not numbers")
        return check_number(row.numbers(a, b))
    whole = all(isinstance(value, (int, Symbolic)) for value in (a, b))
    if whole and row.sizes is not None:
        return from_size(row.sizes(to_size(a), to_size(b)))
    return row.arrays(as_array(a), as_array(b))


def negative(a: Value) -> Value:
    """``-a``."""
    if isinstance(a, Symbolic):
        return from_size(size_mul(-1, a.size))
    if is_number(a) or isinstance(a, Node):
        return -a
    raise TypeError(f"- needs a number or an array, not {says(a)}")
