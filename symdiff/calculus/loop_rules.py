"""The derivatives of loops, which are loops.

Each rule opens the loop, differentiates its body as any graph, and closes what comes of it
(:mod:`symdiff.calculus.loops`).  The sweeps call a rule with all that is read of a loop at
once, since two values of one body share its steps.

* Reverse: the cotangents of the carries are the carries of a loop the other way.  What it reads of
  the forward steps are stacks: nothing is computed again in it that the loop had.  The gradients
  of what all steps share are sums over time outside of it.
* Forward: the tangents of the carries are the carries of a loop of their own beside the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from symdiff.calculus.forward import jvp
from symdiff.calculus.loops import close
from symdiff.calculus.reverse import gradients
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract, split_sum
from symdiff.expr.graph import depends_on, toposort
from symdiff.expr.loops import (
    CARRY,
    SHARED,
    Carry,
    OpenLoop,
    bound,
    bound_leaves,
    element_leaf,
    open_loop,
    stacked,
    updates,
    value_of,
)
from symdiff.expr.movement import split_scale, zeros
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.expr.views import is_view


@dataclass(frozen=True)
class _Known:
    """A loop opened, what its readers read, and the stacks of all that it computes on its way."""

    loop: OpenLoop
    values: dict[Node, Node]  # readers, and what they stack, in terms of the open leaves
    stacks: dict[Node, Node]

    @property
    def scope(self) -> str:
        return str(self.loop.carries[0].leaf.attr("scope"))

    @property
    def leaves(self) -> list[Node]:
        """The open leaves in the order of the hub's inputs."""
        return self.loop.leaves


def _known(hub: Node, readers: Sequence[Node]) -> _Known:
    wanted = [reader for reader in readers if reader.op == "stacked"]
    body = toposort([*updates(hub), *(value_of(reader) for reader in wanted)])
    loop, opened = open_loop(hub, body)
    new = dict(zip(body, opened, strict=True))
    moving = depends_on(body, [x for x in bound_leaves(hub) if x.attr("kind") == CARRY])
    stacks = dict(loop.elements)
    for x in body:
        if x in moving and x.op != "loop" and not is_view(x):
            stacks.setdefault(new[x], stacked(hub, x))
    for carry, leaf in zip(loop.carries, bound_leaves(hub), strict=False):
        stacks.setdefault(carry.leaf, stacked(hub, leaf))
    return _Known(loop, {reader: new[value_of(reader)] for reader in wanted}, stacks)


def pullback(
    hub: Node, cotangents: Mapping[Node, Node], wanted: Collection[int]
) -> list[Node | None]:
    """What the cotangents of a loop's readers contribute to those of the hub's inputs.

    ``wanted`` are the places of the inputs to be looked at; None stands for nothing.
    """
    known = _known(hub, list(cotangents))
    loop, scope = known.loop, f"{known.scope} back"
    ends = {r.attr("position"): g for r, g in cotangents.items() if r.op == "final"}
    values = [(known.values[r], g) for r, g in cotangents.items() if r.op == "stacked"]
    reached = _reached(loop, [x for x, _ in values], ends)
    back = {
        i: bound(CARRY, i, carry.leaf, scope, f"d_{carry.leaf.attr('name')}")
        for i, carry in enumerate(loop.carries)
        if i in reached and carry.leaf.dtype in FLOATS
    }
    seeds = {element_leaf(k, g, scope): g for k, (_, g) in enumerate(values)}
    ys = [*(loop.carries[i].update for i in back), *(x for x, _ in values)]
    xs = [leaf for i, leaf in enumerate(known.leaves) if i in back or i in wanted]
    found = dict(zip(xs, gradients(ys, xs, [*back.values(), *seeds]), strict=True))
    carries = []
    for i, leaf in back.items():
        init = ends[i] if i in ends else zeros(leaf.shape, leaf.dtype)
        carries.append(Carry(leaf, init, found[loop.carries[i].leaf]))
    backward = OpenLoop(
        loop.length,
        not loop.reverse,
        tuple(carries),
        {**known.stacks, **seeds},
        loop.shared,
    )
    count = len(loop.carries)
    rest = [i for i in wanted if i >= count]
    starts = {i: place for place, i in enumerate(back) if i in wanted}
    closed = close(backward, [found[known.leaves[i]] for i in rest], list(starts.values()))
    result: list[Node | None] = [None] * len(known.leaves)
    for i, place in starts.items():
        result[i] = closed.finals[place]
    for i, stack in zip(rest, closed.stacks, strict=True):
        is_shared = known.leaves[i].attr("kind") == SHARED
        result[i] = sum_over_steps(stack) if is_shared else stack
    return result


