"""Networks of equations, drawn: one table a kind of value, a row an operation.

A row is a function of a :class:`Draw` that adds an equation, and returns False where it cannot.
Whoever adds a function to symdiff adds a row here, and the campaign draws it from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.campaign.network import Network, Shape, Size, number

T = TypeVar("T")


@dataclass
class Draw:
    """The network so far, and where its choices come from."""

    choose: st.DrawFn
    network: Network = field(default_factory=Network)

    def one(self, options: Sequence[T]) -> T:
        """One of several; the first is the simplest."""
        return self.choose(st.sampled_from(list(options)))

    def chance(self) -> bool:
        """Yes or no; no is simpler."""
        return self.choose(st.booleans())

    def rarely(self, times: int) -> bool:
        """Once in so many times and one."""
        return self.choose(st.sampled_from([False] * times + [True]))

    @property
    def x(self) -> str:
        return self.network.value

    @property
    def shape(self) -> Shape:
        return self.network.shape

    def now(self, text: str, shape: Shape | None = None) -> bool:
        """A new value, of the last one's shape unless said."""
        self.network.equation(text, self.shape if shape is None else shape)
        return True

    def weight(self, shape: Shape) -> str:
        """A parameter of the shape: a new one, one used before, or an expression of some."""
        made = [w(self, shape) for w in self.choose(st.permutations(WEIGHTS))[:1]]
        found = [text for text in made if text]
        return found[0] if found else _known(self, shape)

    def earlier(self, shape: Shape | None = None) -> str | None:
        """An earlier value, of the last one's shape unless said."""
        wanted = self.shape if shape is None else shape
        names = [n for n, own in self.network.shapes.items() if own == wanted and n != self.x]
        return self.one(names) if names else None


def _known(d: Draw, shape: Shape) -> str:
    """A parameter of exactly the shape, an old one or else a new one."""
    known = [n for n, p in d.network.parameters.items() if tuple(p["shape"]) == shape]
    if known and d.chance():
        return d.one(known)
    options: dict[str, Any] = {}
    if d.network.parameters and d.rarely(7):
        options["trainable"] = False
    return d.network.parameter(shape, init="uniform", **options)


def _transposed(d: Draw, shape: Shape) -> str | None:
    return f"{_known(d, shape[::-1])}.T" if len(shape) == 2 else None


def _scaled(d: Draw, shape: Shape) -> str:
    return f"({_known(d, ())} * {_known(d, shape)})"


def _rows(d: Draw, shape: Shape) -> str | None:
    if not shape or not isinstance(shape[0], int):
        return None
    return f"{_known(d, (shape[0] + 1, *shape[1:]))}[1:]"


def _strided(d: Draw, shape: Shape) -> str | None:
    if not shape or not isinstance(shape[-1], int):
        return None
    return f"{_known(d, (*shape[:-1], 2 * shape[-1]))}[..., ::2]"


def _of_two(d: Draw, shape: Shape) -> str | None:
    if len(shape) != 2 or not isinstance(shape[-1], int):
        return None
    left = _known(d, (shape[0], 1))
    return f"concatenate([{left}, {_known(d, shape)}[:, 1:]], axis=1)"


def _low_rank(d: Draw, shape: Shape) -> str | None:
    return f"({_known(d, (shape[0], 2))} @ {_known(d, (2, shape[1]))})" if len(shape) == 2 else None


def _normalised(d: Draw, shape: Shape) -> str | None:
    if len(shape) != 2:
        return None
    w = _known(d, shape)
    return f"({w} / norm({w}, axis=0))"


def _each(text: str) -> Callable[[Draw, Shape], str | None]:
    return lambda d, shape: text.format(w=_known(d, shape)) if shape else None


