"""Quotients that are 0/0 where a variable vanishes, and their slopes."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "expm1x_hess": (
        "np.sum((np.exp(x)-1)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
        2,
    ),
    "sinc_hvp": (
        "np.sum(np.sin(x)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
            "d": v([-2.0, 0.3, 1.0]),
        },
        2,
        "d",
    ),
    "tanh_over": (
        "np.sum(np.tanh(x)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "arctan_over": (
        "np.sum(np.arctan(x)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "sinh_over": (
        "np.sum(np.sinh(x)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "log_sinh_over": (
        "np.sum(np.log(np.sinh(x)/x))",
        "x",
        {
            "x": v([2.0, 0.3, 1.0], [1e-09, 1e-05, 5.0], positive=True),
        },
    ),
    "log_expm1_over": (
        "np.sum(np.log((np.exp(x)-1)/x))",
        "x",
        {
            "x": v([2.0, 0.3, 1.0], [1e-09, 1e-05, 5.0], positive=True),
        },
    ),
    "one_minus_cos": (
        "np.sum((1-np.cos(x))/x**2)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "exp_second": (
        "np.sum((np.exp(x)-1-x)/x**2)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "sqrt_over": (
        "np.sum((np.sqrt(1+x)-1)/x)",
        "x",
        {
            "x": v([2.0, 0.3, 1.0], [1e-09, 1e-05, 5.0], positive=True),
        },
    ),
    "debye": (
        "np.sum(1/x-1/(np.exp(x)-1))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "xcoth": (
        "np.sum(x/np.tanh(x))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "x_over_1mexp": (
        "np.sum(x/(1-np.exp(-x)))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "decay_k": (
        "np.sum((1-np.exp(-k*t))/k)",
        "k",
        {
            "k": v(0.7, 1e-09, positive=True),
            "t": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
    "decay_t": (
        "np.sum((1-np.exp(-k*t))/k)",
        "t",
        {
            "k": v(0.7, 1e-09, positive=True),
            "t": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
    "decay_mse_k": (
        "np.mean((a*(1-np.exp(-k*t))/k-y)**2)",
        "k",
        {
            "k": v(0.7, 1e-09, positive=True),
            "t": v([1.0, 2.0, 3.0], positive=True),
            "a": v(1.3),
            "y": v([-2.0, 0.3, 1.0]),
        },
    ),
    "log1p_k": (
        "np.sum(np.log(1+k*x)/k)",
        "k",
        {
            "k": v(0.7, 1e-09, positive=True),
            "x": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
    "log1p_k_x": (
        "np.sum(np.log(1+k*x)/k)",
        "x",
        {
            "k": v(0.7, 1e-09, positive=True),
            "x": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
    "genpareto": (
        "np.sum(np.log(s)+(1+1/k)*np.log(1+k*x/s))",
        "k",
        {
            "k": v(0.7, 1e-09, positive=True),
            "x": v([1.0, 2.0, 3.0], positive=True),
            "s": v(1.5, positive=True),
        },
    ),
    "genpareto_s": (
        "np.sum(np.log(s)+(1+1/k)*np.log(1+k*x/s))",
        "s",
        {
            "k": v(0.7, 1e-09, positive=True),
            "x": v([1.0, 2.0, 3.0], positive=True),
            "s": v(1.5, positive=True),
        },
    ),
    "yeo": (
        "np.sum(((x+1)**l-1)/l)",
        "l",
        {
            "l": v(0.7, 1e-09, positive=True),
            "x": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
    "tsallis_log": (
        "np.sum((x**(1-q)-1)/(1-q))",
        "q",
        {
            "q": v(0.5, 1.0000000000009095),
            "x": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
    "tsallis_log_x": (
        "np.sum((x**(1-q)-1)/(1-q))",
        "x",
        {
            "q": v(0.5, 1.0000000000009095),
            "x": v([1.0, 2.0, 3.0], positive=True),
        },
    ),
}
