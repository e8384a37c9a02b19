"""Functions of a module that are made only when they are asked for by name.

Other ways to weigh examples, and curvature from the same algebra.  With ℓ_j the loss of example j,
g_j its gradient, and r the reduction over examples (1/batch for a mean, 1 for a sum):

- ``clipped_by_parameter``: r Σ_j min(1, c_θ / ‖g_jθ‖) g_jθ for each parameter θ.
- ``weighted_backward``: r Σ_j w_j g_j, w being what the caller's function makes of the norms.
- ``ggn_vp``: r Σ_j Jᵀ H J v + ∇²Ω v, J the Jacobian of the value z that the loss is made of by the
  last step that is not linear, H the Hessian of the loss in z (Schraudolph 2002, *Fast curvature
  matrix-vector products for second-order gradient descent*).  For cross-entropy on a softmax z are
  the logits, for a squared error the residuals.
- ``fisher_vp``: r Σ_j E[g gᵀ] v, the expectation over targets drawn from the model.  Where H does
  not depend on the targets the loss is A(z) - T(y)·z + c(y), the negative log-likelihood of an
  exponential family in its natural parameter, and the Fisher information is Jᵀ H J
  (Martens 2020, *New insights and perspectives on the natural gradient method*, section 9.2).
- ``empirical_fisher_vp``: r Σ_j g_j (g_j · v), with the targets of the data.
- ``fisher_diagonal``: r Σ_j g_j∘g_j, the diagonal of that; for a dense layer (z̄²)ᵀ h², so that
  nothing of batch × parameters elements is made.
- ``noise_scale``: tr S / |G|² (McCandlish et al. 2018, *An empirical model of large-batch
  training*), by the unbiased estimates of their appendix A.1 with batches of 1 and of all:
  |G|² ≈ (m |ḡ|² - mean ‖g_j‖²) / (m - 1), tr S ≈ (mean ‖g_j‖² - |ḡ|²) m / (m - 1).

The regulariser Ω is part of the gradients of the first three, and in none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from symdiff.calculus.curvature import hvp
from symdiff.calculus.forward import jvp
from symdiff.calculus.per_example import weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.expr import build
from symdiff.expr.contraction import contract
from symdiff.expr.graph import depends_on, leaves, substitute, toposort
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import FLOATS, full, number_of
from symdiff.expr.ops import OPS
from symdiff.expr.shapes import shape_size
from symdiff.expr.views import broadcast_to, is_view
from symdiff.model_graphs import ModelGraphs, Parts
from symdiff.simplify import simplify

#: Values of which it is looked at whether they are natural parameters.
MOST_VALUES = 4


class NotDerivableError(ValueError):
    """A function that cannot be made of this loss; the message says why."""


def _directions(graphs: ModelGraphs) -> dict[str, Node]:
    """Input nodes that stand for the entries of an argument v."""
    return {
        name: build.input(f"v.{name}", x.shape, x.dtype) for name, x in graphs.trainable.items()
    }


def _clip(norms: Node, bound: Node) -> Node:
    """min(1, bound / norm); 1 where the norm is 0."""
    above = norms > bound
    return build.where(above, bound / build.where(above, norms, 1.0), 1.0)


def clip_weights(graphs: ModelGraphs, norms: Node, bound: Node) -> tuple[Node, Node]:
    """The factors that clip, and these times the reduction's weight."""
    with build.default_dtype(graphs.model.dtype):
        clip = _clip(norms, bound)
        return clip, clip if graphs.weight is None else clip * graphs.weight


def _clipped_by_parameter(graphs: ModelGraphs) -> Parts:
    dtype = graphs.model.dtype
    bounds = {
        name: build.input(f"v.max.{name}", (), dtype, nonnegative=True) for name in graphs.trainable
    }
    with build.default_dtype(dtype):
        norms = {name: build.sqrt(s) for name, s in graphs.sq_norms.items()}
    weights = {n: clip_weights(graphs, norms[n], bounds[n])[1] for n in bounds}
    return Parts((graphs.loss, graphs.weighted_each(weights), norms), bounds=bounds)


