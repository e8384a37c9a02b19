"""Sigmoid, softplus and tanh as they are written."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    MODERATE,
    Row,
    X,
    v,
)

TABLE: dict[str, Row] = {
    "sigmoid_exp_over": ("np.sum(np.exp(x)/(1+np.exp(x)))", "x", {"x": X}),
    "sigmoid_one_minus": ("np.sum(1-1/(np.exp(x)+1))", "x", {"x": X}),
    "sigmoid_hessian": ("np.sum(1/(1+np.exp(-x)))", "x", {"x": v([0.5, -1.0], [40.0, -800.0])}, 2),
    "softplus_negative": ("np.sum(np.log(1+np.exp(-x)))", "x", {"x": X}),
    "softplus_log1p": ("np.mean(np.log1p(np.exp(2*x+1)))", "x", {"x": X}),
    "log_sigmoid_quotient": ("-np.sum(np.log(np.exp(x)/(np.exp(x)+1)))", "x", {"x": X}),
    "swish": ("np.sum(x/(1+np.exp(-x)))", "x", {"x": X}),
    "swish_beta": ("np.sum(x*(1/(1+np.exp(-b*x))))", "b", {"x": X, "b": v(1.3)}),
    "swish_hessian": ("np.sum(x/(1+np.exp(-x)))", "x", {"x": v([0.5, -1.0], [40.0, -60.0])}, 2),
    "tanh_plain": ("np.sum(np.tanh(x))", "x", {"x": X}),
    "tanh_exponentials": (
        "np.sum((np.exp(x)-np.exp(-x))/(np.exp(x)+np.exp(-x)))",
        "x",
        {"x": MODERATE},
    ),
    "tanh_exp_2x": ("np.sum((np.exp(2*x)-1)/(np.exp(2*x)+1))", "x", {"x": MODERATE}),
    "tanh_exp_minus_2x": ("np.sum((1-np.exp(-2*x))/(1+np.exp(-2*x)))", "x", {"x": MODERATE}),
    "tanh_sinh_over_cosh": ("np.sum(np.sinh(x)/np.cosh(x))", "x", {"x": MODERATE}),
    "tanh_mse": (
        "np.sum((np.tanh(x)-y)**2)",
        "x",
        {"x": MODERATE, "y": v([0.1, 0.2, 0.3, 0.4, 0.5])},
    ),
    "tanh_hessian": ("np.sum(np.tanh(x))", "x", {"x": v([0.5, -1.0], [40.0, -20.0])}, 2),
    "gelu_tanh": (
        "np.sum(0.5*x*(1+np.tanh(np.sqrt(2/np.pi)*(x+0.044715*x**3))))",
        "x",
        {"x": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-12.0, -5.0, 0.0, 5.0, 40.0])},
    ),
    "gelu_erf": (
        "np.sum(0.5*x*(1+erf(x/np.sqrt(2))))",
        "x",
        {"x": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-12.0, -5.0, 0.0, 5.0, 40.0])},
    ),
    "mish_log1p": ("np.sum(x*np.tanh(np.log1p(np.exp(x))))", "x", {"x": X}),
    "log_cosh": ("np.sum(np.log(np.cosh(x-y)))", "x", {"x": X, "y": v([0.5, 0.1, 0.2, 0.3, -0.4])}),
    "log_cosh_exponentials": ("np.mean(np.log((np.exp(x)+np.exp(-x))/2))", "x", {"x": X}),
    "log_cosh_softplus": ("np.sum(x+np.log(1+np.exp(-2*x))-np.log(2))", "x", {"x": X}),
    "sech": ("np.sum(1/np.cosh(x))", "x", {"x": MODERATE}),
}
