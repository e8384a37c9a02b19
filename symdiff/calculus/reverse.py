"""Reverse mode: the back-propagation of Goodfellow, Bengio and Courville's Algorithm 6.2.

The sweep visits the nodes in reverse topological order.  A node's cotangent is complete when it
is visited, since all of its users were visited before it; it is built once, as one sum of what
the users contributed, and passed on once along each edge.  The nodes appended are therefore
linear in the edges of the graph, however many paths there are.  Cotangents that are zero are
never built.  Scalars that a whole cotangent is multiplied by, as a mean's 1/n, do not travel with
it: they stand in front of the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from symdiff.calculus.derivatives import pullback
from symdiff.calculus.scales import Scaled, taken_out, times
from symdiff.calculus.slopes import Slopes
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract
from symdiff.expr.graph import consumers, depends_on, is_constant, toposort
from symdiff.expr.loops import LOOP_READERS
from symdiff.expr.movement import concatenate, split_scale, zeros
from symdiff.expr.node import Node, describe, with_shape
from symdiff.expr.numbers import (
    FLOATS,
    cast,
    constant,
    full,
)
from symdiff.expr.shapes import Shape, ShapeError, Size, shape_text, size_add


def gradients(
    ys: Node | Sequence[Node],
    xs: Node | Sequence[Node],
    grad_ys: Any = None,
    *,
    wholes: bool = True,
) -> list[Node]:
    """Append the derivatives of sum(ys · grad_ys) with respect to each x, as ordinary nodes.

    Works as ``tf.gradients`` of TensorFlow's graph mode: ``ys`` and ``xs`` are nodes or sequences
    of them, ``grad_ys`` gives a cotangent (a node, number or array) of each y's shape, None
    standing for ones.  Returns a list with a node of x's shape and dtype for each x; an x that no
    y depends on gets zeros.  An x may be any node of the graph; derivatives are total, so that an
    x above another x passes on to it.  With ``wholes``, elementwise functions of one array are
    differentiated as such (:mod:`symdiff.calculus.slopes`), not a way through them at a time.

    Algorithm 6.2 of Goodfellow, Bengio, Courville, *Deep Learning* (2016): each cotangent is
    built once.  Raises TypeError for an x or y that holds whole numbers or truth values,
    ValueError for an x that is a constant or that normal form may have taken apart, ShapeError
    for cotangents that do not fit.
    """
    targets, variables = as_nodes(ys, "ys"), as_nodes(xs, "xs")
    order = toposort(targets)
    check_variables("gradients", order, targets, variables)
    active = depends_on(order, variables)
    received: dict[Node, list[Scaled]] = {}
    for y, g in zip(targets, _cotangents(targets, grad_ys, isinstance(ys, Node)), strict=True):
        received.setdefault(y, []).append(taken_out(g, {}))
    found: dict[Node, Node] = {}
    wanted = set(variables)
    slopes = Slopes(order if wholes else (), active, wanted)
    read: dict[Node, dict[Node, Node]] = {}  # of each loop, the cotangents of what reads it
    for node in reversed(order):
        if node in read and node in active:
            for x, part in _through_loop(node, read.pop(node), active):
                received.setdefault(x, []).append(taken_out(part, {}))
        if node not in active or node not in received:
            continue
        scale, g = _together(received.pop(node), node)
        if node in wanted:
            found[node] = times(scale, g)
        if node.op in LOOP_READERS:
            read.setdefault(node.inputs[0], {})[node] = times(scale, g)
            continue
        source = slopes.source(node)
        if source is not None:
            part = g * slopes.slope(node)
            received.setdefault(source, []).append(taken_out(part, scale))
            continue
        for i, x in enumerate(node.inputs):
            if x in active and x.dtype in FLOATS:
                contribution = pullback(g, node, i)
                if contribution is not None:
                    received.setdefault(x, []).append(taken_out(contribution, scale))
    return [found[x] if x in found else zeros(x.shape, x.dtype) for x in variables]


def _through_loop(
    hub: Node, cotangents: dict[Node, Node], active: set[Node]
) -> list[tuple[Node, Node]]:
    """What the cotangents of a loop's readers contribute to those of its inputs."""
    from symdiff.calculus.loop_rules import pullback as pullback_of_loop

    places = [i for i, x in enumerate(hub.inputs) if x in active and x.dtype in FLOATS]
    pulled = pullback_of_loop(hub, cotangents, places)
    return [(x, g) for x, g in zip(hub.inputs, pulled, strict=True) if g is not None]


