"""Sums and products taken apart: their terms and factors as maps, and where their axes stand.

Rules see ``add`` and ``mul`` nodes through these, so that none depends on the order, the scale,
the nesting or the broadcasting in which a formula was written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.graph import rebuild
from symdiff.expr.near import MOVEMENT
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, number_of
from symdiff.expr.records import record
from symdiff.expr.views import broadcast_to, is_view, rewrap


def as_like(node: Node, like: Node) -> Node:
    """The node broadcast and cast to the shape and dtype of the one that it replaces."""
    return cast(broadcast_to(node, like.shape), like.dtype)


@record(frozen=True, slots=True)
class Sum:
    """``constant + Σ coefficient · node``."""

    terms: dict[Node, float]
    constant: float

    def node(self, like: Node) -> Node:
        """The sum as a node of the shape and dtype of another."""
        return as_like(linear_combination(list(self.terms.items()), self.constant), like)

    def without(self, *drop: Node) -> Sum:
        """The sum with some terms left out."""
        return Sum({x: c for x, c in self.terms.items() if x not in drop}, self.constant)

    def plus(self, node: Node, coefficient: float) -> Sum:
        """The sum with a term added."""
        terms = dict(self.terms)
        terms[node] = terms.get(node, 0.0) + coefficient
        return Sum(terms, self.constant)

    def minus(self, other: Sum, c: float) -> Sum | None:
        """The sum less ``c · other``, where that leaves fewer terms and makes no new ones."""
        terms = dict(self.terms)
        for x, k in other.terms.items():
            if not _same(terms.pop(x, 0.0), c * k):
                return None
        if not other.terms:
            return None
        return Sum(terms, self.constant - c * other.constant)


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-12 * abs(b)


@lru_cache(maxsize=1024)  # rules ask it of one node in turn
def sum_of(node: Node) -> Sum:
    """Any node as a sum: of one that is no sum, itself, or the multiple that it is."""
    value = number_of(node)
    if value is not None:
        return Sum({}, value)
    core = node.inputs[0] if is_view(node) else node
    if core.op == "add":
        pairs = list(zip(core.inputs, core.attr("coefficients"), strict=True))
        if core is node:
            return Sum(dict(pairs), core.attr("constant"))
        if all(x.shape == core.shape for x in core.inputs):
            return Sum({rewrap(node, x): c for x, c in pairs}, core.attr("constant"))
    if core.op == "mul" and core.attr("coefficient") != 1:
        number = core.attr("coefficient")
        rest = power_product(list(zip(core.inputs, core.attr("exponents"), strict=True)))
        inner = sum_of(rest if core is node else rewrap(node, rest))
        return Sum({x: number * c for x, c in inner.terms.items()}, number * inner.constant)
    return Sum({node: 1.0}, 0.0)


def opened_sum(node: Node) -> Sum:
    """A sum with the sums among its terms taken in, two levels deep."""
    total = sum_of(node)
    for _ in range(2):
        terms: dict[Node, float] = {}
        constant = total.constant
        for x, c in total.terms.items():
            inner = sum_of(x)
            constant += c * inner.constant
            for base, k in inner.terms.items():
                terms[base] = terms.get(base, 0.0) + c * k
        total = Sum({x: c for x, c in terms.items() if c}, constant)
    return total


@record(frozen=True, slots=True)
class Product:
    """``coefficient · Π base ** exponent``."""

    factors: dict[Node, float]
    coefficient: float

    def node(self, like: Node) -> Node:
        """The product as a node of the shape and dtype of another."""
        return as_like(power_product(list(self.factors.items()), self.coefficient), like)

    def bare(self, dtype: str) -> Node:
        """The product as a node of its own shape."""
        return cast(power_product(list(self.factors.items()), self.coefficient), dtype)

    def times(self, base: Node, exponent: float) -> Product:
        """The product with one more factor, or with the exponent of one changed."""
        factors = dict(self.factors)
        total = factors.get(base, 0.0) + exponent
        factors[base] = total
        if total == 0:
            del factors[base]
        return Product(factors, self.coefficient)

    def without(self, *drop: Node) -> Product:
        """The product with some bases left out."""
        return Product({x: e for x, e in self.factors.items() if x not in drop}, self.coefficient)


@lru_cache(maxsize=1024)
def product_of(node: Node) -> Product:
    """Any node as a product: of one that is no product, itself."""
    if node.op == "mul":
        pairs = zip(node.inputs, node.attr("exponents"), strict=True)
        return Product(dict(pairs), node.attr("coefficient"))
    return Product({node: 1.0}, 1.0)


def multiplied(factors: Mapping[Node, float]) -> int:
    """How many calls a product takes and one more: one a factor, and those for its power."""
    return sum(_POWERS.get(abs(e), 2) for e in factors.values())


#: As many calls as powers take, and one more to multiply: x³ = x x x, x⁴ = (x x)².
_POWERS = {1.0: 1, 2.0: 2, 3.0: 3, 4.0: 3, 1.5: 3}


def is_square(product: Product) -> bool:
    """Whether a product of several factors is a square: whose sum is that of a norm."""
    return len(product.factors) > 1 and all(e % 2 == 0 for e in product.factors.values())


def common_exponent(e: float, f: float, base: Node) -> float:
    """The power to which two factors, with positive exponents, can be taken together.

    Where the base may be negative it is a whole number: (a b)^½ = a^½ b^½ needs a, b ≥ 0.
    """
    k = min(e, f)
    return k if base.facts.nonnegative else float(math.floor(k))


def opened(node: Node, wanted: Callable[[Node], bool]) -> Product:
    """The product with those products among its factors multiplied out that hold a wanted base.

    So a rule sees ``w * exp(z)`` inside ``(w * exp(z)) / s`` even where other nodes read it.
    """
    product = product_of(node)
    for base, e in list(product.factors.items()):
        core = base.inputs[0] if is_view(base) else base
        if core.op != "mul" or e != int(e) or not any(wanted(x) for x in core.inputs):
            continue
        if core is not base and any(x.shape != core.shape for x in core.inputs):
            continue
        product = product.without(base)
        for x, p in zip(core.inputs, core.attr("exponents"), strict=True):
            product = product.times(x if core is base else rewrap(base, x), e * p)
        product = Product(product.factors, product.coefficient * core.attr("coefficient") ** e)
    return product


def common_factors(a: Product, b: Product) -> dict[Node, float]:
    """The factors that both products have with one exponent."""
    return {x: e for x, e in a.factors.items() if b.factors.get(x) == e}


Places = tuple["int | None", ...]


def place(x: Node, rank: int) -> tuple[Node, Places]:
    """An operand of an elementwise node as (core, the axis of the result for each axis of core).

    Views are looked through; None stands for axes of size 1 that a view dropped.  A diagonal is
    its own core.
    """
    if is_view(x):
        (names,), out = x.attr("indices"), x.attr("out")
        if len(set(names)) == len(names):
            at = {name: axis + rank - x.ndim for axis, name in enumerate(out)}
            return x.inputs[0], tuple(at.get(name) for name in names)
    return x, tuple(range(rank - x.ndim, rank))


def moves(node: Node) -> bool:
    """Whether the node only arranges or picks elements of its first input."""
    return node.op in MOVEMENT or is_view(node)


def moved_again(node: Node, moved: Iterable[Node]) -> Node:
    """Movements, given outermost first, applied to another node of the shape of the innermost's."""
    for movement in reversed(list(moved)):
        if is_view(movement):
            node = rewrap(movement, node)
        else:
            node = rebuild(movement, [node, *movement.inputs[1:]])
    return node


