"""The cheapest mode of a Hessian-vector product: of large graphs, not all are simplified."""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.calculus.curvature import HVP_MODES, hvp
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.simplify import second_order
from symdiff.simplify.context import Memo
from symdiff.simplify.cost import at
from symdiff.simplify.second_order import cheapest_hvp
from tests.simplify.test_engine import network

RNG = np.random.default_rng(0)


def test_the_mode_of_the_fewest_flops_is_taken() -> None:
    loss, parameters = network(3)
    found = cheapest_hvp(
        loss, parameters, [b.input(f"v{i}", p.shape) for i, p in enumerate(parameters)]
    )
    assert list(found.flops) == list(HVP_MODES)
    assert at(found.flops[found.mode]) == min(map(at, found.flops.values()))


def test_of_large_graphs_modes_as_good_as_the_cheapest_are_not_simplified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loss, parameters = network(3)
    vs = [b.input(f"v{i}", p.shape) for i, p in enumerate(parameters)]
    every = cheapest_hvp(loss, parameters, vs)
    calls = []
    plain = second_order.simplify

    def counted(*args: object, **options: object) -> object:
        calls.append(args)
        return plain(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(second_order, "MANY", len(toposort(every.raw)) // 2)
    monkeypatch.setattr(second_order, "simplify", counted)
    found = cheapest_hvp(loss, parameters, vs, memo=Memo())
    assert len(calls) == 1
    assert at(found.flops[found.mode]) <= 1.01 * at(every.flops[every.mode])
    values = {p.attr("name"): RNG.normal(size=p.shape) for p in [*parameters, *vs]}
    values |= {"h": RNG.normal(size=(5, 4)), "k": RNG.integers(0, 4, 5)}
    for one, other in zip(
        evaluate(list(found.simplified.roots), values),
        evaluate(hvp(loss, parameters, vs), values),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("prices", "wanted"),
    [
        ({"a": 100, "b": 100, "c": 101}, ["a"]),
        ({"a": 120, "b": 100, "c": 149}, ["b", "a", "c"]),
        ({"a": 151, "b": 100, "c": 1000}, ["b"]),
    ],
)
def test_modes_out_of_reach_or_as_good_are_no_contenders(
    prices: dict[str, int], wanted: list[str]
) -> None:
    assert second_order._contenders(prices) == wanted
