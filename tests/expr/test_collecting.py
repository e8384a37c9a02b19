"""Garbage is not collected while graphs are made, and is again afterwards."""

from __future__ import annotations

import gc

import pytest

from symdiff.expr.collecting import MUCH, no_collections


def test_the_collector_is_as_it_was_behind_the_block() -> None:
    assert gc.isenabled()
    frozen = gc.get_freeze_count()
    with no_collections():
        assert not gc.isenabled()
        with no_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen


def test_it_is_so_after_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), no_collections():
        _ = 1 / 0
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with no_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_much_that_was_made_counts_as_old_at_once() -> None:
    with no_collections():
        kept = [[i] for i in range(MUCH + 1000)]
    old = {id(x) for x in gc.get_objects(generation=2)}
    assert id(kept[0]) in old
    assert gc.get_freeze_count() == 0
