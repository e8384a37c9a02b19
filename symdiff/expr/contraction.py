"""contract: sums of products over named indices, in normal form.

``contract(operands, indices, out)`` is einsum.  An index of ``out`` that no operand has is
*broadcast*, with its size given; so transposing, inserting or removing axes of size 1, summing,
broadcasting, taking diagonals, and all matrix products are this one operation, and the adjoint of
a contraction is a contraction.  (Laue, Mitterreiter, Giesen: Computing Higher Order Derivatives
of Matrix and Tensor Expressions, 2018, use the same representation.)

Normal form, kept by the constructor:

* numbers and 0-d factors stand in front of the contraction, not in it;
* a *view* (see :mod:`symdiff.expr.views`) is never an operand: it is absorbed;
* axes of size 1 carry no shared index; axes that no operand has are added by a view around;
* an identity matrix with an index that is summed is renamed away;
* nothing summed: a product (``mul``) of views.

Matrix products inside matrix products are not flattened: reverse mode and the planner choose the
order of evaluation.  A sum of a product is split into its factors (:func:`split_sum`) only by the
simplifier, which knows whether the product is needed elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff.expr.algebra import power_product, split_product
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import (
    arithmetic,
    cast,
    constant,
    number_of,
    shared_float,
    size_node,
)
from symdiff.expr.shapes import ShapeError, Size, size_text
from symdiff.expr.views import Indices, broadcast_to, is_view, make_view

Operand = tuple[Node, Indices]


def contract(
    operands: Sequence[Node],
    indices: Sequence[Sequence[int]],
    out: Sequence[int],
    sizes: Mapping[int, Size] | None = None,
) -> Node:
    """The contraction of the operands over every index that is not in ``out``.

    ``indices`` names the axes of each operand by integers; ``sizes`` gives the sizes of indices
    of ``out`` that no operand has.  An axis of size 1 may share an index with longer ones, as in
    broadcasting.  Raises ShapeError where one index has two sizes or stands twice in ``out``.
    """
    number, factors, plain = 1.0, list[tuple[Node, float]](), list(operands)
    for i, x in enumerate(plain):
        if x.op == "mul" and x.ndim:
            own, scalars, plain[i] = split_product(x)
            number *= own
            factors += scalars
    if not _is_normal(plain, indices, out, sizes or {}):
        return _Contraction(operands, indices, out, sizes or {}).build()
    core = _sorted_node(list(zip(plain, map(tuple, indices), strict=True)), tuple(out))
    return power_product([*factors, (core, 1.0)], number) if factors or number != 1 else core


def _is_normal(
    operands: Sequence[Node],
    indices: Sequence[Sequence[int]],
    out: Sequence[int],
    sizes: Mapping[int, Size],
) -> bool:
    """Whether operands are in normal form as they are: most matrix products are."""
    if len(operands) < 2 or len(indices) != len(operands) or shared_float(operands) is None:
        return False
    have: dict[int, Size] = {}
    for node, names in zip(operands, indices, strict=True):
        if len(names) != node.ndim or 1 in node.shape or not _stays_whole(node):
            return False
        for name, size in zip(names, node.shape, strict=True):
            if have.setdefault(name, size) != size or sizes.get(name, size) != size:
                return False
    kept = set(out)
    return len(kept) == len(out) and kept < have.keys()


def with_operands(node: Node, operands: Sequence[Node]) -> Node:
    """A contraction of the same indices over other operands.

    What is in normal form stays so where the new operands are as plain as the old ones.
    """
    plain = len(operands) > 1 or not _is_sum(operands[0])
    for old, new in zip(node.inputs, operands, strict=True):
        plain = plain and new.shape == old.shape and new.dtype == old.dtype
        plain = plain and (new is old or _stays_whole(new))
    indices, out, sizes = node.attr("indices"), node.attr("out"), node.attr("sizes")
    if not plain or node.is_view or sizes:
        return contract(operands, indices, out, dict(sizes))
    return _sorted_node(list(zip(operands, indices, strict=True)), out)


def _stays_whole(node: Node) -> bool:
    """Whether an operand goes into a contraction as it is."""
    if node.op == "mul":
        return bool(node.attr("coefficient") == 1) and all(x.ndim for x in node.inputs)
    return bool(node.ndim) and not node.is_view and node.op not in ("constant", "one_hot")


def split_sum(node: Node) -> Node:
    """A plain sum of a product as the contraction of its factors: ``sum(x * y)`` is ``x . y``.

    Squares stand twice.  Any other node is returned as it is.
    """
    if not _is_sum(node) or is_view(node) or node.inputs[0].op != "mul":
        return node
    return split_operands(node)


def split_operands(node: Node) -> Node:
    """A contraction with the factors of products among its operands as operands of their own."""
    number, operands, indices = 1.0, list[Node](), list[tuple[int, ...]]()
    for y, names in zip(node.inputs, node.attr("indices"), strict=True):
        if y.op != "mul":
            operands.append(y)
            indices.append(names)
            continue
        number *= y.attr("coefficient")
        for x, e in zip(y.inputs, y.attr("exponents"), strict=True):
            made = [x] * int(e) if e in (1, 2) else [power_product([(x, e)])]
            operands += made
            indices += [names[len(names) - x.ndim :]] * len(made)
    if len(operands) == len(node.inputs):
        return node
    result = contract(operands, indices, node.attr("out"), dict(node.attr("sizes")))
    return power_product([(result, 1.0)], number)


def summed_squares(total: Node) -> tuple[Node, tuple[int, ...]] | None:
    """(x, axes) of a sum of x² over axes, the others kept in order; None for any other node."""
    if total.op != "contract":
        return None
    x, names, out = total.inputs[0], total.attr("indices")[0], total.attr("out")
    if len(total.inputs) == 1:
        if x.op != "mul" or x.attr("exponents") != (2.0,) or x.attr("coefficient") != 1:
            return None
        x = x.inputs[0]
    elif len(total.inputs) != 2 or total.inputs[1] is not x:
        return None
    else:  # axes of size 1 share no index
        pairs = zip(names, total.attr("indices")[1], x.shape, strict=True)
        if any(a != b and size != 1 for a, b, size in pairs):
            return None
    axes = tuple(a for a, n in enumerate(names) if n not in out)
    kept = tuple(n for n in names if n in out)
    return (x, axes) if axes and len(set(names)) == len(names) and kept == tuple(out) else None


def summed_squares_of_product(
    total: Node,
) -> tuple[tuple[tuple[Node, float], ...], tuple[int, ...]] | None:
    """(factors and exponents, axes) of a sum over axes of squares of a product; else None."""
    if total.op != "contract" or is_view(total):
        return None
    names, out = total.attr("indices")[0], total.attr("out")
    if len(set(names)) < len(names) or any(own != names for own in total.attr("indices")):
        return None
    factors: dict[Node, float] = {}
    for x in total.inputs:
        if x.shape != total.inputs[0].shape or (x.op == "mul" and x.attr("coefficient") != 1):
            return None
        exponents = x.attr("exponents") if x.op == "mul" else (1.0,)
        for base, e in zip(x.inputs if x.op == "mul" else (x,), exponents, strict=True):
            factors[base] = factors.get(base, 0.0) + e
    axes = tuple(a for a, n in enumerate(names) if n not in out)
    kept = tuple(n for n in names if n in out)
    # What cancels leaves ones, whose sum is a size.
    if not axes or kept != tuple(out) or any(e % 2 or not e for e in factors.values()):
        return None
    return tuple((x, e / 2) for x, e in factors.items()), axes


def is_identity(node: Node) -> bool:
    """Whether the node is an identity matrix."""
    idx = node.inputs[0] if node.op == "one_hot" else None
    return idx is not None and idx.op == "arange" and bool(idx.attr("n") == node.attr("n"))


class _Contraction:
    """The normalisation of one contraction: operands yet to be looked at, and those that stay."""

    def __init__(
        self,
        operands: Sequence[Node],
        indices: Sequence[Sequence[int]],
        out: Sequence[int],
        sizes: Mapping[int, Size],
    ) -> None:
        self.out = tuple(out)
        self.sizes = dict(sizes)
        if len(set(self.out)) != len(self.out):
            raise ShapeError("contract: an index stands twice in the result")
        for node, names in zip(operands, indices, strict=True):
            if len(names) != node.ndim:
                raise ShapeError(f"contract: {len(names)} indices for {with_shape(node)}")
            for name, size in zip(names, node.shape, strict=True):
                have = self.sizes.get(name, 1)
                if size not in (1, have) and have != 1:
                    raise ShapeError(
                        f"contract: an index has sizes {size_text(have)} and {size_text(size)} in "
                        + " and ".join(with_shape(x) for x in operands)
                    )
                self.sizes[name] = size if have == 1 else have
        self.fresh = max([*self.sizes, *self.out, -1])
        self.sums = {n for names in indices for n in names} - set(self.out)
        self.number = 1.0
        self.factors: list[tuple[Node, float]] = []
        self.single = len(operands) == 1  # a plain sum or view of one operand
        inputs = list(operands)
        self.dtype = inputs[0].dtype
        if not self.single:
            inputs, self.dtype = arithmetic(inputs)
        elif self.dtype == "bool" and self.is_summing():
            inputs, self.dtype = [cast(inputs[0], "int64")], "int64"
        self.todo: list[Operand] = []
        self.push(inputs, [tuple(names) for names in indices])
        self.operands: list[Operand] = []

    def new_index(self, size: Size) -> int:
        self.fresh += 1
        self.sizes[self.fresh] = size
        return self.fresh

    def push(self, nodes: Sequence[Node], indices: Sequence[Indices]) -> None:
        """Put operands before those to be looked at; axes of size 1 get an index of their own."""
        own = []
        for node, names in zip(nodes, indices, strict=True):
            pairs = zip(names, node.shape, strict=True)
            own.append((node, tuple(self.new_index(1) if s == 1 else n for n, s in pairs)))
        self.todo[:0] = own

    def is_summing(self) -> bool:
        return any(self.sizes[name] != 1 for name in self.sums)

    def build(self) -> Node:
        if self.single and not self.is_summing():
            ((node, names),) = self.todo
            return make_view(node, names, self.out, tuple(self.sizes[n] for n in self.out))
        while self.todo:
            self.absorb(*self.todo.pop(0))
        self.rename_identities()
        have = {n for _, names in self.operands for n in names}
        for name in sorted(self.sums - have):  # only a broadcast had it: n equal terms
            self.multiply_by_size(self.sizes[name])
        self.sums &= have
        core = self.sum_node() if self.is_summing() else self.product()
        if not self.factors and self.number == 1:
            return core
        return power_product([*self.factors, (core, 1.0)], self.number)

    def absorb(self, node: Node, names: Indices) -> None:
        """Take a view, number or 0-d factor out, or keep the operand."""
        number = number_of(node)
        if number is not None:
            self.number *= number
        elif node.ndim == 0:
            self.factors.append((node, 1.0))
        elif is_view(node) or (self.single and _is_sum(node)):
            self.push([node.inputs[0]], [self.inner_names(node, names)])
        elif node.op == "mul" and self.take_apart(node, names):
            return
        else:
            self.operands.append((node, names))
            self.single = False

    def inner_names(self, outer: Node, names: Indices) -> Indices:
        """The indices of the one operand of a view or sum whose result has ``names``."""
        (inner,) = outer.attr("indices")
        rename = dict(zip(outer.attr("out"), names, strict=True))
        for name, size in zip(inner, outer.inputs[0].shape, strict=True):
            if name not in rename:
                rename[name] = self.new_index(size)
                self.sums.add(rename[name])
        return tuple(rename[name] for name in inner)

    def take_apart(self, node: Node, names: Indices) -> bool:
        """Pull numbers and 0-d factors out of a product."""
        number, zero_d, rest = split_product(node)
        if rest is node:
            return False
        self.number *= number
        self.factors.extend(zero_d)
        self.push([rest], [names[len(names) - rest.ndim :]])
        return True

    def rename_identities(self) -> None:
        position = 0
        while position < len(self.operands):
            node, (i, j) = self.operands[position][0], (*self.operands[position][1], 0, 0)[:2]
            if not is_identity(node) or (i != j and i in self.out and j in self.out):
                position += 1
                continue
            keep, drop = (i, j) if j not in self.out else (j, i)
            del self.operands[position]
            self.operands = [
                (x, tuple(keep if n == drop else n for n in names)) for x, names in self.operands
            ]
            if keep != drop:
                self.sums.discard(drop)
            position = 0

    def multiply_by_size(self, size: Size) -> None:
        if isinstance(size, int):
            self.number *= size
        else:
            self.factors.append((size_node(size, self.dtype), 1.0))

    def product(self) -> Node:
        """Nothing is summed: a product of views."""
        shape = tuple(self.sizes[n] for n in self.out)
        parts = []
        for node, names in self.operands:
            own = tuple(n if n in names else self.new_index(1) for n in self.out)
            parts.append(make_view(node, names, own, tuple(self.sizes[n] for n in own)))
        if not parts:
            return broadcast_to(constant(1, self.dtype), shape)
        return broadcast_to(power_product([(x, 1.0) for x in parts]), shape)

    def sum_node(self) -> Node:
        have = {n for _, names in self.operands for n in names if self.sizes[n] != 1}
        out = tuple(n for n in self.out if n in have)
        core = _sorted_node(self.operands, out)
        return make_view(core, out, self.out, tuple(self.sizes[n] for n in self.out))


def _is_sum(node: Node) -> bool:
    return node.op == "contract" and len(node.inputs) == 1


def _sorted_node(operands: Sequence[Operand], out: Indices) -> Node:
    """The contract node with operands in canonical order and indices numbered by appearance."""
    number = {name: position for position, name in enumerate(out)}
    far = len(number) + sum(len(names) for _, names in operands)
    ordered = sorted(
        operands,
        key=lambda operand: (operand[0].digest, [number.get(n, far) for n in operand[1]]),
    )
    for _, names in ordered:
        for name in names:
            number.setdefault(name, len(number))
    return Node.make(
        "contract",
        [node for node, _ in ordered],
        indices=tuple(tuple(number[n] for n in names) for _, names in ordered),
        out=tuple(number[n] for n in out),
        sizes=(),
    )
