"""net: forward, loss, backward, hvp, per_example_sq_norms, per_example_norms,
  backward_with_norms, clipped_backward.

Written by symdiff 0.0 from net.toml.
Needs Python 3.11 or later and NumPy 2.0 or later.
To check its derivatives: python net.py --check
"""

import math

import numpy as np

NAME = "net"
DTYPE = "float32"
SYMDIFF_VERSION = "0.0"
SPEC_SHA256 = "0000000000000000000000000000000000000000000000000000000000000000"
INPUTS = {"x": ("batch", 4), "y": ("batch",)}
PARAMETERS = {"W": (4, 3), "c": (3,)}
_TRAINABLE = ("W", "c")
_INPUT_DTYPES = {"x": "float32", "y": "int64"}
_INPUT_FACTS = {"y": {"labels": 3}}
_EXAMPLES = ("batch",)
_SIZES = {"batch": 5}
_SEEN = {}
# NumPy takes a number in an array in half the time that a Python number takes.
_1 = np.array(1, DTYPE)


class Workspace(dict):
    """Arrays that functions compute in, kept between calls: pass one as ``work``.

    What a call returns stands in them, and the next call of that function overwrites it.  One
    workspace serves one thread.
    """


def init(seed=0):
    """Fresh parameters: a dict name -> array; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    return _cast({
        "W": rng.uniform(-1, 1, (4, 3)) * np.sqrt(6 / (4 + 3)),  # glorot_uniform
        "c": np.zeros(3),
    })


@np.errstate(all="ignore")
def forward(params, x, *, work=None, check_facts=False):
    """The output."""
    params, x = _check_arguments({"x": x}, params=params)
    return _forward(params, x, work)


def _forward(params, x, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]

    b = _buffers(work, "forward", (1, dtype, (batch, 3)))
    output = x.dot(W, out=b[0])
    output += c
    return output


@np.errstate(all="ignore")
def loss(params, x, y, *, work=None, check_facts=False):
    """The loss: a number."""
    params, x, y = _check_arguments({"x": x, "y": y}, params=params)
    return _loss(params, x, y, work)


def _loss(params, x, y, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]
    _nonzero(batch, "batch")

    b = _buffers(
        work, "loss", (2, dtype, (batch, 3)), (1, dtype, (3,), 1), (1, dtype, (batch,))
    )
    product = x.dot(W, out=b[0])
    product += c
    product -= _peak(product, axis=-1)
    t1 = np.exp(product, out=b[1])
    ones = b[2]
    total = t1.dot(ones, out=b[3])
    np.log(total, out=total)
    np.subtract(product[np.arange(batch), y], total, out=total)
    loss = 0.05 * np.vdot(W, W) - total.sum() / batch
    return loss


@np.errstate(all="ignore")
def backward(params, x, y, *, work=None, check_facts=False):
    """(loss, grads): the loss, and its gradient for each trainable parameter."""
    params, x, y = _check_arguments({"x": x, "y": y}, params=params)
    return _backward(params, x, y, work)


def _backward(params, x, y, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]
    _nonzero(batch, "batch")

    b = _buffers(
        work, "backward", (2, dtype, (batch, 3)), (1, dtype, (3,), 1),
        (2, dtype, (batch,)), (1, dtype, (batch,), 1), (1, dtype, (3,)),
        (2, dtype, (4, 3))
    )
    product = x.dot(W, out=b[0])
    product += c
    product -= _peak(product, axis=-1)
    t1 = np.exp(product, out=b[1])
    ones = b[2]
    total = t1.dot(ones, out=b[3])
    t2 = np.log(total, out=b[4])
    np.subtract(product[np.arange(batch), y], t2, out=t2)
    loss = 0.05 * np.vdot(W, W) - t2.sum() / batch
    t1 /= total[:, None]
    total_2 = _one_hot(y, 3, dtype).dot(ones, out=b[3])
    t1 *= total_2[:, None]
    _less_one_hot(t1, y, out=t1)
    t1 *= 1 / batch
    ones_2 = b[5]
    d_c = ones_2.dot(t1, out=b[6])
    d_W = x.T.dot(t1, out=b[7])
    t3 = np.multiply(W, 0.1, out=b[8])
    d_W += t3
    return loss, {"W": d_W, "c": d_c}


@np.errstate(all="ignore")
def hvp(params, v, x, y, *, work=None, check_facts=False):
    """The Hessian of the loss times v; v and the result have the keys of grads."""
    params, v, x, y = _check_arguments({"x": x, "y": y}, params=params, v=v)
    return _hvp(params, v, x, y, work)


def _hvp(params, v, x, y, work=None):
    W, c = params["W"], params["c"]
    v_W, v_c = v["W"], v["c"]
    dtype = W.dtype
    batch = x.shape[0]
    _nonzero(batch, "batch")

    b = _buffers(
        work, "hvp", (3, dtype, (batch, 3)), (1, dtype, (3,), 1),
        (1, dtype, (3,), 1 / batch), (1, dtype, (batch,)), (1, dtype, (batch,), 1),
        (1, dtype, (3,)), (2, dtype, (4, 3))
    )
    product = x.dot(W, out=b[0])
    product += c
    _softmax_into(product, axis=-1, out=product)
    product_2 = x.dot(v_W, out=b[1])
    product_2 += v_c
    ones = b[3]
    weights = b[4]
    total = _one_hot(y, 3, dtype).dot(weights, out=b[5])
    product_2 *= total[:, None]
    t1 = np.multiply(product_2, product, out=b[2])
    total_2 = t1.dot(ones, out=b[5])
    product_2 -= total_2[:, None]
    product *= product_2
    ones_2 = b[6]
    Hv_c = ones_2.dot(product, out=b[7])
    Hv_W = x.T.dot(product, out=b[8])
    t2 = np.multiply(v_W, 0.1, out=b[9])
    Hv_W += t2
    return {"W": Hv_W, "c": Hv_c}


@np.errstate(all="ignore")
def per_example_sq_norms(params, x, y, *, work=None, check_facts=False):
    """For each trainable parameter, the squared norm of each example's own gradient: (batch,)."""
    params, x, y = _check_arguments({"x": x, "y": y}, params=params)
    return _per_example_sq_norms(params, x, y, work)


