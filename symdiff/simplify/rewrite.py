"""The engine: named rules, applied until none fires, each node visited once.

A *phase* is a set of rules with a normal form of its own.  The graph is rewritten innermost first:
a node is looked at when its inputs are in normal form; what replaces it is looked at again; what
was looked at once is remembered.  So only the readers of a changed node are visited again, and the
cost is linear in the nodes plus the rewrites.  Rules are indexed by the operation at their root,
and what came of them is remembered from phase to phase (:mod:`symdiff.simplify.context`).

Two guards stand behind the rules' own argument for termination, that each decreases
:func:`symdiff.simplify.measure.measure` (asserted with ``debug``): a budget of steps and a search
for cycles.  Both name the last rules fired.
"""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from symdiff.expr.graph import toposort
from symdiff.expr.near import mask_of
from symdiff.expr.node import Node, with_shape
from symdiff.simplify.context import Asked, Memo
from symdiff.simplify.context import Context as Context
from symdiff.simplify.measure import measure

Fact: TypeAlias = tuple[str, str]
Floats: TypeAlias = Literal["exact", "stabler", "real-only"]


class RewriteError(RuntimeError):
    """The rules do not settle, or one broke its contract: a fault of ours, never of a formula."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a rule puts in a node's place, the pieces that it matched, the facts it leaned on.

    ``law`` is the one that applied, where the rule has several.
    """

    node: Node
    bindings: Mapping[str, Node] = field(default_factory=dict)
    facts: frozenset[Fact] = frozenset()
    law: str = ""


Apply: TypeAlias = Callable[[Node, Context], "Node | Rewrite | None"]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A named law, applied to nodes of the operations ``ops``.

    ``floats`` says what it does to floating-point results: *exact* (bitwise, or as correctly
    rounded either way), *stabler*, *real-only* (equal over the reals, may differ at NaN, inf, −0).
    ``apply`` gives the replacement, of the node's shape and dtype, or None.  A *housekeeping* rule
    changes the form only, and traces fold it away.  Where two rules want the same pieces, one
    yields to the other, so that it does not matter which is tried first.  ``needs`` are operations
    without any of which near below (:mod:`symdiff.expr.near`) the rule cannot fire: it is not
    tried then (and with ``debug`` it is, and must not fire).
    """

    name: str
    law: str
    floats: Floats
    ops: tuple[str, ...]
    apply: Apply
    housekeeping: bool = False
    yields_to: tuple[Rule, ...] = ()
    needs: tuple[str, ...] = ()
    mask: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", mask_of(self.needs))

    def __call__(self, node: Node, context: Context | None = None) -> Rewrite | None:
        """The rewrite of the node if the rule fires; that shape and dtype stay is checked."""
        if context is None:
            context = Context([node])
        result = self.apply(node, context)
        return None if result is None else self.checked(result, node, context)

    def checked(self, result: Node | Rewrite, node: Node, context: Context) -> Rewrite | None:
        """What was put in a node's place, unless it is the node or another rule's to replace."""
        rewrite = result if isinstance(result, Rewrite) else Rewrite(result)
        if rewrite.node is node or any(other(node, context) for other in self.yields_to):
            return None
        if rewrite.node.shape != node.shape or rewrite.node.dtype != node.dtype:
            raise RewriteError(
                f"rule {self.name}: {with_shape(node)} of {node.dtype} became "
                f"{with_shape(rewrite.node)} of {rewrite.node.dtype}"
            )
        return rewrite


def rule(
    floats: Floats,
    *ops: str,
    housekeeping: bool = False,
    yields_to: tuple[Rule, ...] = (),
    needs: tuple[str, ...] = (),
) -> Callable[[Apply], Rule]:
    """Make a Rule of a function: its name, and the first line of its docstring as the law."""

    def make(apply: Apply) -> Rule:
        law = (apply.__doc__ or "").strip().split("\n")[0]
        return Rule(apply.__name__, law, floats, ops, apply, housekeeping, yields_to, needs)

    return make


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """Rules that are applied together until none fires.

    ``local`` says that no rule looks at readers: then what is in normal form stays so, whatever
    happens around it, and need not be looked at again.  ``after`` is an earlier phase that has
    most of the rules as well: they are not tried again on what it left as it is.
    """

    name: str
    rules: tuple[Rule, ...]
    local: bool = True
    after: Phase | None = None


class Recorder:
    """Listens to the engine; this one keeps only what is always needed, the facts leaned on."""

    def __init__(self) -> None:
        self.facts: set[Fact] = set()

    def rewritten(self, phase: str, rule: Rule, before: Node, rewrite: Rewrite) -> None:
        """A rule replaced a node."""
        self.facts |= rewrite.facts

    def rebuilt(self, before: Node, after: Node, inputs: Sequence[Node]) -> None:
        """A node was built again because its inputs changed."""


class Budget:
    """The steps that may still be taken, and the last rules that took some."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.left = steps
        self.last: deque[str] = deque(maxlen=12)

    def spend(self, name: str) -> None:
        self.last.append(name)
        self.left -= 1
        if self.left < 0:
            raise RewriteError(
                f"simplify: no end after {self.steps} steps; the last rules were "
                + ", ".join(self.last)
            )


