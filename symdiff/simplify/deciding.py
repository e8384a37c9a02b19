"""Whether it is cheaper to form an array or to contract what it is made of.

Prices are those of whole groups of arrays that share work, each result counted once: across the
two copies of a squared array, across the weights of Q, K and V, against the backward pass.
Where sizes are not known, prices are taken at nominal sizes, and where it hangs on them which of
two forms of a norm is cheaper, both are to be had (:class:`Either`).
"""

from __future__ import annotations

from collections.abc import Container, Sequence, Set
from dataclasses import dataclass, replace

from symdiff.expr.node import Node
from symdiff.expr.shapes import size_names
from symdiff.simplify.context import Memo
from symdiff.simplify.cost import Nominal
from symdiff.simplify.decisions import Decision, Guard, Prices, guard, sizes_where
from symdiff.simplify.known import Known, Ledger
from symdiff.simplify.network import Price
from symdiff.simplify.order import best_order, inner, order_cost, order_work
from symdiff.simplify.products import Products
from symdiff.simplify.rewrite import Fact
from symdiff.simplify.unformed import Unformed, is_product
from symdiff.simplify.uses import is_gathered

CANCELLING = 2  # what a squared sum of several terms must win by, expanded, to be so


@dataclass(frozen=True, eq=False)
class Either:
    """Two sets of nodes that are left unformed, of which a guard on the sizes chooses.

    ``nodes`` are what the guard is about: not to be formed in any order where it holds, as it
    does at the sizes ``numbers``.
    """

    guard: Guard
    nodes: tuple[Node, ...]
    numbers: Nominal
    expanded: frozenset[Node]
    formed: frozenset[Node]


