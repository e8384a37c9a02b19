"""Quotients g(a) / (a − c) of what vanishes with a − c, where a is near c.

A Rényi divergence is log Σ pᵅ q¹⁻ᵅ / (α − 1): of its slopes nothing is left in float64 at
α = 1 + 1e-8, nor of a power mean's at an exponent of 1e-8.  But the quotient is the mean of g′
between c and a, ∫ g′(c + t (a − c)) dt over t from 0 to 1, which has no singularity, and
Gauss's rule gives that, and so its derivatives, to the last digit while g is small (Golub and
Welsch 1969).  That g vanishes is proved by the rules, with c for a.  What is of one variable
elementwise has Taylor polynomials instead (:mod:`symdiff.simplify.removable`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symdiff.calculus.batching import BATCHING, vmap
from symdiff.calculus.forward import jvp
from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves, rebuilt, substitute, toposort
from symdiff.expr.movement import reduction
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant, number_of
from symdiff.expr.views import is_view
from symdiff.simplify.parts import Product, as_like, opened_sum, product_of, sum_of
from symdiff.simplify.pipeline import ACCURATE, simplify
from symdiff.simplify.rewrite import Fact

_NODES = 16
_NEAR = 0.5
_NOTHING = 1e-14
_FEW = 8
_GATHERS = frozenset(("logsumexp", "softmax", "log_softmax", "prod", "max", "cumsum"))


@dataclass(frozen=True)
class Limit:
    """A condition under which the value is better computed another way, and that way."""

    near: Node
    value: Node
    facts: frozenset[Fact]


@dataclass(frozen=True)
class _Quotient:
    """A node that is g(a) / (k (a − c)), or e to the power of that."""

    node: Node
    a: Node
    c: float
    k: float
    g: Node
    power: bool


def limits(root: Node, made: Node) -> list[Limit]:
    """The limits next to which what is made of a graph, such as its slope, loses digits.

    Of what has no more the divisor that vanishes, none.
    """
    poles = _poles(made)
    order = toposort([root]) if poles else []
    groups: dict[tuple[Node, float], list[_Quotient]] = {}
    reached: dict[Node, _Reached] = {}
    for node in order:
        for found in _quotients(node):
            if (found.a, found.c) not in poles:
                continue
            if found.a not in reached:
                reached[found.a] = _Reached.of(found.a, order)
            if reached[found.a].matters(found):
                groups.setdefault((found.a, found.c), []).append(found)
    few = [group for group in groups.values() if len(group) <= _FEW][:_FEW]
    return [limit for group in few if (limit := _limit(root, group)) is not None]


def _poles(root: Node) -> set[tuple[Node, float]]:
    """(a, c) of all a − c that something is divided by."""
    return {
        (a, c)
        for node in toposort([root])
        if node.op == "mul"
        for base, e in product_of(node).factors.items()
        if e < 0
        for a, c, _, _ in _linear(base)
    }


@dataclass(frozen=True)
class _Reached:
    """What depends on a variable, and what of that has a sum over axes of it, or the like."""

    depends: set[Node]
    gathers: set[Node]

    @staticmethod
    def of(a: Node, order: Sequence[Node]) -> _Reached:
        """What depends on the variable among nodes in order."""
        depends, gathers = {a}, set()
        for x in order:
            if any(y in depends for y in x.inputs):
                depends.add(x)
                own = x.op in _GATHERS or (x.op == "contract" and not is_view(x))
                if own or any(y in gathers for y in x.inputs):
                    gathers.add(x)
        return _Reached(depends, gathers)

    def matters(self, found: _Quotient) -> bool:
        """Whether Taylor polynomials are no help; those are of what is elementwise."""
        if found.power:
            return found.node.inputs[0] in self.depends
        return found.node in self.gathers


def _quotients(node: Node) -> list[_Quotient]:
    power = node.op == "pow"
    if not power and node.op != "mul":
        return []
    product = product_of(node.inputs[1] if power else node)
    found = []
    for a, c, k, rest in _divided(product, node.dtype):
        g = power_product([(rest, 1.0), (scalar("log", node.inputs[0]), 1.0)]) if power else rest
        found.append(_Quotient(node, a, c, k, g, power))
    return found


def _divided(product: Product, dtype: str) -> list[tuple[Node, float, float, Node]]:
    """(a, c, k, r) for each way in which a product is r / (k (a − c))."""
    found = []
    for base, e in product.factors.items():
        rest = product.without(base)
        if e == -1:
            for a, c, k, other in _linear(base):
                left = rest if other is None else rest.times(other, -1.0)
                found.append((a, c, k, left.bare(dtype)))
        elif e == 1 and base.op == "add":  # (1 + 1/d) x = (d + 1) x / d
            total = sum_of(base)
            inverses = [product_of(term).factors.items() for term in total.terms]
            for below in dict.fromkeys(x for own in inverses for x, f in own if f == -1):
                terms = [
                    (product_of(t).times(below, 1.0).bare(dtype), f) for t, f in total.terms.items()
                ]
                whole = linear_combination([*terms, (below, total.constant)])
                found += [
                    (a, c, k, rest.times(whole, 1.0).bare(dtype))
                    for a, c, k, other in _linear(below)
                    if other is None
                ]
    return found


def _linear(base: Node) -> list[tuple[Node, float, float, Node | None]]:
    """(a, c, k, r) of k (a − c) r for a variable a that is one number, with another root in r."""
    total = sum_of(base)
    if len(total.terms) != 1:
        return []
    ((term, k),) = total.terms.items()
    (a, e), *more = product_of(term).factors.items()
    if more or a.op != "input" or a.ndim or e not in (1, 2):
        return []
    root = -total.constant / k
    if e == 1:
        return [(a, root, k, None)]
    if root <= 0:
        return []
    roots = (math.sqrt(root), -math.sqrt(root))
    return [(a, c, k, linear_combination([(a, 1.0)], c)) for c in roots]


def _limit(root: Node, group: Sequence[_Quotient]) -> Limit | None:
    facts: set[Fact] = set()
    kept = [each for each in group if _vanishes(each, facts)]
    if not kept:
        return None
    near = scalar("abs", linear_combination([(kept[0].a, 1.0)], -kept[0].c))
    for each in kept:
        near = scalar("maximum", near, _largest(each.g))
    means = {each.node: _mean(each) for each in kept}
    (value,) = substitute([root], means)
    return Limit(scalar("lt", near, _NEAR), value, frozenset(facts))


def _vanishes(each: _Quotient, facts: set[Fact]) -> bool:
    """Whether g is 0 at c, as the rules have it; adds the facts that they leaned on."""
    if any(x.inputs and x.op not in BATCHING for x in toposort([each.g])):
        return False

    def simple(node: Node) -> Node:
        found = simplify(node, phases=ACCURATE, contractions=False)
        leaned.update(found.assumptions)
        return found.root

    leaned: set[Fact] = set()
    there = substitute([each.g], {each.a: constant(each.c, each.a.dtype)})
    powers = simple(*rebuilt(there, _plain_power))
    sums = simple(*rebuilt([powers], lambda node: _plain_log(node, simple)))
    if not _is_nothing(sums):
        return False
    facts |= leaned
    return True


def _plain_power(node: Node) -> Node:
    """A power with a number for an exponent as a product."""
    e = number_of(node.inputs[1]) if node.op == "pow" else None
    return node if e is None else as_like(power_product([(node.inputs[0], e)]), node)


def _plain_log(node: Node, simple: Callable[[Node], Node]) -> Node:
    """logsumexp as the logarithm of the sum that it stands for."""
    if node.op != "logsumexp":
        return node
    (z,), axes = node.inputs, node.attr("axes")
    total = opened_sum(z)
    product = Product({}, math.exp(total.constant))
    for x, c in total.terms.items():
        if x.op == "log":
            inner = product_of(x.inputs[0])
            product = Product(product.factors, product.coefficient * inner.coefficient**c)
            for base, e in inner.factors.items():
                product = product.times(base, e * c)
        elif x.op == "log_softmax":
            product = product.times(reduction("softmax", x.inputs[0], x.attr("axes")), c)
        else:
            product = product.times(scalar("exp", power_product([(x, 1.0)], c)), 1.0)
    kept = [axis for axis in range(z.ndim) if axis not in axes]
    whole = contract([product.node(z)], [range(z.ndim)], kept)
    return scalar("log", simple(whole))


def _is_nothing(node: Node) -> bool:
    """Whether a node without variables is 0, but for the rounding of numbers such as log 2."""
    if leaves([node], "input") or leaves([node], "parameter"):
        return False
    return bool(np.all(np.abs(evaluate(node, {})) <= _NOTHING))


def _largest(g: Node) -> Node:
    size = scalar("abs", g)
    return reduction("max", size, tuple(range(g.ndim))) if g.ndim else size


def _mean(each: _Quotient) -> Node:
    """The quotient as a mean of slopes, by Gauss's rule."""
    a, c = each.a, each.c
    slope = simplify(jvp(each.g, a, 1.0), phases=ACCURATE, contractions=False).root
    places, weights = np.polynomial.legendre.leggauss(_NODES)
    t = constant((places + 1) / 2, a.dtype)
    between = linear_combination([(power_product([(t, 1.0), (a, 1.0)]), 1.0), (t, -c)], c)
    (slopes,) = vmap([slope], {a: between})
    names = tuple(range(slopes.ndim))
    whole = contract([constant(weights / 2, a.dtype), slopes], [names[:1], names], names[1:])
    mean = power_product([(whole, 1.0)], 1 / each.k)
    return as_like(scalar("exp", mean) if each.power else mean, each.node)
