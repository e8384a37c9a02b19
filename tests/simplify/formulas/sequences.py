"""Contrasts, rankings, risk sets and chains of states."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "logsumexp_pair": (
        "np.log(np.exp(a-b)+np.exp(b-a))",
        "a",
        {"a": v(0.5, 1000.0), "b": v(0.1, -999.0)},
    ),
    "lse_cols": (
        "np.sum(np.log(np.sum(np.exp(Z),axis=0)))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
                [
                    [1000.0, 0.0, -1000.0, 999.0],
                    [-1000.0, -1001.0, -1002.0, -1003.0],
                    [50.0, 800.0, 0.0, 0.0],
                ],
            )
        },
    ),
    "lse_of_product": (
        "np.log(np.sum(np.exp(A@x)))",
        "x",
        {"A": v([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), "x": v([0.5, -1.0], [500.0, -300.0])},
    ),
    "lse_ratio": (
        "np.log(np.sum(np.exp(a))/np.sum(np.exp(b)))",
        "b",
        {
            "a": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "b": v([0.5, -1.0, 2.0, 0.25], [-1000.0, -1005.0, -1100.0, -1001.0]),
        },
    ),
    "lse_softmin_b": (
        "-np.log(np.sum(np.exp(-b*z)))/b",
        "b",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 1000.5, 1001.0, 1002.0]),
            "b": v(2.0, 1.0, positive=True),
        },
    ),
    "expmean_risk_t": (
        "np.log(np.mean(np.exp(t*x)))/t",
        "t",
        {"x": v([0.5, 1.5, -1.0], [1000.0, 999.0, 998.0]), "t": v(1.5, 1.0, positive=True)},
    ),
    "plackett_luce": (
        "-np.sum(np.log(np.exp(s)/np.cumsum(np.exp(s))))",
        "s",
        {"s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])},
    ),
    "plackett_luce_rev": (
        "-np.sum(s-np.log(np.flip(np.cumsum(np.flip(np.exp(s))))))",
        "s",
        {"s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])},
    ),
    "cox_cumsum": (
        "-np.sum(d*(s-np.log(np.cumsum(np.exp(s)))))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "d": v([1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "cox_mask": (
        "-np.sum(d*(s-np.log(np.sum(R*np.exp(s),axis=1))))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "d": v([1.0, 0.0, 1.0, 1.0], zero_or_one=True),
            "R": v(
                [
                    [1.0, 1.0, 1.0, 1.0],
                    [0.0, 1.0, 1.0, 1.0],
                    [0.0, 0.0, 1.0, 1.0],
                    [0.0, 0.0, 0.0, 1.0],
                ],
                zero_or_one=True,
            ),
        },
    ),
    "cox_matmul": (
        "-np.sum(d*(s-np.log(R@np.exp(s))))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "d": v([1.0, 0.0, 1.0, 1.0], zero_or_one=True),
            "R": v(
                [
                    [1.0, 1.0, 1.0, 1.0],
                    [0.0, 1.0, 1.0, 1.0],
                    [0.0, 0.0, 1.0, 1.0],
                    [0.0, 0.0, 0.0, 1.0],
                ],
                zero_or_one=True,
            ),
        },
    ),
    "listnet": (
        "-np.sum(np.exp(y)/np.sum(np.exp(y))*np.log(np.exp(s)/np.sum(np.exp(s))))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([1.0, 0.0, 2.0, 3.0]),
        },
    ),
    "ranknet": (
        "np.sum(np.log(1+np.exp(-(a-b))))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -800.0]), "b": v([0.1, 2.0], [-30.0, 5.0])},
    ),
    "ranknet_all": (
        "np.sum(np.log(1+np.exp(-(s[:,None]-s[None,:]))))",
        "s",
        {"s": v([0.5, -1.0, 2.0], [1000.0, 0.0, -1000.0])},
    ),
    "bt_ratio_exp": (
        "-np.log(np.exp(a)/(np.exp(a)+np.exp(b)))",
        "b",
        {"a": v(0.5, -1000.0), "b": v(0.1, 999.0)},
    ),
    "infonce_rows": (
        "-np.mean(np.log(np.diag(np.exp(A@B.T/t))/np.sum(np.exp(A@B.T/t),axis=1)))",
        "A",
        {
            "A": v([[0.5, -1.0], [0.3, 0.2]], [[50.0, -100.0], [30.0, 0.2]]),
            "B": v([[1.0, 0.2], [-0.3, 0.5]]),
            "t": v(0.1, positive=True),
        },
    ),
    "infonce_pos": (
        "-np.log(np.exp(q@p/t)/(np.exp(q@p/t)+np.sum(np.exp(N@q/t))))",
        "q",
        {
            "q": v([0.5, -1.0], [50.0, -100.0]),
            "p": v([1.0, 0.2]),
            "N": v([[1.0, 0.5], [-0.3, 0.7], [0.2, 0.1]]),
            "t": v(0.07, positive=True),
        },
    ),
    "supcon": (
        "-np.sum(P*(s-np.log(np.sum(np.exp(s),axis=1,keepdims=True))))/np.sum(P)",
        "s",
        {
            "s": v(
                [[0.5, -1.0, 0.2], [0.3, 0.2, 1.0]],
                [[1000.0, -1000.0, 999.0], [-900.0, 1000.0, -901.0]],
            ),
            "P": v([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]], zero_or_one=True),
        },
    ),
    "sgns": (
        "-np.log(1/(1+np.exp(-(u@p))))-np.sum(np.log(1/(1+np.exp(N@u))))",
        "u",
        {
            "u": v([0.5, -1.0], [500.0, -300.0]),
            "p": v([1.0, 0.5]),
            "N": v([[-0.3, 2.0], [0.3, 0.1]]),
        },
    ),
    "mil_noisy_or": (
        "-np.log(1-np.prod(1-(1/(1+np.exp(-z)))))",
        "z",
        {"z": v([-2.0, -0.5, 0.3], [-40.0, -50.0, -45.0])},
    ),
    "crf_two": (
        "np.log(np.sum(np.exp(a[:,None]+T+b)))-a[0]-b[1]-T[0,1]",
        "T",
        {
            "a": v([0.5, -1.0], [500.0, -300.0]),
            "b": v([0.1, 0.3], [400.0, -2.0]),
            "T": v([[0.1, 0.2], [0.3, 0.4]], [[100.0, 50.0], [0.0, -100.0]]),
        },
    ),
    "hmm_forward": (
        "np.log(np.sum((np.exp(a)@np.exp(T))*np.exp(b)))",
        "T",
        {
            "a": v([0.5, -1.0], [500.0, -300.0]),
            "b": v([0.1, 0.3], [400.0, -2.0]),
            "T": v([[0.1, 0.2], [0.3, 0.4]], [[100.0, 50.0], [0.0, -100.0]]),
        },
    ),
    "hmm_matmul": (
        "np.log(np.exp(a)@A@np.exp(b))",
        "a",
        {
            "a": v([0.5, -1.0], [1000.0, -300.0]),
            "b": v([0.1, 0.3], [-900.0, -2.0]),
            "A": v([[0.1, 0.9], [0.3, 0.7]], positive=True),
        },
    ),
}
