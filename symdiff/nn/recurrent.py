"""Recurrent networks over sequences: a step, scanned along time.

What a step makes of its element alone, ``x_t @ W + b``, is one product over the whole sequence;
the loop has the products with the state only.  A step that a mask leaves out carries the state
through, so that padding an example changes neither its result nor any derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symdiff.expr import build, movement
from symdiff.expr.node import Node, with_shape
from symdiff.expr.scan import scan
from symdiff.expr.shapes import ShapeError, Size, shape_text, size_mul
from symdiff.nn import activations

#: What the plain network's step may end in.
ACTIVATIONS: Mapping[str, Callable[[Any], Node]] = {
    "tanh": build.tanh,
    "relu": build.relu,
    "sigmoid": build.sigmoid,
    "sin": build.sin,
    "softplus": build.softplus,
    **{
        name: getattr(activations, name)
        for name in "relu6 leaky_relu elu selu celu gelu silu softsign hard_tanh".split()
    },
}

State = dict[str, Node]
Step = Callable[[State, Node], State]


def rnn(
    x: Any,
    W: Any,
    U: Any,
    b: Any = None,
    initial_state: Any = None,
    mask: Any = None,
    lengths: Any = None,
    activation: str | None = "tanh",
    return_sequences: bool = False,
    reverse: bool = False,
    unroll: bool = False,
) -> Node:
    """h_t = activation(x_t @ W + h_{t-1} @ U + b), after Elman (1990).

    x is (..., time, features), W (features, units), U (units, units), b (units,); the result is
    the last state (..., units), or all, (..., time, units), with ``return_sequences``.
    ``initial_state`` (0 by default) broadcasts to a state.  Steps where ``mask`` (..., time) is 0,
    and those past ``lengths`` (...), leave the state as it is.  ``reverse`` goes from the last step
    to the first; results stand in order of time all the same.  ``unroll`` writes the steps out
    where their number is known.  ``activation`` is one of tanh, relu, sigmoid, ... or None.

    Raises ShapeError where sizes differ, ValueError for what is unknown.
    """
    if activation is not None and activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(f"rnn: unknown activation {activation!r}; it is one of {known}")
    function = build.as_node if activation is None else ACTIVATIONS[activation]
    run = _Recurrence("rnn", x, W, U, b, 1)

    def step(state: State, z: Node) -> State:
        return {"h": function(z + state["h"] @ run.U)}

    return run.over_time(
        step, {"h": initial_state}, mask, lengths, return_sequences, reverse, unroll
    )


def lstm(
    x: Any,
    W: Any,
    U: Any,
    b: Any = None,
    initial_state: Any = None,
    initial_cell: Any = None,
    mask: Any = None,
    lengths: Any = None,
    return_sequences: bool = False,
    reverse: bool = False,
    unroll: bool = False,
) -> Node:
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gates of Gers et al. 2000).

    i, f, g, o are the four parts, in that order, of x_t @ W + h_{t-1} @ U + b, which are
    (features, 4·units), (units, 4·units) and (4·units,); then c_t = σ(f) c_{t-1} + σ(i) tanh(g)
    and h_t = σ(o) tanh(c_t), as in torch and Keras.  All else as in :func:`rnn`; ``initial_cell``
    is the first c.
    """
    run = _Recurrence("lstm", x, W, U, b, 4)

    def step(state: State, z: Node) -> State:
        i, f, g, o = run.parts(z + state["h"] @ run.U, 4)
        c = build.sigmoid(f) * state["c"] + build.sigmoid(i) * build.tanh(g)
        return {"h": build.sigmoid(o) * build.tanh(c), "c": c}

    starts = {"h": initial_state, "c": initial_cell}
    return run.over_time(step, starts, mask, lengths, return_sequences, reverse, unroll)


def gru(
    x: Any,
    W: Any,
    U: Any,
    b: Any = None,
    c: Any = None,
    initial_state: Any = None,
    mask: Any = None,
    lengths: Any = None,
    reset_after: bool = False,
    return_sequences: bool = False,
    reverse: bool = False,
    unroll: bool = False,
) -> Node:
    """Gated recurrent units (Cho et al. 2014), with the reset before or after the product.

    W is (features, 3·units), U (units, 3·units), b (3·units,), for the gates r and z and the
    candidate n, in that order, as in torch.  r and z are sigmoids of their parts of
    x_t @ W + h_{t-1} @ U + b;  n_t = tanh(x_t @ W_n + b_n + (r_t h_{t-1}) @ U_n), or with
    ``reset_after`` n_t = tanh(x_t @ W_n + b_n + r_t (h_{t-1} @ U_n + c)), c being (units,);
    h_t = z_t h_{t-1} + (1 − z_t) n_t.  All else as in :func:`rnn`.
    """
    if c is not None and not reset_after:
        raise ValueError("gru: c is the bias inside of the reset; say reset_after=True")
    run = _Recurrence("gru", x, W, U, b, 3)
    units, inner = run.units, None if c is None else build.as_node(c)
    gates = movement.slice_(run.U, [(0, units, 1), (0, size_mul(2, units), 1)])
    candidate = run.parts(run.U, 3)[2]

    def step(state: State, x: Node) -> State:
        h = state["h"]
        first, second, third = run.parts(x, 3)
        if reset_after:
            for_r, for_z, product = run.parts(h @ run.U, 3)
        else:
            for_r, for_z = run.parts(h @ gates, 2)
        r, z = build.sigmoid(first + for_r), build.sigmoid(second + for_z)
        if reset_after:
            inside = r * (product if inner is None else product + inner)
        else:
            inside = (r * h) @ candidate
        return {"h": z * h + (1 - z) * build.tanh(third + inside)}

    return run.over_time(
        step, {"h": initial_state}, mask, lengths, return_sequences, reverse, unroll
    )


