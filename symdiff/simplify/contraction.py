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

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.graph import consumers, rebuild, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast
from symdiff.expr.views import broadcast_to, is_view
from symdiff.simplify.cost import Nominal
from symdiff.simplify.decisions import Decision, Prices
from symdiff.simplify.network import Price
from symdiff.simplify.order import EXHAUSTIVE, best_order, inner, order_cost, order_work
from symdiff.simplify.products import Products
from symdiff.simplify.terms import OPENED, is_factored

MOST_FACTORS = 4  # operands of a term of a node that may be left unformed
MOST_TERMS = 8  # terms of such a node
MOST_DEPTH = 40  # nodes on top of each other in such a node
CANCELLING = 2  # what a squared sum of several terms must win by, expanded, to be so


@dataclass(frozen=True)
class Planned:
    """Planned roots, and what was decided on the way."""

    roots: list[Node]
    decisions: list[Decision]


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
    planner = _Planner(roots, Nominal(sizes or {}))
    return Planned(planner.run(), planner.decisions)


def is_product(node: Node) -> bool:
    """Whether the node sums or multiplies, as against a view."""
    return node.op == "contract" and not is_view(node)


@dataclass
class _Form:
    """What a node comes to when it is taken apart."""

    terms: int = 1
    factors: int = 1
    depth: int = 0


class _Planner:
    def __init__(self, roots: Sequence[Node], numbers: Nominal) -> None:
        self.roots = list(roots)
        self.numbers = numbers
        self.one_example = Nominal({**numbers, "batch": numbers.get("batch", 1)})
        self.order = toposort(self.roots)
        self.readers = consumers(self.order)
        self.open = self.candidates()
        self.limit()
        self.known_costs: dict[object, tuple[int, frozenset[int]]] = {}
        self.decisions: list[Decision] = []

    # Which nodes may be left unformed.

    def candidates(self) -> set[Node]:
        """Factored nodes of which nothing but contractions, or other such nodes, read."""
        factored: set[Node] = set()
        for node in self.order:
            if node.op in OPENED and is_factored(node, factored):
                factored.add(node)
        kept = set(self.roots)
        found: set[Node] = set()
        for node in reversed(self.order):
            if node in factored and node not in kept:
                if all(is_product(user) or user in found for user in self.readers[node]):
                    found.add(node)
        return found

    def limit(self) -> None:
        """Form what would come to too many terms or factors, its operands first."""
        forms: dict[Node, _Form] = {}
        for node in self.order:
            form = self.size_of(node, forms)
            most = MOST_TERMS, MOST_FACTORS, MOST_DEPTH
            if is_product(node) and node not in self.open:
                most = MOST_TERMS**2, EXHAUSTIVE, MOST_DEPTH
            if _exceeds(form, most):
                for x in node.inputs:
                    self.close(x)
                form = self.size_of(node, forms)
                if node in self.open and _exceeds(form, most):
                    self.close(node)
            forms[node] = form

    def size_of(self, node: Node, forms: Mapping[Node, _Form]) -> _Form:
        parts = [
            forms[x] if x in self.open or is_view(x) else _Form() for x in node.inputs
        ]  # fmt: skip
        if node not in self.open and not is_product(node) and not is_view(node):
            return _Form()
        depth = 1 + max((p.depth for p in parts), default=0)
        if node.op == "add":
            return _Form(sum(p.terms for p in parts), max(p.factors for p in parts), depth)
        extra = 1 if node.op == "scatter_add" else 0
        if node.op == "mul":
            times = [2 if e == 2 else 1 for e in node.attr("exponents")]
            parts = [p for p, n in zip(parts, times, strict=True) for _ in range(n)]
        if node.op == "scatter_add":
            parts = parts[:1]
        terms = math.prod(p.terms for p in parts)
        return _Form(terms, sum(p.factors for p in parts) + extra, depth)

    def close(self, node: Node) -> None:
        """Have the node formed; so must be what it is made of, unless it is a contraction."""
        todo = [node]
        while todo:
            x = todo.pop()
            if x in self.open:
                self.open.discard(x)
                todo += [] if is_product(x) else x.inputs
            elif is_view(x):
                todo += x.inputs

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
            terms = Products(node, self.open, self.numbers).terms
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
            products = Products(node, opened, self.numbers)
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
            for network in Products(user, opened, self.numbers).networks:
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
        products = Products(node, self.open, self.numbers)
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
        squared = user.inputs.count(node) > 1
        return squared and len(Products(node, self.open, self.numbers).terms) > 1

    def cost(
        self, node: Node, known: frozenset[int], opened: Set[Node], numbers: Nominal
    ) -> tuple[int, frozenset[int]]:
        """The arithmetic of a node's terms and of adding them up, and what is then known."""
        key = node, known, frozenset(self.inside(node, opened)), numbers is self.numbers
        if key not in self.known_costs:
            self.known_costs[key] = self.price(node, known, opened, numbers)
        return self.known_costs[key]

    def inside(self, node: Node, opened: Set[Node]) -> set[Node]:
        """The unformed nodes that a node is made of."""
        found: set[Node] = set()
        todo = list(node.inputs)
        while todo:
            x = todo.pop()
            if (x in opened or is_view(x)) and x not in found:
                found.add(x)
                todo += x.inputs
        return found

    def price(
        self, node: Node, known: frozenset[int], opened: Set[Node], numbers: Nominal
    ) -> tuple[int, frozenset[int]]:
        """See cost; the orders are those that are best at the planner's numbers."""
        products = Products(node, opened, self.numbers)
        priced = products if numbers is self.numbers else Products(node, opened, numbers)
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
        return result, known


def _exceeds(form: _Form, most: tuple[int, int, int]) -> bool:
    return form.terms > most[0] or form.factors > most[1] or form.depth > most[2]


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
