"""What each rule does: graphs before and after, points that hurt, and where it must not fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.node import Node

WIDE = np.array([-800.0, -40.0, -1e-9, 0.0, 3.0, 40.0, 800.0])
SMALL = np.array([-3.0, -0.5, -1e-9, 1e-12, 0.7, 2.0, 30.0])
POSITIVE = np.array([1e-300, 1e-20, 0.3, 1.0, 2.0, 1e20, 1e300])
ROWS = np.array([[1000.0, 0.0, -5.0, 3.0], [-1000.0, -1001.0, -999.0, -1000.0], [0.1, 0.2, 3, 4]])

w = b.input("w", (7,))
x = b.input("x", (7,))
y = b.input("y", (7,))
pos = b.input("pos", (7,), positive=True)
label = b.input("label", (7,), zero_or_one=True)
soft = b.input("soft", (7,), range=(0.0, 1.0))
signs = b.input("signs", (7,), plus_minus_one=True)
z = b.input("z", (3, 4))
u = b.input("u", (3, 4))
c = b.input("c", (3, 1))
v = b.input("v", (4, 2))
p = b.input("p", (3, 4), sums_to_one=True)
hot = b.input("hot", (3, 4), one_hot=True)
mask = b.input("mask", (3, 4), zero_or_one=True)
k = b.input("k", (3,), dtype="int64", labels=4)
j = b.input("j", (3,), dtype="int64")
s = b.input("s", ())
t = b.input("t", ())

LABELS = {"k": np.array([3, 0, 1]), "j": np.array([2, 2, 0])}
BITS = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0])
DEFAULTS: Mapping[str, Any] = {
    "w": WIDE,
    "x": SMALL,
    "y": np.linspace(-2.0, 2.5, 7),
    "pos": POSITIVE,
    "label": BITS,
    "soft": np.linspace(0.0, 1.0, 7),
    "signs": 2 * BITS - 1,
    "z": ROWS,
    "u": np.linspace(-3.0, 2.0, 12).reshape(3, 4),
    "c": np.array([[5.0], [-2.0], [1e3]]),
    "v": np.arange(8.0).reshape(4, 2) - 3.5,
    "p": np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]),
    "hot": np.eye(4)[[3, 0, 1]],
    "mask": np.eye(4)[[3, 0, 1]],
    "s": np.array(0.3),
    "t": np.array(-1.7),
    **LABELS,
}

e = b.exp(z)
q = b.softmax(z)
sig, plus = b.sigmoid, b.softplus
rows = b.arange(3)
low = b.logsumexp(z, 1)
log_q = b.log_softmax(z)


def _digest(node: Node) -> bytes:
    return node.digest


@dataclass(frozen=True)
class Case:
    """One rule: (before, after) pairs, graphs it must leave alone, and its points.

    ``points`` are values for leaves whose defaults lie outside the domain, or do not hurt.
    """

    fires: tuple[tuple[Node, Node], ...]
    never: tuple[Node, ...]
    points: Mapping[str, Any] = field(default_factory=dict)


def case(*fires: tuple[Node, Node], never: tuple[Node, ...], **points: Any) -> Case:
    return Case(fires, never, points)


CASES: dict[str, Case] = {
    # canonical
    "fold_constants": case(
        (b.constant(np.arange(4.0)).sum(), b.constant(6.0)),
        (b.softmax(b.constant(np.zeros(2))), b.constant(np.array([0.5, 0.5]))),
        never=(b.full((3, 4), 2.0, "float64") + z, b.eye(3), b.log(b.constant(np.zeros(2)))),
    ),
    "flatten_sum": case(
        ((w * x + y) + x * y, linear_combination([(w * x, 1.0), (y, 1.0), (x * y, 1.0)])),
        ((z - c) - (low[:, None] - c), z - low[:, None]),
        (b.exp(w + x) * (w + (w + x) - x), 2 * w * b.exp(w + x)),
        never=(
            (w + x) * 2 + b.exp(w + x),
            z + (c + s * c),
            b.exp(2 * w + x) * (2 * w + (2 * w + x)),
            b.exp(x - w) * (w + 2 * (w - x)),
        ),
    ),
    "flatten_product": case(
        ((w * x) * y, power_product([(w, 1.0), (x, 1.0), (y, 1.0)])),
        (x / (x * y), 1 / y),
        (b.exp(w * x) + x / (w * x), b.exp(w * x) + 1 / w),
        never=((w * x) * y + b.exp(w * x), b.sqrt(w * x) * y),
    ),
    "factor_scale": case(
        (s * x - s * y, s * (x - y)),
        (z / s + c * y[0] / s, (z + c * y[0]) / s),
        never=(s * x + t * y, s * x + 1, s * x + y),
    ),
    "absorb_sign": case(
        (-((b.exp(x) - y) @ y), (y - b.exp(x)) @ y),
        (w[0] - (b.exp(x) - y).sum(), w[0] + (y - b.exp(x)).sum()),
        (-s * (z - u)[:, 1:], s * (u - z)[:, 1:]),
        never=(
            (b.exp(x) - y).sum(),
            -(b.exp(x) - y).sum() * b.tanh((b.exp(x) - y).sum()),
            -((b.exp(x) - y) ** 2).sum(),
            -(b.exp(x) - 1).sum(),
        ),
    ),
    "reshape_outward": case(
        (b.exp(b.reshape(z, (2, 6))), b.reshape(b.exp(z), (2, 6))),
        (1 - b.reshape(u, (12,)), b.reshape(1 - u, (12,))),
        never=(b.exp(z[:, 1]), b.reshape(z, (12,)) * b.reshape(u, (12,))),
        z=ROWS / 100,
    ),
    "sum_of_product": case(
        ((z * u).sum(1), b.einsum("ij,ij->i", z, u)),
        ((x**2).sum(), x @ x),
        never=(
            *(z.sum(1), (z + u).sum(), (b.exp(w) * x).sum() + (b.exp(w) * x)[2]),
            *((c * u[0]).sum(), (z**2 * u**2).sum(1)),  # two sums, and a norm, in fewer calls
            (z * u).sum(1)[:, None] * b.exp(2 * (z * u)),
        ),
    ),
    # softmax
    "softmax_of_exponentials": case(
        (e / e.sum(1, keepdims=True), q),
        (u * e / e.sum(1, keepdims=True), u * q),
        (e.T / e.sum(1), q.T),
        (e[rows, k] / e.sum(1), q[rows, k]),
        (b.exp(w) / b.exp(w).sum(), b.softmax(w)),
        (b.exp(z + u) / e.sum(1, keepdims=True), q * b.exp(u)),
        (e / e.sum(), b.softmax(z, axis=(0, 1))),
        (e / e.sum(1, keepdims=True) ** 2, q / e.sum(1, keepdims=True)),
        never=(
            e / b.exp(u).sum(1, keepdims=True),
            b.input("a", (4, 4)) * b.exp(b.input("a", (4, 4))) / b.exp(b.input("a", (4, 4))).sum(0)[
                :, None
            ],
            e * e.sum(1, keepdims=True),
            e / (1 + e.sum(1, keepdims=True)),
            e / (u * e).sum(1, keepdims=True),
        ),
        z=ROWS,
        u=np.linspace(-3.0, 2.0, 12).reshape(3, 4),
    ),
    "weighted_mean_of_exponentials": case(
        (b.einsum("ij,jk->ik", e, v) / e.sum(1, keepdims=True), b.einsum("ij,jk->ik", q, v)),
        (b.einsum("i,i->", b.exp(w), x) / b.exp(w).sum(), b.einsum("i,i->", b.softmax(w), x)),
        never=(
            b.einsum("ij,jk->ik", e, v) / b.exp(u).sum(1, keepdims=True),
            b.einsum("ij,ik->jk", e, u) / e.sum(0)[:, None] / 2 * b.exp(v[:, :1]).sum(),
        )[:1],
    ),
    "entropy_of_softmax": case(
        (low - b.einsum("ij,ij->i", z, q), -b.einsum("ij,ij->i", q, log_q)),
        (
            t * b.logsumexp(z / t, 1) - b.einsum("ij,ij->i", z, b.softmax(z / t)),
            -t * b.einsum("ij,ij->i", b.softmax(z / t), b.log_softmax(z / t)),
        ),
        (
            2 * b.einsum("ij,ij->i", z, q)[:, None] - 2 * low[:, None] + c,
            2 * b.einsum("ij,ij->i", q, log_q)[:, None] + c,
        ),
        never=(
            low - b.einsum("ij,ij->i", u, q),
            low + b.einsum("ij,ij->i", z, q),
            low - 2 * b.einsum("ij,ij->i", z, q),
            low - b.einsum("ij,ij->i", z, b.softmax(u)),
        ),
        gains=False,
        t=np.array(0.7),
    ),
    "log_softmax_of_difference": case(
        (z - low[:, None], log_q),
        (u * 2 + z - low[:, None], u * 2 + log_q),
        (z[rows, k] - low, log_q[rows, k]),
        (3 * low[:, None] - 3 * z, -3 * log_q),
        (z.T - low, log_q.T),
        (b.exp(u) + z - b.logsumexp(b.exp(u) + z, 1)[:, None], b.log_softmax(b.exp(u) + z)),
        never=(
            z - b.logsumexp(u, 1)[:, None],
            z - 2 * low[:, None],
            b.input("a", (4, 4)) - b.logsumexp(b.input("a", (4, 4)), 1),
            z + low[:, None],
        ),
    ),
    "shift_invariance": case(
        (b.softmax(z + c), q),
        (b.log_softmax(z - z.max(1, keepdims=True)), log_q),
        (b.logsumexp(z + c, 1), low + c[:, 0]),
        (b.softmax((z + c) * s), b.softmax(z * s)),
        (b.logsumexp(x + 3.0), b.logsumexp(x) + 3.0),
        never=(b.softmax(z + u), b.softmax(z + c, axis=0), b.logsumexp(z * c, 1)),
        c=np.array([[1e17], [-1e17], [3.0]]),
    ),
    # exponentials
    "log_of_known": case(
        (b.log(b.exp(w)), w),
        (b.log(q), log_q),
        (b.log(q[rows, k]), log_q[rows, k]),
        (b.log(b.reshape(q, (2, 6))), b.reshape(log_q, (2, 6))),
        (b.log(e.sum(1)), low),
        (b.log(e.sum(1).T[:, None]), low[:, None]),
        (b.log(sig(w)), -plus(-w)),
        (b.log(1 + b.exp(w)), plus(w)),
        (b.log(3 + 3 * b.exp(w)), b.log(b.constant(3.0)) + plus(w)),
        never=(
            b.log(2 + b.exp(w)),
            b.log(1 - b.exp(w)),
            b.log((u * e).sum(1)),
            b.log(q.sum(1)),
            b.log(x),
        ),
    ),
    "log_of_exponentials": case(
        (b.log(b.exp(s * 1e3) + b.exp(t)), b.logaddexp(*sorted((s * 1e3, t), key=_digest))),
        (b.log(2 + b.exp(w)), b.log(b.constant(2.0)) + plus(w - b.log(b.constant(2.0)))),
        (b.log(1 + 2 * b.exp(w)), plus(w + b.log(b.constant(2.0)))),
        (
            b.log(1 + b.exp(s * 1e3) + b.exp(t)),
            b.logsumexp(b.stack([*sorted((s * 1e3, t), key=_digest), b.constant(0.0)])),
        ),
        never=(b.log(1 - b.exp(w)), b.log(b.exp(w) - b.exp(x)), b.log(x + b.exp(w)), b.log(x + y)),
    ),
    "log_of_product": case(
        (b.log(x**2 * b.exp(w)), b.log(x**2) + w),
        (b.log(q / sig(z)), log_q + plus(-z)),
        (b.log(e.sum(1) / 4), low - b.log(b.constant(4.0))),
        (b.log((u**2 * q)[rows, k]), (b.log(u**2) + log_q)[rows, k]),
        never=(b.log(x * y), b.log(x / y), b.log(-b.exp(w)), b.log(b.exp(w) + x)),
        x=np.abs(SMALL),
        z=ROWS[::-1],
    ),
    "log_of_power": case(
        (b.log(1 / pos), -b.log(pos)),
        (b.log(x**2), 2 * b.log(b.abs(x))),
        (b.log(3 * pos**0.5), 0.5 * b.log(pos) + b.log(b.constant(3.0))),
        never=(b.log(pos * w), b.log(-(x**3)), b.log(x)),
        x=np.array([-1e200, -3.0, -1e-200, 1e-200, 1e-9, 2.0, 1e200]),
    ),
    "log_of_one_plus": case(
        (b.log(1 + x), b.log1p(x)),
        (b.log(1 - x * y), b.log1p(-x * y)),
        never=(b.log(2 + x), b.log(1 + b.exp(x)), b.log(x + y), b.log(x - 1)),
        x=np.array([-0.5, -1e-12, 1e-15, 1e-18, 0.5, 3.0, 1e10]),
        y=np.array([0.1, 0.2, 1e-3, 1.0, -1.0, -2.0, -3.0]),
    ),
    "log1p_of_known": case(
        (b.log1p(b.exp(w)), plus(w)),
        (b.log1p(-sig(w)), -plus(w)),
        (b.log1p(-sig(z)[rows, k]), -plus(z)[rows, k]),
        (b.log1p(b.expm1(w)), w),
        never=(b.log1p(-b.exp(w)), b.log1p(sig(w)), b.log1p(x)),
    ),
    "exp_of_log": case(
        (b.exp(b.log(pos)), pos),
        (b.exp(2 * b.log(pos)), pos**2),
        (b.exp(log_q), q),
        (b.exp(log_q[0, ::2]), q[0, ::2]),
        (b.exp(-plus(-w)), sig(w)),
        (b.expm1(b.log1p(pos)), pos),
        never=(b.exp(b.log(pos) + x), b.expm1(b.log(pos)), b.exp(plus(w)), b.exp(w)),
        pos=np.array([1e-150, 1e-20, 0.3, 1.0, 2.0, 1e20, 1e150]),
    ),
    "product_of_exponentials": case(
        (b.exp(w) * b.exp(x), b.exp(w + x)),
        (y / b.exp(w), y * b.exp(-w)),
        (b.exp(x) ** 3, b.exp(3 * x)),
        never=(b.exp(w) * x, e * b.exp(c), b.exp(w) + b.exp(x)),
        x=-np.array([-795.0, -40.0, 1.0, 2.0, 3.0, 40.0, 790.0]),
    ),
    "exponentials_of_shapes": case(
        (u * e / b.exp(c), u * b.exp(z - c)),
        (b.exp(-w) * b.exp(s) ** 2, b.exp(2 * s - w)),
        never=(e * b.exp(c), b.exp(w) * x, b.exp(-s) * b.exp(-t), e / b.expm1(c)),
    ),
    "exponential_into_sum": case(
        (b.exp(-s) * (b.exp(x) @ y), b.exp(x - s) @ y),
        (b.exp(-u[:, 0]) * (e @ x[:4]), b.exp(z - u[:, :1]) @ x[:4]),
        never=(b.exp(s) * (b.exp(x) @ y), b.exp(-s) * (x @ y), b.exp(-w) * (b.exp(x) @ y)),
        s=np.array(30.0),
    ),
    "exp_minus_one": case(
        (b.exp(x) - 1, b.expm1(x)),
        (3 * b.exp(x) - 3 + y, 3 * b.expm1(x) + y),
        never=(b.exp(x) - 2, b.exp(x) + 1, 2 * b.exp(x) - 1),
    ),
    # sigmoid
    "sigmoid_of_quotient": case(
        (1 / (1 + b.exp(-w)), sig(w)),
        (x / (2 + 2 * b.exp(w)), 0.5 * x * sig(-w)),
        ((1 + b.exp(w)) ** -2, sig(-w) ** 2),
        never=(
            1 / (2 + b.exp(w)),
            1 / (s + b.exp(w)),
            1 / (1 - b.exp(w)),
            1 + b.exp(w),
            1 / (1 + 2 * b.exp(w)),
        ),
    ),
    "sigmoid_times_exp": case(
        (b.exp(w) * sig(-w), sig(w)),
        (x * b.exp(y - w) * sig(w), x * b.exp(y) * sig(-w)),
        (b.exp(w) * sig(-w) ** 2, sig(w) * sig(-w)),
        (b.exp(w) * b.sqrt(sig(-w)), b.exp(w / 2) * b.sqrt(sig(w))),
        never=(b.exp(w) * sig(w), b.exp(x) * sig(-w), b.exp(w) / sig(-w)),
    ),
    "odds_of_sigmoid": case(
        (sig(x) / sig(-x), b.exp(x)),
        never=(sig(w) / sig(x), sig(w) * sig(-w)),
    ),
    "tanh_of_sigmoid": case(
        (2 * sig(2 * x) - 1, b.tanh(x)),
        (3 - 6 * sig(x), -3 * b.tanh(0.5 * x)),
        never=(2 * sig(x) - 2, sig(x) - 1, 2 * sig(x) + 1, 2 * sig(x)),
    ),
    "one_minus_sigmoid": case(
        (1 - sig(w), sig(-w)),
        (2 * sig(w) - 2 + x, -2 * sig(-w) + x),
        (1 - sig(z)[rows, k], sig(-z[rows, k])),
        never=(2 - sig(w), 1 + sig(w), 1 - 2 * sig(w), 1 - b.tanh(w)),
    ),
    "softplus_of_relu": case(
        (b.relu(w) + plus(-b.abs(w)), plus(w)),
        (b.relu(w) + plus(-b.abs(w)) - w * y, plus(w) - w * y),
        never=(b.relu(w) + plus(-b.abs(x)), b.relu(w) - plus(-b.abs(w)), b.relu(w) + plus(w)),
    ),
    "softplus_pair": case(
        (plus(w) - plus(-w), w),
        (soft * plus(-w) + (1 - soft) * plus(w), plus(w) - soft * w),
        (x * soft * plus(-w) + x * (1 - soft) * plus(w), x * plus(w) - x * soft * w),
        never=(plus(w) + x * plus(-w), plus(w) - plus(-x), soft * plus(w) + (1 - soft) * plus(w)),
    ),
    "softplus_reflected": case(
        (plus(w) - w, plus(-w)),
        (x * w - x * plus(w) + y, y - x * plus(-w)),
        (plus(w) - (w + x), plus(-w) - x),
        never=(plus(w) + w, plus(w) - x, x * plus(w) - w, plus(w) - 2 * w),
        w=np.array([-800.0, -40.0, -1e-9, 0.0, 3.0, 40.0, 30.0]),
    ),
    "sigmoid_pair": case(
        (x * sig(w) + x * sig(-w), x),
        ((1 - soft) * sig(w) - soft * sig(-w), sig(w) - soft),
        never=(soft * sig(w) + (1 - soft) * sig(-w), x * sig(w) + y * sig(-w), sig(w) - sig(x)),
    ),
    "sigmoid_less_square": case(
        (sig(w) - sig(w) ** 2, sig(w) * sig(-w)),
        (x * sig(w) - x * sig(w) ** 2 + y, x * sig(w) * sig(-w) + y),
        never=(sig(w) + sig(w) ** 2, sig(w) - sig(x) ** 2, x * sig(w) - sig(w) ** 2),
    ),
    "softplus_of_labels": case(
        (plus(w) - label * w, plus((1 - 2 * label) * w)),
        (plus(w) - label * w + x, plus((1 - 2 * label) * w) + x),
        (x * plus(w) - x * label * w, x * plus((1 - 2 * label) * w)),
        (2 * plus(w) - (1 + signs) * w, 2 * plus(-signs * w)),
        never=(plus(w) - soft * w, plus(w) + label * w, plus(w) - label * x),
        label=np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0]),
    ),
    "sigmoid_of_labels": case(
        (
            label * b.sigmoid(w) + (1 - label) * b.sigmoid(-w),
            b.sigmoid((2 * label - 1) * w),
        ),
        never=(
            soft * b.sigmoid(w) + (1 - soft) * b.sigmoid(-w),
            label * b.sigmoid(w) + (1 - label) * b.sigmoid(-x),
            label * b.sigmoid(w) + label * b.sigmoid(-w),
        ),
    ),
    # kinks
    "root_of_square": case(
        (b.sqrt(x**2), b.abs(x)),
        (b.sqrt(4 * x**2 * y**4), 2 * b.abs(x) * b.abs(y) ** 2),
        never=(b.sqrt(x**3), b.sqrt(x**2 + 1), b.sqrt(x * y)),
        x=np.array([-1e200, -2.0, -1e-200, 0.0, 1e-200, 3.0, 1e200]),
        y=np.ones(7),
    ),
    "square_of_abs": case(
        (b.abs(x) ** 2 * y, x**2 * y),
        never=(b.abs(x) ** 3, b.abs(x)),
    ),
    "abs_of_known": case(
        (b.abs(b.exp(x)), b.exp(x)),
        (b.abs(b.abs(x)), b.abs(x)),
        (b.abs(pos), pos),
        never=(b.abs(x), b.abs(x + 1), b.abs(x * y)),
        pos=np.abs(SMALL) + 1,
    ),
    "factors_out_of_abs": case(
        (b.abs(-2 * x), 2 * b.abs(x)),
        (b.abs(pos * x), pos * b.abs(x)),
        (b.abs(x * y * b.exp(w)), b.abs(x * y) * b.exp(w)),
        never=(b.abs(x), b.abs(x + 1), b.abs(x * y), b.abs(2 * x) + b.sin(2 * x)),
        pos=np.abs(SMALL) + 1,
    ),
    "relu_of_known": case(
        (b.relu(b.relu(x)), b.relu(x)),
        (b.relu(b.exp(x) + 1), b.exp(x) + 1),
        (b.relu(pos), pos),
        never=(b.relu(x), b.relu(-b.exp(x)), b.relu(b.tanh(x))),
    ),
    "relu_of_mean": case(
        (0.5 * (x + b.abs(x)), b.relu(x)),
        (x + b.abs(x) + y, 2 * b.relu(x) + y),
        (b.abs(x) - x, 2 * b.relu(-x)),
        (x + 1 + b.abs(x + 1), 2 * b.relu(x + 1)),
        never=(x + b.abs(y), 2 * x + b.abs(x), x + b.abs(2 * x)),
    ),
    "relu_of_where": case(
        (b.where(x > 0, x, 0.0), b.relu(x)),
        (b.where(x <= 0, 0.0, x), b.relu(x)),
        (b.where(x < 0, x, 0.0), -b.relu(-x)),
        never=(b.where(x > 1, x, 0.0), b.where(x > 0, y, 0.0), b.where(x > 0, x, 1.0)),
    ),
    "where_of_known": case(
        (b.where(pos > 0, x, y), x),
        (b.where(pos >= 0, x, 1.0), x),
        (b.where(soft > 1, x, y * w), y * w),
        (b.where(soft <= 1, x, y), x),
        never=(
            b.where(pos > 1, x, y),
            b.where(soft > 0, x, y),
            b.where(b.exp(x) > 0, x, y),
            b.where(pos > x, x, y),
        ),
    ),
    "where_of_equal": case(
        (b.where(y > 0, x, x), x),
        never=(b.where(y > 0, x, -x),),
    ),
    "masked_by_own_sign": case(
        (x * (x > 0), b.relu(x)),
        (x**2 * (x > 0), b.relu(x) ** 2),
        (y * b.relu(x) * (x > 0), y * b.relu(x)),
        never=(x * (x < 0), x * (y > 0), x * (x > 1), (x > 0) / x),
    ),
    "extreme_of_equal": case(
        (b.maximum(b.maximum(x, y), y), b.maximum(x, y)),
        (b.minimum(x, x), x),
        never=(b.maximum(b.minimum(x, y), y), b.maximum(x, y)),
    ),
    # sums and selection
    "known_sum": case(
        (b.einsum("ij,i->i", p, b.exp(c[:, 0] / 1e3)), b.exp(c[:, 0] / 1e3)),
        (q.sum(1), b.full((3,), 1.0, "float64")),
        (b.softmax(z, axis=(0, 1)).sum(), b.constant(1.0)),
        (b.one_hot(k, 4).sum(1), b.full((3,), 1.0, "float64")),
        (b.einsum("ij,kl->il", p, v), b.full((3, 1), 1.0, "float64") * v.sum(0)),
        never=(
            u.sum(1),
            p.sum(0),
            q.sum(0),
            b.einsum("ij,ij->i", p, u),
            b.einsum("ij,j->i", p, v[:, 0]),
            p[:, 1:].sum(1),
            b.softmax(z, axis=(0, 1)).sum(1),
            b.one_hot(j, 4).sum(1),
            b.einsum("ii->", b.input("square", (4, 4), sums_to_one=True)),
        ),
    ),
    "sum_of_scatter": case(
        (b.movement.scatter_add(u, j, 6).sum(0), u.sum(0)),
        (b.einsum("ij,j->", b.movement.scatter_add(u, j, 6), b.exp(v[:, 0])),
         b.einsum("ij,j->", u, b.exp(v[:, 0]))),
        never=(
            b.movement.scatter_add(u, j, 6).sum(1),
            b.einsum("ij,i->j", b.movement.scatter_add(u, j, 4), v[:, 0]),
        ),
    ),
    "selection_by_one_hot": case(
        (b.einsum("ij,ij->i", b.one_hot(k, 4), u), u[rows, k]),
        (b.one_hot(k, 4) @ v, v[k]),
        (
            b.einsum("ij,ij,i->", b.one_hot(k, 4), u, c[:, 0]),
            b.einsum("i,i->", u[rows, k], c[:, 0]),
        ),
        never=(
            b.einsum("ij,ij->i", b.one_hot(j, 4), u),
            b.einsum("ij,ij->i", hot, u),
            b.one_hot(k, 4).sum(0),
            b.einsum("ij,ij->ij", b.one_hot(k, 4), u),
        ),
    ),
    "power_of_zero_or_one": case(
        (mask**2 * u, mask * u),
        never=(p**2 * u, 1 / mask, b.abs(mask)),
    ),
    "mask_twice": case(
        (b.einsum("ij,ij,ij->i", mask, mask, u), b.einsum("ij,ij->i", mask, u)),
        never=(b.einsum("ij,ij,ij->i", p, p, u), b.einsum("ij,ik,ij->i", mask, mask, u)),
    ),
    # algebra
    "common_factor": case(
        (q * u - q * c, q * (u - c)),
        (x * y - x, x * (y - 1)),
        ((x * y * w - x * s * w) * b.exp(x * y * w), x * w * (y - s) * b.exp(x * y * w)),
        never=(
            (2 * x * y + x) * b.exp(x * y),
            (x * y / 3 + x * w) * b.exp(x * y / 3),
            *(x * y + w, x * y + y * w + w * x, x * y + y + 1, x / y + y, x**2 + x),
        ),
    ),
    "cancelling_product": case(
        (x * y * (label / x - soft / y), y * label - x * soft),
        never=(x * (y / x + 1), x * (y / x - w), x**2 * (y + w)),
        x=np.abs(SMALL) + 0.5,
        y=np.linspace(0.5, 2.5, 7),
    ),
}  # fmt: skip
