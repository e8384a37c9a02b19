"""Buffers: values share memory only where nobody can tell; a workspace keeps it between calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from codegen.buffers import plan_buffers
from codegen.description import surroundings
from codegen.functions import function_program
from codegen.inlining import choose_inlined
from codegen.memory import MemoryPlan, plan_memory
from codegen.program import COMPOUND, Program
from codegen.style import Style
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from tests.codegen.models import describe_graph, loaded, network
from tests.strategies import Graph, graphs

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def overwritten(
    program: Program, inlined: frozenset[int], memory: MemoryPlan | None = None
) -> Iterator[str]:
    """What a run of the program's lines would read after it was written over."""
    memory = memory or plan_memory(program, inlined)
    plan = plan_buffers(program, memory)
    holds: dict[int, int] = {}
    owner: dict[int, int] = {}

    def bases(register: int) -> Iterator[int]:
        """The lined values that the text of a value reads."""
        stack = [register]
        while stack:
            at = stack.pop()
            if at in memory.slots:
                yield at
            elif program.steps[at].action not in COMPOUND:  # those have run; picks are left
                stack.extend(program.steps[at].args)

    def look(register: int, reader: object) -> Iterator[str]:
        for value in bases(register):
            base = owner.get(value)
            if base is not None and holds[plan.buffer[base]] != base:
                yield f"{reader} reads {value}, which was overwritten"

    for step in program.steps:
        if step.dest not in memory.slots and step.action not in COMPOUND:
            continue
        for arg in step.args:
            yield from look(arg, step.dest)
        if step.action == "call" and step.dest in plan.buffer:
            buffer = plan.buffer[step.dest]
            holds[buffer] = owner[step.dest] = step.dest
        elif step.is_constant:
            owner[step.dest] = holds.setdefault(plan.buffer[step.dest], step.dest)
        elif step.action in ("reshape", "index", "transpose", "slice", "flip", "broadcast"):
            base = next(bases(step.args[0]), None)
            if base is not None and base in owner:
                owner[step.dest] = owner[base]
    for label, register in program.results.items():
        yield from look(register, label)


def planned(description: Any, function: str) -> tuple[Program, frozenset[int]]:
    around = surroundings(description)
    program = function_program(around, description.functions[function])
    leaves = {s.dest: s.detail("node").attr("name") for s in program.steps if s.action == "leaf"}
    named = {register: label for label, register in program.results.items()}
    return program, choose_inlined(
        program, Style(around.dtype, around.names, "dtype", around.use), {**named, **leaves}
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_live_buffer_is_overwritten_in_the_examples(path: Path) -> None:
    description = compile_spec(path).description
    for function in description.functions:
        assert list(overwritten(*planned(description, function))) == []


@given(graphs())
def test_no_live_buffer_is_overwritten(graph: Graph) -> None:
    outputs = {"root": graph.root, "inner": graph.inner}
    assert list(overwritten(*planned(describe_graph(outputs), "forward"))) == []


def test_a_plan_that_forgets_a_reader_is_found_out() -> None:
    x = b.input("x", (3, 4))
    first = b.exp(x)
    program, inlined = planned(describe_graph({"a": b.tanh(first), "b": b.sin(first)}), "forward")
    assert list(overwritten(program, inlined)) == []
    memory = plan_memory(program, inlined)
    first_reads = {s.dest: s.dest for s in program.steps}
    for step in reversed(program.steps):
        first_reads.update(dict.fromkeys(step.args, step.dest))
    hasty = MemoryPlan(memory.slots, {r: first_reads[r] for r in memory.slots})
    assert list(overwritten(program, inlined, hasty))


def test_a_deep_forward_pass_needs_few_arrays() -> None:
    h = b.input("x", ("batch", 8))
    for i in range(40):
        h = b.tanh(h @ b.parameter(f"W{i}", (8, 8)))
    description = describe_graph({"h": h})
    program, inlined = planned(description, "forward")
    assert len(plan_buffers(program, plan_memory(program, inlined)).forms) <= 2


def data(seed: int = 0, batch: int = 6) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, 4)), rng.integers(0, 3, batch)


def flat(result: Any) -> list[np.ndarray]:
    if isinstance(result, Mapping):
        return [np.array(a) for a in result.values()]
    if isinstance(result, (tuple, list)):
        return [a for part in result for a in flat(part)]
    return [np.array(result)]


def same(first: Any, second: Any) -> bool:
    return all(np.array_equal(a, c) for a, c in zip(flat(first), flat(second), strict=True))


def test_results_are_new_without_a_workspace_and_stand_in_it_with_one() -> None:
    module = loaded(network())
    params = module.init(seed=0)
    _, grads = module.backward(params, *data(0))
    kept = flat(grads)
    module.backward(params, *data(1))
    assert same(kept, flat(grads))
    work = module.Workspace()
    _, grads = module.backward(params, *data(0), work=work)
    assert same(kept, flat(grads))
    _, again = module.backward(params, *data(1), work=work)
    assert all(again[name] is grads[name] for name in grads)
    assert not same(kept, flat(grads))


def test_a_workspace_serves_any_shapes_and_functions() -> None:
    module = loaded(network())
    params = module.init(seed=0)
    work = module.Workspace()
    for batch in (6, 2, 6, 1):
        for name in ("backward", "loss"):
            function = getattr(module, name)
            expected = flat(function(params, *data(batch, batch)))
            assert same(expected, flat(function(params, *data(batch, batch), work=work)))


def test_changed_parameters_are_seen_whatever_the_workspace_keeps() -> None:
    module = loaded(network())
    params = module.init(seed=0)
    work = module.Workspace()
    module.backward(params, *data(), work=work)
    for array in params.values():
        array += 0.25
    assert same(module.backward(params, *data()), module.backward(params, *data(), work=work))


@pytest.mark.parametrize("with_workspace", [False, True])
def test_eight_threads_at_once(with_workspace: bool) -> None:
    module = loaded(network())
    params = module.init(seed=0)
    expected = [flat(module.backward(params, *data(i, 64))) for i in range(8)]

    def run(i: int) -> bool:
        work = module.Workspace() if with_workspace else None
        return all(
            same(expected[i], module.backward(params, *data(i, 64), work=work)) for _ in range(20)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(8)))


@pytest.mark.parametrize("function", ["forward", "loss", "backward", "hvp"])
def test_plain_and_buffered_text_agree(function: str) -> None:
    buffered, plain = loaded(network()), loaded(network(plain=True))
    params, (x, y) = buffered.init(seed=0), data()
    given = {"forward": (params, x), "hvp": (params, params, x, y)}.get(function, (params, x, y))
    first, second = (flat(getattr(module, function)(*given)) for module in (buffered, plain))
    for a, c in zip(first, second, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-12, atol=1e-14)


def test_no_cotangent_of_a_deep_net_is_kept_for_later() -> None:
    layers = [[f"h{i}" if i else "x", f"W{i + 1}", f"h{i + 1}"] for i in range(12)]
    spec = "\n".join(
        [
            'name = "deep"',
            "[inputs]",
            'x = { shape = ["batch", 8] }',
            "[parameters]",
            *(f"{w} = {{ shape = [8, 8] }}" for _, w, _ in layers),
            "[equations]",
            *(f'{after} = "tanh({before} @ {w})"' for before, w, after in layers),
            "[loss]",
            'per_example = "sum(h12**2, axis=1)"',
        ]
    )
    program, inlined = planned(compile_spec(spec, ["backward"]).description, "backward")
    forms = plan_buffers(program, plan_memory(program, inlined)).forms
    assert forms.count((("batch", 8), "float64")) <= 12 + 2
