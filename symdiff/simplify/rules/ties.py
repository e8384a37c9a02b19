"""Comparisons and their ties, for lone formulas: which of two wins, and by what sign.

The slope of max(a x, b x) comes as indicators of either winning and of a tie, which is shared; of
multiples of one x they are indicators of its sign, and sums of those are a step or sign x itself.
"""

from __future__ import annotations

from symdiff.expr.algebra import scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.simplify.measure import measure
from symdiff.simplify.parts import Product, Sum, as_like, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.factoring import shared_factors
from symdiff.simplify.rules.powers import expanded

_TURNED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "eq": "eq", "ne": "ne"}
_ODD = ("expm1", "log1p", "tanh", "sinh", "arcsinh", "arctan", "arctanh", "erf")


@rule("real-only", *_TURNED)
def compare_multiples(node: Node, context: Context) -> Rewrite | None:
    """a x > b x where x > 0, for a > b; where x < 0, for a < b"""
    left, right = (product_of(x) for x in node.inputs)
    common = {x: e for x, e in left.factors.items() if right.factors.get(x) == e}
    if not common:
        return None
    gap, other = (sum_of(p.without(*common).bare("float64")) for p in (left, right))
    constant = gap.constant - other.constant
    for x, c in other.terms.items():
        gap = gap.plus(x, -c)
    if not constant or any(gap.terms.values()):
        return None
    x = Product(common, 1.0).bare(node.inputs[0].dtype)
    op = node.op if constant > 0 else _TURNED[node.op]
    return Rewrite(as_like(scalar(op, x, 0.0), node), {"x": x})


@rule("real-only", *_TURNED)
def sign_of_compared(node: Node, context: Context) -> Rewrite | None:
    """c f(x) > 0 where x > 0, for c > 0 and f that has the sign of x"""
    x, zero = node.inputs
    if number_of(zero) != 0:
        return None
    if x.op in _ODD:
        return Rewrite(as_like(scalar(node.op, x.inputs[0], 0.0), node), {"x": x.inputs[0]})
    product = product_of(x)
    positive = {y for y in product.factors if y.facts.positive}
    if product.coefficient == 1 and not positive:
        return None
    rest = Product(product.factors, 1.0).without(*positive)
    if not rest.factors or not product.coefficient:
        return None
    op = node.op if product.coefficient > 0 else _TURNED[node.op]
    facts = frozenset().union(*(y.facts.declared for y in positive))
    inner = rest.bare(x.dtype)
    return Rewrite(as_like(scalar(op, inner, 0.0), node), {"x": inner}, facts)


@rule("exact", "gt", "lt", "ge", "le")
def relu_against_bound(node: Node, context: Context) -> Rewrite | None:
    """relu(x) < c where x < c, for c > 0"""
    for at, other in ((0, 1), (1, 0)):
        bound = number_of(node.inputs[other])
        if node.inputs[at].op == "relu" and bound is not None and bound > 0:
            inputs = list(node.inputs)
            inputs[at] = x = node.inputs[at].inputs[0]
            return Rewrite(as_like(scalar(node.op, *inputs), node), {"x": x})
    return None


def _indicator(term: Node) -> tuple[Product, Node, int] | None:
    """(P, x, s) of P [x has the sign s]."""
    product = product_of(term)
    for base, e in product.factors.items():
        condition = base.inputs[0] if base.op == "cast" else base
        sign = {"gt": 1, "lt": -1, "eq": 0}.get(condition.op)
        if sign is not None and base.op == "cast" and e == 1:
            x, other = condition.inputs
            if number_of(other) == 0:
                return product.without(base), x, sign
    return None


@rule("real-only", "add")
def sign_of_indicators(node: Node, context: Context) -> Rewrite | None:
    """a [x > 0] + b [x < 0] + (a + b)/2 [x = 0] = (a + b)/2 + (a − b)/2 sign x"""
    total = sum_of(node)
    groups: dict[tuple[Node, Node], dict[int, tuple[Node, float]]] = {}
    for term, c in total.terms.items():
        found = _indicator(term)
        if found is not None:
            beside, x, sign = found
            group = groups.setdefault((beside.bare(node.dtype), x), {})
            group[sign] = (term, c)
    for (around, x), group in groups.items():
        above, tie, below = (group.get(s, (node, 0.0))[1] for s in (1, 0, -1))
        if len(group) < 2 or abs(above + below - 2 * tie) > 4e-16 * (abs(above) + abs(below)):
            continue
        signed = product_of(around).times(scalar("sign", x), 1.0).bare(node.dtype)
        rest = total.without(*(term for term, _ in group.values()))
        rest = rest.plus(signed, (above - below) / 2)
        if tie:
            own = sum_of(around)
            for y, c in own.terms.items():
                rest = rest.plus(y, c * tie)
            rest = Sum(rest.terms, rest.constant + own.constant * tie)
        return Rewrite(as_like(rest.node(node), node), {"x": x})
    return None


_MOST = 8


@rule("real-only", "add")
def multiplied_out(node: Node, context: Context) -> Rewrite | None:
    """a (b + c) − a b = a c: products multiplied out where that is shorter"""
    total = sum_of(node)
    result = Sum({}, total.constant)
    opened = False
    for term, c in total.terms.items():
        product = product_of(term)
        sums = [x for x, e in product.factors.items() if x.op == "add" and e == 1]
        whole = None
        if sums and term.op == "mul" and all(context.readers(x) == 1 for x in (term, *sums)):
            whole = expanded(Product(product.factors, product.coefficient))
        if whole is None:
            result = result.plus(term, c)
            continue
        opened = True
        for y, k in whole.terms.items():
            result = result.plus(y, c * k)
        result = Sum(result.terms, result.constant + c * whole.constant)
    if not opened:
        return None
    made = Sum({x: c for x, c in result.terms.items() if c}, result.constant).node(node)
    least = measure(node)
    if not (measure(made) < least and measure(_factored(made, context)) < least):
        return None  # the same again, or what becomes the same again
    return Rewrite(made, {"a": node})


def _factored(node: Node, context: Context) -> Node:
    """What shared_factors will make of a sum."""
    for _ in range(_MOST):
        found = shared_factors(node, context)
        if found is None:
            break
        node = found.node
    return node


RULES: tuple[Rule, ...] = (
    compare_multiples,
    sign_of_compared,
    relu_against_bound,
    sign_of_indicators,
    multiplied_out,
)
