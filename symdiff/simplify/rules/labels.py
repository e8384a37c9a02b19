"""Choices by a label that is 0 or 1, written as conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, number_of
from symdiff.simplify.parts import Product, as_like, below_movement, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.kinks import relu_of_where

_COMPARED: dict[str, Callable[[float, float], bool]] = {
    name: getattr(operator, name) for name in ("gt", "ge", "lt", "le", "eq", "ne")
}


def _asked(condition: Node) -> tuple[Node, bool] | None:
    """(y, whether y = 1 is what makes it true), of a comparison of a 0/1 label with a number."""
    if condition.op not in _COMPARED:
        return None
    y, bound = condition.inputs
    compare = _COMPARED[condition.op]
    number = number_of(bound)
    if number is None:
        (y, bound), number = (bound, y), number_of(y)
        at_zero, at_one = (compare(number or 0.0, v) for v in (0.0, 1.0))
    else:
        at_zero, at_one = (compare(v, number) for v in (0.0, 1.0))
    if number is None or not y.facts.zero_or_one or y.dtype == "bool" or at_zero == at_one:
        return None
    return y, at_one


@rule("exact", "gt", "ge", "lt", "le", "eq", "ne")
def question_of_label(node: Node, context: Context) -> Rewrite | None:
    """[y > ½] = [y ≥ 1] = [y = 1] = [y > 0], for y that is 0 or 1"""
    found = _asked(node)
    if found is None:
        return None
    y, one = found
    return Rewrite(as_like(scalar("gt" if one else "le", y, 0.0), node), {"y": y}, y.facts.declared)


@rule("exact", "cast")
def indicator_of_label(node: Node, context: Context) -> Rewrite | None:
    """[y > 0] = y, [y ≤ 0] = 1 − y, for y that is 0 or 1"""
    found = _asked(node.inputs[0])
    if found is None:
        return None
    y, one = found
    value = cast(y, node.dtype)
    result = value if one else linear_combination([(value, -1.0)], 1.0)
    return Rewrite(as_like(result, node), {"y": y}, y.facts.declared)


@rule("exact", "where")
def where_of_negation(node: Node, context: Context) -> Rewrite | None:
    """where(x ≤ 0, a, b) = where(x > 0, b, a), for x that is 0 or 1"""
    condition, a, b = node.inputs
    found = _asked(condition)
    if found is None or found[1]:
        return None
    y, _ = found
    result = scalar("where", scalar("gt", y, 0.0), b, a)
    return Rewrite(as_like(result, node), {"y": y}, y.facts.declared)


_MERGED = ("sigmoid", "softplus", "tanh", "erf")


@rule("exact", "where")
def where_of_one_function(node: Node, context: Context) -> Rewrite | None:
    """where(c, f(a), f(b)) = f(where(c, a, b))"""
    condition, a, b = node.inputs
    if a.op != b.op or a.op not in _MERGED or a is b or a.shape != b.shape:
        return None
    inner = scalar("where", condition, a.inputs[0], b.inputs[0])
    return Rewrite(as_like(scalar(a.op, inner), node), {"a": a.inputs[0], "b": b.inputs[0]})


@rule("exact", "where")
def where_of_opposites(node: Node, context: Context) -> Rewrite | None:
    """where(y > 0, x, −x) = (2y − 1) x, for y that is 0 or 1"""
    condition, a, b = node.inputs
    found = _asked(condition)
    if a.shape != b.shape or number_of(a) is not None or found is None:
        return None
    y, one = found
    if power_product([(a, 1.0)], -1.0) is not b:
        return None
    if product_of(a).coefficient < 0:
        a, b, one = b, a, not one
    label = cast(y, node.dtype)
    turn = 1.0 if one else -1.0
    sign = linear_combination([(label, 2 * turn)], -turn)
    result = as_like(power_product([(sign, 1.0), (a, 1.0)]), node)
    return Rewrite(result, {"x": a}, y.facts.declared)


@rule("exact", "where", yields_to=(relu_of_where,))
def scale_of_where(node: Node, context: Context) -> Rewrite | None:
    """where(c, k a, 0) = k where(c, a, 0), for a number k"""
    condition, a, b = node.inputs
    for x, other, first in ((a, b, True), (b, a, False)):
        k = product_of(x).coefficient
        if number_of(other) != 0 or number_of(x) is not None or k == 1:
            continue
        rest = as_like(power_product([(x, 1.0)], 1.0 / k), x)
        if product_of(rest).coefficient != 1:
            continue
        chosen = (rest, 0.0) if first else (0.0, rest)
        inner = scalar("where", condition, *chosen)
        return Rewrite(as_like(power_product([(inner, 1.0)], k), node), {"a": rest})
    return None


#: Functions of which rules of their own make one function of a label.
_OF_LABELS = frozenset(("log", "log1p", "log1mexp", "log_softmax", "softplus", "sigmoid", "where"))


@rule("stabler", "add")
def choice_by_label(node: Node, context: Context) -> Rewrite | None:
    """y a + (1 − y) b = where(y > 0, a, b), for y that is 0 or 1"""
    total = sum_of(node)
    products = {x: product_of(x) for x in total.terms}
    for x, chosen in products.items():
        for y, e in chosen.factors.items():
            if e != 1 or not y.facts.zero_or_one or y.op in ("cast", "one_hot", "contract", "add"):
                continue
            rest = linear_combination([(y, -1.0)], 1.0)
            for z, other in products.items():
                if other.factors.get(rest) != 1 or total.terms[x] != total.terms[z]:
                    continue
                a, b = chosen.without(y), other.without(rest)
                if not _is_plain(a) or not _is_plain(b):
                    continue
                branches = [as_like(p.bare(node.dtype), node) for p in (a, b)]
                new = scalar("where", scalar("gt", y, 0.0), *branches)
                result = total.without(x, z).plus(new, total.terms[x])
                return Rewrite(result.node(node), {"y": y}, y.facts.declared)
    return None


@rule("stabler", "log")
def log_of_choice(node: Node, context: Context) -> Rewrite | None:
    """log where(c, a, 1 + x) = where(c, log a, log1p x)"""
    (inside,) = node.inputs
    if inside.op != "where" or not any(_is_one_more(x) for x in inside.inputs[1:]):
        return None
    condition, *branches = inside.inputs
    made = scalar("where", condition, *(scalar("log", x) for x in branches))
    return Rewrite(as_like(made, node), {"x": inside})


def _is_one_more(x: Node) -> bool:
    return x.op == "add" and x.attr("constant") == 1


def _is_plain(cofactor: Product) -> bool:
    """Whether there is something to choose, and no rule of its own for the choice."""
    cores = [below_movement(x)[0] for x in cofactor.factors]
    return bool(cores) and not any(x.op in _OF_LABELS for x in cores)


RULES: tuple[Rule, ...] = (
    question_of_label,
    indicator_of_label,
    where_of_negation,
    where_of_one_function,
    where_of_opposites,
    scale_of_where,
)
ACCURATE: tuple[Rule, ...] = (choice_by_label, log_of_choice)
