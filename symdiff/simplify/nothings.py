"""Quotients that are 0/0 in float64 where what they are the slope of is constant.

x⁰ is 1 for every x, so that the slope t xᵗ⁻¹ of a power, and t/x of its logarithm, is 0 wherever t
is, at x = 0 as well: a likelihood pʸ (1 − p)¹⁻ʸ has a slope at p = y = 1.  So has y log p of a
label y, which speaks of p only where y is 1; that is a last step, since there alone nothing that
the choice would hide is to be found any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symdiff.expr.algebra import scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuilt, toposort
from symdiff.expr.node import Node
from symdiff.simplify.parts import Product, as_like, opened, product_of, sum_of
from symdiff.simplify.rewrite import Fact

Power = tuple[Node, Node]


def powers_of(root: Node, became: Mapping[Node, Node] | None = None) -> list[Power]:
    """(x, t) of the powers xᵗ in a graph of which both may be 0, as what these became."""
    pairs = [(x.inputs[0], x.inputs[1]) for x in toposort([root]) if x.op == "pow"]
    if became is not None:
        pairs = [(became.get(x, x), became.get(t, t)) for x, t in pairs]
    return [(x, t) for x, t in pairs if not (x.facts.nonzero or t.facts.nonzero)]


def slopes_of_powers(root: Node, powers: Iterable[Power]) -> Node:
    """The slope of a graph with such powers, with t/x and t xᵗ⁻¹ as nothing where t is 0."""
    wanted = list(dict.fromkeys(powers))

    def made(node: Node) -> Node:
        if node.op != "mul":
            return node
        for x, t in wanted:
            product = opened(node, lambda y, t=t: _is_multiple(y, t))  # type: ignore[misc]
            if _holds(product, t) and any(_divides(y, e, x, t) for y, e in product.factors.items()):
                return as_like(scalar("where", scalar("ne", t, 0.0), node, 0.0), node)
        return node

    return rebuilt([root], made)[0] if wanted else root


def _holds(product: Product, t: Node) -> bool:
    """Whether an exponent, or each factor of one, stands in a product."""
    above = [y for y, e in product.factors.items() if e > 0]
    if any(_is_multiple(y, t) for y in above):
        return True
    parts = product_of(t).factors if t.op == "mul" else ()
    return bool(parts) and all(any(_is_multiple(y, part) for y in above) for part in parts)


def _is_multiple(y: Node, t: Node) -> bool:
    """Whether y is t or −t."""
    if y is t:
        return True
    less = sum_of(y).minus(sum_of(t), -1.0)
    return less is not None and not less.terms and less.constant == 0


def _divides(y: Node, e: float, x: Node, t: Node) -> bool:
    """Whether yᵉ is infinite where x is 0 and t is as well."""
    if y.op != "pow":
        return e < 0 and _is_multiple(y, x)
    if not _is_multiple(y.inputs[0], x):
        return False
    less = sum_of(y.inputs[1]).minus(sum_of(t), 1.0)
    return e > 0 and less is not None and not less.terms and less.constant < 0


def labels_over(roots: Sequence[Node], facts: set[Fact] | None = None) -> list[Node]:
    """The roots, with y/x as nothing where the label y is 0.

    The declared facts leaned on are added to ``facts``.
    """
    leaned: set[Fact] = set() if facts is None else facts
    made = {"mul": _product, "contract": _contraction}
    return rebuilt(roots, lambda node: made[node.op](node, leaned) if node.op in made else node)


def _product(node: Node, leaned: set[Fact]) -> Node:
    product = opened(node, _is_label)
    label = next((y for y, e in product.factors.items() if e > 0 and _is_label(y)), None)
    if label is None or not any(_may_divide_by_nothing(x, e) for x, e in product.factors.items()):
        return node
    leaned |= label.facts.declared
    return as_like(scalar("where", scalar("ne", label, 0.0), node, 0.0), node)


def _contraction(node: Node, leaned: set[Fact]) -> Node:
    """Σ y/x as the sum of the choices."""
    inputs = list(node.inputs)
    for y, own in zip(node.inputs, node.attr("indices"), strict=True):
        for j, (x, other) in enumerate(zip(inputs, node.attr("indices"), strict=True)):
            if own != other or x.shape != y.shape or not _is_label(y):
                continue
            if any(_may_divide_by_nothing(b, e) for b, e in product_of(x).factors.items()):
                leaned |= y.facts.declared
                inputs[j] = scalar("where", scalar("ne", y, 0.0), x, 0.0)
    if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
        return node
    made = contract(inputs, node.attr("indices"), node.attr("out"), dict(node.attr("sizes")))
    return as_like(made, node)


def _is_label(y: Node) -> bool:
    """Whether a node is a label of 0 and 1, or one less it, up to the sign."""
    total = sum_of(y)
    if len(total.terms) != 1:
        return False
    ((label, c),) = total.terms.items()
    return label.facts.zero_or_one and label.op != "cast" and total.constant in (0.0, -c)


def _may_divide_by_nothing(x: Node, e: float) -> bool:
    return e < 0 and not x.facts.nonzero and x.facts.lo <= 0 <= x.facts.hi
