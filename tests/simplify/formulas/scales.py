"""Means of powers, weights of 0, labels in a likelihood."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "pnorm_big": (
        "np.sum(np.abs(x)**p)**(1/p)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1e150, -2e150, 3e149]), "p": v(3.0, positive=True)},
    ),
    "pnorm_small": (
        "np.sum(np.abs(x)**p)**(1/p)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1e-150, -2e-150, 3e-151]), "p": v(3.0, positive=True)},
    ),
    "pnorm3_big": (
        "np.sum(np.abs(x)**3)**(1/3)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1e150, -2e150, 3e149])},
    ),
    "pnorm4_small": (
        "np.sum(x**4)**(1/4)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1e-150, -2e-150, 3e-151])},
    ),
    "pnorm15": (
        "np.sum(np.abs(x)**1.5)**(1/1.5)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1e250, -2e250, 3e249])},
    ),
    "pnorm_rows": (
        "np.sum(np.sum(np.abs(A)**3,axis=1)**(1/3))",
        "A",
        {
            "A": v(
                [[1.0, -2.0, 0.5], [0.1, 0.2, 0.3]],
                [[1e150, -2e150, 3e149], [1e-150, 2e-150, 1e-151]],
            )
        },
    ),
    "power_mean": (
        "np.mean(x**p)**(1/p)",
        "x",
        {"x": v([1.0, 2.0, 0.5], [1e150, 2e150, 3e149], positive=True), "p": v(3.0, positive=True)},
    ),
    "harmonic": (
        "1/np.mean(1/x)",
        "x",
        {"x": v([1.0, 2.0, 0.5], [1e-200, 2e-200, 3e-200], positive=True)},
    ),
    "harmonic_n": (
        "3/np.sum(1/x)",
        "x",
        {"x": v([1.0, 2.0, 0.5], [1e-200, 2e-200, 3e-200], positive=True)},
    ),
    "harmonic_big": (
        "3/np.sum(1/x)",
        "x",
        {"x": v([1.0, 2.0, 0.5], [1e200, 2e200, 3e200], positive=True)},
    ),
    "harmonic_pow": (
        "3/np.sum(x**-1)",
        "x",
        {"x": v([1.0, 2.0, 0.5], [1e-200, 2e-200, 3e200], positive=True)},
    ),
    "f1": (
        "2*p*r/(p+r)",
        "p",
        {"p": v(0.5, 1e-200, positive=True), "r": v(0.3, 3e-200, positive=True)},
    ),
    "harm2": (
        "2/(1/a+1/b)",
        "a",
        {"a": v(0.5, 1e-200, positive=True), "b": v(0.3, 3e-200, positive=True)},
    ),
    "log_softplus": (
        "np.sum(np.log(np.log(1+np.exp(x))))",
        "x",
        {"x": v([0.5, -1.0, 0.3], [-800.0, -40.0, 800.0])},
    ),
    "log_softplus1p": (
        "np.sum(np.log(np.log1p(np.exp(x))))",
        "x",
        {"x": v([0.5, -1.0, 0.3], [-800.0, -746.0, 800.0])},
    ),
    "weighted_lse0": (
        "np.log(np.sum(w*np.exp(z)))",
        "w",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "w": v([0.5, 1.0, 0.0, 2.0], [0.5, 0.0, 0.0, 1.0], nonnegative=True),
        },
    ),
    "weighted_lse_dot": (
        "np.log(w@np.exp(z))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [-1000.0, -2000.0, -1005.0, -1001.0]),
            "w": v([0.5, 1.0, 0.0, 2.0], [0.0, 1.0, 0.0, 1.0], nonnegative=True),
        },
    ),
    "weighted_lse_hess": (
        "np.log(np.sum(w*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "w": v([0.5, 1.0, 0.0, 2.0], [0.0, 1.0, 0.0, 1.0], nonnegative=True),
        },
        2,
    ),
    "lse_stack0": (
        "np.sum(logsumexp(np.stack([np.zeros(5),x]),axis=0))",
        "x",
        {"x": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0])},
    ),
    "log_lik_01": (
        "-np.sum(np.log(y*(1/(1+np.exp(-z)))+(1-y)*(1-(1/(1+np.exp(-z))))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "prod_lik_01": (
        "-np.sum(np.log((1/(1+np.exp(-z)))**y*(1-(1/(1+np.exp(-z))))**(1-y)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "log_lik_abs": (
        "-np.sum(np.log(1-np.abs(y-(1/(1+np.exp(-z))))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
}
