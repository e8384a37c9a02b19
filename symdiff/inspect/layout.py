"""The document tree between a graph and its printed form.

What is written (a matrix product, a quotient, a sum over an axis) is decided once, when the tree is
made; text and LaTeX are two ways to draw it.  Trees are small: whatever is long or shared gets a
name (:mod:`symdiff.inspect.naming`), so that drawing them may recurse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias


class Level(IntEnum):
    """How tightly a form binds, loosest first."""

    SUM = 1
    ELEMENTWISE = 2  # ⊙ and /
    MATRIX = 3  # products of matrices stand in parentheses beside ⊙
    PRODUCT = 4
    POSTFIX = 5  # powers, transposes
    ATOM = 6


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or a named intermediate result."""

    text: str


@dataclass(frozen=True, slots=True)
class Partial:
    """The name ∂of/∂by; of order 2, ∂²of/∂by²."""

    of: str
    by: str
    order: int = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, not negative."""

    value: float


@dataclass(frozen=True, slots=True)
class Literal:
    """An array of numbers written out."""

    rows: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms, each with whether it is subtracted."""

    terms: tuple[tuple[bool, Doc], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors side by side, the first ``scalars`` of them 0-d; a matrix product if ``matrix``."""

    factors: tuple[Doc, ...]
    matrix: bool = False
    scalars: int = 0


@dataclass(frozen=True, slots=True)
class Elementwise:
    """Arrays multiplied element by element."""

    factors: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """A division, element by element."""

    top: Doc
    bottom: Doc


@dataclass(frozen=True, slots=True)
class Power:
    """base ** exponent, element by element."""

    base: Doc
    exponent: Doc


@dataclass(frozen=True, slots=True)
class Root:
    """The square root."""

    body: Doc


@dataclass(frozen=True, slots=True)
class Transpose:
    """The matrix transposed."""

    base: Doc


@dataclass(frozen=True, slots=True)
class Norm:
    """The Euclidean norm of all elements."""

    body: Doc


@dataclass(frozen=True, slots=True)
class Magnitude:
    """The absolute value of each element."""

    body: Doc


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of arguments; keywords hold plain text."""

    function: str
    arguments: tuple[Doc, ...]
    keywords: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """The sum over axes: of all elements where ``over`` is empty."""

    body: Doc
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexSum:
    """A product of indexed factors, summed over ``letters``."""

    letters: str
    factors: tuple[tuple[Doc, str], ...]


@dataclass(frozen=True, slots=True)
class Subscript:
    """NumPy's indexing; items are plain text or documents."""

    base: Doc
    items: tuple[Doc | str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A comparison: 1 where it holds, else 0."""

    left: Doc
    sign: str
    right: Doc


@dataclass(frozen=True, slots=True)
class Cases:
    """``then`` where the condition holds, else ``otherwise``."""

    condition: Doc
    then: Doc
    otherwise: Doc


Doc: TypeAlias = (
    Name
    | Partial
    | Number
    | Literal
    | Sum
    | Product
    | Elementwise
    | Quotient
    | Power
    | Root
    | Transpose
    | Norm
    | Magnitude
    | Apply
    | Total
    | IndexSum
    | Subscript
    | Relation
    | Cases
)

ONE = Number(1.0)


def tidy(value: float) -> float:
    """The number without the rounding noise of its last digit: 0.1 + 0.2 reads 0.3."""
    short = f"{value:.15g}"
    return float(short) if len(short) < len(repr(value)) - 3 else value


def negated(doc: Doc) -> Doc:
    """−doc."""
    if isinstance(doc, Sum):
        return Sum(tuple((not minus, term) for minus, term in doc.terms))
    return Sum(((True, doc),))


def signed(doc: Doc) -> tuple[bool, Doc]:
    """The sign of a document that is one negative term, and its size."""
    if isinstance(doc, Sum) and len(doc.terms) == 1:
        return doc.terms[0]
    return False, doc


def chain(factors: Iterable[Doc]) -> Doc:
    """A product of matrices; products inside it are part of it, with their scalars in front."""
    scalars: list[Doc] = []
    matrices: list[Doc] = []
    for factor in factors:
        if isinstance(factor, Product):
            scalars += factor.factors[: factor.scalars]
            matrices += factor.factors[factor.scalars :]
        elif factor != ONE:
            matrices.append(factor)
    return scaled(scalars, _joined(matrices, True))


def _joined(factors: Sequence[Doc], matrix: bool) -> Doc:
    if not factors:
        return ONE
    scalars = 0 if matrix else len(factors)
    return factors[0] if len(factors) == 1 else Product(tuple(factors), matrix, scalars)


def product(factors: Iterable[Doc]) -> Doc:
    """A product of 0-d factors, products inside it flattened; one uᵀ v may stand at its end."""
    scalars: list[Doc] = []
    matrices: list[Doc] = []
    for factor in factors:
        if isinstance(factor, Product) and factor.matrix:
            matrices.append(factor)
        elif isinstance(factor, Product):
            scalars += factor.factors
        elif factor != ONE:
            scalars.append(factor)
    if len(matrices) == 1:
        return scaled(scalars, matrices[0])
    return _joined([*scalars, *matrices], False)


def elementwise(factors: Iterable[Doc]) -> Doc:
    """Arrays multiplied element by element; the same one twice is a square."""
    flat: list[Doc] = []
    for factor in factors:
        parts = factor.factors if isinstance(factor, Elementwise) else (factor,)
        flat += [part for part in parts if part != ONE]
    powers = [f if n == 1 else Power(f, Number(float(n))) for f, n in Counter(flat).items()]
    if not powers:
        return ONE
    return powers[0] if len(powers) == 1 else Elementwise(tuple(powers))


def scaled(scalars: Iterable[Doc], array: Doc) -> Doc:
    """0-d factors in front of an array, inside a quotient's top and before the first of ⊙."""
    front: tuple[Doc, ...] = ()
    for scalar in scalars:
        is_plain = isinstance(scalar, Product) and not scalar.matrix
        front += scalar.factors if isinstance(scalar, Product) and is_plain else (scalar,)
    if not front:
        return array
    if array == ONE:
        return product(front)
    if isinstance(array, Quotient):
        return Quotient(scaled(front, array.top), array.bottom)
    if isinstance(array, Elementwise) and not _is_matrix(array.factors[0]):
        return Elementwise((scaled(front, array.factors[0]), *array.factors[1:]))
    if not isinstance(array, Product):
        return Product((*front, array), False, len(front))
    return Product((*front, *array.factors), array.matrix, len(front) + array.scalars)


def _is_matrix(doc: Doc) -> bool:
    return isinstance(doc, Product) and doc.matrix


def quotient(top: Doc, bottom: Doc) -> Doc:
    """top / bottom."""
    return top if bottom == ONE else Quotient(top, bottom)


def power(base: Doc, exponent: float) -> Doc:
    """base ** exponent for a positive number."""
    match base:
        case Power(Norm() as norm, Number(inner)):  # never negative: (‖x‖²)^½ is ‖x‖
            base, exponent = norm, inner * exponent
    if exponent == 1:
        return base
    if exponent == 0.5:
        return Root(base)
    return Power(base, Number(exponent))


def transpose(doc: Doc) -> Doc:
    """The matrix transposed: of a product the reversed one, where that has fewer marks."""
    if isinstance(doc, Transpose):
        return doc.base
    if doc == Name("I") or (isinstance(doc, Apply) and doc.function == "diag"):
        return doc
    if isinstance(doc, Product) and doc.matrix:
        front, matrices = doc.factors[: doc.scalars], doc.factors[doc.scalars :]
        if len(matrices) - marks(doc) <= marks(doc) + 1:
            turned = tuple(transpose(factor) for factor in reversed(matrices))
            return Product((*front, *turned), True, doc.scalars)
    return Transpose(doc)


def marks(doc: Doc) -> int:
    """How many factors of a product are transposed."""
    factors = doc.factors if isinstance(doc, Product) else (doc,)
    return sum(isinstance(factor, Transpose) for factor in factors)
