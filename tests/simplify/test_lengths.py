"""Lengths by hypot, and masks that choose: what the last steps make of a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdiff as sd
from symdiff.expr import build as b
from symdiff.expr.algebra import power_product, scalar
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.numbers import cast
from symdiff.simplify.lengths import length_of, lengths
from symdiff.simplify.masked import masked
from symdiff.simplify.scaled import scaled_norms

x, y, z = (b.input(name, (3,)) for name in "xyz")
A = b.input("A", (3, 4))
c = b.input("c", ())
d, e = b.input("d", (), positive=True), b.input("e", (), positive=True)
w, W = b.input("w", (3,), positive=True), b.input("W", (3, 4), positive=True)
VALUES: dict[Node | str, Any] = {
    "x": np.array([1.0, -2.0, 0.5]),
    "y": np.array([0.3, 2.0, -1.0]),
    "z": np.array([-1.0, 0.1, 4.0]),
    "A": np.arange(12.0).reshape(3, 4) - 5,
    "c": np.array(0.7),
    "d": np.array(1.3),
    "e": np.array(0.2),
    "w": np.array([0.5, 2.0, 3.0]),
    "W": np.linspace(0.1, 2.0, 12).reshape(3, 4),
}
ROOTS = {
    "three": b.sqrt(x**2 + y**2 + z**2),
    "inverse": 1 / b.sqrt(x**2 + 2 * y**2 + 3 * z**2),
    "a constant": b.sqrt(x**2 + y**2 + 1),
    "reciprocal": z / (x**2 * y**2 + z**2),
    "an odd power": (x**2 + y**2 + c**2) ** -1.5,
    "a variable power": scalar("pow", x**2 + y**2 + 1, c),
    "a norm": b.sqrt(x @ x + 1),
    "rows": b.einsum("ij,i->ij", A, (1 + b.sum(A**2, 1)) ** -0.5),
    "a positive number": b.sqrt(b.sum(A**2, 1) + d),
    "a positive weight": 1 / (d * x**2 + 2 * e * (d + 1)),
    "a norm by scales": 1 / (1 + b.einsum("i,i->", x**2, w**-2) / d),
}
SUMS = {
    "weights": b.sqrt(b.einsum("i,i,i->", w, x, x)),
    "scales": x / b.einsum("i,i->", (x - y) ** 2, w**-2),
    "rows": (b.einsum("ij,ij,ij->i", A, A, W)) ** -1.5,
}
SHARES = {
    "no square": b.sqrt(x**2 + y**2 + z + 9),
    "a difference": b.sqrt(x**2 + y**2 - z**2 + 20),
    "less a number": 1 / (x**2 + y**2 + z**2 - 1),
    "a product": b.sqrt(x**2 + y * z + 9) ** -3,
    "a positive array": b.sqrt(x**2 + y**2 + w),
    "a quotient": x / (1 + x**2 / c),
    "an exponential": x / (z + x**2 * b.exp(2 * y)),
    "a norm": x / b.sqrt(x @ x + c),
    "weights": x / (b.einsum("i,i,i->", w, x, x) - c),
    "sums above": (2 * x * y + c) / (x**2 + y**2 + c),
    "products above": x * b.einsum("i,i->", x, y) / (x @ x - c) ** 2,
}
FAR: dict[Node | str, Any] = {
    **VALUES,
    "x": np.array([1e200, -2e190, 0.5]),
    "y": np.array([2e200, 3e190, -1.0]),
    "z": np.array([-1e180, 3e190, 4.0]),
}
SLOPES = {
    "a quotient": (x / (1 + x**2 / c), [0.7e-200, -0.35e-190, 0.5 / (1 + 0.25 / 0.7)]),
    "a root": (x / b.sqrt(x**2 + z), [1.0, -1.0, 0.5 / np.sqrt(4.25)]),
}
OTHERS = {
    "no root": x**2 + y**2 + z**2,
    "no squares": b.sqrt(x * y + z * c),
    "squares in range": 1 / (b.sin(x) ** 2 + y),
    "no square beside what is positive": b.sqrt(d + e),
    "weights of unknown sign": b.sqrt(b.einsum("i,i,i->", y, x, x)),
    "weights alone": b.sqrt(b.einsum("i,i->", w, w**-3)),
    "a whole power": b.einsum("i,i,i->", w, x, x) ** 2,
    "another index": b.sqrt(b.einsum("ij,ij,i->j", A, A, w)),
}


def ops(node: Node) -> set[str]:
    return {each.op for each in toposort([node])}


@pytest.mark.parametrize("name", ROOTS)
def test_roots_of_squares_are_lengths(name: str) -> None:
    (made,) = lengths([ROOTS[name]])
    assert "hypot" in ops(made)
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(ROOTS[name], VALUES), rtol=1e-14)


@pytest.mark.parametrize("name", SHARES)
def test_what_has_either_sign_is_shared_out(name: str) -> None:
    (made,) = lengths([SHARES[name]])
    assert made is not SHARES[name]
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(SHARES[name], VALUES), rtol=1e-13)


@pytest.mark.parametrize("name", SLOPES)
def test_nothing_overflows_in_what_is_shared_out(name: str) -> None:
    node, expected = SLOPES[name]
    with np.errstate(all="ignore"):
        found = evaluate(scaled_norms([node])[0], FAR)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_of_nothing_the_root_is_nothing() -> None:
    """Where all terms are 0, nothing is 0/0."""
    nothing: dict[Node | str, Any] = {name: np.zeros_like(value) for name, value in VALUES.items()}
    for node in (b.sqrt(x**2 + z), b.sqrt(x @ x + c), b.sqrt(x**2 - 4 * y * z)):
        made = np.asarray(evaluate(scaled_norms([node])[0], nothing))
        np.testing.assert_array_equal(made, np.zeros(made.shape))


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_not(name: str) -> None:
    assert lengths([OTHERS[name]]) == [OTHERS[name]]


@pytest.mark.parametrize("name", SUMS)
def test_weighted_squares_are_squares(name: str) -> None:
    (made,) = lengths([SUMS[name]])
    assert made is not SUMS[name]
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(SUMS[name], VALUES), rtol=1e-14)


def test_what_is_leaned_on_is_said() -> None:
    for name, declared in {"a positive number": "d", "a positive weight": "de"}.items():
        leaned: set[tuple[str, str]] = set()
        lengths([ROOTS[name]], leaned)
        assert leaned == {(each, "positive") for each in declared}
    leaned = set()
    lengths([SUMS["weights"]], leaned)
    assert leaned == {("w", "positive")}
    lengths([ROOTS["three"]], leaned)
    assert leaned == {("w", "positive")}


def test_lengths_at_any_scale() -> None:
    length = length_of(x**2 + y**2 + z**2)
    assert length is not None
    for scale in (2.0**600, 2.0**-600):
        moved: dict[Node | str, Any] = {name: value * scale for name, value in VALUES.items()}
        expected = np.sqrt(VALUES["x"] ** 2 + VALUES["y"] ** 2 + VALUES["z"] ** 2) * scale
        np.testing.assert_allclose(evaluate(length, moved), expected, rtol=1e-14)


def mask(condition: Node) -> Node:
    return cast(condition, "float64")


inside = b.abs(x) < 1
CHOICES = {
    "product": mask(inside) * x**3 * (1 + x) ** 2,
    "complement": (1 - mask(inside)) * b.exp(x) * y,
    "two masks": power_product([(mask(inside), 1.0), (mask(y > 0), 1.0), (b.exp(x), 1.0)]),
    "rows": b.einsum("i,ij->ij", mask(inside), b.exp(A)),
    "sum": b.einsum("i,i->", mask(inside), b.exp(x)),
    "matrix": b.einsum("i,i,ij->j", mask(inside), x**3, A),
}


@pytest.mark.parametrize("name", CHOICES)
def test_masks_choose(name: str) -> None:
    node = CHOICES[name]
    (made,) = masked([node])
    assert "where" in ops(made)
    assert "cast" not in ops(made)
    np.testing.assert_allclose(evaluate(made, VALUES), evaluate(node, VALUES), rtol=1e-15)


@pytest.mark.parametrize(
    "node",
    [
        mask(inside) * y,
        mask(inside) * (x - y),
        mask(inside) * b.sigmoid(x) * 3,
        x**3 * b.exp(x),
        b.einsum("i,ij->j", mask(inside), A),
        scalar("where", inside, b.exp(x), 0.0),
    ],
)
def test_what_is_finite_is_multiplied(node: Node) -> None:
    assert masked([node]) == [node]


TUKEY = "sum(where(abs(r) < c, 1 - (1 - (r/c)**2)**3, 1))"


@pytest.mark.parametrize("options", [{}, {"order": 2}, {"direction": "v"}])
def test_the_branch_not_taken_is_left_out(options: dict[str, Any]) -> None:
    found = sd.derive(TUKEY, wrt="r", shapes={"r": (3,)}, **options)
    more = {"v": np.ones(3)} if "direction" in options else {}
    far, near = (found.derivative(r=np.array([s, 0.1, -s]), c=1.0, **more) for s in (1e200, 2.0))
    assert np.array_equal(far, near)
    assert np.all(np.isfinite(far))
