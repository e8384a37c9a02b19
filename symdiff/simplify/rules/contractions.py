"""The algebra of contractions: traces, diagonals, sums of products, factors that terms share.

Matrix identities (The Matrix Cookbook, sections 1.1 and 2; XLA's algebraic simplifier) become one
law each over named indices: ``tr(A B)``, the sum of a matrix product and its diagonal all leave
out of a product what is not asked for; a diagonal matrix is a product with an identity, which
renames an index.  In which order the rest is evaluated is the planner's affair
(:mod:`symdiff.simplify.contraction`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract, is_identity
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.records import record
from symdiff.expr.shapes import Size
from symdiff.expr.views import Indices, is_view, make_view, transpose
from symdiff.simplify.cost import at, contraction_space, elements
from symdiff.simplify.parts import Product, as_like, core_of, is_square, product_of, sum_of
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.algebra import spared
from symdiff.simplify.rules.canonical import flatten_product


@record(frozen=True, slots=True)
class Parts:
    """A contraction as its operands, their indices, and the result's."""

    operands: tuple[Node, ...]
    indices: tuple[Indices, ...]
    out: Indices
    sizes: Mapping[int, Size]

    def replaced(self, at: int, new: list[tuple[Node, Indices]]) -> Node:
        """The contraction with one operand replaced by others."""
        pairs = list(zip(self.operands, self.indices, strict=True))
        pairs[at : at + 1] = new
        return contract([x for x, _ in pairs], [n for _, n in pairs], self.out, self.sizes)

    @property
    def fresh(self) -> int:
        """An index that is not in use."""
        return 1 + max((n for own in (*self.indices, self.out) for n in own), default=0)

    def own(self, at: int) -> set[int]:
        """The indices of an operand that are summed and that no other has."""
        others = {n for i, names in enumerate(self.indices) if i != at for n in names}
        return set(self.indices[at]) - others - set(self.out)


def parts_of(node: Node) -> Parts:
    """A contract node taken apart."""
    return Parts(node.inputs, node.attr("indices"), node.attr("out"), dict(node.attr("sizes")))


def is_product(node: Node) -> bool:
    """Whether the node is a contraction that is no view."""
    return node.op == "contract" and not is_view(node)


@rule("real-only", "contract")
def sum_of_contraction(node: Node, context: Context) -> Rewrite | None:
    """Σ_i (A B)_ij = (Σ_i A_ik) B_kj, tr(A B) = Σ A_ij B_ji: only what is asked for"""
    parts = parts_of(node)
    for at_, x in enumerate(node.inputs):
        names = parts.indices[at_]
        if not is_product(x) or len(x.inputs) < 2 or context.is_shared(x):
            continue
        if len(set(names)) == len(names) and not parts.own(at_):
            continue
        inner, fresh = parts_of(x), parts.fresh
        rename = dict(zip(inner.out, names, strict=True))
        for own in inner.indices:
            for n in own:
                if n not in rename:
                    rename[n], fresh = fresh, fresh + 1
        new = [
            (y, tuple(rename[n] for n in own))
            for y, own in zip(inner.operands, inner.indices, strict=True)
        ]
        bindings = {f"A{i}": y for i, y in enumerate(inner.operands)}
        return Rewrite(as_like(parts.replaced(at_, new), node), bindings)
    return None


@rule("real-only", "contract", needs=("one_hot",))
def product_with_diagonal(node: Node, context: Context) -> Rewrite | None:
    """diag(v) A = v[:, None] A, A diag(v) = A v, and the diagonal of diag(v) is v"""
    parts = parts_of(node)
    for at_, x in enumerate(node.inputs):
        if x.op != "mul":
            continue
        names = parts.indices[at_]
        for factor, e in product_of(x).factors.items():
            if e < 0 or not is_identity(core_of(factor)):
                continue
            own = [n for n, s in zip(names[len(names) - factor.ndim :], factor.shape, strict=True)
                   if s != 1]  # fmt: skip
            if len(own) != 2 or (own[0] != own[1] and set(own) <= set(parts.out)):
                continue
            rest = product_of(x).without(factor).bare(x.dtype)
            new = [(y, names[len(names) - y.ndim :]) for y in (rest, factor)]
            return Rewrite(as_like(parts.replaced(at_, new), node), {"v": rest})
    return None


@rule("exact", "contract", housekeeping=True)
def transpose_of_product(node: Node, context: Context) -> Node | None:
    """(A B)ᵀ = Bᵀ Aᵀ, where nothing else needs A B"""
    if not is_view(node) or not is_product(node.inputs[0]) or context.is_shared(node.inputs[0]):
        return None
    (names,), (x,) = node.attr("indices"), node.inputs
    if sorted(names) != sorted(node.attr("out")) or len(x.inputs) < 2:
        return None
    inner = parts_of(x)
    rename = dict(zip(names, inner.out, strict=True))
    return contract(inner.operands, inner.indices, [rename[n] for n in node.attr("out")])


