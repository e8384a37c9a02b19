"""Loops: the one operation that holds a graph.

A ``loop`` carries values from step to step.  Its *body* is a graph of its own, closed over leaves
of the operation ``bound``: the *carries* as a step finds them, the *elements* (of arrays with time
in front, one a step) and the *shared* (the same at every step).  The body's updates are the
carries' next values.  The loop itself, the *hub*, has no value; two operations read it:

* ``stacked``: what a node of the body is at each step, in order of time, time in front;
* ``final``: a carry after the last step.

What is asked for is not written in the hub, so that asking for one more value (a residual, for a
derivative) does not make another loop: those who run it look at its readers.

A loop runs forward in time, or backward if ``reverse``: its stacks are in order of time all the
same.  Bodies are never mixed with the graph around them: to work on a body, *open* the loop, which
gives its leaves an identity that nothing else has, and *tie* the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symdiff.expr.graph import substitute, toposort
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, Size, shape_text, size_text
from symdiff.expr.views import broadcast_to

CARRY, ELEMENT, SHARED = "carry", "element", "shared"

#: The operations that read a hub, and all that loops are made of but leaves: the sweeps over
#: graphs take the readers of one hub together.
LOOP_READERS = frozenset({"stacked", "final"})
LOOPS = LOOP_READERS | {"loop"}


class Inside:
    """Nodes of a body as an attribute; what it looks like tells it from any other."""

    __slots__ = ("nodes",)

    nodes: tuple[Node, ...]

    def __init__(self, nodes: Iterable[Node]) -> None:
        object.__setattr__(self, "nodes", tuple(nodes))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("nodes inside a loop are fixed")

    def __repr__(self) -> str:
        return f"Inside({', '.join(node.digest.hex() for node in self.nodes)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inside) and self.nodes == other.nodes

    def __hash__(self) -> int:
        return hash(self.nodes)


@dataclass(frozen=True)
class Carry:
    """A value carried from step to step: the leaf that is read, its start, its next value."""

    leaf: Node
    init: Node
    update: Node


@dataclass(frozen=True)
class OpenLoop:
    """A loop taken apart.  The updates are graphs over the leaves, and over constants.

    ``elements`` maps leaves to arrays with time in front, ``shared`` leaves to the nodes around.
    """

    length: Size
    reverse: bool
    carries: tuple[Carry, ...]
    elements: Mapping[Node, Node] = field(default_factory=dict)
    shared: Mapping[Node, Node] = field(default_factory=dict)

    @property
    def leaves(self) -> list[Node]:
        """All leaves of the body that stand for something."""
        return [*(carry.leaf for carry in self.carries), *self.elements, *self.shared]


def bound(kind: str, position: int, like: Node, scope: str, name: str = "") -> Node:
    """A leaf of a body, of a value's shape and dtype.  ``name`` is what a carry is called."""
    return Node.make(
        "bound",
        scope=scope,
        kind=kind,
        position=position,
        name=name,
        shape=like.shape,
        dtype=like.dtype,
    )


def element_leaf(position: int, array: Node, scope: str) -> Node:
    """The leaf that stands for one step's part of an array with time in front."""
    return Node.make(
        "bound",
        scope=scope,
        kind=ELEMENT,
        position=position,
        name="",
        shape=array.shape[1:],
        dtype=array.dtype,
    )


def updates(hub: Node) -> tuple[Node, ...]:
    """The body: the carries' next values."""
    body: Inside = hub.attr("body")
    return body.nodes


def parts(hub: Node) -> tuple[tuple[Node, ...], tuple[Node, ...], tuple[Node, ...]]:
    """The hub's inputs: the carries' starts, the elements' arrays, the shared."""
    carries, elements = hub.attr("counts")
    rest = hub.inputs[carries:]
    return hub.inputs[:carries], rest[:elements], rest[elements:]


def readers_of(order: Iterable[Node]) -> dict[Node, list[Node]]:
    """For each hub of a graph what reads it."""
    found: dict[Node, list[Node]] = {}
    for node in order:
        if node.op in LOOP_READERS:
            found.setdefault(node.inputs[0], []).append(node)
    return found


def value_of(reader: Node) -> Node:
    """The body's node that a ``stacked`` node stacks."""
    inside: Inside = reader.attr("value")
    (node,) = inside.nodes
    return node


def bound_leaves(hub: Node) -> list[Node]:
    """The body's leaves, in the order of the hub's inputs."""
    inits, arrays, shared = parts(hub)
    names: tuple[str, ...] = hub.attr("names")
    return [
        *(bound(CARRY, i, x, "", names[i]) for i, x in enumerate(inits)),
        *(element_leaf(i, x, "") for i, x in enumerate(arrays)),
        *(bound(SHARED, i, x, "") for i, x in enumerate(shared)),
    ]


