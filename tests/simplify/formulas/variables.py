"""Variables of formulas: what is put in for them, benign and where it hurts, and their facts."""

from __future__ import annotations

from typing import Any

Variable = tuple[Any, Any, dict[str, Any]]
#: Formula, wrt, variables, and order and direction where they are not those of a gradient.
Row = tuple[Any, ...]


def v(benign: Any, stress: Any = None, **facts: Any) -> Variable:
    """A variable: its benign value, its value at the stress point, its facts."""
    return benign, benign if stress is None else stress, facts


X = v([-2.0, -0.5, 0.3, 1.0, 2.5], [-800.0, -40.0, 0.25, 40.0, 800.0])
MODERATE = v([-2.0, -0.5, 0.3, 1.0, 2.5], [-300.0, -40.0, 0.25, 40.0, 300.0])
Z = v([0.5, -1.0, 2.0, 0.25], [1000.0, 0.0, -1000.0, 999.0])
ZZ = v(
    [[0.5, -1.0, 2.0, 0.25], [0.1, 0.2, -0.3, 1.0], [1.0, -1.5, 0.5, 0.7]],
    [[1000.0, 0.0, -1000.0, 999.0], [-1000.0, -1001.0, -1002.0, -1003.0], [50.0, 800.0, 0.0, 0.0]],
)
K3 = v([2, 3, 0], labels=4)
K = v(2, labels=4)
BITS = v([0.0, 1.0, 0.0, 1.0, 1.0], zero_or_one=True)
SIGNS = v([-1.0, 1.0, 1.0, -1.0, 1.0], plus_minus_one=True)
SOFT = v([0.1, 0.9, 0.5, 0.25, 0.0], [1.0, 0.0, 0.5, 0.75, 0.0], range=(0.0, 1.0))
R = v([-2.0, -0.5, 0.3, 1.5, 2.5], [-1e200, -1e-200, 0.3, 1e160, 1e200])
P = v([0.5, 1.5, 2.0, 3.0], [1e-200, 1e-150, 3.0, 1e-100], positive=True)
BIG = v([1.0, 2.0, 4.0, 7.0, 3.0], [1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4])
Q = "np.exp(z)/np.sum(np.exp(z))"
S = "(1/(1+np.exp(-z)))"
