"""Losses as plain functions over :mod:`symdiff.expr.build`: the prediction first, then the target.

``cross_entropy``, ``softmax_cross_entropy`` and ``kl_divergence`` act on the last axis and return
the shape without it; the others are elementwise.  None takes a mean.  A target of whole numbers
holds labels; where the input that holds them declares ``ignore``, examples with that label have
loss 0 and no gradient.  Losses on logits are written in the form that neither overflows nor
cancels; losses on probabilities are written as textbooks do, and the simplifier folds them with
the softmax or sigmoid that made the probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symdiff.expr import build, movement
from symdiff.expr.node import Node, with_shape
from symdiff.expr.shapes import ShapeError, shape_text
from symdiff.expr.views import is_view


def cross_entropy(
    q: Any,
    y: Any,
    label_smoothing: float = 0.0,
    class_weights: Any = None,
    ignore: int | None = None,
) -> Node:
    """-log q[y] for labels y, -Σ y log q for probabilities y, over the last axis.

    ``label_smoothing`` ε takes the target as (1 - ε) y + ε/classes; ``class_weights`` (classes,)
    multiply each class's part; rows with the label ``ignore`` have loss 0.  As in
    torch.nn.functional.cross_entropy, without its mean.
    """
    q, y = build.as_node(q), build.as_node(y)
    labels = _holds_labels("cross_entropy", q, y)
    if labels and not label_smoothing and class_weights is None:
        return _counted(y, build.negative(build.log(_pick(q, y, ignore))), ignore)
    return _entropy(build.log(q), y, labels, label_smoothing, class_weights, ignore)


def softmax_cross_entropy(
    z: Any,
    y: Any,
    label_smoothing: float = 0.0,
    class_weights: Any = None,
    ignore: int | None = None,
) -> Node:
    """cross_entropy(softmax(z), y), through log_softmax; the other arguments as there."""
    z, y = build.as_node(z), build.as_node(y)
    labels = _holds_labels("softmax_cross_entropy", z, y)
    return _entropy(build.log_softmax(z), y, labels, label_smoothing, class_weights, ignore)


def _entropy(
    logs: Node, y: Node, labels: bool, smoothing: float, weights: Any, ignore: int | None
) -> Node:
    """-Σ w t log q over the last axis, with the target t smoothed."""
    if not 0 <= smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing {smoothing!r} is not from 0 to 1")
    share = build.divide(smoothing, _classes(logs)) if smoothing else None
    weighted = logs if weights is None else build.multiply(weights, logs)
    if not labels:
        target = y if share is None else build.add(build.multiply(1.0 - smoothing, y), share)
        return build.negative(build.sum(build.multiply(target, weighted), axis=-1))
    loss = build.negative(_pick(weighted, y, ignore))
    if share is not None:
        rest = build.multiply(share, build.negative(build.sum(weighted, axis=-1)))
        loss = build.add(build.multiply(1.0 - smoothing, loss), rest)
    return _counted(y, loss, ignore)


def _classes(z: Node) -> Any:
    size = z.shape[-1]
    return float(size) if isinstance(size, int) else build.size_node(size, z.dtype)


def kl_divergence(p: Any, q: Any) -> Node:
    """Σ p (log p - log q) over the last axis; 0 log 0 is 0."""
    p, q = build.as_node(p), build.as_node(q)
    _same_shape("kl_divergence", p, q)
    known = p.facts.positive and not p.facts.declared
    safe = p if known else build.where(build.greater(p, 0.0), p, 1.0)
    return build.sum(build.multiply(p, build.subtract(build.log(safe), build.log(q))), axis=-1)


def binary_cross_entropy(p: Any, y: Any) -> Node:
    """-(y log p + (1 - y) log(1 - p)), elementwise."""
    p, y = build.as_node(p), build.as_node(y)
    right = build.multiply(y, build.log(p))
    wrong = build.multiply(build.subtract(1.0, y), build.log1p(build.negative(p)))
    return _counted(y, build.negative(build.add(right, wrong)))


def sigmoid_cross_entropy(z: Any, y: Any, pos_weight: Any = None) -> Node:
    """binary_cross_entropy(sigmoid(z), y), through softplus; elementwise.

    No cancellation for any y in [0, 1].  ``pos_weight``, which broadcasts to y, multiplies the
    part of the ones.
    """
    z, y = build.as_node(z), build.as_node(y)
    ones = build.softplus(build.negative(z))
    if pos_weight is not None:
        ones = build.multiply(pos_weight, ones)
    return _counted(y, _mixed(y, ones, build.softplus(z)))


def squared_error(a: Any, b: Any) -> Node:
    """(a - b)², elementwise."""
    return _counted(b, build.square(build.subtract(a, b)))


def absolute_error(a: Any, b: Any) -> Node:
    """|a - b|, elementwise."""
    return _counted(b, build.abs(build.subtract(a, b)))


def huber(a: Any, b: Any, delta: float = 1.0) -> Node:
    """½ r² for |r| = |a - b| up to delta, delta (|r| - ½ delta) beyond (Huber 1964)."""
    size = build.abs(build.subtract(a, b))
    line = build.multiply(delta, build.subtract(size, 0.5 * delta))
    bowl = build.multiply(0.5, build.square(size))
    return _counted(b, build.where(build.less_equal(size, delta), bowl, line))


def hinge(z: Any, y: Any) -> Node:
    """max(0, 1 - y z), elementwise, for y of -1 and 1; a y known to be 0 or 1 stands for those."""
    y = build.as_node(y)
    sign = build.subtract(build.multiply(2.0, y), 1.0) if y.facts.zero_or_one else y
    return _counted(y, build.relu(build.subtract(1.0, build.multiply(sign, z))))


def multiclass_hinge(z: Any, y: Any, margin: float = 1.0) -> Node:
    """Σ max(0, margin - z[y] + z[k]) over the classes k other than y (Weston and Watkins 1999).

    z is (..., classes), y holds labels (...), which is the shape of the result.
    """
    z, y = build.as_node(z), build.as_node(y)
    if not _holds_labels("multiclass_hinge", z, y):
        raise ShapeError(f"multiclass_hinge: {with_shape(y)} holds no labels")
    right = build.expand_dims(_pick(z, y), y.ndim)
    other = build.not_equal(build.arange(z.shape[-1]), build.expand_dims(y, y.ndim))
    over = build.relu(build.add(build.subtract(z, right), margin))
    return _counted(y, build.sum(build.where(other, over, 0.0), axis=-1))


def gaussian_nll(mean: Any, y: Any, variance: Any = None, precision: Any = None) -> Node:
    """½ log σ² + ½ (y - mean)² / σ², elementwise, without the constant ½ log 2π.

    Takes the variance σ² or the precision 1/σ², not both (default: variance 1).
    """
    if variance is not None and precision is not None:
        raise TypeError("gaussian_nll takes a variance or a precision, not both")
    square = build.square(build.subtract(y, mean))
    if precision is not None:
        twice = build.subtract(build.multiply(precision, square), build.log(precision))
    elif variance is not None:
        twice = build.add(build.log(variance), build.divide(square, variance))
    else:
        twice = square
    return _counted(y, build.multiply(0.5, twice))


def poisson_nll(z: Any, y: Any, log_input: bool = True) -> Node:
    """exp(z) - y z for a log-rate z; z - y log z for a rate; elementwise, without log y!."""
    rate, log_rate = (build.exp(z), z) if log_input else (z, build.log(z))
    return _counted(y, build.subtract(rate, build.multiply(y, log_rate)))


def focal(z: Any, y: Any, gamma: float = 2.0, alpha: float | None = None) -> Node:
    """sigmoid_cross_entropy(z, y) * (1 - p_y)**gamma on logits (Lin et al. 2017), elementwise.

    p_y is the probability given to y; ``alpha`` weighs ones by alpha and zeros by 1 - alpha.
    """
    z, y = build.as_node(z), build.as_node(y)
    if declared_of(y).get("zero_or_one") and not float(gamma).is_integer():
        # σ^γ as e^(-γ softplus): where σ is 0, roots of it have no second derivative
        powers = [build.exp(build.multiply(-gamma, build.softplus(x))) for x in (z, -z)]
        missed = _mixed(y, *powers)
    else:
        missed = build.power(_mixed(y, build.sigmoid(build.negative(z)), build.sigmoid(z)), gamma)
    loss = build.multiply(sigmoid_cross_entropy(z, y), missed)
    if alpha is not None:
        loss = build.multiply(_mixed(y, alpha, 1.0 - alpha), loss)
    return _counted(y, loss)


def _mixed(y: Node, ones: Any, zeros: Any) -> Node:
    """y * ones + (1 - y) * zeros."""
    rest = build.multiply(build.subtract(1.0, y), zeros)
    return build.add(build.multiply(y, ones), rest)


_MOVED = frozenset({"reshape", "slice", "flip", "take", "cast", "stop_gradient"})


def declared_of(y: Node) -> Mapping[str, Any]:
    """What the input declares whose labels y holds, perhaps moved about."""
    while y.op in _MOVED or is_view(y):
        y = y.inputs[0]
    return dict(y.attr("declared")) if y.op == "input" else {}


def _ignored(y: Any, given: int | None) -> Any:
    """The label to ignore: the one given, or the one declared of the input."""
    return declared_of(y).get("ignore") if given is None and isinstance(y, Node) else given


def _counted(y: Any, loss: Node, ignore: int | None = None) -> Node:
    """The loss, 0 where y is the label to ignore."""
    ignored = _ignored(y, ignore)
    return loss if ignored is None else build.where(build.not_equal(y, ignored), loss, 0.0)


def _pick(z: Node, y: Node, ignore: int | None = None) -> Node:
    """z[..., y] row by row; rows to ignore pick entry 0."""
    ignored = _ignored(y, ignore)
    if ignored is not None:
        y = build.where(build.not_equal(y, ignored), y, 0)
    return movement.take(z, y, batch=y.ndim)


def _holds_labels(what: str, z: Node, y: Node) -> bool:
    """Whether y holds labels of z's rows; ShapeError if it is neither those nor like z."""
    if z.ndim == 0:
        raise ShapeError(f"{what}: {with_shape(z)} has no axis of classes")
    if y.dtype != "int64":
        _same_shape(what, z, y)
        return False
    if y.shape != z.shape[:-1]:
        raise ShapeError(
            f"{what}: labels {with_shape(y)} for {with_shape(z)}: expected labels of shape "
            f"{shape_text(z.shape[:-1])}"
        )
    labels = declared_of(y).get("labels")
    classes = z.shape[-1]
    if isinstance(labels, int) and isinstance(classes, int) and labels > classes:
        raise ShapeError(
            f"{what}: {with_shape(y)} holds {labels} labels, but {with_shape(z)} has only "
            f"{classes} classes"
        )
    return True


def _same_shape(what: str, a: Node, b: Node) -> None:
    if a.shape != b.shape:
        raise ShapeError(f"{what}: {with_shape(a)} and {with_shape(b)} differ in shape")