class Deciding(Unformed):
    """Decides which of the candidates stay open, and which nodes are had both ways.

    Open nodes that are ``avoided`` are not to be formed in any order of evaluation.
    """

    def __init__(self, roots: Sequence[Node], numbers: Nominal, memo: Memo) -> None:
        super().__init__(roots, numbers, memo.order(roots))
        self.memo = memo
        self.one_example = Nominal({**numbers, "batch": numbers.get("batch", 1)})
        self.taken_apart: dict[object, Products] = memo.taken_apart
        self.insides: dict[tuple[Node, frozenset[Node]], frozenset[Node]] = {}
        self.known_costs: dict[object, tuple[int, Known]] = {}
        self.decisions: list[Decision] = []
        self.eithers: dict[Node, Either] = {}
        self.avoided: list[Node] = []
        self.facts: set[Fact] = set()

    def decide(self) -> None:
        """From the users down: form the nodes whose contractions are cheaper over them formed.

        Nodes that share what expansion computes, as the weights of Q, K and V share a Gram, are
        also tried all one way and all the other.
        """
        ledger = Ledger()
        for group in self.groups():
            before = known = Known(ledger)
            opened = self.around(group)
            for node in group:
                known = self.decide_one(node, opened, known)
            if len(group) > 1:
                known = self.decide_together(group, opened, before, known)
            if self.is_squared(group[0]) or self.is_inflated(group[0]):
                decision = self.decision(group, opened, before)
                guard = decision.guard
                if guard is not None and not self.guarding(group, opened, guard):
                    decision = replace(decision, guard=None)
                self.decisions.append(decision)
            ledger.add(known.plans)

    def inside(self, node: Node, opened: Container[Node]) -> Set[Node]:
        """The unformed nodes that a node is made of; remembered of sets that do not change."""
        if not isinstance(opened, frozenset):
            return super().inside(node, opened)
        found = self.insides.get((node, opened))
        if found is None:
            found = self.insides[node, opened] = frozenset(super().inside(node, opened))
        return found

    def around(self, group: Sequence[Node]) -> frozenset[Node]:
        """The open nodes that a decision on some of them hangs on, or touches."""
        found: set[Node] = set()
        for node in group:
            for x in (node, *self.users(node)):
                found |= self.inside(x, self.open)
        return frozenset([x for x in (*group, *found) if x in self.open])

    def decide_one(self, node: Node, opened: Set[Node], known: Known) -> Known:
        """Form a node or leave it open; what is then known.

        A node that is no larger than what it is made of is formed, as written, unless the other
        way wins for one example as well: which of ``(x A) B`` and ``x (A B)`` costs less may hang
        on how many examples there are, and that is not known.
        """
        here = opened & self.open
        without = here - {node}
        expanded, seen = self.total([node], here, known, self.numbers)
        formed, _ = self.total([node], without, known, self.numbers)
        if expanded <= formed and not self.is_inflated(node):
            expanded, _ = self.total([node], here, known, self.one_example)
            formed, _ = self.total([node], without, known, self.one_example)
        if formed < expanded:
            self.close(node)
            return known
        return seen

    def decide_together(
        self, group: Sequence[Node], opened: Set[Node], known: Known, seen: Known
    ) -> Known:
        """Have all of a group expanded, or all formed, where that is cheaper."""
        least, _ = self.total(group, opened & self.open, known, self.numbers)
        expanded, all_seen = self.total(group, opened, known, self.numbers, group)
        if expanded < least:
            self.open |= opened
            least, seen = expanded, all_seen
            self.avoided += group
        formed, _ = self.total(group, (opened & self.open) - {*group}, known, self.numbers)
        if formed < least:
            for node in group:
                self.close(node)
            self.avoided = [node for node in self.avoided if node not in group]
            return known
        return seen

    def groups(self) -> list[list[Node]]:
        """The open nodes from the users down; those together that share what they are made of."""
        groups: list[list[Node]] = []
        place: dict[Node, int] = {}
        for node in reversed(self.order):
            if node not in self.open:
                continue
            if not self.is_squared(node):
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
        self,
        group: Sequence[Node],
        opened: Set[Node],
        known: Known,
        numbers: Nominal,
        avoided: Sequence[Node] = (),
    ) -> tuple[int, Known]:
        """The cost of what contracts the nodes, and of those that are formed; what is computed.

        In no order are ``avoided`` nodes formed.
        """
        total, seen = 0, known
        for node, times in self.work(group, opened):
            cost, seen = self.cost(node, seen, opened, numbers, avoided)
            total += cost * times + (self.passes(node, opened, numbers) if node in group else 0)
        return total, seen

    def passes(self, node: Node, opened: Set[Node], numbers: Nominal) -> int:
        """What waiting for memory counts where a mere outer product is formed for several users.

        It is larger than all that it is made of, and is written once and read by each of them,
        with an operation an element.
        """
        products = self.products(node, opened, numbers)
        if self.is_squared(node) or not products.is_outer:
            return 0
        return (1 + len(self.readers[node])) * products.result_size

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

    def decision(self, group: Sequence[Node], opened: Set[Node], known: Known) -> Decision:
        """What was decided of a group that was open, and what it hangs on."""
        here = opened & self.open
        users = tuple(dict.fromkeys(user for node in group for user in self.users(node)))

        def prices(numbers: Nominal = self.numbers) -> Prices:
            return Prices(
                self.priced(group, opened, known, group, numbers),
                self.priced(group, opened - {*group}, known, (), self.numbers),
            )

        squares = any(self.is_squared(node) for node in group)
        on = guard(prices(), self.numbers) if squares and self.is_open(group) else None
        if on is not None:  # the orders that are best where it holds
            small = Nominal({**self.numbers, **sizes_where(on, self.numbers)})
            on = guard(prices(small), self.numbers)
        expanded = self.form(users, opened, group, group)
        form = self.form(users, here, group, self.avoided) if here & {*group} else "instantiated"
        return Decision(tuple(group), users, self.roots, form, expanded, squares, on, prices)

    def is_open(self, group: Sequence[Node]) -> bool:
        """Whether sizes are involved that only the data tell, apart from how many examples."""
        sizes = {s for node in group for x in [node, *self.leaves_of(node)] for s in x.shape}
        names = {name for s in sizes for name in size_names(s)}
        return not names <= {"batch", *self.numbers}

    def guarding(self, group: Sequence[Node], opened: Set[Node], guard: Guard) -> bool:
        """Have both forms evaluated under a guard; False where other guards are in the way."""
        opened = opened | self.open
        here, self.open = self.open, set(opened)
        for node in group:
            self.close(node)
        numbers = Nominal({**self.numbers, **sizes_where(guard, self.numbers)})
        either = Either(guard, tuple(group), numbers, frozenset(opened), frozenset(self.open))
        self.open = here
        region = self.between(either)
        if any(node in self.eithers for node in region):
            return False
        self.eithers |= dict.fromkeys(region, either)
        return True

    def between(self, either: Either) -> list[Node]:
        """The nodes that are not the same in both forms, and those that read them."""
        inner = set(either.expanded ^ either.formed)
        found: list[Node] = []
        for node in self.order:
            if node in inner or any(x in inner for x in node.inputs):
                found.append(node)
                if node in either.expanded or node in either.formed:
                    inner.add(node)
        return found

    def priced(
        self,
        group: Sequence[Node],
        opened: Set[Node],
        known: Known,
        avoided: Sequence[Node],
        numbers: Nominal,
    ) -> Price:
        """What ``total`` adds up, in terms of the sizes; ``avoided`` nodes are not formed.

        The orders are those that are best at ``numbers``.
        """
        price: Price = []
        seen = known
        for node, times in self.work(group, opened):
            products = self.products(node, opened, numbers)
            own = products.additions()
            for network in products.networks:
                found = best_order(network, seen, products.whole(network, avoided))
                own += network.price(order_work(network, found.tree, seen))
                seen = seen.plus(found)
            price += [(times * number, sizes) for number, sizes in own]
        return price

    def form(
        self,
        users: Sequence[Node],
        opened: Set[Node],
        group: Sequence[Node],
        avoided: Sequence[Node],
    ) -> str:
        """What the contractions come to: whether the nodes are formed after all, whether positions
        are paired before they are summed over, or whether factors are only multiplied."""
        forms = set()
        for user in users:
            products = self.products(user, opened, self.numbers)
            for network in products.networks:
                whole = products.whole(network, group)
                tree = best_order(network, avoided=products.whole(network, avoided)).tree
                for needed in map(network.figure.needed, inner(tree)):
                    if any(needed & bits == bits for bits in whole):
                        forms.add("instantiated")
                    elif needed & ~network.figure.out_bits:
                        forms.add("Gram")
        return next((form for form in ("instantiated", "Gram") if form in forms), "product")

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

    def is_squared(self, node: Node) -> bool:
        """Whether sums of squares of a node are wanted, one for each place along an axis that two
        at least of the operands of each of its terms have, as per-example gradients' norms are.
        """
        users = [user for user in self.readers[node] if user.inputs.count(node) > 1]
        if not users:
            return False
        names, out = users[0].attr("indices")[users[0].inputs.index(node)], users[0].attr("out")
        products = self.products(node, self.open, self.numbers)
        kept = {own for own, n in zip(products.out, names, strict=True) if n in out}
        return bool(kept) and all(
            sum(kept <= set(x.names) for x in network.operands) > 1 for network in products.networks
        )

    def is_inflated(self, node: Node) -> bool:
        """Whether a node is larger than all of the operands that it is made of."""
        products = self.products(node, self.open, self.numbers)
        return all(
            network.figure.volume(bits) < products.result_size
            for network in products.networks
            for bits in network.figure.leaf
        )

    def leaves_of(self, node: Node) -> list[Node]:
        """What a node is made of, taken apart."""
        terms = self.products(node, self.open, self.numbers).terms
        return [x.node for term in terms for x in term.operands]

    def may_cancel(self, user: Node, node: Node) -> bool:
        """Whether the contraction squares the node and the node is a sum of several uses.

        What a reparametrisation adds is none: a multiple of an array that all examples share, such
        as ``v (v · d)`` where a weight has a length of its own.
        """
        if user.inputs.count(node) < 2:
            return False
        names, out = user.attr("indices")[user.inputs.index(node)], user.attr("out")
        products = self.products(node, self.open, self.numbers)
        rest = {own for own, n in zip(products.out, names, strict=True) if n not in out}
        terms = [t for t in products.terms if not any(set(x.names) == rest for x in t.operands)]
        return len(terms) > 1 or any(is_gathered(x.node) for x in products.terms[0].operands)

    def cost(
        self,
        node: Node,
        known: Known,
        opened: Set[Node],
        numbers: Nominal,
        avoided: Sequence[Node],
    ) -> tuple[int, Known]:
        """The arithmetic of a node's terms and of adding them up, and what is then known."""
        inside = frozenset(self.inside(node, opened))
        key = node, known.key, inside, numbers is self.numbers, bool(avoided)
        if key not in self.known_costs:
            self.known_costs[key] = self.price(node, known, opened, numbers, avoided)
        return self.known_costs[key]

    def products(self, node: Node, opened: Set[Node], numbers: Nominal) -> Products:
        """The node as a sum of products, which hangs on what in it is open."""
        inside = frozenset(self.inside(node, opened))
        key = node, inside, None if numbers is self.numbers else frozenset(numbers.items())
        if key not in self.taken_apart:
            self.taken_apart[key] = Products(node, inside, numbers)
        return self.taken_apart[key]

    def price(
        self,
        node: Node,
        known: Known,
        opened: Set[Node],
        numbers: Nominal,
        avoided: Sequence[Node],
    ) -> tuple[int, Known]:
        """See cost; the orders are those that are best at the planner's numbers."""
        products = self.products(node, opened, self.numbers)
        priced = products if numbers is self.numbers else self.products(node, opened, numbers)
        cost, planned = (len(priced.terms) - 1) * priced.result_size, known
        for network, at in zip(products.networks, priced.networks, strict=True):
            found = best_order(network, planned, products.whole(network, avoided))
            planned = planned.plus(found)
            if network is not at:
                found = order_cost(at, found.tree, known)
                known = known.plus(found)
            cost += found.cost
        return cost, planned
