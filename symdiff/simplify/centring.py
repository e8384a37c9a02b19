"""Differences from a mean that lose no digits to it: x − x̄ is t − t̄ with t = x − x₁.

The mean of numbers near 1e8 is rounded to 1e-8, and what all share of that error stays in each
difference from it.  Differences from one of the numbers are exact or nearly so, and their mean is
as small as they are (Chan, Golub and LeVeque 1983).  A last step, for data as they come in:
nothing else is so far from 0, and a sum of squares takes no harm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination
from symdiff.expr.contraction import summed_squares
from symdiff.expr.graph import consumers, rebuild, toposort
from symdiff.expr.movement import slice_
from symdiff.expr.near import MOVEMENT
from symdiff.expr.node import Node
from symdiff.expr.ops import OPS
from symdiff.simplify.parts import Product, as_like
from symdiff.simplify.rules.statistics import centred, mean_of

_OF_DATA = frozenset(("add", "contract", "relu", "cast", *MOVEMENT))


def centred_twice(roots: Sequence[Node]) -> list[Node]:
    """The roots, with data less their mean computed from differences from the first of them."""
    order = toposort(roots)
    readers = consumers(order)
    done: dict[Node, Node] = {}
    for node in order:
        made = rebuild(node, [done[x] for x in node.inputs])
        found = centred(made)
        squared = all(summed_squares(reader) is not None for reader in readers[node])
        if found is not None and _is_data(found[0]) and (node in roots or not squared):
            made = as_like(_shifted(*found), made)
        done[node] = made
    return [done[root] for root in roots]


def _shifted(x: Node, axes: tuple[int, ...], weight: Product) -> Node:
    ranges = [(0, 1 if a in axes else n, 1) for a, n in enumerate(x.shape)]
    less = linear_combination([(x, 1.0), (slice_(x, ranges), -1.0)])
    twice = linear_combination([(less, 1.0), (mean_of(less, axes), -1.0)])
    return weight.times(twice, 1.0).bare(x.dtype)


def _is_data(x: Node) -> bool:
    """Whether the node is a sum of inputs, or of products of matrices of them."""
    stack, seen = [x], set()
    while stack:
        node = stack.pop()
        if node in seen or OPS[node.op].leaf:
            continue
        seen.add(node)
        if node.op not in _OF_DATA or (
            math.isfinite(node.facts.lo) and math.isfinite(node.facts.hi)
        ):
            return False
        stack += node.inputs
    return True
