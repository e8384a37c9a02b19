"""Products that are there already: fewer passes, the same values; none where none is saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codegen.at_hand import with_products_at_hand
from codegen.builder import Builder
from codegen.building import build_program
from codegen.flat import Flat
from codegen.program import Program
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.codegen.models import run_graph

x, y, w = (b.input(name, (4, 3)) for name in "xyw")
RNG = np.random.default_rng(0)
VALUES = {name: RNG.normal(size=(4, 3)) for name in "xyw"}
s, c = b.sin(y), b.cos(w)


def passes(program: Program) -> int:
    """Multiplications and additions of arrays, as calls make them."""
    count = 0
    for step in program.steps:
        if step.action == "mul" and step.shape:
            whole = sum(map(abs, step.detail("exponents")))
            count += int(whole) - 1 + (abs(step.detail("coefficient")) != 1)
        elif step.action == "add" and step.shape:
            count += len(step.args) - (step.detail("constant") == 0)
            count += sum(abs(k) != 1 for k in step.detail("coefficients"))
    return count


def both(outputs: dict[str, Node]) -> tuple[Program, Program]:
    program = build_program(outputs)
    return program, with_products_at_hand(program)


SAVED: dict[str, tuple[dict[str, Node], int]] = {
    "slope of a gate": ({"h": x * s, "d": w * s * (1 + x * c)}, 1),
    "minus": ({"h": x * s, "d": w * s * (1 - 3 * x * c)}, 1),
    "common to a shared term": (
        {"p": s * c * x, "d": (s * c * x - x * s * s) * c * x * y},
        2,
    ),
    "of opposite sums": (
        {"p": s * c * (1 + 2 * x), "d": (s * c * (1 + 2 * x) + (-1 - 2 * x) * s * s) * c * y},
        2,
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_passes_are_saved_and_values_stay(name: str) -> None:
    outputs, saved = SAVED[name]
    before, after = both(outputs)
    assert passes(before) - passes(after) >= saved
    for label, found in run_graph(outputs, VALUES).items():
        np.testing.assert_allclose(found, evaluate(outputs[label], VALUES), rtol=1e-12)


KEPT: dict[str, dict[str, Node]] = {
    "no product at hand": {"d": w * s * (1 + x * c)},
    "another constant": {"h": x * s, "d": w * s * (2 + x * c)},
    "a sum that others read": {"h": x * s, "t": 1 + x * c, "d": w * s * (1 + x * c)},
    "nothing in common": {"p": s * c, "d": (s * c - x * y) * s * w},
    "a smaller array": {"h": b.input("r", (3,)) * s, "d": s * (1 + b.input("r", (3,)) * c)},
}


@pytest.mark.parametrize("name", KEPT)
def test_nothing_is_done_where_nothing_is_saved(name: str) -> None:
    before, after = both(KEPT[name])
    assert passes(after) == passes(before)


def products(*made: tuple[tuple[int, ...], float]) -> Program:
    """Products of a leaf x and its sine and cosine, or of earlier products, by their places."""
    builder = Builder("float64")
    like: dict[str, Any] = {"shape": (4, 3), "dtype": "float64"}
    leaf = builder.emit("leaf", node=x, **like)
    places = [leaf, *(builder.emit(f, [leaf], **like) for f in ("sin", "cos"))]
    for args, coefficient in made:
        exponents = (1.0,) * len(args)
        registers = [places[a] for a in args]
        more = {"exponents": exponents, "coefficient": coefficient}
        places.append(builder.emit("mul", registers, **more, **like))
    return Program(tuple(builder.steps), {"y": places[-1], "z": places[-2]}, {}, ())


def test_products_of_products_are_taken_apart() -> None:
    program = products(((0, 1), 2.0), ((3, 2), 3.0))
    term = Flat(program).terms[4]
    assert term.coefficient == 6
    assert dict(term.factors) == {0: 1.0, 1: 1.0, 2: 1.0}


def test_equal_products_are_made_once() -> None:
    """Numbers before or inside of them are looked through, and so is a minus sign."""
    twice = products(((0, 1), 1.0), ((3,), -4.0), ((0, 1), 4.0), ((5, 2), 1.0), ((4, 2), 3.0))
    after = with_products_at_hand(twice)
    made = [step for step in after.steps if step.action == "mul"]
    assert [len(step.args) for step in made] == [2, 1, 1, 2, 2]
    assert made[2].args == (made[1].dest,)
    assert made[2].detail("coefficient") == -1


def test_results_that_are_equal_have_memory_of_their_own() -> None:
    after = with_products_at_hand(products(((0, 1), 2.0), ((1, 0), 2.0)))
    assert after.results["y"] != after.results["z"]
