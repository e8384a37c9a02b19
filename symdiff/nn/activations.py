"""Activation functions under jax.nn's names, as plain functions over :mod:`symdiff.expr.build`.

Where a branch would overflow on the other branch's arguments, its own argument is held at 0 there
first, so that neither the value nor any derivative meets 0 times infinity.
"""

from __future__ import annotations

import math
from typing import Any

from symdiff.expr import build
from symdiff.expr.node import Node

# Klambauer et al. 2017, equation 14: the fixed point with mean 0 and variance 1.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def relu6(x: Any) -> Node:
    """min(max(x, 0), 6)."""
    return build.clip(x, 0.0, 6.0)


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Node:
    """x above 0, negative_slope * x elsewhere; the slope may be a node (a parametric relu)."""
    return build.where(build.greater(x, 0.0), x, build.multiply(negative_slope, x))


def _negative_part(x: Any) -> Node:
    """x where it is not above 0, else 0, with derivative 1 at 0."""
    return build.where(build.greater(x, 0.0), 0.0, x)


def elu(x: Any, alpha: Any = 1.0) -> Node:
    """x above 0, alpha * (exp(x) - 1) elsewhere."""
    low = build.multiply(alpha, build.expm1(_negative_part(x)))
    return build.where(build.greater(x, 0.0), x, low)


def selu(x: Any) -> Node:
    """elu, scaled so that activations keep mean 0 and variance 1."""
    return build.multiply(_SELU_SCALE, elu(x, _SELU_ALPHA))


def celu(x: Any, alpha: Any = 1.0) -> Node:
    """x above 0, alpha * (exp(x / alpha) - 1) elsewhere: once differentiable for every alpha."""
    low = build.multiply(alpha, build.expm1(build.divide(_negative_part(x), alpha)))
    return build.where(build.greater(x, 0.0), x, low)


def gelu(x: Any, approximate: bool = True) -> Node:
    """x Φ(x), with Φ the normal distribution; by default in the tanh form, as jax does."""
    if approximate:
        cubic = build.add(x, build.multiply(0.044715, build.power(x, 3)))
        gate = build.tanh(build.multiply(math.sqrt(2.0 / math.pi), cubic))
    else:
        gate = build.erf(build.multiply(1.0 / math.sqrt(2.0), x))
    return build.multiply(build.multiply(0.5, x), build.add(1.0, gate))


def silu(x: Any) -> Node:
    """x * sigmoid(x)."""
    return build.multiply(x, build.sigmoid(x))


def mish(x: Any) -> Node:
    """x * tanh(softplus(x))."""
    return build.multiply(x, build.tanh(build.softplus(x)))


def softsign(x: Any) -> Node:
    """x / (1 + |x|)."""
    return build.divide(x, build.add(1.0, build.abs(x)))


def hard_tanh(x: Any) -> Node:
    """x held between -1 and 1."""
    return build.clip(x, -1.0, 1.0)


def hard_sigmoid(x: Any) -> Node:
    """relu6(x + 3) / 6."""
    return build.divide(relu6(build.add(x, 3.0)), 6.0)


def hard_silu(x: Any) -> Node:
    """x * hard_sigmoid(x)."""
    return build.multiply(x, hard_sigmoid(x))


def squareplus(x: Any, b: Any = 4.0) -> Node:
    """(x + sqrt(x² + b)) / 2."""
    return build.divide(build.add(x, build.sqrt(build.add(build.square(x), b))), 2.0)


def glu(x: Any, axis: int = -1) -> Node:
    """a * sigmoid(b), a and b being the halves of x along an axis (Dauphin et al. 2017)."""
    a, b = build.split(x, 2, axis)
    return build.multiply(a, build.sigmoid(b))


def log_sigmoid(x: Any) -> Node:
    """log(sigmoid(x)), as -softplus(-x)."""
    return build.negative(build.softplus(build.negative(x)))
