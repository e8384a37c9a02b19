"""What sizes that only the data tell must be for slices and windows to fit.

``P[:time]`` of a P of 4 rows wants time ≤ 4.  NumPy would cut the slice short and speak of shapes
that do not broadcast, further down; the emitted kernels look first, and name the argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from codegen.envelope import never_less
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node, describe
from symdiff.expr.shapes import (
    Size,
    as_expression,
    as_size,
    size_add,
    size_mul,
    size_names,
    size_value,
)


@dataclass(frozen=True, slots=True)
class Limit:
    """``need`` must not be more than ``have``; ``what`` says where that comes from."""

    need: Size
    have: Size
    what: str

    def holds(self, at: Mapping[str, int]) -> bool:
        """Whether it does at given sizes."""
        return size_value(self.need, at) <= size_value(self.have, at)

    @property
    def names(self) -> list[str]:
        """The sizes that it hangs on."""
        return sorted(size_names(self.need) | size_names(self.have))


def limits_of(roots: Iterable[Node], names: Mapping[Node, str]) -> list[Limit]:
    """What slices and windows under the roots want of sizes of at least 1, each once.

    ``names`` are the user's, of equations in their order.  What is wanted of whole parts of sizes,
    as windows over windows do, is left out: no one would read it.
    """
    found: dict[tuple[Size, Size], Limit] = {}
    for node in toposort(roots):
        for axis, need, have in _wanted(node):
            if not _fits_always(need, have) and not _whole_parts(need, have):
                what = f"a {node.op} of {_name(node, names)} along axis {axis}"
                found.setdefault((need, have), Limit(need, have, what))
    return list(found.values())


def _wanted(node: Node) -> Iterator[tuple[int, Size, Size]]:
    """Axis, what is needed along it, what is there."""
    shape = node.inputs[0].shape if node.inputs else ()
    if node.op == "slice":
        for axis, (start, length, step) in enumerate(node.attr("ranges")):
            last = size_mul(step, size_add(length, -1))
            yield axis, size_add(start, size_add(last, 1)), shape[axis]
            yield axis, start, size_add(start, length)
    if node.op == "window":
        attributes = (node.attr(key) for key in ("axes", "sizes", "dilations"))
        for axis, size, dilation in zip(*attributes, strict=True):
            yield axis, size_add(size_mul(dilation, size_add(size, -1)), 1), shape[axis]


def _whole_parts(*sizes: Size) -> bool:
    """Whether there are any in the sizes."""
    if all(isinstance(size, int | str) for size in sizes):
        return False
    from sympy import floor

    return any(as_expression(size).has(floor) for size in sizes)


def _fits_always(need: Size, have: Size) -> bool:
    """Whether it does at all sizes of at least 1.

    A whole part is at least a whole number where what it is the whole part of is; and is never
    more than that.
    """
    if isinstance(have, int | str) and isinstance(need, int | str):
        return never_less(have, need)
    from sympy import floor

    room = as_expression(have) - as_expression(need)
    above, _ = room.replace(floor, lambda x: x).as_numer_denom()
    return never_less(as_size(above), 0)


def _name(node: Node, names: Mapping[Node, str]) -> str:
    """What messages call the operand: its own name, or the equation that it stands in."""
    (x,) = node.inputs
    if x in names or x.op in ("input", "parameter"):
        return names.get(x) or describe(x)
    within = next((name for n, name in names.items() if node in toposort([n])), None)
    return describe(x) if within is None else f"{describe(x)} in {within}"


def sizes_within(
    limits: Sequence[Limit], sizes: Mapping[str, int], steps: int = 100
) -> dict[str, int]:
    """Sizes near the given ones at which the limits hold, as far as steps of 1 find them."""
    found = dict(sizes)
    for _ in range(steps):
        broken = next((limit for limit in limits if not limit.holds(found)), None)
        if broken is None:
            break
        smaller = [n for n in size_names(broken.need) - size_names(broken.have) if found[n] > 1]
        for name in sorted(smaller):
            found[name] -= 1
        for name in [] if smaller else sorted(size_names(broken.have)):
            found[name] += 1
    return found
