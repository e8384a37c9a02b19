"""What the scripts about networks and their output units print is what they are there to show."""

from __future__ import annotations

import re

from tests.examples.test_scripts import numbers, output


def test_chain_rule_has_the_lectures_numbers() -> None:
    """(x + y) z by x, y and z, and the neuron by w0, x0, w1, x1 and w2."""
    found = numbers("chain_rule.py", r"∂f/∂.*= (-?[\d.]+)\n")
    assert found == [-3.13, 2.0, 2.0, 8.0, -0.2, 0.39, -0.39, -0.59, 0.2]


def test_xor_is_solved() -> None:
    """½ everywhere by the linear model, exactly by the book's weights, and by descent."""
    said = output("xor.py")
    assert "w = [0. 0.], b = 0.50" in said
    assert "the book's W, c, w, b answer [0. 1. 1. 0.]" in said
    assert "stochastic gradient descent answers [0. 1. 1. 0.]" in said


def test_spirals_are_told_apart_but_not_from_zero() -> None:
    """The random start learns; the zero start prints the same loss on every line."""
    learned, stalled = numbers("two_layer_softmax.py", r"accuracy ([\d.]+)")
    assert learned > 0.95
    assert stalled < 0.4
    _, zero = output("two_layer_softmax.py").split("from a zero start")
    assert len(set(re.findall(r"loss ([\d.]+)", zero))) == 1


def test_every_schedule_trains_the_deep_network() -> None:
    """One example at a time, mini-batches, full batch."""
    found = numbers("deep_mlp.py", r"loss ([\d.]+) -> ([\d.]+), accuracy ([\d.]+)")
    assert len(found) == 9
    for before, after, accuracy in zip(found[::3], found[1::3], found[2::3], strict=True):
        assert after < 0.1 * before
        assert accuracy > 0.95


def test_heads_find_the_mean_and_the_spread() -> None:
    """μ is near sin x, and 1/√β near the spread, on both sides."""
    pattern = r"(?m)^ *-?[\d.]+ +(-?[\d.]+) +(-?[\d.]+) +([\d.]+) +([\d.]+)$"
    found = numbers("heads_mu_beta.py", pattern)
    rows = [found[i : i + 4] for i in range(0, len(found), 4)]
    assert len(rows) == 8
    for sine, mean, spread, learned in rows:
        assert abs(mean - sine) < spread
        assert 0.5 < learned / spread < 2


def test_matched_losses_do_not_saturate() -> None:
    """In the table's last line squared error has no gradient, and the matched losses have −1."""
    *_, last = output("saturation.py").splitlines()
    assert [float(n) for n in last.split()] == [-1e4, 0.0, 0.0, 0.0, -1.0, -1.0]


def test_lenet_reads_digits() -> None:
    """It learns and generalises, and what it reads wrongly has the large gradients."""
    before, after = numbers("lenet.py", r"loss (?:before|after) +([\d.]+)")
    assert after < 0.1 * before
    assert numbers("lenet.py", r"accuracy ([\d.]+)")[0] >= 0.95
    wrong, right = numbers("lenet.py", r"gradient norm, .* ([\d.]+)\n")
    assert wrong > 10 * right


def test_the_transformer_learns_more_than_pairs_of_characters() -> None:
    """On text that it was not trained on."""
    single, pair = numbers("transformer.py", r"characters ([\d.]+), of pairs ([\d.]+)")
    before, after = numbers("transformer.py", r"loss (?:before|after) +([\d.]+)")
    assert after < pair - 0.1 < single < before
    least, most = numbers("transformer.py", r"norm ([\d.]+)")
    assert least < most


def test_the_recurrent_network_spells_better_than_pairs_of_letters() -> None:
    """On words that it was not trained on."""
    (pair,) = numbers("gru.py", r"table of pairs ([\d.]+)")
    before, after = numbers("gru.py", r"loss (?:before|after) +([\d.]+)")
    assert after < pair - 0.2 < pair < before
    norms = numbers("gru.py", r"[a-z]+ ([\d.]+)(?:,|\n)")
    assert max(norms[-8:-4]) < min(norms[-4:])
