"""Names of NumPy and scipy.special for what has another name here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

import symdiff as sd
from symdiff.errors import SpecError

X, W = np.array([0.5, 2.0, 3.0]), np.array([1.0, 0.2, 0.5])
A = np.array([[1.0, -2.0, 0.5], [0.3, 0.1, -4.0]])
LOGIT = np.log(X / 9 / (1 - X / 9))
VALUES: dict[str, tuple[str, Any]] = {
    "reciprocal": ("reciprocal(x)", 1 / X),
    "cbrt": ("cbrt(x - 1)", np.cbrt(X - 1)),
    "logit": ("logit(x / 9)", LOGIT),
    "expit": ("expit(logit(x / 9))", X / 9),
    "log_expit": ("log_expit(x)", -np.log1p(np.exp(-X))),
    "xlogy": ("xlogy(x - 0.5, w)", (X - 0.5) * np.log(W)),
    "xlogy at 0": ("xlogy(x - x, x - x)", 0 * X),
    "entr": ("entr(x - 0.5)", np.array([0.0, -1.5 * np.log(1.5), -2.5 * np.log(2.5)])),
    "rel_entr": ("rel_entr(x, w)", X * np.log(X / W)),
    "xlog1py": ("xlog1py(x - 0.5, w)", (X - 0.5) * np.log1p(W)),
    "xlog1py at 0": ("xlog1py(x - x, x - x - 1)", 0 * X),
    "kl_div": ("kl_div(x, w)", X * np.log(X / W) - X + W),
    "erfc": ("erfc(9 * x)", special.erfc(9 * X)),
    "ndtr": ("ndtr(x - 9)", special.ndtr(X - 9)),
    "log_ndtr": ("log_ndtr(1 - 30 * x)", special.log_ndtr(1 - 30 * X)),
    "log_ndtr of scipy": ("scipy.special.log_ndtr(x)", special.log_ndtr(X)),
    "sinc": ("np.sinc(x - 0.5)", np.sinc(X - 0.5)),
    "heaviside": ("x * np.heaviside(x - 2, 0.25)", np.array([0.0, 0.5, 3.0])),
    "float_power": ("np.float_power(x, 1.5)", X**1.5),
    "average": ("average(x)", X.mean()),
    "average with weights": ("average(x, weights=w)", np.average(X, weights=W)),
    "amax": ("np.amax(x)", 3.0),
    "amin": ("np.amin(x)", 0.5),
    "fabs": ("np.fabs(-x)", X),
    "true_divide": ("np.true_divide(x, w)", X / W),
    "identity": ("np.identity(3) @ x", X),
    "norm": ("np.linalg.norm(x)", np.linalg.norm(X)),
    "norm of order 1": ("np.linalg.norm(x, 1)", np.linalg.norm(X, 1)),
    "norm of order 2": ("np.linalg.norm(x, ord=2)", np.linalg.norm(X, ord=2)),
    "norm of order 3": ("np.linalg.norm(x, 3)", np.linalg.norm(X, 3)),
    "largest": ("np.linalg.norm(-x, np.inf)", 3.0),
    "norms of rows": ("np.linalg.norm(A, axis=1)", np.linalg.norm(A, axis=1)),
    "sums of rows": ("np.linalg.norm(A, 1, axis=1)", np.linalg.norm(A, 1, axis=1)),
    "hstack": ("np.hstack([x, 2 * w])", np.hstack([X, 2 * W])),
    "hstack of matrices": ("np.hstack((A, 2 * A))", np.hstack((A, 2 * A))),
    "vstack": ("np.vstack([x, w])", np.vstack([X, W])),
    "full": ("x * np.full((2, 3), 0.5)", np.full((2, 3), 0.5) * X),
    "full_like": ("x * full_like(x, 2)", 2 * X),
    "diff": ("np.diff(x)", np.diff(X)),
    "diff twice": ("np.diff(x, 2)", np.diff(X, 2)),
    "diff of columns": ("np.diff(A, axis=0)", np.diff(A, axis=0)),
    "logical_and": ("where(np.logical_and(x > 1, w > 0.3), x, 0)", np.array([0, 0, 3.0])),
    "logical_or": ("where(np.logical_or(x > 1, w > 0.3), x, 0)", X),
    "logical_not": ("x * np.logical_not(x > 1)", np.array([0.5, 0.0, 0.0])),
    "of a matrix": ("np.linalg.norm(A)", np.linalg.norm(A)),
}


@pytest.mark.parametrize("name", VALUES)
def test_synonyms(name: str) -> None:
    text, expected = VALUES[name]
    shapes = {key: value.shape for key, value in {"x": X, "w": W, "A": A}.items() if key in text}
    wrt = next(iter(shapes))
    found = sd.derive(text, wrt=wrt, shapes=shapes)
    arrays = {key: {"x": X, "w": W, "A": A}[key] for key in found.inputs}
    np.testing.assert_allclose(found.value(**arrays), expected, rtol=1e-14, atol=1e-16)
    assert name.endswith("y at 0") or np.all(np.isfinite(found.derivative(**arrays)))


@pytest.mark.parametrize(
    ("text", "wrt", "said"),
    [
        ("np.linalg.norm(A, 1)", "A", "the order 1 of a matrix"),
        ("np.linalg.norm(x, 0)", "x", "a number above 0"),
        ("np.linalg.norm(x, w[0])", "x", "a number above 0"),
        ("average(x, weights=A)", "x", "weights of shape (2, 3)"),
    ],
)
def test_what_is_no_synonym(text: str, wrt: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        sd.derive(text, wrt=wrt, shapes={"x": (3,), "w": (3,), "A": (2, 3)})
    assert said in str(caught.value)
