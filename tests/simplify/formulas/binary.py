"""Losses of two classes."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    BITS,
    SIGNS,
    Row,
    S,
    X,
    v,
)

TABLE: dict[str, Row] = {
    "bce_logits": (
        f"-np.sum(y*np.log({S})+(1-y)*np.log(1-{S}))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.0, 40.0, 800.0]), "y": BITS},
    ),
    "bce_plus_minus": ("np.mean(np.log(1+np.exp(-y*z)))", "z", {"z": X, "y": SIGNS}),
    "bce_hessian": (
        f"-np.sum(y*np.log({S})+(1-y)*np.log(1-{S}))",
        "z",
        {"z": v([-2.0, 0.5], [-800.0, 40.0]), "y": v([0.0, 1.0], zero_or_one=True)},
        2,
    ),
    "bce_exp_form": ("np.sum(np.log(1+np.exp(z))-y*z)", "z", {"z": X, "y": BITS}),
    "brier_sigmoid": (
        f"np.mean(({S}-y)**2)",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-300.0, -40.0, 0.2, 40.0, 300.0]), "y": BITS},
    ),
    "focal_gamma2": (
        f"-np.sum(y*(1-{S})**2*np.log({S})+(1-y)*{S}**2*np.log(1-{S}))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-100.0, -100.0, 0.2, 100.0, 100.0]), "y": BITS},
    ),
    "focal_alpha": (
        f"-np.mean(a*y*(1-{S})**g*np.log({S})+(1-a)*(1-y)*{S}**g*np.log(1-{S}))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-100.0, -100.0, 0.2, 100.0, 100.0]),
            "y": BITS,
            "a": v(0.25),
            "g": v(1.5, positive=True),
        },
    ),
    "exponential_loss": (
        "np.sum(np.exp(-y*z))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5]), "y": SIGNS},
    ),
    "bradley_terry": (
        "-np.sum(np.log(np.exp(a)/(np.exp(a)+np.exp(b))))",
        "a",
        {"a": v([0.5, -1.0], [1000.0, -1000.0]), "b": v([0.1, 2.0], [-999.0, 1001.0])},
    ),
    "dpo": (
        "-np.mean(np.log(1/(1+np.exp(-b*((p-q)-(r-s))))))",
        "p",
        {
            "p": v([0.5, -1.0], [1000.0, -1000.0]),
            "q": v([0.1, 2.0]),
            "r": v([0.2, 0.4]),
            "s": v([0.3, -0.3]),
            "b": v(0.1, positive=True),
        },
    ),
    "hinge_squared": (
        "np.sum(np.maximum(0,1-y*z)**2)",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5]), "y": SIGNS},
    ),
    "perceptron": (
        "np.sum(np.maximum(0,-y*z))",
        "z",
        {"z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-1e300, 1e300, 0.3, 1.0, 2.0]), "y": SIGNS},
    ),
}
