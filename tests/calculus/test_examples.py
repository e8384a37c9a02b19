"""The typing of the example axis: rows, and the refusal of what mixes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.example_rules import UNBATCH
from symdiff.calculus.examples import MixingError, unbatch
from symdiff.calculus.per_example import per_example_sq_norms
from symdiff.expr import build as b
from symdiff.expr import movement
from symdiff.expr.evaluate import evaluate
from symdiff.expr.graph import toposort
from symdiff.expr.loops import LOOPS
from symdiff.expr.node import Node
from symdiff.expr.numbers import size_node
from symdiff.expr.ops import OPS
from symdiff.expr.shapes import size_add
from symdiff.expr.windows import overlap_add, window
from symdiff.nn import losses
from tests.calculus.models import labels, sequence, weight, x

W = weight("W", 4, 3)
A, C = sequence(), b.input("c", ("batch", 3, 4))
IDS = labels(3, "ids", 2)

# Nodes with one row an example, of every kind of operation, and of every place of the axis.
DIAGONAL: dict[str, Callable[[], Node]] = {
    "add": lambda: A + 2 * C - 1,
    "add with free": lambda: A + weight("p", 3, 4),
    "add with lower rank": lambda: A + b.sum(C, axis=(1, 2), keepdims=True),
    "add in the middle": lambda: b.transpose(A, (1, 0, 2)) + weight("p", 3, 1, 4),
    "mul": lambda: A**2 / C,
    "where": lambda: b.where(A > C, A, 0.0),
    "cast": lambda: b.cast(IDS, "float64"),
    "scalar": lambda: b.tanh(b.swapaxes(A, 0, 2)),
    "matmul": lambda: A @ W,
    "matmul of rows": lambda: A @ b.swapaxes(C, 1, 2),
    "matmul by the other side": lambda: W.T @ x().T,
    "broadcast of a parameter": lambda: b.broadcast_to(W, ("batch", 4, 3)) * 1.0 + x()[:, :, None],
    "mean": lambda: b.mean(A, axis=1),
    "max": lambda: b.max(b.transpose(A, (1, 0, 2)), axis=0),
    "prod": lambda: b.prod(A, axis=-1),
    "logsumexp": lambda: b.logsumexp(A, axis=(1, 2)),
    "softmax": lambda: b.softmax(A, axis=1),
    "softmax of a transpose": lambda: b.softmax(x().T, axis=0),
    "log_softmax": lambda: b.log_softmax(A),
    "cumsum": lambda: b.cumsum(A, axis=2),
    "cumsum before": lambda: b.cumsum(b.transpose(A, (1, 0, 2)), axis=0),
    "flip": lambda: b.flip(b.transpose(A, (2, 0, 1)), (0, 2)),
    "reshape": lambda: b.reshape(A, ("batch", 2, 6)),
    "reshape behind": lambda: b.reshape(b.transpose(A, (1, 2, 0)), (2, 6, "batch")),
    "merged": lambda: b.tanh(b.reshape(A, (-1, 4)) @ W),
    "merged and reduced": lambda: b.softmax(b.reshape(A, (-1, 2)), axis=1) * 2.0,
    "merged and parted": lambda: b.reshape(b.reshape(A, (-1, 4)) @ W, ("batch", 9)),
    "merged selection": lambda: movement.take(
        b.reshape(A, (-1, 4)), b.reshape(labels(4, "k", 3), (-1,)), 1
    ),
    "slice": lambda: A[:, 1:, ::2],
    "slice before": lambda: b.transpose(A, (1, 0, 2))[::-2],
    "pad": lambda: b.pad(A, [(0, 0), (1, 2), (0, 3)]),
    "concatenate": lambda: b.concatenate([A, C], axis=2),
    "concatenate before": lambda: b.concatenate([x().T, x(2, "u").T], axis=0),
    "take own": lambda: x()[b.arange("batch"), labels(4, "k")],
    "take many own": lambda: movement.take(A, IDS, 1),
    "take by ids": lambda: W[IDS],
    "take by ids along columns": lambda: W[:, IDS],
    "take behind": lambda: A[:, b.constant([0, 2, 1])],
    "scatter_add": lambda: movement.scatter_add(b.ones(("batch", 2)) * x(2), IDS, 3, 1),
    "scatter_add behind": lambda: movement.scatter_add(x().T, b.constant([1, 0, 1, 1]), 2),
    "window": lambda: window(A, (1,), (2,), (1,), (1,)),
    "window before": lambda: window(b.transpose(A, (1, 2, 0)), (0, 1), (2, 2), (1, 1), (1, 2)),
    "overlap_add": lambda: overlap_add(A, (1,), (6,), (1,), (1,)),
    "overlap_add before": lambda: overlap_add(b.transpose(A, (1, 0, 2)), (0,), (6,), (1,), (1,)),
    "one_hot": lambda: b.one_hot(IDS, 3),
    "stop_gradient": lambda: b.stop_gradient(A),
}


def values(node: Node, batch: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for leaf in toposort([node]):
        if leaf.op in ("input", "parameter"):
            shape = [batch if s == "batch" else s for s in leaf.shape]
            whole = leaf.dtype == "int64"
            found[leaf.attr("name")] = (
                rng.integers(0, 3, shape) if whole else rng.uniform(0.5, 2.0, shape)
            )
    return found


@pytest.mark.parametrize("name", DIAGONAL)
def test_the_row_is_the_whole_for_one_example(name: str) -> None:
    node = DIAGONAL[name]()
    given = values(node)
    single = unbatch([node])
    (row,) = single.roots
    assert "batch" not in {s for n in toposort([row]) for s in n.shape}
    whole = evaluate(single.whole[row], given)
    inputs = {n.attr("name") for n in toposort([node]) if n.op == "input"}
    for j in range(3):
        alone = {k: v[j] if k in inputs else v for k, v in given.items()}
        np.testing.assert_allclose(whole[j], evaluate(row, alone), rtol=1e-13)


def test_every_operation_has_a_rule() -> None:
    assert UNBATCH.keys() | LOOPS | {"bound"} == OPS.keys()


def test_diagonal_cases_cover_the_rules() -> None:
    reached = {n.op for build in DIAGONAL.values() for n in toposort([build()])}
    assert {op for op, rule in UNBATCH.items() if not OPS[op].elementwise} - reached <= {
        "size", "arange",
    }  # fmt: skip


def test_free_nodes_are_unchanged() -> None:
    free = b.tanh(W) @ b.arange(3)
    single = unbatch([free, x() @ W])
    assert single.roots[0] is free
    assert W in toposort([single.roots[1]])


def test_whole_nodes_are_the_batch_graphs_own() -> None:
    h = b.tanh(x() @ W)
    single = unbatch([b.softmax(h)])
    assert h in single.whole.values()
    assert set(single.whole.values()) <= set(toposort([b.softmax(h)]))


def test_a_row_without_data_is_free() -> None:
    single = unbatch([b.broadcast_to(b.sum(W), ("batch",))])
    assert single.whole == {}
    assert single.roots == [b.sum(W)]


def test_an_input_may_have_the_examples_behind() -> None:
    u = b.input("u", (4, "batch"))
    single = unbatch([b.sum(u * x().T, axis=0)])
    assert single.roots[0].shape == ()
    assert b.transpose(u) in single.whole.values()


MIXING: dict[str, tuple[Callable[[], Node], str]] = {
    "mean over the batch": (lambda: x() - b.mean(x(), axis=0), "sums over the examples"),
    "batch statistics": (lambda: x() / b.std(x(), axis=0), "sums over the examples"),
    "contrast": (lambda: x() @ x().T, "pairs examples with examples"),
    "differences": (lambda: x()[:, None] - x()[None], "pairs examples with examples"),
    "softmax over the batch": (lambda: b.softmax(x(), axis=0), "runs over the examples"),
    "softmax over all": (lambda: b.softmax(x(), axis=(0, 1)), "runs over the examples"),
    "maximum over the batch": (lambda: x() - b.max(x(), axis=0), "runs over the examples"),
    "cumsum": (lambda: b.cumsum(x(), axis=0), "runs over the examples"),
    "window": (lambda: window(x(3), (0,), (2,), (1,), (1,)), "moves over the examples"),
    "overlap_add": (
        lambda: overlap_add(b.transpose(A, (1, 2, 0)), (0,), (size_add("batch", 2),), (1,), (1,)),
        "adds examples up",
    ),
    "flip": (lambda: x()[::-1], "reverses the examples"),
    "first example": (lambda: x() - x()[:1], "takes some of the examples"),
    "pad": (lambda: b.pad(x(), [(1, 0), (0, 0)]), "adds rows beside the examples"),
    "concatenate": (lambda: b.concatenate([x(), 2 * x()]), "puts batches one behind the other"),
    "number of examples": (lambda: x() / size_node("batch", "float64"), "number of examples"),
    "place in the batch": (lambda: x() * b.arange("batch")[:, None], "place of an example"),
    "shuffle": (lambda: x()[labels(3, "k")], "picks examples"),
    "every example's own": (
        lambda: x().T[b.arange(4), b.constant([0, 1, 0, 1])], "picks examples",
    ),
    "counts": (
        lambda: x(3) * movement.scatter_add(b.ones(("batch",)), labels(), 3), "adds examples up",
    ),
    "reshape": (lambda: b.reshape(x().T, ("batch", 4)), "side by side"),
    "a parameter an example": (lambda: x() * weight("p", "batch", 1), "has a row an example"),
    "pairs of examples": (lambda: b.input("u", ("batch", "batch")), "pairs examples"),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXING)
def test_what_mixes_is_refused_by_name(name: str) -> None:
    build, why = MIXING[name]
    with pytest.raises(MixingError, match=why) as caught:
        unbatch([build()])
    error = caught.value
    assert error.equation is None
    assert error.node.op in OPS
    assert error.operation in str(error)


def test_the_equation_and_the_operands_are_named() -> None:
    mu = b.mean(x() @ W, axis=0)
    z = x() @ W - mu
    loss = losses.softmax_cross_entropy(z, labels())
    with pytest.raises(MixingError) as caught:
        per_example_sq_norms(loss, [W], names={x() @ W: "logits", mu: "mu", loss: "loss"})
    assert caught.value.equation == "mu"
    assert caught.value.operation == "sum"
    assert "equation 'mu': sum of logits of shape (batch, 3)" in str(caught.value)


def test_a_mean_inside_the_loss_is_refused() -> None:
    loss = losses.softmax_cross_entropy(x() @ W, labels())
    with pytest.raises(MixingError, match="sums over the examples"):
        per_example_sq_norms(loss - b.mean(loss), [W])


def test_another_name_for_the_examples() -> None:
    data = b.input("x", ("rows", 4))
    loss = b.sum(b.tanh(data @ W), axis=1)
    (s,) = per_example_sq_norms(loss, [W], size="rows")
    assert s.shape == ("rows",)
