"""Formulas in few calls: shared logarithms and exponentials, means, clips, plain comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symdiff as sd


def body(formula: str, wrt: str = "x", **shapes: object) -> str:
    source = sd.derive(formula, wrt, shapes or {"x": (4,)}).source
    return source.split("def derivative")[1].split("\ndef ")[0]


def test_sigmoid_and_softplus_share_their_logarithm() -> None:
    text = body("sum(softplus(-x)*(1 - softplus(-x)))")
    assert text.count("logaddexp(") == 2
    assert "sigmoid" not in text
    again = body("sum(softplus(-x)**2 + 1/(1+exp(-x)))")
    assert again.count("logaddexp(0, -x)") == 1


def test_sigmoid_in_two_calls_is_right_to_a_few_digits_fewer() -> None:
    """Within 3.6e−15 of the truth everywhere, to the last bit in the tails."""
    module = sd.derive("1/(1+exp(-x))", "x", {"x": ("n",)})
    x = np.linspace(-745, 40, 3001)
    found = module.value(x=x)
    expected = np.array([1 / (1 + math.exp(-v)) if v > -700 else math.exp(v) for v in x])
    np.testing.assert_allclose(found, expected, rtol=3.6e-15, atol=5e-324)
    np.testing.assert_allclose(found[x < -38], np.exp(x[x < -38]), rtol=0)
    assert module.value(x=np.array([-np.inf, np.inf])).tolist() == [0.0, 1.0]
    assert np.isnan(module.value(x=np.array([np.nan]))).all()


@pytest.mark.parametrize(
    "formula",
    [
        "logsumexp(x)**2",
        "sum(softmax(x)*log_softmax(x)**2)",
        "logsumexp(x)*sum(log_softmax(x)*softmax(x)**2)",
    ],
)
def test_the_softmax_family_shares_its_exponentials(formula: str) -> None:
    text = body(formula)
    assert text.count("exp(") == 1
    assert "_softmax(" not in text
    assert "_logsumexp(" not in text
    derived = sd.derive(formula, "x", {"x": (4,)})
    x, step = np.array([1.0, -2.0, 0.5, 3.0]), 1e-6
    slopes = [
        (derived.value(x=x + step * e) - derived.value(x=x - step * e)) / (2 * step)
        for e in np.eye(4)
    ]
    np.testing.assert_allclose(derived.derivative(x=x), slopes, rtol=1e-7, atol=1e-8)
    far = derived.derivative(x=x + 1e4)
    assert np.all(np.isfinite(far))


def test_one_of_the_family_alone_stays() -> None:
    assert "_softmax(x, axis=0)" in body("logsumexp(x)")
    assert body("logsumexp(x) + sum(log_softmax(2*x)**2)").count("_softmax(") == 1


def test_infinite_entries_count_as_they_should() -> None:
    lse = sd.derive("logsumexp(x)", "x", {"x": (3,)})
    assert lse.value(x=np.array([np.inf, 0.0, 1.0])) == np.inf
    assert lse.value(x=np.full(3, -np.inf)) == -np.inf
    log = sd.derive("log_softmax(x)", "x", {"x": (3,)}).value(x=np.array([-np.inf, 0.0, 0.0]))
    np.testing.assert_allclose(log, [-np.inf, -np.log(2), -np.log(2)])


def test_a_sum_over_its_number_of_terms_is_a_mean() -> None:
    assert "(t1 - t1.mean())" in body("var(x)")
    assert "t1 = x - x[:1]" in body("var(x)")  # whose mean is as small as the differences are
    assert "keepdims" not in body("var(x)")
    rows = body("sum((x - mean(x, axis=1, keepdims=True))**3)", x=(3, 4))
    assert "t1.mean(axis=-1, keepdims=True)" in rows
    assert "mean(" not in body("sum(x)**2/3")
    assert ".mean(" not in body("sum((x - sum(x)/5)**2)")


def test_two_bounds_are_a_clip() -> None:
    text = body("sum(where(abs(x) <= 1, x**2/2, abs(x) - 1/2))")
    assert "np.clip(x, -1, 1)" in text


def test_comparisons_with_a_difference() -> None:
    assert "(x * y < 1)" in body("sum(maximum(0, 1 - x*y))", x=(3,), y=(3,))
    assert "(x > y)" in body("sum(maximum(0, x - y))", x=(3,), y=(3,))
    assert "(2 * x > y)" not in body("sum(maximum(0, x + 2*y))", x=(3,), y=(3,))
    edge = sd.derive("sum(maximum(0, 1 - x))", "x", {"x": (5,)})
    near = np.array([np.nextafter(1, 0), 1.0, np.nextafter(1, 2), -np.inf, np.nan])
    np.testing.assert_array_equal(edge.derivative(x=near)[:4], [-1, 0, 0, -1])


def test_norms_are_one_call_and_quotients_by_them_one_division() -> None:
    assert "_divide_or_zero(x, np.hypot.reduce(x, axis=0, initial=0))" in body("norm(x)")
    rows = body("sum(sqrt(sum((A-B)**2, axis=1)))", "A", A=(3, 2), B=(3, 2))
    assert "np.hypot.reduce(t1, axis=-1, initial=0)[:, None]" in rows
    assert "_divide_or_zero(t1, t2)" in rows
    assert "axis=None" in body("sqrt(sum(A**2))", "A", A=(3, 2))
    assert "hypot" not in body("sum(x**2)**2")
    assert "hypot" in body("sqrt(sum(x**2) + 1)")
    assert "hypot" in body("sqrt(sum(x**2) - 1)")  # whose square is to be less than 1e154 too
    assert "hypot" not in body("sqrt(sum(x) - 1)")


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_norms_of_numbers_whose_squares_are_none(size: float) -> None:
    x, y = size * np.array([3.0, -4.0]), np.array([1.0, 2.0]) * size
    shapes = {"x": (2,), "y": (2,)}
    alone = sd.derive("norm(x)", "x", {"x": (2,)})
    np.testing.assert_allclose(alone.value(x=x), 5 * size, rtol=1e-14)
    np.testing.assert_allclose(alone.derivative(x=x), [0.6, -0.8], rtol=1e-14)
    rows = sd.derive("sum(sqrt(sum(A**2, axis=1)))", "A", {"A": (1, 2)})
    np.testing.assert_allclose(rows.derivative(A=x[None]), [[0.6, -0.8]], rtol=1e-14)
    if 1e-200 < size < 1e200:
        cosine = sd.derive("x@y/(norm(x)*norm(y))", "x", shapes)
        unit = np.array([0.6, -0.8])
        expected = (y / np.hypot(*y) + 1 / 5**0.5 * unit) / (5 * size)
        np.testing.assert_allclose(cosine.derivative(x=x, y=y), expected, rtol=1e-13)


def test_norms_of_nothing_have_no_slope() -> None:
    for formula in ("norm(x)", "sum(hypot(x, 0*x))", "norm(x)**3"):
        found = sd.derive(formula, "x", {"x": (2,)}).derivative(x=np.zeros(2))
        np.testing.assert_array_equal(found, [0.0, 0.0])
    one = sd.derive("norm(x)", "x", {"x": (1,)})
    assert one.value(x=np.array([-3.0])) == 3.0


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("3*exp(x) + 3*y + y**2", "y**2 + 3 * (y + np.exp(x))"),
        ("tanh(x)**2 * y**2", "(y * np.tanh(x))**2"),
    ],
)
def test_terms_share_a_number_and_factors_a_power(formula: str, written: str) -> None:
    found = sd.derive(formula, "x", {"x": (4,), "y": (4,)})
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4))
    expected = {"exp": np.exp, "tanh": np.tanh, "x": x, "y": y}
    value = eval(formula, expected)  # noqa: S307
    np.testing.assert_allclose(found.value(x=x, y=y), value, rtol=1e-14)
    text = found.source.split("def value")[1].split("\ndef ")[0]
    assert f"result = {written}\n" in text, text
