"""Robust losses, regressions, functions of other names."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "power_norm": (
        "-np.log(p[k]**a/np.sum(p**a))",
        "p",
        {
            "p": v([0.1, 0.2, 0.3, 0.4], [1e-200, 2e-200, 3e-200, 1e-201], positive=True),
            "k": v(2, labels=4),
            "a": v(2.0, positive=True),
        },
    ),
    "word2vec_pow": (
        "np.sum(p**0.75/np.sum(p**0.75)*c)",
        "p",
        {
            "p": v([0.1, 0.2, 0.3, 0.4], [1e-200, 2e-200, 3e-200, 1e-201], positive=True),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "xent_reg": (
        "-np.sum(p*np.log(q/np.sum(q)))",
        "q",
        {
            "p": v([0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.125, 0.125], sums_to_one=True),
            "q": v([0.1, 0.2, 0.3, 0.4], [1e-200, 2e-200, 3e-200, 1e-201], positive=True),
        },
    ),
    "kl_p_log": (
        "np.sum(np.exp(lp)*(lp-lq))",
        "lq",
        {"lp": v([-0.5, -1.0], [-800.0, -1.0]), "lq": v([-0.1, -2.0], [-1000.0, -1.0])},
    ),
    "wasserstein_g": (
        "np.sum((m-n)**2+(a-b)**2)",
        "a",
        {
            "a": v([0.5, 1.5], [10000000000.0, 1.0], positive=True),
            "b": v([0.7, 1.1], [10000000001.0, 1.0], positive=True),
            "m": v([0.1, 0.2]),
            "n": v([0.3, 0.1]),
        },
    ),
    "bures": (
        "np.sum(a+b-2*np.sqrt(a*b))",
        "a",
        {
            "a": v([0.5, 1.5], [1e-200, 4.0], positive=True),
            "b": v([0.7, 1.1], [4e-200, 1.0], positive=True),
        },
    ),
    "huber_sqrt": (
        "np.sum(np.sqrt(1+(x/d)**2)*d**2-d**2)",
        "x",
        {"x": v([0.5, -1.5], [1e200, 1e-200]), "d": v(1.3, positive=True)},
    ),
    "log1p_sq": ("np.sum(np.log1p(x**2))", "x", {"x": v([0.5, -1.5], [1e200, 1e-200])}),
    "log1p_sq_half": (
        "0.5*np.sum(np.log(1+(x/s)**2))",
        "s",
        {"x": v([0.5, -1.5], [1e200, 1e-200]), "s": v(1.3, positive=True)},
    ),
    "welsch_s": (
        "np.sum(1-np.exp(-(r/s)**2/2))",
        "s",
        {"r": v([0.5, -1.5], [40.0, 1e-100]), "s": v(1.3, positive=True)},
    ),
    "correntropy": (
        "-np.log(np.mean(np.exp(-(x-y)**2/(2*s**2))))",
        "x",
        {"x": v([0.5, -1.5], [100.0, -120.0]), "y": v([0.1, 0.2]), "s": v(1.3, positive=True)},
    ),
    "relu6": (
        "np.sum(np.minimum(np.maximum(x,0),6)**2)",
        "x",
        {"x": v([0.5, -1.5], [1e200, -1e200])},
    ),
    "hardswish": ("np.sum(x*np.clip(x/6+0.5,0,1))", "x", {"x": v([0.5, -1.5], [1e200, -1e200])}),
    "prelu": (
        "np.sum(np.maximum(x,0)+a*np.minimum(x,0))",
        "a",
        {"x": v([0.5, -1.5], [1e200, -1e200]), "a": v(0.3)},
    ),
    "threshold_mean": (
        "np.mean(np.where(np.abs(x)>t,x-t*np.sign(x),0)**2)",
        "x",
        {"x": v([0.5, -1.5], [1e100, -1e-200]), "t": v(0.3, positive=True)},
    ),
    "gelu_quick_b": (
        "np.sum(x*(1/(1+np.exp(-b*x))))",
        "x",
        {"x": v([0.5, -1.5], [400.0, -500.0]), "b": v(1.702, positive=True)},
    ),
    "swish_hvp": (
        "np.sum(x/(1+np.exp(-x)))",
        "x",
        {"x": v([0.5, -1.5], [40.0, -60.0]), "d": v([1.0, 2.0])},
        2,
        "d",
    ),
    "gauss_nll_hvp": (
        "0.5*np.sum(s+(x-m)**2*np.exp(-s))",
        "s",
        {
            "s": v([0.5, -1.5], [300.0, -300.0]),
            "x": v([1.0, 2.0]),
            "m": v([0.3, 0.5]),
            "d": v([1.0, 2.0]),
        },
        2,
        "d",
    ),
    "logistic_hvp_sq": (
        "np.mean(np.log(1+np.exp(-y*(X@w))))+0.5*l*(w@w)",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [1000.0, -150.5]),
            "y": v([1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], plus_minus_one=True),
            "l": v(0.1),
            "d": v([0.3, 0.2]),
        },
        2,
        "d",
    ),
    "poisson_reg_hess": (
        "np.sum(np.exp(X@w)-y*(X@w))",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [-300.0, 200.0]),
            "y": v([1.0, 2.0, 0.0]),
        },
        2,
    ),
    "softmax_reg_hess": (
        "-np.log(np.exp(W@x)/np.sum(np.exp(W@x)))[k]",
        "x",
        {
            "W": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "x": v([0.5, -1.0], [500.0, -300.0]),
            "k": v(1, labels=3),
        },
        2,
    ),
    "norm_of_softmax": (
        "np.sqrt(np.sum((np.exp(z)/np.sum(np.exp(z)))**2))",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [800.0, 0.0, -800.0, 799.0])},
    ),
    "cos_softmax": (
        "np.sum((np.exp(z)/np.sum(np.exp(z)))*p)/np.sqrt(np.sum((np.exp(z)/np.sum(np.exp(z)))**2)*np.sum(p**2))",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [100.0, 0.0, -100.0, 99.0]), "p": v([0.1, 0.2, 0.3, 0.4])},
    ),
    "gram_lse": (
        "np.sum(np.log(np.sum(np.exp(-np.sum((X[:,None,:]-Y[None,:,:])**2,axis=2)),axis=1)))",
        "X",
        {
            "X": v([[1.0, 2.0], [0.5, -1.0]], [[100.0, 20.0], [-50.0, 60.0]]),
            "Y": v([[0.3, 0.1], [2.0, 1.0]]),
        },
    ),
    "gp_1d": (
        "0.5*(y**2/(k+s)+np.log(k+s))",
        "s",
        {
            "y": v(2.0, 1e-100),
            "k": v(3.0, 1e-200, positive=True),
            "s": v(1.0, 1e-200, positive=True),
        },
    ),
    "compound": (
        "np.sum((1+x)**n)",
        "x",
        {"x": v([0.1, 0.2], [1e-12, 1e-300], positive=True), "n": v(5.0)},
    ),
    "entropy_bits": (
        "-np.sum(p*np.log2(p))",
        "p",
        {"p": v([0.2, 0.8], [1e-300, 0.5], positive=True)},
    ),
    "psnr10": (
        "10*np.log10(1/np.mean((x-y)**2))",
        "x",
        {"x": v([0.5, 1.5, 2.0], [1e100, 2e100, -3e100]), "y": v([0.1, 0.2, 0.3])},
    ),
    "arccosh1": (
        "np.sum(np.arccosh(1+d))",
        "d",
        {"d": v([0.1, 2.0], [1e-20, 1e200], positive=True)},
    ),
    "angle": (
        "np.arccos(np.sum(x*y)/(np.sqrt(np.sum(x**2))*np.sqrt(np.sum(y**2))))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e120, -4e120, 1e119]), "y": v([0.3, 0.2, 0.1])},
    ),
    "arcsinh_log": (
        "np.sum(np.log(x+np.sqrt(x**2+1)))",
        "x",
        {"x": v([0.1, -0.2, 2.0], [1e-200, -10000000000.0, 1e200])},
    ),
    "arccosh_log": (
        "np.sum(np.log(x+np.sqrt(x**2-1)))",
        "x",
        {"x": v([1.1, 2.0, 5.0], [1.0000000000009095, 1e200, 5.0])},
    ),
}
