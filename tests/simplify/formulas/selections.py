"""Masks, regressions and growth curves."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "masked_softmax_01": (
        "np.sum(c*m*np.exp(z)/np.sum(m*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [-1000.0, 900.0, -1001.0, -999.0]),
            "m": v([1.0, 0.0, 1.0, 1.0], zero_or_one=True),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "masked_lse_01": (
        "np.log(np.sum(m*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [-1000.0, 900.0, -1001.0, -999.0]),
            "m": v([1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "masked_lse_wrt_m": (
        "np.log(np.sum(m*np.exp(z)))",
        "m",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [-1000.0, -900.0, -1001.0, -999.0]),
            "m": v([1.0, 0.5, 2.0, 3.0], positive=True),
        },
    ),
    "logdiff_sum": (
        "np.log(np.exp(a)-np.exp(b)+np.exp(c))",
        "a",
        {
            "a": v(1.0, 1000.0),
            "b": v(0.5, 999.0),
            "c": v(0.2, 998.0),
        },
    ),
    "masked_mean_ce": (
        "-np.sum(m[:,None]*y*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True)))/np.sum(m)",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]],
                [[1000.0, 0.0, -1000.0], [-1000.0, -1001.0, -1002.0]],
            ),
            "m": v([1.0, 0.0]),
            "y": v([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], one_hot=True),
        },
    ),
    "ce_plus_l2": (
        "-np.log(np.exp(W@x)/np.sum(np.exp(W@x)))[k]+0.5*l*np.sum(W**2)",
        "W",
        {
            "W": v(
                [[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]],
                [[700.0, -500.0], [300.0, 200.0], [-150.0, 70.0]],
            ),
            "x": v([0.5, -1.0]),
            "k": v(1, labels=3),
            "l": v(0.1),
        },
    ),
    "softmax_reg_b_hess": (
        "np.log(np.sum(np.exp(W@x+b)))-(W@x+b)[k]",
        "b",
        {
            "W": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "x": v([0.5, -1.0]),
            "b": v([0.1, 0.2, 0.3], [1000.0, 0.0, 999.0]),
            "k": v(1, labels=3),
        },
        2,
    ),
    "bce_bias": (
        "-np.mean(y*np.log(1/(1+np.exp(-(X@w+b))))+(1-y)*np.log(1-1/(1+np.exp(-(X@w+b)))))",
        "b",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [1000.0, -150.0]),
            "b": v(0.1),
            "y": v([1.0, 0.0, 1.0], zero_or_one=True),
        },
    ),
    "bce_matrix": (
        "np.sum(np.log(1+np.exp(Z))-Y*Z)",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]],
                [[1000.0, 0.0, -1000.0], [-40.0, 40.0, -1002.0]],
            ),
            "Y": v([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], zero_or_one=True),
        },
    ),
    "bce_product_trick": (
        "-np.sum(np.log(np.abs(1-y-1/(1+np.exp(-z)))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "bce_power": (
        "-np.sum(np.log((1/(1+np.exp(-z)))**y*(1-1/(1+np.exp(-z)))**(1-y)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "kl_bern_logits": (
        "np.sum((1/(1+np.exp(-a)))*(np.log(1/(1+np.exp(-a)))-np.log(1/(1+np.exp(-b))))+(1-1/(1+np.exp(-a)))*(np.log(1-1/(1+np.exp(-a)))-np.log(1-1/(1+np.exp(-b)))))",
        "a",
        {
            "a": v([0.5, -1.0], [800.0, -800.0]),
            "b": v([0.3, 0.2], [700.0, -30.0]),
        },
    ),
    "bern_entropy_logits": (
        "-np.sum((1/(1+np.exp(-z)))*np.log(1/(1+np.exp(-z)))+(1-1/(1+np.exp(-z)))*np.log(1-1/(1+np.exp(-z))))",
        "z",
        {
            "z": v([-2.0, 0.5], [-300.0, 800.0]),
        },
    ),
    "logistic_growth": (
        "np.sum((K/(1+np.exp(-r*(t-m)))-y)**2)",
        "r",
        {
            "K": v(2.0),
            "r": v(1.5, 100.0),
            "t": v([1.0, 2.0], [-10.0, 10.0]),
            "m": v(0.5),
            "y": v([0.3, 1.2]),
        },
    ),
    "gompertz_growth": (
        "np.sum(a*np.exp(-b*np.exp(-c*t)))",
        "c",
        {
            "a": v(2.0),
            "b": v(1.5),
            "c": v(0.7),
            "t": v([1.0, 2.0], [-300.0, 900.0]),
        },
    ),
    "richards": (
        "np.sum((1+n*np.exp(-k*(t-m)))**(-1/n))",
        "t",
        {
            "n": v(0.5, positive=True),
            "k": v(1.5),
            "m": v(0.2),
            "t": v([1.0, 2.0], [-900.0, 900.0]),
        },
    ),
    "haversine": (
        "2*np.sum(np.arcsin(np.sqrt(np.sin(0.5*(a-b))**2+np.cos(a)*np.cos(b)*np.sin(0.5*(l-m))**2)))",
        "a",
        {
            "a": v([0.5, 1.0], [0.5000000001, 1.0]),
            "b": v([0.3, 0.7], [0.5, 0.7]),
            "l": v([0.1, 0.2], [0.1, 0.2]),
            "m": v([0.4, 0.5], [0.1, 0.5]),
        },
    ),
    "great_circle": (
        "np.sum(np.arccos(np.sin(a)*np.sin(b)+np.cos(a)*np.cos(b)*np.cos(l-m)))",
        "a",
        {
            "a": v([0.5, 1.0]),
            "b": v([0.3, 0.7]),
            "l": v([0.1, 0.2]),
            "m": v([0.4, 0.5]),
        },
    ),
    "one_minus_cosine": (
        "np.sum(1-np.cos(x-y))",
        "x",
        {
            "x": v([0.5, 1.0], [1e-09, 1.0]),
            "y": v([0.3, 0.7], [0.0, 0.7]),
        },
    ),
    "clr": (
        "np.sum(c*(np.log(p)-np.mean(np.log(p))))",
        "p",
        {
            "p": v([0.1, 0.2, 0.7], [1e-300, 0.3, 1e300], positive=True),
            "c": v([1.0, 2.0, 3.0]),
        },
    ),
    "aitchison": (
        "np.sum((np.log(p/np.exp(np.mean(np.log(p))))-np.log(q/np.exp(np.mean(np.log(q)))))**2)",
        "p",
        {
            "p": v([0.1, 0.2, 0.7], [1e-300, 0.3, 1e300], positive=True),
            "q": v([0.3, 0.3, 0.4], positive=True),
        },
    ),
    "spectral_like": (
        "np.sum(c*(W@x)/np.sqrt(np.sum((W@x)**2)))",
        "W",
        {
            "W": v([[1.0, -0.5], [0.3, 2.0]], [[1e200, -1e200], [3e199, 2e200]]),
            "x": v([1.0, 2.0]),
            "c": v([1.0, -1.0]),
        },
    ),
    "rmsle": (
        "np.sqrt(np.mean((np.log(1+p)-np.log(1+y))**2))",
        "p",
        {
            "p": v([1.0, 2.0], [1e-17, 1e200], nonnegative=True),
            "y": v([1.5, 0.5], [0.0, 1e199], nonnegative=True),
        },
    ),
    "msle": (
        "np.mean((np.log(p+1)-np.log(y+1))**2)",
        "p",
        {
            "p": v([1.0, 2.0], [1e-17, 1e200], nonnegative=True),
            "y": v([1.5, 0.5], [1e-18, 1e199], nonnegative=True),
        },
    ),
    "log_ratio_sq": (
        "np.mean(np.log(p/y)**2)",
        "p",
        {
            "p": v([1.0, 2.0], [1e-200, 1e200], positive=True),
            "y": v([1.5, 0.5], [1e-199, 1e-200], positive=True),
        },
    ),
}
