"""What cancels or overflows as it is written, and hides a form that does not.

Part of the measure (:mod:`symdiff.simplify.measure`): the stable form may hold more functions than
the spelling that it replaces, which therefore counts for more than what it is made of.
"""

from __future__ import annotations

from symdiff.expr.node import Node
from symdiff.expr.views import is_view
from symdiff.simplify.parts import below_movement

_MASK, _BELOW, _WEIGHTED, _ROOT_OF_PRODUCT, _EXP_BRANCH, _BOUNDED = 16, 80, 60, 60, 12, 1


def hidden(node: Node) -> int:
    """The surcharge of the node."""
    rule = _RULES.get(node.op)
    return 0 if rule is None else rule(node)


def _core(x: Node) -> Node:
    return below_movement(x)[0]


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
            total += _depth(core)
        elif core.op == "prod" and e % 1:
            total += _ROOT_OF_PRODUCT
        elif e < 0:
            total += _BELOW * _exponentials(x)
    return total


def _depth(choice: Node) -> int:
    """The choices in a choice through which a factor has to go."""
    deepest = 0
    for x in map(_core, choice.inputs[1:]):
        if x.op == "mul" and x.attr("exponents") == (1.0,):
            x = _core(x.inputs[0])
        deepest = max(deepest, _depth(x) if x.op == "where" else 0)
    return 1 + deepest


def _sum(node: Node) -> int:
    pairs = list(zip(node.inputs, node.attr("coefficients"), strict=True))
    return _BOUNDED * _shifts_bounded(node) + _moments(pairs)


_SIGMOIDAL = frozenset({"sigmoid", "tanh", "erf"})


def _shifts_bounded(node: Node) -> bool:
    """Whether a sum has a bounded function and a number, or might have by taking factors out.

    ``1 + tanh`` is a sigmoid and ``2 σ − 1`` a tanh: what either way decreases is the number.
    """
    if not _is_made_of(node, _SIGMOIDAL):
        return False
    terms, shifted = _terms(node)
    parts = [set(_factors(x)) for x in terms]
    shifted = shifted or any(x.op == "add" for own in parts for x in own)
    return shifted or any(a <= b for a in parts for b in parts if a is not b)


def _is_made_of(node: Node, ops: frozenset[str]) -> bool:
    """Whether one of the operations stands in the sums and products that a node is made of."""
    todo, seen = [node], set[Node]()
    while todo:
        core, _ = below_movement(todo.pop())
        if core.op in ops:
            return True
        if core.op in ("add", "mul") and core not in seen:
            seen.add(core)
            todo += core.inputs
    return False


def _terms(node: Node) -> tuple[list[Node], bool]:
    """The terms of a sum and of the sums among them, and whether there is a number."""
    terms, shifted, todo = [], False, [node]
    while todo:
        core, _ = below_movement(todo.pop())
        scaled = core.op == "mul" and core.attr("exponents") == (1.0,)
        if core.op == "add" or scaled:
            todo += core.inputs
            shifted = shifted or (core.op == "add" and core.attr("constant") != 0)
        else:
            terms.append(core)
    return terms, shifted


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
    return _WEIGHTED * sum(weights(node))


def weights(node: Node) -> list[int]:
    """How many weights of exponentials each operand of a contraction has as factors."""
    if is_view(node):
        return [0]
    factors = [_factors(below_movement(x)[0]) for x in node.inputs]
    others = [sum(y.op != "exp" for y in own) for own in factors]
    return others if sum(others) < sum(map(len, factors)) else [0] * len(others)


def _factors(x: Node) -> list[Node]:
    """The factors of a product as a contraction has them as operands: squares twice."""
    if x.op != "mul":
        return [x]
    found: list[Node] = []
    for y, e in zip(x.inputs, x.attr("exponents"), strict=True):
        found += _factors(below_movement(y)[0]) * (2 if e == 2 else 1)
    return found


def _choice(node: Node) -> int:
    branches = [
        x.inputs[0] if x.op == "mul" and x.attr("exponents") == (1.0,) else x
        for x in node.inputs[1:]
    ]
    return _EXP_BRANCH * any(x.op == "exp" for x in branches)


def _signed(node: Node) -> int:
    (x,) = node.inputs
    return int(x.op == "mul" and x.attr("coefficient") < 0)


#: The odd and the even functions, whose argument's sign comes out.
ODD = ("sinh", "tanh", "arctan", "arcsinh", "arctanh", "arcsin", "erf", "sin", "tan")
EVEN = ("cosh", "cos")

_RULES = {"mul": _product, "add": _sum, "contract": _contraction, "where": _choice}
_RULES |= dict.fromkeys((*ODD, *EVEN), _signed)
