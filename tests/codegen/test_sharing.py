"""Products that share factors: how many multiplications are left, and what they come to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codegen.building import build_program
from codegen.operations import single_calls
from codegen.program import Program
from codegen.sharing import shared_products
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.scan import scan
from symdiff.simplify import simplify
from tests.codegen.models import run_graph

a, c, d, e, f = (b.input(name, (4, 3)) for name in "acdef")
row = b.input("row", (3,))
RNG = np.random.default_rng(0)
VALUES: dict[Any, Any] = {name: RNG.normal(size=(4, 3)) for name in "acdef"}
VALUES["row"] = RNG.normal(size=3)

#: Products, and the multiplications that they take together.
CASES: dict[str, tuple[list[Node], int]] = {
    "two have two factors": ([a * c * d, c * d * e], 3),
    "one within another": ([c * d, a * c * d, a * c * d * e], 3),
    "nothing in common": ([a * c, d * e], 2),
    "one factor in common": ([a * c, a * d], 2),
    "powers are factors": ([a**2 * c * d, a**2 * c * e], 4),
    "quotients": ([a / c * d, a / c * e], 3),
    "numbers stay where they are": ([2 * a * c * d, 3 * c * d * e], 5),
    "rows are not paired with arrays": ([row * a * c, row * d * e], 4),
    "the most frequent first": ([a * c * d, a * c * e, a * c * f, d * e * f], 6),
}


def passes(program: Program) -> int:
    """The products and quotients of arrays."""
    return sum(
        step.action == "call" and step.detail("function") in ("multiply", "divide")
        for step in program.steps
    )


@pytest.mark.parametrize("name", CASES)
def test_fewer_multiplications_of_the_same_value(name: str) -> None:
    nodes, together = CASES[name]
    outputs = {f"y{i}": node for i, node in enumerate(simplify(nodes).roots)}
    program = build_program(outputs)
    assert (
        passes(single_calls(shared_products(program))) == together <= passes(single_calls(program))
    )
    got = run_graph(outputs, VALUES)
    for key, node in outputs.items():
        np.testing.assert_allclose(got[key], evaluate(node, VALUES), rtol=1e-13)


def test_what_has_a_name_keeps_it() -> None:
    y, z = simplify([a * c * d, c * d]).roots
    shared = shared_products(build_program({"y": y, "z": z}))
    assert [shared.nodes[register] for register in shared.results.values()] == [y, z]


def test_the_bodies_of_loops_share_too() -> None:
    def step(h: Node, x: Node) -> tuple[Node, Node]:
        return b.sin(h * x * a) + b.cos(h * x * c), h

    final, _ = scan(step, a, b.input("xs", (5, 4, 3)))
    program = build_program({"y": simplify(final).root})
    blocks = [block for s in shared_products(program).steps for block in s.blocks]
    assert [passes(single_calls(block)) for block in blocks] == [3]


def test_many_products_are_no_more_work_than_they_are_many() -> None:
    """A chain of a thousand, each with a factor of the one before."""
    xs = [b.input(f"x{i}", (4,)) for i in range(1000)]
    nodes = [b.sin(xs[i] * xs[i + 1] * xs[i + 2]) for i in range(998)]
    program = build_program({f"y{i}": node for i, node in enumerate(simplify(nodes).roots)})
    shared = passes(single_calls(shared_products(program)))
    assert shared == 3 * 998 // 2
