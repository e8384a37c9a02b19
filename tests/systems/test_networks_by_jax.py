"""Networks as users bring them: every function of their modules is jax's.

The specs stand in tests/systems/networks, one file each; jax has its own writing of each network
there, from the definitions of its layers and losses.  Jax takes its time to compile them: some are
tried here, and all where SYMDIFF_ALL_NETWORKS is set.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from symdiff.errors import SpecError
from symdiff.functions import FUNCTIONS, ON_REQUEST
from tests.systems.networks.data import MIXING, NAMES, inputs_of, model_of, module_of, parameters_of

jax = pytest.importorskip("jax")

from tests.systems.networks.by_jax import Truth  # noqa: E402
from tests.systems.networks.twins import TWINS  # noqa: E402

FEW = "conv_autoencoder deepsets dlrm focal_tags kim_cnn skipgram tcn vae weight_norm".split()
CHOSEN = NAMES if os.environ.get("SYMDIFF_ALL_NETWORKS") else FEW
#: The loss is linear in all that it is made of.
NO_GAUSS_NEWTON = {"gcn", "quantiles", "states", "units"}
#: What their losses are made of by the last step that is not linear is not the twin's value.
CUT_ELSEWHERE = {
    "euler",
    "flow",
    "hidden_markov",
    "many_losses",
    "mixture",
    "multitask",
    "rnn_regression",
}


@pytest.fixture(autouse=True)
def doubles() -> Any:
    """Double precision, for these tests only."""
    with jax.enable_x64(True):
        yield


def assert_equal(what: str, ours: Any, theirs: Any, tolerance: float = 1e-9) -> None:
    if isinstance(theirs, Mapping):
        assert set(ours) == set(theirs), what
        for name, array in theirs.items():
            assert_equal(f"{what} of {name}", ours[name], array, tolerance)
        return
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    error = np.max(np.abs(ours - theirs), initial=0.0)
    assert error <= tolerance * max(1.0, np.max(np.abs(theirs), initial=0.0)), (what, error)


def functions_of(name: str) -> tuple[str, ...]:
    """All functions that a module can have."""
    if name in MIXING:
        return ("forward", "loss", "backward", "hvp", "ggn_vp")
    asked = [f for f in ON_REQUEST if f != "fisher_vp"]
    return (*FUNCTIONS, *(f for f in asked if f != "ggn_vp" or name not in NO_GAUSS_NEWTON))


def direction(name: str) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    params = parameters_of(name)
    return {k: rng.normal(size=params[k].shape) for k in model_of(name).trainable}


def check(name: str, batch: int, **sizes: int) -> None:
    """Every function at one batch size, against jax."""
    m, params, v = module_of(name, functions_of(name)), parameters_of(name), direction(name)
    given = inputs_of(name, batch, sizes=sizes)
    data, truth = list(given.values()), Truth(name, params, v, given)
    taken = [x for k, x in given.items() if k in inspect.signature(m.forward).parameters]
    with np.errstate(all="raise", under="ignore"):
        assert_equal("forward", m.forward(params, *taken), truth.output)
        assert_equal("loss", m.loss(params, *data), truth.loss)
        loss, grads = m.backward(params, *data)
        assert_equal("loss of backward", loss, truth.loss)
        assert_equal("backward", grads, truth.grads)
        assert_equal("hvp", m.hvp(params, v, *data), truth.hvp)
        if name not in NO_GAUSS_NEWTON | CUT_ELSEWHERE:
            assert_equal("Gauss-Newton", m.ggn_vp(params, v, *data), truth.ggn)
        if name in MIXING:
            return
        assert_equal("squared norms", m.per_example_sq_norms(params, *data), truth.squares)
        assert_equal("norms", m.per_example_norms(params, *data), truth.norms)
        _, grads, squares = m.backward_with_norms(params, *data)
        assert_equal("gradient beside the norms", grads, truth.grads)
        assert_equal("norms beside the gradient", squares, truth.squares)
        check_clipping(m, params, data, truth)
        check_curvature(m, params, v, data, truth)


def _clip(bound: float, norms: Any) -> Any:
    return np.minimum(1, bound / np.where(norms > 0, norms, 1))


def check_clipping(m: Any, params: Any, data: list[Any], truth: Truth) -> None:
    bound = float(np.median(truth.norms))
    loss, grads, norms = m.clipped_backward(params, *data, bound)
    assert_equal("loss beside clipping", loss, truth.loss)
    assert_equal("clipped gradient", grads, truth.weighted(_clip(bound, truth.norms)))
    assert_equal("norms beside clipping", norms, truth.norms)
    each = {k: np.sqrt(s) for k, s in truth.squares.items()}
    bounds = {k: float(np.median(x)) for k, x in each.items()}
    _, grads, norms = m.clipped_by_parameter(params, *data, bounds)
    factors = {k: _clip(bounds[k], x) for k, x in each.items()}
    assert_equal("gradient clipped by parameter", grads, truth.weighted(factors))
    assert_equal("norms by parameter", norms, each)
    _, grads, _ = m.weighted_backward(params, *data, lambda s: 1 / (1 + sum(s.values())))
    assert_equal("weighted gradient", grads, truth.weighted(1 / (1 + truth.norms**2)))


def check_curvature(m: Any, params: Any, v: Any, data: list[Any], truth: Truth) -> None:
    assert_equal("diagonal", m.fisher_diagonal(params, *data), truth.diagonal())
    assert_equal("empirical", m.empirical_fisher_vp(params, v, *data), truth.empirical(v))
    if truth.batch > 1:
        _, trace, square = m.noise_scale(params, *data)
        assert_equal("trace, mean", (trace, square), truth.noise())


def test_each_spec_has_a_twin() -> None:
    assert sorted(TWINS) == NAMES


@pytest.mark.parametrize("name", CHOSEN)
def test_every_function_is_jaxs(name: str) -> None:
    check(name, 4)


@pytest.mark.parametrize("name", sorted(NO_GAUSS_NEWTON))
def test_where_the_loss_is_linear_there_is_no_gauss_newton_matrix(name: str) -> None:
    with pytest.raises(SpecError, match="ggn_vp: the loss is linear in all that it is made of"):
        module_of(name, ("ggn_vp",))
