"""Hypothesis strategies for whole networks, so that a failure shrinks to its smallest spec."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tests.campaign.drawing import Draw
from tests.campaign.formulas import INPUTS, STEPS
from tests.campaign.layered import add_layer
from tests.campaign.losses import end, end_layers
from tests.campaign.network import Network, Shape

#: Steps of a network, at most.
MOST = 8
_FLAT: tuple[Shape, ...] = ((3,), (4,), (1,), ("time", 2), (2, 4), (3, 2, 2), (2, 5), (1, 4, 4))


@st.composite
def _step(draw: st.DrawFn, d: Draw, add: Callable[[Draw], object], often: int) -> bool:
    """One step more, or none, ``often`` times in one more.

    A draw of its own, so that Hypothesis can leave a step out when it shrinks a failure.
    """
    if not draw(st.integers(0, often)):
        return False
    outer, d.choose = d.choose, draw
    add(d)
    d.choose = outer
    return True


def _any_step(d: Draw) -> None:
    d.one(STEPS)(d)


@st.composite
def written(draw: st.DrawFn) -> Network:
    """A network of equations."""
    d = Draw(draw)
    shape = d.one(INPUTS)
    d.network.shapes[d.network.input("x", shape)] = shape
    d.network.value, d.network.shape = "x", shape
    for _ in range(MOST):
        if not draw(_step(d, _any_step, 6)):
            break
    if d.x == "x":
        d.now("tanh(x)")
    if d.rarely(5):
        d.network.parameter((2,))  # that nothing reads
    end(d)
    if d.rarely(5):
        d.network.dtype = "float32"
    return d.network


@st.composite
def layered(draw: st.DrawFn) -> Network:
    """A network of layers, or an embedding with layers behind it."""
    d = Draw(draw)
    shape = d.one(_FLAT)
    if d.chance() and len(shape) == 2:
        d.network.input("x", shape[:1], labels=5)
        keys: dict[str, object] = {"kind": "embedding", "units": shape[1]}
        if d.rarely(2):
            keys["padding_idx"] = 0
        if d.rarely(2):
            keys["bag"], shape = d.one(("sum", "mean")), shape[1:]
        d.network.layers.append(keys)
    else:
        d.network.input("x", shape)
    d.network.shape = shape
    for _ in range(MOST):
        if not draw(_step(d, add_layer, 3)):
            break
    if not d.network.layers:
        d.network.layers.append({"kind": "activation", "activation": "tanh"})
    end_layers(d)
    if d.chance():
        d.network.loss["l2"] = 0.1
    if d.rarely(5):
        d.network.dtype = "float32"
    return d.network


def networks() -> st.SearchStrategy[Network]:
    """Networks of either kind."""
    return st.one_of(written(), written(), layered())
