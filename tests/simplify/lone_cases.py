"""What rules do that only lone formulas get: see tests.simplify.cases."""

from __future__ import annotations

import numpy as np

from symdiff.expr import build as b
from symdiff.expr import movement as scan
from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.node import Node
from tests.simplify.cases import LABELS, SMALL, Case, case, hot, k, label, mask, u, x, y, z

z_ = np.array([[2.0, 0.0, -1.0, 0.5], [-1.0, -1.5, -0.7, 1.0], [0.1, 0.2, 3.0, 4.0]])
q, log_q = b.softmax(z), b.log_softmax(z)
picked = b.einsum("ij,ij->i", hot, q)
picks = b.one_hot(k, 4)
v = b.input("v", (3,))
s, c = b.input("s", ()), b.input("c", (), positive=True)
guard = scalar("reciprocal_or_zero", x)

row = b.softmax(x)
SURE = np.array([[40.0, 0.0, -1.0, 0.5], [-1.0, 41.5, -0.7, 1.0], [50.1, 0.2, 3.0, 4.0]])


def others(q: Node, which: list[float]) -> Node:
    """The sum of some probabilities of each row."""
    names = "ij,j->i" if q.ndim == 2 else "j,j->"
    return b.einsum(names, q, b.constant(np.array(which)))


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
            b.einsum("ij,ij->i", v[:, None] * picks, q),
            b.einsum("i,ij,ij->i", v, picks, q),
        ),
        never=(
            b.einsum("ij,ij->i", v[:, None] * hot, q),
            b.einsum("ij,ij->ij", picks * u, q),
            b.einsum("ij,ij->i", picks, q),
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
            2 * (b.sum(q) + b.sum(hot) - 2 * b.einsum("ij,ij->", q, hot)),
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
    "power_beside_guard": case(
        (power_product([(guard, 1.0), (x, -2.0), (y, 1.0)]), y / x**3),
        (power_product([(guard, 2.0), (x, -1.0)]), x**-3),
        never=(guard * y, guard * x, power_product([(guard, 1.0), (y, -2.0)])),
        x=SMALL,
    ),
    "scale_of_hypot_in_sum": case(
        (
            b.einsum("i,i->", x**2, b.hypot(x / s, 1.0) ** -2) / s**3,
            b.einsum("i,i->", x**2, scalar("hypot", x, s) ** -2) / s,
        ),
        (
            b.einsum("i,i->", y, 1 / b.hypot(x / b.sqrt(c), y)) / b.sqrt(c),
            b.einsum("i,i->", y, 1 / scalar("hypot", x, y * b.sqrt(c))),
        ),
        never=(
            b.einsum("i,i->", y, 1 / b.hypot(x / s, 1.0)) / s,
            b.einsum("i,i->", x**2, b.hypot(x / s, 1.0) ** -2) / s,
            b.einsum("i,i->", x**2, b.hypot(x / s, 1.0) ** -2) / c**2,
        ),
        x=np.array([1e100, -1e100, 3e100, 1e80, 1e90, 2e100, -1e100]),
        y=np.array([1.0, 2.0, 0.5, 0.3, 1.0, 1.0, 2.0]),
        s=np.array(1e-100),
        c=np.array(0.3),
    ),
    "complement_of_part": case(
        (1 - b.sum(q[:, :2], axis=1), others(q, [0.0, 0.0, 1.0, 1.0])),
        (v + 2 - 2 * b.sum(q[:, 1:3], axis=1), v + 2 * others(q, [1.0, 0.0, 0.0, 1.0])),
        (1 - row[0] - row[3], others(row, [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0])),
        never=(
            *(1 - q[:, :2], 2 - b.sum(q[:, :2], axis=1), 1 - row[0], 1 + row[0] + row[1]),
            *(1 - b.sum(q[:2], axis=0), b.sum(q[:, :2], axis=1) - v),
        ),
        z=SURE,
        x=np.array([40.0, -3.0, -1e-9, 1e-12, 0.7, 2.0, 3.0]),
        v=np.array([0.5, -2.0, 3.0]),
    ),
    "complement_of_running_sum": case(
        (1 - b.cumsum(row)[:-1], scan.cumsum(row, 0, True)[1:]),
        (2 - 2 * b.cumsum(q, axis=1)[:, 1], 2 * scan.cumsum(q, 1, True)[:, 2]),
        never=(1 - b.cumsum(row), 2 - b.cumsum(row)[:2], 1 - b.cumsum(q, axis=0)[:2]),
        z=SURE,
        x=np.array([40.0, -3.0, -1e-9, 1e-12, 0.7, 2.0, 3.0]),
    ),
    "complement_of_masked": case(
        (1 - b.sum(label * row), b.einsum("i,i->", row, 1 - label)),
        never=(1 - b.sum(y * row), 2 - b.sum(label * row), 1 - b.sum(row * row)),
        label=np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        x=np.array([40.0, -3.0, -1e-9, 1e-12, 0.7, 2.0, 3.0]),
    ),
}
