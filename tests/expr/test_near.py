"""Which operations stand near below a node."""

from __future__ import annotations

from symdiff.expr import build as b
from symdiff.expr.near import LEVELS, mask_of
from symdiff.expr.node import Node

x = b.input("x", (3, 4))


def stands_near(op: str, node: Node) -> bool:
    return bool(node.near & mask_of([op]))


def test_operations_down_to_a_number_of_levels_are_near() -> None:
    node = b.cos(x)
    for _ in range(LEVELS - 1):
        node = b.sin(node)
    assert not stands_near("cos", b.cos(x))
    assert stands_near("cos", node)
    assert stands_near("cos", b.sin(node))
    assert not stands_near("cos", b.sin(b.sin(node)))


def test_every_branch_is_near() -> None:
    assert stands_near("cos", b.sin(x) + b.exp(b.cos(x)))
    assert not stands_near("tan", b.sin(x) + b.exp(b.cos(x)))


def test_movements_are_no_level() -> None:
    node = b.cos(x)
    for _ in range(LEVELS):
        node = b.sin(b.reshape(node[1:], (-1,)).reshape(2, 4).T.T)
        node = b.concatenate([node, node[:1]])
    assert not stands_near("cos", node)
    moved = b.cos(x)
    for _ in range(2 * LEVELS):
        moved = b.flip(b.reshape(moved, (4, 3)).T, 0)
    assert stands_near("cos", b.sin(moved))
    assert stands_near("reshape", b.sin(moved))


def test_any_of_several_operations() -> None:
    assert b.sin(b.cos(x)).near & mask_of(["tan", "cos"])
    assert not b.sin(b.cos(x)).near & mask_of(["tan", "exp"])
