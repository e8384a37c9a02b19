"""Planning: which products are formed, and in which order contractions are evaluated.

A contraction over a *factored* array (an outer product, a sum of matrix products, a scatter) need
not form that array.  ``Σ_P G[j,P]²`` with ``G = z̄ ⊗ h`` is ``Σ z̄² Σ h²``: Goodfellow's norms; with
``G = Σ_t z̄_t ⊗ h_t`` it is a sum over two Gram matrices, or G is formed and squared, whichever
costs less.  Nothing here knows of norms: :func:`plan` takes contractions apart into operands over
indices (:mod:`symdiff.simplify.terms`), searches the orders (:mod:`symdiff.simplify.order`), and
forms a factored array where that is cheaper over all of the contractions that read it.

Costs are taken at nominal sizes where sizes are unknown (:class:`symdiff.simplify.cost.Nominal`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.graph import rebuild
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast
from symdiff.expr.views import broadcast_to
from symdiff.simplify.cost import Nominal
from symdiff.simplify.decisions import Decision, Prices
from symdiff.simplify.network import Price
from symdiff.simplify.order import best_order, inner, order_cost, order_work
from symdiff.simplify.products import Products
from symdiff.simplify.rewrite import Fact
from symdiff.simplify.terms import OPENED
from symdiff.simplify.unformed import Unformed, is_product
from symdiff.simplify.uses import gathered, is_gathered

CANCELLING = 2  # what a squared sum of several terms must win by, expanded, to be so


@dataclass(frozen=True)
class Planned:
    """Planned roots, what was decided on the way, and the declared facts that clamps lean on."""

    roots: list[Node]
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


def planned(roots: Sequence[Node], sizes: Mapping[str, int] | None = None) -> Planned:
    """The roots as :func:`plan` gives them, with the decisions and their prices."""
    planner = _Planner(gathered(roots), Nominal(sizes or {}))
    return Planned(planner.run(), planner.decisions, frozenset(planner.facts))


class _Planner(Unformed):
    def __init__(self, roots: Sequence[Node], numbers: Nominal) -> None:
        super().__init__(roots, numbers)
        self.one_example = Nominal({**numbers, "batch": numbers.get("batch", 1)})
        self.taken_apart: dict[object, Products] = {}
        self.known_costs: dict[object, tuple[int, frozenset[int]]] = {}
        self.decisions: list[Decision] = []
        self.facts: set[Fact] = set()

    # Whether it is cheaper to form them.

    def decide(self) -> None:
        """From the users down: form the nodes whose contractions are cheaper over them formed.

        Nodes that share what expansion computes, as the weights of Q, K and V share a Gram, are
        also tried all one way and all the other.
        """
        known: frozenset[int] = frozenset()
        for group in self.groups():
            before, opened = known, frozenset(self.open)
            for node in group:
                known = self.decide_one(node, known)
            if len(group) > 1:
                known = self.decide_together(group, opened, before, known)
            if self.is_inflated(group[0]):
                self.decisions.append(self.decision(group, opened, before))

    def decide_one(self, node: Node, known: frozenset[int]) -> frozenset[int]:
        """Form a node or leave it open; what is then known.

        A node that is no larger than what it is made of is formed, as written, unless the other
        way wins for one example as well: which of ``(x A) B`` and ``x (A B)`` costs less may hang
        on how many examples there are, and that is not known.
        """
        without = frozenset(self.open - {node})
        expanded, seen = self.total([node], self.open, known, self.numbers)
        formed, _ = self.total([node], without, known, self.numbers)
        if expanded <= formed and not self.is_inflated(node):
            expanded, _ = self.total([node], self.open, known, self.one_example)
            formed, _ = self.total([node], without, known, self.one_example)
        if formed < expanded:
            self.close(node)
            return known
        return seen

    def decide_together(
        self, group: Sequence[Node], opened: Set[Node], known: frozenset[int], seen: frozenset[int]
    ) -> frozenset[int]:
        """Have all of a group open, as they were, or all formed, where that is cheaper."""
        least, _ = self.total(group, self.open, known, self.numbers)
        expanded, all_seen = self.total(group, opened, known, self.numbers)
        if expanded < least:
            self.open, least, seen = set(opened), expanded, all_seen
        if self.total(group, self.open - {*group}, known, self.numbers)[0] < least:
            for node in group:
                self.close(node)
            return known
        return seen

    def groups(self) -> list[list[Node]]:
        """The open nodes from the users down; those together that share what they are made of."""
        groups: list[list[Node]] = []
        place: dict[Node, int] = {}
        for node in reversed(self.order):
            if node not in self.open:
                continue
            if not self.is_inflated(node) or not self.is_squared(node):
                groups.append([node])
                continue
            terms = self.products(node, self.open, self.numbers).terms
            parts = dict.fromkeys(x.node for term in terms for x in term.operands if x.names)
            at = next((place[x] for x in parts if x in place), len(groups))
            if at == len(groups):
                groups.append([])
            groups[at].append(node)
            place.update({x: at for x in parts if x not in place})
        return groups

    def total(
        self, group: Sequence[Node], opened: Set[Node], known: frozenset[int], numbers: Nominal
    ) -> tuple[int, frozenset[int]]:
        """The cost of what contracts the nodes, and of those that are formed; what is computed."""
        total, seen = 0, known
        for node, times in self.work(group, opened):
            cost, seen = self.cost(node, seen, opened, numbers)
            total += cost * times
        return total, seen

    def work(self, group: Sequence[Node], opened: Set[Node]) -> list[tuple[Node, int]]:
        """What is to be evaluated, and what a unit of its cost counts."""
        work: dict[Node, int] = {}
        for node in group:
            if node not in opened:
                work[node] = 1
            for user in self.users(node):
                times = CANCELLING if node in opened and self.may_cancel(user, node) else 1
                work[user] = max(times, work.get(user, 1))
        return list(work.items())

    def decision(self, group: Sequence[Node], opened: Set[Node], known: frozenset[int]) -> Decision:
        """What was decided of a group that was open, and what it hangs on."""
        here = frozenset(self.open)
        kept = [node for node in group if node in here]
        users = tuple(dict.fromkeys(user for node in group for user in self.users(node)))

        def prices() -> Prices:
            all_formed = frozenset(opened - {*group})
            return Prices(self.priced(group, opened, known), self.priced(group, all_formed, known))

        form = "instantiated" if not kept else self.form(users, here)
        squares = any(self.is_squared(node) for node in group)
        return Decision(tuple(group), users, tuple(self.roots), form, squares, prices)

    def priced(self, group: Sequence[Node], opened: Set[Node], known: frozenset[int]) -> Price:
        """What ``total`` adds up, in terms of the sizes."""
        price: Price = []
        seen = known
        for node, times in self.work(group, opened):
            products = self.products(node, opened, self.numbers)
            own = products.additions()
            for network in products.networks:
                work, computed = order_work(network, best_order(network, seen).tree, seen)
                own += network.price(work)
                seen |= computed
            price += [(times * number, sizes) for number, sizes in own]
        return price

    def form(self, users: Sequence[Node], opened: Set[Node]) -> str:
        """Whether positions are paired before they are summed over, or factors only multiplied."""
        for user in users:
            for network in self.products(user, opened, self.numbers).networks:
                if any(
                    network.needed(m) & ~network.out_bits for m in inner(best_order(network).tree)
                ):
                    return "Gram"
        return "product"

    def is_squared(self, node: Node) -> bool:
        """Whether a contraction of the node with itself is wanted."""
        return any(user.inputs.count(node) > 1 for user in self.readers[node])

    def is_inflated(self, node: Node) -> bool:
        """Whether a node is larger than all of the operands that it is made of."""
        products = self.products(node, self.open, self.numbers)
        return all(
            network.volume(bits) < products.result_size
            for network in products.networks
            for bits in network.leaf
        )

    def users(self, node: Node) -> list[Node]:
        """The contractions to be evaluated that the node is part of."""
        found: dict[Node, None] = {}
        todo, done = [node], {node}
        while todo:
            for user in self.readers[todo.pop()]:
                if user in done:
                    continue
                done.add(user)
                if is_product(user) and user not in self.open:
                    found[user] = None
                else:
                    todo.append(user)
        return list(found)

    def may_cancel(self, user: Node, node: Node) -> bool:
        """Whether the contraction squares the node and the node is a sum of several terms."""
        if user.inputs.count(node) < 2:
            return False
        terms = self.products(node, self.open, self.numbers).terms
        return len(terms) > 1 or any(is_gathered(x.node) for x in terms[0].operands)

    def cost(
        self, node: Node, known: frozenset[int], opened: Set[Node], numbers: Nominal
    ) -> tuple[int, frozenset[int]]:
        """The arithmetic of a node's terms and of adding them up, and what is then known."""
        key = node, known, frozenset(self.inside(node, opened)), numbers is self.numbers
        if key not in self.known_costs:
            self.known_costs[key] = self.price(node, known, opened, numbers)
        return self.known_costs[key]

    def products(self, node: Node, opened: Set[Node], numbers: Nominal) -> Products:
        """The node as a sum of products, which hangs on what in it is open."""
        key = node, frozenset(self.inside(node, opened)), numbers is self.numbers
        if key not in self.taken_apart:
            self.taken_apart[key] = Products(node, opened, numbers)
        return self.taken_apart[key]

    def price(
        self, node: Node, known: frozenset[int], opened: Set[Node], numbers: Nominal
    ) -> tuple[int, frozenset[int]]:
        """See cost; the orders are those that are best at the planner's numbers."""
        products = self.products(node, opened, self.numbers)
        priced = products if numbers is self.numbers else self.products(node, opened, numbers)
        cost, planned = (len(priced.terms) - 1) * priced.result_size, known
        for network, at in zip(products.networks, priced.networks, strict=True):
            found = best_order(network, planned)
            planned |= found.computed
            if network is not at:
                found = order_cost(at, found.tree, known)
                known |= found.computed
            cost += found.cost
        return cost, planned

    # Evaluation in the orders found.

    def run(self) -> list[Node]:
        self.decide()
        new: dict[Node, Node] = {}
        placed: set[Node] = set()
        opened: set[Node] = set()
        known: frozenset[int] = frozenset()
        for node in self.order:
            built = rebuild(node, [new[x] for x in node.inputs])
            fresh = _fresh(built, placed)
            if node in self.open:
                opened |= fresh
            elif any(
                len(x.inputs) > 2
                or x.inputs[0] in opened
                or x.inputs[-1] in opened
                or _sums_apart(x)
                for x in fresh
                if is_product(x)
            ):
                built, known = self.evaluate(node, built, opened | fresh, known)
            placed.add(built)
            new[node] = built
        return [new[root] for root in self.roots]

    def evaluate(
        self, node: Node, built: Node, opened: Set[Node], known: frozenset[int]
    ) -> tuple[Node, frozenset[int]]:
        """The sum of a contraction's terms, each in its cheapest order."""
        products = Products(built, opened, self.numbers)
        parts = []
        for network, term in zip(products.networks, products.terms, strict=True):
            found = best_order(network, known)
            known |= found.computed
            parts.append((products.value(network, found, term), 1.0))
        result = cast(broadcast_to(linear_combination(parts), node.shape), node.dtype)
        if node.facts.nonnegative and not result.facts.nonnegative:
            result = scalar("relu", result)
            self.facts |= node.facts.declared
        return result, known


def _sums_apart(node: Node) -> bool:
    """Whether one of two operands may be summed before they meet."""
    if len(node.inputs) != 2:
        return False
    first, second = (set(names) for names in node.attr("indices"))
    return not first ^ second <= set(node.attr("out"))


def _fresh(node: Node, placed: Set[Node]) -> set[Node]:
    """What construction made anew: the node, and those below it down to nodes that were there."""
    found: set[Node] = set()
    todo = [node]
    while todo:
        x = todo.pop()
        if x not in placed and x not in found and x.op in OPENED:
            found.add(x)
            todo += x.inputs
    return found
