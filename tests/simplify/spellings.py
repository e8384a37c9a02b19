"""One function, many spellings: families of formulas that are equal for all values.

Each family has a reference and other ways in which people write it: other orders of terms and
factors, the mean as a sum over the count, masks, reshapes, transposes, labels as indices or as
one-hot rows, einsum or matmul or elementwise products, the logarithm of a quotient or a difference
of logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Family:
    """Formulas of one function of ``wrt``; the first of ``spellings`` is the reference."""

    wrt: str
    shapes: Mapping[str, Any]
    spellings: tuple[str, ...]
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_LOGITS = {"z": ("n", 5)}
_LABELS = {**_LOGITS, "y": ("n",)}
_PICKED = {"y": {"labels": 5}}

FAMILIES: dict[str, Family] = {
    "softmax cross-entropy, labels, mean": Family(
        "z",
        _LABELS,
        (
            "mean(softmax_cross_entropy(z, y))",
            "mean(cross_entropy(softmax(z), y))",
            "-mean(log(exp(z)[arange(n), y] / sum(exp(z), axis=1)))",
            "-mean(log(softmax(z))[arange(n), y])",
            "-sum(log(softmax(z)[arange(n), y])) / n",
            "mean(log(sum(exp(z), axis=1)) - z[arange(n), y])",
            "(sum(logsumexp(z, axis=1)) - sum(z[arange(n), y])) / n",
            "mean(logsumexp(z, axis=-1)) - mean(z[arange(n), y])",
            "-(1 / n) * sum(one_hot(y, 5) * log_softmax(z))",
            "-mean(sum(log(softmax(z)) * one_hot(y, 5), axis=1))",
            "-mean(log(sum(softmax(z) * one_hot(y, 5), axis=1)))",
            "-5 * mean(one_hot(y, 5) * log(softmax(z)))",
            "-einsum('ij,ij->', one_hot(y, 5), log_softmax(z)) / n",
            "-mean(einsum('ij,ij->i', log_softmax(z), one_hot(y, 5)))",
            "-trace(one_hot(y, 5) @ log_softmax(z).T) / n",
            "-trace(one_hot(y, 5).T @ log_softmax(z)) / n",
            "-trace(log_softmax(z).T @ one_hot(y, 5)) / n",
            "-sum(diag(log_softmax(z) @ one_hot(y, 5).T)) / n",
            "-mean(log((exp(z).T / sum(exp(z), axis=1)).T)[arange(n), y])",
            "-mean(take_along_axis(log_softmax(z), y[:, None], axis=1))",
            "-mean(take_along_axis(z - logsumexp(z, axis=1, keepdims=True), y[:, None], axis=1)"
            "[:, 0])",
            "-mean(log(exp(z - max(z, axis=1, keepdims=True)) / "
            "sum(exp(z - max(z, axis=1, keepdims=True)), axis=1, keepdims=True))[arange(n), y])",
            "-mean(((z - max(z, axis=1, keepdims=True)) - log(sum(exp(z - max(z, axis=1, "
            "keepdims=True)), axis=1, keepdims=True)))[arange(n), y])",
            "mean(log(sum(exp(z - z[arange(n), y][:, None]), axis=1)))",
            "-sum(reshape(log_softmax(z), (n * 5,)) * reshape(one_hot(y, 5), (n * 5,))) / n",
            "-dot(reshape(one_hot(y, 5), (-1,)), reshape(log_softmax(z), (-1,))) / n",
            "-mean(log(exp(z)) [arange(n), y] - log(sum(exp(z), axis=1)))",
            "mean(-log_softmax(z.T, axis=0).T[arange(n), y])",
            "-sum(log_softmax(z.T, axis=0) * one_hot(y, 5).T) / n",
            "-sum(log_softmax(z)[arange(n), y], axis=0) * (2 / (2 * n))",
            "-mean(log(reshape(exp(z), (n, 5)) / reshape(sum(exp(z), axis=1), (n, 1)))"
            "[arange(n), y])",
            "-ones_like(y * 1.0) @ log_softmax(z)[arange(n), y] / n",
            "mean(logsumexp(z, axis=1) - sum(one_hot(y, 5) * z, axis=1))",
            "mean(logsumexp(z, axis=1) - diag(z @ one_hot(y, 5).T))",
        ),
        _PICKED,
    ),
    "softmax cross-entropy, probabilities, sum": Family(
        "z",
        {**_LOGITS, "p": ("n", 5)},
        (
            "sum(softmax_cross_entropy(z, p))",
            "-sum(p * log(softmax(z)))",
            "-sum(p * log(exp(z) / sum(exp(z), axis=1, keepdims=True)))",
            "-sum(sum(log_softmax(z) * p, axis=-1))",
            "-sum(p * (z - logsumexp(z, axis=1, keepdims=True)))",
            "-sum(p * (z - log(sum(exp(z), axis=1))[:, None]))",
            "sum(p * logsumexp(z, axis=1, keepdims=True)) - sum(p * z)",
            "-einsum('ij,ij->', p, log_softmax(z))",
            "-trace(p @ log_softmax(z).T)",
            "-n * mean(sum(p * log_softmax(z), axis=1))",
            "-5 * n * mean(p * log_softmax(z))",
            "-sum(p.T * log_softmax(z).T)",
            "-sum(log(softmax(z) ** p))",
            "sum(logsumexp(z, axis=1) - sum(p * z, axis=1))",
            "sum(logsumexp(z, axis=1)) - sum(p * z)",
            "-dot(reshape(p, (-1,)), reshape(log_softmax(z), (-1,)))",
            "-sum(p * log(exp(z)) - p * log(sum(exp(z), axis=1, keepdims=True)))",
        ),
        {"p": {"sums_to_one": True}},
    ),
    "softmax cross-entropy, masked": Family(
        "z",
        {**_LABELS, "m": ("n",)},
        (
            "sum(m * softmax_cross_entropy(z, y))",
            "m @ softmax_cross_entropy(z, y)",
            "-sum(m * log(softmax(z))[arange(n), y])",
            "-sum(m[:, None] * one_hot(y, 5) * log_softmax(z))",
            "-sum((m[:, None] * one_hot(y, 5)) * log_softmax(z))",
            "-sum(m[:, None] * (one_hot(y, 5) * log_softmax(z)))",
            "-einsum('i,ij,ij->', m, one_hot(y, 5), log_softmax(z))",
            "-m @ sum(one_hot(y, 5) * log_softmax(z), axis=1)",
            "-trace(diag(m) @ log_softmax(z) @ one_hot(y, 5).T)",
            "sum(m * logsumexp(z, axis=1)) - sum(m * z[arange(n), y])",
            "-sum(m * log(exp(z)[arange(n), y] / sum(exp(z), axis=1)))",
        ),
        {**_PICKED, "m": {"zero_or_one": True}},
    ),
    "softmax cross-entropy, left out": Family(
        "z",
        {**_LABELS, "m": ("n",)},
        (
            "sum(where(m > 0, softmax_cross_entropy(z, y), 0))",
            "-sum(where(m > 0.5, log_softmax(z)[arange(n), y], 0))",
            "sum(where(m == 1, cross_entropy(softmax(z), y), 0))",
            "-sum(where(m < 0.5, 0, log(softmax(z)[arange(n), y])))",
            "sum(where(m == 0, 0, logsumexp(z, axis=1) - z[arange(n), y]))",
        ),
        {**_PICKED, "m": {"zero_or_one": True}},
    ),
    "binary cross-entropy, 0 or 1": Family(
        "z",
        {"z": ("n",), "y": ("n",)},
        (
            "mean(sigmoid_cross_entropy(z, y))",
            "mean(binary_cross_entropy(sigmoid(z), y))",
            "-mean(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))",
            "-mean(y * log(1 / (1 + exp(-z))) + (1 - y) * log(1 - 1 / (1 + exp(-z))))",
            "-mean(y * log(exp(z) / (1 + exp(z))) + (1 - y) * log(1 / (1 + exp(z))))",
            "-mean((1 - y) * log(1 - sigmoid(z)) + y * log(sigmoid(z)))",
            "-sum(y * log(sigmoid(z)) + (1 - y) * log(sigmoid(-z))) / n",
            "mean(softplus(z) - y * z)",
            "mean(softplus(z)) - mean(y * z)",
            "mean(log(1 + exp(z)) - y * z)",
            "mean(log1p(exp(z)) - z * y)",
            "mean(y * softplus(-z) + (1 - y) * softplus(z))",
            "mean(softplus((1 - 2 * y) * z))",
            "mean(log(1 + exp(-(2 * y - 1) * z)))",
            "-mean(log(sigmoid((2 * y - 1) * z)))",
            "-mean(log_sigmoid((2 * y - 1) * z))",
            "mean(where(y > 0.5, -log(sigmoid(z)), -log(1 - sigmoid(z))))",
            "mean(maximum(z, 0) - z * y + log(1 + exp(-abs(z))))",
            "mean(relu(z) - z * y + log1p(exp(-abs(z))))",
            "mean(logaddexp(0, z) - y * z)",
            "(sum(softplus(z)) - y @ z) / n",
            "(sum(softplus(z)) - einsum('i,i->', y, z)) / n",
            "-(y @ log(sigmoid(z)) + (1 - y) @ log(1 - sigmoid(z))) / n",
            "-mean(log(where(y > 0.5, sigmoid(z), 1 - sigmoid(z))))",
            "-mean(log(sigmoid(z) ** y * (1 - sigmoid(z)) ** (1 - y)))",
        ),
        {"y": {"zero_or_one": True}},
    ),
    "binary cross-entropy, probabilities": Family(
        "z",
        {"z": ("n",), "y": ("n",)},
        (
            "sum(sigmoid_cross_entropy(z, y))",
            "-sum(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))",
            "-sum(y * log(exp(z) / (1 + exp(z))) + (1 - y) * log(1 / (1 + exp(z))))",
            "sum(softplus(z) - y * z)",
            "sum(softplus(z)) - sum(z * y)",
            "sum(log(1 + exp(z))) - z @ y",
            "sum(y * softplus(-z) + (1 - y) * softplus(z))",
            "sum((1 - y) * z + softplus(-z))",
            "sum((1 - y) * z + log(1 + exp(-z)))",
            "sum(maximum(z, 0) - z * y + log(1 + exp(-abs(z))))",
            "-n * mean(y * log(sigmoid(z)) + (1 - y) * log(sigmoid(-z)))",
            "-(y @ log(sigmoid(z)) + (1 - y) @ log(sigmoid(-z)))",
            "-sum(log(sigmoid(z) ** y) + log((1 - sigmoid(z)) ** (1 - y)))",
            "sum(logaddexp(z, 0) - z * y)",
        ),
    ),
    "log-sum-exp": Family(
        "x",
        {"x": (6,)},
        (
            "logsumexp(x)",
            "log(sum(exp(x)))",
            "log(exp(x).sum())",
            "max(x) + log(sum(exp(x - max(x))))",
            "log(sum(exp(x - max(x)))) + max(x)",
            "log(sum(exp(x - x[0]))) + x[0]",
            "log(ones_like(x) @ exp(x))",
            "log(einsum('i->', exp(x)))",
            "log(6 * mean(exp(x)))",
            "log(mean(exp(x))) + log(6)",
            "log(sum(2 * exp(x)) / 2)",
            "-log(1 / sum(exp(x)))",
            "logsumexp(reshape(x, (2, 3)))",
            "log(sum(reshape(exp(x), (2, 3))))",
            "log(sum(exp(reshape(x, (3, 2)).T)))",
            "log(sum(sum(exp(reshape(x, (2, 3))), axis=0)))",
            "0.5 * log(sum(exp(x)) ** 2)",
            "2 * log(sqrt(sum(exp(x))))",
            "x[1] - log(softmax(x)[1])",
            "logsumexp(x + 3) - 3",
            "log(sum(exp(x + 1))) - 1",
        ),
    ),
    "softplus": Family(
        "x",
        {"x": (4,)},
        (
            "sum(softplus(x))",
            "sum(log(1 + exp(x)))",
            "sum(log(exp(x) + 1))",
            "sum(log1p(exp(x)))",
            "sum(maximum(x, 0) + log(1 + exp(-abs(x))))",
            "sum(relu(x) + log1p(exp(-abs(x))))",
            "sum(x + log(1 + exp(-x)))",
            "sum(x - log(sigmoid(x)))",
            "-sum(log(1 - sigmoid(x)))",
            "-sum(log(sigmoid(-x)))",
            "-sum(log(1 / (1 + exp(x))))",
            "sum(logaddexp(0, x))",
            "sum(log(exp(0) + exp(x)))",
            "sum(softplus(-x)) + sum(x)",
            "4 * mean(log(1 + exp(x)))",
            "sum(log(2 + 2 * exp(x)) - log(2))",
            "sum(where(x > 0, x + log1p(exp(-x)), log1p(exp(x))))",
        ),
    ),
    "layer norm": Family(
        "x",
        {"x": ("n", 6), "g": (6,), "b": (6,)},
        (
            "layer_norm(x, g, b)",
            "g * (x - mean(x, axis=1, keepdims=True)) / sqrt(var(x, axis=1, keepdims=True)"
            " + 1e-5) + b",
            "(x - x.mean(-1, keepdims=True)) * g / sqrt(var(x, -1, keepdims=True) + 1e-5) + b",
            "b + g * ((x - mean(x, axis=1)[:, None]) / sqrt(mean((x - mean(x, axis=1)[:, None])"
            "** 2, axis=1) + 1e-5)[:, None])",
            "((x.T - mean(x, axis=1)) / sqrt(var(x, axis=1) + 1e-5)).T * g + b",
            "(x - mean(x, axis=1, keepdims=True)) * (var(x, axis=1, keepdims=True) + 1e-5)"
            " ** -0.5 * g + b",
            "(x - sum(x, axis=1, keepdims=True) / 6) / sqrt(sum((x - sum(x, axis=1, "
            "keepdims=True) / 6) ** 2, axis=1, keepdims=True) / 6 + 1e-5) * g + b",
            "(x - mean(x, axis=1, keepdims=True)) / sqrt(mean(x ** 2, axis=1, keepdims=True) - "
            "mean(x, axis=1, keepdims=True) ** 2 + 1e-5) * g + b",
            "((x - mean(x, 1, keepdims=True)) / (var(x, 1, keepdims=True) + 1e-5) ** 0.5) "
            "@ diag(g) + b",
            "einsum('ij,j->ij', (x - mean(x, 1, keepdims=True)) / sqrt(var(x, 1, keepdims=True)"
            " + 1e-5), g) + b",
            "reshape((x - mean(x, 1, keepdims=True)) / sqrt(var(x, 1, keepdims=True) + 1e-5), "
            "(n, 6)) * g + b",
        ),
    ),
    "gelu": Family(
        "x",
        {"x": (4,)},
        (
            "sum(gelu(x))",
            "sum(0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))))",
            "sum(x * (1 + tanh((x + 0.044715 * x ** 3) * sqrt(2 / pi))) / 2)",
            "0.5 * x @ (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))",
            "2 * mean(x * (tanh(sqrt(2 / pi) * (0.044715 * x ** 3 + x)) + 1))",
            "sum(x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 * x ** 3)))",
            "sum(x / (1 + exp(-2 * sqrt(2 / pi) * (x + 0.044715 * x ** 3))))",
            "sum(0.5 * x * (1 + tanh(sqrt(2 / pi) * x * (1 + 0.044715 * x ** 2))))",
            "sum(0.5 * x + 0.5 * x * tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))",
        ),
    ),
    "gelu by the error function": Family(
        "x",
        {"x": (4,)},
        (
            "sum(gelu(x, approximate=False))",
            "sum(0.5 * x * (1 + erf(x / sqrt(2))))",
            "sum(x * (erf(x / sqrt(2)) + 1) / 2)",
            "x @ (0.5 * (1 + erf(x / sqrt(2))))",
            "0.5 * (sum(x) + x @ erf(x / 2 ** 0.5))",
            "sum(x * (1 + erf(0.7071067811865475 * x)) / 2)",
            "sum(x * (1 + erf(0.7071067811865476 * x)) / 2)",
            "sum(0.5 * x + 0.5 * x * erf(x / sqrt(2)))",
        ),
    ),
}