def _weighted_backward(graphs: ModelGraphs) -> Parts:
    dtype = graphs.model.dtype
    asked = {
        name: build.input(f"v.weight.{name}", graphs.model.examples, dtype)
        for name in graphs.trainable
    }
    with build.default_dtype(dtype):
        scale = graphs.weight
        weights = {n: w if scale is None else w * scale for n, w in asked.items()}
    return Parts((graphs.loss, graphs.weighted_each(weights), graphs.sq_norms), weights=asked)


def _reduced(graphs: ModelGraphs, total: Node) -> Node:
    return total if graphs.weight is None else total * graphs.weight


@dataclass(frozen=True)
class _Curved:
    """The Hessian of the reduced loss in a value z that the loss is made of, times a direction.

    ``value`` and ``direction`` are the inputs that stand for z and for that direction in it.
    """

    z: Node
    value: Node
    direction: Node
    product: Node

    def at(self, z: Node, direction: Node) -> Node:
        """The product with nodes in the places of the stand-ins."""
        (found,) = substitute([self.product], {self.value: z, self.direction: direction})
        return broadcast_to(found, z.shape)


def _nonlinear(graphs: ModelGraphs) -> Iterator[_Curved]:
    """The values that the loss is made of by steps that are not linear, from the loss down.

    Raises NotDerivableError if there is none.
    """
    count = 0
    for z in _cuts(graphs.per_example, list(graphs.trainable.values())):
        if z.dtype not in FLOATS:
            continue
        value, u = (build.input(f"v.{name}", z.shape, z.dtype) for name in ("value", "direction"))
        (losses,) = substitute([graphs.per_example], {z: value})
        with build.default_dtype(graphs.model.dtype):
            (slope,) = gradients(_reduced(graphs, build.sum(losses)), value)
        product = simplify(jvp(slope, value, u), contractions=False).root
        if number_of(product) != 0:
            count += 1
            yield _Curved(z, value, u, product)
    if not count:
        raise NotDerivableError("the loss is linear in all that it is made of")


def _cuts(top: Node, parameters: list[Node]) -> Iterator[Node]:
    """The values through which all that depends on the parameters reaches a node, from it down."""
    order = toposort([top])
    active = depends_on(order, parameters)
    reached = {top} & active
    for node in reversed(order):
        if node not in reached:
            continue
        if len(reached) == 1:
            yield node
        reached.discard(node)
        reached |= {x for x in node.inputs if x in active}


def _pulled_back(graphs: ModelGraphs, curved: _Curved, vs: Mapping[str, Node]) -> dict[str, Node]:
    """Jᵀ H J v for each parameter."""
    xs = list(graphs.trainable.values())
    along = jvp(curved.z, xs, list(vs.values()))
    found = gradients([curved.z], xs, [curved.at(curved.z, along)])
    return dict(zip(graphs.trainable, found, strict=True))


def _depends(graphs: ModelGraphs, curved: _Curved, vs: Mapping[str, Node]) -> set[str]:
    """The inputs that keep J v, or H with that, from being the same whatever the targets are.

    Targets are the inputs that the loss reads and the outputs do not.
    """
    read = {x.attr("name") for x in leaves(graphs.model.output_nodes.values(), "input")}
    targets = {x.attr("name") for x in leaves([graphs.per_example], "input")} - read
    stand_ins = (curved.value, curved.direction)
    product = _of_either_value(curved.product)
    seen = {x.attr("name") for x in leaves([product]) if x not in stand_ins}
    along = jvp(curved.z, list(graphs.trainable.values()), list(vs.values()))
    made = [along, *([curved.z] if curved.value in leaves([product]) else [])]
    seen |= {x.attr("name") for x in leaves(made, "input")} & targets
    if not targets and len(made) > 1:
        seen |= read
    return seen


def _ggn_vp(graphs: ModelGraphs) -> Parts:
    vs, xs = _directions(graphs), list(graphs.trainable.values())
    if not xs:
        return Parts(({},), v=vs)
    found = _pulled_back(graphs, next(_nonlinear(graphs)), vs)
    if graphs.regularizer is not None:
        own = hvp(graphs.regularizer, xs, list(vs.values()))
        found = {name: found[name] + h for name, h in zip(found, own, strict=True)}
    return Parts((found,), v=vs)


