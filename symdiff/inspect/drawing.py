"""What text and LaTeX share: the walk over a document, and where parentheses stand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from symdiff.inspect.layout import (
    Apply,
    Cases,
    Doc,
    Elementwise,
    IndexSum,
    Level,
    Literal,
    Magnitude,
    Name,
    Norm,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Relation,
    Root,
    Subscript,
    Sum,
    Total,
    Transpose,
)


class Drawing(ABC):
    """Draws documents as strings; a subclass says how each form looks, given its drawn parts."""

    def draw(self, doc: Doc) -> str:
        """The document as a string."""
        match doc:
            case Name(text):
                return self.name(text)
            case Partial(of, by, order):
                return self.partial(of, by, order)
            case Number(value):
                return self.number(value)
            case Literal(rows):
                return self.literal([self.draw(row) for row in rows])
            case Sum(terms):
                return self.sum([(minus, self.at(t, Level.ELEMENTWISE)) for minus, t in terms])
            case Product(factors):
                return self.product([self.at(f, Level.POSTFIX) for f in factors])
            case Elementwise(factors):
                return self.elementwise([self._array_factor(f) for f in factors])
            case Quotient(top, bottom):
                return self.quotient(top, bottom)
            case Power(base, exponent):
                return self.power(self.at(base, Level.ATOM), exponent)
            case Root(body):
                return self.root(self.draw(body))
            case Transpose(base):
                return self.transpose(self.at(base, Level.ATOM))
            case Norm(body):
                return self.norm(self.draw(body))
            case Magnitude(body):
                return self.magnitude(self.draw(body))
            case Apply(function, arguments, keywords):
                return self.apply(function, [self.argument(a) for a in arguments], keywords)
            case Total(body, over):
                return self.total(body, over)
            case IndexSum(letters, factors):
                parts = [self.indexed(self.at(f, Level.ATOM), own) for f, own in factors]
                return self.index_sum(letters, self.product(parts))
            case Subscript(base, items):
                drawn = [item if isinstance(item, str) else self.draw(item) for item in items]
                return self.subscript(self.at(base, Level.ATOM), drawn)
            case Relation():
                return self.bracket(self.argument(doc))
            case Cases(condition, then, otherwise):
                parts = [self.argument(part) for part in (condition, then, otherwise)]
                return self.cases(*parts)

    def argument(self, doc: Doc) -> str:
        """A comparison without its brackets; anything else as it is drawn."""
        if isinstance(doc, Relation):
            left, right = self.at(doc.left, Level.SUM), self.at(doc.right, Level.SUM)
            return self.relation(left, doc.sign, right)
        return self.draw(doc)

    def level(self, doc: Doc) -> Level:
        """How tightly the drawn form binds."""
        match doc:
            case Sum() | IndexSum():
                return Level.SUM
            case Elementwise() | Quotient():
                return Level.ELEMENTWISE
            case Product(_, matrix):
                return Level.MATRIX if matrix else Level.PRODUCT
            case Power() | Transpose() | Partial():
                return Level.POSTFIX
            case _:
                return Level.ATOM

    def at(self, doc: Doc, level: Level) -> str:
        """The drawn form, in parentheses if it binds more loosely than ``level``."""
        drawn = self.draw(doc)
        return drawn if self.level(doc) >= level else self.parentheses(drawn)

    def _array_factor(self, doc: Doc) -> str:
        return self.at(doc, Level.PRODUCT)

    @abstractmethod
    def name(self, text: str) -> str: ...

    @abstractmethod
    def partial(self, of: str, by: str, order: int) -> str: ...

    @abstractmethod
    def number(self, value: float) -> str: ...

    @abstractmethod
    def literal(self, rows: Sequence[str]) -> str: ...

    @abstractmethod
    def sum(self, terms: Sequence[tuple[bool, str]]) -> str: ...

    @abstractmethod
    def product(self, factors: Sequence[str]) -> str: ...

    @abstractmethod
    def elementwise(self, factors: Sequence[str]) -> str: ...

    @abstractmethod
    def quotient(self, top: Doc, bottom: Doc) -> str: ...

    @abstractmethod
    def power(self, base: str, exponent: Doc) -> str: ...

    @abstractmethod
    def root(self, body: str) -> str: ...

    @abstractmethod
    def transpose(self, base: str) -> str: ...

    @abstractmethod
    def norm(self, body: str) -> str: ...

    @abstractmethod
    def magnitude(self, body: str) -> str: ...

    @abstractmethod
    def apply(
        self, function: str, arguments: Sequence[str], keywords: Sequence[tuple[str, str]]
    ) -> str: ...

    @abstractmethod
    def total(self, body: Doc, over: Sequence[str]) -> str: ...

    @abstractmethod
    def indexed(self, base: str, letters: str) -> str: ...

    @abstractmethod
    def index_sum(self, letters: str, body: str) -> str: ...

    @abstractmethod
    def subscript(self, base: str, items: Sequence[str]) -> str: ...

    @abstractmethod
    def relation(self, left: str, sign: str, right: str) -> str: ...

    @abstractmethod
    def bracket(self, body: str) -> str: ...

    @abstractmethod
    def cases(self, condition: str, then: str, otherwise: str) -> str: ...

    @abstractmethod
    def parentheses(self, body: str) -> str: ...
