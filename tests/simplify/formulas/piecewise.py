"""Losses in pieces."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    R,
    Row,
    X,
    v,
)

TABLE: dict[str, Row] = {
    "relu_where": (
        "np.sum(np.where(x>0,x,0)**2)",
        "x",
        {"x": v([-2.0, -0.5, 0.3], [-1e160, 1e-200, 1e100])},
    ),
    "elu": ("np.sum(np.where(x>0,x,np.exp(x)-1))", "x", {"x": X}),
    "elu_alpha": (
        "np.sum(np.where(x>=0,x,a*(np.exp(x)-1)))",
        "x",
        {"x": X, "a": v(1.5, positive=True)},
    ),
    "selu_max": (
        "np.sum(np.maximum(x,0)+np.minimum(0,a*(np.exp(x)-1)))",
        "x",
        {"x": X, "a": v(1.5, positive=True)},
    ),
    "leaky_where": ("np.sum(np.where(x>0,x,0.01*x))", "x", {"x": X}),
    "leaky_max": ("np.sum(np.maximum(0.1*x,x))", "x", {"x": X}),
    "sqrt_where": (
        "np.sum(np.where(x>0,np.sqrt(x),0))",
        "x",
        {"x": v([-2.0, 0.5, 0.3], [-2.0, 1e-200, 1e-300])},
    ),
    "log_where": (
        "np.sum(np.where(m>0,np.log(x),0))",
        "x",
        {"x": v([2.0, 0.5, 0.3], [0.0, 1e-300, 1.0], nonnegative=True), "m": v([0.0, 1.0, 1.0])},
    ),
    "entropy_where": (
        "-np.sum(np.where(m,p*np.log(p),0))",
        "p",
        {
            "p": v([0.2, 0.5, 0.3], [0.0, 1e-200, 1.0], nonnegative=True),
            "m": v([0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "abs_where": (
        "np.sum(np.where(x>0,x,-x))",
        "x",
        {"x": v([-2.0, 0.5, 0.3], [-1e200, 1e-300, 1e200])},
    ),
    "huber_where": (
        "np.sum(np.where(np.abs(r)<=d,0.5*r**2,d*(np.abs(r)-0.5*d)))",
        "r",
        {"r": R, "d": v(1.0, positive=True)},
    ),
    "smooth_l1": (
        "np.mean(np.where(np.abs(x-y)<1,0.5*(x-y)**2,np.abs(x-y)-0.5))",
        "x",
        {"x": R, "y": v([0.5, 0.1, 0.2, 0.3, -0.4])},
    ),
    "pseudo_huber": (
        "np.sum(d**2*(np.sqrt(1+(r/d)**2)-1))",
        "r",
        {"r": R, "d": v(1.5, positive=True)},
    ),
    "quantile": ("np.sum(np.maximum(t*r,(t-1)*r))", "r", {"r": R, "t": v(0.3)}),
    "epsilon_insensitive": (
        "np.sum(np.maximum(0,np.abs(r)-e))",
        "r",
        {"r": R, "e": v(0.7, positive=True)},
    ),
    "charbonnier": (
        "np.sum(np.sqrt(r**2+e**2))",
        "r",
        {"r": R, "e": v(0.7, 1e-180, positive=True)},
    ),
    "geman_mcclure": (
        "np.sum(r**2/(1+r**2))",
        "r",
        {"r": v([-2.0, -0.5, 0.3], [-1e60, 1e-200, 1e70])},
    ),
    "welsch": (
        "np.sum(1-np.exp(-0.5*r**2))",
        "r",
        {"r": v([-2.0, -0.5, 0.3], [-20.0, 1e-200, 1e160])},
    ),
}
