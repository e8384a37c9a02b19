"""Forward mode, from the same derivative table as reverse mode.

Elementwise operations multiply their partial derivatives by the tangents; an operation that is
linear in an input is applied to that input's tangent, which makes a contraction the sum over its
operands; for the rest the local adjoint, being linear in the cotangent, is transposed by
differentiating it with respect to a cotangent that is a leaf of its own (the trick of two
transpositions: J t = ∂⟨Jᵀu, t⟩/∂u).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from symdiff.calculus.derivatives import PARTIALS, is_linear, partial, pullback
from symdiff.calculus.reverse import as_like, as_nodes, check_variables, gradients
from symdiff.calculus.slopes import Slopes
from symdiff.expr.algebra import linear_combination
from symdiff.expr.graph import depends_on, rebuild, toposort
from symdiff.expr.loops import readers_of
from symdiff.expr.movement import zeros
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast
from symdiff.expr.shapes import Shape
from symdiff.expr.views import broadcast_to


@overload
def jvp(ys: Node, xs: Node | Sequence[Node], tangents: Any) -> Node: ...
@overload
def jvp(ys: Sequence[Node], xs: Node | Sequence[Node], tangents: Any) -> list[Node]: ...
def jvp(ys: Node | Sequence[Node], xs: Node | Sequence[Node], tangents: Any) -> Node | list[Node]:
    """The Jacobian of ys times the tangents of xs: the directional derivative.

    ``tangents`` gives a node, number or array of x's shape for each x.  Returns a node of y's
    shape and dtype for one y, a list for a sequence of them.  Raises what
    :func:`symdiff.calculus.reverse.gradients` raises.
    """
    targets, variables = as_nodes(ys, "ys"), as_nodes(xs, "xs")
    given = (
        [tangents]
        if isinstance(xs, Node) and not isinstance(tangents, (list, tuple))
        else (list(tangents))
    )
    if len(given) != len(variables):
        raise ValueError(f"jvp: {len(given)} tangents for {len(variables)} xs")
    order = toposort(targets)
    check_variables("jvp", order, targets, variables)
    seeds: dict[Node, list[Node]] = {}
    for x, t in zip(variables, given, strict=True):
        seeds.setdefault(x, []).append(as_like(t, x, "jvp: a tangent"))
    tangent: dict[Node, Node] = {}
    readers = readers_of(order)
    slopes = Slopes(order, depends_on(order, variables), variables)
    for node in order:
        parts = seeds.get(node, [])
        if node.op == "loop" and any(x in tangent for x in node.inputs):
            for reader, t in _through_loop(node, tangent, readers[node]).items():
                seeds.setdefault(reader, []).append(t)
        elif (source := slopes.source(node)) is not None:
            if source in tangent:  # not where all ways to it are held, as through comparisons
                parts = [*parts, tangent[source] * slopes.slope(node)]
        elif any(x in tangent for x in node.inputs):
            parts = parts + _push(node, [tangent.get(x) for x in node.inputs])
        if parts:
            tangent[node] = _sum(parts, node.shape, node.dtype)
    result = [tangent[y] if y in tangent else zeros(y.shape, y.dtype) for y in targets]
    return result[0] if isinstance(ys, Node) else result


def _through_loop(
    hub: Node, tangent: Mapping[Node, Node], readers: Sequence[Node]
) -> dict[Node, Node]:
    """The tangents of a loop's readers, as far as they move."""
    from symdiff.calculus.loop_rules import push

    return push(hub, [tangent.get(x) for x in hub.inputs], readers)


def _sum(parts: Sequence[Node], shape: Shape, dtype: str) -> Node:
    whole = parts[0] if len(parts) == 1 else linear_combination([(part, 1.0) for part in parts])
    return cast(broadcast_to(whole, shape), dtype)


def _push(node: Node, tangents: Sequence[Node | None]) -> list[Node]:
    """What the inputs' tangents (None: zero) add up to in the node's."""
    if node.op == "add":
        coefficients = node.attr("coefficients")
        pairs = zip(tangents, coefficients, strict=True)
        return [linear_combination([(t, c) for t, c in pairs if t is not None])]
    if node.op == "concatenate":
        own = zip(tangents, node.inputs, strict=True)
        return [rebuild(node, [zeros(x.shape, x.dtype) if t is None else t for t, x in own])]
    parts = (_push_one(node, i, t) for i, t in enumerate(tangents) if t is not None)
    return [part for part in parts if part is not None]


def _push_one(node: Node, i: int, t: Node) -> Node | None:
    if node.op in PARTIALS:
        slope = partial(node, i)
        return None if slope is None else t * slope
    if is_linear(node, i):
        return rebuild(node, [*node.inputs[:i], t, *node.inputs[i + 1 :]])
    # The name cannot be a user's: theirs are identifiers.
    u = Node.make("input", name="a cotangent", shape=node.shape, dtype=node.dtype, declared=())
    pulled = pullback(u, node, i)
    return None if pulled is None else gradients(pulled, u, t)[0]
