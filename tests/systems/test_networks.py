"""Networks as users bring them, each a spec of tests/systems/networks.

What their modules compute is held against the interpreter, autograd, finite differences and the
loop over examples; test_networks_by_jax holds it against the same networks in jax.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import symdiff
from tests.campaign.checks import check
from tests.systems.networks.data import (
    MIXING,
    NAMES,
    SIZES,
    inputs_of,
    model_of,
    module_of,
    parameters_of,
    text_of,
)

FEW = """
    euler experts factorization_machine flow gcn heteroscedastic hyper multitask ordinal pointer
    quantiles rbf retrieval svm triplets lista only_parameters straight_through
""".split()
CHOSEN = [n for n in NAMES if n not in MIXING] if os.environ.get("SYMDIFF_ALL_NETWORKS") else FEW


@pytest.mark.parametrize("name", CHOSEN)
def test_every_function_is_what_all_else_says(name: str) -> None:
    check(text_of(name), named=SIZES, jax=False)


@pytest.mark.parametrize("name", MIXING)
def test_what_mixes_examples_has_all_but_their_norms(name: str) -> None:
    m, params = module_of(name), parameters_of(name)
    data = list(inputs_of(name).values())
    loss, grads = m.backward(params, *data)
    assert loss == pytest.approx(m.loss(params, *data), rel=1e-12)
    assert set(m.hvp(params, grads, *data)) == set(grads)
    for function in (m.per_example_norms, m.backward_with_norms):
        with pytest.raises(NotImplementedError, match="examples along 'batch' are not independent"):
            function(params, *data)


@pytest.mark.parametrize("name", FEW)
def test_the_equations_that_a_spec_stands_for_are_a_spec_of_the_same(name: str) -> None:
    text = symdiff.compiler.inspect_spec(text_of(name), [], "backward", "text", equations=True)
    again = symdiff.compiler.inspect_spec(text, [], "backward", "text", equations=True)
    assert again == text


@pytest.mark.parametrize("name", ["euler", "svm", "multitask"])
def test_a_batch_may_be_empty_or_of_one(name: str) -> None:
    m, params = module_of(name), parameters_of(name)
    three, one, none = (list(inputs_of(name, batch=n).values()) for n in (3, 1, 0))
    assert m.per_example_norms(params, *none).shape == (0,)
    with pytest.raises(ValueError, match="batch"):
        m.loss(params, *none)
    rows: list[Any] = [m.per_example_norms(params, *(x[j : j + 1] for x in three)) for j in (0, 1)]
    np.testing.assert_allclose(m.per_example_norms(params, *three)[:2], np.ravel(rows), rtol=1e-12)
    if model_of(name).regularizer is None:
        _, grads = m.backward(params, *one)
        norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
        np.testing.assert_allclose(m.per_example_norms(params, *one), [norm], rtol=1e-12)
