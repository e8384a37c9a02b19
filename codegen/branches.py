"""Choices that sizes make: of two ways to a value only the one that is taken is computed.

A ``where`` whose condition compares two sizes is such a choice, as the planner makes it where it
hangs on the data's sizes which form of a norm is cheaper.  Choices with one condition that do not
hang on each other are made together.  What only one way needs stands in its branch, the first that
needs it; later branches of the same condition read it there.  All else is computed before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from symdiff.expr.node import Node
from symdiff.expr.shapes import Size, size_mul

if TYPE_CHECKING:
    from codegen.builder import Builder
    from codegen.program import Program, Step

#: Leaves that a block may write for itself.
_PLAIN = frozenset({"constant", "size", "arange"})


@dataclass(frozen=True, eq=False)
class Choice:
    """Nodes whose first way is taken where ``less < more``; ``reads`` is what the ways need.

    ``kept`` are nodes, with the way that they are made in, that later choices need.
    """

    less: Size
    more: Size
    nodes: tuple[Node, ...]
    reads: tuple[Node, ...]
    kept: tuple[tuple[Node, int], ...]


#: The branches that a node stands in, from the outermost: a condition, a level, a way.
Path: TypeAlias = "tuple[tuple[object, int, int], ...]"


def condition(node: Node) -> tuple[Size, Size] | None:
    """The sizes that a node compares to choose between its ways; None if it is no such choice."""
    if node.op != "where" or node.inputs[0].op != "lt":
        return None
    if any((x.shape, x.dtype) != (node.shape, node.dtype) for x in node.inputs[1:]):
        return None
    less, more = (_size(x) for x in node.inputs[0].inputs)
    if less is None or more is None or (isinstance(less, int) and isinstance(more, int)):
        return None
    return less, more


def _size(node: Node) -> Size | None:
    """The size that a node is."""
    if node.op == "size":
        size: Size = node.attr("size")
        return size
    if node.op == "constant" and node.ndim == 0 and node.dtype == "int64":
        return int(node.value)
    if node.op != "mul" or node.ndim or node.attr("coefficient") != int(node.attr("coefficient")):
        return None
    total: Size = int(node.attr("coefficient"))
    for x, e in zip(node.inputs, node.attr("exponents"), strict=True):
        size_of_x = _size(x)
        if size_of_x is None or e != int(e) or e < 0:
            return None
        for _ in range(int(e)):
            total = size_mul(total, size_of_x)
    return total


def choices(
    order: Sequence[Node], roots: Iterable[Node], given: Mapping[Node, Sequence[Node]]
) -> dict[Node, Choice]:
    """The choices among the nodes of an order, by their nodes; those inside branches left out.

    ``given`` are nodes that are not computed, with what they need nevertheless.
    """
    compared = {node: condition(node) for node in order if node not in given}
    conditions = {node: sides for node, sides in compared.items() if sides is not None}
    if not conditions:
        return {}
    levels: dict[Node, int] = {}
    for node in order:
        below = given.get(node, node.inputs)
        level = max((levels[x] for x in below), default=0)
        levels[node] = level + (node in conditions)
    groups: dict[tuple[tuple[Size, Size], int], list[Node]] = defaultdict(list)
    paths = _paths(order, set(roots), given, conditions, levels)
    for node, sides in conditions.items():
        if not paths[node]:
            groups[sides, levels[node]].append(node)
    found: dict[Node, Choice] = {}
    needed: dict[tuple[tuple[Size, Size], int], list[Node]] = {}
    for (sides, level), nodes in groups.items():
        needed[sides, level] = list(_reads(nodes, (sides, level), paths, given))
    everywhere = dict.fromkeys(x for reads in needed.values() for x in reads)
    for (sides, level), nodes in groups.items():
        kept = tuple(
            (x, paths[x][0][2])
            for x in everywhere
            if paths[x] and paths[x][0][:2] == (sides, level)
        )
        choice = Choice(*sides, tuple(nodes), tuple(needed[sides, level]), kept)
        found |= dict.fromkeys([*nodes, *(x for x, _ in kept)], choice)
    return found


def _paths(
    order: Sequence[Node],
    roots: Collection[Node],
    given: Mapping[Node, Sequence[Node]],
    conditions: Mapping[Node, tuple[Size, Size]],
    levels: Mapping[Node, int],
) -> dict[Node, Path]:
    """For each node the branches that all that need it stand in."""
    paths: dict[Node, Path] = dict.fromkeys(roots, ())
    for node in reversed(order):
        own = paths.setdefault(node, ())
        if node in given or (not node.inputs and node.op not in _PLAIN):
            own = paths[node] = ()
        for place, x in enumerate(given.get(node, node.inputs)):
            path = own
            if place and node in conditions:
                path = (*own, (conditions[node], levels[node], place))
            paths[x] = _common(paths[x], path) if x in paths else path
    return paths


def _common(a: Path, b: Path) -> Path:
    """What both begin with; of two branches of one condition that follow each other, the first."""
    found: Path = ()
    for x, y in zip(a, b, strict=False):
        if x != y:
            same = (x[0], x[2]) == (y[0], y[2])
            return (*found, min(x, y, key=lambda branch: branch[1])) if same else found
        found = (*found, x)
    return found


def _reads(
    nodes: Sequence[Node],
    group: tuple[object, int],
    paths: Mapping[Node, Path],
    given: Container[Node],
) -> dict[Node, None]:
    """The nodes outside of a group's branches that the ways of its choices need."""
    found: dict[Node, None] = {}
    done: set[Node] = set()
    todo = [x for node in reversed(nodes) for x in reversed(node.inputs[1:])]
    while todo:
        node = todo.pop()
        if node in done:
            continue
        done.add(node)
        if node in given or not paths[node] or paths[node][0][:2] != group:
            if node in given or node.op not in _PLAIN:
                found[node] = None
        else:
            todo += reversed(node.inputs)
    return found


