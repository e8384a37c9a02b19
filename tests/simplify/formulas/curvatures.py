"""Second derivatives, matrix forms, logarithms of products and signed functions."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "geomean_hess": (
        "np.prod(x)**(1/3)",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [1e-100, 1e-50, 3.0], positive=True),
        },
        2,
    ),
    "entropy_hess": (
        "np.sum(p*np.log(p))",
        "p",
        {
            "p": v([0.5, 0.2], [1e-200, 0.5], positive=True),
        },
        2,
    ),
    "lse_T_hess": (
        "T*np.log(np.sum(np.exp(z/T)))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
            "T": v(0.5, positive=True),
        },
        2,
    ),
    "ce_rows_hess": (
        "-np.sum(Y*np.log(np.exp(Z)/np.sum(np.exp(Z),axis=1,keepdims=True)))",
        "Z",
        {
            "Z": v([[0.5, -1.0], [0.1, 0.2]], [[1000.0, 0.0], [-1000.0, -1001.0]]),
            "Y": v([[0.0, 1.0], [1.0, 0.0]], one_hot=True),
        },
        2,
    ),
    "entropy_softmax_hvp": (
        "-np.sum(np.exp(z)/np.sum(np.exp(z))*np.log(np.exp(z)/np.sum(np.exp(z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0], [800.0, 0.0, 799.0]),
            "d": v([1.0, -2.0, 0.5]),
        },
        2,
        "d",
    ),
    "focal_hess": (
        "np.sum(-y*(1-1/(1+np.exp(-z)))**g*np.log(1/(1+np.exp(-z)))-(1-y)*(1/(1+np.exp(-z)))**g*np.log(1-1/(1+np.exp(-z))))",
        "z",
        {
            "z": v([0.5, -1.0, 2.0], [-100.0, 100.0, 0.5]),
            "y": v([0.0, 1.0, 1.0], zero_or_one=True),
            "g": v(2.0, positive=True),
        },
        2,
    ),
    "tanh_hess_mse": (
        "np.sum((np.tanh(w*x)-y)**2)",
        "w",
        {
            "w": v(0.5, 30.0),
            "x": v([1.0, -2.0]),
            "y": v([0.3, -0.9]),
        },
        2,
    ),
    "logistic_w_hvp": (
        "np.sum(np.log(1+np.exp(-y*(X@w))))",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "w": v([0.5, -1.0], [1000.0, -150.5]),
            "y": v([1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], plus_minus_one=True),
            "d": v([0.3, -1.0]),
        },
        2,
        "d",
    ),
    "ridge_hess": (
        "np.sum((y-X@w)**2)+l*(w@w)",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "y": v([1.0, 2.0, 3.0]),
            "w": v([0.5, -1.0]),
            "l": v(0.1),
        },
        2,
    ),
    "portfolio": (
        "w@S@w-l*(m@w)",
        "w",
        {
            "w": v([0.5, -1.0]),
            "S": v([[2.0, 0.3], [0.3, 1.0]], symmetric=True),
            "m": v([1.0, 2.0]),
            "l": v(0.5),
        },
    ),
    "frob_low_rank": (
        "np.sum((M-U@V)**2)",
        "V",
        {
            "M": v([[1.0, 2.0], [3.0, 4.0]]),
            "U": v([[1.0], [0.5]]),
            "V": v([[0.3, 0.7]]),
        },
    ),
    "matrix_trace_quad": (
        "np.trace(X.T@A@X)",
        "X",
        {
            "X": v([[1.0, 2.0], [3.0, 4.0]]),
            "A": v([[1.0, 0.5], [0.2, 2.0]]),
        },
    ),
    "log_mean_sq_exp": (
        "np.log(np.mean(np.exp(x)**2))",
        "x",
        {
            "x": v([0.5, -1.0], [900.0, 800.0]),
        },
    ),
    "log_sum_sqrt_exp": (
        "np.log(np.sum(np.sqrt(np.exp(x))))",
        "x",
        {
            "x": v([0.5, -1.0], [1900.0, 1800.0]),
        },
    ),
    "log_prod_plus": (
        "np.log(np.prod(1+np.exp(x)))",
        "x",
        {
            "x": v([0.5, -1.0], [900.0, -800.0]),
        },
    ),
    "sqrt_exp_ratio": (
        "np.sqrt(np.exp(a)/(np.exp(a)+np.exp(b)))",
        "a",
        {
            "a": v(0.5, 900.0),
            "b": v(0.2, 899.0),
        },
    ),
    "inv_one_exp_sq": (
        "np.sum(1/(1+np.exp(-x))**2)",
        "x",
        {
            "x": v([0.5, -1.0], [900.0, -400.0]),
        },
    ),
    "log_sigmoid_diff": (
        "np.sum(np.log(1/(1+np.exp(-a)))-np.log(1/(1+np.exp(-b))))",
        "a",
        {
            "a": v([0.5, -1.0], [900.0, -800.0]),
            "b": v([0.2, 0.3]),
        },
    ),
    "logaddexp_minus": (
        "np.log(1+np.exp(a)+np.exp(b)+np.exp(a+b))",
        "a",
        {
            "a": v(0.5, 900.0),
            "b": v(0.2, 899.0),
        },
    ),
    "log_1m_prod": (
        "np.log(1-np.prod(1-p))",
        "p",
        {
            "p": v([0.1, 0.2], [1e-17, 1e-18], range=(0.0, 1.0)),
        },
    ),
    "noisy_or_nll": (
        "-np.sum(y*np.log(1-np.exp(-X@w))-(1-y)*(X@w))",
        "w",
        {
            "X": v([[1.0, 0.5], [0.3, 2.0], [1.5, 0.7]]),
            "w": v([0.5, 1.0], [1e-18, 2e-18], positive=True),
            "y": v([1.0, 0.0, 1.0], zero_or_one=True),
        },
    ),
    "softmax_2class": (
        "-np.log(np.exp(a)/(np.exp(a)+np.exp(-a)))",
        "a",
        {
            "a": v(0.5, -900.0),
        },
    ),
    "mu_law": (
        "np.sum(np.sign(x)*np.log(1+m*np.abs(x))/np.log(1+m))",
        "x",
        {
            "x": v([0.3, -0.5], [1e-200, -1e200]),
            "m": v(255.0, positive=True),
        },
    ),
    "signed_sqrt": (
        "np.sum(np.sign(x)*np.sqrt(np.abs(x)))",
        "x",
        {
            "x": v([0.3, -0.5], [1e-200, -1e200], nonzero=True),
        },
    ),
    "signed_log": (
        "np.sum(np.sign(x)*np.log(1+np.abs(x)))",
        "x",
        {
            "x": v([0.3, -0.5], [1e-200, -1e200]),
        },
    ),
    "asinh_loss": (
        "np.sum((np.arcsinh(x)-np.arcsinh(y))**2)",
        "x",
        {
            "x": v([0.3, -0.5], [1e200, -1e-200]),
            "y": v([0.1, 0.2]),
        },
    ),
    "softclip": (
        "np.sum(np.log((1+np.exp(x))/(1+np.exp(x-1))))",
        "x",
        {
            "x": v([0.3, -0.5], [900.0, -800.0]),
        },
    ),
    "soft_clip_p": (
        "np.sum(np.log((1+np.exp(p*x))/(1+np.exp(p*(x-1))))/p)",
        "x",
        {
            "x": v([0.3, -0.5], [90.0, -80.0]),
            "p": v(10.0, positive=True),
        },
    ),
    "hard_sig_log": (
        "-np.sum(np.log(np.clip(0.2*x+0.5,1e-7,1-1e-7)))",
        "x",
        {
            "x": v([0.3, -0.5], [1e200, -1e200]),
        },
    ),
    "clipped_bce": (
        "-np.sum(y*np.log(np.clip(1/(1+np.exp(-z)),1e-7,1-1e-7))+(1-y)*np.log(1-np.clip(1/(1+np.exp(-z)),1e-7,1-1e-7)))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
            "y": v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True),
        },
    ),
    "log_clip": (
        "-np.sum(np.log(np.maximum(p,1e-12)))",
        "p",
        {
            "p": v([0.3, 0.5], [1e-300, 0.5], nonnegative=True),
        },
    ),
}