def stacked(hub: Node, value: Node) -> Node:
    """The body's node at each step, time in front."""
    if value.op == "bound" and value.attr("kind") != CARRY:
        _, arrays, shared = parts(hub)
        place = value.attr("position")
        if value.attr("kind") == ELEMENT:
            array: Node = arrays[place]
            return array
        return broadcast_to(shared[place], (hub.attr("length"), *value.shape))
    return Node.make("stacked", [hub], value=Inside([value]))


def final(hub: Node, position: int) -> Node:
    """A carry after the last step."""
    return Node.make("final", [hub], position=position)


def open_loop(hub: Node, values: Sequence[Node] = ()) -> tuple[OpenLoop, list[Node]]:
    """The loop taken apart, and the given nodes of its body in terms of the open leaves."""
    inits, arrays, shared = parts(hub)
    scope = hub.digest.hex()
    closed = bound_leaves(hub)
    names = hub.attr("names")
    carries = [bound(CARRY, i, x, scope, names[i]) for i, x in enumerate(inits)]
    elements = [element_leaf(i, x, scope) for i, x in enumerate(arrays)]
    fixed = [bound(SHARED, i, x, scope) for i, x in enumerate(shared)]
    leaves = dict(zip(closed, [*carries, *elements, *fixed], strict=True))
    new = substitute([*updates(hub), *values], leaves)
    whole = OpenLoop(
        hub.attr("length"),
        hub.attr("reverse"),
        tuple(
            Carry(leaf, init, update)
            for leaf, init, update in zip(carries, inits, new[: len(inits)], strict=True)
        ),
        dict(zip(elements, arrays, strict=True)),
        dict(zip(fixed, shared, strict=True)),
    )
    return whole, new[len(inits) :]


def tie(loop: OpenLoop, values: Sequence[Node] = ()) -> tuple[Node, list[Node]]:
    """The hub of an open loop, and the given nodes of its body as nodes of the hub's body.

    Arrays that no update and no value reads are left out; equal ones are one.  Raises ShapeError
    where an update has not its carry's shape, TypeError for another dtype, and ValueError where
    the body reads what is not in it.
    """
    roots = [*(carry.update for carry in loop.carries), *values]
    for number, carry in enumerate(loop.carries):
        check_carry("scan", number, carry)
    used = {node for node in toposort(roots) if node.op == "bound"}
    own = {*loop.leaves}
    for leaf in used - own:
        raise ValueError(
            f"scan: the body reads {with_shape(leaf)} of another scan, which is not there any more"
        )
    for leaf in toposort(roots):
        if leaf.op in ("input", "parameter"):
            raise ValueError(f"scan: the body reads {with_shape(leaf)}, which is no leaf of it")
    arrays = _sorted(loop.elements[leaf] for leaf in loop.elements if leaf in used)
    fixed = _sorted(loop.shared[leaf] for leaf in loop.shared if leaf in used)
    names = tuple(carry.leaf.attr("name") for carry in loop.carries)
    mapping = {
        carry.leaf: bound(CARRY, i, carry.init, "", names[i])
        for i, carry in enumerate(loop.carries)
    }
    for leaf, array in loop.elements.items():
        if leaf in used:
            mapping[leaf] = element_leaf(arrays.index(array), array, "")
    for leaf, node in loop.shared.items():
        if leaf in used:
            mapping[leaf] = bound(SHARED, fixed.index(node), node, "")
    new = substitute(roots, mapping)
    count = len(loop.carries)
    hub = Node.make(
        "loop",
        [*(carry.init for carry in loop.carries), *arrays, *fixed],
        body=Inside(new[:count]),
        counts=(count, len(arrays)),
        length=loop.length,
        reverse=loop.reverse,
        names=names,
    )
    return hub, new[count:]


def _sorted(nodes: Iterable[Node]) -> list[Node]:
    return sorted(dict.fromkeys(nodes), key=lambda node: node.digest)


def check_carry(what: str, number: int, carry: Carry) -> None:
    """Refuse an update that is not of its carry's shape and dtype."""
    leaf, update = carry.leaf, carry.update
    name = leaf.attr("name") or f"number {number}"
    if update.shape != leaf.shape:
        raise ShapeError(
            f"{what}: carry {name} has shape {shape_text(leaf.shape)} and becomes "
            f"{shape_text(update.shape)} after a step"
        )
    if update.dtype != leaf.dtype:
        raise TypeError(
            f"{what}: carry {name} holds {leaf.dtype} and becomes {update.dtype} after a step"
        )


def check_length(what: str, arrays: Sequence[Node], length: Size | None) -> Size:
    """The one number of steps that all arrays have in front."""
    found = length
    for array in arrays:
        if not array.ndim:
            raise ShapeError(f"{what}: {with_shape(array)} has no axis to go along")
        if found is not None and array.shape[0] != found:
            raise ShapeError(
                f"{what}: {with_shape(array)} has {size_text(array.shape[0])} steps, "
                f"where {size_text(found)} are expected"
            )
        found = array.shape[0]
    if found is None:
        raise ValueError(f"{what}: neither xs nor length says how many steps there are")
    return found
