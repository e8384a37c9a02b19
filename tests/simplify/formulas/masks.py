"""Branches that overflow where they are not taken, and lengths of three coordinates and more."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

_R = v([0.5, -0.7, 2.0], [1e200, -1e200, 0.1])
_C = v(1.5, 1.0)
_TUKEY = "np.sum(np.where(np.abs(r)<c,(1-(1-(r/c)**2)**3),1))"
_X, _Y, _Z = v(1.0, 3e200), v(2.0, -4e200), v(-0.5, 1e200)
_SMALL = {"x": v(1.0, 3e-200), "y": v(2.0, -4e-200), "z": v(-0.5, 1e-200)}

TABLE: dict[str, Row] = {
    "tukey": (_TUKEY, "r", {"r": _R, "c": _C}),
    "tukey_wrt_c": (_TUKEY, "c", {"r": _R, "c": _C}),
    "tukey_hessian": (_TUKEY, "r", {"r": _R, "c": _C}, 2),
    "tukey_numbers": (
        "np.sum(np.where(np.abs(r)<=4.685,(4.685**2/6)*(1-(1-(r/4.685)**2)**3),4.685**2/6))",
        "r",
        {"r": _R},
    ),
    "triweight": (
        "np.sum(np.where(np.abs(x)<1,(1-np.abs(x)**3)**3,0)*w)",
        "x",
        {"x": v([0.5, -0.7, 2.0], [1e200, 0.5, -1e200]), "w": v([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])},
    ),
    "length_of_three": ("np.sqrt(x**2+y**2+z**2)", "x", {"x": _X, "y": _Y, "z": _Z}),
    "length_of_three_small": ("(x**2+y**2+z**2)**0.5", "x", _SMALL),
    "length_and_one": ("np.sqrt(x**2+y**2+1)", "x", {"x": _X, "y": _Y}),
    "unit_of_three": ("x/np.sqrt(x**2+y**2+z**2)", "y", {"x": _X, "y": _Y, "z": _Z}),
    "unit_of_three_small": ("x/np.sqrt(x**2+y**2+z**2)", "x", _SMALL),
    "log_of_three": ("np.log(x**2+y**2+z**2)", "x", {"x": _X, "y": _Y, "z": _Z}),
    "norm_and_one": (
        "np.sqrt(np.sum(x**2)+1)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 1e199])},
    ),
}
