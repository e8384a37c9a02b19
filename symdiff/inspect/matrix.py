"""Contractions as people write them: chains of matrices, dot and outer products, traces, sums.

The summed indices part the operands into independent components.  Within one, matrices are the
edges and vectors the marks of a graph whose vertices are the indices; if it is a path, the
contraction is the product along it, with a diagonal matrix for a vector on the way; if it is a
cycle, a trace.  The components then meet in an elementwise, outer or scalar product.  Whatever is
none of this is written with indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symdiff.expr.shapes import Shape
from symdiff.inspect.layout import (
    Apply,
    Doc,
    IndexSum,
    Name,
    Norm,
    Number,
    Power,
    Product,
    Subscript,
    Total,
    chain,
    elementwise,
    marks,
    product,
    scaled,
    transpose,
)
from symdiff.inspect.ordering import Key, text_key

Indices = tuple[int, ...]

_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"
IDENTITY = Name("I")


@dataclass(frozen=True, slots=True)
class Operand:
    """A document with an index an axis; ``shape`` names the axes that a sum runs over."""

    doc: Doc
    indices: Indices
    shape: Shape
    symmetric: bool = False


class _NoForm(Exception):
    """The contraction has no form but one with indices."""


def contraction(operands: Sequence[Operand], out: Indices) -> Doc:
    """The sum of the operands' product over the indices that are not in ``out``."""
    plain = [_drop_ones(operand, out) for operand in operands]
    try:
        return _Layout(out).build([_diagonal(operand) for operand in plain])
    except _NoForm:
        return with_letters(plain, out)


def _drop_ones(operand: Operand, out: Indices) -> Operand:
    """Axes of size 1 that the result does not have are taken out by indexing."""
    ones = [s == 1 and n not in out for s, n in zip(operand.shape, operand.indices, strict=True)]
    if not any(ones):
        return operand
    doc = Subscript(operand.doc, tuple("0" if one else ":" for one in ones))
    kept = [i for i, one in enumerate(ones) if not one]
    return Operand(
        doc, tuple(operand.indices[i] for i in kept), tuple(operand.shape[i] for i in kept)
    )


def _diagonal(operand: Operand) -> Operand:
    if len(set(operand.indices)) == len(operand.indices):
        return operand
    if len(operand.indices) != 2:
        raise _NoForm
    return Operand(Apply("diagonal", (operand.doc,)), operand.indices[:1], operand.shape[:1])


def with_letters(operands: Sequence[Operand], out: Sequence[int]) -> Doc:
    """The contraction with an index letter an axis; those of ``out`` come first, in order."""
    names = list(out)
    for operand in operands:
        names += [n for n in operand.indices if n not in names]
    if len(names) > len(_LETTERS):
        text = ",".join("".join(f"[{n}]" for n in o.indices) for o in operands)
        return Apply("einsum", tuple(o.doc for o in operands), (("indices", text),))
    letter = dict(zip(names, _LETTERS, strict=False))
    summed = "".join(letter[n] for n in names if n not in out)
    factors = [(o.doc, "".join(letter[n] for n in o.indices)) for o in operands]
    return IndexSum(summed, tuple(sorted(factors, key=lambda factor: factor[1])))


@dataclass(frozen=True, slots=True)
class _Part:
    """A component's value, with the free index of each of its axes."""

    doc: Doc
    free: Indices


