"""Normal form where it depends on who else reads a node.

The constructors keep the normal form of a single node.  What is left is merging a sum into the sum
that reads it, a product into a product, and a product into the sum over it: worth it only where
no other node needs the inner one, else its work would be done twice.
"""

from __future__ import annotations

import math

import numpy as np

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import split_sum
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, constant, number_of
from symdiff.expr.scalars import SCALARS
from symdiff.expr.views import is_view
from symdiff.simplify.parts import (
    Product,
    Sum,
    as_like,
    core_of,
    is_square,
    product_of,
    sum_of,
    viewed_as,
)
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule


@rule("real-only", "add", housekeeping=True)
def flatten_sum(node: Node, context: Context) -> Node | None:
    """(a + b) + c = a + b + c"""
    if context.merges_upwards(node):  # then that one does all at once
        return None
    whole = sum_of(node)
    constant_term, merged = whole.constant, False
    terms: dict[Node, float] = {}
    stack = list(whole.terms.items())
    for x, c in stack:  # grows while it is walked
        inner = _inner_sum(x, c, node, whole, context)
        if inner is None:
            terms[x] = terms.get(x, 0.0) + c
        else:
            merged = True
            stack.extend((y, c * k) for y, k in inner.terms.items())
            constant_term += c * inner.constant
    return Sum(terms, constant_term).node(node) if merged else None


def _inner_sum(x: Node, c: float, node: Node, whole: Sum, context: Context) -> Sum | None:
    """The terms of a nested sum that may be taken in."""
    inner = sum_of(x)
    if len(inner.terms) < 2 or inner.terms.keys() == {x}:
        return None
    alone = not any(map(context.is_shared_in_multiples, dict.fromkeys((x, core_of(x)))))
    if alone and x.shape == node.shape:
        return inner
    # Terms that cancel or merge may pay for themselves, whatever the shape and the readers.
    meeting = {y for y in inner.terms if y is not x and y in whole.terms}
    if alone:
        return inner if meeting else None
    return inner if meeting and _more_calls(c, inner, whole, meeting) <= 0 else None


def _more_calls(c: float, inner: Sum, whole: Sum, meeting: set[Node]) -> int:
    """The additions and multiplications more that a sum takes with the terms of a shared one."""
    more = len(inner.terms) - len(meeting) - 1 - (abs(c) != 1)
    for y, k in inner.terms.items():
        own = whole.terms.get(y, 0.0) if y in meeting else 0.0
        more += abs(own + c * k) not in (0.0, 1.0, abs(k)) if own + c * k else -1
    return more


@rule("real-only", "mul", housekeeping=True)
def flatten_product(node: Node, context: Context) -> Node | None:
    """(a b) c = a b c, and (a b)ⁿ = aⁿ bⁿ for whole n"""
    if context.merges_upwards(node):  # then that one does all at once
        return None
    total, stack = Product({}, node.attr("coefficient")), list(product_of(node).factors.items())
    if all(x.op != "mul" for x in node.inputs):
        return None
    merged = False
    for x, e in stack:
        inner = _inner_product(x, e, node, context)
        if inner is None:
            total = total.times(x, e)
        else:
            merged = True
            stack.extend((y, e * k) for y, k in inner.factors.items())
            total = Product(total.factors, total.coefficient * inner.coefficient**e)
    return total.node(node) if merged else None


def _inner_product(x: Node, e: float, node: Node, context: Context) -> Product | None:
    if x.op != "mul" or e != math.floor(e):
        return None
    inner = product_of(x)
    if not context.is_shared(x) and x.shape == node.shape:
        return inner
    outside = product_of(node).without(x)
    meeting = sum(y in outside.factors for y in inner.factors)
    return inner if 2 * meeting >= len(inner.factors) else None


@rule("real-only", "add", housekeeping=True)
def factor_scale(node: Node, context: Context) -> Node | None:
    """s a + s b = s (a + b) for a scalar s"""
    terms = sum_of(node)
    if terms.constant or len(terms.terms) < 2:
        return None
    common: dict[Node, float] | None = None
    for x in terms.terms:
        core = core_of(x)
        if core.op != "mul":  # who else reads it does not matter: all linear readers do the same
            return None
        factors = product_of(core).factors
        if common is None:
            common = {s: e for s, e in factors.items() if s.ndim == 0}
        else:
            common = {s: e for s, e in common.items() if factors.get(s) == e}
        if not common:
            return None
    assert common is not None
    rest = []
    for x, c in terms.terms.items():
        core = core_of(x)
        less = product_of(core).without(*common)
        rest.append((viewed_as(x, as_like(less.bare(node.dtype), core)), c))
    return as_like(power_product([*common.items(), (linear_combination(rest), 1.0)]), node)


