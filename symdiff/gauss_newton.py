"""Where a loss is cut in two for Gauss-Newton and Fisher products: Jᵀ H J v.

A loss ℓ = f(z(θ)) is cut at values z, J being their Jacobian and H the Hessian of f (Schraudolph
2002, *Fast curvature matrix-vector products for second-order gradient descent*).  z is found from
the loss down: all linear steps are gone back, and then one that is not, on every way to a
parameter; several values that come of fewer without a parameter between are taken as these.  So z
are the logits of a cross-entropy or a focal loss, the residuals of a squared error, and of a loss
that is the sum of several terms what each of them is made of.  While f is linear in z, as where an
absolute error ends the loss, the next step back is tried, as long as no parameter is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symdiff.calculus.derivatives import is_linear
from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import gradients
from symdiff.expr import build
from symdiff.expr.graph import depends_on, leaves, substitute, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS, full, number_of
from symdiff.expr.ops import OPS
from symdiff.expr.views import broadcast_to, is_view
from symdiff.model_graphs import ModelGraphs
from symdiff.simplify import simplify


class NotDerivableError(ValueError):
    """A function that cannot be made of this loss; the message says why."""


@dataclass(frozen=True)
class Cut:
    """Values z that the loss is made of, and its Hessian in them times a direction.

    ``values`` and ``directions`` are inputs that stand for z and for that direction in
    ``products``, one for each of z.
    """

    zs: tuple[Node, ...]
    values: tuple[Node, ...]
    directions: tuple[Node, ...]
    products: tuple[Node, ...]

    def along(self, graphs: ModelGraphs, vs: Mapping[str, Node]) -> list[Node]:
        """J v."""
        xs = list(graphs.trainable.values())
        return [jvp(z, xs, list(vs.values())) for z in self.zs]

    def pulled_back(self, graphs: ModelGraphs, vs: Mapping[str, Node]) -> dict[str, Node]:
        """Jᵀ H J v for each parameter."""
        stands = dict(zip(self.values, self.zs, strict=True))
        stands |= zip(self.directions, self.along(graphs, vs), strict=True)
        products = substitute(list(self.products), stands)
        cotangents = [broadcast_to(p, z.shape) for p, z in zip(products, self.zs, strict=True)]
        found = gradients(list(self.zs), list(graphs.trainable.values()), cotangents)
        return dict(zip(graphs.trainable, found, strict=True))


def cuts(graphs: ModelGraphs) -> Iterator[Cut]:
    """The values in which the loss is not linear, from the loss down.

    Raises NotDerivableError if there are none.
    """
    count = 0
    for zs in _levels(graphs.per_example, list(graphs.trainable.values())):
        cut = _cut(graphs, zs)
        if cut is not None:
            count += 1
            yield cut
    if not count:
        raise NotDerivableError("the loss is linear in all that it is made of")


def _cut(graphs: ModelGraphs, zs: Sequence[Node]) -> Cut | None:
    """The cut at these values, without those that the loss reads through others; None if linear."""
    dtype = graphs.model.dtype
    values = [build.input(f"v.value.{i}", z.shape, z.dtype) for i, z in enumerate(zs)]
    (losses,) = substitute([graphs.per_example], dict(zip(zs, values, strict=True)))
    read = leaves([losses])
    kept = [(z, value) for z, value in zip(zs, values, strict=True) if value in read]
    us = [build.input(f"v.direction.{i}", z.shape, z.dtype) for i, (z, _) in enumerate(kept)]
    with build.default_dtype(dtype):
        total = build.sum(losses)
        weighted = total if graphs.weight is None else total * graphs.weight
        own = [value for _, value in kept]
        slopes = gradients([weighted], own)
        products = [jvp(slope, own, us) for slope in slopes]
    products = list(simplify(products, contractions=False).roots)
    if all(number_of(product) == 0 for product in products):
        return None
    return Cut(tuple(z for z, _ in kept), tuple(own), tuple(us), tuple(products))


def _levels(top: Node, parameters: list[Node]) -> Iterator[list[Node]]:
    """Values that all ways from a node to its parameters lead through, from it down.

    Each level is what the one above is made of by its last step that is not linear; what that is
    made of by linear steps is a level too.  Below the first, none has a parameter in it.
    """
    ways = _Ways(top, parameters)
    if top not in ways.active:
        return
    level, first = ways.linear([top]), True
    while True:
        new = ways.fewer(ways.step(level))
        if new == level or (not first and any(not x.inputs for x in new)):
            return
        yield new
        level = ways.linear(new)
        if any(not x.inputs for x in level):
            level = ways.linear(new, above=True)
            yield from [level] if level != new else []
            return
        if level != new:
            yield level
        first = False


class _Ways:
    """The ways from a node down to its parameters."""

    def __init__(self, top: Node, parameters: list[Node]) -> None:
        order = toposort([top])
        self.place = {node: i for i, node in enumerate(order)}
        self.active = depends_on(order, parameters)

    def made_of(self, node: Node) -> list[Node]:
        """What a node is made of, as far as it hangs on parameters; what reads a loop, of all."""
        inputs = node.inputs[0].inputs if node.op in ("stacked", "final") else node.inputs
        return [x for x in inputs if x in self.active and x.dtype in FLOATS]

    def ordered(self, nodes: Iterable[Node]) -> list[Node]:
        return sorted(set(nodes), key=self.place.__getitem__)

    def linear(self, level: Iterable[Node], above: bool = False) -> list[Node]:
        """The level with all linear steps gone back, or all that come ``above`` the parameters."""
        waiting, done = list(level), set[Node]()
        while waiting:
            node = waiting.pop()
            inputs = self.made_of(node)
            last = above and any(not x.inputs for x in inputs)
            if inputs and not last and _is_linear(node, inputs):
                waiting += inputs
            else:
                done.add(node)
        return self.ordered(done)

    def step(self, level: Sequence[Node]) -> list[Node]:
        """One step back from each that no other's step leads to: of exp(z) - z, z stays."""
        steps = {node: self.made_of(node) for node in level}
        kept = {x for own in steps.values() for x in (*own, *self.linear(own))} & set(level)
        found = [[x] if x in kept or not steps[x] else steps[x] for x in level]
        return self.ordered(x for own in found for x in own)

    def fewer(self, level: list[Node]) -> list[Node]:
        """The fewest values that the level is made of, with no parameter that is not in it."""
        best, now = level, level
        while now[-1].inputs:
            inputs = self.made_of(now[-1])
            if any(not x.inputs for x in inputs):
                break
            now = self.ordered([*now[:-1], *inputs])
            best = now if len(now) < len(best) else best
        return best