@rule("exact", "contract")
def transpose_of_symmetric(node: Node, context: Context) -> Rewrite | None:
    """Aᵀ = A, for symmetric A"""
    parts = parts_of(node)
    for at_, (x, names) in enumerate(zip(node.inputs, parts.indices, strict=True)):
        if not x.facts.symmetric or len(names) != 2 or is_identity(x):
            continue
        if is_view(node):
            if parts.out == names[::-1] and names[0] != names[1]:
                return Rewrite(x, {"A": x}, x.facts.declared)
        elif names[0] > names[1]:
            new = parts.replaced(at_, [(x, names[::-1])])
            return Rewrite(as_like(new, node), {"A": x}, x.facts.declared)
    return None


@rule("real-only", "contract", housekeeping=True)
def constant_factor_of_sum(node: Node, context: Context) -> Node | None:
    """Σ_j c_i x_ij = c_i Σ_j x_ij"""
    if len(node.inputs) != 1 or is_view(node) or node.inputs[0].op != "mul":
        return None
    (names,), (product,) = node.attr("indices"), node.inputs
    if len(set(names)) < len(names):
        return None
    if any(flatten_product(x, context) for x in (product, *product.inputs) if x.op == "mul"):
        return None
    factors = product_of(product)
    summed = [a for a, n in enumerate(names) if n not in node.attr("out")]
    fixed = [
        x for x in factors.factors
        if all(a < product.ndim - x.ndim or x.shape[a - product.ndim + x.ndim] == 1 for a in summed)
    ]  # fmt: skip
    rest = factors.without(*fixed)
    if not fixed or not rest.factors:
        return None
    if context.is_shared(product) and not _sums_to_one(rest, summed, product.ndim):
        return None
    if is_square(factors):
        return None
    inner = as_like(rest.bare(product.dtype), product)
    total = contract([inner], [names], node.attr("out"), dict(node.attr("sizes")))
    out, shape = node.attr("out"), node.shape
    views = []
    for x, e in factors.without(*rest.factors).factors.items():
        own = names[len(names) - x.ndim :]
        views.append((make_view(x, own, out, _kept_sizes(x, own, out, shape)), e))
    return as_like(power_product([*views, (total, 1.0)], factors.coefficient), node)


def _sums_to_one(rest: Product, axes: Sequence[int], rank: int) -> bool:
    """Whether a product is one factor whose sum along an axis is known to be 1."""
    (x, *more), e = rest.factors, next(iter(rest.factors.values()))
    known = {axis + rank - x.ndim for axis in x.facts.sums_to_one}
    return not more and e == 1 and not known.isdisjoint(axes)


def _kept_sizes(x: Node, own: Indices, out: Indices, shape: tuple[Size, ...]) -> tuple[Size, ...]:
    """The sizes of the result's axes in one operand: 1 where it repeats itself."""
    have = dict(zip(own, x.shape, strict=True))
    return tuple(have.get(n, 1) if n in have else 1 for n, _ in zip(out, shape, strict=True))


def _aligned(first: Parts, other: Parts) -> tuple[int, int, dict[int, int]] | None:
    """The places of the operands in which two contractions differ, and the second's indices.

    They must be the same but for one operand of each, over the same indices.
    """
    if len(first.operands) != len(other.operands) or len(first.operands) < 2:
        return None
    rename = dict(zip(other.out, first.out, strict=True))
    left = list(range(len(first.operands)))
    unmatched = []
    for j, (y, names) in enumerate(zip(other.operands, other.indices, strict=True)):
        i = next((i for i in left if first.operands[i] is y
                  and _agrees(names, first.indices[i], rename)), None)  # fmt: skip
        if i is None:
            unmatched.append(j)
        else:
            left.remove(i)
            rename |= zip(names, first.indices[i], strict=True)
    if len(left) != 1 or len(unmatched) != 1:
        return None
    i, j = left[0], unmatched[0]
    names = tuple(rename.get(n, -1) for n in other.indices[j])
    own = first.indices[i]
    if sorted(names) != sorted(own) or len(set(own)) < len(own):
        return None
    return i, j, rename


def _agrees(names: Indices, wanted: Indices, rename: Mapping[int, int]) -> bool:
    taken = set(rename.values())
    return all(
        rename[n] == m if n in rename else m not in taken
        for n, m in zip(names, wanted, strict=True)
    )


