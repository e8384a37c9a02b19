"""What the rules for stable logarithms, powers, masks and moments do: see tests.simplify.cases."""

from __future__ import annotations

import math

import numpy as np

from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination, scalar
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast
from tests.simplify.cases import Case, case, k, label, pos, s, signs, v, w, x, y, z

gap = b.input("gap", (7,))
n = b.input("n", ())
c, d = b.input("c", (), positive=True), b.input("d", (), positive=True)
scales = b.input("scales", (4,), positive=True)
far = b.input("far", (3,), range=(1.0, math.inf))
weights = b.input("weights", (4,), nonnegative=True)
weighed = b.input("weighed", (4,), positive=True)
mask = x > y
places = b.arange(3)

_RNG = np.random.default_rng(5)
POINTS = {
    "gap": np.array([-1e-20, -1e-9, -0.3, -0.7, -2.0, -40.0, -300.0]),
    "w": np.array([-30.0, -3.0, -1e-9, 1e-300, 3.0, 20.0, 30.0]),
    "x": np.array([0.5, -0.25, 1.5, -2.0, 0.7, 2.0, 3.0]),
    "y": np.array([0.1, -0.5, 1.0, -3.0, 1.7, 2.5, 2.0]),
    "pos": np.array([1e-20, 1e-10, 0.3, 1.0, 2.0, 1e10, 1e20]),
    "z": _RNG.normal(size=(3, 4)),
    "u_": np.linspace(-3.0, 2.0, 12).reshape(3, 4),
    "v": _RNG.normal(size=(4, 2)),
    "s": np.array(0.3),
    "t": np.array(-1.7),
    "n": np.array(4.0),
    "c": np.array(3.0),
    "d": np.array(0.5),
    "signs": np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0]),
    "scales": np.array([0.5, 1.0, 2.0, 3.0]),
    "far": np.array([1.0, 2.0, 1e200]),
    "weights": np.array([0.5, 0.0, 2.0, 0.0]),
    "weighed": np.array([1e-200, 0.3, 2.0, 1e100]),
}


def _case(*fires: tuple[Node, Node], never: tuple[Node, ...], **points: object) -> Case:
    return case(*fires, never=never, **{**POINTS, **points})


def log1mexp(node: Node) -> Node:
    return scalar("log1mexp", node)


def log_cosh(node: Node) -> Node:
    return linear_combination([(node, 1.0), (b.softplus(-2 * node), 1.0)], -math.log(2))


def log_add(one: Node, other: Node) -> Node:
    first, second = sorted((one, other), key=lambda each: each.digest)
    return second + b.softplus(first - second)


def log_less(more: Node, less: Node) -> Node:
    return more + log1mexp(less - more)


def interval(x: Node, y: Node, k: float) -> Node:
    """log k (erfc x − erfc y), in the tail that x and y are nearer to."""
    upper = x + y > 0
    near = scalar("log_erfc", b.where(upper, x, -y))
    far = scalar("log_erfc", b.where(upper, y, -x))
    return linear_combination([(near, 1.0), (log1mexp(far - near), 1.0)], math.log(k))


HALF = math.sqrt(math.pi) / 2


def size(node: Node) -> Node:
    return b.log(b.abs(node))


column, other = v[:, 0], v[:, 1]
e = b.exp(s * column)
u = 1 + b.abs(x)
u_ = b.input("u_", (3, 4))
one_more = 1 + b.exp(z)
square = 1 + x**2
mean = b.sum(x) / 7
F = "float64"
below = b.constant(np.tri(7, dtype=bool), "bool")
both_powers = scales**n + weighed**n
moment, rows = b.einsum, z - b.mean(z, 1, keepdims=True)
heap = b.exp(w) + b.exp(x)
both = x**2 + y**2
on = cast(mask, "float64")

