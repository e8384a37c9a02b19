"""Contractions of two operands as matrix products, dot products, sums and views.

A contraction of two operands is brought to the form of a (batched) matrix product: indices that
one operand alone has and the result does not are summed first; of the rest each is *batch* (in
both operands and the result), *summed* (in both, not in the result) or *free* (in one).  Whatever
order the axes stand in, ``transpose`` and ``reshape`` make them fit, and no case is special but in
how it reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from codegen import views
from codegen.builder import Builder
from codegen.program import Step
from symdiff.expr.records import record
from symdiff.expr.shapes import Shape, Size, shape_size, size_names, size_value

Indices = tuple[int, ...]

#: So many places of windows are added up one after the other.
FEW = 32

#: What an unknown size counts as where the order of pairs is chosen.
TYPICAL_SIZE = 64


@record(frozen=True, slots=True)
class Operand:
    """A register whose axes carry indices, none twice."""

    register: int
    indices: Indices


class Pairs:
    """Products of two operands, with the sizes of the indices at hand."""

    def __init__(
        self, builder: Builder, sizes: Mapping[int, Size], along: Collection[int] = ()
    ) -> None:
        """``along``: where the result is windows to be added up, the axes that they lie along."""
        self.builder = builder
        self.sizes = sizes
        self.along = along

    def reduced(self, operand: Operand, kept: Collection[int]) -> Operand:
        """The operand summed over the indices that are not kept."""
        gone = [axis for axis, i in enumerate(operand.indices) if i not in kept]
        if not gone:
            return operand
        register = views.sum_axes(self.builder, operand.register, gone)
        return Operand(register, tuple(i for i in operand.indices if i in kept))

    def shaped(self, operand: Operand, order: Sequence[int]) -> int:
        """The operand's register with its axes in this order; missing ones get size 1."""
        return views.arrange(
            self.builder, operand.register, operand.indices, tuple(order), dict.fromkeys(order, 1)
        )

    def merged(self, operand: Operand, groups: Sequence[Sequence[int]]) -> int:
        """The operand's register with an axis for each group of indices."""
        shape = tuple(shape_size(self.sizes[i] for i in group) for group in groups)
        own = self.overlapping(operand)
        if own:
            return self.columns(operand, groups, shape, own)
        # Axes that stand together as they should are merged where they are, which copies nothing.
        present = [group for group in groups if group]
        order = sorted(present, key=lambda group: operand.indices.index(group[0]))
        if len(present) == len(groups) and [*operand.indices] == [i for g in order for i in g]:
            sizes = tuple(shape_size(self.sizes[i] for i in group) for group in order)
            register = views.reshape(self.builder, operand.register, sizes)
            return views.transpose(self.builder, register, [order.index(group) for group in groups])
        register = self.shaped(operand, [i for group in groups for i in group])
        return views.reshape(self.builder, register, shape)

    def on_the_left(self, operand: Operand, free: Indices, target: Sequence[int]) -> bool:
        """Whether the operand is the first factor; ``free`` are those of the target it has."""
        if self.along:
            return target[-1] in free
        own = self.overlapping(operand)
        if own & {*free} and self.places_first(operand):
            return True
        return target[0] in free

    def places_first(self, operand: Operand) -> bool:
        """Whether windows are copied faster a place of the window after the other.

        Then there is more to copy in one piece along the array than along the window.
        """
        own = self.overlapping(operand)
        places = views.window_places(self.builder, operand.register)
        last = [i for i, p in zip(operand.indices, places, strict=True) if p == max(places)]
        if not own & {*last}:
            return False
        sizes = {i: self.sizes[i] for i in last}
        lengths = {
            i: size_value(n, dict.fromkeys(size_names(n), TYPICAL_SIZE)) for i, n in sizes.items()
        }
        return max((lengths[i] for i in last if i not in own), default=0) > max(
            lengths[i] for i in last if i in own
        )

    def as_they_lie(self, group: Indices, *operands: Operand) -> Indices:
        """A group with windows' own axes in the order in which the windows lie in memory."""
        if self.along:
            return tuple(sorted(group, key=lambda i: i not in self.along))
        for operand in operands:
            if self.overlapping(operand) & {*group}:
                places = views.window_places(self.builder, operand.register)
                place = dict(zip(operand.indices, places, strict=True))
                return tuple(sorted(group, key=lambda i: place[i]))
        return group

    def overlapping(self, operand: Operand) -> set[int]:
        """The indices of the windows' own axes, where the operand is a view of windows."""
        axes = views.window_axes(self.builder, operand.register)
        return {operand.indices[axis] for axis in axes}

    def columns(
        self, operand: Operand, groups: Sequence[Sequence[int]], shape: Shape, own: set[int]
    ) -> int:
        """Windows as the rows of a matrix, which all products that read them share.

        BLAS reads no array that overlaps itself, so that they are copied (im2col); the group that
        has the windows' own axes makes the columns whichever way round a product takes them.
        """
        whole = max(place for place, group in enumerate(groups) if own & {*group})
        rest = [place for place in range(len(groups)) if place != whole]
        first = self.places_first(operand)
        order = [whole, *rest] if first else [*rest, whole]
        register = self.shaped(operand, [i for place in order for i in groups[place]])
        step = self.builder.steps[register]
        sizes = shape_size(shape[place] for place in rest), shape[whole]
        matrix = self.builder.emit(
            "columns", [register], shape=sizes[::-1] if first else sizes, dtype=step.dtype
        )
        apart = views.reshape(self.builder, matrix, tuple(shape[place] for place in order))
        return views.transpose(
            self.builder, apart, [order.index(place) for place in range(len(groups))]
        )

    def pair(self, a: Operand, b: Operand, target: Indices) -> Operand:
        """The product of two operands, summed over what is not in ``target``."""
        a = self.reduced(a, {*target, *b.indices})
        b = self.reduced(b, {*target, *a.indices})
        summed = tuple(i for i in a.indices if i in b.indices and i not in target)
        batch = tuple(i for i in target if i in a.indices and i in b.indices)
        a_free = tuple(i for i in target if i in a.indices and i not in b.indices)
        b_free = tuple(i for i in target if i in b.indices and i not in a.indices)
        summed, a_free, b_free = (self.as_they_lie(i, a, b) for i in (summed, a_free, b_free))
        if not summed:
            return self.product(a, b, target)
        if not a_free and not b_free:
            return self.inner(a, b, batch, summed)
        free = [i for i in target if i not in batch]
        # The operand whose free index comes first stands on the left.
        if self.on_the_left(b, b_free, free) and not self.on_the_left(a, a_free, free):
            a, b, a_free, b_free = b, a, b_free, a_free
        if batch or self.along or self.overlapping(a) or self.overlapping(b):
            return self.batched(a, b, (batch, a_free, summed, b_free))
        if len(summed) == 1 and len(b_free) <= 1:
            return self.matrix(a, b, a_free, summed[0], b_free)
        return self.tensor(a, b, a_free, summed, b_free)

    def dtype(self, *registers: int) -> str:
        return self.builder.steps[registers[0]].dtype

    def emit(self, action: str, args: Sequence[int], indices: Indices, **details: Any) -> Operand:
        shape = tuple(self.sizes[i] for i in indices)
        register = self.builder.emit(action, args, shape=shape, dtype=self.dtype(*args), **details)
        return Operand(register, indices)

    def product(self, a: Operand, b: Operand, target: Indices) -> Operand:
        """Nothing is summed: axes are lined up and multiplied."""
        if len(a.indices) == len(b.indices) == 1 and a.indices != b.indices:
            first, second = (a, b) if target[0] == a.indices[0] else (b, a)
            return self.emit("outer", [first.register, second.register], target)
        args = []
        for operand in (a, b):
            lead = next((k for k, i in enumerate(target) if i in operand.indices), len(target))
            args.append(self.shaped(operand, target[lead:]))
        return self.emit("mul", args, target, exponents=(1.0, 1.0), coefficient=1.0)

    def inner(self, a: Operand, b: Operand, batch: Indices, summed: Indices) -> Operand:
        """Everything summed, or everything but batch indices: dot products."""
        if not batch:
            args = [a.register, self.shaped(b, a.indices)]
            first, second = (self.whole(arg) for arg in args)
            if first is not None and second is not None and first.shape == second.shape:
                return self.emit("vdot", [first.dest, second.dest], ())
            return self.emit("matmul" if len(summed) == 1 else "vdot", args, ())
        if (scattered := self.place_by_place(a, b, summed)) is not None:
            return scattered
        if len(summed) == 1 and a.indices == b.indices:
            axis = a.indices.index(summed[0])
            kept = tuple(i for i in a.indices if i not in summed)
            axis = -1 if axis == len(kept) else axis
            return self.emit("vecdot", [a.register, b.register], kept, axis=axis)
        groups = [*((i,) for i in batch), summed]
        args = [self.merged(a, groups), self.merged(b, groups)]
        return self.emit("vecdot", args, batch, axis=-1)

    def place_by_place(self, a: Operand, b: Operand, summed: Indices) -> Operand | None:
        """Products of windows that lie alike, summed over a few places that do not lie together.

        To bring the places together, for a dot product, would copy both arrays.
        """
        first, second = self.as_it_lies(a), self.as_it_lies(b)
        places = [first.indices.index(i) for i in summed]
        together = places == [*range(places[0], places[0] + len(places))]
        few = shape_size(self.sizes[i] for i in summed)
        if first.indices != second.indices or together or not isinstance(few, int) or few > FEW:
            return None
        registers = [first.register, second.register]
        product = self.emit("mul", registers, first.indices, exponents=(1.0, 1.0), coefficient=1.0)
        return self.reduced(product, {*first.indices} - {*summed})

    def as_it_lies(self, operand: Operand) -> Operand:
        """The array that an operand is a transpose of, if it is computed, with its indices."""
        if not views.is_turned(self.builder, operand.register):
            return operand
        step = self.builder.steps[operand.register]
        order = step.detail("order")
        indices = tuple(operand.indices[order.index(axis)] for axis in range(len(order)))
        return Operand(step.args[0], indices)

    def whole(self, register: int) -> Step | None:
        """The matrix that a vector is the one column of, or the one row."""
        step = self.builder.steps[register]
        if step.action != "index":
            return None
        source = self.builder.steps[step.args[0]]
        return source if source.size == step.size else None

    def matrix(
        self, a: Operand, b: Operand, a_free: Indices, summed: int, b_free: Indices
    ) -> Operand:
        """A plain matrix product: rows of the left, columns of the right."""
        if not b_free and a.indices == (summed, *a_free):
            columns = self.merged(a, [(summed,), a_free])
            shape = (shape_size(self.sizes[i] for i in a_free),)
            args = [b.register, columns]
            register = self.builder.emit("matmul", args, shape=shape, dtype=self.dtype(*args))
            whole = tuple(self.sizes[i] for i in a_free)
            return Operand(views.reshape(self.builder, register, whole), a_free)
        left = self.shaped(a, (*a_free, summed))
        right = self.shaped(b, (summed, *b_free))
        return self.emit("matmul", [left, right], a_free + b_free)

    def tensor(
        self, a: Operand, b: Operand, a_free: Indices, summed: Indices, b_free: Indices
    ) -> Operand:
        """Several indices summed, or several free on the right."""
        own = tuple(i for i in a.indices if i in a_free)
        other = tuple(i for i in b.indices if i in b_free)
        return self.emit(
            "tensordot",
            [a.register, b.register],
            own + other,
            axes=(
                tuple(a.indices.index(i) for i in summed),
                tuple(b.indices.index(i) for i in summed),
            ),
        )

    def batched(
        self, a: Operand, b: Operand, groups: tuple[Indices, Indices, Indices, Indices]
    ) -> Operand:
        """A stack of matrix products; index groups become one axis each, and are split after.

        Without a batch index it is one product.
        """
        batch, a_free, summed, b_free = groups
        stack = [(i,) for i in batch]
        left = self.merged(a, [*stack, a_free, summed])
        right = self.merged(b, [*stack, summed, b_free])
        rows, columns = (shape_size(self.sizes[i] for i in free) for free in (a_free, b_free))
        shape = (*(self.sizes[i] for i in batch), rows, columns)
        register = self.builder.emit("matmul", [left, right], shape=shape, dtype=self.dtype(left))
        indices = batch + a_free + b_free
        register = views.reshape(self.builder, register, tuple(self.sizes[i] for i in indices))
        return Operand(register, indices)