def lower_choice(
    builder: Builder, choice: Choice, registers: Mapping[Node, int]
) -> dict[Node, int]:
    """The registers of a choice's nodes: a step with a block for each way."""
    from codegen.building import build_block

    args = [registers[x] for x in choice.reads]
    given = {
        x: partial(_outside, step=builder.steps[register], position=position)
        for position, (x, register) in enumerate(zip(choice.reads, args, strict=True))
    }
    labels = {str(place): node for place, node in enumerate(choice.nodes)}
    kept = {f"kept {place}": made for place, made in enumerate(choice.kept)}
    blocks = []
    for way in (1, 2):
        results = {label: node.inputs[way] for label, node in labels.items()}
        results |= {label: node for label, (node, own) in kept.items() if own == way}
        blocks.append(build_block(builder, results, given))
    branch = builder.emit(
        "branch",
        args,
        shape=(),
        dtype=builder.dtype,
        blocks=tuple(blocks),
        less=choice.less,
        more=choice.more,
        read_once=(),
        indexed=(),
    )
    borrowed = {label for block in blocks for label in _borrowed(block)}
    return {
        node: builder.pick(
            branch, label, node.shape, node.dtype, hint="", borrowed=label in borrowed
        )
        for label, node in (labels | {label: node for label, (node, _) in kept.items()}).items()
    }


def _borrowed(block: Program) -> list[str]:
    """The results of a block that may share memory with something else."""
    from codegen.program import LEAVES, VIEWS

    found: list[str] = []
    owners: dict[int, str] = {}
    for label, register in block.results.items():
        while block.steps[register].action in VIEWS:
            register = block.steps[register].args[0]
        step = block.steps[register]
        shared = step.action in LEAVES or dict(step.details).get("borrowed", False)
        if shared or owners.setdefault(register, label) != label:
            found.append(label)
    return found


def _outside(builder: Builder, step: Step, position: int) -> int:
    return builder.emit(
        "outside", shape=step.shape, dtype=step.dtype, weak=step.weak, position=position
    )
