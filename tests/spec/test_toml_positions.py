"""Every key and value of a TOML text has its place, and strings map back to their text."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symdiff.spec.toml_positions import Positions

TEXT = """\
name = "d"
[inputs]
x = { shape = ["batch", 64], labels = 3 }
'y z'.t = 1
[functions]
"σ(x, é)" = "x"   # a comment
[[layers]]
kind = "a"
[[layers.layers]]
kind = "b"
[[layers]]
  kind = "c"
"""

PLACES = {
    ("name",): ((1, 1), (1, 8)),
    ("inputs",): ((2, 1), (2, 1)),
    ("inputs", "x"): ((3, 1), (3, 5)),
    ("inputs", "x", "shape"): ((3, 7), (3, 15)),
    ("inputs", "x", "shape", 0): ((3, 16), (3, 16)),
    ("inputs", "x", "shape", 1): ((3, 25), (3, 25)),
    ("inputs", "x", "labels"): ((3, 30), (3, 39)),
    ("inputs", "y z", "t"): ((4, 1), (4, 11)),
    ("functions", "σ(x, é)"): ((6, 1), (6, 13)),
    ("layers", 0): ((7, 1), (7, 1)),
    ("layers", 0, "kind"): ((8, 1), (8, 8)),
    ("layers", 0, "layers", 0, "kind"): ((10, 1), (10, 8)),
    ("layers", 1, "kind"): ((12, 3), (12, 10)),
}


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_keys_and_values_have_their_places(path: tuple[str | int, ...]) -> None:
    positions = Positions(TEXT)
    assert (positions.key(path), positions.value(path)) == PLACES[path]


def test_what_is_not_there_has_the_place_of_what_holds_it() -> None:
    positions = Positions(TEXT)
    assert positions.key(("inputs", "x", "shape", 7)) == (3, 7)
    assert positions.key(("loss", "kind")) == (1, 1)


STRINGS = [
    'k = "a\\u0041\\t\\"b"',
    "k = 'it\\n'",
    'k = """\nfirst\n  second"""',
    'k = """one \\\n     two\\\\ three"""',
    "k = '''\nx''y\nz'''",
    'k = "\\U0001F600x"',
    'k = """a\r\nb"""',
]


@pytest.mark.parametrize("text", STRINGS)
def test_characters_of_strings_are_found_in_the_text(text: str) -> None:
    value = tomllib.loads(text)["k"]
    positions = Positions(text)
    lines = text.split("\n")
    for offset, character in enumerate(value):
        line, column = positions.inside(("k",), offset)
        shown = f"{lines[line - 1]}\n"[column - 1]
        assert shown in (character, "\\", "\r")


@given(st.text())
def test_any_text_at_all_can_be_placed(text: str) -> None:
    positions = Positions(text)
    assert positions.key(("a", 0, "b")) >= (1, 1)
