"""The graphs of a module's functions: what a model's forward, backward, hvp and norms compute.

Each function's graph is simplified after differentiation, and planned.
Functions that cannot be had (per-example functions of a model that mixes examples, anything that
needs a loss where there is none) are left out with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from symdiff import on_request
from symdiff.calculus.examples import MixingError
from symdiff.expr import build
from symdiff.expr.graph import leaves, toposort
from symdiff.expr.movement import split_scale
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError, size_names
from symdiff.gauss_newton import NotDerivableError
from symdiff.model_graphs import ModelGraphs, Parts
from symdiff.on_request import clip_weights
from symdiff.simplify import simplify
from symdiff.simplify.decisions import Decision
from symdiff.simplify.second_order import cheapest_hvp
from symdiff.spec.model import Model


class UnavailableError(ValueError):
    """A function that a model cannot have; the message says why, ``place`` where in the spec."""

    def __init__(self, message: str, place: tuple[int, int]) -> None:
        super().__init__(message)
        self.place = place


def _forward(graphs: ModelGraphs) -> Parts:
    model = graphs.model
    outputs = {name: model.shown(graphs.values[name]) for name in model.outputs}
    takes = _read(model, list(outputs.values()))
    single = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    return Parts((single,), takes)


def _read(model: Model, outputs: Sequence[Node]) -> tuple[str, ...]:
    """The inputs that the outputs depend on, be it only by their shapes."""
    read = {leaf.attr("name") for leaf in leaves(model.output_nodes.values(), "input")}
    order = toposort(outputs)
    shown = [*(x.shape for x in order), *((x.attr("size"),) for x in order if x.op == "size")]
    wanted = {name for shape in shown for size in shape for name in size_names(size)}
    for shape in (p.node.shape for p in model.parameters.values()):
        wanted -= set(shape)
    for name, x in model.inputs.items():
        if name in read:
            wanted -= set(x.shape)
    for name, x in model.inputs.items():
        if wanted & set(x.shape):
            read.add(name)
            wanted -= set(x.shape)
    return tuple(name for name in model.inputs if name in read)


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
    way = cheapest_hvp(
        graphs.loss,
        list(xs.values()),
        list(vs.values()),
        names=graphs.names,
        memo=graphs.memo,
        gradient=list(graphs.gradients.values()),
    )
    parts = (dict(zip(xs, way.raw, strict=True)),)
    return Parts(parts, v=vs, mode=way.mode, modes=way.flops, simplified=way.simplified)


def _sq_norms(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.sq_norms,))


def _norms(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.norms,))


def _backward_with_norms(graphs: ModelGraphs) -> Parts:
    return Parts((graphs.loss, graphs.weighted(graphs.weight), graphs.sq_norms))


def _clipped_backward(graphs: ModelGraphs) -> Parts:
    """Row j of the last contraction is scaled by min(1, max_norm / norm[j])."""
    bound = build.input("v.max_norm", (), graphs.model.dtype, nonnegative=True)
    norms = graphs.norms
    clip, weights = clip_weights(graphs, norms, bound)
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

#: Functions that a module has only if they are asked for.
ON_REQUEST = tuple(on_request.MAKE)


@dataclass(frozen=True)
class ModuleFunctions:
    """The simplified graphs of the functions that can be had, and why the others cannot.

    ``decisions`` says for each function what the planner decided, ``places`` on which line and
    column of the spec it is that a function cannot be had.
    """

    functions: Mapping[str, Parts]
    unavailable: Mapping[str, str]
    names: Mapping[Node, str]
    comments: Mapping[Node, str]
    assumptions: frozenset[tuple[str, str]]
    regularizer_gradients: Mapping[str, Node] | None
    decisions: Mapping[str, Sequence[Decision]]
    places: Mapping[str, tuple[int, int]]


def module_functions(model: Model, wanted: Sequence[str] | None = None) -> ModuleFunctions:
    """The graphs of the wanted functions (default: of all that can be had).

    Raises UnavailableError where a wanted function cannot be had.
    """
    graphs = ModelGraphs(model)
    done: dict[str, Parts] = {}
    unavailable: dict[str, str] = {}
    decisions: dict[str, Sequence[Decision]] = {}
    places: dict[str, tuple[int, int]] = {}
    names = dict(graphs.names)
    assumptions = graphs.assumptions
    make = _MAKE | on_request.MAKE
    for name in FUNCTIONS if wanted is None else [f for f in make if f in wanted]:
        try:
            raw = make[name](graphs)
        except (MixingError, ShapeError, NotDerivableError) as error:
            if wanted is not None:
                raise UnavailableError(f"{name}: {error}", model.place_of(error)) from None
            unavailable[name], places[name] = str(error), model.place_of(error)
            continue
        named = {**graphs.names, **raw.names}
        found = raw.simplified or simplify(raw.roots, names=named, memo=graphs.memo)
        for old, label in named.items():
            names.setdefault(found.mapping.get(old, old), label)
        assumptions |= found.assumptions
        done[name] = replace(raw, parts=raw.with_roots(found.roots))
        decisions[name] = found.decisions
    own = graphs.regularizer_gradients
    if own is not None:
        roots = simplify(list(own.values()), memo=graphs.memo).roots
        own = dict(zip(own, roots, strict=True))
    comments = {}
    for node, (label, text) in reversed(_named_derivatives(graphs).items()):
        if names.setdefault(node, label) == label:
            comments[node] = text
    return ModuleFunctions(done, unavailable, names, comments, assumptions, own, decisions, places)


def _named_derivatives(graphs: ModelGraphs) -> dict[Node, tuple[str, str]]:
    """Names and comments of the loss's derivatives with respect to the equations' values.

    The mean's 1/batch stands in front of the parameters' gradients only, so what is computed on
    the way is the derivative times batch, and the comment says so.
    """
    found: dict[Node, tuple[str, str]] = {}
    cotangents = graphs.cotangents
    for raw, node in zip(cotangents, simplify(cotangents, memo=graphs.memo).roots, strict=True):
        number, factors, rest = split_scale(node)
        sizes = [x.attr("size") for x, e in factors if x.op == "size" and e == -1]
        if number == 1 and len(sizes) == len(factors):
            scale = "".join(f"{size} * " for size in sizes)
            name = cotangents[raw]
            found.setdefault(rest, (name, f"{scale}dloss/d{name[2:]}"))
    return found