CASES: dict[str, Case] = {
    # logarithms and exponentials
    "softmax_in_contraction": _case(
        (e @ other / b.sum(e), b.softmax(s * column) @ other),
        (
            b.einsum("i,i,i->", e, scales, other) / (e @ scales),
            b.softmax(s * column + b.log(scales)) @ other,
        ),
        never=(e @ other / b.sum(b.exp(column)), e @ other * b.sum(e), (e @ other) / (e @ column)),
    ),
    "weights_into_exponents": _case(
        (b.log(b.exp(z) @ scales), b.log(b.sum(b.exp(z + b.log(scales)), 1))),
        (1 / (b.exp(z) @ scales), 1 / b.sum(b.exp(z + b.log(scales)), 1)),
        never=(b.log(b.exp(z) @ column), b.log(b.relu(z) @ scales), b.exp(z) @ scales),
    ),
    "power_of_product": _case(
        (b.prod(pos) ** 0.25, b.exp(0.25 * b.sum(b.log(pos)))),
        never=(b.prod(pos) ** 2, b.prod(x) ** 0.5),
    ),
    "log_sum_of_exponentials": _case(
        (b.log(b.cosh(w) + b.exp(x)), log_add(log_cosh(w), x)),
        (b.log(c * b.exp(w) + b.exp(x)), log_add(w + b.log(c), x)),
        never=(b.log(b.exp(w) + x), b.log(b.cosh(w) - b.exp(x)), b.log(s * b.exp(w) + b.exp(x))),
    ),
    "log_difference_of_exponentials": _case(
        (b.log(b.exp(x) - b.exp(x + gap)), log_less(x, x + gap)),
        (b.log(1 - b.exp(gap)), log1mexp(gap)),
        (b.log(b.exp(-gap) - 1), -gap + log1mexp(gap)),
        (b.log(b.expm1(-gap)), -gap + log1mexp(gap)),
        (
            b.log(3 * b.tanh(x) - 3 * b.tanh(x + gap)),
            log1mexp(2 * gap) - b.softplus(-2 * x) - b.softplus(2 * (x + gap)) + math.log(6),
        ),
        never=(b.log(b.exp(x) - y), b.log(b.exp(w) + b.exp(x)), b.log(b.exp(x) - b.exp(y) - 2)),
    ),
    "log_product": _case(
        (b.log(b.prod(x**2)), b.sum(b.log(x**2))),
        (b.log(c * b.prod(pos)), b.log(c) + b.sum(b.log(pos))),
        never=(b.log(s * b.prod(x)), b.log(b.sum(pos))),
    ),
    "log_variable_power": _case(
        (b.log(pos**n), n * b.log(pos)),
        (b.log(x**n), n * size(x)),
        never=(b.log(s * x**n), b.log(pos**3)),
    ),
    "log_of_cosh": _case(
        (b.log(b.cosh(w)), log_cosh(w)),
        (b.log(3 * b.cosh(w)), log_cosh(w) + math.log(3)),
        never=(b.log(b.sinh(w)), b.log(1 + b.cosh(w))),
        w=np.array([-800.0, -3.0, -0.5, 0.25, 3.0, 20.0, 800.0]),
    ),
    "log1p_of_minus_exp": _case(
        (b.log1p(-b.exp(gap)), log1mexp(gap)),
        never=(b.log1p(b.exp(gap)), b.log1p(-gap)),
    ),
    "exponentials_below": _case(
        (x / heap, x * b.exp(-log_add(w, x))),
        (1 / heap**2, b.exp(-2 * log_add(w, x))),
        never=(x * heap, x / (1 + b.exp(w)), x / (b.exp(w) - b.exp(x))),
    ),
    "exponential_or_nothing": _case(
        (b.where(mask, b.exp(w), 0.0), b.exp(b.where(mask, w, -math.inf))),
        never=(b.where(mask, b.exp(w), 1.0), b.where(mask, w, 0.0)),
    ),
    # hyperbolic functions
    "hyperbolic_of_exponentials": _case(
        (b.exp(w) + b.exp(-w), 2 * b.cosh(w)),
        (3 * b.exp(w) - 3 * b.exp(-w), 6 * b.sinh(w)),
        never=(b.exp(w) + 2 * b.exp(-w), heap, b.exp(w) - b.exp(-2 * w)),
    ),
    "odd_or_even": _case(
        (b.tanh(-2 * w), -b.tanh(2 * w)),
        (b.cosh(-w), b.cosh(w)),
        (b.sin(-w), -b.sin(w)),
        never=(b.tanh(2 * w), b.cosh(w - x), b.exp(-w)),
    ),
    "tanh_of_quotient": _case(
        (b.sinh(w) / b.cosh(w), b.tanh(w)),
        (b.sinh(w) / b.cosh(w) ** 2, b.tanh(w) / b.cosh(w)),
        never=(b.sinh(w) / b.cosh(x), b.sinh(w) * b.cosh(w)),
    ),
    "tanh_of_expm1": _case(
        (b.expm1(w) * b.sigmoid(-w), b.tanh(w / 2)),
        never=(b.expm1(w) * b.sigmoid(w), b.exp(w) * b.sigmoid(-w)),
    ),
    "one_plus_tanh": _case(
        (1 + b.tanh(w), 2 * b.sigmoid(2 * w)),
        (3 - 3 * b.tanh(w), 6 * b.sigmoid(-2 * w)),
        (1 - b.erf(x), scalar("erfc", x)),
        (1 + b.erf(x), scalar("erfc", -x)),
        (0.5 - 0.5 * signs * b.tanh(w), b.sigmoid(-2 * signs * w)),
        (1 + signs * b.erf(x), scalar("erfc", -signs * x)),
        never=(
            *(2 + b.tanh(w), 1 + b.tanh(w) ** 2, 1 + 2 * b.erf(x)),
            *(1 + label * b.tanh(w), 1 + signs * x * b.tanh(w), 1 + 0.5 * signs * b.tanh(w)),
        ),
    ),
    "hazard_of_quotient": _case(
        (b.exp(-(x**2)) / scalar("erfc", x), HALF * scalar("erfc_hazard", x)),
        (
            y * b.exp(w - 0.25 * x**2) / scalar("erfc", 0.5 * signs * x),
            HALF * y * b.exp(w) * scalar("erfc_hazard", 0.5 * signs * x),
        ),
        (
            b.exp(-0.25 * (x - y) ** 2) / scalar("erfc", 0.5 * y - 0.5 * x) ** 2,
            HALF * scalar("erfc_hazard", 0.5 * y - 0.5 * x) / scalar("erfc", 0.5 * y - 0.5 * x),
        ),
        never=(
            b.exp(x**2) / scalar("erfc", x),
            b.exp(-(y**2)) / scalar("erfc", x),
            b.exp(-2 * x**2) / scalar("erfc", x),
            b.exp(-(x**2)) * scalar("erfc", x),
            b.exp(-(x**2)) / b.erf(x),
        ),
        x=np.array([0.5, -0.25, 1.5, -2.0, 0.7, 20.0, 40.0]),
    ),
    "log1p_of_erf": _case(
        (b.log1p(b.erf(x)), scalar("log_erfc", -x)),
        (b.log1p(-b.erf(x)), scalar("log_erfc", x)),
        never=(b.log1p(2 * b.erf(x)), b.log1p(b.erf(x) ** 2), b.log1p(b.tanh(x))),
        x=np.array([0.5, -0.25, 1.5, -20.0, 0.7, 20.0, 3.0]),
    ),
    "exp_over_expm1": _case(
        (b.exp(w) / b.expm1(w), -1 / b.expm1(-w)),
        never=(b.exp(w) * b.expm1(w), b.exp(x) / b.expm1(w), b.exp(-w) / b.expm1(w)),
    ),
    "one_plus_inverse_expm1": _case(
        (1 + 1 / b.expm1(w), -1 / b.expm1(-w)),
        (x + 2 + 2 / b.expm1(w), x - 2 / b.expm1(-w)),
        never=(1 - 1 / b.expm1(w), 2 + 1 / b.expm1(w), 1 + b.expm1(w)),
    ),
    # powers and quotients
    "over_common_denominator": _case(
        (1 / u - b.abs(x) / u**2, 1 / u**2),
        (square**-0.5 - x**2 * square**-1.5, square**-1.5),
        (1 + (1 - pos) / pos, 1 / pos),
        never=(1 / u - x / u**2, 1 / u + x, 1 / pos + 1 / x),
    ),
    "sum_of_quotients": _case(
        (1 / (1 + pos) - 1 / (2 + pos), 1 / ((1 + pos) * (2 + pos))),
        never=(1 / (1 + pos) + 1 / (2 + pos), 1 / pos + 1 / x, x / (1 + pos) + y / (2 + pos)),
    ),
    "signs_in_hypot": _case(
        (scalar("hypot", b.abs(x), y), scalar("hypot", x, y)),
        (scalar("hypot", b.abs(x) / pos, 2 * b.abs(y)), scalar("hypot", x / pos, 2 * y)),
        never=(scalar("hypot", x, y), scalar("hypot", b.abs(x) + 1, y), b.abs(x) + y),
    ),
    "hypot_of_squares": _case(
        (b.sqrt(x**2 + y**2), scalar("hypot", *(term.inputs[0] for term in both.inputs))),
        (x / (4 + x**2), x * scalar("hypot", x, 2.0) ** -2),
        (b.sqrt(x**2 / c + 9), scalar("hypot", x / b.sqrt(c), 3.0)),
        never=(
            both,
            both**2,
            b.sqrt(x**2 + y),
            b.sqrt(x**2 - 4),
            1 / (x + 1),
            b.sqrt(s * x**2 + 1),
        ),
    ),
    "scale_of_hypot": _case(
        (scalar("hypot", x / pos, y) * pos, scalar("hypot", x, y * pos)),
        (scalar("hypot", x / s, 1.0) ** -2 / s**2, scalar("hypot", x, s) ** -2),
        (scalar("hypot", x / s, 1.0) ** -2 / s**3, scalar("hypot", x, s) ** -2 / s),
        (scalar("hypot", x / b.sqrt(c), 2.0) ** -2 / c, scalar("hypot", x, 2 * b.sqrt(c)) ** -2),
        never=(
            scalar("hypot", x / s, y) * s,
            scalar("hypot", x / pos, y) / pos,
            x**2 * scalar("hypot", x, 1.0) ** -2,
        ),
    ),
    "sign_times_size": _case(
        (x * b.sign(x), b.abs(x)),
        (b.sign(x) / b.abs(x), 1 / x),
        (y * b.sign(x) * b.abs(x), x * y),
        never=(x**2 * b.sign(x), y * b.sign(x), b.abs(x) * x),
    ),
    "product_of_variable_powers": _case(
        (pos**n * pos**s, pos ** (n + s)),
        (pos ** (n - 1) / pos**n, 1 / pos),
        (x * x ** (n - 1), x**n),
        (x ** (n - 1) * (x * w), w * x**n),
        never=(pos**n * x**n, pos**n * y),
    ),
    "power_of_variable_power": _case(
        ((pos**n) ** s, pos ** (n * s)),
        never=((x**n) ** s, pos**n),
    ),
    # masks
    "where_of_masks": _case(
        (on * b.log(pos) + (1 - on) * w, b.where(mask, b.log(pos), w)),
        (2 * on + 3 * (1 - on) * b.exp(w), b.where(mask, 2.0, 3 * b.exp(w))),
        never=(on * x + (1 - on) * w, on * b.log(pos) - on * b.exp(w)),
    ),
    "where_of_mask": _case(
        (on * b.log(pos), b.where(mask, b.log(pos), 0.0)),
        ((1 - on) * b.exp(w) * y, b.where(mask, 0.0, b.exp(w) * y)),
        never=(on * x, on * b.sigmoid(w), label * b.log(pos), b.log(pos) * y),
    ),
    "product_into_where": _case(
        (b.where(mask, y, 0.0) * b.log(pos), b.where(mask, y * b.log(pos), 0.0)),
        (b.where(mask, 0.0, y) / x, b.where(mask, 0.0, y / x)),
        never=(b.where(mask, y, 0.0) * x, b.where(mask, y, 1.0) * b.log(pos)),
    ),
    "clip_of_masks": _case(
        (
            cast(b.abs(x) <= c, F) * x + c * cast(b.abs(x) > c, F) * b.sign(x),
            b.minimum(b.maximum(x, -c), c),
        ),
        (
            2 * y * cast(b.abs(x) < 1, F) * x + 2 * y * (1 - cast(b.abs(x) < 1, F)) * b.sign(x),
            2 * y * b.minimum(b.maximum(x, -1.0), 1.0),
        ),
        never=(
            cast(b.abs(x) <= s, F) * x + s * cast(b.abs(x) > s, F) * b.sign(x),
            cast(b.abs(x) <= c, F) * x + d * cast(b.abs(x) > c, F) * b.sign(x),
            cast(b.abs(x) <= c, F) * x + c * cast(b.abs(x) <= c, F) * b.sign(x),
        ),
    ),
    "square_of_sign": _case(
        (signs**2 * x, x * 1),
        (x / signs, x * signs),
        never=(signs * x, b.sign(x) ** 2),
    ),
    # moments
    "sum_of_centred": _case(
        (b.sum(x - mean) + w[0], w[0] * 1),
        (b.sum(z - b.mean(z, 1, keepdims=True), 1) * s, b.zeros((3,))),
        (b.sum(x * s - mean * s) + w[0], w[0] * 1),
        never=(
            b.sum(x - b.sum(x) / 6),
            b.sum(x - b.mean(y)),
            b.sum((x - mean) * y),
            b.sum(x * y - mean * y),
        ),
    ),
    "centred_moment": _case(
        (b.mean(x**2) - b.mean(x) ** 2, moment("i,i->", x - mean, x - mean) / 7),
        (b.sum(z**2, 1) - b.sum(z, 1) ** 2 / 4, moment("ij,ij->i", rows, rows)),
        (b.mean(x * y) - b.mean(x) * b.mean(y), moment("i,i->", x - mean, y - b.mean(y)) / 7),
        never=(
            b.mean(x**2) - 2 * b.mean(x) ** 2,
            b.mean(x**2) + b.mean(x) ** 2,
            b.mean(x**2) - b.mean(y) ** 2,
        ),
    ),
}

