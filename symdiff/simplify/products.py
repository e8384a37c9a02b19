"""A node as a sum of products: its terms as networks, and the nodes that they evaluate to."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from dataclasses import replace

from symdiff.expr.algebra import power_product
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node
from symdiff.expr.numbers import size_node
from symdiff.expr.shapes import Size, size_value
from symdiff.expr.views import broadcast_to
from symdiff.simplify.known import Plan
from symdiff.simplify.network import Network, Price
from symdiff.simplify.terms import Expander, Term


class Products:
    """A node as a sum of products of operands over indices."""

    def __init__(self, node: Node, opened: Container[Node], numbers: Mapping[str, int]) -> None:
        self.node = node
        expander = Expander(opened, node)
        self.out = tuple(expander.index(size) for size in node.shape)
        terms = expander.expand(node, self.out)
        self.sizes = expander.sizes
        self.placed = expander.placed
        self.numbers = {n: size_value(size, numbers) for n, size in self.sizes.items()}
        self.result_size = math.prod(self.numbers[n] for n in self.out)
        self.terms: list[Term] = []
        self.networks: list[Network] = []
        places: dict[object, int] = {}
        for term in terms:  # the two cross terms of a square are one, twice
            arrays = [x for x in term.operands if x.names]
            network = Network(arrays, self.out, self.sizes, self.numbers)
            if len(terms) == 1:
                self.terms, self.networks = [term], [network]
                break
            scalars = sorted(x.node.digest for x in term.operands if not x.names)
            times = sorted(map(str, self.repeats(network, term)))
            at = places.setdefault((network.identity(), *scalars, *times), len(self.terms))
            if at == len(self.terms):
                self.terms.append(term)
                self.networks.append(network)
            else:
                total = self.terms[at].coefficient + term.coefficient
                self.terms[at] = replace(self.terms[at], coefficient=total)

    @property
    def is_outer(self) -> bool:
        """Whether all terms are mere outer products, larger than all that they are made of."""
        figures = [network.figure for network in self.networks]
        return all(
            len(figure.numbers) == figure.out_bits.bit_length()
            and all(figure.volume(bits) < self.result_size for bits in figure.leaf)
            for figure in figures
        )

    def whole(self, network: Network, nodes: Container[Node]) -> list[int]:
        """For each time that one of the nodes is in a network, all of its indices, as a set.

        A partial product that has all of them is the node, formed.
        """
        found = []
        for node, places in self.placed.items():
            for names in places if node in nodes else ():
                own = [n for n in names if self.sizes[n] != 1]
                if all(n in network.place for n in own):
                    found.append(network.bits(own))
        return found

    def additions(self) -> Price:
        """Adding the terms up."""
        shape = tuple(self.sizes[n] for n in self.out)
        return [(len(self.terms) - 1, shape)] if len(self.terms) > 1 else []

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
