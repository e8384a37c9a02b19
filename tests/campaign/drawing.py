"""Where a drawn network's choices come from, and where its weights come from.

Weights are parameters used once, twice or more often, as they are, transposed, in slices, scaled by
a shared number, or computed of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.campaign.network import Network, Shape

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
        return found[0] if found else known_parameter(self, shape)

    def earlier(self, shape: Shape | None = None) -> str | None:
        """An earlier value, of the last one's shape unless said."""
        wanted = self.shape if shape is None else shape
        names = [n for n, own in self.network.shapes.items() if own == wanted and n != self.x]
        return self.one(names) if names else None


def known_parameter(d: Draw, shape: Shape) -> str:
    """A parameter of exactly the shape, an old one or else a new one."""
    known = [n for n, p in d.network.parameters.items() if tuple(p["shape"]) == shape]
    if known and d.chance():
        return d.one(known)
    options: dict[str, Any] = {}
    if d.network.parameters and d.rarely(7):
        options["trainable"] = False
    return d.network.parameter(shape, init="uniform", **options)


def _transposed(d: Draw, shape: Shape) -> str | None:
    return f"{known_parameter(d, shape[::-1])}.T" if len(shape) == 2 else None


def _scaled(d: Draw, shape: Shape) -> str:
    return f"({known_parameter(d, ())} * {known_parameter(d, shape)})"


def _rows(d: Draw, shape: Shape) -> str | None:
    if not shape or not isinstance(shape[0], int):
        return None
    return f"{known_parameter(d, (shape[0] + 1, *shape[1:]))}[1:]"


def _strided(d: Draw, shape: Shape) -> str | None:
    if not shape or not isinstance(shape[-1], int):
        return None
    return f"{known_parameter(d, (*shape[:-1], 2 * shape[-1]))}[..., ::2]"


def _half(d: Draw, shape: Shape) -> str | None:
    """One of two parts of a wider parameter, the other of which may stand elsewhere."""
    if not shape or not isinstance(shape[-1], int):
        return None
    n = shape[-1]
    return f"{known_parameter(d, (*shape[:-1], 2 * n))}[..., {d.one((f':{n}', f'{n}:'))}]"


def _of_two(d: Draw, shape: Shape) -> str | None:
    if len(shape) != 2 or not isinstance(shape[-1], int):
        return None
    left = known_parameter(d, (shape[0], 1))
    return f"concatenate([{left}, {known_parameter(d, shape)}[:, 1:]], axis=1)"


def _low_rank(d: Draw, shape: Shape) -> str | None:
    return (
        f"({known_parameter(d, (shape[0], 2))} @ {known_parameter(d, (2, shape[1]))})"
        if len(shape) == 2
        else None
    )


def _normalised(d: Draw, shape: Shape) -> str | None:
    if len(shape) != 2:
        return None
    w = known_parameter(d, shape)
    return f"({w} / norm({w}, axis=0))"


def _triangle(d: Draw, shape: Shape) -> str | None:
    return f"{d.one(('tril', 'triu'))}({known_parameter(d, shape)})" if len(shape) == 2 else None


def _each(text: str) -> Callable[[Draw, Shape], str | None]:
    return lambda d, shape: text.format(w=known_parameter(d, shape)) if shape else None


#: Where weights come from.
WEIGHTS: list[Callable[[Draw, Shape], str | None]] = [
    known_parameter, known_parameter, known_parameter, _transposed, _scaled, _rows, _strided,
    _half, _of_two, _low_rank, _normalised, _triangle,
    _each("softmax({w})"), _each("tanh({w})"), _each("exp({w})"), _each("{w}[::-1]"),
    _each("roll({w}, 1)"),
    _each("({w} - mean({w}))"), _each("(2 * {w} - stop_gradient({w}))"),
]  # fmt: skip
