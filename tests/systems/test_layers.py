"""Emitted modules of layered specs: norms and clipped sums of every layer kind against the loop.

The loop runs the module's own plain gradient, which the tests of operations hold against autograd,
one example at a time.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import symdiff

BATCH, TIME = 5, 4
TEXT = """\
ids = { shape = ["batch", "time"], labels = 9 }
mask = { shape = ["batch", "time"], zero_or_one = true }
memory = { shape = ["batch", 3, 5] }
y = { shape = ["batch", "time"], labels = 9, ignore = -1 }
"""
ROWS = """\
x = { shape = ["batch", 6] }
keep = { shape = ["batch", 6], zero_or_one = true }
y = { shape = ["batch", 4] }
"""
IMAGES = 'x = { shape = ["batch", 6, 5] }\ny = { shape = ["batch", 6, 5] }\n'
BAGS = TEXT.replace('y = { shape = ["batch", "time"]', 'y = { shape = ["batch"]')
ENTROPY = 'kind = "softmax_cross_entropy"'
SQUARES = 'kind = "squared_error"'
EMBED = 'kind = "embedding", units = 6'
HEAD = 'kind = "dense", units = 9'
BLOCK = 'kind = "transformer_block", heads = 2, hidden = 8'

SPECS: dict[str, tuple[str, list[str], str]] = {
    "block": (TEXT, [EMBED, f"{BLOCK}, causal = true", HEAD], f"{ENTROPY}\nmask = \"mask\""),
    "post norm": (TEXT, [EMBED, f"{BLOCK}, norm_first = false, mask = \"mask\"", HEAD], ENTROPY),
    "cross": (
        TEXT,
        [EMBED, f'{BLOCK}, memory = "memory", norm = "rms_norm", activation = "silu"', HEAD],
        'kind = "softmax_cross_entropy(label_smoothing=0.1)"\nwithin = "sum"',
    ),
    "tied": (
        TEXT,
        [
            f"{EMBED}, padding_idx = 0", 'kind = "positions", length = 16', 'kind = "layer_norm"',
            'kind = "attention", causal = true, mask = "mask", heads = 3',
            f'{HEAD}, tied = "E1"',
        ],
        ENTROPY,
    ),
    "bag of sums": (BAGS, [f'{EMBED}, bag = "sum", padding_idx = 2', HEAD], ENTROPY),
    "bag of means": (BAGS, [f'{EMBED}, bag = "mean", weights = "mask"', HEAD], ENTROPY),
    "units": (
        ROWS,
        [
            'kind = "prelu"', 'kind = "dropout", mask = "keep", rate = 0.5',
            'kind = "maxout", units = 5, pieces = 3', 'kind = "prelu", shared = true',
            'kind = "low_rank", units = 4, rank = 2, activation = "tanh"',
        ],
        SQUARES,
    ),
    "low rank over time": (
        TEXT,
        [EMBED, 'kind = "low_rank", units = 9, rank = 2, bias = false'],
        'kind = "multiclass_hinge"\nmask = "mask"\nwithin = "sum"',
    ),
    "norms": (
        IMAGES,
        [
            'kind = "prelu", axis = 1', 'kind = "group_norm", groups = 2', 'kind = "batch_norm"',
            'kind = "rms_norm"', 'kind = "dense", units = 5',
        ],
        SQUARES,
    ),
}  # fmt: skip


def text_of(name: str) -> str:
    """A spec's text."""
    inputs, layers, loss = SPECS[name]
    tables = ",\n".join(f"{{ {layer} }}" for layer in layers)
    return f'name = "m"\nlayers = [\n{tables}\n]\n[inputs]\n{inputs}[loss]\n{loss}\n'


@cache
def module(name: str) -> Any:
    """The emitted module of a spec."""
    return symdiff.compile(text_of(name))


def data(name: str, batch: int = BATCH, time: int = TIME) -> list[Any]:
    """Repeated and padded ids, masks of whole and of empty rows, ignored labels."""
    rng = np.random.default_rng(6)
    found: list[Any] = []
    for line in SPECS[name][0].splitlines():
        shape = [
            {"batch": batch, "time": time}.get(size.strip('"'), 0) or int(size)
            for size in re.findall(r'"\w+"|\d+', line.split("[")[1].split("]")[0])
        ]
        if "labels" in line:
            ids = rng.integers(0, 5, shape)
            ids[-1] = 2
            found.append(np.where(rng.random(shape) < 0.2, -1, ids) if "ignore" in line else ids)
        elif "zero_or_one" in line:
            mask = (rng.random(shape) < 0.6) * 1.0
            mask[0], mask[1] = 1.0, 0.0
            found.append(mask)
        else:
            found.append(rng.normal(size=shape))
    return found