class _Recurrence:
    """A sequence times its weights, and the loop over it; ``gates`` parts stand side by side."""

    def __init__(self, name: str, x: Any, W: Any, U: Any, b: Any, gates: int) -> None:
        self.name = name
        self.x, self.U, weight = build.as_node(x), build.as_node(U), build.as_node(W)
        if self.x.ndim < 2:
            raise ShapeError(f"{name}: {with_shape(self.x)} is not (..., time, features)")
        if self.U.ndim != 2:
            raise ShapeError(f"{name}: {with_shape(self.U)} is not a matrix of the state")
        self.units: Size = self.U.shape[0]
        self.time: Size = self.x.shape[-2]
        wide = size_mul(gates, self.units)
        if self.U.shape[1] != wide:
            raise ShapeError(
                f"{name}: {with_shape(self.U)} is not {shape_text((self.units, wide))}"
            )
        if weight.shape != (self.x.shape[-1], wide):
            wanted = shape_text((self.x.shape[-1], wide))
            raise ShapeError(
                f"{name}: {with_shape(weight)} is not {wanted}, as {with_shape(self.x)} and "
                f"{with_shape(self.U)} need it"
            )
        self.products = build.matmul(self.x, weight)
        if b is not None:
            bias = build.as_node(b)
            if bias.shape != (wide,):
                raise ShapeError(f"{name}: {with_shape(bias)} is not {shape_text((wide,))}")
            self.products = self.products + bias

    def parts(self, x: Node, count: int) -> list[Node]:
        """The parts of the last axis that belong to the gates."""
        whole = [(0, size, 1) for size in x.shape[:-1]]
        return [
            movement.slice_(x, [*whole, (size_mul(i, self.units), self.units, 1)])
            for i in range(count)
        ]

    def over_time(
        self,
        step: Step,
        starts: Mapping[str, Any],
        mask: Any,
        lengths: Any,
        return_sequences: bool,
        reverse: bool,
        unroll: bool,
    ) -> Node:
        """The state h after the last step, or after each."""
        init = {name: self.start(value) for name, value in starts.items()}
        seen = self.seen(mask, lengths)

        def masked(state: State, now: tuple[Node, Node | None]) -> tuple[State, Node]:
            z, is_seen = now
            new = step(state, z)
            if is_seen is not None:
                there = build.expand_dims(is_seen, -1)
                new = {name: build.where(there, new[name], state[name]) for name in new}
            return new, new["h"]

        if unroll:
            return self.written_out(masked, init, seen, return_sequences, reverse)
        elements = (_time_first(self.products, 2), None if seen is None else _time_first(seen, 1))
        last, states = scan(masked, init, elements, reverse=reverse)
        if not return_sequences:
            return last["h"]  # type: ignore[no-any-return]
        axes = [*range(1, states.ndim - 1), 0, states.ndim - 1]
        return build.transpose(states, axes)

    def written_out(
        self,
        step: Callable[..., tuple[State, Node]],
        state: State,
        seen: Node | None,
        return_sequences: bool,
        reverse: bool,
    ) -> Node:
        """The steps one after the other."""
        if not isinstance(self.time, int):
            raise ShapeError(
                f"{self.name}: {with_shape(self.x)} has a number of steps that is not known, "
                "so that they cannot be written out; leave unroll out"
            )
        states: list[Any] = [None] * self.time
        for t in range(self.time)[:: -1 if reverse else 1]:
            now = (self.products[..., t, :], None if seen is None else seen[..., t])
            state, states[t] = step(state, now)
        return build.stack(states, axis=-2) if return_sequences else state["h"]

    def start(self, value: Any) -> Node:
        """A first state: zeros, or what is given, for every example."""
        shape = (*self.x.shape[:-2], self.units)
        if value is None:
            return build.zeros(shape, dtype=self.products.dtype)
        given = build.as_node(value)
        try:
            return build.broadcast_to(build.cast(given, self.products.dtype), shape)
        except ShapeError:
            raise ShapeError(
                f"{self.name}: {with_shape(given)} is no state of shape {shape_text(shape)}"
            ) from None

    def seen(self, mask: Any, lengths: Any) -> Node | None:
        """Which steps count, (..., time); None if all do."""
        found: list[Node] = []
        if mask is not None:
            given = build.as_node(mask)
            found.append(given if given.dtype == "bool" else build.not_equal(given, 0))
        if lengths is not None:
            ends = build.as_node(lengths)
            if ends.shape != self.x.shape[:-2]:
                raise ShapeError(
                    f"{self.name}: lengths {with_shape(ends)} are not of shape "
                    f"{shape_text(self.x.shape[:-2])}"
                )
            found.append(build.less(build.arange(self.time), build.expand_dims(ends, -1)))
        for each in found:
            if each.shape != self.x.shape[:-1]:
                raise ShapeError(
                    f"{self.name}: the mask has shape {shape_text(each.shape)}, not "
                    f"{shape_text(self.x.shape[:-1])}"
                )
        if len(found) == 2:
            return build.where(found[0], found[1], build.constant(False))
        return found[0] if found else None


def _time_first(x: Node, behind: int) -> Node:
    """Time, which has ``behind - 1`` axes behind it, in front."""
    time = x.ndim - behind
    return build.transpose(x, [time, *(a for a in range(x.ndim) if a != time)])
