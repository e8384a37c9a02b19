"""Exponentials beside weights and numbers of which nothing is declared."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

A = v([1.0, -0.5, 0.3], [800.0, -800.0, 750.0])
B = v([0.2, 0.5, 1.0], [-800.0, -801.0, 751.0])
K = v(1.5)
GROWTH = "(L/(1+k*np.exp(-r*t)))"
CURVE = {"t": A, "k": K, "r": v(1.2), "L": v(3.0), "y": v(2.0)}
ROWS = v(
    [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
    [[900.0, 0.0, -1000.0, 899.0], [-1000.0, -1001.0, -1002.0, -1003.0], [50.0, 800.0, 801.0, 0.0]],
)
FAR = v([0.3, 1.0], [1e3, -1e4])
MIXED = {"x": FAR, "m": v([0.1, 0.9]), "s": v([0.5, 0.7]), "w": v([0.4, 0.6])}
MIXTURE = "np.sum(w*np.exp(-(x[:,None]-m)**2/(2*s**2))/(s*np.sqrt(2*np.pi)),axis=1)"
DOSE = {"x": v([0.5, 2.0], [1e200, 1e-200]), "n": v(3.0), "k": v(1.5)}
TABLE: dict[str, Row] = {
    "balanced_softmax_any": (
        "-np.mean(np.log(n[k]*np.exp(z[np.arange(3),k])/np.sum(n*np.exp(z),axis=1)))",
        "z",
        {"z": ROWS, "k": v([0, 3, 1], labels=4), "n": v([10.0, 5.0, 1.0, 100.0])},
    ),
    "noise_contrastive_any": (
        "-np.sum(np.log(k*q/(np.exp(s)+k*q)))",
        "s",
        {"s": v([0.1, -0.4], [800.0, -800.0]), "k": v(5.0), "q": v([0.1, 0.02])},
    ),
    "mixture_any_scale": (f"-np.sum(np.log({MIXTURE}))", "s", MIXED),
    "mixture_any_weight": (f"-np.sum(np.log({MIXTURE}))", "w", MIXED),
    "two_normals_any": (
        "-np.log(p*np.exp(-0.5*x**2)+(1-p)*np.exp(-0.5*(x/s)**2)/s)",
        "p",
        {"x": v(0.3, 1e3), "p": v(0.2), "s": v(3.0)},
    ),
    "two_exponentials_any": (
        "-np.sum(np.log(p*a*np.exp(-a*t)+(1-p)*b*np.exp(-b*t)))",
        "a",
        {"t": v([0.3, 1.0], [1e3, 2e3]), "p": v(0.2), "a": v(1.5), "b": v(2.5)},
    ),
    "tied_share": ("np.sum(np.exp(a)/(np.exp(a)+k*np.exp(b)))", "a", {"a": A, "b": B, "k": K}),
    "logistic_growth_rate": (f"np.sum((y-{GROWTH})**2)", "r", CURVE),
    "logistic_growth_offset": (f"np.sum((y-{GROWTH})**2)", "k", CURVE),
    "share_against_many": (
        "1-np.exp(a[0])/(np.exp(a[0])+np.sum(k*np.exp(b)))",
        "a",
        {"a": A, "b": B, "k": v([1.5, 0.2, 0.3])},
    ),
    "positive_against_mean": (
        "-np.log(np.exp(a)/(np.exp(a)+k*np.mean(w*np.exp(b))))",
        "b",
        {
            "a": v(1.0, 800.0),
            "b": v([0.2, 0.5, 1.0], [800.0, -801.0, 751.0]),
            "k": K,
            "w": v([1.0, 0.5, 0.2]),
        },
    ),
    "masked_attention_any": (
        "np.sum(V*(np.exp(Z)*M/np.sum(np.exp(Z)*M,axis=1,keepdims=True)))",
        "Z",
        {
            "Z": v([[0.1, 0.4], [0.3, 0.2]], [[1000.0, -1000.0], [900.0, 899.0]]),
            "M": v([[0.0, 1.0], [1.0, 1.0]]),
            "V": v([[0.5, 1.0], [1.0, -1.0]]),
        },
    ),
    "hill_any": ("np.sum(x**n/(k**n+x**n))", "x", DOSE),
    "hill_half": ("np.sum(x**n/(k**n+x**n))", "k", DOSE),
    "hill_slope": ("np.sum(x**n/(k**n+x**n))", "n", DOSE),
    "hill_inverse": ("np.sum(1/(1+(k/x)**n))", "k", DOSE),
    "four_parameters": (
        "np.sum(d+(a-d)/(1+(x/k)**n))",
        "n",
        {**DOSE, "a": v(0.1), "d": v(2.0)},
    ),
    "log_logistic_any": (
        "-np.sum(np.log((b/a)*(t/a)**(b-1)/(1+(t/a)**b)**2))",
        "b",
        {"t": v([1.0, 2.0], [1e-200, 1e200]), "a": v(1.2), "b": v(3.0)},
    ),
    "burr_any": (
        "-np.sum(np.log(c*k*x**(c-1)/(1+x**c)**(k+1)))",
        "c",
        {"x": v([1.0, 2.0], [1e200, 1e-300]), "c": v(1.5, 10.0), "k": v(0.5)},
    ),
}