@overload
def grad(y: Node, xs: Node, *, wholes: bool = ...) -> Node: ...
@overload
def grad(y: Node, xs: Sequence[Node], *, wholes: bool = ...) -> list[Node]: ...
def grad(y: Node, xs: Node | Sequence[Node], *, wholes: bool = True) -> Node | list[Node]:
    """The gradient of a scalar: a node for one x, a list for a sequence of them.

    ``wholes`` as in gradients.  Raises ShapeError if y is not of shape ().
    """
    check_scalar("grad", y)
    result = gradients(y, xs, wholes=wholes)
    return result[0] if isinstance(xs, Node) else result


@overload
def vjp(ys: Node | Sequence[Node], xs: Node, cotangents: Any) -> Node: ...
@overload
def vjp(ys: Node | Sequence[Node], xs: Sequence[Node], cotangents: Any) -> list[Node]: ...
def vjp(ys: Node | Sequence[Node], xs: Node | Sequence[Node], cotangents: Any) -> Node | list[Node]:
    """The cotangents of ys times the Jacobian: a node for one x, a list for a sequence of them."""
    result = gradients(ys, xs, cotangents)
    return result[0] if isinstance(xs, Node) else result


def accumulate(contributions: Sequence[Node], x: Node) -> Node:
    """The cotangent of x: the sum of its users' contributions, in x's shape and dtype.

    Of an array that was cut into parts, it is the parts' cotangents side by side.
    """
    whole = _side_by_side(contributions, x) if len(contributions) > 1 else None
    if whole is not None:
        return cast(whole, x.dtype)
    parts = [(cast(sum_to_shape(part, x.shape), x.dtype), 1.0) for part in contributions]
    return parts[0][0] if len(parts) == 1 else linear_combination(parts)


def _side_by_side(contributions: Sequence[Node], x: Node) -> Node | None:
    """The sum of arrays padded along one axis to x's shape, none over another; None if not so."""
    parts: dict[Size, Node] = {}
    axes = set[int]()
    for part in contributions:
        number, factors, padded = split_scale(part)
        if padded.op != "pad" or padded.shape != x.shape:
            return None
        padding = padded.attr("padding")
        own = {axis for axis, widths in enumerate(padding) if widths != (0, 0, 0)}
        (axis, *more) = own
        if more or padding[axis][2] or padding[axis][0] in parts:
            return None
        axes |= own
        inner = padded.inputs[0]
        parts[padding[axis][0]] = power_product([*factors, (inner, 1.0)], number)
    start: Size = 0
    in_order: list[Node] = []
    (axis, *more) = axes
    while not more and start in parts:
        in_order.append(parts.pop(start))
        start = size_add(start, in_order[-1].shape[axis])
    if more or parts or start != x.shape[axis]:
        return None
    return concatenate(in_order, axis)


def _together(parts: Sequence[Scaled], x: Node) -> Scaled:
    """The cotangent of x, less the scalars that all of its parts are multiplied by."""
    common = parts[0][0]
    for scale, _ in parts[1:]:
        if scale != common:
            common = {s: e for s, e in common.items() if scale.get(s) == e}
    if not x.ndim:
        common = {}
    rest = [times({s: e for s, e in own.items() if s not in common}, g) for own, g in parts]
    return common, accumulate(rest, x)


def sum_to_shape(g: Node, shape: Shape) -> Node:
    """The adjoint of broadcasting ``shape`` to g's: the sum over the axes that it repeated."""
    if g.shape == shape:
        return g
    lead = g.ndim - len(shape)
    out = [
        a if have == want else g.ndim + a
        for a, (have, want) in enumerate(zip(g.shape[lead:], shape, strict=True), lead)
    ]
    return contract([g], [range(g.ndim)], out, dict.fromkeys((a for a in out if a >= g.ndim), 1))


