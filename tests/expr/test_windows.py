"""Windows and their adjoint against loops over positions; what of them is slices and reshapes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import ShapeError
from symdiff.expr.windows import overlap_add, window

Array = NDArray[Any]
RNG = np.random.default_rng(4)
X = b.input("x", (2, 9, 8))
VALUES = RNG.normal(size=(2, 9, 8))

# sizes, strides and dilations along axes 1 and 2
GRID = [
    (sizes, strides, dilations)
    for sizes in ((1, 1), (2, 3), (3, 2), (9, 8), (4, 1))
    for strides in ((1, 1), (2, 3), (3, 2), (4, 4))
    for dilations in ((1, 1), (2, 1), (1, 3))
    if all(d * (k - 1) < n for d, k, n in zip(dilations, sizes, (9, 8), strict=True))
]


def places(length: int, size: int, stride: int, dilation: int) -> list[list[int]]:
    """The elements that each window sees along an axis, by the definition."""
    starts = range(0, length - dilation * (size - 1), stride)
    return [[start + dilation * k for k in range(size)] for start in starts]


def windows_of(x: Array, sizes: Sequence[int], strides: Any, dilations: Any) -> Array:
    rows, columns = (
        places(n, *move) for n, *move in zip(x.shape[1:], sizes, strides, dilations, strict=True)
    )
    result = np.empty((len(x), len(rows), len(columns), *sizes))
    for p, q in itertools.product(range(len(rows)), range(len(columns))):
        result[:, p, q] = x[:, rows[p]][:, :, columns[q]]
    return result


@pytest.mark.parametrize(("sizes", "strides", "dilations"), GRID)
def test_windows_are_what_the_definition_says(sizes: Any, strides: Any, dilations: Any) -> None:
    node = window(X, (1, 2), sizes, strides, dilations)
    expected = windows_of(VALUES, sizes, strides, dilations)
    np.testing.assert_array_equal(evaluate(node, {"x": VALUES}), expected)


@pytest.mark.parametrize(("sizes", "strides", "dilations"), GRID)
def test_overlap_add_is_the_adjoint(sizes: Any, strides: Any, dilations: Any) -> None:
    """Σ window(x) g = Σ x overlap_add(g) for all x and g."""
    shape = windows_of(VALUES, sizes, strides, dilations).shape
    g_values = RNG.normal(size=shape)
    g = b.input("g", shape)
    added = overlap_add(g, (1, 2), (9, 8), strides, dilations)
    inner = b.vdot(window(X, (1, 2), sizes, strides, dilations), g) - b.vdot(X, added)
    values = {"x": VALUES, "g": g_values}
    assert abs(evaluate(inner, values)) < 1e-11
    assert added.shape == X.shape


def test_axes_in_any_order() -> None:
    turned = window(X, (2, 1), (3, 2), (1, 2), (1, 1))
    straight = window(X, (1, 2), (2, 3), (2, 1), (1, 1))
    got, expected = evaluate([turned, straight], {"x": VALUES})
    np.testing.assert_array_equal(got, expected.swapaxes(-1, -2))


def operations(node: Node) -> set[str]:
    return {n.op for n in toposort([node])} - {"input"}


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "expected"),
    [
        (1, 1, 1, {"contract"}),
        (1, 3, 2, {"contract", "slice"}),
        (8, 1, 1, {"contract"}),
        (4, 4, 1, {"contract", "reshape"}),
        (3, 3, 1, {"contract", "slice", "reshape"}),
        (4, 1, 2, {"contract", "window"}),
        (3, 2, 1, {"window"}),
    ],
)
def test_windows_that_do_not_overlap_are_slices_and_reshapes(
    size: int, stride: int, dilation: int, expected: set[str]
) -> None:
    node = window(X, (2,), (size,), (stride,), (dilation,))
    assert operations(node) <= expected
    assert ("window" in operations(node)) == ("window" in expected)


def test_symbolic_lengths() -> None:
    x = b.input("x", ("n", "m"))
    node = window(x, (0, 1), (3, 2), (2, 2), (1, 1))
    values = RNG.normal(size=(8, 7))
    expected = windows_of(values[None], (3, 2), (2, 2), (1, 1))[0]
    np.testing.assert_array_equal(evaluate(node, {"x": values}), expected)
    assert window(x, (0,), (3,), (1,), (2,)).shape[1:] == ("m", 3)
    back = overlap_add(node, (0, 1), ("n", "m"), (2, 2), (1, 1))
    seen = evaluate(back, {"x": np.ones((8, 7))})
    np.testing.assert_array_equal(seen[:, 6], 0)
    np.testing.assert_array_equal(seen[:, 0], [1, 1, 2, 1, 2, 1, 1, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: window(X, (1,), (10,), (1,), (1,)),
            r"window of x of shape \(2, 9, 8\): a window of 10 does not fit axis 1, which has 9",
        ),
        (lambda: window(X, (1,), (5,), (1,), (3,)), "a window of 5 with dilation 3 does not fit"),
        (lambda: window(X, (1,), (2,), (0,), (1,)), "strides and dilations are at least 1"),
        (lambda: window(X, (1, 1), (2, 2), (1, 1), (1, 1)), r"axes \(1, 1\) name one axis twice"),
        (lambda: overlap_add(X, (1,), (20,), (1,), (1,)), "axis 1 has 9 positions where 13 fit"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        make()


def test_numbers_come_out_in_front() -> None:
    doubled = window(2 * X, (1,), (2,), (1,), (1,))
    assert doubled is 2 * window(X, (1,), (2,), (1,), (1,))
