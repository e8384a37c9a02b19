"""Gates, margins, preferences and second derivatives."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "bernoulli_gen": (
        "np.sum(x/(np.exp(x)-1))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 900.0], nonzero=True),
        },
    ),
    "langevin": (
        "np.sum(1/np.tanh(x)-1/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 900.0], nonzero=True),
        },
    ),
    "cont_bernoulli": (
        "np.sum(-np.log(2*np.arctanh(1-2*l)/(1-2*l)))",
        "l",
        {
            "l": v([0.3, 0.2], [0.4999999, 0.50001], range=(0.0, 1.0)),
        },
    ),
    "sigmoid_attention": (
        "np.sum(C*((1/(1+np.exp(-(Q@K.T)/np.sqrt(2)+np.log(3))))@V))",
        "Q",
        {
            "Q": v([[0.5, -1.0], [0.3, 0.2]], [[500.0, -300.0], [0.3, 400.0]]),
            "K": v([[1.0, 0.2], [0.1, -1.0], [-0.7, 0.6]]),
            "V": v([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.2]]),
            "C": v([[1.0, 2.0], [-1.0, 0.5]]),
        },
    ),
    "glu": (
        "np.sum(a*(1/(1+np.exp(-b))))",
        "b",
        {
            "a": v([1.0, 2.0]),
            "b": v([0.5, -0.3], [800.0, -700.0]),
        },
    ),
    "swiglu": (
        "np.sum(c*((x@W)/(1+np.exp(-(x@W)))*(x@V)))",
        "x",
        {
            "x": v([0.5, -1.0], [500.0, -700.0]),
            "W": v([[1.0, 0.2], [0.1, -1.0]]),
            "V": v([[1.0, 0.5], [-1.0, 2.0]]),
            "c": v([1.0, 2.0]),
        },
    ),
    "highway_gate": (
        "np.sum((1/(1+np.exp(-z)))*np.tanh(a)+(1-1/(1+np.exp(-z)))*x)",
        "z",
        {
            "z": v([0.5, -0.3], [800.0, -700.0]),
            "a": v([1.0, 2.0]),
            "x": v([0.3, 0.1]),
        },
    ),
    "gru_update": (
        "np.sum((1-1/(1+np.exp(-z)))*h+(1/(1+np.exp(-z)))*n)",
        "z",
        {
            "z": v([0.5, -0.3], [800.0, -700.0]),
            "h": v([1.0, 2.0]),
            "n": v([0.3, 0.1]),
        },
    ),
    "ramp": (
        "np.sum(np.minimum(1,np.maximum(0,1-y*z)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.5, 2.5], [-1e200, -0.5, 0.3, 1.5, 1e200]),
            "y": v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "smooth_hinge": (
        "np.sum(np.where(y*z>=1,0,np.where(y*z<=0,0.5-y*z,0.5*(1-y*z)**2)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.5, 2.5], [-1e200, -0.5, 0.3, 1.5, 1e200]),
            "y": v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "lse_hinge": (
        "np.log(np.sum(np.exp(1-(np.arange(4)==k)+z-z[k])))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
        },
    ),
    "multi_margin_sum": (
        "np.sum(np.maximum(0,1-z[k]+z)*(np.arange(4)!=k))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
        },
    ),
    "multilabel_softmargin": (
        "-np.mean(y*np.log(1/(1+np.exp(-z)))+(1-y)*np.log(np.exp(-z)/(1+np.exp(-z))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "asl_loss": (
        "-np.sum(y*(1-(1/(1+np.exp(-z))))**a*np.log((1/(1+np.exp(-z))))+(1-y)*np.maximum((1/(1+np.exp(-z)))-m,0)**b*np.log(1-np.maximum((1/(1+np.exp(-z)))-m,0)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-100.0, -100.0, 0.2, 30.0, 100.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
            "a": v(1.0, positive=True),
            "b": v(4.0, positive=True),
            "m": v(0.05),
        },
    ),
    "dpo_sum_wrt_b": (
        "-np.mean(np.log(1/(1+np.exp(-b*((p-q)-(r-s))))))",
        "b",
        {
            "p": v([0.5, -1.0], [1000.0, -1000.0]),
            "q": v([0.1, 2.0]),
            "r": v([0.2, 0.4]),
            "s": v([0.3, -0.3]),
            "b": v(0.1, 5.0, positive=True),
        },
    ),
    "ipo": (
        "np.mean(((p-q)-(r-s)-1/(2*t))**2)",
        "t",
        {
            "p": v([0.5, -1.0]),
            "q": v([0.1, 2.0]),
            "r": v([0.2, 0.4]),
            "s": v([0.3, -0.3]),
            "t": v(0.1, 1e-100, positive=True),
        },
    ),
    "cdpo": (
        "-np.mean((1-e)*np.log(1/(1+np.exp(-h)))+e*np.log(1/(1+np.exp(h))))",
        "h",
        {
            "h": v([0.5, -1.0], [1000.0, -1000.0]),
            "e": v(0.1),
        },
    ),
    "orpo_odds": (
        "-np.mean(np.log(1/(1+np.exp(-(np.log(np.exp(a)/(1-np.exp(a)))-np.log(np.exp(b)/(1-np.exp(b))))))))",
        "a",
        {
            "a": v([-0.5, -1.0], [-1000.0, -1e-12]),
            "b": v([-0.1, -2.0], [-1e-09, -800.0]),
        },
    ),
    "listwise_top1": (
        "-np.sum(y/np.sum(y)*np.log(np.exp(s)/np.sum(np.exp(s))))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "y": v([1.0, 0.0, 3.0, 2.0], nonnegative=True),
        },
    ),
    "lambda_pairs": (
        "np.sum(W*np.log(1+np.exp(-(s[:,None]-s[None,:]))))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "W": v(
                [
                    [0.0, 1.0, 0.0, 1.0],
                    [0.0, 0.0, 1.0, 0.0],
                    [0.0, 0.0, 0.0, 2.0],
                    [0.0, 0.0, 0.0, 0.0],
                ]
            ),
        },
    ),
    "approx_ndcg_rank": (
        "np.sum(g/np.log(1.5+np.sum(1/(1+np.exp(-(s[None,:]-s[:,None])/t)),axis=1)))",
        "s",
        {
            "s": v([0.5, -1.0, 2.0, 0.25], [10.0, 0.0, -10.0, 9.0]),
            "g": v([1.0, 0.0, 3.0, 2.0]),
            "t": v(0.1, positive=True),
        },
    ),
    "sqnorm_hess_4": (
        "np.sum(x**2)**2",
        "x",
        {
            "x": v([0.5, -1.0, 2.0], [1e-100, 1e50, 1.0]),
        },
        2,
    ),
    "cos_hess": (
        "x@y/np.sqrt(x@x)",
        "x",
        {
            "x": v([0.5, -1.0, 2.0], [3e-100, -4e-100, 1e-101]),
            "y": v([1.0, 2.0, 3.0]),
        },
        2,
    ),
    "logreg_l2_hess": (
        "np.mean(np.log(1+np.exp(-y*(X@w))))+l/2*np.sum(w**2)",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [1000.0, -150.5]),
            "y": v([1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], plus_minus_one=True),
            "l": v(0.1),
        },
        2,
    ),
    "softmax_T_hess": (
        "-np.log(np.exp(z/T)/np.sum(np.exp(z/T)))[k]",
        "T",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
            "T": v(0.7, 1.5, positive=True),
        },
        2,
    ),
    "lse_weighted_hess": (
        "np.log(np.sum(np.exp(X@w)))",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [1000.0, -150.5]),
        },
        2,
    ),
    "student_hvp": (
        "np.sum(0.5*(nu+1)*np.log(1+r**2/nu))",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "nu": v(3.0, positive=True),
            "d": v([1.0, 2.0, -1.0, 0.5]),
        },
        2,
        "d",
    ),
    "huber_pseudo_hess": (
        "np.sum(d**2*(np.sqrt(1+(r/d)**2)-1))",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e100, -1e-200, 0.3, 1e90]),
            "d": v(1.5, positive=True),
        },
        2,
    ),
    "geo_hm_ratio": (
        "3/np.sum(1/x)/np.prod(x)**(1/3)",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [1e-200, 2e-200, 3e-200], positive=True),
        },
    ),
}
