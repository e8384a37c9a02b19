"""Contrasts, masks and cross-entropies in spellings of their own."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "sq_matmul_ce": (
        "-np.mean(np.log(np.einsum('ij,ij->i',np.exp(Z),Y)/np.exp(Z).sum(1)))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
                [
                    [1000.0, 0.0, -1000.0, 999.0],
                    [-1000.0, -1001.0, -1002.0, -1003.0],
                    [50.0, 800.0, 0.0, 0.0],
                ],
            ),
            "Y": v(
                [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]], one_hot=True
            ),
        },
    ),
    "ce_take": (
        "np.mean(np.log(np.exp(Z).sum(axis=1))-np.sum(Z*one_hot(k,4),axis=1))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
                [
                    [1000.0, 0.0, -1000.0, 999.0],
                    [-1000.0, -1001.0, -1002.0, -1003.0],
                    [50.0, 800.0, 0.0, 0.0],
                ],
            ),
            "k": v([2, 3, 0], labels=4),
        },
    ),
    "ce_sub_max": (
        "-np.sum(y*(z-np.max(z)-np.log(np.sum(np.exp(z-np.max(z))))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "ce_divide_mean": (
        "-(1/4)*np.sum(y*np.log(np.exp(z)/np.exp(z).sum()))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "ce_neg_exp": (
        "-np.sum(y*np.log(np.exp(-z)/np.sum(np.exp(-z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "ce_pow_e": (
        "-np.sum(y*np.log(np.e**z/np.sum(np.e**z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "ce_2pow": (
        "-np.sum(y*np.log(2**z/np.sum(2**z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [2000.0, 0.0, -1000.0, 1999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "sig_pow_e": ("np.sum(1/(1+np.e**(-x)))", "x", {"x": v([-2.0, 0.5], [-600.0, 40.0])}),
    "ce_stable_where_mask": (
        "-np.sum(np.where(m,np.log(np.exp(z)/np.sum(np.exp(z))),0))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "m": v([1.0, 0.0, 1.0, 0.0], zero_or_one=True),
        },
    ),
    "mask_softmax_mul": (
        "np.sum(c*(m*np.exp(z)/np.sum(m*np.exp(z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, 2000.0, 999.0]),
            "m": v([1.0, 1.0, 0.0, 1.0], zero_or_one=True),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "mask_softmax_add": (
        "np.sum(c*(np.exp(z+(1-m)*-1e9)/np.sum(np.exp(z+(1-m)*-1e9))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, 1001.0, 999.0]),
            "m": v([1.0, 1.0, 0.0, 1.0], zero_or_one=True),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "lse_rows_stack": (
        "np.sum(np.log(np.sum(np.exp(np.stack([a,b],axis=1)),axis=1)))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "lse_concat": (
        "np.log(np.sum(np.exp(np.concatenate([a,b]))))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "lse_sum_plus": (
        "np.log(np.sum(np.exp(a))+np.sum(np.exp(b)))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0, 1.0], [999.0, -1001.0, 3.0])},
    ),
    "lse_prod_exps": (
        "np.log(np.sum(np.exp(a)*np.exp(b)))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [999.0, -1001.0])},
    ),
    "lse_eps": (
        "np.log(np.sum(np.exp(z))+1e-12)",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])},
    ),
    "lse_sq": (
        "np.log(np.sum(np.exp(z)))**2",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])},
    ),
    "zloss": (
        "-np.log(np.exp(z)/np.sum(np.exp(z)))[k]+1e-4*np.log(np.sum(np.exp(z)))**2",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]), "k": v(2, labels=4)},
    ),
    "label_rank_margin": (
        "np.sum(np.log(1+np.exp(z-z[k])))",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]), "k": v(2, labels=4)},
    ),
    "circle_loss": (
        "np.log(1+np.sum(np.exp(g*n))*np.sum(np.exp(-g*p)))",
        "n",
        {
            "n": v([0.5, -1.0], [10.0, 9.0]),
            "p": v([0.1, 2.0], [-9.0, 3.0]),
            "g": v(2.0, 200.0, positive=True),
        },
    ),
    "ms_loss": (
        "np.log(1+np.sum(np.exp(-a*(p-l))))/a",
        "p",
        {"p": v([0.5, -1.0], [-9.0, 3.0]), "a": v(2.0, 200.0, positive=True), "l": v(0.5)},
    ),
    "lifted": (
        "np.maximum(0,np.log(np.sum(np.exp(m-d)))+x)**2",
        "d",
        {"d": v([0.5, 1.0], [1000.0, 1001.0]), "m": v(1.0), "x": v(0.3, 1002.0)},
    ),
    "proxynca": (
        "-np.log(np.exp(-a)/np.sum(np.exp(-b)))",
        "b",
        {"a": v(0.5, 1000.0), "b": v([0.1, 2.0], [999.0, 998.0])},
    ),
    "npair": (
        "np.log(1+np.sum(np.exp(s-p)))",
        "s",
        {"s": v([0.5, -1.0], [1000.0, 998.0]), "p": v(0.1, 999.0)},
    ),
    "nca": (
        "-np.log(np.sum(y*np.exp(-d))/np.sum(np.exp(-d)))",
        "d",
        {
            "d": v([0.5, 1.0, 2.0], [1000.0, 1001.0, 990.0]),
            "y": v([1.0, 0.0, 1.0], [1.0, 1.0, 0.0], zero_or_one=True),
        },
    ),
    "ap_soft": (
        "np.sum((1/(1+np.exp(-z))))/np.sum(1+(1/(1+np.exp(-z))))",
        "z",
        {"z": v([-2.0, 0.5], [-300.0, 300.0])},
    ),
    "auc_pair": (
        "np.mean(1/(1+np.exp(-(p[:,None]-n[None,:])/t)))",
        "p",
        {
            "p": v([0.5, -1.0], [5.0, -7.0]),
            "n": v([0.1, 2.0], [0.1, 3.0]),
            "t": v(0.5, 0.02, positive=True),
        },
    ),
    "kd_bern": (
        "-np.sum((1/(1+np.exp(-z)))*np.log(1/(1+np.exp(-w)))+(1-(1/(1+np.exp(-z))))*np.log(1-1/(1+np.exp(-w))))",
        "w",
        {"z": v([-2.0, 0.5], [-800.0, 800.0]), "w": v([0.3, -0.4], [800.0, -700.0])},
    ),
    "nll_sigma_logits": (
        "np.sum((y-m)**2/(2*np.log(1+np.exp(s))**2)+np.log(np.log(1+np.exp(s))))",
        "m",
        {
            "y": v([0.3, 0.5]),
            "m": v([0.1, 0.2], [10000000000.0, -10000000000.0]),
            "s": v([0.5, -1.0], [40.0, -20.0]),
        },
    ),
    "beta_mean": (
        "-np.sum(y*np.log(a/(a+b))+(1-y)*np.log(b/(a+b)))",
        "a",
        {
            "y": v([0.3, 0.5]),
            "a": v([0.1, 0.2], [1e-200, 1e200], positive=True),
            "b": v([0.5, 1.0], [1e-190, 2e200], positive=True),
        },
    ),
    "softmax_of_log": (
        "np.sum(c*(np.exp(np.log(p))/np.sum(np.exp(np.log(p)))))",
        "p",
        {
            "p": v([0.1, 0.2, 0.3, 0.4], [1e-200, 2e-200, 3e-200, 1e-201], positive=True),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "sharpen": (
        "np.sum(c*(p**(1/T)/np.sum(p**(1/T))))",
        "p",
        {
            "p": v([0.1, 0.2, 0.3, 0.4], [1e-100, 2e-100, 3e-100, 1e-101], positive=True),
            "c": v([1.0, -2.0, 0.5, 3.0]),
            "T": v(0.5, 0.1, positive=True),
        },
    ),
}
