"""simplify: the phases in order, until nothing changes, and then the plan of the contractions.

canonical → recognise → arrange → fold, over and over; then plan, once.  Each phase may mention
only what earlier ones leave standing.  Call it on the forward graph before differentiating, so
that composites have stable derivatives, and on the derivative: rewriting the gradient alone comes
too late for most formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symdiff.expr.collecting import no_collections
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.simplify.context import Memo
from symdiff.simplify.contraction import Planned, planned
from symdiff.simplify.decisions import Decision
from symdiff.simplify.loops import simplified_loops
from symdiff.simplify.near import WATCHERS
from symdiff.simplify.rewrite import Budget, Fact, Phase, Recorder, Rule, run_phase
from symdiff.simplify.rules import (
    algebra,
    canonical,
    contractions,
    cross_entropy,
    exponentials,
    exponents,
    factoring,
    gathering,
    hyperbolic,
    hypotenuse,
    kinks,
    labels,
    logarithms,
    movement,
    normal,
    picked,
    positive,
    powers,
    reductions,
    selection,
    shapes,
    shares,
    sigmoid,
    softmax,
    statistics,
    ties,
    weighted,
)
from symdiff.simplify.trace import NearMiss, Trace, Tracer

CANONICAL = Phase(
    "canonical",
    (*canonical.RULES, *movement.RULES, *contractions.CANONICAL, *gathering.RULES),
    local=False,
)
RECOGNISE = Phase(
    "recognise",
    (
        *softmax.RULES,
        *sigmoid.RULES,
        *exponentials.RULES,
        *kinks.RULES,
        *cross_entropy.RULES,
        *labels.RULES,
        *weighted.RULES,
        *logarithms.RULES,
        *hyperbolic.RULES,
        *normal.RULES,
        *powers.RULES,
        *hypotenuse.RULES,
        *selection.RULES,
        *statistics.RULES,
    ),
)
ARRANGE = Phase(
    "arrange", (*canonical.ARRANGING, *contractions.CANONICAL), local=False, after=CANONICAL
)
FOLD = Phase("fold", (*reductions.RULES, *contractions.FOLDING, *algebra.RULES), local=False)

PHASES: tuple[Phase, ...] = (CANONICAL, RECOGNISE, ARRANGE, FOLD)
#: Every digit counts more than work saved: for lone formulas, not for networks.
ACCURATE: tuple[Phase, ...] = (
    CANONICAL,
    Phase(
        "recognise",
        (
            *RECOGNISE.rules,
            *exponentials.ACCURATE,
            *shapes.ACCURATE,
            *shares.ACCURATE,
            *powers.ACCURATE,
            *hypotenuse.ACCURATE,
            *selection.ACCURATE,
            *statistics.ACCURATE,
            *hyperbolic.ACCURATE,
            *normal.ACCURATE,
            *algebra.ACCURATE,
            *exponents.ACCURATE,
            *positive.ACCURATE,
            *weighted.ACCURATE,
            *picked.ACCURATE,
            *labels.ACCURATE,
        ),
    ),
    ARRANGE,
    FOLD,
)
#: What a derivative is left with: for lone formulas, after all else.
SHORT = Phase(
    "shorten",
    (
        canonical.flatten_sum,
        canonical.flatten_product,
        *contractions.SHORT,
        *factoring.RULES,
        *ties.RULES,
    ),
    local=False,
)
RULES: tuple[Rule, ...] = tuple(
    {each: None for phase in PHASES for each in phase.rules}  # of what is in two phases, one
)


@dataclass(frozen=True, slots=True)
class Simplified:
    """What simplify gives.

    ``roots`` in the order given; ``mapping`` from each node of the given graph to what it became
    (which may have been taken in by its reader, and then stands there no more); ``names`` the
    given names, of the nodes that they stand for now; ``assumptions`` the declared facts
    (input, fact) that rules leaned on; ``decisions`` what the planner decided of squared arrays.
    """

    roots: tuple[Node, ...]
    mapping: Mapping[Node, Node]
    names: Mapping[Node, str] = field(default_factory=dict)
    assumptions: frozenset[Fact] = frozenset()
    trace: Trace = field(default_factory=Trace)
    near_misses: tuple[NearMiss, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def root(self) -> Node:
        """The only root; ValueError if there are more."""
        if len(self.roots) != 1:
            raise ValueError(f"root: there are {len(self.roots)} roots")
        return self.roots[0]


@no_collections()
def simplify(
    roots: Node | Iterable[Node],
    names: Mapping[Node, str] | None = None,
    *,
    trace: bool = False,
    debug: bool = False,
    budget: int | None = None,
    phases: Sequence[Phase] = PHASES,
    contractions: bool = True,
    memo: Memo | None = None,
) -> Simplified:
    """The roots in simplest, stablest form: equal where the formulas are defined over the reals.

    ``names`` (of nodes) are followed through the rewriting.  With ``trace`` every step is kept,
    and near misses are looked for; ``debug`` checks that each rule decreases the measure;
    ``contractions=False`` leaves out the planning of their order; ``memo``, given to calls whose
    graphs have much in common, has that looked at once.  Raises RewriteError, naming the last
    rules fired, after ``budget`` steps (default: 50 a node).
    """
    given = (roots,) if isinstance(roots, Node) else tuple(roots)
    memo = memo or Memo()
    first = memo.order(list(given))
    steps = Budget(budget if budget is not None else 1000 + 50 * len(first))
    recorder = Tracer() if trace else Recorder()
    mapping = {node: node for node in first}
    current = list(given)
    settled: dict[str, tuple[list[Node], set[Node]]] = {}

    def body(inner: Sequence[Node]) -> Sequence[Node]:
        """Its leaves are the loop's own, of which nothing is declared that a rule could lean on."""
        return simplify(inner, debug=debug, phases=phases, contractions=False, memo=memo).roots

    changed, has_loops = True, any(node.op == "loop" for node in first)
    while changed:  # two or three times are usual; the budget sees to an end
        before = current
        if has_loops:
            done = simplified_loops(current, body, memo.loops(tuple(phases)))
            current = [done.get(root, root) for root in current]
            _compose(mapping, done)
        for phase in phases:
            left, known = settled.get(phase.name, ([], set()))
            if current == left:  # nodes are equal when they are the same
                continue
            done = run_phase(current, phase, steps, recorder, debug, known, memo)
            entered, current = current, [done[root] for root in current]
            if current != entered:  # else the graph is the same, since roots tell graphs apart
                _compose(mapping, done)
            if phase.local:
                settled[phase.name] = current, set(done.values())
            elif current == entered:  # else some node may have lost readers after its turn
                settled[phase.name] = current, set()
        changed = current != before
    found = recorder.trace(current) if isinstance(recorder, Tracer) else Trace()
    missed = tuple(near_misses(current)) if trace else ()
    decisions: tuple[Decision, ...] = ()
    if contractions:
        found_plan = planned(current, memo=memo)
        if any(a is not b for a, b in zip(current, found_plan.roots, strict=True)):
            _follow(mapping, found_plan)
        mapping |= zip(given, found_plan.roots, strict=True)
        current, decisions = found_plan.roots, tuple(found_plan.decisions)
        recorder.facts |= found_plan.facts
    return Simplified(
        tuple(current),
        mapping,
        {mapping.get(node, node): name for node, name in (names or {}).items()},
        frozenset(recorder.facts),
        found,
        missed,
        decisions,
    )


def _follow(mapping: dict[Node, Node], plan: Planned) -> None:
    """Let nodes be what they are in the planned graph, where they stand there."""
    present = set(toposort(plan.roots))
    for node, old in mapping.items():
        new = plan.mapping.get(old)
        if old not in present and new in present:
            mapping[node] = new


def _compose(mapping: dict[Node, Node], done: Mapping[Node, Node]) -> None:
    """What each node became, after one more phase."""
    for node, now in mapping.items():
        mapping[node] = done.get(now, now)


def near_misses(roots: Sequence[Node]) -> list[NearMiss]:
    """The rules that would have applied to the graph but for a fact."""
    found = []
    for node in toposort(roots):
        for op, watcher in WATCHERS:
            miss = watcher(node) if node.op == op else None
            if miss is not None:
                found.append(miss)
    return found
