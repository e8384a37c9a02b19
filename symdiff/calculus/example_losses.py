"""Which losses the examples have, where an example is a place along one axis or several.

The loss of a spec is a vector over its first axis, often with sums over others in it: over time,
over the rows of a user.  Taking such an axis among the examples' moves its index from the summed
ones to the free ones: ``ℓ[j] = c Σ_t m[j,t]`` has the terms ``c m[j,t]`` as losses of the examples
(j, t), and their gradients are those of token-level norms.  Leaving an axis out adds up over it:
``ℓ[user] = Σ_row m[user,row]`` has user-level norms.
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.contraction import contract
from symdiff.expr.movement import reshape, split_scale
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, Size
from symdiff.expr.views import expand_dims, is_view


def example_losses(losses: Node, axes: Sequence[str]) -> tuple[Node, Node]:
    """(scale, terms): the loss of each place along the axes is the 0-d scale times its term.

    ``losses`` has the first of the axes in front; the sum over all places is its own.  Raises
    ShapeError where it is not a sum over one of the axes that it does not have.
    """
    if losses.shape[:1] != tuple(axes[:1]):
        raise ShapeError(f"example axis: {with_shape(losses)} does not have {axes[0]!r} in front")
    number, factors, rest = split_scale(losses)
    if set(axes) <= set(losses.shape):
        number, factors, rest = 1.0, [], losses
    scale = power_product(factors, number, losses.dtype)
    for axis in axes:
        if axis not in rest.shape:
            found = _moved(rest, axis)
            if found is None:
                raise ShapeError(
                    f"example axis: the loss is not a sum over {axis!r} of terms that can be told "
                    "apart"
                )
            rest = found
    order = [rest.shape.index(axis) for axis in axes]
    if len(set(order)) < len(axes):
        raise ShapeError(f"example axis: {', '.join(axes)} are not different axes")
    return scale, contract([rest], [range(rest.ndim)], order)


def _moved(node: Node, axis: Size) -> Node | None:
    """What a node sums over an axis of that size, with the axis at the end."""
    if node.op == "contract" and not is_view(node):
        sizes = dict(node.attr("sizes"))
        for x, names in zip(node.inputs, node.attr("indices"), strict=True):
            sizes.update(zip(names, x.shape, strict=True))
        out = node.attr("out")
        summed = [n for n, size in sizes.items() if size == axis and n not in out]
        if len(summed) == 1:
            return contract(list(node.inputs), node.attr("indices"), (*out, *summed))
        return None
    if node.op == "reshape":
        moved = _moved(node.inputs[0], axis)
        return None if moved is None else reshape(moved, (*node.shape, axis))
    if node.op == "add" and not node.attr("constant"):
        terms = [(_term(x, node, axis), c) for x, c in _pairs(node, "coefficients")]
        found = [(term, c) for term, c in terms if term is not None]
        return linear_combination(found) if len(found) == len(terms) else None
    if node.op == "mul":
        factors = _pairs(node, "exponents")
        for place, (x, e) in enumerate(factors):
            moved = _term(x, node, axis) if e == 1 else None
            if moved is not None:
                others = factors[:place] + factors[place + 1 :]
                wide = [(expand_dims(y, (y.ndim,)) if y.ndim else y, f) for y, f in others]
                return power_product([(moved, 1.0), *wide], node.attr("coefficient"))
    return None


def _pairs(node: Node, numbers: str) -> list[tuple[Node, float]]:
    return list(zip(node.inputs, node.attr(numbers), strict=True))


def _term(x: Node, node: Node, axis: Size) -> Node | None:
    """An operand that has all of the node's axes, with another."""
    return _moved(x, axis) if x.shape == node.shape else None
