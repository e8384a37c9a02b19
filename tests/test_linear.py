"""That each phase of a compilation is linear in the layers, counted in lines of Python.

Times are seen in ``python -m tests.benchmarks.phases``, what loops within NumPy or a set's own
operations only there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from symdiff.compiler import compile_spec
from symdiff.expr import node
from symdiff.simplify import pipeline
from tests.benchmarks.phases import seconds, table
from tests.benchmarks.test_compile_speed import BODIES, network
from tests.phases import PHASES, REST, Lines, by_phase, superlinear

DEPTHS = (8, 16, 32)
#: What the second doubling may add, of twice what the first does.
MOST = 1.1


@pytest.fixture(autouse=True)
def _no_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of nodes is swept now and then, of what earlier tests left as well."""
    monkeypatch.setattr(node._TABLE, "_most", sys.maxsize)


def lines(depth: int, body: str, functions: Sequence[str] | None = None) -> Mapping[str, float]:
    """The lines that each phase runs."""
    with Lines() as clock, by_phase(clock) as spent:
        assert compile_spec(network(depth, BODIES[body]), functions).source
    return spent


@pytest.mark.parametrize("body", BODIES)
def test_every_phase_is_linear(body: str) -> None:
    lines(2, body)  # what is remembered of figures and shapes is the same at any depth
    works = [lines(depth, body) for depth in DEPTHS]
    assert superlinear(works, MOST) == {}
    assert all(works[0][phase] > 0 for phase in PHASES)


def test_a_phase_that_looks_at_all_for_each_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few lines for each pair of parameters, of the thousands for each that planning takes."""
    planned = pipeline.planned

    def with_pairs(roots: Sequence[Any], **settings: Any) -> Any:
        for one in roots:
            for other in roots:
                if one is other:
                    continue
        return planned(roots, **settings)

    monkeypatch.setattr(pipeline, "planned", with_pairs)
    works = [lines(depth, "plain", ["backward"]) for depth in DEPTHS]
    assert [*superlinear(works, MOST)] == ["plan contractions"]


def test_phases_are_told_apart() -> None:
    """What is spent in a phase within another is not the other's; nothing is lost."""
    with Lines() as clock:
        before = clock()
        with by_phase(clock) as spent:
            compile_spec(network(2, BODIES["plain"]), ["backward"])
        whole = clock() - before
    assert sum(spent.values()) <= whole <= sum(spent.values()) + 5000  # wrapping takes some
    assert spent["rewrite"] > spent["plan contractions"] > 0
    assert spent["verify"] == 0  # no text was asked for
    assert spent[REST] > 0


def test_seconds_are_printed_by_phase_and_depth() -> None:
    text = table({depth: seconds(depth, "plain") for depth in (1, 2)})
    for phase in (*PHASES, REST, "all"):
        assert phase in text
    assert text.splitlines()[0].split()[-3:] == ["1", "2", "slope"]
