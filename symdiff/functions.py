"""The graphs of a module's functions: what a model's forward, backward, hvp and norms compute.

The forward graph is simplified first, so that composites are recognised before they are
differentiated, but not planned: the plan's guards against rounding below 0 have no second
derivative at 0.  Each function's graph is simplified once more after differentiation, and planned.
Functions that cannot be had (per-example functions of a model that mixes examples, anything that
needs a loss where there is none) are left out with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symdiff.calculus.examples import EXAMPLES, MixingError
from symdiff.calculus.per_example import per_example_gradients, squared_norms, weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.expr import build
from symdiff.expr.graph import consumers, leaves, toposort
from symdiff.expr.movement import split_scale
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.simplify import simplify
from symdiff.simplify.second_order import cheapest_hvp
from symdiff.spec.model import Model

VARIABLES = ("input", "parameter")


class UnavailableError(ValueError):
    """A function that a model cannot have; the message says why."""


@dataclass(frozen=True)
class Parts:
    """What a function returns, as graphs: each part a node, or a dict of nodes by name.

    ``takes`` names the inputs that it takes; None means all of them.
    """

    parts: tuple[Node | Mapping[str, Node], ...]
    takes: tuple[str, ...] | None = None
    v: Mapping[str, Node] = field(default_factory=dict)
    max_norm: Node | None = None
    names: Mapping[Node, str] = field(default_factory=dict)

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
        found = simplify(roots, names=model.names, contractions=False)
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
        return build.divide(1.0, build.size_node(EXAMPLES, self.model.dtype))

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
        found = gradients(self.loss, list(self.trainable.values()))
        return dict(zip(self.trainable, found, strict=True))

    @cached_property
    def cotangents(self) -> dict[Node, str]:
        """The loss's derivatives with respect to the equations' values, and their names.

        Only of values that their readers hold as they are: see calculus.reverse.
        """
        readers = consumers(toposort([self.loss]))
        found: dict[str, Node] = {}
        for name in self.model.equations:
            node = self.values[name]
            if node in readers and node.dtype in FLOATS and _stands_alone(node, readers):
                found[name] = node
        derivatives = gradients(self.loss, list(found.values()))
        return {d: f"d_{name}" for name, d in zip(found, derivatives, strict=True)}

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
        found = per_example_gradients(
            self.per_example, list(self.trainable.values()), names=self.names
        )
        return dict(zip(self.trainable, found, strict=True))

    @cached_property
    def sq_norms(self) -> dict[str, Node]:
        """s[j] for each trainable parameter: the squared norm of example j's own gradient."""
        found = squared_norms(list(self.per_example_gradients.values()))
        return dict(zip(self.trainable, found, strict=True))

    @cached_property
    def norms(self) -> Node:
        """The norm of each example's own gradient over all trainable parameters."""
        with build.default_dtype(self.model.dtype):
            squares = list(self.sq_norms.values())
            if not squares:
                return build.zeros((EXAMPLES,))
            total = squares[0]
            for s in squares[1:]:
                total = total + s
            return build.sqrt(total)

    def weighted(self, weights: Node | None) -> dict[str, Node]:
        """sum_j weights[j] G[j], plus the regularizer's gradient, for each trainable parameter."""
        sums = weighted_sums(list(self.per_example_gradients.values()), weights)
        if self.regularizer_gradients is not None:
            own = self.regularizer_gradients.values()
            sums = [g + r for g, r in zip(sums, own, strict=True)]
        return dict(zip(self.trainable, sums, strict=True))


def _stands_alone(node: Node, readers: Mapping[Node, Sequence[Node]]) -> bool:
    """Whether some of what the node is made of is read by nothing else."""
    return any(len(readers[x]) == 1 and x.op not in VARIABLES for x in node.inputs)


def _forward(graphs: ModelGraphs) -> Parts:
    model = graphs.model
    outputs = {name: graphs.values[name] for name in model.outputs}
    below = {leaf.attr("name") for leaf in leaves(model.output_nodes.values(), "input")}
    takes = tuple(name for name in model.inputs if name in below)
    single = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    return Parts((single,), takes)


def _loss(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.loss,))


def _backward(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.loss, graphs.gradients))


