"""Standardised rows and columns of numbers far from 0, whose mean is no number of float64."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

_ROWS = [[1.0, 2.0, 4.0], [0.5, 0.1, -3.0], [7.0, 1.0, 2.0], [3.0, -1.0, 0.2]]
_A = v(_ROWS, [[1e8 + each for each in row] for row in _ROWS])
_C = v([[1.0, 0.5, -0.2], [0.3, 2.0, 1.0], [0.7, 0.1, -1.0], [1.0, 2.0, 3.0]])
_X = v([1.0, 2.0, 4.0, 7.0, 3.0, 0.5], [1e8 + each for each in (1.0, 2.0, 4.0, 7.0, 3.0, 0.5)])
_Y = v([3.0, 1.0, 2.0, -1.0, 0.5, 1.5], [1e8 + each for each in (3.0, 1.0, 2.0, -1.0, 0.5, 1.5)])
_G = v([1.0, 2.0, 0.5])
_LESS = "(A-np.mean(A,axis=1,keepdims=True))"

TABLE: dict[str, Row] = {
    "layer_norm_rows": (
        f"np.sum(C*{_LESS}/np.sqrt(np.var(A,axis=1,keepdims=True)+1e-5))",
        "A",
        {"A": _A, "C": _C},
    ),
    "layer_norm_rows_of_squares": (
        f"np.sum(C*{_LESS}/np.sqrt(np.mean(A**2,axis=1,keepdims=True)"
        "-np.mean(A,axis=1,keepdims=True)**2+1e-5))",
        "A",
        {"A": _A, "C": _C},
    ),
    "layer_norm_wrt_gain": (
        f"np.sum(C*(g*{_LESS}/np.sqrt(np.var(A,axis=1,keepdims=True)+1e-5)))",
        "g",
        {"A": _A, "C": _C, "g": _G},
    ),
    "batch_norm_columns": (
        "np.sum(C*(A-np.mean(A,axis=0))/np.sqrt(np.var(A,axis=0)+1e-5))",
        "A",
        {"A": _A, "C": _C},
    ),
    "batch_norm_columns_of_squares": (
        "np.sum(C*(A-A.mean(0))/np.sqrt((A*A).mean(0)-A.mean(0)**2+1e-5))",
        "A",
        {"A": _A, "C": _C},
    ),
    "covariance_of_products": ("np.mean(x*y)-np.mean(x)*np.mean(y)", "x", {"x": _X, "y": _Y}),
    "variance_of_offsets": ("np.mean(x**2)-np.mean(x)**2", "x", {"x": _X}),
    "correlation_of_sums": (
        "(6*np.sum(x*y)-np.sum(x)*np.sum(y))"
        "/np.sqrt((6*np.sum(x**2)-np.sum(x)**2)*(6*np.sum(y**2)-np.sum(y)**2))",
        "x",
        {"x": _X, "y": _Y},
    ),
}
