"""What a drawn network must satisfy: everything the module computes, against everything else.

The module is held against the interpreter, against autograd where it has the operations, against
jax where it is installed, against finite differences, and against a loop over the examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from symdiff.calculus.reverse import gradients
from symdiff.compiler import compile_model
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.spec.load import load
from tests.campaign.network import SIZES
from tests.campaign.subject import Array, Arrays, Mismatch, Subject, agree, agree_all
from tests.oracles import autograd_gradients, autograd_hvp

LOOSE, ROUGH = 2e-4, 2e-3
#: The functions that _check_examples looks at.
NORMS = ("per_example_sq_norms", "per_example_norms", "backward_with_norms", "clipped_backward")
#: Steps of two sizes; where their differences disagree there is a kink between.
STEPS = (1e-5, 2.5e-6)
HAS_JAX = find_spec("jax") is not None


def check(
    text: str, seed: int = 0, batch: int = 3, named: Mapping[str, int] = SIZES, jax: bool = HAS_JAX
) -> None:
    """Everything about one spec.  Raises Mismatch, or what the compiler raises.

    ``named`` gives the data's sizes where the spec has names; ``jax`` says whether to ask it too.
    """
    subject = Subject(text, seed, batch, named)
    with np.errstate(all="raise", under="ignore"):
        module, arrays = subject.module, subject.arrays
        sizes = subject.sizes(batch)
        outputs = list(subject.model.output_nodes.values())
        *values, total = evaluate([*outputs, subject.loss], dict(arrays.items()), sizes)
        loss, grads = module.backward(subject.params, *subject.inputs)
        taken = [arrays[n] for n in _taken(module, subject)]
        found = module.forward(subject.params, *taken)
        agree_all(found if isinstance(found, dict) else {"output": found}, values, "forward")
        agree(loss, total, "loss of backward")
        agree(module.loss(subject.params, *subject.inputs), total, "loss")
        hvp = module.hvp(subject.params, subject.direction, *subject.inputs)
    if not subject.model.trainable:
        return
    _check_first(subject, grads)
    _check_second(subject, hvp)
    _check_examples(subject, grads, subject.module, subject.inputs)
    _check_empty(subject)
    if seed % 3 == 0:
        _check_plain(subject, grads, hvp)
    if subject.is_single:
        _check_single(subject)
    if jax:
        from tests.campaign.by_jax import check_by_jax

        check_by_jax(subject)


def check_users(text: str, seed: int = 0, users: int = 2, rows: int = 2) -> None:
    """The norms of users of several rows, and what is made of them, against the loop over users.

    Raises Mismatch, or what the compiler raises.
    """
    subject = Subject(text, seed, users * rows)
    split = load(subject.double, ["user/row"])
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
    agree_all(grads, evaluate(theirs, subject.arrays, subject.all_sizes), "gradient of users")
    if grads:
        _check_examples(subject, grads, module, data, rows)


def _check_empty(subject: Subject) -> None:
    """A batch of no examples: no norms, no mean, but of a constant; a sum is 0, and Ω."""
    module, params, model = subject.module, subject.params, subject.model
    none = [subject.arrays[n][:0] for n in model.inputs]
    norms = module.per_example_norms(params, *none)
    if norms.shape != (0,):
        raise Mismatch(f"norms of no examples: shape {norms.shape}")
    if model.reduction == "sum":
        own = model.regularizer
        expected = 0.0 if own is None else evaluate(own, dict(params.items()), subject.sizes(0))
        agree(module.loss(params, *none), expected, "loss of no examples")
        return
    try:
        value = module.loss(params, *none)
    except ValueError:
        return
    if value != module.loss(params, *subject.inputs):
        raise Mismatch("a mean over no examples has a value")


def _check_plain(subject: Subject, grads: Mapping[str, Any], hvp: Mapping[str, Any]) -> None:
    """The other style of emission gives the same numbers."""
    plain = compile_model(subject.model, style="plain").module()
    params, inputs = subject.params, subject.inputs
    with np.errstate(all="raise", under="ignore"):
        _, ours, norms = plain.backward_with_norms(params, *inputs)
        agree_all(ours, list(grads.values()), "gradient in plain style")
        twice = plain.hvp(params, subject.direction, *inputs)
        agree_all(twice, list(hvp.values()), "hvp in plain style")
        beside = list(subject.module.backward_with_norms(params, *inputs)[2].values())
        largest = max((float(np.max(s, initial=0.0)) for s in beside), default=0.0)
        agree_all(norms, beside, "squared norms in plain style", scale=largest)


def _check_single(subject: Subject) -> None:
    """The module in single precision: its numbers are about those of double precision."""
    module, single = subject.module, subject.in_single
    params = {n: x.astype(np.float32) for n, x in subject.params.items()}
    v = {n: x.astype(np.float32) for n, x in subject.direction.items()}
    data = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in subject.inputs]
    exact = {n: x.astype(np.float64) for n, x in params.items()}
    inputs = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in data]
    with np.errstate(all="raise", under="ignore"):
        loss, grads, squares = single.backward_with_norms(params, *data)
        expected = module.backward_with_norms(exact, *inputs)
        own = [loss, *grads.values(), *squares.values()]
        kinds = {np.asarray(x).dtype for x in own}
        if kinds != {np.dtype(np.float32)}:
            raise Mismatch(f"single precision gives {', '.join(map(str, kinds))}")
        agree(loss, expected[0], "loss in single precision", ROUGH)
        agree_all(grads, list(expected[1].values()), "gradient in single precision", ROUGH)
        largest = max((float(np.max(s, initial=0.0)) for s in expected[2].values()), default=0.0)
        theirs = list(expected[2].values())
        agree_all(squares, theirs, "squared norms in single precision", ROUGH, scale=largest)
        twice = list(module.hvp(exact, v, *inputs).values())
        agree_all(single.hvp(params, v, *data), twice, "hvp in single precision", 10 * ROUGH)


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
        agree_all(grads, theirs, "gradient against autograd")


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
        agree_all(hvp, theirs, "hvp against autograd", tolerance=1e-7)


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
    agree_all(found, squares, "squared norms", scale=largest)
    loss, again, norms = module.backward_with_norms(params, *inputs)
    expected = evaluate(subject.loss, dict(subject.arrays.items()), subject.sizes(batch))
    agree(loss, expected, "loss beside the norms")
    agree_all(norms, squares, "squared norms beside the gradient", scale=largest)
    agree_all(again, [grads[n] for n in again], "gradient beside the norms")
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
    agree_all(ours, clipped, "clipped gradient", tolerance=1e-7)
    agree(norm**2, total, "norms beside the clipped gradient", scale=largest)