#: Where weights come from.
WEIGHTS: list[Callable[[Draw, Shape], str | None]] = [
    _known, _known, _known, _transposed, _scaled, _rows, _strided, _of_two, _low_rank, _normalised,
    _each("softmax({w})"), _each("tanh({w})"), _each("exp({w})"), _each("{w}[::-1]"),
    _each("({w} - mean({w}))"), _each("(2 * {w} - stop_gradient({w}))"),
]  # fmt: skip

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
    "einsum('...i,...j->...j', {x}, {x})",
)  # fmt: skip
#: Of two values of one shape.
PAIRS = (
    "{x} + {y}", "{x} - 0.5 * {y}", "{x} * {y}", "{x} / (1 + {y}**2)", "maximum({x}, {y} + 0.01)",
    "where({y} > 0, {x}, {y})", "sigmoid({y}) * {x}", "hypot({x}, 1 + abs({y}))",
    "stack([{x}, {y}], axis=1)[:, 0]", "logaddexp({x}, {y})", "power(1 + {x}**2, tanh({y}))",
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
    return d.now(form.format(a=_known(d, ()), x=d.x))


def _gain(d: Draw) -> bool:
    """A parameter on the last axis, or on a last axis of size 1."""
    if not d.shape:
        return False
    sizes: list[Size] = [d.shape[-1], 1]
    gain = _known(d, (d.one(sizes),))
    return d.now(d.one(("{x} * {g}", "{x} + {g}", "tanh({x}) + {g}")).format(x=d.x, g=gain))


UNITS: tuple[Size, ...] = (3, 1, 2, 5, "width")


def _dense(d: Draw) -> bool:
    if not d.shape:
        return False
    units = d.one(UNITS)
    w = d.weight((d.shape[-1], units))
    bias = f" + {_known(d, (units,))}" if d.chance() else ""
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
    w = _known(d, (d.shape[-1], d.one((2, 3))))
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


def _attended(d: Draw) -> bool:
    if len(d.shape) != 2:
        return False
    width = d.shape[-1]
    q, k, v = (f"{d.x} @ {d.weight((width, width))}" for _ in range(3))
    options = ", causal=True" if d.chance() else ""
    if isinstance(width, int) and width % 2 == 0 and d.chance():
        options += ", heads=2"
    return d.now(f"attention({q}, {k}, {v}{options})")


def _shifted(d: Draw) -> bool:
    """Each position with the one before it."""
    if len(d.shape) != 2:
        return False
    w = d.weight((d.shape[-1], d.shape[-1]))
    before = f"pad({d.x}, ((0, 0), (1, 0), (0, 0)))[:, :-1]"
    return d.now(f"tanh({before} @ {w}) + {d.x}")


def _embedded(d: Draw) -> bool:
    """Rows of a table, added or joined to what is there."""
    if not d.shape or len(d.shape) > 2:
        return False
    table = _known(d, (4, d.shape[-1]))
    ids = d.network.input(f"i{len(d.network.inputs)}", d.shape[:-1], labels=4)
    padding = ", padding_idx=1" if d.chance() else ""
    return d.now(f"{d.x} + embedding({table}, {ids}{padding})")


def _convolved(d: Draw) -> bool:
    rank = len(d.shape) - 1
    if rank not in (1, 2) or not isinstance(d.shape[0], int):
        return False
    channels, space = d.shape[0], d.shape[1:]
    groups = d.one([g for g in (1, 2, 3) if channels % g == 0])
    outputs = groups * d.one((1, 2))
    sizes = [d.one((1, 2, 3)) for _ in space]
    stride, dilation = d.one((1, 2)), d.one((1, 2))
    padding = d.one((0, 1, "same"))
    lengths = []
    for length, size in zip(space, sizes, strict=True):
        if not isinstance(length, int):
            return False
        span = dilation * (size - 1) + 1
        around = padding if isinstance(padding, int) else None
        whole = length + 2 * around - span if around is not None else None
        if whole is not None and whole < 0:
            return False
        lengths.append(-(-length // stride) if whole is None else whole // stride + 1)
    w = d.weight((outputs, channels // groups, *sizes))
    text = f"conv{rank}d({d.x}, {w}, stride={stride}, padding={padding!r}, dilation={dilation}"
    return d.now(f"{text}, groups={groups})", (outputs, *lengths))


def _windowed(d: Draw) -> bool:
    rank = len(d.shape) - 1
    if rank not in (1, 2) or not all(isinstance(s, int) and s >= 2 for s in d.shape[1:]):
        return False
    size, stride = d.one((2, 1)), d.one((1, 2))
    lengths = tuple((number(s) - size) // stride + 1 for s in d.shape[1:])
    kind = d.one(("avg", "max"))
    text = f"{kind}_pool{rank}d({d.x}, {size}, stride={stride})"
    return d.now(text, (d.shape[0], *lengths))


def _grouped(d: Draw) -> bool:
    if len(d.shape) < 2 or not isinstance(d.shape[0], int):
        return False
    groups = d.one([g for g in (1, 2) if d.shape[0] % g == 0])
    return d.now(f"group_norm({d.x}, {groups}, {_known(d, (d.shape[0],))})")


#: The operations on values of each rank (without the batch axis), likelier ones more than once.
STEPS: tuple[Callable[[Draw], bool], ...] = (
    _dense, _dense, _dense, _elementwise, _elementwise, _along, _pair, _pair, _scale, _gain, _again,
    _backwards, _mask, _bilinear, _split, _pooled, _swapped, _flat, _folded, _attended, _shifted,
    _embedded, _convolved, _convolved, _windowed, _grouped,
)  # fmt: skip

_INPUTS: tuple[Shape, ...] = (
    (3,), (1,), (4,), (2, 3), ("time", 2), (1, 1), ("time", "width"), (2, 4, 3), (2, 5), (1, 4, 4),
)  # fmt: skip
