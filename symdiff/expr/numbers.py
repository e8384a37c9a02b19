"""Numbers, sizes and dtypes: constants, casts, and what dtype arithmetic has.

Numbers are weak: they take the dtype of the floats that they meet.  Where no float is present and
one is needed, it is the default dtype of the context, which a spec sets to its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import numpy as np

from symdiff.expr.node import Node
from symdiff.expr.ops import promote
from symdiff.expr.shapes import Shape, Size, size_factors
from symdiff.expr.views import broadcast_to, through_view

FLOATS = ("float32", "float64")

_DEFAULT: ContextVar[str] = ContextVar("default_dtype", default="float64")

Number = int | float


@contextmanager
def default_dtype(dtype: str) -> Iterator[None]:
    """Within the block, numbers and whole-number results that must be floats become ``dtype``."""
    token = _DEFAULT.set(check_dtype(dtype))
    try:
        yield
    finally:
        _DEFAULT.reset(token)


def current_dtype() -> str:
    """The float dtype that numbers without a dtype take."""
    return _DEFAULT.get()


def check_dtype(dtype: str) -> str:
    """The dtype, or a ValueError that lists those there are."""
    if dtype not in ("float32", "float64", "int64", "bool"):
        raise ValueError(f"dtype {dtype!r} is not one of float32, float64, int64, bool")
    return dtype


def constant(value: Any, dtype: str | None = None) -> Node:
    """A constant node; floats without a dtype take the default one, whole numbers int64.

    The value is keyed by dtype, shape and bytes: 0.0 and -0.0, NaN, True, 1 and 1.0 stay apart.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a constant holds numbers, not {array.dtype}")
    if dtype is None:
        if array.dtype.kind == "b":
            dtype = "bool"
        elif array.dtype.kind in "iu":
            dtype = "int64"
        elif isinstance(value, np.ndarray) and str(array.dtype) in FLOATS:
            dtype = str(array.dtype)
        else:
            dtype = current_dtype()
    # Floats keep every digit that they were given until they are used: folding 0.5 * 1e-4 in
    # float32 would lose half of them.
    stored = "float64" if check_dtype(dtype) in FLOATS else dtype
    array = np.ascontiguousarray(array.astype(stored))
    shape = tuple(int(n) for n in np.shape(value))
    return Node.make("constant", dtype=dtype, shape=shape, data=array.tobytes())


def number_of(node: Node) -> float | None:
    """The value of a one-element constant, seen through broadcasts; None for anything else."""
    while node.op == "contract" and len(node.inputs) == 1 and node.inputs[0].ndim == 0:
        node = node.inputs[0]
    if node.op == "constant" and node.value.size == 1:
        return float(node.exact_value.reshape(-1)[0])
    return None


def full(shape: Shape, value: Number, dtype: str) -> Node:
    """The number, broadcast to the shape."""
    return broadcast_to(constant(value, dtype), shape)


def size_node(size: Size, dtype: str = "int64") -> Node:
    """A size as a 0-d number; a product of sizes is the product of theirs."""
    if isinstance(size, int):
        return constant(size, dtype)
    number, powers = size_factors(size)
    if number == 1 and len(powers) == 1 and powers[0][1] == 1:
        return Node.make("size", size=size, dtype=dtype)
    factors = [(Node.make("size", size=base, dtype=dtype), float(e)) for base, e in powers]
    return _product(factors, number, dtype)


def cast(x: Node, dtype: str) -> Node:
    """x in another dtype."""
    if x.dtype == check_dtype(dtype):
        return x
    if x.op == "size":
        return size_node(x.attr("size"), dtype)
    if x.op == "constant":
        return constant(x.exact_value, dtype)
    if x.op == "cast" and x.inputs[0].dtype in ("bool", "int64") and dtype in FLOATS:
        return cast(x.inputs[0], dtype)
    if x.op == "mul" and all(y.op == "size" for y in x.inputs):
        factors = zip(x.inputs, x.attr("exponents"), strict=True)
        return _product([(cast(y, dtype), e) for y, e in factors], x.attr("coefficient"), dtype)
    return through_view(
        x, lambda core: Node.make("cast", [x], dtype=dtype) if core is x else cast(core, dtype)
    )


def shared_float(inputs: Sequence[Node]) -> str | None:
    """The dtype, where all inputs are floats of one."""
    dtype = inputs[0].dtype if inputs else None
    if dtype not in FLOATS:
        return None
    for x in inputs:
        if x.dtype != dtype:
            return None
    return dtype


def arithmetic(inputs: Sequence[Node], whole: bool = True) -> tuple[list[Node], str]:
    """The inputs of an arithmetic operation, cast where NumPy's promotion would widen them.

    Whole numbers and truth values take the dtype of the floats beside them; alone, whole numbers
    stay so if ``whole``, and the rest takes the default dtype.
    """
    shared = shared_float(inputs)
    if shared is not None:
        return list(inputs), shared
    floats = [x.dtype for x in inputs if x.dtype in FLOATS]
    if floats:
        dtype = promote(*floats)
        return [x if x.dtype in FLOATS else cast(x, dtype) for x in inputs], dtype
    if whole and inputs and all(x.dtype == "int64" for x in inputs):
        return list(inputs), "int64"
    dtype = current_dtype()
    return [cast(x, dtype) for x in inputs], dtype


def _product(factors: Sequence[tuple[Node, float]], number: float, dtype: str) -> Node:
    from symdiff.expr.algebra import power_product  # which is made of the numbers here

    return power_product(factors, number, dtype)


_FEW_BITS = 4096.0  # numerators of 12 bits


@lru_cache(maxsize=4096)
def rounded_away(value: float) -> float:
    """A number that arithmetic on numbers gave, without its rounding: ½ for √½ · √½.

    A number within three units in the last place of one with 12 bits, or of the root of such a
    one, is taken for that; by chance that is so once in 10¹¹ times.
    """
    if value == 0 or not math.isfinite(value):
        return value
    near = _of_few_bits(value)
    return rounded_root(value) if near is None else near


@lru_cache(maxsize=4096)
def rounded_root(value: float) -> float:
    """A number that somebody wrote: where it is nearly an irrational root, that, correctly rounded.

    So 0.7071067811865475, which is 1/√2 in floating point, is the √½ that a formula computes;
    any other number stays as it was written.
    """
    square = value * value
    if not 1e-300 < square < 1e300 or _of_few_bits(value) is not None:
        return value
    root = _of_few_bits(square)
    return value if root is None else math.copysign(math.sqrt(root), value)


def _of_few_bits(value: float) -> float | None:
    mantissa, exponent = math.frexp(value)
    near = math.ldexp(round(mantissa * _FEW_BITS) / _FEW_BITS, exponent)
    return near if abs(near - value) <= 7e-16 * abs(value) else None
