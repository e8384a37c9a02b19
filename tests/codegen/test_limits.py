"""Slices and windows that sizes read from the data may not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from codegen.limits import Limit, limits_of, sizes_within
from symdiff.compiler import compile_spec
from symdiff.expr import build as b

POSITIONS = """
name = "positions"
output = "h"
[inputs]
x = { shape = ["batch", "time", 3] }
w = { shape = ["batch"] }
[parameters]
P = { shape = [4, 3] }
[equations]
h = "tanh(x + P[:time])"
[loss]
per_example = "w * sum(h**2, axis=(1, 2))"
"""
SAID = r"x: expected time <= 4 \(a slice of P along axis 0\), got time = 6"


def test_a_slice_that_is_too_long_names_the_argument_and_the_sizes() -> None:
    module: Any = sd.compile(POSITIONS)
    params, x, w = module.init(), np.ones((2, 6, 3)), np.ones(2)
    with pytest.raises(ValueError, match=SAID):
        module.forward(params, x)
    with pytest.raises(ValueError, match=SAID):
        module.clipped_backward(params, x, w, 1.0)
    with pytest.raises(ValueError, match=SAID):
        module.hvp(params, params, x, w)
    assert module.forward(params, x[:, :4]).shape == (2, 4, 3)
    assert module.per_example_norms(params, x[:, :2], w).shape == (2,)


def test_both_sides_may_be_read_from_the_data() -> None:
    module: Any = sd.compile(POSITIONS.replace("[4, 3]", '["length", 3]'))
    params = {"P": np.ones((5, 3))}
    with pytest.raises(ValueError, match=r"expected time <= length .*, got length = 5, time = 6"):
        module.loss(params, np.ones((2, 6, 3)), np.ones(2))
    assert np.isfinite(module.loss(params, np.ones((2, 5, 3)), np.ones(2)))


def test_the_modules_check_takes_sizes_that_fit() -> None:
    """It would take more than 2 places of its own."""
    assert compile_spec(POSITIONS.replace("[4, 3]", "[2, 3]")).check() == 0


def test_a_window_that_does_not_fit_is_refused() -> None:
    text = POSITIONS.replace("[4, 3]", "[5, 3, 4]").replace(
        "tanh(x + P[:time])", "conv1d(swapaxes(x, 1, 2), P)"
    )
    module: Any = sd.compile(text)
    with pytest.raises(ValueError, match=r"x: expected 4 <= time \(a window of .*\), got time = 2"):
        module.loss(module.init(), np.ones((2, 2, 3)), np.ones(2))


def test_what_fits_all_sizes_of_at_least_one_is_not_looked_at() -> None:
    x = b.input("x", ("batch", "time", 3))
    fitting = [x[:, 1:], x[:, ::2], x[:, -1], x[:, ::-1], x[..., :2]]
    assert limits_of(fitting, {}) == []
    (limit,) = limits_of([x[:, :2], b.tanh(x[:, :2])], {x: "words"})
    assert limit == Limit(2, "time", "a slice of words along axis 1")


def test_sizes_are_moved_until_they_fit() -> None:
    limits = [Limit("time", 4, ""), Limit(7, "width", "")]
    assert sizes_within(limits, {"time": 9, "width": 3, "batch": 5}) == {
        "time": 4, "width": 7, "batch": 5,
    }  # fmt: skip
    assert sizes_within([], {"time": 9}) == {"time": 9}


def test_what_is_long_is_said_all_the_same() -> None:
    """Lines of the module may be broken; what they say is not."""
    long = "a_name_of_a_parameter_that_says_what_it_is_for_and_takes_some_room_to_do_so"
    module: Any = sd.compile(POSITIONS.replace("P", long))
    with pytest.raises(ValueError, match=SAID.replace("P", long)):
        module.loss(module.init(), np.ones((2, 6, 3)), np.ones(2))


def test_images_of_any_size_under_kernels_of_any_size() -> None:
    text = POSITIONS.replace('["batch", "time", 3]', '["batch", 2, "time", 3]')
    text = text.replace("[4, 3]", '[4, 2, "k", 2]').replace(
        "tanh(x + P[:time])", "max_pool2d(conv2d(x, P, stride=2, padding=1), 2)"
    )
    module: Any = sd.compile(text.replace("axis=(1, 2)", "axis=(1, 2, 3)"))
    said = "x: expected k <= time [+] 2 .*, got k = 9, time = 6"
    with pytest.raises(ValueError, match=said):
        module.loss({"P": np.ones((4, 2, 9, 2))}, np.ones((1, 2, 6, 3)), np.ones(1))