def _per_example_sq_norms(params, x, y, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]

    b = _buffers(
        work, "per_example_sq_norms", (1, dtype, (batch, 3)), (1, dtype, (3,), 1),
        (2, dtype, (batch,)), (1, dtype, (batch, 4)), (1, dtype, (4,), 1)
    )
    product = x.dot(W, out=b[0])
    product += c
    _softmax_into(product, axis=-1, out=product)
    _less_one_hot(product, y, out=product)
    product *= product
    ones = b[1]
    s_c = product.dot(ones, out=b[2])
    t1 = np.multiply(x, x, out=b[4])
    ones_2 = b[5]
    s_W = t1.dot(ones_2, out=b[3])
    s_W *= s_c
    return {"W": s_W, "c": s_c}


@np.errstate(all="ignore")
def per_example_norms(params, x, y, *, work=None, check_facts=False):
    """The norm of each example's own gradient over all trainable parameters: (batch,)."""
    params, x, y = _check_arguments({"x": x, "y": y}, params=params)
    return _per_example_norms(params, x, y, work)


def _per_example_norms(params, x, y, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]

    b = _buffers(
        work, "per_example_norms", (1, dtype, (batch, 3)), (1, dtype, (3,), 1),
        (2, dtype, (batch,)), (1, dtype, (batch, 4)), (1, dtype, (4,), 1)
    )
    product = x.dot(W, out=b[0])
    product += c
    _softmax_into(product, axis=-1, out=product)
    _less_one_hot(product, y, out=product)
    product *= product
    ones = b[1]
    norms = product.dot(ones, out=b[2])
    t1 = np.multiply(x, x, out=b[4])
    ones_2 = b[5]
    total = t1.dot(ones_2, out=b[3])
    total *= norms
    norms += total
    np.sqrt(norms, out=norms)
    return norms


@np.errstate(all="ignore")
def backward_with_norms(params, x, y, *, work=None, check_facts=False):
    """(loss, grads, sq_norms): backward and per_example_sq_norms in one pass."""
    params, x, y = _check_arguments({"x": x, "y": y}, params=params)
    return _backward_with_norms(params, x, y, work)


