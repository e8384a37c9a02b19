"""Which operations stand near below a node: what a rule can be told not to look for.

Each node knows the operations down to :data:`LEVELS` below it, as a number with one bit for each
operation in each of that many lanes: lane k has those down to level k + 1.  Views, and movements
of elements, are no level of their own: rules see through them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from symdiff.expr.ops import OPS

if TYPE_CHECKING:
    from symdiff.expr.node import Node

LEVELS = 6
#: Operations that only arrange or pick elements of their first input.
MOVEMENT = ("take", "slice", "reshape", "flip")

_WIDTH = len(OPS)
_ALL = (1 << LEVELS * _WIDTH) - 1
_EVERY_LANE = sum(1 << level * _WIDTH for level in range(LEVELS))
_BITS = {op: 1 << position for position, op in enumerate(OPS)}
_LANES = {op: bit * _EVERY_LANE for op, bit in _BITS.items()}


def near_of(op: str, inputs: tuple[Node, ...], is_view: bool) -> int:
    """What stands near a node of these inputs."""
    found = 0
    for x in inputs:
        found |= _LANES[x.op] | x.near << _WIDTH
    if is_view or op in MOVEMENT:
        found |= inputs[0].near
    return found & _ALL


def mask_of(ops: Iterable[str]) -> int:
    """What has a bit in common with ``near`` where one of the operations is near."""
    mask = 0
    for op in ops:
        mask |= _BITS[op] << (LEVELS - 1) * _WIDTH
    return mask
