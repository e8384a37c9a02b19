"""A batch split into users of several rows, from a spec that knows only of the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import symdiff as sd
from symdiff.cli import main
from symdiff.compiler import compile_spec, inspect_spec
from symdiff.costs import cost_spec
from symdiff.errors import SpecError
from symdiff.expr import build
from tests.systems.modules import EXAMPLES, Array, compiled, error

ROWS = """
name = "rows"
output = "z"
[inputs]
x = { shape = ["batch", 5] }
y = { shape = ["batch"], labels = 4 }
w = { shape = ["batch"], nonnegative = true }
[parameters]
W1 = { shape = [5, 6] }
b1 = { shape = [6] }
W2 = { shape = [6, 4] }
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2"
[loss]
per_example = "w * softmax_cross_entropy(z, y)"
reduction = "mean"
regularizer = "0.1 * sum(W1**2)"
"""
NORMS = ["backward", "per_example_sq_norms", "clipped_backward"]
FIRST_ORDER = [
    "forward", "backward", "per_example_sq_norms", "per_example_norms", "backward_with_norms",
    "clipped_backward", "clipped_by_parameter", "weighted_backward", "fisher_diagonal",
    "noise_scale", "empirical_fisher_vp",
]  # fmt: skip


def data(users: int = 3, rows: int = 4) -> tuple[dict[str, Array], Array, Array, Array]:
    rng = np.random.default_rng(0)
    params = {n: rng.normal(size=s) for n, s in [("W1", (5, 6)), ("b1", (6,)), ("W2", (6, 4))]}
    return (
        params,
        rng.normal(size=(users, rows, 5)),
        rng.integers(0, 4, (users, rows)),
        rng.uniform(0.5, 2.0, (users, rows)),
    )


def of_one(params: dict[str, Array], x: Array, y: Array, w: Array) -> dict[str, Array]:
    """The gradient of one user's losses, added up, without the regularizer."""
    h = np.tanh(x @ params["W1"] + params["b1"])
    z = h @ params["W2"]
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    d_z = w[:, None] * (q - np.eye(4)[y])
    d_a = (d_z @ params["W2"].T) * (1 - h**2)
    return {"W1": x.T @ d_a, "b1": d_a.sum(axis=0), "W2": h.T @ d_z}


def test_norms_of_users_are_those_of_their_rows_losses_added_up() -> None:
    module: Any = sd.compile(ROWS, example_axis="user/row", functions=NORMS)
    params, *given = data()
    loop = [of_one(params, *(a[j] for a in given)) for j in range(3)]
    s = module.per_example_sq_norms(params, *given)
    for name in params:
        assert error(s[name], [np.sum(g[name] ** 2) for g in loop]) < 1e-12
    norms = np.sqrt([sum(np.sum(g[n] ** 2) for n in g) for g in loop])
    bound = float(np.median(norms))
    _, grads, found = module.clipped_backward(params, *given, bound)
    assert error(found, norms) < 1e-12
    clip = np.minimum(1.0, bound / norms)
    for name in params:
        expected = sum(c * g[name] for c, g in zip(clip, loop, strict=True)) / 12
        own = 0.2 * params[name] if name == "W1" else 0.0
        assert error(grads[name], expected + own) < 1e-12


def test_the_loss_and_its_gradient_are_the_batch_s() -> None:
    """A mean is over all rows, whatever they are grouped into."""
    module: Any = sd.compile(ROWS, example_axis="user/row")
    params, *given = data()
    flat = [a.reshape(12, *a.shape[2:]) for a in given]
    whole = compiled(ROWS)
    loss, grads = module.backward(params, *given)
    other, others = whole.backward(params, *flat)
    assert loss == pytest.approx(other, rel=1e-14)
    assert module.loss(params, *given) == pytest.approx(other, rel=1e-14)
    along = {n: np.cos(p) for n, p in params.items()}
    product, expected = module.hvp(params, along, *given), whole.hvp(params, along, *flat)
    for name in params:
        assert error(grads[name], others[name]) < 1e-14
        assert error(product[name], expected[name]) < 1e-13
    z = module.forward(params, given[0])
    assert error(z.reshape(12, 4), whole.forward(params, flat[0])) == 0