def _backward_with_norms(params, x, y, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]
    _nonzero(batch, "batch")

    b = _buffers(
        work, "backward_with_norms", (3, dtype, (batch, 3)), (1, dtype, (3,), 1),
        (2, dtype, (batch,)), (1, dtype, (batch,), 1), (1, dtype, (3,)),
        (1, dtype, (batch, 4)), (1, dtype, (4,), 1), (2, dtype, (4, 3))
    )
    product = x.dot(W, out=b[0])
    product += c
    product -= _peak(product, axis=-1)
    t1 = np.exp(product, out=b[1])
    ones = b[3]
    total = t1.dot(ones, out=b[4])
    t1 /= total[:, None]
    t2 = _less_one_hot(t1, y, out=b[2])
    t2 *= t2
    s_c = t2.dot(ones, out=b[5])
    np.log(total, out=total)
    np.subtract(product[np.arange(batch), y], total, out=total)
    loss = 0.05 * np.vdot(W, W) - total.sum() / batch
    total_2 = _one_hot(y, 3, dtype).dot(ones, out=b[4])
    t1 *= total_2[:, None]
    _less_one_hot(t1, y, out=t1)
    t1 *= 1 / batch
    ones_2 = b[6]
    d_c = ones_2.dot(t1, out=b[7])
    t3 = np.multiply(x, x, out=b[8])
    ones_3 = b[9]
    s_W = t3.dot(ones_3, out=b[4])
    s_W *= s_c
    d_W = x.T.dot(t1, out=b[10])
    t4 = np.multiply(W, 0.1, out=b[11])
    d_W += t4
    return loss, {"W": d_W, "c": d_c}, {"W": s_W, "c": s_c}


@np.errstate(all="ignore")
def clipped_backward(params, x, y, max_norm, *, work=None, check_facts=False):
    """(loss, grads, norms): each example's gradient is scaled by min(1, max_norm / norm)."""
    params, x, y = _check_arguments({"x": x, "y": y}, params=params)
    max_norm = _check_max_norm("max_norm", max_norm)
    return _clipped_backward(params, x, y, max_norm, work)


def _clipped_backward(params, x, y, max_norm, work=None):
    W, c = params["W"], params["c"]
    dtype = W.dtype
    batch = x.shape[0]
    _nonzero(batch, "batch")

    b = _buffers(
        work, "clipped_backward", (2, dtype, (batch, 3)), (1, dtype, (3,), 1),
        (2, dtype, (batch,)), (1, dtype, (batch, 4)), (1, dtype, (4,), 1),
        (1, dtype, (batch,), 1), (1, dtype, (3,)), (1, dtype, (batch, 4, 3)),
        (1, dtype, (12,)), (1, dtype, (4, 3))
    )
    product = x.dot(W, out=b[0])
    product += c
    product -= _peak(product, axis=-1)
    t1 = np.exp(product, out=b[1])
    ones = b[2]
    total = t1.dot(ones, out=b[3])
    t2 = np.log(total, out=b[4])
    np.subtract(product[np.arange(batch), y], t2, out=t2)
    loss = 0.05 * np.vdot(W, W) - t2.sum() / batch
    t1 /= total[:, None]
    _less_one_hot(t1, y, out=t1)
    t3 = np.multiply(t1, t1, out=b[0])
    norms = t3.dot(ones, out=b[3])
    t4 = np.multiply(x, x, out=b[5])
    ones_2 = b[6]
    total_2 = t4.dot(ones_2, out=b[4])
    total_2 *= norms
    norms += total_2
    np.sqrt(norms, out=norms)
    t5 = np.divide(max_norm, norms, out=b[4])
    np.minimum(t5, _1, out=t5)
    t5 *= 1 / batch
    t1 *= t5[:, None]
    ones_3 = b[7]
    d_c = ones_3.dot(t1, out=b[8])
    t6 = np.multiply(t1[:, None], x[..., None], out=b[9])
    t6 = t6.reshape(batch, 12)
    total_3 = ones_3.dot(t6, out=b[10])
    total_3 = total_3.reshape(4, 3)
    d_W = np.multiply(W, 0.1, out=b[11])
    d_W += total_3
    return loss, {"W": d_W, "c": d_c}, norms


def ravel(d):
    """A dict that has the trainable names (params, grads, an hvp) as one flat vector."""
    return _flatten("d", d)


def unravel(flat):
    """A flat vector as a dict of the trainable names: what ravel undoes."""
    return _unflatten("flat", flat, {})


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


def _one_hot(index, n, dtype):
    """1 at the index along a new last axis of size n; zeros where it is out of range."""
    return (index[..., None] == np.arange(n)).astype(dtype)


