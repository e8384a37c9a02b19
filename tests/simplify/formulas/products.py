"""Products."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    P,
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "prod_plain": ("np.prod(x)", "x", {"x": v([1.0, -2.0, 0.5], [0.0, 3.0, -2.0])}),
    "prod_two_zeros": ("np.prod(x)", "x", {"x": v([1.0, -2.0, 0.5], [0.0, 0.0, -2.0])}),
    "log_prod": ("np.log(np.prod(x))", "x", {"x": P}),
    "geometric_mean_power": ("np.prod(x)**(1/4)", "x", {"x": P}),
    "prod_rows_log": (
        "np.sum(np.log(np.prod(A,axis=1)))",
        "A",
        {"A": v([[1.0, 2.0], [0.5, 0.1]], [[1e-200, 2e-200], [1e200, 1e200]], positive=True)},
    ),
    "log_prod_sigmoid": (
        "-np.log(np.prod(1/(1+np.exp(-z))))",
        "z",
        {"z": v([-2.0, -0.5, 0.3], [-800.0, -700.0, 40.0])},
    ),
    "probability_bernoulli": (
        "np.sum(p**y*(1-p)**(1-y))",
        "p",
        {
            "p": v([0.2, 0.5, 0.9], [1.0, 1e-250, 0.0], range=(0.0, 1.0)),
            "y": v([1.0, 1.0, 0.0], zero_or_one=True),
        },
    ),
    "likelihood_bernoulli": (
        "-np.log(np.prod(p**y*(1-p)**(1-y)))",
        "p",
        {
            "p": v([0.2, 0.5, 0.9], [1e-200, 1e-250, 0.5], range=(0.0, 1.0)),
            "y": v([1.0, 1.0, 0.0], zero_or_one=True),
        },
    ),
}
