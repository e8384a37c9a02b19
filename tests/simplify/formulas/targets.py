"""Cross-entropies with weights, masks, margins and temperatures, and divergences of targets."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "class_weighted_ce": (
        "-np.mean(w[k]*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True))[np.arange(3),k])",
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
            "w": v([0.2, 1.0, 3.0, 0.5], positive=True),
        },
    ),
    "class_weighted_ce_norm": (
        "-np.sum(w[k]*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True))[np.arange(3),k])/np.sum(w[k])",
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
            "w": v([0.2, 1.0, 3.0, 0.5], positive=True),
        },
    ),
    "ce_wrt_target": (
        "-np.sum(p*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "p",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "p": v([0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.125, 0.125], sums_to_one=True),
        },
    ),
    "masked_token_ce": (
        "-np.sum(m*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True))[np.arange(3),k])/np.sum(m)",
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
            "m": v([1.0, 0.0, 1.0], zero_or_one=True),
        },
    ),
    "ce_temperature_wrt_T": (
        "-np.log(np.exp(z/T)/np.sum(np.exp(z/T)))[k]",
        "T",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "T": v(0.7, positive=True),
        },
    ),
    "ce_temperature_mean_T": (
        "-np.mean(np.log(np.exp(Z/T)/np.sum(np.exp(Z/T),axis=1,keepdims=True))[np.arange(3),k])",
        "T",
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
            "T": v(0.7, 1.5, positive=True),
        },
    ),
    "reverse_kl": (
        "np.sum(np.exp(z)/np.sum(np.exp(z))*(np.log(np.exp(z)/np.sum(np.exp(z)))-np.log(np.exp(t)/np.sum(np.exp(t)))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0], [800.0, 0.0, -800.0]),
            "t": v([0.1, 0.2, 0.4], [1000.0, 999.0, 0.0]),
        },
    ),
    "distill_rows": (
        "-T**2*np.mean(np.sum(np.exp(Y/T)/np.sum(np.exp(Y/T),axis=1,keepdims=True)*np.log(np.exp(Z/T)/np.sum(np.exp(Z/T),axis=1,keepdims=True)),axis=1))",
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
                [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
                [
                    [900.0, 0.0, -1000.0, 899.0],
                    [-1000.0, -1001.0, -1002.0, -1003.0],
                    [50.0, 80.0, 0.0, 0.0],
                ],
            ),
            "T": v(2.0, positive=True),
        },
    ),
    "focal_gamma_wrt_g": (
        "-(1-(np.exp(z)/np.sum(np.exp(z)))[k])**g*np.log((np.exp(z)/np.sum(np.exp(z)))[k])",
        "g",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 5.0]),
            "k": v(2, labels=4),
            "g": v(2.0, positive=True),
        },
    ),
    "gce_q": (
        "(1-(np.exp(z)/np.sum(np.exp(z)))[k]**q)/q",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 5.0]),
            "k": v(3, labels=4),
            "q": v(0.7, positive=True),
        },
    ),
    "sce_symmetric": (
        "-np.sum(y*np.log(np.exp(z)/np.sum(np.exp(z))))+a*np.sum((np.exp(z)/np.sum(np.exp(z)))*c*(1-y))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
            "a": v(0.1),
            "c": v(4.0),
        },
    ),
    "taylor_ce": (
        "(1-(np.exp(z)/np.sum(np.exp(z)))[k])+(1-(np.exp(z)/np.sum(np.exp(z)))[k])**2/2",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [0.0, -50.0, 60.0, 1.0]),
            "k": v(2, labels=4),
        },
    ),
    "logit_adjust": (
        "-np.log(np.exp(z+t*np.log(p))[k]/np.sum(np.exp(z+t*np.log(p))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "t": v(1.0),
            "p": v([0.1, 0.2, 0.3, 0.4], [1e-300, 0.5, 0.25, 0.25], positive=True),
        },
    ),
    "balanced_softmax": (
        "-np.log(n[k]*np.exp(z[k])/np.sum(n*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "n": v([10.0, 20.0, 3.0, 100.0], positive=True),
        },
    ),
    "ldam_margin": (
        "-np.log(np.exp(s*(z-m*one_hot(k,4)))[k]/np.sum(np.exp(s*(z-m*one_hot(k,4)))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [10.0, -20.0, 30.0, 40.0]),
            "k": v(2, labels=4),
            "s": v(4.0, positive=True),
            "m": v(0.5, positive=True),
        },
    ),
    "arcface": (
        "-np.log(np.exp(s*np.cos(np.arccos(c[k])+m))/(np.exp(s*np.cos(np.arccos(c[k])+m))+np.sum(np.where(np.arange(4)==k,0,np.exp(s*c)))))",
        "c",
        {
            "c": v([0.5, -0.2, 0.3, 0.1], [0.9999, -0.9999, -0.5, 0.3]),
            "k": v(2, labels=4),
            "s": v(64.0, 1000.0, positive=True),
            "m": v(0.5),
        },
    ),
    "cosface": (
        "-np.log(np.exp(s*(c[k]-m))/(np.exp(s*(c[k]-m))+np.sum(np.exp(s*c))-np.exp(s*c[k])))",
        "c",
        {
            "c": v([0.5, -0.2, 0.3, 0.1], [0.9999, -0.9999, -0.5, 0.3]),
            "k": v(2, labels=4),
            "s": v(64.0, 1000.0, positive=True),
            "m": v(0.35),
        },
    ),
    "ntxent_off_diag": (
        "-np.mean(np.log(np.exp(P/t)/np.sum(np.exp(S/t)*(1-np.eye(3)),axis=1)))",
        "S",
        {
            "P": v([0.5, 0.3, 0.9]),
            "S": v([[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]]),
            "t": v(0.5, 0.0001, positive=True),
        },
    ),
    "ntxent_t": (
        "-np.mean(np.log(np.exp(np.diag(S)/t)/np.sum(np.exp(S/t),axis=1)))",
        "t",
        {
            "S": v([[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]]),
            "t": v(0.5, 0.0001, positive=True),
        },
    ),
    "clip_symmetric": (
        "-0.5*np.mean(np.log(np.diag(np.exp(S)/np.sum(np.exp(S),axis=1,keepdims=True))))-0.5*np.mean(np.log(np.diag(np.exp(S)/np.sum(np.exp(S),axis=0,keepdims=True))))",
        "S",
        {
            "S": v(
                [[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]],
                [[1000.0, 500.0, 200.0], [-500.0, 1000.0, 300.0], [0.0, 999.0, 998.0]],
            ),
        },
    ),
    "plackett_loop": (
        "-np.log(np.exp(s[0])/np.sum(np.exp(s)))-np.log(np.exp(s[1])/np.sum(np.exp(s[1:])))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
        },
    ),
    "energy_score": (
        "-T*np.log(np.sum(np.exp(z/T)))",
        "T",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "T": v(0.7, 2.0, positive=True),
        },
    ),
    "energy_margin": (
        "np.maximum(0,-np.log(np.sum(np.exp(z)))-m)**2",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [-1000.0, -2000.0, -1003.0, -999.0]),
            "m": v(-10.0),
        },
    ),
    "confidence_penalty": (
        "-np.log(np.exp(z)/np.sum(np.exp(z)))[k]+b*np.sum((np.exp(z)/np.sum(np.exp(z)))*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "k": v(2, labels=4),
            "b": v(0.1),
        },
    ),
    "mixup_ce": (
        "-l*np.log(np.exp(z)/np.sum(np.exp(z)))[k]-(1-l)*np.log(np.exp(z)/np.sum(np.exp(z)))[j]",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "j": v(0, labels=4),
            "l": v(0.3, range=(0.0, 1.0)),
        },
    ),
}
