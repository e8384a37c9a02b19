"""Sums of squares and of what nothing is declared of, far out and next to nothing."""

from __future__ import annotations

from tests.simplify.formulas.variables import R, Row, v

CENTRED = "(x-np.mean(x))"
SCALED = {"w": v([0.1, 0.5, 2.0]), "e": v(1e-5)}
X3 = v([0.3, 1.0, -2.0], [1e180, 2e180, -1e180])
TINY = v([0.3, 2.0, 1.0], [1e-170, 2e-170, 5e-170])
CCC = "1-2*np.mean((x-np.mean(x))*(y-np.mean(y)))/(np.var(x)+np.var(y)+(np.mean(x)-np.mean(y))**2)"
TABLE: dict[str, Row] = {
    "student_any_freedom": ("np.sum((n+1)/2*np.log(1+r**2/n))", "r", {"r": R, "n": v(3.0)}),
    "student_freedom": ("np.sum((n+1)/2*np.log(1+r**2/n))", "n", {"r": R, "n": v(3.0)}),
    "student_any_scale": (
        "np.sum((n+1)/2*np.log(1+((x-m)/s)**2/n)+np.log(s))",
        "s",
        {"x": R, "m": v(0.3), "n": v(3.0), "s": v(0.5)},
    ),
    "barron_any_shape": (
        "np.sum(np.abs(a-2)/a*(((r/c)**2/np.abs(a-2)+1)**(a/2)-1))",
        "r",
        {"r": R, "a": v(1.0), "c": v(0.7)},
    ),
    "layer_norm_any_eps": (
        f"np.sum(w*{CENTRED}/np.sqrt(np.mean({CENTRED}**2)+e))",
        "x",
        {"x": X3, **SCALED},
    ),
    "rms_norm_any_eps": ("np.sum(w*x/np.sqrt(np.mean(x**2)+e))", "x", {"x": X3, **SCALED}),
    "squareplus_any_width": ("np.sum((x+np.sqrt(x**2+b))/2)", "x", {"x": R, "b": v(4.0)}),
    "isru_any_scale": ("np.sum(x/np.sqrt(1+a*x**2))", "a", {"x": R, "a": v(0.7)}),
    "isru_any_scale_x": ("np.sum(x/np.sqrt(1+a*x**2))", "x", {"x": R, "a": v(0.7)}),
    "quadratic_root_c": (
        "(-b+np.sqrt(b**2-4*a*c))/(2*a)",
        "c",
        {"a": v(1.0), "b": v(3.0, 1e200), "c": v(1.0)},
    ),
    "quadratic_root_far": (
        "(-b+np.sqrt(b**2-4*a*c))/(2*a)",
        "b",
        {"a": v(1.0), "b": v(3.0, 1e8), "c": v(1.0)},
    ),
    "luminance": (
        "1-(2*a*b+c)/(a**2+b**2+c)",
        "a",
        {"a": v(0.3, 1e200), "b": v(0.5, 2e200), "c": v(0.01)},
    ),
    "concordance_small": (CCC, "x", {"x": TINY, "y": v([0.5, 1.0, 2.0], [2e-170, 1e-170, 3e-170])}),
    "concordance_large": (
        CCC,
        "x",
        {
            "x": v([0.3, 2.0, 1.0], [1e170, 2e170, 5e170]),
            "y": v([0.5, 1.0, 2.0], [2e170, 1e170, 3e170]),
        },
    ),
    "inverse_multiquadric": (
        "1/np.sqrt(c**2+np.sum((x-y)**2))",
        "x",
        {"x": v([1.0, 2.0], [1e120, -1e120]), "y": v([0.3, 0.5]), "c": v(1.5)},
    ),
    "student_kernel": (
        "1/(1+np.sum((x-y)**2))",
        "x",
        {"x": v([1.0, 2.0], [1e90, -1e90]), "y": v([0.3, 0.5])},
    ),
    "rational_quadratic": (
        "(1+np.sum((x-y)**2)/(2*a*l**2))**(-a)",
        "l",
        {"x": v([1.0, 2.0], [1e180, -1e180]), "y": v([0.3, 0.5]), "a": v(1.5), "l": v(0.7, 1e180)},
    ),
    "jensen_shannon_near": (
        "0.5*np.sum(p*np.log(2*p/(p+q)))+0.5*np.sum(q*np.log(2*q/(p+q)))",
        "q",
        {"p": v([0.2, 0.3, 0.5]), "q": v([0.4, 0.4, 0.2], [1e-300, 0.3 + 1e-12, 0.7])},
    ),
    "poisson_deviance_near": (
        "2*np.sum(np.where(k>0,k*np.log(k/m),0)-(k-m))",
        "m",
        {"m": v([1.0, 3.0], [1e-200, 4.0 + 1e-9], positive=True), "k": v([0.0, 4.0])},
    ),
    "zero_truncated_poisson": (
        "np.sum(l-k*np.log(l)+np.log(1-np.exp(-l)))",
        "l",
        {"l": v([0.5, 2.0], [1e-20, 800.0], positive=True), "k": v([1.0, 3.0])},
    ),
    "zero_truncated_log_rate": (
        "np.sum(np.exp(a)-k*a+np.log(1-np.exp(-np.exp(a))))",
        "a",
        {"a": v([0.5, 2.0], [-60.0, 6.0]), "k": v([1.0, 3.0])},
    ),
    "tukey_as_numbers": (
        "np.sum((1-(1-(r/4.685)**2)**3)/6)",
        "r",
        {"r": v([0.5, -0.7, 2.0], [1e-200, 4.685, -1e-9])},
    ),
}