class _Layout:
    """The layout of one contraction with the free indices ``out``."""

    def __init__(self, out: Indices) -> None:
        self.out = out

    def build(self, operands: Sequence[Operand]) -> Doc:
        stack = self.common_stack(operands)
        if stack:
            self.out = self.out[stack:]
            operands = [
                Operand(o.doc, o.indices[stack:], o.shape[stack:], o.symmetric)
                if len(o.indices) > 2
                else o
                for o in operands
            ]
            if len(self.out) != 2 or any(len(o.indices) != 2 for o in operands):
                raise _NoForm
        parts = [self.component(group) for group in self.components(operands)]
        return self.meet(parts)

    def common_stack(self, operands: Sequence[Operand]) -> int:
        """How many leading axes make a stack of matrices of each operand that is no matrix."""
        large = [o for o in operands if len(o.indices) > 2]
        count = len(self.out) - 2
        if len(operands) < 2 or not large or count < 1:
            return 0
        lead = self.out[:count]
        if any(o.indices[:count] != lead or len(o.indices) != count + 2 for o in large):
            return 0
        return count if all(o in large or not set(o.indices) & set(lead) for o in operands) else 0

    def components(self, operands: Sequence[Operand]) -> list[list[Operand]]:
        """The operands in groups that share no summed index."""
        groups: list[tuple[set[int], list[Operand]]] = []
        for operand in operands:
            summed = set(operand.indices) - set(self.out)
            members = [operand]
            apart = []
            for names, group in groups:
                if names & summed:
                    summed |= names
                    members = group + members
                else:
                    apart.append((names, group))
            groups = [*apart, (summed, members)]
        return [group for _, group in groups]

    def component(self, group: Sequence[Operand]) -> _Part:
        if len(group) == 1:
            return self.plain_sum(group[0])
        merged: dict[Indices, list[Operand]] = {}
        for operand in group:
            merged.setdefault(operand.indices, []).append(operand)
        if len(merged) == 1:
            u, v = group[0].doc, group[-1].doc
            (names,) = merged
            if len(group) == 2 and u != v and len(names) == 1 and names[0] not in self.out:
                return _Part(_dot(u, v), ())
            return self.plain_sum(_multiplied(group))
        return _Walk([_multiplied(same) for same in merged.values()], self.out).part()

    def plain_sum(self, operand: Operand) -> _Part:
        """One operand, summed over what is not in the result."""
        free = tuple(n for n in operand.indices if n in self.out)
        if len(free) == len(operand.indices):
            return _Part(operand.doc, free)
        return _Part(total(operand.doc, operand.shape, [n in free for n in operand.indices]), free)

    def meet(self, parts: Sequence[_Part]) -> Doc:
        """The product of the components, each along its own axes of the result."""
        scalars = [part.doc for part in parts if not part.free]
        arrays = [part for part in parts if part.free]
        if not arrays:
            return product(scalars)
        if len(self.out) > 2:
            if len(arrays) > 1 or arrays[0].free != self.out:
                raise _NoForm
            return scaled(scalars, arrays[0].doc)
        full = [part.doc for part in arrays if part.free == self.out]
        full += [transpose(part.doc) for part in arrays if part.free == self.out[::-1] != self.out]
        if len(self.out) == 1:
            return scaled(scalars, elementwise(full))
        rows, columns = (
            elementwise(part.doc for part in arrays if part.free == (name,)) for name in self.out
        )
        return scaled(scalars, spread(rows, columns, full))


def _multiplied(same: Sequence[Operand]) -> Operand:
    """Operands with the same indices as one."""
    doc = elementwise(o.doc for o in same) if len(same) > 1 else same[0].doc
    return Operand(doc, same[0].indices, same[0].shape, all(o.symmetric for o in same))


def spread(rows: Doc, columns: Doc, full: Sequence[Doc]) -> Doc:
    """The matrix rows_i columns_j ∏ full_ij; 1 stands for what is missing."""
    one = Number(1.0)
    if not full:
        return chain([rows, transpose(columns)])
    core = elementwise(full)
    if full == [IDENTITY]:
        return Apply("diag", (elementwise([rows, columns]),))
    left = [] if rows == one else [Apply("diag", (rows,))]
    right = [] if columns == one else [Apply("diag", (columns,))]
    return chain([*left, core, *right]) if left or right else core


def total(doc: Doc, shape: Shape, kept: Sequence[bool]) -> Doc:
    """The sum over the axes that are not kept; of squares over all axes, the squared norm."""
    gone = [axis for axis, keep in enumerate(kept) if not keep]
    if not any(kept):
        if isinstance(doc, Power) and doc.exponent == Number(2.0):
            return Power(Norm(doc.base), Number(2.0))
        if isinstance(doc, Apply) and doc.function == "diagonal":
            return Apply("trace", doc.arguments)
        return Total(doc)
    labels = []
    for axis in gone:
        size = shape[axis]
        named = isinstance(size, str) and shape.count(size) == 1
        labels.append(str(size) if named else f"axis{axis}")
    return Total(doc, tuple(labels))


