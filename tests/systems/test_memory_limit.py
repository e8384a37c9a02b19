"""Functions that compute values again: the same values, within the limit, at the least price."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import cost_of, program_of
from codegen.footprint import Footprint, Numbers
from symdiff.compiler import compile_spec
from symdiff.errors import SpecError
from symdiff.expr.shapes import size_value
from symdiff.memory_limit import byte_count, sizes_of
from tests.benchmarks.measure import leaves
from tests.systems.memory_models import (
    SPECS,
    arguments,
    chain,
    compiled,
    layered,
    measured_peak,
    planned_peak,
)

FUNCTIONS = ("backward", "hvp", "backward_with_norms", "clipped_backward")


def assert_same(found: Any, wanted: Any) -> None:
    for a, b in zip(leaves(found), leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12 * (1 + np.max(np.abs(b), initial=0)))


def beyond_results(model: Any, function: str, sizes: dict[str, int]) -> tuple[int, int]:
    """Bytes that a call holds, and those of them that it returns."""
    at = sizes_of(model.model, sizes)
    footprint = Footprint(program_of(model.description, function), Numbers(at))
    results = sum(footprint.sizes[r] for r in footprint.results)
    return planned_peak(model, function, sizes), results


SLOW = [("transformer", "hvp"), ("transformer", "clipped_backward")]
CASES = [(n, f) for n in SPECS for f in FUNCTIONS if (n, f) not in SLOW]


@pytest.mark.parametrize(("name", "function"), CASES)
def test_values_are_the_same_within_the_limit(name: str, function: str) -> None:
    spec, sizes = SPECS[name]
    plain = compiled(name, (function,))
    peak, results = beyond_results(plain, function, sizes)
    # Clipping goes through the layers a third time, and reads nearly everything then.
    part = 0.97 if function == "clipped_backward" else 0.75
    limit = results + int((peak - results) * part)
    tight = compile_spec(spec, [function], memory=limit, at=sizes)
    assert tight.source.count("np.") > plain.source.count("np.") or "del " in tight.source
    assert planned_peak(tight, function, sizes) <= limit
    given = arguments(plain, function, sizes)
    module = tight.module()
    assert measured_peak(module, function, given) <= 1.1 * limit
    wanted = getattr(plain.module(), function)(*given)
    assert_same(getattr(module, function)(*given), wanted)
    work = module.Workspace()
    for _ in range(2):
        assert_same(getattr(module, function)(*given, work=work), wanted)


def test_a_deep_net_takes_the_root_of_its_depth_at_one_more_forward_pass() -> None:
    depth, width, batch = 400, 8, 512
    spec = chain(depth, width)
    plain = compile_spec(spec, ["backward"])
    unit = batch * width * 8  # one layer's values
    peak, results = beyond_results(plain, "backward", {"batch": batch})
    assert peak - results > depth * unit
    root = math.isqrt(2 * depth) + 6  # segments of 1 to n layers have n(n + 1)/2 together
    tight = compile_spec(spec, ["backward"], memory=results + root * unit, at={"batch": batch})
    assert planned_peak(tight, "backward", {"batch": batch}) <= results + root * unit
    before, after = (cost_of(each.description, "backward") for each in (plain, tight))
    assert size_value(after.products, {}) - size_value(before.products, {}) <= depth
    at = {"batch": batch}
    forward = depth * batch * (2 * width**2 + width)
    assert size_value(after.flops, at) - size_value(before.flops, at) <= forward
    given = arguments(plain, "backward", {"batch": batch})
    module = tight.module()
    measured = measured_peak(module, "backward", given)
    assert measured == pytest.approx(planned_peak(tight, "backward", at), rel=0.1)
    assert_same(module.backward(*given), plain.module().backward(*given))


def test_the_price_rises_as_the_limit_falls() -> None:
    spec, sizes = SPECS["deep"]
    peak, results = beyond_results(compiled("deep", ("backward",)), "backward", sizes)
    prices = []
    for part in (1.0, 0.8, 0.6, 0.4):
        limit = results + int((peak - results) * part)
        model = compile_spec(spec, ["backward"], memory=limit, at=sizes)
        prices.append(size_value(cost_of(model.description, "backward").flops, sizes))
    assert prices == sorted(prices)
    assert prices[0] < prices[-1]


def test_a_limit_that_is_met_anyway_changes_no_line_of_the_functions() -> None:
    spec, sizes = SPECS["deep"]
    plain, roomy = (
        compiled("deep", ("backward",)),
        compile_spec(spec, ["backward"], memory="1GB", at=sizes),
    )
    kernels = [text.partition("\ndef _backward")[2] for text in (plain.source, roomy.source)]
    assert kernels[0] == kernels[1] != ""
    assert "no more than 1 000 000 000 bytes at batch = 400." in " ".join(roomy.source.split())


def test_loops_stay_loops() -> None:
    spec, sizes = SPECS["recurrent"]
    peak, results = beyond_results(compiled("recurrent", ("backward",)), "backward", sizes)
    limit = results + (peak - results) * 3 // 4
    plain, tight = (
        compiled("recurrent", ("backward",)),
        compile_spec(spec, ["backward"], memory=limit, at=sizes),
    )
    loops = [model.source.count("for t") for model in (plain, tight)]
    assert loops[0] <= loops[1] <= loops[0] + 3  # a layer's loop once more at most


def test_a_limit_that_cannot_be_met_is_refused_with_the_least_that_can() -> None:
    with pytest.raises(
        SpecError, match=r"--memory: backward cannot be had within 9 bytes"
    ) as caught:
        compile_spec(SPECS["deep"][0], ["backward"], memory=9)
    (line,) = caught.value.lines
    assert "at batch = 128 (batch assumed: --at sets sizes)" in line
    least = int(line.rpartition("reached is ")[2].removesuffix(" bytes").replace(" ", ""))
    model = compile_spec(SPECS["deep"][0], ["backward"], memory=least)
    assert planned_peak(model, "backward", {}) <= least


@pytest.mark.parametrize(
    ("text", "count"),
    [("64MB", 64_000_000), ("1.5 KiB", 1536), ("12", 12), (7, 7), ("2gb", 2 * 10**9)],
)
def test_numbers_of_bytes(text: str | int, count: int) -> None:
    assert byte_count(text) == count


@pytest.mark.parametrize("text", ["", "-1", "64 parsecs", "0", "MB"])
def test_what_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="memory"):
        compile_spec(SPECS["deep"][0], ["backward"], memory=text)


def test_sizes_that_no_spec_has_are_refused() -> None:
    with pytest.raises(SpecError, match="--at: no open size 'bach'; did you mean 'batch'"):
        compile_spec(SPECS["deep"][0], ["backward"], memory="1MB", at={"bach": 3})


@st.composite
def nets(draw: st.DrawFn) -> str:
    """Layers that read any of those before them, once or twice, some weights used again."""
    equations, weights = [], []
    for i in range(1, draw(st.integers(3, 9)) + 1):
        above = ["x", *(f"h{k}" for k in range(1, i))]
        near = draw(st.sampled_from(above[-3:]))
        far = draw(st.sampled_from(above))
        weight = draw(st.sampled_from([*weights[-2:], f"W{i}"]))
        weights += [weight] if weight not in weights else []
        form = draw(
            st.sampled_from(
                [
                    "tanh({near} @ {w})",
                    "{far} + sigmoid({near} @ {w})",
                    "{near} * exp(-({far} @ {w})**2)",
                    "softplus({near}) - {far} * mean({near} @ {w}, axis=1, keepdims=True)",
                ]
            )
        )
        equations.append(f"h{i} = {form.format(near=near, far=far, w=weight)}")
    return layered(equations, weights, 5)


@settings(max_examples=12)
@given(spec=nets(), part=st.floats(0.2, 1), function=st.sampled_from(FUNCTIONS))
def test_any_net_within_any_limit_that_can_be_met(spec: str, part: float, function: str) -> None:
    sizes = {"batch": 40}
    plain = compile_spec(spec, [function])
    peak, results = beyond_results(plain, function, sizes)
    limit = results + int((peak - results) * part)
    try:
        tight = compile_spec(spec, [function], memory=limit, at=sizes)
    except SpecError as error:
        assert "cannot be had within" in str(error)  # noqa: PT017
        return
    assert planned_peak(tight, function, sizes) <= limit
    given_ = arguments(plain, function, sizes)
    module = tight.module()
    assert_same(getattr(module, function)(*given_), getattr(plain.module(), function)(*given_))
    # Other sizes than those of the plan are taken all the same.
    few = arguments(plain, function, {"batch": 3})
    assert_same(getattr(module, function)(*few), getattr(plain.module(), function)(*few))
