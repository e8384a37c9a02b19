"""Recurrent layers: the equations that they stand for, and modules that check themselves."""

from __future__ import annotations

import pytest

from symdiff.compiler import compile
from symdiff.errors import SpecError
from symdiff.spec.load import load
from tests.spec.test_sequence_layers import equations, layered, shapes, text_of

INPUTS = """\
x = { shape = ["batch", "time", 5] }
seen = { shape = ["batch", "time"], zero_or_one = true }
n = { shape = ["batch"], labels = 9 }
s = { shape = ["batch", 6] }
y = { shape = ["batch", 4] }
"""
LAST = 'kind = "dense", units = 4'


def test_parameters_and_equations() -> None:
    model = layered(
        f'kind = "rnn", units = 6, activation = "relu", return_sequences = true, mask = "seen"\n'
        f'kind = "lstm", units = 6, lengths = "n", return_sequences = true, bias = false\n'
        f'kind = "gru", units = 6, reset_after = true, initial_state = "s", reverse = true\n{LAST}',
        INPUTS,
    )
    assert equations(model) == [
        "h1 = rnn(x, W1, U1, b1, mask=seen, activation='relu', return_sequences=True)",
        "h2 = lstm(h1, W2, U2, lengths=n, return_sequences=True)",
        "h3 = gru(h2, W3, U3, b3, c3, initial_state=s, reset_after=True, reverse=True)",
        "h4 = h3 @ W4 + b4",
    ]
    assert shapes(model) == {
        "W1": (5, 6), "U1": (6, 6), "b1": (6,),
        "W2": (6, 24), "U2": (6, 24),
        "W3": (6, 18), "U3": (6, 18), "b3": (18,), "c3": (6,),
        "W4": (6, 4), "b4": (4,),
    }  # fmt: skip


def test_steps_are_unrolled_where_they_are_numbers() -> None:
    inputs = INPUTS.replace('"time", 5', "3, 5")
    model = layered(f'kind = "gru", units = 6, unroll = true\n{LAST}', inputs)
    assert equations(model)[0] == "h1 = gru(x, W1, U1, b1, unroll=True)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('kind = "gru", units = 6, unroll = true', "'x' has time steps: only a number"),
        ('kind = "rnn", units = 6, activation = "tahn"', "unknown activation 'tahn'.*'tanh'"),
        ('kind = "lstm", units = 6, mask = "sen"', "no value above is called 'sen'.*'seen'"),
        ('kind = "lstm", units = 6, reset_after = true', "unknown key 'reset_after'"),
        ('kind = "gru", units = "n_h"', r"W1 .* shape \(5, 3\*n_h\), .*; fix 'n_h' in \[dims\]$"),
        ('kind = "flatten"\nkind = "low_rank", units = 4, rank = "r"', "U1 .* fix 'time' in"),
    ],
)
def test_faults_are_told_where_they_are(line: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        load(text_of(f"{line}\n{LAST}", INPUTS))


def test_a_module_with_every_kind_checks_itself() -> None:
    lines = 'kind = "rnn", units = 3, return_sequences = true, lengths = "n"\n'
    lines += 'kind = "gru", units = 3, return_sequences = true\nkind = "lstm", units = 3\n'
    text = text_of(lines + LAST, INPUTS)
    assert compile(text)._self_check()
