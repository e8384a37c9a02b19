"""Masks: what a condition leaves out must not reach the result, not even as 0 · inf.

The derivative of ``where`` multiplies by truth values.  That stays where the other factors are
always finite; beside a logarithm, an exponential or a quotient it becomes a ``where`` again.
"""

from __future__ import annotations

import math

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, number_of
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import Product, as_like, place, product_of, sum_of, viewed_as
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule

_WILD = frozenset({"exp", "expm1", "log", "log1p", "log1mexp", "pow", "cosh", "sinh", "tan"})
_DEEP = 12


def may_be_infinite(node: Node, depth: int = _DEEP) -> bool:
    """Whether an elementwise part of the node may be infinite, or no number, at finite inputs."""
    core, _ = place(node, node.ndim)
    if core.op in _WILD:
        return not (core.op == "exp" and core.inputs[0].facts.hi < 700)
    if core.op == "mul":
        pairs = zip(core.inputs, core.attr("exponents"), strict=True)
        if any((e < 0 or e % 1) and not x.facts.lo > 0 for x, e in pairs):
            return any(
                (e < 0 or e % 1) and x.ndim > 0 and not x.facts.lo > 0
                for x, e in zip(core.inputs, core.attr("exponents"), strict=True)
            ) or any(may_be_infinite(x, depth - 1) for x in core.inputs)
    if not OPS[core.op].elementwise and core.op not in ("add", "mul"):
        return False
    return depth > 0 and any(may_be_infinite(x, depth - 1) for x in core.inputs)


def condition_of(mask: Node) -> tuple[Node, bool] | None:
    """(condition, True) of a cast condition, (condition, False) of 1 − it; views stay around it."""
    core, _ = place(mask, mask.ndim)
    if core.op == "cast" and core.inputs[0].dtype == "bool":
        return viewed_as(mask, core.inputs[0]), True
    if core.op == "add" and len(core.inputs) == 1 and core.attr("constant") == 1:
        (inner,) = core.inputs
        seen, _ = place(inner, inner.ndim)
        if core.attr("coefficients") == (-1.0,) and seen.op == "cast":
            if seen.inputs[0].dtype == "bool":
                return viewed_as(mask, viewed_as(inner, seen.inputs[0])), False
    return None


def _split(term: Node) -> list[tuple[Node, Node, bool, Product]]:
    """A term as a mask times the rest, in each way: (mask, condition, whether it holds, rest)."""
    product = product_of(term)
    found = []
    if term.op == "where":
        condition, a, b = term.inputs
        if number_of(b) == 0:
            found.append((term, condition, True, product_of(a)))
        if number_of(a) == 0:
            found.append((term, condition, False, product_of(b)))
    if term.op == "exp" and term.inputs[0].op == "where":
        condition, a, b = term.inputs[0].inputs
        if number_of(b) == -math.inf:
            found.append((term, condition, True, product_of(scalar("exp", a))))
        if number_of(a) == -math.inf:
            found.append((term, condition, False, product_of(scalar("exp", b))))
    for base, e in product.factors.items():
        known = condition_of(base) if e > 0 else None
        if known is not None:
            found.append((base, known[0], known[1], product.without(base)))
    return found


@rule("stabler", "add", needs=("cast", "where"))
def where_of_masks(node: Node, context: Context) -> Rewrite | None:
    """[c] a + (1 − [c]) b = where(c, a, b), where one of them may be infinite"""
    total = sum_of(node)
    split = [(x, c, *way) for x, c in total.terms.items() for way in _split(x)]
    for x, c, _, condition, holds, rest in split:
        for y, d, _, other, also, left in split:
            if not holds or also or other is not condition or x is y:
                continue
            a = Product(rest.factors, rest.coefficient * c).bare(node.dtype)
            b = Product(left.factors, left.coefficient * d).bare(node.dtype)
            if not (may_be_infinite(a) or may_be_infinite(b)):
                continue
            new = scalar("where", condition, a, b)
            return Rewrite(total.without(x, y).plus(new, 1.0).node(node), {"c": condition})
    return None


