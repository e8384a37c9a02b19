"""Views, reshapes and indexing out of the way of the rules that look for something else.

Transposes and reshapes move outward past elementwise functions and past reductions over axes that
they leave whole, to where a contraction absorbs them or their opposite cancels them (PyTensor
PR#352, Theano#4086: stable forms must not depend on where the reshaping stands).
"""

from __future__ import annotations

from collections.abc import Sequence

from symdiff.expr.algebra import power_product
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild
from symdiff.expr.movement import cumsum, flip, reduction, reshape, slice_, take
from symdiff.expr.node import Node
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import Size
from symdiff.expr.views import (
    broadcast_to,
    expand_dims,
    expanded_axes,
    is_view,
    make_view,
    rewrap,
    squeeze,
    transpose,
)
from symdiff.simplify.parts import as_like, is_constant_along, product_of
from symdiff.simplify.rewrite import Context, Rule, rule
from symdiff.simplify.terms import matched_axes

_ELEMENTWISE = ("add", "mul", *(name for name, row in SCALARS.items() if row.arity > 1))
_ALONG = ("softmax", "log_softmax")
_AWAY = ("logsumexp", "max", "prod")


def _is_plain(view: Node) -> bool:
    """Whether a node is a view that reads no diagonal."""
    return is_view(view) and len(set(view.attr("indices")[0])) == len(view.attr("indices")[0])


@rule("exact", "take", housekeeping=True)
def index_axes_outward(node: Node, context: Context) -> Node | None:
    """x[i[:, None]] = x[i][:, None]"""
    (x, idx), batch = node.inputs, node.attr("batch")
    axes = tuple(sorted(a for a in expanded_axes(idx) if a >= batch))
    if not axes:
        return None
    return expand_dims(take(x, squeeze(idx, axes), batch), axes)


@rule("exact", "take", housekeeping=True)
def taken_from_repeated(node: Node, context: Context) -> Node | None:
    """x[:, None][:, i] = x, where x repeats itself along the axis picked from"""
    (x, idx), batch = node.inputs, node.attr("batch")
    if not _is_plain(x) or idx.ndim != batch:
        return None
    (names,), out = x.attr("indices"), x.attr("out")
    if out[batch] in names:
        return None
    return make_view(x.inputs[0], names, (*out[:batch], *out[batch + 1 :]), node.shape)


@rule("exact", "take", housekeeping=True)
def factor_out_of_take(node: Node, context: Context) -> Node | None:
    """(c[:, None] x)[:, i] = c x[:, i]"""
    (x, idx), batch = node.inputs, node.attr("batch")
    if x.op != "mul" or idx.ndim != batch:
        return None
    product = product_of(x)
    fixed = [f for f in product.factors if is_constant_along(f, (batch,), x.ndim)]
    rest = product.without(*fixed)
    whole = len(rest.factors) == 1 and set(rest.factors.values()) == {1.0}
    if not fixed or not rest.factors or (not whole and context.is_shared(x)):
        return None
    factors = [(take(as_like(rest.bare(x.dtype), x), idx, batch), 1.0)]
    for f in fixed:
        own = batch - (x.ndim - f.ndim)
        factors.append((squeeze(f, (own,)) if own >= 0 else f, product.factors[f]))
    return as_like(power_product(factors, product.coefficient), node)


@rule("exact", "slice", "flip", housekeeping=True)
def slice_of_view(node: Node, context: Context) -> Node | None:
    """a slice of xᵀ = (a slice of x)ᵀ, as for all views"""
    (view,) = node.inputs
    if not _is_plain(view):
        return None
    (names,), out, x = view.attr("indices"), view.attr("out"), view.inputs[0]
    places = [out.index(n) if n in out else None for n in names]
    if node.op == "flip":
        core = flip(x, [a for a, p in enumerate(places) if p in node.attr("axes")])
        return rewrap(view, core)
    ranges = [
        (0, x.shape[a], 1) if p is None else node.attr("ranges")[p] for a, p in enumerate(places)
    ]
    if any(node.shape[a] == 0 for a in range(node.ndim)):
        return None
    core = slice_(x, ranges)
    return make_view(core, names, out, node.shape)


@rule("exact", *_ALONG, *_AWAY, "cumsum", housekeeping=True)
def reduction_of_view(node: Node, context: Context) -> Node | None:
    """softmax(zᵀ) = softmax(z)ᵀ, as for all reductions and views"""
    (view,) = node.inputs
    if not _is_plain(view):
        return None
    (names,), out, core = view.attr("indices"), view.attr("out"), view.inputs[0]
    axes = (node.attr("axis"),) if node.op == "cumsum" else node.attr("axes")
    if any(out[a] not in names for a in axes):
        return None
    inner = tuple(sorted(names.index(out[a]) for a in axes))
    if node.op == "cumsum":
        return rewrap(view, cumsum(core, inner[0], node.attr("reverse")))
    if node.op in _ALONG:
        return rewrap(view, reduction(node.op, core, inner))
    kept = [n for a, n in enumerate(names) if a not in inner]
    left = [n for a, n in enumerate(out) if a not in axes]
    return make_view(reduction(node.op, core, inner), kept, left, node.shape)


