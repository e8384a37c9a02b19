"""Who takes part: emitted modules, hand-tuned NumPy, and peers that are installed.

A contender is, for each function of the table, a call without arguments on arrays bound already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

import symdiff as sd
from tests.benchmarks.tuned import TUNED
from tests.benchmarks.workloads import FUNCTIONS, Array, Workload

Call = Callable[[], Any]
MAX_NORM = 0.5


@dataclass
class Case:
    """A workload on arrays: what every contender is given."""

    workload: Workload
    module: ModuleType
    params: dict[str, Array]
    v: dict[str, Array]
    inputs: dict[str, Array]
    compile_seconds: float
    max_norm: float = MAX_NORM
    threads: int = int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1
    truth: dict[str, Any] = field(default_factory=dict)


def make_case(workload: Workload, seed: int = 0) -> Case:
    """Compile the workload's spec, and draw its arrays."""
    begin = time.perf_counter()
    module = sd.compile(workload.spec)
    seconds = time.perf_counter() - begin
    rng = np.random.default_rng(seed)
    params = {name: np.asarray(a) for name, a in module.init(seed=seed).items()}
    v = {n: rng.standard_normal(a.shape, dtype=np.float32) for n, a in params.items()}
    case = Case(workload, module, params, v, dict(workload.draw(rng)), seconds)
    double = {name: a.astype(np.float64) for name, a in params.items()}
    exact = _calls(sd.compile(in_double(workload.spec)), case, double)
    case.truth = {key: call() for key, call in exact.items()}
    return case


def in_double(spec: str) -> str:
    """The same model in float64: the truth that contenders have to agree with."""
    return spec.replace('dtype = "float32"', 'dtype = "float64"', 1)


def _calls(module: ModuleType, case: Case, params: Mapping[str, Array]) -> dict[str, Call]:
    kind = next(iter(params.values())).dtype
    inputs = [a.astype(kind) if a.dtype.kind == "f" else a for a in case.inputs.values()]
    v = {name: a.astype(kind) for name, a in case.v.items()}
    arguments = {
        "backward": (params, *inputs),
        "hvp": (params, v, *inputs),
        "backward_with_norms": (params, *inputs),
        "clipped_backward": (params, *inputs, MAX_NORM),
    }

    work = module.Workspace()

    def bound(name: str) -> Call:
        function, given = getattr(module, name), arguments[name]
        return lambda: function(*given, work=work)

    return {key: bound(name) for key, name in FUNCTIONS.items()}


def emitted(case: Case) -> dict[str, Call]:
    """The emitted module, called as a user calls it."""
    return _calls(case.module, case, case.params)


def tuned(case: Case) -> dict[str, Call]:
    """The hand-tuned code; nothing where none is written."""
    net = TUNED.get(case.workload.name)
    if net is None:
        return {}
    x, y = case.inputs["x"], case.inputs["y"]
    return dict(net.bind(case.params, case.v, x, y, MAX_NORM))
