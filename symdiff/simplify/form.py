"""How far a node is from its preferred form: views that stand inside, roundabout questions.

Part of the measure (:mod:`symdiff.simplify.measure`): the rules that move views, reshapes and
factors outward, or ask for a label in the one way that is kept, decrease nothing else.
"""

from __future__ import annotations

from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of
from symdiff.expr.ops import OPS
from symdiff.expr.views import expanded_axes, is_view
from symdiff.simplify.parts import sum_of
from symdiff.simplify.terms import matched_axes

_MOVING = ("reshape", "flip")
_REDUCING = ("softmax", "log_softmax", "logsumexp", "max", "prod", "cumsum", "slice", "flip")


def form(node: Node) -> int:
    """What the node counts."""
    multiple = node.op == "mul" and node.attr("exponents") == (1.0,)
    inward = 0 if multiple else sum(_stands_inside(x, node) for x in node.inputs)
    return 4 * inward + _asks(node) + 3 * _powers_of_powers(node) + 6 * _meets(node)


def _stands_inside(x: Node, node: Node) -> int:
    """How much of an operand would rather stand outside of the node."""
    if OPS[node.op].elementwise:
        return int(x.op in _MOVING or _permutes(x))
    if node.op in _REDUCING:
        return int((x.op in _MOVING and node.op not in _MOVING) or is_view(x))
    if node.op == "take":
        factors = len(x.inputs) if x.op == "mul" else 0
        return factors if x is node.inputs[0] else len(expanded_axes(x))
    if node.op == "contract" and not is_view(node):
        reshaped = matched_axes(x.inputs[0].shape, x.shape) if x.op == "reshape" else []
        names = [own for y, own in zip(node.inputs, node.attr("indices"), strict=True) if y is x]
        turned = any(len(own) == 2 and own[0] > own[1] for own in names)
        regrouped = sum(len(a) != 1 or len(b) != 1 for a, b in reshaped)
        return regrouped + int(x.facts.symmetric and turned)
    return 0


def _permutes(x: Node) -> bool:
    if not is_view(x):
        return False
    (names,), out = x.attr("indices"), x.attr("out")
    sizes = zip(names, x.inputs[0].shape, strict=True)
    places = [out.index(n) for n, size in sizes if n in out and size != 1]
    return places != sorted(places)


def _meets(node: Node) -> bool:
    """Whether an exponential is multiplied by a sigmoid that it makes the other one of."""
    if node.op != "mul":
        return False
    factors = [x for x, e in zip(node.inputs, node.attr("exponents"), strict=True) if e > 0]
    powers = [sum_of(x.inputs[0]) for x in factors if x.op == "exp"]
    return bool(powers) and any(
        power.minus(sum_of(s.inputs[0]), -1.0) is not None
        for s in factors
        for power in powers
        if s.op == "sigmoid"
    )


def _powers_of_powers(node: Node) -> int:
    """The factors that are powers of their own to another power than 1, which goes into them."""
    if node.op != "mul":
        return 0
    factors = zip(node.inputs, node.attr("exponents"), strict=True)
    return sum(x.op == "pow" and e != 1 for x, e in factors)


def _asks(node: Node) -> int:
    """For conditions of which there is a simpler form."""
    if OPS[node.op].elementwise and node.dtype == "bool" and len(node.inputs) == 2:
        at_zero = number_of(node.inputs[1]) == 0
        return {"gt": 0, "le": 2}.get(node.op, 3) if at_zero else 3
    return 0
