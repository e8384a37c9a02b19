"""The loss of a spec: as written, or from the kind that layers end in."""

from __future__ import annotations

from symdiff.errors import did_you_mean, listing
from symdiff.expr import build
from symdiff.expr.graph import leaves
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.expr.shapes import Shape, shape_text, size_names
from symdiff.spec.declare import BATCH, Spec
from symdiff.spec.layers.writing import CALL, Layers
from symdiff.spec.schema import LossTable
from symdiff.spec.values import BROKEN, Value

PATH = ("loss",)

# What each kind says of the output and the target.  Those in ROWS act on the last axis.
_ELEMENTWISE_AND_ROWS = """
    softmax_cross_entropy sigmoid_cross_entropy cross_entropy binary_cross_entropy squared_error
    absolute_error huber hinge multiclass_hinge gaussian_nll poisson_nll focal
""".split()
KINDS = {
    **dict.fromkeys(_ELEMENTWISE_AND_ROWS, "{output}, {target}"),
    "kl_divergence": "{target}, {output}",
}
ROWS = ("softmax_cross_entropy", "cross_entropy", "multiclass_hinge", "kl_divergence")


def per_example_text(spec: Spec, loss: LossTable, layers: Layers | None) -> str | None:
    """The formula of the loss per example; None, with faults, if there is none."""
    reading = spec.reading
    if loss.kind is not None and loss.per_example is not None:
        reading.fault((*PATH, "kind"), "kind and per_example both say what the loss is; keep one")
        return None
    for key in ("target", "mask", "within"):
        if key in loss.model_fields_set and loss.kind is None:
            said = "per_example names its own" if key == "target" else "write it in per_example"
            reading.fault((*PATH, key), f"{key} belongs to kind = ...; {said}")
    if loss.kind is None:
        if loss.per_example is None and not reading.lost & {"kind", "per_example"}:
            reading.fault(PATH, "missing key 'per_example'")
        return loss.per_example
    if layers is None:
        reading.fault(
            (*PATH, "kind"), 'kind is about the last of [[layers]]; write per_example = "..."'
        )
        return None
    return _of_kind(spec, loss, layers)


def _of_kind(spec: Spec, loss: LossTable, layers: Layers) -> str | None:
    reading = spec.reading
    assert loss.kind is not None
    match = CALL.fullmatch(loss.kind)
    kind = match[1] if match else loss.kind
    if match is None or kind not in KINDS:
        reading.fault_value(
            (*PATH, "kind"),
            f"unknown loss kind {kind!r}; expected {listing([*KINDS])}{did_you_mean(kind, KINDS)}",
        )
        return None
    if loss.target is not None and spec.kinds.get(loss.target) != "input":
        hint = did_you_mean(loss.target, spec.inputs)
        reading.fault_value((*PATH, "target"), f"no input is called {loss.target!r}{hint}")
        return None
    named = [name for name, what in spec.kinds.items() if what == "input"]
    target = loss.target or (named[-1] if named else None)
    shape = layers.shape()
    if target is None or target not in spec.inputs or shape is None:
        return None
    output, wanted = layers.value, spec.values[target].shape
    if kind not in ROWS and shape != wanted:
        if shape == (*wanted, 1):
            output = f"{output}[..., 0]"
            shape = wanted
        else:
            reading.fault_value(
                (*PATH, "kind"),
                f"{kind} compares elements, but the output {output!r} has shape "
                f"{shape_text(shape)} and the target {target!r} {shape_text(wanted)}",
            )
            return None
    more = f", {match[2]}" if match[2] and match[2].strip() else ""
    text = f"{kind}({KINDS[kind].format(output=output, target=target)}{more})"
    return _put_together(spec, loss, layers, text, shape[: len(shape) - (kind in ROWS)])


