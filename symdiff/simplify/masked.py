"""Masks that choose: [c] x is x where c holds and 0 elsewhere, whatever x is there.

A derivative of where(c, f(x), g(x)) multiplies f′ by the mask [c].  Where f′ has overflowed off
its branch that is ∞ · 0, which is no number; so the last step turns products with a mask into
choices, if what stands beside the mask may be other than finite (the outer half of what is known as
the double where; there is no inner half, since nothing is differentiated after this).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symdiff.expr.algebra import scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuilt
from symdiff.expr.near import MOVEMENT
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import as_like, core_of, product_of, sum_of, viewed_as

_LINEAR = frozenset(
    ("add", "cast", "relu", "abs", "maximum", "minimum", "max", "stop_gradient", *MOVEMENT)
)


def masked(roots: Sequence[Node]) -> list[Node]:
    """The roots, with masks times what may overflow as choices between that and 0."""
    made = {"mul": _product, "contract": _contraction}
    return rebuilt(roots, lambda node: made[node.op](node) if node.op in made else node)


def _condition(x: Node) -> tuple[Node, bool] | None:
    """(c, True) of a mask [c], (c, False) of 1 − [c], c standing as x does."""
    core = core_of(x)
    total = sum_of(core)
    holds = True
    if core.op == "add" and total.constant == 1 and list(total.terms.values()) == [-1.0]:
        (core,) = total.terms
        holds = False
    if core.op != "cast" or core.inputs[0].dtype != "bool":
        return None
    return viewed_as(x, core.inputs[0]), holds


def _chosen(condition: tuple[Node, bool], x: Node) -> Node:
    mask, holds = condition
    return scalar("where", mask, *((x, 0.0) if holds else (0.0, x)))


def _product(node: Node) -> Node:
    product = product_of(node)
    masks = {
        x: found
        for x, e in product.factors.items()
        if e > 0 and (found := _condition(x)) is not None
    }
    rest = product.without(*masks)
    if not masks or sum(_units(x, e) for x, e in rest.factors.items()) < 2:
        return node
    result = rest.bare(node.dtype)
    for condition in masks.values():
        result = _chosen(condition, result)
    return as_like(result, node)


def _contraction(node: Node) -> Node:
    """Σ [c] x as the sum of where(c, x, 0)."""
    operands = list(zip(node.inputs, node.attr("indices"), strict=True))
    for i, (x, own) in enumerate(operands):
        condition = _condition(x)
        if condition is None or sum(_units(y, 1.0) for y in node.inputs) < 2:
            continue
        beside = [j for j, (y, names) in enumerate(operands) if names == own and _units(y, 1.0)]
        if not beside or any(node.inputs[j].shape != x.shape for j in beside):
            continue
        inputs, indices = list(node.inputs), list(node.attr("indices"))
        for j in beside:
            inputs[j] = as_like(_chosen(condition, inputs[j]), inputs[j])
        del inputs[i], indices[i]
        made = contract(inputs, indices, node.attr("out"), dict(node.attr("sizes")))
        return _contraction(as_like(made, node)) if made.op == "contract" else as_like(made, node)
    return node


def _units(x: Node, e: float) -> int:
    """0 of a power that is bounded, 1 of one that is finite where the inputs are, 2 of others."""
    lo, hi = x.facts.lo, x.facts.hi
    if math.isfinite(lo) and math.isfinite(hi) and (e > 0 or lo > 0 or hi < 0):
        return 0
    if x.op in ("size", "constant"):
        return 0
    return 1 if abs(e) <= 1 and _is_tame(x) else 2


def _is_tame(x: Node) -> bool:
    """Whether the node is a sum or a selection of inputs."""
    stack, seen = [x], set()
    while stack:
        node = stack.pop()
        if node in seen or (math.isfinite(node.facts.lo) and math.isfinite(node.facts.hi)):
            continue
        seen.add(node)
        if OPS[node.op].leaf:
            continue
        if node.op == "mul" and len(node.inputs) == 1 and node.attr("exponents") == (1.0,):
            stack.append(node.inputs[0])
        elif node.op in _LINEAR or (node.op == "contract" and len(node.inputs) == 1):
            stack += node.inputs
        else:
            return False
    return True
