"""contract against numpy.einsum, with views, scalars and identities among its operands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.expr import build as b
from symdiff.expr.contraction import summed_squares, summed_squares_of_product
from symdiff.expr.evaluate import evaluate
from symdiff.expr.shapes import ShapeError


@st.composite
def contractions(draw: Any) -> tuple[Any, Any, Any]:
    """(node, its value by numpy.einsum, values of the inputs)."""
    sizes = draw(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    operands, arrays, indices, values = [], [], [], {}
    for position in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.integers(0, len(sizes) - 1), max_size=3))
        x = b.input(f"x{position}", tuple(sizes[n] for n in names))
        value = rng.normal(size=x.shape)
        values[x] = value
        kind = draw(st.sampled_from(["plain", "scaled", "square", "broadcast", "T", "scalar"]))
        if kind == "scaled":
            x, value = 2 * x, 2 * value
        elif kind == "square":
            x, value = x * x, value * value
        elif kind == "broadcast":
            sizes.append(2)
            names = [len(sizes) - 1, *names]
            x = b.broadcast_to(x, (2, *x.shape))
            value = np.broadcast_to(value, x.shape)
        elif kind == "T":
            x, value, names = x.T, value.T, names[::-1]
        elif kind == "scalar":
            factor = b.input(f"s{position}")
            values[factor] = np.array(rng.normal())
            x, value = x * factor, value * values[factor]
        operands.append(x)
        arrays.append(value)
        indices.append(names)
    if draw(st.booleans()):
        n = draw(st.integers(0, len(sizes) - 1))
        m = draw(st.sampled_from([n, len(sizes)]))
        sizes.append(sizes[n])
        operands.append(b.eye(sizes[n]))
        arrays.append(np.eye(sizes[n]))
        indices.append([n, m])
    used = sorted({n for names in indices for n in names})
    out = draw(st.permutations([n for n in used if draw(st.booleans())]))
    letters = [chr(97 + n) for n in range(len(sizes))]
    text = ",".join("".join(letters[n] for n in names) for names in indices)
    text += "->" + "".join(letters[n] for n in out)
    return b.contract(operands, indices, out), np.einsum(text, *arrays), values


@settings(deadline=None, max_examples=300)
@given(contractions())
def test_contract_is_einsum(case: tuple[Any, Any, Any]) -> None:
    node, expected, values = case
    got = evaluate(node, values)
    assert node.shape == expected.shape
    assert np.allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_an_index_with_two_sizes_is_refused_by_name() -> None:
    x, w = b.input("x", ("batch", 64)), b.parameter("W1", (63, "hidden"))
    with pytest.raises(
        ShapeError, match=r"x of shape \(batch, 64\) and W1 of shape \(63, hidden\)"
    ):
        x @ w
    with pytest.raises(ShapeError, match=r"matmul: .* 64 and 63 differ"):
        x @ w


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ij,jk->iz", "z of the result is in no operand"),
        ("ij->ij", "1 terms for 2 operands"),
        ("ijk,jk->i", r"3 subscripts for x of shape \(2, 3\)"),
        ("ij,ij->", "i is 2 and 3"),
        ("i1,jk->ik", "subscripts are letters"),
    ],
)
def test_faulty_subscripts_are_explained(text: str, message: str) -> None:
    x, y = b.input("x", (2, 3)), b.input("y", (3, 4))
    with pytest.raises(ShapeError, match=message):
        b.einsum(text, x, y)


def test_sums_of_squares_are_known() -> None:
    x, rows = b.input("sq_x", (3,)), b.input("sq_rows", (1, 4))
    assert summed_squares(x @ x) == (x, (0,))
    assert summed_squares(b.sum(x**2)) == (x, (0,))
    found = summed_squares(b.einsum("ij,ij->", rows, rows))
    assert found == (rows, (0, 1))
    for other in (b.sum(x), x @ (2 * x + 1), b.sum(x**3), x**2):
        assert summed_squares(other) is None


def test_sums_of_squares_of_products_are_known() -> None:
    x, y = b.input("sq_x", (2, 3)), b.input("sq_y", (2, 3))
    for total in (b.sum(x**2 * y**2, 1), b.einsum("ij,ij,ij,ij->i", x, y, x, y)):
        factors, axes = summed_squares_of_product(total) or ((), ())
        assert dict(factors) == {x: 1, y: 1}
        assert axes == (1,)
    quotient, _ = summed_squares_of_product(b.sum(x**4 / y**2)) or ((), ())
    assert dict(quotient) == {x: 2, y: -1}
    rows = b.input("sq_rows", (1, 3))
    assert summed_squares_of_product(b.einsum("ij,ij->", x, 1 / x)) is None
    for other in (b.sum(x * y), b.sum(2 * x**2 * y**2), b.einsum("ij,kj->", x**2, rows**2), x.T):
        assert summed_squares_of_product(other) is None
