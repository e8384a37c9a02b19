"""Products of matrices and their kin, each one contraction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symdiff.expr.algebra import power_product
from symdiff.expr.contraction import contract
from symdiff.expr.movement import eye, pad, slice_
from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import constant
from symdiff.expr.shapes import ShapeError, broadcast_shapes, normalize_axes, size_sub, size_text


def _node(x: Any) -> Node:
    return x if isinstance(x, Node) else constant(x)


def _times(a: Node, b: Node) -> Node:
    return power_product([(a, 1.0), (b, 1.0)])


def matmul(a: Any, b: Any) -> Node:
    """a @ b with NumPy's meaning: matrices in the last two axes, the others broadcast.

    Raises ShapeError naming the operands where the inner sizes differ or one is a scalar.
    """
    a, b = _node(a), _node(b)
    names = f"{with_shape(a)} and {with_shape(b)}"
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: {names}: a scalar has no matrix product; use *")
    inner_a, inner_b = a.shape[-1], b.shape[-2 if b.ndim > 1 else 0]
    if inner_a != inner_b:
        raise ShapeError(
            f"matmul: {names}: the inner sizes {size_text(inner_a)} and {size_text(inner_b)} differ"
        )
    try:
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ShapeError as fault:
        raise ShapeError(f"matmul: {names}: {fault}") from None
    rank = len(batch)
    row, inner_name, column = rank, rank + 1, rank + 2
    left = (*range(rank - max(a.ndim - 2, 0), rank), *((row,) if a.ndim > 1 else ()), inner_name)
    right = (*range(rank - max(b.ndim - 2, 0), rank), inner_name)
    right += (column,) if b.ndim > 1 else ()
    out = (*range(rank), *((row,) if a.ndim > 1 else ()), *((column,) if b.ndim > 1 else ()))
    return contract([a, b], [left, right], out)


def dot(a: Any, b: Any) -> Node:
    """numpy.dot: a scalar multiplies; otherwise the last axis of a meets b's last but one."""
    a, b = _node(a), _node(b)
    if a.ndim == 0 or b.ndim == 0:
        return _times(a, b)
    if a.ndim <= 2 and b.ndim <= 2:
        return matmul(a, b)
    return tensordot(a, b, ([a.ndim - 1], [b.ndim - 2 if b.ndim > 1 else 0]))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Node:
    """numpy.tensordot: the sum over pairs of axes; axes is a number or two lists."""
    a, b = _node(a), _node(b)
    if isinstance(axes, int):
        first, second = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        first, second = ([x] if isinstance(x, int) else list(x) for x in axes)
    left, right = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(first, second, strict=True):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(f"tensordot: {with_shape(a)} and {with_shape(b)} differ at {i}, {j}")
        right[j % b.ndim] = left[i]
    summed = {left[i] for i in first}
    return contract([a, b], [left, right], [n for n in [*left, *right] if n not in summed])


def inner(a: Any, b: Any) -> Node:
    """numpy.inner: the sum over the last axes."""
    a, b = _node(a), _node(b)
    if a.ndim == 0 or b.ndim == 0:
        return _times(a, b)
    return tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


def vdot(a: Any, b: Any) -> Node:
    """The sum of products of all elements."""
    a, b = _node(a), _node(b)
    if a.shape != b.shape:
        raise ShapeError(f"vdot: {with_shape(a)} and {with_shape(b)} differ")
    return contract([a, b], [range(a.ndim), range(a.ndim)], ())


def outer(a: Any, b: Any) -> Node:
    """a_i b_j, of flattened arguments."""
    a, b = (_flat(_node(x)) for x in (a, b))
    return contract([a, b], [(0,), (1,)], (0, 1))


