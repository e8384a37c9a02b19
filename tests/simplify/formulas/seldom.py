"""Formulas that need the rules that few others need."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    BITS,
    K3,
    ZZ,
    R,
    Row,
    X,
    Z,
    v,
)

TABLE: dict[str, Row] = {
    "abs_of_scaled": (
        "np.sum(np.abs(a*x))",
        "x",
        {"a": v([0.5, 1.5, 2.0, 3.0, 1.0], positive=True), "x": R},
    ),
    "chi_of_rescaled": (
        "np.sum((s*(x/s-m/s**2))**2)",
        "x",
        {
            "x": v([0.5, -1.0], [1e9, -3.0]),
            "m": v([1.0, 2.0], [2e-9, 5e7]),
            "s": v([0.7, 1.3], [1e-8, 1e7]),
        },
    ),
    "planck": (
        "np.sum(x*np.exp(x)/(np.exp(x)-1))",
        "x",
        {"x": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0])},
    ),
    "clipped_from_below_twice": (
        "np.sum(np.maximum(np.maximum(x,y),y))",
        "x",
        {"x": X, "y": v([0.0, 1.0, -1.0, 0.5, 3.0])},
    ),
    "discounted_gain": (
        "np.sum(np.exp(x)/np.log(np.stack([2.0,3.0,4.0])))",
        "x",
        {"x": v([0.5, -1.0, 2.0], [-700.0, 1e-300, 700.0])},
    ),
    "masked_squares": (
        "np.sum((m*(x-y))**2)",
        "x",
        {"m": BITS, "x": R, "y": v([0.1, 0.2, 0.3, 0.4, 0.5])},
    ),
    "masked_fourth_powers": (
        "np.sum((m*x)**4)",
        "x",
        {"m": BITS, "x": v([0.5, -1.0, 2.0, 0.3, 4.0], [1e80, -1e80, 1e-80, 1e90, 1e100])},
    ),
    "cross_entropy_guarded": (
        "-np.sum(p*np.log(np.where(p>0,p,1)))",
        "p",
        {"p": v([0.2, 0.5, 0.3], [1e-300, 1e-20, 1.0], positive=True)},
    ),
    "relu_twice": ("np.sum(np.maximum(np.maximum(x,0),0)**2)", "x", {"x": R}),
    "bernoulli_variance": ("np.sum(1/(1+np.exp(-x))-1/(1+np.exp(-x))**2)", "x", {"x": X}),
    "later_features": ("np.sum(np.log(1+np.exp(Z.T[1:])))", "Z", {"Z": ZZ}),
    "unigram_likelihood": (
        "-np.sum(w*(z-np.log(np.sum(np.exp(z))))[k])",
        "z",
        {"z": Z, "w": v([0.5, 1.0, 2.0]), "k": K3},
    ),
    "margin_of_label": (
        "np.sum((np.broadcast_to(np.max(Z,axis=1,keepdims=True),(3,4))[np.arange(3),k]"
        "-Z[np.arange(3),k])**2)",
        "Z",
        {"Z": ZZ, "k": K3},
    ),
    "mass_beside_exponentials": (
        "np.sum(np.log(w+np.exp(z)))",
        "w",
        {
            "w": v([0.5, 0.0, 2.0], [0.0, 1e-300, 0.0], nonnegative=True),
            "z": v([0.5, -1.0, 2.0], [-600.0, 600.0, 3.0]),
        },
    ),
    "squared_weights": (
        "np.log(np.sum(w*w*np.exp(z)))",
        "w",
        {"w": v([0.5, 0.0, 2.0, 1.0], [0.0, 1e-100, 1.0, 2.0], nonnegative=True), "z": Z},
    ),
}
