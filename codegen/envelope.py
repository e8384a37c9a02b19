"""Which of several polynomials in the sizes counts: those that may be the largest of all.

Sizes are at least 1, so that a polynomial is compared by its coefficients in the sizes less 1: one
whose coefficients are all as large as another's is never less.  Where there is one size, and
polynomials are lines, only the corners of their upper envelope remain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

from symdiff.expr.shapes import Size, as_expression, size_names

#: The coefficients of a polynomial in the sizes less 1, by the powers of the sizes.
Terms: TypeAlias = "Mapping[tuple[tuple[str, int], ...], int]"

#: Switches of which all settings are tried when polynomials are compared.
MOST_SWITCHES = 4


def largest(sizes: Iterable[Size]) -> tuple[Size, ...]:
    """Those that may be the largest of all at some sizes of at least 1; (0,) if there are none.

    A name in brackets is a switch, which is 0 or 1.
    """
    distinct = list(dict.fromkeys(sizes))
    numbers = [size for size in distinct if isinstance(size, int)]
    others = [size for size in distinct if not isinstance(size, int)]
    if numbers:
        others.append(max(numbers))
    # Those of large coefficients first: they do away with most of the others at once.
    order = sorted(others, key=_weight, reverse=True)
    kept: list[Size] = []
    for size in order:
        if not any(never_less(other, size) for other in kept):
            kept = [other for other in kept if not never_less(size, other)] + [size]
    found = set(_corners(kept))
    return tuple(size for size in distinct if size in found) or (0,)


def never_less(a: Size, b: Size) -> bool:
    """Whether a ≥ b for all sizes of at least 1, as the signs of coefficients there tell.

    Switches are 0 or 1; of more than a few, not all cases are looked at, and the answer is no.
    """
    switches = sorted({n for size in (a, b) for n in size_names(size) if n.startswith("[")})
    if len(switches) > MOST_SWITCHES:
        return False
    for case in product((0, 1), repeat=len(switches)):
        setting = tuple(zip(switches, case, strict=True))
        above, below = _terms(a, setting), _terms(b, setting)
        if above is None or below is None:
            return a == b
        if any(above.get(power, 0) < below.get(power, 0) for power in {**above, **below}):
            return False
    return True


def _weight(size: Size) -> int:
    terms = _terms(size, ())
    return 0 if terms is None else sum(terms.values())


@lru_cache(maxsize=65536)
def _terms(size: Size, setting: tuple[tuple[str, int], ...]) -> Terms | None:
    """The coefficients at switches set so; None for what is no polynomial."""
    if isinstance(size, int):
        return {(): size}
    from sympy import Poly

    expression: Any = as_expression(size).subs([(as_expression(n), x) for n, x in setting])
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols:
        return {(): int(expression)}
    if not expression.is_polynomial(*symbols):
        return None
    shifted = Poly(expression.subs([(s, s + 1) for s in symbols], simultaneous=True), *symbols)
    names = [str(symbol) for symbol in symbols]
    return {
        tuple((name, e) for name, e in zip(names, powers, strict=True) if e): coefficient
        for powers, coefficient in shifted.terms()
    }


def _corners(sizes: Sequence[Size]) -> Sequence[Size]:
    """Of lines in one size those that are the largest somewhere; others as they are."""
    names = {name for size in sizes for name in size_names(size)}
    if len(names) != 1 or len(sizes) < 3:
        return sizes
    (name,) = names
    lines = []
    for size in sizes:
        terms = _terms(size, ())
        if terms is None or name.startswith("[") or any(p not in ((), ((name, 1),)) for p in terms):
            return sizes
        lines.append((terms.get(((name, 1),), 0), terms.get((), 0), size))
    lines.sort(key=lambda line: line[:2])
    hull: list[tuple[int, int, Size]] = []
    for slope, start, size in lines:
        # The line before is nowhere alone on top if the new one passes the one before that first.
        while len(hull) > 1 and _meets(hull[-2], (slope, start)) <= _meets(hull[-2], hull[-1]):
            hull.pop()
        hull.append((slope, start, size))
    return [size for _, _, size in hull]


def _meets(low: Sequence[Any], steep: Sequence[Any]) -> Any:
    """Where the steeper line gets above the other."""
    from sympy import Rational

    return Rational(low[1] - steep[1], steep[0] - low[0])
