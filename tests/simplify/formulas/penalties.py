"""Robust losses, penalties of groups, similarities."""

from __future__ import annotations

from tests.simplify.formulas.variables import Row, v

TABLE: dict[str, Row] = {
    "pseudo_huber_d": (
        "np.sum(d**2*(np.sqrt(1+(r/d)**2)-1))",
        "d",
        {
            "r": v([-2.0, 0.3], [1e-08, 10000000000.0]),
            "d": v(1.5, positive=True),
        },
    ),
    "pseudo_huber_scaled": (
        "np.sum(np.sqrt(d**2+r**2)-d)",
        "d",
        {
            "r": v([-2.0, 0.3], [1e-08, 1e160]),
            "d": v(1.5, positive=True),
        },
    ),
    "log_cosh_scaled": (
        "np.sum(np.log(np.cosh(a*(p-t)))/a)",
        "a",
        {
            "p": v([-2.0, 0.3], [800.0, -900.0]),
            "t": v([0.1, 0.2]),
            "a": v(1.5, positive=True),
        },
    ),
    "log_cosh_a": (
        "np.sum(np.log((np.exp(a*r)+np.exp(-a*r))/2)/a)",
        "r",
        {
            "r": v([-2.0, 0.3], [800.0, -900.0]),
            "a": v(1.5, positive=True),
        },
    ),
    "cauchy_c": (
        "np.sum(c**2/2*np.log(1+(r/c)**2))",
        "c",
        {
            "r": v([-2.0, 0.3], [1e-09, 1e200]),
            "c": v(1.5, positive=True),
        },
    ),
    "cauchy_c_r": (
        "np.sum(c**2/2*np.log(1+(r/c)**2))",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "c": v(1.5, positive=True),
        },
    ),
    "gm_mu": (
        "np.sum(m*r**2/(m+r**2))",
        "m",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "m": v(1.5, positive=True),
        },
    ),
    "gm_r": (
        "np.sum(m*r**2/(m+r**2))",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "m": v(1.5, positive=True),
        },
    ),
    "gm_half": (
        "np.sum(0.5*(r/c)**2/(1+(r/c)**2))",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "c": v(1.5, positive=True),
        },
    ),
    "welsch_c": (
        "np.sum(c**2/2*(1-np.exp(-(r/c)**2)))",
        "c",
        {
            "r": v([-2.0, 0.3], [1e-09, 10000000000.0]),
            "c": v(1.5, positive=True),
        },
    ),
    "barron_a1": (
        "np.sum(np.sqrt((r/c)**2+1)-1)",
        "c",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "c": v(1.5, positive=True),
        },
    ),
    "barron_alpha": (
        "np.sum(np.abs(a-2)/a*(((r/c)**2/np.abs(a-2)+1)**(a/2)-1))",
        "a",
        {
            "r": v([-2.0, 0.3], [1e-06, 1e100]),
            "c": v(1.5, positive=True),
            "a": v(1.0),
        },
    ),
    "barron_neg": (
        "np.sum((np.abs(a-2)/a)*(((r/c)**2/np.abs(a-2)+1)**(a/2)-1))",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "c": v(1.5, positive=True),
            "a": v(-2.0),
        },
    ),
    "smooth_quantile": (
        "np.sum(t*r+a*np.log(1+np.exp(-r/a)))",
        "r",
        {
            "r": v([-2.0, 0.3], [800.0, -900.0]),
            "t": v(0.3),
            "a": v(0.5, positive=True),
        },
    ),
    "smooth_quantile_a": (
        "np.sum(t*r+a*np.log(1+np.exp(-r/a)))",
        "a",
        {
            "r": v([-2.0, 0.3], [800.0, -900.0]),
            "t": v(0.3),
            "a": v(0.5, positive=True),
        },
    ),
    "expectile_where": (
        "np.sum(np.where(r>0,t,1-t)*r**2)",
        "r",
        {
            "r": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "t": v(0.3),
        },
    ),
    "quantile_huber": (
        "np.mean(np.abs(t-(u<0))*np.where(np.abs(u)<=k,0.5*u**2,k*(np.abs(u)-0.5*k))/k)",
        "u",
        {
            "u": v([-2.0, -0.5, 0.3, 1.5], [-1e200, -1e-200, 0.3, 1e160]),
            "t": v(0.3),
            "k": v(1.0, positive=True),
        },
    ),
    "elastic_net": (
        "np.sum((y-X@w)**2)/6+a*(r*np.sum(np.abs(w))+0.5*(1-r)*np.sum(w**2))",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "y": v([1.0, 2.0, 3.0]),
            "w": v([0.5, -1.0], [0.0, 1e-200]),
            "a": v(0.1),
            "r": v(0.5),
        },
    ),
    "sqrt_lasso": (
        "np.sqrt(np.sum((y-X@w)**2))/np.sqrt(3)+l*np.sum(np.abs(w))",
        "w",
        {
            "X": v([[1.0, -0.5], [0.3, 2.0], [-1.5, 0.7]]),
            "y": v([1.0, 2.0, 3.0], [0.75, -0.85, 0.0]),
            "w": v([0.5, -1.0], [1e180, -1e180]),
            "l": v(0.1),
        },
    ),
    "group_norm_l21": (
        "np.sum(np.sqrt(np.sum(W**2,axis=1)+e))",
        "W",
        {
            "W": v([[1.0, -0.5], [0.3, 2.0]], [[1e200, 1e199], [0.0, 0.0]]),
            "e": v(1e-08, positive=True),
        },
    ),
    "group_norm_zero": (
        "np.sum(np.sqrt(np.sum(W*W,axis=1)))",
        "W",
        {
            "W": v([[1.0, -0.5], [0.3, 2.0]], [[1e-200, 1e-199], [0.0, 0.0]]),
        },
    ),
    "nuclear_2": (
        "np.sum(np.sqrt(np.sum(W**2,axis=1)))**2",
        "W",
        {
            "W": v([[1.0, -0.5], [0.3, 2.0]], [[1e-200, 1e-199], [3.0, 0.0]]),
        },
    ),
    "l1_over_l2": (
        "np.sum(np.abs(x))/np.sqrt(np.sum(x**2))",
        "x",
        {
            "x": v([1.0, -2.0, 0.5], [3e-180, -4e-180, 1e-190]),
        },
    ),
    "hoyer": (
        "(np.sqrt(3)-np.sum(np.abs(x))/np.sqrt(np.sum(x**2)))/(np.sqrt(3)-1)",
        "x",
        {
            "x": v([1.0, -2.0, 0.5], [3e180, -4e180, 1e170]),
        },
    ),
    "cos_distance_eps": (
        "1-np.sum(x*y)/(np.sqrt(np.sum(x**2))*np.sqrt(np.sum(y**2))+1e-8)",
        "x",
        {
            "x": v([1.0, -2.0, 0.5], [3e180, -4e180, 1e170]),
            "y": v([0.3, 0.2, 0.1]),
        },
    ),
    "cos_max_eps": (
        "np.sum(x*y)/np.maximum(np.sqrt(np.sum(x**2))*np.sqrt(np.sum(y**2)),1e-8)",
        "x",
        {
            "x": v([1.0, -2.0, 0.5], [3e180, -4e180, 1e170]),
            "y": v([0.3, 0.2, 0.1]),
        },
    ),
    "cos_embedding": (
        "np.maximum(0,x@y/(np.linalg.norm(x)*np.linalg.norm(y))-m)",
        "x",
        {
            "x": v([1.0, -2.0, 0.5], [3e180, -4e180, 1e170]),
            "y": v([0.3, -0.2, 0.1]),
            "m": v(0.1),
        },
    ),
    "contrastive_hadsell": (
        "(1-y)*0.5*np.sum((a-b)**2)+y*0.5*np.maximum(0,m-np.sqrt(np.sum((a-b)**2)))**2",
        "b",
        {
            "a": v([1.0, -2.0], [1.0, 2.0]),
            "b": v([0.5, 0.1], [1.0, 2.0]),
            "y": v(1.0, zero_or_one=True),
            "m": v(1.0),
        },
    ),
    "triplet_margin_big": (
        "np.maximum(0,np.linalg.norm(a-p)-np.linalg.norm(a-n)+1)",
        "p",
        {
            "a": v([1.0, -2.0], [1e200, 2e200]),
            "p": v([0.5, 0.1], [3e200, -1e200]),
            "n": v([1.5, 0.7]),
        },
    ),
    "triplet_rows": (
        "np.mean(np.maximum(0,np.sqrt(np.sum((A-P)**2,axis=1))-np.sqrt(np.sum((A-N)**2,axis=1))+0.5))",
        "A",
        {
            "A": v([[1.0, -2.0], [0.3, 0.2]], [[1.0, -2.0], [1e-180, 2e-180]]),
            "P": v([[0.5, 0.1], [0.1, 0.2]], [[1.0, -2.0], [0.0, 0.0]]),
            "N": v([[1.5, 0.7], [0.3, 0.4]]),
        },
    ),
}
