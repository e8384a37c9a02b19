"""No text, however broken, gets anything but its own kind of error out of the readers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symdiff.errors import SpecError
from symdiff.expr.node import Node
from symdiff.nn import FUNCTIONS
from symdiff.spec.calls import METHODS
from symdiff.spec.formula import parse_formula
from symdiff.spec.load import load_text
from tests.spec.specs import DIGITS, LAYERED
from tests.spec.test_formula import NAMES

SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ATOMS = st.sampled_from(
    [*NAMES, "0", "1", "-1", "2", "0.5", "3", "pi", "inf", "None", "True", "...", "'ij,jk'", "'a'",
     "zz", "np.pi", "()", "[]", "1:2", "::-1", "9" * 18, "1e300", "x.shape", "(1, 0)",
     "(batch, -1)"]
)  # fmt: skip
SIGNS = st.sampled_from("+ - * / ** @ < <= > >= == != // % & and if".split())


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(
        st.one_of(inner, st.tuples(st.sampled_from(["axis", "keepdims", "n", "eps", "shape", "k"]),
                                   inner).map("=".join)),
        max_size=4,
    ).map(", ".join)  # fmt: skip
    return st.one_of(
        st.tuples(inner, SIGNS, inner).map(" ".join),
        inner.map("-{}".format),
        inner.map("({})".format),
        st.tuples(inner, inner).map("({0[0]}, {0[1]})".format),
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.tuples(inner, inner).map("{0[0]}[{0[1]}]".format),
        st.tuples(st.sampled_from([*FUNCTIONS]), arguments).map("{0[0]}({0[1]})".format),
        st.tuples(inner, st.sampled_from([*METHODS]), arguments).map(
            "{0[0]}.{0[1]}({0[2]})".format
        ),
        st.tuples(inner, st.sampled_from(["T", "shape", "ndim", "real"])).map(".".join),
    )


def outcome(read: Callable[[], Any]) -> Any:
    """What a reader gives, or the SpecError that it raises."""
    try:
        return read()
    except SpecError as error:
        return error


def check(text: str) -> None:
    """A formula gives a node or a SpecError with one line a fault."""
    given = outcome(lambda: parse_formula(text, NAMES))
    if isinstance(given, SpecError):
        assert given.faults
        assert len(str(given).split("\n")) == len(given.faults)
        assert all(1 <= fault.column <= len(text) + 1 for fault in given.faults)
    else:
        assert isinstance(given, Node)


@SETTINGS
@given(st.text())
def test_any_text_as_a_formula(text: str) -> None:
    check(text)


@SETTINGS
@given(st.recursive(ATOMS, _larger, max_leaves=12))
def test_anything_that_looks_like_a_formula(text: str) -> None:
    check(text)


@SETTINGS
@given(st.text(alphabet="xzWv()[]{}.,:+-*/@ \n\t'\"01e=_jσ\\#", max_size=40))
def test_any_heap_of_signs_as_a_formula(text: str) -> None:
    check(text)


PIECES = st.one_of(
    st.text(max_size=4),
    st.sampled_from(["[", "]", "{", "}", '"', "=", "\n", "\\", "[[layers]]", "[loss]", "batch",
                     "0", "-1", "true", "shape", "\u2028", "\0", "é", "'''", '"""']),
)  # fmt: skip


@SETTINGS
@given(
    st.sampled_from([DIGITS, LAYERED]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), min_size=1, max_size=4),
)
def test_any_change_to_a_spec(text: str, changes: list[tuple[float, int, str]]) -> None:
    for where, length, piece in changes:
        at = int(where * len(text))
        text = text[:at] + piece + text[at + length :]
    lines = text.split("\n")
    given = outcome(lambda: load_text(text))
    if isinstance(given, SpecError):
        assert given.faults
        for fault in given.faults:
            assert "\n" not in fault.message
            assert 1 <= fault.line <= len(lines)
            assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
    else:
        assert given.per_example.shape == ("batch",)


@SETTINGS
@given(st.text())
def test_any_text_as_a_spec(text: str) -> None:
    with contextlib.suppress(SpecError):
        load_text(text)


VALUES = st.recursive(
    st.one_of(st.integers(), st.floats(), st.booleans(), st.sampled_from(["'x'", "''", "'batch'"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(map(_toml, parts))}]"),
        st.tuples(st.sampled_from(["shape", "kind", "labels", "a"]), inner).map(
            lambda pair: f"{{ {pair[0]} = {_toml(pair[1])} }}"
        ),
    ),
    max_leaves=4,
)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@SETTINGS
@given(st.data())
def test_any_value_at_any_key(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([DIGITS, LAYERED])).split("\n")
    at = data.draw(st.sampled_from([i for i, line in enumerate(lines) if "=" in line]))
    lines[at] = f"{lines[at].split('=')[0]} = {_toml(data.draw(VALUES))}"
    with contextlib.suppress(SpecError):
        load_text("\n".join(lines))
