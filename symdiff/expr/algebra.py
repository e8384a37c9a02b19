"""Elementwise constructors in node-local normal form.

Sums and products are n-ary, with a coefficient a term and an exponent a factor, so that
subtraction, negation, division, squares and roots need no operations of their own and
commutativity needs no rules.  Number factors stand in front, like terms and like bases are
merged, and broadcasts float outward.  Nested sums and products of several terms are *not*
flattened here: whether that is worth it depends on who else reads the inner one, which only the
simplifier knows.  Cancellations (``x / x``) hold over the reals at points where the formula is
defined.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from symdiff.expr.node import Node, with_shape
from symdiff.expr.numbers import (
    FLOATS,
    Number,
    arithmetic,
    cast,
    constant,
    current_dtype,
    full,
    number_of,
    rounded_away,
    rounded_root,
    shared_float,
)
from symdiff.expr.ops import promote
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import Shape, ShapeError, broadcast_shapes
from symdiff.expr.views import (
    broadcast_to,
    expand_dims,
    expanded_axes,
    rewrap,
    squeeze,
    strip_broadcast,
    through_view,
)


def _broadcast_shape(what: str, inputs: Sequence[Node]) -> Shape:
    try:
        return broadcast_shapes(*[x.shape for x in inputs])
    except ShapeError as fault:
        names = " and ".join(with_shape(x) for x in inputs)
        raise ShapeError(f"{what}: {fault} ({names})") from None


def elementwise(what: str, inputs: Sequence[Node], make: Any) -> Node:
    """``make(inputs)`` with broadcasts and views taken out of the inputs and put around it."""
    shape = _broadcast_shape(what, inputs)
    views = [x for x in inputs if x.is_view]
    if not views:
        return broadcast_to(make(inputs), shape)
    if len(inputs) == 1:
        return through_view(inputs[0], lambda core: make([core]))
    cores = [strip_broadcast(x) for x in inputs]
    inner = broadcast_shapes(*[x.shape for x in cores])
    rank = len(inner)
    # An axis that every operand has only by expansion is taken out and put back once.
    common = set(range(rank))
    for x in cores:
        own = {axis + rank - x.ndim for axis in expanded_axes(x)}
        common &= own | set(range(rank - x.ndim))
    if common and any(x.ndim for x in cores):
        axes = tuple(sorted(common))
        cores = [
            squeeze(x, tuple(a - (rank - x.ndim) for a in axes if a >= rank - x.ndim))
            for x in cores
        ]
        return broadcast_to(expand_dims(make(cores), axes), shape)
    return broadcast_to(make(cores), shape)


def scalar(name: str, *args: Node | Number) -> Node:
    """A function of the scalar table, applied elementwise.

    Raises ShapeError if the arguments do not broadcast.
    """
    row = SCALARS[name]
    if len(args) != row.arity:
        raise TypeError(f"{name} takes {row.arity} arguments, got {len(args)}")
    dtypes = [a.dtype for a in args[row.result == "branches" :] if isinstance(a, Node)]
    like = promote(*dtypes) if dtypes else current_dtype()
    whole = row.result in ("same", "bool", "branches")
    if like not in FLOATS and any(isinstance(a, float) and a != math.floor(a) for a in args):
        whole = False
    inputs = [a if isinstance(a, Node) else _number(a, like, whole) for a in args]
    if row.result == "branches":
        condition = inputs[0] if inputs[0].dtype == "bool" else scalar("ne", inputs[0], 0)
        branches, _ = arithmetic(inputs[1:])
        inputs = [condition, *branches]
    elif row.result != "bool" or len({x.dtype for x in inputs}) > 1:
        inputs, _ = arithmetic(inputs, whole)

    def make(cores: Sequence[Node]) -> Node:
        folded = _fold(name, cores)
        return Node.make(name, cores) if folded is None else folded

    if name == "reciprocal_or_zero" and inputs[0].facts.nonzero and not inputs[0].facts.declared:
        return power_product([(inputs[0], -1.0)])
    return elementwise(name, inputs, make)


def _number(value: Number, like: str, whole: bool) -> Node:
    if like in FLOATS:
        return constant(value, like)
    if whole and isinstance(value, (bool, int)):
        return constant(int(value), "int64")
    return constant(value, "int64" if whole and value == math.floor(value) else current_dtype())


def _fold(name: str, inputs: Sequence[Node]) -> Node | None:
    """The value of a function of small constants, where it is finite."""
    if not all(x.op == "constant" and x.value.size <= 64 for x in inputs):
        return None
    with np.errstate(all="ignore"):
        value = SCALARS[name].numeric(*(x.exact_value for x in inputs))
    if not np.all(np.isfinite(value)):
        return None
    result = {"bool": "bool", "branches": inputs[-1].dtype}.get(
        SCALARS[name].result, inputs[0].dtype
    )
    return constant(np.asarray(value), result)


#: Operands in which sums and products look for numbers and for what merges, as in views.
_LOOKED_INTO = frozenset({"constant", "mul", "add"})


def _is_even(e: float) -> bool:
    return e % 2 == 0


def _merges(base: Node, inner: float, outer: float) -> bool:
    """Whether (base**inner)**outer is base**(inner*outer) wherever the former is defined.

    That a base is declared nonnegative is for rules to use, which say what they lean on.
    """
    if outer == math.floor(outer) or not _is_even(inner):
        return True
    return base.facts.nonnegative and not base.facts.declared


def _factors(node: Node, e: float, scalars_out: bool) -> tuple[float, list[tuple[Node, float]]]:
    """node**e as a number times factors: numbers, powers of one base and 0-d factors come out."""
    value = number_of(node)
    if value is not None and (value > 0 or (e == math.floor(e) and (value != 0 or e > 0))):
        try:
            return rounded_root(value) if e == 1 else rounded_away(value**e), []
        except OverflowError:
            return 1.0, [(node, e)]
    if node.is_view and node.inputs[0].op == "mul":
        number, parts = _factors(node.inputs[0], e, scalars_out)
        return number, [(rewrap(node, x) if x.ndim else x, p) for x, p in parts]
    if node.op != "mul":
        return 1.0, [(node, e)]
    coefficient: float = node.attr("coefficient")
    pairs = list(zip(node.inputs, node.attr("exponents"), strict=True))
    whole = e == math.floor(e)
    if len(pairs) == 1 and (whole or coefficient > 0) and _merges(*pairs[0], e):
        number = coefficient if e == 1 else rounded_away(coefficient**e)
        return number, [(pairs[0][0], pairs[0][1] * e)]
    if coefficient != 1 and (whole or coefficient > 0):
        outer = coefficient**e
        rest = power_product(pairs) if shared_float(node.inputs) is None else _bare(node)[0]
        more, inner = _factors(rest, e, scalars_out)
        return outer * more, inner
    zero_d = [(x, p * e) for x, p in pairs if x.ndim == 0]
    if e == 1 and scalars_out and zero_d and len(zero_d) < len(pairs):
        rest = power_product([(x, p) for x, p in pairs if x.ndim > 0])
        return 1.0, [*zero_d, (rest, 1.0)]
    return 1.0, [(node, e)]


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and value == math.floor(value)


def _by_digest(part: tuple[Node, float]) -> bytes:
    return part[0].digest


_BARE: WeakKeyDictionary[Node, tuple[Node, Node]] = WeakKeyDictionary()


def _bare(node: Node) -> tuple[Node, Node]:
    """A product of floats without its number, and without its 0-d factors as well.

    Kept with the node: what is linear in a product takes both out in front, again and again.
    """
    found = _BARE.get(node)
    if found is None:
        pairs = list(zip(node.inputs, node.attr("exponents"), strict=True))
        arrays = [(x, e) for x, e in pairs if x.ndim]
        without = node if node.attr("coefficient") == 1 else power_product(pairs, dtype=node.dtype)
        rest = without if len(arrays) in (0, len(pairs)) else power_product(arrays, 1.0, node.dtype)
        found = _BARE[node] = without, rest
    return found


def split_product(node: Node) -> tuple[float, list[tuple[Node, float]], Node]:
    """A product with axes as number * 0-d factors * rest."""
    pairs = zip(node.inputs, node.attr("exponents"), strict=True)
    return node.attr("coefficient"), [(x, e) for x, e in pairs if x.ndim == 0], _bare(node)[1]


def _times(a: float, b: float) -> float:
    return a * b if abs(a) == 1 or abs(b) == 1 else rounded_away(a * b)


def power_product(
    factors: Sequence[tuple[Node, float]], coefficient: float = 1.0, dtype: str | None = None
) -> Node:
    """coefficient * prod base**exponent, broadcasting as NumPy does.

    0-d factors of nested products come out to the front; equal bases are merged.
    """
    bases = [base for base, _ in factors]
    exponents = [float(e) for _, e in factors]
    resolved = shared_float(bases)
    if resolved is None:
        whole = _is_whole(coefficient) and all(e >= 0 and _is_whole(e) for e in exponents)
        bases, resolved = arithmetic(bases, whole)
    dtype = dtype or resolved
    if not bases:
        return constant(coefficient, dtype)

    def make(cores: list[Node]) -> Node:
        shape = broadcast_shapes(*[x.shape for x in cores])
        total = rounded_root(float(coefficient))
        powers: dict[Node, float] = {}
        for core, e in zip(cores, exponents, strict=True):
            if core.op not in _LOOKED_INTO and not core.is_view:
                powers[core] = powers.get(core, 0.0) + e
                continue
            number, parts = _factors(core, e, bool(shape))
            total = _times(total, number)
            for base, p in parts:
                powers[base] = powers.get(base, 0.0) + p
        for base, p in powers.items():
            if p > 1 and base.facts.zero_or_one and not base.facts.declared:
                powers[base] = 1.0  # 0 and 1 are their own powers
        kept = [(base, p) for base, p in powers.items() if p != 0]
        kept.sort(key=_by_digest)
        return _product_node(kept, total, shape, dtype)

    return elementwise("multiply", bases, make)


def _product_node(
    factors: list[tuple[Node, float]], coefficient: float, shape: Shape, dtype: str
) -> Node:
    if not factors or coefficient == 0:
        return full(shape, coefficient, dtype)
    (first, e), *more = factors
    if e == 1 and not more:
        if coefficient == 1:
            return broadcast_to(cast(first, dtype), shape)
        if first.op == "add" and _absorbs(first, coefficient):
            terms = zip(first.inputs, first.attr("coefficients"), strict=True)
            inside = coefficient if len(first.inputs) == 1 else -1.0
            scaled = linear_combination(
                [(x, inside * c) for x, c in terms], inside * first.attr("constant"), dtype
            )
            return broadcast_to(power_product([(scaled, 1.0)], coefficient / inside), shape)
    if coefficient < 0:
        for i, (base, p) in enumerate(factors):
            alone = all(x is base or x.ndim == 0 for x, _ in factors)
            if base.op == "add" and p % 2 == 1 and _takes_sign(base, alone):
                # The sign of a label goes into the label: -(2y - 1) z is (1 - 2y) z.
                flipped = [*factors[:i], (_product_node([(base, 1.0)], -1.0, base.shape, dtype), p)]
                return power_product([*flipped, *factors[i + 1 :]], -coefficient, dtype)
    node = Node.make(
        "mul",
        [base for base, _ in factors],
        exponents=tuple(p for _, p in factors),
        coefficient=coefficient,
        dtype=dtype,
    )
    return broadcast_to(node, shape)


def _absorbs(add: Node, coefficient: float) -> bool:
    """Whether a number (or its sign) before a sum goes into it: ``-(x - y)`` is ``y - x``.

    A number goes into ``c x + d``; a minus sign into sums with a constant and into those that
    have as many terms with minus as with plus.  (:func:`linear_combination` pulls it out of sums
    with more.)
    """
    coefficients = add.attr("coefficients")
    if len(coefficients) == 1:
        return True
    if add.attr("constant") != 0:
        return coefficient == -1
    return coefficient < 0 and 2 * sum(c < 0 for c in coefficients) == len(coefficients)


def _takes_sign(add: Node, alone: bool) -> bool:
    """Whether a minus sign before a product goes into a sum among its factors.

    Into a label's; into a difference only where nothing but scalars stand beside it: -r rᵀ stays.
    """
    coefficients = add.attr("coefficients")
    balanced = not add.attr("constant") and 2 * sum(c < 0 for c in coefficients)
    return add.facts.plus_minus_one or (alone and balanced == len(coefficients))


#: Beside other terms, c x + d with a larger d is left alone: z − 10⁹ (1 − m) has all digits of z
#: where m is 1, and z + 10⁹ m − 10⁹ has none in float32.
_MOST_OPENED = 100.0


def _term(node: Node, c: float, alone: bool) -> tuple[float, Node | None, float]:
    """c*node as (constant, base, coefficient of base)."""
    value = number_of(node)
    if value is not None:
        return c * value, None, 0.0
    if node.is_view and node.inputs[0].op in ("mul", "add"):
        number, base, own = _term(node.inputs[0], c, alone)
        return number, None if base is None else rewrap(node, base), own
    if node.op == "mul" and node.attr("coefficient") != 1:
        return 0.0, _bare(node)[0], c * node.attr("coefficient")
    if node.op == "add" and len(node.inputs) == 1:
        inner = node.attr("coefficients")[0]
        if not alone and abs(c * node.attr("constant")) > _MOST_OPENED:
            return 0.0, node, c
        return c * node.attr("constant"), node.inputs[0], c * inner
    return 0.0, node, c


def _common_scale(coefficients: Sequence[float]) -> float:
    """What stands before a sum: the size that all coefficients share, and a majority's minus."""
    sizes = {abs(c) for c in coefficients}
    size = sizes.pop() if len(sizes) == 1 else 1.0
    return -size if 2 * sum(c < 0 for c in coefficients) > len(coefficients) else size


