"""The engine: named rules, applied until none fires, each node visited once.

A *phase* is a set of rules with a normal form of its own.  The graph is rewritten innermost first:
a node is looked at when its inputs are in normal form; what replaces it is looked at again; what
was looked at once is remembered.  So only the readers of a changed node are visited again, and the
cost is linear in the nodes plus the rewrites.  Rules are indexed by the operation at their root.

Two guards stand behind the rules' own argument for termination, that each decreases
:func:`symdiff.simplify.measure.measure` (asserted with ``debug``): a budget of steps and a search
for cycles.  Both name the last rules fired.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from symdiff.expr.graph import consumers, rebuild, toposort
from symdiff.expr.node import Node, with_shape
from symdiff.expr.views import is_view
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


class Context:
    """What a rule may know beyond the node: how many nodes of the graph read a node."""

    def __init__(self, roots: Sequence[Node]) -> None:
        order = toposort(roots)
        self._readers: dict[Node, list[Node]] = consumers(order)
        self._counts = {node: len(readers) for node, readers in self._readers.items()}
        for root in roots:
            self._counts[root] += 1
        # Constructors take scalars out of a product and absorb views, so that who reads ``s x``
        # or a view of x will read x.
        for node in reversed(order):
            inner = _looked_through(node)
            if inner is not None:
                self._counts[inner] += self._counts[node] - 1
        self._source: dict[Node, Node] = {}

    def readers(self, node: Node) -> int:
        """How many readings of the node there are; a node that a rule has just made has one."""
        return self._counts.get(node, 1)

    def only_reader(self, node: Node) -> Node | None:
        """The one node that reads this one, as it was when the phase began; None if not one."""
        source = self._source.get(node, node)
        readers = self._readers.get(source, ())
        return readers[0] if len(readers) == 1 and self._counts[source] == 1 else None

    def moved(self, old: Node, new: Node) -> None:
        """The readers of ``old`` will read ``new``."""
        if old not in self._counts or new is old:
            return
        if new not in self._counts:
            self._source[new] = self._source.get(old, old)
        reached: Node | None = new
        while reached is not None:
            self._counts[reached] = self._counts.get(reached, 0) + self._counts[old]
            reached = _looked_through(reached)


def _looked_through(node: Node) -> Node | None:
    """What a view or a product with nothing but scalars is made of."""
    if is_view(node):
        return node.inputs[0]
    if node.op != "mul" or node.ndim == 0:
        return None
    arrays = [(x, e) for x, e in zip(node.inputs, node.attr("exponents"), strict=True) if x.ndim]
    return arrays[0][0] if len(arrays) == 1 and arrays[0][1] == 1 else None


Apply: TypeAlias = Callable[[Node, Context], "Node | Rewrite | None"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named law, applied to nodes of the operations ``ops``.

    ``floats`` says what it does to floating-point results: *exact* (bitwise, or as correctly
    rounded either way), *stabler*, *real-only* (equal over the reals, may differ at NaN, inf, −0).
    ``apply`` gives the replacement, of the node's shape and dtype, or None.  A *housekeeping* rule
    changes the form only, and traces fold it away.  Where two rules want the same pieces, one
    yields to the other, so that it does not matter which is tried first.
    """

    name: str
    law: str
    floats: Floats
    ops: tuple[str, ...]
    apply: Apply
    housekeeping: bool = False
    yields_to: tuple[Rule, ...] = ()

    def __call__(self, node: Node, context: Context | None = None) -> Rewrite | None:
        """The rewrite of the node if the rule fires; that shape and dtype stay is checked."""
        if context is None:
            context = Context([node])
        result = self.apply(node, context)
        if result is None:
            return None
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
    floats: Floats, *ops: str, housekeeping: bool = False, yields_to: tuple[Rule, ...] = ()
) -> Callable[[Apply], Rule]:
    """Make a Rule of a function: its name, and the first line of its docstring as the law."""

    def make(apply: Apply) -> Rule:
        law = (apply.__doc__ or "").strip().split("\n")[0]
        return Rule(apply.__name__, law, floats, ops, apply, housekeeping, yields_to)

    return make


@dataclass(frozen=True, slots=True)
class Phase:
    """Rules that are applied together until none fires.

    ``local`` says that no rule looks at readers: then what is in normal form stays so, whatever
    happens around it, and need not be looked at again.
    """

    name: str
    rules: tuple[Rule, ...]
    local: bool = True


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
) -> dict[Node, Node]:
    """The normal form of every node below the roots, under the rules of one phase.

    ``settled`` nodes are known to be in normal form, and passed over.
    """
    run = _Run(roots, phase, budget, recorder or Recorder(), debug)
    run.done.update((node, node) for node in settled)
    return run.run()


class _Run:
    """One phase over one graph."""

    def __init__(
        self, roots: Sequence[Node], phase: Phase, budget: Budget, recorder: Recorder, debug: bool
    ) -> None:
        self.roots = list(roots)
        self.phase = phase
        self.rules = by_operation(phase.rules)
        self.context = Context(() if phase.local else roots)
        self.budget = budget
        self.recorder = recorder
        self.debug = debug
        self.done: dict[Node, Node] = {}
        self.next: dict[Node, Node] = {}  # what a node became, where that has yet to settle

    def run(self) -> dict[Node, Node]:
        stack = list(reversed(self.roots))
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
                following[node] = became
                self.context.moved(node, became)
                if became not in done:
                    stack.append(became)
        return done

    def step(self, node: Node) -> Node:
        """The node with its inputs' normal forms, or what the first rule that fires makes of it."""
        done = self.done
        if any(done[x] is not x for x in node.inputs):
            inputs = [done[x] for x in node.inputs]
            built = rebuild(node, inputs)
            if built is not node:
                self.recorder.rebuilt(node, built, inputs)
                return built
        for each in self.rules.get(node.op, ()):
            rewrite = each(node, self.context)
            if rewrite is not None:
                self.budget.spend(each.name)
                if self.debug:
                    check_decrease(each, node, rewrite.node)
                self.recorder.rewritten(self.phase.name, each, node, rewrite)
                return rewrite.node
        return node


def by_operation(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """The rules of each root operation, in order."""
    table: dict[str, list[Rule]] = {}
    for each in rules:
        for op in each.ops:
            table.setdefault(op, []).append(each)
    return table


def check_decrease(rule: Rule, before: Node, after: Node) -> None:
    """Raise RewriteError unless the rule made the measure smaller."""
    old, new = measure(before), measure(after)
    if new >= old:
        raise RewriteError(f"rule {rule.name}: the measure went from {old} to {new}")