def run_phase(
    roots: Sequence[Node],
    phase: Phase,
    budget: Budget,
    recorder: Recorder | None = None,
    debug: bool = False,
    settled: Iterable[Node] = (),
    memo: Memo | None = None,
) -> dict[Node, Node]:
    """The normal form of every node below the roots, under the rules of one phase.

    ``settled`` nodes are known to be in normal form, and passed over; ``memo`` knows what came of
    the rules in earlier runs.
    """
    run = _Run(roots, phase, budget, recorder or Recorder(), debug, memo or Memo())
    run.done.update((node, node) for node in settled)
    return run.run()


Outcome: TypeAlias = "tuple[tuple[Asked, ...], tuple[Rule, Rewrite] | None]"


#: No rule fires, and none asked anything.
NOTHING: Outcome = (), None


class _Run:
    """One phase over one graph."""

    def __init__(
        self,
        roots: Sequence[Node],
        phase: Phase,
        budget: Budget,
        recorder: Recorder,
        debug: bool,
        memo: Memo,
    ) -> None:
        self.roots = list(roots)
        self.phase = phase
        self.rules = {
            op: (rules, functools.reduce(operator.or_, (each.mask for each in rules)))
            for op, rules in by_operation(phase.rules).items()
        }
        self.selected: dict[tuple[str, int], list[Rule]] = {}
        self.budget = budget
        self.recorder = recorder
        self.debug = debug
        self.memo = memo
        self.found = memo.found(phase)
        self.before = memo.found(phase.after) if phase.after is not None else {}
        self.tried = frozenset(phase.after.rules if phase.after is not None else ())
        self.done: dict[Node, Node] = {}
        self.context = Context(())
        self.next: dict[Node, Node] = {}  # what a node became, where that has yet to settle

    def run(self) -> dict[Node, Node]:
        """Each node after its inputs; most of them stay as they are."""
        order = toposort(self.roots, self.done) if self.done else self.memo.order(self.roots)
        if not self.phase.local:
            self.context = Context(self.roots, order)
        done, found, agrees = self.done, self.found, self.context.agrees
        for node in order:
            if node in done:
                continue
            for x in node.inputs:
                if done[x] is not x:
                    break
            else:
                known = found.get(node)
                if known is not None and known[1] is None and agrees(known[0]):
                    done[node] = node
                    continue
            became = self.step(node)
            if became is node:
                done[node] = node
            else:
                self.become(node, became)
                self.settle(became)
                done[node] = done[became]
        return done

    def become(self, node: Node, became: Node) -> None:
        """Note that another node stands in a node's place."""
        self.next[node] = became
        self.context.moved(node, became)

    def settle(self, root: Node) -> None:
        """Find the normal form of a new node, and of what stands in its place on the way."""
        stack = [root]
        done, following = self.done, self.next
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            became = following.get(node)
            if became is not None:
                if became in done:
                    done[node] = done[became]
                    stack.pop()
                    continue
                raise RewriteError(
                    f"simplify: {with_shape(node)} comes back to itself; the last rules were "
                    + ", ".join(self.budget.last)
                )
            pending = [x for x in node.inputs if x not in done]
            if pending:
                stack.extend(reversed(pending))
                continue
            became = self.step(node)
            if became is node:
                done[node] = node
                stack.pop()
            else:
                self.become(node, became)
                if became not in done:
                    stack.append(became)

    def step(self, node: Node) -> Node:
        """The node with its inputs' normal forms, or what the first rule that fires makes of it."""
        done = self.done
        inputs = [done[x] for x in node.inputs]
        if any(map(operator.is_not, inputs, node.inputs)):
            built = self.memo.rebuild(node, inputs)
            if built is not node:
                self.recorder.rebuilt(node, built, inputs)
                return built
        known = self.found.get(node)
        if known is None or not self.context.agrees(known[0]):
            known = self.found[node] = self.attempt(node)
        fired = known[1]
        if fired is None:
            return node
        rule, rewrite = fired
        self.budget.spend(rule.name)
        if self.debug:
            check_decrease(rule, node, rewrite.node)
        self.recorder.rewritten(self.phase.name, rule, node, rewrite)
        return rewrite.node

    def attempt(self, node: Node) -> Outcome:
        """The first rule that fires, and what the rules had asked of the context."""
        context = self.context
        rules = self.rules_for(node)
        before = self.before.get(node)
        if before is None or before[1] is not None or not context.agrees(before[0]):
            before = NOTHING
        else:
            rules = [each for each in rules if each not in self.tried]
        asked = context.asked = []
        for each in rules:
            result = each.apply(node, context)
            rewrite = None if result is None else each.checked(result, node, context)
            if asked and self.debug and self.phase.local:
                raise RewriteError(
                    f"rule {each.name}: asks who reads a node, in the local phase {self.phase.name}"
                )
            if rewrite is not None:
                return _once(before[0], asked), (each, rewrite)
        return (_once(before[0], asked), None) if asked else before

    def rules_for(self, node: Node) -> Sequence[Rule]:
        """The rules of the node's operation, less those for which nothing that they need is near.

        There are few ways in which what they need is near or not, so that each is worked out once.
        """
        rules, mask = self.rules.get(node.op, ((), 0))
        near = node.near & mask
        found = self.selected.get((node.op, near))
        if found is None:
            found = [each for each in rules if not each.mask or each.mask & near]
            self.selected[node.op, near] = found
        if self.debug:
            check_needs((each for each in rules if each not in found), node)
        return found


def _once(before: Sequence[Asked], asked: Sequence[Asked]) -> tuple[Asked, ...]:
    """What was asked, each question once, whichever rules asked it."""
    return tuple(dict.fromkeys((*before, *asked)))


def by_operation(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """The rules of each root operation, in order."""
    table: dict[str, list[Rule]] = {}
    for each in rules:
        for op in each.ops:
            table.setdefault(op, []).append(each)
    return table


def check_needs(rules: Iterable[Rule], node: Node) -> None:
    """Raise RewriteError if a rule fires where nothing that it needs is near."""
    context = Context(())
    for each in rules:
        if each(node, context) is not None:
            needs = ", ".join(each.needs)
            raise RewriteError(f"rule {each.name}: fires without any of {needs} near")


def check_decrease(rule: Rule, before: Node, after: Node) -> None:
    """Raise RewriteError unless the rule made the measure smaller."""
    old, new = measure(before), measure(after)
    if new >= old:
        raise RewriteError(f"rule {rule.name}: the measure went from {old} to {new}")
