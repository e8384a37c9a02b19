"""Elementwise functions of one array: one slope, which all derivatives share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.calculus.forward import jvp
from symdiff.calculus.reverse import gradients
from symdiff.calculus.slopes import Slopes
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import consumers, depends_on, toposort
from symdiff.expr.node import Node
from symdiff.nn import activations

z = b.input("z", (4, 3))
c = b.input("c", (3,))
g = b.input("g", (4, 3))
mask = b.input("mask", (4, 3), dtype="bool")
RNG = np.random.default_rng(0)
VALUES: dict[Any, Any] = {
    "z": RNG.normal(size=(4, 3)),
    "c": RNG.normal(size=3),
    "g": RNG.normal(size=(4, 3)),
    "mask": RNG.random((4, 3)) < 0.5,
}

#: Functions of z in which it stands more than once.
SEVERAL = {
    "gelu": activations.gelu(z),
    "swish": z * b.sigmoid(z),
    "beside another array": b.tanh(z) * b.exp(-z) * c,
    "twice as a term": b.sin(z) + 3 * z**2 - z,
    "one inside the other": b.sin(z * b.tanh(z)) * (z + 1),
}
#: Functions to which one way leads, or which are not of one array.
OTHER = {
    "a chain": b.exp(-b.tanh(2 * z + 1)),
    "a row that is repeated": b.sin(c * z) + c,
    "another array's product": z * b.tanh(g),
    "choices, of which some may be infinite": b.where(mask, z * b.sin(z), b.exp(z) + z),
}


def slopes_of(y: Node, *xs: Node) -> Slopes:
    order = toposort([y])
    return Slopes(order, depends_on(order, xs), xs)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_slope_is_the_derivative_an_element_at_a_time(name: str) -> None:
    y = SEVERAL[name]
    found = slopes_of(y, z)
    assert found.source(y) is z
    slope = evaluate(b.broadcast_to(found.slope(y), z.shape), VALUES)
    step = 1e-6
    ahead, behind = (evaluate(y, {**VALUES, "z": VALUES["z"] + sign * step}) for sign in (1, -1))
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", OTHER)
def test_where_there_is_one_way_or_several_arrays_the_chain_rule_stays(name: str) -> None:
    y = OTHER[name]
    assert slopes_of(y, z, c, g).source(y) is None


def test_what_is_wanted_itself_is_not_passed_over() -> None:
    t = b.tanh(z)
    y = t * b.exp(t)
    assert slopes_of(y, z).source(y) is z
    assert slopes_of(y, z, t).source(y) is t
    d_t, d_z = (evaluate(d, VALUES) for d in gradients(y, [t, z], g))
    np.testing.assert_allclose(d_z, d_t * (1 - np.tanh(VALUES["z"]) ** 2))


@pytest.mark.parametrize("name", SEVERAL)
def test_gradient_and_tangent_multiply_by_one_array(name: str) -> None:
    y = SEVERAL[name]
    slope = slopes_of(y, z).slope(y)
    assert gradients(y, z, g)[0] is g * slope
    assert jvp(y, z, g) is g * slope


@pytest.mark.parametrize("mode", HVP_MODES)
@pytest.mark.parametrize("name", SEVERAL)
def test_cotangents_enter_second_derivatives_once(name: str, mode: str) -> None:
    """Through the slope only: no term of f'' is multiplied by them on its own."""
    loss = (g * SEVERAL[name]).sum()
    (found,) = hvp(loss, [z], [g], mode)
    readers = consumers(toposort([found]))
    assert len(readers[g]) <= 2
    step = 1e-5
    slope = gradients(loss, z)[0]
    ahead, behind = (
        evaluate(slope, {**VALUES, "z": VALUES["z"] + sign * step * VALUES["g"]})
        for sign in (1, -1)
    )
    expected = (ahead - behind) / (2 * step)
    np.testing.assert_allclose(evaluate(found, VALUES), expected, rtol=1e-6, atol=1e-7)
