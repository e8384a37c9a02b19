"""Networks of equations, drawn: one table a kind of value, a row an operation.

A row is a function of a :class:`~tests.campaign.drawing.Draw` that adds an equation, and returns
False where it cannot.  Whoever adds a function to symdiff adds a row here, and the campaign draws
it from then on.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.campaign.drawing import Draw, known_parameter
from tests.campaign.network import Shape, Size, number, positions
from tests.campaign.sequences import STEPS as SEQUENCE_STEPS

#: Functions of each element, which any value may pass through.
ELEMENTWISE = (
    "tanh({x})", "sigmoid({x})", "softplus({x})", "relu({x})", "gelu({x})", "silu({x})", "elu({x})",
    "selu({x})", "celu({x})", "mish({x})", "softsign({x})", "hard_tanh({x})", "relu6({x})",
    "hard_sigmoid({x})", "log_sigmoid({x})", "leaky_relu({x})", "sin({x})", "cos({x})",
    "arctan({x})", "arcsinh({x})", "erf({x})", "abs({x} - 0.1)", "exp(sin({x}))", "log1p({x}**2)",
    "sqrt(1 + {x}**2)", "1 / (1 + {x}**2)", "expm1(-{x}**2)", "clip({x}, -1, 1)", "-{x}",
    "where({x} > 0.2, {x}, sin({x}))", "maximum({x}, 0.1)", "minimum({x}, 0.3)", "0.5 * {x}",
    "stop_gradient(cos({x})) * {x}", "hypot({x}, 1)", "logaddexp({x}, 0.5)", "sinh(0.3 * {x})",
    "1 / (1 + exp(-{x}))", "log(1 + exp({x}))", "exp({x}) / (1 + exp({x}))", "sqrt({x}**2)",
    "gelu({x}, approximate=False)", "power(1 + {x}**2, 0.3)", "square({x}) - {x}",
)  # fmt: skip
#: Functions along the last axis that keep the shape.
ALONG = (
    "softmax({x})", "log_softmax({x})", "layer_norm({x})", "rms_norm({x})", "cumsum({x}, axis=-1)",
    "{x} - mean({x}, axis=-1, keepdims=True)", "{x} - logsumexp({x}, axis=-1, keepdims=True)",
    "{x} / (1 + norm({x}, axis=-1, keepdims=True))", "{x}[..., ::-1]", "flip({x}, -1)",
    "{x} / (0.5 + std({x}, axis=-1, keepdims=True))", "{x} * var({x}, axis=-1, keepdims=True)",
    "{x} - max({x}, axis=-1, keepdims=True)", "exp({x}) / sum(exp({x}), axis=-1, keepdims=True)",
    "{x} * prod(tanh({x}), axis=-1, keepdims=True)", "{x} * min({x}, axis=-1, keepdims=True)",
    "einsum('...i,...j->...j', {x}, {x})", "roll({x}, 1, axis=-1)",
    "{x} * stop_gradient(sign({x}))",
    "{x} * cosine_similarity({x}, 1 + {x}**2)[..., None]",
)  # fmt: skip
#: Of two values of one shape.
PAIRS = (
    "{x} + {y}", "{x} - 0.5 * {y}", "{x} * {y}", "{x} / (1 + {y}**2)", "maximum({x}, {y} + 0.01)",
    "where({y} > 0, {x}, {y})", "sigmoid({y}) * {x}", "hypot({x}, 1 + abs({y}))",
    "stack([{x}, {y}], axis=1)[:, 0]",
    "mean(stack([{x}, {y}, {x}], axis=0), axis=0)",
    "logaddexp({x}, {y})", "power(1 + {x}**2, tanh({y}))",
)  # fmt: skip


def _elementwise(d: Draw) -> bool:
    return d.now(d.one(ELEMENTWISE).format(x=d.x))


def _along(d: Draw) -> bool:
    return bool(d.shape) and d.now(d.one(ALONG).format(x=d.x))


def _pair(d: Draw) -> bool:
    y = d.earlier()
    return y is not None and d.now(d.one(PAIRS).format(x=d.x, y=y))


def _scale(d: Draw) -> bool:
    """A scalar parameter, shared where it is drawn again."""
    form = d.one(("{a} * {x}", "{x} + {a}", "tanh({a} * {x})"))
    return d.now(form.format(a=known_parameter(d, ()), x=d.x))


def _gain(d: Draw) -> bool:
    """A parameter on the last axis, or on a last axis of size 1."""
    if not d.shape:
        return False
    sizes: list[Size] = [d.shape[-1], 1]
    gain = known_parameter(d, (d.one(sizes),))
    return d.now(d.one(("{x} * {g}", "{x} + {g}", "tanh({x}) + {g}")).format(x=d.x, g=gain))


PADDINGS: tuple[int | str, ...] = (0, 1, "same")
UNITS: tuple[Size, ...] = (3, 1, 2, 5, "width")


def _spread(d: Draw) -> bool:
    """Shapes that meet in odd ways: axes of size 1 on either side, new axes, all pairs."""
    if len(d.shape) > 2 or not all(isinstance(n, int) for n in d.shape):
        return False
    forms: list[tuple[str, Shape, Shape]] = [
        ("{x}[..., None] * {p}", (2,), (*d.shape, 2)),
        ("{x}[:, None] - {p}", (2, *[1] * len(d.shape)), (2, *d.shape)),
        ("{p} + {x}", (1, *d.shape), d.shape),
    ]
    if d.shape and d.shape[-1] == 1:
        forms.append(("{x} * {p}", (3,), (*d.shape[:-1], 3)))
        forms.append(("broadcast_to({x}, {x}.shape[:-1] + (2,)) + {p}", (2,), (*d.shape[:-1], 2)))
    if len(d.shape) == 2 and d.shape[0] == 1:
        forms.append(("{x} - {p}", (2, d.shape[1]), (2, d.shape[1])))
    if len(d.shape) == 1:
        forms.append(("sum(({x}[:, None, :] - {p})**2, axis=-1)", (2, *d.shape), (2,)))
        forms.append(("einsum('bi,j->bij', {x}, {p})", (2,), (*d.shape, 2)))
    text, own, shape = d.one(forms)
    return d.now(text.format(x=d.x, p=known_parameter(d, own)), shape)


def _head(d: Draw) -> bool:
    """Scores of the rows of a table, which may be an embedding's."""
    if not d.shape:
        return False
    table = known_parameter(d, (4, d.shape[-1]))
    return d.now(f"{d.x} @ {table}.T", (*d.shape[:-1], 4))


