"""Losses as plain words have them: probabilities as powers, quotients of exponentials, overlaps."""

from __future__ import annotations

from tests.simplify.formulas.variables import BITS, SIGNS, Row, X, v

THREE = v([0.5, -1.0, 2.0], [1000.0, 0.0, -5.0])
FOUR = v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])
WEIGHTS = v([1.0, 2.0, -1.0, 0.5])
LOGITS = v([-2.0, -0.5, 0.3], [-800.0, -800.0, -800.0])
HITS = v([1.0, 0.0, 1.0], zero_or_one=True)
CHOSEN = "y*p+(1-y)*(1-p)"
PROPER = v([0.3, 0.5, 0.9], [1 - 1e-10, 1e-10, 1e-10], range=(0.0, 1.0))
TABLE: dict[str, Row] = {
    "exp_over_exp_of_max": (
        "np.sum(w*np.exp(z)/np.exp(np.max(z)))",
        "z",
        {"z": FOUR, "w": WEIGHTS},
    ),
    "softmax_over_exp_of_max": (
        "np.sum(w*(np.exp(z)/np.exp(np.max(z)))/np.sum(np.exp(z)/np.exp(np.max(z))))",
        "z",
        {"z": FOUR, "w": WEIGHTS},
    ),
    "row_maxima_divided_out": (
        "np.sum(w*np.exp(Z)/np.exp(np.max(Z,axis=1,keepdims=True)))",
        "Z",
        {
            "Z": v([[0.5, -1.0], [0.1, 0.2]], [[1000.0, 999.0], [-1000.0, -1001.0]]),
            "w": v([[1.0, 2.0], [0.3, -0.5]]),
        },
    ),
    "lse_over_exp_of_max": (
        "np.max(z)+np.log(np.sum(np.exp(z)/np.exp(np.max(z))))",
        "z",
        {"z": FOUR},
    ),
    "ordinal_tanh": (
        "-np.sum(np.log(np.tanh(b-z)-np.tanh(a-z)))",
        "z",
        {"z": v([0.3, -1.0, 2.0], [30.0, -400.0, 9.0]), "a": v(-0.5), "b": v(0.5)},
    ),
    "tanh_difference": (
        "-np.log(np.tanh(a)-np.tanh(b))",
        "a",
        {"a": v(1.0, 400.0), "b": v(0.5, 399.0)},
    ),
    "signed_tanh_share": ("-np.sum(np.log((1+s*np.tanh(z))/2))", "z", {"z": X, "s": SIGNS}),
    "tanh_label_share": (
        "-np.sum(np.log((1+(2*y-1)*np.tanh(z))/2))",
        "z",
        {"z": X, "y": BITS},
    ),
    "signed_probit": (
        "-np.sum(np.log(0.5*(1+s*erf(z/np.sqrt(2)))))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-50.0, -40.0, 0.25, 40.0, 60.0]), "s": SIGNS},
    ),
    "iou_log": (
        "-np.log(np.sum(y*sigmoid(z))/(np.sum(y)+np.sum(sigmoid(z))-np.sum(y*sigmoid(z))))",
        "z",
        {"z": LOGITS, "y": HITS},
    ),
    "tversky_log": (
        "-np.log(np.sum(y*sigmoid(z))/(np.sum(y*sigmoid(z))+a*np.sum((1-y)*sigmoid(z))"
        "+b*np.sum(y*(1-sigmoid(z)))))",
        "z",
        {"z": LOGITS, "y": HITS, "a": v(0.3), "b": v(0.7)},
    ),
    "dice_log": (
        "-np.log(2*np.sum(y*sigmoid(z))/(np.sum(y)+np.sum(sigmoid(z))))",
        "z",
        {"z": LOGITS, "y": HITS},
    ),
    "bernoulli_power": (
        "-np.log(p**y*(1-p)**(1-y))",
        "p",
        {"p": v(0.3, 1.0), "y": v(1.0, zero_or_one=True)},
    ),
    "bernoulli_power_any": (
        "-np.log(p**y*(1-p)**(1-y))",
        "p",
        {"p": v(0.3, 0.0), "y": v(1.0, 0.0)},
    ),
    "bernoulli_powers": (
        "-np.sum(np.log(p**y*(1-p)**(1-y)))",
        "p",
        {"p": v([0.3, 0.5, 0.9], [1.0, 0.0, 1e-300]), "y": v([1.0, 0.0, 1.0], zero_or_one=True)},
    ),
    "bernoulli_one_coin": (
        "-np.log(np.prod(p**y*(1-p)**(1-y)))",
        "p",
        {"p": v(0.3, 1.0), "y": v([1.0, 0.0, 1.0], [1.0, 1.0, 1.0], zero_or_one=True)},
    ),
    "categorical_power": (
        "-np.log(np.prod(p**y))",
        "p",
        {
            "p": v([0.2, 0.5, 0.3], [0.0, 1.0, 1e-200]),
            "y": v([0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "binomial_power": (
        "-np.log(p**k*(1-p)**(n-k))",
        "p",
        {"p": v(0.3, 1.0), "k": v(3.0, 5.0), "n": v(5.0)},
    ),
    "binomial_power_hess": (
        "-np.log(p**k*(1-p)**(n-k))",
        "p",
        {"p": v(0.3, 0.0), "k": v(3.0, 0.0), "n": v(5.0)},
        2,
    ),
    "power_of_nothing": ("(0.5-p)**(1-y*y)", "p", {"p": v(0.3, 0.5), "y": v(0.3, 1.0)}),
    "chosen_probability": (
        f"-np.sum(np.log({CHOSEN}))",
        "p",
        {"p": v([0.3, 0.5, 0.9], [1.0, 0.0, 1e-10]), "y": HITS},
    ),
    "chosen_focal": (
        f"-np.sum((1-({CHOSEN}))**2*np.log({CHOSEN}))",
        "p",
        {"p": PROPER, "y": HITS},
    ),
    "chosen_focal_power": (
        f"-np.sum((1-({CHOSEN}))**g*np.log({CHOSEN}))",
        "p",
        {"p": PROPER, "y": HITS, "g": v(2.0, positive=True)},
    ),
    "chosen_focal_where": (
        "-np.sum((1-np.where(y==1,p,1-p))**2*np.log(np.where(y==1,p,1-p)))",
        "p",
        {"p": PROPER, "y": HITS},
    ),
    "survival_softmax": (
        "-np.log(1-np.sum(softmax(z)[:2]))",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.3], [1000.0, 0.0, -5.0, 1.0])},
    ),
    "survival_softmax_rows": (
        "-np.sum(np.log(1-np.sum(softmax(Z)[:,:2],axis=1)))",
        "Z",
        {"Z": v([[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]], [[1000.0, 0.0, 5.0], [1000.0, -1.0, 3.0]])},
    ),
    "survival_cumsum": (
        "-np.sum(np.log(1-np.cumsum(softmax(z))[:-1]))",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.3], [1000.0, 900.0, -5.0, 1.0])},
    ),
    "neither_of_two": (
        "-np.log(1-softmax(z)[0]-softmax(z)[1])",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.3], [1000.0, 0.0, -5.0, 1.0])},
    ),
    "none_of_masked": (
        "-np.log(1-np.sum(m*softmax(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.3], [1000.0, 0.0, -5.0, 1.0]),
            "m": v([1.0, 0.0, 0.0, 1.0], zero_or_one=True),
        },
    ),
    "left_by_some": (
        "np.sum((1-np.sum(softmax(z)[:2]))**2)",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.3], [50.0, 0.0, -5.0, 1.0])},
    ),
    "ranked_probability": (
        "np.sum((1-np.cumsum(softmax(z))[:-1])**2)",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.3], [50.0, 0.0, -5.0, 1.0])},
    ),
}