def _put_together(
    spec: Spec, loss: LossTable, layers: Layers, text: str, shape: Shape
) -> str | None:
    """The mean or the sum of a loss over all axes but the examples', where the mask is not 0."""
    rest = tuple(range(1, len(shape)))
    axis = str(rest[0]) if len(rest) == 1 else str(rest)
    if loss.mask is None:
        return f"{loss.within}({text}, axis={axis})" if rest else text
    mask = layers.named(loss.mask, "mask", PATH)
    if mask is None:
        return None
    if mask != shape[: len(mask)] or not rest:
        spec.reading.fault_value(
            (*PATH, "mask"),
            f"the mask {loss.mask!r} has shape {shape_text(mask)}, the loss {shape_text(shape)}",
        )
        return None
    spread = "" if len(mask) == len(shape) else f"[...{', None' * (len(shape) - len(mask))}]"
    return f"masked_{loss.within}({text}, {loss.mask}{spread}, axis={axis})"


def regularizer_text(spec: Spec, loss: LossTable, layers: Layers | None) -> str | None:
    """The formula of the regularizer, if there is one."""
    reading = spec.reading
    if loss.l2 is None:
        return loss.regularizer
    if loss.regularizer is not None:
        reading.fault((*PATH, "l2"), "l2 and regularizer both say what Ω is; keep one")
    elif layers is None:
        reading.fault((*PATH, "l2"), 'l2 is about [[layers]]; write regularizer = "..."')
    elif loss.l2 < 0:
        reading.fault_value((*PATH, "l2"), f"expected a number of at least 0, got {loss.l2!r}")
    elif loss.l2 and layers.weights:
        squares = [f"sum({weight}**2)" for weight in layers.weights]
        text = squares[0] if len(squares) == 1 else f"({' + '.join(squares)})"
        return f"0.5 * {loss.l2!r} * {text}"
    return None


def per_example_node(spec: Spec, loss: LossTable, text: str) -> Value:
    """The loss per example, of shape (batch,); BROKEN, with a fault, if it is anything else."""
    key = "per_example" if loss.per_example is not None else "kind"
    path = (*PATH, key)
    node = spec.formula(text, path, "loss", inside=loss.per_example is not None)
    if node is BROKEN:
        return BROKEN
    alone = spec.examples == (spec.split or (BATCH,))[:1]
    first = spec.batch if spec.split else spec.examples[0]
    if node.shape != (spec.batch,) and (alone or node.shape[:1] != (first,)):
        hint = "; leave the mean to reduction" if node.shape == () else ""
        wanted = shape_text((spec.batch,))
        spec.reading.fault_value(
            path,
            f"per_example has shape {shape_text(node.shape)}, expected {wanted}: one loss per "
            f"example{hint}",
        )
        return BROKEN
    if spec.split:
        node = build.reshape(node, (*spec.split, *node.shape[1:]))
    return _as_float(node, spec.dtype)


def regularizer_node(spec: Spec, loss: LossTable, text: str) -> Value:
    """Ω, a scalar of parameters only; BROKEN, with a fault, if it is anything else."""
    written = loss.regularizer is not None
    path = (*PATH, "regularizer" if written else "l2")
    node = spec.formula(text, path, "regularizer", inside=written)
    if node is BROKEN:
        return BROKEN
    if node.shape != ():
        spec.reading.fault_value(
            path, f"regularizer has shape {shape_text(node.shape)}, expected a scalar"
        )
        return BROKEN
    data = [leaf.attr("name") for leaf in leaves([node], "input")]
    sizes = [leaf.attr("size") for leaf in leaves([node], "size")]
    own = size_names(spec.batch)
    data += [BATCH] if any(own & size_names(size) for size in sizes) else []
    if data:
        spec.reading.fault_value(
            path, f"regularizer is of parameters only; it uses {listing(data, 'and')}"
        )
        return BROKEN
    return _as_float(node, spec.dtype)


def _as_float(node: Node, dtype: str) -> Node:
    return node if node.dtype in FLOATS else build.cast(node, dtype)
