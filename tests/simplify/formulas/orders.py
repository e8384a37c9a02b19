"""Divergences, entropies and means of an order, next to the order at which they have a limit."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

P = v([0.125, 0.25, 0.5, 0.125], sums_to_one=True, positive=True)
Q = v([0.25, 0.375, 0.125, 0.25], sums_to_one=True, positive=True)
Z = v([0.3, -1.2, 2.0, 0.5], [-745.0, -746.0, -800.0, -745.0])
W = v([0.4, 1.2, -2.0, 0.1], [45.0, 46.0, 48.0, 44.0])
ORDER = v(0.5, 1 + 2.0**-40)
SMALL = v(0.5, 1e-9)
RENYI = "np.log(np.sum(p**a*q**(1-a)))/(a-1)"
TABLE: dict[str, Row] = {
    "renyi_order": (RENYI, "a", {"p": P, "q": Q, "a": ORDER}),
    "renyi_ratio_order": (
        "1/(a-1)*np.log(np.sum(q*(p/q)**a))",
        "a",
        {"p": P, "q": Q, "a": ORDER},
    ),
    "tsallis_divergence_order": (
        "(np.sum(p**a*q**(1-a))-1)/(a-1)",
        "a",
        {"p": P, "q": Q, "a": v(0.5, 1 - 1e-12)},
    ),
    "alpha_divergence_order": (
        "(1-np.sum(p**a*q**(1-a)))/(a*(1-a))",
        "a",
        {"p": P, "q": Q, "a": v(0.5, 1e-11)},
    ),
    "amari_order": (
        "4/(1-a**2)*(1-np.sum(p**((1-a)/2)*q**((1+a)/2)))",
        "a",
        {"p": P, "q": Q, "a": v(0.5, -1 + 1e-7)},
    ),
    "renyi_entropy_order": ("np.log(np.sum(p**a))/(1-a)", "a", {"p": P, "a": ORDER}),
    "tsallis_entropy_order": ("(1-np.sum(p**a))/(a-1)", "a", {"p": P, "a": ORDER}),
    "hill_number_order": ("np.sum(p**a)**(1/(1-a))", "a", {"p": P, "a": ORDER}),
    "renyi_entropy_logits": (
        "np.log(np.sum((np.exp(z)/np.sum(np.exp(z)))**a))/(1-a)",
        "z",
        {"z": Z, "a": ORDER},
    ),
    "tsallis_entropy_logits": (
        "(1-np.sum(softmax(z)**a))/(a-1)",
        "a",
        {"z": Z, "a": ORDER},
    ),
    "renyi_logits": (
        "np.log(np.sum(softmax(z)**a*softmax(w)**(1-a)))/(a-1)",
        "z",
        {"z": Z, "w": W, "a": ORDER},
    ),
    "power_mean_order": (
        "np.mean(x**p)**(1/p)",
        "p",
        {"x": v([0.3, 1.2, 2.0], positive=True), "p": SMALL},
    ),
    "power_mean_order_hess": (
        "np.mean(x**p)**(1/p)",
        "x",
        {"x": v([0.3, 1.2, 2.0], positive=True), "p": SMALL},
        2,
    ),
    "entropic_risk_order": (
        "np.log(np.mean(np.exp(b*x)))/b",
        "b",
        {"x": v([0.3, 1.0, 2.0]), "b": SMALL},
    ),
    "ces_order": (
        "(a*x**r+(1-a)*y**r)**(1/r)",
        "r",
        {"x": v(0.3, positive=True), "y": v(2.0, positive=True), "a": v(0.3), "r": SMALL},
    ),
    "extreme_value_shape": (
        "np.sum(np.log(s)+(1+1/k)*np.log(1+k*(x-m)/s)+(1+k*(x-m)/s)**(-1/k))",
        "k",
        {"x": v([0.3, 1.0]), "m": v(0.1), "s": v(0.7), "k": v(0.2, 1e-8)},
    ),
}