def as_nodes(nodes: Node | Sequence[Node], what: str) -> list[Node]:
    """One node or several as a list; TypeError for anything else."""
    result = [nodes] if isinstance(nodes, Node) else list(nodes)
    for node in result:
        if not isinstance(node, Node):
            raise TypeError(f"{what}: {node!r} is not a node")
    return result


def check_scalar(what: str, y: Node) -> None:
    """Raise ShapeError unless y is of shape ()."""
    if y.ndim:
        raise ShapeError(
            f"{what}: only a scalar has a gradient, got {with_shape(y)}; sum it, or use jacobian"
        )


def check_variables(
    what: str, order: Sequence[Node], ys: Sequence[Node], xs: Sequence[Node]
) -> None:
    """Refuse ys and xs between which there is no derivative to speak of."""
    for node in [*ys, *xs]:
        if node.dtype not in FLOATS:
            kind = "truth values" if node.dtype == "bool" else "whole numbers"
            raise TypeError(f"{what}: {with_shape(node)} holds {kind}, which have no derivative")
    readers = consumers(order)
    for x in xs:
        if x.op in ("constant", "size"):
            raise ValueError(f"{what}: a {x.op} is not a variable; use an input")
        if not is_held(x, readers, ys):
            raise ValueError(
                f"{what}: {with_shape(x)} merges with what reads it, so that the graph need not "
                "hold it wherever it was used.  Differentiate with respect to an input in its "
                "place, and substitute the expression for the input afterwards"
            )


def is_held(x: Node, readers: Mapping[Node, Sequence[Node]], ys: Sequence[Node]) -> bool:
    """Whether the graph of the ys, given who reads what, holds x wherever it was used."""
    return not (_is_transparent(x) and _is_bypassed(x, readers, ys))


def _is_transparent(x: Node) -> bool:
    """Whether constructors look through the node, so that its users need not hold it."""
    if x.op == "contract":
        return len(x.inputs) == 1
    return x.op in ("add", "mul", "cast", "reshape", "slice", "flip")


def _is_bypassed(x: Node, readers: Mapping[Node, Sequence[Node]], ys: Sequence[Node]) -> bool:
    """Whether from every variable that x is made of there is a way to the ys that avoids x.

    Those nearest to x are asked first: of a deep graph, one of them tells.
    """
    level, seen = list(x.inputs), set[Node]()
    some = False
    while level:
        below: dict[Node, None] = {}
        for node in level:
            if _is_transparent(node):
                below |= dict.fromkeys(y for y in node.inputs if y not in seen)
            elif not is_constant(node):
                some = True
                if not _reaches(node, x, readers, ys):
                    return False
        seen |= below.keys()
        level = list(below)
    return some


def _reaches(
    source: Node, avoided: Node, readers: Mapping[Node, Sequence[Node]], ys: Sequence[Node]
) -> bool:
    """Whether there is a way from a node to one of the ys that avoids another."""
    todo, seen = [source], {source, avoided}
    while todo:
        node = todo.pop()
        if node in ys:
            return True
        new = [reader for reader in readers.get(node, ()) if reader not in seen]
        seen.update(new)
        todo += new
    return False


def _cotangents(ys: Sequence[Node], grad_ys: Any, single: bool) -> list[Node]:
    if grad_ys is None:
        given: list[Any] = [None] * len(ys)
    elif single and not isinstance(grad_ys, (list, tuple)):
        given = [grad_ys]
    else:
        given = list(grad_ys)
    if len(given) != len(ys):
        raise ValueError(f"gradients: {len(given)} grad_ys for {len(ys)} ys")
    return [as_like(g, y, "gradients: grad_ys") for g, y in zip(given, ys, strict=True)]


def as_like(g: Any, y: Node, what: str) -> Node:
    """A cotangent or tangent as a node of y's shape and dtype; None is ones, numbers are filled."""
    if g is None or isinstance(g, (int, float)):
        return full(y.shape, 1 if g is None else g, y.dtype)
    node = g if isinstance(g, Node) else constant(g, y.dtype)
    if node.shape != y.shape:
        raise ShapeError(
            f"{what} of shape {shape_text(node.shape)} does not fit {describe(y)} "
            f"of shape {shape_text(y.shape)}"
        )
    return cast(node, y.dtype)
