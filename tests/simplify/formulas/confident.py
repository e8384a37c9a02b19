"""Losses of a softmax where the model is right to the last digit: 1 − p is what all hangs on."""

from __future__ import annotations

from tests.simplify.formulas.variables import (
    Row,
    v,
)

_Z = v([0.5, -1.0, 2.0, 0.25], [0.0, -50.0, 60.0, 1.0])
_K = v(2, labels=4)
_HOT = v([0.0, 0.0, 1.0, 0.0], one_hot=True)
_ROWS = v([[0.5, -1.0, 2.0, 0.25], [1.0, 2.0, 3.0, 0.1]], [[40.0, 0, -5, 3], [40.0, 0, -1, 1]])
_KS = v([2, 0], [0, 0], labels=4)

TABLE: dict[str, Row] = {
    "focal_of_label": (
        "-(1-softmax(z)[k])**2*np.log(softmax(z)[k])",
        "z",
        {"z": _Z, "k": _K},
    ),
    "focal_of_exponentials": (
        "-(1-(np.exp(z)/np.sum(np.exp(z)))[k])**2*np.log((np.exp(z)/np.sum(np.exp(z)))[k])",
        "z",
        {"z": _Z, "k": _K},
    ),
    "focal_of_one_hot": (
        "-np.sum(y*(1-softmax(z))**2*np.log(softmax(z)))",
        "z",
        {"z": _Z, "y": _HOT},
    ),
    "focal_of_picked": (
        "-(1-np.sum(y*softmax(z)))**2*np.log(np.sum(y*softmax(z)))",
        "z",
        {"z": _Z, "y": _HOT},
    ),
    "focal_with_weights": (
        "-a[k]*(1-softmax(z)[k])**2*log_softmax(z)[k]",
        "z",
        {"z": _Z, "k": _K, "a": v([0.25, 0.5, 0.75, 1.0])},
    ),
    "focal_with_power": (
        "-(1-softmax(z)[k])**g*np.log(softmax(z)[k])",
        "z",
        {"z": _Z, "k": _K, "g": v(2.5, positive=True)},
    ),
    "focal_of_rows": (
        "-np.mean((1-softmax(Z)[np.arange(2),k])**2*np.log(softmax(Z)[np.arange(2),k]))",
        "Z",
        {"Z": _ROWS, "k": _KS},
    ),
    "focal_of_one_hot_rows": (
        "np.mean(-np.sum(one_hot(k,4)*(1-softmax(Z))**2*np.log(softmax(Z)),axis=1))",
        "Z",
        {"Z": _ROWS, "k": _KS},
    ),
    "distance_of_softmax": ("np.sum(np.abs(one_hot(k,4)-softmax(z)))", "z", {"z": _Z, "k": _K}),
    "distance_of_softmax_one_hot": ("np.mean(np.abs(softmax(z)-y))", "z", {"z": _Z, "y": _HOT}),
    "complement_of_label": ("1-softmax(z)[k]", "z", {"z": _Z, "k": _K}),
    "generalised_cross_entropy": ("(1-softmax(z)[k]**0.7)/0.7", "z", {"z": _Z, "k": _K}),
    "dice_of_softmax": (
        "1-2*np.sum(y*softmax(z))/(np.sum(y)+np.sum(softmax(z)))",
        "z",
        {"z": _Z, "y": _HOT},
    ),
}