@rule("exact", "abs")
def factors_out_of_abs(node: Node, context: Context) -> Rewrite | None:
    """|c x| = |c| |x|, also for a factor c ≥ 0, where nothing else reads the product"""
    (x,) = node.inputs
    if x.op != "mul" or x.facts.nonnegative or context.is_shared_in_multiples(x):
        return None
    product = product_of(x)
    signless = {b: e for b, e in product.factors.items() if b.facts.nonnegative}
    if product.coefficient == 1 and not signless:
        return None
    facts = frozenset().union(*(b.facts.declared for b in signless))
    inner = scalar("abs", Product(product.without(*signless).factors, 1.0).bare(x.dtype))
    result = Product(signless, abs(product.coefficient)).times(inner, 1.0)
    return Rewrite(result.node(node), {"x": x}, facts)


_LINEAR = (
    *("contract", "reshape", "slice", "flip", "take", "pad", "scatter_add", "cumsum"),
    *("window", "overlap_add"),
)
_DEEP = 8


def _negated(x: Node, context: Context) -> Node | None:
    """−x, where x is a linear operation on a difference with as many signs of either kind."""
    chain: list[tuple[Node, int]] = []
    while not context.is_shared(x) and x.op in _LINEAR and len(chain) < _DEEP:
        at = next((i for i, y in enumerate(x.inputs) if y.op in ("add", *_LINEAR)), None)
        if at is None or (x.op in ("take", "scatter_add") and at > 0):
            return None
        chain.append((x, at))
        x = x.inputs[at]
    if not chain or x.op != "add" or context.is_shared(x):
        return None
    signs = [c < 0 for c in x.attr("coefficients")]
    if x.attr("constant") or 2 * sum(signs) != len(signs):
        return None
    result = linear_combination([(x, -1.0)])
    for user, at in reversed(chain):
        result = rebuild(user, [*user.inputs[:at], result, *user.inputs[at + 1 :]])
    return result


@rule("exact", "mul", "add", housekeeping=True)
def absorb_sign(node: Node, context: Context) -> Node | None:
    """−Σ(a − b) = Σ(b − a)"""
    if node.op == "mul":
        if node.attr("coefficient") >= 0:
            return None
        product = product_of(node)
        for x, e in product.factors.items():
            flipped = _negated(x, context) if e == 1 else None
            if flipped is not None:
                rest = Product(product.factors, -product.coefficient).without(x)
                return rest.times(flipped, 1.0).node(node)
        return None
    total = sum_of(node)
    for x, c in total.terms.items():
        flipped = _negated(x, context) if c < 0 else None
        if flipped is not None:
            return total.without(x).plus(flipped, -c).node(node)
    return None


_UNARY = tuple(name for name, row in SCALARS.items() if row.arity == 1)


@rule("exact", "add", "mul", *_UNARY, housekeeping=True)
def reshape_outward(node: Node, context: Context) -> Node | None:
    """f(reshape x) = reshape f(x), as for all views"""
    if len(node.inputs) != 1 or node.inputs[0].op not in ("reshape", "flip"):
        return None
    (moved,) = node.inputs
    return as_like(rebuild(moved, [rebuild(node, [moved.inputs[0]])]), node)


@rule("real-only", "contract", housekeeping=True)
def sum_of_product(node: Node, context: Context) -> Node | None:
    """Σ a b = a · b, where nothing else needs the product"""
    if len(node.inputs) != 1 or is_view(node) or context.is_shared_in_multiples(node.inputs[0]):
        return None
    result = split_sum(node)
    if result is node or _comes_apart(node) or is_square(product_of(node.inputs[0])):
        return None
    return as_like(result, node)


def _comes_apart(node: Node) -> bool:
    """Whether a sum of a product is a product of sums: more calls, if less work.

    Whether to sum apart is for the plan of contractions to say.
    """
    (product,), (names,), out = node.inputs, node.attr("indices"), node.attr("out")
    groups: list[set[int]] = []
    for x in product.inputs:
        own = zip(names[len(names) - x.ndim :], x.shape, strict=True)
        held = {n for n, size in own if size != 1 and n not in out}
        apart = [group for group in groups if not group & held]
        groups = [*apart, held.union(*(group for group in groups if group & held))]
    return sum(map(bool, groups)) > 1


_SMALL = 64


@rule(
    "exact",
    "contract",
    "max",
    "prod",
    "cumsum",
    "reshape",
    "slice",
    "flip",
    "concatenate",
    "pad",
    "take",
    "softmax",
    "log_softmax",
    "logsumexp",
    "add",
    "mul",
    housekeeping=True,
)
def fold_constants(node: Node, context: Context) -> Node | None:
    """what is made of small constants only is a constant"""
    if not node.inputs or number_of(node) is not None or is_view(node):
        return None
    if any(core_of(x).op != "constant" for x in node.inputs):
        return None
    if not all(isinstance(s, int) for x in (node, *node.inputs) for s in x.shape):
        return None
    value = evaluate(node, {})
    if value.size > _SMALL or not np.all(np.isfinite(value)):
        return None
    return cast(constant(np.asarray(value)), node.dtype)


RULES: tuple[Rule, ...] = (
    fold_constants,
    flatten_sum,
    flatten_product,
    factor_scale,
    factors_out_of_abs,
    absorb_sign,
    reshape_outward,
)
ARRANGING: tuple[Rule, ...] = (*RULES, sum_of_product)