@rule("exact", *_ALONG, *_AWAY, housekeeping=True)
def reduction_of_reshape(node: Node, context: Context) -> Node | None:
    """lse(reshape x) = lse(x), where whole groups of axes are reduced"""
    (moved,) = node.inputs
    if moved.op != "reshape":
        return None
    core, axes = moved.inputs[0], set(node.attr("axes"))
    inner: list[int] = []
    for before, after in matched_axes(core.shape, moved.shape):
        if axes & set(after):
            if not set(after) <= axes:
                return None
            inner += before
    result = reduction(node.op, core, sorted(inner))
    return reshape(result, node.shape)


@rule("exact", "contract", housekeeping=True, needs=("reshape",))
def sum_of_reshape(node: Node, context: Context) -> Node | None:
    """Σ reshape(a) reshape(b) = Σ a b, where whole groups of axes are summed"""
    if is_view(node):
        return None
    indices, out = node.attr("indices"), node.attr("out")
    for x, names in zip(node.inputs, indices, strict=True):
        if x.op != "reshape" or len(set(names)) < len(names):
            continue
        for before, after in matched_axes(x.inputs[0].shape, x.shape):
            if len(before) == len(after) == 1 or not before:
                continue
            group = tuple(names[a] for a in after)
            if set(group) & set(out):
                continue
            sizes = tuple(x.inputs[0].shape[a] for a in before)
            new = _ungrouped(node, group, sizes)
            if new is not None:
                return new
    return None


def _ungrouped(node: Node, group: tuple[int, ...], sizes: tuple[Size, ...]) -> Node | None:
    """The contraction over axes of the given sizes in place of a group of summed indices."""
    indices, out = list(node.attr("indices")), node.attr("out")
    fresh = 1 + max(n for own in (*indices, out) for n in own)
    names = tuple(fresh + i for i in range(len(sizes)))
    operands = list(node.inputs)
    for at, (x, own) in enumerate(zip(node.inputs, indices, strict=True)):
        if not set(group) & set(own):
            continue
        start = own.index(group[0]) if group and group[0] in own else 0
        stop = start + len(group)
        if x.op != "reshape" or own[start:stop] != group or len(set(own)) < len(own):
            return None
        shape = (*x.shape[:start], *sizes, *x.shape[stop:])
        groups = matched_axes(x.inputs[0].shape, x.shape)
        wanted = [b for b, a in groups if a == tuple(range(start, stop))]
        if not wanted or tuple(x.inputs[0].shape[b] for b in wanted[0]) != sizes:
            return None
        operands[at] = reshape(x.inputs[0], shape)
        indices[at] = (*own[:start], *names, *own[stop:])
    return as_like(contract(operands, indices, out, dict(node.attr("sizes"))), node)


def _order(x: Node, rank: int) -> list[int]:
    """The axes of an elementwise node along which an operand varies, in its core's order."""
    offset = rank - x.ndim
    if _is_plain(x):
        (names,), out = x.attr("indices"), x.attr("out")
        sizes = dict(zip(out, x.shape, strict=True))
        return [out.index(n) + offset for n in names if n in out and sizes[n] != 1]
    return [a + offset for a, size in enumerate(x.shape) if size != 1]


@rule("exact", *_ELEMENTWISE, housekeeping=True)
def transpose_outward(node: Node, context: Context) -> Node | None:
    """aᵀ bᵀ = (a b)ᵀ, as for all elementwise functions"""
    orders = [_order(x, node.ndim) for x in node.inputs]
    longest = max(orders, key=len, default=[])
    if len(longest) < 2 or longest == sorted(longest):
        return None
    place = {axis: i for i, axis in enumerate(longest)}
    for order in orders:
        if len(order) > 1 and not all(a in place for a in order):
            return None
        if [place[a] for a in order if a in place] != sorted(place[a] for a in order if a in place):
            return None
    moving = iter(longest)  # the axes that vary change places; the others stay
    back = [next(moving) if a in place else a for a in range(node.ndim)]
    inputs = [_permuted(x, back) for x in node.inputs]
    forth = [back.index(a) for a in range(node.ndim)]
    return as_like(transpose(broadcast_to(rebuild(node, inputs), tuple(
        node.shape[a] for a in back)), forth), node)  # fmt: skip


def _permuted(x: Node, order: Sequence[int]) -> Node:
    if x.ndim == 0:
        return x
    return transpose(expand_dims(x, range(len(order) - x.ndim)), order)


@rule("exact", *_ELEMENTWISE, housekeeping=True, needs=("reshape",))
def reshapes_outward(node: Node, context: Context) -> Node | None:
    """reshape(a) reshape(b) = reshape(a b), as for all elementwise functions"""
    arrays = [x for x in node.inputs if x.ndim]
    if len(arrays) < 2 or any(x.op != "reshape" or x.shape != node.shape for x in arrays):
        return None
    if len({x.inputs[0].shape for x in arrays}) > 1:
        return None
    inner = rebuild(node, [x.inputs[0] if x.ndim else x for x in node.inputs])
    return as_like(reshape(broadcast_to(inner, arrays[0].inputs[0].shape), node.shape), node)


RULES: tuple[Rule, ...] = (
    index_axes_outward,
    taken_from_repeated,
    factor_out_of_take,
    slice_of_view,
    reduction_of_view,
    reduction_of_reshape,
    sum_of_reshape,
    transpose_outward,
    reshapes_outward,
)