def sharing(sets: Sequence[set[Node]]) -> list[list[int]]:
    """For each set, the later ones that share a node with it: linear where few do."""
    holders: dict[Node, list[int]] = {}
    for k, own in enumerate(sets):
        for x in own:
            holders.setdefault(x, []).append(k)
    return [
        sorted({m for x in own for m in holders[x] if m > k}) if own else []
        for k, own in enumerate(sets)
    ]


@rule("real-only", "add")
def common_operand(node: Node, context: Context) -> Rewrite | None:
    """A B + A C = A (B + C), where that saves a product"""

    def saves(x: Node, b: Node, c: Node) -> bool:
        return at(contraction_space(x)) > 2 * at(elements(b))

    return _joined(node, context, saves)


@rule("real-only", "add")
def common_vector(node: Node, context: Context) -> Rewrite | None:
    """A x + Aᵀ x = (A + Aᵀ) x"""
    return _joined(node, context, lambda x, b, c: core_of(b) is core_of(c))


def _joined(
    node: Node, context: Context, worth: Callable[[Node, Node, Node], bool]
) -> Rewrite | None:
    """The sum with two products joined that differ in one operand, where that is worth it."""
    terms = [
        (x, c) for x, c in sum_of(node).terms.items()
        if is_product(x) and not context.is_shared(x) and x.shape == node.shape
    ]  # fmt: skip
    partners = sharing([set(x.inputs) for x, _ in terms])
    for k, (x, c) in enumerate(terms):
        first = parts_of(x)
        for y, d in (terms[m] for m in partners[k]):
            other = parts_of(y)
            found = _aligned(first, other)
            if found is None:
                continue
            i, j, rename = found
            b, own = first.operands[i], first.indices[i]
            if not worth(y, b, other.operands[j]):
                continue
            names = [rename[n] for n in other.indices[j]]
            moved = transpose(other.operands[j], [names.index(n) for n in own])
            inner = linear_combination([(b, c), (moved, d)])
            merged = first.replaced(i, [(inner, own)])
            rest = sum_of(node).without(x, y).plus(as_like(merged, node), 1.0)
            return Rewrite(rest.node(node), {"B": b, "C": other.operands[j]})
    return None


@rule("real-only", "mul", "contract", housekeeping=True)
def scale_of_factor(node: Node, context: Context) -> Node | None:
    """x (c a + c) = c x (a + 1), for a number c"""
    if is_view(node) or (node.op == "mul" and len(node.inputs) == 1):
        return None
    for i, x in enumerate(node.inputs):
        total = sum_of(x) if x.op == "add" else None
        scale = abs(total.constant) if total is not None else 0.0
        whole = node.op == "contract" or node.attr("exponents")[i] == 1
        if total is None or not whole or scale in (0.0, 1.0):
            continue
        if any(abs(c) != scale for c in total.terms.values()):
            continue
        terms = [(y, c / scale) for y, c in total.terms.items()]
        inputs = list(node.inputs)
        inputs[i] = as_like(linear_combination(terms, total.constant / scale), x)
        return as_like(power_product([(rebuild(node, inputs), 1.0)], scale), node)
    return None


@rule("real-only", "add")
def common_power(node: Node, context: Context) -> Rewrite | None:
    """a b + a³ c = a (b + a² c)"""
    terms = sum_of(node)
    if terms.constant or len(terms.terms) < 2:
        return None
    products = [(product_of(x), c) for x, c in terms.terms.items()]
    common = {
        a: min([t.factors[a] for t, _ in products])
        for a in products[0][0].factors
        if all(a in t.factors for t, _ in products)
    }
    common = {a: e for a, e in common.items() if e > 0 and e == int(e)}
    shared = any(x.op == "mul" and context.is_shared(x) for x in terms.terms)
    if not common or spared(node, common, context) < int(shared):
        return None
    rest = []
    for t, c in products:
        for a, e in common.items():
            t = t.times(a, -e)
        rest.append((t.bare(node.dtype), c))
    inner = as_like(linear_combination(rest), node)
    names = {f"a{i}": a for i, a in enumerate(common)}
    return Rewrite(as_like(power_product([*common.items(), (inner, 1.0)]), node), names)


CANONICAL: tuple[Rule, ...] = (
    sum_of_contraction,
    transpose_of_product,
    constant_factor_of_sum,
    common_operand,
    scale_of_factor,
)
#: Fewer calls, and as much to compute: for lone formulas.
SHORT: tuple[Rule, ...] = (common_vector, transpose_of_symmetric)
FOLDING: tuple[Rule, ...] = (
    product_with_diagonal,
    transpose_of_symmetric,
    common_power,
)
