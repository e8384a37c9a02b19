"""Sums with masks that are chosen from: a + [c] (b − a) = where(c, b, a).

The slope of where(c, f, g) is [c] f′ + (1 − [c]) g′.  Where g′ is a number or has a term that f′
has, the sum comes to hold that plainly and with the mask, and the two cancel where c holds: what
is left there has lost the digits that the number had not.  So where a choice takes a term out of
such a sum, the choice stands in its place.  A last step, since nothing is differentiated through
where as well as through a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.views import broadcast_to
from symdiff.simplify.parts import Product, Sum, as_like, place, product_of, sum_of, viewed_as

_NEGATED = {"gt": "le", "le": "gt", "lt": "ge", "ge": "lt", "eq": "ne", "ne": "eq"}
_NOTHING = 1e-15


def chosen_sums(roots: Sequence[Node]) -> list[Node]:
    """The roots, with sums in which a mask cancels a term as choices."""
    return rebuilt(roots, lambda node: _chosen(node) if node.op == "add" else node)


@dataclass(frozen=True)
class _Masked:
    """A term of a sum that is one thing where a condition holds and another elsewhere."""

    term: Node
    condition: Node
    holds: Sum
    fails: Sum


def _chosen(node: Node) -> Node:
    total = sum_of(node)
    masked = [found for term, c in total.terms.items() for found in _masked(term, c)]
    for condition in dict.fromkeys(each.condition for each in masked):
        own = [found for each in masked if (found := _under(each, condition)) is not None]
        own = list({each.term: each for each in own}.values())
        plain = total.without(*(each.term for each in own))
        holds, fails = (
            _added([plain, *(each.holds if way else each.fails for each in own)])
            for way in (True, False)
        )
        lost = [x for x in plain.terms if not (holds.terms.get(x) and fails.terms.get(x))]
        gone = bool(plain.constant) and not (holds.constant and fails.constant)
        kept = Sum({x: c for x, c in plain.terms.items() if x not in lost}, 0.0)
        ways = [_less(way, kept) for way in (holds, fails)]
        if not lost and not (gone and any(way.terms for way in ways)):
            continue
        branches = [
            linear_combination(list(way.terms.items()), way.constant, node.dtype) for way in ways
        ]
        choice = scalar("where", condition, *(broadcast_to(x, node.shape) for x in branches))
        return kept.plus(as_like(choice, node), 1.0).node(node)
    return node


def _less(total: Sum, other: Sum) -> Sum:
    """A sum without all that the other has."""
    return _added([total, Sum({x: -c for x, c in other.terms.items()}, 0.0)])


def _added(sums: Sequence[Sum]) -> Sum:
    """The sum of sums; what cancels but for rounding does."""
    terms: dict[Node, list[float]] = {}
    constants = []
    for each in sums:
        constants.append(each.constant)
        for x, c in each.terms.items():
            terms.setdefault(x, []).append(c)
    kept = {x: c for x, own in terms.items() if (c := _total(own))}
    return Sum(kept, _total(constants))


def _total(numbers: Sequence[float]) -> float:
    total = sum(numbers)
    return total if abs(total) > _NOTHING * sum(map(abs, numbers)) else 0.0


def _masked(term: Node, c: float) -> list[_Masked]:
    """A term by each condition that stands in it as a factor."""
    product = product_of(term)
    found = []
    for base, e in product.factors.items():
        parts = _parts(base) if e == 1 else None
        if parts is None:
            continue
        condition, one, other = parts
        rest = product.without(base)
        ways = [_multiple(rest, branch, c, term) for branch in (one, other)]
        found.append(_Masked(term, condition, *ways))
    return found


def _multiple(rest: Product, branch: Node | float, c: float, like: Node) -> Sum:
    """c · rest · branch as a sum of terms."""
    if isinstance(branch, float):
        made = Product(rest.factors, rest.coefficient * branch)
    else:
        inner = product_of(branch)
        made = Product(rest.factors, rest.coefficient * inner.coefficient)
        for x, e in inner.factors.items():
            made = made.times(x, e)
    if not made.coefficient:
        return Sum({}, 0.0)
    own = sum_of(made.bare(like.dtype))
    return Sum({x: k * c for x, k in own.terms.items()}, own.constant * c)


def _parts(base: Node) -> tuple[Node, Node | float, Node | float] | None:
    """(condition, what the factor is where it holds, and elsewhere)."""
    if base.op == "where":
        condition, a, b = base.inputs
        return condition, _number_or_node(a), _number_or_node(b)
    core, _ = place(base, base.ndim)
    total = sum_of(core)
    if len(total.terms) != 1:
        return None
    ((mask, k),) = total.terms.items()
    inner, _ = place(mask, mask.ndim)
    if inner.op != "cast" or inner.inputs[0].dtype != "bool":
        return None
    condition = viewed_as(base, viewed_as(mask, inner.inputs[0]))
    return condition, k + total.constant, total.constant


def _number_or_node(x: Node) -> Node | float:
    value = number_of(x)
    return x if value is None else value


def _under(each: _Masked, condition: Node) -> _Masked | None:
    """The term by a condition, if it is by that or its opposite."""
    own = each.condition
    if own is condition:
        return each
    if own.op in _NEGATED and scalar(_NEGATED[own.op], *own.inputs) is condition:
        return _Masked(each.term, condition, each.fails, each.holds)
    return None
