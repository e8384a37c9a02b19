"""Symbolic sizes and NumPy's broadcasting over them.

A size is a number, a name read from the data at call time (``"batch"``), or a SymPy expression
over such names.  Numbers and lone names never touch SymPy, which is imported only when two
symbolic sizes meet in arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import sympy

Size: TypeAlias = "int | str | sympy.Expr"
Shape: TypeAlias = tuple[Size, ...]


class ShapeError(ValueError):
    """Shapes that do not fit; the message names the operation, the shapes and the user's names."""


def as_expression(size: Size) -> Any:
    """A size as SymPy's: a name is a whole, nonnegative symbol."""
    import sympy

    if isinstance(size, int):
        return sympy.Integer(size)
    if isinstance(size, str):
        return sympy.Symbol(size, integer=True, nonnegative=True)
    return size


def as_size(value: Any) -> Size:
    """The normal form of a size: integers and lone symbols leave SymPy."""
    if isinstance(value, bool):
        raise ShapeError(f"a size is a whole number or a name, not {value!r}")
    if isinstance(value, (int, str)):
        return value
    if hasattr(value, "__index__") and not hasattr(value, "free_symbols"):
        return int(value.__index__())
    import sympy

    if not isinstance(value, sympy.Expr):
        raise ShapeError(f"a size is a whole number or a name, not {value!r}")
    value = sympy.expand(value)
    if value.is_Integer:
        return int(value)
    if value.is_Symbol:
        return str(value)
    return value


@lru_cache(maxsize=65536)
def _combined(sign: str, a: Size, b: Size) -> Size:
    """Arithmetic that needs SymPy; a model has few distinct sizes, and many nodes of each."""
    x, y = as_expression(a), as_expression(b)
    return as_size(x + y if sign == "+" else x - y if sign == "-" else x * y)


def size_add(a: Size, b: Size) -> Size:
    """a + b."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0:
        return b
    if b == 0:
        return a
    return _combined("+", a, b)


def size_sub(a: Size, b: Size) -> Size:
    """a - b."""
    if isinstance(a, int) and isinstance(b, int):
        return a - b
    if b == 0:
        return a
    return _combined("-", a, b)


def size_mul(a: Size, b: Size) -> Size:
    """a * b."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 1:
        return b
    if b == 1:
        return a
    return _combined("*", a, b)


def size_floordiv(a: Size, b: Size) -> Size:
    """The whole part of a / b; exact quotients of symbolic sizes cancel."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    if b == 1:
        return a
    import sympy

    quotient = sympy.cancel(as_expression(a) / as_expression(b))
    coefficients = quotient.as_coefficients_dict().values()
    if quotient.is_polynomial() and all(c.is_integer for c in coefficients):
        return as_size(quotient)
    return as_size(sympy.floor(quotient))


def size_factors(size: Size) -> tuple[int, list[tuple[Size, int]]]:
    """A size as a whole number times powers of other sizes, in canonical order."""
    if isinstance(size, int | str):
        return (size, []) if isinstance(size, int) else (1, [(size, 1)])
    number, powers = 1, []
    for factor in size.as_ordered_factors():
        base, e = factor.as_base_exp()
        if factor.is_Integer:
            number *= int(factor)
        elif e.is_Integer and e > 0:
            powers.append((as_size(base), int(e)))
        else:
            return 1, [(size, 1)]
    return number, powers


def shape_size(shape: Iterable[Size]) -> Size:
    """The number of elements."""
    total: Size = 1
    for size in shape:
        total = size_mul(total, size)
    return total


def size_names(size: Size) -> frozenset[str]:
    """The names that a size is made of."""
    if isinstance(size, int):
        return frozenset()
    if isinstance(size, str):
        return frozenset({size})
    return frozenset(str(symbol) for symbol in size.free_symbols)


def size_value(size: Size, env: Mapping[str, int]) -> int:
    """The number that a size is, given its names' values; KeyError names a missing one."""
    if isinstance(size, int):
        return size
    if isinstance(size, str):
        return env[size]
    value = size.subs({symbol: env[str(symbol)] for symbol in size.free_symbols})
    return int(value)


def size_text(size: Size) -> str:
    """How a size reads in messages and in emitted text."""
    return str(size)


def shape_text(shape: Sequence[Size]) -> str:
    """``(batch, 64)``, as NumPy prints tuples but with names bare."""
    inner = ", ".join(size_text(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's broadcast of the shapes; ShapeError if two sizes differ and neither is 1.

    Two different names do not match: nothing says that they are equal.
    """
    if not shapes:
        return ()
    return shapes[0] if shapes.count(shapes[0]) == len(shapes) else _broadcast(shapes)


@lru_cache(maxsize=4096)
def _broadcast(shapes: tuple[Shape, ...]) -> Shape:
    """See broadcast_shapes; a model has few distinct shapes, and many nodes of each."""
    rank = max(len(shape) for shape in shapes)
    result: list[Size] = [1] * rank
    for shape in shapes:
        offset = rank - len(shape)
        for axis, size in enumerate(shape):
            have = result[offset + axis]
            if have == 1:
                result[offset + axis] = size
            elif size != 1 and size != have:
                raise ShapeError(
                    "shapes " + " and ".join(shape_text(s) for s in shapes) + " do not broadcast: "
                    f"{size_text(have)} against {size_text(size)}"
                )
    return tuple(result)


def normalize_axes(axes: int | Sequence[int] | None, rank: int, what: str) -> tuple[int, ...]:
    """Sorted non-negative axes; None means all.  ShapeError names ``what`` and the faulty axis."""
    if axes is None:
        return tuple(range(rank))
    given = (axes,) if isinstance(axes, int) else tuple(axes)
    result = []
    for axis in given:
        if not -rank <= axis < rank:
            raise ShapeError(f"{what}: axis {axis} is out of range for {rank} dimensions")
        result.append(axis % rank)
    if len(set(result)) != len(result):
        raise ShapeError(f"{what}: axes {given} name one axis twice")
    return tuple(sorted(result))


def bind_sizes(
    shape: Shape, actual: Sequence[int], env: dict[str, int], what: str = "value"
) -> None:
    """Unify a declared shape with an array's, filling ``env`` with the names' values.

    Compound sizes are checked, and solved where one name in them is still unknown.
    """
    if len(shape) != len(actual):
        raise ShapeError(f"{what}: expected shape {shape_text(shape)}, got {tuple(actual)}")
    for size, number in zip(shape, actual, strict=True):
        unknown = size_names(size) - env.keys()
        if isinstance(size, str) and unknown:
            env[size] = number
            continue
        if len(unknown) == 1 and not isinstance(size, (int, str)):
            import sympy

            (name,) = unknown
            symbol = next(s for s in size.free_symbols if str(s) == name)
            known = {s: env[str(s)] for s in size.free_symbols if s is not symbol}
            roots = [r for r in sympy.solve(size.subs(known) - number, symbol) if r.is_Integer]
            if len(roots) == 1:
                env[name] = int(roots[0])
                continue
        if unknown or size_value(size, env) != number:
            bound = {n: env[n] for n in sorted(size_names(size) & env.keys())}
            said = f" with {bound}" if bound else ""
            raise ShapeError(
                f"{what}: expected shape {shape_text(shape)}{said}, got {tuple(actual)}"
            )
