"""Graphs as SymPy expressions and back.

Arrays of fixed shape are computed element by element, with SymPy expressions as the elements, so
that every operation has one meaning whatever the rank.  Text is never read: only nodes and SymPy
objects go in.  SymPy is imported when a function is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from symdiff.expr import build
from symdiff.expr.algebra import scalar
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node, with_shape
from symdiff.inspect.sympy_kernels import KERNELS, Elements, elements, fixed_shape

if TYPE_CHECKING:
    import sympy

#: An array with more elements than this is refused: its expressions could not be read anyway.
MOST_ELEMENTS = 4096


def to_sympy(node: Node) -> Any:
    """The node as a SymPy expression; of rank 2 as a Matrix, of any other rank as an Array.

    A 0-d leaf is a real Symbol under its name, an element of an array ``x[0, 1]``; labels select
    through KroneckerDelta.  Raises ValueError where an array's shape is not fixed or too large.
    """
    import sympy

    done: dict[Node, Elements] = {}
    for part in toposort([node]):
        shape = fixed_shape(part)
        if math.prod(shape) > MOST_ELEMENTS:
            raise ValueError(f"to_sympy: {with_shape(part)}: more than {MOST_ELEMENTS} elements")
        result = KERNELS[part.op](part, [done[x] for x in part.inputs])
        done[part] = elements(result, shape)
    array = done[node]
    if array.ndim == 0:
        return array[()]
    if array.ndim == 2:
        return sympy.ImmutableDenseMatrix(array.tolist())
    return sympy.ImmutableDenseNDimArray(array.ravel().tolist(), array.shape)


def from_sympy(expression: sympy.Basic, leaves: Mapping[str, Node] | None = None) -> Node:
    """A scalar SymPy expression as a node.

    Symbols become the ``leaves`` of their names, or 0-d float64 inputs.  Raises TypeError for text
    (which SymPy would execute) and for what has no node, naming it.
    """
    import sympy

    if not isinstance(expression, sympy.Basic):
        raise TypeError(f"from_sympy: {expression!r} is not a SymPy expression; text is not read")
    known = dict(leaves or {})
    done: dict[Any, Any] = {}
    stack: list[Any] = [expression]
    while stack:
        part = stack[-1]
        missing = [] if part in done else [arg for arg in part.args if arg not in done]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if part not in done:
            done[part] = _node(part, [done[arg] for arg in part.args], known)
    result = done[expression]
    if isinstance(result, tuple):
        raise TypeError(f"from_sympy: {type(expression).__name__} is not an expression")
    return build.as_node(result)


def _node(part: Any, args: list[Any], leaves: dict[str, Node]) -> Any:
    """One SymPy object whose arguments are done: a node, a number, or a Piecewise's branch."""
    import sympy

    if part.is_Symbol:
        return leaves.setdefault(part.name, build.input(part.name))
    if isinstance(part, sympy.logic.boolalg.BooleanAtom):
        return bool(part)
    if part.is_number and not args:
        return int(part) if part.is_Integer else float(part)
    if part.is_Rational:
        return float(part)
    make = _FROM.get(type(part).__name__)
    if make is None:
        raise TypeError(f"from_sympy: {type(part).__name__} in {part} has no node")
    return make(*args)


def _sum(*terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _times(*factors: Any) -> Any:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _piecewise(*branches: tuple[Any, Any]) -> Any:
    """Nested where; past the last condition the value is not defined, and is nan."""
    result: Any = math.nan
    for value, condition in reversed(branches):
        if isinstance(condition, bool):
            result = value if condition else result
        else:
            result = build.where(condition, value, result)
    return result


def _fold(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        result = args[0]
        for arg in args[1:]:
            result = function(result, arg)
        return result

    return make


def _compare(name: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: scalar(name, build.as_node(x), build.as_node(y))


_FROM: dict[str, Callable[..., Any]] = {
    "Add": _sum,
    "Mul": _times,
    "Pow": build.power,
    "Max": _fold(build.maximum),
    "Min": _fold(build.minimum),
    "Abs": build.abs,
    "sign": build.sign,
    "exp": build.exp,
    "log": build.log,
    "sin": build.sin,
    "cos": build.cos,
    "tan": build.tan,
    "sinh": build.sinh,
    "cosh": build.cosh,
    "tanh": build.tanh,
    "atan": build.arctan,
    "asinh": build.arcsinh,
    "atanh": build.arctanh,
    "acosh": build.arccosh,
    "asin": build.arcsin,
    "acos": build.arccos,
    "erf": build.erf,
    "erfc": lambda x: scalar("erfc", x),
    "Piecewise": _piecewise,
    "ExprCondPair": lambda value, condition: (value, condition),
    "StrictLessThan": _compare("lt"),
    "LessThan": _compare("le"),
    "StrictGreaterThan": _compare("gt"),
    "GreaterThan": _compare("ge"),
    "Equality": _compare("eq"),
    "Unequality": _compare("ne"),
}
