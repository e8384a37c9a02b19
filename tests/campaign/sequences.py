"""Operations along time that networks of equations are drawn from: attention and recurrences.

Shapes are without the batch axis, time first.  Masks leave out steps or keys, lengths the ends of
sequences; memories are other sequences, from data or from earlier in the network.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.campaign.drawing import Draw, known_parameter
from tests.campaign.network import Shape, Size, number


def _data(d: Draw, letter: str, shape: Shape, **facts: object) -> str:
    """A new input with a name of its own."""
    return d.network.input(f"{letter}{len(d.network.inputs)}", shape, **facts)


def _seen(d: Draw, queries: Size, keys: Size) -> str:
    """Which keys are seen: the argument of attention, or nothing."""
    how = d.one(("all", "keys", "pairs", "lengths"))
    if how == "keys":
        return f", mask={_data(d, 'm', (keys,), zero_or_one=True)}[:, None, :]"
    if how == "pairs":
        return f", mask={_data(d, 'm', (queries, keys), zero_or_one=True)}"
    if how == "lengths":
        name = _data(d, "n", (), labels=number(keys) + 1)
        return f", mask=(arange({keys}) < {name}[:, None])[:, None, :]"
    return ""


def _attended(d: Draw) -> bool:
    """Attention of a sequence to itself, with weights that may be shared."""
    if len(d.shape) != 2:
        return False
    time, width = d.shape
    q, k, v = (f"{d.x} @ {d.weight((width, width))}" for _ in range(3))
    options = _seen(d, time, time) + (", causal=True" if d.chance() else "")
    if isinstance(width, int) and width % 2 == 0 and d.chance():
        options += ", heads=2"
    return d.now(f"attention({q}, {k}, {v}{options})")


def _attended_across(d: Draw) -> bool:
    """Attention to another sequence: of data, or of an earlier value."""
    if len(d.shape) != 2:
        return False
    time, width = d.shape
    earlier = [n for n, own in d.network.shapes.items() if len(own) == 2 and n != d.x]
    if earlier and d.chance():
        memory = d.one(earlier)
    else:
        shape: Shape = (d.one((3, "time", 1)), 2)
        memory = _data(d, "o", shape)
        d.network.shapes[memory] = shape
    keys, features = d.network.shapes[memory]
    k, v = (f"{memory} @ {d.weight((features, width))}" for _ in range(2))
    form = d.one((
        "{x} + attention({x}, {k}, {v}{options})",
        "softmax({x} @ swapaxes({k}, 1, 2)) @ ({v})",
    ))  # fmt: skip
    return d.now(form.format(x=d.x, k=k, v=v, options=_seen(d, time, keys)))


def _shifted(d: Draw) -> bool:
    """Each position with the one before it."""
    if len(d.shape) != 2:
        return False
    w = d.weight((d.shape[-1], d.shape[-1]))
    before = f"pad({d.x}, ((0, 0), (1, 0), (0, 0)))[:, :-1]"
    return d.now(f"tanh({before} @ {w}) + {d.x}")


def _convolved_in_time(d: Draw) -> bool:
    """Features as channels along a time that may have a name."""
    if len(d.shape) != 2:
        return False
    time, features = d.shape
    outputs: Size = d.one((2, 1, 3))
    w = d.weight((outputs, features, d.one((3, 1, 2))))
    text = f"conv1d(swapaxes({d.x}, 1, 2), {w}, padding='same', dilation={d.one((1, 2))})"
    return d.now(f"swapaxes({text}, 1, 2)", (time, outputs))


def _left_out(d: Draw, time: Size) -> list[str]:
    """Steps that are left out: the argument of a recurrence, or none."""
    how = d.one(("none", "none", "mask", "lengths"))
    if how == "mask":
        return [f"mask={_data(d, 'm', (time,), zero_or_one=True)}"]
    if how == "lengths":
        return [f"lengths={_data(d, 'n', (), labels=number(time) + 1)}"]
    return []


def _recurrent(d: Draw) -> bool:
    """A recurrence over positions, its weights shared with another one of the same sizes."""
    if len(d.shape) != 2:
        return False
    time, features = d.shape
    kind, gates = d.one((("rnn", 1), ("gru", 3), ("lstm", 4)))
    units = d.one((2, 1))
    parts = [
        d.x,
        known_parameter(d, (features, gates * units)),
        known_parameter(d, (units, gates * units)),
    ]
    if d.chance():
        parts.append(known_parameter(d, (gates * units,)))
    parts += _left_out(d, time)
    if d.rarely(3):
        parts.append(f"initial_state={d.earlier((units,)) or known_parameter(d, (units,))}")
    if kind == "rnn" and d.rarely(3):
        parts.append(f"activation={d.one(('softplus', 'sin', 'sigmoid'))!r}")
    parts += [f"{key}=True" for key in ("reverse", "unroll") if d.rarely(2)]
    parts = [p for p in parts if p != "unroll=True" or isinstance(time, int)]
    if kind == "gru" and d.chance():
        parts.append("reset_after=True")
    if d.chance():
        return d.now(f"{kind}({', '.join(parts)}, return_sequences=True)", (time, units))
    return d.now(f"{kind}({', '.join(parts)})", (units,))


STEPS: tuple[Callable[[Draw], bool], ...] = (
    _attended, _attended, _attended_across, _shifted, _convolved_in_time, _recurrent, _recurrent,
)  # fmt: skip
