# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, B905
"""A module's check of its own derivatives, in float64, on random data that its facts allow.

Each check returns the worst error as a share of what is allowed: 1 or less is right.  Finite
differences are tried with several steps, and the best one counts: too large a step is wrong by
the curvature, too small a one by rounding, and either may cross a kink.
"""

import numpy as np

from codegen.support.validation import _size

DTYPE = "float64"
INPUTS = {}
PARAMETERS = {}
_INPUT_DTYPES = {}
_INPUT_FACTS = {}
_TRAINABLE = ()
_EXAMPLES = ("batch",)
_SIZES = {}
init = dict  # the module's own


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


def _weighted(factors, gradients, own, divisor):
    """The sum of the examples' gradients, each times its factor for each parameter, divided."""
    return {
        name: sum(c * g[name] for c, g in zip(factors[name], gradients)) / divisor + own[name]
        for name in _TRAINABLE
    }


def _each_clipping_error(clipped, backward, regularizer_gradient, reduction, params, data):
    """Gradients clipped by parameter against the loop, for bounds that clip about half."""
    gradients, own = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    norms = {n: np.array([np.sum(g[n] ** 2) ** 0.5 for g in gradients]) for n in _TRAINABLE}
    bounds = {name: np.float64(np.median(norms[name])) for name in _TRAINABLE}
    factors = {
        name: [min(1.0, bounds[name] / norm) if norm else 1.0 for norm in norms[name]]
        for name in _TRAINABLE
    }
    _, grads, got = clipped(params, *data, bounds)
    expected = _weighted(factors, gradients, own, _reduced_rows(reduction, data))
    shares = [_share(grads[name], expected[name]) for name in _TRAINABLE]
    return max([*shares, *(_share(got[name], norms[name]) for name in _TRAINABLE)])


def _some_weights(sq_norms):
    """Weights of examples that hang on all of their squared norms."""
    return 1 / (1 + sum(sq_norms.values()))


def _weighting_error(weighted, backward, regularizer_gradient, reduction, params, data):
    """Weighted gradients against the loop, for weights that hang on all squared norms."""
    gradients, own = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    weights = 1 / (1 + np.array([_dot(g, g) for g in gradients]))
    _, grads, _ = weighted(params, *data, _some_weights)
    factors = dict.fromkeys(_TRAINABLE, weights)
    expected = _weighted(factors, gradients, own, _reduced_rows(reduction, data))
    return max(_share(grads[name], expected[name]) for name in _TRAINABLE)


def _diagonal_error(diagonal, backward, regularizer_gradient, reduction, params, data):
    """The reduced squares of the examples' gradients against the loop."""
    gradients, _ = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    divisor = _reduced_rows(reduction, data)
    expected = {n: sum(g[n] ** 2 for g in gradients) / divisor for n in _TRAINABLE}
    found = diagonal(params, *data)
    return max(_share(found[name], expected[name]) for name in _TRAINABLE)


def _outer_error(product, rng, backward, regularizer_gradient, reduction, params, data):
    """The reduced products g (g . v) against the loop."""
    gradients, own = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    v = _random_direction(rng, params)
    along = np.array([_dot(g, v) for g in gradients])
    factors = dict.fromkeys(_TRAINABLE, along)
    nothing = {name: 0 * own[name] for name in _TRAINABLE}
    expected = _weighted(factors, gradients, nothing, _reduced_rows(reduction, data))
    found = product(params, v, *data)
    return max(_share(found[name], expected[name]) for name in _TRAINABLE)


def _noise_error(noise_scale, backward, regularizer_gradient, reduction, params, data):
    """The gradients' covariance and the square of their mean against the loop."""
    gradients, _ = _example_gradients(backward, regularizer_gradient, reduction, params, data)
    m = len(gradients)
    mean = {name: sum(g[name] for g in gradients) / m for name in _TRAINABLE}
    trace = sum(_dot(_minus(g, mean), _minus(g, mean)) for g in gradients) / (m - 1)
    _, got_trace, got_square = noise_scale(params, *data)
    square = _dot(mean, mean) - trace / m
    scale = _dot(mean, mean) + trace
    return max(abs(got_trace - trace), abs(got_square - square)) / (1e-9 * scale + 1e-13)


def _public_error(public, kernel, keyword, params, data):
    """The loss that comes with the declared facts checked, against its kernel's."""
    allowed = 1e-4 if DTYPE == "float32" else 1e-12
    loss, _ = public(params, *data, **{keyword: True})
    return _share(loss, kernel(params, *data)[0], allowed)


def _report(checks):
    """Print a line a check; whether all are right."""
    for what, error in checks.items():
        print(f"{'ok  ' if error <= 1 else 'FAIL'}  {what}: {error:.2g} of what is allowed")
    return all(error <= 1 for error in checks.values())
