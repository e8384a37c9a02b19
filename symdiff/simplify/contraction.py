"""Planning: which products are formed, and in which order contractions are evaluated.

A contraction over a *factored* array (an outer product, a sum of matrix products, a scatter) need
not form that array.  ``Σ_P G[j,P]²`` with ``G = z̄ ⊗ h`` is ``Σ z̄² Σ h²``: Goodfellow's norms; with
``G = Σ_t z̄_t ⊗ h_t`` it is a sum over two Gram matrices, or G is formed and squared, whichever
costs less.  Nothing here knows of norms: :func:`plan` takes contractions apart into operands over
indices (:mod:`symdiff.simplify.terms`), searches the orders (:mod:`symdiff.simplify.order`), and
forms a factored array where that is cheaper over all of the contractions that read it.

Costs are taken at nominal sizes where sizes are unknown (:class:`symdiff.simplify.cost.Nominal`);
where it hangs on unknown sizes in which form a norm is cheaper, both are evaluated, under a guard.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Mapping, MutableMapping, Sequence, Set
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, size_node
from symdiff.expr.views import broadcast_to
from symdiff.simplify.context import Memo
from symdiff.simplify.cost import Nominal
from symdiff.simplify.deciding import Deciding, Either
from symdiff.simplify.decisions import Decision, Guard
from symdiff.simplify.known import Known, Ledger, Plan
from symdiff.simplify.order import best_order, is_independent
from symdiff.simplify.products import Products
from symdiff.simplify.rewrite import Fact
from symdiff.simplify.terms import OPENED
from symdiff.simplify.unformed import is_product
from symdiff.simplify.uses import gathered


@dataclass(frozen=True)
class Planned:
    """Planned roots, what was decided on the way, and the declared facts that clamps lean on.

    ``mapping`` says what each node became, formed or not.
    """

    roots: list[Node]
    mapping: Mapping[Node, Node]
    decisions: list[Decision]
    facts: frozenset[Fact] = frozenset()


def plan(roots: Sequence[Node], sizes: Mapping[str, int] | None = None) -> list[Node]:
    """The roots with every contraction evaluated pair by pair, in the cheapest order.

    ``sizes`` gives numbers for sizes that have names, by which to decide; what the decisions are
    never changes the values, up to rounding.  A sum of squares stays nonnegative: where
    it is planned as a sum that may cancel, it is clamped at 0.  Distinct terms of a sum are added
    up before they are squared unless the other way wins by ``CANCELLING``.
    """
    return planned(roots, sizes).roots


def planned(
    roots: Sequence[Node], sizes: Mapping[str, int] | None = None, memo: Memo | None = None
) -> Planned:
    """The roots as :func:`plan` gives them, with the decisions and their prices.

    ``memo`` spares calls whose graphs have much in common, and that have the same ``sizes``.
    """
    memo = memo or Memo()
    planner = _Planner(gathered(roots, memo.order(roots)), Nominal(sizes or {}), memo)
    new = planner.run()
    found = [new[root] for root in planner.roots]
    # Decisions hold the planner, for prices that may be asked for, and it must not hold them.
    decisions, planner.decisions = planner.decisions, []
    return Planned(found, new, decisions, frozenset(planner.facts))


class _Form:
    """The graph as it is built anew with some nodes unformed: what each node became."""

    def __init__(self, unformed: Set[Node], numbers: Nominal, avoided: Sequence[Node] = ()) -> None:
        self.open = unformed
        self.numbers = numbers
        self.avoided = avoided
        self.new: MutableMapping[Node, Node] = {}
        self.placed: MutableMapping[Node, bool] = {}
        self.opened: MutableMapping[Node, bool] = {}
        self.ledger = Ledger()

    def below(self, unformed: Set[Node], numbers: Nominal, avoided: Sequence[Node] = ()) -> _Form:
        """A form of some of the nodes, over what there is of the others."""
        form = _Form(unformed, numbers, avoided)
        form.new, form.placed = ChainMap({}, self.new), ChainMap({}, self.placed)
        form.opened, form.ledger = ChainMap({}, self.opened), self.ledger.copy()
        return form

    def put(self, node: Node, built: Node) -> None:
        """Say what a node became."""
        self.new[node] = built
        self.placed[built] = True


class _Planner(Deciding):
    """Evaluates contractions in the orders found."""

    def run(self) -> Mapping[Node, Node]:
        """What each node became."""
        if not self.open and not any(map(_is_ordered, self.order)):
            return {node: node for node in self.order}
        self.decide()
        whole = _Form(self.open, self.numbers, self.avoided)
        ways: dict[Either, tuple[_Form, _Form]] = {}
        for node in self.order:
            either = self.eithers.get(node)
            if either is None:
                self.build_in(node, whole)
                continue
            if either not in ways:
                nodes = [*self.avoided, *either.nodes]
                expanded = whole.below(either.expanded, either.numbers, nodes)
                ways[either] = expanded, whole.below(either.formed, self.numbers)
            for form in ways[either]:
                self.build_in(node, form)
            if node not in either.expanded and node not in either.formed:
                first, second = (form.new.pop(node) for form in ways[either])
                whole.put(node, _either(either.guard, first, second))
        return whole.new

    def build_in(self, node: Node, form: _Form) -> None:
        """Make the node of what its inputs became in a form, evaluated if it has to be."""
        built = rebuild(node, [form.new[x] for x in node.inputs])
        fresh = _fresh(built, form.placed)
        if node in form.open:
            form.opened.update(dict.fromkeys(fresh, True))
        elif any(
            _is_ordered(x) or x.inputs[0] in form.opened or x.inputs[-1] in form.opened
            for x in fresh
            if is_product(x)
        ):
            around = ChainMap(dict.fromkeys(fresh, True), form.opened)
            built = self.evaluate(node, built, around, form)
        form.put(node, built)

    def evaluate(self, node: Node, built: Node, opened: Container[Node], form: _Form) -> Node:
        """The sum of a contraction's terms, each in its cheapest order."""
        terms = self.terms(built, opened, form)
        total = linear_combination([(value, 1.0) for _, value in terms])
        form.ledger.add([plan for plan, _ in terms])
        result = cast(broadcast_to(total, node.shape), node.dtype)
        if node.facts.nonnegative and not result.facts.nonnegative:
            result = scalar("relu", result)
            self.facts |= node.facts.declared
        return result

    def terms(
        self, built: Node, opened: Container[Node], form: _Form
    ) -> Sequence[tuple[Plan, Node]]:
        """The order of each term of a contraction, and what it evaluates to.

        They are what they were in another graph, if nothing is known here or there that matters.
        """
        known = Known(form.ledger)
        avoided = [form.new[x] for x in form.avoided if x in form.new]
        plain = form.numbers is self.numbers and not avoided
        key = built, frozenset(self.inside(built, opened))
        before = self.memo.evaluated.get(key, ()) if plain else ()
        if before and all(is_independent(plan, known) for plan, _ in before):
            return before
        products = Products(built, opened, form.numbers)
        found: list[tuple[Plan, Node]] = []
        so_far = known
        for network, term in zip(products.networks, products.terms, strict=True):
            plan = best_order(network, so_far, products.whole(network, avoided))
            so_far = so_far.plus(plan)
            found.append((plan, products.value(network, plan, term)))
        if plain and all(is_independent(plan, known) for plan, _ in found):
            self.memo.evaluated[key] = found
        return found


def _is_ordered(node: Node) -> bool:
    """Whether a contraction can be evaluated in several orders: operands may be summed apart."""
    if node.op != "contract" or len(node.inputs) < 2:
        return False
    if len(node.inputs) > 2:
        return True
    first, second = (set(names) for names in node.attr("indices"))
    return not first ^ second <= set(node.attr("out"))


def _either(guard: Guard, expanded: Node, formed: Node) -> Node:
    """One or the other, as the sizes say; emitted as branches of which one runs."""
    if expanded is formed:
        return formed
    condition = scalar("lt", size_node(guard.less), size_node(guard.more))
    return scalar("where", condition, expanded, formed)


def _fresh(node: Node, placed: Container[Node]) -> set[Node]:
    """What construction made anew: the node, and those below it down to nodes that were there."""
    found: set[Node] = set()
    todo = [node]
    while todo:
        x = todo.pop()
        if x not in placed and x not in found and x.op in OPENED:
            found.add(x)
            todo += x.inputs
    return found
