"""What the rules for losses of one picked probability do: see tests.simplify.cases."""

from __future__ import annotations

import numpy as np

from symdiff.expr import build as b
from tests.simplify.cases import LABELS, Case, case, hot, k, mask, u, z

z_ = np.array([[2.0, 0.0, -1.0, 0.5], [-1.0, -1.5, -0.7, 1.0], [0.1, 0.2, 3.0, 4.0]])
q, log_q = b.softmax(z), b.log_softmax(z)
picked = b.einsum("ij,ij->i", hot, q)
y = b.one_hot(k, 4)
v = b.input("v", (3,))

CASES: dict[str, Case] = {
    "function_of_picked": case(
        (
            b.einsum("ij,ij,ij->i", hot, (1 - q) ** 3, log_q),
            b.einsum("i,ij,ij->i", (1 - picked) ** 3, hot, log_q),
        ),
        (
            b.einsum("ij,ij->", hot, (1 - q) ** 1.5 * u),
            b.einsum("i,ij,ij->", (1 - picked) ** 1.5, hot, u),
        ),
        never=(
            b.einsum("ij,ij,ij->i", mask, (1 - q) ** 3, log_q),
            b.einsum("ij,ij,ij->j", hot, (1 - q) ** 3, log_q),
            b.einsum("ij,ij->i", hot, (2 - q) ** 3),
            b.einsum("ij,ij->i", hot, (1 - u) ** 3),
        ),
        z=z_,
    ),
    "selection_within_product": case(
        (
            b.einsum("ij,ij->i", v[:, None] * y, q),
            b.einsum("i,ij,ij->i", v, y, q),
        ),
        never=(
            b.einsum("ij,ij->i", v[:, None] * hot, q),
            b.einsum("ij,ij->ij", y * u, q),
            b.einsum("ij,ij->i", y, q),
        ),
        z=z_,
        v=np.array([0.5, -2.0, 3.0]),
        **LABELS,
    ),
    "distance_to_label": case(
        (
            b.sum(b.abs(q - hot), 1),
            b.sum(q, 1) + b.sum(hot, 1) - 2 * b.einsum("ij,ij->i", q, hot),
        ),
        (
            b.sum(b.abs(2 * hot - 2 * q)),
            2 * b.sum(q) + 2 * b.sum(hot) - 4 * b.einsum("ij,ij->", q, hot),
        ),
        never=(
            b.abs(q - hot),
            b.sum(b.abs(q - u), 1),
            b.sum(b.abs(u - hot), 1),
            b.sum(b.abs(q + hot), 1),
            b.sum(b.abs(q - hot - 1), 1),
        ),
        z=z_,
    ),
}
