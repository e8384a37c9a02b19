"""Scales of 1e±200: densities with respect to their width, quotients, roots of quadratics."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

_KL = "np.log(s2/s1)+(s1**2+(m1-m2)**2)/(2*s2**2)-0.5"
_KL2 = "0.5*(s1**2/s2**2+(m2-m1)**2/s2**2-1+2*np.log(s2)-2*np.log(s1))"
_LARGE = {
    "s1": v(1.0, 1e200, positive=True),
    "s2": v(2.0, 3e200, positive=True),
    "m1": v(0.5, 1e200),
    "m2": v(0.1, -1e200),
}
_SMALL = {
    "s1": v(1.0, 1e-200, positive=True),
    "s2": v(2.0, 2e-200, positive=True),
    "m1": v(0.5, 1e-200),
    "m2": v(0.1, 3e-200),
}
_X = v([1.0, -2.0], [1e200, -1e200])
_T = "np.sum((v+1)/2*np.log(1+x**2/v))"

TABLE: dict[str, Row] = {
    "kl_gaussians_large": (_KL, "s2", _LARGE),
    "kl_gaussians_small": (_KL2, "s2", _SMALL),
    "kl_gaussians_first_scale": (_KL, "s1", _SMALL),
    "log_quotient_squared": (
        "np.log(a/b)**2",
        "a",
        {"a": v(1.0, 1e-200, positive=True), "b": v(2.0, 1e200, positive=True)},
    ),
    "cauchy_wrt_scale": (
        "np.sum(np.log(np.pi*g*(1+(x/g)**2)))",
        "g",
        {"x": _X, "g": v(2.0, 1e-200, positive=True)},
    ),
    "student_wrt_freedom": (_T, "v", {"x": _X, "v": v(3.0, 2.0, positive=True)}),
    "student_wrt_scale": (
        "np.sum((v+1)/2*np.log(1+((x-m)/s)**2/v)+np.log(s))",
        "s",
        {
            "x": _X,
            "m": v(0.5, 0.0),
            "v": v(3.0, 1e10, positive=True),
            "s": v(1.0, 1e-150, positive=True),
        },
    ),
    "gaussian_wrt_scale": (
        "np.sum(np.log(s)+(x-m)**2/(2*s**2))",
        "s",
        {"x": v([1.0, -2.0], [1e200, -3e200]), "m": v(0.5, 0.0), "s": v(2.0, 1e200, positive=True)},
    ),
    "lorentzian_wrt_width": (
        "g**2/((x-m)**2+g**2)",
        "g",
        {"x": v(1.0, 1e200), "m": v(0.5, 0.0), "g": v(2.0, 1e150, positive=True)},
    ),
    "root_of_quadratic": (
        "x+np.sqrt(x**2+4*b)",
        "x",
        {"x": v(1.0, -1e10), "b": v(1.0, positive=True)},
    ),
    "arccosh_by_logarithm": (
        "np.log(1+d+np.sqrt((1+d)**2-1))",
        "d",
        {"d": v(1.0, 1e200, positive=True)},
    ),
    "spectral_flatness_small": (
        "np.exp(np.mean(np.log(x)))/np.mean(x)",
        "x",
        {"x": v([1.0, 2.0, 3.0, 4.0], [1e-200, 2e-200, 1e-201, 1e-200], positive=True)},
    ),
    "spectral_flatness_large": (
        "np.exp(np.mean(np.log(x)))/np.mean(x)",
        "x",
        {"x": v([1.0, 2.0, 3.0, 4.0], [1e200, 2e200, 1e200, 3e200], positive=True)},
    ),
}
