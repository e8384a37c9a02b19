"""Python's garbage collector, told that graphs are large and make hardly any garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects, less those that are gone: as of a model of some ten layers.
MUCH = 100_000


@contextmanager
def no_collections() -> Iterator[None]:
    """Within the block, no garbage is collected: graphs are large, and have no cycles.

    Looking through them again and again takes a quarter of the time otherwise; what is not
    needed any more is freed all the same, as soon as nothing refers to it.  If that was much, it
    counts as old behind the block, so that it is not all looked through right there.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_count()[0] > MUCH and not gc.get_freeze_count():  # none of anyone else's
                gc.freeze()
                gc.unfreeze()
            gc.enable()
