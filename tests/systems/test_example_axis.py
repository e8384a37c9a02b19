"""What an example is, is a choice: tokens, rows or users, against loops over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import symdiff as sd
from symdiff.cli import main
from symdiff.errors import SpecError
from tests.systems.modules import Array, error

TOKENS = """
name = "tokens"
output = "z"
[inputs]
x = { shape = ["batch", "time", 5] }
y = { shape = ["batch", "time"], labels = 4 }
[parameters]
W1 = { shape = [5, 6] }
b1 = { shape = [6] }
W2 = { shape = [6, 4] }
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2"
[loss]
per_example = "softmax_cross_entropy(z, y).REDUCED(axis=1)"
"""
USERS = """
name = "users"
output = "z"
[inputs]
x = { shape = ["user", "row", 5] }
y = { shape = ["user", "row"], labels = 4 }
[parameters]
W1 = { shape = [5, 6] }
b1 = { shape = [6] }
W2 = { shape = [6, 4] }
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2"
[loss]
per_example = "softmax_cross_entropy(z, y)"
reduction = "mean"
"""
FUNCTIONS = ["backward", "per_example_sq_norms", "per_example_norms", "clipped_backward"]


def data(m: int = 3, n: int = 4) -> tuple[dict[str, Array], Array, Array]:
    rng = np.random.default_rng(0)
    params = {
        "W1": rng.normal(size=(5, 6)),
        "b1": rng.normal(size=6),
        "W2": rng.normal(size=(6, 4)),
    }
    return params, rng.normal(size=(m, n, 5)), rng.integers(0, 4, (m, n))


def token_gradient(params: dict[str, Array], x: Array, y: int) -> dict[str, Array]:
    """The gradient of one token's cross-entropy, by hand."""
    h = np.tanh(x @ params["W1"] + params["b1"])
    z = h @ params["W2"]
    q = np.exp(z) / np.exp(z).sum()
    d_z = q - np.eye(4)[y]
    d_a = (params["W2"] @ d_z) * (1 - h**2)
    return {"W1": np.outer(x, d_a), "b1": d_a, "W2": np.outer(h, d_z)}


def added(gradients: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: sum(g[name] for g in gradients) for name in gradients[0]}  # type: ignore[misc]


def squares(gradients: dict[str, Array]) -> float:
    return float(sum(np.sum(g**2) for g in gradients.values()))


@pytest.mark.parametrize("reduced", ["sum", "mean"])
def test_norms_of_tokens_are_the_loops(reduced: str) -> None:
    """One spec: the loss of a sequence is a sum over time, or a mean, of losses of tokens."""
    text = TOKENS.replace("REDUCED", reduced)
    module: Any = sd.compile(text, example_axis=("batch", "time"), functions=FUNCTIONS)
    params, x, y = data()
    scale = 1.0 if reduced == "sum" else 1 / 4
    s = module.per_example_sq_norms(params, x, y)
    norms = module.per_example_norms(params, x, y)
    bound = float(np.median(norms))
    clipped = []
    for j in range(3):
        for t in range(4):
            g = {k: scale * v for k, v in token_gradient(params, x[j, t], y[j, t]).items()}
            for name in params:
                assert s[name][j, t] == pytest.approx(np.sum(g[name] ** 2), rel=1e-10)
            assert norms[j, t] == pytest.approx(squares(g) ** 0.5, rel=1e-10)
            factor = min(1.0, bound / squares(g) ** 0.5)
            clipped.append({k: factor * v / 3 for k, v in g.items()})
    _, grads, found = module.clipped_backward(params, x, y, bound)
    assert found.shape == (3, 4)
    for name, expected in added(clipped).items():
        assert error(grads[name], expected) < 1e-12


def test_the_loss_and_its_gradient_do_not_hang_on_what_an_example_is() -> None:
    text = TOKENS.replace("REDUCED", "mean")
    params, x, y = data()
    modules: list[Any] = [
        sd.compile(text, functions=FUNCTIONS),
        sd.compile(text, functions=FUNCTIONS, example_axis="batch,time".split(",")),
    ]
    (loss, grads), (other, others) = (m.backward(params, x, y) for m in modules)
    assert loss == pytest.approx(other, rel=1e-14)
    for name, g in grads.items():
        assert error(others[name], g) < 1e-13


