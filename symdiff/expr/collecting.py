"""Python's garbage collector, told that graphs are large and make hardly any garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Within the block, no garbage is collected: graphs are large, and have no cycles.

    Looking through them again and again takes a quarter of the time otherwise; what is not
    needed any more is freed all the same, as soon as nothing refers to it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