def _reached(loop: OpenLoop, values: Sequence[Node], ends: Collection[int]) -> set[int]:
    """The carries that the values, or the ends of carries, depend on."""
    places = {carry.leaf: i for i, carry in enumerate(loop.carries)}
    found = set(ends)
    roots = [*values, *(loop.carries[i].update for i in ends)]
    while roots:
        fresh = {places[x] for x in toposort(roots) if x in places} - found
        found |= fresh
        roots = [loop.carries[i].update for i in sorted(fresh)]
    return found


def sum_over_steps(x: Node) -> Node:
    """The sum over the leading axis, inside of sums and products: these need not be formed."""
    number, factors, rest = split_scale(x)
    if rest is not x:
        return power_product([*factors, (sum_over_steps(rest), 1.0)], number)
    if x.op == "add" and x.attr("constant") == 0 and all(y.shape == x.shape for y in x.inputs):
        terms = zip(x.inputs, x.attr("coefficients"), strict=True)
        return linear_combination([(sum_over_steps(y), c) for y, c in terms])
    if x.op == "contract" and len(x.inputs) > 1:
        operands, indices, out = x.inputs, x.attr("indices"), x.attr("out")
        return contract(operands, indices, out[1:])
    return split_sum(contract([x], [range(x.ndim)], range(1, x.ndim)))


def push(hub: Node, tangents: Sequence[Node | None], readers: Sequence[Node]) -> dict[Node, Node]:
    """The tangents of a loop's readers, of those that move, given its inputs' (None: zero)."""
    known = _known(hub, readers)
    loop, scope, count = known.loop, f"{known.scope} tangent", len(known.loop.carries)
    leaves = known.leaves
    varying = [x for x, t in zip(leaves, tangents, strict=True) if t is not None]
    moving = reached_from(loop, varying, known.values.values())
    carried = {
        i: bound(CARRY, i, leaf, scope, f"t_{leaf.attr('name')}")
        for i, leaf in enumerate(leaves[:count])
        if leaf in moving and leaf.dtype in FLOATS
    }
    elements, shared = dict(known.stacks), dict(loop.shared)
    given: dict[Node, Node] = {leaves[i]: leaf for i, leaf in carried.items()}
    for i, (leaf, t) in enumerate(zip(leaves, tangents, strict=True)):
        if i < count or t is None:
            continue
        own = bound(leaf.attr("kind"), i, leaf, scope)
        given[leaf] = own
        (shared if leaf.attr("kind") == SHARED else elements)[own] = t
    wanted = {r: x for r, x in known.values.items() if x in moving and x.dtype in FLOATS}
    ys = [*(loop.carries[i].update for i in carried), *wanted.values()]
    found = jvp(ys, list(given), list(given.values())) if ys else []
    carries = []
    for (i, leaf), update in zip(carried.items(), found, strict=False):
        t = tangents[i]
        init = zeros(leaf.shape, leaf.dtype) if t is None else t
        carries.append(Carry(leaf, init, update))
    beside = OpenLoop(loop.length, loop.reverse, tuple(carries), elements, shared)
    places = {i: place for place, i in enumerate(carried)}
    ends = {r: places[r.attr("position")] for r in readers
            if r.op == "final" and r.attr("position") in places}  # fmt: skip
    closed = close(beside, found[len(carries) :], list(ends.values()))
    result = dict(zip(wanted, closed.stacks, strict=True))
    return result | {reader: closed.finals[place] for reader, place in ends.items()}


def reached_from(loop: OpenLoop, leaves: Iterable[Node], values: Iterable[Node]) -> set[Node]:
    """The nodes of the body that depend on any of the leaves, at this step or an earlier one."""
    order = toposort([*(carry.update for carry in loop.carries), *values])
    found = set(leaves)
    while True:
        found = depends_on(order, found)
        more = {c.leaf for c in loop.carries if c.update in found} - found
        if not more:
            return found
        found |= more