def _fisher_vp(graphs: ModelGraphs) -> Parts:
    """A value that is natural may be linear in the last: ±z for targets of two values."""
    vs = _directions(graphs)
    if not graphs.trainable:
        return Parts(({},), v=vs)
    first: tuple[_Curved, set[str]] | None = None
    for curved in islice(_nonlinear(graphs), MOST_VALUES):
        seen = _depends(graphs, curved, vs)
        if not seen:
            return Parts((_pulled_back(graphs, curved, vs),), v=vs)
        first = first or (curved, seen)
    assert first is not None
    raise NotDerivableError(
        f"the curvature of the loss in {with_shape(first[0].z)} depends on "
        f"{', '.join(sorted(first[1]))}, so that the loss is not known to be a negative "
        "log-likelihood with that as its natural parameter; ggn_vp and empirical_fisher_vp can be "
        "had"
    )


def _of_either_value(node: Node) -> Node:
    """The node without those inputs of two possible values that it does not depend on.

    An input that is met an element at a time makes no difference if none is made by one value
    everywhere against the other everywhere.
    """
    for x in leaves([node], "input"):
        facts = dict(x.attr("declared"))
        values = (0.0, 1.0) if facts.get("zero_or_one") else (-1.0, 1.0)
        if not (facts.get("zero_or_one") or facts.get("plus_minus_one")):
            continue
        above = depends_on(toposort([node]), [x]) - {x}
        if not all(OPS[n.op].elementwise or is_view(n) for n in above):
            continue
        ways = [
            simplify(substitute([node], {x: full(x.shape, v, x.dtype)}), contractions=False).root
            for v in values
        ]
        if ways[0] is ways[1]:
            node = ways[0]
    return node


def _empirical_fisher_vp(graphs: ModelGraphs) -> Parts:
    """(g_j · v) is the derivative of ℓ_j along v, so that no g_j is formed."""
    vs, xs = _directions(graphs), list(graphs.trainable.values())
    if not xs:
        return Parts(({},), v=vs)
    graphs.per_example_gradients  # noqa: B018  examples that are mixed have none: says so
    scale, terms = graphs.example_losses
    with build.default_dtype(graphs.model.dtype):
        losses = scale * terms
        along = _reduced(graphs, jvp(losses, xs, list(vs.values())))
    found = gradients([losses], xs, [along])
    return Parts((dict(zip(graphs.trainable, found, strict=True)),), v=vs)


def _fisher_diagonal(graphs: ModelGraphs) -> Parts:
    found = {}
    for name, g in graphs.per_example_gradients.items():
        axes = range(g.ndim)
        own = axes[len(graphs.model.examples) :]
        found[name] = _reduced(graphs, contract([g, g], [axes, axes], own))
    return Parts((found,))


def _noise_scale(graphs: ModelGraphs) -> Parts:
    dtype = graphs.model.dtype
    with build.default_dtype(dtype):
        m = build.size_node(shape_size(graphs.model.examples), dtype)
        examples = list(graphs.per_example_gradients.values())
        mean = [g / m for g in weighted_sums(examples, None, len(graphs.model.examples))]
        whole = sum((build.sum(g * g) for g in mean), start=build.zeros(()))
        each = build.sum(graphs.norms**2) / m
        sq_norm = (m * whole - each) / (m - 1.0)
        trace = (each - whole) * m / (m - 1.0)
        return Parts((trace / sq_norm, trace, sq_norm))


MAKE: dict[str, Callable[[ModelGraphs], Parts]] = {
    "clipped_by_parameter": _clipped_by_parameter,
    "weighted_backward": _weighted_backward,
    "ggn_vp": _ggn_vp,
    "fisher_vp": _fisher_vp,
    "empirical_fisher_vp": _empirical_fisher_vp,
    "fisher_diagonal": _fisher_diagonal,
    "noise_scale": _noise_scale,
}
