"""The trace: which rule made what, sliced to what the result came from.

Nodes are immutable, so a trace is a list of (before, after); nothing is copied, and any step can
be rendered later, or replayed: the reference interpreter must give both sides one value.  Steps
that only tidy (housekeeping) are folded into one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symdiff.expr.evaluate import Values, evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify.rewrite import Fact, Recorder, Rewrite, Rule


@dataclass(frozen=True, slots=True)
class Step:
    """One rewrite: the rule, both sides, the pieces that it matched, the facts it leaned on."""

    phase: str
    rule: Rule
    before: Node
    after: Node
    bindings: Mapping[str, Node]
    facts: frozenset[Fact]

    def replay(self, values: Values, sizes: Mapping[str, int] | None = None) -> tuple[Any, Any]:
        """The values of both sides, by the reference interpreter."""
        before, after = evaluate([self.before, self.after], values, sizes)
        return before, after


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would have applied to the node but for a fact, with the reason in words."""

    rule: str
    node: Node
    reason: str

    def __str__(self) -> str:
        return f"{self.rule} not applied: {self.reason}"


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    """A node built again because inputs changed."""

    before: Node
    after: Node
    inputs: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Steps in the order taken.  ``steps`` leaves out those that the result did not come from."""

    steps: tuple[Step, ...] = ()
    events: tuple[Step | _Rebuilt, ...] = field(default=(), repr=False)

    @property
    def housekeeping(self) -> tuple[Step, ...]:
        """The steps that only tidy."""
        return tuple(step for step in self.steps if step.rule.housekeeping)

    @property
    def telling(self) -> tuple[Step, ...]:
        """The steps that do more than tidy."""
        return tuple(step for step in self.steps if not step.rule.housekeeping)

    @property
    def facts(self) -> frozenset[Fact]:
        """The declared facts that the steps leaned on."""
        return frozenset().union(*(step.facts for step in self.steps))

    def of(self, *roots: Node) -> Trace:
        """The part of the trace that some of the results came from."""
        return Trace(tuple(sliced(self.events, roots)), self.events)

    def lines(self, show: Callable[[Node], str]) -> list[str]:
        """One line a telling step, and one for all the tidying; ``show`` renders a node."""
        result = []
        for step in self.telling:
            leaned = ", ".join(f"{name}: {fact}" for name, fact in sorted(step.facts))
            because = f"  [{leaned}]" if leaned else ""
            law = f"{step.rule.name}: {step.rule.law}{because}"
            result.append(f"{show(step.before)}  →  {show(step.after)}    {law}")
        if self.housekeeping:
            names = sorted({step.rule.name for step in self.housekeeping})
            result.append(f"tidied up in {len(self.housekeeping)} steps ({', '.join(names)})")
        return result


class Tracer(Recorder):
    """A recorder that keeps everything."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Step | _Rebuilt] = []

    def rewritten(self, phase: str, rule: Rule, before: Node, rewrite: Rewrite) -> None:
        super().rewritten(phase, rule, before, rewrite)
        self.events.append(Step(phase, rule, before, rewrite.node, rewrite.bindings, rewrite.facts))

    def rebuilt(self, before: Node, after: Node, inputs: Sequence[Node]) -> None:
        self.events.append(_Rebuilt(before, after, tuple(inputs)))

    def trace(self, roots: Sequence[Node]) -> Trace:
        """The trace of the results."""
        return Trace(tuple(sliced(self.events, roots)), tuple(self.events))


def sliced(events: Sequence[Step | _Rebuilt], roots: Iterable[Node]) -> list[Step]:
    """The steps that made a part of the roots, first to last.

    Backwards from the result: a step whose right side is alive is kept, and brings to life what
    its left side was made of down to the matched pieces, which live only if they stayed.
    """
    alive = set(toposort(roots))
    kept: list[Step] = []
    for event in reversed(events):
        if event.after not in alive:
            continue
        if isinstance(event, _Rebuilt):
            # Those that the node does not have as its inputs were taken apart in building it.
            alive.update(x for x in event.inputs if x not in event.after.inputs)
            continue
        kept.append(event)
        alive.update(_interior(event.before, set(event.bindings.values())))
    kept.reverse()
    return kept


def _interior(node: Node, bound: set[Node]) -> set[Node]:
    """The nodes from this one down to bound ones; without bound ones, everything below."""
    found = {node}
    stack = [node]
    while stack:
        for x in stack.pop().inputs:
            if x not in found and x not in bound:
                found.add(x)
                stack.append(x)
    return found
