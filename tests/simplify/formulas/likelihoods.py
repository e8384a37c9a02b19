"""Negative log likelihoods."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    R,
    Row,
    X,
    v,
)

TABLE: dict[str, Row] = {
    "poisson_log_rate": (
        "np.sum(np.exp(z)-y*np.log(np.exp(z)))",
        "z",
        {"z": v([-2.0, -0.5, 0.3], [-800.0, -40.0, 300.0]), "y": v([0.0, 1.0, 3.0])},
    ),
    "negative_binomial": (
        "np.sum((y+r)*np.log(1+np.exp(z))-y*z)",
        "z",
        {"z": X, "y": v([0.0, 1.0, 3.0, 2.0, 5.0]), "r": v(2.0, positive=True)},
    ),
    "exponential_nll": (
        "np.sum(-np.log(np.exp(s))+x*np.exp(s))",
        "s",
        {"x": v([0.5, 1.5, 2.5]), "s": v([0.1, 0.2, 0.3], [-800.0, 300.0, 1.0])},
    ),
    "gaussian_nll_sigma": (
        "np.sum(0.5*((x-m)/np.exp(s))**2+np.log(np.exp(s)))",
        "s",
        {
            "x": v([0.5, 1.5, 2.5]),
            "m": v([0.0, 1.0, 2.0]),
            "s": v([0.1, 0.2, 0.3], [800.0, -300.0, 1.0]),
        },
    ),
    "laplace_nll": (
        "np.sum(np.abs(x-m)/np.exp(s)+np.log(2*np.exp(s)))",
        "s",
        {
            "x": v([0.5, 1.5, 2.5]),
            "m": v([0.0, 1.0, 2.0]),
            "s": v([0.1, 0.2, 0.3], [800.0, -300.0, 1.0]),
        },
    ),
    "cauchy_nll": (
        "np.sum(np.log(1+((x-m)/g)**2))",
        "x",
        {"x": v([0.5, 1.5, 2.5], [1e200, -1e180, 2.5]), "m": v(0.2), "g": v(2.0, positive=True)},
    ),
    "cauchy_plain": ("np.sum(np.log(1+r**2))", "r", {"r": R}),
    "cauchy_log1p": ("np.sum(np.log1p(r**2/c))", "r", {"r": R, "c": v(2.0, positive=True)}),
    "student_scaled": (
        "0.5*(nu+1)*np.mean(np.log(1+(r/s)**2/nu))",
        "r",
        {"r": R, "nu": v(3.0, positive=True), "s": v(1.5, positive=True)},
    ),
    "gaussian_kl": (
        "0.5*np.sum(np.exp(s)+m**2-1-s)",
        "s",
        {"m": v([0.5, 1.5, 2.5]), "s": v([0.1, 0.2, 0.3], [1e-12, -1e-10, 2.0])},
    ),
    "softplus_variance": (
        "np.sum(np.log(np.log(1+np.exp(s))))",
        "s",
        {"s": v([0.1, 0.2, 0.3], [40.0, 300.0, -30.0])},
    ),
}
