"""Products multiplied in an order in which nothing overflows that the result does not.

(p/q)² for p²/q², (a/s) (b/s) for a b/s²: the squares of small numbers are nothing, those of large
ones infinite, while each step of the balanced order is between the operands and the result.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import power_product
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.expr.views import is_view, rewrap
from symdiff.simplify.parts import Product, as_like, product_of

_DIVIDES = frozenset({"reciprocal_or_zero"})
_BOUNDED = frozenset({"cast", "sign", "softmax", "sigmoid", "tanh", "sin", "cos", "erf", "erfc"})


def balanced(roots: Sequence[Node]) -> list[Node]:
    """The roots, with products that divide by a square or more as nested quotients."""
    return rebuilt(roots, lambda node: _MADE.get(node.op, _same)(node))


def _same(node: Node) -> Node:
    return node


def opened_scalars(product: Product) -> Product:
    """The product with those of scalars, and quotients of rows, among its factors multiplied out.

    So x (x·y) / ‖x‖³ is one product, also where each row has a norm of its own.
    """
    for base, e in list(product.factors.items()):
        if is_view(base) and e == 1 and len(product.factors) > 1:
            product = _opened_rows(product, base)
        if base.op == "mul" and base.ndim == 0 and e == 1:
            inner = product_of(base)
            product = Product(product.factors, product.coefficient * inner.coefficient)
            product = product.without(base)
            for x, p in inner.factors.items():
                product = product.times(x, p)
    return product


def _opened_rows(product: Product, base: Node) -> Product:
    """The product with a view of a quotient as the quotient of views."""
    core = base.inputs[0]
    names = base.attr("indices")[0]
    if core.op != "mul" or len(set(names)) < len(names) or core.ndim == 0:
        return product
    inner = product_of(core)
    if min(inner.factors.values()) >= 0 or any(x.shape != core.shape for x in inner.factors):
        return product
    product = Product(product.factors, product.coefficient * inner.coefficient).without(base)
    for x, p in inner.factors.items():
        product = product.times(rewrap(base, x), p)
    return product


def _product(node: Node) -> Node:
    product = opened_scalars(product_of(node))
    if not _divides_twice(product):
        return node
    return as_like(_alternating(_powers_of_quotients(product)), node)


def _divides_twice(product: Product) -> bool:
    if all(e <= 1 for e in product.factors.values()):  # of these, quotients are taken one by one
        product = product.without(
            *(x for x, e in product.factors.items() if _is_root(x) and e >= -2)
        )
    units = sum(
        -min(e, 0.0) + max(e, 0.0) * (x.op in _DIVIDES)
        for x, e in product.factors.items()
        if not _is_safe(x)
    )
    lowest = min((e for x, e in product.factors.items() if not _is_safe(x)), default=0.0)
    guarded = any(x.op in _DIVIDES for x in product.factors)
    return lowest <= -1.5 or (guarded and units >= 2)


def _is_root(x: Node) -> bool:
    return x.op == "hypot"


def _is_safe(x: Node) -> bool:
    """Whether the node's powers stay in range."""
    lo, hi = x.facts.lo, x.facts.hi
    return x.op in ("size", "constant") or (lo > 1e-50 and hi < 1e50)


def _contraction(node: Node) -> Node:
    """Σ a b⁻² as Σ (a/b)/b."""
    operands = list(zip(node.inputs, node.attr("indices"), strict=True))
    for i, (x, own) in enumerate(operands):
        lowest = min((e for b, e in product_of(x).factors.items() if not _is_safe(b)), default=0.0)
        if x.op != "mul" or lowest > -1 or (lowest > -1.5 and len(x.inputs) > 1):
            continue
        for j, (y, other) in enumerate(operands):
            if i == j or own != other or x.shape != y.shape:
                continue
            if lowest > -1.5:
                if y.op == "mul" and len(y.inputs) == 1 and y.attr("exponents")[0] == 2:
                    return _square_shared(node, operands, i, j)
                continue
            merged = product_of(y)
            for base, e in product_of(x).factors.items():
                merged = merged.times(base, e)
            merged = Product(merged.factors, merged.coefficient * x.attr("coefficient"))
            rest = [pair for k, pair in enumerate(operands) if k not in (i, j)]
            rest.append((_product(merged.bare(node.dtype)), own))
            made = contract(
                [z for z, _ in rest],
                [n for _, n in rest],
                node.attr("out"),
                dict(node.attr("sizes")),
            )
            return as_like(made, node)
    return node


