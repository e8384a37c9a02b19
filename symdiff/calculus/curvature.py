"""Second derivatives and Jacobians: Hessian-vector products three ways, hessian, jacobian.

A Hessian-vector product is the gradient of ⟨∇f, v⟩ with v held fixed (Pearlmutter 1994, *Fast
Exact Multiplication by the Hessian*), which costs a few evaluations of f and never forms the
Hessian.  Differentiation being symbolic, either mode can be applied to the other's result; the
numbers are the same, the work is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

from symdiff.calculus.batching import vmap
from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import as_like, as_nodes, check_scalar, grad, gradients
from symdiff.expr.contraction import contract
from symdiff.expr.graph import depends_on, toposort
from symdiff.expr.movement import eye, stop_gradient
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape
from symdiff.expr.views import broadcast_to

Mode: TypeAlias = "Callable[[Node, Sequence[Node], Sequence[Node], Gradient], list[Node]]"
#: ∇f, made where it is needed.
Gradient: TypeAlias = Callable[[], Sequence[Node]]


def _reverse_over_reverse(
    y: Node, xs: Sequence[Node], vs: Sequence[Node], gradient: Gradient
) -> list[Node]:
    """∇⟨∇f, v⟩: cotangents are not differentiated, so that seeding ∇f with v holds v fixed."""
    return gradients(gradient(), xs, vs)


def _forward_over_reverse(
    y: Node, xs: Sequence[Node], vs: Sequence[Node], gradient: Gradient
) -> list[Node]:
    """The directional derivative of ∇f."""
    return jvp(gradient(), xs, vs)


def _reverse_over_forward(
    y: Node, xs: Sequence[Node], vs: Sequence[Node], gradient: Gradient
) -> list[Node]:
    """The gradient of the directional derivative, v held fixed."""
    moving = depends_on(toposort(vs), xs)
    fixed = [stop_gradient(v) if v in moving else v for v in vs]
    return gradients(jvp(y, xs, fixed), xs)


HVP_MODES: dict[str, Mode] = {
    "reverse-over-reverse": _reverse_over_reverse,
    "forward-over-reverse": _forward_over_reverse,
    "reverse-over-forward": _reverse_over_forward,
}


@overload
def hvp(
    y: Node,
    xs: Node,
    vs: Any,
    mode: str = "reverse-over-reverse",
    *,
    gradient: Sequence[Node] | None = None,
) -> Node: ...
@overload
def hvp(
    y: Node,
    xs: Sequence[Node],
    vs: Any,
    mode: str = "reverse-over-reverse",
    *,
    gradient: Sequence[Node] | None = None,
) -> list[Node]: ...
def hvp(
    y: Node,
    xs: Node | Sequence[Node],
    vs: Any,
    mode: str = "reverse-over-reverse",
    *,
    gradient: Sequence[Node] | None = None,
) -> Node | list[Node]:
    """The Hessian of a scalar times a vector: ∇⟨∇y, v⟩, with v held fixed even if it depends on xs.

    ``vs`` gives a node, number or array of x's shape for each x; the result has the structure of
    ``xs``.  ``mode`` is one of HVP_MODES: all give the same numbers from different graphs.
    ``gradient`` is that of y by the xs, where it is there already.
    Raises ShapeError if y is not of shape () or a v does not fit its x.
    """
    if mode not in HVP_MODES:
        raise ValueError(f"hvp: mode {mode!r} is not one of {', '.join(HVP_MODES)}")
    check_scalar("hvp", y)
    variables = as_nodes(xs, "xs")
    given = [vs] if isinstance(xs, Node) and not isinstance(vs, (list, tuple)) else list(vs)
    if len(given) != len(variables):
        raise ValueError(f"hvp: {len(given)} vs for {len(variables)} xs")
    pairs = zip(given, variables, strict=True)
    fixed = [as_like(v, x, "hvp: a v") for v, x in pairs]
    result = HVP_MODES[mode](
        y, variables, fixed, lambda: gradients(y, variables) if gradient is None else gradient
    )
    return result[0] if isinstance(xs, Node) else result


def hessian(y: Node, x: Node) -> Node:
    """The second derivatives of a scalar, of x's shape twice: the Jacobian of its gradient.

    Raises ShapeError if y is not of shape ().
    """
    check_scalar("hessian", y)
    return jacobian(grad(y, x), x)


def jacobian(y: Node, x: Node, *, wholes: bool = True) -> Node:
    """All derivatives of y by x: the value's shape followed by the variable's.

    ``wholes`` as in gradients.

    One reverse sweep with a cotangent that is a leaf, batched over an identity a y axis: entry
    (i, j, …) of the new axes holds the sweep of the unit cotangent at (i, j, …).
    """
    u = _seed(y.shape, y)
    rows = gradients(y, x, u, wholes=wholes)[0]
    for axis in reversed(range(y.ndim)):
        wider = _seed((*y.shape[axis:], *y.shape), y) if axis else _identity(y.shape, y.dtype)
        (rows,) = vmap([rows], {u: wider})
        u = wider
    return rows if y.ndim else gradients(y, x, wholes=wholes)[0]


def _seed(shape: Shape, y: Node) -> Node:
    # The name cannot be a user's: theirs are identifiers.
    return Node.make("input", name="a seed", shape=shape, dtype=y.dtype, declared=())


def _identity(shape: Shape, dtype: str) -> Node:
    """δ over pairs of axes, of the shape twice: a product of identity matrices."""
    rank = len(shape)
    pairs = [(axis, rank + axis) for axis in range(rank)]
    whole = contract([eye(n, dtype) for n in shape], pairs, range(2 * rank))
    return broadcast_to(whole, (*shape, *shape))
