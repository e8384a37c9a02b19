"""In which order to evaluate a contraction of several operands, pair by pair.

The search is over all orders for up to ``EXHAUSTIVE`` operands; where there are more than
``FEW``, those over the same indices are multiplied first.  What it minimises is the cost of
the *distinct* intermediate results: two pairs that compute the same array under other index
names, as the two copies of G in ‖G‖² do, are paid for once.  A path optimiser that prices both
chooses wrongly between Gram and instantiated forms.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest

from symdiff.simplify.network import Network, Tree, Work, members

FEW = 5
EXHAUSTIVE = 8


@dataclass(frozen=True)
class Plan:
    """An order, what it costs, and the signatures of everything that it computes."""

    cost: int
    tree: Tree
    computed: frozenset[int]


def best_order(
    network: Network, known: Set[int] = frozenset(), avoided: Sequence[int] = ()
) -> Plan:
    """The cheapest order, where results whose signatures are ``known`` cost nothing.

    No partial product has all of a set of ``avoided`` indices, if there is such an order.
    """
    work, seen = _start(network, known)
    count = len(network.operands)
    if count < 2:
        return Plan(network.cost(work), 0, frozenset(seen))
    if count > EXHAUSTIVE:
        return order_cost(network, _greedy_tree(network), known)
    for some in dict.fromkeys((tuple(avoided), ())):
        trees = _alike(network, some) if count > FEW else [*range(count)]
        begun, there = [*work], {*seen}
        for left, right in (pair for tree in trees for pair in _pairs(tree)):
            begun += _pair(network, left, right, known, there)
        search = _Search(network, known, some)
        parts = [(members(tree), tree) for tree in trees]
        search.run(parts, network.cost(begun), frozenset(there), (0, 0), 0)
        if search.best is not None:
            return search.best
    raise AssertionError("no order")


def order_cost(network: Network, tree: Tree, known: Set[int] = frozenset()) -> Plan:
    """What a given order costs."""
    work, seen = order_work(network, tree, known)
    return Plan(network.cost(work), tree, frozenset(seen))


def order_work(
    network: Network, tree: Tree, known: Set[int] = frozenset()
) -> tuple[list[Work], set[int]]:
    """The work of a given order, and the signatures of everything that it computes."""
    work, seen = _start(network, known)
    for left, right in _pairs(tree):
        work += _pair(network, left, right, known, seen)
    return work, seen


def _pair(network: Network, left: int, right: int, known: Set[int], seen: set[int]) -> list[Work]:
    """The work of one pair, where its result is not known; it then is ``seen``."""
    signature = network.signature(left | right)
    if signature in seen or signature in known:
        return []
    seen.add(signature)
    return network.pair_work(left, right)


def _alike(network: Network, avoided: Sequence[int]) -> list[Tree]:
    """The operands, with those multiplied that are over the same indices.

    Nothing is gained by keeping two of them apart: a step with either is as large as their
    product.  Each is multiplied with others before copies of itself, so that a product that
    stands twice, as that of the factors of an array that is squared, is still made once.
    """
    classes: dict[int, list[int]] = {}
    trees: list[Tree] = []
    for i in range(len(network.operands)):
        needed = network.needed(1 << i)
        if network.picker(1 << i) or any(needed & bits == bits for bits in avoided):
            trees.append(i)
        else:
            classes.setdefault(needed, []).append(i)
    for alike in classes.values():
        copies: dict[object, list[int]] = {}
        for i in alike:
            x = network.operands[i]
            copies.setdefault((x.node.digest, x.names), []).append(i)
        rounds = zip_longest(*copies.values())
        trees.append(_chained([_chained([i for i in one if i is not None]) for one in rounds]))
    return trees


def _chained(trees: Sequence[Tree]) -> Tree:
    """One after the other."""
    return reduce(lambda left, right: (left, right), trees)


def _start(network: Network, known: Set[int]) -> tuple[list[Work], set[int]]:
    """The sums over indices that only one operand has."""
    work: list[Work] = []
    seen: set[int] = set()
    for i in range(len(network.operands)):
        own, signature = network.start_work(i), network.signature(1 << i)
        if own and signature not in known and signature not in seen:
            work += own
            seen.add(signature)
    return work, seen


def _pairs(tree: Tree) -> list[tuple[int, int]]:
    """The pairs of sets of operands that an order multiplies, inner ones first."""
    if isinstance(tree, int):
        return []
    left, right = tree
    return [*_pairs(left), *_pairs(right), (members(left), members(right))]


def inner(tree: Tree) -> list[int]:
    """The sets of operands that an order multiplies on the way to all of them."""
    return [left | right for left, right in _pairs(tree)[:-1]]


class _Search:
    """Depth first over pairs, cheapest pair first; what costs as much as the best is cut off."""

    def __init__(self, network: Network, known: Set[int], avoided: Sequence[int]) -> None:
        self.network, self.known, self.avoided = network, known, avoided
        self.best: Plan | None = None
        self.steps: dict[tuple[int, int], tuple[int, int]] = {}

    def step(self, a: int, b: int, seen: frozenset[int]) -> tuple[int, int]:
        """What one pair costs, and its signature."""
        found = self.steps.get((a, b))
        if found is None:
            signature = self.network.signature(a | b)
            price = 0 if signature in self.known else self.network.pair_cost(a, b)
            found = self.steps[a, b] = price, signature
        return (0, found[1]) if found[1] in seen else found

    def run(
        self,
        parts: Sequence[tuple[int, Tree]],
        cost: int,
        seen: frozenset[int],
        last: tuple[int, int],
        made: int,
    ) -> None:
        """Try all orders of multiplying the parts.

        Independent pairs commute: a pair that does not need the last result follows it only if
        its key is larger.
        """
        if len(parts) == 1:
            if self.best is None or cost < self.best.cost:
                self.best = Plan(cost, parts[0][1], seen)
            return
        pairs = []
        for j, (b, _) in enumerate(parts):
            for i, (a, _) in enumerate(parts[:j]):
                key = (max(a, b), min(a, b))
                if made not in (a, b) and key < last:
                    continue
                needed = self.network.needed(a | b) if self.avoided else 0
                if any(needed & bits == bits for bits in self.avoided):
                    continue
                price, signature = self.step(a, b, seen)
                pairs.append((price, key, i, j, signature))
        for price, key, i, j, signature in sorted(pairs):
            if self.best is not None and cost + price >= self.best.cost:
                break
            (a, left), (b, right) = parts[i], parts[j]
            rest = [part for k, part in enumerate(parts) if k not in (i, j)]
            self.run([*rest, (a | b, (left, right))], cost + price, seen | {signature}, key, a | b)


def _greedy_tree(network: Network) -> Tree:
    """The order that opt_einsum finds greedily."""
    from opt_einsum.paths import greedy

    inputs = [set(x.names) for x in network.operands]
    trees: list[Tree] = list(range(len(inputs)))
    for places in greedy(inputs, set(network.out), network.numbers):
        chosen = [trees[i] for i in places]
        trees = [tree for i, tree in enumerate(trees) if i not in places]
        while len(chosen) > 1:
            chosen[:2] = [(chosen[0], chosen[1])]
        trees.append(chosen[0])
    return trees[0]
