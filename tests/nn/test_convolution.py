"""Convolutions by the definition, element for element, on a grid of geometries; and against jax."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.shapes import ShapeError
from symdiff.nn.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from tests.oracles import check_derivatives

Array = NDArray[Any]
RNG = np.random.default_rng(12)
CHANNELS, OUTPUTS = 4, 8

STRIDES = (1, 2, 3)
DILATIONS = (1, 2)
GROUPS = (1, 2, 4)
PADDINGS: tuple[Any, ...] = (0, 2, (1, 2), "same", "valid")
GRID = [*itertools.product(STRIDES, DILATIONS, GROUPS, PADDINGS)]
# Of two axes, which then differ.
GRID_2D = [
    ((s, t), (d, e), g, p)
    for (s, t), (d, e), g in zip(
        [(1, 1), (2, 1), (1, 2), (3, 2), (2, 2), (1, 3)],
        [(1, 1), (1, 2), (2, 2), (2, 1), (1, 1), (1, 2)],
        (1, 2, 4, 1, 2, 4),
        strict=True,
    )
    for p in (0, 1, (1, 0), ((0, 2), (1, 1)), "same", "valid")
]


def ends_of(padding: Any, length: int, size: int, stride: int, dilation: int) -> tuple[int, int]:
    """What is added before and behind one axis, from its own part of the padding."""
    span = dilation * (size - 1) + 1
    if padding == "valid":
        return 0, 0
    if padding == "same":
        total = max((math.ceil(length / stride) - 1) * stride + span - length, 0)
        return total // 2, total - total // 2
    return padding if isinstance(padding, tuple) else (padding, padding)


def correlation(x: Array, w: Array, strides: Any, ends: Any, dilations: Any, groups: int) -> Array:
    """The definition, one product after the other; any number of space axes."""
    x = np.pad(x, ((0, 0), (0, 0), *ends))
    per_group, out_per_group = x.shape[1] // groups, w.shape[0] // groups
    moves = [*zip(x.shape[2:], w.shape[2:], strides, dilations, strict=True)]
    shape = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in moves]
    z = np.zeros((x.shape[0], w.shape[0], *shape))
    for o, place, c in itertools.product(range(w.shape[0]), np.ndindex(*shape), range(per_group)):
        channel = o // out_per_group * per_group + c
        for k in np.ndindex(*w.shape[2:]):
            at = [s * p + d * q for s, p, d, q in zip(strides, place, dilations, k, strict=True)]
            z[(slice(None), o, *place)] += w[(o, c, *k)] * x[(slice(None), channel, *at)]
    return z


@pytest.mark.parametrize(("stride", "dilation", "groups", "padding"), GRID)
def test_conv1d(stride: int, dilation: int, groups: int, padding: Any) -> None:
    x, w = RNG.normal(size=(2, CHANNELS, 9)), RNG.normal(size=(OUTPUTS, CHANNELS // groups, 3))
    ends = [ends_of(padding, 9, 3, stride, dilation)]
    node = conv1d(b.constant(x), b.constant(w), stride, padding, dilation, groups)
    expected = correlation(x, w, [stride], ends, [dilation], groups)
    np.testing.assert_allclose(evaluate(node, {}), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("stride", "dilation", "groups", "padding"), GRID_2D)
def test_conv2d(stride: Any, dilation: Any, groups: int, padding: Any) -> None:
    x = RNG.normal(size=(2, CHANNELS, 7, 6))
    w = RNG.normal(size=(OUTPUTS, CHANNELS // groups, 3, 2))
    parts = padding if isinstance(padding, tuple) else (padding, padding)
    moves = zip(parts, x.shape[2:], w.shape[2:], stride, dilation, strict=True)
    ends = [ends_of(*move) for move in moves]
    node = conv2d(b.constant(x), b.constant(w), stride, padding, dilation, groups)
    expected = correlation(x, w, stride, ends, dilation, groups)
    np.testing.assert_allclose(evaluate(node, {}), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("stride", "dilation", "groups", "padding"), GRID_2D)
def test_conv2d_is_that_of_jax(stride: Any, dilation: Any, groups: int, padding: Any) -> None:
    lax = pytest.importorskip("jax").lax
    x = RNG.normal(size=(2, CHANNELS, 7, 6))
    w = RNG.normal(size=(OUTPUTS, CHANNELS // groups, 3, 2))
    if isinstance(padding, str):
        theirs = padding.upper()
    else:
        parts = padding if isinstance(padding, tuple) else (padding, padding)
        theirs = [p if isinstance(p, tuple) else (p, p) for p in parts]
    expected = lax.conv_general_dilated(
        x, w, stride, theirs, rhs_dilation=dilation, feature_group_count=groups
    )
    node = conv2d(b.constant(x), b.constant(w), stride, padding, dilation, groups)
    np.testing.assert_allclose(evaluate(node, {}), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("stride", "dilation", "groups", "padding"),
    [case for case in GRID if case[3] in (0, 2, (1, 2))],
)
def test_transposed_is_the_adjoint(stride: int, dilation: int, groups: int, padding: Any) -> None:
    """Σ conv(x, w) y = Σ x conv_transpose(y, w), for the length of x that output_padding tells."""
    x, w = RNG.normal(size=(2, CHANNELS, 11)), RNG.normal(size=(OUTPUTS, CHANNELS // groups, 3))
    z = conv1d(b.constant(x), b.constant(w), stride, padding, dilation, groups)
    y = RNG.normal(size=z.shape)
    before, after = ends_of(padding, 11, 3, stride, dilation)
    rest = (11 + before + after - 2 * dilation - 1) % stride
    back = conv_transpose1d(
        b.constant(y), b.constant(w), stride, padding, dilation, groups, output_padding=rest
    )
    assert back.shape == x.shape
    np.testing.assert_allclose(
        np.sum(evaluate(z, {}) * y), np.sum(x * evaluate(back, {})), rtol=1e-11
    )


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, (3, 2)])
def test_conv_transpose2d_scatters_kernels(stride: Any, groups: int) -> None:
    """Each element adds its multiple of its kernel; then the padding is cut off."""
    s, t = stride if isinstance(stride, tuple) else (stride, stride)
    x, w = RNG.normal(size=(2, 4, 3, 4)), RNG.normal(size=(4, 6 // groups, 3, 2))
    full = np.zeros((2, 6, 2 * s + 3, 3 * t + 2))
    for c, p, q in np.ndindex(4, 3, 4):
        lo = c // (4 // groups) * (6 // groups)
        kernel = w[c] * x[:, c, p, q][:, None, None, None]
        full[:, lo : lo + 6 // groups, p * s : p * s + 3, q * t : q * t + 2] += kernel
    node = conv_transpose2d(b.constant(x), b.constant(w), stride, (1, 0), groups=groups)
    np.testing.assert_allclose(evaluate(node, {}), full[:, :, 1:-1], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_transposed_multiplies_the_length(stride: int) -> None:
    x, w = b.input("x", ("batch", 2, "n")), b.parameter("w", (2, 3, 3))
    out = conv_transpose1d(x, w, stride, "same")
    assert evaluate(b.sum(out, (0, 1)), {"x": np.ones((2, 2, 5)), "w": np.ones((2, 3, 3))}).shape
    assert conv_transpose1d(b.ones((1, 2, 5)), w, stride, "same").shape == (1, 3, 5 * stride)


DERIVED = [
    lambda x, w: conv1d(x, w, 2, 1),
    lambda x, w: conv1d(x, w, 1, "same", 2),
    lambda x, w: conv1d(x[:, :2], w[:, :1], 3, (1, 2), groups=2),
    lambda x, w: conv_transpose1d(x, b.swapaxes(w, 0, 1), 2, 1, output_padding=1),
    lambda x, w: conv_transpose1d(x, b.swapaxes(w, 0, 1), 1, 0, 2),
]


@pytest.mark.parametrize("make", DERIVED)
def test_derivatives(make: Any) -> None:
    x, w = b.input("x", (2, 3, 7)), b.parameter("w", (4, 3, 3))
    values = {"x": RNG.normal(size=x.shape), "w": RNG.normal(size=w.shape)}
    check_derivatives(b.tanh(make(x, w)), [x, w], values)


def test_symbolic_sizes() -> None:
    x, w = b.input("x", ("batch", "c", "height", "width")), b.parameter("w", ("o", "c", "k", 3))
    values = {"x": RNG.normal(size=(2, 3, 8, 7)), "w": RNG.normal(size=(5, 3, 3, 3))}
    for stride, padding in ((1, 0), (2, 1), (1, "same")):
        z = evaluate(conv2d(x, w, stride, padding), values)
        ends = [ends_of(padding, n, 3, stride, 1) for n in (8, 7)]
        expected = correlation(values["x"], values["w"], [stride] * 2, ends, [1, 1], 1)
        np.testing.assert_allclose(z, expected, rtol=1e-11, atol=1e-13)


X, W = b.input("x", ("batch", 4, 5, 5)), b.parameter("w", (6, 4, 3, 3))
FAULTS: dict[str, tuple[Any, str]] = {
    "rank": (
        lambda: conv2d(b.input("x", ("batch", 64)), W),
        r"conv2d: x of shape \(batch, 64\) is not \(batch, channels, height, width\)",
    ),
    "kernel rank": (
        lambda: conv2d(X, b.parameter("w", (6, 4, 3))),
        r"the kernels w of shape \(6, 4, 3\) are not \(out, channels/groups, rows, columns\)",
    ),
    "channels": (
        lambda: conv2d(X, b.parameter("w", (6, 3, 3, 3))),
        r"w of shape \(6, 3, 3, 3\) read 3 channels; x of shape \(batch, 4, 5, 5\) has 4",
    ),
    "channels in groups": (lambda: conv2d(X, W, groups=2), "read 8 channels in 2 groups; x of"),
    "outputs": (
        lambda: conv2d(X, b.parameter("w", (6, 1, 3, 3)), groups=4),
        "4 groups do not divide 6 outputs",
    ),
    "groups": (lambda: conv2d(X, W, groups=0), "groups must be at least 1, not 0"),
    "too large": (
        lambda: conv2d(X, b.parameter("w", (6, 4, 8, 3)), padding=1),
        r"conv2d: 8 elements do not fit axis 2 of x of shape \(batch, 4, 5, 5\), padded to 7",
    ),
    "too wide": (lambda: conv2d(X, W, dilation=3), "3 elements with dilation 3 do not fit axis 2"),
    "stride": (lambda: conv2d(X, W, stride=0), "stride must be at least 1, not 0"),
    "strides": (lambda: conv2d(X, W, stride=(1, 2, 3)), "stride is a whole number or 2 of them"),
    "padding": (
        lambda: conv2d(X, W, padding="full"),
        "padding is a whole number, a number or a pair for each axis, 'same' or 'valid', not 'f",
    ),
    "negative padding": (lambda: conv2d(X, W, padding=-1), "not -1"),
    "unknown length": (
        lambda: conv2d(b.input("x", ("batch", 4, "h", 5)), W, 2, "same"),
        "padding='same' with stride 2 depends on the length of an axis of size h",
    ),
    "transposed channels": (
        lambda: conv_transpose2d(X, W),
        r"conv_transpose2d: the kernels w of shape \(6, 4, 3, 3\) read 6 channels; x of",
    ),
    "output padding": (
        lambda: conv_transpose2d(X, b.parameter("w", (4, 6, 3, 3)), 2, output_padding=2),
        "output_padding 2 is not less than the stride",
    ),
    "nothing left": (
        lambda: conv_transpose2d(X, b.parameter("w", (4, 6, 3, 3)), padding=4),
        "padding 4 leaves nothing of x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_fit_is_said(name: str) -> None:
    make, message = FAULTS[name]
    with pytest.raises(ShapeError, match=message):
        make()
