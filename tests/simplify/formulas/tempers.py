"""Powers beside exponentials, and quotients of which one part is out of range."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

REACH = v([0.3, -1.2, 2.0], [1e160, -1e-160, 3.0])
TABLE: dict[str, Row] = {
    "bell_hess": ("np.sum(np.exp(-x**2))", "x", {"x": REACH}, 2),
    "bell_moment_g": (
        "np.sum(x**2*np.exp(-g*x**2))",
        "g",
        {"x": REACH, "g": v(0.7, positive=True)},
    ),
    "welsch_scaled_hess": (
        "np.sum(0.5*c**2*(1-np.exp(-(r/c)**2)))",
        "r",
        {"r": REACH, "c": v(1.5, 1e-10)},
        2,
    ),
    "kl_of_log_variances": (
        "0.5*np.sum(n-s-1+(np.exp(s)+(a-b)**2)/np.exp(n))",
        "n",
        {
            "s": v([0.3, 1.0], [-800.0, 800.0]),
            "n": v([0.7, 1.5], [-790.0, 801.0]),
            "a": v([0.1, 0.2], [1e-180, 1e170]),
            "b": v([0.0, 0.3], [0.0, 0.0]),
        },
    ),
    "gaussian_softplus_scale": (
        "np.sum(np.log(np.log(1+np.exp(r)))+0.5*((y-m)/np.log(1+np.exp(r)))**2)",
        "r",
        {"y": v([0.3, 1.0], [1e-3, 2.0]), "m": v([0.1, 0.2]), "r": v([0.3, -1.0], [-300.0, 40.0])},
    ),
    "charbonnier_power": (
        "np.sum((r**2+e**2)**a)",
        "r",
        {"r": v([0.3, -1.2, 2.0], [1e160, -1e-170, 3.0]), "e": v(1e-3), "a": v(0.45)},
    ),
    "student_kernel_power": (
        "np.sum((1+r**2/v)**(-(v+1)/2))",
        "r",
        {"r": v([0.3, -1.2], [1e80, -1e-160]), "v": v(3.0, positive=True)},
    ),
    "weight_norm_rows": (
        "np.sum(c*(g*(W/np.sqrt(np.sum(W**2,axis=1,keepdims=True)))@x[:,None])[:,0])",
        "W",
        {
            "W": v([[0.1, 0.2], [0.3, -0.4]], [[1e200, 1e199], [1e-200, 3e-200]]),
            "g": v(2.0),
            "x": v([1.0, -2.0]),
            "c": v([1.0, 0.5]),
        },
    ),
}