@pytest.mark.parametrize("rows", [1, 2, 3, 30])
def test_users_of_few_rows_and_of_many(rows: int) -> None:
    """Both sides of the guard: Grams over rows, and instantiated gradients."""
    compiled_ = compile_spec(ROWS, NORMS, example_axis="user/row")
    assert "row**2" in compiled_.source
    module: Any = compiled_.module()
    params, *given = data(2, rows)
    s = module.per_example_sq_norms(params, *given)
    for j in range(2):
        for name, g in of_one(params, *(a[j] for a in given)).items():
            assert s[name][j] == pytest.approx(np.sum(g**2), rel=1e-11)


def test_users_of_one_row_are_its_examples() -> None:
    params, x, y, w = data(5, 1)
    module: Any = sd.compile(ROWS, example_axis="user/row", functions=NORMS)
    s = module.per_example_sq_norms(params, x, y, w)
    expected = compiled(ROWS, *NORMS).per_example_sq_norms(params, x[:, 0], y[:, 0], w[:, 0])
    for name in params:
        assert error(s[name], expected[name]) < 1e-13


def test_rows_of_weight_0_make_users_ragged() -> None:
    """Rows that only fill up add nothing, whatever stands in them."""
    module: Any = sd.compile(ROWS, example_axis="user/row", functions=NORMS)
    params, x, y, w = data()
    s = module.per_example_sq_norms(params, x[:, :3], y[:, :3], w[:, :3])
    w[:, 3] = 0.0
    filled = module.per_example_sq_norms(params, x, y, w)
    w[1] = 0.0
    _, _, norms = module.clipped_backward(params, x, y, w, 1.0)
    for name in params:
        assert error(filled[name], s[name]) < 1e-13
    assert norms[1] == 0
    assert np.isfinite(norms).all()


def test_parts_of_users_losses_at_each_time() -> None:
    """Of a sequence's loss, summed over time, the terms at one time of one user's rows."""
    text = """
name = "tokens"
output = "z"
[inputs]
x = { shape = ["batch", "time", 5] }
y = { shape = ["batch", "time"], labels = 4 }
[parameters]
W = { shape = [5, 4] }
[equations]
z = "x @ W"
[loss]
per_example = "softmax_cross_entropy(z, y).mean(axis=1)"
reduction = "sum"
"""
    module: Any = sd.compile(text, example_axis=("user/row", "time"), functions=NORMS)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(3, 2, 6, 5)), rng.integers(0, 4, (3, 2, 6))
    params = {"W": rng.normal(size=(5, 4))}
    z = x @ params["W"]
    d_z = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True) - np.eye(4)[y]
    g = np.einsum("urtd,urtp->utdp", x, d_z) / 6
    s = module.per_example_sq_norms(params, x, y)["W"]
    assert error(s, (g**2).sum(axis=(2, 3))) < 1e-12
    assert error(module.backward(params, x, y)[1]["W"], g.sum(axis=(0, 1))) < 1e-12


