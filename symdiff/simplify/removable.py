"""Removable singularities: (f(x) − f(0))/x and its slopes, where x is nearly 0.

The slope of expm1(x)/x is eˣ/x − expm1(x)/x², of which two powers of x cancel: half of the digits
are lost at 1e-4, all of them at 1e-8.  No form in elementary functions keeps them.  So near 0 such
sums are computed by their Taylor polynomials, and as they stand elsewhere (Higham 2002, section
1.14).  Done last, since a polynomial has no derivative as good as it is itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant, number_of
from symdiff.expr.views import expand_dims, is_view
from symdiff.simplify.parts import Product, Sum, as_like, opened_sum, product_of, sum_of
from symdiff.simplify.poles import pole_apart
from symdiff.simplify.series import TAYLOR, Series

_FEW, _MANY = 8, 30
_RADII = (0.5, 0.25, 0.1)
_LENGTH = 20
_CANDIDATES = 6
_SMALL = 1e-17


def removable(roots: Sequence[Node]) -> list[Node]:
    """The roots, with sums that cancel at a pole by their Taylor polynomials next to it."""
    made = list(roots)
    for variable in _variables(made):
        made = _Pass(variable).run(made)
    return made


@dataclass(frozen=True)
class Variable:
    """u = c · a · rest: what is expanded in, by way of its factor a; or u = c · a + b."""

    u: Node
    a: Node
    rest: Product
    offset: float = 0.0


def _variables(roots: Sequence[Node]) -> list[Variable]:
    """What functions are of, if something that vanishes with it may stand below a line."""
    order = toposort(roots)
    below = {x for n in order if n.op == "mul" for x, e in product_of(n).factors.items() if e < 0}
    if not below:
        return []
    found: dict[tuple[Node, Node], Variable] = {}
    for node in order:
        for u in _arguments(node):
            reached = set(toposort([u]))
            for made in _ways(u):
                if any(x in reached or _has(x, made.a) for x in below):
                    found.setdefault((made.u, made.a), made)
    return list(found.values())[:_CANDIDATES]


def _arguments(node: Node) -> list[Node]:
    """What a function is of, and the root of one plus something."""
    if node.op in TAYLOR:
        return list(node.inputs)
    if node.op != "mul":
        return []
    roots = [x for x, e in product_of(node).factors.items() if x.op == "add" and e % 1]
    return [Sum(sum_of(x).terms, 0.0).node(x) for x in roots if sum_of(x).constant > 0]


def _ways(u: Node) -> list[Variable]:
    """How a factor or the variable of an argument can stand for it."""
    total = sum_of(u)
    if total.constant and len(total.terms) == 1:
        ((a, c),) = total.terms.items()
        return [Variable(u, a, Product({}, c), total.constant)]
    product = product_of(u)
    bases = [x for x, e in product.factors.items() if e == 1]
    return [
        Variable(power_product(list(product.factors.items())), a, Product(rest.factors, 1.0))
        for a in sorted(bases, key=lambda x: (x.ndim, x.digest))
        for rest in [product.without(a)]
    ]


def _has(node: Node, wanted: Node) -> bool:
    return wanted in toposort([node])


Term = tuple[Product, Series]


def _one(n: int) -> tuple[Fraction, ...]:
    return Fraction(1), *(Fraction(0),) * (n - 1)


class _Pass:
    """One variable's singularities taken out of a graph."""

    def __init__(self, variable: Variable) -> None:
        self.variable = variable
        self.length = _FEW
        self.known: dict[Node, Term | None] = {}
        self.depends: dict[Node, bool] = {}

    def run(self, roots: Sequence[Node]) -> list[Node]:
        return [self.made(root) for root in roots]

    def depends_on(self, node: Node) -> bool:
        """Whether the variable stands in a node."""
        if node not in self.depends:
            for x in toposort([node]):
                own = x is self.variable.a or any(self.depends[y] for y in x.inputs)
                self.depends[x] = own
        return self.depends[node]

    def made(self, node: Node) -> Node:
        """The node with what cancels in it mended, outermost first."""
        memo: dict[Node, Node] = {}

        def walk(x: Node) -> Node:
            if x not in memo:
                whole = self.mended(x) if x.op in ("add", "mul") and self.depends_on(x) else None
                if whole is None:
                    inputs = [walk(y) for y in x.inputs]
                    same = all(a is b for a, b in zip(inputs, x.inputs, strict=True))
                    whole = x if same else rebuild(x, inputs)
                memo[x] = whole
            return memo[x]

        return walk(node)

    def mended(self, node: Node) -> Node | None:
        """The node where its Taylor polynomial is better next to 0; None where that is no use."""
        if node.op == "add":
            gathered = self.gathered(node)
            if gathered is not None:
                return gathered
        found = self.expanded(node)
        if found is not None or node.op != "add":
            return found
        return pole_apart(node, self.variable.u, self.term, self.expanded)

    def expanded(self, node: Node) -> Node | None:
        found = self.term(node)
        if found is None or not found[1].lost or not found[1].pole or found[1].valuation < 0:
            return None
        self.length, self.known = _MANY, {}
        found = self.term(node)
        self.length, self.known = _FEW, {}
        assert found is not None
        multiplier, series = found
        polynomial = self.polynomial(series, node.dtype)
        if polynomial is None:
            return None
        radius, near = polynomial
        whole = as_like(multiplier.times(near, 1.0).node(node), node)
        inside = scalar("lt", scalar("abs", self.variable.u), radius)
        return as_like(scalar("where", inside, whole, node), node)

    def polynomial(self, series: Series, dtype: str) -> tuple[float, Node] | None:
        """The radius within which few terms are enough, and the polynomial."""
        values = [float(c) for c in series.coefficients]
        for radius in _RADII:
            sizes = [abs(c) * radius**i for i, c in enumerate(values)]
            n = next((i for i in range(len(sizes)) if sum(sizes[i:]) <= _SMALL * sizes[0]), None)
            if n is None or n > _LENGTH:
                continue
            powers = [i for i in range(n) if values[i]]
            u = expand_dims(self.variable.u, (self.variable.u.ndim,))
            exponents = constant(np.array([float(series.valuation + i) for i in powers]), dtype)
            numbers = constant(np.array([values[i] for i in powers]), dtype)
            rank = u.ndim
            raised = scalar("pow", u, exponents)
            names = tuple(range(rank))
            return radius, contract([raised, numbers], [names, names[-1:]], names[:-1])
        return None

    def term(self, node: Node) -> Term | None:
        """(m, s) of a node that is m · s(u), with m free of the variable."""
        if node not in self.known:
            self.known[node] = self._term(node)
        return self.known[node]

    def _term(self, node: Node) -> Term | None:
        v = self.variable
        if not self.depends_on(node):
            value = number_of(node)
            one = Series(0, _one(self.length))
            if value is None:
                return Product({node: 1.0}, 1.0), one
            return (Product({}, 1.0), one.scaled(value)) if value else None
        if node is v.a:
            c = 1 / v.rest.coefficient
            first = Series(1, _one(self.length))
            if v.offset:
                shift = Series(0, _one(self.length)).scaled(-v.offset)
                return Product({}, 1.0), shift.plus(first).scaled(c)
            return Product({x: -e for x, e in v.rest.factors.items()}, 1.0), first.scaled(c)
        if node.op == "add":
            return self._sum(node)
        if node.op == "mul":
            return self._product(product_of(node))
        if node.op == "reciprocal_or_zero":
            return self._product(Product({node.inputs[0]: -1.0}, 1.0))
        if node.op in TAYLOR:
            inner = self.term(node.inputs[0])
            if inner is None or inner[0].factors:
                return None
            made = inner[1].into(TAYLOR[node.op](self.length + 1))
            return None if made is None else (inner[0], made)
        if node.op == "hypot":
            return self._root([self._square(x) for x in node.inputs])
        if is_view(node) and node.inputs[0].ndim == 0:
            return self.term(node.inputs[0])
        return None

    def _sum(self, node: Node) -> Term | None:
        total = sum_of(node)
        terms: list[Term | None] = []
        if total.constant:
            one = Series(0, _one(self.length)).scaled(total.constant)
            terms.append((Product({}, 1.0), one))
        for x, c in total.terms.items():
            found = self.term(x)
            terms.append(None if found is None else (found[0], found[1].scaled(c)))
        return _added(terms)

    def _square(self, x: Node) -> Term | None:
        found = self.term(x)
        raised = None if found is None else found[1].power(2)
        if found is None or raised is None:
            return None
        return Product({y: 2 * e for y, e in found[0].factors.items()}, 1.0), raised

    def _root(self, squares: list[Term | None]) -> Term | None:
        """The root of a sum, which is positive where it has no multiplier."""
        total = _added(squares)
        if total is None or total[0].factors or total[1].valuation:
            return None
        made = total[1].power(0.5)
        return None if made is None else (total[0], made)

    def _product(self, product: Product) -> Term | None:
        multiplier = Product({}, 1.0)
        series = Series(0, _one(self.length)).scaled(product.coefficient)
        for base, e in product.factors.items():
            found = self.term(base)
            raised = None if found is None else found[1].power(e)
            if found is None or raised is None or (e % 1 and found[0].factors):
                return None
            for x, k in found[0].factors.items():
                multiplier = multiplier.times(x, k * e)
            series = series.times(raised)
        return multiplier, series

    def gathered(self, node: Node) -> Node | None:
        """The sum with terms of one multiplier as one, sums over an axis among them."""
        total = opened_sum(node)
        pieces = [piece for x, c in total.terms.items() for piece in self.pieces(x, c)]
        groups: dict[object, list[_Piece]] = {}
        for piece in pieces:
            found = self.term(piece.inner)
            if found is not None and self.depends_on(piece.inner):
                key = frozenset(found[0].factors.items()), piece.shape, piece.inner.shape
                groups.setdefault(key, []).append(piece)
        for group in groups.values():
            if len(group) < 2 or (len(group) == len(total.terms) and group[0].shape is None):
                continue
            made = self.expanded(linear_combination([(p.inner, p.c) for p in group]))
            if made is None:
                continue
            terms = [(_summed(made, group[0].shape), 1.0)]
            terms += [(_summed(p.inner, p.shape), p.c) for p in pieces if p not in group]
            rest = linear_combination(terms[1:], total.constant, node.dtype)
            left = self.made(rest) if self.depends_on(rest) else rest
            return as_like(linear_combination([terms[0], (left, 1.0)]), node)
        return None

    def pieces(self, x: Node, c: float) -> list[_Piece]:
        """A term of a sum, taken apart further if it is a sum over axes, and holds the variable."""
        inner, shape = _integrand(x) if self.depends_on(x) else (x, None)
        product = product_of(inner)
        sums = [y for y, e in product.factors.items() if y.op == "add" and e == 1]
        if shape is None or not sums:
            return [_Piece(inner, shape, c)]
        total = sum_of(sums[0])
        rest = product.without(sums[0])
        terms = [(rest.times(y, 1.0), k) for y, k in total.terms.items()]
        terms += [(rest, total.constant)] if total.constant else []
        return [_Piece(as_like(p.bare(x.dtype), inner), shape, c * k) for p, k in terms]


