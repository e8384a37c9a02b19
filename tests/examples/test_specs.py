"""Every spec in examples/: the emitted module against the interpreter and against autograd.

Emitted module = interpreter = autograd in float64 to 1e-9, norm-wise, for forward, loss, backward,
hvp and norms, and to 1e-4 in float32.  The interpreter runs the graph as it was read and
differentiated, before simplification; the oracle differentiates that graph with autograd; the norms
of both are those of the loop over examples, one batch of 1 after the other.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symdiff
from symdiff.calculus.curvature import hvp
from symdiff.calculus.reverse import gradients
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from symdiff.spec.load import load
from symdiff.spec.model import Model
from tests.oracles import Array, assert_close, autograd_gradients, autograd_hvp, autograd_value

SPECS = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}

every_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
both_dtypes = pytest.mark.parametrize("dtype", [*TOLERANCE])


def in_dtype(spec: Path, dtype: str) -> str:
    """The spec's text, in another dtype."""
    text = re.sub(r"(?m)^dtype.*\n", "", spec.read_text(encoding="utf-8"))
    return re.sub(r"(?m)^(name\b.*\n)", rf'\1dtype = "{dtype}"' + "\n", text, count=1)


@cache
def emitted(spec: Path, dtype: str) -> Any:
    """The module of a spec in a dtype."""
    return symdiff.compile(in_dtype(spec, dtype))


