# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN202, B905
"""Functions of arrays that are more than one NumPy call; each keeps its argument's dtype."""

import math

import numpy as np
from scipy.special import erf, erfcx


def _sigmoid(x):
    """1 / (1 + exp(-x)), without overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _sigmoid_slope(x):
    """_sigmoid(x) * _sigmoid(-x), with one exponential."""
    small = np.exp(-np.abs(x))
    return small / (1 + small) ** 2


def _softplus(x):
    """log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _log_erfc(x):
    """log(erfc(x)), also where erfc(x) is too small for a number."""
    above = np.maximum(x, 1)
    far = np.log(erfcx(above)) - above * above
    return np.where(x > 1, far, np.log1p(-erf(np.minimum(x, 1))))


def _erfc_hazard(x):
    """The slope of -log(erfc(x))."""
    return 1.1283791670955126 / erfcx(x)


def _log1mexp(x):
    """log(1 - exp(x)) for x < 0, by the branch that loses no digits."""
    return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _reciprocal_or_zero(x):
    """1 / x, and 0 where x is 0."""
    return np.divide(1, x, out=np.zeros_like(x), where=x != 0)


def _divide_or_zero(x, y):
    """x / y, and 0 where y is 0."""
    out = np.zeros(np.broadcast(x, y).shape, y.dtype)
    return np.divide(x, y, out=out, where=y != 0)


def _peak(x, axis):
    """The maximum along axis, kept; a finite number even so, since inf - inf is no number."""
    limits = np.finfo(x.dtype)
    return np.minimum(_largest(x, axis), limits.max)


def _largest(x, axis):
    """The maximum along axis, kept; of short rows place by place, which NumPy does faster."""
    lowest = np.finfo(x.dtype).min  # not -inf, since inf - inf is no number
    if axis == -1 and 0 < x.shape[-1] <= 32:
        columns = x.reshape(-1, x.shape[-1]).T.copy()
        return np.maximum.reduce(columns, initial=lowest).reshape(*x.shape[:-1], 1)
    return x.max(axis=axis, keepdims=True, initial=lowest)


def _softmax(x, axis):
    """exp(x) / sum(exp(x)) along axis, shifted so that nothing overflows."""
    weights = np.exp(x - _largest(x, axis))
    return weights / weights.sum(axis=axis, keepdims=True)


def _log_softmax(x, axis):
    """x - log(sum(exp(x))) along axis, shifted so that nothing overflows."""
    shifted = x - _peak(x, axis)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _logsumexp(x, axis):
    """log(sum(exp(x))) along axis, shifted so that nothing overflows."""
    peak = _peak(x, axis)
    total = np.exp(x - peak).sum(axis=axis, keepdims=True)
    return (np.log(total) + peak).squeeze(axis=axis)


def _one_hot(index, n, dtype):
    """1 at the index along a new last axis of size n; zeros where it is out of range."""
    return (index[..., None] == np.arange(n)).astype(dtype)


def _places(index, batch):
    """The index together with the positions of its first `batch` axes."""
    axes = [
        np.arange(n).reshape((n,) + (1,) * (index.ndim - axis - 1))
        for axis, n in enumerate(index.shape[:batch])
    ]
    return (*axes, index)


def _take(x, index, batch):
    """x[b..., index[b..., i...]] for all b and i; b runs over `batch` axes."""
    return x[_places(index, batch)]


def _scatter_add(rows, index, n, batch=0):
    """Zeros with the rows added where the index says; what falls on one place adds up."""
    result = np.zeros((*index.shape[:batch], n, *rows.shape[index.ndim :]), rows.dtype)
    np.add.at(result, _places(index, batch), rows)
    return result


def _pooled(function, x, axes, out):
    """The function of all elements along axes of few: whole arrays, one after the other."""
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    first, *rest = np.ndindex(moved.shape[x.ndim - len(axes) :])
    if out is None:
        out = moved[(..., *first)].copy(order="K")
    else:
        out[...] = moved[(..., *first)]
    for place in rest:
        function(out, moved[(..., *place)], out=out)
    return out


def _masked(x, mask, out=None):
    """x where the mask is true, else 0; a product, but where infinities would make that nan."""
    if np.isfinite(x.sum()):
        return np.multiply(x, mask, out=out)
    chosen = np.where(mask, x, 0)
    if out is None:
        return chosen
    out[...] = chosen
    return out


