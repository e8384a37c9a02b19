"""Sums of exponentials with weights of either sign: shifted, they do not overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify.shifted import shifted

z, w, c = (b.input(name, (4,)) for name in "zwc")
R, Z = b.input("R", (3, 4)), b.input("Z", (3, 4))
positive = b.input("positive", (4,), nonnegative=True)
names = b.input("names", ("n",))
more = b.input("more", ("n",))
e = b.exp(z)
total = b.einsum("i,i->", w, e)
terms = linear_combination([(b.exp(c), 2.0), (w * e, 1.0)], 1.0)
VALUES: dict[Node | str, Any] = {
    "z": np.array([0.5, 2.0, -1.0, 0.25]),
    "w": np.array([1.0, 0.0, 2.0, -0.5]),
    "c": np.array([1.0, -2.0, 0.5, 3.0]),
    "R": np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0], [2.0, -0.1, 0.0, 1.0]]),
    "Z": np.linspace(-1.0, 2.0, 12).reshape(3, 4),
}
SUMS = {
    "a logarithm": b.log(total),
    "with a factor": b.log(c[3] * total),
    "of rows": b.log(R @ e),
    "of rows of both": b.log(b.einsum("ij,ij->i", R, b.exp(Z))),
    "a mean": b.einsum("i,i,i->", c, w, e) / total,
    "a mean without the weights": b.einsum("i,i->", c, e) / total,
    "each": power_product([(w, 1.0), (e, 1.0), (total, -1.0)]),
    "squares": (b.einsum("i,i,i->", c, w, e) / total) ** 2,
    "terms": b.log(power_product([(terms, 1.0), (b.exp(c), 2.0)])),
    "terms without an exponential": b.log(linear_combination([(w * e, 1.0), (c**2, 1.0)])),
    "a sum below a line": b.log(c[3] / total),
    "a share without its weight": power_product([(e, 1.0), (terms, -1.0)]),
    "one less": power_product([(terms, -1.0), (c, 1.0)]),
    "sums over axes as terms": b.log(c[3] * total + b.exp(z[0])),
    "rows": R * b.exp(Z) / b.sum(R * b.exp(Z), axis=1, keepdims=True),
    "rows summed": b.sum(c * (R * b.exp(Z) / b.sum(R * b.exp(Z), axis=1, keepdims=True))),
    "terms below a line": b.log(power_product([(terms, -1.0), (b.exp(c), 1.0)])),
}
OTHERS = {
    "weights that are not negative": b.log(b.einsum("i,i->", positive, e)),
    "no weights": b.log(b.sum(e)),
    "no logarithm": total,
    "one sum below another": b.sum(c) / total,
    "squares of exponentials": b.einsum("i,i,i->", w, e, e) ** -1.0,
    "terms that are not negative": b.log(linear_combination([(positive * e, 1.0)], 1.0)),
    "terms without exponentials": b.log(linear_combination([(w * z, 1.0), (c, 1.0)])),
    "one term": b.log(w * e),
    "a size that is a name": b.log(b.einsum("i,i->", more, b.exp(names))),
}


@pytest.mark.parametrize("name", SUMS)
def test_it_is_the_same_number(name: str) -> None:
    (made,) = shifted([SUMS[name]], z)
    assert made is not SUMS[name]
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(SUMS[name], VALUES), rtol=1e-14)


@pytest.mark.parametrize("name", SUMS)
def test_nothing_overflows(name: str) -> None:
    """A large exponent whose weight is 0 hides no other."""
    (made,) = shifted([SUMS[name]], z)
    far = {**VALUES, "z": VALUES["z"] + np.array([0.0, 3000.0, 0.0, 0.0]) - 1500}
    far["R"] = VALUES["R"] * [1.0, 0.0, 1.0, 1.0]
    if "without" not in name:
        with np.errstate(all="ignore"):
            assert np.all(np.isfinite(evaluate(made, far)))


@pytest.mark.parametrize("name", OTHERS)
def test_others_stay(name: str) -> None:
    assert shifted([OTHERS[name]], z) == [OTHERS[name]]


@pytest.mark.parametrize("name", SUMS)
def test_weights_that_are_differentiated(name: str) -> None:
    by = R if "rows" in name else w
    (made,) = shifted([SUMS[name]], by)
    assert made is not SUMS[name]
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(SUMS[name], VALUES), rtol=1e-14)


def test_slopes_by_weights() -> None:
    """Also by one that is 0, whose exponential is much larger than those that count."""
    shapes = {"z": (3,), "m": (3,)}
    slope = sd.derive("log(sum(m*exp(z)))", wrt="m", shapes=shapes).derivative
    far = {"z": np.array([900.0, 200.0, 899.0]), "m": np.array([2.0, 0.0, 0.5])}
    total = 2 + 0.5 * np.exp(-1.0)
    expected = np.array([1.0, np.exp(-700.0), np.exp(-1.0)]) / total
    np.testing.assert_allclose(slope(**far), expected, rtol=1e-13)
    hidden = {"z": np.array([100.0, 750.0, 99.0]), "m": np.array([2.0, 0.0, 0.5])}
    expected = np.array([1.0, np.exp(650.0), np.exp(-1.0)]) / total
    np.testing.assert_allclose(slope(**hidden), expected, rtol=1e-12)


def test_a_mask_of_which_nothing_is_declared() -> None:
    found = sd.derive("log(sum(m*exp(z)))", wrt="z", shapes={"z": (3,), "m": (3,)})
    mask, x = np.array([1.0, 0.0, 1.0]), np.array([-1000.0, 900.0, -1001.0])
    q = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(found.derivative(z=x, m=mask), [q, 0.0, 1 - q], rtol=1e-14)
    assert found.value(z=x, m=mask) == pytest.approx(-1000 + np.log1p(np.exp(-1)))
    by_mask = sd.derive("log(sum(m*exp(z)))", wrt="m", shapes={"z": (3,), "m": (3,)})
    small = np.array([0.1, 2.0, 0.3])
    expected = np.exp(small) / (mask @ np.exp(small))
    np.testing.assert_allclose(by_mask.derivative(z=small, m=mask), expected, rtol=1e-14)


def test_ties_of_which_nothing_is_declared() -> None:
    """Bradley and Terry's model with ties, whose weight may be of either sign."""
    found = sd.derive("-log(exp(a)/(exp(a) + exp(b) + n*sqrt(exp(a)*exp(b))))", wrt="a")
    for level in (0.0, 800.0, -800.0):
        slope = found.derivative(a=np.array(level), b=np.array(level), n=np.array(0.5))
        assert slope == pytest.approx(-0.5, rel=1e-14)