def random_input(node: Node, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
    """Data of which an input's declared facts are true."""
    facts = dict(node.attr("declared"))
    shape = tuple(size_value(size, sizes) for size in node.shape)
    if node.dtype == "int64":
        return rng.integers(0, size_value(facts.get("labels", 2), sizes), shape)
    values = rng.normal(size=shape)
    if "range" in facts:
        low, high = np.clip(facts["range"], -2.0, 2.0)
        return rng.uniform(low, high, shape)
    if facts.get("zero_or_one"):
        return 1.0 * (values > 0)
    if facts.get("plus_minus_one"):
        return np.where(values > 0, 1.0, -1.0)
    if facts.get("one_hot"):
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if facts.get("sums_to_one"):
        return np.exp(values) / np.exp(values).sum(axis=-1, keepdims=True)
    if any(facts.get(fact) for fact in ("positive", "nonnegative", "nonzero")):
        return np.abs(values) + 0.1
    assert not facts.get("symmetric"), "a symmetric input needs data that is"
    return values


@dataclass(frozen=True)
class Case:
    """A spec's model in float64 with a point, a direction and data at which it is looked at."""

    model: Model
    loss: Node
    params: dict[str, Array]
    direction: dict[str, Array]
    data: dict[str, Array]
    sizes: dict[str, int]

    @property
    def names(self) -> list[str]:
        """The trainable parameters."""
        return [*self.model.trainable]

    @property
    def values(self) -> dict[str, Array]:
        """Parameters and data."""
        return {**self.params, **self.data}

    def examples(self) -> list[dict[str, Array]]:
        """Parameters and data of one example at a time, each a batch of 1."""
        is_row = {name: node.shape[:1] == ("batch",) for name, node in self.model.inputs.items()}
        return [
            {**self.params}
            | {name: x[j : j + 1] if is_row[name] else x for name, x in self.data.items()}
            for j in range(self.sizes["batch"])
        ]

    def given(self, function: str) -> list[Array]:
        """The data that a function takes: all of it, or for forward what the output reads."""
        if function != "forward":
            return [*self.data.values()]
        read = leaves([*self.model.output_nodes.values()], "input")
        return [self.data[name] for name, node in self.model.inputs.items() if node in read]


@cache
def case(spec: Path) -> Case:
    """The case of a spec; the same on every run."""
    model = load(in_dtype(spec, "float64"))
    rng = np.random.default_rng(11)
    sizes = {name: 3 + i for i, name in enumerate(model.free_sizes)} | {"batch": 5}
    used = {s: sizes[s] for p in model.parameters.values() for s in p.node.shape if s in sizes}
    start = emitted(spec, "float64").init(11, **used)
    # Off the initial values, which may be alike; small steps, which keep what is positive so.
    params = {k: v + 0.05 * rng.uniform(-1, 1, v.shape) for k, v in start.items()}
    total = b.mean if model.reduction == "mean" else b.sum
    loss = total(model.per_example)
    return Case(
        model=model,
        loss=loss if model.regularizer is None else loss + model.regularizer,
        params=params,
        direction={name: rng.normal(size=params[name].shape) for name in model.trainable},
        data={name: random_input(node, sizes, rng) for name, node in model.inputs.items()},
        sizes=sizes,
    )


def call(spec: Path, dtype: str, function: str, *more: Any) -> Any:
    """Call a function of the emitted module at the case's point, in the module's dtype."""
    this = case(spec)
    params = {name: value.astype(dtype) for name, value in this.params.items()}
    data = [x.astype(dtype) if x.dtype.kind == "f" else x for x in this.given(function)]
    if function == "hvp":
        direction = {name: v.astype(dtype) for name, v in this.direction.items()}
        return emitted(spec, dtype).hvp(params, direction, *data)
    return getattr(emitted(spec, dtype), function)(params, *data, *more)


def assert_same(ours: Any, theirs: Mapping[str, Array], dtype: str, what: str) -> None:
    """Two dicts of arrays have the same keys, and arrays within the tolerance of the dtype."""
    assert [*ours] == [*theirs], what
    for name, array in ours.items():
        assert array.dtype == dtype, f"{what}[{name}]"
        assert_close(array, theirs[name], TOLERANCE[dtype], f"{what}[{name}]")


@dataclass(frozen=True)
class Oracle:
    """One way to find values and derivatives of a case that shares nothing with the module.

    ``gradients`` and ``hvp`` are by the trainable parameters, in order.
    """

    value: Callable[[Case, Node], Array]
    gradients: Callable[[Case, Node, Mapping[str, Array]], list[Array]]
    hvp: Callable[[Case], list[Array]]


def _interpreted_hvp(this: Case) -> list[Array]:
    vs = [b.input(f"direction of {n}", this.model.trainable[n].shape) for n in this.names]
    products = hvp(this.loss, [*this.model.trainable.values()], vs)
    directions = {f"direction of {name}": v for name, v in this.direction.items()}
    return evaluate(products, {**this.values, **directions}, this.sizes)


ORACLES = {
    "interpreter": Oracle(
        lambda this, node: evaluate(node, this.values, this.sizes),
        lambda this, node, values: evaluate(
            gradients(node, [*this.model.trainable.values()]), values
        ),
        _interpreted_hvp,
    ),
    "autograd": Oracle(
        lambda this, node: autograd_value(node, this.values, this.sizes),
        lambda this, node, values: autograd_gradients(node, this.names, values),
        lambda this: autograd_hvp(
            this.loss, this.names, this.values, [*this.direction.values()], this.sizes
        ),
    ),
}
every_oracle = pytest.mark.parametrize("oracle", [*ORACLES])


@dataclass(frozen=True)
class Truth:
    """What a module must give at a spec's case, as one oracle has it; ``loop`` an example each."""

    outputs: dict[str, Array]
    loss: Array
    grads: dict[str, Array]
    hvp: dict[str, Array]
    loop: list[dict[str, Array]]

    @property
    def sq_norms(self) -> dict[str, Array]:
        """The squared norms of the examples' gradients, per parameter."""
        return {n: np.array([np.sum(own[n] ** 2) for own in self.loop]) for n in self.grads}

    @property
    def norms(self) -> Array:
        """The norms of the examples' gradients, over all parameters."""
        return np.sqrt(sum(self.sq_norms.values()))


@cache
def truth(spec: Path, oracle: str) -> Truth:
    """The values and derivatives of a spec's case, by an oracle."""
    this, by = case(spec), ORACLES[oracle]

    def named(arrays: list[Array]) -> dict[str, Array]:
        return dict(zip(this.names, arrays, strict=True))

    total = b.sum(this.model.per_example)
    return Truth(
        outputs={name: by.value(this, node) for name, node in this.model.output_nodes.items()},
        loss=by.value(this, this.loss),
        grads=named(by.gradients(this, this.loss, this.values)),
        hvp=named(by.hvp(this)),
        loop=[named(by.gradients(this, total, example)) for example in this.examples()],
    )


@every_spec
def test_module_passes_its_own_check(spec: Path, tmp_path: Path) -> None:
    """`python module.py --check` finds nothing."""
    compiled = compile_spec(spec)
    assert compiled.warnings == []
    path = tmp_path / "emitted.py"
    path.write_text(compiled.source, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", path, "--check"], capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stdout + run.stderr


@every_oracle
@both_dtypes
@every_spec
def test_forward_and_loss(spec: Path, dtype: str, oracle: str) -> None:
    """Outputs and the loss."""
    ours, expected = call(spec, dtype, "forward"), truth(spec, oracle)
    ours = ours if isinstance(ours, dict) else {case(spec).model.outputs[0]: ours}
    assert_same(ours, expected.outputs, dtype, "forward")
    assert_close(call(spec, dtype, "loss"), expected.loss, TOLERANCE[dtype], "loss")


@every_oracle
@both_dtypes
@every_spec
def test_backward(spec: Path, dtype: str, oracle: str) -> None:
    """Loss and gradients, alone and with the norms."""
    expected = truth(spec, oracle)
    for function in ("backward", "backward_with_norms"):
        loss, grads, *_ = call(spec, dtype, function)
        assert_close(loss, expected.loss, TOLERANCE[dtype], "loss")
        assert_same(grads, expected.grads, dtype, function)


@every_oracle
@both_dtypes
@every_spec
def test_hvp(spec: Path, dtype: str, oracle: str) -> None:
    """The Hessian times a random direction."""
    assert_same(call(spec, dtype, "hvp"), truth(spec, oracle).hvp, dtype, "hvp")


@every_oracle
@both_dtypes
@every_spec
def test_norms(spec: Path, dtype: str, oracle: str) -> None:
    """Per-example norms, for each parameter and over all, against the loop over examples."""
    expected = truth(spec, oracle)
    alone = call(spec, dtype, "per_example_sq_norms")
    assert_same(alone, expected.sq_norms, dtype, "squared norms")
    with_gradient = call(spec, dtype, "backward_with_norms")[2]
    assert_same(with_gradient, expected.sq_norms, dtype, "squared norms with the gradient")
    norms = call(spec, dtype, "per_example_norms")
    assert_close(norms, expected.norms, TOLERANCE[dtype], "norms")


@every_oracle
@both_dtypes
@every_spec
def test_clipped_backward(spec: Path, dtype: str, oracle: str) -> None:
    """The loop of clipped gradients, reduced, plus the regularizer's; loss and norms unclipped."""
    expected = truth(spec, oracle)
    norms = expected.norms
    bound = float(np.median(norms))
    divisor = len(norms) if case(spec).model.reduction == "mean" else 1
    clipped = {}
    for name, grad in expected.grads.items():
        shares = zip(norms, expected.loop, strict=True)
        cut = sum((1 - min(1, bound / n)) * own[name] for n, own in shares)
        clipped[name] = grad - cut / divisor
    loss, grads, given = call(spec, dtype, "clipped_backward", bound)
    assert_close(loss, expected.loss, TOLERANCE[dtype], "loss")
    assert_close(given, norms, TOLERANCE[dtype], "norms")
    assert_same(grads, clipped, dtype, "clipped gradients")
