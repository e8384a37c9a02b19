"""A small seeded sample of the campaign, and that it finds, shrinks and replays what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from symdiff.calculus import derivatives
from symdiff.expr.node import Node
from symdiff.simplify.parts import Product
from symdiff.simplify.rules import statistics
from symdiff.spec.layers import KINDS as LAYER_KINDS
from symdiff.spec.load import load
from tests.campaign import runner
from tests.campaign.__main__ import main
from tests.campaign.checks import Mismatch, check
from tests.campaign.draw import networks
from tests.campaign.layered import LAYERS
from tests.campaign.network import Network
from tests.campaign.runner import Kind, run_block
from tests.campaign.subject import SINGLE
from tests.campaign.textbook import Textbook, check_textbook

DOUBLED = """
name = "doubled"
output = "z"
[inputs]
x = { shape = ["batch", 3] }
[parameters]
W = { shape = [3, 3] }
[equations]
z = "tanh(tanh(x @ W) @ W.T) @ W"
[loss]
per_example = "sum(z**2, axis=1)"
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_expressions_of_some_seeds(seed: int) -> None:
    failure = run_block("expressions", seed, cases=10)
    assert failure is None, str(failure)


@pytest.mark.parametrize("seed", [1, 2])
def test_networks_of_some_seeds(seed: int) -> None:
    failure = run_block("networks", seed, cases=4)
    assert failure is None, str(failure)


def test_users_of_some_seeds() -> None:
    failure = run_block("users", 1, cases=4)
    assert failure is None, str(failure)


REPEATED = """
name = "repeated"
output = "z"
[inputs]
x = { shape = ["batch", 1] }
[parameters]
w = { shape = [1] }
[equations]
z = "where(x > 0, w, tanh(where(x < 0.5, w, x)))"
[loss]
per_example = "sum(z**2, axis=1)"
"""


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("text", [DOUBLED, REPEATED, SINGLE + DOUBLED])
def test_a_network_is_checked(text: str, batch: int) -> None:
    check(text, batch=batch)


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if tanh's derivative were 1 - y."""
    wrong = {**derivatives.PARTIALS, "tanh": lambda node, i: 1 - node}
    monkeypatch.setattr(derivatives, "PARTIALS", wrong)
    with pytest.raises(Mismatch, match="against"):
        check(DOUBLED.replace("tanh(tanh(x @ W) @ W.T) @ W", "tanh(x @ W) @ W"))


def _refuse_softmax(case: object) -> None:
    assert "softmax" not in str(case)


def test_a_failure_is_shrunk_printed_and_replayed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all specs with a softmax in them, the smallest."""
    picky = Kind(networks, lambda case: _refuse_softmax(case.toml()), lambda case: str(case.toml()))
    monkeypatch.setattr(runner, "KINDS", {**runner.KINDS, "networks": picky})
    assert main(["--seed", "3", "--only", "networks", "--minutes", "1"]) == 1
    told = capsys.readouterr().out
    spec = told[told.index('name = "drawn"') : told.index("again: ")]
    assert spec.count("softmax") == 1
    assert len(load(spec).equations) <= 3
    (command,) = (line for line in told.splitlines() if line.startswith("again: "))
    assert main(["--replay", command.split()[-1]]) == 1
    assert spec in capsys.readouterr().out


def test_time_is_up_without_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "0", "--seed", "4"]) == 0
    assert capsys.readouterr().out == "nothing from seed 4: no failures\n"


@settings(max_examples=60)
@given(networks())
def test_all_that_is_drawn_is_a_spec(network: Network) -> None:
    load(network.toml())


def test_layers_that_are_drawn_are_kinds_of_layers() -> None:
    assert set(LAYERS) <= set(LAYER_KINDS)


@pytest.mark.parametrize(("kind", "seed"), [("spellings", 1), ("variants", 1), ("variants", 2)])
def test_textbook_formulas_of_some_seeds(kind: str, seed: int) -> None:
    failure = run_block(kind, seed, cases=15)
    assert failure is None, str(failure)


def test_a_rule_that_drops_a_weight_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if w (x - mean x) were x - mean x, whatever the weight."""
    right = statistics.centred

    def wrong(node: Node) -> object:
        found = right(node)
        return None if found is None else (found[0], found[1], Product({}, 1.0))

    case = Textbook(
        "zscore_sum",
        "np.sum(x * c - np.mean(x) * c)",
        {"benign": {"x": [1.0, 2.0, 4.0, 0.0, 3.0], "c": [1.0, 0.5, -2.0, 0.3, 0.1]}},
        {"benign": np.array([1.02, 0.52, -1.98, 0.32, 0.12])},
    )
    check_textbook(case)
    monkeypatch.setattr(statistics, "centred", wrong)
    with pytest.raises(AssertionError, match="benign"):
        check_textbook(case)
