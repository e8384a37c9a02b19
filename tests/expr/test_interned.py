"""The table of interned values: who is found, and what goes."""

from __future__ import annotations

from symdiff.expr.interned import FEW, Interned


class Thing:
    """Something that can be referred to weakly."""


def test_the_first_of_a_key_stays() -> None:
    table, one, other = Interned[Thing](), Thing(), Thing()
    assert table.put(b"k", one) is one
    assert table.put(b"k", other) is one
    assert table.get(b"k") is one
    assert table.get(b"other") is None


def test_what_nobody_holds_is_gone_and_its_key_free() -> None:
    table = Interned[Thing]()
    table.put(b"k", Thing())
    assert b"k" not in table
    new = Thing()
    assert table.put(b"k", new) is new
    assert b"k" in table


def test_entries_are_at_most_twice_as_many_as_were_alive() -> None:
    table = Interned[Thing]()
    kept = [table.put(b"%d" % i, Thing()) for i in range(FEW)]
    for i in range(FEW, 5 * FEW):
        table.put(b"%d" % i, Thing())
    assert len(table) <= 2 * FEW
    assert all(table.get(b"%d" % i) is x for i, x in enumerate(kept))


def test_many_that_go_leave_few_entries() -> None:
    table = Interned[Thing]()
    for i in range(3 * FEW):
        table.put(b"%d" % i, Thing())
    assert len(table) <= FEW