class _Walk:
    """One component as a path or a cycle through its matrices."""

    def __init__(self, operands: Sequence[Operand], out: Indices) -> None:
        self.out = out
        self.edges: list[Operand] = []
        self.marks: dict[int, list[Doc]] = {}
        self.sizes = {n: s for o in operands for n, s in zip(o.indices, o.shape, strict=True)}
        for operand in operands:
            if len(operand.indices) == 2:
                self.edges.append(operand)
            elif len(operand.indices) == 1:
                self.marks.setdefault(operand.indices[0], []).append(operand.doc)
            else:
                raise _NoForm
        self.free = tuple(n for n in out if n in self.sizes)
        self.merge_opposite()
        self.degree = {n: sum(n in e.indices for e in self.edges) for n in self.sizes}

    def merge_opposite(self) -> None:
        """A_ij B_ji beside other operands is (A ⊙ Bᵀ)_ij; alone it is a trace."""
        if len(self.edges) == 2 and not self.free and not self.marks:
            return
        merged: dict[frozenset[int], Operand] = {}
        for edge in self.edges:
            have = merged.setdefault(frozenset(edge.indices), edge)
            if have is not edge:
                doc = elementwise([have.doc, _turned(edge)])
                merged[frozenset(edge.indices)] = Operand(doc, have.indices, have.shape)
        self.edges = list(merged.values())

    def part(self) -> _Part:
        if any(degree > 2 for degree in self.degree.values()) or len(self.free) > 2:
            raise _NoForm
        ends = [n for n, degree in self.degree.items() if degree == 1]
        if not ends:
            return self.trace()
        if any(n not in ends for n in self.free) or len(ends) != 2:
            raise _NoForm
        if len(self.free) == 2:
            return _Part(chain(self.along(*self.free)), self.free)
        if len(self.free) == 1:
            (end,) = (n for n in ends if n not in self.free)
            return self.row_sums(self.free[0], end)
        return self.scalar(ends)

    def trace(self) -> _Part:
        if self.free or not self.edges:
            raise _NoForm
        start = next(iter(self.degree))
        mark = self.marks.get(start, [])
        diagonal = [Apply("diag", (elementwise(mark),))] if mark else []
        way = [*diagonal, *self.along(start, start)]
        ways: list[Doc] = []
        for whole in (chain(way), chain(transpose(factor) for factor in reversed(way))):
            front, factors = _factors(whole)
            turns = (factors[i:] + factors[:i] for i in range(len(factors)))
            ways += [scaled(front, chain(turn)) for turn in turns]

        def look(way: Doc) -> tuple[int, bool, Key]:
            """Few transposes, and Xᵀ A X rather than A X Xᵀ."""
            _, factors = _factors(way)
            return marks(way), factors[0] != transpose(factors[-1]), text_key(way)

        return _Part(Apply("trace", (min(ways, key=look),)), ())

    def along(self, start: int, end: int) -> list[Doc]:
        """The factors of the product along the path."""
        factors: list[Doc] = []
        left = list(self.edges)
        at = start
        while left:
            found = [e for e in left if at in e.indices]
            if not found:
                raise _NoForm
            if factors and at in self.marks:
                factors.append(Apply("diag", (elementwise(self.marks[at]),)))
            edge = found[0]
            left.remove(edge)
            forward = edge.indices[0] == at
            factors.append(edge.doc if forward else _turned(edge))
            at = edge.indices[1] if forward else edge.indices[0]
        if at != end:
            raise _NoForm
        return factors

    def row_sums(self, start: int, end: int) -> _Part:
        """A matrix times a vector, or the sums of its rows where no vector is."""
        matrix = chain(self.along(start, end))
        if end in self.marks:
            doc = chain([matrix, elementwise(self.marks[end])])
        else:
            doc = total(matrix, (self.sizes[start], self.sizes[end]), [True, False])
        return _Part(doc, (start,))

    def scalar(self, ends: Sequence[int]) -> _Part:
        """uᵀ A v; where a vector is missing, a sum."""
        marked = sorted((n for n in ends if n in self.marks), key=ends.index)
        if not marked:
            return _Part(Total(chain(self.along(*ends))), ())
        if len(marked) == 1:
            (end,) = marked
            (start,) = (n for n in ends if n != end)
            way = [*self.along(start, end), elementwise(self.marks[end])]
            return _Part(Total(chain(way)), ())
        ways = []
        for start, end in (ends, ends[::-1]):
            left, right = (elementwise(self.marks[n]) for n in (start, end))
            ways.append(chain([transpose(left), *self.along(start, end), right]))
        return _Part(min(ways, key=marks), ())


def _factors(doc: Doc) -> tuple[tuple[Doc, ...], tuple[Doc, ...]]:
    """The numbers in front of a product of matrices, and the matrices."""
    if not isinstance(doc, Product):
        return (), (doc,)
    return doc.factors[: doc.scalars], doc.factors[doc.scalars :]


def _dot(u: Doc, v: Doc) -> Doc:
    """uᵀ v or vᵀ u, whichever has fewer transposes."""
    ways = [chain([transpose(a), b]) for a, b in ((u, v), (v, u))]
    return min(ways, key=marks)


def _turned(edge: Operand) -> Doc:
    return edge.doc if edge.symmetric else transpose(edge.doc)
