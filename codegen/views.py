"""Steps that move axes about: the one place that makes transposes, indexing and reshapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codegen.program import Builder
from symdiff.expr.shapes import Shape, Size

#: What :func:`index` does with the axes, in order: keep one, insert one of size 1, drop one.
KEEP, NEW, DROP = "keep", "new", "drop"


def transpose(builder: Builder, register: int, order: Sequence[int]) -> int:
    """The axes in the given order."""
    step = builder.steps[register]
    if tuple(order) == tuple(range(len(order))):
        return register
    if step.action == "transpose":
        inner = step.detail("order")
        return transpose(builder, step.args[0], [inner[axis] for axis in order])
    shape = tuple(step.shape[axis] for axis in order)
    return builder.emit("transpose", [register], shape=shape, dtype=step.dtype, order=tuple(order))


def index(builder: Builder, register: int, items: Sequence[str]) -> int:
    """Axes of size 1 dropped and inserted."""
    if all(item == KEEP for item in items):
        return register
    step = builder.steps[register]
    shape: list[Size] = []
    sizes = iter(step.shape)
    for item in items:
        size = 1 if item == NEW else next(sizes)
        if item != DROP:
            shape.append(size)
    if step.action == "slice" and NEW not in items:  # a[:, 3] rather than a[:, 3:4][:, 0]
        kept = iter(items)
        ranges = tuple((*part[:3], part[3] or next(kept) == DROP) for part in step.detail("ranges"))
        return builder.emit("slice", step.args, shape=tuple(shape), dtype=step.dtype, ranges=ranges)
    return builder.emit(
        "index", [register], shape=tuple(shape), dtype=step.dtype, items=tuple(items)
    )


def reshape(builder: Builder, register: int, shape: Shape) -> int:
    """The elements in another shape; inserting and dropping axes of size 1 is indexing."""
    step = builder.steps[register]
    if step.shape == shape:
        return register
    if step.weak:
        register = builder.strong(register)
    items = _size_one_changes(step.shape, shape)
    if items is not None:
        return index(builder, register, items)
    if step.action == "reshape":
        return reshape(builder, step.args[0], shape)
    return builder.emit("reshape", [register], shape=shape, dtype=step.dtype)


def _size_one_changes(have: Shape, want: Shape) -> list[str] | None:
    """How to come from one shape to the other by axes of size 1 alone; None if that cannot be."""
    if [s for s in have if s != 1] != [s for s in want if s != 1]:
        return None
    items: list[str] = []
    old, new = list(have), list(want)
    while old or new:
        if old and new and old[0] == new[0]:
            items.append(KEEP)
            del old[0], new[0]
        elif old and old[0] == 1:
            items.append(DROP)
            del old[0]
        else:
            items.append(NEW)
            del new[0]
    return items


def sum_axes(builder: Builder, register: int, axes: Sequence[int]) -> int:
    """The sum over axes; those of size 1 are dropped."""
    step = builder.steps[register]
    ones = {axis for axis in axes if step.shape[axis] == 1}
    rest = [axis for axis in axes if axis not in ones]
    if ones:
        items = [DROP if axis in ones else KEEP for axis in range(len(step.shape))]
        register = index(builder, register, items)
        rest = [axis - sum(one < axis for one in ones) for axis in rest]
        step = builder.steps[register]
    if not rest:
        return register
    shape = tuple(s for axis, s in enumerate(step.shape) if axis not in rest)
    return builder.emit("sum", [register], shape=shape, dtype=step.dtype, axes=tuple(rest))


def broadcast(builder: Builder, register: int, shape: Shape) -> int:
    """The value repeated to a shape; a 0-d value is filled in, in memory of its own."""
    step = builder.steps[register]
    if step.shape == shape:
        return register
    if not step.shape and set(shape) == {1}:
        return index(builder, builder.strong(register), [NEW] * len(shape))
    if not step.shape:
        return builder.emit("full", [register], shape=shape, dtype=step.dtype)
    return builder.emit("broadcast", [register], shape=shape, dtype=step.dtype)


def arrange(
    builder: Builder,
    register: int,
    have: Sequence[int],
    want: Sequence[int],
    sizes: Mapping[int, Size],
) -> int:
    """A register with axes ``have`` as one with axes ``want``.

    Axes that are not wanted have size 1 and are dropped; axes that are not there are broadcast to
    their size in ``sizes``.
    """
    if tuple(have) == tuple(want):
        return register
    shape_of = dict(zip(have, builder.steps[register].shape, strict=True))
    shape = tuple(shape_of.get(i, sizes.get(i, 1)) for i in want)
    if not any(i in want for i in have) and shape and not builder.steps[register].shape:
        return broadcast(builder, register, shape)
    register = sum_axes(builder, register, [a for a, i in enumerate(have) if i not in want])
    kept = [i for i in have if i in want]
    order = [i for i in want if i in shape_of]
    register = transpose(builder, register, [kept.index(i) for i in order])
    new = [i not in shape_of for i in want]
    # Leading axes need no insertion where a broadcast follows: NumPy puts them there itself.
    wide = any(is_new and size != 1 for is_new, size in zip(new, shape, strict=True))
    lead = new.index(False) if wide and False in new else 0
    register = index(builder, register, [NEW if is_new else KEEP for is_new in new[lead:]])
    return broadcast(builder, register, shape) if wide else register


def window_axes(builder: Builder, register: int) -> list[int]:
    """The windows' own axes, where the register is a transpose or the like of windows."""
    step = builder.steps[register]
    if step.action == "window":
        return list(range(len(step.shape) - len(step.detail("axes")), len(step.shape)))
    if step.action not in ("transpose", "index"):
        return []
    inner = window_axes(builder, step.args[0])
    if step.action == "transpose":
        return [to for to, axis in enumerate(step.detail("order")) if axis in inner]
    kept: list[int | None] = []
    axis = 0
    for item in step.detail("items"):
        if item != DROP:
            kept.append(None if item == NEW else axis)
        axis += item != NEW
    return [to for to, source in enumerate(kept) if source in inner]
