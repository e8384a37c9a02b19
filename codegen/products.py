"""Contractions as the one matrix product that BLAS has for each, on merged axes; sums likewise."""

from __future__ import annotations

from codegen import views
from codegen.expansion import Expansion
from codegen.program import VIEWS, Step
from symdiff.expr.shapes import shape_size


def matmul(work: Expansion, step: Step, args: list[int]) -> int:
    left, right = args
    a, b = work.step(left), work.step(right)
    whole = _of_one_column(work, left, right)
    if whole is not None:
        return whole
    if len(a.shape) <= 2 and len(b.shape) <= 2:
        return work.call("dot", args, step.shape, step.dtype)
    if len(b.shape) == 2 and a.action not in VIEWS:
        return views.reshape(work.builder, _merged_rows(work, left, right), step.shape)
    if len(a.shape) > 1 and len(b.shape) > 1:
        return work.call("matmul", args, step.shape, step.dtype)
    return work.same(step, args)


def _of_one_column(work: Expansion, left: int, right: int) -> int | None:
    """A product with a vector that is the one column of a matrix as that with the matrix."""
    a, b = work.step(left), work.step(right)
    if len(a.shape) == 2 and (column := _column(work, b)) is not None:
        factors, rows = [left, column], a.shape[0]
    elif len(b.shape) == 2 and (column := _column(work, a)) is not None:
        factors, rows = [views.transpose(work.builder, right, (1, 0)), column], b.shape[1]
    else:
        return None
    product = work.call("dot", factors, (rows, 1), a.dtype)
    return views.index(work.builder, product, [views.KEEP, views.DROP])


def _column(work: Expansion, step: Step) -> int | None:
    """The matrix of which a vector is the one column."""
    if step.action == "index" and step.detail("items") == (views.KEEP, views.DROP):
        return step.args[0]
    return None


def _merged_rows(work: Expansion, left: int, right: int) -> int:
    """One product for all leading axes of the left operand."""
    a, b = work.step(left), work.step(right)
    rows = shape_size(a.shape[:-1])
    flat = views.reshape(work.builder, left, (rows, a.shape[-1]))
    return work.call("dot", [flat, right], (rows, b.shape[1]), a.dtype)


def tensordot(work: Expansion, step: Step, args: list[int]) -> int:
    """On merged axes, a matrix product; those that are summed stand first on both sides or last."""
    (first, second), builder = step.detail("axes"), work.builder
    flat = []
    for register, axes, summed_last in ((args[0], first, True), (args[1], second, False)):
        shape = work.step(register).shape
        free = tuple(axis for axis in range(len(shape)) if axis not in axes)
        summed = shape_size(shape[axis] for axis in axes)
        rest = shape_size(shape[axis] for axis in free)
        if tuple(axes) == tuple(range(len(axes))):
            register = views.reshape(builder, register, (summed, rest))
            register = views.transpose(builder, register, (1, 0)) if summed_last else register
        else:
            order = (*free, *axes) if summed_last else (*axes, *free)
            register = views.transpose(builder, register, order)
            merged = (rest, summed) if summed_last else (summed, rest)
            register = views.reshape(builder, register, merged)
        flat.append(register)
    shape = (work.step(flat[0]).shape[0], work.step(flat[1]).shape[1])
    product = work.call("dot", flat, shape, step.dtype)
    return views.reshape(builder, product, step.shape)


def vecdot(work: Expansion, step: Step, args: list[int]) -> int:
    axis: int = step.detail("axis")
    details: dict[str, object] = {} if axis == -1 else {"axes": (axis,)}
    return work.call("vecdot", args, step.shape, step.dtype, **details)


def total(work: Expansion, step: Step, args: list[int]) -> int:
    """Sums over all leading, or all trailing, axes are products with ones: BLAS adds faster."""
    if not step.shape:
        return _whole_sum(work, step, args)
    source, axes = work.step(args[0]), tuple(step.detail("axes"))
    rank = len(source.shape)
    kept = tuple(s for axis, s in enumerate(source.shape) if axis not in axes)
    plain = source.dtype.startswith("float") and source.action not in VIEWS
    leading, trailing = axes == tuple(range(len(axes))), axes == tuple(range(len(kept), rank))
    if plain and len(kept) and (leading or (trailing and len(axes) == 1)):
        summed, rest = shape_size(source.shape[a] for a in axes), shape_size(kept)
        ones = work.constant("ones", (summed,), step.dtype)
        if leading:
            flat = views.reshape(work.builder, args[0], (summed, rest))
            total = work.call("dot", [ones, flat], (rest,), step.dtype, hint="total")
        else:
            flat = views.reshape(work.builder, args[0], (rest, summed))
            total = work.call("dot", [flat, ones], (rest,), step.dtype, hint="total")
        return views.reshape(work.builder, total, step.shape)
    keep: dict[str, object] = {"keepdims": True} if dict(step.details).get("keepdims") else {}
    return work.call("sum", args, step.shape, step.dtype, axes=axes, **keep)


def _whole_sum(work: Expansion, step: Step, args: list[int]) -> int:
    """A sum over all axes; that of a product is a dot product, though the product is there."""
    steps = work.program.steps
    source = steps[step.args[0]]
    while source.action == "index":
        source = steps[source.args[0]]
    if source.action == "mul" and source.dtype == step.dtype and source.detail("coefficient") == 1:
        pairs = zip(source.args, source.detail("exponents"), strict=True)
        factors = [a for a, e in pairs for _ in range(int(e) if e in (1, 2) else 3)]
        alike = all((steps[a].shape, steps[a].dtype) == (source.shape, step.dtype) for a in factors)
        if len(factors) == 2 and alike:
            registers = [work.place[a] for a in factors]
            return work.builder.emit("vdot", registers, shape=(), dtype=step.dtype)
    return work.same(step, args)
