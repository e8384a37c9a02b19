"""Which products there are already, when others are priced.

Two pairs of operands that give the same array are paid for once, also across contractions.  What
is the same array is told by signatures (:meth:`symdiff.simplify.network.Network.signature`), and
those are looked at only for products of the same nodes: in a deep model, hardly ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from symdiff.simplify.figure import Tree, pairs
from symdiff.simplify.network import Network, Nodes


@dataclass(frozen=True, eq=False)
class Plan:
    """An order of evaluating a network, what it costs, and the products that were thought of."""

    network: Network
    cost: int
    tree: Tree
    tried: tuple[int, ...] = ()

    @cached_property
    def products(self) -> list[tuple[int, Nodes]]:
        """The sets of operands of all that is computed on the way, and the nodes of each."""
        masks = [1 << i for i, _ in self.network.figure.alone]
        masks += [left | right for left, right in pairs(self.tree)]
        return [(mask, self.network.nodes(mask)) for mask in masks]


class Ledger:
    """The plans that were decided on, by the nodes of their products, and in order."""

    def __init__(self) -> None:
        self.size = 0
        self.made: dict[Nodes, list[tuple[int, Network, int]]] = {}

    def copy(self) -> Ledger:
        """Another that goes on from here."""
        ledger = Ledger()
        ledger.size = self.size
        ledger.made = {nodes: list(entries) for nodes, entries in self.made.items()}
        return ledger

    def add(self, plans: Sequence[Plan]) -> None:
        """Note what the plans compute."""
        for plan in plans:
            for mask, nodes in plan.products:
                self.made.setdefault(nodes, []).append((self.size, plan.network, mask))
            self.size += 1


class Known:
    """The products of a ledger, as far as it went when it was looked at, and of some ``plans``."""

    def __init__(self, ledger: Ledger | None = None, plans: tuple[Plan, ...] = ()) -> None:
        self.ledger = Ledger() if ledger is None else ledger
        self.size = self.ledger.size
        self.plans = plans
        self.made = {nodes for plan in plans for _, nodes in plan.products}

    @property
    def key(self) -> object:
        """Equal where the same is known of one ledger."""
        return self.size, tuple([(plan.network, plan.tree) for plan in self.plans])

    def plus(self, plan: Plan) -> Known:
        """What is known after what a plan computes."""
        found = Known(self.ledger, (*self.plans, plan))
        found.size = self.size
        return found

    def may_have(self, nodes: Nodes) -> bool:
        """Whether some product of just these nodes is known."""
        entries = self.ledger.made.get(nodes)
        if entries is not None and entries[0][0] < self.size:
            return True
        return nodes in self.made

    def has(self, network: Network, mask: int) -> bool:
        """Whether the product of a set of operands of a network is known."""
        nodes = network.nodes(mask)
        if not self.may_have(nodes):
            return False
        entries = [(n, m) for at, n, m in self.ledger.made.get(nodes, ()) if at < self.size]
        entries += [(p.network, m) for p in self.plans for m, other in p.products if nodes == other]
        signature = network.signature(mask)
        return any(n.signature(m) == signature for n, m in entries)


NOTHING = Known()
