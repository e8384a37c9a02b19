"""Means, variances and what is normalised by them."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    BIG,
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "variance_np": ("np.var(x)", "x", {"x": BIG}),
    "variance_sum_form": ("np.sum(x**2)/5-(np.sum(x)/5)**2", "x", {"x": BIG}),
    "variance_ss": ("np.sum(x**2)-np.sum(x)**2/5", "x", {"x": BIG}),
    "variance_rows": (
        "np.sum(np.mean(A**2,axis=1)-np.mean(A,axis=1)**2)",
        "A",
        {
            "A": v(
                [[1.0, 2.0, 4.0], [0.5, 0.1, 0.2]],
                [[1e8, 1e8 + 1, 1e8 + 5], [-1e8, -1e8 + 1, -1e8 + 5]],
            )
        },
    ),
    "std_one_pass": ("np.sqrt(np.mean(x**2)-np.mean(x)**2)", "x", {"x": BIG}),
    "covariance_one_pass": (
        "np.mean(x*y)-np.mean(x)*np.mean(y)",
        "x",
        {"x": BIG, "y": v([0.5, 1.0, 2.0, 1.5, -1.0], [1e8, 1e8 + 2, 1e8 + 1, 1e8 + 7, 1e8 + 5])},
    ),
    "centred_square": ("np.mean((x-np.mean(x))**2)", "x", {"x": BIG}),
    "standardise": (
        "np.sum(c*(x-np.mean(x))/np.std(x))",
        "x",
        {"x": BIG, "c": v([1.0, 0.5, -2.0, 0.3, 0.1])},
    ),
    "layer_norm": (
        "np.sum(c*(x-np.mean(x))/np.sqrt(np.var(x)+e))",
        "x",
        {"x": BIG, "c": v([1.0, 0.5, -2.0, 0.3, 0.1]), "e": v(1e-5, positive=True)},
    ),
    "rms_norm": (
        "np.sum(c*x/np.sqrt(np.sum(x**2)/4+e))",
        "x",
        {"x": v([1.0, -2.0, 0.5, 0.3]), "c": v([1.0, 0.5, -2.0, 0.3]), "e": v(1e-5, positive=True)},
    ),
    "pearson": (
        "np.sum((x-np.mean(x))*(y-np.mean(y)))/np.sqrt(np.sum((x-np.mean(x))**2)*np.sum((y-np.mean(y))**2))",
        "x",
        {"x": BIG, "y": v([0.5, 1.0, 2.0, 1.5, -1.0])},
    ),
    "zscore_sum": ("np.sum((x-np.mean(x))*c)", "x", {"x": BIG, "c": v([1.0, 0.5, -2.0, 0.3, 0.1])}),
}
