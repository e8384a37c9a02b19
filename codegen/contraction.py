"""Contractions of any number of operands: taken in pairs, the cheapest first.

How two operands are contracted is :mod:`codegen.two_operands`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from codegen import views
from codegen.builder import Builder
from codegen.two_operands import TYPICAL_SIZE, Indices, Operand, Pairs
from symdiff.expr.node import Node
from symdiff.expr.records import record
from symdiff.expr.shapes import Shape, Size, size_names, size_value


@record(frozen=True, slots=True)
class Contraction:
    """What a contraction is, whatever it is of: indices of the operands and of the result.

    ``given`` are the sizes of indices that only the result has; ``along`` those of its indices
    that windows lie along, where it is windows to be added up.
    """

    indices: tuple[Indices, ...]
    out: Indices
    given: tuple[tuple[int, Size], ...]
    along: frozenset[int] = frozenset()


def contraction_of(builder: Builder, node: Node) -> Contraction:
    """The contraction that a node is."""
    out: Indices = node.attr("out")
    # Windows are added up place by place, which is fast where each place lies in one piece: the
    # windows' own axes first in memory, then those that they are taken along, then all others.
    along: frozenset[int] = frozenset()
    users = list(builder.users.get(node, ()))
    sums = [user for user in users if user.op == "add" and user.shape == node.shape]
    for user in (*users, *(reader for total in sums for reader in builder.users.get(total, ()))):
        if user.op == "overlap_add":
            along |= {out[axis] for axis in user.attr("axes")}
    return Contraction(node.attr("indices"), out, node.attr("sizes"), along)


def contracted(
    builder: Builder, contraction: Contraction, args: Sequence[int], shapes: Sequence[Shape]
) -> int:
    """The register of a contraction of the registers ``args``, whose shapes those are."""
    out = contraction.out
    sizes: dict[int, Size] = dict(contraction.given)
    operands = []
    for register, shape, indices in zip(args, shapes, contraction.indices, strict=True):
        sizes.update(zip(indices, shape, strict=True))
        operands.append(_without_repeats(builder, Operand(register, indices), out))
    work = Pairs(builder, sizes, contraction.along)
    if len(operands) > 1:
        # Python numbers have no axes; a product takes them as they are, a matrix product cannot.
        operands = [Operand(builder.strong(o.register), o.indices) for o in operands]
    while len(operands) > 1:
        chosen = _cheapest_pair(operands, out, sizes)
        rest = [o for i, o in enumerate(operands) if i not in chosen]
        kept = {*out, *(i for o in rest for i in o.indices)}
        first, second = (operands[i] for i in chosen)
        target = [i for i in out if i in first.indices or i in second.indices]
        target += [i for i in dict.fromkeys(first.indices + second.indices) if i in kept - {*out}]
        operands = [*rest, work.pair(first, second, tuple(target))]
    last = work.reduced(operands[0], out)
    return views.arrange(builder, last.register, last.indices, out, sizes)


def _without_repeats(builder: Builder, operand: Operand, out: Indices) -> Operand:
    """The operand with the diagonal taken where an index stands twice in it."""
    indices = operand.indices
    if len(set(indices)) == len(indices):
        return operand
    kept = tuple(dict.fromkeys(indices))
    step = builder.steps[operand.register]
    shape = tuple(step.shape[indices.index(i)] for i in kept)
    register = builder.emit(
        "diagonal",
        [operand.register],
        shape=shape,
        dtype=step.dtype,
        source=tuple(kept.index(i) for i in indices),
        target=tuple(range(len(kept))),
    )
    return Operand(register, kept)


def _cheapest_pair(
    operands: Sequence[Operand], out: Indices, sizes: Mapping[int, Size]
) -> tuple[int, int]:
    """The positions of the two operands to take first."""
    if len(operands) == 2:
        return 0, 1
    import opt_einsum

    def number(size: Size) -> int:
        return size_value(size, dict.fromkeys(size_names(size), TYPICAL_SIZE))

    def letters(indices: Iterable[int]) -> str:
        return "".join(opt_einsum.get_symbol(i) for i in indices)

    present = {i for operand in operands for i in operand.indices}
    equation = ",".join(letters(operand.indices) for operand in operands)
    equation += "->" + letters(i for i in out if i in present)
    shapes = [tuple(max(number(sizes[i]), 1) for i in o.indices) for o in operands]
    path, _ = opt_einsum.contract_path(equation, *shapes, shapes=True, optimize="auto")
    first, second = sorted(path[0])[:2]
    return first, second