#: The rules that only lone formulas get: accurate, at the price of work shared otherwise.
ACCURATE: dict[str, Case] = {
    "log_of_interval": _case(
        (b.log(scalar("erfc", x) - scalar("erfc", x + 1)), interval(x, x + 1, 1.0)),
        (b.log(0.5 * b.erf(x + 1) - 0.5 * b.erf(x)), interval(x, x + 1, 0.5)),
        never=(
            b.log(scalar("erfc", x) + scalar("erfc", x + 1)),
            b.log(scalar("erfc", x) - 2 * scalar("erfc", x + 1)),
            b.log(b.erf(x) - scalar("erfc", x + 1)),
            b.log(1 + scalar("erfc", x) - scalar("erfc", x + 1)),
        ),
        x=np.array([0.5, -0.25, 1.5, -20.0, -0.5, 20.0, 30.0]),
    ),
    "power_of_exponential": _case(
        (scalar("pow", b.softmax(z), s), b.exp(s * b.log_softmax(z))),
        (scalar("pow", b.softmax(z)[places, k], s), b.exp(s * b.log_softmax(z)[places, k])),
        (scalar("pow", b.exp(w), n), b.exp(n * w)),
        (scalar("pow", 1 + b.exp(w), n), b.exp(n * b.softplus(w))),
        never=(
            scalar("pow", pos, n),
            scalar("pow", b.sigmoid(w), n),
            scalar("pow", 1 - b.softmax(z), s),
        ),
        z=np.array([[-2000.0, 0.0, 1.0, 3.0], [-1.0, -2.0, -1.5, -800.0], [0.1, 0.2, 3.0, 4.0]]),
    ),
    "root_of_softmax": _case(
        (b.softmax(z) ** 0.7, b.exp(0.7 * b.log_softmax(z))),
        (
            x[:3] * b.softmax(z)[places, k] ** -0.5,
            x[:3] * b.exp(-0.5 * b.log_softmax(z)[places, k]),
        ),
        never=(b.softmax(z) ** 2, b.sigmoid(w) ** 0.5, x / b.softmax(x)),
        z=np.array([[-1000.0, 0.0, 1.0, 3.0], [-1.0, -2.0, -1.5, -800.0], [0.1, 0.2, 3.0, 4.0]]),
    ),
    "share_of_known": _case(
        (one_more / one_more.sum(1, keepdims=True), b.softmax(b.softplus(z))),
        (
            u_ * one_more / one_more.sum() ** 2,
            u_ * b.softmax(b.softplus(z), axis=(0, 1)) / b.exp(b.softplus(z)).sum(),
        ),
        (3 * one_more.T / one_more.sum(1), 3 * b.softmax(b.softplus(z)).T),
        never=(
            one_more / (2 + b.exp(z)).sum(1, keepdims=True),
            (2 + b.exp(z)) / (2 + b.exp(z)).sum(1, keepdims=True),
            one_more * one_more.sum(1, keepdims=True),
            b.exp(z) / one_more.sum(1, keepdims=True),
        ),
        z=np.array([[800.0, 0.0, -1.0, 0.5], [-1.0, -900.0, -0.7, 1.0], [0.1, 0.2, 3.0, 4.0]]),
    ),
    "sum_less_its_share": _case(
        (1 - s - (1 - s) * b.sigmoid(w), (1 - s) * (1 - b.sigmoid(w))),
        (y - (y + 3) * b.exp(-pos) + 3, (y + 3) * (1 - b.exp(-pos))),
        never=(
            1 - s - (1 + s) * b.sigmoid(w),
            1 - s + (1 - s) * b.sigmoid(w),
            1 - s - 2 * (1 - s) * b.sigmoid(w),
            x - (1 - s) * b.sigmoid(w),
            1 - b.sigmoid(w),
        ),
    ),
    "power_minus_one": _case(
        (scalar("pow", pos, n) - 1, b.expm1(n * b.log(pos))),
        (3 - 3 * scalar("pow", pos, n) + x, x - 3 * b.expm1(n * b.log(pos))),
        never=(scalar("pow", pos, n) - 2, scalar("pow", x, n) - 1, pos**3 - 1, b.exp(w) - 1),
        pos=np.array([1e-20, 0.3, 1.0, 1.0 + 1e-12, 2.0, 1e10, 1e20]),
    ),
    "log_of_positive": _case(
        (b.log(b.exp(z) @ weights), b.logsumexp(z + b.log(weights), 1)),
        (b.log(both_powers), log_add(n * b.log(scales), n * b.log(weighed))),
        (
            b.log(b.prod(scales) + c * b.exp(s)),
            log_add(b.sum(b.log(scales)), s + b.log(c)),
        ),
        (b.log1p(scales**n), b.softplus(n * b.log(scales))),
        (b.log1p(-b.prod(b.sigmoid(w))), scalar("log1mexp", -b.sum(b.softplus(-w)))),
        (
            b.log(b.softplus(w)),
            b.where(w <= -40, w, b.log(b.softplus(b.maximum(w, -40.0)))),
        ),
        (b.log(b.cumsum(b.exp(x))), b.logsumexp(b.where(below, x, -math.inf), 1)),
        (
            b.log(y / b.prod(b.sigmoid(w))),
            b.log(y) + b.sum(b.softplus(-w)),
        ),
        never=(
            b.log(weights),
            b.log(weights + 1),
            b.log(b.exp(z) @ column),
            b.log(b.exp(w) - b.exp(x) * y),
            b.log(x**n + y**n),
            b.log(b.softplus(b.relu(w))),
        ),
    ),
    "powers_below": _case(
        (
            scales**n / (scales**n + weighed**n),
            b.exp(n * b.log(scales) - log_add(n * b.log(scales), n * b.log(weighed))),
        ),
        never=(
            scales**n * both_powers,
            x**n / (x**n + y**n),
            scales / (scales + weighed),
            1 / (1 + b.exp(w)),
        ),
    ),
    "softmax_over_weight": _case(
        (
            b.softmax(z + b.log(weighed)) / weighed,
            b.exp(z - b.logsumexp(z + b.log(weighed), 1, keepdims=True)),
        ),
        (
            b.softmax(z + 2 * b.log(weighed)) / weighed,
            weighed * b.exp(z - b.logsumexp(z + 2 * b.log(weighed), 1, keepdims=True)),
        ),
        never=(
            b.softmax(z + b.log(weighed)) * weighed,
            b.softmax(z + b.log(weighed)) / scales,
            b.softmax(z) / scales,
            b.softmax(z + b.log(weighed)) / weighed**2,
        ),
    ),
    "sigmoid_over_weight": _case(
        (
            b.sigmoid(z + b.log(weighed)) / weighed,
            b.exp(z - b.softplus(z + b.log(weighed))),
        ),
        never=(
            b.sigmoid(z + b.log(weighed)) * weighed,
            b.sigmoid(z + b.log(weighed)) / scales,
            b.sigmoid(z - b.log(weighed)) / weighed,
        ),
    ),
    "complement_of_quotient": _case(
        (1 - 1 / (1 + pos), pos / (1 + pos)),
        (3 * y - 6 * y / (2 + pos), 3 * y * pos / (2 + pos)),
        never=(1 - 2 / (1 + pos), 1 + 1 / (1 + pos), y - 1 / (1 + pos), 1 - 1 / pos),
    ),
    "area_function": _case(
        (b.log(x + b.sqrt(x**2 + 1)), b.arcsinh(x)),
        (b.log(pos + b.sqrt(pos**2 + 4)), b.arcsinh(pos / 2) + math.log(2)),
        (b.log(far + b.sqrt(far**2 - 1)), b.arccosh(far)),
        never=(
            b.log(x + b.sqrt(y**2 + 1)),
            b.log(2 * x + b.sqrt(x**2 + 1)),
            b.log(x + b.sqrt(x**2 + x + 1)),
            b.log(x - b.sqrt(x**2 + 1)),
            b.log(x + b.sqrt(x**2)),
            b.log(1 + pos + b.sqrt((pos + 2) * pos)),
        ),
    ),
    "power_of_one_plus_exp": _case(
        ((1 + b.exp(w)) ** 2 + 1, b.exp(2 * b.softplus(w)) + 1),
        ((1 + b.exp(w)) ** 2 - 1, b.exp(2 * b.softplus(w)) - 1),
        never=((1 + b.exp(w)) ** 2, 1 + b.exp(w), (2 + b.exp(w)) ** 2 + 1, 1 / (1 + b.exp(w)) + 1),
    ),
    "difference_of_squares": _case(
        (x**2 - y**2, (x - y) * (x + y)),
        ((x + y) ** 2 - (x - y) ** 2, 4 * x * y),
        (3 - 3 * b.tanh(w) ** 2, 3 * (1 - b.tanh(w)) * (1 + b.tanh(w))),
        never=(x**2 + y**2, x**2 - 2 * y**2, x**2 - y, 4 - x**2),
    ),
    "difference_of_roots": _case(
        (b.sqrt(pos + 1) - b.sqrt(pos), 1 / (b.sqrt(pos + 1) + b.sqrt(pos))),
        never=(b.sqrt(pos + 1) + b.sqrt(pos), b.sqrt(pos) - b.sqrt(x**2 + 1)),
    ),
    "root_of_squares": _case(
        ((x @ x * (y @ y)) ** -0.5, (x @ x) ** -0.5 * (y @ y) ** -0.5),
        never=((x @ x * (y @ y)) ** 2, b.sqrt(s * (y @ y))),
    ),
    "where_of_label": _case(
        (label * b.log(pos), b.where(label > 0, b.log(pos), 0.0)),
        (label * b.log(x**2), b.where(label > 0, b.log(x**2), 0.0)),
        never=(label * x, y * b.log(pos)),
    ),
    "label_times_power": _case(
        (label * scalar("pow", x, label - 1), label),
        (label * w * scalar("pow", x, 2 - 2 * label), label * w),
        ((1 - label) * scalar("pow", x, -label), 1 - label),
        never=(
            label * scalar("pow", x, label),
            label * scalar("pow", x, label - 2),
            y * scalar("pow", x, y - 1),
            (1 - label) * scalar("pow", x, 1 - label),
            w * scalar("pow", x, label - 1),
        ),
    ),
    "choice_by_label": _case(
        (label * x + (1 - label) * w, b.where(label > 0, x, w)),
        (
            2 * label * x * y + 2 * (1 - label) * (1 - x) + w,
            2 * b.where(label > 0, x * y, 1 - x) + w,
        ),
        never=(
            *(label * x - (1 - label) * w, label * x + (1 - label), y * x + (1 - y) * w),
            label * b.sigmoid(x) + (1 - label) * w,
        ),
        x=np.array([1e-20, 1e-12, 0.3, 1e-9, 1e-7, 0.5, 0.9]),
    ),
    "log_of_choice": _case(
        (
            b.log(b.where(label > 0, pos, 1 - y)),
            b.where(label > 0, b.log(pos), b.log(1 - y)),
        ),
        never=(b.log(b.where(label > 0, pos, w)), b.log(b.where(label > 0, pos, 2 - y))),
        y=np.array([1e-20, 1e-12, 0.3, 1e-9, 1e-7, 0.5, 0.9]),
    ),
    "label_less_sigmoid": _case(
        (b.sigmoid(w) - label, (1 - 2 * label) * b.sigmoid((1 - 2 * label) * w)),
        never=(b.sigmoid(w) + label, b.sigmoid(w) - y, 2 * b.sigmoid(w) - label),
    ),
    "positive_relu": _case(
        (b.relu(x) > 0, x > 0),
        never=(b.relu(x) > 1, b.relu(x) >= 0, b.abs(x) > 0),
    ),
    "centre": _case(
        (2 * x - 2 * mean, 2 * (x - mean)),
        (x * y - mean * y, y * (x - mean)),
        never=(2 * x - mean, x - mean, 2 * x - 2 * b.mean(y)),
    ),
}
