"""Functions of a module that are made only when they are asked for by name.

Other ways to weigh examples, and curvature from the same algebra.  With ℓ_j the loss of example j,
g_j its gradient, and r the reduction over examples (1/batch for a mean, 1 for a sum):

- ``clipped_by_parameter``: r Σ_j min(1, c_θ / ‖g_jθ‖) g_jθ for each parameter θ.
- ``weighted_backward``: r Σ_j w_j g_j, w being what the caller's function makes of the norms.
- ``ggn_vp``: r Σ_j Jᵀ H J v + ∇²Ω v, J the Jacobian of the values z that the loss is made of by its
  last steps that are not linear, H the Hessian of the loss in z; see
  :mod:`symdiff.gauss_newton`.
- ``fisher_vp``: r Σ_j E[g gᵀ] v, the expectation over targets drawn from the model.  Where H does
  not depend on the targets the loss is A(z) - T(y)·z + c(y), the negative log-likelihood of an
  exponential family in its natural parameters, and the Fisher information is Jᵀ H J
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

from collections.abc import Callable
from itertools import islice

from symdiff.calculus.curvature import hvp
from symdiff.calculus.forward import jvp
from symdiff.calculus.per_example import weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.errors import listing
from symdiff.expr import build
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import shape_size
from symdiff.gauss_newton import Cut, NotDerivableError, cuts, depends
from symdiff.model_graphs import ModelGraphs, Parts

#: Cuts of which it is looked at whether their values are natural parameters.
MOST_CUTS = 4


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


def _ggn_vp(graphs: ModelGraphs) -> Parts:
    vs, xs = _directions(graphs), list(graphs.trainable.values())
    if not xs:
        return Parts(({},), v=vs)
    found = next(cuts(graphs)).pulled_back(graphs, vs)
    if graphs.regularizer is not None:
        own = hvp(graphs.regularizer, xs, list(vs.values()))
        found = {name: found[name] + h for name, h in zip(found, own, strict=True)}
    return Parts((found,), v=vs)


def _fisher_vp(graphs: ModelGraphs) -> Parts:
    """A value that is natural may be linear in the last: ±z for targets of two values."""
    vs = _directions(graphs)
    if not graphs.trainable:
        return Parts(({},), v=vs)
    first: tuple[Cut, set[str]] | None = None
    for cut in islice(cuts(graphs), MOST_CUTS):
        seen = depends(graphs, cut, vs)
        if not seen:
            return Parts((cut.pulled_back(graphs, vs),), v=vs)
        first = first or (cut, seen)
    assert first is not None
    raise NotDerivableError(
        f"the curvature of the loss in {listing([with_shape(z) for z in first[0].zs], 'and')} "
        f"depends on {', '.join(sorted(first[1]))}, so that the loss is not known to be a negative "
        "log-likelihood with that as its natural parameter; ggn_vp and empirical_fisher_vp can be "
        "had"
    )


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