def _hvp(graphs: ModelGraphs) -> Parts:
    """Pearlmutter's product, in the mode that is cheapest here."""
    xs = graphs.trainable
    vs = {name: build.input(f"v.{name}", x.shape, x.dtype) for name, x in xs.items()}
    if not xs:
        return Parts(({},), v=vs)
    found, _ = cheapest_hvp(graphs.loss, list(xs.values()), list(vs.values()))
    return Parts((dict(zip(xs, found, strict=True)),), v=vs)


def _sq_norms(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.sq_norms,))


def _norms(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.norms,))


def _backward_with_norms(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.loss, graphs.weighted(graphs.weight), graphs.sq_norms))


def _clipped_backward(graphs: ModelGraphs) -> Parts:
    """Row j of the last contraction is scaled by min(1, max_norm / norm[j])."""
    with build.default_dtype(graphs.model.dtype):
        bound = build.input("v.max_norm", (), graphs.model.dtype, nonnegative=True)
        norms = graphs.norms
        above = norms > bound
        clip = build.where(above, bound / build.where(above, norms, 1.0), 1.0)
        weights = clip if graphs.weight is None else clip * graphs.weight
    names = {norms: "norms", clip: "clip"}
    return Parts((graphs.loss, graphs.weighted(weights), norms), max_norm=bound, names=names)


_MAKE: dict[str, Callable[[ModelGraphs], Parts]] = {
    "forward": _forward,
    "loss": _loss,
    "backward": _backward,
    "hvp": _hvp,
    "per_example_sq_norms": _sq_norms,
    "per_example_norms": _norms,
    "backward_with_norms": _backward_with_norms,
    "clipped_backward": _clipped_backward,
}

#: The functions of a module that are graphs, in the order in which they are printed.
FUNCTIONS = tuple(_MAKE)


@dataclass(frozen=True)
class ModuleFunctions:
    """The simplified graphs of the functions that can be had, and why the others cannot."""

    functions: Mapping[str, Parts]
    unavailable: Mapping[str, str]
    names: Mapping[Node, str]
    comments: Mapping[Node, str]
    assumptions: frozenset[tuple[str, str]]
    regularizer_gradients: Mapping[str, Node] | None


def module_functions(model: Model, wanted: Sequence[str] | None = None) -> ModuleFunctions:
    """The graphs of the wanted functions (default: of all that can be had).

    Raises UnavailableError where a wanted function cannot be had.
    """
    graphs = ModelGraphs(model)
    done: dict[str, Parts] = {}
    unavailable: dict[str, str] = {}
    names = dict(graphs.names)
    assumptions = graphs.assumptions
    for name in FUNCTIONS if wanted is None else [f for f in FUNCTIONS if f in wanted]:
        try:
            raw = _MAKE[name](graphs)
        except MixingError as error:
            if wanted is not None:
                raise UnavailableError(f"{name}: {error}") from None
            unavailable[name] = str(error)
            continue
        named = {**graphs.names, **raw.names}
        found = simplify(raw.roots, names=named)
        for old, label in named.items():
            names.setdefault(found.mapping.get(old, old), label)
        assumptions |= found.assumptions
        done[name] = Parts(raw.with_roots(found.roots), raw.takes, raw.v, raw.max_norm, raw.names)
    own = graphs.regularizer_gradients
    if own is not None:
        own = dict(zip(own, simplify(list(own.values())).roots, strict=True))
    comments = {}
    for node, (label, text) in reversed(_named_derivatives(graphs).items()):
        if names.setdefault(node, label) == label:
            comments[node] = text
    return ModuleFunctions(done, unavailable, names, comments, assumptions, own)


def _named_derivatives(graphs: ModelGraphs) -> dict[Node, tuple[str, str]]:
    """Names and comments of the loss's derivatives with respect to the equations' values.

    The mean's 1/batch stands in front of the parameters' gradients only, so what is computed on
    the way is the derivative times batch, and the comment says so.
    """
    found: dict[Node, tuple[str, str]] = {}
    cotangents = graphs.cotangents
    for raw, node in zip(cotangents, simplify(cotangents).roots, strict=True):
        number, factors, rest = split_scale(node)
        sizes = [x.attr("size") for x, e in factors if x.op == "size" and e == -1]
        if number == 1 and len(sizes) == len(factors):
            scale = "".join(f"{size} * " for size in sizes)
            name = cotangents[raw]
            found.setdefault(rest, (name, f"{scale}dloss/d{name[2:]}"))
    return found