def linear_combination(
    terms: Sequence[tuple[Node, float]], constant_term: float = 0.0, dtype: str | None = None
) -> Node:
    """constant + sum c_i x_i, broadcasting as NumPy does; like terms are merged."""
    bases = [base for base, _ in terms]
    coefficients = [rounded_root(float(c)) for _, c in terms]
    constant_term = rounded_root(float(constant_term))
    resolved = shared_float(bases)
    if resolved is None:
        bases, resolved = arithmetic(bases, all(map(_is_whole, [*coefficients, constant_term])))
    dtype = dtype or resolved
    if not bases:
        return constant(constant_term, dtype)

    def make(cores: list[Node]) -> Node:
        shape = broadcast_shapes(*[x.shape for x in cores])
        total = float(constant_term)
        sums: dict[Node, float] = {}
        alone = total == 0 and len(set(cores)) == 1
        for core, c in zip(cores, coefficients, strict=True):
            if core.op not in _LOOKED_INTO and not core.is_view:
                sums[core] = sums.get(core, 0.0) + c
                continue
            number, base, own = _term(core, c, alone)
            total += number
            if base is not None:
                sums[base] = sums.get(base, 0.0) + own
        kept = [(base, c) for base, c in sums.items() if c != 0]
        kept.sort(key=_by_digest)
        if not kept:
            return full(shape, total, dtype)
        if len(kept) == 1 and total == 0:
            return broadcast_to(power_product([(kept[0][0], 1.0)], kept[0][1], dtype), shape)
        scale = _common_scale([c for _, c in kept]) if total == 0 else 1.0
        node = Node.make(
            "add",
            [base for base, _ in kept],
            coefficients=tuple(c / scale for _, c in kept),
            constant=total,
            dtype=dtype,
        )
        if scale != 1:
            node = power_product([(node, 1.0)], scale)
        return broadcast_to(node, shape)

    return elementwise("add", bases, make)


def with_inputs(node: Node, inputs: Sequence[Node]) -> Node:
    """A sum or a product with other terms or factors.

    What is in normal form stays so where the new ones are as plain as can be.
    """
    name = "exponents" if node.op == "mul" else "coefficients"
    pairs = list(zip(inputs, node.attr(name), strict=True))
    number: float = node.attr("coefficient" if node.op == "mul" else "constant")
    if len(set(inputs)) == len(inputs) and all(map(_is_as_plain, node.inputs, inputs)):
        pairs.sort(key=_by_digest)
        settings = {name: tuple([c for _, c in pairs]), "dtype": node.attr("dtype")}
        if node.op == "mul":
            return Node.make("mul", [x for x, _ in pairs], coefficient=number, **settings)
        return Node.make("add", [x for x, _ in pairs], constant=number, **settings)
    return (power_product if node.op == "mul" else linear_combination)(pairs, number)


def _is_as_plain(old: Node, new: Node) -> bool:
    """Whether a sum or product holds one node wherever it holds another."""
    if new is old:
        return True
    if new.shape != old.shape or new.dtype != old.dtype or old.is_view or new.is_view:
        return False
    return new.op not in _LOOKED_INTO and not new.facts.zero_or_one
