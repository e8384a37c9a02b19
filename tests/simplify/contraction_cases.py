"""What the rules for contractions, movement, cross-entropies and labels do; see cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.node import Node
from tests.simplify.cases import Case, c, case, k, label, log_q, low, p, u, w, x, y, z

A = b.input("A", (3, 4))
B = b.input("B", (4, 3))
C = b.input("C", (4, 3))
S = b.input("S", (3, 3), symmetric=True)
T = b.input("T", (3, 3))
d = b.input("d", (3,))
a = b.input("a", ())
f = b.input("f", (4,))
g = b.input("g", (4, 3, 2))
_RNG = np.random.default_rng(3)
_HALF = _RNG.normal(size=(3, 3))
POINTS: dict[str, Any] = {
    "A": _RNG.normal(size=(3, 4)),
    "B": _RNG.normal(size=(4, 3)),
    "C": _RNG.normal(size=(4, 3)),
    "S": _HALF + _HALF.T,
    "T": _RNG.normal(size=(3, 3)),
    "d": np.array([0.5, -2.0, 3.0]),
    "f": np.array([1.5, -1.0, 0.25, 2.0]),
    "g": _RNG.normal(size=(4, 3, 2)),
    "z": _RNG.normal(size=(3, 4)),
    "x": np.linspace(-1.0, 2.0, 7),
    "w": np.linspace(-3.0, 2.0, 7),
    "c": np.array([[0.5], [-1.5], [2.0]]),
}


def _case(*fires: tuple[Node, Node], never: tuple[Node, ...], **points: Any) -> Case:
    return case(*fires, never=never, **{**POINTS, **points})


def product(*factors: Node) -> Node:
    """The factors as one product."""
    return power_product([(x, 1.0) for x in factors])


def total(*terms: Node) -> Node:
    """The terms as one sum."""
    return linear_combination([(x, 1.0) for x in terms])


sp, wh = b.softplus, b.where
flat = b.reshape(z, (12,))
tall = b.reshape(g, (12, 2))

CASES: dict[str, Case] = {
    # contractions
    "sum_of_contraction": _case(
        (b.trace(A @ B), b.einsum("ij,ji->", A, B)),
        ((A @ B).sum(0), b.einsum("ij,jk->k", A, B)),
        (b.diagonal(A @ B), b.einsum("ij,ji->i", A, B)),
        ((A @ B).sum(), b.einsum("ij,jk->", A, B)),
        never=(d @ (A @ B), b.trace(A @ B) * b.exp(A @ B), A.sum(0), b.trace(T)),
    ),
    "transpose_of_product": _case(
        ((A @ B).T, B.T @ A.T),
        (b.transpose(b.einsum("ij,jkl->ikl", A, g), (2, 0, 1)), b.einsum("ij,jkl->lik", A, g)),
        never=((A @ B).T + b.exp(A @ B), T.T, (A @ B)[:, None]),
    ),
    "constant_factor_of_sum": _case(
        ((c * z).sum(1), c[:, 0] * z.sum(1)),
        ((f * z).sum(0), f * z.sum(0)),
        (product(c, z, b.exp(z)).sum(1), c[:, 0] * (z * b.exp(z)).sum(1)),
        (
            (c * b.softmax(z)).sum(1)[:, None] * b.exp(c * b.softmax(z)),
            (c[:, 0] * b.softmax(z).sum(1))[:, None] * b.exp(c * b.softmax(z)),
        ),
        never=(
            (c * z).sum(1)[:, None] * b.exp(c * z),
            (c**2 * z**2).sum(1),
            (u * z).sum(1),
            (f * z).sum(1),
            (c * z * u).sum(1)[:, None] * (c * z * u),
            b.trace(T * d),
        ),
    ),
    "common_operand": _case(
        (A @ B + A @ C, A @ (B + C)),
        (A @ B - 2 * (A @ C), A @ (B - 2 * C)),
        (total(A @ B, T, A @ C), A @ (B + C) + T),
        (T.T @ d + T.T @ (T @ d), T.T @ (d + T @ d)),
        never=(A @ B + b.exp(A @ B) + A @ C, w @ x + w @ y, T @ d + T.T @ d),
    ),
    "scale_of_factor": _case(
        (x * (0.5 * w + 0.5), 0.5 * (x * (w + 1))),
        (x @ (2 - 2 * b.exp(w)), 2 * (x @ (1 - b.exp(w)))),
        never=(x * (0.5 * w + 1), x * (w + 1), 0.5 * w + 0.5, x * (w + y)),
    ),
    "gather_sums": _case(
        (sp(w).sum() - y @ w, (sp(w) - y * w).sum()),
        (low.sum() - z[b.arange(3), k].sum(), (low - z[b.arange(3), k]).sum()),
        (b.exp(z).sum(1) - (u * z).sum(1), (b.exp(z) - u * z).sum(1)),
        (x.sum() + x @ b.tanh(x), (x + x * b.tanh(x)).sum()),
        never=(
            (w**2).sum() + (y**2).sum(),
            w.sum() + 2 * b.exp(w).sum(),
            b.exp(w).sum() + b.exp(w).sum() * w.sum(),
            T @ d + T.T @ d,
            b.exp(z).sum(1) + z.sum(0)[:3],
        ),
    ),
    "product_with_diagonal": _case(
        (b.diag(d) @ A, d[:, None] * A),
        (A @ b.diag(f), A * f),
        (b.diagonal(b.diag(d)), d),
        (B @ b.diag(d) @ A, (B * d) @ A),
        never=(b.diag(d) * T, b.diag(d), b.diag(d)[:, :, None] * T[:, None, :]),
    ),
    "transpose_of_symmetric": _case(
        (S.T, S),
        (S.T @ d, S @ d),
        ((T + T.T).T, T + T.T),
        never=(T.T, T.T @ d, S[:, :, None], b.diagonal(S)),
    ),
    "common_power": _case(
        (w * y + w**3 * x, w * (y + w**2 * x)),
        (w - w**2, w * (1 - w)),
        (w**2 - w**3, w**2 * (1 - w)),
        never=(
            w + w**-1,
            w**2 + 1,
            b.sqrt(b.exp(w)) + b.exp(w),
            w * y + x * y**0.5,
            (w * y + w**3 * x) * b.exp(w * y),
            b.exp((a * b.exp(w) - a).sum()) + (a * b.exp(w) - a) @ x,
        ),
    ),
    # movement
    "index_axes_outward": _case(
        (b.take(f, k[:, None], axis=0), b.take(f, k, axis=0)[:, None]),
        (b.take_along_axis(z, k[:, None], 1), z[b.arange(3), k][:, None]),
        never=(b.take(f, k, axis=0), z[b.arange(3), k]),
    ),
    "taken_from_repeated": _case(
        (b.broadcast_to(low[:, None], (3, 4))[b.arange(3), k], low),
        never=(z[b.arange(3), k], b.broadcast_to(f, (3, 4))[b.arange(3), k]),
    ),
    "factor_out_of_take": _case(
        ((c * z)[b.arange(3), k], c[:, 0] * z[b.arange(3), k]),
        never=((f * z)[b.arange(3), k], (u * z)[b.arange(3), k], (c * z)[1]),
    ),
    "slice_of_view": _case(
        (z.T[1:], z[:, 1:].T),
        (b.flip(z.T, 0), b.flip(z, 1).T),
        (b.broadcast_to(f, (3, 4))[1:, 1:], b.broadcast_to(f[1:], (2, 3))),
        never=(z[:, 1:], b.diagonal(T)[1:]),
    ),
    "reduction_of_view": _case(
        (b.softmax(z.T, axis=0), b.softmax(z).T),
        (b.logsumexp(z[:, None, :], axis=2), low[:, None]),
        (b.max(z.T, axis=1), b.max(z, axis=0)),
        never=(b.softmax(z), b.softmax(z[:, None, :], axis=1), b.softmax(b.diagonal(T))),
    ),
    "reduction_of_reshape": _case(
        (b.logsumexp(flat), b.logsumexp(z)),
        (b.max(tall, axis=0), b.max(g, axis=(0, 1))),
        (b.softmax(tall), b.reshape(b.softmax(g), (12, 2))),
        never=(b.logsumexp(b.reshape(z, (2, 6)), axis=1), b.softmax(z)),
    ),
    "sum_of_reshape": _case(
        (flat.sum(), z.sum()),
        (flat @ b.reshape(u, (12,)), b.einsum("ij,ij->", z, u)),
        (tall.sum(0), g.sum((0, 1))),
        never=(
            flat @ b.reshape(g[:, :, 0], (12,)),
            b.reshape(z, (2, 6)).sum(0),
            flat @ (b.reshape(u, (12,)) + 1),
        ),
    ),
    "transpose_outward": _case(
        (z.T * u.T, (z * u).T),
        (z.T - d, (z - d[:, None]).T),
        (b.maximum(z.T, u.T + d), b.maximum(z, u + d[:, None]).T),
        never=(z.T * B, z.T + B, z * u, T + T.T, z.T * 2),
    ),
    "reshapes_outward": _case(
        (flat * b.reshape(u, (12,)), b.reshape(z * u, (12,))),
        (2 * flat + b.reshape(u, (12,)), b.reshape(2 * z + u, (12,))),
        never=(flat * b.reshape(g[:, :, 0], (12,)), flat * 2, flat + b.arange(12)),
    ),
    # cross-entropies
    "expectation_of_log_softmax": _case(
        (low - (p * z).sum(1), -b.einsum("ij,ij->i", p, log_q)),
        (low.sum() - b.einsum("ij,ij->", p, z), -b.einsum("ij,ij->", p, log_q)),
        (b.exp(d) + low - b.einsum("ij,ij->i", p, z), b.exp(d) - b.einsum("ij,ij->i", p, log_q)),
        never=(
            low - (u * z).sum(1),
            low - (p * u).sum(1),
            2 * low - (p * z).sum(1),
            b.logsumexp(z, 0) - (p * z).sum(0),
        ),
    ),
    "logsumexp_of_difference": _case(
        (x - b.log_softmax(x), b.broadcast_to(b.logsumexp(x), (7,))),
        (x[1] - b.log_softmax(x)[1], b.logsumexp(x)),
        (z[b.arange(3), k] - log_q[b.arange(3), k], low),
        (z.T - log_q.T, b.broadcast_to(low, (4, 3))),
        never=(x[1] - b.log_softmax(x)[2], x + b.log_softmax(x), u - log_q),
    ),
    "softplus_of_complement": _case(
        (sp(-w) + (1 - y) * w, sp(w) - y * w),
        (2 * sp(-w) + (2 - y) * w, 2 * sp(w) - y * w),
        never=(sp(-w) + (2 - y) * w, sp(w) + (1 - y) * w, sp(-w) + (1 - y) * x),
    ),
    # labels
    "question_of_label": _case(
        (label > 0.5, label > 0),
        (label >= 1, label > 0),
        (b.greater(0.5, label), label <= 0),
        never=(label > 0, w > 0.5, label > 2, label <= 0),
    ),
    "indicator_of_label": _case(
        (b.cast(label > 0, "float64"), label),
        (b.cast(label <= 0, "float64"), 1 - label),
        never=(b.cast(w > 0, "float64"),),
    ),
    "where_of_negation": _case(
        (wh(label <= 0, x, w), wh(label > 0, w, x)),
        never=(wh(label > 0, x, w), wh(w <= 0, x, y)),
    ),
    "where_of_one_function": _case(
        (wh(w > 0, sp(x), sp(y)), sp(wh(w > 0, x, y))),
        never=(wh(w > 0, b.exp(x), b.exp(y)), wh(w > 0, b.exp(x), sp(y)), wh(w > 0, b.exp(x), y)),
    ),
    "where_of_opposites": _case(
        (wh(label > 0, x, -x), (2 * label - 1) * x),
        (wh(label > 0, -x, x), (1 - 2 * label) * x),
        never=(wh(label > 0, x, x), wh(w > 0, x, -x), wh(label > 0, x, -y)),
    ),
    "scale_of_where": _case(
        (wh(w > 0, -x, 0), -wh(w > 0, x, 0.0)),
        (wh(w > 0, 0, 3 * x * y), 3 * wh(w > 0, 0.0, x * y)),
        never=(wh(w > 0, x, 0), wh(w > 0, 2 * x, y), wh(w > 0, 2.0, 0.0), wh(-w > 0, -w, 0.0)),
    ),
}
