"""Records: dataclasses that are frozen to the type checker, and cheap to make."""

from __future__ import annotations

import pytest

from symdiff.expr.records import record


@record(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@record(frozen=True, slots=True, eq=False)
class Thing:
    x: int


def test_records_are_equal_by_their_fields() -> None:
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(1, 1)
    assert len({Point(1), Point(1, 0), Point(2)}) == 2


def test_things_are_equal_to_themselves_only() -> None:
    one = Thing(1)
    assert one == one
    assert one != Thing(1)
    assert len({one, Thing(1)}) == 2


def test_nothing_is_added_to_a_record() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 2  # type: ignore[attr-defined]
