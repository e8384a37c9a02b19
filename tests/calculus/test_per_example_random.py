"""Per-example norms and weighted sums of models drawn at random, against the loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.calculus.per_example import per_example_gradients, squared_norms, weighted_sums
from symdiff.calculus.reverse import gradients
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.expr.windows import window
from symdiff.simplify.contraction import plan
from tests.calculus.models import BATCH, Model, model

# Everything is (batch, 3) or (batch, 2, 3); weights are (3, 3) or made so.
W, V = b.parameter("W", (3, 3)), b.parameter("V", (3, 3))
U, C = b.parameter("U", (3, 1)), b.parameter("c", (3,))
A, E = b.parameter("alpha", ()), b.parameter("E", (4, 3))
PARAMETERS = (W, V, U, C, A, E)

_WEIGHTS: tuple[Callable[[], Node], ...] = (
    lambda: W,
    lambda: W.T,
    lambda: V,
    lambda: W @ V,
    lambda: U @ U.T,
    lambda: W * V,
    lambda: b.exp(W),
    lambda: W / b.norm(W, axis=0),
    lambda: b.softmax(V, axis=1),
    lambda: A * W,
    lambda: W[::-1],
    lambda: b.concatenate([U, W[:, 1:]], axis=1),
    lambda: b.tril(V),
    lambda: b.reshape(b.reshape(W, (9,)), (3, 3)),
    lambda: E[1:],
    lambda: b.pad(U, [(0, 0), (1, 1)]),
    lambda: W + C,
)
_ELEMENTWISE: tuple[Callable[[Node], Node], ...] = (
    b.tanh,
    b.sin,
    lambda h: A * h,
    lambda h: h + C,
    lambda h: b.tanh(h) * C,
    lambda h: b.where(h > 0, h, A * h),
    b.softmax,
    lambda h: h - b.mean(h, axis=-1, keepdims=True),
    lambda h: b.flip(h, -1),
    lambda h: b.cumsum(h, axis=-1),
    lambda h: b.max(
        window(b.pad(h, [(0, 0)] * (h.ndim - 1) + [(1, 1)]), (h.ndim - 1,), (3,), (1,), (1,)),
        axis=-1,
    ),
    lambda h: b.tanh(b.reshape(h, (-1, 3)) @ W).reshape(h.shape),
)


@st.composite
def models(draw: st.DrawFn) -> Model:
    """A small net over one or two positions an example, with weights used in odd ways."""
    positions = draw(st.sampled_from(((), (2,))))
    data = b.input("x", ("batch", *positions, 3))
    pool = [data]
    if draw(st.booleans()):
        pool.append(E[b.input("ids", ("batch", *positions), "int64", labels=4)])
    for _ in range(draw(st.integers(1, 4))):
        h = draw(st.sampled_from(pool))
        kind = draw(st.sampled_from("wwea"))
        if kind == "w":
            new = b.tanh(h @ draw(st.sampled_from(_WEIGHTS))())
        elif kind == "e":
            new = draw(st.sampled_from(_ELEMENTWISE))(h)
        else:
            new = h + draw(st.sampled_from(pool)) * 0.5
        pool.append(new)
    total = b.sin(pool[-1]) + pool[-2] ** 2
    loss = b.sum(total, axis=tuple(range(1, total.ndim)))
    return model(loss, *PARAMETERS, seed=draw(st.integers(0, 99)))


@settings(max_examples=60, deadline=None)
@given(models())
def test_random_models(m: Model) -> None:
    weights = b.input("weights of examples", ("batch",))
    g = per_example_gradients(m.losses, m.parameters)
    alone = plan(squared_norms(g))
    both = plan([*squared_norms(g), *weighted_sums(g, weights)])
    own = np.linspace(-1.0, 2.0, BATCH)
    values = {**m.values, "weights of examples": own}
    sizes = {"batch": BATCH}
    norms, found = evaluate(alone, values, sizes), evaluate(both, values, sizes)
    single = gradients(b.sum(m.losses), m.parameters)
    loop = [evaluate(single, m.rows(slice(j, j + 1)), {"batch": 1}) for j in range(BATCH)]
    for i, name in enumerate(m.names):
        s = np.array([np.sum(loop[j][i] ** 2) for j in range(BATCH)])
        scale = 1e-10 * s + 1e-12 * (1 + max(float(np.max(s)), 0.0))
        assert np.all(np.abs(norms[i] - s) <= scale), name
        assert np.all(np.abs(found[i] - s) <= scale), name
        expected = sum(own[j] * loop[j][i] for j in range(BATCH))
        np.testing.assert_allclose(found[len(g) + i], expected, rtol=1e-9, atol=1e-10)
