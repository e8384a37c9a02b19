"""softmax, logsumexp and what is made of them."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    K3,
    ZZ,
    K,
    Q,
    Row,
    Z,
    v,
)

TABLE: dict[str, Row] = {
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
    "evidential_squares": (
        "np.sum((y-(np.exp(z)+1)/np.sum(np.exp(z)+1))**2)",
        "z",
        {
            "z": v([0.3, -1.2, 2.0, 0.5], [800.0, -800.0, 799.0, -40.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "evidential_rows": (
        "np.sum(C*(1+np.exp(Z))/np.sum(1+np.exp(Z),axis=1,keepdims=True))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]],
                [[1000.0, 0.0, 999.0], [-1000.0, -1001.0, -1002.0]],
            ),
            "C": v([[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]]),
        },
    ),
}
