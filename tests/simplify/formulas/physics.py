"""Laws of chemistry and physics, and functions with corners."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "softplus_b_wrt_b": (
        "np.sum(np.log(1+np.exp(b*x))/b)",
        "b",
        {
            "b": v(2.0, 1e-09, positive=True),
            "x": v([-2.0, 0.3, 1.0]),
        },
    ),
    "lse_beta_small_x": (
        "np.log(np.mean(np.exp(b*x)))/b",
        "x",
        {
            "b": v(2.0, 1e-12, positive=True),
            "x": v([-2.0, 0.3, 1.0]),
        },
    ),
    "logcosh_a_small": (
        "np.sum(np.log(np.cosh(a*x))/a)",
        "a",
        {
            "a": v(2.0, 1e-06, positive=True),
            "x": v([-2.0, 0.3, 1.0]),
        },
    ),
    "cosh_minus_one": (
        "np.sum(np.cosh(x)-1)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "one_minus_cos_plain": (
        "np.sum(1-np.cos(x))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 5.0], nonzero=True),
        },
    ),
    "slerp": (
        "np.sum(a*np.sin((1-t)*w)/np.sin(w)+b*np.sin(t*w)/np.sin(w))",
        "t",
        {
            "a": v([-2.0, 0.3, 1.0]),
            "b": v([1.0, 2.0, 3.0], positive=True),
            "t": v(0.3),
            "w": v(0.7, 1e-09, positive=True),
        },
    ),
    "rodrigues": (
        "np.sum(a*np.sin(w)/w+b*(1-np.cos(w))/w**2)",
        "w",
        {
            "a": v([-2.0, 0.3, 1.0]),
            "b": v([1.0, 2.0, 3.0], positive=True),
            "w": v(0.7, 1e-09, positive=True),
        },
    ),
    "swish_small": (
        "np.sum(x/(1+np.exp(-b*x)))",
        "b",
        {
            "b": v(2.0, 1e-12),
            "x": v([-2.0, 0.3, 1.0]),
        },
    ),
    "gelu_poly": (
        "np.sum(x*np.maximum(0,np.minimum(1,0.5+x/6)))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [-1e200, 1e200, 1.0]),
        },
    ),
    "bump": (
        "np.sum(np.where(np.abs(x)<1,np.exp(-1/(1-x**2)),0))",
        "x",
        {
            "x": v([-2.0, 0.3, 0.5], [-1e200, 0.99999, 1e160]),
        },
    ),
    "smoothstep": (
        "np.sum(np.where(x<0,0,np.where(x>1,1,x*x*(3-2*x))))",
        "x",
        {
            "x": v([-2.0, 0.3, 0.5], [-1e200, 0.9, 1e160]),
        },
    ),
    "inv_logit_diff": (
        "np.sum(1/(1+np.exp(-a))-1/(1+np.exp(-b)))",
        "a",
        {
            "a": v([0.5, -1.0], [800.0, -800.0]),
            "b": v([0.2, 0.3], [799.0, -801.0]),
        },
    ),
    "hill_log_dose": (
        "np.sum(1/(1+np.exp(n*(np.log(k)-np.log(x)))))",
        "k",
        {
            "n": v(2.0, positive=True),
            "k": v(1.5, 1e-200, positive=True),
            "x": v([1.0, 2.0], [1e-200, 1e200], positive=True),
        },
    ),
    "arrhenius": (
        "np.sum(A*np.exp(-E/(R*t)))",
        "t",
        {
            "A": v(2.0),
            "E": v(3.0, 3000.0, positive=True),
            "R": v(8.3, positive=True),
            "t": v([1.0, 2.0], [0.001, 300.0], positive=True),
        },
    ),
    "planck_law": (
        "np.sum(f**3/(np.exp(h*f/t)-1))",
        "t",
        {
            "f": v([1.0, 2.0], [1e-09, 1000.0], positive=True),
            "h": v(1.5, positive=True),
            "t": v(1.2, positive=True),
        },
    ),
    "planck_law_f": (
        "np.sum(f**3/(np.exp(h*f/t)-1))",
        "f",
        {
            "f": v([1.0, 2.0], [1e-09, 1000.0], positive=True),
            "h": v(1.5, positive=True),
            "t": v(1.2, positive=True),
        },
    ),
    "fermi": (
        "np.sum(1/(np.exp((e-m)/t)+1))",
        "t",
        {
            "e": v([1.0, 2.0], [1000.0, -2000.0]),
            "m": v(1.2),
            "t": v(0.5, positive=True),
        },
    ),
    "bose": (
        "np.sum(1/(np.exp((e-m)/t)-1))",
        "e",
        {
            "e": v([1.0, 2.0], [1000.0, 0.2000000001], positive=True),
            "m": v(0.2),
            "t": v(0.5, positive=True),
        },
    ),
    "free_energy": (
        "-t*np.sum(np.log(1+np.exp(-(e-m)/t)))",
        "t",
        {
            "e": v([1.0, 2.0], [1000.0, -2000.0]),
            "m": v(1.2),
            "t": v(0.5, positive=True),
        },
    ),
    "morse": (
        "np.sum(D*(1-np.exp(-a*(r-q)))**2)",
        "r",
        {
            "D": v(2.0),
            "a": v(1.5),
            "q": v(1.0),
            "r": v([1.0, 2.0], [1.0000000000009095, 900.0]),
        },
    ),
    "lennard_jones": (
        "np.sum(4*e*((s/r)**12-(s/r)**6))",
        "r",
        {
            "e": v(2.0),
            "s": v(1.5, positive=True),
            "r": v([1.0, 2.0], [1e60, 2e-20], positive=True),
        },
    ),
    "lennard_jones_s": (
        "np.sum(4*e*((s/r)**12-(s/r)**6))",
        "s",
        {
            "e": v(2.0),
            "s": v(1.5, positive=True),
            "r": v([1.0, 2.0], [1e60, 2e-20], positive=True),
        },
    ),
}
