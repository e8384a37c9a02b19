"""The trace: which rule made what, sliced to what the result came from.

Nodes are immutable, so a trace is a list of (before, after); nothing is copied, and any step can
be rendered later, or replayed: the reference interpreter must give both sides one value.  A trace
is told in about ten lines: steps that only tidy (housekeeping) are folded into one, and so are the
applications of one rule where there are many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symdiff.expr.evaluate import Values, evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node, describe
from symdiff.simplify.rewrite import Fact, Recorder, Rewrite, Rule

#: How many lines a trace is told in; one or two more say what was folded.
LINES = 10

_SMALL = str.maketrans("ᵃᵇᶜⁿᵖᵘʷˣᶻ", "abcnpuwxz")


@dataclass(frozen=True, slots=True)
class Step:
    """One rewrite: the rule, both sides, the pieces that it matched, the facts it leaned on.

    ``own_law`` is what the rule said of this application, if it has several laws.
    """

    phase: str
    rule: Rule
    before: Node
    after: Node
    bindings: Mapping[str, Node]
    facts: frozenset[Fact]
    own_law: str = ""

    @property
    def law(self) -> str:
        """The law that applied."""
        return self.own_law or self.rule.law

    def replay(self, values: Values, sizes: Mapping[str, int] | None = None) -> tuple[Any, Any]:
        """The values of both sides, by the reference interpreter."""
        before, after = evaluate([self.before, self.after], values, sizes)
        return before, after


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would have applied to the node but for a fact, with the reason in words.

    ``reason`` has letters in braces for the ``pieces`` that it speaks of.
    """

    rule: str
    node: Node
    reason: str
    pieces: Mapping[str, Node] = field(default_factory=dict)

    def text(self, show: Callable[[Node], str]) -> str:
        """The miss in words; ``show`` renders a node."""
        pieces = {name: show(node) for name, node in self.pieces.items()}
        return f"{self.rule} not applied: {self.reason.format_map(pieces)}"

    def __str__(self) -> str:
        return self.text(describe)


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words, or several of one rule by their first.

    ``pieces`` are what the law's letters stand for, where that is no mere name.
    """

    rule: str
    law: str
    before: str
    after: str
    pieces: Mapping[str, str]
    facts: frozenset[Fact]
    times: int = 1

    def __str__(self) -> str:
        pieces = "".join(f", {name} ↦ {text}" for name, text in self.pieces.items())
        leaned = ", ".join(f"{name}: {fact}" for name, fact in sorted(self.facts))
        because = f"  [{leaned}]" if leaned else ""
        often = f"  ({self.times} times)" if self.times > 1 else ""
        return f"{self.before}  →  {self.after}    {self.rule}: {self.law}{pieces}{because}{often}"


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
        """One line a telling step, and one for all the tidying; ``show`` renders a node.

        Where that would be more than LINES, each rule has one line, with a count.
        """
        told = self.told(show)
        result = [str(each) for each in told[:LINES]]
        if told[LINES:]:
            rest = ", ".join(sorted({each.rule for each in told[LINES:]}))
            facts = {fact for each in told[LINES:] for fact in each.facts}
            leaned = ", ".join(f"{name}: {fact}" for name, fact in sorted(facts))
            result.append(f"and by {rest}" + (f"  [{leaned}]" if leaned else ""))
        return [*result, *self.tidying()]

    def told(self, show: Callable[[Node], str]) -> list[Told]:
        """The telling steps in words, each once; rule by rule where they are many.

        Those of which both sides read alike say nothing.
        """
        steps = [_told(step, show) for step in self.telling]
        once = list({str(each): each for each in steps if each.before != each.after}.values())
        return once if len(once) <= LINES else _by_rule(once)

    def tidying(self) -> list[str]:
        """One line for all the tidying; none if there was nothing to tidy."""
        count = len(self.housekeeping)
        names = ", ".join(sorted({step.rule.name for step in self.housekeeping}))
        said = f"tidied up in {count} step{'s' if count > 1 else ''} ({names})"
        return [said] if count else []


def _told(step: Step, show: Callable[[Node], str]) -> Told:
    """A step in words, with those pieces that its left side shows and that are no mere names."""
    before, law = show(step.before), step.law
    letters = set(re.findall(r"(?<!\w)[A-Za-z]\w*", law.translate(_SMALL)))
    shown = {name: show(x) for name, x in step.bindings.items() if name in letters}
    pieces = {a: text for a, text in shown.items() if text in before and not text.isidentifier()}
    return Told(step.rule.name, law, before, show(step.after), pieces, step.facts)


def _by_rule(steps: Iterable[Told]) -> list[Told]:
    """The first step by each rule, with how many there are and all their facts."""
    found: dict[str, Told] = {}
    for step in steps:
        first = found.setdefault(step.rule, step)
        if first is not step:
            facts, times = first.facts | step.facts, first.times + 1
            found[step.rule] = replace(first, facts=facts, times=times)
    return list(found.values())


class Tracer(Recorder):
    """A recorder that keeps everything."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Step | _Rebuilt] = []

    def rewritten(self, phase: str, rule: Rule, before: Node, rewrite: Rewrite) -> None:
        super().rewritten(phase, rule, before, rewrite)
        self.events.append(
            Step(phase, rule, before, rewrite.node, rewrite.bindings, rewrite.facts, rewrite.law)
        )

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
            alive.add(event.before)
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
