"""Networks of images: gradients, products with the Hessian and per-example norms on a grid.

Every geometry is a spec, compiled; what the module gives is held against finite differences (its
own --check does no better), against the loop over examples, and where jax is installed against
jax.grad and its products with the Hessian.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from codegen import build_program
from symdiff.compiler import compile_spec
from symdiff.expr.shapes import size_value
from tests.systems.modules import Array, compiled, error, example_gradients

RNG = np.random.default_rng(8)
BATCH, CHANNELS, OUTPUTS = 3, 4, 8
EPS = np.finfo(np.float64).eps

SPEC = """
name = "images"
[inputs]
x = {{ shape = ["batch", {channels}, {space}] }}
[parameters]
W = {{ shape = [{outputs}, {per_group}, {kernel}] }}
b = {{ shape = [{outputs}] }}
V = {{ shape = [{outputs}, {outputs}, {ones}] }}
[equations]
h = "tanh(conv{rank}d(x, W, stride={stride}, padding={padding!r}, dilation={dilation}, groups={groups}) + b[{spread}])"
z = "conv{rank}d(h, V)"
[loss]
per_example = "sum(z**2, axis={axes}) + sin(mean(h * z, axis={axes}))"
reduction = "{reduction}"
"""  # noqa: E501

ONE_AXIS = [*itertools.product((1, 2), (1, 2), (1, 2, 4), (0, (1, 2), "same"))]
TWO_AXES: list[Any] = [
    (1, 1, 1, 0),
    (2, 1, 2, 1),
    ((1, 2), (2, 1), 1, "same"),
    ((2, 3), 1, 4, (0, 1)),
    (1, (1, 2), 2, "valid"),
    (3, 2, 1, 2),
    ((2, 1), 1, 4, "same"),
]
GRID: list[Any] = [(1, *case) for case in ONE_AXIS] + [(2, *case) for case in TWO_AXES]
grid = pytest.mark.parametrize(("rank", "stride", "dilation", "groups", "padding"), GRID)


def spec(
    rank: int, stride: Any, dilation: Any, groups: int, padding: Any, reduction: str = "sum"
) -> str:
    return SPEC.format(
        rank=rank,
        channels=CHANNELS,
        outputs=OUTPUTS,
        per_group=CHANNELS // groups,
        space="9" if rank == 1 else "7, 6",
        kernel="3" if rank == 1 else "3, 2",
        ones="1" if rank == 1 else "1, 1",
        stride=stride,
        dilation=dilation,
        groups=groups,
        padding=padding,
        spread=":, None" if rank == 1 else ":, None, None",
        axes="(1, 2)" if rank == 1 else "(1, 2, 3)",
        reduction=reduction,
    )


def point(module: Any) -> tuple[dict[str, Array], dict[str, Array], Array]:
    """Parameters, a direction, and data."""
    params = {name: 0.5 * RNG.normal(size=shape) for name, shape in module.PARAMETERS.items()}
    v = {name: RNG.normal(size=shape) for name, shape in module.PARAMETERS.items()}
    return params, v, RNG.normal(size=(BATCH, *module.INPUTS["x"][1:]))


@grid
def test_derivatives(rank: int, stride: Any, dilation: Any, groups: int, padding: Any) -> None:
    """Along a random direction: the slope of the loss, and the change of the gradient."""
    module = compiled(spec(rank, stride, dilation, groups, padding))
    params, v, x = point(module)

    def at(t: float) -> dict[str, Array]:
        return {name: p + t * v[name] for name, p in params.items()}

    _, grads = module.backward(params, x)
    t = 1e-5
    slope = (module.loss(at(t), x) - module.loss(at(-t), x)) / (2 * t)
    assert sum(np.vdot(grads[n], v[n]) for n in v) == pytest.approx(slope, rel=1e-6)
    product = module.hvp(params, v, x)
    ahead, behind = (module.backward(at(s), x)[1] for s in (t, -t))
    for name in v:
        assert error(product[name], (ahead[name] - behind[name]) / (2 * t)) < 1e-7, name


@grid
def test_norms_equal_the_loop(
    rank: int, stride: Any, dilation: Any, groups: int, padding: Any
) -> None:
    """|s − loop| ≤ 1e-10·loop + 64·eps·Σ|terms|; the terms are bounded by those of the loop."""
    module = compiled(spec(rank, stride, dilation, groups, padding))
    params, _, x = point(module)
    loop = example_gradients(module, params, x)
    alone = module.per_example_sq_norms(params, x)
    _, grads, s = module.backward_with_norms(params, x)
    for name in params:
        expected = np.array([np.sum(g[name] ** 2) for g in loop])
        bound = 1e-10 * expected + 64 * EPS * expected
        assert np.all(np.abs(alone[name] - expected) <= bound), name
        assert np.all(np.abs(s[name] - expected) <= bound), name
        assert error(grads[name], sum(g[name] for g in loop)) < 1e-12, name


@grid
def test_clipped_gradients_are_the_loops(
    rank: int, stride: Any, dilation: Any, groups: int, padding: Any
) -> None:
    module = compiled(spec(rank, stride, dilation, groups, padding))
    params, _, x = point(module)
    loop = example_gradients(module, params, x)
    lengths = [np.sqrt(sum(np.sum(part**2) for part in g.values())) for g in loop]
    most = float(np.median(lengths))
    _, grads, norms = module.clipped_backward(params, x, most)
    assert error(norms, lengths) < 1e-12
    for name in params:
        clipped = sum(min(1, most / n) * g[name] for n, g in zip(lengths, loop, strict=True))
        assert error(grads[name], clipped) < 1e-12, name


@pytest.mark.parametrize(("rank", "stride", "dilation", "groups", "padding"), GRID[::3])
def test_jax_agrees(rank: int, stride: Any, dilation: Any, groups: int, padding: Any) -> None:
    """The gradient and the Hessian's product, in jax's own words."""
    jax = pytest.importorskip("jax")
    jnp, lax = jax.numpy, jax.lax
    module = compiled(spec(rank, stride, dilation, groups, padding))
    params, v, x = point(module)
    ends = padding.upper() if isinstance(padding, str) else padding
    if isinstance(ends, tuple):
        ends = [ends] if rank == 1 else [(p, p) for p in ends]
    elif isinstance(ends, int):
        ends = [(ends, ends)] * rank
    axes = tuple(range(1, rank + 2))

    def pair(value: Any) -> tuple[int, ...]:
        return value if isinstance(value, tuple) else (value,) * rank

    def loss(p: Any) -> Any:
        conv = lax.conv_general_dilated(
            x, p["W"], pair(stride), ends, rhs_dilation=pair(dilation), feature_group_count=groups
        )
        h = jnp.tanh(conv + p["b"].reshape(-1, *[1] * rank))
        z = lax.conv_general_dilated(h, p["V"], (1,) * rank, "VALID")
        return jnp.sum(jnp.sum(z**2, axes) + jnp.sin(jnp.mean(h * z, axes)))

    with jax.enable_x64(True):
        p, u = jax.tree.map(jnp.asarray, (params, v))
        grads, product = jax.jvp(jax.grad(loss), (p,), (u,))
    for ours, theirs in (
        (module.backward(params, x)[1], grads),
        (module.hvp(params, v, x), product),
    ):
        for name in params:
            assert error(ours[name], np.asarray(theirs[name])) < 1e-10, name


POOLED = """
name = "pooled"
[inputs]
x = { shape = ["batch", 2, 8, 8] }
y = { shape = ["batch"], labels = 4 }
[[layers]]
kind = "conv2d"
channels = 6
kernel = 3
activation = "softplus"
[[layers]]
kind = "POOL"
window = 3
stride = 2
padding = 1
[[layers]]
kind = "conv_transpose2d"
channels = 4
kernel = 3
stride = 2
padding = 1
output_padding = 1
groups = 2
[[layers]]
kind = "POOL"
window = 2
[[layers]]
kind = "conv2d"
channels = 4
kernel = 2
[[layers]]
kind = "global_avg_pool"
[loss]
kind = "softmax_cross_entropy"
"""


@pytest.mark.parametrize("pool", ["max_pool2d", "avg_pool2d"])
def test_a_network_of_all_layers(pool: str) -> None:
    """Overlapping and padded pools, a transposed convolution in groups: norms equal the loop."""
    module = compiled(POOLED.replace("POOL", pool))
    params = {name: p + 0.1 for name, p in module.init(1).items()}
    x, y = RNG.normal(size=(5, 2, 8, 8)), RNG.integers(0, 4, 5)
    loop = example_gradients(module, params, x, y)
    s = module.per_example_sq_norms(params, x, y)
    for name in params:
        assert error(s[name], [np.sum(g[name] ** 2) for g in loop]) < 1e-11, name
    _, grads = module.backward(params, x, y)
    v = {name: RNG.normal(size=p.shape) for name, p in params.items()}
    product = module.hvp(params, v, x, y)
    t = 1e-6
    ahead, behind = (
        module.backward({n: p + d * v[n] for n, p in params.items()}, x, y)[1] for d in (t, -t)
    )
    slope = sum(np.vdot(g, v[n]) for n, g in grads.items())
    losses = [module.loss({n: p + d * v[n] for n, p in params.items()}, x, y) for d in (t, -t)]
    assert slope == pytest.approx((losses[0] - losses[1]) / (2 * t), rel=1e-5)
    for name in params:
        assert error(product[name], (ahead[name] - behind[name]) / (2 * t)) < 1e-6, name


SHARED = """
name = "shared"
[inputs]
x = { shape = ["batch", 3, 8, 8] }
[parameters]
K = { shape = [3, 3, 3, 3] }
b = { shape = [3] }
V = { shape = [4, 3, 2, 2] }
[equations]
h = "tanh(conv2d(x, K, padding='same') + b[:, None, None])"
g = "tanh(conv2d(h, K, stride=2, padding=1) + b[:, None, None])"
c = "conv2d(g, V)"
r = "conv_transpose2d(c, V)"
[loss]
per_example = "mean((r - g)**2, axis=(1, 2, 3)) + sum(c, axis=(1, 2, 3))**2"
reduction = "sum"
"""


def test_kernels_used_twice_and_transposed() -> None:
    """A kernel shared in depth, and one that an autoencoder decodes with: cross terms counted."""
    module = compiled(SHARED)
    params, _, x = point(module)
    loop = example_gradients(module, params, x)
    s = module.backward_with_norms(params, x)[2]
    for name in params:
        assert error(s[name], [np.sum(g[name] ** 2) for g in loop]) < 1e-11, name
    t, v = 1e-6, {name: RNG.normal(size=p.shape) for name, p in params.items()}
    ends = [module.loss({n: p + d * v[n] for n, p in params.items()}, x) for d in (t, -t)]
    slope = sum(np.vdot(g, v[n]) for n, g in module.backward(params, x)[1].items())
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * t), rel=1e-6)


WIDE = """
name = "wide"
[inputs]
x = { shape = ["batch", 24, SIDE, SIDE] }
[parameters]
K = { shape = [40, CHANNELS, 3, 3] }
[equations]
h = "tanh(conv2d(x, K, groups=GROUPS))"
[loss]
per_example = "sum(h**2, axis=(1, 2, 3))"
"""


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("side", "instantiated"), [(4, False), (16, True)])
def test_gradients_are_instantiated_where_positions_are_many(
    side: int, instantiated: bool, groups: int
) -> None:
    """T(d + p) < d p: Gram matrices over the T positions; else each example's own gradient."""
    text = WIDE.replace("SIDE", str(side)).replace("CHANNELS", str(24 // groups))
    text = text.replace("GROUPS", str(groups))
    functions = compile_spec(text).description.functions
    each = 40 * 24 // groups * 9
    for name in ("per_example_sq_norms", "per_example_norms"):
        steps = build_program(functions[name].roots()).steps
        sizes = {size_value(s.size, {"batch": 100}) for s in steps if s.allocates}
        assert (100 * each in sizes) == instantiated, name
    module = compiled(text)
    params = {"K": 0.1 * RNG.normal(size=module.PARAMETERS["K"])}
    x = RNG.normal(size=(3, 24, side, side))
    loop = example_gradients(module, params, x)
    expected = [np.sum(g["K"] ** 2) for g in loop]  # the mean over one example is its own
    s = module.per_example_sq_norms(params, x)["K"]
    assert error(s, expected) < 1e-10


ANY_SIZE = """
name = "any_size"
[inputs]
x = { shape = ["batch", 3, "h", "w"] }
y = { shape = ["batch"], labels = 5 }
[parameters]
K = { shape = ["c", 3, "k", "k"] }
b = { shape = ["c"] }
V = { shape = [5, "c", 3, 3] }
[equations]
a = "tanh(conv2d(x, K, stride=2, padding=1) + b[:, None, None])"
p = "max_pool2d(a, 2)"
z = "global_avg_pool(conv2d(p, V, padding='same'))"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""


@pytest.mark.parametrize("shape", [(13, 15), (10, 8), (5, 6)])
def test_images_of_any_size(shape: tuple[int, int]) -> None:
    """Sizes of images, kernels and channels are read from the arrays."""
    module = compiled(ANY_SIZE)
    params = {name: p + 0.1 for name, p in module.init(2, c=4, k=3).items()}
    x, y = RNG.normal(size=(3, 3, *shape)), RNG.integers(0, 5, 3)
    loop = example_gradients(module, params, x, y)
    _, grads, s = module.backward_with_norms(params, x, y)
    v = {name: RNG.normal(size=p.shape) for name, p in params.items()}
    product, t = module.hvp(params, v, x, y), 1e-6
    ahead, behind = (
        module.backward({n: p + d * v[n] for n, p in params.items()}, x, y)[1] for d in (t, -t)
    )
    for name in params:
        assert error(s[name], [np.sum(g[name] ** 2) for g in loop]) < 1e-12, name
        assert error(grads[name], sum(g[name] for g in loop) / 3) < 1e-12, name
        assert error(product[name], (ahead[name] - behind[name]) / (2 * t)) < 1e-7, name


def test_an_empty_batch_has_no_norms() -> None:
    module = compiled(spec(2, 1, 1, 2, "same"))
    params, _, x = point(module)
    assert module.per_example_norms(params, x[:0]).shape == (0,)
    assert module.forward(params, x[:0]).shape[0] == 0


def test_no_array_is_much_larger_than_the_windows() -> None:
    """Of the gradient of a network with max pooling, every array that is made, at a real size."""
    functions = compile_spec(POOLED.replace("POOL", "max_pool2d")).description.functions
    windows = 100 * 6 * 3 * 3 * 9  # of the pool that overlaps: 9 positions of 9 elements
    columns = 100 * 36 * 18  # of the first convolution
    for name in ("backward", "backward_with_norms", "clipped_backward"):
        steps = build_program(functions[name].roots()).steps
        largest = max(size_value(s.size, {"batch": 100}) for s in steps if s.allocates)
        assert largest == max(windows, columns), name