@rule("stabler", "mul", needs=("cast", "where"))
def where_of_mask(node: Node, context: Context) -> Rewrite | None:
    """[c] a = where(c, a, 0), where a may be infinite"""
    for _, condition, holds, rest in _split(node):
        plain = all(e > 0 and e % 1 == 0 for e in rest.factors.values())
        if plain and not any(map(may_be_infinite, rest.factors)):
            continue
        a = rest.bare(node.dtype)
        if not may_be_infinite(a):
            continue
        branches = (a, 0.0) if holds else (0.0, a)
        return Rewrite(as_like(scalar("where", condition, *branches), node), {"c": condition})
    return None


@rule("stabler", "mul", needs=("where",))
def product_into_where(node: Node, context: Context) -> Rewrite | None:
    """where(c, a, 0) b = where(c, a b, 0), where b may be infinite"""
    product = product_of(node)
    for base, e in product.factors.items():
        if base.op != "where" or e != 1:
            continue
        condition, a, b = base.inputs
        rest = product.without(base).bare(node.dtype)
        if not may_be_infinite(rest):
            continue
        if number_of(b) == 0:
            inside = product.without(base).times(a, 1.0).bare(node.dtype)
            new = scalar("where", condition, inside, 0.0)
        elif number_of(a) == 0:
            inside = product.without(base).times(b, 1.0).bare(node.dtype)
            new = scalar("where", condition, 0.0, inside)
        else:
            continue
        return Rewrite(as_like(new, node), {"c": condition})
    return None


def _bounds(condition: Node) -> tuple[Node, Node, bool] | None:
    """(r, d, whether it says |r| is the smaller) of a comparison of |r| with d."""
    if condition.op not in ("lt", "le", "gt", "ge"):
        return None
    one, other = condition.inputs
    if one.op == "abs":
        return one.inputs[0], other, condition.op in ("lt", "le")
    if other.op == "abs":
        return other.inputs[0], one, condition.op in ("gt", "ge")
    return None


@rule("exact", "add", needs=("abs",))
def clip_of_masks(node: Node, context: Context) -> Rewrite | None:
    """[|r| ≤ d] r + [|r| > d] d sign r = min(max(r, −d), d), for d > 0"""
    total = sum_of(node)
    split = [(x, c, *way) for x, c in total.terms.items() for way in _split(x)]
    for x, c, _, condition, holds, rest in split:
        found = _bounds(condition)
        if found is None:
            continue
        r, d, smaller = found
        if smaller is not holds or rest.factors.get(r) != 1 or not d.facts.positive:
            continue
        for y, e, _, other, also, left in split:
            outside = _bounds(other)
            if outside is None or outside[:2] != (r, d) or outside[2] is also:
                continue
            bound = rest.without(r).times(scalar("sign", r), 1.0)
            value = number_of(d)
            bound = bound.times(d, 1.0) if value is None else bound
            whole = Product(bound.factors, bound.coefficient * c * (value or 1.0))
            if left.factors != whole.factors or left.coefficient * e != whole.coefficient:
                continue
            held = scalar("maximum", r, linear_combination([(d, -1.0)]))
            held = scalar("minimum", held, d)
            new = rest.without(r).times(held, 1.0).bare(node.dtype)
            result = total.without(x, y).plus(new, c)
            return Rewrite(result.node(node), {"r": r, "d": d}, d.facts.declared)
    return None


@rule("exact", "mul")
def square_of_sign(node: Node, context: Context) -> Rewrite | None:
    """y² = 1, for y that is 1 or −1"""
    product = product_of(node)
    for y, e in product.factors.items():
        if y.facts.plus_minus_one and e not in (0.0, 1.0) and e == math.floor(e):
            result = product.without(y).times(y, 1.0) if e % 2 else product.without(y)
            return Rewrite(result.node(node), {"y": y}, y.facts.declared)
    return None


