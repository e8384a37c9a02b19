"""Choices, distances, distributions and kernels."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "theil": (
        "np.mean(x/np.mean(x)*np.log(x/np.mean(x)))",
        "x",
        {
            "x": v([1.0, 2.0, 0.5], [1e-200, 3e-200, 2e-201], positive=True),
        },
    ),
    "gini_pairs": (
        "np.sum(np.abs(x[:,None]-x[None,:]))/(2*3*np.sum(x))",
        "x",
        {
            "x": v([1.0, 2.0, 0.5], [1e-200, 3e-200, 2e-201], positive=True),
        },
    ),
    "atkinson": (
        "1-np.mean(x**(1-e))**(1/(1-e))/np.mean(x)",
        "x",
        {
            "x": v([1.0, 2.0, 0.5], [1e-200, 3e-200, 2e-201], positive=True),
            "e": v(0.5),
        },
    ),
    "sharpe": (
        "np.mean(r)/np.std(r)",
        "r",
        {
            "r": v([0.1, -0.2, 0.3, 0.05], [100000000.1, 99999999.8, 100000000.3, 100000000.0]),
        },
    ),
    "entropic_risk": (
        "np.log(np.mean(np.exp(-g*x)))/g",
        "x",
        {
            "x": v([0.1, -0.2, 0.3], [-1000.0, 2000.0, 500.0]),
            "g": v(1.5, positive=True),
        },
    ),
    "kelly": (
        "-np.sum(p*np.log(1+f*b))",
        "f",
        {
            "p": v([0.4, 0.6], sums_to_one=True),
            "f": v(0.3, 1e-15, positive=True),
            "b": v([1.5, 0.2], positive=True),
        },
    ),
    "ces": (
        "(a*x**r+(1-a)*y**r)**(1/r)",
        "x",
        {
            "a": v(0.3, range=(0.0, 1.0)),
            "x": v(1.5, 1e200, positive=True),
            "y": v(0.5, 3e200, positive=True),
            "r": v(0.5, 3.0, positive=True),
        },
    ),
    "logit_choice_nest": (
        "np.log(np.exp(l*np.log(np.sum(np.exp(z/l))))+np.exp(w))",
        "z",
        {
            "z": v([0.5, -1.0], [1000.0, 999.0]),
            "l": v(0.5, positive=True),
            "w": v(0.2, 900.0),
        },
    ),
    "mixed_logit": (
        "-np.log(np.mean(np.exp(B[:,0])/np.sum(np.exp(B),axis=1)))",
        "B",
        {
            "B": v(
                [[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]],
                [[1000.0, 1500.0, -1000.0], [-1000.0, -1001.0, -1002.0]],
            ),
        },
    ),
    "probit_erf": (
        "-np.sum(y*np.log(0.5*(1+erf(z/np.sqrt(2))))+(1-y)*np.log(0.5*(1-erf(z/np.sqrt(2)))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-30.0, -8.0, 0.3, 7.0, 20.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "tobit": (
        "-np.sum(np.where(y>0,-0.5*((y-m)/s)**2-np.log(s),np.log(0.5*(1-erf(m/s/np.sqrt(2))))))",
        "m",
        {
            "y": v([0.0, 1.0]),
            "m": v([0.5, 0.3], [20.0, 0.3]),
            "s": v(1.3, positive=True),
        },
    ),
    "skew_logistic": (
        "-np.sum(np.log(a*np.exp(-x)/(1+np.exp(-x))**(a+1)))",
        "x",
        {
            "x": v([0.5, -0.3], [-800.0, 900.0]),
            "a": v(1.5, positive=True),
        },
    ),
    "burr": (
        "-np.sum(np.log(c*k*x**(c-1)/(1+x**c)**(k+1)))",
        "x",
        {
            "x": v([0.5, 1.3], [1e-100, 1e150], positive=True),
            "c": v(2.5, positive=True),
            "k": v(1.5, positive=True),
        },
    ),
    "kumaraswamy": (
        "-np.sum(np.log(a*b*x**(a-1)*(1-x**a)**(b-1)))",
        "x",
        {
            "x": v([0.5, 0.3], [1e-100, 0.9999999999990905], range=(0.0, 1.0)),
            "a": v(2.5, positive=True),
            "b": v(1.5, positive=True),
        },
    ),
    "rayleigh_nll": (
        "np.sum(-np.log(x/s**2)+x**2/(2*s**2))",
        "s",
        {
            "x": v([0.5, 1.3], [1e200, 1e199], positive=True),
            "s": v(1.5, 1e200, positive=True),
        },
    ),
    "maxwell": (
        "np.sum(-2*np.log(x)+3*np.log(a)+x**2/(2*a**2))",
        "a",
        {
            "x": v([0.5, 1.3], [1e200, 1e199], positive=True),
            "a": v(1.5, 1e200, positive=True),
        },
    ),
    "inverse_gamma": (
        "np.sum((a+1)*np.log(x)+b/x-a*np.log(b))",
        "x",
        {
            "x": v([0.5, 1.3], [1e-100, 1e200], positive=True),
            "a": v(1.5, positive=True),
            "b": v(2.0, positive=True),
        },
    ),
    "half_cauchy": (
        "np.sum(np.log(np.pi*s/2)+np.log(1+(x/s)**2))",
        "s",
        {
            "x": v([0.5, 1.3], [1e200, 3e200], positive=True),
            "s": v(1.5, 1e200, positive=True),
        },
    ),
    "laplace_mixture": (
        "-np.sum(np.log(w*np.exp(-np.abs(x)/a)/(2*a)+(1-w)*np.exp(-np.abs(x)/b)/(2*b)))",
        "x",
        {
            "x": v([0.5, -1.3], [3000.0, -2000.0]),
            "w": v(0.3, range=(0.0, 1.0)),
            "a": v(1.0, positive=True),
            "b": v(2.0, positive=True),
        },
    ),
    "contaminated": (
        "-np.sum(np.log((1-e)*np.exp(-0.5*r**2)+e/c))",
        "r",
        {
            "r": v([0.5, -1.3], [100.0, 1e-09]),
            "e": v(0.1, range=(0.0, 1.0)),
            "c": v(10.0, positive=True),
        },
    ),
    "switch_gauss": (
        "-np.log(p*np.exp(-0.5*(x-a)**2/s**2)/s+(1-p)*np.exp(-0.5*(x-b)**2/t**2)/t)",
        "s",
        {
            "p": v(0.3, range=(0.0, 1.0)),
            "x": v(0.5, 60.0),
            "a": v(1.0),
            "b": v(-0.5),
            "s": v(1.2, positive=True),
            "t": v(0.7, positive=True),
        },
    ),
    "rbf_gram_ls": (
        "np.sum((np.exp(-g*(x[:,None]-c)**2)@w-y)**2)",
        "g",
        {
            "x": v([0.5, 1.0], [50.0, 1.0]),
            "c": v([0.2, 0.7, 1.5]),
            "w": v([1.0, -1.0, 0.5]),
            "y": v([0.3, 0.2]),
            "g": v(0.5, positive=True),
        },
    ),
    "rational_quad": (
        "np.sum((1+r**2/(2*a*l**2))**(-a))",
        "r",
        {
            "r": v([0.5, 1.0], [1e200, 1e-200]),
            "a": v(1.5, positive=True),
            "l": v(0.7, positive=True),
        },
    ),
    "rational_quad_l": (
        "np.sum((1+r**2/(2*a*l**2))**(-a))",
        "l",
        {
            "r": v([0.5, 1.0], [1e200, 1e-200]),
            "a": v(1.5, positive=True),
            "l": v(0.7, positive=True),
        },
    ),
    "matern32": (
        "np.sum((1+np.sqrt(3)*r/l)*np.exp(-np.sqrt(3)*r/l))",
        "r",
        {
            "r": v([0.5, 1.0], [1e-12, 2000.0], nonnegative=True),
            "l": v(0.7, positive=True),
        },
    ),
}
