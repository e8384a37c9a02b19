# mypy: ignore-errors
# ruff: noqa: ANN001, ANN003, ANN202, B905
"""Arguments are looked at once, on the way in, so that what is wrong is said in its own name."""

import numpy as np

DTYPE = "float64"
INPUTS = {}
PARAMETERS = {}
_INPUT_DTYPES = {}
_INPUT_FACTS = {}
_TRAINABLE = ()
_SEEN = {}


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


def _check_facts(arrays):
    """What is declared of the inputs is looked at, on demand; labels are looked at always."""
    for name, array in arrays.items():
        for fact, value in _INPUT_FACTS[name].items():
            wrong, numbers = _not_as_declared(fact, value, array)
            if np.any(wrong):
                place = np.argwhere(wrong)[0].tolist()
                what = "a sum of " if numbers.ndim < array.ndim else ""
                where = f" at {place}" if place else ""
                number = numbers[wrong].flat[0]
                raise ValueError(f"{name}: declared {fact}, got {what}{number}{where}")


def _not_as_declared(fact, value, array):
    """Where a declared fact is not true, and the numbers there; nan is nowhere as declared."""
    close = 1e-5 if array.dtype == np.float32 else 1e-6
    if fact == "sums_to_one":
        sums = array.sum(axis=-1, dtype=np.float64)
        return ~(np.abs(sums - 1) <= close), sums
    if fact == "one_hot":
        other = (array != 0) & (array != 1)
        sums = array.sum(axis=-1)
        return (other, array) if other.any() else (sums != 1, sums)
    if fact == "symmetric":
        mirrored = array.swapaxes(-1, -2)
        close *= np.max(np.abs(array), initial=0)
        return (array != mirrored) & ~(np.abs(array - mirrored) <= close), array
    if fact == "range":
        return ~((array >= value[0]) & (array <= value[1])), array
    wrong = {
        "positive": ~(array > 0),
        "nonnegative": ~(array >= 0),
        "nonzero": (array == 0) | (array != array),
        "zero_or_one": (array != 0) & (array != 1),
        "plus_minus_one": np.abs(array) != 1,
    }
    return wrong.get(fact, False), array


def _check_max_norms(what, given):
    """A bound for each trainable parameter."""
    if not hasattr(given, "keys") or sorted(given) != sorted(_TRAINABLE):
        names = ", ".join(_TRAINABLE)
        raise ValueError(f"{what}: expected a dict of numbers with the names {names}, got {given}")
    return {name: _check_max_norm(f"{what}[{name!r}]", given[name]) for name in _TRAINABLE}


def _ask(weight, sq_norms):
    """The weights that the caller's function gives the examples, for each trainable parameter."""
    found = weight(dict(sq_norms))
    given = found if hasattr(found, "keys") else dict.fromkeys(sq_norms, found)
    if sorted(given) != sorted(sq_norms):
        raise ValueError(f"weight: expected weights for {', '.join(sq_norms)}, got {list(given)}")
    weights = {}
    for name, s in sq_norms.items():
        array = np.asarray(given[name])
        if array.dtype.kind not in "fiub" or array.shape not in ((), s.shape):
            raise ValueError(
                f"weight: expected numbers, {s.shape}, got {array.dtype} of shape {array.shape}"
            )
        weights[name] = np.broadcast_to(array.astype(s.dtype), s.shape)
    return weights


def _check_max_norm(what, value):
    """The bound on the norm of an example's gradient."""
    if type(value) is float and value >= 0:
        return np.asarray(value, DTYPE)
    bound = _as_array(what, value, DTYPE, "fiu", (), {})
    if not bound >= 0:
        raise ValueError(f"{what}: expected a number that is not negative, got {value}")
    return bound.astype(DTYPE)
