"""The graphs of one model, before any function of its module is made of them.

The forward graph is simplified first, so that composites are recognised before they are
differentiated, but not planned: the plan's guards against rounding below 0 have no second
derivative at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symdiff.calculus.example_losses import example_losses
from symdiff.calculus.per_example import per_example_gradients, squared_norms, weighted_sums
from symdiff.calculus.reverse import gradients, is_held
from symdiff.expr import build
from symdiff.expr.graph import consumers, toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.expr.shapes import Size
from symdiff.simplify import Simplified, simplify
from symdiff.simplify.context import Memo
from symdiff.spec.model import Model

VARIABLES = ("input", "parameter")


@dataclass(frozen=True)
class Parts:
    """What a function returns, as graphs: each part a node, or a dict of nodes by name.

    ``takes`` names the inputs that it takes; None means all of them.  ``mode`` is how it was
    differentiated, of the ``modes`` whose flops are given; ``simplified`` what the roots come to,
    where that is known already.
    """

    parts: tuple[Node | Mapping[str, Node], ...]
    takes: tuple[str, ...] | None = None
    v: Mapping[str, Node] | None = None
    max_norm: Node | None = None
    bounds: Mapping[str, Node] | None = None
    weights: Mapping[str, Node] | None = None
    names: Mapping[Node, str] = field(default_factory=dict)
    mode: str | None = None
    modes: Mapping[str, Size] = field(default_factory=dict)
    simplified: Simplified | None = None

    @property
    def roots(self) -> list[Node]:
        """All nodes of the parts, in order."""
        found: list[Node] = []
        for part in self.parts:
            found += [part] if isinstance(part, Node) else list(part.values())
        return found

    def with_roots(self, roots: Iterable[Node]) -> tuple[Node | Mapping[str, Node], ...]:
        """The parts with other nodes in their places."""
        nodes = iter(roots)
        return tuple(
            next(nodes) if isinstance(part, Node) else {name: next(nodes) for name in part}
            for part in self.parts
        )


class ModelGraphs:
    """The graphs of one model, each made when it is first asked for."""

    def __init__(self, model: Model) -> None:
        self.model = model
        roots = [*model.values.values(), model.per_example]
        if model.regularizer is not None:
            roots.append(model.regularizer)
        self.memo = Memo()
        found = simplify(roots, names=model.names, contractions=False, memo=self.memo)
        new = dict(zip(roots, found.roots, strict=True))
        self.assumptions = found.assumptions
        self.values = {name: new[node] for name, node in model.values.items()}
        self.per_example = new[model.per_example]
        self.regularizer = None if model.regularizer is None else new[model.regularizer]
        self.trainable = model.trainable
        self.names: dict[Node, str] = {}
        for name, node in self.values.items():
            self.names.setdefault(node, name)

    @cached_property
    def weight(self) -> Node | None:
        """What the reduction multiplies each example's loss by; None for a sum."""
        if self.model.reduction == "sum":
            return None
        return build.divide(1.0, build.size_node(self.model.rows, self.model.dtype))

    @cached_property
    def example_losses(self) -> tuple[Node, Node]:
        """A 0-d number, and what it is to be multiplied by to give each example's own loss."""
        return example_losses(self.per_example, self.model.examples)

    @cached_property
    def loss(self) -> Node:
        """The scalar loss: the reduction over examples, plus the regularizer."""
        with build.default_dtype(self.model.dtype):
            total = build.sum(self.per_example)
            if self.weight is not None:
                total = total * self.weight
            return total if self.regularizer is None else total + self.regularizer

    @cached_property
    def gradients(self) -> dict[str, Node]:
        """The gradient of the loss for each trainable parameter."""
        return dict(zip(self.trainable, self._derivatives, strict=False))

    @cached_property
    def cotangents(self) -> dict[Node, str]:
        """The loss's derivatives with respect to the equations' values, and their names."""
        derivatives = self._derivatives[len(self.trainable) :]
        return {d: f"d_{name}" for name, d in zip(self._held, derivatives, strict=True)}

    @cached_property
    def _derivatives(self) -> list[Node]:
        """The loss's derivatives with respect to parameters, then values: one sweep gives both."""
        return gradients(self.loss, [*self.trainable.values(), *self._held.values()])

    @cached_property
    def _held(self) -> dict[str, Node]:
        """The equations' values that their readers hold as they are: see calculus.reverse."""
        order = toposort([self.loss])
        readers = consumers(order)
        found: dict[str, Node] = {}
        for name in self.model.equations:
            node = self.values[name]
            if node in readers and node.dtype in FLOATS and _stands_alone(node, readers):
                if is_held(node, readers, [self.loss]):
                    found[name] = node
        return found

    @cached_property
    def regularizer_gradients(self) -> dict[str, Node] | None:
        """The regularizer's own gradient for each trainable parameter; None if there is none."""
        if self.regularizer is None:
            return None
        found = gradients(self.regularizer, list(self.trainable.values()))
        return dict(zip(self.trainable, found, strict=True))

    @cached_property
    def per_example_gradients(self) -> dict[str, Node]:
        """Each example's own gradient, (batch, *shape), for each trainable parameter."""
        scale, losses = self.example_losses
        examples = self.model.examples
        xs = list(self.trainable.values())
        found = per_example_gradients(losses, xs, examples, self.names)
        return {name: scale * g for name, g in zip(self.trainable, found, strict=True)}

    @cached_property
    def sq_norms(self) -> dict[str, Node]:
        """s[j] for each trainable parameter: the squared norm of example j's own gradient."""
        found = squared_norms(list(self.per_example_gradients.values()), len(self.model.examples))
        return dict(zip(self.trainable, found, strict=True))

    @cached_property
    def norms(self) -> Node:
        """The norm of each example's own gradient over all trainable parameters."""
        with build.default_dtype(self.model.dtype):
            squares = list(self.sq_norms.values())
            if not squares:
                return build.zeros(self.model.examples)
            total = squares[0]
            for s in squares[1:]:
                total = total + s
            return build.sqrt(total)

    def weighted(self, weights: Node | None) -> dict[str, Node]:
        """sum_j weights[j] G[j], plus the regularizer's gradient, for each trainable parameter."""
        examples = list(self.per_example_gradients.values())
        sums = weighted_sums(examples, weights, len(self.model.examples))
        if self.regularizer_gradients is not None:
            own = self.regularizer_gradients.values()
            sums = [g + r for g, r in zip(sums, own, strict=True)]
        return dict(zip(self.trainable, sums, strict=True))

    def weighted_each(self, weights: Mapping[str, Node]) -> dict[str, Node]:
        """sum_j weights[θ][j] Gθ[j], plus the regularizer's gradient, for each parameter θ."""
        found = {}
        for name, g in self.per_example_gradients.items():
            (found[name],) = weighted_sums([g], weights[name], len(self.model.examples))
            if self.regularizer_gradients is not None:
                found[name] = found[name] + self.regularizer_gradients[name]
        return found


def _stands_alone(node: Node, readers: Mapping[Node, Sequence[Node]]) -> bool:
    """Whether some of what the node is made of is read by nothing else."""
    return any(len(readers[x]) == 1 and x.op not in VARIABLES for x in node.inputs)