def test_norms_of_users_are_those_of_the_sums_over_their_rows() -> None:
    module: Any = sd.compile(USERS, example_axis="user", functions=FUNCTIONS)
    params, x, y = data()
    s = module.per_example_sq_norms(params, x, y)
    users = [added([token_gradient(params, x[j, t], y[j, t]) for t in range(4)]) for j in range(3)]
    for j, g in enumerate(users):
        for name in params:
            assert s[name].shape == (3,)
            assert s[name][j] == pytest.approx(np.sum(g[name] ** 2), rel=1e-10)
    bound = float(np.median([squares(g) ** 0.5 for g in users]))
    _, grads, norms = module.clipped_backward(params, x, y, bound)
    factors = np.minimum(1, bound / norms)
    expected = added(
        [{k: f * v / 3 for k, v in g.items()} for f, g in zip(factors, users, strict=True)]
    )
    for name in params:
        assert error(grads[name], expected[name]) < 1e-12


def test_norms_of_rows_of_users_are_those_of_single_rows() -> None:
    module: Any = sd.compile(USERS, example_axis=("user", "row"), functions=FUNCTIONS)
    params, x, y = data()
    s = module.per_example_sq_norms(params, x, y)
    g = token_gradient(params, x[2, 1], y[2, 1])
    for name in params:
        assert s[name][2, 1] == pytest.approx(np.sum(g[name] ** 2), rel=1e-10)


def test_curvature_on_request_follows_the_choice() -> None:
    names = ["fisher_diagonal", "noise_scale", "empirical_fisher_vp", "weighted_backward"]
    text = TOKENS.replace("REDUCED", "sum")
    module: Any = sd.compile(text, example_axis=("batch", "time"), functions=names)
    params, x, y = data()
    loop = [token_gradient(params, x[j, t], y[j, t]) for j in range(3) for t in range(4)]
    for name, found in module.fisher_diagonal(params, x, y).items():
        assert error(found, sum(g[name] ** 2 for g in loop) / 3) < 1e-12
    v = {k: np.cos(p) for k, p in params.items()}
    along = [sum(np.vdot(g[k], v[k]) for k in v) for g in loop]
    for name, found in module.empirical_fisher_vp(params, v, x, y).items():
        expected = sum(a * g[name] for a, g in zip(along, loop, strict=True)) / 3
        assert error(found, expected) < 1e-12
    flat = np.stack([np.concatenate([np.ravel(g[k]) for k in params]) for g in loop])
    assert error(module.noise_scale(params, x, y)[1], np.trace(np.cov(flat.T))) < 1e-10
    _, grads, s = module.weighted_backward(params, x, y, lambda s: 1 / (1 + s["b1"]))
    weights = [1 / (1 + np.sum(g["b1"] ** 2)) for g in loop]
    assert s["b1"].shape == (3, 4)
    for name in params:
        expected = sum(w * g[name] for w, g in zip(weights, loop, strict=True)) / 3
        assert error(grads[name], expected) < 1e-12


def test_tokens_that_are_mixed_have_no_norms_of_their_own() -> None:
    text = TOKENS.replace("REDUCED", "sum").replace("h @ W2", "cumsum(h, axis=1) @ W2")
    said = r"<spec>:13:1: error: .* equation 'z': cumsum of .* along 'time' are not independent"
    with pytest.raises(SpecError, match=said):
        sd.compile(text, example_axis=("batch", "time"), functions=["per_example_norms"])
    assert sd.compile(text, functions=["per_example_norms"])


def test_a_loss_that_is_no_sum_over_an_axis_has_no_terms_along_it() -> None:
    text = TOKENS.replace("softmax_cross_entropy(z, y).REDUCED(axis=1)", "z.max(axis=(1, 2))")
    with pytest.raises(SpecError, match="not a sum over 'time'"):
        sd.compile(text, example_axis=("batch", "time"), functions=["per_example_norms"])


def test_an_axis_that_no_input_has_is_a_fault() -> None:
    with pytest.raises(SpecError, match="no input has an axis of that name; did you mean 'time'"):
        sd.compile(TOKENS.replace("REDUCED", "sum"), example_axis=("batch", "tim"))


def test_the_commands_take_it_and_the_header_says_so(tmp_path: Path) -> None:
    spec = tmp_path / "tokens.toml"
    spec.write_text(TOKENS.replace("REDUCED", "sum"), encoding="utf-8")
    axes = ["--example-axis", "batch,time"]
    run = CliRunner().invoke(main, ["compile", str(spec), *axes])
    assert run.exit_code == 0
    assert "An example is a place along batch, time; norms have these axes." in run.stdout
    run = CliRunner().invoke(main, ["inspect", str(spec), "--of", "norms", *axes])
    assert run.exit_code == 0
    assert "(batch, time)" in run.stdout
    run = CliRunner().invoke(main, ["cost", str(spec), "--functions", "per_example_norms", *axes])
    assert run.exit_code == 0
