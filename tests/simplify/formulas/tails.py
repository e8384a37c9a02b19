"""Likelihoods of normal distributions far out in their tails."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

NORMAL = "0.5*(1+erf({}/np.sqrt(2)))"
FAR = v([0.3, -1.2, 2.0, 0.5, -0.7], [30.0, -38.0, 9.0, 45.0, 60.0])
BITS = v([1.0, 0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0, 0.0], zero_or_one=True)
TABLE: dict[str, Row] = {
    "probit_far": (
        f"-np.sum(y*np.log({NORMAL.format('z')})+(1-y)*np.log(1-{NORMAL.format('z')}))",
        "z",
        {"z": FAR, "y": BITS},
    ),
    "probit_far_hess": (
        f"-np.sum(np.log({NORMAL.format('s*z')}))",
        "z",
        {
            "z": v([0.3, -1.2, 2.0, 0.5], [30.0, -38.0, 9.0, -45.0]),
            "s": v([1.0, -1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0], plus_minus_one=True),
        },
        2,
    ),
    "ordinal_probit": (
        f"-np.sum(np.log({NORMAL.format('(b-z)')}-{NORMAL.format('(a-z)')}))",
        "z",
        {"z": v([0.3, -1.0, 2.0], [30.0, -25.0, 9.0]), "a": v(-0.5), "b": v(0.5)},
    ),
    "tobit_far": (
        "-np.sum(np.where(y>0,-0.5*((y-m)/s)**2-np.log(s),np.log(0.5*(1+erf(-m/(s*np.sqrt(2)))))))",
        "s",
        {
            "y": v([0.0, 1.0, 0.0]),
            "m": v([0.5, 0.3, -1.0], [30.0, -3.0, 45.0]),
            "s": v(1.0, 0.9, positive=True),
        },
    ),
    "truncated_normal": (
        "np.sum(0.5*((x-m)/s)**2+np.log(s)+np.log(0.5*(1+erf((m-a)/(s*np.sqrt(2))))))",
        "m",
        {"x": v([0.3, 1.0]), "m": v(0.5, -60.0), "s": v(0.7, 1.0), "a": v(0.0)},
    ),
    "exponentially_modified": (
        "-np.sum(np.log(l/2)+l/2*(2*m+l*s**2-2*x)+np.log(1-erf((m+l*s**2-x)/(np.sqrt(2)*s))))",
        "l",
        {"x": v([0.3, -1.0], [-30.0, 20.0]), "m": v(0.2), "l": v(1.5), "s": v(0.6)},
    ),
    "inverse_mills": (
        f"np.sum(np.exp(-0.5*x**2)/np.sqrt(2*np.pi)/(1-{NORMAL.format('x')}))",
        "x",
        {"x": v([0.3, -1.2, 2.0], [30.0, -38.0, 50.0])},
    ),
    "log1p_erf": (
        "-np.sum(np.log1p(erf(x/np.sqrt(2))))",
        "x",
        {"x": v([0.3, -1.2, 2.0], [30.0, -45.0, 1e-12])},
    ),
}
