"""Powers, roots and norms."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    R,
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "softsign_mean": (
        "np.mean(x/(np.abs(x)+1))",
        "x",
        {"x": v([-2.0, -0.5, 0.3], [-1e12, 1e10, 0.5])},
    ),
    "algebraic_sigmoid": (
        "np.sum(x/np.sqrt(1+x**2))",
        "x",
        {"x": v([-2.0, -0.5, 0.3], [-1e12, 1e10, 0.5])},
    ),
    "rational": (
        "np.sum(x/(1+x))",
        "x",
        {"x": v([2.0, 0.5, 0.3], [1e12, 1e10, 0.5], nonnegative=True)},
    ),
    "sqrt_difference": (
        "np.sum(np.sqrt(x+1)-np.sqrt(x))",
        "x",
        {"x": v([2.0, 0.5, 0.3], [1e12, 1e16, 0.5], positive=True)},
    ),
    "circle": (
        "np.sum(np.sqrt(1-x**2))",
        "x",
        {"x": v([-0.5, 0.3, 0.7], [1 - 2**-40, -1 + 2**-50, 1e-200], range=(-1.0, 1.0))},
    ),
    "log_one_minus_square": (
        "np.sum(np.log(1-x**2))",
        "x",
        {"x": v([-0.5, 0.3, 0.7], [1 - 2**-40, -1 + 2**-50, 1e-200], range=(-1.0, 1.0))},
    ),
    "arctanh_logs": (
        "np.sum(0.5*(np.log(1+x)-np.log(1-x)))",
        "x",
        {"x": v([-0.5, 0.3, 0.7], [1 - 2**-40, -1 + 2**-50, 1e-200], range=(-1.0, 1.0))},
    ),
    "product_minus_square": (
        "np.sum((a+b)*(a-b)-a**2)",
        "b",
        {"a": v([1.0, 2.0], [1e10, 1e12]), "b": v([0.5, 0.25], [1e-5, 1e-3])},
    ),
    "square_expanded": (
        "np.sum((a+b)**2-a**2-b**2)",
        "a",
        {"a": v([1.0, 2.0], [1e10, 1e12]), "b": v([0.5, 0.25], [1e-5, 1e-3])},
    ),
    "norm_l2": ("np.sqrt(np.sum(x**2))", "x", {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 0.0])}),
    "norm_l2_small": (
        "np.sqrt(np.sum(x*x))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e-200, -4e-200, 0.0])},
    ),
    "norm_rows": (
        "np.sum(np.sqrt(np.sum((A-B)**2,axis=1)))",
        "A",
        {
            "A": v([[1.0, 2.0], [0.5, 0.1]], [[1e200, 2e200], [1e-200, 3e-200]]),
            "B": v([[0.1, 0.2], [0.3, 0.4]], [[0.0, 0.0], [0.0, 0.0]]),
        },
    ),
    "norm_function": ("norm(x)", "x", {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 0.0])}),
    "log_norm": (
        "np.log(np.sqrt(np.sum(x**2)))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 0.0])},
    ),
    "normalise": (
        "np.sum(c*x/np.sqrt(np.sum(x**2)))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e120, -4e120, 1e119]), "c": v([1.0, 0.5, -2.0])},
    ),
    "cosine_similarity": (
        "np.sum(x*y)/(np.sqrt(np.sum(x**2))*np.sqrt(np.sum(y**2)))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e120, -4e120, 1e119]), "y": v([0.3, 0.2, 0.1])},
    ),
    "hypot_formula": (
        "np.sum(np.sqrt(a**2+b**2))",
        "a",
        {"a": v([1.0, 2.0], [3e200, 3e-200]), "b": v([0.5, 0.25], [4e200, 4e-200])},
    ),
    "rmse": (
        "np.sqrt(np.mean((x-y)**2))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1e200, 2e200, 3e200]), "y": v([0.3, 0.2, 0.1])},
    ),
    "norm_squared_half": (
        "0.5*np.sqrt(np.sum(x**2))**2",
        "x",
        {"x": v([1.0, -2.0, 0.5], [0.0, 0.0, 1e-300])},
    ),
    "abs_squared": ("np.sum(np.abs(x)**2)", "x", {"x": v([1.0, -2.0, 0.5], [1e100, -1e-200, 0.0])}),
    "sqrt_square_mean": (
        "np.mean(np.sqrt((x-y)**2))",
        "x",
        {"x": R, "y": v([0.5, 0.1, 0.2, 0.3, -0.4])},
    ),
}