def _is_linear(node: Node, active: Sequence[Node]) -> bool:
    """Whether a step is linear in all its inputs that are not fixed."""
    places = [i for i, x in enumerate(node.inputs) if x in active]
    if node.op == "mul":
        return len(places) == 1 and node.attr("exponents")[places[0]] == 1
    if node.op == "where":
        return 0 not in places
    joint = node.op in ("add", "concatenate") or len(places) == 1
    return joint and all(is_linear(node, i) for i in places)


def depends(graphs: ModelGraphs, cut: Cut, vs: Mapping[str, Node]) -> set[str]:
    """The inputs that keep J v, or H with that, from being the same whatever the targets are.

    Targets are the inputs that the loss reads and the outputs do not.
    """
    read = {x.attr("name") for x in leaves(graphs.model.output_nodes.values(), "input")}
    targets = {x.attr("name") for x in leaves([graphs.per_example], "input")} - read
    stand_ins = {*cut.values, *cut.directions}
    inner = leaves([_of_either_value(product) for product in cut.products])
    seen = {x.attr("name") for x in inner if x not in stand_ins}
    at = [z for z, value in zip(cut.zs, cut.values, strict=True) if value in leaves(cut.products)]
    made = leaves([*cut.along(graphs, vs), *at], "input")
    seen |= {x.attr("name") for x in made} & targets
    return seen | read if at and not targets else seen


def _of_either_value(node: Node) -> Node:
    """The node without those inputs of two possible values that it does not depend on.

    An input that is met an element at a time makes no difference if none is made by one value
    everywhere against the other everywhere.
    """
    for x in leaves([node], "input"):
        facts = dict(x.attr("declared"))
        values = (0.0, 1.0) if facts.get("zero_or_one") else (-1.0, 1.0)
        if not (facts.get("zero_or_one") or facts.get("plus_minus_one")):
            continue
        above = depends_on(toposort([node]), [x]) - {x}
        if not all(OPS[n.op].elementwise or is_view(n) for n in above):
            continue
        ways = [
            simplify(substitute([node], {x: full(x.shape, v, x.dtype)}), contractions=False).root
            for v in values
        ]
        if ways[0] is ways[1]:
            node = ways[0]
    return node
