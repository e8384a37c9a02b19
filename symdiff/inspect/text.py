"""Documents as plain Unicode text.

The notation, which LaTeX shares: matrix products stand side by side (``A B``), ᵀ transposes,
⊙ multiplies arrays element by element and ``/`` divides them so, with NumPy's broadcasting (and
what is divided by a norm or a root of 0 in a derivative is 0, by the convention at kinks);
``diag(d) A`` scales the rows of A; Σ sums all elements, ``Σ_batch`` or ``Σ_axis1`` those along one
axis; ‖A‖² is the sum of squares of all elements; ``[a > b]`` is 1 where the comparison holds and
else 0; ``I`` is the identity matrix.  ``u v`` of scalars is their product, and vectors are
columns: ``uᵀ v`` is a number, ``u vᵀ`` a matrix.  Arrays of higher rank are stacks of matrices in
``A B``.  What none of these says is written with indices (``Σ_l A_il B_ljk``; the axes of the
result are the free indices in alphabetical order) or as NumPy's own indexing and functions.
Loops are recurrences (:mod:`symdiff.inspect.recurrences`).
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.inspect.drawing import Drawing
from symdiff.inspect.layout import Doc, Level, Number, tidy

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠"}
_FUNCTIONS = {"sigmoid": "σ"}


def number_text(value: float) -> str:
    """The shortest form that reads back as the number; whole numbers without a point."""
    value = tidy(value)
    if abs(value) < 1e16 and value == int(value):
        return str(int(value))
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa.replace("inf", "∞")


class Text(Drawing):
    """One line of Unicode."""

    def name(self, text: str) -> str:
        return text

    def partial(self, of: str, by: str, order: int) -> str:
        power = "" if order == 1 else str(order).translate(_SUPERSCRIPTS)
        return f"∂{power}{of}/∂{by}{power}"

    def number(self, value: float) -> str:
        return number_text(value)

    def literal(self, rows: Sequence[str]) -> str:
        return f"[{', '.join(rows)}]"

    def sum(self, terms: Sequence[tuple[bool, str]]) -> str:
        (minus, first), *rest = terms
        tail = "".join(f" {'−' if m else '+'} {term}" for m, term in rest)
        return f"{'−' if minus else ''}{first}{tail}"

    def product(self, factors: Sequence[str]) -> str:
        return " ".join(factors)

    def elementwise(self, factors: Sequence[str]) -> str:
        return " ⊙ ".join(factors)

    def quotient(self, top: Doc, bottom: Doc) -> str:
        return f"{self.at(top, Level.ELEMENTWISE)} / {self.at(bottom, Level.POSTFIX)}"

    def power(self, base: str, exponent: Doc) -> str:
        if isinstance(exponent, Number) and exponent.value == int(exponent.value):
            return base + str(int(exponent.value)).translate(_SUPERSCRIPTS)
        return f"{base}^{self.at(exponent, Level.ATOM)}"

    def root(self, body: str) -> str:
        return f"sqrt({body})"

    def transpose(self, base: str) -> str:
        return f"{base}ᵀ"

    def norm(self, body: str) -> str:
        return f"‖{body}‖"

    def magnitude(self, body: str) -> str:
        return f"abs({body})" if "|" in body else f"|{body}|"

    def apply(
        self, function: str, arguments: Sequence[str], keywords: Sequence[tuple[str, str]]
    ) -> str:
        inner = [*arguments, *(f"{key}={value}" if key else value for key, value in keywords)]
        return f"{_FUNCTIONS.get(function, function)}({', '.join(inner)})"

    def total(self, body: Doc, over: Sequence[str]) -> str:
        label = f"_{','.join(over)}" if over else ""
        return f"Σ{label}({self.draw(body)})"

    def indexed(self, base: str, letters: str) -> str:
        return f"{base}_{letters}" if letters else base

    def index_sum(self, letters: str, body: str) -> str:
        return f"Σ_{letters} {body}" if letters else body

    def subscript(self, base: str, items: Sequence[str]) -> str:
        return f"{base}[{', '.join(items)}]"

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"{left} {_SIGNS[sign]} {right}"

    def bracket(self, body: str) -> str:
        return f"[{body}]"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        return f"where({condition}, {then}, {otherwise})"

    def parentheses(self, body: str) -> str:
        return f"({body})"


TEXT = Text()