def _square_shared(
    node: Node, operands: list[tuple[Node, tuple[int, ...]]], i: int, j: int
) -> Node:
    """Σ a² b⁻¹ as Σ (a/b) a."""
    (x, own), (y, _) = operands[i], operands[j]
    (a,) = y.inputs
    quotient = as_like(power_product([(a, 1.0), (x, 1.0)], y.attr("coefficient")), y)
    rest = [pair for k, pair in enumerate(operands) if k not in (i, j)]
    rest += [(quotient, own), (a, own)]
    made = contract(
        [z for z, _ in rest], [n for _, n in rest], node.attr("out"), dict(node.attr("sizes"))
    )
    return as_like(made, node)


_MADE = {"mul": _product, "contract": _contraction}


def _powers_of_quotients(product: Product) -> Product:
    """aᵏ b⁻ᵏ as (a/b)ᵏ, for k ≥ 2."""
    groups: dict[float, list[tuple[Node, float]]] = {}
    for x, e in product.factors.items():
        if abs(e) >= 2 and e % 1 == 0:
            groups.setdefault(abs(e), []).append((x, e / abs(e)))
    for k, members in groups.items():
        if len(members) < 2:
            continue
        above = [x for x, s in members if s > 0]
        inner = Product(dict(members), 1.0)
        sign = 1.0
        if not above:  # one division instead of several
            inner, sign = Product({x: 1.0 for x, _ in members}, 1.0), -1.0
        quotient = power_product(list(inner.factors.items()))
        product = product.without(*(x for x, _ in members)).times(quotient, sign * k)
    return product


def _alternating(product: Product) -> Node:
    """Each unit of what stands below the line dividing one of what stands above."""
    above: list[Node] = []
    rest: list[tuple[Node, float]] = []
    below: list[tuple[Node, float]] = []
    for x, e in product.factors.items():
        if x.op in _DIVIDES and e >= 1 and e % 1 == 0:
            below[:0] = [(x, 1.0)] * int(e)
        elif e < 0:
            units = int(-e)
            below += [(x, -1.0)] * units + ([(x, -(-e - units))] if -e > units else [])
        elif e > 2 or x.op in _BOUNDED:
            rest.append((x, e))
        elif e % 1:
            above.append(power_product([(x, e)]))
        else:
            above += [x] * int(e)
    if not above and not rest:
        return power_product(list(product.factors.items()), product.coefficient)
    above.sort(key=lambda x: (-x.ndim, x.digest))
    below.sort(key=lambda pair: (-pair[1], pair[0].ndim, pair[0].digest))
    quotients: list[Node] = []
    while above and below:
        quotients.append(power_product([(above.pop(0), 1.0), below.pop(0)]))
    if not quotients:
        return power_product(list(product.factors.items()), product.coefficient)
    bounded = [x for x, e in rest if e == 1 and x.op in _BOUNDED]
    while below and bounded:  # which may be as small as what they are divided by
        x = bounded.pop()
        rest.remove((x, 1.0))
        quotients.append(power_product([(x, 1.0), below.pop(0)]))
    while below:
        quotients[0] = power_product([(quotients[0], 1.0), below.pop(0)])
    factors = [*((q, 1.0) for q in quotients), *((x, 1.0) for x in above), *rest]
    return power_product(factors, product.coefficient)
