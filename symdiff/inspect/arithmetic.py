"""Sums and products as people write them: signs in front, fractions, columns as diagonals."""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.node import Node
from symdiff.inspect.layout import (
    ONE,
    Apply,
    Doc,
    Name,
    Number,
    Quotient,
    Subscript,
    Sum,
    elementwise,
    negated,
    power,
    product,
    quotient,
    scaled,
    signed,
    tidy,
)
from symdiff.inspect.matrix import IDENTITY, spread
from symdiff.inspect.ordering import factor_key, term_key

Docs = Sequence[Doc]


def add(node: Node, inputs: Docs) -> Doc:
    """Positive terms first; sums inside the sum are part of it."""
    terms: list[tuple[bool, int, Doc]] = []
    for x, doc, c in zip(node.inputs, inputs, node.attr("coefficients"), strict=True):
        if abs(c) == 1 and isinstance(doc, Sum):
            terms += [(minus != (c < 0), x.ndim, term) for minus, term in doc.terms]
            continue
        top, bottom = _fraction(abs(c))
        term = quotient(scaled(() if top == ONE else (top,), doc), bottom)
        terms.append((c < 0, x.ndim, term))
    terms.sort(key=lambda term: (term[0], term_key(term[1], term[2])))
    constant = node.attr("constant")
    if constant:
        at = len(terms) if constant < 0 else sum(not minus for minus, _, _ in terms)
        terms.insert(at, (constant < 0, 0, quotient(*_fraction(abs(constant)))))
    return Sum(tuple((minus, term) for minus, _, term in terms))


def _fraction(c: float) -> tuple[Number, Doc]:
    """A number as top and bottom: 1/7 has no short decimal form, and reads better as / 7."""
    if 0 < c < 1 and len(repr(tidy(c))) > 9 and tidy(1 / c) == round(1 / c):
        return ONE, Number(tidy(1 / c))
    return Number(tidy(c)), ONE


def mul(node: Node, inputs: Docs) -> Doc:
    c = node.attr("coefficient")
    top_number, bottom_number = _fraction(abs(c))
    top: list[tuple[Node, Doc]] = []
    bottom: list[tuple[Node, Doc]] = []
    minus = c < 0
    for x, doc, e in zip(node.inputs, inputs, node.attr("exponents"), strict=True):
        negative, size = signed(doc)
        if negative and e == int(e):
            minus ^= bool(e % 2)
            doc = size
        if isinstance(doc, Quotient) and doc.top == ONE:
            doc, e = doc.bottom, -e
        (top if e > 0 else bottom).append((x, power(doc, abs(e))))
    front: list[Doc] = [] if top_number == ONE else [top_number]
    front += [doc for _, doc in _sorted(top) if not _.ndim]
    array = _array_product(node, _sorted(top))
    result = product(front) if array is None else scaled(front, array)
    arrays = [doc for x, doc in _sorted(bottom) if x.ndim]
    scalars: list[Doc] = [] if bottom_number == ONE else [bottom_number]
    scalars += [doc for x, doc in _sorted(bottom) if not x.ndim]
    if arrays:
        result = quotient(result, elementwise(arrays))
    result = quotient(result, product(scalars))
    return negated(result) if minus else result


def _sorted(factors: Sequence[tuple[Node, Doc]]) -> list[tuple[Node, Doc]]:
    return sorted(factors, key=lambda factor: factor_key(factor[1]))


def _array_product(node: Node, factors: Sequence[tuple[Node, Doc]]) -> Doc | None:
    """The elementwise product of the arrays; columns of a matrix scale its rows."""
    arrays = [(x, doc) for x, doc in factors if x.ndim]
    docs = [doc for _, doc in arrays]
    columns: list[Doc] = []
    rows: list[Doc] = []
    full: list[Doc] = []
    for x, doc in arrays:
        match doc:
            case Subscript(vector, (":", "None")) if node.ndim == 2:
                columns.append(vector)
            case _ if x.ndim == 1 and node.ndim == 2:
                rows.append(doc)
            case _ if x.shape == node.shape:
                full.append(doc)
    if not docs:
        return None
    if full == [IDENTITY] and len(docs) > 1 and len(columns) + len(rows) == len(docs) - 1:
        return Apply("diag", (elementwise([*columns, *rows]),))
    known = len(columns) + len(rows) + len(full) == len(docs)
    if len(full) == 1 and known and (rows or columns):
        spread_out = _with_identity(full[0], columns, rows)
        if spread_out is not None:
            return spread_out
    if not columns or not known or len(columns) == len(docs):
        return elementwise(docs)
    if not full:
        return spread(elementwise(columns), elementwise(rows), [])
    return spread(elementwise(columns), ONE, [elementwise([*full, *rows])])


def _with_identity(sum_: Doc, columns: list[Doc], rows: list[Doc]) -> Doc | None:
    """(I − c 1ᵀ) ⊙ 1 rᵀ is diag(r) − c rᵀ: the Jacobian of a softmax, as it is known."""
    if not isinstance(sum_, Sum) or all(term != IDENTITY for _, term in sum_.terms):
        return None
    terms: list[tuple[bool, Doc]] = []
    for minus, term in sum_.terms:
        match term:
            case Name("I"):
                terms.append((minus, Apply("diag", (elementwise([*columns, *rows]),))))
            case Subscript(vector, (":", "None")) if rows:
                columns_ = elementwise([vector, *columns])
                terms.append((minus, spread(columns_, elementwise(rows), [])))
            case _:
                return None
    return Sum(tuple(terms))