@rule("exact", "gt", "lt")
def positive_relu(node: Node, context: Context) -> Rewrite | None:
    """relu(x) > 0 where x > 0"""
    a, b = node.inputs
    if node.op == "gt" and a.op == "relu" and number_of(b) == 0:
        return Rewrite(as_like(scalar("gt", a.inputs[0], b), node), {"x": a.inputs[0]})
    if node.op == "lt" and b.op == "relu" and number_of(a) == 0:
        return Rewrite(as_like(scalar("lt", a, b.inputs[0]), node), {"x": b.inputs[0]})
    return None


@rule("stabler", "add", needs=("sigmoid",))
def label_less_sigmoid(node: Node, context: Context) -> Rewrite | None:
    """σ(z) − y = (1 − 2y) σ((1 − 2y) z), for y that is 0 or 1"""
    total = sum_of(node)
    for s, c in total.terms.items():
        core, _ = place(s, s.ndim)
        if core.op != "sigmoid" or core is not s:
            continue
        for y, d in total.terms.items():
            if d != -c or not y.facts.zero_or_one or y is s:
                continue
            sign = linear_combination([(cast(y, node.dtype), -2.0)], 1.0)
            from symdiff.expr.algebra import power_product

            flipped = scalar("sigmoid", power_product([(sign, 1.0), (s.inputs[0], 1.0)]))
            new = power_product([(sign, 1.0), (flipped, 1.0)])
            result = total.without(s, y).plus(new, c)
            return Rewrite(result.node(node), {"z": s.inputs[0], "y": y}, y.facts.declared)
    return None


@rule("stabler", "mul")
def where_of_label(node: Node, context: Context) -> Rewrite | None:
    """y log x = where(y > 0, log x, 0), for y that is 0 or 1"""
    product = product_of(node)
    for y, e in product.factors.items():
        if e <= 0 or not y.facts.zero_or_one or y.op in ("cast", "one_hot", "contract"):
            continue
        rest = product.without(y)
        logs = [b for b in rest.factors if _speaks_of_log(b)]
        if not logs:
            continue
        inside = rest.bare(node.dtype)
        new = scalar("where", scalar("gt", y, 0.0), inside, 0.0)
        return Rewrite(as_like(new, node), {"y": y}, y.facts.declared)
    return None


@rule("stabler", "mul", needs=("pow",))
def label_times_power(node: Node, context: Context) -> Rewrite | None:
    """y x^(k (1 − y)) = y, for y that is 0 or 1"""
    product = product_of(node)
    for power in product.factors:
        if power.op != "pow":
            continue
        x, exponent = power.inputs
        for y, e in product.factors.items():
            if e > 0 and y.facts.zero_or_one and _is_multiple_of_rest(exponent, y):
                result = product.without(power)
                return Rewrite(result.node(node), {"x": x, "y": y}, y.facts.declared)
    return None


def _is_multiple_of_rest(exponent: Node, y: Node) -> bool:
    """Whether the exponent is k (1 − y)."""
    found, label = sum_of(exponent), sum_of(y)
    k = {found.terms.get(term, 0.0) / -c for term, c in label.terms.items()}
    if len(k) != 1 or found.terms.keys() != label.terms.keys():
        return False
    return found.constant == (1 - label.constant) * k.pop()


def _speaks_of_log(x: Node) -> bool:
    return x.op == "log" or (x.op == "add" and any(t.op == "log" for t in x.inputs))


ACCURATE: tuple[Rule, ...] = (
    where_of_label,
    label_times_power,
    label_less_sigmoid,
    positive_relu,
)
RULES: tuple[Rule, ...] = (
    where_of_masks,
    where_of_mask,
    product_into_where,
    clip_of_masks,
    square_of_sign,
)
