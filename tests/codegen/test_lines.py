"""Long lines are broken where Python allows it, and say the same."""

from __future__ import annotations

import ast

import pytest

from codegen.lines import WIDTH, broken

TERMS = " + ".join(f"value_{i} * other_{i}" for i in range(9))


@pytest.mark.parametrize(
    "code",
    [
        f"x = {TERMS}",
        f"x /= {TERMS}",
        f"x *= 1 / ({TERMS})",
        f'checks["the gradient against differences"] = {TERMS}',
        f"x = np.add({TERMS.replace(' + ', ', ')}, out=x)",
        f"np.maximum({TERMS.replace(' + ', ', ')}, out=x)",
        f"x = y[{TERMS}] + {TERMS}",
        f'_fits(k <= w + 2, "x: expected {TERMS[:60]}", {{"k": k, "w": w}})',
    ],
)
def test_broken_lines_say_the_same(code: str) -> None:
    lines = broken(code)
    assert len(lines) > 1
    assert max(map(len, lines)) <= WIDTH
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(code))


def test_short_lines_stay() -> None:
    assert broken("x += y") == ["x += y"]
