"""Steps that move axes about: the one place that makes transposes, indexing and reshapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from codegen.builder import Builder
from codegen.program import LEAVES, Step
from symdiff.expr.shapes import Shape, Size, shape_size

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
    if is_turned(builder, register) and DROP not in items:
        return _index_turned(builder, step, items)
    shape: list[Size] = []
    sizes = iter(step.shape)
    for item in items:
        size = 1 if item == NEW else next(sizes)
        if item != DROP:
            shape.append(size)
    if step.action == "index":  # a[:, 0][:, None] is a
        source = builder.steps[step.args[0]]
        whole = _size_one_changes(source.shape, tuple(shape))
        assert whole is not None
        return index(builder, source.dest, whole)
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
    parts = _parts(step.shape, shape) if is_turned(builder, register) else None
    if parts is not None:
        return _split_turned(builder, step, parts)
    whole = _parts(shape, step.shape) if is_turned(builder, register) else None
    if whole is not None and _lie_together(step.detail("order"), whole):
        return _merged_turned(builder, step, shape, whole)
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
    if rest and not ones and is_turned(builder, register):
        return reduced(builder, "sum", step, rest)
    if ones:
        items = [DROP if axis in ones else KEEP for axis in range(len(step.shape))]
        register = index(builder, register, items)
        rest = [axis - sum(one < axis for one in ones) for axis in rest]
        step = builder.steps[register]
    if not rest:
        return register
    shape = tuple(s for axis, s in enumerate(step.shape) if axis not in rest)
    return builder.emit("sum", [register], shape=shape, dtype=step.dtype, axes=tuple(rest))


def reduced(builder: Builder, action: str, step: Step, axes: Sequence[int]) -> int:
    """A reduction of a transpose, made of the array as it lies in memory."""
    order = step.detail("order")
    source = builder.steps[step.args[0]]
    gone = sorted(order[axis] for axis in axes)
    kept = [axis for axis in range(len(order)) if axis not in gone]
    shape = tuple(source.shape[axis] for axis in kept)
    made = builder.emit(action, [source.dest], shape=shape, dtype=step.dtype, axes=tuple(gone))
    rest = [order[axis] for axis in range(len(order)) if axis not in axes]
    return transpose(builder, made, [kept.index(axis) for axis in rest])


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


# Arrays whose axes stand in another order than in memory: a transpose comes last, so that what is
# done to an array an element at a time, or along its axes, is done as it lies.


def is_turned(builder: Builder, register: int) -> bool:
    """Whether the register is a transpose of three axes or more of an array that was computed."""
    step = builder.steps[register]
    if step.action != "transpose" or len(step.shape) < 3 or builder.short:
        return False
    return builder.steps[builder.base(register)].action not in LEAVES


def _index_turned(builder: Builder, step: Step, items: Sequence[str]) -> int:
    """New axes of a transpose: each beside the axis, in memory, that it stands behind."""
    order = step.detail("order")
    behind: dict[int, list[int]] = {}
    axis, last = 0, -1
    for to, item in enumerate(items):
        if item == KEEP:
            last, axis = order[axis], axis + 1
            behind.setdefault(last, []).insert(0, to)
        else:
            behind.setdefault(last, []).append(to)
    inner = [to for place in range(-1, len(order)) for to in behind.get(place, [])]
    made = index(builder, step.args[0], [items[to] for to in inner])
    return transpose(builder, made, [inner.index(to) for to in range(len(items))])


def _parts(have: Shape, want: Shape) -> list[Shape] | None:
    """The axes that each axis is split into, where nothing else happens; None otherwise."""
    parts: list[Shape] = []
    rest = list(want)
    for size in have:
        own: list[Size] = []
        while rest and (not own or shape_size(own) != size):
            own.append(rest.pop(0))
        parts.append(tuple(own))
        if not own or shape_size(own) != size:
            return None
    return None if rest else parts


def _split_turned(builder: Builder, step: Step, parts: Sequence[Shape]) -> int:
    """A transpose with its axes split."""
    order = step.detail("order")
    inner = sorted(range(len(parts)), key=lambda axis: order[axis])
    starts: dict[int, int] = {}
    shape: list[Size] = []
    for axis in inner:
        starts[axis] = len(shape)
        shape += parts[axis]
    made = reshape(builder, step.args[0], tuple(shape))
    places = [starts[axis] + i for axis, part in enumerate(parts) for i in range(len(part))]
    return transpose(builder, made, places)


def _lie_together(order: Sequence[int], parts: Sequence[Shape]) -> bool:
    """Whether the axes of each part follow each other in memory too."""
    start = 0
    for part in parts:
        places = order[start : start + len(part)]
        if list(places) != list(range(places[0], places[0] + len(part))):
            return False
        start += len(part)
    return True


def _merged_turned(builder: Builder, step: Step, shape: Shape, parts: Sequence[Shape]) -> int:
    """A transpose with axes that lie together merged."""
    order = step.detail("order")
    firsts = [0, *accumulate(len(part) for part in parts)]
    starts = [order[first] for first in firsts[:-1]]
    inner = sorted(range(len(parts)), key=lambda axis: starts[axis])
    made = reshape(builder, step.args[0], tuple(shape[axis] for axis in inner))
    return transpose(builder, made, [inner.index(axis) for axis in range(len(parts))])


def window_places(builder: Builder, register: int) -> list[int]:
    """Where each axis of windows, or of a transpose of them, stands in memory, in order."""
    step = builder.steps[register]
    if step.action == "window":
        axes = step.detail("axes")
        return [*range(len(step.shape) - len(axes)), *axes]
    inner = window_places(builder, step.args[0])
    if step.action == "transpose":
        return [inner[axis] for axis in step.detail("order")]
    places: list[int] = []
    kept = iter(inner)
    for item in step.detail("items"):
        place = -1 if item == NEW else next(kept)
        places += [place] if item != DROP else []
    return places


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
