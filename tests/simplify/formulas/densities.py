"""Densities."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "gauss_pdf_log": (
        "-np.sum(np.log(np.exp(-0.5*((x-m)/s)**2)/(s*np.sqrt(2*np.pi))))",
        "m",
        {
            "x": v([1.0, 2.0], [100.0, -200.0]),
            "m": v([0.5, 2.5]),
            "s": v([0.7, 1.5], positive=True),
        },
    ),
    "gauss_nll_softplus": (
        "np.sum(0.5*((x-m)/np.log(1+np.exp(s)))**2+np.log(np.log(1+np.exp(s))))",
        "s",
        {
            "x": v([1.0, 2.0], [1e-18, 2.0]),
            "m": v([0.5, 2.5], [0.0, 2.5]),
            "s": v([0.7, 1.5], [-40.0, 800.0]),
        },
    ),
    "gauss_nll_prec": (
        "np.sum(0.5*np.exp(t)*(x-m)**2-0.5*t)",
        "t",
        {"x": v([1.0, 2.0]), "m": v([0.5, 2.5]), "t": v([0.7, 1.5], [-800.0, 300.0])},
    ),
    "laplace_pdf": (
        "-np.sum(np.log(np.exp(-np.abs(x-m)/b)/(2*b)))",
        "m",
        {
            "x": v([1.0, 2.0], [1000.0, -2000.0]),
            "m": v([0.5, 2.5]),
            "b": v([0.7, 1.5], positive=True),
        },
    ),
    "cauchy_pdf": (
        "-np.sum(np.log(1/(np.pi*g*(1+((x-m)/g)**2))))",
        "x",
        {
            "x": v([1.0, 2.0], [1e200, -1e-200]),
            "m": v([0.5, 2.5], [0.0, 0.0]),
            "g": v(0.7, positive=True),
        },
    ),
    "cauchy_pdf_g": (
        "-np.sum(np.log(1/(np.pi*g*(1+((x-m)/g)**2))))",
        "g",
        {
            "x": v([1.0, 2.0], [1e200, -1e-200]),
            "m": v([0.5, 2.5], [0.0, 0.0]),
            "g": v(0.7, positive=True),
        },
    ),
    "student_scale": (
        "np.sum(np.log(s)+0.5*(nu+1)*np.log(1+((x-m)/s)**2/nu))",
        "s",
        {
            "x": v([1.0, 2.0], [1e200, -1e-200]),
            "m": v([0.5, 2.5], [0.0, 0.0]),
            "s": v([0.7, 1.5], [0.7, 1e-100], positive=True),
            "nu": v(3.0, positive=True),
        },
    ),
    "student_pow": (
        "-np.sum(np.log((1+(x**2)/nu)**(-(nu+1)/2)))",
        "x",
        {"x": v([1.0, 2.0], [1e200, -1e-200]), "nu": v(3.0, positive=True)},
    ),
    "student_hess": (
        "np.sum(0.5*(nu+1)*np.log(1+r**2/nu))",
        "r",
        {"r": v([1.0, 2.0], [1e100, -1e-200]), "nu": v(3.0, positive=True)},
        2,
    ),
    "poisson_pmf": (
        "-np.sum(np.log(np.exp(z)**y*np.exp(-np.exp(z))))",
        "z",
        {"z": v([1.0, 2.0], [-800.0, 30.0]), "y": v([1.0, 3.0])},
    ),
    "poisson_softplus": (
        "np.sum(np.log(1+np.exp(z))-y*np.log(np.log(1+np.exp(z))))",
        "z",
        {"z": v([1.0, 2.0], [-40.0, 700.0]), "y": v([1.0, 3.0])},
    ),
    "zip": (
        "-np.sum(np.log(p+(1-p)*np.exp(-np.exp(z))))",
        "z",
        {"z": v([1.0, 2.0], [-40.0, 10.0]), "p": v(0.3, range=(0.0, 1.0))},
    ),
    "zip_logit": (
        "-np.sum(np.log(1/(1+np.exp(-a))+(1-1/(1+np.exp(-a)))*np.exp(-l)))",
        "a",
        {"a": v([1.0, -2.0], [-800.0, 40.0]), "l": v([1.0, 3.0], [800.0, 900.0], positive=True)},
    ),
    "zip_logit_l": (
        "-np.sum(np.log(1/(1+np.exp(-a))+(1-1/(1+np.exp(-a)))*np.exp(-l)))",
        "l",
        {"a": v([1.0, -2.0], [-800.0, 40.0]), "l": v([1.0, 3.0], [750.0, 600.0], positive=True)},
    ),
    "negbin_logits": (
        "-np.sum(y*np.log(1/(1+np.exp(-z)))+r*np.log(1-1/(1+np.exp(-z))))",
        "z",
        {"z": v([1.0, 2.0], [-800.0, 800.0]), "y": v([1.0, 3.0]), "r": v(2.0, positive=True)},
    ),
    "binomial_logit": (
        "-np.sum(k*np.log(1/(1+np.exp(-z)))+(n-k)*np.log(1-1/(1+np.exp(-z))))",
        "z",
        {"z": v([1.0, 2.0], [-800.0, 800.0]), "k": v([1.0, 3.0]), "n": v(5.0)},
    ),
    "gumbel_pdf": (
        "-np.sum(np.log(np.exp(-(x-m)/b-np.exp(-(x-m)/b))/b))",
        "m",
        {"x": v([1.0, 2.0], [800.0, -3.0]), "m": v([0.5, 2.5]), "b": v(0.7, positive=True)},
    ),
    "weibull_pdf": (
        "-np.sum(np.log(k/l*(x/l)**(k-1)*np.exp(-(x/l)**k)))",
        "x",
        {
            "x": v([1.0, 2.0], [1e-200, 30.0], positive=True),
            "k": v(1.5, positive=True),
            "l": v(0.7, positive=True),
        },
    ),
    "weibull_l": (
        "-np.sum(np.log(k/l*(x/l)**(k-1)*np.exp(-(x/l)**k)))",
        "l",
        {
            "x": v([1.0, 2.0], [1e-200, 30.0], positive=True),
            "k": v(1.5, positive=True),
            "l": v(0.7, positive=True),
        },
    ),
    "exp_surv": (
        "-np.sum(d*z-t*np.exp(z))",
        "z",
        {
            "t": v([1.0, 2.0], positive=True),
            "z": v([0.5, -1.0], [-800.0, 600.0]),
            "d": v([1.0, 0.0], zero_or_one=True),
        },
    ),
    "loglogistic_surv": (
        "np.sum(np.log(1+(t/a)**b))",
        "a",
        {
            "t": v([1.0, 2.0], [1e-200, 1e200], positive=True),
            "a": v(0.7, positive=True),
            "b": v(2.0, positive=True),
        },
    ),
    "loglogistic_t": (
        "np.sum(np.log(1+(t/a)**b))",
        "t",
        {
            "t": v([1.0, 2.0], [1e-100, 1e200], positive=True),
            "a": v(0.7, positive=True),
            "b": v(2.0, positive=True),
        },
    ),
    "hazard_prod": (
        "-np.log(1/(1+np.exp(-z[2]))*np.prod(1-1/(1+np.exp(-z[:2]))))",
        "z",
        {"z": v([1.0, 2.0, -1.0], [800.0, 40.0, -800.0])},
    ),
    "vonmises": (
        "np.sum(-k*np.cos(x-m))",
        "x",
        {"x": v([1.0, -2.0], [1e-10, 3.0]), "m": v(0.0), "k": v(2.0, positive=True)},
    ),
    "pareto": (
        "np.sum((a+1)*np.log(x)-np.log(a)-a*np.log(m))",
        "a",
        {
            "x": v([2.0, 3.0], [1e200, 1e300], positive=True),
            "a": v(2.0, positive=True),
            "m": v(1.0, positive=True),
        },
    ),
}
