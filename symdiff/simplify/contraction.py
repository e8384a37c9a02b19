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
from dataclasses import dataclass, replace

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import consumers, rebuild, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast, size_node
from symdiff.expr.shapes import Size, size_value
from symdiff.expr.views import broadcast_to, is_view
from symdiff.simplify.cost import Nominal
from symdiff.simplify.network import Network
from symdiff.simplify.order import EXHAUSTIVE, Plan, best_order, order_cost
from symdiff.simplify.terms import OPENED, Expander, Term, is_factored

MOST_FACTORS = 4  # operands of a term of a node that may be left unformed
MOST_TERMS = 8  # terms of such a node
MOST_DEPTH = 40  # nodes on top of each other in such a node
CANCELLING = 2  # what a squared sum of several terms must win by, expanded, to be so


def plan(roots: Sequence[Node], sizes: Mapping[str, int] | None = None) -> list[Node]:
    """The roots with every contraction evaluated pair by pair, in the cheapest order.

    ``sizes`` gives numbers for sizes that have names, by which to decide; what the decisions are
    never changes the values, up to rounding.  A sum of squares stays nonnegative: where
    it is planned as a sum that may cancel, it is clamped at 0.  Distinct terms of a sum are added
    up before they are squared unless the other way wins by ``CANCELLING``.
    """
    return _Planner(roots, Nominal(sizes or {})).run()


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
        self.priced: dict[object, tuple[int, frozenset[int]]] = {}

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
            form = self.form(node, forms)
            most = MOST_TERMS, MOST_FACTORS, MOST_DEPTH
            if is_product(node) and node not in self.open:
                most = MOST_TERMS**2, EXHAUSTIVE, MOST_DEPTH
            if _exceeds(form, most):
                for x in node.inputs:
                    self.close(x)
                form = self.form(node, forms)
                if node in self.open and _exceeds(form, most):
                    self.close(node)
            forms[node] = form

    def form(self, node: Node, forms: Mapping[Node, _Form]) -> _Form:
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
        """From the users down: form each node whose contractions are cheaper over it formed.

        A node that is no larger than what it is made of is formed, as written, unless the other
        way wins for one example as well: which of ``(x A) B`` and ``x (A B)`` costs less may hang
        on how many examples there are, and that is not known.
        """
        known: frozenset[int] = frozenset()
        for node in reversed(self.order):
            if node not in self.open:
                continue
            users = self.users(node)
            expanded, formed, seen = self.compare(node, users, known, self.numbers)
            if expanded <= formed and not self.is_inflated(node):
                expanded, formed, _ = self.compare(node, users, known, self.one_example)
            if formed < expanded:
                self.close(node)
            else:
                known = seen

    def compare(
        self, node: Node, users: Sequence[Node], known: frozenset[int], numbers: Nominal
    ) -> tuple[int, int, frozenset[int]]:
        """The cost of the users of a node, expanded and formed, and what expansion computes."""
        without = self.open - {node}
        formed, seen_formed = self.cost(node, known, self.open, numbers)
        expanded, seen = 0, known
        for user in users:
            cost, seen = self.cost(user, seen, self.open, numbers)
            expanded += cost * (CANCELLING if self.may_cancel(user, node) else 1)
            cost, seen_formed = self.cost(user, seen_formed, without, numbers)
            formed += cost
        return expanded, formed, seen

    def is_inflated(self, node: Node) -> bool:
        """Whether a node is larger than all of the operands that it is made of."""
        products = _Products(node, self.open, self.numbers)
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
        return squared and len(_Products(node, self.open, self.numbers).terms) > 1

    def cost(
        self, node: Node, known: frozenset[int], opened: Set[Node], numbers: Nominal
    ) -> tuple[int, frozenset[int]]:
        """The arithmetic of a node's terms and of adding them up, and what is then known."""
        key = node, known, frozenset(self.inside(node, opened)), numbers is self.numbers
        if key not in self.priced:
            self.priced[key] = self.price(node, known, opened, numbers)
        return self.priced[key]

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
        products = _Products(node, opened, self.numbers)
        priced = products if numbers is self.numbers else _Products(node, opened, numbers)
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
        products = _Products(built, opened, self.numbers)
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


class _Products:
    """A node as a sum of products of operands over indices."""

    def __init__(self, node: Node, opened: Set[Node], numbers: Nominal) -> None:
        self.node = node
        expander = Expander({*opened, node})
        self.out = tuple(expander.index(size) for size in node.shape)
        terms = expander.expand(node, self.out)
        self.sizes = expander.sizes
        self.numbers = {n: size_value(size, numbers) for n, size in self.sizes.items()}
        self.result_size = math.prod(self.numbers[n] for n in self.out)
        self.terms: list[Term] = []
        self.networks: list[Network] = []
        places: dict[object, int] = {}
        for term in terms:  # the two cross terms of a square are one, twice
            arrays = [x for x in term.operands if x.names]
            network = Network(arrays, self.out, self.sizes, self.numbers)
            scalars = sorted(x.node.digest for x in term.operands if not x.names)
            times = sorted(map(str, self.repeats(network, term)))
            at = places.setdefault((network.identity(), *scalars, *times), len(self.terms))
            if at == len(self.terms):
                self.terms.append(term)
                self.networks.append(network)
            else:
                total = self.terms[at].coefficient + term.coefficient
                self.terms[at] = replace(self.terms[at], coefficient=total)

    def repeats(self, network: Network, term: Term) -> list[Size]:
        """The sizes of summed indices that only a broadcast had: that many equal terms."""
        have = {n for x in network.operands for n in x.names}
        return [self.sizes[n] for n in sorted(term.sums - have)]

    def value(self, network: Network, plan: Plan, term: Term) -> Node:
        """A term evaluated: its arrays in the given order, its numbers in front."""
        factors = [(x.node, 1.0) for x in term.operands if not x.names]
        number = term.coefficient
        for size in self.repeats(network, term):
            if isinstance(size, int):
                number *= size
            else:
                factors.append((size_node(size, self.node.dtype), 1.0))
        if network.operands:
            core, names = network.build(plan.tree)
            sizes = {n: self.sizes[n] for n in self.out}
            factors.append((contract([core], [names], self.out, sizes), 1.0))
        return broadcast_to(power_product(factors, number, self.node.dtype), self.node.shape)
