"""The normal form of loops: what need not be in one is not.

:func:`close` makes the hub of an open loop, and gives what is wanted of it.

* *Hoisting.*  What the body computes without the carries is computed outside: once, or, where it
  depends on the step, for all steps at once by ``vmap`` over time.  ``x_t @ W`` is one product.
* *Sinking.*  What is wanted of the steps, and is not needed to go on, is computed outside from the
  stacks of what is: a body computes the carries' next values and nothing else.
* Carries that nothing wants are dropped; carries that never change are no carries.

So the cotangents of a loop's parameters are contractions over time of stacked factors, whatever
the loop was, and are planned as any other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from symdiff.calculus.batching import vmap
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.graph import depends_on, is_constant, rebuild, substitute, toposort
from symdiff.expr.loops import (
    ELEMENT,
    SHARED,
    Carry,
    OpenLoop,
    bound,
    final,
    stacked,
    tie,
)
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.expr.views import broadcast_to, is_view, make_view


@dataclass(frozen=True)
class Closed:
    """What was wanted of a loop: the values' stacks, and carries after the last step."""

    stacks: list[Node]
    finals: dict[int, Node]


def close(loop: OpenLoop, values: Sequence[Node] = (), finals: Collection[int] = ()) -> Closed:
    """The values of an open loop's body at all steps, and carries after the last one, by number.

    ``loop.elements`` may map any node to its stack, not only leaves: what is known of all steps is
    not computed again.
    """
    places = {carry.leaf: i for i, carry in enumerate(loop.carries)}
    starts = [carry.init for carry in loop.carries]
    loop, values = _without_idle(*_without_steady(loop, list(values)))
    left = {places[carry.leaf]: carry for carry in loop.carries}
    carries = _needed(loop, values, [left[i].leaf for i in finals if i in left])
    body = _Body(replace(loop, carries=tuple(carries)))
    ends = {places[carry.leaf]: body.end(i) for i, carry in enumerate(carries)}
    return Closed(body.unrolled(values), {i: ends.get(i, starts[i]) for i in finals})


def _without_steady(loop: OpenLoop, values: list[Node]) -> tuple[OpenLoop, list[Node]]:
    """The loop without elements that are the same at every step; constants are written in it."""
    made_of = set(toposort(x for x in loop.elements if x.op != "bound"))
    mapping: dict[Node, Node] = {}
    shared = dict(loop.shared)
    for i, (leaf, array) in enumerate(loop.elements.items()):
        if leaf.op != "bound" or leaf in made_of or not is_view(array):
            continue
        (names,), out = array.attr("indices"), array.attr("out")
        if out[0] not in names:
            step = make_view(array.inputs[0], names, out[1:], array.shape[1:])
            own = bound(SHARED, i, step, f"{leaf.attr('scope')} steady")
            mapping[leaf] = step if is_constant(step) else own
            if mapping[leaf] is own:
                shared[own] = step
    if not mapping:
        return loop, values
    new = substitute([*(carry.update for carry in loop.carries), *values], mapping)
    carries = tuple(replace(c, update=u) for c, u in zip(loop.carries, new, strict=False))
    elements = {leaf: array for leaf, array in loop.elements.items() if leaf not in mapping}
    values = new[len(carries) :]
    return replace(loop, carries=carries, elements=elements, shared=shared), values


def _without_idle(loop: OpenLoop, values: list[Node]) -> tuple[OpenLoop, list[Node]]:
    """The loop without carries that stay what they were."""
    while True:
        idle: dict[Node, Node] = {}
        shared = dict(loop.shared)
        for i, carry in enumerate(loop.carries):
            if is_constant(carry.init) and carry.update in (carry.leaf, carry.init):
                idle[carry.leaf] = carry.init
            elif carry.update is carry.leaf:
                leaf = bound(SHARED, i, carry.leaf, f"{carry.leaf.attr('scope')} idle")
                idle[carry.leaf] = leaf
                shared[leaf] = carry.init
        if not idle:
            return loop, values
        moving = [carry for carry in loop.carries if carry.leaf not in idle]
        new = substitute([*(carry.update for carry in moving), *values], idle)
        carries = [replace(c, update=u) for c, u in zip(moving, new, strict=False)]
        loop = replace(loop, carries=tuple(carries), shared=shared)
        values = new[len(moving) :]


def _needed(loop: OpenLoop, values: Sequence[Node], ends: Collection[Node]) -> list[Carry]:
    """The carries that the values read, or whose ends are wanted, and those that these read."""
    by_leaf = {carry.leaf: carry for carry in loop.carries}
    found = {by_leaf[leaf]: None for leaf in ends}
    roots = [*values, *(carry.update for carry in found)]
    while roots:
        read = [by_leaf[x] for x in toposort(roots, loop.elements) if x in by_leaf]
        fresh = [carry for carry in dict.fromkeys(read) if carry not in found]
        found |= dict.fromkeys(fresh)
        roots = [carry.update for carry in fresh]
    return [carry for carry in loop.carries if carry in found]


