"""Means and variances: centred before they are squared.

``E[x²] − E[x]²`` loses all digits where the mean is large (Chan, Golub and LeVeque 1983); so does
a sum of what sums to zero.
"""

from __future__ import annotations

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node
from symdiff.expr.numbers import number_of, size_node
from symdiff.expr.shapes import shape_size
from symdiff.expr.views import expand_dims
from symdiff.simplify.parts import Product, is_constant_along, place, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.reductions import own_axes, without_axes


def summed(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """(x, axes) of a plain sum of x over axes, the others kept in order."""
    if node.op != "contract" or len(node.inputs) != 1:
        return None
    (names,), out = node.attr("indices"), node.attr("out")
    axes = tuple(a for a, n in enumerate(names) if n not in out)
    kept = tuple(n for n in names if n in out)
    if not axes or len(set(names)) != len(names) or kept != tuple(out):
        return None
    return node.inputs[0], axes


def _count(x: Node, axes: tuple[int, ...]) -> Node:
    return size_node(shape_size(tuple(x.shape[a] for a in axes)), x.dtype)


def _is_over(ratio: Product, count: Node, sign: float) -> bool:
    """Whether a product of scalars is sign / count."""
    whole = ratio.times(count, 1.0) if number_of(count) is None else ratio
    value = number_of(count)
    k = whole.coefficient * (1.0 if value is None else value)
    return not whole.factors and abs(k - sign) <= 1e-12


def _sum_factor(product: Product) -> list[Node]:
    return [b for b, e in product.factors.items() if e == 1 and _seen(b) is not None]


def _seen(x: Node) -> Node | None:
    """The sum that a term is, seen through a view."""
    core, _ = place(x, x.ndim)
    return core if summed(core) is not None else None


def centred(node: Node) -> tuple[Node, tuple[int, ...], Product] | None:
    """(x, axes, w) of a sum that is w (x − the mean of x along axes), w of any shape."""
    if node.op != "add" or len(node.inputs) != 2 or node.attr("constant"):
        return None
    terms = [(x, c, product_of(x)) for x, c in sum_of(node).terms.items()]
    for first, second in (terms, terms[::-1]):
        _, d, p = second
        for base in _sum_factor(p):
            total, places = place(base, node.ndim)
            found = summed(total)
            if found is None:
                continue
            x, axes = found
            if x.shape != node.shape or not _stands(total, x, axes, places):
                continue
            rest = Product(p.factors, d * p.coefficient).without(base)
            own, c, q = first
            if own is x:
                weight = Product({}, c)
            elif q.factors.get(x) == 1:
                weight = Product(q.without(x).factors, c * q.coefficient)
            else:
                continue
            ratio = Product(rest.factors, rest.coefficient / weight.coefficient)
            for b, e in weight.factors.items():
                ratio = ratio.times(b, -e)
            if _is_over(ratio, _count(x, axes), -1.0):
                return x, axes, weight
    return None


def _stands(total: Node, x: Node, axes: tuple[int, ...], places: tuple[int | None, ...]) -> bool:
    """Whether the sum's kept axes stand where they stood in x."""
    kept = [a for a in range(x.ndim) if a not in axes]
    return all(p == a or x.shape[a] == 1 for a, p in zip(kept, places, strict=True))


def mean_of(x: Node, axes: tuple[int, ...]) -> Node:
    """The mean of x along axes, kept with size 1."""
    kept = [a for a in range(x.ndim) if a not in axes]
    total = contract([x], [range(x.ndim)], kept)
    return expand_dims(power_product([(total, 1.0), (_count(x, axes), -1.0)]), axes)


@rule("stabler", "contract")
def sum_of_centred(node: Node, context: Context) -> Rewrite | None:
    """Σ (x − mean x) = 0"""
    for at, operand in enumerate(node.inputs):
        found = centred(operand)
        if found is None:
            continue
        x, axes, weight = found
        constant = all(is_constant_along(w, axes, operand.ndim) for w in weight.factors)
        if constant and set(axes) <= set(own_axes(node, at)):
            return Rewrite(without_axes(node, at, axes, 0.0), {"x": x})
    return None


@rule("real-only", "add")
def centre(node: Node, context: Context) -> Rewrite | None:
    """a x − a mean x = a (x − mean x)"""
    found = centred(node)
    if found is None:
        return None
    x, axes, weight = found
    if not weight.factors and abs(weight.coefficient) == 1:
        return None
    less = linear_combination([(x, 1.0), (mean_of(x, axes), -1.0)])
    return Rewrite(weight.times(less, 1.0).node(node), {"x": x})


def _squares(total: Node) -> tuple[Node, Node, tuple[int, ...]] | None:
    """(x, y, axes) of a sum of x y over axes, both of one shape, the other axes kept in order."""
    if total.op != "contract" or len(total.inputs) > 2:
        return None
    out = total.attr("out")
    if len(total.inputs) == 1:
        pair = _factors(total.inputs[0])
        if pair is None:
            return None
        (x, y), a, b = pair, total.attr("indices")[0], total.attr("indices")[0]
    else:
        (x, y), (a, b) = total.inputs, total.attr("indices")
    if a != b or x.shape != y.shape or len(set(a)) != len(a):
        return None
    axes = tuple(i for i, n in enumerate(a) if n not in out)
    if not axes or tuple(n for n in a if n in out) != tuple(out):
        return None
    return x, y, axes


def _factors(node: Node) -> tuple[Node, Node] | None:
    """(x, y) of a product x y of two arrays, with y = x a square."""
    if node.op != "mul" or node.attr("coefficient") != 1:
        return None
    exponents = node.attr("exponents")
    if exponents == (2.0,):
        return node.inputs[0], node.inputs[0]
    return (node.inputs[0], node.inputs[1]) if exponents == (1.0, 1.0) else None


@rule("stabler", "add")
def centred_moment(node: Node, context: Context) -> Rewrite | None:
    """mean(x y) − mean x mean y = mean((x − mean x) (y − mean y)), with y = x the variance"""
    total = sum_of(node)
    products = {term: product_of(term) for term in total.terms}
    holders: dict[Node, list[Node]] = {}
    for term, p in products.items():
        for base in p.factors:
            holders.setdefault(base, []).append(term)
    for term, c in total.terms.items():
        p = products[term]
        for base, e in p.factors.items():
            core, _ = place(base, base.ndim)
            found = _squares(core) if e == 1 else None
            if found is None:
                continue
            x, y, axes = found
            kept = [a for a in range(x.ndim) if a not in axes]
            sums = [contract([z], [range(x.ndim)], kept) for z in (x, y)]
            for other in holders.get(_as_base(base, core, sums[0]), ()):
                q, d = products[other], total.terms[other]
                ratio = Product(q.factors, d * q.coefficient / (c * p.coefficient))
                for z in sums:
                    ratio = ratio.times(_as_base(base, core, z), -1.0)
                for b, k in p.without(base).factors.items():
                    ratio = ratio.times(b, -k)
                if not _is_over(ratio, _count(x, axes), -1.0):
                    continue
                parts = [linear_combination([(z, 1.0), (mean_of(z, axes), -1.0)]) for z in (x, y)]
                moment = contract(parts, [range(x.ndim)] * 2, kept)
                new = p.without(base).times(_as_base(base, core, moment), 1.0)
                result = total.without(term, other).plus(new.bare(node.dtype), c)
                return Rewrite(result.node(node), {"x": x, "y": y})
    return None


def _as_base(base: Node, core: Node, other: Node) -> Node:
    """Another node where the core stands in the base."""
    from symdiff.expr.views import rewrap

    return other if base is core else rewrap(base, other)


RULES: tuple[Rule, ...] = (sum_of_centred, centred_moment)
ACCURATE: tuple[Rule, ...] = (centre,)