def _dense(d: Draw) -> bool:
    if not d.shape:
        return False
    units = d.one(UNITS)
    w = d.weight((d.shape[-1], units))
    bias = f" + {known_parameter(d, (units,))}" if d.chance() else ""
    form = d.one(("{x} @ {w}", "tanh({x} @ {w})", "einsum('...i,ij->...j', {x}, {w})"))
    return d.now(form.format(x=d.x, w=w) + bias, (*d.shape[:-1], units))


def _again(d: Draw) -> bool:
    """One square weight, two or three times in depth."""
    if not d.shape:
        return False
    w, x = d.weight((d.shape[-1], d.shape[-1])), d.x
    for _ in range(d.one((2, 3))):
        x = f"tanh({x} @ {w})"
    return d.now(x)


def _backwards(d: Draw) -> bool:
    """There and back with one weight, transposed."""
    if not d.shape:
        return False
    w = known_parameter(d, (d.shape[-1], d.one((2, 3))))
    return d.now(f"tanh({d.x} @ {w}) @ {w}.T")


def _mask(d: Draw) -> bool:
    """Data of the value's shape, zeros and ones."""
    name = d.network.input(f"m{len(d.network.inputs)}", d.shape, zero_or_one=True)
    return d.now(d.one(("{x} * {m}", "where({m} > 0, {x}, 0)")).format(x=d.x, m=name))


