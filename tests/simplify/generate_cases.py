"""Writes tests/data/more_cases.json: formulas in many spellings with their true derivatives.

Run as ``python -m tests.simplify.generate_cases``.  Each entry of the table is a formula, what it
is differentiated by, and for each variable a benign value, a value where the naive derivative
breaks (None: none does) and the facts that the caller declares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.simplify.truth import derivative

FILE = Path(__file__).parent.parent / "data" / "more_cases.json"

Variable = tuple[Any, Any, dict[str, Any]]


def v(benign: Any, stress: Any = None, **facts: Any) -> Variable:
    """A variable: its benign value, its value at the stress point, its facts."""
    return benign, benign if stress is None else stress, facts


X = v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0])
MODERATE = v([-2.0, -0.5, 0.3, 1.0, 2.5], [-300.0, -40.0, 0.25, 40.0, 300.0])
Z = v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])
ZZ = v(
    [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
    [[1000.0, 0.0, -1000.0, 999.0], [-1000.0, -1001.0, -1002.0, -1003.0], [50.0, 800.0, 0.0, 0.0]],
)
K3 = v([2, 3, 0], labels=4)
K = v(2, labels=4)
BITS = v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True)
SIGNS = v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True)
SOFT = v([0.1, 0.9, 0.5, 0.25, 0.0], [1.0, 0.0, 0.5, 0.75, 0.0], range=(0.0, 1.0))
R = v([-2.0, -0.5, 0.3, 1.5, 2.5], [-1e200, -1e-200, 0.3, 1e160, 1e200])
P = v([0.5, 1.5, 2.0, 3.0], [1e-200, 1e-150, 3.0, 1e-100], positive=True)
BIG = v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4])
Q = "np.exp(z)/np.sum(np.exp(z))"
S = "(1/(1+np.exp(-z)))"

#: id: (formula, wrt, variables), with order and direction where they are not those of a gradient.
TABLE: dict[str, tuple[Any, ...]] = {
    # sigmoid, softplus, tanh
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
    # exponentials and logarithms
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
    # softmax and logsumexp
    "logsumexp_scaled": (
        "np.log(np.sum(np.exp(z/t)))*t",
        "z",
        {"z": Z, "t": v(0.5, positive=True)},
    ),
    "logmeanexp": ("np.log(np.mean(np.exp(z)))", "z", {"z": Z}),
    "logsumexp_weights": (
        "np.log(np.sum(w*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, 2000.0, 999.0]),
            "w": v([0.5, 1.0, 0.0, 2.0], nonnegative=True),
        },
    ),
    "logsumexp_mixture": (
        "-np.log(np.sum(w*np.exp(-0.5*(x-m)**2)))",
        "m",
        {
            "x": v(0.3),
            "w": v([0.2, 0.3, 0.5], positive=True, sums_to_one=True),
            "m": v([0.5, 1.0, -1.0], [50.0, 60.0, -70.0]),
        },
    ),
    "mixture_responsibilities": (
        "np.sum(c*(w*np.exp(z)/np.sum(w*np.exp(z))))",
        "z",
        {"z": Z, "w": v([0.2, 0.3, 0.4, 0.1], positive=True), "c": v([1.0, -2.0, 0.5, 3.0])},
    ),
    "mixture_sigma": (
        "-np.sum(np.log(np.sum(w*np.exp(-0.5*((x[:,None]-m)/s)**2)/s, axis=1)))",
        "m",
        {
            "x": v([0.3, -0.2]),
            "w": v([0.2, 0.3, 0.5], positive=True),
            "m": v([0.5, 1.0, -1.0], [50.0, 60.0, -70.0]),
            "s": v([1.0, 0.5, 2.0], positive=True),
        },
    ),
    "softmax_jacobian": (Q, "z", {"z": Z}),
    "softmax_weighted_sum": (f"np.sum(c*({Q}))", "z", {"z": Z, "c": v([1.0, -2.0, 0.5, 3.0])}),
    "softmax_dot": (f"c@({Q})", "z", {"z": Z, "c": v([1.0, -2.0, 0.5, 3.0])}),
    "softmax_matmul": (
        "np.sum(c*((np.exp(z)@V)/np.sum(np.exp(z))))",
        "z",
        {"z": Z, "V": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2], [0.1, 0.9]]), "c": v([1.0, -2.0])},
    ),
    "attention_wrt_q": (
        "np.sum(c*((np.exp(K@q)/np.sum(np.exp(K@q)))@V))",
        "q",
        {
            "q": v([0.5, -1.0, 0.3]),
            "K": v(
                [[1.0, 0.2, -0.5], [0.1, -1.0, 0.3], [-0.7, 0.6, 1.0], [0.4, 0.5, -1.0]],
                [[4001.0, 0.2, -0.5], [4000.1, -1.0, 0.3], [3999.3, 0.6, 1.0], [4000.0, 0.5, -1.0]],
            ),
            "V": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2], [0.1, 0.9]]),
            "c": v([1.0, -2.0]),
        },
    ),
    "attention_batch": (
        "np.sum((np.exp(Q@K.T)/np.sum(np.exp(Q@K.T),axis=1,keepdims=True))@V)",
        "Q",
        {
            "Q": v([[0.5, -1.0], [0.3, 0.2]], [[500.0, -300.0], [0.3, 400.0]]),
            "K": v([[1.0, 0.2], [0.1, -1.0], [-0.7, 0.6]]),
            "V": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2]]),
        },
    ),
    "masked_softmax_where": (
        "np.sum(c*np.exp(np.where(m>0,z,-np.inf))/np.sum(np.exp(np.where(m>0,z,-np.inf))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, 2000.0, 999.0]),
            "m": v([1.0, 1.0, 0.0, 1.0]),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "masked_logsumexp_where": (
        "np.log(np.sum(np.where(m>0,np.exp(z),0)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, 2000.0, 999.0]),
            "m": v([1.0, 1.0, 0.0, 1.0]),
        },
    ),
    "ce_one_hot_where": (
        "-np.sum(np.where(np.arange(4)==k,np.log(np.exp(z)/np.sum(np.exp(z))),0))",
        "z",
        {"z": Z, "k": K},
    ),
    "nll_label_difference": (
        "np.mean(np.log(np.sum(np.exp(Z),axis=1))-Z[np.arange(3),k])",
        "Z",
        {"Z": ZZ, "k": K3},
    ),
    "infonce": (
        "-np.log(np.exp(a)/(np.exp(a)+np.sum(np.exp(b))))",
        "a",
        {"a": v(0.5, 1000.0), "b": v([0.1, 2.0], [999.0, 998.0])},
    ),
    "focal_softmax_exp": (
        f"-np.sum(y*(1-{Q})**2*np.log({Q}))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [100.0, 0.0, -100.0, 90.0]),
            "y": v([0.0, 1.0, 0.0, 0.0], one_hot=True),
        },
    ),
    "entropy_log_softmax": (
        f"np.sum(({Q})*np.log({Q}))",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0])},
    ),
    "kl_softmaxes": (
        "np.sum(np.exp(a)/np.sum(np.exp(a))*(np.log(np.exp(a)/np.sum(np.exp(a)))-np.log(np.exp(b)/np.sum(np.exp(b)))))",
        "b",
        {
            "a": v([0.5, -1.0, 2.0], [800.0, 0.0, -800.0]),
            "b": v([0.1, 0.2, 0.4], [1000.0, 0.0, 1000.5]),
        },
    ),
    # binary losses
    "bce_logits": (
        f"-np.sum(y*np.log({S})+(1-y)*np.log(1-{S}))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.0, 40.0, 800.0]), "y": BITS},
    ),
    "bce_plus_minus": ("np.mean(np.log(1+np.exp(-y*z)))", "z", {"z": X, "y": SIGNS}),
    "bce_hessian": (
        f"-np.sum(y*np.log({S})+(1-y)*np.log(1-{S}))",
        "z",
        {"z": v([-2.0, 0.5], [-800.0, 40.0]), "y": v([0.0, 1.0], zero_or_one=True)},
        2,
    ),
    "bce_exp_form": ("np.sum(np.log(1+np.exp(z))-y*z)", "z", {"z": X, "y": BITS}),
    "brier_sigmoid": (
        f"np.mean(({S}-y)**2)",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-300.0, -40.0, 0.2, 40.0, 300.0]), "y": BITS},
    ),
    "focal_gamma2": (
        f"-np.sum(y*(1-{S})**2*np.log({S})+(1-y)*{S}**2*np.log(1-{S}))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-100.0, -100.0, 0.2, 100.0, 100.0]), "y": BITS},
    ),
    "focal_alpha": (
        f"-np.mean(a*y*(1-{S})**g*np.log({S})+(1-a)*(1-y)*{S}**g*np.log(1-{S}))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-100.0, -100.0, 0.2, 100.0, 100.0]),
            "y": BITS,
            "a": v(0.25),
            "g": v(1.5, positive=True),
        },
    ),
    "exponential_loss": (
        "np.sum(np.exp(-y*z))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5]), "y": SIGNS},
    ),
    "bradley_terry": (
        "-np.sum(np.log(np.exp(a)/(np.exp(a)+np.exp(b))))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [-999.0, 1001.0])},
    ),
    "dpo": (
        "-np.mean(np.log(1/(1+np.exp(-b*((p-q)-(r-s))))))",
        "p",
        {
            "p": v([0.5, -1.0], [1000.0, -1000.0]),
            "q": v([0.1, 2.0]),
            "r": v([0.2, 0.4]),
            "s": v([0.3, -0.3]),
            "b": v(0.1, positive=True),
        },
    ),
    "hinge_squared": (
        "np.sum(np.maximum(0,1-y*z)**2)",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5]), "y": SIGNS},
    ),
    "perceptron": (
        "np.sum(np.maximum(0,-y*z))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-1e300, 1e300, 0.3, 1.0, 2.0]), "y": SIGNS},
    ),
    # likelihoods
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
    # piecewise
    "relu_where": (
        "np.sum(np.where(x>0,x,0)**2)",
        "x",
        {"x": v([-2.0, -0.5, 0.3], [-1e160, 1e-200, 1e100])},
    ),
    "elu": ("np.sum(np.where(x>0,x,np.exp(x)-1))", "x", {"x": X}),
    "elu_alpha": (
        "np.sum(np.where(x>=0,x,a*(np.exp(x)-1)))",
        "x",
        {"x": X, "a": v(1.5, positive=True)},
    ),
    "selu_max": (
        "np.sum(np.maximum(x,0)+np.minimum(0,a*(np.exp(x)-1)))",
        "x",
        {"x": X, "a": v(1.5, positive=True)},
    ),
    "leaky_where": ("np.sum(np.where(x>0,x,0.01*x))", "x", {"x": X}),
    "leaky_max": ("np.sum(np.maximum(0.1*x,x))", "x", {"x": X}),
    "sqrt_where": (
        "np.sum(np.where(x>0,np.sqrt(x),0))",
        "x",
        {"x": v([-2.0, 0.5, 0.3], [-2.0, 1e-200, 1e-300])},
    ),
    "log_where": (
        "np.sum(np.where(m>0,np.log(x),0))",
        "x",
        {"x": v([2.0, 0.5, 0.3], [0.0, 1e-300, 1.0], nonnegative=True), "m": v([0.0, 1.0, 1.0])},
    ),
    "entropy_where": (
        "-np.sum(np.where(m,p*np.log(p),0))",
        "p",
        {
            "p": v([0.2, 0.5, 0.3], [0.0, 1e-200, 1.0], nonnegative=True),
            "m": v([0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "abs_where": (
        "np.sum(np.where(x>0,x,-x))",
        "x",
        {"x": v([-2.0, 0.5, 0.3], [-1e200, 1e-300, 1e200])},
    ),
    "huber_where": (
        "np.sum(np.where(np.abs(r)<=d,0.5*r**2,d*(np.abs(r)-0.5*d)))",
        "r",
        {"r": R, "d": v(1.0, positive=True)},
    ),
    "smooth_l1": (
        "np.mean(np.where(np.abs(x-y)<1,0.5*(x-y)**2,np.abs(x-y)-0.5))",
        "x",
        {"x": R, "y": v([0.5, 0.1, 0.2, 0.3, -0.4])},
    ),
    "pseudo_huber": (
        "np.sum(d**2*(np.sqrt(1+(r/d)**2)-1))",
        "r",
        {"r": R, "d": v(1.5, positive=True)},
    ),
    "quantile": ("np.sum(np.maximum(t*r,(t-1)*r))", "r", {"r": R, "t": v(0.3)}),
    "epsilon_insensitive": (
        "np.sum(np.maximum(0,np.abs(r)-e))",
        "r",
        {"r": R, "e": v(0.7, positive=True)},
    ),
    "charbonnier": (
        "np.sum(np.sqrt(r**2+e**2))",
        "r",
        {"r": R, "e": v(0.7, 1e-180, positive=True)},
    ),
    "geman_mcclure": (
        "np.sum(r**2/(1+r**2))",
        "r",
        {"r": v([-2.0, -0.5, 0.3], [-1e60, 1e-200, 1e70])},
    ),
    "welsch": (
        "np.sum(1-np.exp(-0.5*r**2))",
        "r",
        {"r": v([-2.0, -0.5, 0.3], [-20.0, 1e-200, 1e160])},
    ),
    # powers, roots, norms
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
    # products
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
    "likelihood_bernoulli": (
        "-np.log(np.prod(p**y*(1-p)**(1-y)))",
        "p",
        {
            "p": v([0.2, 0.5, 0.9], [1e-200, 1e-250, 0.5], range=(0.0, 1.0)),
            "y": v([1.0, 1.0, 0.0], zero_or_one=True),
        },
    ),
    # statistics
    "variance_np": ("np.var(x)", "x", {"x": BIG}),
    "variance_sum_form": ("np.sum(x**2)/5-(np.sum(x)/5)**2", "x", {"x": BIG}),
    "variance_ss": ("np.sum(x**2)-np.sum(x)**2/5", "x", {"x": BIG}),
    "variance_rows": (
        "np.sum(np.mean(A**2,axis=1)-np.mean(A,axis=1)**2)",
        "A",
        {
            "A": v(
                [[1.0, 2.0, 4.0], [0.5, 0.1, 0.2]],
                [[1e8, 1e8 + 1, 1e8 + 5], [-1e8, -1e8 + 1, -1e8 + 5]],
            )
        },
    ),
    "std_one_pass": ("np.sqrt(np.mean(x**2)-np.mean(x)**2)", "x", {"x": BIG}),
    "covariance_one_pass": (
        "np.mean(x*y)-np.mean(x)*np.mean(y)",
        "x",
        {"x": BIG, "y": v([0.5, 1.0, 2.0, 1.5, -1.0], [1e8, 1e8 + 2, 1e8 + 1, 1e8 + 7, 1e8 + 5])},
    ),
    "centred_square": ("np.mean((x-np.mean(x))**2)", "x", {"x": BIG}),
    "standardise": (
        "np.sum(c*(x-np.mean(x))/np.std(x))",
        "x",
        {"x": BIG, "c": v([1.0, 0.5, -2.0, 0.3, 0.1])},
    ),
    "layer_norm": (
        "np.sum(c*(x-np.mean(x))/np.sqrt(np.var(x)+e))",
        "x",
        {"x": BIG, "c": v([1.0, 0.5, -2.0, 0.3, 0.1]), "e": v(1e-5, positive=True)},
    ),
    "rms_norm": (
        "np.sum(c*x/np.sqrt(np.sum(x**2)/4+e))",
        "x",
        {"x": v([1.0, -2.0, 0.5, 0.3]), "c": v([1.0, 0.5, -2.0, 0.3]), "e": v(1e-5, positive=True)},
    ),
    "pearson": (
        "np.sum((x-np.mean(x))*(y-np.mean(y)))/np.sqrt(np.sum((x-np.mean(x))**2)*np.sum((y-np.mean(y))**2))",
        "x",
        {"x": BIG, "y": v([0.5, 1.0, 2.0, 1.5, -1.0])},
    ),
    "zscore_sum": ("np.sum((x-np.mean(x))*c)", "x", {"x": BIG, "c": v([1.0, 0.5, -2.0, 0.3, 0.1])}),
    # further spellings
    "softsign2": ("np.sum(x*(1+np.abs(x))**-1)", "x", {"x": v([-2.0, 0.3], [-1e12, 1e10])}),
    "tanh_scaled": (
        "np.sum(a*np.tanh(b*x))",
        "x",
        {"x": v([-0.5, 0.3], [-20.0, 30.0]), "a": v(1.7), "b": v(0.7)},
    ),
    "tanh_wrt_b": (
        "np.sum(a*np.tanh(b*x)**2)",
        "b",
        {"x": v([-0.5, 0.3], [-20.0, 30.0]), "a": v(1.7), "b": v(0.7)},
    ),
    "mish_log": ("np.mean(x*np.tanh(softplus(x)))", "x", {"x": v([-0.5, 0.3], [-50.0, 500.0])}),
    "silu_h": ("np.sum(x*np.exp(x)/(np.exp(x)+1))", "x", {"x": v([-0.5, 0.3], [-50.0, 500.0])}),
    "var_ddof": (
        "np.sum((x-np.sum(x)/5)**2)/4",
        "x",
        {"x": v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4])},
    ),
    "std": (
        "np.std(x)",
        "x",
        {"x": v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4])},
    ),
    "ln": (
        "np.sum(c*(x-np.mean(x))/np.sqrt(np.mean((x-np.mean(x))**2)+1e-5))",
        "x",
        {
            "x": v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4]),
            "c": v([1.0, 0.5, -2.0, 0.3, 0.1]),
        },
    ),
    "cos_small": (
        "x@y/(np.sqrt(x@x)*np.sqrt(y@y))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e-150, -4e-150, 1e-150]), "y": v([0.3, 0.2, 0.1])},
    ),
    "cos_big": (
        "np.dot(x,y)/np.sqrt(np.dot(x,x)*np.dot(y,y))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e150, -4e150, 1e150]), "y": v([0.3, 0.2, 0.1])},
    ),
    "norm_unit": (
        "x/np.sqrt(np.sum(x**2))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e150, -4e150, 1e150])},
    ),
    "triplet": (
        "np.maximum(0,np.sqrt(np.sum((a-p)**2))-np.sqrt(np.sum((a-n)**2))+1)",
        "a",
        {"a": v([1.0, -2.0], [1.0, 2.0]), "p": v([0.5, 0.1], [1.0000001, 2.0]), "n": v([1.5, 0.7])},
    ),
    "logit_bce": (
        "np.sum(np.maximum(z,0)-z*y+np.log(1+np.exp(-np.abs(z))))",
        "z",
        {"z": v([-0.5, 0.3], [-800.0, 800.0]), "y": v([1.0, 0.0], zero_or_one=True)},
    ),
    "bce_soft2": (
        "np.sum(-y*np.log(sigmoid(z))-(1-y)*np.log(sigmoid(-z)))",
        "z",
        {"z": v([-0.5, 0.3], [-800.0, 800.0]), "y": v([0.3, 0.6], range=(0.0, 1.0))},
    ),
    "lse_max": (
        "np.max(z)+np.log(np.sum(np.exp(z-np.max(z))))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0])},
    ),
    "softmax_max": (
        "np.sum(c*np.exp(z-np.max(z))/np.sum(np.exp(z-np.max(z))))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0]), "c": v([1.0, 2.0, 3.0])},
    ),
    "gmean_log": (
        "np.exp(np.mean(np.log(x)))",
        "x",
        {"x": v([0.5, 1.5, 2.0], [1e-200, 1e-100, 3.0], positive=True)},
    ),
    "lognormal": (
        "np.sum(np.log(x)+0.5*((np.log(x)-m)/s)**2)",
        "x",
        {
            "x": v([0.5, 1.5], [1e-300, 1e300], positive=True),
            "m": v(0.1),
            "s": v(1.2, positive=True),
        },
    ),
    "weibull": (
        "np.sum((x/l)**k-(k-1)*np.log(x/l)-np.log(k/l))",
        "x",
        {
            "x": v([0.5, 1.5], [1e-100, 1e50], positive=True),
            "l": v(1.1, positive=True),
            "k": v(1.5, positive=True),
        },
    ),
    "beta_nll": (
        "-np.sum((a-1)*np.log(x)+(b-1)*np.log(1-x))",
        "x",
        {"x": v([0.5, 0.3], [1e-300, 1 - 2**-40], range=(0.0, 1.0)), "a": v(2.0), "b": v(3.0)},
    ),
    "gamma_nll": (
        "np.sum(a*np.log(b)-(a-1)*np.log(x)+x/b)",
        "b",
        {"x": v([0.5, 0.3]), "a": v(2.0), "b": v(3.0, 1e-100, positive=True)},
    ),
    "logistic_nll": (
        "np.sum(x+2*np.log(1+np.exp(-x)))",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 800.0])},
    ),
    "gumbel": ("np.sum(x+np.exp(-x))", "x", {"x": v([0.5, -0.3], [1e-10, 700.0])}),
    "gompertz": (
        "np.sum(np.exp(-b*np.exp(-x)))",
        "x",
        {"x": v([0.5, -0.3], [-10.0, 800.0]), "b": v(1.5)},
    ),
    "cloglog": ("np.sum(1-np.exp(-np.exp(x)))", "x", {"x": v([0.5, -0.3], [-50.0, 800.0])}),
    "softmin": (
        "np.sum(c*np.exp(-z)/np.sum(np.exp(-z)))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0]), "c": v([1.0, 2.0, 3.0])},
    ),
    "boltz": (
        "np.sum(z*np.exp(z/t)/np.sum(np.exp(z/t)))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0]), "t": v(1.0, positive=True)},
    ),
    "hsig": ("np.sum(np.clip(0.2*x+0.5,0,1))", "x", {"x": v([0.5, -0.3], [-1e200, 1e200])}),
    "celu": (
        "np.sum(np.maximum(0,x)+np.minimum(0,a*(np.exp(x/a)-1)))",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 900.0]), "a": v(1.5, positive=True)},
    ),
    "logsig_where": (
        "np.sum(np.where(x>0,-np.log(1+np.exp(-x)),x-np.log(1+np.exp(x))))",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 900.0])},
    ),
    "sig_where": (
        "np.sum(np.where(x>=0,1/(1+np.exp(-x)),np.exp(x)/(1+np.exp(x))))",
        "x",
        {"x": v([0.5, -0.3], [-700.0, 700.0])},
    ),
    "absx": ("np.sum(x*np.sign(x))", "x", {"x": v([0.5, -0.3], [-1e200, 1e-200])}),
    "sqrt1p": ("np.sum(np.sqrt(1+x)-1)", "x", {"x": v([0.5, 0.3], [1e-20, 1e20], positive=True)}),
    "prodp": (
        "np.log(np.prod(p))-np.log(np.prod(q))",
        "p",
        {
            "p": v([0.5, 0.3], [1e-200, 1e-250], positive=True),
            "q": v([0.5, 0.3], [1e-200, 1e-250], positive=True),
        },
    ),
    "xlogx": (
        "np.sum(x*np.log(x/y))",
        "x",
        {
            "x": v([0.5, 0.3], [1e-300, 1e300], positive=True),
            "y": v([0.5, 0.3], [1e-300, 1e300], positive=True),
        },
    ),
    "jsd": (
        "np.sum(p*np.log(p/(0.5*(p+q))))",
        "p",
        {
            "p": v([0.5, 0.3], [1e-300, 0.5], positive=True),
            "q": v([0.5, 0.3], [1e-300, 0.2], positive=True),
        },
    ),
    "rat2": ("np.sum(x**2/(1+x**2))", "x", {"x": v([0.5, -0.3], [1e-200, 1e60])}),
    "tukeyish": (
        "np.sum(np.log(np.cosh(a*x))/a)",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 900.0]), "a": v(2.0, positive=True)},
    ),
    "erfgelu2": ("np.sum(x*(1+erf(x/np.sqrt(2)))/2)", "x", {"x": v([0.5, -0.3], [-10.0, 9.0])}),
    "logPhi": (
        "-np.sum(np.log(0.5*(1+erf(y*z/np.sqrt(2)))))",
        "z",
        {"z": v([0.5, -0.3], [5.0, -20.0]), "y": v([1.0, 1.0])},
    ),
    "swishh": ("np.sum(x*sigmoid(1.702*x))", "x", {"x": v([0.5, -0.3], [-40.0, 800.0])}, 2),
    "tanhh2": ("np.sum(np.log(np.cosh(x)))", "x", {"x": v([0.5, -0.3], [-40.0, 30.0])}, 2),
    "lseh": ("np.log(np.sum(np.exp(z)))", "z", {"z": v([0.5, -0.3], [1000.0, 999.0])}, 2),
    "gmm_w": (
        "-np.log(np.sum(np.exp(a)/np.sum(np.exp(a))*np.exp(-0.5*(x-m)**2)))",
        "a",
        {"a": v([0.5, -0.3], [1000.0, 999.0]), "x": v(0.2), "m": v([0.1, 0.4], [50.0, 60.0])},
    ),
    "mdn_s": (
        "-np.log(np.sum(w*np.exp(-0.5*((x-m)/np.exp(s))**2-s)))",
        "s",
        {
            "w": v([0.5, 0.5], positive=True),
            "x": v(0.2),
            "m": v([0.1, 0.4], [50.0, 60.0]),
            "s": v([0.3, 0.1]),
        },
    ),
    "ce_sm": (
        "-np.mean(np.sum(((1-e)*Y+e/4)*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True)),axis=1))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0, 0.3], [1.0, 2.0, 0.1, 0.2]],
                [[1000.0, 0.0, -1000.0, 999.0], [1.0, 2.0, 3.0, 4.0]],
            ),
            "Y": v([[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], one_hot=True),
            "e": v(0.1),
        },
    ),
}

#: Formulas that a rule is there for which no other formula needs.
TABLE |= {
    "abs_of_scaled": (
        "np.sum(np.abs(a*x))",
        "x",
        {"a": v([0.5, 1.5, 2.0, 3.0, 1.0], positive=True), "x": R},
    ),
    "chi_of_rescaled": (
        "np.sum((s*(x/s-m/s**2))**2)",
        "x",
        {
            "x": v([0.5, -1.0], [1e9, -3.0]),
            "m": v([1.0, 2.0], [2e-9, 5e7]),
            "s": v([0.7, 1.3], [1e-8, 1e7]),
        },
    ),
    "planck": (
        "np.sum(x*np.exp(x)/(np.exp(x)-1))",
        "x",
        {"x": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0])},
    ),
    "clipped_from_below_twice": (
        "np.sum(np.maximum(np.maximum(x,y),y))",
        "x",
        {"x": X, "y": v([0.0, 1.0, -1.0, 0.5, 3.0])},
    ),
    "discounted_gain": (
        "np.sum(np.exp(x)/np.log(np.stack([2.0,3.0,4.0])))",
        "x",
        {"x": v([0.5, -1.0, 2.0], [-700.0, 1e-300, 700.0])},
    ),
    "masked_squares": (
        "np.sum((m*(x-y))**2)",
        "x",
        {"m": BITS, "x": R, "y": v([0.1, 0.2, 0.3, 0.4, 0.5])},
    ),
    "masked_fourth_powers": (
        "np.sum((m*x)**4)",
        "x",
        {"m": BITS, "x": v([0.5, -1.0, 2.0, 0.3, 4.0], [1e80, -1e80, 1e-80, 1e90, 1e100])},
    ),
    "cross_entropy_guarded": (
        "-np.sum(p*np.log(np.where(p>0,p,1)))",
        "p",
        {"p": v([0.2, 0.5, 0.3], [1e-300, 1e-20, 1.0], positive=True)},
    ),
    "relu_twice": ("np.sum(np.maximum(np.maximum(x,0),0)**2)", "x", {"x": R}),
    "bernoulli_variance": ("np.sum(1/(1+np.exp(-x))-1/(1+np.exp(-x))**2)", "x", {"x": X}),
    "later_features": ("np.sum(np.log(1+np.exp(Z.T[1:])))", "Z", {"Z": ZZ}),
    "unigram_likelihood": (
        "-np.sum(w*(z-np.log(np.sum(np.exp(z))))[k])",
        "z",
        {"z": Z, "w": v([0.5, 1.0, 2.0]), "k": K3},
    ),
    "margin_of_label": (
        "np.sum((np.broadcast_to(np.max(Z,axis=1,keepdims=True),(3,4))[np.arange(3),k]"
        "-Z[np.arange(3),k])**2)",
        "Z",
        {"Z": ZZ, "k": K3},
    ),
}

#: Sums of probabilities that cancel: what is left is as small as their own rounding.
CANCEL = dict.fromkeys(
    (
        *("nll_label_difference", "kl_softmaxes", "ce_one_hot_where", "entropy_log_softmax"),
        *("softmax_weighted_sum", "softmax_dot", "softmax_matmul", "mixture_responsibilities"),
        *("masked_softmax_where", "focal_softmax_exp", "softmax_jacobian", "attention_batch"),
        *("attention_wrt_q", "infonce", "pearson", "zscore_sum", "standardise", "layer_norm"),
        *("normalise", "cosine_similarity"),
    ),
    2e-15,
)


def entry(name: str, row: tuple[Any, ...]) -> dict[str, Any]:
    """One case, with its true derivative at both points."""
    text, wrt, variables, *more = row
    order = more[0] if more else 1
    inputs: dict[str, Any] = {}
    points: dict[str, dict[str, Any]] = {"benign": {}, "stress": {}}
    for key, (benign, stress, facts) in variables.items():
        dtype = "int64" if "labels" in facts else "float64"
        inputs[key] = {"shape": list(np.shape(benign)), "dtype": dtype, "facts": facts}
        points["benign"][key], points["stress"][key] = benign, stress
    whole = frozenset(key for key, made in inputs.items() if made["dtype"] == "int64")
    found: dict[str, Any] = {
        f"{kind}_value_f64": derivative(text, wrt, point, order, None, whole).tolist()
        for kind, point in points.items()
    }
    return {
        "id": name,
        "derivative": "hessian" if order == 2 else "gradient",
        "wrt": wrt,
        "inputs": inputs,
        "naive_numpy": text,
        "rtol": 1e-11,
        "atol": CANCEL.get(name, 0.0),
        "benign_point": points["benign"],
        "stress_point": points["stress"],
        **found,
    }


def generate(table: Mapping[str, tuple[Any, ...]] = TABLE) -> dict[str, Any]:
    """All cases, as the file holds them."""
    about = "Formulas and their true derivatives; written by tests/simplify/generate_cases.py."
    return {"about": about, "cases": [entry(name, row) for name, row in table.items()]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(generate(), indent=1) + "\n", encoding="utf-8")
