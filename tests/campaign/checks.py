"""What a drawn network must satisfy: everything the module computes, against everything else.

The module is held against the interpreter, against autograd where it has the operations, against
finite differences, and against a loop over the examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symdiff.calculus.reverse import gradients
from symdiff.compiler import compile_model
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from symdiff.spec.load import load
from symdiff.spec.model import Model
from tests.campaign.network import SIZES
from tests.oracles import autograd_gradients, autograd_hvp

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = dict[str, Any]

TIGHT, LOOSE = 1e-9, 2e-4
#: The functions that _check_examples looks at.
NORMS = ("per_example_sq_norms", "per_example_norms", "backward_with_norms", "clipped_backward")
#: Steps of two sizes; where their differences disagree there is a kink between.
STEPS = (1e-5, 2.5e-6)


class Mismatch(AssertionError):
    """Two ways to one number gave two numbers."""


def data_for(node: Node, rng: np.random.Generator, batch: int) -> Array:
    """An array that an input may be, as its facts say."""
    facts = dict(node.attr("declared"))
    shape = [size_value(size, {**SIZES, "batch": batch}) for size in node.shape]
    if "labels" in facts:
        labels = facts["labels"]
        low = 0 if facts.get("ignore") is None else facts["ignore"]
        return rng.integers(low, SIZES.get(labels, labels), shape)
    if facts.get("sums_to_one"):
        return np.asarray(rng.dirichlet(np.ones(shape[-1]), shape[:-1]))
    if facts.get("zero_or_one"):
        return rng.integers(0, 2, shape).astype(np.float64)
    if facts.get("plus_minus_one"):
        return rng.integers(0, 2, shape) * 2.0 - 1.0
    if facts.get("range") or facts.get("nonnegative") or facts.get("positive"):
        return np.asarray(rng.uniform(0.05, 0.95, shape))
    return np.asarray(rng.normal(size=shape))


def agree(ours: Any, theirs: Any, what: str, tolerance: float = TIGHT, scale: Any = 0.0) -> None:
    """Raise Mismatch unless the arrays are equal up to rounding, of numbers as large as scale."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        raise Mismatch(f"{what}: shape {ours.shape}, expected {theirs.shape}")
    size = max(1.0, float(np.max(np.abs(theirs), initial=0.0)), float(np.max(scale, initial=0.0)))
    error = float(np.max(np.abs(ours - theirs), initial=0.0)) / size
    if not error <= tolerance:
        raise Mismatch(f"{what}: error {error:.3g} exceeds {tolerance:.1g}")


def _of(found: Mapping[str, Any], theirs: Sequence[Any], what: str, **options: Any) -> None:
    for (name, ours), expected in zip(found.items(), theirs, strict=True):
        agree(ours, expected, f"{what} by {name}", **options)


@dataclass
class Subject:
    """A spec compiled, with data for it."""

    text: str
    seed: int = 0
    batch: int = 3

    @cached_property
    def model(self) -> Model:
        return load(self.text)

    @cached_property
    def module(self) -> ModuleType:
        compiled = compile_model(self.model)
        missing = compiled.description.unavailable
        if missing:
            raise Mismatch(f"without {', '.join(missing)}: {next(iter(missing.values()))}")
        return compiled.module()

    @cached_property
    def arrays(self) -> Arrays:
        """Values of the inputs, then of the parameters."""
        rng = np.random.default_rng(self.seed)
        found = {name: data_for(x, rng, self.batch) for name, x in self.model.inputs.items()}
        for name, p in self.model.parameters.items():
            shape = [size_value(size, SIZES) for size in p.node.shape]
            low, high = (0.5, 1.5) if p.init == "ones" else (-0.9, 0.9)
            found[name] = np.asarray(rng.uniform(low, high, shape))
        return found

    @property
    def params(self) -> Arrays:
        return {name: self.arrays[name] for name in self.model.parameters}

    @property
    def inputs(self) -> list[Any]:
        return [self.arrays[name] for name in self.model.inputs]

    @cached_property
    def direction(self) -> Arrays:
        rng = np.random.default_rng(self.seed + 1)
        return {n: rng.normal(size=self.arrays[n].shape) for n in self.model.trainable}

    @cached_property
    def differs(self) -> bool:
        """Whether the loss's differences are what its derivatives say: nothing is held back."""
        return all(node.op != "stop_gradient" for node in toposort([self.loss]))

    @cached_property
    def loss(self) -> Node:
        """The loss as the spec says it, nothing simplified."""
        reduced = b.mean if self.model.reduction == "mean" else b.sum
        total = reduced(self.model.per_example)
        own = self.model.regularizer
        return total if own is None else total + own

    @property
    def all_sizes(self) -> dict[str, int]:
        return self.sizes(self.batch)

    def sizes(self, batch: int) -> dict[str, int]:
        return {**SIZES, "batch": batch}

    def moved(self, step: float) -> Arrays:
        """The parameters, a step along the direction."""
        return {n: x + step * self.direction.get(n, 0.0) for n, x in self.params.items()}