def below_movement(node: Node) -> tuple[Node, list[Node]]:
    """What indexing, reshaping and views are applied to, and they themselves, outermost first."""
    moved: list[Node] = []
    while moves(node):
        moved.append(node)
        node = node.inputs[0]
    return node, moved


def find_below(x: Node, rank: int, target: Node, through: str) -> tuple[Places, list[Node]] | None:
    """Where the target's axes stand in an operand that is a movement of ``through(target)``.

    Movements may stand on either side of the elementwise function (none for "").  None stands for
    axes that are not whole any more.  Gives the places and the movements.
    """
    places: Places = tuple(axis + rank - x.ndim for axis in range(x.ndim))
    moved: list[Node] = []
    passed = not through
    while x is not target or not passed:
        if x.op == through and not passed:
            passed = True
        elif moves(x):
            moved.append(x)
            places = tuple(None if a is None else places[a] for a in _whole_axes(x))
        else:
            return None
        x = x.inputs[0]
    return places, moved


def _whole_axes(movement: Node) -> Places:
    """For each axis of a movement's operand, the axis of the result that it is; None if touched."""
    x = movement.inputs[0]
    if is_view(movement):
        (names,), out = movement.attr("indices"), movement.attr("out")
        return tuple(out.index(n) if n in out and names.count(n) == 1 else None for n in names)
    if movement.op == "slice":
        same = [a == b for a, b in zip(x.shape, movement.shape, strict=True)]
        return tuple(axis if same[axis] else None for axis in range(x.ndim))
    if movement.op == "flip":
        return tuple(None if a in movement.attr("axes") else a for a in range(x.ndim))
    if movement.op == "take":
        batch = movement.attr("batch")
        grown = movement.ndim - x.ndim
        return tuple(a if a < batch else None if a == batch else a + grown for a in range(x.ndim))
    pairs = list(enumerate(zip(x.shape, movement.shape, strict=False)))  # a reshape
    differ = next((a for a, (m, n) in pairs if m != n), len(pairs))
    return tuple(a if a < differ else None for a in range(x.ndim))


def viewed_as(x: Node, core: Node) -> Node:
    """Another core of the same shape in the place of the operand ``x``'s."""
    return rewrap(x, core) if is_view(x) and core.shape == x.inputs[0].shape else core


def core_of(x: Node) -> Node:
    """The operand of a view that is no diagonal; any other node itself."""
    return place(x, x.ndim)[0] if x.is_view else x


def is_constant_along(x: Node, axes: Iterable[int], rank: int) -> bool:
    """Whether an operand of an elementwise node of that rank repeats itself along the axes."""
    offset = rank - x.ndim
    return all(axis < offset or x.shape[axis - offset] == 1 for axis in axes)
