"""Loops as people write them: recurrences.

``h[−1] = h0`` is where a carry begins and ``h[t] = tanh(z[t] + h[t − 1] U)`` how it goes on, from
the first step to the last; a loop backward begins with ``h[T]`` and goes on from ``h[t + 1]``.
Elsewhere ``h`` is the array of all steps, time in front, ``before(h)`` the same one step earlier in
the order of the steps, its first being where the carry begins, and ``last(h)`` the carry after the
last step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symdiff.expr.graph import toposort
from symdiff.expr.loops import CARRY, SHARED, bound_leaves, parts, updates, value_of
from symdiff.expr.node import Node
from symdiff.expr.shapes import Size, size_text
from symdiff.inspect.layout import ONE, Apply, Doc, Name, Number, Subscript, Sum, negated

_NOW = Name("t")


@dataclass(frozen=True)
class Recurrence:
    """A loop whose carries, and other values that are read of it, have names."""

    hub: Node
    carries: tuple[Name, ...]
    values: dict[Node, Name]

    def reader(self, node: Node) -> Doc:
        """What a node that reads the loop is."""
        if node.op == "final":
            return Apply("last", (self.carries[node.attr("position")],))
        value = value_of(node)
        if value in self.values:
            return self.values[value]
        nexts = updates(self.hub)
        if value in nexts:
            return self.carries[nexts.index(value)]
        return Apply("before", (self.carries[value.attr("position")],))

    def starts(self, look: Callable[[Node], Doc]) -> list[tuple[Doc, Doc, Node]]:
        """Where the carries begin."""
        inits, _, _ = parts(self.hub)
        end = _size(self.hub.attr("length"))
        place = end if self.hub.attr("reverse") else negated(ONE)
        return [
            (Subscript(name, (place,)), look(init), init)
            for name, init in zip(self.carries, inits, strict=True)
        ]

    def step(self) -> dict[str | Doc, Node]:
        """What a step computes, by its label."""
        nexts = dict(zip(self.carries, updates(self.hub), strict=True))
        rest = {name: value for value, name in self.values.items()}
        return {Subscript(name, (_NOW,)): node for name, node in {**rest, **nexts}.items()}

    def known(self, look: Callable[[Node], Doc]) -> dict[Node, Doc]:
        """How the body's leaves are written."""
        before = Sum(((False, _NOW), (not self.hub.attr("reverse"), ONE)))
        found: dict[Node, Doc] = {}
        for leaf, x in zip(bound_leaves(self.hub), self.hub.inputs, strict=True):
            kind = leaf.attr("kind")
            if kind == CARRY:
                found[leaf] = Subscript(self.carries[leaf.attr("position")], (before,))
            else:
                found[leaf] = look(x) if kind == SHARED else Subscript(look(x), (_NOW,))
        return found


def recurrence(hub: Node, readers: Sequence[Node], fresh: Callable[[str], str]) -> Recurrence:
    """The loop with names: the carries' own, and the operations' of other values."""
    names = tuple(Name(fresh(name or "carry")) for name in hub.attr("names"))
    plain = {*updates(hub), *(x for x in bound_leaves(hub) if x.attr("kind") == CARRY)}
    read = {value_of(reader) for reader in readers if reader.op == "stacked"}
    rest = [x for x in toposort([*updates(hub), *read]) if x in read and x not in plain]
    return Recurrence(hub, names, {value: Name(fresh(_hint(value))) for value in rest})


def _hint(value: Node) -> str:
    return value.op if value.op in ("tanh", "sigmoid", "exp", "relu") else "step"


def _size(size: Size) -> Doc:
    return Number(float(size)) if isinstance(size, int) else Name(size_text(size))
