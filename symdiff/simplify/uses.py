"""Weights that are used many times: one contraction over all of the uses.

Reverse mode writes the per-example gradient of a weight that is used U times as the sum of U outer
products, ``G = Σ_u Σ_t h_ut ⊗ z̄_ut``.  The square of such a sum has U² terms.  But the uses can be
an axis like any other: with the h and the z̄ put one behind the other along it, G is one
contraction and ‖G‖² a sum over two Gram matrices, however many uses there are, and whether a use
is transposed, in slices, or at several positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination
from symdiff.expr.contraction import contract
from symdiff.expr.graph import consumers, substitute, toposort
from symdiff.expr.movement import concatenate, reshape
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size, shape_size
from symdiff.expr.views import is_view
from symdiff.simplify.figure import Indices
from symdiff.simplify.network import Operand
from symdiff.simplify.terms import ON_AXES, Expander, Term

FEW = 4  # uses whose pairs are written out


@dataclass(frozen=True)
class _Use:
    """An outer product: what has the axes ``left`` of the result, and what has the others.

    Both arrays are (examples, positions, own axes...).
    """

    left: Indices
    sides: tuple[Node, Node]


def gathered(roots: Sequence[Node], order: Sequence[Node] | None = None) -> list[Node]:
    """The roots, where sums of many outer products that are squared are single contractions.

    ``order`` is a topological order of the graph, where there is one already.
    """
    order = toposort(roots) if order is None else order
    found: dict[Node, Node] = {}
    kept = set(roots)
    long = [x for x in order if x.op == "add" and len(x.inputs) > FEW and x not in kept]
    readers = consumers(order) if long else {}
    for node in long:
        squared = any(_squares(user, node) for user in readers[node])
        if squared and all(user.op == "contract" for user in readers[node]):
            new = _gathered(node)
            if new is not node:
                found[node] = new
    return list(substitute(roots, found)) if found else list(roots)


def is_gathered(node: Node) -> bool:
    """Whether an operand holds several uses one behind the other."""
    while is_view(node) or node.op == "mul":
        node = node.inputs[0]
    return node.op == "concatenate"


def _squares(user: Node, node: Node) -> bool:
    return user.op == "contract" and user.inputs.count(node) == 2


def _gathered(node: Node) -> Node:
    """A sum with the outer products of one kind in it as one contraction."""
    kinds: dict[Indices, list[_Use]] = {}
    rest: list[tuple[Node, float]] = []
    for x, c in zip(node.inputs, node.attr("coefficients"), strict=True):
        use = _use(x, c) if x.shape == node.shape else None
        if use is None:
            rest.append((x, c))
        else:
            kinds.setdefault(use.left, []).append(use)
    for left, uses in kinds.items():
        joined = [concatenate([use.sides[side] for use in uses], 1) for side in (0, 1)]
        right = tuple(a for a in range(1, node.ndim) if a not in left)
        names = [(0, node.ndim, *left), (0, node.ndim, *right)]
        rest.append((contract(joined, names, tuple(range(node.ndim))), 1.0))
    if len(rest) == len(node.inputs):
        return node
    return linear_combination(rest, node.attr("constant"))


def _use(x: Node, coefficient: float) -> _Use | None:
    """An addend as an outer product of two arrays; None if it is none."""
    opened = {x}
    core = x
    while is_view(core) or core.op in ("reshape", *ON_AXES):
        core = core.inputs[0]
        opened.add(core)
    if core.op not in ("contract", "mul"):
        return None
    expander = Expander(opened)
    out = tuple(expander.index(size) for size in x.shape)
    terms = expander.expand(x, out)
    if len(terms) != 1:
        return None
    (term,) = terms
    if any(operand.picks is not None for operand in term.operands):
        return None
    groups = _joined(term.operands, out[1:])
    if len(groups) != 2 or groups[0][0] | groups[1][0] != {*out[1:]}:
        return None
    groups.sort(key=lambda group: min(group[0]))
    spare = [o for o in term.operands if not set(o.names) & set(out[1:])]
    groups[0][1].extend(spare)
    return _sides(expander.sizes, term, out, groups, coefficient)


def _joined(operands: Sequence[Operand], axes: Indices) -> list[tuple[set[int], list[Operand]]]:
    """The operands grouped by the axes of the result that they share, directly or not."""
    groups: list[tuple[set[int], list[Operand]]] = []
    for operand in operands:
        own = set(operand.names) & set(axes)
        if not own:
            continue
        members = [operand]
        apart = []
        for names, others in groups:
            if names & own:
                own |= names
                members = [*others, *members]
            else:
                apart.append((names, others))
        groups = [*apart, (own, members)]
    return groups


def _sides(
    sizes: dict[int, Size],
    term: Term,
    out: Indices,
    groups: Sequence[tuple[set[int], list[Operand]]],
    coefficient: float,
) -> _Use:
    """The products of the two groups, with the indices that both sum over as one axis."""
    held = [{n for o in members for n in o.names} for _, members in groups]
    summed = tuple(sorted((held[0] & held[1]) - set(out)))
    count = shape_size(sizes[n] for n in summed)
    numbers = coefficient * term.coefficient, 1.0
    made = []
    for (names, members), number in zip(groups, numbers, strict=True):
        own = tuple(n for n in out[1:] if n in names)
        wanted = (out[0], *summed, *own)
        product = contract([o.node for o in members], [o.names for o in members], wanted, sizes)
        flat = reshape(product, (sizes[out[0]], count, *(sizes[n] for n in own)))
        made.append(linear_combination([(flat, number)]))
    left = tuple(a for a, n in enumerate(out) if n in groups[0][0])
    return _Use(left, (made[0], made[1]))
