"""Contrasts, choices, attention and entropies of softmaxes."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "mixup_onehot": (
        "-np.sum((l*y+(1-l)*u)*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
            "u": v([1.0, 0.0, 0.0, 0.0], one_hot=True),
            "l": v(0.3),
        },
    ),
    "bootstrap_soft": (
        "-np.sum((b*y+(1-b)*(np.exp(z)/np.sum(np.exp(z))))*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
            "b": v(0.95),
        },
    ),
    "softmax_pairs_margin": (
        "np.log(1+np.sum(np.exp(z[1:]-z[0]+m)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "m": v(0.5),
        },
    ),
    "sampled_softmax": (
        "-np.log(np.exp(a-np.log(q))/(np.exp(a-np.log(q))+np.sum(np.exp(b-np.log(r)))))",
        "b",
        {
            "a": v(0.5, 1000.0),
            "b": v([0.1, 2.0], [999.0, 998.0]),
            "q": v(0.1, 1e-200, positive=True),
            "r": v([0.2, 0.3], [1e-300, 0.5], positive=True),
        },
    ),
    "nce": (
        "-np.log(np.exp(s)/(np.exp(s)+k*q))-np.sum(np.log(k*r/(np.exp(t)+k*r)))",
        "t",
        {
            "s": v(0.5, 800.0),
            "t": v([0.1, 2.0], [900.0, -900.0]),
            "q": v(0.1, 1e-200, positive=True),
            "r": v([0.2, 0.3], positive=True),
            "k": v(5.0, positive=True),
        },
    ),
    "nce_s": (
        "-np.log(np.exp(s)/(np.exp(s)+k*q))-np.sum(np.log(k*r/(np.exp(t)+k*r)))",
        "s",
        {
            "s": v(0.5, 800.0),
            "t": v([0.1, 2.0], [900.0, -900.0]),
            "q": v(0.1, 1e-200, positive=True),
            "r": v([0.2, 0.3], positive=True),
            "k": v(5.0, positive=True),
        },
    ),
    "softmax_attn_scaled": (
        "np.sum(C*((np.exp(Q@K.T/np.sqrt(2))/np.sum(np.exp(Q@K.T/np.sqrt(2)),axis=-1,keepdims=True))@V))",
        "V",
        {
            "Q": v([[0.5, -1.0], [0.3, 0.2]], [[500.0, -300.0], [0.3, 400.0]]),
            "K": v([[1.0, 0.2], [0.1, -1.0], [-0.7, 0.6]]),
            "V": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2]]),
            "C": v([[1.0, 2.0], [-1.0, 0.5]]),
        },
    ),
    "attn_pool": (
        "np.sum(c*np.sum((np.exp(H@w)/np.sum(np.exp(H@w)))[:,None]*H,axis=0))",
        "w",
        {
            "H": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2]]),
            "w": v([0.5, -0.3], [500.0, 300.0]),
            "c": v([1.0, -2.0]),
        },
    ),
    "attn_pool_H": (
        "np.sum(c*np.sum((np.exp(H@w)/np.sum(np.exp(H@w)))[:,None]*H,axis=0))",
        "H",
        {
            "H": v(
                [[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2]],
                [[1000.0, 500.0], [999.0, 500.0], [998.0, 502.0]],
            ),
            "w": v([0.5, -0.3]),
            "c": v([1.0, -2.0]),
        },
    ),
    "causal_attn": (
        "np.sum(C*((np.exp(np.where(M>0,S,-np.inf))/np.sum(np.exp(np.where(M>0,S,-np.inf)),axis=1,keepdims=True))@V))",
        "S",
        {
            "S": v(
                [[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]],
                [[1000.0, 2000.0, 200.0], [-500.0, -501.0, 300.0], [999.0, 999.0, 998.0]],
            ),
            "M": v([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]),
            "V": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2]]),
            "C": v([[1.0, 2.0], [-1.0, 0.5], [0.3, 0.3]]),
        },
    ),
    "policy_gradient": (
        "-A*np.log((np.exp(z)/np.sum(np.exp(z)))[k])-b*np.sum(-(np.exp(z)/np.sum(np.exp(z)))*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "k": v(2, labels=4),
            "A": v(1.3),
            "b": v(0.01),
        },
    ),
    "ppo_ratio": (
        "-np.minimum(np.exp(l-o)*A,np.clip(np.exp(l-o),0.8,1.2)*A)",
        "l",
        {
            "l": v(-0.5, -900.0),
            "o": v(-0.45, -900.1),
            "A": v(1.5),
        },
    ),
    "softq": (
        "a*np.log(np.mean(np.exp(q/a)))",
        "a",
        {
            "q": v([0.5, -1.0, 2.0], [1000.0, 999.0, 500.0]),
            "a": v(0.5, positive=True),
        },
    ),
    "softmax_hvp_T": (
        "-np.log(np.exp(z/T)/np.sum(np.exp(z/T)))[k]",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "T": v(0.7, positive=True),
            "d": v([1.0, -2.0, 0.5, 0.3]),
        },
        2,
        "d",
    ),
    "renyi_alpha_a": (
        "np.log(np.sum((np.exp(z)/np.sum(np.exp(z)))**a))/(1-a)",
        "a",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "a": v(2.0, positive=True),
        },
    ),
    "tsallis_q": (
        "(1-np.sum((np.exp(z)/np.sum(np.exp(z)))**q))/(q-1)",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "q": v(1.5, positive=True),
        },
    ),
    "renyi_divergence_logits": (
        "np.log(np.sum((np.exp(z)/np.sum(np.exp(z)))**a*p**(1-a)))/(a-1)",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "p": v([0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.125, 0.125], sums_to_one=True),
            "a": v(2.0, positive=True),
        },
    ),
    "alpha_divergence_logits": (
        "(1-np.sum(p**a*(np.exp(z)/np.sum(np.exp(z)))**(1-a)))/(a*(1-a))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "p": v([0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.125, 0.125], sums_to_one=True),
            "a": v(0.5, positive=True),
        },
    ),
    "hellinger_softmax": (
        "np.sqrt(1-np.sum(np.sqrt(p*(np.exp(z)/np.sum(np.exp(z))))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "p": v([0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.125, 0.125], sums_to_one=True),
        },
    ),
    "mean_field_vote": (
        "np.log(np.sum(np.exp(np.sum(np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True)),axis=0))))",
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
        },
    ),
    "ensemble_nll": (
        "-np.log(np.mean((np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True))[:,1]))",
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
        },
    ),
    "mutual_info": (
        "np.sum(np.mean(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True),axis=0)*np.log(np.mean(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True),axis=0)))-np.mean(np.sum((np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True))*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True)),axis=1))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
                [
                    [100.0, 0.0, -100.0, 99.0],
                    [-100.0, -101.0, -102.0, -103.0],
                    [5.0, 80.0, 0.0, 0.0],
                ],
            ),
        },
    ),
    "label_rank": (
        "np.maximum(0,1-(np.exp(z)/np.sum(np.exp(z)))[k]+np.max((np.exp(z)/np.sum(np.exp(z)))*(1-one_hot(k,4))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0]),
            "k": v(2, labels=4),
        },
    ),
    "top2_margin_softmax": (
        "-np.log(np.exp(z[k]-m)/(np.exp(z[k]-m)+np.exp(z[j])))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "j": v(0, labels=4),
            "m": v(0.3),
        },
    ),
}
