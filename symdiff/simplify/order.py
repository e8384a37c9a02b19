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
from functools import lru_cache, reduce
from itertools import zip_longest

from symdiff.simplify.figure import Figure, Tree, Work, members, pairs
from symdiff.simplify.known import NOTHING, Known, Plan
from symdiff.simplify.network import Network

FEW = 5
EXHAUSTIVE = 8


def best_order(network: Network, known: Known = NOTHING, avoided: Sequence[int] = ()) -> Plan:
    """The cheapest order, where results that are ``known`` cost nothing.

    No partial product has all of a set of ``avoided`` indices, if there is such an order.
    """
    figure = network.figure
    if len(network.operands) > EXHAUSTIVE:
        return order_cost(network, _greedy_tree(network), known)
    found = _cheapest(figure, tuple(avoided), frozenset())
    tried = found.tried
    if _touches(known, network, tried):
        masks = range(1, 1 << len(network.operands))
        there = frozenset([figure.signature(m) for m in masks if known.has(network, m)])
        found = _cheapest(figure, tuple(avoided), there)
        tried += found.tried
    return Plan(network, found.cost, found.tree, tried)


def order_cost(network: Network, tree: Tree, known: Known = NOTHING) -> Plan:
    """What a given order costs."""
    return Plan(network, network.figure.cost(order_work(network, tree, known)), tree)


def order_work(network: Network, tree: Tree, known: Known = NOTHING) -> list[Work]:
    """The work of a given order."""
    figure = network.figure
    seen: set[int] = set()
    work = []
    for mask, own in [(1 << i, [own]) for i, own in figure.alone] + [
        (left | right, figure.pair_work(left, right)) for left, right in pairs(tree)
    ]:
        signature = figure.signature(mask)
        if signature not in seen and not known.has(network, mask):
            work += own
            seen.add(signature)
    return work


def is_independent(plan: Plan, known: Known) -> bool:
    """Whether the plan is what it would be if nothing of this were known."""
    return not _touches(known, plan.network, plan.tried)


def _touches(known: Known, network: Network, masks: Sequence[int]) -> bool:
    """Whether some of the products may be known."""
    return any(known.may_have(network.nodes(mask)) for mask in masks)


@dataclass(frozen=True)
class _Found:
    """The cheapest order for a figure, and the products that were thought of."""

    cost: int
    tree: Tree
    tried: tuple[int, ...]


@lru_cache(maxsize=4096)
def _cheapest(figure: Figure, avoided: tuple[int, ...], known: frozenset[int]) -> _Found:
    """See best_order; the signatures are the figure's."""
    seen: set[int] = set()
    cost, tried = 0, []
    for i, own in figure.alone:
        tried.append(1 << i)
        signature = figure.signature(1 << i)
        if signature not in seen and signature not in known:
            cost += figure.cost([own])
            seen.add(signature)
    count = len(figure.rows)
    if count < 2:
        return _Found(cost, 0, tuple(tried))
    for some in dict.fromkeys((avoided, ())):
        trees = _alike(figure, some) if count > FEW else [*range(count)]
        begun, there = cost, {*seen}
        for left, right in (pair for tree in trees for pair in pairs(tree)):
            tried.append(left | right)
            signature = figure.signature(left | right)
            if signature not in there and signature not in known:
                begun += figure.pair_cost(left, right)
                there.add(signature)
        search = _Search(figure, known, some)
        parts = [(members(tree), tree) for tree in trees]
        search.run(parts, begun, frozenset(there), (0, 0), 0)
        tried += [a | b for a, b in search.steps]
        if search.best is not None:
            least, tree = search.best
            return _Found(least, tree, tuple(dict.fromkeys(tried)))
    raise AssertionError("no order")


def _alike(figure: Figure, avoided: Sequence[int]) -> list[Tree]:
    """The operands, with those multiplied that are over the same indices.

    Nothing is gained by keeping two of them apart: a step with either is as large as their
    product.  Each is multiplied with others before copies of itself, so that a product that
    stands twice, as that of the factors of an array that is squared, is still made once.
    """
    classes: dict[int, list[int]] = {}
    trees: list[Tree] = []
    for i in range(len(figure.rows)):
        needed = figure.needed(1 << i)
        if figure.selects(1 << i) or any(needed & bits == bits for bits in avoided):
            trees.append(i)
        else:
            classes.setdefault(needed, []).append(i)
    for alike in classes.values():
        copies: dict[object, list[int]] = {}
        for i in alike:
            copies.setdefault((figure.classes[i], figure.rows[i]), []).append(i)
        rounds = zip_longest(*copies.values())
        trees.append(_chained([_chained([i for i in one if i is not None]) for one in rounds]))
    return trees


def _chained(trees: Sequence[Tree]) -> Tree:
    """One after the other."""
    return reduce(lambda left, right: (left, right), trees)


def inner(tree: Tree) -> list[int]:
    """The sets of operands that an order multiplies on the way to all of them."""
    return [left | right for left, right in pairs(tree)[:-1]]


class _Search:
    """Depth first over pairs, cheapest pair first; what costs as much as the best is cut off."""

    def __init__(self, figure: Figure, known: Set[int], avoided: Sequence[int]) -> None:
        self.figure, self.known, self.avoided = figure, known, avoided
        self.best: tuple[int, Tree] | None = None
        self.steps: dict[tuple[int, int], tuple[int, int]] = {}

    def step(self, a: int, b: int, seen: frozenset[int]) -> tuple[int, int]:
        """What one pair costs, and its signature."""
        found = self.steps.get((a, b))
        if found is None:
            signature = self.figure.signature(a | b)
            price = 0 if signature in self.known else self.figure.pair_cost(a, b)
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
            if self.best is None or cost < self.best[0]:
                self.best = cost, parts[0][1]
            return
        pairs = []
        for j, (b, _) in enumerate(parts):
            for i, (a, _) in enumerate(parts[:j]):
                key = (max(a, b), min(a, b))
                if made not in (a, b) and key < last:
                    continue
                needed = self.figure.needed(a | b) if self.avoided else 0
                if any(needed & bits == bits for bits in self.avoided):
                    continue
                price, signature = self.step(a, b, seen)
                pairs.append((price, key, i, j, signature))
        for price, key, i, j, signature in sorted(pairs):
            if self.best is not None and cost + price >= self.best[0]:
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
