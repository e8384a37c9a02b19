"""Layers that normalise, means of powers, functions with a removable singularity."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "magnet_soft_triplet": (
        "np.mean(np.log(1+np.exp(np.sqrt(np.sum((A-P)**2,axis=1))-np.sqrt(np.sum((A-N)**2,axis=1)))))",
        "A",
        {
            "A": v([[1.0, -2.0], [0.3, 0.2]], [[1000.0, -2000.0], [1e-180, 2e-180]]),
            "P": v([[0.5, 0.1], [0.1, 0.2]]),
            "N": v([[1.5, 0.7], [0.3, 0.4]]),
        },
    ),
    "ln_gain_loss": (
        "np.sum((g*(x-np.mean(x))/np.std(x)+b-y)**2)",
        "x",
        {
            "x": v(
                [1.0, 2.0, 4.0, 7.0, 3.0],
                [100000000.0, 100000001.0, 100000002.0, 100000003.0, 100000004.0],
            ),
            "g": v([1.0, 0.5, -2.0, 0.3, 0.1]),
            "b": v([1.0, 0.5, -2.0, 0.3, 0.1]),
            "y": v([0.3, 0.1, 0.5, 0.7, 2.0]),
        },
    ),
    "ln_hand_sum": (
        "np.sum(c*(x-np.sum(x)/5)/np.sqrt(np.sum((x-np.sum(x)/5)**2)/5+e))",
        "x",
        {
            "x": v(
                [1.0, 2.0, 4.0, 7.0, 3.0],
                [100000000.0, 100000001.0, 100000002.0, 100000003.0, 100000004.0],
            ),
            "c": v([1.0, 0.5, -2.0, 0.3, 0.1]),
            "e": v(1e-05, positive=True),
        },
    ),
    "instance_norm": (
        "np.sum(C*(A-A.mean(axis=(1,2),keepdims=True))/np.sqrt(A.var(axis=(1,2),keepdims=True)+1e-5))",
        "A",
        {
            "A": v(
                [[[1.0, 2.0], [3.0, 5.0]], [[0.1, 0.2], [0.5, -1.0]]],
                [
                    [[100000000.0, 100000001.0], [100000003.0, 100000007.0]],
                    [[0.1, 0.2], [0.5, -1.0]],
                ],
            ),
            "C": v([[[1.0, 0.5], [-2.0, 0.3]], [[0.1, 1.0], [2.0, -3.0]]]),
        },
    ),
    "rms_norm_g": (
        "np.sum(c*(g*x/np.sqrt(np.mean(x**2)+1e-6)))",
        "x",
        {
            "x": v([1.0, -2.0, 0.5, 0.3], [1e180, -2e180, 1e170, 0.0]),
            "g": v([1.0, 2.0, 3.0, 4.0]),
            "c": v([1.0, 0.5, -2.0, 0.3]),
        },
    ),
    "rms_norm_small": (
        "np.sum(c*x*(np.mean(x**2)+1e-6)**-0.5)",
        "x",
        {
            "x": v([1.0, -2.0, 0.5, 0.3], [1e180, -2e180, 1e170, 0.0]),
            "c": v([1.0, 0.5, -2.0, 0.3]),
        },
    ),
    "whiten_ddof1": (
        "np.sum(c*(x-np.mean(x))/np.sqrt(np.sum((x-np.mean(x))**2)/4))",
        "x",
        {
            "x": v(
                [1.0, 2.0, 4.0, 7.0, 3.0],
                [100000000.0, 100000001.0, 100000002.0, 100000003.0, 100000004.0],
            ),
            "c": v([1.0, 0.5, -2.0, 0.3, 0.1]),
        },
    ),
    "zscore_mad": (
        "np.sum(c*(x-np.mean(x))/np.mean(np.abs(x-np.mean(x))))",
        "x",
        {
            "x": v(
                [1.0, 2.0, 4.0, 7.0, 3.0],
                [100000000.0, 100000001.0, 100000002.0, 100000003.0, 100000004.0],
            ),
            "c": v([1.0, 0.5, -2.0, 0.3, 0.1]),
        },
    ),
    "minmax_scale": (
        "np.sum(c*(x-np.min(x))/(np.max(x)-np.min(x)))",
        "x",
        {
            "x": v(
                [1.0, 2.0, 4.0, 7.0, 3.0],
                [100000000.0, 100000001.0, 100000002.0, 100000003.0, 100000004.0],
            ),
            "c": v([1.0, 0.5, -2.0, 0.3, 0.1]),
        },
    ),
    "power_mean_log": (
        "np.log(np.mean(x**p))/p",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [1e-200, 2e-200, 3e-200], positive=True),
            "p": v(3.0, positive=True),
        },
    ),
    "lehmer": (
        "np.sum(x**p)/np.sum(x**(p-1))",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [1e-200, 2e-200, 3e-200], positive=True),
            "p": v(3.0, positive=True),
        },
    ),
    "lehmer2": (
        "np.sum(x**2)/np.sum(x)",
        "x",
        {
            "x": v([0.5, 1.5, 2.0], [1e-200, 2e-200, 3e-200], positive=True),
        },
    ),
    "pnorm_loss": (
        "np.sum(np.abs(x-y)**p)**(1/p)",
        "x",
        {
            "x": v([0.5, -1.5, 2.0], [1e150, -2e150, 3e149]),
            "y": v([0.1, 0.2, 0.3]),
            "p": v(3.0, positive=True),
        },
    ),
    "softmax_pool_p": (
        "np.log(np.sum(np.exp(p*x)))/p",
        "p",
        {
            "x": v([0.5, -1.5, 2.0], [1000.0, -500.0, 999.0]),
            "p": v(3.0, positive=True),
        },
    ),
    "softplus_inv_scaled": (
        "np.sum(np.log(np.exp(b*x)-1)/b)",
        "x",
        {
            "x": v([0.5, 1.5], [800.0, 1e-12], positive=True),
            "b": v(2.0, positive=True),
        },
    ),
    "squareplus": (
        "np.sum(0.5*(x+np.sqrt(x**2+b)))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [-10000000000.0, 1e200, -1e200]),
            "b": v(4.0, positive=True),
        },
    ),
    "squareplus_b": (
        "np.sum((x+np.sqrt(x**2+b))/2)",
        "b",
        {
            "x": v([-2.0, 0.3, 1.0], [-10000000000.0, 1e200, -1e200]),
            "b": v(4.0, positive=True),
        },
    ),
    "gelu_tanh_hess": (
        "np.sum(0.5*x*(1+np.tanh(np.sqrt(2/np.pi)*(x+0.044715*x**3))))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [-6.0, 20.0, -40.0]),
        },
        2,
    ),
    "selu": (
        "np.sum(1.0507*np.where(x>0,x,1.67326*(np.exp(x)-1)))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [-60.0, 800.0, -800.0]),
        },
    ),
    "selu_hess": (
        "np.sum(1.0507*np.where(x>0,x,1.67326*(np.exp(x)-1)))",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [-60.0, 800.0, -1e-10]),
        },
        2,
    ),
    "softexp": (
        "np.sum((np.exp(a*x)-1)/a+a)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [-60.0, 1.0, -1e-10]),
            "a": v(0.5, positive=True),
        },
    ),
    "softexp_a": (
        "np.sum((np.exp(a*x)-1)/a+a)",
        "a",
        {
            "x": v([-2.0, 0.3, 1.0]),
            "a": v(0.5, 1e-10, positive=True),
        },
    ),
    "boxcox": (
        "np.sum(((x**l-1)/l-y)**2)",
        "l",
        {
            "x": v([2.0, 0.3, 1.0], positive=True),
            "y": v([0.1, 0.2, 0.3]),
            "l": v(0.5, 1e-10),
        },
    ),
    "boxcox_x": (
        "np.sum(((x**l-1)/l-y)**2)",
        "x",
        {
            "x": v([2.0, 0.3, 1.0], positive=True),
            "y": v([0.1, 0.2, 0.3]),
            "l": v(0.5, 1e-12, positive=True),
        },
    ),
    "tsallis_entropy_q": (
        "(1-np.sum(p**q))/(q-1)",
        "p",
        {
            "p": v([0.1, 0.3, 0.6], sums_to_one=True),
            "q": v(2.0, 1.0000000000009095),
        },
    ),
    "snake": (
        "np.sum(x+np.sin(a*x)**2/a)",
        "a",
        {
            "x": v([-2.0, 0.3, 1.0]),
            "a": v(0.5, 1e-08, positive=True),
        },
    ),
    "expm1_over_x": (
        "np.sum((np.exp(x)-1)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 700.0], nonzero=True),
        },
    ),
    "log1p_over_x": (
        "np.sum(np.log(1+x)/x)",
        "x",
        {
            "x": v([2.0, 0.3, 1.0], [1e-09, 1e-05, 1e200], positive=True),
        },
    ),
    "sinc": (
        "np.sum(np.sin(x)/x)",
        "x",
        {
            "x": v([-2.0, 0.3, 1.0], [1e-09, -1e-05, 20.0], nonzero=True),
        },
    ),
    "one_minus_exp_over_x": (
        "np.sum((1-np.exp(-x))/x)",
        "x",
        {
            "x": v([2.0, 0.3, 1.0], [1e-09, 1e-05, 900.0], positive=True),
        },
    ),
}
