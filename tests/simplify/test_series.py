"""Power series in fractions, against mpmath's."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from symdiff.simplify.series import TAYLOR, Series

N = 12
EXACT = {
    "log1p": lambda x: mpmath.log(1 + x),
    "arctan": mpmath.atan,
    "arctanh": mpmath.atanh,
    "arcsin": mpmath.asin,
    "arcsinh": mpmath.asinh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
}


def series(*coefficients: float, valuation: int = 0) -> Series:
    """A series with zeros behind what is given."""
    rest = (Fraction(0),) * (N - len(coefficients))
    return Series(valuation, (*map(Fraction, coefficients), *rest))


def values(found: Series | None) -> list[float]:
    assert found is not None
    return [float(c) for c in found.coefficients]


@pytest.mark.parametrize("name", TAYLOR)
def test_coefficients_are_those_of_the_function(name: str) -> None:
    with mpmath.workdps(60):
        function = EXACT.get(name) or getattr(mpmath, name)
        expected = [float(c) for c in mpmath.taylor(function, 0, N - 1)]
    assert [float(c) for c in TAYLOR[name](N)] == pytest.approx(expected, rel=1e-12, abs=1e-25)


def test_products_and_sums() -> None:
    one, other = series(1, 2, 3), series(1, -1, valuation=1)
    assert values(one.times(other))[:4] == [1, 1, 1, -3]
    assert one.times(other).valuation == 1
    assert values(one.plus(other))[:4] == [1, 3, 2, 0]
    assert values(one.scaled(0.5))[:3] == [0.5, 1, 1.5]


def test_what_cancels_is_lost() -> None:
    gone = series(1, 2, 3).plus(series(-1, -2, 4))
    assert (gone.valuation, gone.lost, gone.at(2), gone.at(0)) == (2, 2, 7, 0)
    rounded = series(0.1, 1).plus(series(0.2)).plus(series(-0.1 - 0.2))
    assert (rounded.valuation, rounded.lost) == (1, 1)


def test_powers() -> None:
    assert values(series(1, 1).power(-1))[:4] == [1, -1, 1, -1]
    assert values(series(4, 4).power(0.5))[:3] == [2, 1, -0.25]
    inverse = series(2, 2, valuation=2).power(-1)
    assert inverse is not None
    assert (inverse.valuation, inverse.pole, inverse.at(-2), inverse.at(-1)) == (
        -2,
        True,
        0.5,
        -0.5,
    )
    assert series(1, 1, valuation=1).power(0.5) is None
    assert series(1, 1, valuation=2).power(0.5) is None
    assert series(-1, 1).power(0.5) is None
    assert series(0).power(-1) is None


def test_functions_of_series() -> None:
    found = series(2, valuation=1).into(TAYLOR["exp"](N))
    assert values(found)[:4] == pytest.approx([1, 2, 2, 4 / 3])
    square = series(1, valuation=2).into(TAYLOR["sin"](N + 1))
    assert square is not None
    assert (square.valuation, square.at(2), square.at(6)) == (2, 1, Fraction(-1, 6))
    assert series(1, 1).into(TAYLOR["exp"](N)) is None
