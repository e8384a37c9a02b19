"""What cancels with a multiple of something else: 1/(1 − e⁻ˣ) − k/x, where k may be 1.

Next to x = 0 the first is 1/x + 1/2 + …, so that with its pole taken off it has a Taylor
polynomial, and (1 − k)/x is left, which is exact: the slope of a count that is known not to be 0,
in a rate that is nearly so.
"""

from __future__ import annotations

from collections.abc import Callable

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.movement import stop_gradient
from symdiff.expr.node import Node
from symdiff.simplify.parts import Product, as_like, sum_of
from symdiff.simplify.series import Series

Term = tuple[Product, Series]


def pole_apart(
    node: Node, u: Node, term: Callable[[Node], Term | None], mended: Callable[[Node], Node | None]
) -> Node | None:
    """A sum whose first power of u cancels only for some values of other variables.

    ``term`` gives a node as a product without u times a series in u, ``mended`` a sum that cancels
    by its polynomial; None of any other sum.
    """
    total = sum_of(node)
    own: list[tuple[Node, float]] = []
    series: Series | None = None
    others: list[tuple[Node, float, Series]] = []
    for x, c in total.terms.items():
        found = term(x)
        if found is None:
            return None
        multiplier, s = found
        if any(y.ndim and y.shape != node.shape for y in multiplier.factors):
            return None
        if multiplier.factors:
            others.append((multiplier.bare(node.dtype), c, s))
        else:
            own.append((x, c))
            series = s.scaled(c) if series is None else series.plus(s.scaled(c))
    if series is None or not others or not series.pole or not series.coefficients:
        return None
    v, lead = series.valuation, series.coefficients[0]
    if any(s.valuation != v or any(s.coefficients[1:]) for _, _, s in others) or _pure(series):
        return None
    power = [(power_product([(u, float(v))]), 1.0)] if v else []
    lost = linear_combination(power, 0.0 if v else 1.0, node.dtype)
    regular = linear_combination([*own, (lost, -float(lead))], 0.0, node.dtype)
    multiples = [(m, c * float(s.coefficients[0])) for m, c, s in others]
    number = 0.0 if v else total.constant
    left = linear_combination(multiples, float(lead) + number)
    if not power:  # a number that would be gathered with others, and cancel first
        left = stop_gradient(left)
    exact = power_product([(left, 1.0), *power])
    near = mended(as_like(regular, node))
    if near is None:
        return None
    whole = linear_combination([(near, 1.0), (exact, 1.0)], total.constant - number)
    return as_like(whole, node)


def _pure(series: Series) -> bool:
    return not any(series.coefficients[1:])
