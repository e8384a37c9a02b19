"""Models that the campaign found: degenerate, and right nevertheless."""

from __future__ import annotations

import numpy as np

from symdiff.compiler import compile_spec


def test_what_does_not_depend_on_the_data_has_their_shape() -> None:
    """Features of size 1, normalised, are 0: forward takes x for its number of rows."""
    spec = """
name = "flat"
output = "z"
[inputs]
x = { shape = ["batch", 1] }
y = { shape = ["batch"], labels = 2 }
[parameters]
W = { shape = [1, 2] }
[equations]
z = "layer_norm(x) @ W"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""
    module = compile_spec(spec).module()
    found = module.forward({"W": np.ones((1, 2))}, np.ones((3, 1)))
    np.testing.assert_array_equal(found, np.zeros((3, 2)))


def test_hvp_takes_a_direction_where_nothing_is_trained() -> None:
    spec = """
name = "fixed"
output = "z"
[inputs]
x = { shape = ["batch", 2] }
[equations]
z = "tanh(x)"
[loss]
per_example = "sum(z**2, axis=1)"
"""
    module = compile_spec(spec).module()
    assert module.hvp({}, {}, np.ones((3, 2))) == {}


def test_values_that_merge_with_their_readers_have_no_line_of_their_own() -> None:
    spec = """
name = "merged"
[inputs]
x = { shape = ["batch", 2], labels = 5 }
y = { shape = ["batch", 2, 4] }
[[layers]]
kind = "embedding"
units = 4
[[layers]]
kind = "batch_norm"
offset = false
[[layers]]
kind = "group_norm"
groups = 2
[loss]
kind = "squared_error"
"""
    assert "def backward" in compile_spec(spec).source


def test_places_may_be_computed_from_places() -> None:
    """A bias for each distance of two places, as relative positions are written."""
    spec = """
name = "relative"
[inputs]
x = { shape = ["batch", "time"] }
[parameters]
R = { shape = [15] }
[equations]
s = "R[arange(time)[:, None] - arange(time)[None, :] + 7]"
[loss]
per_example = "sum(s * x[:, None, :], axis=(1, 2))**2"
"""
    r, x = np.arange(15.0), np.array([[1.0, 2.0, 3.0]])
    time = np.arange(3)
    expected = ((r[time[:, None] - time + 7] * x).sum()) ** 2
    assert compile_spec(spec).module().loss({"R": r}, x) == expected
