"""Mixtures and divergences."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "gamma_rate": (
        "-np.sum(a*np.log(b)+(a-1)*np.log(x)-b*x)",
        "x",
        {
            "x": v([2.0, 3.0], [1e-300, 1e300], positive=True),
            "a": v(2.0, positive=True),
            "b": v(0.5, positive=True),
        },
    ),
    "beta_logit": (
        "-np.sum((a-1)*np.log(1/(1+np.exp(-z)))+(b-1)*np.log(1-1/(1+np.exp(-z))))",
        "z",
        {"z": v([2.0, -3.0], [800.0, -800.0]), "a": v(2.0), "b": v(3.0)},
    ),
    "categorical_mix": (
        "-np.log(np.sum(w*np.exp(Z[:,0])/np.sum(np.exp(Z),axis=1)))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]],
                [[1000.0, 0.0, 1600.0], [-1000.0, -1001.0, -600.0]],
            ),
            "w": v([0.3, 0.7], positive=True, sums_to_one=True),
        },
    ),
    "bern_mix": (
        "-np.log(np.sum(w*np.prod(P**x*(1-P)**(1-x),axis=1)))",
        "P",
        {
            "P": v(
                [[0.2, 0.3], [0.6, 0.7]], [[1e-200, 1e-180], [1e-190, 1e-170]], range=(0.0, 1.0)
            ),
            "w": v([0.3, 0.7], positive=True, sums_to_one=True),
            "x": v([1.0, 1.0], zero_or_one=True),
        },
    ),
    "bern_mix_logit": (
        "-np.log(np.sum(w*np.prod((1/(1+np.exp(-z)))**x*(1-1/(1+np.exp(-z)))**(1-x),axis=1)))",
        "z",
        {
            "z": v([[0.2, 0.3], [0.6, -0.7]], [[-800.0, 20.0], [-700.0, 30.0]]),
            "w": v([0.3, 0.7], positive=True, sums_to_one=True),
            "x": v([1.0, 1.0], zero_or_one=True),
        },
    ),
    "gmm_pdf": (
        "-np.log(np.sum(w/(s*np.sqrt(2*np.pi))*np.exp(-(x-m)**2/(2*s**2))))",
        "m",
        {
            "x": v(0.3),
            "w": v([0.2, 0.3, 0.5], positive=True, sums_to_one=True),
            "m": v([0.5, 1.0, -1.0], [50.0, 60.0, -70.0]),
            "s": v([0.5, 1.0, 0.7], positive=True),
        },
    ),
    "gmm_w_again": (
        "-np.log(np.sum(w/(s*np.sqrt(2*np.pi))*np.exp(-(x-m)**2/(2*s**2))))",
        "w",
        {
            "x": v(0.3),
            "w": v([0.2, 0.3, 0.5], positive=True, sums_to_one=True),
            "m": v([0.5, 1.0, -1.0], [50.0, 60.0, -70.0]),
            "s": v([0.5, 1.0, 0.7], positive=True),
        },
    ),
    "gmm_2d": (
        "-np.sum(np.log(np.sum(w*np.exp(-0.5*np.sum((X[:,None,:]-M)**2,axis=2)),axis=1)))",
        "M",
        {
            "X": v([[0.3, 0.1], [-0.2, 0.4]]),
            "w": v([0.2, 0.8], positive=True),
            "M": v([[0.5, 1.0], [-1.0, 0.3]], [[50.0, 1.0], [-1.0, 60.0]]),
        },
    ),
    "gmm_two": (
        "-np.log(p*np.exp(-0.5*(x-a)**2)+(1-p)*np.exp(-0.5*(x-b)**2))",
        "a",
        {"x": v(0.3), "p": v(0.3, range=(0.0, 1.0)), "a": v(0.5, 50.0), "b": v(-0.3, -60.0)},
    ),
    "gmm_two_p": (
        "-np.log(p*np.exp(-0.5*(x-a)**2)+(1-p)*np.exp(-0.5*(x-b)**2))",
        "p",
        {"x": v(0.3), "p": v(0.3, range=(0.0, 1.0)), "a": v(0.5, 50.0), "b": v(-0.3, -60.0)},
    ),
    "gmm_two_sigma": (
        "-np.log(1/(1+np.exp(-q))*np.exp(-0.5*(x-a)**2)+(1-1/(1+np.exp(-q)))*np.exp(-0.5*(x-b)**2))",
        "q",
        {"x": v(0.3), "q": v(0.3, -20.0), "a": v(0.5, 50.0), "b": v(-0.3, -60.0)},
    ),
    "poisson_mix": (
        "-np.log(np.sum(w*np.exp(y*np.log(l)-l)))",
        "l",
        {
            "y": v(3.0),
            "w": v([0.2, 0.8], positive=True),
            "l": v([0.5, 2.0], [1e-200, 1000.0], positive=True),
        },
    ),
    "iwae": (
        "-np.log(np.mean(np.exp(lp-lq)))",
        "lp",
        {"lp": v([0.5, -1.0], [-1000.0, -1001.0]), "lq": v([0.1, 0.2], [5.0, 3.0])},
    ),
    "gauss_kl_logvar": (
        "0.5*np.sum(t-s-1+np.exp(s-t)+(m-n)**2/np.exp(t))",
        "s",
        {
            "s": v([0.5, -1.5], [800.0, 1e-12]),
            "t": v([0.7, 1.1], [799.0, 0.0]),
            "m": v([0.1, 0.2]),
            "n": v([0.3, 0.1]),
        },
    ),
    "bhattacharyya": (
        "-np.log(np.sum(np.sqrt(p*q)))",
        "p",
        {
            "p": v([0.2, 0.8], [1e-200, 1e-210], positive=True),
            "q": v([0.3, 0.7], [1e-300, 1e-290], positive=True),
        },
    ),
    "chi2": (
        "np.sum((p-q)**2/q)",
        "p",
        {
            "p": v([0.2, 0.8], [1e-200, 0.8], positive=True),
            "q": v([0.3, 0.7], [2e-200, 0.7], positive=True),
        },
    ),
    "chi2_q": (
        "np.sum((p-q)**2/q)",
        "q",
        {
            "p": v([0.2, 0.8], [1e-200, 0.8], positive=True),
            "q": v([0.3, 0.7], [2e-200, 0.7], positive=True),
        },
    ),
    "chi2_sym": (
        "0.5*np.sum((p-q)**2/(p+q))",
        "p",
        {
            "p": v([0.2, 0.8], [1e-200, 0.8], positive=True),
            "q": v([0.3, 0.7], [2e-200, 0.7], positive=True),
        },
    ),
    "renyi": (
        "np.log(np.sum(p**a*q**(1-a)))/(a-1)",
        "p",
        {
            "p": v([0.2, 0.8], [1e-200, 1e-190], positive=True),
            "q": v([0.3, 0.7], [2e-200, 1e-180], positive=True),
            "a": v(2.0, positive=True),
        },
    ),
    "alpha_div": (
        "(np.sum(p**a*q**(1-a))-1)/(a*(a-1))",
        "p",
        {
            "p": v([0.2, 0.8], [1e-200, 0.5], positive=True),
            "q": v([0.3, 0.7], [2e-200, 0.7], positive=True),
            "a": v(0.5, positive=True),
        },
    ),
    "js_logits": (
        "np.sum(1/(1+np.exp(-z))*np.log(1/(1+np.exp(-z))))",
        "z",
        {"z": v([0.2, 0.8], [-300.0, 40.0])},
    ),
    "gen_kl": (
        "np.sum(x*np.log(x/y)-x+y)",
        "x",
        {
            "x": v([0.2, 0.8], [1e-300, 1e200], positive=True),
            "y": v([0.3, 0.7], [2e-300, 1e199], positive=True),
        },
    ),
    "gan_d": (
        "-np.mean(np.log(1/(1+np.exp(-a))))-np.mean(np.log(1-1/(1+np.exp(-b))))",
        "b",
        {"a": v([0.2, -0.8], [-800.0, 40.0]), "b": v([0.3, 0.7], [800.0, -800.0])},
    ),
    "evidential": (
        "np.sum(np.log(np.sum(a))-np.log(a[1]))",
        "a",
        {"a": v([1.5, 2.0, 3.0], [1e200, 1e-200, 1e100], positive=True)},
    ),
    "evidential_exp": (
        "np.log(np.sum(1+np.exp(z)))-np.log(1+np.exp(z[1]))",
        "z",
        {"z": v([1.5, -2.0, 3.0], [1000.0, -1000.0, 999.0])},
    ),
}
