"""Embeddings, transports, adversaries and flows."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "matern32_l": (
        "np.sum((1+np.sqrt(3)*r/l)*np.exp(-np.sqrt(3)*r/l))",
        "l",
        {
            "r": v([0.5, 1.0], [1e-12, 2000.0], nonnegative=True),
            "l": v(0.7, positive=True),
        },
    ),
    "matern52": (
        "np.sum((1+np.sqrt(5)*r/l+5*r**2/(3*l**2))*np.exp(-np.sqrt(5)*r/l))",
        "r",
        {
            "r": v([0.5, 1.0], [1e-12, 200.0], nonnegative=True),
            "l": v(0.7, positive=True),
        },
    ),
    "periodic_kernel": (
        "np.sum(np.exp(-2*np.sin(np.pi*(x-y)/p)**2/l**2))",
        "x",
        {
            "x": v([0.5, 1.0], [1e-09, 1.0]),
            "y": v([0.3, 0.2], [0.0, 0.2]),
            "p": v(1.3, positive=True),
            "l": v(0.7, positive=True),
        },
    ),
    "poly_kernel_log": (
        "np.log((x@y+c)**d)",
        "x",
        {
            "x": v([0.5, 1.0], [1e200, 1e200], positive=True),
            "y": v([0.3, 0.2], positive=True),
            "c": v(1.0, positive=True),
            "d": v(3.0, positive=True),
        },
    ),
    "student_tsne": (
        "np.sum(P*np.log(P/((1+D)**-1/np.sum((1+D)**-1))))",
        "D",
        {
            "P": v([0.1, 0.2, 0.3, 0.4], sums_to_one=True, positive=True),
            "D": v([0.5, 1.0, 2.0, 3.0], [1e200, 1e-200, 10000000000.0, 1e300], positive=True),
        },
    ),
    "umap": (
        "-np.sum(p*np.log(1/(1+a*d**(2*b)))+(1-p)*np.log(1-1/(1+a*d**(2*b))))",
        "d",
        {
            "p": v([0.1, 0.6], range=(0.0, 1.0)),
            "d": v([0.5, 1.0], [1e-100, 1e100], positive=True),
            "a": v(1.5, positive=True),
            "b": v(0.9, positive=True),
        },
    ),
    "sne_sym": (
        "-np.sum(P*np.log(np.exp(-D)/np.sum(np.exp(-D))))",
        "D",
        {
            "P": v([0.1, 0.2, 0.3, 0.4], sums_to_one=True, positive=True),
            "D": v([0.5, 1.0, 2.0, 3.0], [1000.0, 2000.0, 1001.0, 3000.0]),
        },
    ),
    "mds_stress": (
        "np.sqrt(np.sum((d-np.sqrt(np.sum((A[:,None,:]-B[None,:,:])**2,axis=2)))**2)/np.sum(d**2))",
        "A",
        {
            "A": v([[1.0, -0.5], [0.3, 2.0]], [[1.0, -0.5], [0.001, 0.001]]),
            "B": v([[0.1, 0.5], [0.2, -1.0]], [[1.0, -0.5], [0.0, 0.0]]),
            "d": v([[1.0, 2.0], [0.5, 1.0]]),
        },
    ),
    "sammon": (
        "np.sum((d-np.abs(x-y))**2/d)",
        "x",
        {
            "d": v([1.0, 2.0], [1e-200, 2.0], positive=True),
            "x": v([0.5, 1.0], [1e-200, 1.0]),
            "y": v([0.1, 0.3], [-2e-200, 0.3]),
        },
    ),
    "lse_convex_conj": (
        "np.sum(p*z)-np.log(np.sum(np.exp(z)))",
        "z",
        {
            "p": v([0.1, 0.2, 0.3, 0.4], sums_to_one=True),
            "z": v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0]),
        },
    ),
    "sinkhorn_dual": (
        "np.sum(a*f)-e*np.sum(a*np.log(np.sum(np.exp((f[:,None]+g[None,:]-C)/e)*b[None,:],axis=1)))",
        "g",
        {
            "a": v([0.4, 0.6], sums_to_one=True, positive=True),
            "b": v([0.5, 0.5], sums_to_one=True, positive=True),
            "f": v([0.1, 0.2]),
            "g": v([0.3, -0.1], [1.0, 50.0]),
            "C": v([[0.5, 1.0], [1.5, 0.2]], [[1000.0, 10.0], [15.0, 2000.0]]),
            "e": v(0.5, 0.1, positive=True),
        },
    ),
    "wgan_gp": (
        "(np.sqrt(np.sum(g**2))-1)**2",
        "g",
        {
            "g": v([0.5, -1.0], [1e200, 1e199]),
        },
    ),
    "gan_ns": (
        "-np.mean(np.log(1/(1+np.exp(-z))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
        },
    ),
    "lsgan": (
        "0.5*np.mean((1/(1+np.exp(-z))-1)**2)",
        "z",
        {
            "z": v([-2.0, 0.5], [-300.0, 300.0]),
        },
    ),
    "hinge_gan": (
        "np.mean(np.maximum(0,1-a))+np.mean(np.maximum(0,1+b))",
        "a",
        {
            "a": v([0.5, 2.0], [1e300, -1e300]),
            "b": v([0.5, -2.0]),
        },
    ),
    "vae_bce_kl": (
        "-np.sum(x*np.log(1/(1+np.exp(-z)))+(1-x)*np.log(1-1/(1+np.exp(-z))))-0.5*np.sum(1+s-m**2-np.exp(s))",
        "s",
        {
            "x": v([0.2, 0.9], range=(0.0, 1.0)),
            "z": v([0.5, -1.0], [800.0, -800.0]),
            "s": v([0.1, -0.2], [1e-12, -800.0]),
            "m": v([0.3, 0.1]),
        },
    ),
    "flow_affine": (
        "0.5*np.sum(((x-b)*np.exp(-s))**2)+np.sum(s)",
        "s",
        {
            "x": v([0.2, 0.9]),
            "b": v([0.5, -1.0]),
            "s": v([0.1, -0.2], [400.0, -300.0]),
        },
    ),
    "flow_sigmoid_logdet": (
        "-np.sum(np.log(1/(1+np.exp(-z))*(1-1/(1+np.exp(-z)))))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
        },
    ),
    "flow_tanh_logdet": (
        "-np.sum(np.log(1-np.tanh(z)**2))",
        "z",
        {
            "z": v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0]),
        },
    ),
    "flow_planar": (
        "-np.log(np.abs(1+u@((1-np.tanh(w@x+b)**2)*w)))",
        "b",
        {
            "u": v([0.5, 0.3]),
            "w": v([1.0, -0.5]),
            "x": v([0.2, 0.7]),
            "b": v(0.1, 400.0),
        },
    ),
    "logit_flow": (
        "-np.sum(np.log(1/x+1/(1-x)))",
        "x",
        {
            "x": v([0.2, 0.9], [1e-200, 0.9999999999990905], range=(0.0, 1.0)),
        },
    ),
    "quadratic_root": (
        "(-b+np.sqrt(b**2-4*a*c))/(2*a)",
        "b",
        {
            "a": v(1.0, positive=True),
            "b": v(5.0, 1e200, positive=True),
            "c": v(1.0, positive=True),
        },
    ),
    "quadratic_root_neg": (
        "(-b+np.sqrt(b**2-4*a*c))/(2*a)",
        "b",
        {
            "a": v(1.0),
            "b": v(5.0, 1000000000.0),
            "c": v(1.0),
        },
    ),
}
