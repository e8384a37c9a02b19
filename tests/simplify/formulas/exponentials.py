"""Exponentials, logarithms and powers."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    P,
    Row,
    X,
    v,
)

TABLE: dict[str, Row] = {
    "logaddexp_formula": (
        "np.sum(np.log(np.exp(a)+np.exp(b)))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "logaddexp_three": (
        "np.sum(np.log(np.exp(a)+np.exp(b)+np.exp(-a)))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, 998.0])},
    ),
    "logaddexp_one": (
        "np.sum(np.log(1+np.exp(a)+np.exp(b)))",
        "a",
        {
            "a": v([0.5, -1.0, 1.0], [1000.0, -1000.0, -50.0]),
            "b": v([0.1, 2.0, 0.0], [999.0, 998.0, -3.0]),
        },
    ),
    "logaddexp_constant": ("np.sum(np.log(3+2*np.exp(a)))", "a", {"a": X}),
    "logdiffexp_b": (
        "np.sum(np.log(np.exp(a)-np.exp(b)))",
        "b",
        {"a": v([0.5, 1.0], [1000.0, -1000.0]), "b": v([0.1, 0.3], [999.0, -1000.5])},
    ),
    "log_one_minus_exp": (
        "np.sum(np.log(1-np.exp(-x)))",
        "x",
        {"x": v([0.5, 1.0, 2.0], [1e-20, 50.0, 300.0], positive=True)},
    ),
    "softplus_inverse": (
        "np.sum(np.log(np.exp(x)-1))",
        "x",
        {"x": v([0.5, 1.0, 2.0], [1e-20, 50.0, 800.0], positive=True)},
    ),
    "log1p_minus_exp": (
        "np.sum(np.log1p(-np.exp(x)))",
        "x",
        {"x": v([-0.5, -1.0, -2.0], [-1e-20, -50.0, -300.0])},
    ),
    "log_expm1": (
        "np.sum(np.log(np.expm1(x)))",
        "x",
        {"x": v([0.5, 1.0, 2.0], [1e-20, 50.0, 800.0], positive=True)},
    ),
    "log_prob_sum_of_complement": (
        "np.sum(np.log(1-np.exp(-np.exp(x))))",
        "x",
        {"x": v([-1.0, 0.5], [-50.0, 3.0])},
    ),
    "exp_ratio": (
        "np.sum(np.exp(a)/np.exp(b))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "exp_product": (
        "np.sum(np.exp(a)*np.exp(-b))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "exp_ratio_of_sum": (
        "np.sum(np.exp(a)/(np.exp(a)+np.exp(b)))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "exp_ratio_of_three": (
        "np.sum(np.exp(a)/(np.exp(a)+np.exp(b)+np.exp(c)))",
        "a",
        {
            "a": v([0.5, -1.0], [1000.0, -1000.0]),
            "b": v([0.1, 2.0], [999.0, -1001.0]),
            "c": v([0.3, 1.0], [998.0, -1002.0]),
        },
    ),
    "log_of_quotient_of_exp": (
        "np.sum(np.log(np.exp(a)/y))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "y": v([0.1, 2.0], positive=True)},
    ),
    "log_sqrt": ("np.sum(np.log(np.sqrt(x)))", "x", {"x": P}),
    "log_of_product": (
        "np.sum(np.log(x*y))",
        "x",
        {"x": P, "y": v([0.5, 1.0, 2.0, 3.0], [1e-200, 1e-300, 1.0, 1e-250], positive=True)},
    ),
    "log_of_quotient": (
        "np.sum(np.log(x/y))",
        "x",
        {"x": P, "y": v([0.5, 1.0, 2.0, 3.0], [1e200, 1e300, 1.0, 1e250], positive=True)},
    ),
    "log_of_square": (
        "np.sum(np.log(x**2))",
        "x",
        {"x": v([-0.5, 1.5, 2.0], [-1e-200, 1e200, 3.0], nonzero=True)},
    ),
    "logit": (
        "np.sum(np.log(p/(1-p)))",
        "p",
        {"p": v([0.2, 0.5, 0.9], [1e-300, 0.5, 1 - 2**-40], range=(0.0, 1.0))},
    ),
    "sigmoid_of_logit": (
        "np.sum(1/(1+np.exp(-np.log(p/(1-p)))))",
        "p",
        {"p": v([0.2, 0.5, 0.9], [1e-300, 0.5, 1 - 2**-40], range=(0.0, 1.0))},
    ),
    "power_times_power": (
        "np.sum(x**a*x**b)",
        "x",
        {"x": v([0.5, 1.5], [1e-200, 1e100], positive=True), "a": v(3.0), "b": v(-2.0)},
    ),
    "power_of_power": (
        "np.sum((x**a)**(1/a))",
        "x",
        {"x": v([0.5, 1.5], [1e-200, 1e200], positive=True), "a": v(3.0)},
    ),
    "power_log_form": (
        "np.sum(np.exp(a*np.log(x)))",
        "x",
        {"x": v([0.5, 1.5], [1e-100, 1e100], positive=True), "a": v(2.5)},
    ),
    "power_exponent": (
        "np.sum(x**a)",
        "a",
        {"x": v([0.5, 1.5, 0.7], [0.0, 1e100, 2.0], nonnegative=True), "a": v(2.5)},
    ),
    "log_power_log": (
        "np.mean(a*np.log(x**b))",
        "x",
        {"x": v([0.5, 1.5], [1e-200, 1e200], positive=True), "a": v(2.0), "b": v(4.0)},
    ),
}
