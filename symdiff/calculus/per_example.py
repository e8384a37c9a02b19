"""Per-example gradients, their squared norms, and weighted sums of them, as ordinary nodes.

For a loss vector ℓ (one loss an example) and a parameter θ with indices P, the per-example
gradient is ``G[j, P] = dℓ[j]/dθ[P]``: the gradient of one example's loss, batched.  Then
``s[j] = Σ_P G[j, P]²`` and ``Σ_j w[j] G[j, P]`` are contractions of G.  That is the whole of the
algebra; it holds for any use of θ.  Nothing here looks at layers: G is the outer product, or the
sum of outer products, that reverse mode wrote down, and the planner
(:mod:`symdiff.simplify.contraction`) finds that ``Σ (z̄ ⊗ h)²`` is best computed as
``Σ z̄² Σ h²`` (Goodfellow, *Efficient Per-Example Gradient Computations*, 2015).  Until it is
planned, G is an array of batch × θ elements: plan before evaluating.

Where contributions to G cancel, a planned norm that does not form G cancels after squaring: its
error is about eps·Σ|terms|, the terms being those of the expanded square, against eps·s of the
norm of G itself.  It is never below 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff.calculus.batching import vmap
from symdiff.calculus.examples import EXAMPLES, unbatch
from symdiff.calculus.reverse import gradients
from symdiff.expr.contraction import contract
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, shape_text
from symdiff.expr.views import broadcast_to


def per_example_gradients(
    losses: Node,
    parameters: Sequence[Node],
    size: str | Sequence[str] = EXAMPLES,
    names: Mapping[Node, str] | None = None,
) -> list[Node]:
    """For each parameter the node of shape (batch, *shape) of each example's own gradient.

    ``losses`` has shape (batch,), one loss an example, not reduced.  All uses of a parameter are
    in its gradient; one that the losses do not use gets zeros.  Primal values in the gradients
    are the nodes of the graph of ``losses`` itself.  ``size`` is the name of the example axis of
    the inputs that have it; with several, ``losses`` and the gradients have all of them in front.

    Raises ShapeError for losses of another shape, and MixingError, naming operation and (through
    ``names``) equation, where examples are not independent.
    """
    axes = (size,) if isinstance(size, str) else tuple(size)
    if losses.shape != axes:
        raise ShapeError(
            f"per_example: one loss an example is expected, of shape {shape_text(axes)}, "
            f"got {with_shape(losses)}"
        )
    roots, wholes = [losses], []
    for axis in axes:
        single = unbatch(roots, axis, names)
        roots = single.roots
        wholes.append((axis, single.whole))
        rows = {whole: row for row, whole in single.whole.items()}
        names = {rows.get(node, node): name for node, name in (names or {}).items()}
    found = gradients(roots[0], parameters)
    for axis, whole in reversed(wholes):
        if whole:
            found = vmap(found, whole)
        else:
            found = [broadcast_to(g, (axis, *g.shape)) for g in found]
    return found


def squared_norms(per_example: Sequence[Node], axes: int = 1) -> list[Node]:
    """For each per-example gradient (batch, ...) the sum of its squares an example, (batch,).

    ``axes`` of the gradients are the examples', the first ones.
    """
    return [contract([g, g], [range(g.ndim), range(g.ndim)], range(axes)) for g in per_example]


def weighted_sums(
    per_example: Sequence[Node], weights: Node | None = None, axes: int = 1
) -> list[Node]:
    """For each per-example gradient G the sum ``Σ_j w[j] G[j]``; weights None are ones.

    ``weights`` has shape (batch,) or ().  Backward is linear in the cotangent of the losses, so
    this is one last contraction a parameter: clipped gradients, importance-weighted ones and, with
    the weight 1/batch, the mean gradient share all else.  ``axes`` as in squared_norms.
    """
    if weights is None or weights.ndim == 0:
        sums = [contract([g], [range(g.ndim)], range(axes, g.ndim)) for g in per_example]
        return sums if weights is None else [weights * total for total in sums]
    return [
        contract([weights, g], [range(axes), range(g.ndim)], range(axes, g.ndim))
        for g in per_example
    ]


def per_example_sq_norms(
    losses: Node,
    parameters: Sequence[Node],
    size: str = EXAMPLES,
    names: Mapping[Node, str] | None = None,
) -> list[Node]:
    """For each parameter ``s[j]``, the squared norm of example j's own gradient: (batch,).

    An ordinary node: it can be differentiated again.  Errors as in per_example_gradients.
    """
    return squared_norms(per_example_gradients(losses, parameters, size, names))


def weighted_gradients(
    losses: Node,
    parameters: Sequence[Node],
    weights: Node | None = None,
    size: str = EXAMPLES,
    names: Mapping[Node, str] | None = None,
) -> list[Node]:
    """For each parameter the weighted sum of the per-example gradients, of its own shape.

    ``weights`` as in weighted_sums, errors as in per_example_gradients.
    """
    return weighted_sums(per_example_gradients(losses, parameters, size, names), weights)
