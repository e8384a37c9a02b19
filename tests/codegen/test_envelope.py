"""Of several polynomials in the sizes those remain that are the largest somewhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codegen.envelope import largest
from symdiff.expr.shapes import Size, size_add, size_mul, size_value

LINES = st.tuples(st.integers(0, 40), st.integers(0, 400))


def line(slope: int, start: int) -> Size:
    return size_add(size_mul(slope, "n"), start)


def test_of_lines_the_corners_of_the_envelope_remain() -> None:
    lines = [line(k, 400 - 10 * k) for k in range(40)]  # all meet where n is 10
    assert largest(lines) == (line(0, 400), line(39, 10))


@given(st.lists(LINES, min_size=1, max_size=12))
def test_no_size_makes_a_line_that_was_dropped_the_largest(pairs: list[tuple[int, int]]) -> None:
    lines = [line(*pair) for pair in pairs]
    kept = largest(lines)
    for n in (1, 2, 3, 5, 17, 100, 10_000):
        at = {"n": n}
        assert max(size_value(x, at) for x in kept) == max(size_value(x, at) for x in lines)


@given(st.lists(st.tuples(LINES, st.integers(0, 9)), min_size=1, max_size=6))
def test_polynomials_in_two_sizes_likewise(parts: list[tuple[tuple[int, int], int]]) -> None:
    sizes = [size_add(line(*pair), size_mul(c, size_mul("m", "n"))) for pair, c in parts]
    kept = largest(sizes)
    for m, n in ((1, 1), (1, 50), (50, 1), (7, 3)):
        at = {"m": m, "n": n}
        assert max(size_value(x, at) for x in kept) == max(size_value(x, at) for x in sizes)