def _pooled_max(x, axes, out=None):
    """x.max(axis=axes), for axes of few elements."""
    return _pooled(np.maximum, x, axes, out)


def _pooled_sum(x, axes, out=None):
    """x.sum(axis=axes), for axes of few elements."""
    return _pooled(np.add, x, axes, out)


def _overlap_add(windows, axes, lengths, strides=None, dilations=None, out=None):
    """Windows added up where they were taken from: one strided sum a place in the window."""
    strides = strides or (1,) * len(axes)
    dilations = dilations or (1,) * len(axes)
    rank = windows.ndim - len(axes)
    if out is None:
        shape = list(windows.shape[:rank])
        for axis, length in zip(axes, lengths):
            shape[axis] = length
        # The axes lie in memory in the order of the windows', whatever that is.
        out = np.zeros_like(windows[(..., *[0] * len(axes))], shape=shape)
    else:
        out[...] = 0
    for offsets in np.ndindex(windows.shape[rank:]):
        places = [slice(None)] * rank
        for axis, k, stride, dilation in zip(axes, offsets, strides, dilations):
            begin = k * dilation
            places[axis] = slice(begin, begin + windows.shape[axis] * stride, stride)
        out[tuple(places)] += windows[(..., *offsets)]
    return out


def _spread(x, padding):
    """Zeros with the elements of x put (before, after, between) each axis' zeros."""
    shape = [
        before + n + max(n - 1, 0) * between + after
        for n, (before, after, between) in zip(x.shape, padding)
    ]
    result = np.zeros(shape, x.dtype)
    place = [
        slice(before, before + n * (between + 1), between + 1)
        for n, (before, after, between) in zip(x.shape, padding)
    ]
    result[tuple(place)] = x
    return result


def _nonzero(size, what):
    """Refuse to divide by a size that is 0."""
    if size == 0:
        raise ValueError(f"{what} is 0: the mean over nothing is not defined")


def _fits(holds, said, sizes):
    """Refuse sizes for which what is said does not hold."""
    if not holds:
        got = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        raise ValueError(f"{said}, got {got}")


def _buffers(work, function, *groups):
    """Arrays to compute in, `count` of each dtype and shape: new ones, or those that work keeps.

    Those that are to hold a number are filled with it.
    """
    if work is None:
        return [
            np.full(shape, *number, dtype) if number else np.empty(shape, dtype)
            for count, dtype, shape, *number in groups
            for _ in range(count)
        ]
    kept = work.get(function)
    if kept is None or kept[0] != groups:
        kept = work[function] = groups, _buffers(None, function, *groups)
    return kept[1]


def _beginning(buffer, shape):
    """The first elements of a buffer, in a shape of their own."""
    return buffer.reshape(-1)[: math.prod(shape)].reshape(shape)


def _softplus_into(x, out=None):
    """log(1 + exp(x)), without overflow."""
    positive = np.maximum(x, 0)
    out = np.abs(x, out=out)
    np.negative(out, out=out)
    np.log1p(np.exp(out, out=out), out=out)
    out += positive
    return out


def _softmax_into(x, axis, out=None):
    """exp(x) / sum(exp(x)) along axis, shifted so that nothing overflows."""
    out = np.subtract(x, _largest(x, axis), out=out)
    np.exp(out, out=out)
    out /= _row_sums(out) if axis == -1 else out.sum(axis=axis, keepdims=True)
    return out


def _row_sums(x):
    """The sum along the last axis, kept, as a product with ones: BLAS adds short rows faster."""
    n = x.shape[-1]
    return x.reshape(-1, n).dot(np.ones(n, x.dtype)).reshape(*x.shape[:-1], 1)


def _less_one_hot(x, index, out=None):
    """x less 1 at the index along the last axis."""
    if out is None:
        out = x.copy()
    elif out is not x:
        out[...] = x
    n = out.shape[-1]
    places = np.arange(0, out.size, n).reshape(index.shape)
    places += index
    out.reshape(-1)[places] -= 1
    return out


def _log_softmax_into(x, axis, out=None):
    """x - log(sum(exp(x))) along axis, shifted so that nothing overflows."""
    out = np.subtract(x, _peak(x, axis), out=out)
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return out