def start(name: str) -> dict[str, Any]:
    """Initial parameters, moved so that none is 0 or alike."""
    rng = np.random.default_rng(7)
    return {k: p + 0.1 * rng.normal(size=p.shape) for k, p in module(name).init(seed=1).items()}


@pytest.mark.parametrize("time", [TIME, 11])
@pytest.mark.parametrize("name", SPECS)
def test_norms_and_clipped_gradients_are_the_loops(name: str, time: int) -> None:
    m, params, given = module(name), start(name), data(name, time=time)
    rows = [[x[j : j + 1] for x in given] for j in range(BATCH)]
    loop = [m.backward(params, *row)[1] for row in rows]
    _, grads, with_gradient = m.backward_with_norms(params, *given)
    alone = m.per_example_sq_norms(params, *given)
    squares = {k: np.array([np.sum(own[k] ** 2) for own in loop]) for k in grads}
    for k, expected in squares.items():
        bound = 1e-10 * expected + 64 * np.finfo(float).eps * max(expected.max(), 1e-3)
        for found in (alone[k], with_gradient[k]):
            assert np.all(abs(found - expected) <= bound), (k, found, expected)
        mean = sum(own[k] for own in loop) / BATCH
        np.testing.assert_allclose(grads[k], mean, rtol=1e-9, atol=1e-12, err_msg=k)
    norms = np.sqrt(sum(squares.values()))
    np.testing.assert_allclose(m.per_example_norms(params, *given), norms, rtol=1e-9, atol=1e-12)
    bound = float(np.median(norms))
    _, clipped, _ = m.clipped_backward(params, *given, bound)
    factor = np.minimum(1, bound / np.maximum(norms, 1e-300))
    for k, found in clipped.items():
        mean = sum(c * own[k] for c, own in zip(factor, loop, strict=True)) / BATCH
        np.testing.assert_allclose(found, mean, rtol=1e-8, atol=1e-12, err_msg=k)


@pytest.mark.parametrize("name", SPECS)
def test_gradients_and_products_are_finite_differences(name: str) -> None:
    m, params, given = module(name), start(name), data(name)
    rng = np.random.default_rng(8)
    v = {k: rng.normal(size=params[k].shape) for k in m.backward(params, *given)[1]}

    def moved(step: float) -> dict[str, Any]:
        return {k: p + step * v[k] if k in v else p for k, p in params.items()}

    h = 1e-6
    slope = (m.loss(moved(h), *given) - m.loss(moved(-h), *given)) / (2 * h)
    _, grads = m.backward(params, *given)
    assert sum(np.sum(g * v[k]) for k, g in grads.items()) == pytest.approx(
        slope, rel=1e-5, abs=1e-8
    )
    ahead, behind = (m.backward(moved(step), *given)[1] for step in (h, -h))
    for k, product in m.hvp(params, v, *given).items():
        expected = (ahead[k] - behind[k]) / (2 * h)
        np.testing.assert_allclose(product, expected, rtol=2e-4, atol=1e-6, err_msg=k)


@pytest.mark.parametrize("name", ["block", "tied", "bag of means"])
def test_padding_an_example_leaves_its_norms(name: str) -> None:
    """More positions that the masks leave out, with other ids in them."""
    m, params = module(name), start(name)
    ids, mask, memory, y = data(name)
    mask[1] = 1.0
    if y.ndim == 2:
        y = np.where(mask > 0, abs(y), -1)
    more = [
        np.pad(ids, [(0, 0), (0, 3)], constant_values=7),
        np.pad(mask, [(0, 0), (0, 3)]),
        memory,
    ]
    wide = [*more, y if y.ndim == 1 else np.pad(y, [(0, 0), (0, 3)], constant_values=-1)]
    short = m.per_example_sq_norms(params, ids, mask, memory, y)
    scale = {"tied": (TIME + 3) ** 2 / TIME**2}.get(name, 1.0)  # a mean over all positions
    for k, s in m.per_example_sq_norms(params, *wide).items():
        np.testing.assert_allclose(s * scale, short[k], rtol=1e-9, atol=1e-14, err_msg=k)
