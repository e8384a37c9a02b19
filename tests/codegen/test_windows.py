"""Windows as they are printed: views, one product for each of the three that a layer needs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from codegen import cost_of
from codegen.support import kernels
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.windows import overlap_add, window
from symdiff.nn.convolution import conv2d
from symdiff.nn.pooling import max_pool2d
from tests.codegen.models import line_of, lines_of, run_graph
from tests.systems.modules import EXAMPLES

RNG = np.random.default_rng(6)
X = b.input("x", ("batch", 3, 9, 8))
W = b.parameter("W", (5, 3, 3, 3))


@pytest.mark.parametrize(
    ("sizes", "strides", "dilations", "text"),
    [
        ((3, 2), (1, 1), (1, 1), "sliding_window_view(x, (3, 2), axis=(2, 3))"),
        ((3, 2), (2, 1), (1, 1), "sliding_window_view(x, (3, 2), axis=(2, 3))[:, :, ::2]"),
        (
            (3, 2), (1, 1), (2, 3),
            "sliding_window_view(x, (5, 4), axis=(2, 3))[..., ::2, ::3]",
        ),
        (
            (3, 3), (2, 1), (1, 2),
            "sliding_window_view(x, (3, 5), axis=(2, 3))[..., ::2, :, :, ::2]",
        ),
    ],
)  # fmt: skip
def test_windows_are_views(
    sizes: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...], text: str
) -> None:
    node = window(X, (2, 3), sizes, strides, dilations)
    assert text in " ".join(lines_of({"s": b.sum(node, (4, 5))}))
    values = {"x": RNG.normal(size=(2, 3, 9, 8))}
    got = run_graph({"out": node}, values)["out"]
    np.testing.assert_array_equal(got, evaluate(node, values))
    assert got.flags.writeable, "what is returned is memory of its own"


def test_windows_added_up() -> None:
    g = b.input("g", ("batch", 4, 3))
    assert (
        line_of(overlap_add(g, (1,), (6,), (1,), (1,)))
        == "_overlap_add(g, axes=(1,), lengths=(6,))"
    )
    strided = overlap_add(g, (1,), (14,), (2,), (3,))
    assert line_of(strided) == (
        "_overlap_add(g, axes=(1,), lengths=(14,), strides=(2,), dilations=(3,))"
    )


def test_windows_added_up_keep_the_order_of_axes_in_memory() -> None:
    windows = RNG.normal(size=(2, 4, 3, 2)).transpose(0, 2, 1, 3)
    result = kernels._overlap_add(windows, (2,), (5,))
    assert result.shape == (2, 3, 5)
    assert result.strides[1] < result.strides[2]


def test_a_convolution_is_one_product() -> None:
    lines = lines_of({"z": conv2d(X, W, 2)})
    (product,) = [line for line in lines if "@" in line or "tensordot" in line]
    assert "(windows_2 @ W.reshape(5, 27).T)" in product


def test_groups_are_a_stack_of_products() -> None:
    x, w = b.input("x", ("batch", 4, 9, 8)), b.parameter("w", (6, 2, 3, 3))
    lines = lines_of({"z": conv2d(x, w, groups=2)})
    assert sum(line.count("@") for line in lines) == 1
    assert not any("tensordot" in line or "einsum" in line for line in lines)


def test_padding_with_the_lowest_is_one_pad() -> None:
    lines = lines_of({"p": max_pool2d(X, 3, 1, 1)})
    assert any(
        "np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)" in line
        for line in lines
    )
    assert not any("concatenate" in line for line in lines)


def test_products_of_a_convolutional_network() -> None:
    """Three a layer in backward and as many in clipped_backward: no hooks, no second pass.

    The first layer's data gradient is not needed; the windows of a layer are copied once.
    """
    compiled = compile_spec(EXAMPLES / "lenet.toml")
    for name in ("backward", "backward_with_norms", "clipped_backward"):
        text = compiled.source.split(f"\ndef _{name}(")[1].split("\n\n\n")[0]
        assert cost_of(compiled.description, name).products == 3 * 3 - 1, name
        assert text.count("sliding_window_view(") == 2, name
        assert len(re.findall(r"windows(_\d+)? = windows", text)) <= 2, name
        assert text.count("_overlap_add(") == 1, name
