"""What cancels or overflows as it is written, and hides a form that does not.

Part of the measure (:mod:`symdiff.simplify.measure`): the stable form may hold more functions than
the spelling that it replaces, which therefore counts for more than what it is made of.
"""

from __future__ import annotations

from symdiff.expr.node import Node
from symdiff.expr.views import is_view
from symdiff.simplify.parts import below_movement

_MASK, _BELOW, _WEIGHTED, _ROOT_OF_PRODUCT, _EXP_BRANCH, _BOUNDED = 4, 80, 60, 60, 20, 6


def hidden(node: Node) -> int:
    """The surcharge of the node."""
    rule = _RULES.get(node.op)
    return 0 if rule is None else rule(node)


def _core(x: Node) -> Node:
    return x.inputs[0] if is_view(x) else x


def _exponentials(x: Node) -> int:
    """The exponentials among the terms of a sum, each perhaps with a factor."""
    core = _core(x)
    if core.op != "add":
        return 0
    return sum(
        y.op in ("exp", "cosh") or (y.op == "mul" and any(z.op == "exp" for z in y.inputs))
        for y in map(_core, core.inputs)
    )


def _product(node: Node) -> int:
    total = 0
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        core = _core(x)
        if core.op == "add" and len(core.inputs) == 1:
            core = _core(core.inputs[0])  # one less the mask
        if core.op == "cast" and core.inputs[0].dtype == "bool":
            total += _MASK
        elif core.op == "where" and len(node.inputs) > 1:
            total += 1
        elif core.op == "prod" and e % 1:
            total += _ROOT_OF_PRODUCT
        elif e < 0:
            total += _BELOW * _exponentials(x)
    return total


def _sum(node: Node) -> int:
    constant, coefficients = node.attr("constant"), node.attr("coefficients")
    pairs = list(zip(node.inputs, coefficients, strict=True))
    total = sum(
        _BOUNDED
        for x, c in pairs
        if _core(x).op in ("tanh", "erf") and abs(c) == abs(constant) != 0
    )
    return total + _moments(pairs)


def _moments(pairs: list[tuple[Node, float]]) -> int:
    """For sums of squares beside squares of sums."""
    sums = [_core(x) for x, _ in pairs]
    squared = set()
    for x in sums:
        if x.op == "mul":
            parts = [(_core(y), e) for y, e in zip(x.inputs, x.attr("exponents"), strict=True)]
            totals = [(y, e) for y, e in parts if y.op == "contract" and len(y.inputs) == 1]
            if sum(e for _, e in totals) == 2:
                squared |= {y.inputs[0] for y, _ in totals}
    if not squared:
        return 0
    moments = 0
    for x in sums:
        inner = [x, *map(_core, x.inputs)] if x.op == "mul" else [x]
        for y in inner:
            if y.op == "contract":
                (z, *more) = y.inputs
                factors = y.inputs if more else z.inputs if z.op == "mul" else ()
                moments += bool(set(factors) & squared)
    return 10 * moments


def _contraction(node: Node) -> int:
    if is_view(node):
        return 0
    factors = [below_movement(x)[0] for x in node.inputs]
    if len(factors) == 1 and factors[0].op == "mul":
        factors = [below_movement(x)[0] for x in factors[0].inputs]
    others = sum(x.op != "exp" for x in factors)
    return _WEIGHTED * others if others < len(factors) else 0


def _choice(node: Node) -> int:
    return _EXP_BRANCH * any(x.op == "exp" for x in node.inputs[1:])


def _signed(node: Node) -> int:
    (x,) = node.inputs
    return int(x.op == "mul" and x.attr("coefficient") < 0)


#: The odd and the even functions, whose argument's sign comes out.
ODD = ("sinh", "tanh", "arctan", "arcsinh", "arctanh", "erf", "sin", "tan")
EVEN = ("cosh", "cos")

_RULES = {"mul": _product, "add": _sum, "contract": _contraction, "where": _choice}
_RULES |= dict.fromkeys((*ODD, *EVEN), _signed)
