"""Powers beside exponentials, where one is infinite and the other nothing.

x² e^(−x²) is (x e^(−x²/2))², each factor of which is in range for any x; x² (eᵃ + y²) e^(−b) is
made of e^(a − b), which is 1 for a = b however large they are.  And of a sum s that overflows,
s e^u is 0 once u is far below what the logarithm of any sum of powers can make up for.  A last
step, as products are given their order.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuilt
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import Product, as_like, product_of, sum_of

_HIGHEST = 700.0
_WIDE = 1e50
#: e^u is less than any power of a float64, up to the hundredth, for u below this.
_FAR = -1e5
_MOST = 100
_MUCH = 200
_GROWS = frozenset(("exp", "expm1", "sinh", "cosh", "pow", "tan", "prod", "loop", "cumsum"))


def tempered(roots: Sequence[Node]) -> list[Node]:
    """The roots, with exponentials taken into the powers and sums beside them."""
    made = {"mul": _product, "contract": _contraction}
    return rebuilt(roots, lambda node: made[node.op](node) if node.op in made else node)


def _product(node: Node, beside: bool = False) -> Node:
    """The product; ``beside`` others, squares are taken into any exponential."""
    product = product_of(node)
    power = _exponential(product)
    if power is None:
        return node
    (u,) = power.inputs
    rest = product.without(power)
    for base, e in rest.factors.items():
        if base.op == "add" and e == 1 and _is_heap(base):
            total = sum_of(base)
            terms = [(_times_exp(x, u), c) for x, c in total.terms.items()]
            terms += [(power, total.constant)] if total.constant else []
            return rest.without(base).times(linear_combination(terms), 1.0).node(node)
    squares = {x: e for x, e in rest.factors.items() if e >= 2 and e % 1 == 0 and _is_wide(x)}
    if not beside:  # of what makes the exponential small, if it is large
        own = _variables(u) if u.facts.hi <= 0 else set()
        squares = {x: e for x, e in squares.items() if own & _variables(x)}
    if squares:
        base, k = max(squares.items(), key=lambda pair: (pair[1], pair[0].digest))
        root = scalar("exp", power_product([(u, 1.0)], 1 / k))
        small = power_product([(base, 1.0), (root, 1.0)])
        return rest.without(base).times(small, k).node(node)
    if any(_may_overflow(x) for x, e in rest.factors.items() if e > 0):
        far = scalar("lt", u, _FAR)
        return as_like(scalar("where", far, 0.0, node), node)
    return node


def _exponential(product: Product) -> Node | None:
    """The exponential in a product, if it is one that may be nothing or infinite."""
    found = [x for x, e in product.factors.items() if x.op == "exp" and e == 1]
    if len(found) != 1:
        return None
    facts = found[0].inputs[0].facts
    return None if facts.lo > -_HIGHEST and facts.hi < _HIGHEST else found[0]


def _is_heap(total: Node) -> bool:
    """Whether a node is a sum of what is not negative, an exponential among it."""
    own = sum_of(total)
    signs = own.constant >= 0 and all(c > 0 and x.facts.nonnegative for x, c in own.terms.items())
    return signs and any(_exponential(product_of(x)) is not None for x in own.terms)


def _times_exp(x: Node, u: Node) -> Node:
    """x eᵘ, of one exponential."""
    product = product_of(x)
    power = _exponential(product)
    exponent = u
    if power is not None:
        product = product.without(power)
        exponent = linear_combination([(power.inputs[0], 1.0), (u, 1.0)])
    made = product.times(scalar("exp", exponent), 1.0).bare(u.dtype)
    return _product(made, beside=True) if made.op == "mul" else made


def _is_wide(x: Node) -> bool:
    """Whether a square of the node may leave the range."""
    return not (x.facts.lo > -_WIDE and x.facts.hi < _WIDE)


def _may_overflow(x: Node) -> bool:
    """Whether a sum has powers that may be infinite, and no more than powers."""
    if x.op != "add" or not any(_is_power(term) for term in sum_of(x).terms):
        return False
    below = _below(x)
    return below is not None and all(each.op not in _GROWS and _is_tame(each) for each in below)


def _below(x: Node) -> list[Node] | None:
    """What a node is made of; None if that is much, which is not looked at once a product."""
    found, at = {x: None}, [x]
    while at:
        new = [y for y in at.pop().inputs if y not in found]
        found |= dict.fromkeys(new)
        at += new
        if len(found) > _MUCH:
            return None
    return list(found)


def _variables(x: Node) -> set[Node]:
    return {each for each in _below(x) or () if OPS[each.op].leaf and each.op != "constant"}


def _is_power(term: Node) -> bool:
    return any(e >= 2 and _is_wide(base) for base, e in product_of(term).factors.items())


def _is_tame(x: Node) -> bool:
    if x.op == "mul":
        return all(abs(e) <= _MOST for e in x.attr("exponents"))
    return OPS[x.op].leaf or OPS[x.op].elementwise or x.op in ("add", "contract")


def _contraction(node: Node) -> Node:
    """Σ x² eᵘ as the sum of (x e^(u/2))²."""
    operands = list(zip(node.inputs, node.attr("indices"), strict=True))
    for i, (x, own) in enumerate(operands):
        if _exponential(product_of(x)) is None:
            continue
        for j, (y, other) in enumerate(operands):
            if i == j or own != other or x.shape != y.shape:
                continue
            merged = product_of(x)
            powers = product_of(y)
            for base, e in powers.factors.items():
                merged = merged.times(base, e)
            merged = Product(merged.factors, merged.coefficient * powers.coefficient)
            whole = as_like(merged.bare(node.dtype), x)
            made = _product(whole)
            if made is whole:
                continue
            rest = [pair for k, pair in enumerate(operands) if k not in (i, j)]
            rest.append((as_like(made, x), own))
            inputs, names = [z for z, _ in rest], [n for _, n in rest]
            return as_like(
                contract(inputs, names, node.attr("out"), dict(node.attr("sizes"))), node
            )
    return node
