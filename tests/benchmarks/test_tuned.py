"""The hand-tuned code computes what the emitted modules do: it is no use as a ceiling else."""

from __future__ import annotations

import pytest

from tests.benchmarks.contenders import emitted, make_case, tuned
from tests.benchmarks.measure import disagreement
from tests.benchmarks.workloads import WORKLOADS, Workload

SMALL = [w for w in WORKLOADS if w.name in ("W1", "W2", "W8", "W9")]


@pytest.mark.parametrize("workload", SMALL, ids=lambda w: w.name)
def test_tuned_and_emitted_code_agree_with_float64(workload: Workload) -> None:
    case = make_case(workload)
    for calls in (tuned(case), emitted(case)):
        assert set(calls) == set(case.truth)
        for name, call in calls.items():
            call()  # the second call finds buffers that the first has written to
            assert disagreement(call(), case.truth[name]) < 1e-4, name
