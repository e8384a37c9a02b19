"""How drawn networks end: one loss per example, its reduction, its regularizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.campaign.drawing import Draw


def _axes(rank: int) -> str:
    return f", axis={tuple(range(1, rank + 1))}" if rank else ""


def _total(d: Draw, text: str, rank: int | None = None) -> str:
    """The elements of an array of the value's rank, added up or averaged, example by example."""
    own = len(d.shape) if rank is None else rank
    return f"{d.one(('sum', 'mean'))}({text}{_axes(own)})" if own else text


def _elements(name: str, **facts: object) -> Callable[[Draw], str]:
    def loss(d: Draw) -> str:
        target = d.network.input("y", d.shape, **facts)
        return _total(d, f"{name}({d.x}, {target})")

    return loss


def _labels(d: Draw) -> str:
    if not d.shape:
        return _plain(d)
    size = d.shape[-1]
    target = d.network.input("y", d.shape[:-1], labels=size)
    form = d.one((
        "softmax_cross_entropy({z}, {y})", "cross_entropy(softmax({z}), {y})",
        "multiclass_hinge({z}, {y})",
        "-sum(one_hot({y}, {z}.shape[-1]) * log_softmax({z}), axis=-1)",
        "logsumexp({z}, axis=-1) - take_along_axis({z}, {y}[..., None], axis=-1)[..., 0]",
    ))  # fmt: skip
    return _total(d, form.format(z=d.x, y=target), len(d.shape) - 1)


def _ignoring(d: Draw) -> str:
    if not d.shape or not isinstance(d.shape[-1], int):
        return _plain(d)
    target = d.network.input("y", d.shape[:-1], labels=d.shape[-1], ignore=-1)
    return _total(d, f"softmax_cross_entropy({d.x}, {target})", len(d.shape) - 1)


def _probabilities(d: Draw) -> str:
    if not d.shape:
        return _plain(d)
    target = d.network.input("y", d.shape, sums_to_one=True, nonnegative=True)
    form = d.one((
        "softmax_cross_entropy({z}, {y})",
        "softmax_cross_entropy({z}, 0.9 * {y} + 0.1 / {z}.shape[-1])",
        "kl_divergence({y}, softmax({z}))",
    ))  # fmt: skip
    return _total(d, form.format(z=d.x, y=target), len(d.shape) - 1)


def _plain(d: Draw) -> str:
    return _total(d, d.one(("sin({x}) + {x}**2", "{x}", "abs({x})", "log1p({x}**2)")).format(x=d.x))


def _pushed_apart(d: Draw) -> str:
    """Losses of two values of one network: of an earlier one, or of data."""
    if len(d.shape) != 1:
        return _plain(d)
    other = d.earlier() or d.network.input("o", d.shape)
    pair = d.network.input("y", (), zero_or_one=True)
    form = d.one((
        "contrastive({x}, {o}, {y})", "triplet({x}, {o}, tanh({x}) + {y}[:, None])",
        "info_nce({x}, stack([{o}, {x}, sin({x})], axis=1))",
    ))  # fmt: skip
    return form.format(x=d.x, o=other, y=pair)


def _masked(d: Draw) -> str:
    """The mean over what a mask leaves."""
    if not d.shape:
        return _plain(d)
    mask = d.network.input("y", d.shape, zero_or_one=True)
    how = d.one(("masked_mean", "masked_sum"))
    text = f"{how}({d.x}**2, {mask})"
    return _total(d, text, len(d.shape) - 1)


LOSSES: tuple[Callable[[Draw], str], ...] = (
    _plain,
    _elements("squared_error"),
    _labels,
    _elements("sigmoid_cross_entropy", zero_or_one=True),
    _elements("sigmoid_cross_entropy", range=[0.0, 1.0]),
    _probabilities,
    _ignoring,
    _elements("huber"),
    _elements("hinge", plus_minus_one=True),
    _elements("gaussian_nll"),
    _elements("absolute_error"),
    _elements("poisson_nll", nonnegative=True),
    _elements("focal", zero_or_one=True),
    _pushed_apart,
    _masked,
)


#: Kinds of losses of layers, with the facts of their targets: elementwise, and of labels.
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("squared_error", {}),
    ("sigmoid_cross_entropy", {"zero_or_one": True}),
    ("sigmoid_cross_entropy(pos_weight=2)", {"zero_or_one": True}),
    ("huber(delta=0.5)", {}),
    ("focal(gamma=1)", {"zero_or_one": True}),
    ("poisson_nll", {"nonnegative": True}),
    ("hinge", {"plus_minus_one": True}),
)
LABEL_KINDS = (
    "softmax_cross_entropy", "softmax_cross_entropy(label_smoothing=0.1)", "multiclass_hinge",
)  # fmt: skip


def end_layers(d: Draw) -> None:
    """The loss of layers, by its kind."""
    rest = d.shape
    if d.shape and isinstance(d.shape[-1], int) and d.chance():
        kind, rest = d.one(LABEL_KINDS), d.shape[:-1]
        ignored = {"ignore": -1} if d.chance() else {}
        d.network.input("y", rest, labels=d.shape[-1], **ignored)
    else:
        kind, facts = d.one(KINDS)
        d.network.input("y", d.shape, **facts)
    d.network.loss = {"kind": kind, "reduction": d.one(("mean", "sum")), "target": "y"}
    if rest and d.chance():
        d.network.loss["within"] = "sum"
    if rest and d.rarely(2):
        name = f"m{len(d.network.inputs)}"
        d.network.loss["mask"] = d.network.input(name, rest[:1], zero_or_one=True)


def end(d: Draw) -> None:
    """The loss of the network's value."""
    text = d.one(LOSSES)(d)
    if d.rarely(2):
        facts: dict[str, Any] = {"nonnegative": True} if d.chance() else {}
        weights = d.network.input("e", (), **facts)
        text = f"{weights} * ({text})"
    d.network.loss = {"per_example": text, "reduction": d.one(("mean", "sum"))}
    if d.network.parameters and d.rarely(2):
        name = d.one(list(d.network.parameters))
        form = d.one(("0.1 * sum({p}**2)", "sum(abs({p}))", "0.5 * sum(sin({p}))"))
        d.network.loss["regularizer"] = form.format(p=name)
