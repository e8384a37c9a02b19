"""More spellings of the same families."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

TABLE: dict[str, Row] = {
    "softsign2": ("np.sum(x*(1+np.abs(x))**-1)", "x", {"x": v([-2.0, 0.3], [-1e12, 1e10])}),
    "tanh_scaled": (
        "np.sum(a*np.tanh(b*x))",
        "x",
        {"x": v([-0.5, 0.3], [-20.0, 30.0]), "a": v(1.7), "b": v(0.7)},
    ),
    "tanh_wrt_b": (
        "np.sum(a*np.tanh(b*x)**2)",
        "b",
        {"x": v([-0.5, 0.3], [-20.0, 30.0]), "a": v(1.7), "b": v(0.7)},
    ),
    "mish_log": ("np.mean(x*np.tanh(softplus(x)))", "x", {"x": v([-0.5, 0.3], [-50.0, 500.0])}),
    "silu_h": ("np.sum(x*np.exp(x)/(np.exp(x)+1))", "x", {"x": v([-0.5, 0.3], [-50.0, 500.0])}),
    "var_ddof": (
        "np.sum((x-np.sum(x)/5)**2)/4",
        "x",
        {"x": v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4])},
    ),
    "std": (
        "np.std(x)",
        "x",
        {"x": v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4])},
    ),
    "ln": (
        "np.sum(c*(x-np.mean(x))/np.sqrt(np.mean((x-np.mean(x))**2)+1e-5))",
        "x",
        {
            "x": v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4]),
            "c": v([1.0, 0.5, -2.0, 0.3, 0.1]),
        },
    ),
    "cos_small": (
        "x@y/(np.sqrt(x@x)*np.sqrt(y@y))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e-150, -4e-150, 1e-150]), "y": v([0.3, 0.2, 0.1])},
    ),
    "cos_big": (
        "np.dot(x,y)/np.sqrt(np.dot(x,x)*np.dot(y,y))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e150, -4e150, 1e150]), "y": v([0.3, 0.2, 0.1])},
    ),
    "norm_unit": (
        "x/np.sqrt(np.sum(x**2))",
        "x",
        {"x": v([1.0, -2.0, 0.5], [3e150, -4e150, 1e150])},
    ),
    "triplet": (
        "np.maximum(0,np.sqrt(np.sum((a-p)**2))-np.sqrt(np.sum((a-n)**2))+1)",
        "a",
        {"a": v([1.0, -2.0], [1.0, 2.0]), "p": v([0.5, 0.1], [1.0000001, 2.0]), "n": v([1.5, 0.7])},
    ),
    "logit_bce": (
        "np.sum(np.maximum(z,0)-z*y+np.log(1+np.exp(-np.abs(z))))",
        "z",
        {"z": v([-0.5, 0.3], [-800.0, 800.0]), "y": v([1.0, 0.0], zero_or_one=True)},
    ),
    "bce_soft2": (
        "np.sum(-y*np.log(sigmoid(z))-(1-y)*np.log(sigmoid(-z)))",
        "z",
        {"z": v([-0.5, 0.3], [-800.0, 800.0]), "y": v([0.3, 0.6], range=(0.0, 1.0))},
    ),
    "lse_max": (
        "np.max(z)+np.log(np.sum(np.exp(z-np.max(z))))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0])},
    ),
    "softmax_max": (
        "np.sum(c*np.exp(z-np.max(z))/np.sum(np.exp(z-np.max(z))))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0]), "c": v([1.0, 2.0, 3.0])},
    ),
    "gmean_log": (
        "np.exp(np.mean(np.log(x)))",
        "x",
        {"x": v([0.5, 1.5, 2.0], [1e-200, 1e-100, 3.0], positive=True)},
    ),
    "lognormal": (
        "np.sum(np.log(x)+0.5*((np.log(x)-m)/s)**2)",
        "x",
        {
            "x": v([0.5, 1.5], [1e-300, 1e300], positive=True),
            "m": v(0.1),
            "s": v(1.2, positive=True),
        },
    ),
    "weibull": (
        "np.sum((x/l)**k-(k-1)*np.log(x/l)-np.log(k/l))",
        "x",
        {
            "x": v([0.5, 1.5], [1e-100, 1e50], positive=True),
            "l": v(1.1, positive=True),
            "k": v(1.5, positive=True),
        },
    ),
    "beta_nll": (
        "-np.sum((a-1)*np.log(x)+(b-1)*np.log(1-x))",
        "x",
        {"x": v([0.5, 0.3], [1e-300, 1 - 2**-40], range=(0.0, 1.0)), "a": v(2.0), "b": v(3.0)},
    ),
    "gamma_nll": (
        "np.sum(a*np.log(b)-(a-1)*np.log(x)+x/b)",
        "b",
        {"x": v([0.5, 0.3]), "a": v(2.0), "b": v(3.0, 1e-100, positive=True)},
    ),
    "logistic_nll": (
        "np.sum(x+2*np.log(1+np.exp(-x)))",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 800.0])},
    ),
    "gumbel": ("np.sum(x+np.exp(-x))", "x", {"x": v([0.5, -0.3], [1e-10, 700.0])}),
    "gompertz": (
        "np.sum(np.exp(-b*np.exp(-x)))",
        "x",
        {"x": v([0.5, -0.3], [-10.0, 800.0]), "b": v(1.5)},
    ),
    "cloglog": ("np.sum(1-np.exp(-np.exp(x)))", "x", {"x": v([0.5, -0.3], [-50.0, 800.0])}),
    "softmin": (
        "np.sum(c*np.exp(-z)/np.sum(np.exp(-z)))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0]), "c": v([1.0, 2.0, 3.0])},
    ),
    "boltz": (
        "np.sum(z*np.exp(z/t)/np.sum(np.exp(z/t)))",
        "z",
        {"z": v([0.5, -1.0, 2.0], [1000.0, 0.0, 999.0]), "t": v(1.0, positive=True)},
    ),
    "hsig": ("np.sum(np.clip(0.2*x+0.5,0,1))", "x", {"x": v([0.5, -0.3], [-1e200, 1e200])}),
    "celu": (
        "np.sum(np.maximum(0,x)+np.minimum(0,a*(np.exp(x/a)-1)))",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 900.0]), "a": v(1.5, positive=True)},
    ),
    "logsig_where": (
        "np.sum(np.where(x>0,-np.log(1+np.exp(-x)),x-np.log(1+np.exp(x))))",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 900.0])},
    ),
    "sig_where": (
        "np.sum(np.where(x>=0,1/(1+np.exp(-x)),np.exp(x)/(1+np.exp(x))))",
        "x",
        {"x": v([0.5, -0.3], [-700.0, 700.0])},
    ),
    "absx": ("np.sum(x*np.sign(x))", "x", {"x": v([0.5, -0.3], [-1e200, 1e-200])}),
    "sqrt1p": ("np.sum(np.sqrt(1+x)-1)", "x", {"x": v([0.5, 0.3], [1e-20, 1e20], positive=True)}),
    "prodp": (
        "np.log(np.prod(p))-np.log(np.prod(q))",
        "p",
        {
            "p": v([0.5, 0.3], [1e-200, 1e-250], positive=True),
            "q": v([0.5, 0.3], [1e-200, 1e-250], positive=True),
        },
    ),
    "xlogx": (
        "np.sum(x*np.log(x/y))",
        "x",
        {
            "x": v([0.5, 0.3], [1e-300, 1e300], positive=True),
            "y": v([0.5, 0.3], [1e-300, 1e300], positive=True),
        },
    ),
    "jsd": (
        "np.sum(p*np.log(p/(0.5*(p+q))))",
        "p",
        {
            "p": v([0.5, 0.3], [1e-300, 0.5], positive=True),
            "q": v([0.5, 0.3], [1e-300, 0.2], positive=True),
        },
    ),
    "rat2": ("np.sum(x**2/(1+x**2))", "x", {"x": v([0.5, -0.3], [1e-200, 1e60])}),
    "tukeyish": (
        "np.sum(np.log(np.cosh(a*x))/a)",
        "x",
        {"x": v([0.5, -0.3], [-800.0, 900.0]), "a": v(2.0, positive=True)},
    ),
    "erfgelu2": ("np.sum(x*(1+erf(x/np.sqrt(2)))/2)", "x", {"x": v([0.5, -0.3], [-10.0, 9.0])}),
    "logPhi": (
        "-np.sum(np.log(0.5*(1+erf(y*z/np.sqrt(2)))))",
        "z",
        {"z": v([0.5, -0.3], [5.0, -20.0]), "y": v([1.0, 1.0])},
    ),
    "swishh": ("np.sum(x*sigmoid(1.702*x))", "x", {"x": v([0.5, -0.3], [-40.0, 800.0])}, 2),
    "tanhh2": ("np.sum(np.log(np.cosh(x)))", "x", {"x": v([0.5, -0.3], [-40.0, 30.0])}, 2),
    "lseh": ("np.log(np.sum(np.exp(z)))", "z", {"z": v([0.5, -0.3], [1000.0, 999.0])}, 2),
    "gmm_w": (
        "-np.log(np.sum(np.exp(a)/np.sum(np.exp(a))*np.exp(-0.5*(x-m)**2)))",
        "a",
        {"a": v([0.5, -0.3], [1000.0, 999.0]), "x": v(0.2), "m": v([0.1, 0.4], [50.0, 60.0])},
    ),
    "mdn_s": (
        "-np.log(np.sum(w*np.exp(-0.5*((x-m)/np.exp(s))**2-s)))",
        "s",
        {
            "w": v([0.5, 0.5], positive=True),
            "x": v(0.2),
            "m": v([0.1, 0.4], [50.0, 60.0]),
            "s": v([0.3, 0.1]),
        },
    ),
    "ce_sm": (
        "-np.mean(np.sum(((1-e)*Y+e/4)*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True)),axis=1))",
        "Z",
        {
            "Z": v(
                [[0.5, -1.0, 2.0, 0.3], [1.0, 2.0, 0.1, 0.2]],
                [[1000.0, 0.0, -1000.0, 999.0], [1.0, 2.0, 3.0, 4.0]],
            ),
            "Y": v([[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], one_hot=True),
            "e": v(0.1),
        },
    ),
    "mish_of_squares": (
        "np.sum(x*((1+np.exp(x))**2-1)/((1+np.exp(x))**2+1))",
        "x",
        {"x": v([-0.5, 0.3, 2.0], [-40.0, 500.0, 0.0])},
    ),
    "ordinal_of_tanh": (
        "-np.log(0.5+0.5*np.tanh(0.5*(b-z))-1/(1+np.exp(-(a-z))))",
        "z",
        {"z": v(0.3, -800.0), "a": v(-1.0), "b": v(1.5)},
    ),
    "pseudo_huber_of_size": (
        "np.sum(np.sqrt(np.abs(r/c)**2+1)-1)",
        "c",
        {"r": v([-2.0, 0.5], [-1e200, 1e-200]), "c": v(1.5, positive=True)},
    ),
    "pseudo_huber_by_hypot": (
        "np.sum(np.hypot(np.abs(r)/c,1)-1)",
        "c",
        {"r": v([-2.0, 0.5], [-1e200, 1e-200]), "c": v(1.5, positive=True)},
    ),
    "focal_einsum": (
        "-np.einsum('i,i->',y*(1-softmax(z))**2,np.log(softmax(z)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0], [0.0, -50.0, 60.0]),
            "y": v([0.0, 0.0, 1.0], one_hot=True),
        },
    ),
}