def _nonzero(size, what):
    """Refuse to divide by a size that is 0."""
    if size == 0:
        raise ValueError(f"{what} is 0: the mean over nothing is not defined")


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


def _shape_text(shape):
    """A shape as it stands in INPUTS and PARAMETERS: (batch, 64)."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _size(size, sizes):
    """The number that a size is; None if it is not known."""
    return size if isinstance(size, int) else sizes.get(size)


def _check_shape(what, array, shape, sizes):
    """Compare the shape with the expected one; sizes that are names are read from the data."""
    known = {size: sizes[size] for size in shape if size in sizes}
    fits = array.ndim == len(shape)
    if fits:
        for size, have in zip(shape, array.shape):
            if isinstance(size, str):
                sizes.setdefault(size, have)
        fits = all(_size(s, sizes) == have for s, have in zip(shape, array.shape))
    if not fits:
        where = ", ".join(f"{size} = {n}" for size, n in known.items())
        where = f" with {where}" if where and array.ndim == len(shape) else ""
        expected = _shape_text(shape) + where
        raise ValueError(f"{what}: expected shape {expected}, got {array.shape}")


def _as_array(what, value, dtype, kinds, shape, sizes):
    """The value as an array of the dtype, if its kind and its shape are the expected ones."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{what}: expected an array, got {type(value).__name__}: {error}"
        ) from None
    if array.dtype.kind not in kinds:
        names = {"iu": "integers", "b": "truth values"}
        expected = names.get(kinds, "numbers")
        raise ValueError(f"{what}: expected {expected} ({dtype}), got dtype {array.dtype}")
    _check_shape(what, array, shape, sizes)
    return array


def _is_ready(value, scalar, shape, sizes):
    """Whether an argument is an array as it is wanted already, which is quickly seen."""
    if type(value) is not np.ndarray or value.dtype.type is not scalar or not value.dtype.isnative:
        return False
    if value.shape == shape:
        return True
    if value.ndim != len(shape):
        return False
    new = {}
    for size, have in zip(shape, value.shape):
        if size != have and new.setdefault(size, sizes.get(size, have)) != have:
            return False
    if any(type(size) is not str for size in new):
        return False
    sizes.update(new)
    return True


def _check_tensors(what, given, names, sizes):
    """The arrays of a dict that has exactly these names, in that order."""
    if not hasattr(given, "keys"):
        raise ValueError(f"{what}: expected a dict of arrays, got {type(given).__name__}")
    missing = [name for name in names if name not in given]
    unknown = [str(name) for name in given if name not in names]
    if missing or unknown:
        said = [f"missing {', '.join(missing)}"] * bool(missing)
        said += [f"unknown {', '.join(unknown)}"] * bool(unknown)
        raise ValueError(f"{what}: expected the names {', '.join(names)}; {'; '.join(said)}")
    arrays = {}
    for name in names:
        place = f"{what}[{name!r}]"
        array = _as_array(place, given[name], DTYPE, "fiu", PARAMETERS[name], sizes)
        arrays[name] = array.astype(DTYPE, copy=False)
    return arrays


def _alike(inputs, tensors):
    """What arguments have in common with others of which all but the numbers is the same.

    None if some are neither arrays nor dicts of such; what else is wrong is looked for by others.
    """
    alike = []
    try:
        for given in (inputs, *tensors.values()):
            if type(given) is not dict:
                return None
            alike += given
            alike += [(type(a), a.dtype, a.shape) for a in given.values()]
    except AttributeError:
        return None
    return tuple(alike)


def _check_arguments(inputs, **tensors):
    """Dicts of parameters, then of their directions, and inputs, all as arrays.

    Of arguments that differ from earlier ones in their numbers only, only labels are looked at.
    """
    like = _alike(inputs, tensors)
    sizes = _SEEN.get(like)
    if sizes is not None:
        for name, array in inputs.items():
            if name in _INPUT_FACTS:
                _check_labels(name, array, _INPUT_FACTS[name], sizes)
        return [*tensors.values(), *inputs.values()]
    sizes, checked = {}, []
    for names, (what, given) in zip((tuple(PARAMETERS), _TRAINABLE), tensors.items()):
        checked.append(_check_tensors(what, given, names, sizes))
    arrays = _check_inputs(inputs, sizes)
    if like is not None and len(_SEEN) < 1000:
        kept = all(a is b for a, b in zip(arrays, inputs.values()))
        for ours, given in zip(checked, tensors.values()):
            kept = kept and all(given[name] is array for name, array in ours.items())
        if kept:
            _SEEN[like] = sizes
    return [*checked, *arrays]


