"""Programs, what is inlined, and memory: the stages between a graph and its text."""

from __future__ import annotations

import numpy as np
import pytest

from codegen import build_program, emit
from codegen.inlining import choose_inlined
from codegen.memory import plan_memory
from codegen.module import program_of
from codegen.names import Names
from codegen.program import Program
from codegen.style import ModuleUse, Style
from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.codegen.models import describe_graph, lines_of, network, run_graph

X = b.input("x", ("batch", 4))
W = b.parameter("W", (4, 5))


def actions(program: Program) -> list[str]:
    return [step.action for step in program.steps]


def inlined(program: Program) -> frozenset[int]:
    style = Style("float64", Names(()), "dtype", ModuleUse())
    names = {
        step.dest: step.detail("node").attr("name")
        for step in program.steps
        if step.action == "leaf"
    }
    return choose_inlined(program, style, {**names, **dict.fromkeys(program.results.values(), "y")})


def test_steps_write_one_register_each_and_read_earlier_ones() -> None:
    program = program_of(network(), "hvp")
    for place, step in enumerate(program.steps):
        assert step.dest == place
        assert all(arg < place for arg in step.args)


def test_equal_steps_are_made_once() -> None:
    t = b.transpose(X)
    program = build_program({"a": t @ b.sin(X), "b": t @ b.cos(X)})
    assert actions(program).count("transpose") == 1


def test_steps_say_how_large_they_are() -> None:
    program = build_program({"y": b.relu(X @ W)})
    made = [(step.action, step.shape, step.size) for step in program.steps if step.allocates]
    assert [(action, shape) for action, shape, _ in made] == [
        ("matmul", ("batch", 5)),
        ("relu", ("batch", 5)),
    ]
    assert str(made[0][2]) == "5*batch"


def test_what_nothing_needs_is_not_made() -> None:
    mask = b.cast(X > 0, "float64")  # a truth value multiplies as it is: no cast
    assert "cast" not in actions(build_program({"y": X * mask}))


def test_reading_order_follows_the_spec() -> None:
    first, second = b.sin(X), b.cos(X)
    for order in ((first, second), (second, first)):
        program = build_program({"y": first * second}, first=order)
        named = [step.action for step in program.steps if step.action in ("sin", "cos")]
        assert named == [node.op for node in order]


def test_divisors_are_known() -> None:
    program = build_program({"y": b.mean(X)})
    assert [program.steps[r].action for r in program.divisors] == ["size"]
    assert build_program({"y": b.mean(W)}).divisors == ()


def test_views_of_names_are_written_anywhere() -> None:
    program = build_program({"a": X.T @ b.sin(X), "b": X.T @ b.cos(X)})
    (view,) = [step.dest for step in program.steps if step.action == "transpose"]
    assert view in inlined(program)


def test_lines_stay_short() -> None:
    x = X
    for i in range(40):
        x = b.tanh(x + b.sin(x * (i + 1.5)))
    lines = lines_of({"y": x})
    assert len(lines) >= 40
    assert max(map(len, lines)) <= 80


def test_every_line_has_a_slot_of_its_own() -> None:
    program = program_of(network(), "backward")
    hidden = inlined(program)
    plan = plan_memory(program, hidden)
    assert len(set(plan.slots.values())) == len(plan.slots)
    lined = {s.dest for s in program.steps if s.dest not in hidden}
    assert set(plan.slots) <= lined


def test_a_value_lives_until_its_last_reader() -> None:
    """Through an inlined expression and a view, and to the end where it is a result."""
    h = b.exp(X)
    program = build_program({"first": b.sin(h), "second": h.T @ X, "third": b.cos(X)})
    register = {step.action: step.dest for step in program.steps}
    plan = plan_memory(program, {register["transpose"]})
    assert plan.last_use[register["exp"]] == register["matmul"]
    assert plan.last_use[register["sin"]] == len(program.steps)
    assert register["exp"] in plan.live_at(register["matmul"])
    assert register["exp"] not in plan.live_at(register["cos"])


def test_a_result_that_is_a_view_keeps_what_it_is_a_view_of() -> None:
    program = build_program({"y": b.exp(X).T})
    register = {step.action: step.dest for step in program.steps}
    plan = plan_memory(program, ())
    assert plan.last_use[register["exp"]] == len(program.steps)


def test_a_sum_or_product_of_thousands_is_taken_in_parts() -> None:
    xs = [b.input(f"x{i}", (3,)) for i in range(3000)]
    total = linear_combination([(x, 1.0 + i % 3) for i, x in enumerate(xs)], 0.5)
    product = power_product([(x, 1.0 if i % 2 else -1.0) for i, x in enumerate(xs)], 2.0)
    values = {f"x{i}": np.full(3, 1 + i / 1e6) for i in range(3000)}
    got = run_graph({"sum": total, "product": product}, values)
    for name, node in (("sum", total), ("product", product)):
        np.testing.assert_allclose(got[name], evaluate(node, values), rtol=1e-10)


@pytest.mark.parametrize("links", [10_000])
def test_a_deep_chain_is_emitted_and_runs(links: int) -> None:
    x = b.input("x", (3,))
    y: Node = x
    for i in range(links):
        y = b.sin(y) if i % 3 else y + b.cos(y)
    values = {"x": np.array([0.1, 0.2, 0.3])}
    text = emit(describe_graph({"y": y}))
    assert max(map(len, text.splitlines())) <= 100
    np.testing.assert_array_equal(run_graph({"y": y}, values)["y"], evaluate(y, values))