class _Body:
    """The body of a loop without what can be computed outside, and its hub (None: no carries)."""

    def __init__(self, loop: OpenLoop) -> None:
        self.loop = loop
        self.elements: dict[Node, Node] = {}  # leaves made here, and what they stand for
        self.shared: dict[Node, Node] = {}
        self.inside: dict[Node, Node] = {carry.leaf: carry.leaf for carry in loop.carries}
        self.hub: Node | None = None
        self.stacks: dict[Node, Node] = dict(loop.elements)
        if loop.carries:
            self.build()

    def build(self) -> None:
        loop = self.loop
        leaves = [carry.leaf for carry in loop.carries]
        updates = [carry.update for carry in loop.carries]
        order = toposort(updates, loop.elements)
        moving = depends_on([x for x in order if x not in loop.elements], leaves)
        for node in order:
            if node in moving and node not in self.inside:
                self.inside[node] = self.rebuilt(node, moving)
        new = [self.inside[u] if u in moving else self.brought_in(u) for u in updates]
        carries = [replace(c, update=u) for c, u in zip(loop.carries, new, strict=True)]
        own = replace(loop, carries=tuple(carries), elements=self.elements, shared=self.shared)
        kept = [x for x in self.inside if has_stack(x)]
        self.hub, images = tie(own, [self.inside[x] for x in kept])
        for x, image in zip(kept, images, strict=True):
            self.stacks.setdefault(x, stacked(self.hub, image))

    def rebuilt(self, node: Node, moving: Collection[Node]) -> Node:
        """A node of the body; of a sum or product, what does not depend on carries is one term."""
        inputs = node.inputs
        if node.op in ("add", "mul") and sum(self.is_outside(x, moving) for x in inputs) > 1:
            weights = node.attr("coefficients" if node.op == "add" else "exponents")
            pairs = list(zip(inputs, weights, strict=True))
            outer = [pair for pair in pairs if self.is_outside(pair[0], moving)]
            whole = linear_combination(outer) if node.op == "add" else power_product(outer)
            if any(x.shape == whole.shape for x, _ in outer) and whole.dtype == node.dtype:
                inner = [
                    (self.inside.get(x, x), w) for x, w in pairs if not self.is_outside(x, moving)
                ]
                inner.append((self.hoisted(whole), 1.0))
                if node.op == "add":
                    return linear_combination(inner, node.attr("constant"))
                return power_product(inner, node.attr("coefficient"))
        new = [self.inside[x] if x in moving else self.brought_in(x) for x in inputs]
        return rebuild(node, new)

    def is_outside(self, x: Node, moving: Collection[Node]) -> bool:
        return x not in moving and not is_constant(x)

    def brought_in(self, x: Node) -> Node:
        """A node that depends on no carry, for the body to read.

        What only looks at an element in another way is left to the body, so that the element's
        cotangent is made there in one piece; so are products that only repeat their factors.
        """
        if is_constant(x):
            return x
        known = x in self.loop.elements or x in self.loop.shared
        part = is_sunk(x) and x.inputs[0] in self.loop.elements
        if not known and (is_view(x) or part or _is_inflated(x)):
            return rebuild(x, [self.brought_in(y) for y in x.inputs])
        return self.hoisted(x)

    def hoisted(self, x: Node) -> Node:
        """The leaf that stands for a node computed outside."""
        loop, scope = self.loop, f"{self.loop.carries[0].leaf.attr('scope')} closed"
        below = set(toposort([x], loop.elements))
        if below.isdisjoint(loop.elements):
            leaf = bound(SHARED, len(self.shared), x, scope)
            (self.shared[leaf],) = substitute([x], loop.shared)
            return leaf
        leaf = bound(ELEMENT, len(self.elements), x, scope)
        (self.elements[leaf],) = self.unrolled([x])
        return leaf

    def end(self, i: int) -> Node:
        """A carry after the last step."""
        assert self.hub is not None
        return final(self.hub, i)

    def unrolled(self, values: Sequence[Node]) -> list[Node]:
        """The values at all steps, computed from the stacks that there are."""
        if not values:
            return []
        if not self.stacks:
            fixed = substitute(values, self.loop.shared)
            return [broadcast_to(x, (self.loop.length, *x.shape)) for x in fixed]
        return substitute(vmap(values, self.stacks), self.loop.shared)


def has_stack(x: Node) -> bool:
    """Whether a node has values to be stacked: not a hub within, nor what is made of others'."""
    return x.op != "loop" and not is_sunk(x)


def is_sunk(x: Node) -> bool:
    """Whether a node's stack is made from its operand's, which costs nothing."""
    return is_view(x) or x.op in ("reshape", "slice", "flip", "stop_gradient")


def _is_inflated(x: Node) -> bool:
    """Whether an elementwise node is larger than each of its operands."""
    return OPS[x.op].elementwise and all(y.shape != x.shape for y in x.inputs)