def _bilinear(d: Draw) -> bool:
    if len(d.shape) != 1:
        return False
    w = d.weight((d.shape[0], d.shape[0]))
    return d.now(f"einsum('bi,ij,bk->bk', {d.x}, {w}, {d.x})")


def _split(d: Draw) -> bool:
    """Parts of the features, put together again, or one left out."""
    if not d.shape or not isinstance(d.shape[-1], int) or d.shape[-1] < 2:
        return False
    n, lead = d.shape[-1], d.shape[:-1]
    forms: list[tuple[str, Size]] = [
        ("{x}[..., 1:]", n - 1), ("{x}[..., ::2]", (n + 1) // 2), ("{x}[..., -1:]", 1),
        ("concatenate([{x}, 2 * {x}[..., :1]], axis=-1)", n + 1),
        ("concatenate([{x}[..., 1:], {x}[..., :1]], axis=-1)", n),
        ("repeat({x}, 2, axis=-1)", 2 * n),
    ]  # fmt: skip
    text, size = d.one(forms)
    return d.now(text.format(x=d.x), (*lead, size))


def _pooled(d: Draw) -> bool:
    """A sequence or an image made smaller by one axis."""
    if len(d.shape) < 2:
        return False
    forms = (
        "mean({x}, axis=1)", "{x}[:, -1]", "max({x}, axis=1)", "logsumexp({x}, axis=1)",
        "sum({x}, axis=1)", "{x}[:, 0]", "norm({x}, axis=1)", "prod(tanh({x}), axis=1)",
    )  # fmt: skip
    return d.now(d.one(forms).format(x=d.x), d.shape[1:])


def _swapped(d: Draw) -> bool:
    if len(d.shape) < 2:
        return False
    first, second, *rest = d.shape
    return d.now(f"swapaxes({d.x}, 1, 2)", (second, first, *rest))


def _flat(d: Draw) -> bool:
    if len(d.shape) < 2 or not all(isinstance(s, int) for s in d.shape):
        return False
    total = 1
    for size in d.shape:
        total *= number(size)
    return total <= 40 and d.now(f"flatten({d.x})", (total,))


def _folded(d: Draw) -> bool:
    """Features as positions of fewer."""
    if len(d.shape) != 1 or not isinstance(d.shape[0], int) or d.shape[0] % 2:
        return False
    return d.now(f"reshape({d.x}, (-1, 2, {d.shape[0] // 2}))", (2, d.shape[0] // 2))


def _embedded(d: Draw) -> bool:
    """Rows of a table, added or joined to what is there."""
    if not d.shape or len(d.shape) > 2:
        return False
    table = known_parameter(d, (4, d.shape[-1]))
    ids = d.network.input(f"i{len(d.network.inputs)}", d.shape[:-1], labels=4)
    padding = ", padding_idx=1" if d.chance() else ""
    return d.now(f"{d.x} + embedding({table}, {ids}{padding})")


def _image_rank(d: Draw) -> int:
    """How many axes of space an image has, 0 if it is none or they have no numbers."""
    fits = 2 <= len(d.shape) <= 3 and all(isinstance(size, int) for size in d.shape)
    return len(d.shape) - 1 if fits else 0


def _convolved(d: Draw) -> bool:
    """A convolution, its kernels sometimes shared with an earlier one of that shape."""
    rank = _image_rank(d)
    if not rank:
        return False
    channels = number(d.shape[0])
    groups = d.one([g for g in (1, 2, 3) if channels % g == 0])
    outputs = groups * d.one((1, 2))
    sizes = [d.one((1, 2, 3)) for _ in range(rank)]
    stride, dilation, padding = d.one((1, 2)), d.one((1, 2)), d.one(PADDINGS)
    places = [
        positions(n, k, stride, padding, dilation) for n, k in zip(d.shape[1:], sizes, strict=True)
    ]
    if None in places:
        return False
    w = d.weight((outputs, channels // groups, *sizes))
    text = f"conv{rank}d({d.x}, {w}, stride={stride}, padding={padding!r}, dilation={dilation}"
    return d.now(f"{text}, groups={groups})", (outputs, *(p for p in places if p)))


def _transposed_convolution(d: Draw) -> bool:
    rank = _image_rank(d)
    if not rank or any(number(n) > 5 for n in d.shape):
        return False
    channels, outputs = number(d.shape[0]), d.one((1, 2))
    sizes, stride = [d.one((1, 2, 3)) for _ in range(rank)], d.one((1, 2))
    w = d.weight((channels, outputs, *sizes))
    places = [stride * (number(n) - 1) + k for n, k in zip(d.shape[1:], sizes, strict=True)]
    return d.now(f"conv_transpose{rank}d({d.x}, {w}, stride={stride})", (outputs, *places))


def _windowed(d: Draw) -> bool:
    rank = _image_rank(d)
    if not rank:
        return False
    size, stride, padding = d.one((2, 1, 3)), d.one((1, 2, 3)), d.one((0, 1))
    padding = min(padding, size - 1)
    places = [positions(n, size, stride, padding) for n in d.shape[1:]]
    if None in places:
        return False
    text = f"{d.one(('avg', 'max'))}_pool{rank}d({d.x}, {size}, stride={stride}, padding={padding})"
    return d.now(text, (d.shape[0], *(p for p in places if p)))


def _channels(d: Draw) -> bool:
    """One number a channel."""
    if not _image_rank(d):
        return False
    return d.now(f"global_{d.one(('avg', 'max'))}_pool({d.x})", d.shape[:1])


def _picked(d: Draw) -> bool:
    """One feature a row, picked by labels."""
    if not d.shape or not isinstance(d.shape[-1], int):
        return False
    lead = d.shape[:-1]
    name = d.network.input(f"i{len(d.network.inputs)}", lead, labels=d.shape[-1])
    if not lead and d.chance():
        return d.now(f"{d.x}[arange(batch), {name}]", ())
    return d.now(f"take_along_axis({d.x}, {name}[..., None], axis=-1)", (*lead, 1))


def _unit(d: Draw) -> bool:
    """The units with parameters of their own."""
    if not d.shape:
        return False
    if d.chance():
        return d.now(f"prelu({d.x}, {known_parameter(d, ())})")
    w = d.weight((d.shape[-1], 4))
    return d.now(f"maxout({d.x} @ {w}, 2)", (*d.shape[:-1], 2))


def _bag(d: Draw) -> bool:
    """A bag of rows, added to the features."""
    if len(d.shape) != 1:
        return False
    table = known_parameter(d, (4, d.shape[0]))
    ids = d.network.input(f"i{len(d.network.inputs)}", (3,), labels=4)
    mode = d.one(("sum", "mean"))
    return d.now(f"{d.x} + embedding_bag({table}, {ids}, mode={mode!r})")


def _grouped(d: Draw) -> bool:
    if len(d.shape) < 2 or not isinstance(d.shape[0], int):
        return False
    groups = d.one([g for g in (1, 2) if d.shape[0] % g == 0])
    return d.now(f"group_norm({d.x}, {groups}, {known_parameter(d, (d.shape[0],))})")


#: The operations on values of each rank (without the batch axis), likelier ones more than once.
STEPS: tuple[Callable[[Draw], bool], ...] = (
    _dense, _dense, _dense, _elementwise, _elementwise, _along, _pair, _pair, _scale, _gain, _again,
    _backwards, _mask, _bilinear, _split, _pooled, _swapped, _flat, _folded,
    _embedded, _convolved, _convolved, _transposed_convolution, _windowed, _channels, _grouped,
    _picked, _unit, _bag, _spread, _spread, _head, *SEQUENCE_STEPS,
)  # fmt: skip

INPUTS: tuple[Shape, ...] = (
    (3,), (1,), (4,), (2, 3), ("time", 2), (1, 1), ("time", "width"), (2, 4, 3), (2, 5), (1, 4, 4),
)  # fmt: skip
