"""The derivatives of a loss, equation by equation: ∂J/∂x in terms of ∂J/∂y for the y that read x.

Back-propagation as a textbook writes it, with one difference: where it reads better to go through
several equations at once, that is done.  ``q = softmax(z)`` below a cross-entropy gives
∂J/∂z = (q − p) / batch directly, not by way of ∂J/∂q.  Every way through up to REACH equations is
differentiated and simplified, and the shortest is kept; of equals, the one that goes step by step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symdiff.calculus.reverse import gradients
from symdiff.expr import build
from symdiff.expr.graph import leaves, substitute
from symdiff.expr.node import Node
from symdiff.inspect.equations import Equations
from symdiff.inspect.layout import Doc, Name, Partial
from symdiff.inspect.naming import lines
from symdiff.inspect.text import TEXT
from symdiff.simplify import Simplified, simplify
from symdiff.simplify.trace import NearMiss

#: Through how many equations at once a derivative is tried.
REACH = 3


@dataclass(frozen=True)
class Derivative:
    """∂J/∂x: the graph, over names and over the derivatives of other equations (``uses``).

    ``known`` names nodes of the graph that are the values of equations; ``steps`` are the
    simplifications that led to it, in order; ``near_misses`` are those of all ways tried.
    """

    of: str
    wrt: str
    node: Node
    known: Mapping[Node, Doc]
    uses: tuple[str, ...]
    steps: tuple[Simplified, ...]
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def label(self) -> Partial:
        """∂J/∂x."""
        return Partial(self.of, self.wrt)

    @cached_property
    def length(self) -> int:
        """How many symbols it takes to write it."""
        written = lines({self.label: self.node}, known=self.known)
        text = " ".join(TEXT.draw(line.doc) for line in written)
        return len(re.findall(r"\w+|[^\w\s]", re.sub(r"∂\w+/∂\w+", "d", text)))


class ChainRule:
    """The derivatives of one model's loss; each is found when it is first asked for."""

    def __init__(self, equations: Equations, simplified: bool = True) -> None:
        self.equations = equations
        self.loss = equations.loss
        self.simplify = simplified
        self.cotangents = {
            name: build.input(f"∂{self.loss}/∂{name}", node.shape, node.dtype)
            for name, node in equations.leaves.items()
            if name in equations.formulas
        }
        self.readers: dict[str, list[str]] = {name: [] for name in equations.leaves}
        for name in equations.formulas:
            for read in sorted(equations.reads(name)):
                self.readers[read].append(name)
        self.found: dict[str, Derivative] = {}

    def derivative(self, name: str) -> Derivative:
        """∂J/∂name in its shortest form."""
        if name not in self.found:
            best = self.through(name, [])
            inside: list[str] = []
            missed = _near_misses(best)
            for _ in range(REACH if self.simplify else 0):
                inside = self.further(name, inside)
                if not inside or best.length <= 2:
                    break
                other = self.through(name, inside)
                best = other if other.length < best.length else best
                missed += _near_misses(other)
            self.found[name] = replace(best, near_misses=missed)
        return self.found[name]

    def needed(self, names: Sequence[str]) -> list[Derivative]:
        """Those of the names and all that they are written in terms of, in order of computing."""
        found: dict[str, Derivative] = {}
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found[name] = self.derivative(name)
                stack += found[name].uses
        place = {name: i for i, name in enumerate(self.equations.formulas)}
        inner = [n for n in found if n in place and n not in names]
        inner += [n for n in names if n in place]
        ordered = sorted(set(inner), key=place.__getitem__, reverse=True)
        rest = [n for n in names if n not in place]
        return [found[name] for name in dict.fromkeys([*ordered, *rest])]

    def further(self, name: str, inside: Sequence[str]) -> list[str]:
        """The equations to go through, and those that read them; empty if there are no more."""
        reached = {reader for read in (name, *inside) for reader in self.readers[read]}
        reached.discard(self.loss)
        wider = [n for n in self.equations.formulas if n in reached and n in self.cotangents]
        return wider if len(wider) > len(inside) else []

    def through(self, name: str, inside: Sequence[str]) -> Derivative:
        """∂J/∂name by the equations that read it or one of ``inside``, which are written out."""
        formulas, own = self.equations.formulas, self.equations.leaves
        whole: dict[Node, Node] = {}
        for inner in inside:
            (whole[own[inner]],) = substitute([formulas[inner]], whole)
        readers = {reader for read in (name, *inside) for reader in self.readers[read]}
        outer = [n for n in formulas if n in readers and n not in inside]
        written = substitute([formulas[n] for n in outer], whole)
        steps: list[Simplified] = []

        def simplified(nodes: Sequence[Node]) -> list[Node]:
            if not self.simplify:
                return list(nodes)
            steps.append(simplify(nodes, trace=True))
            return list(steps[-1].roots)

        done = simplified([*written, *whole.values()])
        ones = build.ones((), self.equations.model.dtype)
        seeds = [self.cotangents.get(n, ones) for n in outer]
        (made,) = simplified(
            gradients(done[: len(outer)], [own[name]], seeds)
            if outer
            else [build.zeros_like(own[name])]
        )
        values = dict(zip([*outer, *inside], done, strict=True))
        known: dict[Node, Doc] = {}
        for label, node in values.items():
            now = steps[-1].mapping.get(node, node) if steps else node
            for value in (node, now):
                if value is not made:
                    known.setdefault(value, Name(label))
        names = {leaf: n for n, leaf in self.cotangents.items()}
        known.update((leaf, Partial(self.loss, n)) for leaf, n in names.items())
        uses = tuple(names[leaf] for leaf in leaves([made]) if leaf in names)
        return Derivative(self.loss, name, made, known, uses, tuple(steps))


def _near_misses(derivative: Derivative) -> tuple[NearMiss, ...]:
    return tuple(miss for step in derivative.steps for miss in step.near_misses)
