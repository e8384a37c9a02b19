"""Patterns that look like expressions.

A pattern is a node, built by the same constructors as any formula and so in the same normal form,
whose wildcards are leaves::

    w = wild("w")
    Pattern(1 / (1 + exp(w)))       # matches c / (k + k*exp(anything))**n within any product

A sum matches within a sum of more terms, at any scale; a product within a product of more factors,
at any positive power; numbers must agree exactly in ratio.  Any other operation matches the same
operation, and is seen through transposes, reshapes and indexing, since ``f(xᵀ) = f(x)ᵀ``.
Minus a wildcard matches anything, and binds the wildcard to its negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.graph import leaves, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import as_like, below_movement, moved_again, moves
from symdiff.simplify.rewrite import Context, Floats, Rewrite, Rule

Bindings = dict[str, Node]


def wild(name: str) -> Node:
    """A leaf that stands for any node; one name stands for one node throughout a pattern."""
    return Node.make("input", name="?" + name, shape=(), dtype="float64", declared=())


def is_wild(node: Node) -> bool:
    """Whether the node is a wildcard."""
    return node.op == "input" and str(node.attr("name")).startswith("?")


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern stands in a node: node = scale · pattern ** power  (+ or ·)  the rest.

    For a sum the rest are its other terms and their number, for a product the other factors and
    the coefficient; ``power`` is 1 except for products, ``scale`` 1 except for sums.
    """

    bindings: Bindings
    scale: float
    power: float
    rest: tuple[tuple[Node, float], ...]
    number: float


def matches(pattern: Node, node: Node) -> Iterator[Match]:
    """The places where the pattern stands at the root of the node."""
    if pattern.op == "add" and node.op == "add":
        yield from _in_sum(pattern, node)
    elif pattern.op == "mul" and node.op == "mul":
        yield from _in_product(pattern, node)
    else:
        for bindings in _bind(pattern, node, {}):
            yield Match(bindings, 1.0, 1.0, (), 0.0)


def _in_sum(pattern: Node, node: Node) -> Iterator[Match]:
    wanted = list(zip(pattern.inputs, pattern.attr("coefficients"), strict=True))
    have = list(zip(node.inputs, node.attr("coefficients"), strict=True))
    constant = pattern.attr("constant")
    for scale in dict.fromkeys(c / wanted[0][1] for _, c in have):
        if constant and node.attr("constant") != scale * constant:
            continue
        number = 0.0 if constant else node.attr("constant")
        scaled = [(x, scale * c) for x, c in wanted]
        for bindings, rest in _assign(scaled, have, {}):
            yield Match(bindings, scale, 1.0, rest, number)


def _in_product(pattern: Node, node: Node) -> Iterator[Match]:
    wanted = list(zip(pattern.inputs, pattern.attr("exponents"), strict=True))
    have = list(zip(node.inputs, node.attr("exponents"), strict=True))
    for power in dict.fromkeys(e / wanted[0][1] for _, e in have):
        if power <= 0:
            continue
        number = node.attr("coefficient") / pattern.attr("coefficient") ** power
        scaled = [(x, power * e) for x, e in wanted]
        for bindings, rest in _assign(scaled, have, {}):
            yield Match(bindings, 1.0, power, rest, number)


Pairs = list[tuple[Node, float]]


def _assign(
    wanted: Pairs, have: Pairs, bound: Bindings
) -> Iterator[tuple[Bindings, tuple[tuple[Node, float], ...]]]:
    """Ways to find each wanted (pattern, number) among the pairs; what is left over.

    Patterns are small, so that recursion over their terms is shallow.
    """
    if not wanted:
        yield bound, tuple(have)
        return
    (pattern, number), *others = wanted
    for i, (x, own) in enumerate(have):
        if own == number:
            for bindings in _bind(pattern, x, bound):
                yield from _assign(others, have[:i] + have[i + 1 :], bindings)


def _bind(pattern: Node, node: Node, bound: Bindings) -> Iterator[Bindings]:
    """Ways to bind the pattern's wildcards so that it is the whole of the node."""
    if is_wild(pattern):
        name = str(pattern.attr("name"))[1:]
        if bound.get(name, node) is node:
            yield {**bound, name: node}
        return
    value = number_of(pattern)
    if value is not None:
        if number_of(node) == value:
            yield bound
        return
    if pattern.op == "mul" and pattern.attr("coefficient") == -1 and is_wild(pattern.inputs[0]):
        yield from _bind(pattern.inputs[0], power_product([(node, 1.0)], -1.0), bound)
        return
    core, inputs = node, list(node.inputs)
    if moves(node) and OPS[pattern.op].elementwise:
        core, moved = below_movement(node)
        if core.op != pattern.op or any(x.shape != core.shape for x in core.inputs):
            return
        inputs = [moved_again(x, moved) for x in core.inputs]
    if core.op != pattern.op or len(inputs) != len(pattern.inputs):
        return
    if pattern.op in ("add", "mul"):
        key, number = (
            ("coefficients", "constant") if pattern.op == "add" else ("exponents", "coefficient")
        )
        if pattern.attr(number) != core.attr(number):
            return
        wanted = list(zip(pattern.inputs, pattern.attr(key), strict=True))
        have = list(zip(inputs, core.attr(key), strict=True))
        for bindings, _ in _assign(wanted, have, bound):
            yield bindings
    elif pattern.attributes == core.attributes:
        ways: list[Bindings] = [bound]
        for part, x in zip(pattern.inputs, inputs, strict=True):
            ways = [found for way in ways for found in _bind(part, x, way)]
        yield from ways


def pattern_rule(
    name: str,
    law: str,
    floats: Floats,
    pattern: Node,
    build: Callable[..., Node],
    yields_to: tuple[Rule, ...] = (),
) -> Rule:
    """A rule that replaces a pattern; ``build`` gets the wildcards by name."""
    names = [str(leaf.attr("name"))[1:] for leaf in leaves([pattern]) if is_wild(leaf)]

    def apply(node: Node, context: Context) -> Rewrite | None:
        for match in matches(pattern, node):
            pieces = {key: match.bindings[key] for key in names}
            return Rewrite(_put(match, node, build(**pieces)), pieces)
        return None

    ops = {x.op for x in toposort([pattern]) if OPS[x.op].elementwise} - {"add", "mul", "cast"}
    needs = tuple(sorted(ops - {pattern.op}))
    return Rule(name, law, floats, (pattern.op,), apply, yields_to=yields_to, needs=needs)


def _put(match: Match, node: Node, new: Node) -> Node:
    if node.op == "add":
        whole = linear_combination([(new, match.scale), *match.rest], match.number)
    elif node.op == "mul":
        whole = power_product([(new, match.power), *match.rest], match.number)
    else:
        whole = new
    return as_like(whole, node)
