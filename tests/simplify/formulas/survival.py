"""Likelihoods of heavy tails, mixtures, survival and ordered outcomes."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "student_mixed": (
        "-np.log(np.sum(w*(1+(x-m)**2/n)**(-(n+1)/2)))",
        "x",
        {
            "x": v(1.0, 1e170),
            "m": v([0.5, -1.0]),
            "w": v([0.3, 0.7], positive=True),
            "n": v(3.0, positive=True),
        },
    ),
    "gmm_logw": (
        "-np.log(np.sum(np.exp(a)/np.sum(np.exp(a))*np.exp(-(x-m)**2/(2*np.exp(s)**2))/np.exp(s)))",
        "s",
        {
            "a": v([0.5, -0.3], [1000.0, 999.0]),
            "x": v(0.2),
            "m": v([0.1, 0.4], [50.0, 60.0]),
            "s": v([0.3, 0.1], [1.0, -1.0]),
        },
    ),
    "gmm_logw_a": (
        "-np.log(np.sum(np.exp(a)/np.sum(np.exp(a))*np.exp(-(x-m)**2/(2*np.exp(s)**2))/np.exp(s)))",
        "a",
        {
            "a": v([0.5, -0.3], [1000.0, 999.0]),
            "x": v(0.2),
            "m": v([0.1, 0.4], [50.0, 60.0]),
            "s": v([0.3, 0.1], [1.0, -1.0]),
        },
    ),
    "gmm_batch_sigma": (
        "-np.mean(np.log(np.sum(p/(np.sqrt(2*np.pi)*s)*np.exp(-0.5*((x[:,None]-m)/s)**2),axis=1)))",
        "s",
        {
            "x": v([0.3, -0.2], [300.0, -200.0]),
            "p": v([0.2, 0.3, 0.5], positive=True, sums_to_one=True),
            "m": v([0.5, 1.0, -1.0]),
            "s": v([1.0, 0.5, 2.0], positive=True),
        },
    ),
    "hetero_gauss_softplus_eps": (
        "np.sum(0.5*np.log(2*np.pi*(np.log(1+np.exp(s))+1e-6)**2)+(y-m)**2/(2*(np.log(1+np.exp(s))+1e-6)**2))",
        "s",
        {
            "y": v([1.0, 2.0]),
            "m": v([0.3, 0.5]),
            "s": v([0.5, -1.5], [800.0, -800.0]),
        },
    ),
    "beta_nll_gauss": (
        "np.sum(0.5*np.exp(s)**b*((x-m)**2/np.exp(s)+s))",
        "m",
        {
            "x": v([1.0, 2.0]),
            "m": v([0.3, 0.5]),
            "s": v([0.5, -1.5], [700.0, -700.0]),
            "b": v(0.5),
        },
    ),
    "kl_gauss_softplus": (
        "0.5*np.sum(np.log(1+np.exp(r))**2+m**2-1-2*np.log(np.log(1+np.exp(r))))",
        "r",
        {
            "r": v([0.5, -1.5], [-800.0, 1e100]),
            "m": v([0.2, 0.3]),
        },
    ),
    "kl_gauss_sigma": (
        "np.sum(np.log(t/s)+(s**2+(m-n)**2)/(2*t**2)-0.5)",
        "s",
        {
            "s": v([0.5, 1.5], [1.0000000000009095, 1e-200], positive=True),
            "t": v([1.0, 2.0], [1.0, 1.0], positive=True),
            "m": v([0.2, 0.3]),
            "n": v([0.2, 0.1]),
        },
    ),
    "elbo_gauss": (
        "0.5*np.sum((x-m)**2)-0.5*np.sum(1+2*np.log(s)-m**2-s**2)",
        "s",
        {
            "x": v([1.0, 2.0]),
            "m": v([0.3, 0.5]),
            "s": v([0.5, 1.5], [1e-200, 1e100], positive=True),
        },
    ),
    "student_logscale": (
        "np.sum(s+0.5*(n+1)*np.log(1+(x-m)**2/(n*np.exp(2*s))))",
        "s",
        {
            "x": v([1.0, 2.0], [1e100, 2.0]),
            "m": v(0.3),
            "n": v(3.0, positive=True),
            "s": v(0.3, -500.0),
        },
    ),
    "student_mv": (
        "0.5*(n+d)*np.log(1+np.sum(x**2)/n)",
        "x",
        {
            "x": v([1.0, 2.0, -0.5], [1e200, -2e200, 3e100]),
            "n": v(3.0, positive=True),
            "d": v(3.0),
        },
    ),
    "student_mv_mahal": (
        "0.5*(n+3)*np.log(1+np.sum((x-m)**2/s**2)/n)",
        "x",
        {
            "x": v([1.0, 2.0, -0.5], [1e200, -2e200, 3e100]),
            "m": v([0.3, 0.2, 0.1]),
            "s": v([1.0, 2.0, 0.5], positive=True),
            "n": v(3.0, positive=True),
        },
    ),
    "student_mv_dot": (
        "0.5*(n+3)*np.log(1+(x-m)@(x-m)/n)",
        "m",
        {
            "x": v([1.0, 2.0, -0.5], [1e200, -2e200, 3e100]),
            "m": v([0.3, 0.2, 0.1]),
            "n": v(3.0, positive=True),
        },
    ),
    "log_det_exp": (
        "np.log(np.prod(np.exp(s)))+np.sum((x/np.exp(s))**2)",
        "s",
        {
            "x": v([1.0, 2.0, -0.5]),
            "s": v([0.3, 0.2, 0.1], [300.0, 400.0, 500.0]),
        },
    ),
    "discrete_hazard": (
        "-np.sum(d*np.log(1-np.exp(-h))-(1-d)*h)",
        "h",
        {
            "h": v([0.5, 1.0, 0.2], [1e-18, 800.0, 40.0], positive=True),
            "d": v([1.0, 1.0, 0.0], zero_or_one=True),
        },
    ),
    "gompertz_hazard": (
        "np.sum(-d*(a+b*t)+np.exp(a)*(np.exp(b*t)-1)/b)",
        "b",
        {
            "a": v(0.1),
            "b": v(0.3, 1e-10, positive=True),
            "t": v([1.0, 2.0, 3.0], positive=True),
            "d": v([1.0, 0.0, 1.0]),
        },
    ),
    "ordinal_cumulative": (
        "-np.sum(np.log(1/(1+np.exp(-(b-z)))-1/(1+np.exp(-(a-z)))))",
        "a",
        {
            "a": v([0.1, 0.3], [0.1, 300.0]),
            "b": v([1.1, 2.3], [50.0, 301.0]),
            "z": v([0.5, 1.5], [-800.0, 900.0]),
        },
    ),
    "ordinal_first": (
        "-np.sum(np.log(1-1/(1+np.exp(-(z-b)))))",
        "z",
        {
            "b": v([1.1, 2.3]),
            "z": v([0.5, 1.5], [-800.0, 900.0]),
        },
    ),
    "stereotype_ratio": (
        "-np.log(np.exp(a*s)/(np.exp(a*s)+np.exp(b*s)))",
        "s",
        {
            "a": v(0.5, 30.0),
            "b": v(0.2, 40.0),
            "s": v(1.5, 100.0),
        },
    ),
    "beta_binomial_free": (
        "np.sum(-k*np.log(p)-(n-k)*np.log(1-p))",
        "p",
        {
            "k": v([1.0, 2.0]),
            "n": v([3.0, 5.0]),
            "p": v([0.3, 0.6], [1e-300, 0.9999999999990905], range=(0.0, 1.0)),
        },
    ),
    "dirichlet_mean_nll": (
        "-np.log(a[k]/np.sum(a))",
        "a",
        {
            "a": v([0.3, 0.6, 2.0], [1e-300, 1e-305, 1e-302], positive=True),
            "k": v(1, labels=3),
        },
    ),
    "evidential_softplus": (
        "np.sum(y*(np.log(np.sum(1+np.log(1+np.exp(z))))-np.log(1+np.log(1+np.exp(z)))))",
        "z",
        {
            "z": v([1.3, -1.6, 2.0], [800.0, -900.0, 0.0]),
            "y": v([0.0, 1.0, 0.0], one_hot=True),
        },
    ),
    "nig_evidential": (
        "0.5*np.log(np.pi/n)-a*np.log(2*b*(1+n))+(a+0.5)*np.log((y-g)**2*n+2*b*(1+n))",
        "g",
        {
            "y": v(1.0, 1e200),
            "g": v(0.3),
            "n": v(0.5, positive=True),
            "a": v(1.5, positive=True),
            "b": v(0.7, positive=True),
        },
    ),
}
