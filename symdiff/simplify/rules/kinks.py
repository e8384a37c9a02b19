"""abs, relu, maximum and where: one form for each piecewise linear function."""

from __future__ import annotations

from symdiff.expr.algebra import scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, number_of
from symdiff.expr.views import broadcast_to
from symdiff.simplify.parts import Product, as_like, core_of, place, product_of, sum_of, viewed_as
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import negative


@rule("stabler", "mul")
def root_of_square(node: Node, context: Context) -> Rewrite | None:
    """√(x²) = |x|"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "mul" or e == int(e) or base.attr("coefficient") <= 0:
            continue
        inner = product_of(base)
        if any(p % 2 for p in inner.factors.values()):
            continue
        number = product.coefficient * inner.coefficient**e
        result = Product(product.factors, number).without(base)
        for x, p in inner.factors.items():
            result = result.times(scalar("abs", x), p * e)
        return Rewrite(result.node(node), {"x": base.inputs[0]})
    return None


@rule("exact", "mul", needs=("abs",))
def square_of_abs(node: Node, context: Context) -> Rewrite | None:
    """|x|² = x²"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op == "abs" and e % 2 == 0:
            (x,) = base.inputs
            return Rewrite(product.without(base).times(x, e).node(node), {"x": x})
    return None


@rule("exact", "abs")
def abs_of_known(node: Node, context: Context) -> Rewrite | None:
    """|x| = x for x ≥ 0"""
    (x,) = node.inputs
    return Rewrite(x, {"x": x}, x.facts.declared) if x.facts.nonnegative else None


@rule("exact", "relu")
def relu_of_known(node: Node, context: Context) -> Rewrite | None:
    """relu(x) = x for x ≥ 0: so relu(relu x) = relu x"""
    (x,) = node.inputs
    return Rewrite(x, {"x": x}, x.facts.declared) if x.facts.nonnegative else None


@rule("stabler", "add", needs=("abs",))
def relu_of_mean(node: Node, context: Context) -> Rewrite | None:
    """(x + |x|) / 2 = relu(x)"""
    total = sum_of(node)
    for term, c in total.terms.items():
        if term.op != "abs":
            continue
        (x,) = term.inputs
        for sign in (1.0, -1.0):
            rest = total.without(term).minus(sum_of(x), sign * c)
            if rest is not None:
                signed = x if sign > 0 else negative(x)
                result = rest.plus(scalar("relu", signed), 2.0 * c)
                return Rewrite(result.node(node), {"x": x})
    return None


_LARGER = {"gt": 1, "ge": 1, "lt": -1, "le": -1}


def compared_with_zero(condition: Node) -> tuple[Node, int] | None:
    """(x, 1) of x > 0 or x ≥ 0, (x, −1) of x < 0 or x ≤ 0."""
    sign = _LARGER.get(condition.op)
    if sign is None:
        return None
    a, b = condition.inputs
    if number_of(b) == 0:
        return a, sign
    return (b, -sign) if number_of(a) == 0 else None


@rule("real-only", "where")
def relu_of_where(node: Node, context: Context) -> Rewrite | None:
    """where(x > 0, x, 0) = relu(x)"""
    condition, a, b = node.inputs
    found = compared_with_zero(condition)
    if found is None:
        return None
    x, sign = found
    if sign < 0:
        a, b = b, a
    if a is x and number_of(b) == 0:
        return Rewrite(as_like(scalar("relu", x), node), {"x": x})
    if number_of(a) == 0 and b is x:
        return Rewrite(as_like(negative(scalar("relu", negative(x))), node), {"x": x})
    return None


@rule("real-only", "where")
def where_of_known(node: Node, context: Context) -> Rewrite | None:
    """where(x > 0, a, b) = a, for an input x declared to be positive"""
    condition, a, b = node.inputs
    if condition.op not in ("gt", "ge", "lt", "le"):
        return None
    x, y = condition.inputs if condition.op in ("gt", "ge") else condition.inputs[::-1]
    strict = condition.op in ("gt", "lt")
    leaves = [each for each in (x, y) if number_of(each) is None]
    if any(core_of(each).op != "input" for each in leaves):
        return None  # what is computed may round to 0, and the question may be there for that
    above = x.facts.lo > y.facts.hi or (x.facts.lo >= y.facts.hi and not strict)
    above = above or (x.facts.positive and y.facts.hi <= 0)
    below = x.facts.hi < y.facts.lo or (x.facts.hi <= y.facts.lo and strict)
    if not above and not below:
        return None
    facts = frozenset().union(*(each.facts.declared for each in leaves))
    result = broadcast_to(cast(a if above else b, node.dtype), node.shape)
    return Rewrite(result, {"x": x}, facts)


@rule("exact", "where")
def where_of_equal(node: Node, context: Context) -> Rewrite | None:
    """where(c, x, x) = x"""
    _, a, b = node.inputs
    return Rewrite(as_like(a, node), {"x": a}) if a is b else None


@rule("real-only", "mul", needs=("gt",))
def masked_by_own_sign(node: Node, context: Context) -> Rewrite | None:
    """x [x > 0] = relu(x), relu(x) [x > 0] = relu(x)"""
    product = product_of(node)
    for mask, e in product.factors.items():
        if e <= 0 or mask.op not in ("cast", "contract"):
            continue
        core, places = place(mask, node.ndim)
        if core.op != "cast" or core.inputs[0].op != "gt":
            continue
        found = compared_with_zero(core.inputs[0])
        if found is None or found[1] < 0:
            continue
        x = found[0]
        for other, f in product.factors.items():
            inner, own = place(other, node.ndim)
            if own != places or f <= 0:
                continue
            if inner is x or (inner.op == "relu" and inner.inputs[0] is x):
                kept = inner if inner.op == "relu" else cast(scalar("relu", x), inner.dtype)
                result = product.without(mask, other).times(viewed_as(other, kept), f)
                law = f"{'x' if inner is x else 'relu(x)'} [x > 0] = relu(x)"
                return Rewrite(result.node(node), {"x": x}, law=law)
    return None


@rule("exact", "maximum", "minimum")
def extreme_of_equal(node: Node, context: Context) -> Rewrite | None:
    """max(x, x) = x, max(max(x, y), y) = max(x, y)"""
    a, b = node.inputs
    if a is b:
        return Rewrite(as_like(a, node), {"x": a})
    for outer, other in ((a, b), (b, a)):
        if outer.op == node.op and other in outer.inputs:
            return Rewrite(as_like(outer, node), {"x": outer})
    return None


RULES: tuple[Rule, ...] = (
    root_of_square,
    square_of_abs,
    abs_of_known,
    relu_of_known,
    relu_of_mean,
    relu_of_where,
    where_of_known,
    where_of_equal,
    masked_by_own_sign,
    extreme_of_equal,
)