def check(text: str, seed: int = 0, batch: int = 3) -> None:
    """Everything about one spec.  Raises Mismatch, or what the compiler raises."""
    subject = Subject(text, seed, batch)
    with np.errstate(all="raise", under="ignore"):
        module, arrays = subject.module, subject.arrays
        sizes = subject.sizes(batch)
        outputs = list(subject.model.output_nodes.values())
        expected = evaluate([*outputs, subject.loss], dict(arrays.items()), sizes)
        loss, grads = module.backward(subject.params, *subject.inputs)
        taken = [arrays[n] for n in _taken(module, subject)]
        agree(module.forward(subject.params, *taken), expected[0], "forward")
        agree(loss, expected[-1], "loss of backward")
        agree(module.loss(subject.params, *subject.inputs), expected[-1], "loss")
        hvp = module.hvp(subject.params, subject.direction, *subject.inputs)
    if not subject.model.trainable:
        return
    _check_first(subject, grads)
    _check_second(subject, hvp)
    _check_examples(subject, grads, subject.module, subject.inputs)


def check_users(text: str, seed: int = 0, users: int = 2, rows: int = 2) -> None:
    """The norms of users of several rows, and what is made of them, against the loop over users.

    Raises Mismatch, or what the compiler raises.
    """
    subject = Subject(text, seed, users * rows)
    split = load(text, ["user/row"])
    functions = ["forward", "backward", *NORMS]
    module = compile_model(split, functions).module()
    with np.errstate(all="raise", under="ignore"):
        data = [
            x.reshape((users, rows, *x.shape[1:])) if node.shape[:2] == ("user", "row") else x
            for x, node in zip(subject.inputs, split.inputs.values(), strict=True)
        ]
        taken = [data[list(split.inputs).index(n)] for n in _taken(module, subject)]
        whole = evaluate([*subject.model.output_nodes.values()], subject.arrays, subject.all_sizes)
        expected = [x.reshape((users, rows, *x.shape[1:])) for x in map(np.asarray, whole)]
        agree(module.forward(subject.params, *taken), expected[0], "forward")
        _, grads = module.backward(subject.params, *data)
    theirs = gradients(subject.loss, list(subject.model.trainable.values()))
    _of(grads, evaluate(theirs, subject.arrays, subject.all_sizes), "gradient of users")
    if grads:
        _check_examples(subject, grads, module, data, rows)


def _taken(module: ModuleType, subject: Subject) -> list[str]:
    """The inputs that forward takes."""
    code = module.forward.__wrapped__.__code__ if hasattr(module.forward, "__wrapped__") else None
    code = code or module.forward.__code__
    return list(code.co_varnames[1 : code.co_argcount])


def _autograd(subject: Subject, second: bool = False) -> list[Array] | None:
    """First or second derivatives by autograd; None where it lacks an operation."""
    names = list(subject.model.trainable)
    with b.default_dtype(subject.model.dtype):
        try:
            if not second:
                sizes = subject.sizes(subject.batch)
                return autograd_gradients(subject.loss, names, subject.arrays, sizes)
            vs = [subject.direction[n] for n in names]
            sizes = subject.sizes(subject.batch)
            return autograd_hvp(subject.loss, names, subject.arrays, vs, sizes)
        except (KeyError, NotImplementedError):
            return None


