"""scan: a function of one step, applied along the leading axis.

The arguments are those of ``jax.lax.scan``.  The function is called once, on leaves that stand
for a step's values; what it computes from them is the loop's body, and whatever else it uses is
shared by all steps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from symdiff.expr.elementwise import as_node, is_number
from symdiff.expr.graph import is_constant, substitute, toposort
from symdiff.expr.loops import (
    CARRY,
    SHARED,
    Carry,
    OpenLoop,
    bound,
    check_carry,
    check_length,
    element_leaf,
    final,
    stacked,
    tie,
)
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.expr.shapes import Size

#: How many scans are being built around this one: the leaves of each are its own.
_DEPTH: ContextVar[int] = ContextVar("depth", default=0)


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: Size | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Apply ``f(carry, x) -> (carry, y)`` along the leading axis: ``(last carry, ys)``.

    ``init`` is the first carry: a node, a number (a float), or tuples, lists and dicts of those.
    ``xs`` is the same of arrays with time in front, ``f`` getting each one's part (None: f gets
    None, and ``length`` says how many steps there are).  ``f`` returns the next carry, of the same
    structure, shapes and dtypes, and what is to be stacked, the ``ys`` with time in front, or None.
    With ``reverse`` the steps run from the last to the first; the ys stand in order of time all
    the same.  The number of steps may be a name.  ``f`` is called once, whatever the number.

    Raises ShapeError where arrays disagree in their number of steps or a carry changes its shape,
    TypeError where it changes its dtype or structure.  After ``jax.lax.scan``.
    """
    starts, shape_of_carry = flatten(init)
    arrays, shape_of_x = flatten(xs)
    steps = check_length("scan", arrays, length)
    names = _names(f, init, len(starts))
    depth = _DEPTH.get()
    scope = f"scan {depth}"
    leaves = [bound(CARRY, i, x, scope, names[i]) for i, x in enumerate(starts)]
    elements = [element_leaf(i, x, scope) for i, x in enumerate(arrays)]
    token = _DEPTH.set(depth + 1)
    try:
        result = f(shape_of_carry(leaves), shape_of_x(elements))
    finally:
        _DEPTH.reset(token)
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError("scan: f returns a pair, (the next carry, what is stacked)")
    nexts, _ = flatten(result[0])
    if _skeleton(result[0]) != _skeleton(init):
        raise TypeError("scan: f returns a carry of another structure than it is given")
    ys, shape_of_y = flatten(result[1])
    for i, (leaf, start, update) in enumerate(zip(leaves, starts, nexts, strict=True)):
        check_carry("scan", i, Carry(leaf, start, update))
    roots, shared = close_over([*nexts, *ys], [*leaves, *elements], scope)
    loop = OpenLoop(
        steps,
        reverse,
        tuple(map(Carry, leaves, starts, roots[: len(starts)])),
        dict(zip(elements, arrays, strict=True)),
        shared,
    )
    hub, values = tie(loop, roots[len(starts) :])
    return (
        shape_of_carry([final(hub, i) for i in range(len(starts))]),
        shape_of_y([stacked(hub, value) for value in values]),
    )


def close_over(
    roots: Sequence[Node], leaves: Sequence[Node], scope: str
) -> tuple[list[Node], dict[Node, Node]]:
    """The roots with a leaf for every node of the surroundings that they read, and what each is.

    What depends on none of the ``leaves`` is of the surroundings, and is computed there.
    """
    order = toposort(roots)
    inside = set(leaves)
    for node in order:
        if any(x in inside for x in node.inputs):
            inside.add(node)
    read = [x for node in order if node in inside for x in node.inputs]
    around = dict.fromkeys(x for x in [*read, *roots] if x not in inside and not is_constant(x))
    shared = {node: bound(SHARED, i, node, scope) for i, node in enumerate(around)}
    return substitute(roots, shared), {leaf: node for node, leaf in shared.items()}


def flatten(tree: Any) -> tuple[list[Node], Callable[[Sequence[Any]], Any]]:
    """The nodes of a structure in order, and what puts others in their places."""
    if tree is None:
        return [], lambda nodes: None
    if isinstance(tree, (tuple, list, Mapping)):
        keys = list(tree) if isinstance(tree, Mapping) else None
        inner = [flatten(tree[key]) for key in keys] if keys else [flatten(x) for x in tree]
        counts = [len(nodes) for nodes, _ in inner]

        def build(nodes: Sequence[Any]) -> Any:
            made, start = [], 0
            for (_, make), count in zip(inner, counts, strict=True):
                made.append(make(nodes[start : start + count]))
                start += count
            if keys is not None:
                return dict(zip(keys, made, strict=True))
            return tuple(made) if isinstance(tree, tuple) else made

        return [node for nodes, _ in inner for node in nodes], build
    return [constant(float(tree)) if is_number(tree) else as_node(tree)], lambda nodes: nodes[0]


def _skeleton(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _skeleton(x) for key, x in tree.items()}
    if isinstance(tree, (tuple, list)):
        return [type(tree).__name__, *map(_skeleton, tree)]
    return None if tree is None else "a value"


def _names(f: Callable[..., Any], init: Any, count: int) -> list[str]:
    """What the carries are called: their keys, or f's first argument."""
    if isinstance(init, Mapping) and len(init) == count:
        return [str(key) if str(key).isidentifier() else "carry" for key in init]
    try:
        first = next(iter(inspect.signature(f).parameters), "carry")
    except ValueError:
        first = "carry"
    name = first if first.isidentifier() else "carry"
    return [name if count == 1 else f"{name}_{i + 1}" for i in range(count)]
