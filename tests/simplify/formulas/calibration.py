"""Scales, temperatures, divergences of probabilities; masks of which nothing is declared."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "masked_lse_nofact": (
        "np.log(np.sum(m*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "m": v([1.0, 0.0, 1.0, 1.0]),
        },
    ),
    "masked_softmax_nofact": (
        "np.sum(c*m*np.exp(z)/np.sum(m*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "m": v([1.0, 0.0, 1.0, 1.0]),
            "c": v([1.0, -2.0, 0.5, 3.0]),
        },
    ),
    "signed_lse": (
        "np.log(np.sum(b*np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 999.0, 0.0, 998.0]),
            "b": v([1.0, -0.5, 2.0, 0.3]),
        },
    ),
    "cox_rows_beta": (
        "-np.sum(d*(X@b-np.log(np.sum(R*np.exp(X@b)[None,:],axis=1))))",
        "b",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "b": v([0.5, -1.0], [1000.0, -150.0]),
            "R": v([[1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]),
            "d": v([1.0, 0.0, 1.0]),
        },
    ),
    "smooth_wrt_e": (
        "-np.sum(((1-e)*y+e/4)*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "e",
        {
            "e": v(0.1),
            "y": v([0.0, 0.0, 1.0, 0.0], one_hot=True),
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
        },
    ),
    "ls_wrt_b": (
        "np.sum((y-X@b)**2)/2+l*np.sum(np.sqrt(b**2+e))",
        "b",
        {
            "y": v([1.0, 2.0, 3.0]),
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "b": v([0.5, -1.0], [1e-200, -1e180]),
            "l": v(0.1),
            "e": v(1e-08, positive=True),
        },
    ),
    "bce_wrt_T": (
        "-np.mean(y*np.log(1/(1+np.exp(-z/T)))+(1-y)*np.log(1-1/(1+np.exp(-z/T))))",
        "T",
        {
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "T": v(1.5, positive=True),
        },
    ),
    "platt": (
        "-np.sum(y*np.log(1/(1+np.exp(a*f+b)))+(1-y)*np.log(1-1/(1+np.exp(a*f+b))))",
        "a",
        {
            "y": v([0.0, 1.0, 1.0], zero_or_one=True),
            "f": v([0.5, 1.0, -2.0], [800.0, -900.0, 3.0]),
            "a": v(-1.0),
            "b": v(0.2),
        },
    ),
    "vector_scaling": (
        "-np.log(np.exp(w*z+b)[k]/np.sum(np.exp(w*z+b)))",
        "w",
        {
            "w": v([1.0, 2.0, 0.5, 1.0]),
            "b": v([0.1, 0.2, 0.3, 0.4]),
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "k": v(2, labels=4),
        },
    ),
    "softmax_wrt_mask_scale": (
        "np.sum(c*np.exp(b*z)/np.sum(np.exp(b*z)))",
        "b",
        {
            "c": v([1.0, -2.0, 0.5, 3.0]),
            "b": v(1.5),
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
        },
    ),
    "gaussian_nll_var": (
        "0.5*np.sum(np.log(v)+(x-m)**2/v)",
        "v",
        {
            "v": v([0.5, 2.0], [1e-100, 1e200], positive=True),
            "x": v([1.0, 2.0]),
            "m": v([0.3, 1.5]),
        },
    ),
    "gaussian_nll_prec": (
        "0.5*np.sum(t*(x-m)**2-np.log(t))",
        "t",
        {
            "t": v([0.5, 2.0], [1e-200, 1e200], positive=True),
            "x": v([1.0, 2.0]),
            "m": v([0.3, 1.5]),
        },
    ),
    "gaussian_pdf_sigma": (
        "-np.sum(np.log(np.exp(-(x-m)**2/(2*s**2))/np.sqrt(2*np.pi*s**2)))",
        "s",
        {
            "s": v(0.5, 0.001, positive=True),
            "x": v([1.0, 2.0]),
            "m": v([0.3, 1.5]),
        },
    ),
    "log_sigma_pdf": (
        "-np.sum(np.log(np.exp(-(x-m)**2/(2*np.exp(2*s)))/np.exp(s)))",
        "s",
        {
            "s": v([0.5, -1.0], [300.0, -3.0]),
            "x": v([1.0, 2.0]),
            "m": v([0.3, 1.5]),
        },
    ),
    "kl_laplace": (
        "np.sum(np.log(b/a)+a/b*np.exp(-np.abs(m-n)/a)+np.abs(m-n)/b-1)",
        "a",
        {
            "a": v([0.5, 1.5], [0.001, 1000.0], positive=True),
            "b": v([1.0, 2.0], positive=True),
            "m": v([0.3, 0.2]),
            "n": v([1.0, -2.0]),
        },
    ),
    "kl_bernoulli_p": (
        "np.sum(p*np.log(p/q)+(1-p)*np.log((1-p)/(1-q)))",
        "p",
        {
            "p": v([0.5, 0.2], [1e-300, 0.9999999999990905], range=(0.0, 1.0)),
            "q": v([0.3, 0.6], range=(0.0, 1.0)),
        },
    ),
    "kl_bernoulli_q": (
        "np.sum(p*np.log(p/q)+(1-p)*np.log((1-p)/(1-q)))",
        "q",
        {
            "p": v([0.5, 0.2], range=(0.0, 1.0)),
            "q": v([0.3, 0.6], [1e-300, 0.9999999999990905], range=(0.0, 1.0)),
        },
    ),
    "hellinger_probs": (
        "0.5*np.sum((np.sqrt(p)-np.sqrt(q))**2)",
        "p",
        {
            "p": v([0.5, 0.2], [1e-200, 0.5], positive=True),
            "q": v([0.3, 0.6], [4e-200, 0.2], positive=True),
        },
    ),
    "triangular_disc": (
        "np.sum((p-q)**2/(p+q))",
        "q",
        {
            "p": v([0.5, 0.2], [1e-200, 0.5], positive=True),
            "q": v([0.3, 0.6], [4e-200, 0.2], positive=True),
        },
    ),
    "itakura_saito": (
        "np.sum(p/q-np.log(p/q)-1)",
        "p",
        {
            "p": v([0.5, 0.2], [1e-200, 1e200], positive=True),
            "q": v([0.3, 0.6], [4e-200, 1e199], positive=True),
        },
    ),
    "itakura_saito_q": (
        "np.sum(p/q-np.log(p/q)-1)",
        "q",
        {
            "p": v([0.5, 0.2], [1e-100, 1e100], positive=True),
            "q": v([0.3, 0.6], [4e-100, 1e99], positive=True),
        },
    ),
    "beta_div": (
        "np.sum((p**b+(b-1)*q**b-b*p*q**(b-1))/(b*(b-1)))",
        "q",
        {
            "p": v([0.5, 0.2], positive=True),
            "q": v([0.3, 0.6], [1e-100, 1e50], positive=True),
            "b": v(1.5),
        },
    ),
    "bregman_entropy": (
        "np.sum(x*np.log(x)-y*np.log(y)-(np.log(y)+1)*(x-y))",
        "x",
        {
            "x": v([0.5, 0.2], [1.0000000000009095, 1e200], positive=True),
            "y": v([0.3, 0.6], [1.0, 1e200], positive=True),
        },
    ),
    "huber_hess": (
        "np.sum(np.where(np.abs(r)<=d,0.5*r**2,d*(np.abs(r)-0.5*d)))",
        "r",
        {
            "r": v([0.5, -2.0, 3.0], [1e200, 1e-200, -0.5]),
            "d": v(1.0, positive=True),
        },
        2,
    ),
    "log_cosh_hess_w": (
        "np.sum(np.log(np.cosh(X@w-y)))",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [1000.0, -150.0]),
            "y": v([1.0, 2.0, 3.0]),
        },
        2,
    ),
    "poisson_hess_exp": (
        "np.sum(np.exp(z)-y*z)",
        "z",
        {
            "z": v([0.5, -1.0], [700.0, -800.0]),
            "y": v([1.0, 2.0]),
        },
        2,
    ),
    "softplus_hess": (
        "np.sum(np.log(1+np.exp(z)))",
        "z",
        {
            "z": v([0.5, -1.0], [800.0, -40.0]),
        },
        2,
    ),
    "silu_hvp": (
        "np.sum(x*(1/(1+np.exp(-x))))",
        "x",
        {
            "x": v([0.5, -1.0], [800.0, -40.0]),
            "d": v([1.0, 2.0]),
        },
        2,
        "d",
    ),
    "cauchy_hess": (
        "np.sum(np.log(1+x**2))",
        "x",
        {
            "x": v([0.5, -1.5], [1e100, 1e-200]),
        },
        2,
    ),
    "welsch_hess": (
        "np.sum(1-np.exp(-x**2/2))",
        "x",
        {
            "x": v([0.5, -1.5], [40.0, 1e-200]),
        },
        2,
    ),
    "gm_hess": (
        "np.sum(x**2/(1+x**2))",
        "x",
        {
            "x": v([0.5, -1.5], [1e60, 1e-200]),
        },
        2,
    ),
    "charbonnier_hess": (
        "np.sum(np.sqrt(x**2+e**2))",
        "x",
        {
            "x": v([0.5, -1.5], [1e90, 1e-200]),
            "e": v(0.001, positive=True),
        },
        2,
    ),
    "norm_cubed_hess": (
        "np.sum(x**2)**1.5",
        "x",
        {
            "x": v([0.5, -1.5], [1e-180, 2e-180]),
        },
        2,
    ),
    "log_norm_hess": (
        "np.log(np.sum(x**2))",
        "x",
        {
            "x": v([0.5, -1.5], [1e-120, 2e-120]),
        },
        2,
    ),
}