def _differences(subject: Subject, of: Any) -> list[Any]:
    """Central differences along the direction, with steps of both sizes."""
    found = []
    for step in STEPS:
        ahead, behind = of(subject.moved(step)), of(subject.moved(-step))
        found.append((ahead - behind) / (2 * step))
    return found


def _check_first(subject: Subject, grads: Mapping[str, Any]) -> None:
    if subject.differs:
        _check_slope(subject, grads)
    theirs = _autograd(subject)
    if theirs is not None:
        _of(grads, theirs, "gradient against autograd")


def _check_slope(subject: Subject, grads: Mapping[str, Any]) -> None:
    module, inputs = subject.module, subject.inputs
    slope = sum(float(np.sum(grads[n] * v)) for n, v in subject.direction.items())
    one, other = _differences(subject, lambda params: module.loss(params, *inputs))
    if abs(one - other) <= 1e-6 * max(1.0, abs(one)):
        agree(slope, other, "gradient against differences", LOOSE)


def _check_second(subject: Subject, hvp: Mapping[str, Any]) -> None:
    if subject.differs:
        _check_bend(subject, hvp)
    theirs = _autograd(subject, second=True)
    if theirs is not None and np.all(np.isfinite(np.concatenate([t.ravel() for t in theirs]))):
        _of(hvp, theirs, "hvp against autograd", tolerance=1e-7)


def _check_bend(subject: Subject, hvp: Mapping[str, Any]) -> None:
    module, inputs = subject.module, subject.inputs
    flat = module.ravel(hvp)

    def slopes(params: Arrays) -> Array:
        found: Array = module.ravel(module.backward(params, *inputs)[1])
        return found

    one, other = _differences(subject, slopes)
    steady = np.abs(one - other) <= 1e-6 * np.maximum(1.0, np.abs(one))
    agree(flat[steady], other[steady], "hvp against differences", LOOSE, np.abs(flat))


def _check_examples(
    subject: Subject, grads: Mapping[str, Any], module: ModuleType, inputs: list[Any], each: int = 1
) -> None:
    """Norms, weighted sums and clipping against a loop over the examples, each of some rows."""
    model, batch, params = subject.model, subject.batch, subject.params
    xs = list(model.trainable.values())
    with b.default_dtype(model.dtype):
        single = gradients(b.sum(model.per_example), xs)
        omega = [] if model.regularizer is None else gradients(model.regularizer, xs)
    sizes = subject.sizes(each)
    rows = []
    for j in range(0, batch, each):
        own = {n: subject.arrays[n][j : j + each] for n in model.inputs}
        rows.append(evaluate(single, dict({**params, **own}.items()), sizes))
    extra = evaluate(omega, dict(params.items()), sizes) if omega else [0.0] * len(xs)
    squares = [[float(np.sum(np.square(row[i]))) for row in rows] for i in range(len(xs))]
    total = np.sum(squares, axis=0)
    largest = float(np.max(total, initial=0.0))
    found = module.per_example_sq_norms(params, *inputs)
    _of(found, squares, "squared norms", scale=largest)
    loss, again, norms = module.backward_with_norms(params, *inputs)
    expected = evaluate(subject.loss, dict(subject.arrays.items()), subject.sizes(batch))
    agree(loss, expected, "loss beside the norms")
    _of(norms, squares, "squared norms beside the gradient", scale=largest)
    _of(again, [grads[n] for n in again], "gradient beside the norms")
    lengths = np.sqrt(total)
    agree(module.per_example_norms(params, *inputs) ** 2, total, "norms", scale=largest)
    bound = float(np.median(lengths))
    scale = np.minimum(1.0, bound / np.where(lengths > 0, lengths, 1.0))
    mean = 1.0 / batch if model.reduction == "mean" else 1.0
    clipped = [
        mean * sum(c * row[i] for c, row in zip(scale, rows, strict=True)) + extra[i]
        for i in range(len(xs))
    ]
    loss, ours, norm = module.clipped_backward(params, *inputs, bound)
    agree(loss, expected, "loss beside the clipped gradient")
    _of(ours, clipped, "clipped gradient", tolerance=1e-7)
    agree(norm**2, total, "norms beside the clipped gradient", scale=largest)
