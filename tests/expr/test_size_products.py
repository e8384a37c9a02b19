"""Sizes that are products are products of numbers, so that they cancel as those do."""

from __future__ import annotations

import pytest

from symdiff.expr import build as b
from symdiff.expr.numbers import cast, size_node
from symdiff.expr.shapes import Size, size_add, size_factors, size_mul
from symdiff.simplify import simplify

n, m = size_node("n", "float64"), size_node("m", "float64")


@pytest.mark.parametrize(
    ("size", "number", "powers"),
    [
        (6, 6, []),
        ("n", 1, [("n", 1)]),
        (size_mul(5, "n"), 5, [("n", 1)]),
        (size_mul(-1, "n"), -1, [("n", 1)]),
        (size_mul(size_mul("n", "n"), size_mul(2, "m")), 2, [("m", 1), ("n", 2)]),
        (size_add("n", 1), 1, [(size_add("n", 1), 1)]),
    ],
)
def test_factors(size: Size, number: int, powers: list[tuple[Size, int]]) -> None:
    assert size_factors(size) == (number, powers)


def test_sizes_cancel() -> None:
    assert size_node(size_mul(5, "n"), "float64") is 5 * n
    assert simplify(size_node(size_mul("m", "n"), "float64") / m).root is n
    assert cast(size_node(size_mul(5, "n")), "float64") / n is b.constant(5.0)
    assert simplify(n / size_node(size_mul("n", "n"), "float64")).root is 1 / n
