"""Power series at 0, exactly: what is left of elementary functions where their parts cancel.

Coefficients are fractions, those of numbers in the graph included, so that what cancels is seen to.
A series starts at its *valuation*, which is negative for a pole (Knuth, TAOCP 2, section 4.7).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

_NOTHING = Fraction(1, 10**13)

Coefficients = Sequence[Fraction]


@dataclass(frozen=True, slots=True)
class Series:
    """Σ cᵢ u^(valuation + i), known as far as there are coefficients.

    ``lost`` leading terms went in sums, ``pole``: something that vanishes stood below a line.
    """

    valuation: int
    coefficients: tuple[Fraction, ...]
    lost: int = 0
    pole: bool = False

    def times(self, other: Series) -> Series:
        """The product."""
        n = min(len(self.coefficients), len(other.coefficients))
        made = _product(self.coefficients[:n], other.coefficients[:n])
        return self._with(other, self.valuation + other.valuation, made)

    def plus(self, other: Series) -> Series:
        """The sum; coefficients that cancel but for rounding do."""
        low = min(self.valuation, other.valuation)
        end = min(s.valuation + len(s.coefficients) for s in (self, other))
        made = []
        for i in range(low, end):
            a, b = self.at(i), other.at(i)
            made.append(a + b if abs(a + b) > _NOTHING * (abs(a) + abs(b)) else Fraction(0))
        gone = next((i for i, c in enumerate(made) if c), len(made))
        found = self._with(other, low + gone, made[gone:])
        return Series(found.valuation, found.coefficients, max(found.lost, gone), found.pole)

    def scaled(self, c: float) -> Series:
        """A multiple."""
        if not c:
            return Series(self.valuation, (Fraction(0),) * len(self.coefficients))
        made = tuple(Fraction(c) * x for x in self.coefficients)
        return Series(self.valuation, made, self.lost, self.pole)

    def power(self, e: float) -> Series | None:
        """The e-th power; None of nothing, and of roots that are no such series."""
        if not self.coefficients or not self.coefficients[0]:
            return None
        if e % 1 and self.valuation:  # of u², |u|
            return None
        first = self.coefficients[0]
        if e % 1 and first < 0:
            return None
        lead = first ** int(e) if e % 1 == 0 else Fraction(float(first) ** e)
        ratio = [c / first for c in self.coefficients]
        made = [lead * c for c in _power(ratio, Fraction(e))]
        pole = self.pole or (self.valuation > 0 and e < 0)
        return Series(int(self.valuation * e), tuple(made), self.lost, pole)

    def at(self, i: int) -> Fraction:
        """The coefficient of uⁱ, 0 before the first."""
        return Fraction(0) if i < self.valuation else self.coefficients[i - self.valuation]

    def into(self, outer: Coefficients) -> Series | None:
        """Σ outer[i] sⁱ for this s; None unless it vanishes at 0."""
        if self.valuation < 1:
            return None
        n = len(self.coefficients) + self.valuation - 1
        inner = [self.at(i) for i in range(n)]
        made = [Fraction(0)] * n
        for c in reversed(outer[:n]):
            made = _product(made, inner)
            made[0] += c
        gone = next((i for i, c in enumerate(made) if c), n)
        return Series(gone, tuple(made[gone:]), self.lost, self.pole)

    def _with(self, other: Series, valuation: int, made: Sequence[Fraction]) -> Series:
        lost, pole = max(self.lost, other.lost), self.pole or other.pole
        return Series(valuation, tuple(made), lost, pole)


def _product(a: Coefficients, b: Coefficients) -> list[Fraction]:
    made = [Fraction(0)] * len(a)
    for i, x in enumerate(a):
        if x:
            for j in range(len(a) - i):
                made[i + j] += x * b[j]
    return made


def _power(ratio: Coefficients, e: Fraction) -> list[Fraction]:
    """(1 + r₁u + r₂u² + …)ᵉ, by the recurrence of Euler."""
    made = [Fraction(1)]
    for n in range(1, len(ratio)):
        total = sum((k * (e + 1) - n) * ratio[k] * made[n - k] for k in range(1, n + 1))
        made.append(Fraction(total) / n)
    return made


def _integral(c: Coefficients) -> list[Fraction]:
    return [Fraction(0), *(x / (i + 1) for i, x in enumerate(c[:-1]))]


def _exp(n: int) -> list[Fraction]:
    return [Fraction(1, math.factorial(i)) for i in range(n)]


def _alternating(n: int, start: int, signs: bool) -> list[Fraction]:
    """Every second term of eᵘ from ``start`` on, perhaps with alternating signs."""
    exponential = _exp(n)
    return [
        (c if not signs or (i // 2) % 2 == 0 else -c) if i % 2 == start else Fraction(0)
        for i, c in enumerate(exponential)
    ]


def _even(n: int, c: int) -> list[Fraction]:
    """1 + c u²."""
    return [Fraction(1 if i == 0 else c if i == 2 else 0) for i in range(n)]


def _sigmoid(n: int) -> list[Fraction]:
    minus = [(-1) ** i * c / 2 for i, c in enumerate(_exp(n))]
    minus[0] += Fraction(1, 2)
    return [c / 2 for c in _power(minus, Fraction(-1))]


def _softplus(n: int) -> list[Fraction]:
    """The integral of the sigmoid; log 2 as float64 has it, which −log 2 beside it cancels."""
    return [Fraction(math.log(2)), *_integral(_sigmoid(n))[1:]]


def _erf(n: int) -> list[Fraction]:
    """The integral of 2/√π e^(−u²)."""
    scale = Fraction(2 / math.sqrt(math.pi))
    bell = [
        scale * Fraction((-1) ** (i // 2), math.factorial(i // 2)) if i % 2 == 0 else Fraction(0)
        for i in range(n)
    ]
    return _integral(bell)


def _over(above: Coefficients, below: Coefficients) -> list[Fraction]:
    return _product(above, _power(below, Fraction(-1)))


#: The first n coefficients at 0 of functions; fractions, or what float64 makes of them.
TAYLOR: Mapping[str, Callable[[int], list[Fraction]]] = {
    "exp": _exp,
    "expm1": lambda n: [Fraction(0), *_exp(n)[1:]],
    "log1p": lambda n: [Fraction(0), *(Fraction((-1) ** (i + 1), i) for i in range(1, n))],
    "sin": lambda n: _alternating(n, 1, True),
    "cos": lambda n: _alternating(n, 0, True),
    "tan": lambda n: _over(_alternating(n, 1, True), _alternating(n, 0, True)),
    "sinh": lambda n: _alternating(n, 1, False),
    "cosh": lambda n: _alternating(n, 0, False),
    "tanh": lambda n: _over(_alternating(n, 1, False), _alternating(n, 0, False)),
    "arctan": lambda n: _integral(_power(_even(n, 1), Fraction(-1))),
    "arctanh": lambda n: _integral(_power(_even(n, -1), Fraction(-1))),
    "arcsin": lambda n: _integral(_power(_even(n, -1), Fraction(-1, 2))),
    "arcsinh": lambda n: _integral(_power(_even(n, 1), Fraction(-1, 2))),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _erf,
}