@pytest.mark.parametrize(
    "spec", ["lenet", "gru", "transformer", "tied_autoencoder", "siamese", "mixture_density"]
)
def test_every_function_of_a_network_is_right_by_its_own_check(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check loops over users; the gradient is the flat module's."""
    path = EXAMPLES / f"{spec}.toml"
    module: Any = sd.compile(path, example_axis="user/row", functions=FIRST_ORDER)
    assert module._self_check(), capsys.readouterr().out
    assert "clipped_by_parameter" in capsys.readouterr().out
    params, given = module._random_arguments(np.random.default_rng(3))
    flat = [
        a.reshape(-1, *a.shape[2:]) if shape[:2] == ("user", "row") else a
        for a, shape in zip(given, module.INPUTS.values(), strict=True)
    ]
    _, grads = module.backward(params, *given)
    for name, expected in compiled(path, "backward").backward(params, *flat)[1].items():
        assert error(grads[name], expected) < (1e-5 if expected.dtype == "float32" else 1e-12)


def test_arguments_and_documents_say_the_axes() -> None:
    compiled_ = compile_spec(ROWS, example_axis="user/row")
    module: Any = compiled_.module()
    assert module.INPUTS == {"x": ("user", "row", 5), "y": ("user", "row"), "w": ("user", "row")}
    header = " ".join(module.__doc__.split())
    assert "The batch of the spec is user x row" in header
    assert "losses of each user are added up over row" in header
    assert "(user,)" in module.per_example_norms.__doc__
    assert "(batch,)" not in compiled_.source
    params, x, y, w = data()
    with pytest.raises(ValueError, match=r"x: expected shape \(user, row, 5\), got \(12, 5\)"):
        module.loss(params, x.reshape(12, 5), y, w)
    with pytest.raises(ValueError, match=r"y: expected shape .* user = 3, row = 4, got \(3, 3\)"):
        module.loss(params, x, y[:, :3], w)


def test_what_the_inputs_declare_still_holds() -> None:
    """Labels to ignore, and the rows of an embedding, are declared of what is split."""
    text = """
name = "words"
[inputs]
ids = { shape = ["batch", 3], labels = 7 }
y = { shape = ["batch"], labels = 4, ignore = -1 }
[[layers]]
kind = "embedding"
units = 5
[[layers]]
kind = "flatten"
[[layers]]
kind = "dense"
units = 4
[loss]
kind = "softmax_cross_entropy"
"""
    module: Any = sd.compile(text, example_axis="user/row", functions=NORMS)
    rng = np.random.default_rng(2)
    ids, y = rng.integers(0, 7, (3, 4, 3)), np.full((3, 4), -1)
    assert all(np.all(s == 0) for s in module.per_example_sq_norms(module.init(), ids, y).values())
    y[1, 2] = 3
    (s,) = {tuple(s > 0) for s in module.per_example_sq_norms(module.init(), ids, y).values()}
    assert s == (False, True, False)


def test_what_is_mixed_over_the_batch_is_refused_by_equation() -> None:
    text = ROWS.replace('"h @ W2"', '"(h - mean(h, axis=0)) @ W2"')
    said = r"equation 'z': sum of .* along 'user' are not independent"
    with pytest.raises(SpecError, match=said):
        sd.compile(text, example_axis="user/row", functions=["per_example_norms"])
    module: Any = sd.compile(text, example_axis="user/row")
    params, *given = data()
    flat = [a.reshape(12, *a.shape[2:]) for a in given]
    assert module.loss(params, *given) == pytest.approx(compiled(text).loss(params, *flat))
    with pytest.raises(NotImplementedError, match="equation 'z'"):
        module.per_example_norms(params, *given)


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ("user", "no input has an axis of that name; user/row splits the batch"),
        ("h/row", "'h' is the equation of that name already; take another"),
        ("user/user", "'user' stands there twice"),
        ("user/for", "'for' is a Python keyword"),
    ],
)
def test_names_that_cannot_be_axes_are_faults(axes: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        sd.compile(ROWS, example_axis=axes)


def test_a_graph_is_not_split() -> None:
    x, p = build.input("x", ("batch", 2)), build.parameter("p", (2,))
    with pytest.raises(ValueError, match="splits the batch of a spec"):
        sd.compile(outputs={"z": x @ p}, per_example=x @ p, example_axis="user/row")


def test_the_commands_take_it(tmp_path: Path) -> None:
    spec = tmp_path / "rows.toml"
    spec.write_text(ROWS, encoding="utf-8")
    run = CliRunner().invoke(main, ["check", str(spec), "--example-axis", "client/visit"])
    assert run.exit_code == 0, run.output
    shown = inspect_spec(spec, [], "norms", "text", example_axis="user/row")
    assert "(user,)" in shown
    whole = inspect_spec(spec, [], "backward", "text", example_axis="user/row")
    assert whole == inspect_spec(spec, [], "backward", "text")
    again = inspect_spec(spec, [], "norms", "text", equations=True, example_axis="user/row")
    assert 'x = { shape = ["batch", 5] }' in again
    cost = cost_spec(spec, {"user": 4, "row": 8}, ["per_example_sq_norms"], "user/row")
    gram, _, _ = cost.choices("per_example_sq_norms")
    assert gram.condition == "2*row**2 < 5*(row + 1)"
    assert cost.figures["per_example_sq_norms"]["flops"].names == {"user", "row"}
