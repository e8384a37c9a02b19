"""What the planner decides, at what prices, and when sizes must be known to decide.

An array that contractions read, such as the per-example gradient ``G`` of ``s[j] = Σ_P G[j,P]²``,
is *formed*, or the contractions are *expanded* over what it is made of.  Prices are numbers of
operations as polynomials in the sizes, shared work counted once.  For a linear layer d → p over T
positions they come to ``2T²(d+p)`` against ``2Tdp`` for the norm alone, so to Gram matrices where
``T(d+p) < dp``; to leading order with ``Σ_j G[j]`` wanted too, where ``2T²(d+p+1) < 3dp``.  Both
imply ``2T² < dp``: where Gram matrices are chosen they are smaller than what they avoid, and
bytes need no say of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from symdiff.expr.graph import depends_on, toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size, as_expression, as_size, shape_size, size_names, size_value
from symdiff.simplify.network import Price

Products: TypeAlias = "Counter[tuple[Size, ...]]"


@dataclass(frozen=True)
class Prices:
    """The operations of both ways, from which polynomials are made when they are asked for."""

    expanded: Price
    formed: Price

    @cached_property
    def polynomials(self) -> tuple[Size, Size]:
        """What it costs expanded, and formed."""
        return _polynomial(self.expanded), _polynomial(self.formed)


@dataclass(frozen=True)
class Guard:
    """Expanded is cheaper where ``less < more``; both are sums of products of sizes."""

    less: Size
    more: Size


@dataclass(frozen=True)
class Decision:
    """What was decided of nodes that share work, for the contractions ``users`` of them.

    ``form`` is "instantiated", "Gram" (pairs of positions) or "product"; with a ``guard`` it is
    what is cheaper at nominal sizes, and ``expanded`` is the form where the guard holds, and
    "instantiated" where it does not.  ``squares`` tells whether a sum of squares of one of the
    nodes is wanted.  ``given`` are the roots that were planned; nodes and users are of their
    graph, as it was before planning.
    """

    nodes: tuple[Node, ...]
    users: tuple[Node, ...]
    given: tuple[Node, ...]
    form: str
    expanded: str
    squares: bool
    guard: Guard | None
    work: Callable[[], Prices]

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """The positions of those of the planned roots that hang on the decision."""
        above = depends_on(toposort(self.given), self.users)
        return tuple(i for i, root in enumerate(self.given) if root in above)

    @cached_property
    def prices(self) -> tuple[Size, Size]:
        """What it costs expanded and formed, as polynomials in the sizes."""
        return self.work().polynomials


def _polynomial(price: Price) -> Size:
    return _sum(_collected(price))


def _collected(price: Price, known: Mapping[str, int] | None = None) -> Products:
    """Like products of sizes taken together; ``known`` names are numbers."""
    found: Products = Counter()
    for times, sizes in price:
        own = [
            size_value(s, known) if known and size_names(s) <= known.keys() else s for s in sizes
        ]
        found[tuple(sorted((s for s in own if s != 1), key=str))] += times
    return found


def _sum(terms: Mapping[tuple[Size, ...], int]) -> Size:
    from sympy import Add, Mul

    parts = [Mul(times, as_expression(shape_size(sizes))) for sizes, times in terms.items()]
    return as_size(Add(*parts))


def guard(prices: Prices, known: Mapping[str, int]) -> Guard | None:
    """On what sizes it hangs which way is cheaper; None where it does not.

    ``known`` gives numbers for names.  A product of sizes that divides one of the other sign
    counts for nothing: which way is cheaper for a matrix of one column is no matter for a guard.
    """
    difference = _collected(prices.formed, known)
    difference.subtract(_collected(prices.expanded, known))
    terms = {sizes: times for sizes, times in difference.items() if times}
    common = _common(list(terms))
    terms = {_without(sizes, common): times for sizes, times in terms.items()}
    leading = {
        sizes: times
        for sizes, times in terms.items()
        if not any(
            (other_times > 0) != (times > 0) and _divides(sizes, other)
            for other, other_times in terms.items()
        )
    }
    if not any(size_names(s) for sizes in leading for s in sizes):
        return None
    if len({times > 0 for times in leading.values()}) == 1:
        return None
    less = _sum({sizes: -times for sizes, times in terms.items() if times < 0})
    more = _sum({sizes: times for sizes, times in terms.items() if times > 0})
    return _reduced(less, more)


def sizes_where(guard: Guard, numbers: Mapping[str, int]) -> dict[str, int]:
    """Sizes where the guard holds: those that matter more on its left are made less."""
    less, more = as_expression(guard.less), as_expression(guard.more)
    names = sorted(size_names(guard.less) | size_names(guard.more))
    found = {name: numbers[name] for name in names}
    smaller = [n for n in names if _degree(less, n) > _degree(more, n)]
    while size_value(less, found) >= size_value(more, found):
        if all(found[n] == 1 for n in smaller):
            break
        found |= {n: max(found[n] // 2, 1) for n in smaller}
    return found


def _degree(expression: Any, name: str) -> int:
    """The degree in a size; that of a whole part is what it is the whole part of."""
    from sympy import Poly, floor

    whole = expression.replace(floor, lambda x: x)
    return int(Poly(whole, as_expression(name)).degree())


def _common(products: list[tuple[Size, ...]]) -> Counter[Size]:
    """The sizes that all of the products have."""
    if not products:
        return Counter()
    common = Counter(products[0])
    for sizes in products[1:]:
        common &= Counter(sizes)
    return common


def _without(sizes: tuple[Size, ...], common: Counter[Size]) -> tuple[Size, ...]:
    return tuple((Counter(sizes) - common).elements())


def _divides(a: tuple[Size, ...], b: tuple[Size, ...]) -> bool:
    return not Counter(a) - Counter(b)


def _reduced(less: Size, more: Size) -> Guard:
    """Both sides over the factor that they share, each in its shortest form."""
    import sympy

    a, b = as_expression(less), as_expression(more)
    shared = sympy.gcd(a, b)
    sides: list[Any] = [sympy.factor_terms(sympy.cancel(x / shared)) for x in (a, b)]
    return Guard(*sides)