def _added(terms: Sequence[Term | None]) -> Term | None:
    """The sum of terms of one multiplier."""
    whole: Term | None = None
    for own in terms:
        if own is None or (whole is not None and whole[0].factors != own[0].factors):
            return None
        whole = own if whole is None else (own[0], whole[1].plus(own[1]))
    return whole


@dataclass(frozen=True)
class _Piece:
    """c · f, or c Σ f over all axes of a shape."""

    inner: Node
    shape: object
    c: float


def _summed(inner: Node, shape: object) -> Node:
    return inner if shape is None else contract([inner], [range(inner.ndim)], [])


def _integrand(x: Node) -> tuple[Node, object]:
    """(f, its shape) of a scalar that is c Σ f over all axes; (x, None) of any other node."""
    product = product_of(x)
    sums = [y for y, e in product.factors.items() if e == 1 and y.op == "contract"]
    if x.ndim or len(sums) != 1 or is_view(sums[0]) or sums[0].attr("out"):
        return x, None
    (total,) = sums
    names = total.attr("indices")[0]
    shapes = {y.shape for y in total.inputs}
    if len(set(names)) < len(names) or len(shapes) > 1:
        return x, None
    if any(own != names for own in total.attr("indices")):
        return x, None
    whole = product.without(total)
    for y in total.inputs:
        own = product_of(y)
        whole = Product(whole.factors, whole.coefficient * own.coefficient)
        for base, e in own.factors.items():
            whole = whole.times(base, e)
    return as_like(whole.bare(x.dtype), total.inputs[0]), shapes.pop()