def _check_inputs(given, sizes):
    """The inputs as arrays, in order."""
    arrays = []
    for name, value in given.items():
        dtype, facts = _INPUT_DTYPES[name], _INPUT_FACTS.get(name, {})
        if _is_ready(value, np.dtype(dtype).type, INPUTS[name], sizes):
            arrays.append(value)
            continue
        truth = "b" if facts.get("zero_or_one") or facts.get("one_hot") else ""
        kinds = {"int64": "iu", "bool": "b"}.get(dtype, "fiu" + truth)
        arrays.append(_as_array(name, value, dtype, kinds, INPUTS[name], sizes))
    for name, array in zip(given, arrays):
        _check_labels(name, array, _INPUT_FACTS.get(name, {}), sizes)
    return [a.astype(_INPUT_DTYPES[name], copy=False) for name, a in zip(given, arrays)]


def _check_labels(name, array, facts, sizes):
    """Labels lie in 0 ... n - 1, or are the value that counts nothing."""
    n, ignore = _size(facts.get("labels"), sizes), facts.get("ignore")
    if n is None or array.size == 0:
        return
    # As unsigned numbers, negative ones are the largest.
    unsigned = array.view(np.uint64) if array.dtype == np.int64 else array.astype(np.uint64)
    if unsigned.max() < n:
        return
    wrong = (array < 0) | (array >= n)
    if ignore is not None:
        wrong &= array != ignore
    if wrong.any():
        also = "" if ignore is None else f" or {ignore}"
        raise ValueError(f"{name}: expected labels 0 to {n - 1}{also}, got {array[wrong].flat[0]}")


def _check_max_norm(what, value):
    """The bound on the norm of an example's gradient."""
    if type(value) is float and value >= 0:
        return np.asarray(value, DTYPE)
    bound = _as_array(what, value, DTYPE, "fiu", (), {})
    if not bound >= 0:
        raise ValueError(f"{what}: expected a number that is not negative, got {value}")
    return bound.astype(DTYPE)


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


def _random_input(rng, name, sizes):
    """Random data of which the declared facts are true."""
    facts = _INPUT_FACTS.get(name, {})
    shape = tuple(_size(size, sizes) for size in INPUTS[name])
    if _INPUT_DTYPES[name] == "bool":
        return rng.random(shape) < 0.5
    if _INPUT_DTYPES[name] == "int64":
        labels = rng.integers(0, _size(facts.get("labels", 2), sizes), shape)
        ignored = (rng.random(shape) < 0.2) & (np.arange(labels.size).reshape(shape) > 0)
        return np.where(ignored, facts["ignore"], labels) if "ignore" in facts else labels
    values = rng.standard_normal(shape)
    if facts.get("symmetric"):
        values = (values + values.swapaxes(-1, -2)) / 2
    if facts.get("one_hot"):
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if facts.get("sums_to_one"):
        return np.exp(values) / np.exp(values).sum(axis=-1, keepdims=True)
    if facts.get("zero_or_one"):
        return (values > 0).astype(float)
    if facts.get("plus_minus_one"):
        return np.where(values > 0, 1.0, -1.0)
    if "range" in facts:
        low, high = facts["range"]
        low = max(low, 0.0) if facts.get("positive") or facts.get("nonnegative") else low
        low = low if np.isfinite(low) else min(-2.0, high - 4.0)
        return low + (min(high, low + 4.0) - low) * (1 + values / (1 + np.abs(values))) / 2
    if any(facts.get(fact) for fact in ("positive", "nonnegative", "nonzero")):
        values = np.abs(values) + 0.1
    return values


def _random_arguments(rng):
    """Parameters near init, and inputs, in float64."""
    used = {size: _SIZES[size] for shape in PARAMETERS.values() for size in shape if size in _SIZES}
    params = {
        name: array + 0.1 * rng.standard_normal(array.shape)
        for name, array in init(0, **used).items()
    }
    return params, [_random_input(rng, name, _SIZES) for name in INPUTS]


def _random_direction(rng, params):
    """A random value for each trainable parameter."""
    return {name: rng.standard_normal(params[name].shape) for name in _TRAINABLE}


def _moved(params, direction, step):
    """The parameters, moved along a direction."""
    return {
        name: array + step * direction[name] if name in direction else array
        for name, array in params.items()
    }


