"""Likelihoods and activations of branches, whose slopes one branch has and the other has not."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

COUNTS = v([0.0, 3.0, 0.0])
TABLE: dict[str, Row] = {
    "elu_by_hand": (
        "np.sum(np.where(x<0,a*(np.exp(x)-1),x))",
        "x",
        {"x": v([0.3, -1.2, 2.0, -0.7], [800.0, -50.0, 1e-300, -700.0]), "a": v(1.5)},
    ),
    "zero_inflated_poisson": (
        "-np.sum(np.where(y==0,np.log(p+(1-p)*np.exp(-l)),np.log(1-p)+y*np.log(l)-l))",
        "l",
        {"y": COUNTS, "l": v([0.3, 2.0, 1.0], [40.0, 1e-200, 60.0]), "p": v(0.3)},
    ),
    "zero_inflated_poisson_of_logits": (
        "-np.sum(np.where(y==0,np.log(1/(1+np.exp(-a))+(1-1/(1+np.exp(-a)))*np.exp(-np.exp(e))),"
        "np.log(1-1/(1+np.exp(-a)))+y*e-np.exp(e)))",
        "e",
        {
            "y": COUNTS,
            "e": v([0.3, 2.0, -1.0], [-30.0, 7.0, 3.0]),
            "a": v([0.3, 0.2, 0.1], [40.0, -40.0, -2.0]),
        },
    ),
    "hurdle_poisson": (
        "-np.sum(np.where(y>0,np.log(1-p)+y*np.log(l)-l-np.log(1-np.exp(-l)),np.log(p)))",
        "l",
        {"y": v([0.0, 3.0, 1.0]), "l": v([0.3, 2.0, 1.0], [1e-200, 1e5, 40.0]), "p": v(0.3)},
    ),
}
