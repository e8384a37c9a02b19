"""Likelihoods of counts, rates and scales."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "probit_logistic_1702": (
        "-np.sum(np.log(1/(1+np.exp(-1.702*y*z))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([1.0, -1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "cloglog_nll": (
        "-np.sum(y*np.log(1-np.exp(-np.exp(z)))-(1-y)*np.exp(z))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 5.0, 300.0, 6.0]),
            "y": v([1.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "loglog_nll": (
        "-np.sum(y*np.log(np.exp(-np.exp(-z)))+(1-y)*np.log(1-np.exp(-np.exp(-z))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-300.0, -4.0, 5.0, 40.0, 800.0]),
            "y": v([1.0, 0.0, 0.0, 0.0, 0.0], zero_or_one=True),
        },
    ),
    "poisson_rate_softplus": (
        "np.sum(np.log(1+np.exp(z))-y*np.log(np.log(1+np.exp(z))))",
        "z",
        {
            "z": v([-2.0, 0.5], [-800.0, 900.0]),
            "y": v([1.0, 3.0]),
        },
    ),
    "poisson_deviance": (
        "2*np.sum(y*np.log(y/m)-(y-m))",
        "m",
        {
            "y": v([1.0, 3.0], [1e-200, 3.0], positive=True),
            "m": v([1.5, 2.0], [1e-200, 1e200], positive=True),
        },
    ),
    "negbin_mu": (
        "np.sum((y+r)*np.log(r+m)-y*np.log(m)-r*np.log(r))",
        "m",
        {
            "y": v([1.0, 3.0]),
            "r": v(2.0, 1e200, positive=True),
            "m": v([1.5, 2.0], [1e200, 1e-200], positive=True),
        },
    ),
    "negbin_r_nog": (
        "np.sum((y+r)*np.log(1+m/r)-y*np.log(m/r))",
        "r",
        {
            "y": v([1.0, 3.0], positive=True),
            "r": v(2.0, 1e16, positive=True),
            "m": v([1.5, 2.0], positive=True),
        },
    ),
    "negbin_alpha": (
        "np.sum((y+1/a)*np.log(1+a*m)-y*np.log(a*m))",
        "a",
        {
            "y": v([1.0, 3.0], positive=True),
            "a": v(2.0, 1e-16, positive=True),
            "m": v([1.5, 2.0], positive=True),
        },
    ),
    "tweedie": (
        "np.sum(-y*m**(1-p)/(1-p)+m**(2-p)/(2-p))",
        "m",
        {
            "y": v([1.0, 3.0], positive=True),
            "m": v([1.5, 2.0], [1e-150, 1e150], positive=True),
            "p": v(1.5),
        },
    ),
    "tweedie_log": (
        "np.sum(-y*np.exp(z)**(1-p)/(1-p)+np.exp(z)**(2-p)/(2-p))",
        "z",
        {
            "y": v([1.0, 3.0], positive=True),
            "z": v([1.5, 2.0], [-1000.0, 1000.0]),
            "p": v(1.5),
        },
    ),
    "hurdle": (
        "-np.sum(np.where(y>0,np.log(1-1/(1+np.exp(-a)))+y*l-np.exp(l)-np.log(1-np.exp(-np.exp(l))),np.log(1/(1+np.exp(-a)))))",
        "l",
        {
            "y": v([0.0, 3.0]),
            "a": v([0.3, -1.0], [800.0, 900.0]),
            "l": v([0.5, 0.2], [700.0, -50.0]),
        },
    ),
    "hurdle_a": (
        "-np.sum(np.where(y>0,np.log(1-1/(1+np.exp(-a)))+y*l-np.exp(l)-np.log(1-np.exp(-np.exp(l))),np.log(1/(1+np.exp(-a)))))",
        "a",
        {
            "y": v([0.0, 3.0]),
            "a": v([0.3, -1.0], [-800.0, 900.0]),
            "l": v([0.5, 0.2], [700.0, -50.0]),
        },
    ),
    "zip_full": (
        "-np.sum(np.where(y==0,np.log(1/(1+np.exp(-a))+(1-1/(1+np.exp(-a)))*np.exp(-np.exp(z))),np.log(1-1/(1+np.exp(-a)))+y*z-np.exp(z)))",
        "z",
        {
            "y": v([0.0, 3.0]),
            "a": v([0.3, -1.0], [-800.0, 900.0]),
            "z": v([0.5, 0.2], [6.0, -50.0]),
        },
    ),
    "truncated_poisson": (
        "-np.sum(y*np.log(l)-l-np.log(1-np.exp(-l)))",
        "l",
        {
            "y": v([1.0, 3.0]),
            "l": v([1.0, 0.5], [1e-12, 800.0], positive=True),
        },
    ),
    "geometric_logit": (
        "-np.sum(y*np.log(1-1/(1+np.exp(-z)))+np.log(1/(1+np.exp(-z))))",
        "z",
        {
            "y": v([1.0, 3.0]),
            "z": v([1.0, 0.5], [-900.0, 800.0]),
        },
    ),
    "exponential_softplus": (
        "np.sum(x*np.log(1+np.exp(s))-np.log(np.log(1+np.exp(s))))",
        "s",
        {
            "x": v([1.0, 3.0]),
            "s": v([1.0, 0.5], [-900.0, 800.0]),
        },
    ),
    "weibull_log": (
        "np.sum(np.exp(k*(np.log(x)-l))-np.log(k)-(k-1)*np.log(x)+k*l)",
        "k",
        {
            "x": v([1.0, 3.0], [1e-300, 3.0], positive=True),
            "l": v(0.3),
            "k": v(1.5, positive=True),
        },
    ),
    "weibull_k": (
        "np.sum((x/l)**k-(k-1)*np.log(x/l)-np.log(k/l))",
        "k",
        {
            "x": v([1.0, 3.0], [1e-300, 3.0], positive=True),
            "l": v(0.3, positive=True),
            "k": v(1.5, positive=True),
        },
    ),
    "lognormal_s": (
        "-np.sum(np.log(np.exp(-(np.log(x)-m)**2/(2*s**2))/(x*s*np.sqrt(2*np.pi))))",
        "s",
        {
            "x": v([1.0, 3.0], [1e-300, 3e300], positive=True),
            "m": v(0.3),
            "s": v(1.5, 0.001, positive=True),
        },
    ),
    "logit_normal": (
        "-np.sum(np.log(np.exp(-(np.log(x/(1-x))-m)**2/(2*s**2))/(s*x*(1-x))))",
        "x",
        {
            "x": v([0.1, 0.3], [1e-300, 0.9999999999990905], range=(0.0, 1.0)),
            "m": v(0.3),
            "s": v(1.5, positive=True),
        },
    ),
    "laplace_b": (
        "np.sum(np.log(2*b)+np.abs(x-m)/b)",
        "b",
        {
            "x": v([1.0, 3.0], [1e200, -1e200]),
            "m": v(0.3),
            "b": v(1.5, 1e200, positive=True),
        },
    ),
    "laplace_pdf_b": (
        "-np.sum(np.log(np.exp(-np.abs(x-m)/b)/(2*b)))",
        "b",
        {
            "x": v([1.0, 3.0], [1000.0, -10000.0]),
            "m": v(0.3),
            "b": v(1.5, 0.001, positive=True),
        },
    ),
    "asymmetric_laplace": (
        "np.sum(np.where(x>m,(x-m)*k,(m-x)/k)-np.log(k/(1+k**2)))",
        "k",
        {
            "x": v([1.0, -3.0]),
            "m": v(0.3),
            "k": v(1.5, 1e200, positive=True),
        },
    ),
}