def _dot(a, b):
    """The inner product over all trainable parameters."""
    return float(sum(np.vdot(a[name], b[name]) for name in _TRAINABLE))


def _size_of(a):
    """The Euclidean norm over all trainable parameters."""
    return _dot(a, a) ** 0.5


def _minus(a, b):
    """The difference of two dicts of arrays."""
    return {name: a[name] - b[name] for name in _TRAINABLE}


def _some_directions(rng, params):
    """Directions to differentiate along: random ones, and single coordinates of each parameter."""
    directions = [_random_direction(rng, params) for _ in range(3)]
    few = max(1, 40 // len(_TRAINABLE))
    for name in _TRAINABLE:
        for place in rng.permutation(params[name].size)[:few]:
            direction = {other: np.zeros(params[other].shape) for other in _TRAINABLE}
            direction[name].flat[place] = 1.0
            directions.append(direction)
    return directions


def _gradient_error(backward, rng, params, data):
    """The gradient against central differences of the loss."""
    loss, grads = backward(params, *data)
    total = sum(params[name].size for name in _TRAINABLE)
    typical = _size_of(grads) / max(total, 1) ** 0.5
    worst = 0.0
    for direction in _some_directions(rng, params):
        slope, errors = _dot(grads, direction), []
        for step in (1e-4, 1e-5, 1e-6):
            ahead = backward(_moved(params, direction, step), *data)[0]
            behind = backward(_moved(params, direction, -step), *data)[0]
            difference = (ahead - behind) / (2 * step)
            allowed = 1e-6 * (abs(slope) + typical) + 1e-14 * (abs(loss) + 1e-3) / step
            errors.append(abs(difference - slope) / allowed)
        worst = max(worst, np.nan_to_num(min(errors), nan=np.inf))
    return worst


def _symmetry_error(hvp, rng, params, data):
    """u . (H v) against v . (H u)."""
    u, v = _random_direction(rng, params), _random_direction(rng, params)
    along_u, along_v = hvp(params, u, *data), hvp(params, v, *data)
    sizes = _size_of(u) * _size_of(along_v) + _size_of(v) * _size_of(along_u)
    return abs(_dot(u, along_v) - _dot(v, along_u)) / (1e-9 * sizes + 1e-14)


def _curvature_error(hvp, backward, rng, params, data):
    """H v against central differences of the gradient."""
    worst = 0.0
    for direction in _some_directions(rng, params)[:6]:
        product, errors = hvp(params, direction, *data), []
        for step in (1e-4, 1e-5, 1e-6):
            ahead = backward(_moved(params, direction, step), *data)[1]
            behind = backward(_moved(params, direction, -step), *data)[1]
            slopes = {name: (ahead[name] - behind[name]) / (2 * step) for name in ahead}
            allowed = 1e-5 * _size_of(product) + 1e-14 * (_size_of(ahead) + 1e-3) / step
            errors.append(_size_of(_minus(slopes, product)) / allowed)
        worst = max(worst, np.nan_to_num(min(errors), nan=np.inf))
    return worst


def _lengths(data):
    """The sizes that are names, as the data have them."""
    return {size: n for a, s in zip(data, INPUTS.values()) for size, n in zip(s, a.shape)}


def _reduced_rows(reduction, data):
    """What the reduction divides by: 1 for a sum, else how many rows the data have."""
    lengths = _lengths(data)
    return int(np.prod([lengths.get(axis, 1) for axis in _EXAMPLES])) if reduction == "mean" else 1


def _example_gradients(backward, regularizer_gradient, reduction, params, data):
    """The gradient of each example's own loss, from one batch of 1 after the other."""
    own = {name: np.zeros(params[name].shape) for name in _TRAINABLE}
    if regularizer_gradient is not None:
        own = regularizer_gradient(params)
    gradients = []
    for j in range(_lengths(data).get(_EXAMPLES[0], 0)):
        own_rows = {_EXAMPLES[0]: slice(j, j + 1)}
        example = [
            array[tuple(own_rows.get(size, slice(None)) for size in shape)]
            for array, shape in zip(data, INPUTS.values())
        ]
        found = _minus(backward(params, *example)[1], own)
        rows = _reduced_rows(reduction, example)
        gradients.append({name: rows * found[name] for name in _TRAINABLE})
    return gradients, own


def _share(got, expected, allowed=1e-9):
    """The difference of two arrays as a share of what is allowed."""
    scale = np.max(np.abs(expected), initial=0.0)
    difference = np.max(np.abs(np.asarray(got) - expected), initial=0.0)
    return float(np.nan_to_num(difference, nan=np.inf) / (allowed * scale + 1e-13))


def _sq_norms_error(sq_norms, backward, regularizer_gradient, reduction, params, data):
    """Squared norms against the loop over examples."""
    gradients, _ = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    return max(
        _share(array, np.array([np.sum(g[name] ** 2) for g in gradients]))
        for name, array in sq_norms(params, *data).items()
    )


def _norms_error(norms, backward, regularizer_gradient, reduction, params, data):
    """Norms over all trainable parameters against the loop over examples."""
    gradients, _ = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    return _share(norms(params, *data), np.array([_size_of(g) for g in gradients]))


def _one_pass_error(backward_with_norms, sq_norms, backward, params, data):
    """The one pass against the separate functions."""
    loss, grads, norms = backward_with_norms(params, *data)
    expected_loss, expected_grads = backward(params, *data)
    expected_norms = sq_norms(params, *data)
    pairs = [(loss, expected_loss)]
    pairs += [(grads[name], expected_grads[name]) for name in _TRAINABLE]
    pairs += [(norms[name], expected_norms[name]) for name in _TRAINABLE]
    return max(_share(got, expected) for got, expected in pairs)


def _clipping_error(clipped_backward, backward, regularizer_gradient, reduction, params, data):
    """Clipped gradients against the loop over examples, for a bound that clips about half."""
    gradients, own = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    norms = np.array([_size_of(g) for g in gradients])
    bound = float(np.median(norms))
    factors = [min(1.0, bound / norm) if norm else 1.0 for norm in norms]
    divisor = _reduced_rows(reduction, data)
    loss, grads, got_norms = clipped_backward(params, *data, np.float64(bound))
    expected = {
        name: sum(c * g[name] for c, g in zip(factors, gradients)) / divisor + own[name]
        for name in _TRAINABLE
    }
    return max(
        _share(loss, backward(params, *data)[0]),
        _share(got_norms, norms),
        *(_share(grads[name], expected[name]) for name in _TRAINABLE),
    )


def _report(checks):
    """Print a line a check; whether all are right."""
    for what, error in checks.items():
        print(f"{'ok  ' if error <= 1 else 'FAIL'}  {what}: {error:.2g} of what is allowed")
    return all(error <= 1 for error in checks.values())


def _regularizer_gradient(params, work=None):
    """The gradient of what the loss adds to its examples', for the check."""
    W = params["W"]
    dtype = W.dtype

    b = _buffers(work, "_regularizer_gradient", (1, dtype, (4, 3)))
    d_W = np.multiply(W, 0.1, out=b[0])
    d_c = np.zeros(3, dtype=dtype)
    return {"W": d_W, "c": d_c}


def _self_check():
    """Check the derivatives in float64, a line a check; whether all are right."""
    checks = {}
    rng = np.random.default_rng(0)
    params, data = _random_arguments(rng)
    with np.errstate(all="ignore"):
        checks["the gradient against finite differences"] = _gradient_error(
            _backward, rng, params, data
        )
        checks["hvp: u . (H v) against v . (H u)"] = _symmetry_error(
            _hvp, rng, params, data
        )
        checks["hvp against finite differences of the gradient"] = _curvature_error(
            _hvp, _backward, rng, params, data
        )
        checks["per_example_sq_norms against a loop over examples"] = _sq_norms_error(
            _per_example_sq_norms, _backward, _regularizer_gradient, "mean", params,
            data
        )
        checks["per_example_norms against a loop over examples"] = _norms_error(
            _per_example_norms, _backward, _regularizer_gradient, "mean", params, data
        )
        checks["backward_with_norms against the separate functions"] = _one_pass_error(
            _backward_with_norms, _per_example_sq_norms, _backward, params, data
        )
        checks["clipped_backward against a loop over examples"] = _clipping_error(
            _clipped_backward, _backward, _regularizer_gradient, "mean", params, data
        )
    return _report(checks)


if __name__ == "__main__":
    import sys

    if sys.argv[1:] != ["--check"]:
        sys.exit(f"usage: python {sys.argv[0]} --check")
    sys.exit(0 if _self_check() else 1)
