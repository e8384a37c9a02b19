"""Everything that a drawn network's module computes, against jax where that is installed.

Jax differentiates the raw graph; each example's own gradient is its, and what is made of these is
written out here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symdiff.calculus.curvature import hvp
from symdiff.compiler import compile_model
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import substitute
from symdiff.gauss_newton import NotDerivableError, cuts
from symdiff.model_graphs import ModelGraphs
from tests.campaign.subject import Mismatch, Subject, agree, agree_all
from tests.jax_oracle import jax_derivatives, jax_gauss_newton

#: On request, and made of each example's own gradient alone.
MADE_OF_GRADIENTS = (
    "clipped_by_parameter", "weighted_backward", "empirical_fisher_vp", "fisher_diagonal",
    "noise_scale",
)  # fmt: skip


def check_by_jax(subject: Subject) -> None:
    """Raise Mismatch where jax has other numbers.  It has none at some kinks: these are let be."""
    model = subject.model
    arrays = subject.arrays
    free = {n: arrays[n] for n in model.trainable}
    fixed = {n: x for n, x in subject.params.items() if n not in free}
    data = {n: arrays[n] for n in model.inputs}
    with b.default_dtype(model.dtype):
        found = jax_derivatives(
            subject.loss, model.per_example, free, fixed, data, subject.direction, subject.named
        )
    own = {n: found["own"][n].reshape(subject.batch, -1) for n in free}
    parts = [*found["grads"].values(), *own.values()]
    if not all(np.all(np.isfinite(x)) for x in parts):
        return
    module, params, inputs = subject.module, subject.params, subject.inputs
    agree_all(module.backward(params, *inputs)[1], _in(found["grads"], free), "gradient by jax")
    if all(np.all(np.isfinite(x)) for x in found["hvp"].values()):
        product = module.hvp(params, subject.direction, *inputs)
        agree_all(product, _in(found["hvp"], free), "hvp by jax", 1e-7)
    squares = {n: np.sum(g * g, axis=1) for n, g in own.items()}
    total = sum(squares.values(), start=np.zeros(subject.batch))
    largest = float(np.max(total, initial=0.0))
    alone = module.per_example_sq_norms(params, *inputs)
    agree_all(alone, _in(squares, free), "squared norms by jax", scale=largest)
    beside = module.backward_with_norms(params, *inputs)[2]
    agree_all(beside, _in(squares, free), "squared norms beside the gradient by jax", scale=largest)
    check_made_of_gradients(subject, own, squares, total)
    check_gauss_newton(subject)


def check_gauss_newton(subject: Subject) -> None:
    """Jᵀ H J v by jax, for the values z at which the loss is cut."""
    graphs = ModelGraphs(subject.model)
    try:
        zs = next(cuts(graphs)).zs
    except NotDerivableError:
        return
    places = [b.input(f"z.{i}", z.shape, z.dtype) for i, z in enumerate(zs)]
    (losses,) = substitute([graphs.per_example], dict(zip(zs, places, strict=True)))
    reduced = b.mean if subject.model.reduction == "mean" else b.sum
    with b.default_dtype(subject.model.dtype):
        found = jax_gauss_newton(
            list(zs), reduced(losses), subject.arrays, subject.direction, subject.all_sizes
        )
    own = subject.model.regularizer
    xs = list(subject.model.trainable.values())
    if own is not None:
        vs = [b.input(f"v.{i}", x.shape, x.dtype) for i, x in enumerate(xs)]
        along = {v: subject.direction[n] for v, n in zip(vs, subject.model.trainable, strict=True)}
        bent = evaluate(hvp(own, xs, vs), {**subject.params, **along}, subject.all_sizes)
        found = [x + y for x, y in zip(found, bent, strict=True)]
    if all(np.all(np.isfinite(x)) for x in found):
        module = compile_model(subject.model, ["ggn_vp"]).module()
        ours = module.ggn_vp(subject.params, subject.direction, *subject.inputs)
        agree_all(ours, found, "Gauss-Newton product by jax", 1e-7)


def _in(found: Any, names: Any) -> list[Any]:
    return [found[name] for name in names]


def check_made_of_gradients(subject: Subject, own: Any, squares: Any, total: Any) -> None:
    """Functions on request: clipping, weights, curvature of the examples' own gradients."""
    module = compile_model(subject.model, MADE_OF_GRADIENTS).module()
    params, inputs, names = subject.params, subject.inputs, list(own)
    shapes = {n: subject.arrays[n].shape for n in names}
    scale = 1 / subject.batch if subject.model.reduction == "mean" else 1.0
    largest = float(np.max(total, initial=0.0))

    def reduced(weights: Any) -> list[Any]:
        return [scale * (weights[n] @ own[n]).reshape(shapes[n]) for n in names]

    with np.errstate(all="raise", under="ignore"):
        dots = sum(g @ subject.direction[n].ravel() for n, g in own.items())
        v = subject.direction
        found = module.empirical_fisher_vp(params, v, *inputs)
        agree_all(found, reduced(dict.fromkeys(names, dots)), "empirical Fisher", scale=largest)
        found = module.fisher_diagonal(params, *inputs)
        squared = [scale * np.sum(own[n] ** 2, axis=0).reshape(shapes[n]) for n in names]
        agree_all(found, squared, "diagonal", scale=largest)
        if subject.model.regularizer is None:
            check_weights(subject, module, squares, reduced)
        if subject.batch > 1 and largest > 1e-6:
            check_noise(subject, module, own, total)


def check_weights(subject: Subject, module: Any, squares: Any, reduced: Any) -> None:
    params, inputs = subject.params, subject.inputs
    norms = {n: np.sqrt(s) for n, s in squares.items()}
    bounds = {n: float(np.median(x)) for n, x in norms.items()}
    factors = {n: np.minimum(1.0, bounds[n] / np.where(x > 0, x, 1.0)) for n, x in norms.items()}
    _, clipped, _ = module.clipped_by_parameter(params, *inputs, bounds)
    agree_all(clipped, reduced(factors), "gradient clipped by parameter", 1e-7)
    weights = {n: 1 / (1 + s) for n, s in squares.items()}
    _, weighted, _ = module.weighted_backward(
        params, *inputs, lambda s: {n: 1 / (1 + x) for n, x in s.items()}
    )
    agree_all(weighted, reduced(weights), "weighted gradient")


def check_noise(subject: Subject, module: Any, own: Any, total: Any) -> None:
    m = subject.batch
    whole = sum(float(np.sum(np.mean(g, axis=0) ** 2)) for g in own.values())
    each, largest = float(np.mean(total)), float(np.max(total))
    square = (m * whole - each) / (m - 1)
    if abs(square) < 1e-6 * largest:
        return
    ratio, trace, found = module.noise_scale(subject.params, *subject.inputs)
    agree(trace, (each - whole) * m / (m - 1), "trace of the noise", scale=largest)
    agree(found, square, "length of the mean gradient", scale=largest)
    if not np.isclose(ratio, trace / found):
        raise Mismatch("noise scale: no quotient of its parts")
