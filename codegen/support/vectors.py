# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202
"""The trainable parameters as one flat vector, and back."""

import math

import numpy as np

from codegen.support.validation import _as_array, _size

DTYPE = "float64"
PARAMETERS = {}
_TRAINABLE = ()


def _cast(arrays):
    """The arrays of a dict in the module's dtype."""
    return {name: array.astype(DTYPE) for name, array in arrays.items()}


def _flatten(what, given):
    """The arrays under the trainable names, flat, one behind the other."""
    missing = [name for name in _TRAINABLE if name not in given]
    if missing:
        names = ", ".join(_TRAINABLE)
        raise ValueError(f"{what}: expected the names {names}; missing {', '.join(missing)}")
    sizes, parts = {}, [np.zeros(0, DTYPE)]
    for name in _TRAINABLE:
        place = f"{what}[{name!r}]"
        array = _as_array(place, given[name], DTYPE, "fiu", PARAMETERS[name], sizes)
        parts.append(array.astype(DTYPE).ravel())
    return np.concatenate(parts)


def _trainable_shapes(sizes):
    """The shapes of the trainable parameters, in numbers."""
    return {name: tuple(_size(s, sizes) for s in PARAMETERS[name]) for name in _TRAINABLE}


def _count(sizes):
    """How many numbers the trainable parameters hold."""
    return sum(math.prod(shape) for shape in _trainable_shapes(sizes).values())


def _solved(sizes, total):
    """The sizes with the one that is None, if any, so that there are total numbers in all."""
    unknown = [name for name, size in sizes.items() if size is None]
    if len(unknown) > 1:
        raise ValueError(f"unravel: the sizes {', '.join(unknown)} are needed, all but one")
    low, high = 0, total
    while unknown and low < high:  # the count grows with each size
        middle = (low + high) // 2
        enough = _count({**sizes, unknown[0]: middle}) >= total
        low, high = (low, middle) if enough else (middle + 1, high)
    return {**sizes, **dict.fromkeys(unknown, low)}


def _unflatten(what, flat, sizes):
    """A flat vector as arrays under the trainable names."""
    flat = np.asarray(flat)
    if flat.ndim != 1 or flat.dtype.kind not in "fiu":
        raise ValueError(f"{what}: expected a vector of numbers, got {flat.dtype} {flat.shape}")
    sizes = _solved(sizes, flat.size)
    count = _count(sizes)
    if count != flat.size:
        where = f" with {sizes}" if sizes else ""
        raise ValueError(f"{what}: expected {count} numbers{where}, got {flat.size}")
    arrays, start = {}, 0
    for name, shape in _trainable_shapes(sizes).items():
        stop = start + math.prod(shape)
        arrays[name] = flat[start:stop].reshape(shape).astype(DTYPE)
        start = stop
    return arrays
