"""Loops as steps with a block.

What is kept of the steps follows from who reads the loop.  Where both a carry and its next value
are wanted of all steps, they are one array with a place more, seen twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codegen.blocks import Stack
from codegen.builder import Builder
from codegen.building import build_block
from codegen.names import HINTS
from symdiff.expr.loops import CARRY, bound_leaves, updates, value_of
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_add

#: Which part of a stack with one place more is read.
WHOLE, BEFORE, AFTER = "whole", "before", "after"


def lower_loop(builder: Builder, node: Node, args: list[int]) -> int:
    """The step that runs the loop; its readers are picks of it."""
    count, elements = node.attr("counts")
    leaves, nexts = bound_leaves(node), updates(node)
    wanted = [value_of(user) for user in builder.users[node] if user.op == "stacked"]
    results = {f"update {i}": update for i, update in enumerate(nexts)}
    carried = list(results)
    names: tuple[str, ...] = node.attr("names")
    stacks: dict[str, Stack] = {}
    picks: list[tuple[Node, str, str]] = []
    for k, value in enumerate(dict.fromkeys(wanted)):
        label, source = f"stack {k}", f"value {k}"
        if value in nexts:
            i = nexts.index(value)
            both = leaves[i] in wanted
            start = i if both else None
            stacks[label] = Stack(label, f"update {i}", value.shape, value.dtype, start)
            picks.append((value, label, AFTER if both else WHOLE))
            if both:
                picks.append((leaves[i], label, BEFORE))
            continue
        if value in leaves[:count]:
            i = leaves.index(value)
            if nexts[i] in wanted and nexts.index(nexts[i]) == i:
                continue  # seen with its next value
            source = f"carry {i}"
        else:
            results[source] = value
        stacks[label] = Stack(label, source, value.shape, value.dtype)
        picks.append((value, label, WHOLE))
    given = {leaf: _reader(leaf, place) for place, leaf in enumerate(leaves)}
    return builder.emit(
        "loop",
        [builder.strong(arg) for arg in args],
        shape=(),
        dtype=node.dtype,
        blocks=(build_block(builder, results, given, carried),),
        length=node.attr("length"),
        reverse=node.attr("reverse"),
        carries=names,
        stacks=tuple(stacks.values()),
        picks=tuple(picks),
        read_once=frozenset(range(count)),
        indexed=frozenset(range(count, count + elements)),
    )


def _reader(leaf: Node, place: int) -> Callable[[Builder], int]:
    """How a block reads a leaf: a carry's variable, an array at this round, or what is around."""
    action = {CARRY: "carry", "element": "round"}.get(leaf.attr("kind"), "outside")

    def read(builder: Builder) -> int:
        return builder.emit(action, shape=leaf.shape, dtype=leaf.dtype, position=place)

    return read


def lower_stacked(builder: Builder, node: Node, args: list[int]) -> int:
    """The array of a loop's values, or the part of it that is meant."""
    (loop,) = args
    step, value = builder.steps[loop], value_of(node)
    label, part = next(rest for read, *rest in step.detail("picks") if read is value)
    stack = next(s for s in step.detail("stacks") if s.label == label)
    shape = node.shape
    if part != WHOLE:
        shape = (size_add(shape[0], 1), *shape[1:])
    name = _name(step.detail("carries"), stack, value)
    array = builder.pick(loop, label, shape, node.dtype, hint=f"{name}_steps".lstrip("_"))
    if part == WHOLE:
        return array
    behind = (part == AFTER) != step.detail("reverse")
    first = (1, None, 1, False) if behind else (0, -1, 1, False)
    rest = ((0, None, 1, False),) * (node.ndim - 1)
    return builder.emit("slice", [array], shape=node.shape, dtype=node.dtype, ranges=(first, *rest))


def _name(carries: Sequence[str], stack: Stack, value: Node) -> str:
    kind, _, number = stack.source.partition(" ")
    return HINTS.get(value.op, "") if kind == "value" else carries[int(number)]


def lower_final(builder: Builder, node: Node, args: list[int]) -> int:
    """The variable that holds a carry, which may be an argument's own memory."""
    place = node.attr("position")
    hint = builder.steps[args[0]].detail("carries")[place]
    return builder.pick(args[0], f"final {place}", node.shape, node.dtype, hint=hint, borrowed=True)
