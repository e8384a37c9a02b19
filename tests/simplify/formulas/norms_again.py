"""Norms, distances and kernels at far scales."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "norm_pow": ("np.sum(x**2)**0.5", "x", {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 1e199])}),
    "norm_dot_T": ("np.sqrt(np.dot(x,x))", "x", {"x": v([1.0, -2.0], [0.0, 0.0])}),
    "norm_hess": (
        "np.sqrt(np.sum(x**2))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e100, -4e100, 1e99])},
        2,
    ),
    "dist": (
        "np.sqrt(np.sum((x-y)**2))",
        "x",
        {"x": v([1.0, -2.0]), "y": v([0.5, 1.0], [1.0, -2.0])},
    ),
    "dist_pair": (
        "np.sum(np.sqrt(np.sum((A[:,None,:]-B[None,:,:])**2,axis=2)))",
        "A",
        {
            "A": v([[1.0, -2.0], [0.3, 0.4]], [[1e200, -2e200], [1e-200, 3e-200]]),
            "B": v([[0.5, 0.1], [0.2, 0.7]], [[0.0, 0.0], [1e-200, 3e-200]]),
        },
    ),
    "group_lasso": (
        "np.sum(np.sqrt(np.sum(W**2,axis=0)))",
        "W",
        {"W": v([[1.0, 2.0], [0.5, 0.3]], [[0.0, 1e200], [0.0, 3e200]])},
    ),
    "frob": (
        "np.sqrt(np.trace(A.T@A))",
        "A",
        {"A": v([[1.0, 2.0], [0.5, 0.3]], [[1e200, 2e200], [3e199, 3e200]])},
    ),
    "tv": (
        "np.sum(np.sqrt((x[1:]-x[:-1])**2))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [1.0, 1e200, -1e-200])},
    ),
    "contrastive": (
        "y*np.sum((a-b)**2)+(1-y)*np.maximum(0,m-np.sqrt(np.sum((a-b)**2)))**2",
        "a",
        {
            "a": v([1.0, -2.0]),
            "b": v([0.5, -1.8], [1.0, -2.0]),
            "y": v(0.0, zero_or_one=True),
            "m": v(1.5, positive=True),
        },
    ),
    "triplet_soft": (
        "np.log(1+np.exp(np.sum((a-p)**2)-np.sum((a-n)**2)))",
        "a",
        {"a": v([1.0, -2.0], [40.0, -50.0]), "p": v([0.5, 0.1]), "n": v([1.5, 0.7])},
    ),
    "cos_small2": (
        "1-np.sum(x*y)/np.sqrt(np.sum(x**2)*np.sum(y**2))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e-170, -4e-170, 1e-170]), "y": v([0.3, 0.2, 0.1])},
    ),
    "cos_rows": (
        "np.sum(np.sum(A*B,axis=1)/(np.sqrt(np.sum(A**2,axis=1))*np.sqrt(np.sum(B**2,axis=1))))",
        "A",
        {
            "A": v([[1.0, -2.0], [0.3, 0.4]], [[1e150, -2e150], [1e-150, 3e-150]]),
            "B": v([[0.5, 0.1], [0.2, 0.7]]),
        },
    ),
    "cos_matrix": (
        "np.sum(C*((A/np.sqrt(np.sum(A**2,axis=1,keepdims=True)))@(B/np.sqrt(np.sum(B**2,axis=1,keepdims=True))).T))",
        "A",
        {
            "A": v([[1.0, -2.0], [0.3, 0.4]], [[1e150, -2e150], [1e-150, 3e-150]]),
            "B": v([[0.5, 0.1], [0.2, 0.7]]),
            "C": v([[1.0, 2.0], [-0.5, 0.3]]),
        },
    ),
    "cos_infonce": (
        "-np.log(np.exp(x@y/(np.sqrt(x@x)*np.sqrt(y@y))/t)/(np.exp(x@y/(np.sqrt(x@x)*np.sqrt(y@y))/t)+np.exp(x@n/(np.sqrt(x@x)*np.sqrt(n@n))/t)))",
        "x",
        {
            "x": v([1.0, -2.0, 0.5], [3e150, -4e150, 1e150]),
            "y": v([0.3, 0.2, 0.1]),
            "n": v([-0.3, 0.7, 0.1]),
            "t": v(0.07, 0.01, positive=True),
        },
    ),
    "normalise_l1": (
        "np.sum(c*x/np.sum(np.abs(x)))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 1e200]), "c": v([0.3, 0.2, 0.1])},
    ),
    "normalise_sum": (
        "np.sum(c*x/np.sum(x))",
        "x",
        {"x": v([1.0, 2.0, 0.5], [3e-200, 4e-200, 1e-200], positive=True), "c": v([0.3, 0.2, 0.1])},
    ),
    "log_normalise": (
        "-np.log(x[1]/np.sum(x))",
        "x",
        {"x": v([1.0, 2.0, 0.5], [3e-200, 4e-200, 1e200], positive=True)},
    ),
    "normalised_ent": (
        "-np.sum(x/np.sum(x)*np.log(x/np.sum(x)))",
        "x",
        {"x": v([1.0, 2.0, 0.5], [3e-200, 4e-200, 1e-200], positive=True)},
    ),
    "rayleigh": (
        "x@A@x/(x@x)",
        "x",
        {"x": v([1.0, -2.0], [3e100, -4e100]), "A": v([[1.0, 0.5], [0.5, 2.0]], symmetric=True)},
    ),
    "rayleigh_small": (
        "x@A@x/(x@x)",
        "x",
        {"x": v([1.0, -2.0], [3e-100, -4e-100]), "A": v([[1.0, 0.5], [0.5, 2.0]], symmetric=True)},
    ),
    "signal_noise": (
        "10*np.log(np.sum(y**2)/np.sum((x-y)**2))/np.log(10)",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e200, -4e200, 1e200]), "y": v([0.3, 0.2, 0.1])},
    ),
    "sqrt1m": (
        "np.sum(np.sqrt(1-x)*np.sqrt(1+x))",
        "x",
        {"x": v([0.1, -0.5], [0.9999999999990905, -0.9999999999999991], range=(-1.0, 1.0))},
    ),
    "x_over_sqrt1mx2": (
        "np.sum(x/np.sqrt(1-x**2))",
        "x",
        {"x": v([0.1, -0.5], [0.9999999999990905, -0.9999999999999991], range=(-1.0, 1.0))},
    ),
    "isru": (
        "np.sum(x/np.sqrt(1+a*x**2))",
        "x",
        {"x": v([0.1, -0.5], [1000000000000.0, -1e100]), "a": v(2.0, positive=True)},
    ),
    "elliot": (
        "np.sum(0.5*x/(1+np.abs(x))+0.5)",
        "x",
        {"x": v([0.1, -0.5], [1000000000000.0, -1e100])},
    ),
    "hill": (
        "np.sum(x**n/(k**n+x**n))",
        "x",
        {
            "x": v([0.1, 0.5], [1e-100, 1e100], positive=True),
            "n": v(2.0, positive=True),
            "k": v(0.7, positive=True),
        },
    ),
    "hill_k": (
        "np.sum(x**n/(k**n+x**n))",
        "k",
        {
            "x": v([0.1, 0.5], [1e-200, 1e200], positive=True),
            "n": v(2.0, positive=True),
            "k": v(0.7, positive=True),
        },
    ),
    "hill_log": (
        "-np.sum(np.log(x**n/(k**n+x**n)))",
        "x",
        {
            "x": v([0.1, 0.5], [1e-200, 1e200], positive=True),
            "n": v(2.0, positive=True),
            "k": v(0.7, positive=True),
        },
    ),
    "michaelis": (
        "np.sum(v*x/(k+x))",
        "x",
        {
            "x": v([0.1, 0.5], [1e-200, 1e200], positive=True),
            "v": v(2.0, positive=True),
            "k": v(0.7, positive=True),
        },
    ),
    "michaelis_k": (
        "np.sum(v*x/(k+x))",
        "k",
        {
            "x": v([0.1, 0.5], [1e-200, 1e200], positive=True),
            "v": v(2.0, positive=True),
            "k": v(0.7, positive=True),
        },
    ),
    "parallel_r": (
        "a*b/(a+b)",
        "a",
        {"a": v(0.5, 1e200, positive=True), "b": v(0.3, 3e200, positive=True)},
    ),
    "f_beta": (
        "(1+b**2)*p*r/(b**2*p+r)",
        "p",
        {
            "p": v(0.5, 1e-200, positive=True),
            "r": v(0.3, 3e-200, positive=True),
            "b": v(2.0, positive=True),
        },
    ),
    "inv_sq": ("np.sum(1/(1+r**2))", "r", {"r": v([0.1, -0.5], [1e-200, -1e100])}),
}