def _flat(x: Node) -> Node:
    from symdiff.expr.movement import reshape
    from symdiff.expr.shapes import shape_size

    return reshape(x, (shape_size(x.shape),))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The sum of a diagonal of two axes (default: the first two)."""
    found = _diagonal(x, offset, axis1, axis2, "trace")
    last = found.ndim - 1
    return contract([found], [range(found.ndim)], range(last))


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """A diagonal of two axes (default: the main one of the first two), as the last axis."""
    return _diagonal(x, offset, axis1, axis2, "diagonal")


def _diagonal(x: Any, offset: int, axis1: int, axis2: int, what: str) -> Node:
    x = _node(x)
    if x.ndim < 2:
        raise ShapeError(f"{what}: {with_shape(x)} is not a matrix")
    (first,), (second,) = (
        normalize_axes((a,), x.ndim, f"{what} of {with_shape(x)}") for a in (axis1, axis2)
    )
    if first == second:
        raise ShapeError(f"{what}: {with_shape(x)} needs two axes, not {axis1} twice")
    start = {first: max(-offset, 0), second: max(offset, 0)}
    lengths = [size_sub(x.shape[a], start[a]) for a in (first, second)]
    if lengths[0] != lengths[1]:
        numbers = [n for n in lengths if isinstance(n, int)]
        if len(numbers) < 2:
            raise ShapeError(f"{what}: {with_shape(x)} is not known to be square")
        lengths = [max(min(numbers), 0)] * 2
    ranges = [
        (start[a], lengths[0], 1) if a in start else (0, size, 1) for a, size in enumerate(x.shape)
    ]
    names = [first if a == second else a for a in range(x.ndim)]
    out = [*(a for a in range(x.ndim) if a not in start), first]
    return contract([slice_(x, ranges)], [names], out)


def diag(x: Any, k: int = 0) -> Node:
    """The matrix with a vector on its k-th diagonal; the k-th diagonal of a matrix."""
    x = _node(x)
    if x.ndim == 1:
        square = contract([x, eye(x.shape[0], x.dtype)], [(0,), (0, 1)], (0, 1))
        above, below = max(k, 0), max(-k, 0)
        return pad(square, [(below, above, 0), (above, below, 0)])
    if x.ndim == 2:
        return diagonal(x, k)
    raise ShapeError(f"diag: {with_shape(x)} is neither a vector nor a matrix")


def einsum(subscripts: str, *operands: Any) -> Node:
    """numpy.einsum with letters: ``"ij,jk->ik"``; without an arrow, indices named once remain.

    Raises ShapeError naming the subscripts where they do not fit the operands.
    """
    nodes = [_node(x) for x in operands]
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    what = f"einsum {subscripts!r}"
    if len(terms) != len(nodes):
        raise ShapeError(f"{what}: {len(terms)} terms for {len(nodes)} operands")
    terms, right = _ellipsis(terms, right, bool(arrow), nodes, what)
    letters = "".join(terms)
    if not all(c.isalpha() or ord(c) >= 0xE000 for c in letters + right):
        raise ShapeError(f"{what}: subscripts are letters")
    if not arrow:
        right += "".join(sorted(c for c in set(letters) if c.isalpha() and letters.count(c) == 1))
    sizes: dict[str, Any] = {}
    for term, node in zip(terms, nodes, strict=True):
        if len(term) != node.ndim:
            raise ShapeError(f"{what}: {len(term)} subscripts for {with_shape(node)}")
        for letter, size in zip(term, node.shape, strict=True):
            have = sizes.get(letter, 1)
            if have != 1 and size not in (1, have):
                raise ShapeError(f"{what}: {letter} is {size_text(have)} and {size_text(size)}")
            sizes[letter] = size if have == 1 else have
    if missing := [c for c in right if c not in sizes]:
        raise ShapeError(f"{what}: {missing[0]} of the result is in no operand")
    if len(set(right)) != len(right):
        raise ShapeError(f"{what}: a letter stands twice in the result")
    number = {letter: i for i, letter in enumerate(sizes)}
    return contract(nodes, [[number[c] for c in t] for t in terms], [number[c] for c in right])


def _ellipsis(
    terms: list[str], right: str, arrow: bool, nodes: Sequence[Node], what: str
) -> tuple[list[str], str]:
    """``...`` spelt out with private letters, aligned at the end as broadcasting does."""
    if "..." not in "".join(terms):
        return terms, right
    most, spelt = 0, []
    for term, node in zip(terms, nodes, strict=True):
        count = node.ndim - len(term.replace("...", "")) if "..." in term else 0
        if count < 0:
            raise ShapeError(f"{what}: too many subscripts for {with_shape(node)}")
        most = max(most, count)
        spelt.append(count)
    private = [chr(0xE000 + i) for i in range(most)]
    terms = [
        t.replace("...", "".join(private[most - n :])) for t, n in zip(terms, spelt, strict=True)
    ]
    return terms, right.replace("...", "".join(private)) if arrow else "".join(private)
