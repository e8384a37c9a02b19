"""Margins and robust losses."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "mish_exp": (
        "np.sum(x*((1+np.exp(x))**2-1)/((1+np.exp(x))**2+1))",
        "x",
        {"x": v([-2.0, 0.5], [-40.0, 300.0])},
    ),
    "gelu_sig": (
        "np.sum(x/(1+np.exp(-1.702*x)))",
        "x",
        {"x": v([-2.0, 0.5, 1.0], [-400.0, 40.0, 800.0])},
    ),
    "gelu_tanh_mean": (
        "np.mean(x*0.5*(1.0+np.tanh(0.7978845608028654*(x+0.044715*np.power(x,3)))))",
        "x",
        {"x": v([-2.0, 0.5, 1.0], [-12.0, 10.0, 300.0])},
    ),
    "gelu_hess": (
        "np.sum(0.5*x*(1+erf(x/np.sqrt(2))))",
        "x",
        {"x": v([-2.0, 0.5], [-12.0, 10.0])},
        2,
    ),
    "ordinal": (
        "-np.log(1/(1+np.exp(-(b-z)))-1/(1+np.exp(-(a-z))))",
        "z",
        {"z": v(0.3, 800.0), "a": v(-1.0), "b": v(1.0)},
    ),
    "ordinal_neg": (
        "-np.log(1/(1+np.exp(-(b-z)))-1/(1+np.exp(-(a-z))))",
        "z",
        {"z": v(0.3, -800.0), "a": v(-1.0), "b": v(1.0)},
    ),
    "discretised_logistic": (
        "-np.sum(np.log(1/(1+np.exp(-(x+h-m)/s))-1/(1+np.exp(-(x-h-m)/s))))",
        "m",
        {
            "x": v([0.3, -0.5], [80.0, -90.0]),
            "h": v(0.1, positive=True),
            "m": v(0.2),
            "s": v(0.5, 0.1, positive=True),
        },
    ),
    "logistic_pdf": (
        "-np.sum(np.log(np.exp(-x)/(1+np.exp(-x))**2))",
        "x",
        {"x": v([0.3, -0.5, 2.0], [800.0, -900.0, 40.0])},
    ),
    "logistic_sech": (
        "np.sum(2*np.log(np.cosh(x/2))+np.log(4))",
        "x",
        {"x": v([0.3, -0.5, 2.0], [1600.0, -1800.0, 40.0])},
    ),
    "logcosh_mean": (
        "np.mean(np.log(np.cosh(p-t)))",
        "p",
        {"p": v([0.3, -0.5, 2.0], [800.0, -900.0, 1e-09]), "t": v([0.1, 0.2, 0.0])},
    ),
    "logcosh_hess": ("np.sum(np.log(np.cosh(x)))", "x", {"x": v([0.3, -0.5], [300.0, -20.0])}, 2),
    "exp_minus_1_minus_x": (
        "np.sum(np.exp(x)-1-x)",
        "x",
        {"x": v([0.3, -0.5, 2.0], [1e-10, -1e-200, 600.0])},
    ),
    "schlick": (
        "np.sum(np.log(1+np.exp(x))-np.log(2)-x/2)",
        "x",
        {"x": v([0.3, -0.5, 2.0], [1e-10, -1e-200, 60.0])},
    ),
    "savage": (
        "np.sum(1/(1+np.exp(y*z))**2)",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-300.0, -40.0, 0.25, 40.0, 300.0]),
            "y": v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "tangent": (
        "np.sum((2*np.arctan(y*z)-1)**2)",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-10000000000.0, -40.0, 0.25, 40.0, 10000000000.0]),
            "y": v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "log_exp_loss": (
        "np.log(np.sum(np.exp(-y*z)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 700.0]),
            "y": v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "modified_huber": (
        "np.sum(np.where(y*z>=-1,np.maximum(0,1-y*z)**2,-4*y*z))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.5, 2.5], [-1e200, -1e-200, 0.25, 40.0, 1e200]),
            "y": v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True),
        },
    ),
    "crammer": (
        "np.maximum(0,1+np.max(z+np.where(np.arange(4)==k,-np.inf,0))-z[k])",
        "z",
        {"z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]), "k": v(2, labels=4)},
    ),
    "fair": (
        "np.sum(c**2*(np.abs(r)/c-np.log(1+np.abs(r)/c)))",
        "r",
        {"r": v([0.5, -1.0, 2.0], [1e-10, -1e200, 11.0]), "c": v(1.4, positive=True)},
    ),
    "barron": (
        "np.sum(np.abs(a-2)/a*(((r/c)**2/np.abs(a-2)+1)**(a/2)-1))",
        "r",
        {
            "r": v([0.5, -1.0, 2.0], [1e-200, -1e100, 11.0]),
            "a": v(1.0, positive=True),
            "c": v(1.5, positive=True),
        },
    ),
    "softthr_sq": (
        "0.5*np.sum((np.sign(x)*np.maximum(np.abs(x)-t,0))**2)",
        "x",
        {"x": v([0.5, -1.0, 2.0], [1e-200, -1e150, 11.0]), "t": v(0.7, positive=True)},
    ),
    "expectile": (
        "np.mean(np.abs(t-np.where(y<x,1,0))*(y-x)**2)",
        "x",
        {"x": v([0.5, -1.0, 2.0], [1e-200, -1e100, 11.0]), "y": v([0.1, 0.2, 0.3]), "t": v(0.3)},
    ),
    "huber_min": (
        "np.sum(np.minimum(np.abs(r),d)*(np.abs(r)-0.5*np.minimum(np.abs(r),d)))",
        "r",
        {"r": v([0.5, -1.5, 2.0], [1e-200, -1e200, 11.0]), "d": v(1.0, positive=True)},
    ),
    "huber_rev": (
        "np.sum(np.where(np.abs(r)<=d,np.abs(r),(r**2+d**2)/(2*d)))",
        "r",
        {"r": v([0.5, -1.5, 2.0], [1e-200, -1e100, 11.0]), "d": v(1.0, positive=True)},
    ),
    "arctan_loss": (
        "np.sum(np.arctan(r**2))",
        "r",
        {"r": v([0.5, -1.5, 2.0], [1e-200, -1e70, 11.0])},
    ),
    "mape": (
        "np.mean(np.abs((y-x)/y))",
        "x",
        {
            "x": v([0.5, -1.5, 2.0], [1e-200, -1e200, 11.0]),
            "y": v([0.1, 0.2, 0.3], [1e-100, 1e100, 0.3], nonzero=True),
        },
    ),
    "smape": (
        "np.mean(np.abs(x-y)/(np.abs(x)+np.abs(y)))",
        "x",
        {
            "x": v([0.5, -1.5, 2.0], [1e-200, -1e200, 11.0]),
            "y": v([0.1, 0.2, 0.3], [2e-200, 3e200, 0.3]),
        },
    ),
    "log_mse": (
        "np.log(np.mean((x-y)**2))",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [1e-200, 2e-200, -3e-200]),
            "y": v([0.1, 0.2, 0.3], [0.0, 0.0, 0.0]),
        },
    ),
    "r2": (
        "1-np.sum((y-x)**2)/np.sum((y-np.mean(y))**2)",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [100000000.0, 100000001.0, 100000005.0]),
            "y": v([0.1, 0.2, 0.3], [100000000.0, 100000001.0, 100000004.0]),
        },
    ),
}
